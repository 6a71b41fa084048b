"""A request as pages see it: numbers, words and clocks, nothing of the person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from core import sla
from core.language import N_, _
from core.models import MatchedBy, Request, RequestChannel, RequestKind, RequestOutcome, RequestState
from core.sla import Standing

TROUBLES: Final[Mapping[str, str]] = {
    "erasing_stopped": N_("All erasing is stopped."),
    "storage_locked": N_("A lock on the storage keeps it: whoever runs the storage has to take the lock off."),
    "storage_unreachable": N_("Storage could not be reached. It is tried again."),
    "not_proved": N_("It is erased, and storage does not show yet that it is gone. Storage is asked again."),
    "write_settles": N_("An upload may still be on its way. In a few minutes it is not."),
    "answer_failed": N_("All is gone, and the receipt or the mail could not be made. It is tried again."),
    "not_packed": N_("The copy could not be packed. It is tried again."),
}
"""Why a request does not go on by itself."""
_STOPPED: Final = N_("It does not go on by itself.")


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A request as it was when it was read."""

    id: str
    number: str
    kind: RequestKind
    channel: RequestChannel
    state: RequestState
    outcome: RequestOutcome | None
    clock: str  # the line of the table of clocks
    language: str  # in which the requester is written to
    received_at: datetime
    entered_at: datetime
    due_at: datetime
    extended_at: datetime | None
    matched_by: MatchedBy | None
    matched_at: datetime | None
    waiting_at: datetime | None
    start_at: datetime | None  # the end of the undo
    started_at: datetime | None
    erased_at: datetime | None
    proved_at: datetime | None
    answered_at: datetime | None
    done_at: datetime | None
    closed_at: datetime | None
    refused_ground: str | None
    duplicate_of: str | None  # the number of the request that leads
    assignee: str | None
    trouble: str | None  # a code
    export_id: str | None

    @property
    def trouble_says(self) -> str:
        """In words; empty where all goes on."""
        return _(TROUBLES.get(self.trouble, _STOPPED)) if self.trouble else ""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def matched(self) -> bool:
        return self.matched_by is not None

    @property
    def extended(self) -> bool:
        return self.extended_at is not None

    def standing(self, now: datetime) -> Standing:
        return sla.standing(self, now)

    def says(self, now: datetime) -> str:
        """ "31 h 4 m left"."""
        return sla.says(self.standing(now), self.due_at, self.done_at, now)


_SAME = tuple(name for name in Ticket.__dataclass_fields__ if name != "duplicate_of")


def tickets(session: Session, requests: Sequence[Request]) -> list[Ticket]:
    """In the order given."""
    leaders = _numbers(session, {request.duplicate_of for request in requests if request.duplicate_of})
    return [
        Ticket(
            **{name: getattr(request, name) for name in _SAME},
            duplicate_of=leaders.get(request.duplicate_of) if request.duplicate_of else None,
        )
        for request in requests
    ]


def ticket(session: Session, request: Request) -> Ticket:
    return tickets(session, [request])[0]


def _numbers(session: Session, ids: Iterable[str]) -> dict[str, str]:
    wanted = list(ids)
    if not wanted:
        return {}
    query = select(Request.id, Request.number).where(col(Request.id).in_(wanted))
    return dict(session.exec(query).all())
