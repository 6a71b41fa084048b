"""Visits: each step once, never more of a later one, on the day of the visit; forgotten after a day, or behind many."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.usage import words
from core.usage.metrics import STEPS
from core.usage.visits import FORGOTTEN_AFTER, Visits
from tests.conftest import ANN, BOB, on_all_threads
from tests.fakes import NOON

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1"
PIXEL = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"
TAB = "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15"


def steps(cells):
    return [cell.a for cell in cells if cell.metric == "step"]


def test_a_step_counts_once_with_all_before_it():
    visits = Visits()
    assert steps(visits.reach(ANN, "visit", at=NOON)) == ["visit"]
    assert steps(visits.reach(ANN, "checks", at=NOON)) == ["photo", "checks"]
    assert [steps(visits.reach(ANN, step, at=NOON)) for step in ("visit", "photo", "checks")] == [[], [], []]
    assert steps(visits.reach(BOB, "download", at=NOON)) == list(STEPS)


def test_a_step_belongs_to_the_day_of_the_visit():
    visits, late = Visits(), NOON.replace(hour=23, minute=50)
    visits.reach(ANN, "visit", at=late)
    (cell,) = visits.reach(ANN, "photo", at=late + timedelta(minutes=20))
    assert cell.day == late.date()


def test_after_a_day_it_is_another_visit_and_the_old_one_is_out_of_memory():
    visits = Visits()
    visits.reach(ANN, "ready", at=NOON)
    visits.reach(BOB, "visit", at=NOON + timedelta(hours=1))
    assert visits.has_reached(ANN, "checks", NOON + FORGOTTEN_AFTER - timedelta(seconds=1))
    assert not visits.has_reached(ANN, "visit", NOON + FORGOTTEN_AFTER)
    visits.prune(NOON + FORGOTTEN_AFTER)
    assert len(visits) == 1
    assert steps(visits.reach(BOB, "visit", at=NOON + timedelta(hours=25))) == ["visit"]


def test_when_many_come_the_oldest_is_forgotten():
    visits = Visits(most=3)
    for number in range(10):
        visits.reach(f"{number:064}", "visit", at=NOON)
    assert len(visits) == 3
    assert visits.has_reached(f"{9:064}", "visit", NOON)
    assert not visits.has_reached(f"{6:064}", "visit", NOON)


def test_who_says_no_is_forgotten():
    visits = Visits()
    visits.reach(ANN, "visit", at=NOON)
    visits.forget(ANN)
    visits.forget(BOB)
    assert len(visits) == 0


def test_what_is_shown_again_and_again_is_met_once():
    visits = Visits()
    assert [visits.first(ANN, "limit:day", at=NOON) for _ in range(3)] == [True, False, False]
    assert visits.first(BOB, "limit:day", at=NOON)
    assert visits.first(ANN, "limit:day", at=NOON + FORGOTTEN_AFTER)


def test_a_visit_comes_with_a_word_for_machine_and_language():
    visits = Visits()
    seen = [(cell.metric.value, cell.a) for cell in visits.reach(ANN, "photo", at=NOON, user_agent=PIXEL, accepts="de")]
    assert seen == [("step", "visit"), ("step", "photo"), ("visit_device", "phone"), ("visit_language", "de")]


def test_threads_share_one():
    visits = Visits()
    counted = on_all_threads(lambda: steps(visits.reach(ANN, "ready", at=NOON)), times=8)
    assert Counter(step for each in counted for step in each) == dict.fromkeys(STEPS[:5], 1)


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (IPHONE, "phone"), (PIXEL, "phone"), (IPAD, "tablet"), (TAB, "tablet"), (WINDOWS, "computer"),
        (MAC, "computer"), ("", "other"), ("curl/8.5", "other"), ("x" * 100_000, "other"),
    ],
)  # fmt: skip
def test_machines(agent, device):
    assert words.device(agent) == device


@pytest.mark.parametrize(
    ("accepts", "language"),
    [("de-AT,de;q=0.9", "de"), ("en", "en"), ("EN-GB", "en"), ("fr,de;q=0.1", "other"), ("", "other"), ("*", "other")],
)
def test_languages(accepts, language):
    assert words.language(accepts) == language


WALK = st.tuples(st.integers(0, 5), st.sampled_from(STEPS), st.integers(0, 40))


@given(st.lists(WALK, max_size=60))
def test_whatever_people_do_the_funnel_only_narrows_each_day(walks):
    visits, sums, now = Visits(most=4), Counter(), NOON
    for who, step, hours in walks:
        now += timedelta(hours=hours)
        sums.update((cell.day, cell.a) for cell in visits.reach(str(who), step, at=now) if cell.metric == "step")
    for day in {day for day, _ in sums}:
        reached = [sums[day, step] for step in STEPS]
        assert reached == sorted(reached, reverse=True)
