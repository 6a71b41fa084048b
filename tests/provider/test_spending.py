"""What is booked: once, by day and model, and what may have been charged apart from what was."""

from datetime import timedelta

import pytest

from core.errors import EngineUnavailable
from core.models import ProviderHealth, Spending
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


def test_whoever_ever_charged_is_known(task, there, book):
    book(spending.charge, task)
    task.provider = "another"
    book(spending.charge, task)
    with there.svc.reading() as session:
        assert spending.ever_charged(session) == ["another", "apimart"]


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
