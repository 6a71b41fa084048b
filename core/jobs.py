"""
Jobs: which kinds there are for which threads, the schedule, and the worker with its signs of life. `steps` has what is
done for each kind.

Nothing here knows where it runs: threads of the server, a process of its own, or a test that calls `Worker.look` by
hand with a standing clock.
"""

import logging
import threading
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core.db import take_turns
from core.models import JobKind, Tick, WorkerBeat
from core.queue import Claim, LeaseLost, claim, enqueue
from core.services import Services
from core.settings import Settings

log = logging.getLogger(__name__)

LONGEST_STEP = timedelta(minutes=10)
"""A step in hand for longer is taken to hang: its lease is renewed no more, and another worker takes over."""
RETRY_FIRST, RETRY_LATEST = timedelta(seconds=2), timedelta(minutes=5)
BEAT_EVERY = timedelta(seconds=5)
BEAT_IS_OLD = timedelta(seconds=60)

ENGINE_WORK = (JobKind.GENERATE, JobKind.DRIFT)
PROVIDER_WORK = (JobKind.PROVIDER, JobKind.RESIDUE)
"""Short calls to third parties. A few threads see to all runs there are: none of them waits for one."""
UPKEEP_WORK = (JobKind.ERASE, JobKind.SWEEP)
DESK_WORK = (JobKind.REQUEST,)
POST_WORK = (JobKind.MAIL_OUT, JobKind.MAIL_IN, JobKind.ALERTS, JobKind.EXPORT, JobKind.USAGE)
"""Waits for other machines: no erase is to wait for it."""
RARE_WORK = (JobKind.RECONCILE, JobKind.RECORDS, JobKind.CANARY)
"""Takes its time: whoever erases, or waits for a headshot, is not to wait for it."""
MEASURING_WORK = (JobKind.PROMISES,)
"""Beside the rest: what is measured too late is unknown, and a night's comparison may take longer than that."""
RESIDUE_EVERY = timedelta(seconds=30)
ALERTS_EVERY = timedelta(minutes=1)
USAGE_EVERY = timedelta(hours=1)
MEASURED_FIRST = timedelta(seconds=20)
"""After the first start of all: a sweep has come by then, and nobody has to wait long for an answer."""


def next_at(kind: JobKind, settings: Settings, now: datetime) -> datetime | None:
    """When scheduled work is due after this. None: never."""
    if kind is JobKind.SWEEP:
        return now + timedelta(seconds=settings.sweep_every_seconds)
    if kind is JobKind.MAIL_IN:
        return now + timedelta(seconds=settings.mail_every_seconds) if settings.imap_host else None
    if kind is JobKind.CANARY:
        return now + timedelta(minutes=settings.canary_every_minutes) if settings.canary_every_minutes else None
    if kind is JobKind.RESIDUE:
        return now + RESIDUE_EVERY
    if kind is JobKind.ALERTS:
        return now + ALERTS_EVERY if settings.alert_urls.get_secret_value() else None
    if kind is JobKind.USAGE:
        return now + USAGE_EVERY
    if kind is JobKind.PROMISES:
        return now + timedelta(seconds=settings.promises_every_seconds)
    tonight = now.replace(hour=settings.reconcile_hour, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)


SCHEDULED = (
    JobKind.SWEEP,
    JobKind.RECONCILE,
    JobKind.RECORDS,
    JobKind.CANARY,
    JobKind.ALERTS,
    JobKind.MAIL_IN,
    JobKind.RESIDUE,
    JobKind.USAGE,
    JobKind.PROMISES,
)
FIRST = {JobKind.SWEEP: timedelta(0), JobKind.PROMISES: MEASURED_FIRST}
"""How soon after the first start of all; everything else when its time has come for the first time."""


