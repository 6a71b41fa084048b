"""A run at a provider: asked for once, waited for, fetched, kept; and every way in which that can go wrong."""

import base64
import json
import threading
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from core import copies, generations, jobs, queue, retention
from core.contracts import Contract
from core.errors import EngineRefused, EngineUnavailable, InDoubt, NotAllowed, NotTaken, StorageUnavailable
from core.models import (
    CopyKind,
    HandOverLink,
    HeadshotRow,
    Job,
    JobKind,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTaskState,
    RunState,
)
from core.ports import HandOver, TaskState
from core.provider import runs
from core.queue import LeaseLost
from tests.conftest import ANN, CHOICES
from tests.fakes import jpeg

S = ProviderTaskState
READY, RETURNED = ("ready", None, True), False


class Killed(BaseException):
    """What no `except Exception` catches: as far as the rows can tell, the worker is dead."""


def raises(*, at, error, times=1):
    """A deed that fails at this moment, so many times; None: for ever."""
    left = [times]

    def deed(moment):
        if moment == at and left[0] != 0:
            left[0] = left[0] if left[0] is None else left[0] - 1
            raise error

    return deed


def killed(there, *, at):
    """The worker dies at this moment of its next step; its lease ends, and another one comes."""
    there.provider.at = raises(at=at, error=Killed())
    with pytest.raises(Killed):
        there.steps()
    there.provider.at = lambda moment: None
    there.clock.advance(seconds=there.svc.settings.lease_seconds + 1)


def refused(code):
    return EngineRefused("No.", code=code)


# ------------------------------------------------------------------------------------------------- the whole way
def test_a_run_from_the_button_to_its_headshots(there):
    run_id = there.ask(variants=3)
    there.wait()

    assert there.how(run_id) == READY
    assert there.headshots(run_id) == [1, 2, 3]
    assert there.states(run_id) == [S.KEPT] * 3
    assert there.stages(run_id) == ["sending", "waiting", "fetching"]
    assert there.provider.charged == {f"{run_id}-{n}": 1 for n in (1, 2, 3)}
    assert (there.spent.charged, there.spent.headshots, there.spent.possible) == (3 * 12_500, 3, 0)
    assert there.rows(Job) and not [job for job in there.rows(Job) if job.kind is JobKind.PROVIDER]


def test_its_headshots_are_kept_as_what_they_are(there):
    run_id = there.ask()
    there.wait()

    (shot,) = there.rows(HeadshotRow)
    with there.svc.reading() as session:
        view = generations.view(session, ANN, run_id, there.clock())
    (copy,) = view.headshots
    assert (copy.media_type, copy.width, copy.height, copy.kind) == ("image/jpeg", 80, 100, CopyKind.HEADSHOT)
    assert copies.read(there.svc, shot.copy_id)


def test_where_results_lie_is_noted_before_they_are_fetched(there):
    seen = []
    there.provider.at = lambda moment: moment == "fetch" and seen.append(len(there.rows(ProviderCopy)))
    there.ask()
    there.wait()

    assert seen == [1]
    (noted,) = there.rows(ProviderCopy)
    assert noted.kind is ProviderCopyKind.RESULT and noted.dated_by == "provider"


def test_every_result_is_noted_and_one_is_kept(there):
    there.provider.results_per_task = 2
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == READY and there.headshots(run_id) == [1]
    assert len(there.rows(ProviderCopy)) == 2


def test_results_that_come_with_the_first_answer_are_kept_at_once(there):
    there.provider.at_once = True
    run_id = there.ask()
    there.steps()

    assert there.how(run_id) == READY
    assert there.spent.charged == 0 and there.spent.possible == there.provider.price, "it did not say what it cost"


def test_no_thread_waits_for_a_run(there):
    before = threading.active_count()
    for number in range(5):
        there.ask(who=str(number) * 64)
    there.steps()

    assert {task.state for run in there.rows(generations.Generation) for task in there.tasks(run.id)} == {S.TAKEN}
    assert threading.active_count() == before
    there.wait()
    assert {run.state for run in there.rows(generations.Generation)} == {RunState.READY}


def test_the_photo_is_encoded_once_for_all_its_variants(there):
    there.ask(variants=4)
    encoded = []
    there.provider.at = lambda moment: moment == "encoded" and encoded.append(1)
    there.steps()

    assert len(encoded) == 1


