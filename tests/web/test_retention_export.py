"""The CSV of the retention page: for operators' sessions alone, ids and clocks only, and every one is told."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from core import audit, backlog, operators
from core.models import AuditEntry, Copy, CopyKind, Role, Subject, new_id
from core.services import Services
from tests.fakes import FrozenClock
from tests.web.test_staff import ORIGIN, served

OVERDUE = "/ops/retention.csv?queue=overdue"


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
def late(svc: Services) -> list[str]:
    now = svc.clock()
    with svc.transaction() as session:
        subject = Subject(id=new_id(), created_at=now, sealed_key=b"k")
        session.add(subject)
        session.flush()
        rows = [
            Copy(
                subject_id=subject.id,
                kind=kind,
                place="vault",
                object_key=new_id(),
                media_type="image/jpeg",
                width=1,
                height=1,
                size=10,
                created_at=now - timedelta(days=1),
                erase_by=now - timedelta(hours=hours),
            )
            for hours, kind in enumerate([CopyKind.HEADSHOT, CopyKind.PORTRAIT, CopyKind.CANARY], 1)
        ]
        session.add_all(rows)
        return [row.id for row in rows]


def test_without_an_operators_session_there_is_nothing(client: TestClient, late: list[str]) -> None:
    answer = client.get(OVERDUE)
    assert answer.status_code == 404
    assert late[0] not in answer.text


def test_it_holds_what_the_page_shows_and_says_who_took_it(
    svc: Services, operator: TestClient, late: list[str]
) -> None:
    answer = operator.get(OVERDUE)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert tuple(header) == backlog.COLUMNS
    assert [row[0] for row in rows] == [late[1], late[0]]
    assert rows[0][2:8] == ["portrait", "10", "2026-03-01T12:00:00+00:00", "2026-03-02T10:00:00+00:00", "", rows[0][7]]
    with svc.reading() as session:
        told = session.exec(select(AuditEntry).where(AuditEntry.action == audit.Action.RETENTION_EXPORTED)).one()
    assert told.actor.startswith("operator:")
    assert audit.facts_of(told) == {"queue": "overdue", "filters": 0}


def test_filters_reach_it(operator: TestClient, late: list[str]) -> None:
    assert late[1] not in operator.get(OVERDUE + "&kind=headshot").text
    assert operator.get(f"/ops/retention.csv?id={late[1]}").text.count("\r\n") == 2


@pytest.mark.parametrize("words", ["queue=everything", "kind=face", "id=a%20b", "id=%27--"])
def test_other_words_are_as_unknown_as_any_address(operator: TestClient, words: str) -> None:
    assert operator.get(f"/ops/retention.csv?{words}").status_code == 404


def test_an_operator_whose_time_is_up_gets_nothing(operator: TestClient, clock: FrozenClock, late: list[str]) -> None:
    assert operator.get(OVERDUE).status_code == 200
    clock.advance(hours=12)
    assert operator.get(OVERDUE).status_code == 404
