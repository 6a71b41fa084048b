"""
Workers as processes of their own, with the real bootstrap, to be stopped, frozen and killed; and what must be true
of the rows and the vault once the survivors are done.

Started through multiprocessing's fork server, which has imported all of this once: a worker costs milliseconds.
"""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Event as ProcessEvent
from pathlib import Path
from threading import Event
from typing import Any

from sqlmodel import col, select

from core import bootstrap, generations, retention
from core.generations import Agreement, Upload
from core.models import Copy, CopyKind, Generation, HeadshotRow, Job, JobKind, RunState, StageEvent, WorkerBeat, new_id
from core.services import Services
from core.settings import Settings
from tests.conftest import CHOICES
from tests.fakes import DrawingEngine, jpeg
from tests.web.served import until

LEASE = 2.0
PATIENT = 90.0  # seconds that a busy machine may take for what takes a few
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.adapters.crew"])


class UnhurriedEngine(DrawingEngine):
    """A run takes a second, long enough to be caught in the middle of one; and more where it falls silent."""

    stages = ("light", "backdrop", "finishing")

    def __init__(self, silence: float) -> None:
        super().__init__()
        self._silence = silence
        self.at_stage = self._take_time

    def _take_time(self, stage: str) -> None:
        Event().wait(self._silence if stage == "finishing" else 0.2)


@dataclass(frozen=True)
class Home:
    """What all processes share."""

    data_dir: Path
    database_url: str
    silence: float = 0.2  # seconds within a run in which it writes nothing

    def services(self) -> Services:
        settings = Settings(
            data_dir=self.data_dir,
            database_url=self.database_url,
            lease_seconds=LEASE,
            sweep_every_seconds=1,
            sweep_cap_share=1,
            canary_every_minutes=0,
            queue_limit=1000,
        )
        engine = UnhurriedEngine(self.silence)
        return replace(bootstrap.build(settings), engines={engine.name: engine}, framer=engine)


def live(home: Home, started: ProcessEvent) -> None:
    """A worker's whole life, as the command line has it."""
    _, runner = bootstrap.with_runner(home.services())
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    runner.start()
    started.set()
    stop.wait()
    runner.stop(timeout=60)


@dataclass
class Crew:
    """Some workers, and the server's side of them: this process, which asks and looks and does not work."""

    home: Home
    svc: Services = field(init=False)
    _hired: list[ForkServerProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.svc = self.home.services()

    def hire(self) -> ForkServerProcess:
        started = _PROCESSES.Event()
        worker = _PROCESSES.Process(target=live, args=(self.home, started), daemon=True)
        worker.start()
        assert started.wait(PATIENT)
        self._hired.append(worker)
        return worker

    @staticmethod
    def kill(worker: ForkServerProcess) -> None:
        worker.kill()
        worker.join()

    @staticmethod
    def dismiss(worker: ForkServerProcess) -> int | None:
        """SIGTERM, and how it ended."""
        worker.terminate()
        worker.join(PATIENT)
        return worker.exitcode

    @staticmethod
    def freeze(worker: ForkServerProcess) -> None:
        os.kill(worker.pid or 0, signal.SIGSTOP)

    @staticmethod
    def thaw(worker: ForkServerProcess) -> None:
        os.kill(worker.pid or 0, signal.SIGCONT)

    def close(self) -> None:
        for worker in self._hired:
            worker.kill()
            worker.join()
        self.svc.database.dispose()

    # ------------------------------------------------------------------------------------------------ what they do
    def ask(self, **choices: Any) -> str:
        """Somebody new presses Generate."""
        photo = Upload(kind=CopyKind.PORTRAIT, data=jpeg(), width=400, height=500, received_at=self.svc.clock())
        return generations.request(
            self.svc,
            new_id() + new_id(),
            request_id=new_id(),
            uploads=[photo],
            choices=replace(CHOICES, **choices),
            agreement=Agreement(may_use_photo=True, is_adult=True),
        )

    def erase(self, run_id: str) -> None:
        retention.erase_everything(self.svc, self.run(run_id).subject_id)

    # ------------------------------------------------------------------------------------------------ what is there
    def rows(self, model: Any, *where: Any) -> list[Any]:
        with self.svc.reading() as session:
            return list(session.exec(select(model).where(*where)).all())

    def run(self, run_id: str) -> Generation:
        found: Generation = self.rows(Generation, col(Generation.id) == run_id)[0]
        return found

    def entered(self, run_id: str) -> list[str]:
        events = self.rows(StageEvent, col(StageEvent.generation_id) == run_id)
        return [event.stage for event in sorted(events, key=lambda event: event.id)]

    def attempts(self, run_id: str) -> int:
        return self.entered(run_id).count("reading")

    def beats(self) -> int:
        return len(self.rows(WorkerBeat))

    def files(self) -> list[str]:
        """Also what a killed worker left half-written under a key: `KEY.….part`."""
        return [path.name for path in (self.home.data_dir / "vault").glob("*/*") if path.is_file()]

    def objects(self) -> list[str]:
        return sorted(name for name in self.files() if "." not in name)

    def is_at_rest(self) -> bool:
        """Nothing wants work, and nothing that is due is left."""
        late = col(Copy.gone_at).is_(None), col(Copy.erase_by) <= self.svc.clock()
        return not self.rows(Job, col(Job.kind) != JobKind.SWEEP) and not self.rows(Copy, *late)

    # -------------------------------------------------------------------------------------------- what must be true
    def comes(self, what: Callable[[], Any]) -> None:
        assert until(what, seconds=PATIENT)

    def nothing_is_lost_doubled_or_overdue(self, *, erased: frozenset[str] = frozenset()) -> None:
        self.comes(self.is_at_rest)
        copies = {copy.id: copy for copy in self.rows(Copy)}
        shots = self.rows(HeadshotRow)
        for run in self.rows(Generation):
            mine = sorted(shot.variant for shot in shots if shot.generation_id == run.id)
            if run.id in erased:
                assert not run.state.is_live and (run.failure in (None, "photo_erased", "expired"))
                continue
            assert (run.state, run.failure, mine) == (RunState.READY, None, list(range(1, run.variants + 1)))
        for subject, held in self._by_subject(copies).items():
            assert all(copy.gone_at for copy in held) == (subject in self._subjects(erased))
        assert sum(copy.kind is CopyKind.HEADSHOT for copy in copies.values()) == len(shots), "one that no run knows"
        kept = sorted(copy.object_key for copy in copies.values() if copy.gone_at is None)
        assert self.objects() == kept
        assert {name.partition(".")[0] for name in self.files()} == set(kept), "bytes that nothing will erase"
        assert max(Counter(shot.copy_id for shot in shots).values(), default=1) == 1

    def _by_subject(self, copies: dict[str, Copy]) -> dict[str, list[Copy]]:
        found: dict[str, list[Copy]] = {}
        for copy in copies.values():
            found.setdefault(copy.subject_id, []).append(copy)
        return found

    def _subjects(self, runs: frozenset[str]) -> set[str]:
        return {self.run(run_id).subject_id for run_id in runs}
