"""
The residue ledger: what lies at third parties, until when, and whether they kept their word.

Nothing there is ours to erase. What we can do is know of every address at which a person's picture lies open, say until
when it will, look after that whether it still does, and tell whoever asks.

* Noted before anything is fetched, in the transaction that learns of the address, once for each address.
* The address is sealed under a key of its own, not the person's: that one is destroyed with their last copy here, and
  what lies there has to be looked after for longer. It is destroyed when there is nothing left to look at.
* Gone is what was refused twice, a quarter of an hour apart, and not shown in between. An answer that proves nothing
  counts neither way.
* What is still shown after its end is an incident. It stays one in the count of promises kept, also once it is gone.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, made_up, retention
from core.db import scrub, upsert
from core.errors import EngineError, WorkShotError
from core.language import _, n_, number
from core.models import (
    Generation,
    HandOverLink,
    JobKind,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTask,
    ProviderTaskState,
    Subject,
    new_id,
)
from core.ports import Presence, Provider, ProviderResult, TaskReport, TaskState
from core.provider import spending
from core.queue import Claim
from core.services import Services
from core.third_parties import third_parties

APART: Final = timedelta(minutes=15)
"""Between the two refusals that show that it is gone."""
LOOK_LATEST: Final = timedelta(hours=6)
"""The longest pause between two looks at what does not go."""
BELIEVED: Final = timedelta(days=31)
"""A date farther away than that is a mistake, and no promise."""
BATCH: Final = 20
AT_ONCE: Final = 4
"""Addresses asked for in one step, and how many of them at a time."""
LEFT_BATCH: Final = 5
LEFT_ALONE: Final = ("cancelled", "provider_slow")
"""We stopped waiting for these, and the provider may have gone on."""
LEFT_FIRST, LEFT_LATEST, LEFT_GIVEN_UP = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=48)
BALANCE_EVERY: Final = timedelta(minutes=10)
LINKS_KEPT: Final = timedelta(days=1)

_MARK: Final = "provider-copy"
_PROVIDER, _DOCUMENTS = "provider", "documents"


# ------------------------------------------------------------------------------------------------------------- noting
def note(
    session: Session,
    svc: Services,
    task: ProviderTask,
    kind: ProviderCopyKind,
    result: ProviderResult,
    now: datetime,
    *,
    copy_id: str | None = None,
) -> ProviderCopy:
    """Record an address there, in the transaction that learns of it and before anything is fetched. Once for each.

    `copy_id`: of an upload, the copy of ours that it is of.
    """
    mark = svc.vault.keyed_hash(_MARK, result.url.encode())
    noted = ProviderCopy(
        id=new_id(),
        subject_id=session.get_one(Generation, task.generation_id).subject_id,
        generation_id=task.generation_id,
        task_id=task.id,
        provider=task.provider,
        kind=kind,
        mark=mark,
        copy_id=copy_id,
        noted_at=now,
        **_clock(svc.providers.get(task.provider), kind, result, now),
    )
    noted.sealed_key = svc.vault.make_key(noted.id)
    noted.sealed_url = svc.vault.seal_text(noted, result.url)
    row = upsert(session.get_bind().dialect.name, ProviderCopy).values(**noted.model_dump())
    added = session.execute(row.on_conflict_do_nothing(index_elements=["mark"]).returning(col(ProviderCopy.id)))
    if added.first() is not None:
        _tell(session, audit.Action.PROVIDER_COPY_NOTED, noted, now)
    return session.exec(select(ProviderCopy).where(ProviderCopy.mark == mark)).one()


def _clock(provider: Provider | None, kind: ProviderCopyKind, result: ProviderResult, now: datetime) -> dict[str, Any]:
    said = result.expires_at
    if said is not None and abs(said - now) <= BELIEVED:
        return {"expires_at": said, "probe_at": said, "dated_by": _PROVIDER}
    kept_for = timedelta(hours=72)
    if provider is not None:
        kept_for = provider.upload_kept_for if kind is ProviderCopyKind.UPLOAD else provider.result_kept_for
    return {"expires_at": now + kept_for, "probe_at": now + kept_for, "dated_by": _DOCUMENTS}


def _tell(session: Session, action: audit.Action, copy: ProviderCopy, now: datetime) -> None:
    audit.record(session, action, copy.id, at=now, provider=copy.provider, kind=copy.kind.value)


# ------------------------------------------------------------------------------------------------------------ looking
def step(svc: Services, claim: Claim) -> int:
    """One look at whatever is due: addresses, tasks that nobody waits for any more, and balances. How many copies are
    gone now."""
    with svc.reading() as session:
        due = _due(session, svc.providers, svc.clock())
    gone = _probe(svc, claim, due) if due else 0
    look_after_the_left(svc, claim)
    _look_at_balances(svc)
    with claim.transaction() as session:
        if len(due) == BATCH:  # there may be more; other work comes in between
            claim.again(session, after=timedelta(seconds=1))
        else:
            claim.done(session)
    return gone


def _probe(svc: Services, claim: Claim, due: Sequence[ProviderCopy]) -> int:
    with ThreadPoolExecutor(min(AT_ONCE, len(due))) as threads:
        answers = list(threads.map(lambda copy: _ask(svc, copy), due))
    with claim.transaction() as session:
        gone = sum(_note_answer(session, copy, *answer) for copy, answer in zip(due, answers, strict=True))
    if gone:
        scrub(svc.database)  # of keys that are destroyed
    return gone


def _due(session: Session, providers: Iterable[str], now: datetime) -> Sequence[ProviderCopy]:
    open_ones = col(ProviderCopy.gone_at).is_(None), col(ProviderCopy.provider).in_(list(providers))
    due = select(ProviderCopy).where(*open_ones, col(ProviderCopy.probe_at) <= now, made_up.is_real(ProviderCopy.id))
    return session.exec(due.order_by(col(ProviderCopy.probe_at), col(ProviderCopy.id)).limit(BATCH)).all()


def _ask(svc: Services, copy: ProviderCopy) -> tuple[Presence, datetime]:
    """What the provider answers to somebody who only knows the address, and when it was asked."""
    asked_at = svc.clock()
    assert copy.sealed_url is not None
    try:
        url = svc.vault.open_text(copy, copy.sealed_url)
    except WorkShotError:  # sealed under another key than ours: nobody can look any more, and nothing is shown
        return Presence.UNKNOWN, asked_at
    return svc.providers[copy.provider].probe(url), asked_at


def _note_answer(session: Session, seen: ProviderCopy, answer: Presence, at: datetime) -> bool:
    """Whether it is gone now. An answer about a row that has moved on since it was asked is dropped."""
    same = col(ProviderCopy.id) == seen.id, col(ProviderCopy.probes) == seen.probes
    row = session.exec(
        select(ProviderCopy).where(*same, col(ProviderCopy.gone_at).is_(None)).with_for_update()
    ).one_or_none()
    if row is None:
        return False
    row.probes, row.answer, row.answered_at = row.probes + 1, answer, at
    if answer is Presence.PRESENT:
        _still_there(session, row, at)
    elif answer is Presence.ABSENT:
        _refused(session, row, at)
    else:
        row.probe_at = at + _pause(row.refused_at or row.open_at or row.expires_at, at)
    session.add(row)
    return row.gone_at is not None


def _still_there(session: Session, row: ProviderCopy, at: datetime) -> None:
    row.refused_at = None
    if row.open_at is None:
        row.open_at = at
        _tell(session, audit.Action.PROVIDER_COPY_OPEN, row, at)
    row.probe_at = at + _pause(row.open_at, at)


def _refused(session: Session, row: ProviderCopy, at: datetime) -> None:
    if row.refused_at is None:
        row.refused_at = at
    if at - row.refused_at < APART:
        row.probe_at = row.refused_at + APART
        return
    row.gone_at = at
    row.sealed_key = row.sealed_url = None
    _tell(session, audit.Action.PROVIDER_COPY_GONE, row, at)


def _pause(since: datetime, at: datetime) -> timedelta:
    """As long as it has lasted already: twice as long each time."""
    return min(max(at - since, APART), LOOK_LATEST)


# ---------------------------------------------------------------------------------------- tasks that we left to finish
def look_after_the_left(svc: Services, claim: Claim) -> None:
    """What we stopped waiting for may have been made: where its results lie, and what it cost."""
    with svc.reading() as session:
        left = _left(session, svc.providers, svc.clock())
    for task in left:
        report = _report(svc.providers[task.provider], task)
        with claim.transaction() as session:
            _note_report(session, svc, task.id, report, svc.clock())


def _left(session: Session, providers: Iterable[str], now: datetime) -> Sequence[ProviderTask]:
    """Ended by us, taken by them, and not heard of since."""
    task = ProviderTask
    left = (
        select(task)
        .where(
            col(task.provider).in_(list(providers)),
            made_up.is_real(task.id),
            col(task.state) == ProviderTaskState.FAILED,
            col(task.failure).in_(LEFT_ALONE),
            col(task.task_id).is_not(None),
            col(task.made_at).is_(None),
            col(task.cost).is_(None),
            col(task.ended_at).between(now - LEFT_GIVEN_UP, now - LEFT_FIRST),
            sa.or_(col(task.again_at).is_(None), col(task.again_at) <= now),
        )
        .order_by(col(task.ended_at))
    )
    return session.exec(left.limit(LEFT_BATCH)).all()


def _report(provider: Provider, task: ProviderTask) -> TaskReport | None:
    assert task.task_id is not None
    try:
        return provider.task(task.task_id)
    except EngineError:
        return None


def _note_report(session: Session, svc: Services, task_id: str, report: TaskReport | None, now: datetime) -> None:
    task = session.get_one(ProviderTask, task_id, with_for_update=True)
    if task.made_at is not None or task.cost is not None:
        return  # somebody was faster
    task.looks += 1
    if report is None or report.state is TaskState.WAITING:
        since = task.ended_at or now
        task.again_at = now + min(max(now - since, LEFT_FIRST), LEFT_LATEST)
    else:
        for result in report.results:
            note(session, svc, task, ProviderCopyKind.RESULT, result, now)
        made = report.state is TaskState.DONE
        task.made_at, task.again_at = (now if made else None), None
        task.cost = report.cost if made else report.cost or 0
        _charge(session, task, now, svc.providers[task.provider].price)
    session.add(task)


def _charge(session: Session, task: ProviderTask, now: datetime, price: int) -> None:
    """What was made and has no price was charged all the same, as far as anybody knows."""
    if task.cost:
        spending.charge(session, task, now)
    elif task.made_at is not None:
        spending.doubt(session, task, now, price)


def _look_at_balances(svc: Services) -> None:
    """Noted before it is asked: who does not answer is not asked more often than who does."""
    now, last = svc.clock(), retention.last_time(svc, JobKind.RESIDUE)
    if last is None or now - last.started_at >= BALANCE_EVERY:
        retention.note_upkeep(svc, JobKind.RESIDUE, now, well=True)
        spending.look_at_balance(svc)


# ------------------------------------------------------------------------------------------------------------ tidying
def tend(svc: Services) -> int:
    """Forget by what a third party would know a run, once all is over: the person here, and everything there. And
    links that have been of no use for a day. How many runs' variants."""
    now = svc.clock()
    task, copy = ProviderTask, ProviderCopy
    over = (
        select(Generation.id)
        .join(Subject, col(Subject.id) == Generation.subject_id)
        .where(col(Subject.key_destroyed_at).is_not(None))
    )
    still_there = sa.exists().where(col(copy.task_id) == col(task.id), col(copy.gone_at).is_(None))
    names = {"task_id": None, "request_ref": None, "body_hash": None}
    forget = (
        sa.update(task)
        .where(col(task.generation_id).in_(over), col(task.ended_at) < now - LEFT_GIVEN_UP, ~still_there)
        .where(sa.or_(*(col(getattr(task, name)).is_not(None) for name in names)))
        .values(**names)
    )
    ended = select(task.id).where(col(task.ended_at).is_not(None))
    old_links = col(HandOverLink.expires_at) < now - LINKS_KEPT, col(HandOverLink.task_id).in_(ended)
    with svc.transaction() as session:
        session.execute(sa.delete(HandOverLink).where(*old_links))
        return int(session.execute(forget).rowcount)  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------------------ telling
