"""The door for operators, over HTTP: what scanners open changes nothing, what other sites send is refused."""

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from core import operators, web
from core.guard import Guard, OpenUpload, hash_of, session_hash, staff_hash, staff_hash_of
from core.models import AuditEntry, OperatorSession, Role, StaffLink
from core.services import Services
from tests.fakes import FrozenClock

ORIGIN = "http://localhost"
SPOOFED = "f" * 64


class NoFramework:
    """The guard's questions, where no Streamlit runs."""

    def index_html(self) -> str:
        return "<html></html>"

    def owner(self, framework_session: str) -> str | None:
        return None

    def open_uploads(self) -> list[OpenUpload]:
        return []


async def who(request: Request) -> JSONResponse:
    seen = {"staff": staff_hash(request.scope), "session": session_hash(request.scope)}
    return JSONResponse(seen | {"header": request.headers.get("x-workshot-staff"), "cookies": sorted(request.cookies)})


def served(svc: Services, *, secure: bool = False) -> TestClient:
    app = Starlette(
        routes=[*web.routes(lambda: svc), Route("/who", who)],
        middleware=[Middleware(Guard, framework=NoFramework(), secure=secure)],
    )
    return TestClient(app, base_url="https://localhost" if secure else ORIGIN, follow_redirects=False)


@pytest.fixture
def client(svc: Services) -> Iterator[TestClient]:
    with served(svc) as client:
        yield client


@pytest.fixture
def door(svc: Services) -> str:
    """The address of a link, without the host."""
    return operators.make_link(svc, Role.SUPPORT).url.removeprefix("http://localhost:8501")


def sessions(svc: Services) -> list[OperatorSession]:
    with svc.reading() as session:
        return list(session.exec(select(OperatorSession)).all())


def test_opening_a_link_changes_nothing(svc: Services, client: TestClient, door: str) -> None:
    for _ in range(3):
        page = client.get(door)
        assert page.status_code == 200
        assert '<form method="post">' in page.text
        assert "workshot_staff" not in page.headers.get("set-cookie", "")
    assert client.head(door).status_code == 200
    assert sessions(svc) == []
    with svc.reading() as session:
        assert session.exec(select(StaffLink)).one().used_at is None


def test_the_door_looks_alike_whether_a_link_is_good_or_not(client: TestClient, door: str) -> None:
    assert client.get(door).text == client.get("/staff/" + "x" * 43).text


