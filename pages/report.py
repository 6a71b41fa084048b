"""
Report an image: for anybody, without a name. A file is taken out of Streamlit the moment it arrives, read in memory and
let go of; what stays in this browser's tab is its keyed hash, until the report is sent.
"""

import streamlit as st

from core import abuse, intake, reports
from core.errors import WorkShotError
from core.language import _
from core.models import AbuseKind, new_id
from core.policy.numbers import BLOCK_MONTHS
from core.reports import Received, Said, Trace
from core.ui import report_text as text
from core.ui import session, widgets
from core.ui.app import services

FILE, TRACE, REFUSED = "reported-file", "reported-trace", "reported-refused"
PRESS, SENT, TURN = "report-press", "report-sent", "report-turn"

svc, me = services(), session.current_session()
now = svc.clock()


def take() -> None:
    """What the uploader holds, hashed and forgotten."""
    for name in (TRACE, REFUSED):
        st.session_state.pop(name, None)
    if (data := session.take_upload(FILE)) is None:
        return
    if len(data) > intake.MAX_BYTES:
        st.session_state[REFUSED] = True
    else:
        st.session_state[TRACE] = reports.trace_of(services(), data)


def ask_for_file() -> Trace | None:
    trace: Trace | None = st.session_state.get(TRACE)
    if trace is None:
        st.file_uploader(
            _(text.FILE),
            type=text.TYPES,
            key=session.upload_key(FILE),
            max_upload_size=20,
            on_change=take,
            help=_(text.FILE_HELP),
        )
        if st.session_state.get(REFUSED):
            widgets.show(widgets.note(_(text.TOO_LARGE), "due"))
        return None
    widgets.show(widgets.note(_(text.FILE_READ_MARK if trace.marked else text.FILE_READ), "kept"))
    if st.button(_(text.FILE_AWAY)):
        st.session_state.pop(TRACE)
        st.rerun()
    return trace


def ask() -> None:
    turn = st.session_state.setdefault(TURN, 0)  # a new one empties the form
    kinds = {one: _(says) for one, says in text.KINDS.items()}
    kind = st.radio(_(text.WHAT), list(kinds), format_func=kinds.__getitem__, key=f"report-kind-{turn}")
    trace = None
    if kind is AbuseKind.CHILD:
        widgets.show(widgets.note(_(text.CHILD_FIRST), "broken"))
        st.session_state.pop(TRACE, None)
    else:
        trace = ask_for_file()
    run = st.text_input(
        _(text.RUN), max_chars=20, placeholder=text.RUN_PLACEHOLDER, autocomplete="off", key=f"report-run-{turn}"
    )
    words = st.text_area(_(text.WORDS), max_chars=abuse.MOST_WORDS, help=_(text.WORDS_HELP), key=f"report-words-{turn}")
    address = st.text_input(
        _(text.ADDRESS), autocomplete="email", help=_(text.ADDRESS_HELP), key=f"report-address-{turn}"
    )
    if st.button(_(text.SEND), type="primary"):
        send(Said(kind=kind, words=words or "", address=address or "", run_number=run or "", trace=trace))


def send(said: Said) -> None:
    """A double press is one report: the press is named before, and forgotten after."""
    press_id = st.session_state.setdefault(PRESS, new_id())
    try:
        st.session_state[SENT] = reports.open_report(svc, me, said, press_id=press_id)
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "due"))
        return
    for name in (PRESS, TRACE, REFUSED):
        st.session_state.pop(name, None)
    st.session_state[TURN] += 1
    st.rerun()


def have_it(received: Received) -> None:
    widgets.show(
        widgets.card(
            widgets.el("h2", _(text.HAVE_IT)),
            widgets.facts([(_(text.NUMBER), received.number), (_(text.REPORTED), _(text.KINDS[received.kind]))]),
            widgets.deadline(received.due_at, now=now),
            widgets.quiet(_(text.QUOTE)),
        )
    )
    if received.kind is AbuseKind.CHILD:
        widgets.show(widgets.note(_(text.CHILD_FIRST), "broken"))
    if st.button(_(text.ANOTHER)):
        st.session_state.pop(SENT)
        st.rerun()


def what_happens_then() -> None:
    told = {"hours": int(abuse.ANSWERED_IN.total_seconds() // 3600), "months": BLOCK_MONTHS}
    st.header(_(text.THEN), anchor=False)
    looks = text.LOOKS if svc.settings.look_at_reported else text.NO_LOOKS
    widgets.show(widgets.points([*(_(step, **told) for step in text.STEPS), _(looks)]))


widgets.frame(_(text.TITLE), _(text.LEAD), now=now)
if sent := st.session_state.get(SENT):
    have_it(sent)
else:
    ask()
what_happens_then()