@dataclass(frozen=True)
class Residue:
    """What lies at third parties, and how they keep their word."""

    running: int  # before their end
    next_end: datetime | None  # of those
    last_end: datetime | None
    overdue: int  # past their end, and shown to be open since
    unproved: int  # past their end, and nothing shown either way yet
    gone: int
    late: int  # of those, how many were open after their end

    @property
    def open(self) -> int:
        return self.running + self.overdue + self.unproved

    @property
    def is_empty(self) -> bool:
        return not self.open and not self.gone

    @property
    def kept_share(self) -> float | None:
        """Of what has come to its end and is settled, how much ended in time, in %. None: nothing has yet."""
        settled = self.gone + self.overdue
        return 100 * (self.gone - self.late) / settled if settled else None

    @property
    def holds(self) -> bool | None:
        """Whether what lies there ends when they say, as far as we have seen by now. None: nothing has ended yet."""
        if self.overdue:
            return False
        return True if self.gone else None

    @property
    def says(self) -> str:
        """How it stands, measured and not believed."""
        if self.is_empty:
            return _("Nothing lies at a third party, and nothing did.")
        told = [
            n_("{n} copy within the time", "{n} copies within the time", self.running),
            n_("{n} copy open after the end", "{n} copies open after the end", self.overdue),
            n_(
                "{n} copy past the end and not proved gone yet",
                "{n} copies past the end and not proved gone yet",
                self.unproved,
            ),
            n_(
                "{n} copy proved gone, {late} of them late",
                "{n} copies proved gone, {late} of them late",
                self.gone,
                late=number(self.late),
            ),
        ]
        counts = (self.running, self.overdue, self.unproved, self.gone)
        listed = ", ".join(text for count, text in zip(counts, told, strict=True) if count)
        return _("At third parties: {listed}.", listed=listed)