# ---------------------------------------------------------------------------------------------------- handing over
def test_inline_the_pictures_are_in_the_request(there):
    run_id = there.ask()
    there.steps()

    body = json.loads(there.provider.bodies["task_0"])
    assert base64.b64decode(body["portrait"].partition("base64,")[2]) == there.provider.for_sending(jpeg())
    assert body["clothing"] is None and not there.rows(ProviderCopy)
    assert there.tasks(run_id)[0].hand_over == "inline"


def test_a_backdrop_of_ones_own_and_a_note_go_along(there):
    there.ask(backdrop="own", backdrop_image=jpeg(300, 300, "red"), note="A little more light, please")
    there.steps()

    body = json.loads(there.provider.bodies["task_0"])
    assert body["backdrop_image"].startswith("data:image/jpeg;base64,")
    assert body["note"] == "A little more light, please"


def test_by_link_each_picture_has_an_address_that_is_closed_when_the_run_ends(there):
    there.provider.hand_over = HandOver.LINK
    there.set(public_url="https://workshot.example")
    there.ask(variants=2)
    there.steps()

    addresses = {json.loads(body)["portrait"] for body in there.provider.bodies.values()}
    assert len(addresses) == 2 and all(url.startswith("https://workshot.example/handover/") for url in addresses)
    there.wait()
    assert all(link.closed_at for link in there.rows(HandOverLink))


def test_a_link_that_leads_nowhere_is_not_sent(there):
    there.provider.hand_over = HandOver.LINK
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "hand_over_failed", RETURNED)
    assert not there.provider.keys


def test_an_upload_is_made_once_for_a_run_and_noted(there):
    there.provider.hand_over = HandOver.UPLOAD
    run_id = there.ask(variants=3)
    there.steps()

    (noted,) = there.rows(ProviderCopy)
    assert noted.kind is ProviderCopyKind.UPLOAD and noted.copy_id == there.run(run_id).portrait_id
    assert noted.dated_by == "documents" and noted.expires_at == there.clock() + timedelta(hours=72)
    assert there.provider.asked["upload"] == 1
    there.wait()
    assert there.how(run_id) == READY


@pytest.mark.parametrize(("times", "uploads", "how"), [(1, 2, READY), (2, 2, ("failed", "hand_over_failed", False))])
def test_an_upload_in_doubt_is_repeated_once(there, times, uploads, how):
    there.provider.hand_over = HandOver.UPLOAD
    there.provider.at = raises(at="uploaded", error=InDoubt("?"), times=times)
    run_id = there.ask()
    there.wait()

    assert there.provider.asked["upload"] == uploads
    assert there.how(run_id) == how


@pytest.mark.parametrize(("deaths", "how"), [(1, READY), (2, ("failed", "hand_over_failed", False))])
def test_a_worker_that_dies_while_it_uploads_leaves_no_third_copy(there, deaths, how):
    there.provider.hand_over = HandOver.UPLOAD
    run_id = there.ask()
    for _ in range(deaths):
        killed(there, at="uploaded")
    there.wait()

    assert there.provider.asked["upload"] == 2
    assert there.how(run_id) == how


def test_an_upload_that_was_not_taken_may_be_tried_more_often(there):
    there.provider.hand_over = HandOver.UPLOAD
    there.provider.at = raises(at="upload", error=NotTaken("busy", code="rate_limited"), times=4)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == READY


@pytest.mark.parametrize("hand_over", [HandOver.INLINE, HandOver.UPLOAD, HandOver.LINK])
def test_made_anew_a_request_is_the_same_to_the_byte(there, hand_over):
    """The provider in memory refuses another body under a key that it knows."""
    there.provider.hand_over = hand_over
    there.provider.honours_keys = True
    there.set(public_url="https://workshot.example")
    run_id = there.ask(variants=2)
    killed(there, at="submitted")
    there.wait()

    assert there.how(run_id) == READY
    assert there.provider.charged == {f"{run_id}-1": 1, f"{run_id}-2": 1}


