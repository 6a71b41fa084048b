"""
Retention: what is due, and the one way out.

The most dangerous code in the app: what is erased by mistake is gone for good, and what is kept by mistake breaks the
promise on the upload page. So:

* One way out. The sweep, a person's "Erase now", the end of a run and the end of a contract all make copies due by
  moving their clocks, and `erase` is the only function that removes bytes. It re-reads the row right before it acts,
  and leaves alone whatever is not due.
* Erasing is our deed, gone is what storage shows afterwards. Only two negative reads (the object itself and a
  listing) make a copy `gone`, and they are kept as its evidence. Refused, timed out, "still there": not proved yet,
  and asked again later.
* A write that may still be on its way proves nothing. A copy whose bytes never were confirmed is asked again until
  `WRITE_SETTLES` after it was planned.
* With the last copy of a subject goes its key, so what a backup may still hold can never be read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, copies
from core.contracts import PROCESS_HEADSHOTS_KEPT, Contract
from core.errors import NotAllowed, StorageUnavailable
from core.models import (
    LIVE,
    BrowserSession,
    Copy,
    EraseReason,
    Evidence,
    Generation,
    HeadshotRow,
    JobKind,
    Subject,
)
from core.ports import Presence
from core.queue import enqueue
from core.services import Services

WRITE_SETTLES = timedelta(minutes=5)
"""Longer than any write of ours can take: store timeouts and leases both end well before."""
ASK_AGAIN_FIRST, ASK_AGAIN_LATEST = timedelta(seconds=10), timedelta(hours=1)
LINKS_KEPT = timedelta(hours=24)
"""How long a browser can still be shown that its photos are erased."""
BATCH = 100


class Outcome(StrEnum):
    KEPT = "kept"  # not due
    ALREADY_GONE = "already_gone"
    NOT_PROVED = "not_proved"
    GONE = "gone"


@dataclass(frozen=True)
class Report:
    """What a sweep did."""

    gone: int = 0
    not_proved: int = 0
    kept: int = 0

    def plus(self, outcome: Outcome) -> "Report":
        return Report(
            gone=self.gone + (outcome is Outcome.GONE),
            not_proved=self.not_proved + (outcome is Outcome.NOT_PROVED),
            kept=self.kept + (outcome in (Outcome.KEPT, Outcome.ALREADY_GONE)),
        )


def erase(svc: Services, copy_id: str) -> Outcome:
    """Erase one copy if it is due, then ask storage whether it is gone."""
    with svc.reading() as session:
        copy = session.get(Copy, copy_id)
    if copy is None or copy.gone_at is not None:
        return Outcome.ALREADY_GONE
    if copy.erase_by > svc.clock():
        return Outcome.KEPT
    try:
        svc.vault.store.erase(copy.object_key)
    except StorageUnavailable:
        return _not_proved(svc, copy, "storage could not be reached")
    now = svc.clock()
    with svc.transaction() as session:
        erased = session.execute(
            sa.update(Copy).where(col(Copy.id) == copy_id, col(Copy.erased_at).is_(None)).values(erased_at=now)
        )
        if erased.rowcount == 1:  # type: ignore[attr-defined]
            audit.record_copy(session, audit.Action.COPY_ERASED, copy, at=now, reason=copy.erase_reason.value)
    return _prove(svc, copy)


def _prove(svc: Services, copy: Copy) -> Outcome:
    if copy.written_at is None and svc.clock() < copy.created_at + WRITE_SETTLES:
        return _not_proved(svc, copy, "a write may still be on its way")
    head, listing = svc.vault.store.head(copy.object_key), svc.vault.store.listed(copy.object_key)
    if (head, listing) != (Presence.ABSENT, Presence.ABSENT):
        return _not_proved(svc, copy, f"head says {head.value}, listing says {listing.value}")
    now = svc.clock()
    with svc.transaction() as session:
        # `written_at` as we saw it: bytes that arrived since then were not there to be seen
        unchanged = col(Copy.written_at).is_not_distinct_from(copy.written_at)
        evidence = Evidence(copy_id=copy.id, probed_at=now, head=head, listing=listing)
        session.add(evidence)
        session.flush()
        closed = session.execute(
            sa.update(Copy)
            .where(col(Copy.id) == copy.id, col(Copy.gone_at).is_(None), col(Copy.erased_at).is_not(None), unchanged)
            .values(gone_at=now, evidence_id=evidence.id, probe_answer=None, probe_again_at=None)
        )
        if closed.rowcount != 1:  # type: ignore[attr-defined]
            session.rollback()
            return _closed_by_another(svc, copy.id)
        audit.record_copy(session, audit.Action.COPY_GONE, copy, at=now)
        end_subject_if_over(session, copy.subject_id, now)
    return Outcome.GONE


def _closed_by_another(svc: Services, copy_id: str) -> Outcome:
    """Another sweeper was faster, or the copy came back while we looked."""
    with svc.reading() as session:
        is_gone = session.get_one(Copy, copy_id).gone_at is not None
    return Outcome.ALREADY_GONE if is_gone else Outcome.NOT_PROVED


def _not_proved(svc: Services, copy: Copy, answer: str) -> Outcome:
    wait = min(ASK_AGAIN_FIRST * 2 ** min(copy.probes, 20), ASK_AGAIN_LATEST)
    with svc.transaction() as session:
        session.execute(
            sa.update(Copy)
            .where(col(Copy.id) == copy.id, col(Copy.gone_at).is_(None))
            .values(probes=col(Copy.probes) + 1, probe_answer=answer, probe_again_at=svc.clock() + wait)
        )
    return Outcome.NOT_PROVED


def end_subject_if_over(session: Session, subject_id: str, now: datetime) -> None:
    """With the last copy goes the key, the claim code and every word the person wrote.

    Called in the transaction that closes a copy and in the one that ends a run, whichever comes last. The row is
    locked first: of two that close the last two copies at once, one waits and then sees what the other did.
    """
    session.exec(select(Subject.id).where(Subject.id == subject_id).with_for_update())
    still_there = select(Copy.id).where(Copy.subject_id == subject_id, col(Copy.gone_at).is_(None)).limit(1)
    at_work = select(Generation.id).where(Generation.subject_id == subject_id, col(Generation.state).in_(LIVE))
    if session.exec(still_there).first() or session.exec(at_work.limit(1)).first():
        return
    ended = session.execute(
        sa.update(Subject)
        .where(col(Subject.id) == subject_id, col(Subject.key_destroyed_at).is_(None))
        .values(sealed_key=None, key_destroyed_at=now, claim_hash=None)
        .returning(col(Subject.is_canary))
    )
    if ended.scalar() is False:  # now, not before, and not a canary's
        audit.record(session, audit.Action.SUBJECT_KEY_DESTROYED, subject_id, at=now)
    session.execute(sa.update(Generation).where(col(Generation.subject_id) == subject_id).values(sealed_note=None))


def due_copies(
    session: Session, now: datetime, *, limit: int | None = None, subject_id: str | None = None
) -> Sequence[Copy]:
    """Copies whose clock has run out and that may be asked about now, the most overdue first."""
    query = (
        select(Copy)
        .where(
            col(Copy.gone_at).is_(None),
            col(Copy.erase_by) <= now,
            sa.or_(col(Copy.probe_again_at).is_(None), col(Copy.probe_again_at) <= now),
        )
        .order_by(col(Copy.erase_by))
        .limit(limit)
    )
    if subject_id is not None:
        query = query.where(Copy.subject_id == subject_id)
    return session.exec(query).all()


def next_probe_at(session: Session, now: datetime, *, subject_id: str) -> datetime | None:
    """When storage is to be asked again about something of this subject, or None if nothing is left to prove."""
    waiting = select(func.min(func.coalesce(Copy.probe_again_at, Copy.erase_by))).where(
        Copy.subject_id == subject_id, col(Copy.gone_at).is_(None), col(Copy.erase_by) <= now
    )
    answer: datetime | None = session.exec(waiting).one()
    return answer


def overdue(svc: Services, *, than: timedelta) -> tuple[int, timedelta]:
    """How many copies are past their clock by more than this and not gone, and by how much the oldest is."""
    now = svc.clock()
    late = select(func.count(), func.min(Copy.erase_by)).where(
        col(Copy.gone_at).is_(None), col(Copy.erase_by) < now - than
    )
    with svc.reading() as session:
        count, oldest = session.exec(late).one()
    return count, now - oldest if oldest else timedelta(0)


def sweep(svc: Services, *, subject_id: str | None = None, after_each: Callable[[], None] = lambda: None) -> Report:
    """Erase everything that is due, batch by batch, so that a crash loses no progress."""
    report = Report()
    while True:
        with svc.reading() as session:
            batch = due_copies(session, svc.clock(), limit=BATCH, subject_id=subject_id)
        if not batch:
            break
        before = report
        for copy in batch:
            report = report.plus(erase(svc, copy.id))
            after_each()
        if report.gone == before.gone and report.not_proved == before.not_proved:
            break  # others were faster; what is left is theirs
    if subject_id is None:
        _forget_links(svc)
    return report


def _forget_links(svc: Services) -> None:
    """Which browser once opened which subject is of no use a day after the subject is over."""
    over = select(Subject.id).where(col(Subject.key_destroyed_at) <= svc.clock() - LINKS_KEPT)
    with svc.transaction() as session:
        session.execute(sa.delete(BrowserSession).where(col(BrowserSession.subject_id).in_(over)))


def erase_everything(svc: Services, subject_id: str, *, actor: str = audit.SUBJECT) -> None:
    """A person's "Erase now" for all they have here. Runs that are under way are cancelled."""
    now = svc.clock()
    with svc.transaction() as session:
        runs = session.exec(select(Generation.id).where(Generation.subject_id == subject_id)).all()
        cancel_runs(session, runs, now)
        session.execute(  # a headshot that is being made at this moment takes its clock from its run
            sa.update(Generation)
            .where(col(Generation.subject_id) == subject_id, col(Generation.erase_by) > now)
            .values(erase_by=now)
        )
        held = [copy.id for copy in copies.of_subject(session, subject_id)]
        copies.shrink(session, held, to=now, reason=EraseReason.ASKED)
        audit.record(session, audit.Action.SUBJECT_ERASE_ASKED, subject_id, at=now, actor=actor)
        enqueue(session, JobKind.ERASE, subject_id, at=now)
    svc.wake()