def figures(session: Session, now: datetime, *, demo: bool = False) -> Residue:
    """Over everybody. `demo`: what is made up as well, for a page that says so."""
    copy = ProviderCopy
    is_open, over = col(copy.gone_at).is_(None), col(copy.expires_at) <= now
    was_open = col(copy.open_at).is_not(None)
    running = sa.and_(is_open, ~over)
    row = session.exec(
        select(  # type: ignore[call-overload]
            func.count().filter(running),
            func.min(copy.expires_at).filter(running),
            func.max(copy.expires_at).filter(running),
            func.count().filter(is_open, over, was_open),
            func.count().filter(is_open, over, ~was_open),
            func.count().filter(~is_open),
            func.count().filter(~is_open, was_open),
        )
        .select_from(copy)
        .where(sa.true() if demo else made_up.is_real(copy.id))
    ).one()
    return Residue(*row)


def next_ends(session: Session, now: datetime, *, limit: int) -> Sequence[ProviderCopy]:
    """What is still within its time, the first to end first."""
    running = col(ProviderCopy.gone_at).is_(None), col(ProviderCopy.expires_at) > now
    return _first(session, *running, limit=limit)


def incidents(session: Session, *, limit: int) -> Sequence[ProviderCopy]:
    """What was seen open after its end and is not gone yet, the longest overdue first."""
    still_open = col(ProviderCopy.gone_at).is_(None), col(ProviderCopy.open_at).is_not(None)
    return _first(session, *still_open, limit=limit)


