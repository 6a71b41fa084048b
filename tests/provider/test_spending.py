"""What is booked: once, by day and model, and what may have been charged apart from what was."""

from datetime import timedelta

import pytest

from core.errors import EngineUnavailable
from core.models import ProviderHealth, Spending
from core.ports import TaskState
from core.provider import spending
from core.provider.spending import Sum
from tests.conftest import on_all_threads
from tests.provider.test_runs import raises


@pytest.fixture
def task(there):
    """A task that is over, and what it is made to have cost is booked by hand."""
    run_id = there.ask()
    there.wait()
    (task,) = there.tasks(run_id)
    return task


@pytest.fixture
def book(there):
    def add(deed, task, *more):
        with there.svc.transaction() as session:
            deed(session, task, there.clock(), *more)

    return add


@pytest.fixture
def spent(there):
    def ask():
        with there.svc.reading() as session:
            return spending.spent(session, "apimart", there.clock())

    return ask


def test_nothing_is_nothing(spent):
    assert spent().day == spent().month == Sum()


def test_a_charge_and_a_doubt_are_told_apart(task, book, spent):
    task.cost = 1_000
    book(spending.charge, task)
    book(spending.doubt, task, 15_000)

    assert spent().day == Sum(charged=13_500, headshots=2, possible=15_000, doubtful=1)
    assert spent().day.at_most == 28_500


def test_days_and_months_are_those_of_utc(task, there, spent):
    there.clock.now = there.clock.now.replace(hour=23, minute=59, second=59)
    assert spent().day.charged == 12_500
    there.clock.advance(seconds=1)
    assert (spent().day.charged, spent().month.charged) == (0, 12_500)
    there.clock.advance(days=40)
    assert spent().month == Sum()


def test_charges_at_once_are_all_booked(task, book, spent):
    on_all_threads(lambda: book(spending.charge, task), times=6)
    assert spent().day == Sum(charged=7 * 12_500, headshots=7)


def test_by_day_and_model(task, there, book):
    started_at = there.clock()
    there.clock.advance(days=1)
    book(spending.charge, task)
    task.model = "drawing-2"
    book(spending.charge, task)
    with there.svc.reading() as session:
        days = spending.by_day(session, "apimart", start=started_at)
    assert [(row.day.day, row.model, row.charged) for row in days] == [
        (3, "drawing-1", 12_500),
        (3, "drawing-2", 12_500),
        (2, "drawing-1", 12_500),
    ]


def test_every_day_is_told_also_those_without_a_charge(task, there, book):
    started_at = there.clock()
    there.clock.advance(days=2)
    task.cost = 1_000
    book(spending.charge, task)
    task.model = "drawing-2"
    book(spending.doubt, task, 15_000)
    task.provider = "another"
    book(spending.charge, task)
    with there.svc.reading() as session:
        days = spending.days(session, "apimart", start=started_at, now=there.clock())
        assert spending.ever_charged(session) == ["another", "apimart"]
    assert [(one.day.day, one.sum) for one in days] == [
        (2, Sum(charged=12_500, headshots=1)),
        (3, Sum()),
        (4, Sum(charged=1_000, headshots=1, possible=15_000, doubtful=1)),
    ]


def test_ready_are_those_that_people_got_this_month(there):
    def ready():
        with there.svc.reading() as session:
            return spending.ready_this_month(session, "apimart", there.clock())

    there.clock.now = there.clock.now.replace(day=31)
    assert ready() == 0
    there.ask(variants=2)
    there.wait()
    there.provider.ends = TaskState.FAILED
    there.ask()
    there.wait()
    assert ready() == 2
    there.clock.advance(days=1)
    assert ready() == 0


@pytest.mark.sqlite_only("nothing is asked of a database")
@pytest.mark.parametrize(
    ("amount", "says"),
    [(0, "$0.00"), (12_500, "$0.0125"), (500_000, "$0.50"), (1_234_567_890, "$1,234.5679"), (49, "under $0.0001"),
     (50, "$0.0001"), (-250_000, "-$0.25"), (-10, "$0.00"), (999_999, "$1.00")],
)  # fmt: skip
def test_sums_are_said_in_dollars(amount, says):
    assert spending.dollars(amount) == says


def test_a_row_has_nothing_of_anyone():
    assert set(Spending.model_fields) == {
        "day",
        "provider",
        "model",
        "charged",
        "headshots",
        "possible",
        "doubtful",
    }


@pytest.fixture
def balance(there):
    def ask():
        with there.svc.reading() as session:
            return spending.balance(session, "apimart", there.svc.settings)

    return ask


def test_a_balance_is_asked_and_told(there, balance):
    assert balance() is None
    spending.look_at_balance(there.svc)
    assert (balance().amount, balance().asked_at, balance().is_low) == (5_000_000, there.clock(), False)
    there.set(apimart_balance_warning_usd=5.01)
    assert balance().is_low


def test_a_balance_without_limit_is_never_low(there, balance):
    there.provider.balance = lambda: None
    spending.look_at_balance(there.svc)
    assert (balance().amount, balance().is_low) == (None, False)


def test_a_balance_that_is_not_told_changes_nothing(there, balance):
    spending.look_at_balance(there.svc)
    asked_at = there.clock()
    there.clock.advance(minutes=10)
    there.provider.at = raises(at="balance", error=EngineUnavailable("sk-secret"), times=None)
    spending.look_at_balance(there.svc)
    assert balance().asked_at == asked_at


def test_a_balance_leaves_the_breaker_alone(there, balance):
    from core.provider import gate

    with there.svc.transaction() as session:
        for _ in range(gate.FAILURES):
            gate.note_failure(session, "apimart", there.clock(), "away")
    spending.look_at_balance(there.svc)
    (health,) = there.rows(ProviderHealth)
    assert health.failures == gate.FAILURES and health.closed_until == there.clock() + timedelta(minutes=2)
