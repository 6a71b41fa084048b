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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, copies, erasing, plans
from core.contracts import PROCESS_HEADSHOTS_KEPT, Contract
from core.db import scrub, take_turns
from core.errors import NotAllowed, ObjectLocked, StorageUnavailable
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
    Subject,
    SweepHold,
    Upkeep,
)
from core.plans import Clause, Plan, Planned, plan
from core.ports import Presence
from core.queue import enqueue
from core.services import Services

__all__ = ["Plan", "Planned", "plan"]  # and all that is below
switch_state = erasing.state

WRITE_SETTLES = timedelta(minutes=5)
"""Longer than any write of ours can take: store timeouts and leases both end well before."""
ASK_AGAIN_FIRST, ASK_AGAIN_LATEST = timedelta(seconds=10), timedelta(hours=1)
LINKS_KEPT = timedelta(hours=24)
"""How long a browser can still be shown that its photos are erased."""
BATCH, BATCH_OF_MANY = 500, 2000
"""Copies in one go; more where a store takes many, so that one listing tells of more of them."""
AT_ONCE, BREATH_EVERY = 8, 200
"""Questions to a store that takes several, and how many between two breaths."""
LISTING_PAYS = 50
"""From so many copies on, a whole listing may be read for all of them instead of one for each."""
LISTED_PER_COPY = 300
"""As long as it is no longer than this for each copy: a page of 1000 costs a request, as does asking for one."""
SHARE_COUNTS_FROM = 200
"""A share of a small vault is no sign of anything: three of five copies may well go at once."""
SWEEP = "sweep"
LOCKED_AWAY = "a lock on the vault keeps it"
"""What is noted of a copy that storage may not erase."""


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

    def plus(self, outcomes: Iterable[Outcome]) -> "Report":
        met = Counter(outcomes)
        return Report(
            gone=self.gone + met[Outcome.GONE],
            not_proved=self.not_proved + met[Outcome.NOT_PROVED],
            kept=self.kept + met[Outcome.KEPT] + met[Outcome.ALREADY_GONE],
            stopped=self.stopped or met[Outcome.STOPPED] > 0,
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
    outcomes, due = _look(svc, copy_ids, planned_at)
    refused = svc.vault.store.erase_many([copy.object_key for copy in due]) if due else {}
    breath()
    _note_erased(svc, [copy for copy in due if copy.object_key not in refused])
    answers = {copy.id: _why(refused[copy.object_key]) for copy in due if copy.object_key in refused}
    answers |= _unsettled(svc, [copy for copy in due if copy.id not in answers])
    answers |= _ask_storage(svc, [copy for copy in due if copy.id not in answers], breath)
    breath()
    outcomes |= _note_unproved(svc, [copy for copy in due if copy.id in answers], answers)
    outcomes |= _close(svc, [copy for copy in due if copy.id not in answers])
    return outcomes


def _look(
    svc: Services, copy_ids: Collection[str], planned_at: datetime | None
) -> tuple[dict[str, Outcome], list[Copy]]:
    """The rows as they are now: what is to be left alone and why, and what is to be erased."""
    with svc.reading() as session:
        stopped = erasing.is_stopped(session)
        rows = {copy.id: copy for copy in session.exec(select(Copy).where(col(Copy.id).in_(copy_ids)))}
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
    return LOCKED_AWAY if isinstance(refused, ObjectLocked) else "storage could not be reached"


def _note_erased(svc: Services, erased: Sequence[Copy]) -> None:
    if not erased:
        return
    now = svc.clock()
    known = {copy.id: copy for copy in erased}
    with svc.transaction() as session:
        noted = session.execute(
            sa.update(Copy)
            .where(col(Copy.id).in_(_locked(session, known)), col(Copy.erased_at).is_(None))
            .values(erased_at=now)
            .returning(col(Copy.id))
        )
        for copy_id in noted.scalars():
            copy = known[copy_id]
            audit.record_copy(session, audit.Action.COPY_ERASED, copy, at=now, reason=copy.erase_reason.value)


def _locked(session: Session, copy_ids: Iterable[str]) -> Sequence[str]:
    """Everybody locks copies in one order, so that nobody waits for each other in a circle."""
    wanted = select(Copy.id).where(col(Copy.id).in_(list(copy_ids)))
    return session.exec(wanted.order_by(col(Copy.id)).with_for_update()).all()


def _unsettled(svc: Services, erased: Iterable[Copy]) -> dict[str, str]:
    now = svc.clock()
    says = "a write may still be on its way"
    return {copy.id: says for copy in erased if copy.written_at is None and now < copy.created_at + WRITE_SETTLES}


def _ask_storage(svc: Services, erased: Sequence[Copy], breath: Callable[[], None]) -> dict[str, str]:
    """What storage answers about those that it may still have; nothing about those that it does not."""
    keys = [copy.object_key for copy in erased]
    heads = _each(svc, svc.vault.store.head, keys, breath)
    listing = _listed(svc, keys, breath)
    return {
        copy.id: f"head says {heads[copy.object_key].value}, listing says {listing[copy.object_key].value}"
        for copy in erased
        if (heads[copy.object_key], listing[copy.object_key]) != (Presence.ABSENT, Presence.ABSENT)
    }


def _each(
    svc: Services, ask: Callable[[str], Presence], keys: Sequence[str], breath: Callable[[], None]
) -> dict[str, Presence]:
    if len(keys) < 2 or not svc.vault.store.takes_many:
        return {key: ask(key) for key in keys}
    answers: dict[str, Presence] = {}
    with ThreadPoolExecutor(min(AT_ONCE, len(keys))) as threads:
        for start in range(0, len(keys), BREATH_EVERY):
            some = keys[start : start + BREATH_EVERY]
            answers |= zip(some, threads.map(ask, some), strict=True)
            breath()
    return answers


def _listed(svc: Services, keys: Sequence[str], breath: Callable[[], None]) -> dict[str, Presence]:
    """For a few, a listing for each; for many, one whole listing, unless it would be longer than it is worth."""
    if len(keys) < LISTING_PAYS or not svc.vault.store.takes_many:
        return _each(svc, svc.vault.store.listed, keys, breath)
    with svc.reading() as session:
        kept = session.exec(select(func.count()).select_from(Copy).where(col(Copy.gone_at).is_(None))).one()
    if kept > LISTED_PER_COPY * len(keys):
        return _each(svc, svc.vault.store.listed, keys, breath)
    wanted = set(keys)
    try:
        still_there = {found.key for found in svc.vault.store.inventory() if found.key in wanted}
    except StorageUnavailable:
        return dict.fromkeys(keys, Presence.UNKNOWN)
    return {key: Presence.PRESENT if key in still_there else Presence.ABSENT for key in keys}


def _note_unproved(svc: Services, unproved: Sequence[Copy], answers: Mapping[str, str]) -> dict[str, Outcome]:
    if not unproved:
        return {}
    now = svc.clock()
    with svc.transaction() as session:
        for copy in sorted(unproved, key=lambda copy: copy.id):
            wait = min(ASK_AGAIN_FIRST * 2 ** min(copy.probes, 20), ASK_AGAIN_LATEST)
            session.execute(
                sa.update(Copy)
                .where(col(Copy.id) == copy.id, col(Copy.gone_at).is_(None))
                .values(probes=col(Copy.probes) + 1, probe_answer=answers[copy.id], probe_again_at=now + wait)
            )
    return dict.fromkeys((copy.id for copy in unproved), Outcome.NOT_PROVED)


def _close(svc: Services, absent: Sequence[Copy]) -> dict[str, Outcome]:
    """Storage has shown that these are not there: their rows get the evidence and are closed."""
    if not absent:
        return {}
    now, seen = svc.clock(), {copy.id: copy for copy in absent}
    with svc.transaction() as session:
        _locked(session, seen)
        rows = session.exec(select(Copy).where(col(Copy.id).in_(seen)).execution_options(populate_existing=True)).all()
        closing = [row for row in rows if _is_as_seen(row, seen[row.id])]
        evidence = {
            row.id: Evidence(copy_id=row.id, probed_at=now, head=Presence.ABSENT, listing=Presence.ABSENT)
            for row in closing
        }
        session.add_all(evidence.values())
        session.flush()
        for row in closing:
            row.gone_at, row.evidence_id, row.probe_answer, row.probe_again_at = now, evidence[row.id].id, None, None
            row.original_hash = None
            session.add(row)
            audit.record_copy(session, audit.Action.COPY_GONE, row, at=now)
        session.flush()
        end_subjects_if_over(session, {row.subject_id for row in closing}, now)
        closed_before = {row.id for row in rows if row.gone_at is not None}
    outcomes = {row.id: Outcome.ALREADY_GONE if row.id in closed_before else Outcome.NOT_PROVED for row in rows}
    return dict.fromkeys(seen, Outcome.ALREADY_GONE) | outcomes | {row.id: Outcome.GONE for row in closing}


def _is_as_seen(row: Copy, seen: Copy) -> bool:
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
    session: Session, now: datetime, *where: Clause, limit: int | None = None, subject_id: str | None = None
) -> Sequence[Copy]:
    """Copies whose clock has run out and that may be asked about now, the most overdue first."""
    query = select(Copy).where(*_is_due(now), *where).order_by(col(Copy.erase_by), col(Copy.id)).limit(limit)
    if subject_id is not None:
        query = query.where(Copy.subject_id == subject_id)
    return session.exec(query).all()