def erase_run(svc: Services, generation_id: str, *, actor: str = audit.SUBJECT) -> None:
    """ "Erase now" for one run: its headshots, and its uploads unless another run still has them."""
    now = svc.clock()
    with svc.transaction() as session:
        cancel_runs(session, [generation_id], now)
        run = session.get_one(Generation, generation_id, with_for_update=True)
        shorten_run(session, run, to=now, reason=EraseReason.ASKED)
        audit.record(session, audit.Action.RUN_ERASE_ASKED, run.id, at=now, actor=actor)
        enqueue(session, JobKind.ERASE, run.subject_id, at=now)
    svc.wake()


def shorten(svc: Services, generation_id: str, contract: Contract) -> None:
    """Give a run a shorter contract. Its clock still starts at the upload. Raises NotAllowed for a longer one."""
    now = svc.clock()
    with svc.transaction() as session:
        run = session.get_one(Generation, generation_id, with_for_update=True)
        if contract is run.contract or not contract.no_longer_than(run.contract):
            raise NotAllowed("A clock can only be made shorter.")
        facts = {"contract": contract.value, "before": run.contract.value}
        audit.record(session, audit.Action.RUN_SHORTENED, run.id, at=now, actor=audit.SUBJECT, **facts)
        run.contract = contract
        shorten_run(session, run, to=max(now, clock_of(run)), reason=EraseReason.CONTRACT)
        enqueue(session, JobKind.ERASE, run.subject_id, at=now)
    svc.wake()


