"""
Retention: what is due, and the one way out.

The most dangerous code in the app: what is erased by mistake is gone for good, and what is kept by mistake breaks the
promise on the upload page. So:

* One way out. The sweep, a person's "Erase now", the end of a run and the end of a contract all make copies due by
  moving their clocks, and `erase_copies` is the only function that removes their bytes. It re-reads the rows right
  before it acts, and leaves alone whatever is not due.
* Erasing is our deed, gone is what storage shows afterwards. Only two negative reads (the object itself and a
  listing) make a copy `gone`, and they are kept as its evidence. Refused, timed out, "still there": not proved yet,
  and asked again later.
* A write that may still be on its way proves nothing. A copy whose bytes never were confirmed is asked again until
  `WRITE_SETTLES` after it was planned.
* With the last copy of a subject goes its key, so what a backup may still hold can never be read.
* Too much at once is a question. A clock that is wrong makes everything due: beyond the cap a sweep erases only what
  people asked for, and an operator looks at the plan (`core/plans.py`) for the rest.
* One switch stops it all (`core/erasing.py`), and it is looked at right before anything is erased.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, copies, erasing, holds, made_up, plans
from core.contracts import PROCESS_HEADSHOTS_KEPT, Contract
from core.copies import Seen
from core.db import scrub, take_turns
from core.errors import NotAllowed, ObjectLocked, StorageUnavailable
from core.holds import Hold, hold
from core.language import N_, _
from core.models import (
    LIVE,
    BrowserSession,
    Copy,
    CopyKind,
    EraseReason,
    Evidence,
    Generation,
    HeadshotRow,
    JobKind,
    ProviderCopy,
    Subject,
    Upkeep,
    new_id,
)
from core.plans import Clause, Plan, Planned, plan
from core.ports import Presence
from core.proof import Proof
from core.queue import enqueue, enqueue_run
from core.services import Services
from core.usage import noting

__all__ = ["Hold", "Plan", "Planned", "hold", "plan"]  # and all that is below
switch_state = erasing.state

WRITE_SETTLES = timedelta(minutes=5)
"""Longer than any write of ours can take: store timeouts and leases both end well before."""
ASK_AGAIN_FIRST, ASK_AGAIN_LATEST = timedelta(seconds=10), timedelta(hours=1)
LINKS_KEPT = timedelta(hours=24)
"""How long a browser can still be shown that its photos are erased."""
BATCH = 500
"""Copies in one go: one request, one transaction each."""
PAGE = 10_000
"""Copies in hand: one listing tells of all of them, and more would not stay flat in memory."""
LOCKED_AWAY = N_("a lock on the vault keeps it")
"""What is noted of a copy that storage may not erase."""
UNREACHABLE = N_("storage could not be reached")
ON_ITS_WAY = N_("a write may still be on its way")


class Outcome(StrEnum):
    KEPT = "kept"  # not due, or no longer as it was planned
    ALREADY_GONE = "already_gone"
    NOT_PROVED = "not_proved"
    GONE = "gone"
    STOPPED = "stopped"  # all erasing is


@dataclass(frozen=True)
class Report:
    """What a sweep did."""

    gone: int = 0
    not_proved: int = 0
    kept: int = 0
    stopped: bool = False  # the switch is off: nothing was erased
    held: bool = False  # too much is due by the clock: an operator is asked first

    def plus(self, copies: Iterable[Seen], outcomes: Mapping[str, Outcome]) -> "Report":
        met = Counter(outcomes.get(copy.id) for copy in copies if copy.kind is not CopyKind.CANARY)
        return Report(
            gone=self.gone + met[Outcome.GONE],
            not_proved=self.not_proved + met[Outcome.NOT_PROVED],
            kept=self.kept + met[Outcome.KEPT] + met[Outcome.ALREADY_GONE],
            stopped=self.stopped or Outcome.STOPPED in outcomes.values(),
            held=self.held,
        )


# ----------------------------------------------------------------------------------------------------------- erase
def erase(svc: Services, copy_id: str) -> Outcome:
    """Erase one copy if it is due, then ask storage whether it is gone."""
    return erase_copies(svc, [copy_id])[copy_id]


def erase_copies(
    svc: Services,
    copy_ids: Collection[str],
    *,
    planned_at: datetime | None = None,
    breath: Callable[[], None] = lambda: None,
) -> dict[str, Outcome]:
    """Erase those that are due, in as few requests as storage can, then ask it about each of them.

    `planned_at`: leave alone whatever has changed since a plan of that instant. `breath` is called between the steps.
    """
    outcomes, erased = _erase(svc, copy_ids, planned_at, breath)
    return outcomes | _prove(svc, erased, breath)


def _erase(
    svc: Services, copy_ids: Collection[str], planned_at: datetime | None, breath: Callable[[], None]
) -> tuple[dict[str, Outcome], list[Seen]]:
    """What is not erased, and why; and what is, as it was seen before."""
    outcomes, due = _look(svc, copy_ids, planned_at)
    refused = svc.vault.store.erase_many([copy.object_key for copy in due]) if due else {}
    breath()
    erased = [copy for copy in due if copy.object_key not in refused]
    _note_erased(svc, erased)
    answers = {copy.id: _why(refused[copy.object_key]) for copy in due if copy.object_key in refused}
    return outcomes | _note_unproved(svc, due, answers), erased


def _look(
    svc: Services, copy_ids: Collection[str], planned_at: datetime | None
) -> tuple[dict[str, Outcome], list[Seen]]:
    """The rows as they are now: what is to be left alone and why, and what is to be erased."""
    with svc.reading() as session:
        stopped = erasing.is_stopped(session)
        real = col(Copy.id).in_(copy_ids), made_up.is_real(Copy.id)
        rows = {copy.id: copy for copy in copies.seen(session, *real)}
    now = svc.clock()
    outcomes: dict[str, Outcome] = {}
    for copy_id in copy_ids:
        copy = rows.get(copy_id)
        if copy is None or copy.gone_at is not None:
            outcomes[copy_id] = Outcome.ALREADY_GONE
        elif copy.erase_by > now or (planned_at is not None and not plans.is_untouched_since(copy, planned_at)):
            outcomes[copy_id] = Outcome.KEPT
        elif stopped:
            outcomes[copy_id] = Outcome.STOPPED
    return outcomes, [rows[copy_id] for copy_id in copy_ids if copy_id not in outcomes]


def _why(refused: StorageUnavailable) -> str:
    return LOCKED_AWAY if isinstance(refused, ObjectLocked) else UNREACHABLE


def _note_erased(svc: Services, erased: Sequence[Seen]) -> None:
    if not erased:
        return
    now = svc.clock()
    with svc.transaction() as session:
        first = [row for row in _locked(session, erased) if row.erased_at is None]
        noted = sa.update(Copy).where(col(Copy.id).in_([row.id for row in first])).values(erased_at=now)
        session.execute(noted)
        for row in first:
            audit.record_copy(session, audit.Action.COPY_ERASED, row.id, row.kind, at=now, reason=row.erase_reason)


def _locked(session: Session, these: Iterable[Seen]) -> list[Seen]:
    """As they are now, and nobody else changes them. All lock in one order, so that none wait in a circle."""
    return copies.seen(session, col(Copy.id).in_([copy.id for copy in these]), lock=True)


def _prove(svc: Services, erased: Sequence[Seen], breath: Callable[[], None]) -> dict[str, Outcome]:
    """Ask storage about what was seen before it was asked, and close what it does not have any more."""
    proof = Proof(svc, [copy.object_key for copy in erased], breath)
    outcomes: dict[str, Outcome] = {}
    for batch in _batches(erased):
        answers = _unsettled(svc, batch)
        doubts = proof.doubts([copy.object_key for copy in batch if copy.id not in answers])
        answers |= {copy.id: doubts[copy.object_key] for copy in batch if copy.object_key in doubts}
        breath()
        outcomes |= _note_unproved(svc, batch, answers)
        outcomes |= _close(svc, [copy for copy in batch if copy.id not in answers])
    return outcomes


def _unsettled(svc: Services, erased: Iterable[Seen]) -> dict[str, str]:
    now = svc.clock()
    return {copy.id: ON_ITS_WAY for copy in erased if copy.written_at is None and now < copy.created_at + WRITE_SETTLES}


def _note_unproved(svc: Services, asked: Sequence[Seen], answers: Mapping[str, str]) -> dict[str, Outcome]:
    if not answers:
        return {}
    now = svc.clock()
    unproved = sorted((copy for copy in asked if copy.id in answers), key=lambda copy: copy.id)
    note = (
        sa.update(Copy)
        .where(col(Copy.id) == sa.bindparam("of"), col(Copy.gone_at).is_(None))
        .values(probes=Copy.probes + 1, probe_answer=sa.bindparam("answer"), probe_again_at=sa.bindparam("again"))
    )
    with svc.transaction() as session:
        session.connection().execute(
            note, [{"of": copy.id, "answer": answers[copy.id], "again": now + _wait(copy)} for copy in unproved]
        )
    return dict.fromkeys(answers, Outcome.NOT_PROVED)


def _wait(unproved: Seen) -> timedelta:
    wait: timedelta = ASK_AGAIN_FIRST * 2 ** min(unproved.probes, 20)
    return min(wait, ASK_AGAIN_LATEST)


def _close(svc: Services, absent: Sequence[Seen]) -> dict[str, Outcome]:
    """Storage has shown that these are not there: their rows get the evidence and are closed."""
    if not absent:
        return {}
    now, seen = svc.clock(), {copy.id: copy for copy in absent}
    with svc.transaction() as session:
        rows = _locked(session, absent)
        closing = [row for row in rows if _is_as_seen(row, seen[row.id])]
        _add_evidence(session, closing, now)
        _forget_skin(session, closing)
        for row in closing:
            audit.record_copy(session, audit.Action.COPY_GONE, row.id, row.kind, at=now)
        noting.copies_gone(session, closing, now)
        end_subjects_if_over(session, {row.subject_id for row in closing}, now)
    outcomes = {row.id: Outcome.NOT_PROVED if row.gone_at is None else Outcome.ALREADY_GONE for row in rows}
    return dict.fromkeys(seen, Outcome.ALREADY_GONE) | outcomes | {row.id: Outcome.GONE for row in closing}


def _add_evidence(session: Session, closing: Sequence[Seen], now: datetime) -> None:
    if not closing:
        return
    absent = {"probed_at": now, "head": Presence.ABSENT, "listing": Presence.ABSENT}
    evidence = [{"id": new_id(), "copy_id": row.id, **absent} for row in closing]
    session.execute(sa.insert(Evidence), evidence)
    close = (
        sa.update(Copy)
        .where(col(Copy.id) == sa.bindparam("of"))
        .values(gone_at=now, evidence_id=sa.bindparam("evidence"))
        .values(probe_answer=None, probe_again_at=None, original_hash=None)
    )
    session.connection().execute(close, [{"of": each["copy_id"], "evidence": each["id"]} for each in evidence])


def _forget_skin(session: Session, closing: Sequence[Seen]) -> None:
    """What was measured of a headshot goes with it."""
    made = [row.id for row in closing if row.kind is CopyKind.HEADSHOT]
    if made:
        measured = col(HeadshotRow.copy_id).in_(made), col(HeadshotRow.shift).is_not(None)
        session.execute(sa.update(HeadshotRow).where(*measured).values(shift=None))


def _is_as_seen(row: Seen, seen: Seen) -> bool:
    """Bytes that arrived since were not there to be seen. Arriving in vain takes `erased_at` away again."""
    return row.gone_at is None and row.erased_at is not None and row.written_at == seen.written_at


def end_subject_if_over(session: Session, subject_id: str, now: datetime) -> None:
    end_subjects_if_over(session, {subject_id}, now)


def end_subjects_if_over(session: Session, subject_ids: Collection[str], now: datetime) -> None:
    """With the last copy goes the key, the claim code and every word the person wrote.

    Called in the transaction that closes copies and in the one that ends a run, whichever comes last. The rows are
    locked first: of two that close the last two copies at once, one waits and then sees what the other did.
    """
    ids = sorted(subject_ids)
    these = sa.select(col(Subject.id)).where(col(Subject.id).in_(ids)).order_by(col(Subject.id))
    session.execute(these.with_for_update())
    held = select(Copy.subject_id).where(col(Copy.subject_id).in_(ids), col(Copy.gone_at).is_(None))
    at_work = select(Generation.subject_id).where(col(Generation.subject_id).in_(ids), col(Generation.state).in_(LIVE))
    over = set(ids) - set(session.exec(held.distinct()).all()) - set(session.exec(at_work.distinct()).all())
    if not over:
        return
    ended = session.execute(
        sa.update(Subject)
        .where(col(Subject.id).in_(over), col(Subject.key_destroyed_at).is_(None))
        .values(sealed_key=None, key_destroyed_at=now, claim_hash=None)
        .returning(col(Subject.id), col(Subject.is_canary))
    )
    for subject_id, is_canary in ended.all():  # now, not before, and not a canary's
        if not is_canary:
            audit.record(session, audit.Action.SUBJECT_KEY_DESTROYED, subject_id, at=now)
    session.execute(sa.update(Generation).where(col(Generation.subject_id).in_(over)).values(sealed_note=None))


def erase_stray(svc: Services, key: str) -> Outcome:
    """Erase an object that no row knows, and ask whether it is gone. KEPT where a row knows it after all."""
    with svc.reading() as session:
        if session.exec(select(Copy.id).where(Copy.object_key == key)).first() is not None:
            return Outcome.KEPT
        if erasing.is_stopped(session):
            return Outcome.STOPPED
    try:
        svc.vault.store.erase(key)
    except StorageUnavailable:
        return Outcome.NOT_PROVED
    answers = (svc.vault.store.head(key), svc.vault.store.listed(key))
    return Outcome.GONE if answers == (Presence.ABSENT, Presence.ABSENT) else Outcome.NOT_PROVED


# ----------------------------------------------------------------------------------------------------------- sweep
def due_copies(
    session: Session, now: datetime, *where: Clause, after: Seen | None = None, limit: int | None = None
) -> list[Seen]:
    """Copies whose clock has run out and that may be asked about now, the most overdue first."""
    order = col(Copy.erase_by), col(Copy.id)
    if after is not None:
        where = (*where, sa.tuple_(*order) > sa.tuple_(after.erase_by, after.id))
    return copies.seen(session, *_is_due(now), *where, order=order, limit=limit)


def _is_due(now: datetime) -> tuple[Clause, ...]:
    may_be_asked = sa.or_(col(Copy.probe_again_at).is_(None), col(Copy.probe_again_at) <= now)
    return col(Copy.gone_at).is_(None), col(Copy.erase_by) <= now, may_be_asked, made_up.is_real(Copy.id)


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
        *(col(Copy.gone_at).is_(None), made_up.is_real(Copy.id)),
        *(col(Copy.erase_by) < now - than, Copy.kind != CopyKind.CANARY),
    )
    with svc.reading() as session:
        count, oldest = session.exec(late).one()
    return count, now - oldest if oldest else timedelta(0)


def sweep(svc: Services, *, subject_id: str | None = None, after_each: Callable[[], None] = lambda: None) -> Report:
    """Erase everything that is due, batch by batch, so that a crash loses no progress.

    Of one subject, whatever is due. Of all, what is due by the clock only as long as it is not too much at once.
    """
    if subject_id is None:
        report = _sweep_all(svc, after_each)
    else:
        of_subject = col(Copy.subject_id) == subject_id
        report = _erase_due(svc, Report(), of_subject, breath=after_each)
        report = _prove_due(svc, report, of_subject, breath=after_each)
    if report.gone:
        scrub(svc.database)
    return report


def _sweep_all(svc: Services, breath: Callable[[], None]) -> Report:
    """First all bytes go, then storage is asked about all of them: by then a listing shows only what is kept."""
    started_at = svc.clock()
    found = plan(svc, shows=0)
    held = holds.is_too_much(svc, found)
    holds.note(svc, found if held else None)
    stopped = erasing.state(svc).is_stopped  # said also where nothing is due; each batch looks for itself
    report = _erase_due(svc, Report(held=held, stopped=stopped), sa.or_(*_not_by_the_clock()), breath=breath)
    if not held:
        report = _erase_planned(svc, report, found, breath)
    report = _prove_due(svc, report, breath=breath)
    _forget_links(svc)
    note_upkeep(svc, JobKind.SWEEP, started_at, well=not (held or report.stopped), **_figures(report))
    return report


def _figures(report: Report) -> dict[str, int]:
    return {"gone": report.gone, "not_proved": report.not_proved}


def execute(svc: Services, made: Plan, *, after_each: Callable[[], None] = lambda: None) -> Report:
    """Erase what a plan names. Each row is read again right before, and left alone if anything about it has changed.

    Whoever calls this has looked at the plan: no cap holds it up. Raises StalePlan.
    """
    made.require_valid(svc.clock())
    report = _erase_planned(svc, Report(), made, after_each)
    report = _prove_due(svc, report, *plans.as_it_was_at(made.made_at), breath=after_each)
    if report.gone:
        scrub(svc.database)
    return report


def confirm(svc: Services, plan_hash: str, *, actor: str, after_each: Callable[[], None] = lambda: None) -> Report:
    """An operator has looked at the plan with this hash, and it may run. Raises StalePlan."""
    made = plans.named(svc, plan_hash)
    with svc.transaction() as session:
        now = svc.clock()
        audit.record(session, audit.Action.SWEEP_CONFIRMED, plan_hash, at=now, actor=actor, copies=made.total)
    report = execute(svc, made, after_each=after_each)
    left = plan(svc, shows=0)
    holds.note(svc, left if holds.is_too_much(svc, left) else None)
    return report


def _erase_planned(svc: Services, report: Report, made: Plan, breath: Callable[[], None]) -> Report:
    untouched = plans.untouched_since(made.made_at)
    return _erase_due(svc, report, *untouched, planned_at=made.made_at, breath=breath)


def _erase_due(
    svc: Services,
    report: Report,
    *where: Clause,
    planned_at: datetime | None = None,
    breath: Callable[[], None],
) -> Report:
    """Counts what is not erased; what is, is counted when storage has been asked about it."""
    for page in _pages(svc, *where):
        for batch in _batches(page):
            outcomes, _ = _erase(svc, [copy.id for copy in batch], planned_at, breath)
            report = report.plus(batch, outcomes)
            if report.stopped:
                return report
    return report


def _prove_due(svc: Services, report: Report, *where: Clause, breath: Callable[[], None]) -> Report:
    for page in _pages(svc, *where, col(Copy.erased_at).is_not(None)):
        if report.stopped or erasing.state(svc).is_stopped:  # a key that is destroyed is erased, too
            return replace(report, stopped=True)
        report = report.plus(page, _prove(svc, page, breath))
    return report


def _not_by_the_clock() -> tuple[Clause, ...]:
    """What people asked for, what is erased already and only waits to be proved, and canaries: never held up."""
    asked_for = col(Copy.erase_reason) != EraseReason.CONTRACT
    return asked_for, col(Copy.erased_at).is_not(None), col(Copy.kind) == CopyKind.CANARY


def _pages(svc: Services, *where: Clause) -> Iterator[list[Seen]]:
    """What is due, each page read on from where the last one ended: no transaction is open in between."""
    last: Seen | None = None
    while True:
        with svc.reading() as session:
            page = due_copies(session, svc.clock(), *where, after=last, limit=PAGE)
        if page:
            yield page
        if len(page) < PAGE:
            return
        last = page[-1]


def _batches(page: Sequence[Seen]) -> Iterator[Sequence[Seen]]:
    return (page[start : start + BATCH] for start in range(0, len(page), BATCH))


def _forget_links(svc: Services) -> None:
    """Which browser once opened which subject is of no use a day after the subject is over, and all that a third party
    had of them should be: until then they can see what became of it."""
    day_ago = svc.clock() - LINKS_KEPT
    ended = sa.func.coalesce(ProviderCopy.gone_at, ProviderCopy.expires_at)
    runs_elsewhere = sa.exists().where(col(ProviderCopy.subject_id) == col(Subject.id), ended > day_ago)
    over = select(Subject.id).where(col(Subject.key_destroyed_at) <= day_ago, ~runs_elsewhere)
    with svc.transaction() as session:
        session.execute(sa.delete(BrowserSession).where(col(BrowserSession.subject_id).in_(over)))


# ----------------------------------------------------------------------------------------------------- upkeep
@dataclass(frozen=True)
class LastTime:
    """How scheduled work went the last time."""

    started_at: datetime
    ended_at: datetime
    well: bool
    figures: Mapping[str, int]


def note_upkeep(svc: Services, kind: JobKind, started_at: datetime, *, well: bool, **figures: int) -> None:
    told = json.dumps(figures, sort_keys=True)
    with svc.transaction() as session:
        take_turns(session)
        session.merge(Upkeep(kind=kind, started_at=started_at, ended_at=svc.clock(), well=well, figures=told))


def last_time(svc: Services, kind: JobKind) -> LastTime | None:
    with svc.reading() as session:
        row = session.get(Upkeep, kind)
    return LastTime(row.started_at, row.ended_at, row.well, json.loads(row.figures)) if row else None


# ----------------------------------------------------------------------------------------------- what people ask for
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
            raise NotAllowed(_("A clock can only be made shorter."))
        facts = {"contract": contract.value, "before": run.contract.value}
        audit.record(session, audit.Action.RUN_SHORTENED, run.id, at=now, actor=audit.SUBJECT, **facts)
        noting.shortened(session, run, contract, now)
        run.contract = contract
        shorten_run(session, run, to=max(now, clock_of(svc, run)), reason=EraseReason.CONTRACT)
        enqueue(session, JobKind.ERASE, run.subject_id, at=now)
    svc.wake()


def clock_of(svc: Services, run: Generation) -> datetime:
    """When a run's contract ends it: `process` counts from the run's end, every other from the upload."""
    if run.contract is Contract.PROCESS and run.ended_at is not None:
        return run.ended_at + PROCESS_HEADSHOTS_KEPT
    return svc.settings.terms.run_by(run.contract, run.uploaded_at)


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
    asked = session.exec(select(Generation.id).where(*live)).all() if run_ids else ()
    if not asked:
        return
    for run_id in asked:
        enqueue_run(session, run_id, at=now)  # job before run, as the worker does: no deadlock
    wish = sa.update(Generation).where(*live, col(Generation.cancel_at).is_(None)).values(cancel_at=now)
    session.execute(wish)