def not_asked(session: Session, providers: Iterable[str]) -> int:
    """How much lies open at those who are no longer set up, where nobody can look after it."""
    theirs = col(ProviderCopy.provider).not_in(list(providers))
    still_there = col(ProviderCopy.gone_at).is_(None), theirs, made_up.is_real(ProviderCopy.id)
    return session.exec(select(func.count()).select_from(ProviderCopy).where(*still_there)).one()


def _first(session: Session, *where: sa.ColumnElement[bool], limit: int) -> Sequence[ProviderCopy]:
    these = select(ProviderCopy).where(*where)
    return session.exec(these.order_by(col(ProviderCopy.expires_at), col(ProviderCopy.id)).limit(limit)).all()


def title_of(svc: Services, provider: str) -> str:
    """How people know it, also when it is no longer set up."""
    known = svc.providers.get(provider) or third_parties().get(provider)
    return known.title if known else provider


def says(svc: Services, copy: ProviderCopy) -> str:
    """What there is to say of a copy that is not shown to be gone, to anybody, at any time after."""
    title, was_open = title_of(svc, copy.provider), copy.open_at is not None
    return in_words(copy.kind, title, ends_at=copy.expires_at, dated_by=copy.dated_by, was_open=was_open)


def in_words(kind: str, title: str, *, ends_at: datetime, dated_by: str, was_open: bool) -> str:
    """The same of what a receipt has kept of it."""
    known = {"title": title, "end": f"{ends_at:%Y-%m-%d %H:%M} UTC"}
    if kind == ProviderCopyKind.UPLOAD:
        told = _("A photo that was uploaded to {title} lies there and is not ours to erase.", **known)
    else:
        told = _("A headshot made by {title} lies there and is not ours to erase.", **known)
    if was_open:
        after = _("It should have ended by {end} and was still open after that. We go on looking.", **known)
    elif dated_by == _PROVIDER:
        after = _("{title} says that it ends by {end}; after that we look whether it has.", **known)
    else:
        after = _("{title} keeps it until {end} at most; after that we look whether it has.", **known)
    return f"{told} {after}"


def of_run(session: Session, generation_id: str) -> Sequence[ProviderCopy]:
    """Everything that was ever noted of a run, the first one first."""
    return _in_order(session, ProviderCopy.generation_id == generation_id)


def of_subject(session: Session, subject_id: str) -> Sequence[ProviderCopy]:
    return _in_order(session, ProviderCopy.subject_id == subject_id)


def _in_order(session: Session, of: Any) -> Sequence[ProviderCopy]:
    these = select(ProviderCopy).where(of)
    return session.exec(these.order_by(col(ProviderCopy.noted_at), col(ProviderCopy.id))).all()
