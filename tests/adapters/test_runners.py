"""One contract for both runners, and what many workers on a real PostgreSQL survive."""

import asyncio
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from core import bootstrap, jobs, migrations, queue
from core.adapters.runner_embedded import EmbeddedRunner
from core.adapters.runner_postgres import ListeningRunner
from core.db import ITS_PATIENCE, connect
from core.models import Copy, JobKind, RunState, StageEvent
from core.settings import ROOT, Settings
from core.ui.server import lifespan
from tests.adapters.crew import LEASE, PATIENT, Crew, Home, UnhurriedEngine
from tests.peers.postgres import Cluster

NAMES = count(1)
pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def durable() -> Iterator[Cluster]:
    """A cluster of this module's own, which may be cut off: what it has committed, it has."""
    with Cluster() as cluster:
        with psycopg.connect(_plain(cluster.url()), autocommit=True) as connection:
            connection.execute("ALTER ROLE app SET synchronous_commit = on")
            connection.execute("CREATE DATABASE template")
        database = connect(cluster.url("template"))
        migrations.upgrade(database)
        database.dispose()
        yield cluster


@pytest.fixture
def postgres_url(durable: Cluster) -> str:
    name = f"crew_{next(NAMES)}"
    with psycopg.connect(_plain(durable.url()), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template")  # type: ignore[call-overload]
    return durable.url(name)


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _crew(folder: Path, url: str) -> Crew:
    folder.mkdir()
    return Crew(Home(folder, url))


@pytest.fixture
def crew(tmp_path: Path, postgres_url: str) -> Iterator[Crew]:
    gathered = _crew(tmp_path / "home", postgres_url)
    yield gathered
    gathered.close()


@pytest.fixture(params=["embedded", "postgres"])
def any_crew(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> Iterator[Crew]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    else:
        shutil.copyfile(migrated_file, tmp_path / "one.db")
        url = f"sqlite:///{tmp_path / 'one.db'}"
    gathered = _crew(tmp_path / "home", url)
    yield gathered
    gathered.close()


# ------------------------------------------------------------------------------------------- the contract of a runner
def test_the_database_alone_picks_the_runner(any_crew: Crew) -> None:
    _, runner = bootstrap.with_runner(any_crew.svc)

    on_postgresql = any_crew.svc.database.dialect.name == "postgresql"
    assert type(runner) is (ListeningRunner if on_postgresql else EmbeddedRunner)


def test_what_waited_and_what_comes_is_done(any_crew: Crew) -> None:
    any_crew.ask()
    any_crew.hire()
    any_crew.ask()

    any_crew.nothing_is_lost_doubled_or_overdue()


def test_a_worker_that_is_told_to_stop_finishes_its_step_and_leaves_no_beat(any_crew: Crew) -> None:
    """The step is silent for twice a lease: its heart beats to the end, and the other one keeps off."""
    any_crew.home = replace(any_crew.home, silence=LEASE * 2)
    worker = any_crew.hire()
    run_id = any_crew.ask()
    any_crew.comes(lambda: any_crew.run(run_id).state is RunState.RUNNING)
    any_crew.hire()

    assert any_crew.dismiss(worker) == 0
    assert any_crew.run(run_id).state is RunState.READY
    assert any_crew.attempts(run_id) == 1
    assert any_crew.beats() == 1


def test_a_dead_workers_run_is_taken_over_when_its_lease_ends_and_repeats_no_headshot(any_crew: Crew) -> None:
    victim = any_crew.hire()
    run_id = any_crew.ask()
    any_crew.comes(lambda: len(any_crew.objects()) == 2)  # the photo and the first headshot
    first = set(any_crew.objects())
    any_crew.kill(victim)
    died_at = any_crew.svc.clock()
    any_crew.hire()
    since = max(any_crew.svc.clock(), died_at + timedelta(seconds=LEASE))

    any_crew.nothing_is_lost_doubled_or_overdue()
    assert any_crew.attempts(run_id) == 2
    assert first <= set(any_crew.objects())
    again = max(event.entered_at for event in any_crew.rows(StageEvent) if event.stage == "reading")
    assert died_at < again < since + timedelta(seconds=10), "by itself, and not by the retry of something slower"


# -------------------------------------------------------------------------------------------------- many workers
@pytest.mark.parametrize("seed", [1, 2])
def test_two_workers_of_whom_one_is_killed_again_and_again(crew: Crew, seed: int) -> None:
    """In runs, in erasing and in sweeps. Each run may be hit more than once, and fewer times than it may be tried."""
    chance = random.Random(seed)
    _, *mortals = [crew.hire() for _ in range(2)]
    asked: list[str] = []
    erased: set[str] = set()
    for _ in range(5):
        asked += [crew.ask() for _ in range(2)]
        threading.Event().wait(chance.uniform(0.1, 1.5))
        crew.kill(mortals.pop())
        erased.add(victim := chance.choice(asked))
        crew.erase(victim)
        mortals.append(crew.hire())

    crew.nothing_is_lost_doubled_or_overdue(erased=frozenset(erased))
    assert sum(crew.attempts(run_id) for run_id in asked) <= len(asked) + 5, "more was repeated than was killed"


def test_postgresql_is_cut_off_in_the_middle_and_comes_back(crew: Crew, durable: Cluster) -> None:
    workers = [crew.hire() for _ in range(2)]
    asked = [crew.ask() for _ in range(4)]
    for _ in range(2):
        crew.comes(lambda: any(crew.entered(run_id) for run_id in asked))
        durable.stop("immediate")
        durable.start()
    crew.svc.database.dispose()

    crew.nothing_is_lost_doubled_or_overdue()
    crew.ask()
    crew.nothing_is_lost_doubled_or_overdue()
    assert [crew.dismiss(worker) for worker in workers] == [0, 0]


def test_every_connection_is_dropped_in_the_middle(crew: Crew) -> None:
    workers = [crew.hire() for _ in range(2)]
    asked = [crew.ask() for _ in range(3)]
    for run_id in asked[:2]:
        crew.comes(lambda run_id=run_id: crew.entered(run_id))
        _drop_all_connections(crew)

    crew.nothing_is_lost_doubled_or_overdue()
    assert all(worker.is_alive() for worker in workers)


def test_a_worker_that_stood_still_past_its_lease_changes_nothing_when_it_wakes(crew: Crew) -> None:
    """It wakes while the other is at it. Both have the same row and the same variants in hand."""
    crew.home = replace(crew.home, silence=LEASE)
    frozen = crew.hire()
    run_id = crew.ask()
    crew.comes(lambda: "light" in crew.entered(run_id))
    crew.freeze(frozen)
    crew.hire()
    crew.comes(lambda: crew.attempts(run_id) == 2)
    crew.thaw(frozen)

    crew.nothing_is_lost_doubled_or_overdue()
    assert crew.dismiss(frozen) == 0
    at_wake = crew.entered(run_id).index("reading", 1)
    assert crew.entered(run_id)[at_wake:] == ["reading", *UnhurriedEngine.stages]


def _drop_all_connections(crew: Crew) -> None:
    drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    url = sa.make_url(crew.home.database_url)
    with psycopg.connect(_plain(url.set(database="postgres").render_as_string(False)), autocommit=True) as connection:
        connection.execute(drop, (url.database,))


# ----------------------------------------------------------------------------------------------------- being woken
class Sleeper:
    """A runner that only notes that it was woken."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.kinds: list[str | None] = []

    def start(self) -> None: ...

    def wake(self, kind: str | None = None) -> None:
        self.kinds.append(kind)
        self.woken.set()

    def stop(self, timeout: float = 10.0) -> None: ...


@pytest.fixture
def sleeper(crew: Crew) -> Iterator[Sleeper]:
    asleep = Sleeper()
    address = _plain(crew.home.database_url)
    runner = ListeningRunner(asleep, connect=lambda: psycopg.connect(address, autocommit=True), channel=queue.CHANNEL)
    runner.start()
    assert asleep.woken.wait(PATIENT), "for what came before it listened"
    asleep.woken.clear()
    yield asleep
    runner.stop()


def _wish(crew: Crew, during: Callable[[], None] = lambda: None) -> None:
    with crew.svc.transaction() as session:
        queue.enqueue(session, JobKind.ERASE, "nobody", at=crew.svc.clock())
        session.flush()
        during()


def test_work_is_heard_of_when_it_is_committed_and_not_before(crew: Crew, sleeper: Sleeper) -> None:
    _wish(crew, during=lambda: _is_quiet(sleeper))

    assert sleeper.woken.wait(PATIENT)
    assert sleeper.kinds == [None, JobKind.ERASE.value], "once for what came before, and then of what it was"


def test_work_that_was_not_committed_wakes_nobody(crew: Crew, sleeper: Sleeper) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _wish(crew, during=fail)
    _is_quiet(sleeper)


def test_who_listens_listens_again_when_the_connection_was_dropped(crew: Crew, sleeper: Sleeper) -> None:
    _drop_all_connections(crew)
    assert sleeper.woken.wait(PATIENT), "for what was committed while nobody listened"
    sleeper.woken.clear()
    _wish(crew)

    assert sleeper.woken.wait(PATIENT)


def _is_quiet(sleeper: Sleeper) -> None:
    assert not sleeper.woken.wait(0.3)


# ------------------------------------------------------------------------------------------------------ connections
def test_a_connection_that_was_cut_is_found_out_before_it_is_used(crew: Crew) -> None:
    with crew.svc.reading() as session:
        session.connection()
    _drop_all_connections(crew)

    assert crew.rows(Copy) == []


def test_nobody_waits_for_hours_for_the_other_side(crew: Crew) -> None:
    with crew.svc.database.connect() as connection:
        asked = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ITS_PATIENCE}
        driver = connection.connection.driver_connection
        assert driver is not None
        ours = driver.info.get_parameters()

    assert asked == {
        "idle_in_transaction_session_timeout": "30s",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }
    assert {name: ours[name] for name in ("connect_timeout", "keepalives_idle", "tcp_user_timeout")} == {
        "connect_timeout": "10",
        "keepalives_idle": "10",
        "tcp_user_timeout": "25000",
    }


def test_what_a_frozen_process_has_locked_is_free_again(crew: Crew) -> None:
    """A worker stood still inside its transaction: others skip the locked job, until the server ends the wait."""
    _wish(crew)
    with crew.svc.database.connect() as frozen:
        frozen.exec_driver_sql("SET idle_in_transaction_session_timeout = '1s'")
        frozen.exec_driver_sql("SELECT 1 FROM job FOR UPDATE")
        assert queue.claim(crew.svc, jobs.UPKEEP_WORK) is None
        crew.comes(lambda: queue.claim(crew.svc, jobs.UPKEEP_WORK))
        with pytest.raises(sa.exc.DBAPIError):
            frozen.exec_driver_sql("SELECT 1")
        frozen.invalidate()


# ------------------------------------------------------------------------------------------------ the command line
def test_workers_of_the_command_line(tmp_path: Path, postgres_url: str) -> None:
    """As many as wanted: each says what it does, keeps its own beat and ends when it is told to."""
    environment = {"DATA_DIR": str(tmp_path / "home"), "DATABASE_URL": postgres_url, "PATH": "/usr/bin:/bin"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "core", "worker", "--json"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        assert [worker.stdout.readline() for worker in workers if worker.stdout] == ['{"worker": "started"}\n'] * 2
        svc = bootstrap.build(Settings(data_dir=tmp_path / "home", database_url=postgres_url))
        assert jobs.is_alive(svc)
    finally:
        for worker in workers:
            worker.terminate()
    said = [worker.communicate(timeout=PATIENT)[0] for worker in workers]

    assert said == ['{"worker": "stopped"}\n'] * 2
    assert [worker.returncode for worker in workers] == [0, 0]
    assert not jobs.is_alive(svc)
    svc.database.dispose()


@pytest.mark.parametrize(("worker", "works"), [("embedded", True), ("external", False)])
def test_a_server_works_itself_unless_told_to_leave_it_to_workers(crew: Crew, worker: str, works: bool) -> None:
    """Several servers may stand beside each other on one database; here one, with its worker or without."""
    settings = crew.svc.settings.model_copy(update={"worker": worker})

    async def serve_for_a_moment() -> bool:
        async with lifespan(settings)(None):
            return crew.beats() > 0  # the measuring of promises, which every server does, is no sign of a worker

    assert asyncio.run(serve_for_a_moment()) is works
    assert crew.beats() == 0, "and it leaves in good order"
