"""Who looks at the desk, when, which request is open, and how things are said there."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from core import requests
from core.models import RequestChannel, RequestKind, RequestOutcome, RequestState
from core.requests import Ticket
from core.ui import operators

WORD = "erase"
SAID, LOOK = "desk-said", "desk-look"
KIND_SAYS = {
    RequestKind.ERASE: "Erase",
    RequestKind.COPY: "Copy of data",
    RequestKind.CORRECT: "Correct",
    RequestKind.OBJECT: "Objection",
    RequestKind.QUESTION: "Question",
}
CHANNEL_SAYS = {
    RequestChannel.PRODUCT: "in the product",
    RequestChannel.EMAIL: "e-mail",
    RequestChannel.HAND: "by hand",
}
OUTCOME_SAYS = {
    RequestOutcome.DONE: "done",
    RequestOutcome.NOTHING_HELD: "nothing was held",
    RequestOutcome.REFUSED: "refused",
    RequestOutcome.WITHDRAWN: "taken back",
    RequestOutcome.DUPLICATE: "done with another one",
}


class Desk(operators.Desk):
    def at(self, at: datetime | None) -> str:
        """In the reader's zone, for a glance; the ticket has both zones."""
        if at is None:
            return "–"
        there = at.astimezone(self.zone)
        return f"{there:%H:%M}" if there.date() == self.now.astimezone(there.tzinfo).date() else f"{there:%d %b, %H:%M}"


# ---------------------------------------------------------------------------------------------- which request is open
def opened(desk: Desk) -> Ticket | None:
    """The request that the address of the page names."""
    number = _open.number
    if not number:
        return None
    with desk.svc.reading() as session:
        found = requests.page(session, requests.Filter(search=number), now=desk.now, size=1).items
    return next((ticket for ticket in found if ticket.number == number.upper()), None)


def is_open(number: str) -> bool:
    return _open.number == number


_open = operators.Opened("request", SAID)
open_one, leave = _open.open, _open.leave


def take(desk: Desk, tickets: Sequence[Ticket]) -> dict[str, str]:
    """What stood in the way of each, and in whose hands it is then; "" where nothing did."""
    came_of_it = requests.take(desk.svc, [ticket.id for ticket in tickets], desk.who.actor)
    for ticket in tickets:
        if came_of_it[ticket.id] and (whose := _whose(desk, ticket.number)):
            came_of_it[ticket.id] += f" It is with {whose}."
    return came_of_it


def _whose(desk: Desk, number: str) -> str:
    with desk.svc.reading() as session:
        found = requests.page(session, requests.Filter(search=number), now=desk.now, size=1).items
    return next((desk.name_of(ticket.assignee) for ticket in found if ticket.assignee), "")


# ------------------------------------------------------------------------------------------------- what came of a deed
do = partial(operators.attempt, SAID)
say = partial(operators.say, SAID)
what_came_of_it = partial(operators.what_came_of_it, SAID)


def look() -> int:
    """Counts up whenever the list is another one: it then has nothing chosen, and starts at its first page."""
    return int(st.session_state.get(LOOK, 0))


def look_anew() -> None:
    st.session_state[LOOK] = look() + 1


# --------------------------------------------------------------------------------------------------------------- words
def step_says(desk: Desk, ticket: Ticket) -> str:
    """What it waits for, or how it ended."""
    if ticket.outcome is not None:
        return OUTCOME_SAYS[ticket.outcome]
    if ticket.trouble:
        return f"held up: {ticket.trouble.replace('_', ' ')}"
    if ticket.duplicate_of:
        return f"goes with {ticket.duplicate_of}"
    match ticket.state:
        case RequestState.WAITING:
            return "waits for the requester"
        case RequestState.UNDO:
            return f"begins by itself {desk.at(ticket.start_at)}" if ticket.start_at else "begins by itself"
        case RequestState.WORKING if ticket.kind is RequestKind.COPY:
            return "being packed"
        case RequestState.WORKING:
            return "being proved" if ticket.erased_at else "being erased"
    if not ticket.matched and ticket.kind is not RequestKind.QUESTION:
        return "needs to know whose data"
    return "ready to erase" if ticket.kind is RequestKind.ERASE else "needs an answer"