def _is_due(now: datetime) -> tuple[Clause, ...]:
    may_be_asked = sa.or_(col(Copy.probe_again_at).is_(None), col(Copy.probe_again_at) <= now)
    return col(Copy.gone_at).is_(None), col(Copy.erase_by) <= now, may_be_asked


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
        col(Copy.gone_at).is_(None), col(Copy.erase_by) < now - than, Copy.kind != CopyKind.CANARY
    )
    with svc.reading() as session:
        count, oldest = session.exec(late).one()
    return count, now - oldest if oldest else timedelta(0)


def sweep(svc: Services, *, subject_id: str | None = None, after_each: Callable[[], None] = lambda: None) -> Report:
    """Erase everything that is due, batch by batch, so that a crash loses no progress.

    Of one subject, whatever is due. Of all, what is due by the clock only as long as it is not too much at once.
    """
    if subject_id is not None:
        report = _erase_due(svc, col(Copy.subject_id) == subject_id, after_each=after_each)
    else:
        report = _sweep_all(svc, after_each)
    if report.gone:
        scrub(svc.database)
    return report


def _sweep_all(svc: Services, after_each: Callable[[], None]) -> Report:
    started_at = svc.clock()
    found = plan(svc, shows=0)
    held = _is_too_much(svc, found)
    _note_hold(svc, found if held else None)
    stopped = erasing.state(svc).is_stopped  # said also where nothing is due; each batch looks for itself
    report = Report(held=held, stopped=stopped) if held or stopped else _run(svc, found, after_each)
    report = _erase_due(svc, sa.or_(*_not_by_the_clock()), after_each=after_each, report=report)
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
    report = _run(svc, made, after_each)
    if report.gone:
        scrub(svc.database)
    return report


