"""The CSV of usage: for founders' sessions alone, whole months alone, what the page shows, and every one is told."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from core import audit, operators
from core.models import AuditEntry, Role
from core.services import Services
from tests.usage import given
from tests.web.test_staff import ORIGIN, served

ADDRESS = "/ops/usage.csv?from=2026-03&to=2026-03"


@pytest.fixture
def client(svc: Services) -> Iterator[TestClient]:
    with served(svc) as client:
        yield client


@pytest.fixture
def signed_in(svc: Services, client: TestClient) -> Callable[[Role], TestClient]:
    def browser(role: Role) -> TestClient:
        door = operators.make_link(svc, role).url.removeprefix("http://localhost:8501")
        assert client.post(door, headers={"origin": ORIGIN}).status_code == 303
        return client

    return browser


@pytest.fixture(autouse=True)
def visited(svc: Services) -> None:
    given.visits(svc, date(2026, 3, 1), visit=11)
    given.visits(svc, date(2026, 2, 3), visit=3)


def exports(svc: Services) -> list[AuditEntry]:
    with svc.reading() as session:
        told = select(AuditEntry).where(AuditEntry.action == audit.Action.USAGE_EXPORTED)
        return list(session.exec(told).all())


@pytest.mark.parametrize("role", [None, Role.SUPPORT])
def test_for_anybody_but_founders_there_is_nothing(
    svc: Services, client: TestClient, signed_in: Callable[[Role], TestClient], role: Role | None
) -> None:
    answer = (signed_in(role) if role else client).get(ADDRESS)
    assert answer.status_code == 404
    assert "visits" not in answer.text
    assert not exports(svc)


def test_founders_get_one_table_and_it_is_told(svc: Services, signed_in: Callable[[Role], TestClient]) -> None:
    answer = signed_in(Role.FOUNDER).get(f"{ADDRESS}&table=visits_by_day")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "no-store" in answer.headers["cache-control"]
    assert "workshot-usage-visits-by-day-2026-03-2026-03.csv" in answer.headers["content-disposition"]
    assert answer.text.splitlines() == ["when,visits", "2026-03-01,11", "2026-03-02,0"]
    (told,) = exports(svc)
    assert told.actor.startswith("operator:")
    assert told.facts == '{"months":1,"table":"visits_by_day"}'


def test_or_all_of_them_a_line_for_each_number(svc: Services, signed_in: Callable[[Role], TestClient]) -> None:
    answer = signed_in(Role.FOUNDER).get("/ops/usage.csv?from=2026-02&to=2026-03")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert {"table": "key_figures", "row": "visits", "column": "number", "value": "≥ 11"} in lines
    assert {"table": "visits_by_day", "row": "2026-02-03", "column": "visits", "value": "–"} in lines
    assert {"table": "visits_by_day", "row": "2026-03-01", "column": "visits", "value": "11"} in lines


@pytest.mark.parametrize("words", ["", "from=2026-03-01&to=2026-03-02", "from=2026-03&to=2026-02"])
def test_other_ranges_are_refused_with_the_reason(
    svc: Services, signed_in: Callable[[Role], TestClient], words: str
) -> None:
    answer = signed_in(Role.FOUNDER).get(f"/ops/usage.csv?{words}")
    assert answer.status_code == 400
    assert "month" in answer.text
    assert not exports(svc)


def test_there_is_no_other_table(signed_in: Callable[[Role], TestClient]) -> None:
    assert signed_in(Role.FOUNDER).get(f"{ADDRESS}&table=subjects").status_code == 404


def test_what_was_charged_on_each_day_is_told_where_usage_tells_it_and_nowhere_else(
    svc: Services, signed_in: Callable[[Role], TestClient]
) -> None:
    """A headshot has a known price: an exact sum of a day says how many there were."""
    assert signed_in(Role.FOUNDER).get("/ops/spending.csv").status_code == 404
