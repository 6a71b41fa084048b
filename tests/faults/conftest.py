"""A place to die in, and what must be true of it afterwards."""

import multiprocessing
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from core import copies, retention
from core.models import Copy, CopyKind, Evidence, Generation, HeadshotRow, Job, JobKind, RunState, StageEvent, Subject
from core.services import Services
from tests.faults import victim
from tests.faults.points import watched
from tests.faults.victim import Elsewhere, Plan
from tests.web.served import until

SOON, MUCH_LATER = 60.0, 600.0
"""Seconds: after leases, pauses and the grace of an upload; after a write must have settled."""
BACK_OFF = 1000.0
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.faults.victim", "core.steps"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@dataclass
class Scene:
    """A DATA_DIR and a database, the processes that die there, and the one that comes afterwards."""

    data_dir: Path
    database_url: str
    later: float = 0.0
    provider: Elsewhere | None = None
    _open: dict[float, Services] = field(default_factory=dict)
    _victims: list[ForkServerProcess] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------------ who is there
    @property
    def environment(self) -> dict[str, str]:
        """For a process of the real server or worker."""
        return {"DATA_DIR": str(self.data_dir), "DATABASE_URL": self.database_url, "LEASE_SECONDS": "1"}

    @property
    def svc(self) -> Services:
        """Services of this process, which nothing happens to. Their engine draws."""
        return self.after(self.later)

    def after(self, seconds: float) -> Services:
        self.later = max(self.later, seconds)
        if self.later not in self._open:
            self._open[self.later] = victim.services(
                self.data_dir, self.database_url, later=self.later, provider=self.provider
            )
        return self._open[self.later]

    def start(self, **plan: Any) -> ForkServerProcess:
        home = {"data_dir": self.data_dir, "database_url": self.database_url, "provider": self.provider}
        plan = {**home, "later": self.later, **plan}
        process = _PROCESSES.Process(target=victim.live, args=(Plan(**plan),), daemon=True)
        process.start()
        self._victims.append(process)
        return process

    def killed(self, *, dies_at: str, **plan: Any) -> None:
        """One process lives until that moment. That it was reached is part of the test."""
        process = self.start(dies_at=dies_at, **plan)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, f"{dies_at!r} was not reached: {process.exitcode}"

    def stopped(self, **plan: Any) -> ForkServerProcess:
        """One process stands still at that moment, and is not dead."""
        process = self.start(signal=signal.SIGSTOP, **plan)
        assert until(lambda: _state(process) in "TZ"), "it never stood still"
        assert process.is_alive(), "it ended before"
        return process

    @staticmethod
    def wakes(process: ForkServerProcess) -> None:
        os.kill(process.pid or 0, signal.SIGCONT)
        process.join(60)
        assert process.exitcode == 0

    def made(self, runs: int = 1) -> list[str]:
        """Runs that are ready, without accidents."""
        asked = [victim.ask(self.svc) for _ in range(runs)]
        self.recovers()
        return asked

    def recovers(self, *, after: float = SOON, engine: str = "drawing") -> None:
        """A fresh worker does all there is to do."""
        svc = self.after(self.later + after)
        victim.work_until_idle(self.watched(svc, engine=engine))

    def watched(
        self, svc: Services, reached: Callable[[str], None] = lambda moment: None, engine: str = "drawing"
    ) -> Services:
        journal = victim.journal_of(self.data_dir)
        return watched(svc, reached, journal=journal, engine=victim.ENGINES[engine]())

    def close(self) -> None:
        for process in self._victims:
            process.kill()
        for svc in self._open.values():
            svc.database.dispose()

    # ------------------------------------------------------------------------------------------- what must be true
    def objects(self) -> list[str]:
        """Object keys of every file in the vault, whole or half-written."""
        folder = self.data_dir / "vault"
        return [path.name.partition(".")[0] for path in folder.glob("*/*") if path.is_file()]

    def rows(self, model: Any) -> list[Any]:
        with self.svc.reading() as session:
            return list(session.exec(select(model)).all())

    def run(self, run_id: str) -> Generation:
        return next(run for run in self.rows(Generation) if run.id == run_id)

    def run_states(self) -> set[RunState]:
        return {run.state for run in self.rows(Generation)}

    def every_object_has_a_row(self) -> None:
        known = {copy.object_key for copy in self.rows(Copy) if copy.gone_at is None}
        assert set(self.objects()) <= known, "bytes without a row that will erase them"

    def nothing_is_lost_or_doubled(self, *, attempts: int = 2) -> None:
        """Every run is ready, with one headshot per variant; nothing was written more often than was tried."""
        self.every_object_has_a_row()
        rows = {copy.id: copy for copy in self.rows(Copy)}
        puts = Counter(victim.journal_of(self.data_dir).read_text().split())
        shots = self.rows(HeadshotRow)
        for run in self.rows(Generation):
            assert run.state is RunState.READY, (run.state, run.failure)
            mine = {shot.variant: rows[shot.copy_id] for shot in shots if shot.generation_id == run.id}
            assert sorted(mine) == list(range(1, run.variants + 1))
            for copy in mine.values():
                assert copy.written_at is not None and copies.read(self.svc, copy.id)
                assert puts[copy.object_key] <= attempts
        made = [copy for copy in rows.values() if copy.kind is CopyKind.HEADSHOT]
        assert len(made) == len(shots), "a headshot that no run knows"
        assert not self.wanted()

    def wanted(self, kinds: Collection[JobKind] = (JobKind.GENERATE, JobKind.ERASE)) -> list[Job]:
        """What is left to do, but for what comes by schedule."""
        return [job for job in self.rows(Job) if job.kind in kinds]

    def all_is_done(self) -> bool:
        return not any(run.state.is_live for run in self.rows(Generation)) and not self.wanted()

    def each_was_written_once(self) -> None:
        assert max(Counter(victim.journal_of(self.data_dir).read_text().split()).values()) == 1

    def entered(self, stage: str) -> int:
        return sum(event.stage == stage for event in self.rows(StageEvent))

    def ask_to_erase_everything(self) -> None:
        for subject in self.rows(Subject):
            retention.erase_everything(self.svc, subject.id)

    def everything_goes(self) -> None:
        """Erased on demand, or already: no object is left, each copy has its proof, and the key is destroyed."""
        self.ask_to_erase_everything()
        self.recovers(after=MUCH_LATER)
        assert self.objects() == []
        with self.svc.reading() as session:
            assert session.exec(select(Copy.id).where(col(Copy.evidence_id).is_(None))).all() == []
            proofs = {proof.id: proof for proof in session.exec(select(Evidence))}
            for copy in session.exec(select(Copy)):
                assert copy.erased_at and copy.gone_at
                assert proofs[copy.evidence_id].copy_id == copy.id
            for subject in session.exec(select(Subject)):
                assert subject.sealed_key is None and subject.key_destroyed_at is not None


@pytest.fixture
def scene(tmp_path: Path, migrated_file: Path, database_setting: str) -> Iterator[Scene]:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    shutil.copyfile(migrated_file, data_dir / "workshot.db")
    victim.journal_of(data_dir).touch()
    opened = Scene(data_dir, database_setting)
    yield opened
    opened.close()


@pytest.fixture
def asked(scene: Scene) -> str:
    return victim.ask(scene.svc)


def _state(process: ForkServerProcess) -> str:
    try:
        stat = Path(f"/proc/{process.pid}/stat").read_text()
    except FileNotFoundError:
        return "Z"
    return stat.rpartition(")")[2].split()[0]