def clock_of(run: Generation) -> datetime:
    """When a run's contract ends it: `process` counts from the run's end, every other from the upload."""
    if run.contract is Contract.PROCESS and run.ended_at is not None:
        return run.ended_at + PROCESS_HEADSHOTS_KEPT
    return run.contract.run_by(run.uploaded_at)


def shorten_run(session: Session, run: Generation, *, to: datetime, reason: EraseReason) -> None:
    """Move a run's clock, its headshots' clocks, and those of uploads that no other run keeps longer."""
    run.erase_by = min(run.erase_by, to)
    session.add(run)
    made = select(HeadshotRow.copy_id).where(HeadshotRow.generation_id == run.id)
    copies.shrink(session, session.exec(made).all(), to=run.erase_by, reason=reason)
    release_uploads(session, run, reason=reason)


def release_uploads(session: Session, run: Generation, *, reason: EraseReason) -> None:
    """A run's uploads stay only as long as some run still needs them.

    Each is locked before the runs are read: of two runs that let go of it at once, the second sees the first.
    """
    for upload in filter(None, (run.portrait_id, run.clothing_id, run.backdrop_id)):
        session.exec(select(Copy.id).where(Copy.id == upload).with_for_update())
        copies.shrink(session, [upload], to=_last_need(session, upload), reason=reason)


def _last_need(session: Session, upload_id: str) -> datetime:
    """Until when the runs that were made from an upload need it: a `process` run only until it ends."""
    uses = sa.or_(
        col(Generation.portrait_id) == upload_id,
        col(Generation.clothing_id) == upload_id,
        col(Generation.backdrop_id) == upload_id,
    )
    return max(
        min(run.erase_by, run.ended_at) if run.contract is Contract.PROCESS and run.ended_at else run.erase_by
        for run in session.exec(select(Generation).where(uses))
    )


def cancel_runs(session: Session, run_ids: Sequence[str], now: datetime) -> None:
    """Ask the worker to stop these runs, where they still are under way; it sees the wish between two stages."""
    live = col(Generation.id).in_(run_ids), col(Generation.state).in_(LIVE)
    for run_id in session.exec(select(Generation.id).where(*live)).all():
        enqueue(session, JobKind.GENERATE, run_id, at=now)  # job before run, as the worker does: no deadlock
    wish = sa.update(Generation).where(*live, col(Generation.cancel_at).is_(None)).values(cancel_at=now)
    session.execute(wish)
