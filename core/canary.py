"""
Canaries: a drawn portrait that goes the whole way, so that we notice before a person does.

Every hour a drawing, nobody's face, is read as an upload is, sealed and stored, made into a headshot on this server,
stored again and read back; once under each contract, with clocks that were wound forward to end within half a minute.
Then the ordinary sweep has to find, erase and prove it. What is kept is how long that took from the clock's end.

A canary has a subject and copies like anybody, marked as one, and no run: counts of runs, allowances, queues and usage
cannot see it. Its rows are gone a day later, with their evidence; its times are kept for a month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import copies, erasing, retention
from core.contracts import Contract
from core.errors import WorkShotError
from core.models import CanaryRun, Copy, CopyKind, EraseReason, Evidence, Subject, new_id
from core.ports import Headshot, Order
from core.services import Services

SINGS_FOR = timedelta(seconds=30)
"""From its release to the end of its clock."""
LATE = timedelta(minutes=10)
"""Not gone so long after its clock: something is wrong."""
ROWS_KEPT, TIMES_KEPT = timedelta(days=1), timedelta(days=30)
PRUNED_AT_ONCE = 200
ENGINE = "on_device"


@dataclass(frozen=True)
class Song:
    """How the canaries of the last month fared."""

    runs: int
    failed: int
    p50: timedelta | None
    p95: timedelta | None
    longest: timedelta | None
    last_well_at: datetime | None
    last_failure: str | None  # of the newest canary that is over, if it failed

    @property
    def is_well(self) -> bool:
        return self.last_failure is None


def release(svc: Services, *, sings_for: timedelta = SINGS_FOR) -> list[CanaryRun]:
    """One canary under each contract that is offered. None while erasing is stopped: they would only pile up."""
    if erasing.state(svc).is_stopped:
        return []
    images, failure = _made(svc)
    return [_release(svc, contract, images, failure, sings_for) for contract in svc.settings.terms.offered]


def _made(svc: Services) -> tuple[list[bytes], str | None]:
    """The portrait as an upload, and a headshot made from it here. Never by anybody else."""
    from core import intake  # what reads and draws pictures is loaded for the first one, not while the server starts
    from core.canary_portrait import drawn_portrait

    try:
        portrait = intake.read(drawn_portrait()).data
    except WorkShotError as exc:
        return [], exc.code
    engine = svc.engines.get(ENGINE)
    if engine is None:
        return [portrait], None
    order = Order(portrait=portrait, ratio="1:1", long_side=400, style="studio", backdrop="grey", variants=1)
    try:
        return [portrait, *(event.data for event in engine.make(order) if isinstance(event, Headshot))], None
    except WorkShotError as exc:
        return [portrait], exc.code


def _release(
    svc: Services, contract: Contract, images: Sequence[bytes], failure: str | None, sings_for: timedelta
) -> CanaryRun:
    now, terms = svc.clock(), svc.settings.terms
    uploaded_at = now + sings_for - (terms.run_by(contract, now) - now)  # as if it had been added then
    due_at = terms.run_by(contract, uploaded_at)
    with svc.transaction() as session:
        subject = Subject(id=new_id(), created_at=now, is_canary=True)
        subject.sealed_key = svc.vault.make_key(subject.id)
        session.add(subject)
        session.flush()
        planned = [_plan(session, subject, image, now, due_at) for image in images]
        run = CanaryRun(subject_id=subject.id, contract=contract, started_at=now, due_at=due_at, failure=failure)
        session.add(run)
    if failure is None:
        failure = _store(svc, planned, images)
    if failure is not None:
        _fail(svc, run, failure)
    return run


def _plan(session: Session, subject: Subject, image: bytes, now: datetime, due_at: datetime) -> Copy:
    return copies.plan(
        session,
        subject_id=subject.id,
        kind=CopyKind.CANARY,
        width=0,
        height=0,
        size=len(image),
        at=now,
        erase_by=due_at,
    )


def _store(svc: Services, planned: Sequence[Copy], images: Sequence[bytes]) -> str | None:
    try:
        for copy, image in zip(planned, images, strict=True):
            if copies.write(svc, copy.id, image) and copies.read(svc, copy.id) != image:
                return "other_bytes"
    except WorkShotError as exc:
        return exc.code
    return None


def _fail(svc: Services, run: CanaryRun, failure: str) -> None:
    """It did not get through. What it has left is due now."""
    now = svc.clock()
    with svc.transaction() as session:
        left = session.exec(select(Copy.id).where(Copy.subject_id == run.subject_id)).all()
        copies.shrink(session, left, to=now, reason=EraseReason.CANARY)
        session.execute(sa.update(CanaryRun).where(col(CanaryRun.id) == run.id).values(failure=failure))
        if not left:
            retention.end_subject_if_over(session, run.subject_id or "", now)
    run.failure = failure


def collect(svc: Services) -> int:
    """Note the time of those that are gone. How many still sing."""
    return sum(not _is_over(svc, run) for run in _singing(svc))


def any_sings(svc: Services) -> bool:
    return bool(_singing(svc))


def _singing(svc: Services) -> Sequence[CanaryRun]:
    open_ones = select(CanaryRun).where(col(CanaryRun.gone_at).is_(None), col(CanaryRun.failure).is_(None))
    with svc.reading() as session:
        return session.exec(open_ones).all()


def _is_over(svc: Services, run: CanaryRun) -> bool:
    with svc.reading() as session:
        rows = session.exec(select(Copy).where(Copy.subject_id == run.subject_id)).all()
        subject = session.get(Subject, run.subject_id)
    gone = [copy.gone_at for copy in rows if copy.gone_at is not None]
    if rows and len(gone) == len(rows) and subject is not None and subject.sealed_key is None:
        _note(svc, run, gone_at=max(gone))
        return True
    if not rows or svc.clock() > run.due_at + LATE:
        _note(svc, run, failure="not_gone" if len(gone) < len(rows) else "key_kept")
        return True
    return False


def _note(svc: Services, run: CanaryRun, **values: object) -> None:
    with svc.transaction() as session:
        session.execute(sa.update(CanaryRun).where(col(CanaryRun.id) == run.id).values(**values))


def sing(svc: Services) -> list[CanaryRun]:
    """Release, erase and collect, all at once: for an operator who wants to know now."""
    released = release(svc, sings_for=timedelta(0))
    for run in released:
        retention.sweep(svc, subject_id=run.subject_id)
    collect(svc)
    with svc.reading() as session:
        return [session.get_one(CanaryRun, run.id) for run in released]


def song(svc: Services) -> Song:
    """The last month."""
    with svc.reading() as session:
        over = session.exec(
            select(CanaryRun)
            .where(sa.or_(col(CanaryRun.gone_at).is_not(None), col(CanaryRun.failure).is_not(None)))
            .where(col(CanaryRun.started_at) > svc.clock() - TIMES_KEPT)
            .order_by(col(CanaryRun.started_at))
        ).all()
    times = sorted(max(run.gone_at - run.due_at, timedelta(0)) for run in over if run.gone_at is not None)
    newest = [run for run in over if run.started_at == over[-1].started_at]
    return Song(
        runs=len(over),
        failed=sum(run.failure is not None for run in over),
        p50=_at(times, 0.50),
        p95=_at(times, 0.95),
        longest=times[-1] if times else None,
        last_well_at=max((run.gone_at for run in over if run.gone_at is not None), default=None),
        last_failure=next((run.failure for run in newest if run.failure is not None), None),
    )


def _at(times: Sequence[timedelta], share: float) -> timedelta | None:
    """The nearest rank: a time that was really taken."""
    return times[ceil(share * len(times)) - 1] if times else None


def prune(svc: Services) -> int:
    """Canaries' rows that are over for a day, the doctor's too, and times that are a month old. How many subjects."""
    now = svc.clock()
    with svc.transaction() as session:
        old = session.exec(
            select(Subject.id)
            .where(col(Subject.is_canary), col(Subject.key_destroyed_at) < now - ROWS_KEPT)
            .limit(PRUNED_AT_ONCE)
        ).all()
        held = select(Copy.subject_id).where(col(Copy.subject_id).in_(old), col(Copy.gone_at).is_(None))
        over = sorted(set(old) - set(session.exec(held).all()))
        their_copies = session.exec(select(Copy.id).where(col(Copy.subject_id).in_(over))).all()
        session.execute(sa.delete(Copy).where(col(Copy.id).in_(their_copies)))
        session.execute(sa.delete(Evidence).where(col(Evidence.copy_id).in_(their_copies)))
        session.execute(sa.delete(Subject).where(col(Subject.id).in_(over)))
        session.execute(sa.delete(CanaryRun).where(col(CanaryRun.started_at) < now - TIMES_KEPT))
    return len(over)
