"""A worker that stands still for longer than its lease, more workers than one, a database and a disk that are away."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from core import retention
from core.models import Copy, Generation, RunState, StageEvent
from core.ports import Presence
from tests.faults import victim
from tests.faults.conftest import MUCH_LATER, SOON, Scene


@pytest.mark.parametrize(
    ("moment", "nth"), [("light", 1), ("headshot row committed", 1), ("half put", 2), ("after put", 1), ("all made", 1)]
)
def test_who_stalled_past_the_lease_writes_nothing_about_the_run(scene: Scene, moment: str, nth: int) -> None:
    asked = victim.ask(scene.svc)
    sleeper = scene.stopped(dies_at=moment, nth=nth)
    scene.recovers()
    run = scene.run(asked)
    assert run.state is RunState.READY
    scene.wakes(sleeper)
    assert scene.run(asked) == run, "the late worker changed what another had finished"
    scene.nothing_is_lost_or_doubled()
    scene.everything_goes()


def test_who_stalled_leaves_the_work_to_the_one_that_took_over(scene: Scene) -> None:
    """The second is still at it when the first wakes up: the fence alone keeps the first from writing."""
    victim.ask(scene.svc)
    first = scene.stopped(dies_at="light")
    second = scene.stopped(dies_at="before put", later=SOON)
    entered = len(scene.rows(StageEvent))
    scene.wakes(first)
    assert len(scene.rows(StageEvent)) == entered
    assert not scene.run_states() & {RunState.READY, RunState.FAILED}
    scene.wakes(second)
    scene.later = SOON
    scene.nothing_is_lost_or_doubled(attempts=1)
    scene.each_was_written_once()
    scene.everything_goes()


@pytest.mark.parametrize("moment", ["half put", "after put"])
def test_bytes_that_arrive_after_their_owner_left(scene: Scene, moment: str) -> None:
    """The run was finished by another and erased, proof and key and all, while the first worker stood still."""
    victim.ask(scene.svc)
    sleeper = scene.stopped(dies_at=moment)
    scene.recovers()
    scene.everything_goes()
    scene.wakes(sleeper)
    scene.everything_goes()


def test_who_stalled_while_erasing_proves_nothing_twice(scene: Scene) -> None:
    scene.made()
    scene.ask_to_erase_everything()
    sleeper = scene.stopped(dies_at="after listing", nth=2)
    scene.everything_goes()
    proofs = {copy.id: copy.evidence_id for copy in scene.rows(Copy)}
    scene.wakes(sleeper)
    assert {copy.id: copy.evidence_id for copy in scene.rows(Copy)} == proofs


def test_three_workers_on_one_file(scene: Scene) -> None:
    for _ in range(6):
        victim.ask(scene.svc)
    for worker in [scene.start() for _ in range(3)]:
        worker.join(60)
        assert worker.exitcode == 0
    scene.nothing_is_lost_or_doubled(attempts=1)
    scene.each_was_written_once()
    scene.everything_goes()


def test_two_erase_while_one_dies(scene: Scene) -> None:
    scene.made(runs=3)
    scene.ask_to_erase_everything()
    dying = scene.start(dies_at="erased_at", nth=2)
    other = scene.start()
    for worker in (dying, other):
        worker.join(60)
    scene.everything_goes()


def test_a_database_that_is_locked_for_a_while(scene: Scene) -> None:
    """Longer than the lease; a backup that holds the file is no reason to lose anything."""
    asked = victim.ask(scene.svc)
    with locked(scene):
        worker = scene.start()
        worker.join(2 * victim.LEASE)
        assert worker.is_alive() and scene.run(asked).state is RunState.QUEUED
    worker.join(60)
    scene.nothing_is_lost_or_doubled(attempts=1)


def test_a_disk_that_is_unmounted_in_the_middle_of_erasing(scene: Scene) -> None:
    """What cannot be seen is not gone. When the disk is back, it is erased and proved."""
    scene.made()
    scene.ask_to_erase_everything()
    vault, away = scene.data_dir / "vault", scene.data_dir / "away"
    seen = []

    def unmount(moment: str) -> None:
        seen.append(moment)
        if moment == "after erase" and seen.count(moment) == 2:
            shutil.move(vault, away)
            vault.mkdir()  # the empty mount point

    svc = scene.watched(scene.svc, unmount)
    victim.work_until_idle(svc)
    left = scene.rows(Copy)
    assert not any(copy.gone_at for copy in left), "nobody could look, and still something was proved"
    assert svc.vault.store.head(left[0].object_key) is Presence.UNKNOWN
    vault.rmdir()
    shutil.move(away, vault)
    scene.everything_goes()


def test_a_disk_that_fills_up_while_a_run_writes(scene: Scene) -> None:
    """The run waits and is made when there is room again; the half-written file is not left behind."""
    asked = victim.ask(scene.svc)
    worker = scene.start(engine="large", largest_file=3_000_000)
    worker.join(60)
    assert worker.exitcode == 0
    assert scene.run(asked).state is RunState.RUNNING and scene.run(asked).failure is None
    scene.every_object_has_a_row()
    scene.recovers(engine="large")
    scene.nothing_is_lost_or_doubled()
    scene.everything_goes()


def test_a_disk_that_is_full_when_an_upload_comes(scene: Scene) -> None:
    """The person is told; the run has failed and counts for nothing; and nothing of the photo stays."""
    server = scene.start(does="request", largest_file=2_000_000, photo=os.urandom(3_000_000))
    server.join(60)
    assert server.exitcode == 1
    scene.every_object_has_a_row()
    scene.recovers(after=MUCH_LATER)
    assert [(run.state, run.failure, run.counts) for run in scene.rows(Generation)] == [
        (RunState.FAILED, "not_stored", False)
    ]
    assert scene.objects() == [] and all(copy.gone_at for copy in scene.rows(Copy))
    assert retention.overdue(scene.svc, than=timedelta(0))[0] == 0


@contextmanager
def locked(scene: Scene) -> Iterator[None]:
    """Nobody else writes. They may read."""
    with scene.svc.database.begin() as connection:
        if connection.dialect.name == "postgresql":  # on SQLite every transaction that may write is alone
            connection.exec_driver_sql("LOCK TABLE worker_beat, job, generation, copy IN EXCLUSIVE MODE")
        yield
