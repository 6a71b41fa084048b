"""Whose data a request is about: the honest ways to find out, and what each of them proves."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from core import requests
from core.errors import NotAllowed
from core.models import MatchedBy
from core.requests import Detail
from core.ui import session, widgets
from core.ui.screens.desk.desk import Desk, do

FILE = "desk-original"
WAYS = {
    "Claim code": MatchedBy.CLAIM_CODE,
    "A run and its time": MatchedBy.RUN_NUMBER,
    "The original file": MatchedBy.ORIGINAL_FILE,
}
BY_SAYS = {
    MatchedBy.SESSION: "by the browser",
    MatchedBy.CLAIM_CODE: "by claim code",
    MatchedBy.RUN_NUMBER: "by a run's number and time",
    MatchedBy.ORIGINAL_FILE: "by the original file",
}


def matching(desk: Desk, one: Detail) -> None:
    st.subheader("Whose photos?", anchor=False)
    if one.address:
        widgets.show(widgets.quiet("Ask for the claim code with a reply below, or use what the requester has given:"))
    way = st.segmented_control(
        "What they have given", list(WAYS), default="Claim code", required=True, key="desk-way", wrap=True
    )
    by = WAYS[way or "Claim code"]
    widgets.show(widgets.quiet(f"What it proves: {requests.PROVES[by]}"))
    match by:
        case MatchedBy.RUN_NUMBER:
            _by_run(desk, one)
        case MatchedBy.ORIGINAL_FILE:
            _by_file(desk, one)
        case _:
            _by_code(desk, one)


def _by_code(desk: Desk, one: Detail) -> None:
    with st.form(key="desk-code-form", border=False, clear_on_submit=True):
        code = st.text_input("Claim code", autocomplete="off", help="Spaces and small letters do not matter.")
        if st.form_submit_button("Match by claim code"):
            _matched(lambda: requests.match_claim_code(desk.svc, one.ticket.id, code=code or "", actor=desk.who.actor))


def _by_run(desk: Desk, one: Detail) -> None:
    zone, says = widgets.reader_zone()
    zones = {f"{zone.key} {says}": zone} | ({} if zone.key == "UTC" else {"UTC": ZoneInfo("UTC")})
    with st.form(key="desk-run-form", border=False):
        number = st.text_input("Number of the run", autocomplete="off")
        when = st.datetime_input("Made about", value=None, max_value=desk.now.astimezone(zone).replace(tzinfo=None))
        where = st.selectbox("That time is", list(zones))
        if st.form_submit_button("Match by run and time"):
            _matched(lambda: _match_run(desk, one, number or "", when, zones[where]))


def _match_run(desk: Desk, one: Detail, number: str, when: datetime | None, zone: ZoneInfo) -> None:
    if when is None:
        raise NotAllowed("Please say about when the run was made: a number alone proves too little.")
    about_when = when.replace(tzinfo=zone).astimezone(UTC)
    requests.match_run(desk.svc, one.ticket.id, run_number=number, about_when=about_when, actor=desk.who.actor)


def _by_file(desk: Desk, one: Detail) -> None:
    st.file_uploader(
        "The file that was uploaded, exactly as it was",
        key=session.upload_key(FILE),
        on_change=_compare,
        args=(desk, one.ticket.id),
        help="Compared by its bytes, and not kept. Nobody looks at the face.",
    )


def _compare(desk: Desk, request_id: str) -> None:
    data = session.take_upload(FILE)
    if data is not None:
        do(_MATCHED, lambda: requests.match_file(desk.svc, request_id, data=data, actor=desk.who.actor))


_MATCHED = "Matched. It is known now whose photos this is about."


def _matched(deed: Callable[[], object]) -> None:
    do(_MATCHED, deed)
    st.rerun()
