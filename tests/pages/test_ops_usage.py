"""The usage page: for founders alone; nothing yet, too few to show, much, a demo; and how third parties stand."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import operators
from core.models import Role, Spending, UsageCount
from core.ports import HandOver
from core.provider import gate, spending
from core.services import Services
from core.ui import app
from core.usage.metrics import Metric
from core.usage.periods import later
from core.usage.publishing import Shown
from tests.conftest import ANN, BOB
from tests.fakes import FrozenClock
from tests.provider.outsider import Outsider, beside
from tests.usage.made import write

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
    def look(path: str = PAGE, *, role: Role | None = Role.FOUNDER, services: Services = svc, **words: str) -> AppTest:
        if role:
            operators.open_link(services, operators.make_link(services, role).url.rpartition("/")[2], ANN)
        app.provide(services)
        page = AppTest.from_file(path, default_timeout=60)
        page.user = {"session": BOB, "staff": ANN if role else None}  # type: ignore[attr-defined]
        for name, word in words.items():
            page.query_params[name] = word
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
        session.add(Spending(day=day, provider="apimart", **{"model": "nano", **sums}))


def fails(svc: Services, times: int, code: str = "unreachable") -> None:
    with svc.transaction() as session:
        for _ in range(times):
            gate.note_failure(session, "apimart", svc.clock(), code)


def counts(svc: Services, first: date | None = None, *, times: int = 1) -> dict[tuple[date, Metric, str, str], int]:
    """A month of a busy house, on its second day; `times` as much."""
    day = (first or svc.clock().date().replace(day=1)) + timedelta(days=1)
    steps = dict(
        zip(("visit", "photo", "checks", "generate", "ready", "download"), (90, 70, 65, 60, 50, 40), strict=True)
    )
    found = {(day, Metric.STEP, step, ""): n for step, n in steps.items()}
    for outcome, n in (("ready", 51), ("cancelled", 9), ("no_person", 7)):
        found[day, Metric.RUN, "on_device", outcome] = n
    for bucket, n in (("8", 30), ("15", 21)):
        found[day, Metric.TOOK, "on_device", bucket] = n
    found |= {(day, Metric.RUN_STYLE, style, ""): n for style, n in (("studio", 55), ("mono", 12))}
    found |= {(day, Metric.RUN_PURPOSE, "resume", ""): 67, (day, Metric.RUN_CONTRACT, "7d", ""): 67}
    found |= {(day, Metric.HEADSHOT, "on_device", ""): 153, (day, Metric.VISIT_DEVICE, "phone", ""): 90}
    return {cell: n * times for cell, n in found.items()}


def drawn(page: AppTest) -> list[Mapping[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def alts(page: AppTest) -> str:
    return " ".join(chart.proto.alt for chart in page.get("plotly_chart"))


# ------------------------------------------------------------------------------------------------------------ for whom
@pytest.mark.parametrize("role", [None, Role.SUPPORT])
def test_for_anybody_but_founders_the_page_does_not_exist(opened: Opened, svc: Services, role: Role | None) -> None:
    write(svc, counts(svc))
    page = opened(role=role)
    assert "There is nothing here." in said(page)
    assert "Visits" not in said(page)
    assert not drawn(page)
    with pytest.raises(ValueError, match="ops_usage"):
        opened(MAP, role=role).switch_page("pages/ops_usage.py")


def test_founders_have_it_on_their_map(opened: Opened) -> None:
    assert "<h1>Usage</h1>" in said(run(opened(MAP).switch_page("pages/ops_usage.py")))


# --------------------------------------------------------------------------------------------------------- four states
def test_a_new_house_says_that_nothing_was_counted_and_draws_nothing(opened: Opened) -> None:
    page = opened()
    assert "Nothing was counted yet in March 2026." in said(page)
    assert "not counted at all. How many those are, nobody knows" in said(page)
    assert "Everything is made on this server: nothing is charged." in said(page)
    assert not drawn(page)


def test_what_was_counted_is_drawn_said_and_stands_in_tables(opened: Opened, svc: Services) -> None:
    write(svc, counts(svc))
    page = opened()
    text = said(page)
    assert ">90</p>" in text and ">153</p>" in text
    assert "Visit 90 100 % 20 stop here, Photo added 70" in alts(page)
    assert "Ready On this server 51, Cancelled On this server 9, No person On this server 7." in alts(page)
    assert 'href="/ops/usage.csv?from=2026-03&amp;to=2026-03&amp;table=funnel"' in text
    assert len(drawn(page)) == text.count("data-ws-title=") == text.count('role="region"') == 3
    assert "ws-hidden" not in text
    choices = said(opened(show="choices"))
    assert "<td>55</td>" in choices and "Black and white" in choices


def test_so_few_that_nothing_may_be_shown_are_hatched_everywhere(opened: Opened, svc: Services) -> None:
    few = dict.fromkeys(counts(svc), 4)
    write(svc, few)
    page = opened()
    text = said(page)
    assert "&lt;5" in text and "ws-hidden" in text
    assert Shown(None, "beneath").why_hidden in text
    assert "<td>4</td>" not in text and ">4</p>" not in text
    for figure in drawn(page):
        for trace in figure["data"]:
            told = [str(value) for part in ("customdata", "text") for value in trace.get(part) or ()]
            assert not [value for value in told if " 4 " in f" {value} "], told
    hatched = [trace["marker"]["pattern"] for figure in drawn(page) for trace in figure["data"]
               if "pattern" in trace.get("marker", {})]  # fmt: skip
    assert any("/" in pattern["shape"] for pattern in hatched)


def test_a_demo_is_shown_alone_and_named(opened: Opened, svc: Services) -> None:
    write(svc, counts(svc))
    with svc.transaction() as session:
        day = svc.clock().date()
        session.add(UsageCount(demo=True, day=day, metric=Metric.STEP, a="visit", b="", n=777))
    text = said(opened())
    assert "Demo data, not what happened here." in text
    assert ">777</p>" in text and ">90</p>" not in text
    assert 'Demo data, not what happened here."' in text  # in the picture of a chart, too


# ------------------------------------------------------------------------------------------------------- which period
def test_the_period_is_in_the_address_and_in_the_controls(opened: Opened, svc: Services) -> None:
    this = svc.clock().date().replace(day=1)
    write(svc, counts(svc, later(this, -1), times=2))
    page = opened(**{"from": "2026-01", "to": "2026-02"})
    assert "January to February 2026" in said(page) and "Compared with November to December 2025" in said(page)
    assert ">180</p>" in said(page)
    assert page.session_state["usage-first"] == date(2026, 1, 1)
    assert page.session_state["usage-preset"] is None

    page.button("usage-later").click()
    run(page)
    assert page.query_params["from"] in ("2026-02", ["2026-02"]) and page.query_params["to"] in ("2026-03", ["2026-03"])
    assert page.button("usage-later").disabled

    page.segmented_control("usage-preset").set_value("12 months")
    run(page)
    assert "April 2025 to March 2026" in said(page)


def test_the_months_picked_are_the_period_whichever_way_round(opened: Opened) -> None:
    page = opened()
    page.selectbox("usage-first").set_value(date(2025, 11, 1))
    run(page)
    assert "November 2025 to March 2026" in said(page)
    page.selectbox("usage-last").set_value(date(2025, 9, 1))
    run(page)
    assert "September to November 2025" in said(page)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"from": "2026-03-04", "to": "2026-03"}, "Usage is told in whole months"),
        ({"from": "2026-03", "to": "2026-01"}, "The first month comes after the last one."),
        ({"from": "2027-01"}, "That month has not begun."),
        ({"to": "2026-02"}, "Usage is told in whole months"),
    ],
)
def test_a_period_that_would_tell_too_much_is_refused_with_a_sentence(
    opened: Opened, words: dict[str, str], says: str
) -> None:
    text = said(opened(**words))
    assert says in text and "<h2>March 2026</h2>" in text


def test_one_question_at_a_time_and_it_is_in_the_address(opened: Opened, svc: Services) -> None:
    write(svc, counts(svc))
    page = opened(show="fast")
    assert "Time to the headshots, March 2026: On this server" in alts(page) and "From visit to download" not in said(
        page
    )
    page.button_group("usage-question").set_value("choices")
    run(page)
    assert "Hours of the week" in said(page)
    assert '<h3 class="ws-chart-title">Visits</h3>' in said(opened(show="nothing known"))


def test_one_engine_alone(opened: Opened, svc: Services, paid: Services) -> None:
    day = svc.clock().date()
    theirs = {(day, Metric.RUN, "apimart", "ready"): 30, (day, Metric.HEADSHOT, "apimart", ""): 120}
    write(svc, counts(svc) | theirs)
    assert ">273</p>" in said(opened(services=paid))
    page = opened(services=paid, engine="apimart")
    assert ">120</p>" in said(page) and "Ready APIMart 30" in alts(page)
    assert "Ready On this server" not in alts(page)
    assert "&amp;engine=apimart&amp;table=outcomes" in said(page)
    page.selectbox("usage-engine").set_value("")
    run(page)
    assert ">273</p>" in said(page) and "engine" not in page.query_params
    assert ">273</p>" in said(opened(services=paid, engine="nobody"))


# ------------------------------------------------------------------------------------------------ how providers stand
def test_before_the_first_charge_a_provider_is_said_to_be_open(opened: Opened, paid: Services) -> None:
    text = said(opened(services=paid))
    assert "APIMart is open: it takes new headshots." in text
    assert "it has not said yet" in text
    assert "/ops/spending.csv" not in text


def test_budgets_are_told_in_quarters_and_balances_in_dollars_never_what_a_few_have_cost(
    opened: Opened, paid: Services, clock: FrozenClock
) -> None:
    clock.now = clock.now.replace(day=20)
    book(paid, charged=212_500, headshots=17)
    book(paid, ago=2, charged=62_500, headshots=5)
    spending.look_at_balance(paid)
    clock.advance(minutes=3)
    text = said(opened(services=paid))
    assert ">about $5<" in text and "3 min ago" in text
    assert ">a quarter to a half<" in text and "of $0.50 for today" in text
    assert ">under a quarter<" in text and "of $10.00 for this month" in text
    for exact in ("0.2125", "0.0625", "0.275", "42 %", ">17<", "17 headshots", "22 headshots"):
        assert exact not in text


def test_a_budget_so_small_that_a_quarter_of_it_is_a_few_headshots_says_only_when_it_is_used_up(
    opened: Opened, paid: Services
) -> None:
    tight = replace(paid, settings=paid.settings.model_copy(update={"apimart_daily_budget_usd": 0.1}))
    book(tight, charged=40_000, headshots=3)
    assert "too few to say how much" in said(opened(services=tight))
    book(tight, ago=0, model="other", charged=70_000, headshots=5)
    assert ">all<" in said(opened(services=tight))


@pytest.mark.parametrize(
    ("doubtful", "says"), [(3, "fewer than 5 headshots this month"), (6, "6 headshots this month")]
)
def test_what_nobody_can_know_is_said_and_a_few_are_not_counted_out(
    opened: Opened, paid: Services, doubtful: int, says: str
) -> None:
    book(paid, possible=15_000 * doubtful, doubtful=doubtful)
    text = said(opened(services=paid))
    assert f"for {says} that we could not confirm" in text
    assert ("$0.09" in text) is (doubtful == 6) and "$0.045" not in text


def test_a_low_balance_is_said_first_with_what_to_do(opened: Opened, paid: Services, apimart: Outsider) -> None:
    apimart.left = 400_000
    spending.look_at_balance(paid)
    text = said(opened(services=paid))
    assert "Less than $1.00 is left at APIMart." in text and "Top it up at APIMart." in text
    assert ">under $1<" in text and "low, 0 s ago" in text and "0.40" not in text


def test_closed_says_why_and_until_when(opened: Opened, paid: Services, clock: FrozenClock) -> None:
    fails(paid, 2)
    text = said(opened(services=paid))
    assert "It has failed, lately because it could not be reached." in text
    fails(paid, 3, "provider_balance")
    text = said(opened(services=paid))
    assert "APIMart is closed until 2 Mar, 12:02" in text
    assert "it has failed, lately because it says that our balance is used up." in text
    clock.advance(minutes=2)
    assert "is being tried again" in said(opened(services=paid))


def test_a_budget_without_room_for_one_more_closes_it(opened: Opened, paid: Services) -> None:
    book(paid, charged=490_000, headshots=40)
    text = said(opened(services=paid))
    assert "APIMart is closed until 3 Mar, 00:00" in text
    assert "the $0.50 that may be spent today leave no room for one more headshot." in text
    assert ">over three quarters<" in text


def test_a_provider_that_is_no_longer_set_up_is_still_told_of(opened: Opened, svc: Services) -> None:
    book(svc, charged=12_500, headshots=1)
    text = said(opened())
    assert "APIMart is no longer set up." in text and "no budget is set" in text
    assert "0.0125" not in text
