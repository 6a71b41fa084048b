"""
The process that dies. It builds the real services on DATA_DIR and does one thing, until the moment it is to die at.

Started through multiprocessing's fork server, which has imported all of this once: a victim costs milliseconds.
"""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

from core import bootstrap, generations, jobs
from core.clock import utc_now
from core.engines.apimart.engine import ApiMart
from core.engines.apimart.offers import DEFAULT, offers
from core.engines.apimart.results import Results
from core.engines.on_device import OnDevice
from core.generations import Agreement, Upload
from core.models import CopyKind, JobKind, new_id
from core.ports import Engine, Headshot, Order, Stage
from core.services import Services
from core.settings import Settings
from tests.conftest import ANN, CHOICES
from tests.fakes import DrawingEngine, jpeg
from tests.faults.points import Trigger, watched

ALL_WORK = (
    *jobs.ENGINE_WORK,
    *jobs.UPKEEP_WORK,
    *jobs.DESK_WORK,
    *jobs.PROVIDER_WORK,
    JobKind.MAIL_OUT,
    JobKind.EXPORT,
)
LEASE = 1.0


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A third party that stands in for one, in another process."""

    url: str
    key: str
    honours_keys: bool = False

    def engine(self) -> ApiMart:
        offer = replace(offers()[DEFAULT], honours_keys=self.honours_keys)
        near = Results(hosts=["127.0.0.1"], nearby=True)
        return ApiMart(offer=offer, key=self.key, base_url=self.url, results=near)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a victim does, and when it dies."""

    data_dir: Path
    database_url: str
    does: str = "work"  # work (until idle) | request | serve (work for ever)
    dies_at: str = ""
    nth: int = 1
    signal: int = signal.SIGKILL
    engine: str = "drawing"
    later: float = 0.0  # seconds by which its clock is ahead
    largest_file: int = 0  # bytes; beyond, the disk is full
    photo: bytes | None = field(default=None, repr=False)
    provider: Elsewhere | None = None


class LargeDrawings(DrawingEngine):
    """Headshots of four megabytes, which a small disk cannot take."""

    def make(self, order: Order) -> Iterator[Stage | Headshot]:
        for event in super().make(order):
            yield replace(event, data=os.urandom(4_000_000)) if isinstance(event, Headshot) else event


ENGINES: dict[str, Callable[[], Engine]] = {
    "drawing": DrawingEngine,
    "large": LargeDrawings,
    "on_device": OnDevice,
}


def services(data_dir: Path, database_url: str, *, later: float = 0.0, provider: Elsewhere | None = None) -> Services:
    """As the server builds them, with a short lease and a clock that may be ahead."""
    settings = Settings(data_dir=data_dir, database_url=database_url, lease_seconds=LEASE, runs_per_day=1000)
    svc = bootstrap.build(settings, clock=lambda: utc_now() + timedelta(seconds=later))
    return replace(svc, providers={"apimart": provider.engine()}) if provider else svc


def journal_of(data_dir: Path) -> Path:
    return data_dir.with_name(f"{data_dir.name}-puts.txt")


def ask(svc: Services, portrait: bytes | None = None, **choices: Any) -> str:
    """Ann presses Generate."""
    photo = portrait or jpeg()
    return generations.request(
        svc,
        ANN,
        request_id=new_id(),
        uploads=[Upload(kind=CopyKind.PORTRAIT, data=photo, width=400, height=500, received_at=svc.clock())],
        choices=replace(CHOICES, **choices),
        agreement=Agreement(may_use_photo=True, is_adult=True),
    )


def work_until_idle(svc: Services) -> int:
    worker = jobs.Worker(svc)
    worker.beat()
    done = 0
    while worker.look(ALL_WORK):
        done += 1
        assert done < 1000, "the worker never comes to rest"
    return done


def live(plan: Plan) -> None:
    """The victim's whole life."""
    if plan.largest_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan.largest_file, plan.largest_file))
    trigger = Trigger(plan.dies_at, plan.nth, lambda: os.kill(os.getpid(), plan.signal))
    svc = services(plan.data_dir, plan.database_url, later=plan.later, provider=plan.provider)
    svc = watched(svc, trigger, journal=journal_of(plan.data_dir), engine=ENGINES[plan.engine]())
    trigger("start")
    if plan.does == "request":
        ask(svc, plan.photo)
    elif plan.does == "serve":
        _, runner = bootstrap.with_runner(svc)
        runner.start()
        Event().wait()
    else:
        work_until_idle(svc)
    trigger("end")
