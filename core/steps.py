"""
What a worker does: one step for each kind of job.

Everything that is done without a visitor is named here, so this loads most of the program. `jobs` asks for it with the
first job, and a server that starts need not wait for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import (
    abuse,
    alerts,
    audit,
    canary,
    correspondence,
    exports,
    futures,
    generations,
    mailbox,
    promises,
    receipts,
    reconcile,
    records,
    requests,
    retention,
)
from core.models import LIVE, Generation, Job, JobKind, WorkerBeat
from core.provider import drift_guard, residue
from core.provider import runs as provider_runs
from core.queue import Claim, enqueue_run
from core.requests import pruning
from core.services import Services
from core.usage import upkeep as usage_upkeep

RUN_WORK = (JobKind.GENERATE, JobKind.PROVIDER)
LOOK_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True)
class Step:
    """How one kind of job is done. `run` settles its claim, or raises to be tried again later."""

    run: Callable[[Services, Claim], None]
    give_up: Callable[[Claim], None] | None = None
    max_tries: int | None = None  # None: for ever, with longer and longer pauses


def _erase(svc: Services, job: Claim) -> None:
    """Erase and prove what is due of one subject; come back for what could not be proved."""
    report = retention.sweep(svc, subject_id=job.ref, after_each=job.renew)
    soonest = LOOK_AGAIN if report.stopped else timedelta(seconds=1)
    with job.transaction() as session:
        waiting = retention.next_probe_at(session, svc.clock(), subject_id=job.ref)
        if waiting is None:
            requests.nudge(session, job.ref, svc.clock())
            job.done(session)
        else:
            job.again(session, after=max(waiting - svc.clock(), soonest))


def _sweep(svc: Services, job: Claim) -> None:
    retention.sweep(svc, after_each=job.renew)
    audit.tend(svc)
    futures.tend(svc)
    canary.prune(svc)
    correspondence.tend(svc)
    with job.transaction() as session:
        _want_again(session, svc.clock())
        old = svc.clock() - timedelta(days=1)
        session.execute(sa.delete(WorkerBeat).where(col(WorkerBeat.seen_at) < old))
        job.done(session)


def _reconcile(svc: Services, job: Claim) -> None:
    """What is done once in a night. Storage comes last: that it cannot be reached holds up nothing else."""
    pruning.prune(svc, breath=job.renew)
    residue.tend(svc)
    receipts.amend_due(svc)
    reconcile.compare(svc, breath=job.renew)
    with job.transaction() as session:
        job.done(session)


def _records(svc: Services, job: Claim) -> None:
    """Once in a night: reports whose time is over, by clocks that no stop of erasing holds; then rows of those whose
    images are long gone."""
    abuse.prune(svc, breath=job.renew)
    records.prune(svc, breath=job.renew)
    with job.transaction() as session:
        job.done(session)


def _canary(svc: Services, job: Claim) -> None:
    """Release them, and come back until the ordinary sweep has seen to them."""
    still_sing = canary.collect(svc) if canary.any_sings(svc) else len(canary.release(svc))
    with job.transaction() as session:
        if still_sing:
            job.again(session, after=LOOK_AGAIN)
        else:
            job.done(session)


def _promises(svc: Services, job: Claim) -> None:
    """Measure every promise, and tell people on duty what has changed."""
    promises.run_checks(svc, svc.clock())
    promises.tell(svc, svc.clock())
    with job.transaction() as session:
        job.done(session)


def _residue(svc: Services, job: Claim) -> None:
    """Look after what lies at third parties. What ended there is told at once in receipts that had it as open."""
    if residue.step(svc, job):
        receipts.amend_due(svc)


def _want_again(session: Session, now: datetime) -> None:
    """Runs and requests that want work and have no job: nothing of ours leaves one; if something did, it is found."""
    has_job = sa.exists().where(
        col(Job.kind).in_((JobKind.GENERATE, JobKind.PROVIDER)), col(Job.ref) == col(Generation.id)
    )
    for run_id in session.exec(select(Generation.id).where(col(Generation.state).in_(LIVE), ~has_job)).all():
        enqueue_run(session, run_id, at=now)
    requests.want_again(session, now)


STEPS: dict[JobKind, Step] = {
    JobKind.GENERATE: Step(generations.run, generations.give_up, max_tries=generations.MAX_TRIES),
    JobKind.DRIFT: Step(drift_guard.step, drift_guard.give_up, max_tries=3),
    JobKind.PROVIDER: Step(provider_runs.step, provider_runs.give_up, max_tries=provider_runs.MAX_TRIES),
    JobKind.RESIDUE: Step(_residue),
    JobKind.ERASE: Step(_erase),
    JobKind.SWEEP: Step(_sweep),
    JobKind.RECONCILE: Step(_reconcile),
    JobKind.RECORDS: Step(_records),
    JobKind.CANARY: Step(_canary),
    JobKind.MAIL_IN: Step(mailbox.read),
    JobKind.MAIL_OUT: Step(correspondence.send),
    JobKind.ALERTS: Step(alerts.look),
    JobKind.REQUEST: Step(requests.step),
    JobKind.EXPORT: Step(exports.pack),
    JobKind.USAGE: Step(usage_upkeep.step),
    JobKind.PROMISES: Step(_promises),
}
