"""A request that is open beside the list: what it is, what to do next, and what has happened so far."""

import streamlit as st

from core import requests, sla
from core.errors import NotFound
from core.models import RequestKind, RequestState
from core.requests import Detail, Moment, Ticket
from core.ui import widgets
from core.ui.screens.desk import deeds, erase, letters, matching
from core.ui.screens.desk.desk import CHANNEL_SAYS, KIND_SAYS, OUTCOME_SAYS, Desk, do, leave, say, take, what_came_of_it


def ticket(desk: Desk, opened: Ticket) -> None:
    try:
        one = requests.detail(desk.svc, opened.id, desk.now)
    except NotFound as exc:
        widgets.show(widgets.note(str(exc), "unknown"))
        return
    _head(desk, one)
    what_came_of_it()
    erase.held_up(desk, one.ticket)
    erase.progress(desk, one)
    _next(desk, one)
    erase.question(desk, one)
    if one.ticket.kind is RequestKind.ERASE and one.ticket.is_open:
        st.subheader("What will go", anchor=False)
        erase.what_will_go(desk, one)
    letters.letters(desk, one)
    deeds.others(desk, one)
    _timeline(desk, one)


def _head(desk: Desk, one: Detail) -> None:
    ticket = one.ticket
    ended = ticket.done_at or ticket.closed_at
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(f"{ticket.number} · {KIND_SAYS[ticket.kind]}", anchor=False)
        st.button("Back to the list", key="desk-back", on_click=leave)
    timer = widgets.timer(ticket.due_at, now=desk.now, done_at=ended)
    clock = sla.clock_named(ticket.clock)
    facts: list[tuple[str, widgets.Html | str]] = [
        ("Received", f"{CHANNEL_SAYS[ticket.channel]}, {widgets.instant(ticket.received_at, now=desk.now)}"),
        ("Clock", (clock.says if clock else ticket.clock) + (" Extended once." if ticket.extended else "")),
        ("Whose data", _whose(ticket)),
        ("With", desk.name_of(ticket.assignee)),
    ]
    if one.address:
        facts.append(("Write to", one.address))
    if ticket.outcome is not None:
        facts.append(("Ended", OUTCOME_SAYS[ticket.outcome]))
    if ticket.duplicate_of:
        facts.append(("Goes with", f"{ticket.duplicate_of}, which is about the same person"))
    widgets.show(widgets.el("div", timer, class_="ws-timer-large"), widgets.facts(facts))


def _whose(ticket: Ticket) -> str:
    if ticket.matched_by is None:
        return "not shown yet" if ticket.is_open else "never shown"
    return f"shown {matching.BY_SAYS[ticket.matched_by]}. {requests.PROVES[ticket.matched_by]}"


# ------------------------------------------------------------------------------------------------------ what to do next
def _next(desk: Desk, one: Detail) -> None:
    """One sentence, and the one button that does it."""
    ticket = one.ticket
    if not ticket.is_open:
        _over(one)
        return
    if ticket.assignee not in (None, desk.who.id):
        widgets.show(widgets.note(f"{desk.name_of(ticket.assignee).capitalize()} has this one.", "due"))
    if ticket.assignee is None:
        st.button("Take it", key="desk-take", on_click=_take, args=(desk, ticket))
    match ticket.state:
        case RequestState.UNDO:
            _undo(desk, ticket)
        case RequestState.WORKING:
            pass  # the stages say it
        case _ if not ticket.matched:
            matching.matching(desk, one)
        case _ if ticket.kind is RequestKind.COPY:
            _pack(desk, ticket)
        case _ if ticket.kind is not RequestKind.ERASE and ticket.answered_at is None:
            widgets.show(widgets.note("Answer the requester below, then close the request.", "info"))
    if erase.may_start(ticket) and widgets.danger_button("Erase and prove", key="desk-erase-one"):
        erase.ask(ticket)


def _take(desk: Desk, ticket: Ticket) -> None:
    """Before the page is drawn, which may know of another hand by then: of two who press at once, one is told."""
    in_the_way = take(desk, [ticket])[ticket.id]
    say(in_the_way or "It is yours.", "due" if in_the_way else "kept")


def _undo(desk: Desk, ticket: Ticket) -> None:
    if ticket.start_at is not None and ticket.start_at > desk.now:
        begins = widgets.instant(ticket.start_at, now=desk.now)
        widgets.show(widgets.note(f"The requester can still take it back. It begins by itself {begins}.", "info"))


def _pack(desk: Desk, ticket: Ticket) -> None:
    if st.button("Pack the copy", key="desk-pack", type="primary"):
        do("The copy is being packed.", lambda: requests.start(desk.svc, ticket.id, desk.who.actor))
        st.rerun()


def _over(one: Detail) -> None:
    widgets.show(
        widgets.note("Closed. Address and words are destroyed; what is left here names nobody.", "info"),
        widgets.links(
            [
                widgets.DownloadLink(
                    label="receipt", href=f"/receipt/{receipt}.json", filename=f"receipt-{receipt}.json"
                )
                for receipt in one.receipt_ids[:1]
            ]
        )
        if one.receipt_ids
        else None,
    )


def _timeline(desk: Desk, one: Detail) -> None:
    st.subheader("What has happened", anchor=False)
    events = [
        widgets.Event(at=moment.at, what=" · ".join(part for part in (moment.says, _detail(desk, moment)) if part))
        for moment in one.timeline
        if moment.at <= desk.now
    ]
    widgets.show(widgets.timeline(events, now=desk.now), _mails(desk, one))


def _detail(desk: Desk, moment: Moment) -> str:
    """Codes of rows and of the audit log, as people say them."""
    role, _, operator_id = moment.detail.partition(":")
    if operator_id:
        return desk.name_of(operator_id)
    channels = {channel.value: says for channel, says in CHANNEL_SAYS.items()}
    return {"system": "by itself", "subject": "the requester", **channels}.get(role, role)


def _mails(desk: Desk, one: Detail) -> widgets.Html | None:
    said = [
        f"Mail “{mail.purpose.replace('_', ' ')}”: {mail.state}"
        + (f", {mail.failure.replace('_', ' ')}" if mail.failure else "")
        + f", {widgets.instant(mail.over_at or mail.created_at, now=desk.now)}"
        for mail in one.mails
    ]
    return widgets.stack(*(widgets.quiet(line) for line in said)) if said else None