def _run(svc: Services, made: Plan, after_each: Callable[[], None]) -> Report:
    untouched = plans.untouched_since(made.made_at)
    return _erase_due(svc, *untouched, planned_at=made.made_at, after_each=after_each)


def confirm(svc: Services, plan_hash: str, *, actor: str, after_each: Callable[[], None] = lambda: None) -> Report:
    """An operator has looked at the plan with this hash, and it may run. Raises StalePlan."""
    made = plans.named(svc, plan_hash)
    with svc.transaction() as session:
        now = svc.clock()
        audit.record(session, audit.Action.SWEEP_CONFIRMED, plan_hash, at=now, actor=actor, copies=made.total)
    report = execute(svc, made, after_each=after_each)
    left = plan(svc, shows=0)
    _note_hold(svc, left if _is_too_much(svc, left) else None)
    return report


def _erase_due(
    svc: Services,
    *where: Clause,
    after_each: Callable[[], None],
    planned_at: datetime | None = None,
    report: Report | None = None,
) -> Report:
    report = report or Report()
    limit = BATCH_OF_MANY if svc.vault.store.takes_many else BATCH
    while True:
        with svc.reading() as session:
            batch = [(copy.id, copy.kind) for copy in due_copies(session, svc.clock(), *where, limit=limit)]
        outcomes = erase_copies(svc, [copy_id for copy_id, _ in batch], planned_at=planned_at, breath=after_each)
        report = report.plus(outcomes[copy_id] for copy_id, kind in batch if kind is not CopyKind.CANARY)
        if not set(outcomes.values()) & {Outcome.GONE, Outcome.NOT_PROVED}:
            return report  # nothing is left, others were faster, or the switch is off


