"""
Attempts: what all work on a run has in common, whoever makes its headshots.

The worker may be killed between any two lines, so every write goes through the claim's own transaction, and what an
earlier attempt has left is used again: a run is begun as often as it takes, a headshot has one row and one copy, and a
run ends once.
"""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session, col, select

from core import audit, copies, retention
from core.contracts import Contract
from core.models import Copy, CopyKind, EraseReason, Generation, HeadshotRow, JobKind, RunState, StageEvent
from core.ports import Headshot
from core.queue import Claim, enqueue
from core.services import Services
from core.usage import noting


class Stopped(Exception):
    """The person cancelled, or erased everything."""


class Expired(Exception):
    """The run's clock ran out before it was made."""


def begin(claim: Claim) -> Generation | None:
    """None: it is over already, and wants no more work."""
    with claim.transaction() as session:
        generation = session.get(Generation, claim.ref, with_for_update=True)
        if generation is None or not generation.state.is_live:
            claim.done(session)
            return None
        generation.state = RunState.RUNNING
        generation.started_at = generation.started_at or claim.svc.clock()
        session.add(generation)
        return generation


def enter(claim: Claim, generation_id: str, stage: str) -> None:
    with claim.transaction() as session:
        session.add(StageEvent(generation_id=generation_id, stage=stage, entered_at=claim.svc.clock()))


def stop_if_asked(svc: Services, generation_id: str) -> None:
    """Raises Stopped, Expired; or does nothing."""
    with svc.reading() as session:
        require_wanted(session.get_one(Generation, generation_id), svc.clock())


def require_wanted(generation: Generation, now: datetime) -> None:
    """Raises Stopped, Expired; or does nothing."""
    if generation.cancel_at is not None:
        raise Stopped
    if generation.erase_by <= now:
        raise Expired


def keep(svc: Services, claim: Claim, generation: Generation, headshot: Headshot) -> None:
    """Row, then bytes. A row that an earlier attempt left without bytes is used again. Raises Stopped, Expired."""
    now = svc.clock()
    with claim.transaction() as session:
        fresh = session.get_one(Generation, generation.id)
        if fresh.erase_by <= now:
            require_wanted(fresh, now)  # its owner has left: it is not even written
        row = session.get(HeadshotRow, (generation.id, headshot.variant))
        if row is None:
            copy = copies.plan(
                session,
                subject_id=generation.subject_id,
                kind=CopyKind.HEADSHOT,
                width=headshot.width,
                height=headshot.height,
                size=len(headshot.data),
                at=now,
                erase_by=fresh.erase_by,
                media_type=headshot.media_type,
            )
            row = HeadshotRow(generation_id=generation.id, variant=headshot.variant, copy_id=copy.id)
            session.add(row)
        else:
            _now_holds(session.get_one(Copy, row.copy_id), headshot)
    if not copies.write(svc, row.copy_id, headshot.data):
        retention.erase(svc, row.copy_id)


def _now_holds(copy: Copy, headshot: Headshot) -> None:
    copy.size, copy.media_type = len(headshot.data), headshot.media_type
    copy.width, copy.height = headshot.width, headshot.height


def finish(
    claim: Claim,
    generation_id: str,
    state: RunState,
    *,
    failure: str | None = None,
    also: Callable[[Session], None] = lambda session: None,
) -> None:
    """The run is over, in any way: record it, move the clocks that this moves, and let erasing see to the rest.

    `also`: what ends with it, in the same transaction.
    """
    svc, now = claim.svc, claim.svc.clock()
    with claim.transaction() as session:
        generation = session.get_one(Generation, generation_id, with_for_update=True)
        if not generation.state.is_live:  # its server has ended it: the upload could not be stored
            claim.done(session)
            return
        generation.state, generation.failure, generation.ended_at = state, failure, now
        counts = state is RunState.READY or (state is RunState.CANCELLED and _has_headshots(session, generation))
        generation.counts = counts and generation.free_try_of is None
        if not counts:
            generation.free_try_of = None  # a free try that came to nothing is still to be had
        session.add(generation)
        record_end(session, generation, now)
        also(session)
        if generation.contract is Contract.PROCESS:
            retention.release_uploads(session, generation, reason=EraseReason.RUN_OVER)
            by = retention.clock_of(svc, generation)
            retention.shorten_run(session, generation, to=by, reason=EraseReason.CONTRACT)
        enqueue(session, JobKind.ERASE, generation.subject_id, at=now)
        claim.done(session)
        retention.end_subject_if_over(session, generation.subject_id, now)
    svc.wake()


def record_end(session: Session, run: Generation, now: datetime) -> None:
    facts = {"state": run.state.value} | ({"failure": run.failure} if run.failure else {})
    audit.record(session, audit.Action.RUN_ENDED, run.id, at=now, **facts)
    noting.run_ended(session, run, now)


def kept_variants(session: Session, generation_id: str) -> frozenset[int]:
    """Those whose bytes are in the vault, or were: they are not made again."""
    made = select(HeadshotRow.variant).join(Copy, col(Copy.id) == HeadshotRow.copy_id)
    mine = HeadshotRow.generation_id == generation_id, col(Copy.written_at).is_not(None)
    return frozenset(session.exec(made.where(*mine)).all())


def _has_headshots(session: Session, generation: Generation) -> bool:
    return bool(kept_variants(session, generation.id))
