"""Canaries go the whole way, are timed, and are nobody: no count sees them, and a day later nothing is left."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import func, select

from core import canary, erasing, generations, jobs, retention, steps
from core.canary_portrait import drawn_portrait
from core.contracts import Contract, offered
from core.engines.on_device import OnDevice
from core.intake import read
from core.models import AuditEntry, CanaryRun, Copy, Evidence, Generation, Subject


def runs(svc):
    with svc.reading() as session:
        return session.exec(select(CanaryRun)).all()


def rows(svc, table):
    with svc.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_it_goes_the_whole_way_under_every_contract_and_is_timed(svc, store, clock):
    released = canary.release(svc)

    assert [run.contract for run in released] == offered(Contract.MONTH)
    assert len(store.objects) == 2 * len(released), "a portrait and a headshot each"
    assert canary.collect(svc) == len(released) and canary.any_sings(svc)
    clock.now += canary.SINGS_FOR - timedelta(seconds=1)
    retention.sweep(svc)
    assert len(store.objects) == 2 * len(released), "its clock has not ended"
    clock.advance(seconds=8)
    retention.sweep(svc)
    assert store.objects == {}
    assert canary.collect(svc) == 0

    song = canary.song(svc)
    assert (song.runs, song.failed, song.is_well, song.last_well_at) == (6, 0, True, clock())
    assert song.p50 == song.p95 == song.longest == timedelta(seconds=7)
    with svc.reading() as session:
        assert all(subject.is_canary and subject.sealed_key is None for subject in session.exec(select(Subject)))


def test_percentiles_are_times_that_were_really_taken(svc, clock):
    for seconds in range(1, 21):
        run = CanaryRun(contract=Contract.HOUR, started_at=clock(), due_at=clock())
        run.gone_at = clock() + timedelta(seconds=seconds)
        with svc.transaction() as session:
            session.add(run)

    song = canary.song(svc)
    assert (song.p50, song.p95, song.longest) == tuple(timedelta(seconds=n) for n in (10, 19, 20))


def test_nothing_that_counts_sees_it(svc, store, worker):
    canary.release(svc)

    with svc.reading() as session:
        assert generations.queue_length(session) == 0
    assert rows(svc, Generation) == rows(svc, AuditEntry) == 0
    assert retention.plan(svc).kept_in_all == 0
    assert retention.overdue(svc, than=timedelta(days=-100)) == (0, timedelta(0))


@pytest.mark.parametrize(
    ("fault", "failure"),
    [("down", "storage_unavailable"), ("erases_nothing", "not_gone"), ("head_refused", "not_gone")],
)
def test_what_goes_wrong_is_noted_and_what_is_left_goes_later(svc, store, clock, fault, failure):
    setattr(store, fault, True)
    canary.release(svc)
    clock.now += canary.SINGS_FOR
    retention.sweep(svc)
    clock.now += canary.LATE + timedelta(seconds=1)

    assert canary.collect(svc) == 0
    assert {run.failure for run in runs(svc)} == {failure}
    assert canary.song(svc).last_failure == failure and not canary.song(svc).is_well
    setattr(store, fault, False)
    clock.advance(hours=2)
    retention.sweep(svc)
    assert store.objects == {}


def test_other_bytes_and_an_engine_that_refuses_are_noted(svc, store, engine):
    engine.refuses = "no_person"
    assert {run.failure for run in canary.release(svc)} == {"no_person"}
    engine.refuses = None
    store.after_put = lambda key: store.objects.update({key: b"WS1" + bytes(60)})
    assert {run.failure for run in canary.release(svc)} == {"object_damaged"}


def test_now_is_now(svc, store, clock):
    sung = canary.sing(svc)

    assert all(run.gone_at == clock() and run.failure is None for run in sung) and store.objects == {}


def test_while_erasing_is_stopped_none_is_sent(svc, store):
    erasing.stop(svc, reason="test", actor="operator:o-1")

    assert canary.release(svc) == canary.sing(svc) == [] and store.objects == {}


def test_a_day_later_its_rows_are_gone_with_their_evidence_and_no_one_else_s(svc, clock, given_copy, ask, work):
    mine = given_copy()
    canary.sing(svc)
    retention.sweep(svc)
    clock.now += canary.ROWS_KEPT
    assert canary.prune(svc) == 0
    clock.advance(seconds=1)

    assert canary.prune(svc) == 6

    assert rows(svc, Copy) == rows(svc, Evidence) == rows(svc, Subject) == 1
    with svc.reading() as session:
        assert session.exec(select(Copy.id)).one() == mine.id
    assert len(runs(svc)) == 6, "its times are kept"
    clock.now += canary.TIMES_KEPT
    canary.prune(svc)
    assert runs(svc) == []


def test_a_canary_that_is_not_gone_keeps_its_rows(svc, store, clock):
    store.erases_nothing = True
    canary.sing(svc)
    with svc.transaction() as session:  # as if something had destroyed its key without it
        session.execute(sa.update(Subject).values(sealed_key=None, key_destroyed_at=clock()))
    clock.advance(days=3)

    assert canary.prune(svc) == 0 and rows(svc, Copy) == 12


def test_the_schedule_releases_waits_and_collects(svc, store, clock, limit_to, engine):
    worker = jobs.Worker(limit_to(canary_every_minutes=60))
    worker.beat()
    assert not worker.look(jobs.RARE_WORK), "a server that starts has enough to do"
    clock.advance(minutes=60)
    worker.beat()
    assert worker.look(jobs.RARE_WORK) and len(store.objects) == 12
    assert not worker.look(jobs.RARE_WORK)
    clock.now += steps.LOOK_AGAIN
    while worker.look(jobs.UPKEEP_WORK):
        pass
    assert worker.look(jobs.RARE_WORK)
    assert store.objects == {} and canary.song(svc).runs == 6
    assert not worker.look(jobs.RARE_WORK)
    assert len(engine.orders) == 1


def test_the_drawing_is_a_portrait_to_the_real_engine():
    portrait = read(drawn_portrait()).data

    assert [finding.code for finding in OnDevice().examine(portrait) if finding.blocking] == []
