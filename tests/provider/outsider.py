"""A third party that does as it is told: what it still shows, what it says of a task, and whom it has told what."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from core import queue
from core.contracts import Contract
from core.errors import EngineUnavailable
from core.models import (
    Generation,
    JobKind,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTask,
    ProviderTaskState,
    RunState,
    new_id,
)
from core.ports import HandOver, Presence, ProviderResult, TaskReport, TaskState
from core.provider import residue
from core.services import Services
from tests.fakes import jpeg

PLACE = "https://files.example.net/f/image/"


@dataclass
class Outsider:
    """As much of a Provider as those need who look after what it holds."""

    name: str = "apimart"
    title: str = "APIMart"
    run_by: str = "APIMart (apimart.ai), a third party"
    takes_note: bool = True
    takes_clothing: bool = True
    stages: tuple[str, ...] = ("sending", "waiting", "fetching")
    model: str = "nano"
    price: int = 15_000
    hand_over: HandOver = HandOver.LINK
    result_kept_for: timedelta = timedelta(hours=24)
    upload_kept_for: timedelta = timedelta(hours=72)
    honours_keys: bool = True
    shows: dict[str, Presence] = field(default_factory=dict)
    asked_for: list[str] = field(default_factory=list)
    reports: dict[str, TaskReport] = field(default_factory=dict)
    at_probe: Callable[[], None] = lambda: None
    left: int | None = 5_000_000

    def refuses(self, note: str) -> str | None:
        return None

    def for_sending(self, picture: bytes) -> bytes:
        return jpeg(64, 80, "plum")

    def probe(self, url: str) -> Presence:
        self.asked_for.append(url)
        self.at_probe()
        return self.shows.get(url, Presence.ABSENT)

    def task(self, task_id: str) -> TaskReport:
        if task_id not in self.reports:
            raise EngineUnavailable("It cannot be reached just now.")
        return self.reports[task_id]

    def balance(self) -> int | None:
        return self.left


def beside(svc: Services, outsider: Any) -> Services:
    return replace(svc, providers={outsider.name: outsider})


def given_task(svc: Services, run_id: str, variant: int = 1, **values: Any) -> ProviderTask:
    """A variant of a run, in the provider's hands unless told otherwise."""
    told = {
        "id": f"{run_id}-{variant}",
        "generation_id": run_id,
        "variant": variant,
        "provider": "apimart",
        "model": "nano",
        "template": "1",
        "hand_over": HandOver.LINK.value,
        "state": ProviderTaskState.TAKEN,
        "planned_at": svc.clock(),
        "sent_at": svc.clock(),
        "taken_at": svc.clock(),
        "task_id": f"task_{variant}",
    }
    task = ProviderTask(**(told | values))
    with svc.transaction() as session:
        session.add(task)
    return task


def left_alone(svc: Services, run_id: str, variant: int = 1, **values: Any) -> ProviderTask:
    """A task that we stopped waiting for."""
    over = {"state": ProviderTaskState.FAILED, "failure": "cancelled", "ended_at": svc.clock()}
    return given_task(svc, run_id, variant, **(over | values))


def noted(
    svc: Services,
    task: ProviderTask,
    name: str = "1.png",
    *,
    kind: ProviderCopyKind = ProviderCopyKind.RESULT,
    **of: Any,
) -> ProviderCopy:
    """An address there, as a run notes it."""
    with svc.transaction() as session:
        return residue.note(session, svc, task, kind, ProviderResult(url=PLACE + name, **of), svc.clock())


def look(svc: Services) -> None:
    """The job as the schedule has it."""
    with svc.transaction() as session:
        queue.enqueue(session, JobKind.RESIDUE, "-", at=svc.clock())
    claim = queue.claim(svc, [JobKind.RESIDUE])
    assert claim is not None
    residue.step(svc, claim)


def done(url: str, *, cost: int | None = 15_000) -> TaskReport:
    return TaskReport(state=TaskState.DONE, results=(ProviderResult(url=url),), cost=cost)


def given_run_of(svc: Services, subject_id: str, portrait_id: str) -> str:
    """A run that nobody made: what lies there needs one that it is of."""
    run = Generation(
        number=new_id()[:8],
        request_id=new_id(),
        subject_id=subject_id,
        portrait_id=portrait_id,
        engine="apimart",
        purpose="linkedin",
        ratio="1:1",
        long_side=1600,
        style="studio",
        backdrop="grey",
        variants=1,
        contract=Contract.MONTH,
        uploaded_at=svc.clock(),
        erase_by=svc.clock() + timedelta(days=30),
        created_at=svc.clock(),
        state=RunState.READY,
    )
    with svc.transaction() as session:
        session.add(run)
    return run.id


def owner_of(svc: Services, run_id: str) -> str:
    with svc.reading() as session:
        return session.get_one(Generation, run_id).subject_id
