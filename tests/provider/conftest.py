"""A provider in memory, runs that were asked of it, and a clock that goes to whatever is due next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from core import jobs
from core.models import Generation, HeadshotRow, Job, JobKind, ProviderTask, ProviderTaskState, StageEvent
from core.provider import spending
from core.services import Services
from tests.conftest import ANN
from tests.fakes import DrawingProvider, FrozenClock

RUNS = (JobKind.PROVIDER, JobKind.DRIFT)


@pytest.fixture
def provider(clock: FrozenClock) -> DrawingProvider:
    return DrawingProvider(clock)


@dataclass
class There:
    """Services with a provider, and one worker."""

    svc: Services
    clock: FrozenClock
    provider: DrawingProvider
    press: Callable[..., str]
    worker: jobs.Worker = field(init=False)

    def __post_init__(self) -> None:
        self.worker = jobs.Worker(self.svc)

    def set(self, **settings: Any) -> None:
        self.svc = replace(self.svc, settings=self.svc.settings.model_copy(update=settings))
        self.worker = jobs.Worker(self.svc)

    def ask(self, who: str = ANN, **choices: Any) -> str:
        return self.press(svc=self.svc, who=who, engine="apimart", **{"variants": 1, **choices})

    def step(self, kinds: Sequence[JobKind] = RUNS) -> bool:
        return self.worker.look(kinds)

    def steps(self, kinds: Sequence[JobKind] = RUNS) -> int:
        """Everything that is due now."""
        done = 0
        while self.step(kinds):
            done += 1
            assert done < 200, "the worker never comes to rest"
        return done

    def wait(self, *, most: timedelta = timedelta(hours=2)) -> None:
        """Until no run wants work, from one due time to the next."""
        until = self.clock() + most
        self.steps()
        while (due := self.next_at()) is not None and due <= until:
            self.clock.now = max(due, self.clock.now)
            self.steps()

    def next_at(self) -> datetime | None:
        with self.svc.reading() as session:
            return session.exec(
                select(Job.run_at).where(Job.kind == JobKind.PROVIDER).order_by(col(Job.run_at))
            ).first()

    def run(self, run_id: str) -> Generation:
        with self.svc.reading() as session:
            return session.get_one(Generation, run_id)

    def how(self, run_id: str) -> tuple[str, str | None, bool]:
        """Its state, why, and whether it counts towards the day's allowance."""
        run = self.run(run_id)
        return run.state.value, run.failure, run.counts

    def tasks(self, run_id: str) -> list[ProviderTask]:
        mine = select(ProviderTask).where(ProviderTask.generation_id == run_id)
        with self.svc.reading() as session:
            return list(session.exec(mine.order_by(col(ProviderTask.variant))).all())

    def states(self, run_id: str) -> list[ProviderTaskState]:
        return [task.state for task in self.tasks(run_id)]

    def rows(self, model: Any) -> list[Any]:
        with self.svc.reading() as session:
            return list(session.exec(select(model)).all())

    def headshots(self, run_id: str) -> list[int]:
        return sorted(shot.variant for shot in self.rows(HeadshotRow) if shot.generation_id == run_id)

    def stages(self, run_id: str) -> list[str]:
        events = [event for event in self.rows(StageEvent) if event.generation_id == run_id]
        return [event.stage for event in sorted(events, key=lambda event: event.id)]

    @property
    def spent(self) -> spending.Sum:
        with self.svc.reading() as session:
            return spending.spent(session, self.provider.name, self.clock()).day


@pytest.fixture
def there(svc: Services, clock: FrozenClock, provider: DrawingProvider, ask: Callable[..., str]) -> There:
    return There(replace(svc, providers={provider.name: provider}), clock, provider, ask)
