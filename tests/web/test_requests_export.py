"""The CSV of the desk: for operators' sessions alone, numbers and clocks only, and every one is told."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from core import audit, operators, requests
from core.models import AuditEntry, RequestChannel, RequestKind, RequestState, Role
from core.requests import Filter, Ticket, export
from core.services import Services
from core.sla import Standing
from tests.web.test_staff import ORIGIN, served

OPEN = "/ops/requests.csv"
ACTOR = "operator:0a1b2c3d"


@pytest.fixture
def client(svc: Services) -> Iterator[TestClient]:
    with served(svc) as client:
        yield client


@pytest.fixture
def operator(svc: Services, client: TestClient) -> TestClient:
    """A browser that is signed in."""
    door = operators.make_link(svc, Role.SUPPORT).url.removeprefix("http://localhost:8501")
    assert client.post(door, headers={"origin": ORIGIN}).status_code == 303
    return client


@pytest.fixture
def tickets(svc: Services) -> list[Ticket]:
    """The most urgent first; the third is closed."""
    entered = [
        requests.open_by_hand(
            svc,
            kind=kind,
            received_at=svc.clock() - timedelta(hours=hours),
            actor=ACTOR,
            address="ann@example.org",
            words="All of it, please.",
        )
        for hours, kind in ((50, RequestKind.ERASE), (1, RequestKind.COPY), (3, RequestKind.ERASE))
    ]
    requests.withdraw(svc, entered[-1].id, actor=ACTOR)
    return entered


def numbers(text: str) -> list[str]:
    header, *rows = csv.reader(io.StringIO(text))
    assert tuple(header) == export.COLUMNS
    return [row[0] for row in rows]


def test_without_an_operators_session_there_is_nothing(client: TestClient, tickets: list[Ticket]) -> None:
    answer = client.get(OPEN)
    assert answer.status_code == 404
    assert tickets[0].number not in answer.text


def test_it_holds_what_the_desk_shows_and_says_who_took_it(
    svc: Services, operator: TestClient, tickets: list[Ticket]
) -> None:
    answer = operator.get(OPEN)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "no-store" in answer.headers["cache-control"]
    assert numbers(answer.text) == [tickets[0].number, tickets[1].number]
    assert ",erase,hand,open,breached,erase,2026-" in answer.text
    with svc.reading() as session:
        told = session.exec(select(AuditEntry).where(AuditEntry.action == audit.Action.REQUESTS_EXPORTED)).one()
    assert told.actor.startswith("operator:")
    assert audit.facts_of(told) == {"filters": 0}


def test_filters_reach_it_and_nothing_personal_leaves(operator: TestClient, tickets: list[Ticket]) -> None:
    everything = operator.get(f"{OPEN}?states=any").text
    assert len(numbers(everything)) == 3
    assert "example.org" not in everything
    assert "please" not in everything
    assert numbers(operator.get(f"{OPEN}?kinds=copy").text) == [tickets[1].number]
    assert numbers(operator.get(f"{OPEN}?standing=breached").text) == [tickets[0].number]
    assert numbers(operator.get(f"{OPEN}?search={tickets[2].number}").text) == [tickets[2].number]


@pytest.mark.sqlite_only("nothing of it reaches the database")
@pytest.mark.parametrize(
    "words", ["states=everything", "kinds=face", "channels=fax", "standing=late", "search=" + 300 * "x"]
)
def test_other_words_are_as_unknown_as_any_address(operator: TestClient, words: str) -> None:
    assert operator.get(f"{OPEN}?{words}").status_code == 404


@pytest.mark.parametrize(
    "which",
    [
        Filter(),
        Filter(states=()),
        Filter(states=(RequestState.CLOSED,), kinds=(RequestKind.COPY, RequestKind.ERASE)),
        Filter(channels=(RequestChannel.EMAIL,), assignee="", standing=Standing.MISSED),
        Filter(assignee="0a1b2c3d", search="D-1234567"),
    ],
)
def test_an_address_says_exactly_what_was_chosen(which: Filter) -> None:
    assert export.of_words(export.as_words(which)) == which