def _forget_links(svc: Services) -> None:
    """Which browser once opened which subject is of no use a day after the subject is over."""
    over = select(Subject.id).where(col(Subject.key_destroyed_at) <= svc.clock() - LINKS_KEPT)
    with svc.transaction() as session:
        session.execute(sa.delete(BrowserSession).where(col(BrowserSession.subject_id).in_(over)))


# ----------------------------------------------------------------------------------------------------- too much
@dataclass(frozen=True, kw_only=True)
class Hold:
    """What a sweep did not dare to erase."""

    held_at: datetime
    plan_hash: str
    valid_until: datetime
    copies: int
    size: int
    kept_in_all: int

    @property
    def says(self) -> str:
        return (
            f"{self.copies} of {self.kept_in_all} copies are due at once, more than a sweep erases unasked. Look at "
            f"`sweep --dry-run`; if it is right, `python -m core sweep --confirm {self.plan_hash}` runs it."
        )


def hold(svc: Services) -> Hold | None:
    """Whether a sweep is waiting for an operator."""
    with svc.reading() as session:
        row = session.get(SweepHold, SWEEP)
    if row is None:
        return None
    return Hold(
        held_at=row.held_at,
        plan_hash=row.plan_hash,
        valid_until=row.planned_at + plans.LIFE,
        copies=row.copies,
        size=row.size,
        kept_in_all=row.kept_in_all,
    )


def _is_too_much(svc: Services, found: Plan) -> bool:
    share = found.by_clock > max(SHARE_COUNTS_FROM, svc.settings.sweep_cap_share * found.kept_in_all)
    return share or found.by_clock > svc.settings.sweep_cap


def _not_by_the_clock() -> tuple[Clause, ...]:
    """What people asked for, what is erased already and only waits to be proved, and canaries: never held up."""
    asked_for = col(Copy.erase_reason) != EraseReason.CONTRACT
    return asked_for, col(Copy.erased_at).is_not(None), col(Copy.kind) == CopyKind.CANARY


def _note_hold(svc: Services, found: Plan | None) -> None:
    with svc.reading() as session:
        row = session.get(SweepHold, SWEEP)
    if found is None and row is None:
        return
    with svc.transaction() as session:
        take_turns(session)
        if found is None:
            session.execute(sa.delete(SweepHold).where(col(SweepHold.name) == SWEEP))
        elif row is None or row.planned_at <= svc.clock() - plans.LIFE / 2:  # else its hash is good for a while yet
            session.merge(
                SweepHold(
                    name=SWEEP,
                    held_at=row.held_at if row else svc.clock(),
                    plan_hash=found.hash,
                    planned_at=found.made_at,
                    copies=found.by_clock,
                    size=found.size,
                    kept_in_all=found.kept_in_all,
                )
            )
            if row is None:
                held = audit.Action.SWEEP_HELD
                audit.record(session, held, found.hash, at=svc.clock(), copies=found.by_clock)


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
            raise NotAllowed("A clock can only be made shorter.")
        facts = {"contract": contract.value, "before": run.contract.value}
        audit.record(session, audit.Action.RUN_SHORTENED, run.id, at=now, actor=audit.SUBJECT, **facts)
        run.contract = contract
        shorten_run(session, run, to=max(now, clock_of(svc, run)), reason=EraseReason.CONTRACT)
        enqueue(session, JobKind.ERASE, run.subject_id, at=now)
    svc.wake()


def clock_of(svc: Services, run: Generation) -> datetime:
    """When a run's contract ends it: `process` counts from the run's end, every other from the upload."""
    if run.contract is Contract.PROCESS and run.ended_at is not None:
        return run.ended_at + PROCESS_HEADSHOTS_KEPT
    return run.contract.run_by(run.uploaded_at, early=svc.settings.erase_early)


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
