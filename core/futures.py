"""
Futures: what goes when, as things stand, and what would go when under another promise.

What goes on which day, by contract and kind, is counted by the database in one pass. Over a million copies that takes
seconds, so of many copies a worker counts now and then, never for more than a hundredth of its time, and pages read
what it counted; of few copies it is counted as it is asked for. Every other figure is bounded: it is exact as long as
it is small enough to be worked through, and above that it says "more than".

"If nothing were kept longer than 7 d" needs no copy to be looked at again: a clock is the upload plus the contract, so
under a shorter one everything moves forward by the difference of the two.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func

from core import canary, erasing, retention
from core.canary import Song
from core.contracts import Contract, Terms
from core.db import take_turns
from core.erasing import SwitchState
from core.models import Copy, CopyKind, ForecastRow, Generation, HeadshotRow, JobKind
from core.plans import Clause
from core.retention import Hold, LastTime
from core.services import Services

MOST = 1_000
"""As far as anything is counted while somebody waits for it."""
FEW = 5_000
"""With so many copies, what goes when is counted as it is asked for."""
LATE = timedelta(minutes=10)
"""A clock is not overdue while the sweep is on its way."""
DAY = timedelta(days=1)
COUNTED_EVERY = timedelta(minutes=5)
SHARE_OF_TIME = 100
"""Counting may take this part of the time: what takes eight seconds is done every thirteen minutes at most."""
ROW = "kept"
CONTRACTS = list(Contract)


# ---------------------------------------------------------------------------------------------------- bounded counts
@dataclass(frozen=True)
class Count:
    """A number that was counted up to a bound."""

    number: int
    is_more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.is_more else f"{self.number:,}"

    def __bool__(self) -> bool:
        return self.number > 0


def count_up_to(session: Session, query: sa.Select[Any], most: int = MOST) -> Count:
    bounded = query.with_only_columns(sa.literal(1)).order_by(None).limit(most + 1).subquery()
    found = session.execute(sa.select(func.count()).select_from(bounded)).scalar_one()
    return Count(min(found, most), found > most)


def of_people() -> sa.Select[Any]:
    """Copies that are not gone. Canaries are nobody's."""
    return sa.select(Copy).where(col(Copy.gone_at).is_(None), col(Copy.kind) != CopyKind.CANARY)


def is_unproved() -> tuple[Clause, ...]:
    """Erased, and storage was asked in vain whether it is gone."""
    return col(Copy.gone_at).is_(None), col(Copy.probe_answer).is_not(None), col(Copy.erased_at).is_not(None)


# ------------------------------------------------------------------------------------------------------------ figures
@dataclass(frozen=True, kw_only=True)
class Figures:
    """How retention stands now."""

    overdue: Count
    overdue_by: timedelta  # the oldest of them
    oldest_kept_for: timedelta | None  # None: nothing is kept
    promise: timedelta  # the longest that anything may be kept
    next_day: Count  # goes within 24 hours, beside what is due already
    unproved: Count
    sweep: LastTime | None
    reconcile: LastTime | None
    song: Song
    switch: SwitchState
    hold: Hold | None


def figures(svc: Services) -> Figures:
    now = svc.clock()
    with svc.reading() as session:
        overdue = of_people().where(col(Copy.erase_by) < now - LATE)
        oldest_due = session.execute(
            overdue.with_only_columns(col(Copy.erase_by)).order_by(col(Copy.erase_by)).limit(1)
        ).scalar()
        oldest = session.execute(
            of_people().with_only_columns(col(Copy.created_at)).order_by(col(Copy.created_at)).limit(1)
        ).scalar()
        counts = [
            count_up_to(session, query)
            for query in (
                overdue,
                of_people().where(col(Copy.erase_by) > now, col(Copy.erase_by) <= now + DAY),
                of_people().where(*is_unproved()),
            )
        ]
    return Figures(
        overdue=counts[0],
        overdue_by=now - oldest_due if oldest_due else timedelta(0),
        oldest_kept_for=now - oldest if oldest else None,
        promise=svc.settings.terms.keep_for(svc.settings.longest_contract),
        next_day=counts[1],
        unproved=counts[2],
        sweep=retention.last_time(svc, JobKind.SWEEP),
        reconcile=retention.last_time(svc, JobKind.RECONCILE),
        song=canary.song(svc),
        switch=erasing.state(svc),
        hold=retention.hold(svc),
    )


# ----------------------------------------------------------------------------------------------------------- forecast
@dataclass(frozen=True)
class Cell:
    """So many copies of a kind, under one contract, go on a day (UTC)."""

    day: date
    kind: CopyKind
    contract: Contract | None  # None: of no run any more
    copies: int
    size: int  # bytes of the images


@dataclass(frozen=True)
class Forecast:
    """What goes when, as of `counted_at`. Days before it stand for what is due and not gone."""

    counted_at: datetime
    cells: tuple[Cell, ...]

    @property
    def copies(self) -> int:
        return sum(cell.copies for cell in self.cells)


