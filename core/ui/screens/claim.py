"""The claim code: shown once, asked for anywhere."""

import streamlit as st

from core import access
from core.errors import WorkShotError
from core.language import _
from core.services import Services
from core.ui import counting, pages, widgets


def ask_for_code(svc: Services, me: str) -> None:
    """The field that opens one's photos from any browser."""
    st.header(_("Been here before?"), anchor="been-here-before")
    with st.form("claim", border=False, enter_to_submit=True):
        code = st.text_input(_("Claim code"), placeholder="7Q4K-M2XW-…", autocomplete="off")
        opened = st.form_submit_button(_("Open my photos"))
    if not opened:
        return
    if not code.strip():
        widgets.show(widgets.note(_("Please type or paste your claim code."), "due"))
        return
    try:
        access.open_with_code(svc, me, svc.networks.of(me), code)
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "unknown"))
        return
    counting.heed(svc, me, anew=True)
    st.session_state.pop("claim_code", None)
    st.session_state.pop("run", None)
    st.switch_page(pages.MY_PHOTOS)


def show_code(svc: Services, me: str, *, unasked: bool) -> None:
    """The code of what is open here. It is made when it is first needed, and a new one replaces it.

    `unasked`: show it without being asked to, if it never was shown.
    """
    code = st.session_state.get("claim_code")
    if code is None and unasked:
        code = access.issue_claim_code(svc, me)
    if code is None:
        widgets.show(widgets.quiet(_("Your claim code opens these photos in any browser. It is shown once.")))
        label = _("Make a new claim code") if _was_shown(svc, me) else _("Get my claim code now")
        if st.button(label, key="new-code"):
            st.session_state["claim_code"] = access.issue_claim_code(svc, me, replace=True)
            st.rerun()
        return
    st.session_state["claim_code"] = code
    widgets.show(widgets.claim_code(code))


def _was_shown(svc: Services, me: str) -> bool:
    with svc.reading() as reading:
        subject = access.current_subject(reading, me)
    return subject is not None and subject.claim_issued_at is not None