class Worker:
    """Looks for work and does it, one job per call. Several threads may share one."""

    def __init__(self, svc: Services) -> None:
        self.id = uuid4().hex
        self._svc = svc
        self._started_at = svc.clock()
        self._in_hand: dict[Claim, datetime] = {}
        self._lock = threading.Lock()

    def look(self, kinds: Collection[JobKind]) -> bool:
        """Do one job of these kinds. False: there was none."""
        job = claim(self._svc, kinds)
        if job is None:
            return False
        with self._lock:
            self._in_hand[job] = self._svc.clock()
        try:
            self._do(job)
        except LeaseLost:
            log.warning("%s %s: another worker has taken over", job.kind.value, job.ref)
        finally:
            with self._lock:
                del self._in_hand[job]
        return True

    def _do(self, job: Claim) -> None:
        from core.steps import STEPS  # a second that a start need not wait

        step = STEPS[job.kind]
        if step.max_tries is not None and step.give_up and job.tries > step.max_tries:
            return step.give_up(job)
        try:
            step.run(self._svc, job)
        except LeaseLost:
            raise
        except Exception as exc:  # a worker outlives whatever a step runs into; the type says enough for a log
            log.warning("%s %s: %s, try %d", job.kind.value, job.ref, type(exc).__name__, job.tries)
            with job.transaction() as session:
                job.again(session, after=min(RETRY_FIRST * 2 ** (job.tries - 1), RETRY_LATEST), failed=True)

    def beat(self) -> None:
        """Say that this worker lives, keep what it has in hand, and start scheduled work that is due."""
        self._note_alive()
        self.keep()
        self._tick()

    def keep(self) -> None:
        """Renew the leases of what is in hand."""
        now = self._svc.clock()
        with self._lock:
            held = [job for job, since in self._in_hand.items() if now - since < LONGEST_STEP]
        for job in held:
            try:
                job.renew()
            except LeaseLost:
                if self._is_in_hand(job):  # and was not settled just now
                    log.warning("%s %s: lease lost", job.kind.value, job.ref)
        self._svc.tally.tend(self._svc.database, self._svc.clock())

    def _is_in_hand(self, job: Claim) -> bool:
        with self._lock:
            return job in self._in_hand

    def _note_alive(self) -> None:
        with self._svc.transaction() as session:
            beat = session.get(WorkerBeat, self.id) or WorkerBeat(
                worker=self.id, started_at=self._started_at, seen_at=self._started_at
            )
            beat.seen_at = self._svc.clock()
            session.add(beat)

    def _tick(self) -> None:
        with self._svc.transaction() as session:
            take_turns(session)
            is_due = [self._start_if_due(session, kind, self._svc.clock()) for kind in SCHEDULED]
        if any(is_due):
            self._svc.wake()

    def _start_if_due(self, session: Session, kind: JobKind, now: datetime) -> bool:
        """A sweep at once, the rest later: a server that starts has enough to do."""
        following = next_at(kind, self._svc.settings, now)
        if following is None or (kind is JobKind.RESIDUE and not self._svc.providers):
            return False
        tick = session.get(Tick, kind) or Tick(
            kind=kind, next_at=min(following, now + FIRST.get(kind, following - now))
        )
        is_due = tick.next_at <= now
        if is_due:
            tick.next_at = following
            enqueue(session, kind, "-", at=now)
        session.add(tick)
        return is_due

    def rest(self) -> None:
        """The worker ends in good order: its beat does not linger as a worker that died, and what it counted is
        written."""
        self._svc.tally.tend(self._svc.database, self._svc.clock(), everything=True)
        with self._svc.transaction() as session:
            session.execute(sa.delete(WorkerBeat).where(col(WorkerBeat.worker) == self.id))


def last_beat(svc: Services) -> datetime | None:
    """When any worker was last alive."""
    with svc.reading() as session:
        return session.exec(select(sa.func.max(WorkerBeat.seen_at))).one()


def is_alive(svc: Services) -> bool:
    beat = last_beat(svc)
    return beat is not None and svc.clock() - beat < BEAT_IS_OLD
