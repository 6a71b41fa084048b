"""
Counting: a number goes up when the transaction that did the deed commits, and is written with many others.

`count` notes in the session of a transaction; what rolls back was never counted. After the commit it goes into this
process's `Tally`, in memory, and every few seconds a `flush` adds the tally to the tables in one transaction. A process
that is killed loses what it has not flushed: at most `FLUSH_EVERY` of time, or `AT_MOST` cells; a verb of the command
line flushes when it ends. A flush whose answer
was lost is repeated with the id of its batch, and whoever finds that id there adds nothing: never twice.

Nothing is noted of who did it. Whose doings are not to be counted (a canary, somebody who opted out) is decided by
those who call: they have the person before them, and this module never does.
"""

import logging
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4

import sqlalchemy as sa
from sqlmodel import Session

from core.db import upsert
from core.logs import outline
from core.models import UsageBatch, UsageCount, UsageHour
from core.usage.metrics import HOURLY, Metric
from core.usage.words import OTHER

log = logging.getLogger(__name__)

FLUSH_EVERY: Final = timedelta(seconds=10)
AT_MOST: Final = 500
"""Cells in a tally; with more of them the next `flush_if_due` writes them, whatever the time."""
BATCHES_KEPT: Final = timedelta(days=2)
_COUNTED = "usage"
_WORD = re.compile(r"[a-z0-9_.:-]{0,40}", re.ASCII)


class Cell(NamedTuple):
    day: date
    hour: int
    metric: Metric
    a: str
    b: str


@dataclass
class Batch:
    """What is written at once, under an id that makes it count once."""

    id: str
    counts: Counter[Cell]


def count(session: Session, metric: Metric, a: str = "", b: str = "", *, at: datetime, n: int = 1) -> None:
    """One more, if this transaction commits. `at`: the instant that it belongs to."""
    noted: Counter[Cell] = session.info.setdefault(_COUNTED, Counter())
    noted[cell(metric, a, b, at=at)] += n


def cell(metric: Metric, a: str = "", b: str = "", *, at: datetime) -> Cell:
    """A word that is none is `other`: no text comes into the tables, and no flush fails over it for ever."""
    at = at.astimezone(UTC)
    words = (word if _WORD.fullmatch(word) else OTHER for word in (a, b))
    return Cell(at.date(), at.hour, metric, *words)


def noted_in(session: Session) -> Counter[Cell]:
    """What a transaction has counted, handed over once."""
    noted: Counter[Cell] = session.info.pop(_COUNTED, Counter())
    return noted


@dataclass(eq=False)
class Tally:
    """What this process has counted and not written yet."""

    _counts: Counter[Cell] = field(default_factory=Counter)
    _doubtful: Batch | None = None  # sent to the database, and no answer came
    _flushed_at: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _flushing: threading.Lock = field(default_factory=threading.Lock)

    def add(self, counts: Mapping[Cell, int] | Iterable[Cell]) -> None:
        if counts:
            with self._lock:
                self._counts.update(counts)

    def count(self, metric: Metric, a: str = "", b: str = "", *, at: datetime, n: int = 1) -> None:
        """Of what is in no transaction."""
        self.add(Counter({cell(metric, a, b, at=at): n}))

    def flush_if_due(self, engine: sa.Engine, now: datetime) -> None:
        with self._lock:
            since = self._flushed_at or now - FLUSH_EVERY
            due = len(self._counts) >= AT_MOST or now - since >= FLUSH_EVERY or now < since
        if due:
            self.flush(engine, now)

    def tend(self, engine: sa.Engine, now: datetime, *, everything: bool = False) -> None:
        """For schedules and for ends: a flush that fails harms nobody, and is tried again at the next one."""
        try:
            if everything:
                self.flush(engine, now)
            else:
                self.flush_if_due(engine, now)
        except Exception as exc:
            log.warning("usage was not written: %s", outline(exc))

    def flush(self, engine: sa.Engine, now: datetime) -> None:
        """Write everything. What cannot be written stays, and is tried again at the next flush."""
        with self._flushing:
            if self._doubtful is not None:
                self._write(engine, self._doubtful, now)
            self._write(engine, self._take(now), now)

    def _write(self, engine: sa.Engine, batch: Batch, now: datetime) -> None:
        if batch.counts:
            self._doubtful = batch
            _write(engine, batch, now)
            self._doubtful = None

    def _take(self, now: datetime) -> Batch:
        with self._lock:
            taken, self._counts, self._flushed_at = self._counts, Counter(), now
        return Batch(uuid4().hex, taken)


def _write(engine: sa.Engine, batch: Batch, now: datetime) -> None:
    """In the order of the cells, so that two that flush at once wait for each other and never in a circle."""
    dialect = engine.dialect.name
    by_day: Counter[tuple[Any, ...]] = Counter()
    by_hour: Counter[tuple[Any, ...]] = Counter()
    for cell, n in batch.counts.items():
        by_day[cell.day, cell.metric.value, cell.a, cell.b] += n
        if (cell.metric, cell.a) == HOURLY:
            by_hour[cell.day, cell.hour, cell.metric.value] += n
    with engine.begin() as connection:
        first = upsert(dialect, UsageBatch).values(id=batch.id, day=now.astimezone(UTC).date())
        # asked for by RETURNING: what a driver says of an INSERT's rows is not to be relied on
        if connection.execute(first.on_conflict_do_nothing().returning(UsageBatch.__table__.c.id)).first() is None:  # type: ignore[attr-defined]
            return
        _add(connection, UsageCount, ("day", "metric", "a", "b"), by_day)
        _add(connection, UsageHour, ("day", "hour", "metric"), by_hour)
        old = now.astimezone(UTC).date() - BATCHES_KEPT
        connection.execute(sa.delete(UsageBatch).where(UsageBatch.__table__.c.day < old))  # type: ignore[attr-defined]


def _add(connection: sa.Connection, table: Any, key: tuple[str, ...], counts: Mapping[tuple[Any, ...], int]) -> None:
    rows = [dict(zip(key, cell, strict=True), demo=False, n=n) for cell, n in sorted(counts.items())]
    if rows:
        row = upsert(connection.dialect.name, table)
        more = {"n": table.n + row.excluded.n}
        connection.execute(row.on_conflict_do_update(index_elements=["demo", *key], set_=more), rows)
