"""
What each deed counts, said once: nouns call these in the transaction that does the deed, and pages and routes add what
happens outside of one. Here alone is decided whose doings are not counted.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import made_up
from core.contracts import Contract
from core.models import (
    Copy,
    CopyKind,
    EraseReason,
    Generation,
    HeadshotRow,
    ProviderTask,
    Request,
    RequestOutcome,
    RunState,
    StageEvent,
    Subject,
)
from core.usage.counting import count
from core.usage.metrics import BUCKETS, Metric, bucket
from core.usage.words import IN_TIME, LATE, OUTCOMES, known

MICRO_PER_CENT = 10_000


class Gone(Protocol):
    """What is needed of a copy that was shown to be gone."""

    @property
    def subject_id(self) -> str: ...
    @property
    def kind(self) -> CopyKind: ...
    @property
    def erase_reason(self) -> EraseReason: ...
    @property
    def erase_by(self) -> datetime: ...


# ------------------------------------------------------------------------------------------------------------ of whom
def is_counted(session: Session, subject_id: str | None) -> bool:
    """Not canaries, not what is made up, and nobody who said no. Whoever is not known was not asked: counted."""
    return subject_id is None or bool(counted_among(session, [subject_id]))


def may_be_counted(subject: Subject) -> bool:
    """The same of a row in hand."""
    return subject.is_counted and not subject.is_canary and not made_up.is_one(subject.id)


def counted_among(session: Session, subject_ids: Collection[str]) -> set[str]:
    may_be = col(Subject.is_counted), ~col(Subject.is_canary), made_up.is_real(Subject.id)
    with session.no_autoflush:  # a look, which must not move what the transaction writes
        return set(session.exec(select(Subject.id).where(col(Subject.id).in_(subject_ids), *may_be)).all())


# --------------------------------------------------------------------------------------------------------------- runs
def run_begun(session: Session, run: Generation, *, again: bool) -> None:
    if not is_counted(session, run.subject_id):
        return
    for metric, word in (
        (Metric.RUN_STYLE, run.style),
        (Metric.RUN_PURPOSE, run.purpose),
        (Metric.RUN_CONTRACT, run.contract.value),
    ):
        count(session, metric, word, at=run.created_at)
    if again:
        count(session, Metric.AGAIN, at=run.created_at)


def shortened(session: Session, run: Generation, contract: Contract, now: datetime) -> None:
    if is_counted(session, run.subject_id):
        count(session, Metric.SHORTENED, contract.value, at=now)


def run_ended(session: Session, run: Generation, now: datetime) -> None:
    """Its outcome, how long it waited, what it made and cost; of one that is ready, how long it took."""
    if not is_counted(session, run.subject_id):
        return
    word = run.failure if run.state is RunState.FAILED else run.state.value
    count(session, Metric.RUN, run.engine, known(word, OUTCOMES), at=now)
    if run.started_at is not None:
        _took(session, Metric.QUEUE_WAIT, run.engine, run.started_at - run.created_at, now)
    made, last = _made(session, run)
    if made and run.state is not RunState.FAILED:
        count(session, Metric.HEADSHOT, run.engine, at=now, n=made)
    if run.state is RunState.READY:
        _took(session, Metric.TOOK, run.engine, (last or now) - run.created_at, now)
        for stage, span in _stages(session, run, now):
            _took(session, Metric.STAGE_TOOK, f"{run.engine}.{stage}", span, now)
    if (cost := _cost(session, run)) is not None:
        cents = BUCKETS[Metric.RUN_COST].of(cost / MICRO_PER_CENT)
        count(session, Metric.RUN_COST, run.engine, cents, at=now)


def _took(session: Session, metric: Metric, a: str, span: timedelta, now: datetime) -> None:
    count(session, metric, a, bucket(metric, max(span, timedelta(0))), at=now)


def _made(session: Session, run: Generation) -> tuple[int, datetime | None]:
    """How many headshots there are or were, and when the last of them was in the vault."""
    kept = sa.select(func.count(), func.max(Copy.written_at)).join_from(
        HeadshotRow, Copy, col(Copy.id) == col(HeadshotRow.copy_id)
    )
    mine = col(HeadshotRow.generation_id) == run.id, col(Copy.written_at).is_not(None)
    with session.no_autoflush:
        number, last = session.execute(kept.where(*mine)).one()
    return int(number), last


def _stages(session: Session, run: Generation, now: datetime) -> Iterator[tuple[str, timedelta]]:
    """How long it was in each stage, in all: from entering it to entering the next one."""
    entered = select(StageEvent.stage, StageEvent.entered_at).where(StageEvent.generation_id == run.id)
    with session.no_autoflush:
        events = session.exec(entered.order_by(col(StageEvent.id))).all()
    spans: dict[str, timedelta] = {}
    for (stage, since), until in zip(events, [*(at for _, at in events[1:]), now], strict=True):
        spans[stage] = spans.get(stage, timedelta(0)) + (until - since)
    yield from spans.items()


def _cost(session: Session, run: Generation) -> int | None:
    """What a third party has said that it charged, in millionths of a US dollar. None: it made nothing of it."""
    mine = col(ProviderTask.generation_id) == run.id, col(ProviderTask.cost).is_not(None)
    total = session.execute(sa.select(func.sum(ProviderTask.cost)).where(*mine)).scalar_one()
    return None if total is None else int(total)


def charged(session: Session, task: ProviderTask, now: datetime) -> None:
    """A third party has said what a headshot cost: money that goes with the headshots of that day."""
    whose = select(Generation.subject_id).where(Generation.id == task.generation_id)
    with session.no_autoflush:
        subject_id = session.exec(whose).first()
    if task.cost and is_counted(session, subject_id):
        count(session, Metric.COST, task.provider, at=now, n=task.cost)


# ------------------------------------------------------------------------------------------------------------- erasing
def copies_gone(session: Session, closed: Iterable[Gone], now: datetime) -> None:
    """What it was, why it went, and how long it took from its clock's end, or from the wish, to the proof."""
    theirs = [copy for copy in closed if copy.kind is not CopyKind.CANARY]
    if not theirs:
        return
    counted = counted_among(session, {copy.subject_id for copy in theirs})
    for copy in theirs:
        if copy.subject_id in counted:
            reason = copy.erase_reason.value
            count(session, Metric.ERASED, copy.kind.value, reason, at=now)
            _took(session, Metric.GONE_TOOK, reason, now - copy.erase_by, now)


# ------------------------------------------------------------------------------------------------------------- tickets
def ticket_opened(session: Session, request: Request, subject_id: str | None, now: datetime) -> None:
    """On the day on which we had it, so that what is told of a month that is over stays as it was told."""
    if is_counted(session, subject_id):
        count(session, Metric.TICKET, request.channel.value, request.kind.value, at=now)


def ticket_closed(
    session: Session, request: Request, outcome: RequestOutcome, subject_id: str | None, now: datetime
) -> None:
    if not is_counted(session, subject_id):
        return
    done_at = request.done_at or now
    in_time = IN_TIME if done_at <= request.due_at else LATE
    count(session, Metric.TICKET_END, outcome.value, in_time, at=now)
    _took(session, Metric.TICKET_TOOK, request.kind.value, done_at - request.received_at, now)