# ---------------------------------------------------------------------------------------------- doubt, by a dead worker
@pytest.mark.parametrize("at", ["submit", "submitted"])
def test_without_keys_who_died_while_sending_leaves_it_unknown(there, at):
    """Whether it had been sent or not: nobody can know, and it is not sent again."""
    run_id = there.ask()
    killed(there, at=at)
    there.wait()

    assert there.how(run_id) == ("failed", "unknown", RETURNED)
    assert there.provider.asked["submit"] == 1
    assert (there.spent.possible, there.spent.doubtful, there.spent.charged) == (there.provider.price, 1, 0)


@pytest.mark.parametrize("at", ["submit", "submitted"])
def test_with_keys_it_is_sent_again_and_charged_once(there, at):
    there.provider.honours_keys = True
    run_id = there.ask()
    killed(there, at=at)
    there.wait()

    assert there.how(run_id) == READY
    assert there.provider.charged == {f"{run_id}-1": 1}
    assert (there.spent.possible, there.spent.charged) == (0, 12_500)


def test_a_key_that_may_be_forgotten_is_not_used_again(there):
    there.provider.honours_keys = True
    run_id = there.ask()
    killed(there, at="submitted")
    there.clock.advance(hours=23)
    there.wait()

    assert there.how(run_id) == ("failed", "unknown", RETURNED)
    assert there.provider.asked["submit"] == 1


def test_a_request_that_cannot_be_made_the_same_is_not_sent_again(there):
    there.provider.honours_keys = True
    run_id = there.ask()
    killed(there, at="submitted")
    there.provider.model = "drawing-2"
    there.wait()

    assert there.how(run_id) == ("failed", "unknown", RETURNED)
    assert there.provider.asked["submit"] == 1


@pytest.mark.parametrize("at", ["task", "fetch", "fetched"])
@pytest.mark.parametrize("honours", [True, False])
def test_a_worker_that_dies_while_it_waits_or_fetches_costs_nothing(there, at, honours):
    there.provider.honours_keys = honours
    run_id = there.ask()
    there.steps()
    there.clock.advance(seconds=11)
    killed(there, at=at)
    there.wait()

    assert there.how(run_id) == READY
    assert there.provider.charged == {f"{run_id}-1": 1}
    assert there.spent.charged == 12_500 and there.spent.headshots == 1
    assert len(there.rows(ProviderCopy)) == 1


def test_a_variant_that_was_kept_is_not_fetched_again(there, store):
    run_id = there.ask(variants=2)
    there.steps()
    there.clock.advance(seconds=11)
    puts = []
    store.after_put = lambda key: puts.append(key)
    fetched = []
    there.provider.at = lambda moment: moment == "fetch" and (fetched.append(1), len(fetched) == 2 and _die())
    with pytest.raises(Killed):
        there.steps()
    there.provider.at = lambda moment: None
    there.clock.advance(seconds=60)
    there.wait()

    assert there.how(run_id) == READY and len(puts) == 2
    assert there.provider.asked["fetch"] == 3, "the first once, the second twice"


def _die():
    raise Killed


# ------------------------------------------------------------------------------------------------- doubt, by an answer
def test_a_lost_answer_without_keys_is_unknown_at_once(there):
    there.provider.at = raises(at="submitted", error=InDoubt("?"))
    run_id = there.ask()
    there.steps()

    assert there.how(run_id) == ("failed", "unknown", RETURNED)
    assert there.provider.asked["submit"] == 1


def test_a_lost_answer_with_keys_is_asked_for_again(there):
    there.provider.honours_keys = True
    there.provider.at = raises(at="submitted", error=InDoubt("?"), times=3)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == READY
    assert there.provider.charged == {f"{run_id}-1": 1} and there.provider.asked["submit"] == 4


def test_with_keys_and_no_answer_ever_it_is_unknown(there):
    there.provider.honours_keys = True
    there.provider.at = raises(at="submitted", error=InDoubt("?"), times=None)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "unknown", RETURNED)
    assert there.provider.asked["submit"] == runs.TRIES


@pytest.mark.parametrize("code", runs.HOPELESS)
def test_a_key_that_will_never_say_more_is_not_asked_about_again(there, code):
    there.provider.honours_keys = True
    there.provider.at = raises(at="submitted", error=InDoubt("?", code=code))
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "unknown", RETURNED)
    assert there.provider.asked["submit"] == 1


