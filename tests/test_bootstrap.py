"""Starting: one key, made once; nothing that could pass for an empty vault; a runner that outlives its errors."""

import base64
import multiprocessing
import stat
import threading
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlmodel import select

from core import bootstrap, doctor, jobs, migrations
from core.adapters.runner_embedded import EmbeddedRunner, Look
from core.errors import BadSettings
from core.models import Job, JobKind, Subject, new_id
from core.queue import enqueue
from core.settings import load_settings
from tests.conftest import on_all_threads

ENOUGH = 10.0  # seconds that a thread may take on a busy machine


@pytest.fixture
def home(tmp_path, database_setting):
    contact = "privacy@workshot.example"
    return load_settings(data_dir=tmp_path / "data", database_url=database_setting, privacy_contact=contact)


@pytest.fixture
def build(clock):
    built = []

    def make(home):
        built.append(bootstrap.build(home, clock=clock))
        return built[-1]

    yield make
    for svc in built:
        svc.database.dispose()


def someone(svc):
    subject = Subject(id=new_id(), created_at=svc.clock())
    subject.sealed_key = svc.vault.make_key(subject.id)
    with svc.transaction() as session:
        session.add(subject)
    return subject


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_start_makes_what_it_needs_for_its_owner_alone(build, home, caplog):
    build(home)

    key = home.data_dir / "master.key"
    assert mode(home.data_dir) == mode(home.data_dir / "vault") == 0o700
    assert mode(key) == 0o600
    assert len(base64.b64decode(key.read_text())) == 32
    assert "A master key was made" in caplog.text
    assert key.read_text() not in caplog.text


def test_a_second_start_finds_what_the_first_one_made(build, home):
    first = build(home)
    subject = someone(first)
    sealed = first.vault.seal_text(subject, "hello")
    key = (home.data_dir / "master.key").read_text()

    assert build(home).vault.open_text(subject, sealed) == "hello"

    assert (home.data_dir / "master.key").read_text() == key
    assert sorted(path.name for path in home.data_dir.glob("master*")) == ["master.key"]


def test_servers_that_start_at_once_agree_on_one_key(build, home):
    bootstrap.make_data_dir(home.data_dir)
    database = bootstrap.open_database(home)

    keys = on_all_threads(lambda: bootstrap.master_key(home, database), times=6)
    database.dispose()

    assert len(set(keys)) == 1
    assert [path.name for path in home.data_dir.glob("master*")] == ["master.key"]


def test_processes_that_start_at_once_on_an_empty_place_make_it_once(tmp_path, cluster):
    """Nothing is there: no folder, no database, no keys, no vault. All start, on the same of each."""
    homes = [{"data_dir": tmp_path / str(turn) / "data", "canary_every_minutes": 0} for turn in range(5)]
    homes = [*homes[:3], *(home | {"database_url": cluster.create()} for home in homes[3:])]
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__, "alembic.command"])
    together, told = processes.Barrier(4), processes.SimpleQueue()
    started = [processes.Process(target=_start_in_each, args=(homes, together, told)) for _ in range(4)]
    for process in started:
        process.start()
    answers = [told.get() for _ in started]
    for process in started:
        process.join()

    assert all(answer == answers[0] for answer in answers), answers
    assert len(set(answers[0])) == len(homes)
    for home in homes:
        left = {path.name for path in home["data_dir"].iterdir() if not path.name.startswith("workshot.db")}
        assert left == {"master.key", "signing.key", "vault"}


def _start_in_each(homes, together, told):
    """What this process found or made: the same as all others, or what went wrong."""
    found = []
    for home in homes:
        together.wait(60)
        try:
            svc = bootstrap.build(load_settings(**home))
            worker = jobs.Worker(svc)
            worker.beat()
            worker.look(jobs.UPKEEP_WORK)
            worker.rest()
            svc.database.dispose()
            key = bootstrap.master_key(svc.settings, svc.database).hex()
            found.append((key, svc.signer.key_id, migrations.current(svc.database)))
        except Exception as exc:
            found.append(repr(exc))
    told.put(found)


def test_a_key_from_the_settings_is_used_and_none_is_written(build, home):
    text = base64.b64encode(b"s" * 32).decode()
    given = home.model_copy(update={"master_key": SecretStr(text)})
    svc = build(given)
    subject = someone(svc)
    sealed = svc.vault.seal_text(subject, "x")

    assert not (home.data_dir / "master.key").exists()
    assert build(given).vault.open_text(subject, sealed) == "x"


def test_without_its_key_a_vault_with_images_does_not_open_for_business(build, home):
    someone(build(home))
    (home.data_dir / "master.key").unlink()

    with pytest.raises(BadSettings, match="master key is missing"):
        build(home)
    assert not (home.data_dir / "master.key").exists()


def test_without_its_key_an_empty_vault_gets_a_new_one(build, home):
    svc = build(home)
    before = (home.data_dir / "master.key").read_text()
    assert doctor.is_well(doctor.examine(svc))
    (home.data_dir / "master.key").unlink()

    build(home)

    assert (home.data_dir / "master.key").read_text() != before


@pytest.mark.parametrize("text", ["", "garbage", base64.b64encode(b"short").decode(), "é"])
def test_a_damaged_key_is_not_replaced(build, home, text):
    build(home)
    (home.data_dir / "master.key").write_text(text)

    with pytest.raises(BadSettings, match="cannot be read"):
        build(home)
    assert (home.data_dir / "master.key").read_text() == text


