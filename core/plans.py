"""
Plans: what a sweep is about to erase, said beforehand by the function that the sweep itself asks.

A plan is a question with an instant: what was due then, and not erased yet. Its hash covers every id, size, reason and
clock in it, and its instant, so that a plan can be asked for again by its hash alone: rows know when they changed, and
what was erased since then can be told from what was not there. That is why nothing has to be kept, and why a plan of a
million copies needs no more memory than one of ten.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import made_up
from core.copies import Seen, kept_of_people
from core.errors import StalePlan
from core.models import Copy, CopyKind, EraseReason
from core.services import Services

LIFE = timedelta(hours=1)
SHOWN = 10_000
PAGE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Clause = sa.ColumnElement[bool]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A copy that is to be erased."""

    id: str
    kind: CopyKind
    size: int
    erase_by: datetime
    reason: EraseReason


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is due at `made_at` and not erased yet, the most overdue first."""

    made_at: datetime
    hash: str
    total: int
    size: int  # bytes of the images
    reasons: Mapping[EraseReason, int]
    kept_in_all: int  # copies that are not gone, those of the plan included
    items: tuple[Planned, ...] = field(repr=False)  # the first of them, so that it fits into memory

    @property
    def valid_until(self) -> datetime:
        return self.made_at + LIFE

    @property
    def left_out(self) -> int:
        """How many are in the plan and not in `items`."""
        return self.total - len(self.items)

    @property
    def by_clock(self) -> int:
        """Those that nobody asked for: their clocks ran out. Only these can be too many."""
        return self.reasons.get(EraseReason.CONTRACT, 0)

    def require_valid(self, now: datetime) -> None:
        """Raises StalePlan."""
        require_valid(self.made_at, now)


def require_valid(made_at: datetime, now: datetime) -> None:
    if now < made_at:
        raise StalePlan(f"This plan is valid from {_said(made_at)} on; it is {_said(now)} now.")
    if now > made_at + LIFE:
        until = _said(made_at + LIFE)
        raise StalePlan(f"This plan was valid until {until}. Make a new one and look at it: valid from {_said(now)}.")


def _said(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def plan(svc: Services, *, at: datetime | None = None, shows: int = SHOWN) -> Plan:
    """What is due now, or will be at a later instant as things stand. Changes nothing."""
    made_at = (at or svc.clock()).astimezone(UTC)
    return _read(svc, made_at, shows, *untouched_since(made_at))


def named(svc: Services, plan_hash: str, *, shows: int = 0) -> Plan:
    """The plan that had this hash, as it was made. Raises StalePlan: too old, or rows have changed since."""
    made_at = _instant_of(plan_hash)
    require_valid(made_at, svc.clock())
    found = _read(svc, made_at, shows, *as_it_was_at(made_at))
    if found.hash != plan_hash:
        raise StalePlan(f"What is due has changed. Make a new plan and look at it: valid from {_said(svc.clock())}.")
    return found


def untouched_since(made_at: datetime) -> tuple[Clause, ...]:
    """Rows that a plan of this instant names and that nothing has happened to since. Canaries are nobody's."""
    return (*_was_due_at(made_at), col(Copy.gone_at).is_(None), col(Copy.erased_at).is_(None))


def is_untouched_since(copy: Copy | Seen, made_at: datetime) -> bool:
    """The same, of a row in hand."""
    written = copy.written_at is None or copy.written_at <= made_at
    planned = copy.erase_by <= made_at and copy.created_at <= made_at and copy.kind is not CopyKind.CANARY
    return planned and written and copy.erased_at is None and copy.gone_at is None


def _was_due_at(made_at: datetime) -> tuple[Clause, ...]:
    return (
        col(Copy.erase_by) <= made_at,
        col(Copy.created_at) <= made_at,
        sa.or_(col(Copy.written_at).is_(None), col(Copy.written_at) <= made_at),
        col(Copy.kind) != CopyKind.CANARY,
        made_up.is_real(Copy.id),
    )


def as_it_was_at(made_at: datetime) -> tuple[Clause, ...]:
    not_erased_then = sa.or_(col(Copy.erased_at).is_(None), col(Copy.erased_at) >= made_at)
    return (*_was_due_at(made_at), not_erased_then)


def _read(svc: Services, made_at: datetime, shows: int, *where: Clause) -> Plan:
    digest, reasons, size = hashlib.sha256(_stamp(made_at).encode()), Counter[EraseReason](), 0
    items: list[Planned] = []
    with svc.reading() as session:
        for item in _stream(session, *where):
            digest.update(f"{item.id}|{item.size}|{item.reason.value}|{_stamp(item.erase_by)}\n".encode())
            reasons[item.reason] += 1
            size += item.size
            if len(items) < shows:
                items.append(item)
        kept = kept_in_all(session)
    return Plan(
        made_at=made_at,
        hash=f"{_stamp(made_at)}-{digest.hexdigest()[:16]}",
        total=reasons.total(),
        size=size,
        reasons=dict(reasons),
        kept_in_all=kept,
        items=tuple(items),
    )


def kept_in_all(session: Session) -> int:
    """Copies that are not gone."""
    return session.exec(select(func.count()).select_from(Copy).where(*kept_of_people())).one()


def _stream(session: Session, *where: Clause) -> Iterator[Planned]:
    columns: tuple[Any, ...] = (Copy.id, Copy.kind, Copy.size, Copy.erase_by, Copy.erase_reason)
    query = sa.select(*columns).where(*where).order_by(col(Copy.erase_by), col(Copy.id))
    for row in session.execute(query, execution_options={"yield_per": PAGE}):
        yield Planned(id=row[0], kind=row[1], size=row[2], erase_by=row[3], reason=row[4])


def _stamp(at: datetime) -> str:
    return f"{(at - _EPOCH) // timedelta(microseconds=1):x}"


def _instant_of(plan_hash: str) -> datetime:
    stamp, _, rest = plan_hash.partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(stamp, 16)) if rest else _no_plan()
    except (ValueError, OverflowError):
        return _no_plan()


def _no_plan() -> datetime:
    raise StalePlan("That is not the hash of a plan. `sweep --dry-run` prints one.")