def test_the_button_signs_in_once(svc: Services, client: TestClient, door: str) -> None:
    answer = client.post(door, headers={"origin": ORIGIN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops_audit")
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(r"workshot_staff=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200", cookie)
    token = cookie.partition("=")[2].partition(";")[0]
    assert [row.session_hash for row in sessions(svc)] == [staff_hash_of(token)]
    client.cookies.clear()
    again = client.post(door, headers={"origin": ORIGIN})
    assert again.status_code == 404
    assert "set-cookie" not in again.headers


def test_behind_https_the_cookie_is_secure_and_of_this_host(svc: Services, door: str) -> None:
    with served(svc, secure=True) as client:
        assert client.post(door, headers={"origin": "http://localhost"}).status_code == 403
        cookie = client.post(door, headers={"origin": "https://localhost"}).headers["set-cookie"]
    assert cookie.startswith("__Host-workshot_staff=")
    assert cookie.endswith("; Secure")


def test_a_link_that_is_too_old_is_over(svc: Services, client: TestClient, door: str, clock: FrozenClock) -> None:
    clock.advance(minutes=10)
    assert client.post(door, headers={"origin": ORIGIN}).status_code == 404
    assert sessions(svc) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost.evil.example"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    ],
)
def test_other_sites_cannot_press_the_button(
    svc: Services, client: TestClient, door: str, headers: dict[str, str]
) -> None:
    assert client.post(door, headers=headers).status_code == 403
    assert sessions(svc) == []


def test_the_page_says_where_it_comes_from_but_not_its_address(client: TestClient, door: str) -> None:
    """With `no-referrer` the browser would send no Origin that can be checked; with more, the token."""
    headers = client.get(door).headers
    assert headers["referrer-policy"] == "strict-origin"
    assert headers["cache-control"] == "private, no-store"
    assert "form-action 'self'" in headers["content-security-policy"]


# ---------------------------------------------------------------------------------------------------------- guard
def test_nobody_behind_the_guard_sees_the_cookie(client: TestClient) -> None:
    token = "t" * 43
    seen = client.get("/who", headers={"cookie": f"other=1; workshot_staff={token}"}).json()
    assert seen == {"staff": staff_hash_of(token), "session": None, "header": None, "cookies": ["other"]}
    assert staff_hash_of(token) != hash_of(token), "a visitor's cookie is no operator's"


@pytest.mark.parametrize("name", ["X-Workshot-Staff", "x-workshot-staff", "X-WORKSHOT-STAFF"])
def test_a_claimed_identity_is_dropped(client: TestClient, name: str) -> None:
    assert client.get("/who", headers={name: SPOOFED}).json()["header"] is None


@pytest.mark.parametrize("value", ["", "x", "a b", "f" * 64, "t" * 42 + "="])
def test_what_cannot_be_our_cookie_is_nobody(client: TestClient, value: str) -> None:
    assert client.get("/who", headers={"cookie": f"workshot_staff={value}"}).json()["staff"] is None


def test_a_tab_is_told_its_operator_by_the_guard_alone() -> None:
    """The header that Streamlit reads: one value, from the cookie, whatever the client sent along."""
    seen: list[list[tuple[bytes, bytes]]] = []

    async def app(scope: Scope, receive: object, send: object) -> None:
        seen.append([pair for pair in scope["headers"] if pair[0] == b"x-workshot-staff"])

    async def nothing() -> Message:
        return {"type": "websocket.connect"}

    async def sink(_: Message) -> None: ...

    def connect(*more: tuple[bytes, bytes]) -> None:
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), *more]
        scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers, "client": None}
        coroutine = Guard(app, framework=NoFramework(), secure=False)(scope, nothing, sink)
        with pytest.raises(StopIteration):
            coroutine.send(None)  # type: ignore[attr-defined]

    spoofed = (b"X-Workshot-Staff", SPOOFED.encode())
    cookie = (b"cookie", b"workshot_staff=" + b"t" * 43)
    connect(spoofed)
    connect(spoofed, cookie)
    assert seen == [[], [(b"x-workshot-staff", staff_hash_of("t" * 43).encode())]]


# --------------------------------------------------------------------------------------------------------- export
@pytest.fixture
def support(client: TestClient, door: str) -> TestClient:
    client.post(door, headers={"origin": ORIGIN})
    return client


@pytest.mark.parametrize("path", ["/ops/audit.csv", "/ops/audit.jsonl"])
def test_the_log_is_only_for_operators(client: TestClient, path: str) -> None:
    nowhere = client.get("/img/none")
    for headers in ({}, {"x-workshot-staff": SPOOFED}, {"cookie": "workshot_staff=" + "t" * 43}):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.text) == (404, nowhere.text)


def test_an_export_is_filtered_and_told(svc: Services, support: TestClient) -> None:
    lines = support.get("/ops/audit.jsonl?action=link:made").text.splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["link:made"]
    answer = support.get("/ops/audit.csv?actor=operator")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cache-control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["action"] for row in rows] == ["operator:signed_in", "audit:exported", "audit:exported"]
    assert json.loads(rows[-1]["facts"]) == {"filters": 1, "form": "csv"}
    with svc.reading() as session:
        newest = session.exec(select(AuditEntry).order_by(col(AuditEntry.seq).desc())).first()
    assert newest
    assert newest.actor.startswith("operator:")


@pytest.mark.parametrize(
    "path", ["/ops/audit.xml", "/ops/audit.csv?since=yesterday", "/ops/audit.csv?until=2026-01-01"]
)
def test_what_cannot_be_exported_is_not_there(support: TestClient, path: str) -> None:
    assert support.get(path).status_code == 404


def test_after_signing_out_the_cookie_opens_nothing(svc: Services, support: TestClient) -> None:
    row = sessions(svc)[0]
    found = operators.signed_in(svc, staff_hash=row.session_hash)
    assert found
    operators.sign_out(svc, found)
    assert support.get("/ops/audit.csv").status_code == 404
