"""What else can be done about a request: a note, another pair of hands, a refusal, an extension, an end."""

from collections.abc import Callable

import streamlit as st

from core import correspondence, operators, requests, sla
from core.errors import WorkShotError
from core.language import NAMES
from core.models import RequestChannel, RequestKind, RequestState
from core.requests import Detail, Ticket
from core.ui import widgets
from core.ui.screens.desk import letters
from core.ui.screens.desk.desk import Desk, do

NOTE, ASSIGN, LANGUAGE, WAIT, EXTEND, UNMATCH, BACK, REFUSE, CLOSE = (
    "Note",
    "Assign",
    "Language",
    "Wait",
    "Extend the clock",
    "Not theirs",
    "Taken back",
    "Refuse",
    "Close",
)


def others(desk: Desk, one: Detail) -> None:
    ticket = one.ticket
    if not ticket.is_open:
        return
    if _may_close(ticket) and st.button("Close the request", key="desk-close", type="primary"):
        _do("Closed.", lambda: requests.close(desk.svc, ticket.id, actor=desk.who.actor))
    deeds: dict[str, Callable[[Desk, Detail], None]] = {NOTE: _note, ASSIGN: _assign, LANGUAGE: _language}
    if ticket.state is RequestState.OPEN:
        deeds[WAIT] = _wait
    if _may_extend(desk, one):
        deeds[EXTEND] = _extend
    if ticket.matched and ticket.state in (RequestState.OPEN, RequestState.UNDO):
        deeds[UNMATCH] = _unmatch
    if ticket.state is not RequestState.WORKING:
        deeds |= {BACK: _taken_back, REFUSE: _refuse}
    chosen = st.pills("More", list(deeds), key=f"desk-more-{ticket.id}")
    if chosen in deeds:
        deeds[chosen](desk, one)


def _do(says: str, deed: Callable[[], object]) -> None:
    do(says, deed)
    st.rerun()


def _note(desk: Desk, one: Detail) -> None:
    with st.form(key="desk-note", border=False, clear_on_submit=True):
        text = st.text_area("Note", help="For other operators. It goes when the request is closed.", height=100)
        if st.form_submit_button("Keep the note"):
            _do("The note is kept.", lambda: requests.note(desk.svc, one.ticket.id, text or "", desk.who.actor))


def _assign(desk: Desk, one: Detail) -> None:
    with desk.svc.reading() as session:
        on_duty = operators.on_duty(session, desk.now)
    mine = desk.who.id
    whom = [mine, None, *(other for other in on_duty if other != mine)]
    with st.form(key="desk-assign", border=False):
        chosen = st.selectbox("Who works on it", whom, format_func=desk.name_of)
        if st.form_submit_button("Assign"):
            says = f"It is with {desk.name_of(chosen)} now."
            _do(says, lambda: requests.assign(desk.svc, one.ticket.id, chosen, desk.who.actor))


def _language(desk: Desk, one: Detail) -> None:
    """Of a mail it was guessed."""
    names = list(NAMES)
    with st.form(key="desk-language", border=False):
        chosen = st.selectbox(
            "We write to them in", names, index=names.index(one.ticket.language), format_func=lambda name: NAMES[name]
        )
        if st.form_submit_button("Write in this language"):
            says = f"Letters to them are in {NAMES[chosen]} now."
            _do(says, lambda: requests.speak(desk.svc, one.ticket.id, chosen, actor=desk.who.actor))


def _wait(desk: Desk, one: Detail) -> None:
    widgets.show(widgets.quiet("For when nothing can be done before the requester says something. The clock goes on."))
    if st.button("Wait for the requester", key="desk-wait"):
        _do("It waits for the requester.", lambda: requests.wait(desk.svc, one.ticket.id, actor=desk.who.actor))


def _unmatch(desk: Desk, one: Detail) -> None:
    widgets.show(widgets.quiet("For when it was matched by mistake, and nothing has begun."))
    if widgets.danger_button("These are not their photos", key="desk-unmatch"):
        _do("It is open again.", lambda: requests.unmatch(desk.svc, one.ticket.id, actor=desk.who.actor))


def _taken_back(desk: Desk, one: Detail) -> None:
    widgets.show(widgets.quiet("For when the requester says that they do not want it any more. Nothing is erased."))
    if widgets.danger_button("The requester took it back", key="desk-withdraw"):
        _do("Taken back, and closed.", lambda: requests.withdraw(desk.svc, one.ticket.id, actor=desk.who.actor))


def _may_close(ticket: Ticket) -> bool:
    return ticket.kind is not RequestKind.ERASE and ticket.answered_at is not None


def _may_extend(desk: Desk, one: Detail) -> bool:
    """Never for a request to erase, once, before it lapses, with notice."""
    ticket, clock = one.ticket, sla.clock_named(one.ticket.clock)
    allowed = clock is not None and clock.extension is not None and ticket.kind is not RequestKind.ERASE
    return allowed and not ticket.extended and ticket.done_at is None and desk.now <= ticket.due_at


def _extend(desk: Desk, one: Detail) -> None:
    clock = sla.clock_named(one.ticket.clock)
    later = sla.extended(clock, one.ticket.received_at) if clock else None
    if later is None:
        return
    says = f"Once, and with notice. Due then: {widgets.instant(later, now=desk.now)}."
    widgets.show(widgets.quiet(says))
    if one.address is None:
        widgets.show(widgets.note("There is no address to give notice to, and without notice a clock is not extended."))
        return
    with st.form(key="desk-extend", border=False):
        reason = st.text_area("Why we need longer", help="The requester reads this.", height=100)
        if st.form_submit_button("Extend, and tell the requester"):
            _do(
                "Extended, and the requester is told.",
                lambda: requests.extend(desk.svc, one.ticket.id, reason=reason or "", actor=desk.who.actor),
            )


def _refuse(desk: Desk, one: Detail) -> None:
    """Not in a form: the letter is shown as it goes, before it does."""
    ticket = one.ticket
    grounds = {ground.code: ground for ground in correspondence.grounds(ticket.kind)}
    code = st.selectbox(
        "Ground", list(grounds), index=None, format_func=lambda one: grounds[one].label, key=f"desk-ground-{ticket.id}"
    )
    words = st.text_area("In your words", key=f"desk-refusal-{ticket.id}", help="The requester reads this.", height=100)
    if code is None:
        widgets.show(widgets.quiet("A refusal needs a ground from the list."))
        return
    try:
        letter = letters.refusal(desk, ticket, code, words.strip())
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "due"))
        return
    if one.address:
        widgets.show(letters.as_it_goes(one.address, letter))
    elif ticket.channel is RequestChannel.HAND:
        widgets.show(widgets.note("There is no address: tell them, and where to complain, the way they came.", "due"))
    if widgets.danger_button(
        "Refuse, and close" if not one.address else "Refuse, tell them, and close", key="desk-refuse"
    ):
        _do(
            "Refused, and closed.",
            lambda: requests.refuse(desk.svc, ticket.id, ground=code, words=words, actor=desk.who.actor),
        )
