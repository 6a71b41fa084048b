"""The CSV of what third parties charged: for founders' sessions alone, sums only, and every one is told."""

from collections.abc import Callable, Iterator

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from core import audit, operators
from core.models import AuditEntry, Role, Spending
from core.services import Services
from tests.web.test_staff import ORIGIN, served

ADDRESS = "/ops/spending.csv"


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
def charged(svc: Services) -> None:
    day = svc.clock().replace(hour=0)
    with svc.transaction() as session:
        session.add(Spending(day=day, provider="apimart", model="nano", charged=12_500, headshots=1))


def exports(svc: Services) -> list[AuditEntry]:
    with svc.reading() as session:
        told = select(AuditEntry).where(AuditEntry.action == audit.Action.SPENDING_EXPORTED)
        return list(session.exec(told).all())


@pytest.mark.parametrize("role", [None, Role.SUPPORT])
def test_for_anybody_but_founders_there_is_nothing(
    svc: Services, client: TestClient, signed_in: Callable[[Role], TestClient], role: Role | None
) -> None:
    answer = (signed_in(role) if role else client).get(ADDRESS)
    assert answer.status_code == 404
    assert "apimart" not in answer.text
    assert not exports(svc)


def test_founders_get_all_that_was_booked_and_it_is_told(
    svc: Services, signed_in: Callable[[Role], TestClient]
) -> None:
    answer = signed_in(Role.FOUNDER).get(ADDRESS)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "no-store" in answer.headers["cache-control"]
    assert "workshot-spending-" in answer.headers["content-disposition"]
    assert answer.text.splitlines() == [
        "day,provider,model,charged_usd,headshots,possible_usd,doubtful",
        "2026-03-02,apimart,nano,0.012500,1,0.000000,0",
    ]
    (told,) = exports(svc)
    assert told.actor.startswith("operator:")
