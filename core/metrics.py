"""
What `/metrics` tells, in Prometheus' text format: counts and ages, nothing of anyone.

Apart from the routes, so that its library is loaded when somebody asks and not while the server starts.
"""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from sqlmodel import col, func, select

from core import canary, copies, generations, jobs, made_up, promises, reconcile, retention
from core.models import Copy, Generation, JobKind
from core.promises import PromiseState
from core.provider import residue
from core.services import Services

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_AS_NUMBER = {PromiseState.KEPT: 1.0, PromiseState.BROKEN: 0.0, PromiseState.UNKNOWN: -1.0}


def text(svc: Services) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Figures(svc))
    return generate_latest(registry)


class _Figures(Collector):
    """Counts and ages. Nothing of anyone."""

    def __init__(self, svc: Services) -> None:
        self._svc = svc

    def collect(self) -> Iterator[Metric]:
        now = self._svc.clock()
        with self._svc.reading() as session:
            runs = select(Generation.state, func.count()).where(made_up.is_real(Generation.id))
            states = session.exec(runs.group_by(col(Generation.state))).all()
            kept = copies.kept_of_people()
            held = session.exec(
                select(Copy.kind, func.count(), func.coalesce(func.sum(Copy.size), 0))
                .where(*kept)
                .group_by(col(Copy.kind))
            ).all()
            late, unproved = session.exec(
                select(
                    func.count().filter(col(Copy.erase_by) < now),
                    func.count().filter(col(Copy.erased_at).is_not(None)),
                ).where(*kept)
            ).one()
            waiting = generations.queue_length(session)
            found = reconcile.counts(session)
            elsewhere = residue.figures(session, now)
        stopped, hold, song = retention.switch_state(self._svc), retention.hold(self._svc), canary.song(self._svc)
        swept = retention.last_time(self._svc, JobKind.SWEEP)
        beat = jobs.last_beat(self._svc)
        yield _family("workshot_runs", "Runs by state.", {("state", str(s)): n for s, n in states})
        yield _family("workshot_copies", "Copies that are not gone.", {("kind", str(k)): n for k, n, _ in held})
        yield _family("workshot_copy_bytes", "Bytes of them.", {("kind", str(k)): float(b) for k, _, b in held})
        yield GaugeMetricFamily("workshot_copies_overdue", "Copies past their clock.", value=late)
        yield GaugeMetricFamily("workshot_copies_unproved", "Erased, and not proved gone yet.", value=unproved)
        yield GaugeMetricFamily("workshot_queue_length", "Runs that wait or are being made.", value=waiting)
        yield GaugeMetricFamily("workshot_erasing_stopped", "1 while all erasing is.", value=stopped.is_stopped)
        yield GaugeMetricFamily(
            "workshot_sweep_held_copies", "Due, and waiting for an operator.", value=hold.copies if hold else 0
        )
        yield _family("workshot_findings", "Storage against rows.", {("kind", str(k)): n for k, n in found.items()})
        at_others = {state: getattr(elsewhere, state) for state in ("running", "overdue", "unproved", "gone", "late")}
        yield _family(
            "workshot_provider_copies", "At third parties.", {("state", str(s)): n for s, n in at_others.items()}
        )
        if elsewhere.kept_share is not None:
            yield GaugeMetricFamily(
                "workshot_provider_kept_percent", "Of what ended there, how much in time.", value=elsewhere.kept_share
            )
        yield GaugeMetricFamily("workshot_canary_failed", "1 if the last canary did.", value=not song.is_well)
        if song.last_well_at is not None:
            age = (now - song.last_well_at).total_seconds()
            yield GaugeMetricFamily("workshot_canary_age_seconds", "Since a canary was last proved gone.", value=age)
        if song.p95 is not None:
            took = song.p95.total_seconds()
            yield GaugeMetricFamily("workshot_canary_gone_p95_seconds", "From clock's end to proof.", value=took)
        if swept is not None:
            age = (now - swept.ended_at).total_seconds()
            yield GaugeMetricFamily("workshot_sweep_age_seconds", "Since the last sweep ended.", value=age)
        if beat is not None:
            age = (now - beat).total_seconds()
            yield GaugeMetricFamily("workshot_worker_beat_age_seconds", "Since a worker was last alive.", value=age)
        yield from _promises(self._svc, now)


def _promises(svc: Services, now: datetime) -> Iterator[Metric]:
    """What was measured too long ago is unknown, and that is not kept."""
    stands = promises.stands(svc, now)
    yield _family(
        "workshot_promise_state",
        "1 while it is kept, 0 while it is broken, -1 while that is unknown.",
        {("promise", stand.promise.id): _AS_NUMBER[stand.state] for stand in stands},
    )
    measured = [stand.checked_at for stand in stands if stand.checked_at is not None]
    if measured:
        age = (now - min(measured)).total_seconds()
        yield GaugeMetricFamily("workshot_promises_age_seconds", "Since the promises were measured.", value=age)


def _family(name: str, says: str, values: dict[tuple[str, str], float]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=[label for label, _ in list(values)[:1]] or ["state"])
    for (_, value), figure in values.items():
        family.add_metric([value], figure)
    return family