@pytest.mark.parametrize(
    ("then", "how"),
    [
        (NotTaken("away", code="unreachable"), ("failed", "unknown", False)),
        (refused("provider_balance"), ("failed", "unknown", False)),
        (refused("provider_failed"), ("failed", "unknown", False)),
        (refused("provider_refused"), ("failed", "provider_refused", False)),
    ],
)
def test_what_becomes_of_a_repetition_says_little_about_the_first_time(there, then, how):
    """It was in doubt. That the second one was not taken, or not paid for, does not mean that the first was not."""
    there.provider.honours_keys = True
    run_id = there.ask()
    killed(there, at="submitted")
    there.provider.at = raises(at="submit", error=then, times=None)
    there.wait()

    assert there.how(run_id) == how
    assert there.spent.doubtful == (how[1] == "unknown")


def test_unknown_beside_kept_is_ready(there):
    run_id = there.ask(variants=2)
    there.provider.at = raises(at="submitted", error=InDoubt("?"))
    there.wait()

    assert there.how(run_id) == READY
    assert there.states(run_id) == [S.UNKNOWN, S.KEPT]
    assert there.spent.possible == there.provider.price


# ------------------------------------------------------------------------------------------------ not taken, or refused
def test_what_was_not_taken_is_sent_again(there):
    there.provider.at = raises(at="submit", error=NotTaken("busy", code="unreachable"), times=2)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == READY
    assert there.provider.asked["submit"] == 3


def test_who_asks_to_be_left_alone_for_a_while_is(there):
    there.provider.at = raises(at="submit", error=NotTaken("busy", code="rate_limited", after=42))
    there.ask()
    there.steps()

    assert there.next_at() == there.clock() + timedelta(seconds=42)


@pytest.mark.parametrize("after", [None, 300, 10_000])
def test_who_is_never_taken_is_given_up_in_time(there, after):
    there.provider.at = raises(at="submit", error=NotTaken("busy", code="rate_limited", after=after), times=None)
    asked_at = there.clock()
    run_id = there.ask()
    there.wait(most=timedelta(hours=4))

    assert there.how(run_id) == ("failed", "provider_away", RETURNED)
    assert not there.provider.keys and there.spent == type(there.spent)()
    assert there.run(run_id).ended_at - asked_at <= runs.DEADLINE


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("provider_refused", "provider_refused"),
        ("provider_failed", "provider_failed"),
        ("provider_key", "provider_failed"),
    ],
)
def test_what_is_refused_is_not_asked_for_once_more(there, code, failure):
    there.provider.at = raises(at="submit", error=refused(code))
    run_id = there.ask(variants=4)
    there.wait()

    assert there.how(run_id) == ("failed", failure, RETURNED)
    assert there.provider.asked["submit"] == 1


@pytest.mark.parametrize("cost", [None, 0, 4_000])
def test_a_task_that_fails_there_says_why_and_what_it_cost(there, cost):
    there.provider.ends = TaskState.FAILED
    there.provider.reports[TaskState.FAILED] = {"failure": "provider_refused", "cost": cost}
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "provider_refused", RETURNED)
    assert there.spent.charged == (cost or 0)


def test_a_task_that_is_cancelled_there_has_failed(there):
    there.provider.ends = TaskState.CANCELLED
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "provider_failed", RETURNED)


def test_made_without_any_result_has_failed_and_is_booked(there):
    there.provider.results_per_task = 0
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "provider_failed", RETURNED)
    assert there.spent.charged == 12_500


# -------------------------------------------------------------------------------------------------- waiting, fetching
def test_a_task_that_never_ends_is_waited_for_ten_minutes(there):
    there.provider.takes = 3600
    run_id = there.ask()
    asked_at = there.clock()
    there.wait()

    assert there.how(run_id) == ("failed", "provider_slow", RETURNED)
    assert there.run(run_id).ended_at == asked_at + runs.DEADLINE
    assert there.tasks(run_id)[0].task_id, "or nobody could look after it"
    assert there.tasks(run_id)[0].looks < 90


