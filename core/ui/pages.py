"""The map of the site: which pages there are, under which names."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core import erasing
from core.models import Role
from core.ui import operators, widgets
from core.ui.app import services

STUDIO, MY_PHOTOS, GUIDE = "pages/studio.py", "pages/my_photos.py", "pages/guide.py"
CHECK_RECEIPT = "pages/check_receipt.py"
SIGN_IN = "pages/sign_in.py"
OPS_DELETIONS = "pages/ops_deletions.py"
OPS_RETENTION, OPS_AUDIT = "pages/ops_retention.py", "pages/ops_audit.py"
OPS_USAGE = "pages/ops_usage.py"

erasing_switch = erasing.Watch()


def for_everyone() -> list[StreamlitPage]:
    return [
        st.Page(STUDIO, title="Studio", default=True),
        st.Page(MY_PHOTOS, title="My photos"),
        st.Page(GUIDE, title="Guide"),
        st.Page(CHECK_RECEIPT, title="Check a receipt", visibility="hidden"),
    ]


def shout() -> None:
    """On every page, before anything else: erasing is stopped, and what that means for a photo."""
    if says := erasing_switch.state(services()).says:
        widgets.show(widgets.note(says, "broken"))


def for_operator(role: Role | None) -> list[StreamlitPage]:
    """Pages of other roles do not exist: their addresses are as unknown as any other."""
    if role is None:
        # where to sign in, for those who know the address; only where there is a provider to do it with
        return [st.Page(SIGN_IN, title="Sign in", visibility="hidden")] if operators.providers() else []
    return [st.Page(path, title=title) for path, title, roles in _FOR_OPERATORS if role in roles]


_FOR_OPERATORS = (
    (OPS_DELETIONS, "Desk", (Role.SUPPORT, Role.FOUNDER)),
    (OPS_RETENTION, "Retention", (Role.SUPPORT, Role.FOUNDER)),
    (OPS_AUDIT, "Audit", (Role.SUPPORT, Role.FOUNDER)),
    (OPS_USAGE, "Usage", (Role.FOUNDER,)),
)
