"""
The register of requests as a file: what it shows on the desk, for as many as there are. Numbers, words and clocks;
nothing of a person, who has none of their words here and no id either.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from core.models import RequestChannel, RequestKind, RequestState
from core.requests.reading import OPEN_STATES, Filter, matching
from core.requests.tickets import Ticket
from core.services import Services
from core.sla import Standing

AT_ONCE: Final = 500
LONGEST_WORD: Final = 40
COLUMNS: Final = (
    "number",
    "kind",
    "channel",
    "state",
    "standing",
    "clock",
    "received_at",
    "due_at",
    "extended_at",
    "matched_by",
    "matched_at",
    "started_at",
    "erased_at",
    "proved_at",
    "answered_at",
    "done_at",
    "closed_at",
    "outcome",
    "refused_ground",
    "duplicate_of",
    "assignee",
    "trouble",
)


def as_words(which: Filter) -> dict[str, str]:
    """A filter as an address carries it."""
    words = {
        "states": "" if tuple(which.states) == OPEN_STATES else " ".join(which.states) or "any",
        "kinds": " ".join(which.kinds),
        "channels": " ".join(which.channels),
        "standing": which.standing or "",
        "search": which.search.strip(),
    }
    if which.assignee is not None:
        words["assignee"] = which.assignee or "nobody"
    return {name: str(word) for name, word in words.items() if word}


def of_words(words: Mapping[str, str]) -> Filter:
    """Raises ValueError for anything that `as_words` would not have written."""
    if any(len(word) > LONGEST_WORD * 5 for word in words.values()):
        raise ValueError("a word that is too long")
    states, assignee = words.get("states", ""), words.get("assignee")
    return Filter(
        states=() if states == "any" else tuple(map(RequestState, states.split())) or OPEN_STATES,
        kinds=tuple(map(RequestKind, words.get("kinds", "").split())),
        channels=tuple(map(RequestChannel, words.get("channels", "").split())),
        assignee="" if assignee == "nobody" else assignee,
        search=words.get("search", "")[:LONGEST_WORD],
        standing=Standing(words["standing"]) if words.get("standing") else None,
    )


def rows(svc: Services, which: Filter, now: datetime) -> Iterator[list[str]]:
    """All that fit, as the desk lists them."""
    with svc.reading() as session:
        for ticket in matching(session, which, now=now, at_once=AT_ONCE):
            yield as_row(ticket, now)


def as_row(ticket: Ticket, now: datetime) -> list[str]:
    told = {**vars(ticket), "standing": ticket.standing(now)}
    return [_word(told[name]) for name in COLUMNS]


def _word(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
