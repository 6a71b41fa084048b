"""
The job of a request to erase: begin after the undo, watch what storage shows, and close.

It erases nothing by itself, and it can die between any two lines. `begun` is written before anything is asked for, so
that nobody can take back what has begun; what was not asked for yet is asked for by whoever comes next; and the end is
one transaction. A request is about what there was when it began: who goes on making photos meanwhile keeps them.

Erased on arrival: a run under way is cancelled by the same wish, and is waited for, since it may still bring something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, erasing, made_up, retention
from core.db import scrub
from core.models import (
    LIVE,
    Copy,
    Generation,
    Job,
    JobKind,
    Request,
    RequestKind,
    RequestOutcome,
    RequestState,
)
from core.queue import Claim, LeaseLost, enqueue
from core.requests import answers
from core.requests.register import BY_ITSELF
from core.requests.rows import lead_or_follow, lock_subject, subject_of
from core.services import Services

LOOK_SOON, LOOK_LATE = timedelta(seconds=2), timedelta(seconds=30)
"""Whoever erases says when it is done; this is for what nobody said."""
OURS: Final = "vault"
"""Where we can erase and ask. A copy elsewhere has a clock of its own, and the receipt says that it is not proved."""
AT_WORK = (RequestState.UNDO, RequestState.WORKING)


def step(svc: Services, claim: Claim) -> None:
    """One attempt. Settles its claim, or raises to be tried again later."""
    with svc.reading() as session:
        request = session.get(Request, claim.ref)
    if request is None or request.kind is not RequestKind.ERASE or request.state not in AT_WORK:
        with claim.transaction() as session:
            claim.done(session)
        return
    if request.state is RequestState.UNDO and not _begin(claim):
        return
    if _has_asked(svc, claim.ref):
        with claim.transaction() as session:
            claim.again(session, after=LOOK_SOON)  # whoever erases has only just heard of it
        return
    try:
        _watch(svc, claim)
    except LeaseLost:
        raise
    except Exception:
        _note(claim, "answer_failed")
        raise


def nudge(session: Session, subject_id: str, now: datetime) -> None:
    """All that was due of somebody is gone: whoever waits for that may look."""
    led = select(Request.id).where(Request.subject_id == subject_id, Request.kind == RequestKind.ERASE)
    theirs = sa.or_(col(Request.id).in_(led), col(Request.duplicate_of).in_(led))
    waiting = select(Request.id).where(theirs, Request.state == RequestState.WORKING).order_by(col(Request.id))
    for request_id in session.exec(waiting).all():
        enqueue(session, JobKind.REQUEST, request_id, at=now)


def want_again(session: Session, now: datetime) -> None:
    """Requests that want work and have no job: nothing of ours leaves one, and if something did, it is found here."""
    for kind, job, states in (
        (RequestKind.ERASE, JobKind.REQUEST, AT_WORK),
        (RequestKind.COPY, JobKind.EXPORT, (RequestState.WORKING,)),
    ):
        has_job = sa.exists().where(col(Job.kind) == job, col(Job.ref) == col(Request.id))
        at_work = Request.kind == kind, col(Request.state).in_(states), made_up.is_real(Request.id)
        orphans = select(Request.id).where(*at_work, ~has_job)
        for request_id in session.exec(orphans).all():
            enqueue(session, job, request_id, at=now)


# ---------------------------------------------------------------------------------------------------------------- begin
def _begin(claim: Claim) -> bool:
    """False: it is too early, or somebody was faster."""
    now = claim.svc.clock()
    with claim.transaction() as session:
        request = _locked(session, claim.ref)
        if request.state is not RequestState.UNDO or request.start_at is None:
            claim.done(session)
            return False
        if request.start_at > now:
            claim.again(session, after=request.start_at - now)
            return False
        request.state, request.started_at = RequestState.WORKING, now
        session.add(request)
        audit.record(session, audit.Action.REQUEST_STARTED, request.id, at=now)
    return True


def _locked(session: Session, request_id: str) -> Request:
    return session.get_one(Request, request_id, with_for_update=True, populate_existing=True)


def _has_asked(svc: Services, request_id: str) -> bool:
    """Have erased whatever nobody has asked to erase yet, and see that somebody is at it. True: it was asked now."""
    with svc.reading() as session:
        request = session.get_one(Request, request_id)
        subject_id, asks = subject_of(session, request), request.matched_by in BY_ITSELF
        if subject_id is None or request.started_at is None:
            return False
        left = _left(session, subject_id, request.started_at, svc.clock())
        nobody_at_it = left.copies and session.get(Job, (JobKind.ERASE, subject_id)) is None
    if left.unasked:
        retention.erase_everything(svc, subject_id, actor=audit.SUBJECT if asks else audit.SYSTEM)
    elif nobody_at_it:
        with svc.transaction() as session:
            enqueue(session, JobKind.ERASE, subject_id, at=svc.clock())
        svc.wake()
    return left.unasked


# ---------------------------------------------------------------------------------------------------------------- watch
@dataclass(frozen=True)
class _Left:
    """What stands between a request and its end."""

    copies: Sequence[Any]
    runs: int
    unasked: bool

    @property
    def is_nothing(self) -> bool:
        return not self.copies and not self.runs


def _left(session: Session, subject_id: str, since: datetime, now: datetime) -> _Left:
    """Copies there were when it began, and whatever else is due; runs that were under way then."""
    wanted = (Copy.erase_by, Copy.erased_at, Copy.probe_answer, Copy.probe_again_at)
    ours = col(Copy.subject_id) == subject_id, col(Copy.place) == OURS, col(Copy.gone_at).is_(None)
    covered = sa.or_(col(Copy.created_at) <= since, col(Copy.erase_by) <= now)
    kept = session.execute(sa.select(*wanted).where(*ours, covered)).all()  # type: ignore[call-overload]
    live = col(Generation.subject_id) == subject_id, col(Generation.state).in_(LIVE)
    runs = session.exec(select(Generation.id).where(*live, col(Generation.created_at) <= since)).all()
    return _Left(kept, len(runs), unasked=any(copy.erase_by > now for copy in kept))


def _watch(svc: Services, claim: Claim) -> None:
    with svc.reading() as session:
        request = session.get_one(Request, claim.ref)
        followed, subject_id = request.duplicate_of, subject_of(session, request)
    closed = False
    with claim.transaction() as session:
        if followed and subject_id:
            lock_subject(session, subject_id)
        request = _locked(session, claim.ref)
        now = svc.clock()
        if request.state is not RequestState.WORKING or subject_id is None or request.started_at is None:
            claim.done(session)
            return
        left = _left(session, subject_id, request.started_at, now)
        _note_progress(session, request, left)
        if not left.is_nothing:
            claim.again(session, after=_look_again_in(session, subject_id, now))
        elif not _may_close(session, request, subject_id, now):
            claim.again(session, after=LOOK_LATE)  # whoever leads says when it is done
        else:
            with session.no_autoflush:
                _close(session, svc, request, subject_id, now)
            claim.done(session)
            closed = True
    if closed:
        _wake_followers(svc, claim.ref)
        scrub(svc.database)
        svc.wake()


def _note_progress(session: Session, request: Request, left: _Left) -> None:
    if left.is_nothing:
        return
    instants = [copy.erased_at for copy in left.copies if copy.erased_at is not None]
    if len(instants) == len(left.copies) and instants and not left.runs:
        request.erased_at = max(instants)
    request.trouble = _trouble(session, left)
    session.add(request)


def _trouble(session: Session, left: _Left) -> str | None:
    """Why it does not go on by itself; None while it does."""
    if left.copies and erasing.is_stopped(session):
        return "erasing_stopped"
    answers_met = {copy.probe_answer for copy in left.copies if copy.probe_answer}
    if retention.LOCKED_AWAY in answers_met:
        return "storage_locked"
    if retention.UNREACHABLE in answers_met:
        return "storage_unreachable"
    if answers_met - {retention.ON_ITS_WAY}:
        return "not_proved"
    return "write_settles" if answers_met else None


def _look_again_in(session: Session, subject_id: str, now: datetime) -> timedelta:
    asked_at = retention.next_probe_at(session, now, subject_id=subject_id)
    return min(max((asked_at or now) - now + timedelta(seconds=1), LOOK_SOON), LOOK_LATE)


# ---------------------------------------------------------------------------------------------------------------- close
def _may_close(session: Session, request: Request, subject_id: str, now: datetime) -> bool:
    """One that leads may. One that follows waits for the one that leads, and leads where that did not see to all."""
    if request.duplicate_of is None:
        return True
    leader = session.get_one(Request, request.duplicate_of, populate_existing=True)
    if leader.closed_at is None:
        return False
    since = leader.done_at or leader.closed_at
    later = col(Copy.subject_id) == subject_id, col(Copy.gone_at) > since
    if session.exec(select(Copy.id).where(*later)).first() is None:
        return True
    lead_or_follow(session, request, subject_id, now)
    return request.duplicate_of is None


def _close(session: Session, svc: Services, request: Request, subject_id: str, now: datetime) -> None:
    figures = sa.select(func.count(), func.max(Copy.gone_at), func.max(Copy.erased_at))
    gone = col(Copy.subject_id) == subject_id, col(Copy.gone_at) >= request.received_at
    count, gone_at, erased_at = session.execute(figures.where(*gone)).one()
    outcome = RequestOutcome.DONE if count else RequestOutcome.NOTHING_HELD
    if request.duplicate_of is not None:
        outcome = RequestOutcome.DUPLICATE
    if count:
        request.erased_at, request.proved_at = erased_at, max(gone_at, request.started_at)
    request.done_at = request.proved_at or now
    session.add(request)
    audit.record(session, audit.Action.REQUEST_PROVED, request.id, at=now, copies=count)
    answers.finish(session, svc, request, outcome, now)


def _wake_followers(svc: Services, request_id: str) -> None:
    """They would look by themselves before long. A transaction of its own: jobs are locked before rows."""
    followers = Request.duplicate_of == request_id, col(Request.closed_at).is_(None)
    with svc.reading() as session:
        ids = session.exec(select(Request.id).where(*followers).order_by(col(Request.id))).all()
    if ids:
        with svc.transaction() as session:
            for follower in ids:
                enqueue(session, JobKind.REQUEST, follower, at=svc.clock())


def _note(claim: Claim, trouble: str) -> None:
    with claim.transaction() as session:
        request = _locked(session, claim.ref)
        if request.closed_at is None:
            request.trouble = trouble
            session.add(request)