def test_a_vault_that_is_not_there_is_not_made_anew_where_images_should_be(build, home):
    someone(build(home))
    (home.data_dir / "vault").rename(home.data_dir / "elsewhere")

    with pytest.raises(BadSettings, match="vault's folder is missing"):
        build(home)
    assert not (home.data_dir / "vault").exists()


def test_a_folder_that_cannot_be_made_says_so(home, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(BadSettings, match="DATA_DIR"):
        bootstrap.build(load_settings(data_dir=tmp_path / "file" / "data"))


def test_a_database_that_cannot_be_reached_says_so_without_its_password(home):
    url = "postgresql+psycopg://app:pass-word@127.0.0.1:1/x"
    with pytest.raises(BadSettings, match="database cannot be reached") as caught:
        bootstrap.build(load_settings(data_dir=home.data_dir, database_url=url))

    assert "pass-word" not in str(caught.value)


# ------------------------------------------------------------------------------------------------- the runner
def test_the_runner_makes_runs_and_stops(svc, ask):
    working, runner = bootstrap.with_runner(svc)
    runner.start()
    try:
        assert until(lambda: jobs.is_alive(svc))
        ask(svc=working)
        assert until(lambda: not jobs_waiting(svc))
    finally:
        runner.stop()
    assert not threads_of_a_worker()
    assert jobs.last_beat(svc) is None, "a worker that ends in good order is not one that died"


def threads_of_a_worker():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("worker-")]


def jobs_waiting(svc):
    with svc.reading() as session:
        return session.exec(select(Job).where(Job.kind == JobKind.GENERATE)).all()


def until(is_so):
    """Ask again until it is so, as long as a busy machine may need."""
    waiting = threading.Event()
    for _ in range(int(ENOUGH / 0.02)):
        if is_so():
            return True
        waiting.wait(0.02)
    return False


def test_as_many_runs_at_once_as_there_are_slots(svc):
    three = replace(svc, settings=svc.settings.model_copy(update={"engine_slots": 3}))

    _, runner = bootstrap.with_runner(three)

    assert len(getattr(runner, "_runner", runner)._looks) == 3 + 4  # PostgreSQL's is one around the other


class Looks:
    """Work that is there for so many looks, and then no more."""

    def __init__(self, work=0, fails=0):
        self.work, self.fails = work, fails
        self.seen = threading.Semaphore(0)

    def __call__(self):
        self.seen.release()
        if self.fails:
            self.fails -= 1
            raise RuntimeError("her name, in a message")
        self.work -= 1
        return self.work >= 0

    def was_called(self, times=1):
        return all(self.seen.acquire(timeout=ENOUGH) for _ in range(times))


@pytest.fixture
def running():
    started = []

    def start(looks, beat=lambda: None, beat_every=60.0, look_every=0.5):
        named = [Look([str(n)], look) for n, look in enumerate(looks)]
        runner = EmbeddedRunner(named, beat=beat, beat_every=beat_every, look_every=look_every)
        started.append(runner)
        runner.start()
        return runner

    yield start
    for runner in started:
        runner.stop()
        assert all(not thread.is_alive() for thread in runner._threads)


def test_every_thread_works_until_there_is_nothing_left(running):
    one, other = Looks(work=5), Looks(work=3)
    running([one, other])

    assert one.was_called(6) and other.was_called(4)


def test_a_runner_that_is_woken_looks_at_once(running):
    look = Looks()
    runner = running([look])
    assert look.was_called()
    for _ in range(3):
        runner.wake()
        assert look.was_called()


def test_only_who_does_such_work_is_woken_for_it(running):
    one, other = Looks(), Looks()
    runner = running([one, other], look_every=ENOUGH * 10)
    assert one.was_called() and other.was_called()
    for _ in range(3):
        runner.wake("1")
        assert other.was_called()

    assert not one.seen.acquire(blocking=False)


def test_a_runner_outlives_what_its_work_runs_into(running, caplog):
    look = Looks(work=1, fails=2)
    running([look])

    assert look.was_called(3)
    assert "RuntimeError" in caplog.text
    assert "her name" not in caplog.text


def test_a_runner_outlives_a_beat_that_fails(running):
    beat = Looks(fails=1)
    running([], beat=beat, beat_every=0.01)

    assert beat.was_called(3)


def test_a_runner_that_is_stopped_finishes_the_step_it_is_in(running):
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def long_step():
        begun.set()
        may_end.wait(ENOUGH)
        ended.set()
        return False

    runner = running([long_step])
    assert begun.wait(ENOUGH)
    stopping = threading.Thread(target=runner.stop)
    stopping.start()
    may_end.set()
    stopping.join(ENOUGH)

    assert ended.is_set() and not stopping.is_alive()


def kinds_of(runner):
    return {kind for look in getattr(runner, "_runner", runner)._looks for kind in look.kinds}


def test_promises_are_measured_by_the_server_that_people_reach_and_by_no_worker(svc):
    """A worker has not all settings of the server, and nobody comes to it from outside."""
    _, worker = bootstrap.with_runner(svc)
    _, server = bootstrap.with_runner(svc, measures=True)
    assert kinds_of(server) - kinds_of(worker) == kinds_of(bootstrap.measuring(svc)) == {"promises"}


def test_a_server_that_only_measures_is_no_worker(svc):
    with svc.transaction() as session:
        enqueue(session, JobKind.PROMISES, "-", at=svc.clock())
    runner = bootstrap.measuring(svc)
    runner.start()
    try:
        assert until(lambda: promises_measured(svc))
        assert jobs.last_beat(svc) is None
    finally:
        runner.stop()


def promises_measured(svc):
    with svc.reading() as session:
        return session.get(Job, (JobKind.PROMISES, "-")) is None
