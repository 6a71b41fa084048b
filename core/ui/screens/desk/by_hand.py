"""A request that reached support in another way, entered with the time it really came."""

from datetime import UTC, datetime

import streamlit as st

from core import requests, sla
from core.errors import NotAllowed, WorkShotError
from core.language import ENGLISH, NAMES
from core.models import RequestKind, new_id
from core.ui import widgets
from core.ui.screens.desk.desk import KIND_SAYS, Desk, open_one, say

PRESS = "desk-press"
LAWS = {"gdpr": "GDPR", "california": "California"}


def by_hand(desk: Desk) -> None:
    with st.expander("Enter a request by hand", type="compact"):
        _form(desk)


def _form(desk: Desk) -> None:
    zone, says = widgets.reader_zone()
    press_id = st.session_state.setdefault(PRESS, new_id())
    there = desk.now.astimezone(zone).replace(tzinfo=None)
    with st.form(key=f"desk-by-hand-{press_id}", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.selectbox("Kind of request", list(KIND_SAYS), format_func=lambda one: KIND_SAYS[one], width=220)
            law = st.selectbox("Law", list(sla.laws()), format_func=lambda one: LAWS.get(one, one), width=160)
            received = st.datetime_input(f"Received {says}", value=None, max_value=there, width=240)
        widgets.show(widgets.quiet("When it reached us, not when it is entered. It cannot be changed afterwards."))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            address = st.text_input("E-mail address, for the answer", autocomplete="off", width="stretch")
            speaks = st.selectbox("Answered in", list(NAMES), format_func=lambda one: NAMES[one], width=160)
        words = st.text_area("What they wrote or said", height=100, help="Claim codes in it are blotted out.")
        if st.form_submit_button("Enter the request"):
            try:
                _enter(desk, kind, law, received, address or "", words or "", speaks or ENGLISH, press_id)
            except WorkShotError as exc:
                widgets.show(widgets.note(str(exc), "due"))
            else:
                st.rerun()


def _enter(
    desk: Desk,
    kind: RequestKind,
    law: str,
    received: datetime | None,
    address: str,
    words: str,
    speaks: str,
    press_id: str,
) -> None:
    if received is None:
        raise NotAllowed("Please say when the request reached us.")
    received_at = received.replace(tzinfo=widgets.reader_zone()[0]).astimezone(UTC)
    entered = requests.open_by_hand(
        desk.svc,
        kind=kind,
        law=law,
        received_at=received_at,
        address=address,
        words=words,
        language=speaks,
        actor=desk.who.actor,
        press_id=press_id,
    )
    st.session_state.pop(PRESS, None)
    open_one(entered.number)
    say("Entered.", "kept")
