"""The gate: a provider that is away, too dear or too busy is not asked, by no worker."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Busy, EngineUnavailable, InDoubt, NotAllowed, NotTaken
from core.models import Consent, Generation, ProviderHealth, ProviderTaskState
from core.provider import gate, spending
from tests.conftest import on_all_threads
from tests.provider.test_runs import raises

S = ProviderTaskState


@pytest.fixture
def closed(there):
    def ask(**more):
        with there.svc.reading() as session:
            return gate.is_closed(session, there.provider, there.clock(), there.svc.settings, **more)

    return ask


@pytest.fixture
def wait(there):
    def ask():
        with there.svc.reading() as session:
            return gate.may_send(session, there.provider, there.svc.settings, there.clock())

    return ask


@pytest.fixture
def fails(there):
    def note(times=1):
        for _ in range(times):
            with there.svc.transaction() as session:
                gate.note_failure(session, "apimart", there.clock(), "unreachable")

    return note


@pytest.fixture
def well(there):
    def note():
        with there.svc.transaction() as session:
            gate.note_success(session, "apimart", there.clock())

    return note


# ---------------------------------------------------------------------------------------------------------- the breaker
def test_a_provider_that_nobody_has_heard_of_is_open(closed, wait):
    assert closed() is None and wait() is None


def test_after_some_failures_in_a_row_it_is_left_alone(closed, wait, fails, there):
    fails(gate.FAILURES - 1)
    assert closed() is None
    fails()
    assert closed() == gate.AWAY and wait() == gate.CLOSED_FIRST
    there.clock.advance(seconds=119)
    assert wait() == timedelta(seconds=1)
    there.clock.advance(seconds=1)
    assert closed() is None and wait() is None


def test_one_answer_in_between_and_it_is_well(closed, fails, well):
    fails(gate.FAILURES - 1)
    well()
    fails(gate.FAILURES - 1)
    assert closed() is None


def test_one_answer_opens_it_again(closed, fails, well):
    fails(gate.FAILURES)
    well()
    assert closed() is None


def test_it_is_left_alone_for_longer_each_time(wait, fails, there):
    fails(gate.FAILURES)
    waits = []
    for _ in range(6):
        waits.append(wait())
        there.clock.now += waits[-1]
        fails()
    minutes = [each.total_seconds() / 60 for each in waits]
    assert minutes == [2, 4, 8, 16, 30, 30]


def test_what_was_on_its_way_when_it_closed_makes_it_no_worse(wait, fails, there):
    fails(gate.FAILURES)
    there.clock.advance(seconds=10)
    fails(20)
    assert wait() == gate.CLOSED_FIRST - timedelta(seconds=10)


def test_failures_at_once_are_all_counted(there, fails):
    on_all_threads(fails, times=4)
    (health,) = there.rows(ProviderHealth)
    assert (health.failures, health.failure) == (4, "unreachable")


@pytest.mark.parametrize(
    ("at", "error", "counts"),
    [
        ("submit", NotTaken("?", code="unreachable"), True),
        ("submit", NotTaken("?", code="rate_limited"), False),
        ("submitted", InDoubt("?"), True),
        ("task", EngineUnavailable("?"), True),
        ("task", NotTaken("?", code="rate_limited"), False),
        ("fetch", EngineUnavailable("?"), True),
    ],
)
def test_what_counts_as_a_failure(there, at, error, counts):
    there.provider.takes = 0
    there.provider.at = raises(at=at, error=error)
    there.ask()
    there.steps()
    if at in ("task", "fetch"):
        there.clock.advance(seconds=5)
        there.steps()
    assert [health.failures for health in there.rows(ProviderHealth)] == ([1] if counts else [])


def test_a_run_that_is_on_its_way_waits_until_it_opens(there, fails):
    run_id = there.ask()
    fails(gate.FAILURES)
    there.wait()
    assert there.how(run_id)[0] == "ready"
    assert there.tasks(run_id)[0].sent_at >= there.run(run_id).created_at + gate.CLOSED_FIRST


def test_a_run_that_would_wait_too_long_is_given_up(there, fails):
    run_id = there.ask()
    fails(gate.FAILURES)
    there.clock.advance(minutes=2)
    for _ in range(4):
        fails()
        there.clock.advance(minutes=2)
    there.wait()
    assert there.how(run_id) == ("failed", "provider_away", False)
    assert not there.provider.keys


def test_what_it_has_taken_is_waited_for_also_while_it_is_closed(there, fails):
    run_id = there.ask()
    there.steps()
    fails(gate.FAILURES)
    there.wait()
    assert there.how(run_id)[0] == "ready"
    assert [health.closed_until for health in there.rows(ProviderHealth)] == [None]


# ------------------------------------------------------------------------------------------------------- before a run
def nothing_is_stored(there, store):
    return not store.objects and not there.rows(Generation) and not there.rows(Consent)


def test_a_new_run_is_refused_before_anything_is_stored(there, store, fails):
    fails(gate.FAILURES)
    with pytest.raises(Busy, match=r"APIMart is not answering.*Nothing of yours was stored") as refusal:
        there.ask()
    assert refusal.value.code == "provider_away"
    assert nothing_is_stored(there, store)


def test_the_engine_on_this_server_stays_open(there, fails):
    fails(gate.FAILURES)
    there.press(svc=there.svc)


@pytest.mark.parametrize(
    ("cap", "code", "words"),
    [
        ("apimart_daily_budget_usd", "provider_budget_day", "until midnight UTC"),
        ("apimart_monthly_budget_usd", "provider_budget_month", "first of the month"),
    ],
)
def test_over_the_budget_a_new_run_is_refused(there, store, cap, code, words):
    there.set(**{cap: 0.05})  # three at 0.015
    first = there.ask(variants=3)
    store.objects.clear()
    with pytest.raises(NotAllowed, match=words) as refusal:
        there.ask()
    assert refusal.value.code == code and not store.objects
    assert [run.id for run in there.rows(Generation)] == [first]


def test_a_run_that_would_pass_the_budget_is_refused_as_a_whole(there, closed):
    there.set(apimart_daily_budget_usd=0.05)
    assert closed(more=3) is None and closed(more=4) == gate.BUDGET_DAY


def test_without_caps_nothing_is_too_dear(there, closed):
    assert closed(more=1_000_000) is None


def test_what_is_booked_and_what_may_have_been_charged_both_count(there, closed):
    there.set(apimart_daily_budget_usd=0.03)
    run_id = there.ask()
    there.wait()  # 0.0125 charged
    (task,) = there.tasks(run_id)
    assert closed(more=1) is None
    with there.svc.transaction() as session:
        spending.doubt(session, task, there.clock(), 15_000)
    assert closed() is None and closed(more=1) == gate.BUDGET_DAY


@pytest.mark.parametrize(("later", "code"), [({"hours": 12}, None), ({"hours": 11, "minutes": 59}, gate.BUDGET_DAY)])
def test_the_day_ends_at_midnight_utc(there, closed, later, code):
    there.set(apimart_daily_budget_usd=0.01)
    there.set(apimart_daily_budget_usd=0.015)
    there.provider.cost = 15_000
    there.ask()
    there.wait()
    there.clock.now = there.clock.now.replace(hour=12, minute=0, second=0)
    there.clock.advance(**later)
    assert closed() == code


def test_the_month_ends_with_its_last_day(there, closed):
    there.set(apimart_monthly_budget_usd=0.015)
    there.provider.cost = 15_000
    there.ask()
    there.wait()
    there.clock.advance(days=29)  # 31 March
    assert closed() == gate.BUDGET_MONTH
    there.clock.advance(days=1)
    assert closed() is None


def test_many_who_press_at_once_do_not_pass_the_budget(there):
    there.set(apimart_daily_budget_usd=0.05)
    who = iter("abcdefgh")

    def press():
        try:
            return there.ask(who=next(who) * 64)
        except NotAllowed:
            return None

    taken = [each for each in on_all_threads(press, times=8) if each]
    assert len(taken) == 3


def test_what_a_run_costs_more_than_listed_ends_what_was_not_sent_yet(there):
    there.set(apimart_daily_budget_usd=0.1)
    there.provider.at_once, there.provider.cost = False, 100_000
    first = there.ask()
    second = there.ask(who="b" * 64)
    there.set(apimart_at_once=1)
    there.wait()
    assert there.how(first)[0] == "ready"
    assert there.how(second) == ("failed", "provider_budget", False)


def test_a_run_whose_photo_never_arrived_takes_no_budget(there, closed, store):
    there.set(apimart_daily_budget_usd=0.015)
    store.down = True
    with pytest.raises(Exception, match="vault"):
        there.ask()
    assert closed(more=1) is None


# ------------------------------------------------------------------------------------------------------------- limits
def test_so_many_at_once_and_no_more(there):
    there.set(apimart_at_once=3)
    runs = [there.ask(who=str(number) * 64, variants=2) for number in range(4)]
    there.steps()
    assert len(there.provider.keys) == 3
    there.clock.advance(seconds=6)
    there.steps()
    assert len(there.provider.keys) == 3, "they are still at work"
    there.wait()
    assert [there.how(run)[0] for run in runs] == ["ready"] * 4
    assert max(_at_work(there.provider)) <= 3


def _at_work(provider):
    """How many were at work there whenever one was taken."""
    starts = sorted(provider.taken_at.values())
    takes = timedelta(seconds=provider.takes)
    for start in starts:
        yield sum(other <= start < other + takes for other in starts)


def test_so_many_in_a_minute_and_no_more(there):
    there.set(apimart_per_minute=2)
    there.provider.takes = 1
    runs = [there.ask(who=str(number) * 64) for number in range(5)]
    began_at = there.clock()
    there.wait()
    assert [there.how(run)[0] for run in runs] == ["ready"] * 5
    starts = sorted(there.provider.taken_at.values())
    assert all(later - earlier >= gate.WINDOW for earlier, later in zip(starts, starts[2:], strict=False))
    assert starts[-1] - began_at < timedelta(minutes=4.1)


def test_workers_at_once_do_not_pass_the_limit(there):
    """Each asks and counts itself while no other may."""
    from core import jobs

    there.set(apimart_at_once=2)
    for number in range(6):
        there.ask(who=str(number) * 64)
    workers = iter([jobs.Worker(there.svc) for _ in range(4)])

    def work():
        worker = next(workers)
        while worker.look(("provider",)):
            pass

    on_all_threads(work, times=4)
    assert len(there.provider.keys) == 2


def test_other_providers_have_limits_of_their_own(there, wait):
    there.set(apimart_at_once=1)
    there.ask()
    there.steps()
    assert wait() == gate.A_MOMENT
    other = replace(there)
    other.provider.name = "another"
    assert wait() is None


# ------------------------------------------------------------------------------------------------------------ sentences
@pytest.mark.parametrize("code", [gate.AWAY, gate.BUDGET_DAY, gate.BUDGET_MONTH])
def test_each_code_is_a_sentence_with_a_way_out(code):
    said = gate.says(code, "APIMart")
    assert said.startswith("APIMart") and "choose another engine" in said


# -------------------------------------------------------------------------------------------------- for who looks after
@pytest.fixture
def stand(there):
    def ask():
        with there.svc.reading() as session:
            return gate.stand(session, there.provider, there.clock(), there.svc.settings)

    return ask


def test_how_it_stands_is_told_with_what_is_under_way(there, stand, fails):
    assert stand() == gate.Stand(None, None, 0, None, 0, 0)
    there.ask(variants=2)
    fails(2)
    assert stand() == gate.Stand(None, None, 2, "unreachable", 2, 30_000)
    fails(3)
    assert stand() == gate.Stand(gate.AWAY, there.clock() + gate.CLOSED_FIRST, 5, "unreachable", 2, 30_000)


@pytest.mark.parametrize("budget", [gate.BUDGET_DAY, gate.BUDGET_MONTH])
@pytest.mark.parametrize("last_day_of_the_year", [False, True])
def test_a_budget_says_when_it_begins_anew(there, stand, budget, last_day_of_the_year):
    cap = "apimart_daily_budget_usd" if budget == gate.BUDGET_DAY else "apimart_monthly_budget_usd"
    there.set(**{cap: 0.01})
    begins = {gate.BUDGET_DAY: datetime(2026, 3, 3, tzinfo=UTC), gate.BUDGET_MONTH: datetime(2026, 4, 1, tzinfo=UTC)}
    if last_day_of_the_year:
        there.clock.now = there.clock.now.replace(month=12, day=31)
        begins = dict.fromkeys(begins, datetime(2027, 1, 1, tzinfo=UTC))
    assert (stand().closed, stand().until) == (budget, begins[budget])
