"""
The demo: a believable population that nobody is behind, so that whoever tries this can see all pages of operators
alive, and benchmarks have rows to measure with.

* Marked: every id begins with a word that no other id can hold (`core/made_up.py`), subjects and counts say it, too.
* It comes with rows alone. No picture, no object in the vault, no job, no mail, no entry of the audit log; and nothing
  that enforces or measures takes it into account.
* Only where nobody real is. A demo beside people would hide them from whoever looks at the page.
* The first row that comes is a marked count, and the last that goes is one: whatever cuts it off, pages say that a demo
  is here, and `make` and `remove` begin by removing what they find.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from sqlite3 import Error
from time import perf_counter
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import SQLModel, col, select

from core import made_up, promises
from core.demo.figures import Figures
from core.demo.people import People, seconds
from core.demo.tickets import Tickets
from core.demo.writing import BATCH, DAY, Stamps, Writer
from core.errors import NotAllowed
from core.made_up import WORD
from core.models import (
    Consent,
    Copy,
    Evidence,
    ForecastRow,
    Generation,
    HeadshotRow,
    ProviderCopy,
    ProviderTask,
    Receipt,
    Request,
    RequestMessage,
    StageEvent,
    Subject,
    UsageCount,
    UsageHour,
    UsageLevel,
)
from core.services import Services
from core.usage.metrics import STEPS, Metric

SEED: Final = 20_261_121
MOST_DAYS: Final = 1_200
MOST_SUBJECTS: Final = 2_000_000
AT_ONCE: Final = 20_000
"""Ids that one transaction of removing reaches over."""
_AFTER: Final = WORD[:-1] + chr(ord(WORD[-1]) + 1)
_ID: Final = 32
_FOUND: Final = (
    "There are real people in this installation, and a demo would hide them from whoever looks at its pages. Try it "
    "with an empty folder: DATA_DIR=/tmp/demo python -m core demo (and without DATABASE_URL)."
)


@dataclass(frozen=True)
class Made:
    """What was written, and how fast."""

    subjects: int
    assets: int  # copies: photos, headshots and what else lies in a vault
    rows: int
    seconds: float

    @property
    def says(self) -> str:
        a_second = max(self.seconds, 0.001)
        return (
            f"A demo of {self.subjects:,} people and {self.assets:,} photos and headshots is here, with no picture "
            f"behind any of them. {self.rows:,} rows in {self.seconds:.1f} s: {self.rows / a_second:,.0f} rows and "
            f"{self.assets / a_second:,.0f} pictures a second. `python -m core demo --remove` removes it."
        )


def make(
    svc: Services,
    *,
    days: int,
    subjects: int,
    seed: int = SEED,
    batch: int = BATCH,
    breath: Callable[[int], None] = lambda rows: None,
) -> Made:
    """Raises NotAllowed where there is somebody real. A demo that is here already is removed first. `breath` is called
    after each batch with the rows so far."""
    if not 1 <= days <= MOST_DAYS or not 1 <= subjects <= MOST_SUBJECTS:
        raise NotAllowed(f"A demo has 1 to {MOST_DAYS:,} days and 1 to {MOST_SUBJECTS:,} people.")
    _require_nobody(svc)
    remove(svc)
    started, now = perf_counter(), seconds(svc.clock())
    writer, stamp = Writer(svc.database, batch=batch, breath=breath), Stamps(svc.database.dialect.name)
    figures = Figures(first=now // DAY - days + 1, last=now // DAY)
    writer.add("usage_count", True, stamp.day(figures.first), Metric.STEP.value, STEPS[0], "", 0)
    writer.flush()  # from here on pages say that it is here
    people = People(svc.settings, writer, figures, stamp, now, seed)
    tickets = Tickets(svc, people)
    tickets.open_ones()
    for day, came in people.arrivals(subjects):
        _a_day(people, tickets, day, came)
    figures.promises([one.id for one in promises.PROMISES], now, svc.settings.promises_every_seconds, people.chance)
    for row in figures.rows(stamp):
        writer.add(*row)
    writer.flush(sa.delete(UsageCount).where(col(UsageCount.demo)))
    _look_over(svc.database)
    written = writer.written
    return Made(written["subject"], people.assets, sum(written.values()) - 1, perf_counter() - started)


def _a_day(people: People, tickets: Tickets, day: int, came: list[int]) -> None:
    figures, chance = people.figures, people.chance
    for instant in came:
        if tickets.is_wanted():
            tickets.live(instant)
        else:
            people.live(instant)
    passers_by = round(len(came) * chance.uniform(1.4, 1.9))
    figures.passers_by(people.instants(day, passers_by), chance)
    figures.browsers(day, len(came) + passers_by, chance)
    tickets.letters(day, len(came))


def _require_nobody(svc: Services) -> None:
    nobody = col(Subject.is_canary).is_(False), made_up.is_real(Subject.id)
    with svc.reading() as session:
        somebody = session.exec(select(Subject.id).where(*nobody).limit(1)).first()
        asked = session.exec(select(Request.id).where(made_up.is_real(Request.id)).limit(1)).first()
    if somebody is not None or asked is not None:
        raise NotAllowed(_FOUND)


def _look_over(database: sa.Engine) -> None:
    """So that the planner knows at once what there is."""
    with database.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


# ------------------------------------------------------------------------------------------------------------- removing
_BY: Final = (
    (Receipt, Receipt.id),
    (RequestMessage, RequestMessage.request_id),
    (Request, Request.id),
    (ProviderCopy, ProviderCopy.id),
    (ProviderTask, ProviderTask.id),
    (StageEvent, StageEvent.generation_id),
    (HeadshotRow, HeadshotRow.generation_id),
    (Generation, Generation.id),
    (Copy, Copy.id),
    (Evidence, Evidence.id),
    (Consent, Consent.id),
    (Subject, Subject.id),
)
"""Children first, and what says of each row that it is of the demo."""


def remove(svc: Services, *, at_once: int = AT_ONCE, breath: Callable[[int], None] = lambda rows: None) -> int:
    """How many rows. In many small transactions; cut off and called again, it goes on where it was."""
    removed = 0
    for table, named in _BY:
        while batch := _remove_some(svc, table, named, at_once):
            removed += batch
            breath(removed)
        if removed:
            _tidy(svc.database, str(table.__tablename__))
    with svc.transaction() as session:
        if removed:
            session.execute(sa.delete(ForecastRow))  # it was counted with the demo; it is counted anew
        for counts in (UsageLevel, UsageHour, UsageCount):
            removed += int(session.execute(sa.delete(counts).where(col(counts.demo))).rowcount)  # type: ignore[attr-defined]
    if removed:
        _tidy(svc.database)
    return removed


def _remove_some(svc: Services, table: type[SQLModel], named: Any, at_once: int) -> int:
    """The next rows of a table: from the first that is left, as far as so many ids reach."""
    with svc.transaction() as session:
        first = session.exec(select(sa.func.min(named)).where(named >= WORD, named < _AFTER)).one()
        if first is None:
            return 0
        end = f"{WORD}{int(first[len(WORD) : _ID], 16) + at_once:028x}"
        these = named >= first, named < end, made_up.is_made_up(named)
        if table is Request:
            session.execute(sa.update(Request).where(*these).values(duplicate_of=None))
        return int(session.execute(sa.delete(table).where(*these)).rowcount)  # type: ignore[attr-defined]


def _tidy(database: sa.Engine, table: str = "") -> None:
    """Give back the room that rows took. PostgreSQL: table by table, or each row of the next would look for those that
    point to it among a million dead ones."""
    if database.dialect.name == "postgresql" and table:
        with database.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {table}")
    elif database.dialect.name == "sqlite" and not table:
        raw = database.raw_connection()
        try:
            with suppress(Error):  # somebody else is writing; the room is used again later
                raw.cursor().execute("VACUUM")
        finally:
            raw.close()