def test_a_task_is_looked_at_seldom_and_more_seldom():
    looks, waited = [], timedelta(0)
    while waited < runs.DEADLINE:
        waited += runs.next_look(waited, timedelta(hours=1))
        looks.append(waited.total_seconds())

    pauses = [after - before for before, after in pairwise(looks)]
    assert looks[0] == 5
    assert all(2.7 <= pause <= 3.3 for pause, at in zip(pauses, looks, strict=False) if at < 60)
    assert all(9 <= pause <= 11 for pause, at in zip(pauses, looks, strict=False) if at >= 60)


def test_what_a_model_usually_takes_is_learnt_and_looked_for(there):
    there.provider.takes = 21.2
    late = []
    for number in range(4):
        run_id = there.ask(who=str(number) * 64)
        there.wait()
        (task,) = there.tasks(run_id)
        late.append((task.made_at - task.taken_at).total_seconds() - 21.2)

    assert max(late[1:]) <= 0.8, "the first teaches"


def test_a_task_that_does_not_answer_is_asked_again(there):
    there.provider.at = raises(at="task", error=EngineUnavailable("?"), times=3)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == READY


def test_a_task_that_never_answers_is_given_up(there):
    there.provider.at = raises(at="task", error=EngineUnavailable("?"), times=None)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "provider_slow", RETURNED)


def test_a_result_that_cannot_be_fetched_yet_is_fetched_later(there):
    there.provider.at = raises(at="fetch", error=EngineUnavailable("?"), times=3)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == READY and there.spent.headshots == 1


def test_a_result_that_cannot_be_fetched_is_given_up_and_stays_noted(there):
    there.provider.at = raises(at="fetch", error=EngineUnavailable("?"), times=None)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "provider_away", RETURNED)
    assert len(there.rows(ProviderCopy)) == 1 and there.spent.charged == 12_500


def test_a_result_that_is_not_acceptable_is_not_kept(there):
    there.provider.at = raises(at="fetch", error=EngineRefused("no picture"), times=None)
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == ("failed", "result_refused", RETURNED)
    assert there.headshots(run_id) == []


def test_of_two_results_the_one_that_is_acceptable_is_kept(there):
    there.provider.results_per_task = 2
    there.provider.at = raises(at="fetch", error=EngineRefused("no picture"))
    run_id = there.ask()
    there.wait()

    assert there.how(run_id) == READY


def test_a_vault_that_is_away_for_a_moment_loses_no_result(there, store):
    run_id = there.ask()
    there.steps()
    there.clock.advance(seconds=11)
    store.before_put = _away_twice()
    there.wait()

    assert there.how(run_id) == READY
    assert there.provider.charged == {f"{run_id}-1": 1}


def _away_twice():
    left = [2]

    def before(_key):
        left[0] -= 1
        if left[0] >= 0:
            raise StorageUnavailable("The vault cannot be reached just now.")

    return before


# ------------------------------------------------------------------------------------------------- stopping the waiting
def cancel(there, run_id):
    generations.cancel(there.svc, ANN, run_id)


def erase(there, run_id):
    retention.erase_run(there.svc, run_id)


def erase_everything(there, run_id):
    retention.erase_everything(there.svc, there.run(run_id).subject_id)


@pytest.mark.parametrize("deed", [cancel, erase, erase_everything])
def test_who_cancels_or_erases_is_not_made_to_wait(there, deed):
    run_id = there.ask()
    there.steps()
    deed(there, run_id)
    there.steps()

    assert there.how(run_id) == ("cancelled", None, RETURNED)
    (task,) = there.tasks(run_id)
    assert (task.state, task.failure, bool(task.task_id)) == (S.FAILED, "cancelled", True)
    assert there.next_at() is None


def test_cancelled_before_it_was_sent_nothing_leaves(there):
    run_id = there.ask(variants=2)
    cancel(there, run_id)
    there.wait()

    assert there.how(run_id) == ("cancelled", None, RETURNED)
    assert not there.provider.keys and there.provider.asked["submit"] == 0


def test_cancelled_between_two_variants_the_second_is_not_sent(there):
    run_id = there.ask(variants=2)
    there.provider.at = lambda moment: moment == "submitted" and cancel(there, run_id)
    there.wait()

    assert there.how(run_id) == ("cancelled", None, RETURNED)
    assert there.provider.asked["submit"] == 1


def test_cancelled_while_in_doubt_the_cost_stays_possible(there):
    run_id = there.ask()
    killed(there, at="submitted")
    cancel(there, run_id)
    there.steps()

    assert there.states(run_id) == [S.UNKNOWN] and there.spent.doubtful == 1


