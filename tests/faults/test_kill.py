"""
A worker, or the server that takes an upload, is killed with SIGKILL at each step. Whatever it left behind, the next
worker ends: no run is lost, none doubled, no bytes lie anywhere without a row, and everything can still be erased.
"""

import pytest

from core import retention
from core.contracts import Contract
from core.generations import MAX_TRIES
from core.models import Copy, CopyKind, Generation, Job, JobKind, RunState, StageEvent
from tests.faults import victim
from tests.faults.conftest import BACK_OFF, Scene

IN_A_RUN = [
    ("start", 1),
    ("claim", 1),
    ("claim committed", 1),
    ("begin", 1),
    ("begin committed", 1),
    ("reading", 1),
    ("light", 1),
    ("finishing", 1),
    ("variant 1 made", 1),
    ("headshot row", 1),
    ("headshot row committed", 1),
    ("before put", 1),
    ("half put", 1),
    ("after put", 1),
    ("written_at", 1),
    ("written_at committed", 1),
    ("variant 2 made", 1),
    ("half put", 2),
    ("after put", 2),
    ("written_at committed", 2),
    ("all made", 1),
    ("finish", 1),
    ("job settled", 1),
    ("job settled committed", 1),
]
IN_ERASING = [
    ("before erase", 1),
    ("after erase", 1),
    ("erased_at", 1),
    ("erased_at committed", 1),
    ("after head", 1),
    ("after listing", 2),
    ("evidence", 1),
    ("gone_at", 1),
    ("gone_at committed", 1),
    ("after erase", 3),
    ("key destroyed", 1),
    ("key destroyed committed", 1),
]
WHILE_AN_UPLOAD_ARRIVES = [
    # moment, the run's end, its failure: lost only where the bytes never arrived
    ("upload row", RunState.QUEUED, None),
    ("upload row committed", RunState.FAILED, "upload_lost"),
    ("before put", RunState.FAILED, "upload_lost"),
    ("half put", RunState.FAILED, "upload_lost"),
    ("after put", RunState.READY, None),
    ("written_at committed", RunState.READY, None),
]


@pytest.mark.parametrize(("moment", "nth"), IN_A_RUN)
def test_a_run_outlives_its_worker(scene: Scene, asked: str, moment: str, nth: int) -> None:
    scene.killed(dies_at=moment, nth=nth)
    scene.every_object_has_a_row()
    scene.recovers()
    scene.nothing_is_lost_or_doubled()
    scene.everything_goes()


@pytest.mark.parametrize("moment", ["light", "half put", "written_at committed"])
def test_a_run_that_keeps_its_photo_only_while_it_lasts(scene: Scene, asked: str, moment: str) -> None:
    """`process`: what goes at the end of a run goes also where the run's first worker died."""
    retention.shorten(scene.svc, asked, Contract.PROCESS)
    scene.killed(dies_at=moment)
    scene.recovers()
    assert scene.run(asked).state is RunState.READY
    kept = {copy.kind for copy in scene.rows(Copy) if copy.gone_at is None}
    assert kept == {CopyKind.HEADSHOT}
    scene.everything_goes()


def test_what_was_finished_before_is_not_made_again(scene: Scene, asked: str) -> None:
    scene.killed(dies_at="variant 2 made")
    scene.recovers()
    scene.nothing_is_lost_or_doubled(attempts=1)


def test_a_run_that_kills_every_worker_is_given_up(scene: Scene, asked: str) -> None:
    """It fails with a sentence, gives the allowance back, and its photo keeps its clock."""
    for attempt in range(MAX_TRIES):
        scene.killed(dies_at="light", later=attempt * BACK_OFF)
        scene.every_object_has_a_row()
    scene.recovers(after=(MAX_TRIES + 1) * BACK_OFF)
    run = scene.run(asked)
    assert (run.state, run.failure, run.counts) == (RunState.FAILED, "gave_up", False)
    scene.everything_goes()


@pytest.mark.parametrize(("moment", "nth"), IN_ERASING)
def test_erasing_outlives_its_worker(scene: Scene, moment: str, nth: int) -> None:
    scene.made()
    scene.ask_to_erase_everything()
    scene.killed(dies_at=moment, nth=nth)
    scene.every_object_has_a_row()
    scene.recovers()
    scene.everything_goes()


@pytest.mark.parametrize("moment", ["light", "headshot row committed", "half put", "after put", "all made"])
def test_erasing_everything_after_the_worker_died(scene: Scene, asked: str, moment: str) -> None:
    """Nobody finishes the run, and still nothing of it stays."""
    scene.killed(dies_at=moment)
    scene.ask_to_erase_everything()
    scene.recovers()
    assert scene.run(asked).state is RunState.CANCELLED
    scene.everything_goes()


@pytest.mark.parametrize("moment", ["half put", "written_at committed"])
def test_a_clock_that_runs_out_while_everything_is_down(scene: Scene, asked: str, moment: str) -> None:
    scene.killed(dies_at=moment)
    scene.recovers(after=31 * 24 * 3600)
    assert scene.run(asked).state is RunState.FAILED
    scene.everything_goes()


@pytest.mark.parametrize(("moment", "state", "failure"), WHILE_AN_UPLOAD_ARRIVES)
def test_a_server_dies_while_an_upload_arrives(scene: Scene, moment: str, state: RunState, failure: str | None) -> None:
    scene.killed(does="request", dies_at=moment)
    scene.every_object_has_a_row()
    scene.recovers()
    runs = scene.rows(Generation)
    if state is RunState.QUEUED:  # it died before anything was recorded: there is nothing to end
        assert runs == [] and scene.objects() == []
        return
    assert [(run.state, run.failure, run.counts) for run in runs] == [(state, failure, state is RunState.READY)]
    scene.everything_goes()


def test_the_same_person_again_after_a_server_died(scene: Scene) -> None:
    """The run that never arrived does not stand in the way of the next."""
    scene.killed(does="request", dies_at="half put")
    again = victim.ask(scene.svc)
    scene.recovers()
    assert scene.run(again).state is RunState.READY
    assert scene.entered("finishing") == 1
    scene.everything_goes()


def test_work_that_has_no_job_is_found_by_the_sweep(scene: Scene, asked: str) -> None:
    """Nothing of ours leaves a run without a job; a restored backup may."""
    with scene.svc.transaction() as session:
        for job in scene.rows(Job):
            session.delete(session.get_one(Job, (job.kind, job.ref)))
    scene.recovers()
    scene.nothing_is_lost_or_doubled()
    assert {job.kind for job in scene.rows(Job)} <= {JobKind.SWEEP}
    assert scene.rows(StageEvent)
