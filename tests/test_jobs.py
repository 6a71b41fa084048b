"""Workers: steps that fail are tried again, held jobs stay held, ticks fire once, and nobody is alive by mistake."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, func, select

from core import generations, jobs, queue, steps
from core.jobs import BEAT_IS_OLD, ENGINE_WORK, LONGEST_STEP, RETRY_FIRST, RETRY_LATEST, UPKEEP_WORK
from core.models import Generation, Job, JobKind, RunState, Tick, WorkerBeat


@pytest.fixture
def the_job(svc):
    def get(kind=JobKind.GENERATE):
        with svc.reading() as session:
            return session.exec(select(Job).where(Job.kind == kind)).one_or_none()

    return get


@pytest.fixture
def broken(engine):
    def break_down(stage):
        raise RuntimeError("her name, in a message")

    engine.at_stage = break_down
    return engine


def test_a_worker_with_nothing_to_do_says_so(worker):
    assert worker.look((*ENGINE_WORK, *UPKEEP_WORK)) is False


def test_a_step_that_fails_is_tried_again_after_longer_and_longer_pauses(svc, ask, broken, worker, the_job, clock):
    ask()
    waits = []
    while the_job() is not None:
        assert worker.look(ENGINE_WORK)
        if job := the_job():
            waits.append(job.run_at - clock())
            clock.now = job.run_at

    assert waits == [RETRY_FIRST * 2**n for n in range(generations.MAX_TRIES)]


def test_upkeep_is_never_given_up(svc, worker, clock, the_job, store):
    class Unreachable(Exception):
        pass

    def fail(_services, _claim):
        raise Unreachable

    erase = steps.STEPS[JobKind.ERASE]
    steps.STEPS[JobKind.ERASE] = steps.Step(fail)
    try:
        with svc.transaction() as session:
            queue.enqueue(session, JobKind.ERASE, "a", at=clock())
        for _ in range(30):
            assert worker.look(UPKEEP_WORK)
            assert the_job(JobKind.ERASE).run_at - clock() <= RETRY_LATEST
            clock.now = the_job(JobKind.ERASE).run_at
    finally:
        steps.STEPS[JobKind.ERASE] = erase
    assert worker.look(UPKEEP_WORK)
    assert the_job(JobKind.ERASE) is None


def test_a_log_line_names_the_kind_of_error_and_not_its_message(ask, broken, worker, caplog):
    ask()
    worker.look(ENGINE_WORK)

    assert "RuntimeError" in caplog.text
    assert "her name" not in caplog.text


def test_a_beat_keeps_what_is_in_hand(svc, ask, engine, worker, clock):
    ask()
    seen = []

    def take_long(stage):
        for _ in range(3):
            clock.now += svc.settings.lease - timedelta(seconds=1)
            worker.beat()
        seen.append(queue.claim(svc, ENGINE_WORK))

    engine.at_stage = take_long
    worker.look(ENGINE_WORK)

    assert seen and set(seen) == {None}


def test_a_step_that_hangs_is_not_kept_for_ever(svc, ask, engine, worker, clock, the_job):
    run_id = ask()
    taken = []

    def hang(stage):
        clock.now += LONGEST_STEP
        worker.beat()
        taken.append(queue.claim(svc, ENGINE_WORK))

    engine.at_stage = hang
    assert worker.look(ENGINE_WORK), "the loser ends quietly"
    assert taken[0].ref == run_id and taken[0].tries == 2
    assert the_job().token == taken[0].token


def test_a_beat_survives_that_a_lease_was_lost(svc, ask, engine, worker, clock, caplog):
    ask()

    def lose(stage):
        clock.now += svc.settings.lease
        queue.claim(svc, ENGINE_WORK)
        worker.beat()

    engine.at_stage = lose
    worker.look(ENGINE_WORK)

    assert "lease lost" in caplog.text


def test_what_is_settled_is_in_hand_no_more(svc, ask, worker, work, clock, caplog):
    ask()
    work()
    worker.beat()

    assert "lease lost" not in caplog.text


def test_missed_ticks_become_one_sweep(svc, worker, clock, the_job):
    worker.beat()
    first = the_job(JobKind.SWEEP)
    assert first.wishes == 1
    assert worker.look(UPKEEP_WORK)
    clock.advance(seconds=svc.settings.sweep_every_seconds - 1)
    worker.beat()
    assert the_job(JobKind.SWEEP) is None
    clock.advance(days=3)
    worker.beat()
    worker.beat()
    assert the_job(JobKind.SWEEP).wishes == 1
    with svc.reading() as session:
        assert session.get_one(Tick, JobKind.SWEEP).next_at == clock() + timedelta(
            seconds=svc.settings.sweep_every_seconds
        )


def test_two_workers_beat_and_one_sweep_comes_of_it(svc, worker, the_job):
    other = jobs.Worker(svc)
    worker.beat()
    other.beat()

    assert the_job(JobKind.SWEEP).wishes == 1
    with svc.reading() as session:
        assert session.exec(select(func.count()).select_from(WorkerBeat)).one() == 2


def test_the_scheduled_sweep_erases_what_is_due(ask, work, worker, clock, store):
    ask()
    work()
    clock.advance(days=30)
    worker.beat()
    work()

    assert store.objects == {}


def test_a_run_that_wants_work_and_has_no_job_is_found_by_the_sweep(svc, ask, worker, work):
    run_id = ask()
    with svc.transaction() as session:
        session.delete(session.exec(select(Job)).one())
    worker.beat()
    work()

    with svc.reading() as session:
        assert session.get_one(Generation, run_id).state is RunState.READY


def test_the_sweep_leaves_jobs_that_are_there_as_they_are(svc, ask, worker, clock, the_job):
    ask()
    before = the_job().wishes
    worker.beat()
    assert worker.look(UPKEEP_WORK)

    assert the_job().wishes == before


def test_a_worker_is_alive_for_a_minute_after_its_beat(svc, worker, clock):
    assert jobs.last_beat(svc) is None and not jobs.is_alive(svc)
    worker.beat()
    assert jobs.last_beat(svc) == clock() and jobs.is_alive(svc)
    clock.now += BEAT_IS_OLD - timedelta(seconds=1)
    assert jobs.is_alive(svc)
    clock.advance(seconds=1)
    assert not jobs.is_alive(svc)
    worker.beat()
    assert jobs.is_alive(svc)


def test_a_worker_that_ends_in_good_order_leaves_no_beat(svc, worker):
    other = jobs.Worker(svc)
    worker.beat()
    other.beat()
    worker.rest()

    with svc.reading() as session:
        assert session.exec(select(WorkerBeat.worker)).all() == [other.id]


def test_beats_of_workers_long_dead_are_tidied_up(svc, worker, clock):
    dead = jobs.Worker(svc)
    dead.beat()
    clock.advance(days=1, seconds=1)
    worker.beat()
    worker.look(UPKEEP_WORK)

    with svc.reading() as session:
        left = session.exec(select(WorkerBeat.worker).order_by(col(WorkerBeat.worker))).all()
    assert left == [worker.id]


def test_a_beat_tells_sleeping_threads_of_new_work(svc):
    woken = []
    jobs.Worker(replace(svc, wake=lambda: woken.append(True))).beat()

    assert woken