def test_what_was_kept_before_it_was_cancelled_stays(there):
    run_id = there.ask(variants=2)
    there.steps()
    there.clock.advance(seconds=11)
    fetched = []
    there.provider.at = lambda moment: moment == "fetch" and fetched.append(len(fetched) == 1 and cancel(there, run_id))
    there.wait()

    assert there.how(run_id) == ("cancelled", None, True)
    assert 1 in there.headshots(run_id)


def test_the_clock_s_end_stops_the_waiting(there):
    there.provider.takes = 3600 * 24
    run_id = there.ask(contract=Contract.HOUR, received_at=there.clock() - timedelta(minutes=59, seconds=30))
    there.wait()

    assert there.how(run_id) == ("failed", "expired", RETURNED)
    assert there.run(run_id).ended_at == there.run(run_id).erase_by


def test_a_result_that_arrives_when_its_owner_has_left_is_not_kept(there, store):
    run_id = there.ask()
    there.steps()
    there.clock.advance(seconds=11)
    there.provider.at = lambda moment: moment == "fetched" and erase(there, run_id)
    there.steps((*RUNS_AND_UPKEEP,))

    assert there.how(run_id)[0] == "cancelled"
    there.clock.advance(minutes=10)
    there.steps((*RUNS_AND_UPKEEP,))
    assert store.objects == {}


RUNS_AND_UPKEEP = (JobKind.PROVIDER, *jobs.UPKEEP_WORK)


def test_a_photo_kept_only_while_it_is_needed_goes_at_the_end(there):
    there.ask(contract=Contract.PROCESS)
    there.wait()
    there.steps(RUNS_AND_UPKEEP)

    kept = {copy.kind for copy in there.rows(generations.Copy) if copy.gone_at is None}
    assert kept == {CopyKind.HEADSHOT}


# ------------------------------------------------------------------------------------------- two workers, or none left
def test_a_late_worker_writes_nothing(there):
    run_id = there.ask()
    stale = queue.claim(there.svc, [JobKind.PROVIDER])
    there.clock.advance(seconds=60)
    there.steps()
    with pytest.raises(LeaseLost):
        runs.step(there.svc, stale)

    assert there.provider.charged == {f"{run_id}-1": 1}


def test_who_lost_its_lease_while_it_sent_changes_nothing(there):
    """The one who took over has found the intent, and has said that nobody knows."""
    run_id = there.ask()
    other = jobs.Worker(there.svc)

    def stall(moment):
        if moment == "submitted":
            there.provider.at = lambda moment: None
            there.clock.advance(seconds=60)
            while other.look([JobKind.PROVIDER]):
                pass

    there.provider.at = stall
    there.steps()

    assert there.how(run_id) == ("failed", "unknown", RETURNED)
    assert there.provider.asked["submit"] == 1


def test_a_run_that_kills_each_worker_is_given_up(there):
    run_id = there.ask()
    there.steps()
    there.clock.now = there.next_at()
    for _ in range(runs.MAX_TRIES):
        killed(there, at="task")
    there.wait()

    assert there.how(run_id) == ("failed", "gave_up", RETURNED)
    assert there.states(run_id) == [S.FAILED]


def test_a_provider_that_is_not_set_up_any_more_ends_its_runs(there, svc):
    waiting, in_doubt = there.ask(), there.ask()
    there.steps([JobKind.PROVIDER])
    worker = jobs.Worker(svc)
    there.clock.advance(seconds=60)
    while worker.look([JobKind.PROVIDER]):
        pass

    assert there.how(waiting) == there.how(in_doubt) == ("failed", "provider_away", RETURNED)


def test_work_that_has_no_job_is_found_by_the_sweep(there):
    run_id = there.ask()
    with there.svc.transaction() as session:
        for job in there.rows(Job):
            session.delete(session.get_one(Job, (job.kind, job.ref)))
    with there.svc.transaction() as session:
        queue.enqueue(session, JobKind.SWEEP, "-", at=there.clock())
    there.steps(RUNS_AND_UPKEEP)
    there.wait()

    assert there.how(run_id) == READY