def forecast(svc: Services, *, most: int = FEW) -> Forecast | None:
    """Counted now where that is quick, else as it was counted last. None: too many to count, and never counted."""
    with svc.reading() as session:
        if not count_up_to(session, of_people(), most).is_more:
            return Forecast(svc.clock(), _cells(session))
        row = session.get(ForecastRow, ROW)
    return Forecast(row.counted_at, _read(row.cells)) if row else None


def count(svc: Services) -> Forecast:
    """Count all there is, and keep the answer for the page."""
    started, counted_at = perf_counter(), svc.clock()
    with svc.reading() as session:
        cells = _cells(session)
    took_ms = round(1000 * (perf_counter() - started))
    with svc.transaction() as session:
        take_turns(session)
        session.merge(ForecastRow(name=ROW, counted_at=counted_at, took_ms=took_ms, cells=_written(cells)))
    return Forecast(counted_at, cells)


def tend(svc: Services, *, most: int = FEW) -> bool:
    """For the schedule: count again, where there is too much to count while somebody waits and it is time."""
    with svc.reading() as session:
        row = session.get(ForecastRow, ROW)
        if row is not None and svc.clock() < row.counted_at + _pause(row):
            return False
        if not count_up_to(session, of_people(), most).is_more:
            return False
    count(svc)
    return True


def _pause(row: ForecastRow) -> timedelta:
    return max(COUNTED_EVERY, SHARE_OF_TIME * timedelta(milliseconds=row.took_ms))


def _cells(session: Session) -> tuple[Cell, ...]:
    """One pass. The contract of an upload is the longest of the runs that were made from it."""
    rank = sa.case(
        {contract.value: at for at, contract in enumerate(CONTRACTS)},
        value=sa.cast(col(Generation.contract), sa.String),
    )
    longest = sa.select(func.max(rank))
    made = (
        sa.select(rank)
        .join(HeadshotRow, col(HeadshotRow.generation_id) == col(Generation.id))
        .where(col(HeadshotRow.copy_id) == col(Copy.id))
    )
    of_kind = sa.case(
        (col(Copy.kind) == CopyKind.HEADSHOT, made.correlate(Copy).scalar_subquery()),
        *(
            (col(Copy.kind) == kind, longest.where(upload == col(Copy.id)).correlate(Copy).scalar_subquery())
            for kind, upload in (
                (CopyKind.PORTRAIT, col(Generation.portrait_id)),
                (CopyKind.CLOTHING, col(Generation.clothing_id)),
                (CopyKind.BACKDROP, col(Generation.backdrop_id)),
            )
        ),
    ).label("rank")
    each = of_people().with_only_columns(_day(session).label("day"), col(Copy.kind), of_kind, col(Copy.size)).subquery()
    by = (each.c.day, each.c.kind, each.c.rank)
    rows = session.execute(sa.select(*by, func.count(), func.sum(each.c.size)).group_by(*by).order_by(*by))
    return tuple(
        Cell(date.fromisoformat(day), kind, None if rank is None else CONTRACTS[rank], copies, int(size))
        for day, kind, rank, copies, size in rows
    )


def _day(session: Session) -> sa.ColumnElement[str]:
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", Copy.erase_by), "YYYY-MM-DD")
    return func.date(Copy.erase_by)


def _written(cells: Iterable[Cell]) -> str:
    rows = [
        [cell.day.isoformat(), cell.kind.value, cell.contract and cell.contract.value, cell.copies, cell.size]
        for cell in cells
    ]
    return json.dumps(rows, separators=(",", ":"))


def _read(text: str) -> tuple[Cell, ...]:
    return tuple(
        Cell(date.fromisoformat(day), CopyKind(kind), Contract(contract) if contract else None, copies, size)
        for day, kind, contract, copies, size in json.loads(text)
    )


# ------------------------------------------------------------------------------------------------------------- what if
def what_if(cells: Iterable[Cell], longest: Contract, *, terms: Terms) -> tuple[Cell, ...]:
    """The same copies, had none been kept under a contract longer than this."""
    return tuple(_under(cell, longest, terms) for cell in cells)


def _under(cell: Cell, longest: Contract, terms: Terms) -> Cell:
    if cell.contract is None or cell.contract.no_longer_than(longest):
        return cell
    any_day = datetime(2026, 1, 1, tzinfo=UTC)
    sooner = terms.run_by(cell.contract, any_day) - terms.run_by(longest, any_day)
    day = datetime.combine(cell.day, datetime.min.time(), UTC) - sooner
    return replace(cell, day=day.date(), contract=longest)


def from_today(cells: Iterable[Cell], today: date) -> tuple[Cell, ...]:
    """What should have gone on a day that is over goes today."""
    return tuple(replace(cell, day=max(cell.day, today)) for cell in cells)


def by(cells: Sequence[Cell], day: date) -> tuple[int, int]:
    """How many copies will be gone at the end of a day, and how many will be left."""
    gone = sum(cell.copies for cell in cells if cell.day <= day)
    return gone, sum(cell.copies for cell in cells) - gone


def policies(svc: Services) -> list[Contract]:
    """Every promise that could be made instead, the present one first."""
    return svc.settings.terms.offered[::-1]
