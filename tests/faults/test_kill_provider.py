"""
A worker is killed with SIGKILL between each two steps of a run at a third party: intent, request, answer, look, fetch,
store. No run is lost and nothing is charged twice. Where nobody can know whether a request arrived, it is sent again
only if the third party honours its key; else it is unknown, and is never sent again.
"""

import signal
from collections import Counter

import pytest

from core.models import (
    HandOverLink,
    HeadshotRow,
    Job,
    JobKind,
    ProviderCopy,
    ProviderTask,
    ProviderTaskState,
    RunState,
    Spending,
)
from core.provider.spending import micro
from tests.faults import victim
from tests.faults.conftest import Scene
from tests.faults.victim import Elsewhere
from tests.peers.apimart import ApiMart

pytestmark = pytest.mark.by_turns("what both databases do to a claim whose worker dies is in test_kill")

VARIANTS = 2
LATER = 60.0
WHILE_SENDING = [
    "claim committed",
    "begin committed",
    "intent",
    "intent committed",
    "before submit",
    "submitted",
    "taken",
    "taken committed",
]
IN_DOUBT = {"intent committed", "before submit", "submitted", "taken"}
AFTERWARDS = [
    "looked",
    "noted",
    "booked",
    "made committed",
    "before fetch",
    "fetched",
    "headshot row committed",
    "after put",
    "written_at committed",
    "kept",
    "kept committed",
    "finish",
    "job settled committed",
]
KILLS = [
    *((moment, False) for moment in WHILE_SENDING),
    *((moment, True) for moment in sorted(IN_DOUBT)),
    *((moment, False) for moment in AFTERWARDS),
]
assert len(KILLS) >= 20


@pytest.fixture
def elsewhere(api_mart: ApiMart) -> ApiMart:
    api_mart.knobs.pixels = (256, 256)
    return api_mart


def recovers(scene: Scene) -> None:
    """One worker after the other, each a minute later, until no run wants work."""
    for _ in range(10):
        scene.recovers(after=LATER)
        if not scene.wanted((JobKind.PROVIDER,)):
            return
    raise AssertionError("it never ends")


def killed(scene: Scene, moment: str) -> None:
    """At that moment, in one of the next looks: on a busy machine an answer may be late, and is asked for again."""
    for _ in range(5):
        process = scene.start(dies_at=moment)
        process.join(60)
        if process.exitcode == -signal.SIGKILL:
            return
        assert process.exitcode == 0 and scene.wanted((JobKind.PROVIDER,)), f"{moment!r} was not reached"
        scene.after(scene.later + LATER)
    raise AssertionError(f"{moment!r} was not reached")


@pytest.mark.parametrize(("moment", "keys"), KILLS, ids=lambda value: {True: "keys", False: ""}.get(value, value))
def test_a_run_at_a_third_party_outlives_its_worker(scene: Scene, elsewhere: ApiMart, moment: str, keys: bool) -> None:
    elsewhere.knobs.honours_keys = keys
    scene.provider = Elsewhere(url=elsewhere.url, key=elsewhere.key, honours_keys=keys)
    asked = victim.ask(scene.svc, engine="apimart", variants=VARIANTS)
    if moment in AFTERWARDS:
        victim.work_until_idle(scene.svc)
        scene.after(LATER)
    killed(scene, moment)
    scene.every_object_has_a_row()
    recovers(scene)

    lost = 1 if moment in IN_DOUBT and not keys else 0
    run, tasks = scene.run(asked), scene.rows(ProviderTask)
    assert run.state is RunState.READY, (run.state, run.failure)
    states = Counter(task.state.value for task in tasks)
    assert states == Counter(kept=VARIANTS - lost) + Counter(unknown=lost)
    assert len(scene.rows(HeadshotRow)) == VARIANTS - lost
    nothing_costs_twice(scene, elsewhere, lost=lost)
    assert all(link.closed_at for link in scene.rows(HandOverLink))
    scene.every_object_has_a_row()
    scene.everything_goes()


def nothing_costs_twice(scene: Scene, api: ApiMart, *, lost: int) -> None:
    asked = Counter(submission.key for submission in api.submissions)
    charged = api.charges_by_key()
    assert max(charged.values()) == 1
    if lost or not api.knobs.honours_keys:
        assert max(asked.values()) == 1, "sent again, and nobody honours its key"
    (booked,) = scene.rows(Spending)
    kept = [task for task in scene.rows(ProviderTask) if task.state is ProviderTaskState.KEPT]
    assert booked.charged == sum(micro(charge.cost) for charge in api.charged if charge.key in {t.id for t in kept})
    assert (booked.headshots, booked.doubtful) == (len(kept), lost)
    told = {url for task in api.tasks if task.key in {t.id for t in kept} for url in task.urls}
    assert len(scene.rows(ProviderCopy)) == len(told), "each address once, and none that we do not know"


def test_one_run_outlives_many_workers(scene: Scene, elsewhere: ApiMart) -> None:
    """Killed at each moment in turn, where its key is honoured: one picture for each variant, charged once."""
    scene.provider = Elsewhere(url=elsewhere.url, key=elsewhere.key, honours_keys=True)
    asked = victim.ask(scene.svc, engine="apimart", variants=VARIANTS)
    for moment in ("intent committed", "submitted", "taken"):
        killed(scene, moment)
        scene.after(scene.later + LATER)
    victim.work_until_idle(scene.svc)
    for moment in ("looked", "booked", "before fetch", "after put", "kept"):
        scene.after(scene.later + LATER)
        killed(scene, moment)
    recovers(scene)

    assert scene.run(asked).state is RunState.READY
    assert elsewhere.charges_by_key() == {f"{asked}-{n}": 1 for n in range(1, VARIANTS + 1)}
    nothing_costs_twice(scene, elsewhere, lost=0)
    assert not [job for job in scene.rows(Job) if job.kind is JobKind.PROVIDER]
    scene.everything_goes()
