"""The policy for machines, and whom to tell of a hole: for everybody, without a cookie, the same for all."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from starlette.testclient import TestClient

from core import language, policy
from core.canonical import as_json
from core.errors import BadSettings
from core.policy import published
from core.policy.numbers import loosened
from core.ports import HandOver
from core.promises import PROMISES
from core.services import Services
from core.settings import ROOT
from tests.provider.outsider import Outsider
from tests.web.test_staff import served

SCHEMA = json.loads((ROOT / "tests" / "data" / "privacy_json_schema.json").read_text())
pytestmark = pytest.mark.sqlite_only("what is stored of versions is tested on both")


@pytest.fixture
def given(svc: Services) -> Iterator[Callable[..., TestClient]]:
    clients = []

    def serve(*, with_apimart: bool = False, **changed: object) -> TestClient:
        providers: dict[str, Any] = {"apimart": Outsider(hand_over=HandOver.UPLOAD)} if with_apimart else {}
        settings = svc.settings.model_copy(update=changed)
        clients.append(served(replace(svc, settings=settings, providers=providers)))
        return clients[-1].__enter__()

    yield serve
    for client in clients:
        client.__exit__(None, None, None)


def said_by(client: TestClient) -> dict[str, Any]:
    answer = client.get(published.PRIVACY)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    read: dict[str, Any] = answer.json()
    jsonschema.validate(read, SCHEMA)
    return read


def test_it_says_all_that_the_page_says(svc: Services, given: Callable[..., TestClient]) -> None:
    policy.note(svc)
    read, here = said_by(given()), policy.of(svc)
    assert read["version"] == here.version and read["text"] == here.document().plain
    assert read["texts"] == {name: here.document(name).plain for name in language.NAMES}
    assert read["effective_at"] == "2026-03-02T12:00:00.000000Z"
    assert [one["id"] for one in read["promises"]] == [promise.id for promise in PROMISES]
    assert {one["sentence"] for one in read["promises"]} == {each.filled(svc.settings) for each in PROMISES}
    assert {one["state"] for one in read["promises"]} == {"unknown"}, "nothing has been measured yet"
    assert read["contact"] is None and read["third_parties"] == []


def test_it_is_the_same_in_whatever_language_one_asks(given: Callable[..., TestClient]) -> None:
    english, german = (
        given(privacy_contact="a@studio.example").get(published.PRIVACY, headers={"accept-language": spoken})
        for spoken in ("en", "de")
    )
    assert english.json() == german.json()


def test_anybody_can_work_out_the_version(given: Callable[..., TestClient]) -> None:
    """The hash covers numbers and text, nothing else."""
    read = said_by(given())
    numbers = {one["id"]: one["value"] for one in read["numbers"]}
    whole = as_json({"numbers": numbers, "texts": read["texts"]})
    assert hashlib.sha256(whole.encode()).hexdigest()[:32] == read["version"]


def test_numbers_follow_the_settings(given: Callable[..., TestClient]) -> None:
    usual, week = said_by(given()), said_by(given(longest_days=7))
    before, after = ({one["id"]: one["value"] for one in read["numbers"]} for read in (usual, week))
    assert (before["keep_hours"], after["keep_hours"]) == (720, 168)
    assert loosened(before, after) == () and loosened(after, before)
    assert "7 days from the upload" in {row["longest"] for row in week["schedule"]}


def test_third_parties_with_their_clocks(given: Callable[..., TestClient]) -> None:
    (apimart,) = said_by(given(with_apimart=True, privacy_contact="a@studio.example"))["third_parties"]
    assert {copy["id"]: copy["hours"] for copy in apimart["copies"]}["upload"] == [72, 72]
    assert apimart["not_established"] and apimart["read_on"] == "2026-11-21"


def test_what_is_announced_is_in_it(
    svc: Services, given: Callable[..., TestClient], ask: Callable[..., str], limit_to: Callable[..., Services]
) -> None:
    policy.note(limit_to(longest_days=7))
    ask()
    with pytest.raises(BadSettings):
        policy.note(svc)
    (announced,) = said_by(given(longest_days=7))["announced"]
    assert announced["effective_at"] == "2026-03-16T12:00:00.000000Z" and "at most 30 days" in announced["text"]


@pytest.mark.parametrize("path", [published.PRIVACY, published.SECURITY])
def test_it_needs_no_cookie_and_may_be_kept_for_a_moment(path: str, given: Callable[..., TestClient]) -> None:
    answer = given(privacy_contact="privacy@studio.example").get(path, headers={"accept": "*/*"})
    assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_whom_to_tell_of_a_hole(svc: Services, given: Callable[..., TestClient]) -> None:
    client = given(privacy_contact="privacy@studio.example", public_url="https://headshots.example")
    answer = client.get(published.SECURITY)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert list(fields) == ["Contact", "Expires", "Preferred-Languages", "Canonical"]
    assert fields["Preferred-Languages"] == "en, de"
    assert fields["Contact"] == "mailto:privacy@studio.example"
    assert fields["Canonical"] == "https://headshots.example/.well-known/security.txt"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fields["Expires"])
    expires = datetime.fromisoformat(fields["Expires"].replace("Z", "+00:00"))
    assert timedelta(days=30) < expires - svc.clock() < timedelta(days=365)


def test_where_nobody_can_be_told_there_is_no_file(given: Callable[..., TestClient]) -> None:
    answer = given().get(published.SECURITY)
    assert answer.status_code == 404 and "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        ("privacy@studio.example", "mailto:privacy@studio.example"),
        ("https://studio.example/contact", "https://studio.example/contact"),
        ("http://studio.example/contact", None),
        ("Ann, privacy@studio.example", None),
        ("a@b.example\nExpires: 2099-01-01T00:00:00Z", None),
        ("a@b.example?subject=x", None),
        ("ann", None),
        ("", None),
    ],
)
def test_a_contact_is_an_address_or_there_is_none(contact: str, uri: str | None) -> None:
    assert published.as_uri(contact) == uri
    text = published.security_txt(contact, "", datetime(2026, 3, 2, tzinfo=UTC))
    assert (text is None) == (uri is None)
    assert text is None or text.count("\n") == 3
