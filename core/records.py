"""
Ends of rows: what is noted of a person goes some months after the last of their images was proved gone.

From the moment that a subject's key is destroyed nothing of them can be opened any more. What is left are rows: what
they agreed to, what they chose, sizes, clocks and proofs. They are kept for RECORDS_MONTHS, to show that promises were
kept, and then no longer. `ENDS` says of every table that leads to a person what becomes of its rows, and why. Tests
hold it to all foreign keys, so that a new table cannot be forgotten, and the pruning to it.

* Nobody's rows go while anything of theirs is open: an image that is not proved gone, here or at a third party, a run,
  a request, a report, a finding of last night's comparison, work that waits.
* Batch by batch, each told in its own transaction. Whoever is killed in the middle has done whole batches, and the
  next night goes on. Rows are found by whose they are and never by how an id begins; what is made up is left alone.
* While erasing is stopped, this is too: it may be the clock that is wrong.

The audit log names ids for its own twelve months, and so do backups for theirs (BACKUP_DAYS). Counts of usage have
never belonged to anybody, and stay.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import audit, erasing, made_up, retention
from core.db import scrub
from core.models import (
    LIVE,
    AbuseReport,
    Block,
    BrowserSession,
    CanaryRun,
    Consent,
    Copy,
    Evidence,
    FindingRow,
    Generation,
    GlassView,
    HandOverLink,
    HeadshotRow,
    Job,
    JobKind,
    ProviderCopy,
    ProviderTask,
    Request,
    StageEvent,
    Subject,
)
from core.services import Services
from core.sla import Period

BATCH: Final = 500
"""People in one transaction."""
PAGE: Final = 2_000
"""Copies in hand: a person may have had a thousand, and memory stays the same."""
LATE: Final = timedelta(days=2)
"""After the night in which they should have gone, and one more: nobody came by."""
AT_MOST: Final = 1_000
"""Overdue ones that are counted; beyond it "1,000" stands for all of them."""
RECORDS: Final = "records"
"""What the audit log names: a batch of people has no id of its own."""


class End(StrEnum):
    """What becomes of a table's rows when a person's time is over."""

    GOES = "goes"
    UNTIED = "untied"  # stays until an end of its own, and leads to nobody any more
    STAYS = "stays"  # never led to anybody but by what is untied


ENDS: Final[Mapping[str, tuple[End, str]]] = {
    "subject": (End.GOES, "the person; last, when nothing leads to them any more"),
    "consent": (End.GOES, "what they agreed to"),
    "browser_session": (End.GOES, "which browser opened what was theirs; mostly gone a day after their images"),
    "generation": (End.GOES, "what they chose, and when"),
    "stage_event": (End.GOES, "how a run of theirs went"),
    "headshot": (End.GOES, "which image was which variant"),
    "copy": (End.GOES, "sizes and clocks of their images and exports; all are proved gone"),
    "evidence": (End.GOES, "the proof, of no use without its copy; receipts keep what they say of it"),
    "provider_task": (End.GOES, "what was asked of a third party for them; its sums by day are kept apart"),
    "provider_copy": (End.GOES, "what lay at a third party; all of it is proved gone"),
    "hand_over_link": (End.GOES, "an address that served a photo of theirs once"),
    "glass_view": (End.GOES, "who looked at an image of theirs; the audit log has it for its own time"),
    "block": (End.GOES, "of a person who cannot come back as this one; blocks of a file are nobody's, and stay"),
    "canary_run": (End.UNTIED, "how long a drawn portrait took; it ends after a month"),
    "abuse_report": (End.UNTIED, "what was reported ends by a clock of its own; its words went when it was closed"),
    "request": (End.UNTIED, "the register: a number, a kind and a clock, for its own 24 months"),
    "request_message": (End.STAYS, "that somebody wrote, without a word of it; goes with its request"),
    "receipt": (End.STAYS, "holds nothing personal; goes with its request"),
    "mail_out": (End.STAYS, "that a mail was sent, without a word of it; goes with its request"),
    "mail_in": (End.STAYS, "that a mail was read, without a word of it; goes with its request"),
}
"""Every table from which foreign keys lead to a person, and those that name one without a key."""

BY_NAME_ALONE: Final[Mapping[str, str]] = {
    "evidence.copy_id": "goes: the key points the other way",
    "provider_copy.copy_id": "goes with its row",
    "canary_run.subject_id": "untied",
    "finding.ref": "nobody goes whom a finding names",
    "job.ref": "nobody goes for whom work waits",
    "alert.ref": "names a request, a report or a breach, and goes with it",
    "audit_entry.ref": "stays for twelve months: a chain from which something was taken proves nothing",
}
"""Columns that may hold the id of a person, a run or a copy, and are no foreign keys."""


# ----------------------------------------------------------------------------------------------------------- clocks
def kept_from(now: datetime, months: int) -> datetime:
    """Whose last image went at this instant is the oldest that stays."""
    return Period(months=-months).after(now)


def oldest_kept(session: Session) -> datetime | None:
    """When the last image of somebody went of whom rows are still here, the earliest."""
    is_over = col(Subject.key_destroyed_at).is_not(None), made_up.is_real(Subject.id)
    first = select(Subject.key_destroyed_at).where(*is_over).order_by(col(Subject.key_destroyed_at)).limit(1)
    return session.exec(first).first()


def overdue(session: Session, now: datetime, *, months: int) -> int:
    """People whose rows should have gone two days ago, counted no further than it takes to say that there are many.

    Of whom something was open until a moment ago is not overdue: the next night sees to them."""
    late, count = now - LATE, 0
    for batch in _batches(session, kept_from(late, months)):
        count += len(batch) - len(_held(session, _ids(batch), since=late))
        if count >= AT_MOST:
            return AT_MOST
    return count


def _batches(session: Session, before: datetime) -> Iterator[Sequence["_Over"]]:
    batch: Sequence[_Over] = ()
    while batch := _next(session, before, after=batch[-1] if batch else None):
        yield batch


# ---------------------------------------------------------------------------------------------------------- pruning
@dataclass(frozen=True)
class _Over:
    """A person without a key."""

    key_destroyed_at: datetime
    id: str


def prune(svc: Services, *, breath: Callable[[], None] = lambda: None, batch: int = BATCH) -> int:
    """Remove the rows of those whose time is over. How many people. `breath` is called between the batches."""
    started_at = svc.clock()
    before = kept_from(started_at, svc.settings.records_months)
    removed, last = 0, None
    while True:
        found, gone = _prune_batch(svc, before, last, batch)
        removed += gone
        if len(found) < batch:
            break
        last = found[-1]
        breath()
    if removed:
        scrub(svc.database)
    retention.note_upkeep(svc, JobKind.RECORDS, started_at, well=True, people=removed)
    return removed


def _prune_batch(svc: Services, before: datetime, after: _Over | None, size: int) -> tuple[Sequence[_Over], int]:
    """Who was looked at, and how many of them went."""
    with svc.transaction() as session:
        if erasing.is_stopped(session):
            return (), 0
        found = _next(session, before, after=after, size=size, lock=True)
        ids = _ids(found)
        going = sorted(ids - _held(session, ids, since=svc.clock()))
        if going:
            _untie(session, going)
            _remove(session, going)
            audit.record(session, audit.Action.RECORDS_PRUNED, RECORDS, at=svc.clock(), people=len(going))
    return found, len(going)


def _next(
    session: Session, before: datetime, *, after: _Over | None, size: int = BATCH, lock: bool = False
) -> Sequence[_Over]:
    """Whose last image went before that, from the longest ago on, read on from where the last batch ended."""
    order = col(Subject.key_destroyed_at), col(Subject.id)
    query = sa.select(*order).where(order[0] < before, made_up.is_real(Subject.id)).order_by(*order).limit(size)
    if after is not None:  # the first says the same as the second, in a way that an index can follow
        query = query.where(order[0] >= after.key_destroyed_at)
        query = query.where(sa.tuple_(*order) > sa.tuple_(after.key_destroyed_at, after.id))
    return [_Over(at, id) for at, id in session.execute(query.with_for_update(skip_locked=True) if lock else query)]


def _ids(batch: Iterable[_Over]) -> set[str]:
    return {one.id for one in batch}


def _held(session: Session, ids: Collection[str], *, since: datetime) -> set[str]:
    """Of whom something is open, or was at `since` or later."""
    if not ids:
        return set()
    open_things = sa.union(*(query for query in _open_things(list(ids), since)))
    return set(session.execute(open_things).scalars())


def _open_things(ids: Sequence[str], since: datetime) -> Iterator[sa.Select[Any]]:
    def not_over(ended_at: Any) -> sa.ColumnElement[bool]:
        return sa.or_(col(ended_at).is_(None), col(ended_at) > since)

    run, copy = col(Generation.id), col(Copy.id)
    for table, ended_at in (
        (Copy, Copy.gone_at),
        (ProviderCopy, ProviderCopy.gone_at),
        (Request, Request.closed_at),
        (AbuseReport, AbuseReport.closed_at),
    ):
        yield sa.select(_subject_of(table)).where(_subject_of(table).in_(ids), not_over(ended_at))
    of_runs = sa.select(col(Generation.subject_id)).where(col(Generation.subject_id).in_(ids))
    yield of_runs.where(sa.or_(col(Generation.state).in_(LIVE), col(Generation.ended_at) > since))
    yield of_runs.join(ProviderTask, col(ProviderTask.generation_id) == run).where(not_over(ProviderTask.ended_at))
    yield of_runs.join(AbuseReport, col(AbuseReport.generation_id) == run).where(not_over(AbuseReport.closed_at))
    of_copies = sa.select(col(Copy.subject_id)).where(col(Copy.subject_id).in_(ids))
    yield of_copies.join(AbuseReport, col(AbuseReport.copy_id) == copy).where(not_over(AbuseReport.closed_at))
    yield of_copies.join(FindingRow, col(FindingRow.ref) == copy)
    yield of_runs.join(Job, col(Job.ref) == run)
    yield sa.select(col(Job.ref)).where(col(Job.ref).in_(ids))


def _subject_of(table: Any) -> Any:
    return table.__table__.c.subject_id


def _untie(session: Session, ids: Sequence[str]) -> None:
    """What has an end of its own leads to them no more."""
    copies, runs = _copies(ids), _runs(ids)
    for row, column, theirs in (
        (Request, Request.subject_id, ids),
        (Request, Request.export_id, copies),
        (AbuseReport, AbuseReport.subject_id, ids),
        (AbuseReport, AbuseReport.copy_id, copies),
        (AbuseReport, AbuseReport.generation_id, runs),
        (CanaryRun, CanaryRun.subject_id, ids),
    ):
        session.execute(sa.update(row).where(col(column).in_(theirs)).values({column: None}))


def _remove(session: Session, ids: Sequence[str]) -> None:
    """Children first: the database refuses any other order."""
    copies, runs = _copies(ids), _runs(ids)
    for column, theirs in (
        (GlassView.subject_id, ids),
        (Block.subject_id, ids),
        (HandOverLink.copy_id, copies),
        (HandOverLink.task_id, select(ProviderTask.id).where(col(ProviderTask.generation_id).in_(runs))),
        (ProviderCopy.subject_id, ids),
        (ProviderTask.generation_id, runs),
        (StageEvent.generation_id, runs),
        (HeadshotRow.generation_id, runs),
        (Generation.subject_id, ids),
    ):
        _delete(session, column, theirs)
    _remove_copies(session, ids)
    for column in (Consent.subject_id, BrowserSession.subject_id, Subject.id):
        _delete(session, column, ids)


def _remove_copies(session: Session, ids: Sequence[str]) -> None:
    """A copy points at its evidence, so it goes first, and is not there any more to say which that was."""
    while page := session.exec(select(Copy.id).where(col(Copy.subject_id).in_(ids)).limit(PAGE)).all():
        _delete(session, Copy.id, page)
        _delete(session, Evidence.copy_id, page)


def _delete(session: Session, column: Any, theirs: Any) -> None:
    session.execute(sa.delete(column.class_).where(col(column).in_(theirs)))


def _copies(ids: Sequence[str]) -> Any:
    return select(Copy.id).where(col(Copy.subject_id).in_(ids))


def _runs(ids: Sequence[str]) -> Any:
    return select(Generation.id).where(col(Generation.subject_id).in_(ids))
