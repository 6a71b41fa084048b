"""The map of the site: which pages there are, under which names."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core import breaches, erasing
from core.language import N_, _, speaking
from core.models import Role
from core.ui import operators, widgets
from core.ui.app import services
from core.ui.screens.preferences import languages

STUDIO, MY_PHOTOS, GUIDE = "pages/studio.py", "pages/my_photos.py", "pages/guide.py"
PROMISES, POLICY, CHECKLIST = "pages/promises.py", "pages/policy.py", "pages/checklist.py"
CHECK_RECEIPT, CHECK_IMAGE = "pages/check_receipt.py", "pages/check_image.py"
REPORT, OPS_ABUSE = "pages/report.py", "pages/ops_abuse.py"
SIGN_IN = "pages/sign_in.py"
OPS_DELETIONS = "pages/ops_deletions.py"
OPS_RETENTION, OPS_AUDIT = "pages/ops_retention.py", "pages/ops_audit.py"
OPS_USAGE, OPS_BREACH = "pages/ops_usage.py", "pages/ops_breach.py"

erasing_switch = erasing.watch()


def for_everyone(language: str) -> list[StreamlitPage]:
    """By their names in this language."""
    with speaking(language):
        return [
            st.Page(STUDIO, title=_("Studio"), default=True),
            st.Page(MY_PHOTOS, title=_("My photos")),
            st.Page(PROMISES, title=_("Promises")),
            st.Page(GUIDE, title=_("Guide")),
            *(st.Page(path, title=_(title), visibility="hidden") for path, title in _LED_TO),
        ]


def foot(page: StreamlitPage) -> None:
    """Below every page for everyone: where our word can be checked, and which language it is in."""
    with st.container(horizontal=True, key="ws-foot"):
        for path, title in [(PROMISES, N_("Promises")), *_LED_TO]:
            st.page_link(path, label=_(title))
    widgets.show(languages(page.url_path))


def shout() -> None:
    """On every page, before anything else: erasing is stopped, and what that means for a photo; what people are told of
    a breach."""
    if says := erasing_switch.seen(services()).says:
        widgets.show(widgets.note(says, "broken"))
    if told := breaches.told_now(services()):
        widgets.show(widgets.note(told, "broken"))


def for_operator(role: Role | None) -> list[StreamlitPage]:
    """Pages of other roles do not exist: their addresses are as unknown as any other."""
    if role is not None:
        return [st.Page(path, title=title) for path, title, roles in _FOR_OPERATORS if role in roles]
    # where to sign in, for those who know the address; only where there is a provider to do it with
    return [st.Page(SIGN_IN, title="Sign in", visibility="hidden")] if operators.providers() else []


_LED_TO = (
    (POLICY, N_("Privacy")),
    (CHECKLIST, N_("Checklist")),
    (CHECK_IMAGE, N_("Check an image")),
    (CHECK_RECEIPT, N_("Check a receipt")),
    (REPORT, N_("Report an image")),
)
"""In no menu: the foot of each page and the texts lead there."""

_FOR_OPERATORS = (
    (OPS_DELETIONS, "Desk", (Role.SUPPORT, Role.FOUNDER)),
    (OPS_RETENTION, "Retention", (Role.SUPPORT, Role.FOUNDER)),
    (OPS_ABUSE, "Reports", (Role.SUPPORT, Role.FOUNDER)),
    (OPS_AUDIT, "Audit", (Role.SUPPORT, Role.FOUNDER)),
    (OPS_USAGE, "Usage", (Role.FOUNDER,)),
    (OPS_BREACH, "Breaches", (Role.FOUNDER,)),
)