# -------------------------------------------------------------------------------------------- uploads, notes, requests
def test_a_photo_that_never_arrived_is_not_asked_for(there, store):
    store.before_put = lambda key: _raise(StorageUnavailable("away"))
    with pytest.raises(StorageUnavailable):
        there.ask()
    store.before_put = lambda key: None
    there.clock.advance(minutes=1)
    there.wait()

    (run,) = there.rows(generations.Generation)
    assert (run.state, run.failure, run.counts) == (RunState.FAILED, "not_stored", False)
    assert there.states(run.id) == [S.FAILED] and not there.provider.keys


def _raise(error):
    raise error


def test_a_photo_that_is_lost_is_not_asked_for(there, store):
    run_id = there.ask(variants=2)
    store.objects.clear()
    there.wait()

    assert there.how(run_id) == ("failed", "upload_lost", RETURNED)
    assert there.provider.asked["submit"] == 0


def test_a_note_that_cannot_be_sent_on_is_refused_with_its_reason(there, store):
    with pytest.raises(NotAllowed, match="somebody else"):
        there.ask(note="like that celebrity")

    assert store.objects == {} and not there.rows(generations.Generation)


def test_the_same_note_is_no_business_of_another_engine(there):
    there.press(svc=there.svc, engine="on_device", note="like that celebrity")


def test_another_run_from_the_same_photo(there):
    first = there.ask()
    there.wait()
    choices = replace(CHOICES, engine="apimart", variants=1)
    second = generations.again(there.svc, ANN, request_id="second", like=first, choices=choices)
    there.wait()

    assert there.how(second) == READY and second != first


def test_the_engine_on_this_server_is_untouched(there, work):
    run_id = there.press(svc=there.svc)
    work()

    assert there.how(run_id) == READY and there.tasks(run_id) == [] and not there.provider.asked


# ------------------------------------------------------------------------------------------------------ telling nobody
def test_no_address_words_or_number_of_a_task_reach_a_log_or_the_audit(there, caplog):
    caplog.set_level("DEBUG")
    there.provider.hand_over = HandOver.UPLOAD
    there.provider.at = raises(at="task", error=EngineUnavailable("https://files.example/secret"))
    there.ask(note="a very personal wish")
    there.wait()

    told = caplog.text + "".join(entry.facts for entry in there.rows(generations.audit.AuditEntry))
    for secret in ("files.example", "personal wish", "task_0", "ref-1"):
        assert secret not in told


# --------------------------------------------------------------------------------------------- comparing with the photo
def test_nobody_who_asks_a_provider_compares_pictures(there):
    """That takes a model and its memory: it is work for a thread of the engine here, when the run is over."""
    run_id = there.ask()
    there.svc.framer.shifts = 1.0
    while (due := there.next_at()) is not None and not there.run(run_id).ended_at:
        there.clock.now = max(due, there.clock.now)
        there.steps((JobKind.PROVIDER,))

    assert there.how(run_id) == READY
    assert [row.shift for row in there.rows(HeadshotRow)] == [None]
    assert JobKind.DRIFT in jobs.ENGINE_WORK and JobKind.DRIFT not in jobs.PROVIDER_WORK
    there.steps(jobs.ENGINE_WORK)
    assert [row.shift for row in there.rows(HeadshotRow)] == [1.0]
    assert not [job for job in there.rows(Job) if job.kind is JobKind.DRIFT]


def test_a_photo_that_goes_with_its_run_is_compared_before(there):
    there.svc.framer.shifts = 1.0
    there.ask(contract=Contract.PROCESS)
    there.wait()

    assert [row.shift for row in there.rows(HeadshotRow)] == [1.0]


def test_what_is_erased_before_it_is_compared_is_not(there):
    run_id = there.ask()
    there.svc.framer.shifts = 1.0
    while (due := there.next_at()) is not None and not there.run(run_id).ended_at:
        there.clock.now = max(due, there.clock.now)
        there.steps((JobKind.PROVIDER,))
    erase_everything(there, run_id)
    there.clock.advance(minutes=10)
    there.steps((*jobs.UPKEEP_WORK, *jobs.ENGINE_WORK))

    assert [row.shift for row in there.rows(HeadshotRow)] == [None]
    assert not [job for job in there.rows(Job) if job.kind is JobKind.DRIFT]
