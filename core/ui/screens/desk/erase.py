"""Erase and prove: asked first with a typed word, then watched until storage has shown that all is gone."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import requests
from core.language import size
from core.models import CopyKind, MatchedBy, RequestChannel, RequestKind, RequestState
from core.requests import Detail, Stays, Ticket, WillGo
from core.ui import widgets
from core.ui.operators import COPY_SAYS
from core.ui.screens.desk.desk import WORD, Desk, do, say

CONFIRM = "desk-erase"
WATCH_EVERY = 1.5  # seconds
MAY_START = (RequestState.OPEN, RequestState.WAITING, RequestState.UNDO)
UNDER_WAY = (RequestState.UNDO, RequestState.WORKING)
STAGES = ["Begun", "Erased", "Shown to be gone", "Answered"]
BY_ITSELF = ("write_settles",)
STAYS = "Not ours to erase. The answer and the receipt name it, and the receipt is amended when it is gone."
STAYS_SAYS = {"upload": "uploaded photo", "result": "headshot made there"}


def may_start(ticket: Ticket) -> bool:
    """What an operator has matched. What the requester has shown themselves begins by itself, after their undo."""
    theirs = ticket.state is RequestState.UNDO and not _is_ours(ticket)
    return ticket.kind is RequestKind.ERASE and ticket.matched and ticket.state in MAY_START and not theirs


def _is_ours(ticket: Ticket) -> bool:
    by_hand = ticket.matched_by is MatchedBy.CLAIM_CODE and ticket.channel is RequestChannel.HAND
    return by_hand or ticket.matched_by in (MatchedBy.RUN_NUMBER, MatchedBy.ORIGINAL_FILE)


def ask(ticket: Ticket) -> None:
    """Opens the question, or says why there is nothing to ask. Never erases."""
    if may_start(ticket):
        widgets.open_confirm(CONFIRM + ticket.id)
    elif not ticket.is_open:
        say("This request is closed: there is nothing left to erase.", "info")
    elif ticket.kind is not RequestKind.ERASE:
        say("This request does not ask for anything to be erased.", "info")
    elif ticket.state is RequestState.UNDO:
        say("The requester can still take this back. Then it begins by itself.", "info")
    elif ticket.state is RequestState.WORKING:
        say("This is being erased already.", "info")
    else:
        say("First find out whose photos this is about.", "due")


def question(desk: Desk, one: Detail) -> None:
    """Call it in every run: it shows once it was asked for, and does it once the word was typed."""
    ticket = one.ticket
    if not may_start(ticket):
        return
    things = things_of(one.will_go)
    sure = widgets.confirm_dialog(
        f"Erase and prove {ticket.number}",
        sentence=f"Erases {things or 'whatever is left'} of this person, asks storage to show that it is gone, "
        "and answers with a receipt.",
        button_label=f"Erase {things}" if things else "Erase",
        key=CONFIRM + ticket.id,
        typed_word=WORD,
    )
    if sure:
        do("Begun. It is being erased and proved.", lambda: requests.start(desk.svc, ticket.id, desk.who.actor))
        st.rerun()


def things_of(will_go: Sequence[WillGo]) -> str:
    """`1 photo and 8 headshots`."""
    numbers: dict[CopyKind, int] = {}
    for each in will_go:
        numbers[each.kind] = numbers.get(each.kind, 0) + each.copies
    said = [widgets.count(number, *COPY_SAYS[kind]) for kind, number in numbers.items()]
    return " and ".join(part for part in (", ".join(said[:-1]), said[-1]) if part) if said else ""


def place_says(place: str) -> str:
    return {"vault": "in our vault"}.get(place, f"at {place}")


def what_will_go(desk: Desk, one: Detail) -> None:
    """Kinds, numbers, bytes and places; never a picture. And what will not go."""
    if one.ticket.kind is not RequestKind.ERASE or not one.ticket.is_open:
        return
    if not one.ticket.matched:
        widgets.show(widgets.quiet("What will go is shown here once it is known whose photos this is about."))
        return
    if not one.will_go:
        widgets.show(widgets.note("Nothing of this person is left here.", "kept"))
        _what_stays(desk, one.stays_elsewhere)
        return
    lines: list[tuple[str, widgets.Html | str]] = [
        (widgets.count(each.copies, *COPY_SAYS[each.kind]), f"{place_says(each.place)}, {size(each.bytes)}")
        for each in one.will_go
    ]
    copies = widgets.count(sum(each.copies for each in one.will_go), "copy", "copies")
    lines.append((copies, f"in all, {size(sum(each.bytes for each in one.will_go))}"))
    widgets.show(widgets.facts(lines))
    _what_stays(desk, one.stays_elsewhere)


def _what_stays(desk: Desk, stays: Sequence[Stays]) -> None:
    """At third parties: with its end there, because no button of ours can bring that nearer."""
    if not stays:
        return
    lines = [(f"At {each.provider}: {STAYS_SAYS.get(each.kind, each.kind)}", _ends(desk, each)) for each in stays]
    widgets.show(widgets.quiet(STAYS), widgets.facts(lines))


def _ends(desk: Desk, each: Stays) -> str:
    when = widgets.instant(each.ends_at, now=desk.now)
    if each.open_after_its_end:
        return f"should have ended {when}, still open; looked at again and again"
    return f"should have ended {when}, not shown to be gone yet" if each.ends_at <= desk.now else f"ends there {when}"


# ------------------------------------------------------------------------------------------------------------- watching
def progress(desk: Desk, one: Detail) -> None:
    """How far it is; by itself, and at once where something has changed."""
    if one.ticket.state in UNDER_WAY:
        _watched(desk, one.ticket)
    else:
        _drawn(desk, one)


@st.fragment(run_every=WATCH_EVERY)
def _watched(desk: Desk, seen: Ticket) -> None:
    now = replace(desk, now=desk.svc.clock())
    one = requests.detail(desk.svc, seen.id, now.now)
    if _other(one.ticket, seen):
        st.rerun()
    _drawn(now, one)


def _other(ticket: Ticket, seen: Ticket) -> bool:
    return (ticket.state, ticket.trouble, ticket.matched_by) != (seen.state, seen.trouble, seen.matched_by)


def _drawn(desk: Desk, one: Detail) -> None:
    ticket, far = one.ticket, one.progress
    if ticket.kind is not RequestKind.ERASE or ticket.state is not RequestState.WORKING:
        return
    done = [name for name, at in zip(STAGES, _instants(ticket), strict=True) if at]
    current = next((name for name in STAGES if name not in done), None)
    stuck = current if ticket.trouble and ticket.trouble not in BY_ITSELF else None
    counted = f"{far.erased:,} of {far.copies:,} erased, {far.gone:,} shown to be gone" if far and far.copies else ""
    widgets.show(
        widgets.stages(STAGES, done=done, current=current, failed=stuck), widgets.quiet(counted) if counted else None
    )


def _instants(ticket: Ticket) -> list[object]:
    return [ticket.started_at, ticket.erased_at, ticket.proved_at, ticket.answered_at]


def held_up(desk: Desk, ticket: Ticket) -> None:
    if not ticket.trouble or not ticket.is_open:
        return
    says = requests.TROUBLES.get(ticket.trouble, "It does not go on by itself.")
    widgets.show(widgets.note(says, "unknown" if ticket.trouble in BY_ITSELF else "broken"))
    if ticket.state is RequestState.WORKING and st.button("Try again now", key="desk-retry"):
        do("Storage is asked again.", lambda: requests.retry(desk.svc, ticket.id, actor=desk.who.actor))
        st.rerun()
