"""The usage page: for founders alone; what was charged, what is left, what nobody knows, and why one is closed."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import operators
from core.models import ProviderTaskState, Role, Spending
from core.ports import HandOver
from core.provider import gate, spending
from core.services import Services
from core.ui import app
from tests.conftest import ANN, BOB
from tests.fakes import FrozenClock
from tests.provider.outsider import Outsider, beside, given_run_of, given_task

PAGE = str(Path(__file__).parents[2] / "pages" / "ops_usage.py")
MAP = str(Path(__file__).parents[2] / "streamlit_app.py")
pytestmark = pytest.mark.sqlite_only("what this page asks is asked of both databases where it is answered")
Opened = Callable[..., AppTest]


@pytest.fixture
def apimart() -> Outsider:
    return Outsider(hand_over=HandOver.INLINE)


@pytest.fixture
def paid(svc: Services, apimart: Outsider) -> Services:
    budgets = {"apimart_daily_budget_usd": 0.5, "apimart_monthly_budget_usd": 10.0}
    return replace(beside(svc, apimart), settings=svc.settings.model_copy(update=budgets))


@pytest.fixture
def opened(svc: Services) -> Iterator[Opened]:
    def look(path: str = PAGE, *, role: Role | None = Role.FOUNDER, services: Services = svc) -> AppTest:
        if role:
            operators.open_link(services, operators.make_link(services, role).url.rpartition("/")[2], ANN)
        app.provide(services)
        page = AppTest.from_file(path, default_timeout=60)
        page.user = {"session": BOB, "staff": ANN if role else None}  # type: ignore[attr-defined]
        return run(page)

    yield look
    app.provide(None)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, [shown.message for shown in page.exception]
    return page


def said(page: AppTest) -> str:
    bodies = (element.proto.body for element in page.get("html"))
    return " ".join(body for body in bodies if "<style>" not in body)


def book(svc: Services, *, ago: int = 0, **sums: Any) -> None:
    day = (svc.clock() - timedelta(days=ago)).replace(hour=0)
    with svc.transaction() as session:
        session.add(Spending(day=day, provider="apimart", model="nano", **sums))


def made(svc: Services, given_copy: Any, number: int) -> None:
    """So many headshots of APIMart that people got."""
    photo = given_copy(ends_in=timedelta(days=9))
    run_id = given_run_of(svc, photo.subject_id, photo.id)
    for variant in range(1, number + 1):
        given_task(svc, run_id, variant, state=ProviderTaskState.KEPT, ended_at=svc.clock())


def fails(svc: Services, times: int, code: str = "unreachable") -> None:
    with svc.transaction() as session:
        for _ in range(times):
            gate.note_failure(session, "apimart", svc.clock(), code)


@pytest.mark.parametrize("role", [None, Role.SUPPORT])
def test_for_anybody_but_founders_the_page_does_not_exist(opened: Opened, paid: Services, role: Role | None) -> None:
    book(paid, charged=12_500, headshots=1)
    page = opened(role=role, services=paid)
    assert "There is nothing here." in said(page)
    assert "APIMart" not in said(page)
    assert not page.dataframe
    with pytest.raises(ValueError, match="ops_usage"):
        opened(MAP, role=role, services=paid).switch_page("pages/ops_usage.py")


def test_founders_have_it_on_their_map(opened: Opened) -> None:
    page = run(opened(MAP).switch_page("pages/ops_usage.py"))
    assert "What making headshots costs" in said(page)


def test_without_a_third_party_nothing_is_charged(opened: Opened) -> None:
    page = opened()
    assert "Everything is made on this server: nothing is charged." in said(page)
    assert "/ops/spending.csv" not in said(page)
    assert not page.dataframe


def test_before_the_first_charge_that_is_said(opened: Opened, paid: Services) -> None:
    page = opened(services=paid)
    assert "Nothing was charged yet." in said(page)
    assert "APIMart is open: it takes new headshots." in said(page)
    assert "it has not said yet" in said(page)
    assert "none is ready yet" in said(page)
    assert not page.dataframe


def test_what_was_charged_stands_beside_its_budgets(
    opened: Opened, paid: Services, given_copy: Any, clock: FrozenClock
) -> None:
    clock.now = clock.now.replace(day=20)
    book(paid, charged=37_500, headshots=3)
    book(paid, ago=2, charged=62_500, headshots=5)
    book(paid, ago=25, charged=1_000_000, headshots=80)
    made(paid, given_copy, 4)
    spending.look_at_balance(paid)
    clock.advance(minutes=3)

    page = opened(services=paid)
    text = said(page)
    assert ">$5.00<" in text and "3 min ago" in text and "low" not in text
    assert ">$0.0375<" in text and "8 % of $0.50</span>" in text
    assert ">$0.10<" in text and "1 % of $10.00</span>" in text
    assert ">$0.025<" in text and "4 ready, 8 charged" in text
    assert "/ops/spending.csv" in text

    (numbers,) = (frame.value for frame in page.dataframe)
    assert list(numbers["day"][:3]) == ["20 Mar", "19 Mar", "18 Mar"] and len(numbers) == 30
    assert list(numbers["charged, USD"][:3]) == [0.0375, 0, 0.0625]
    assert list(numbers["headshots"][:3]) == [3, 0, 5]
    (chart,) = page.get("plotly_chart")
    assert "$1.10 in all, most on 23 Feb with $1.00" in str(chart.proto)


def test_what_nobody_can_know_is_said_with_what_it_may_cost(opened: Opened, paid: Services, clock: FrozenClock) -> None:
    clock.now = clock.now.replace(day=20)
    book(paid, possible=30_000, doubtful=2)
    book(paid, ago=3, possible=15_000, doubtful=1)
    text = said(opened(services=paid))
    doubt = "for 2 headshots today and 3 headshots this month that we could not confirm: up to $0.03 and $0.045."
    assert doubt in text
    assert "6 % of $0.50</span>" in text


def test_a_low_balance_is_said_first_with_what_to_do(opened: Opened, paid: Services, apimart: Outsider) -> None:
    apimart.left = 400_000
    spending.look_at_balance(paid)
    text = said(opened(services=paid))
    assert (
        "$0.40 is left at APIMart." in text and "That is less than $1.00." in text and "Top it up at APIMart." in text
    )
    assert "low, 0 s ago" in text


def test_closed_says_why_and_until_when(opened: Opened, paid: Services, clock: FrozenClock) -> None:
    fails(paid, 2)
    text = said(opened(services=paid))
    assert "It has failed 2 times in a row, lately because it could not be reached." in text
    fails(paid, 3, "provider_balance")
    text = said(opened(services=paid))
    assert "APIMart is closed until 2 Mar, 12:02" in text
    assert "it has failed 5 times in a row, lately because it says that our balance is used up." in text
    clock.advance(minutes=2)
    assert "is being tried again" in said(opened(services=paid))


def test_a_budget_without_room_for_one_more_closes_it(opened: Opened, paid: Services) -> None:
    book(paid, charged=490_000, headshots=40)
    text = said(opened(services=paid))
    assert "APIMart is closed until 3 Mar, 00:00" in text
    assert "the $0.50 that may be spent today leave no room for one more headshot." in text
    assert "98 % of $0.50</span>" in text


def test_what_it_cost_stays_known_when_it_is_no_longer_set_up(opened: Opened, svc: Services) -> None:
    book(svc, charged=12_500, headshots=1)
    text = said(opened())
    assert "APIMart is no longer set up." in text
    assert ">$0.0125<" in text and "no budget is set" in text
