"""Receipts over HTTP: for their owner and for operators; the keys and the form for everybody."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from core import access, operators, receipts, retention
from core.guard import hash_of, new_session
from core.models import Receipt, Request, RequestChannel, RequestKind, RequestState, Role, new_id
from core.services import Services
from core.settings import ROOT
from tests.web.test_staff import ORIGIN, served

OWNER, OTHER = new_session(), new_session()


@pytest.fixture
def client(svc: Services) -> Iterator[TestClient]:
    with served(svc) as client:
        yield client


@pytest.fixture
def receipt(svc: Services, given_copy, given_subject) -> Receipt:  # type: ignore[no-untyped-def]
    subject_id, other_id = given_subject(), given_subject()
    given_copy(subject_id=subject_id)
    request = Request(
        number="D-7Q4K2M",
        kind=RequestKind.ERASE,
        channel=RequestChannel.PRODUCT,
        state=RequestState.WORKING,
        clock="erase",
        received_at=svc.clock(),
        entered_at=svc.clock(),
        due_at=svc.clock() + timedelta(hours=48),
        subject_id=subject_id,
    )
    retention.sweep(svc)
    with svc.transaction() as session:
        session.add(request)
        session.flush()
        access.link(session, hash_of(OWNER), subject_id, svc.clock())
        access.link(session, hash_of(OTHER), other_id, svc.clock())
        return receipts.make(session, svc, request, now=svc.clock())


def as_(token: str | None) -> dict[str, str]:
    return {"cookie": f"workshot={token}"} if token else {}


def test_its_owner_downloads_what_verifies(svc: Services, client: TestClient, receipt: Receipt) -> None:
    answer = client.get(f"/receipt/{receipt.id}.json", headers=as_(OWNER))

    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="workshot-receipt-{receipt.number}.json"'
    assert "no-store" in answer.headers["cache-control"]
    assert receipts.check(svc, answer.content).well


def test_its_owner_prints_it(client: TestClient, receipt: Receipt) -> None:
    answer = client.get(f"/receipt/{receipt.id}", headers=as_(OWNER))
    assert answer.status_code == 200 and receipt.number in answer.text and "D-7Q4K2M" in answer.text
    assert f'href="/receipt/{receipt.id}.json"' in answer.text
    assert "no-store" in answer.headers["cache-control"]


def test_its_owner_reads_it_in_their_language_and_keeps_the_same_file(client: TestClient, receipt: Receipt) -> None:
    german = as_(OWNER) | {"accept-language": "de-DE,de;q=0.9,en;q=0.5"}
    page = client.get(f"/receipt/{receipt.id}", headers=german).text
    assert '<html lang="de">' in page and f"<h1>Quittung {receipt.number}</h1>" in page and "nicht mehr" in page
    assert '<html lang="en">' in client.get(f"/receipt/{receipt.id}", headers=as_(OWNER)).text
    files = [client.get(f"/receipt/{receipt.id}.json", headers=headers).content for headers in (german, as_(OWNER))]
    assert files[0] == files[1] == receipts.as_file(receipt)
    nothing = client.get(f"/receipt/{new_id()}", headers=german)
    assert (nothing.status_code, nothing.text) == (404, "Hier ist nichts.")


@pytest.mark.parametrize("token", [OTHER, None, "x" * 43], ids=["another", "none", "made up"])
@pytest.mark.parametrize("form", ["", ".json"])
def test_to_anybody_else_it_is_as_one_that_never_was(
    client: TestClient, receipt: Receipt, token: str | None, form: str
) -> None:
    foreign = client.get(f"/receipt/{receipt.id}{form}", headers=as_(token))
    unknown = client.get(f"/receipt/{new_id()}{form}", headers=as_(token))
    by_number = client.get(f"/receipt/{receipt.number}{form}", headers=as_(OWNER))
    assert {answer.status_code for answer in (foreign, unknown, by_number)} == {404}
    assert foreign.text == unknown.text == by_number.text


def test_operators_have_all_of_them(svc: Services, client: TestClient, receipt: Receipt) -> None:
    door = operators.make_link(svc, Role.SUPPORT).url.removeprefix("http://localhost:8501")
    assert client.post(door, headers={"origin": ORIGIN}).status_code == 303
    assert client.get(f"/receipt/{receipt.id}.json").status_code == 200
    assert client.get(f"/receipt/{receipt.id}").status_code == 200
    assert client.get(f"/receipt/{new_id()}").status_code == 404


def test_what_is_not_as_it_was_signed_is_not_shown(svc: Services, client: TestClient, receipt: Receipt) -> None:
    with svc.transaction() as session:
        row = session.get_one(Receipt, receipt.id)
        row.statement = row.statement.replace("D-7Q4K2M", "D-0000000")
    answer = client.get(f"/receipt/{receipt.id}", headers=as_(OWNER))
    assert answer.status_code == 500 and "D-0000000" not in answer.text
    assert answer.text.startswith("This is not what was signed.")


def test_the_keys_are_open_to_everybody_and_enough(svc: Services, client: TestClient, receipt: Receipt) -> None:
    told = client.get("/receipt-key").json()
    assert told["algorithm"] == "Ed25519"
    assert [key["in_use"] for key in told["keys"]] == [True]
    keys = {key["key_id"]: base64.b64decode(key["public_key"]) for key in told["keys"]}
    assert receipts.verify(receipts.as_file(receipt), public_keys=keys).well
    assert json.loads(receipt.statement)["key_id"] in keys


def test_the_form_is_open_to_everybody(client: TestClient) -> None:
    answer = client.get("/receipt-format")
    assert answer.text == (ROOT / "data" / "receipt_format.md").read_text("utf-8")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
