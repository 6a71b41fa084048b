"""Who is counted, decided at the guard; the switch, and the file that somebody takes along, over HTTP."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from core import guard
from core.guard import Guard, hash_of, visitor
from core.models import Copy, CopyKind, Generation, HeadshotRow, Subject
from core.services import Services
from tests.conftest import CHOICES
from tests.usage.told import told_of
from tests.web.test_staff import ORIGIN, NoFramework, served

TOKEN = "t" * 43
ME = hash_of(TOKEN)
HERE = {"sec-fetch-site": "same-origin", "origin": "null"}
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile/15E148"


@pytest.fixture
def client(svc: Services) -> Iterator[TestClient]:
    with served(svc) as client:
        client.cookies.set("workshot", TOKEN)
        yield client


@pytest.fixture
def behind() -> Callable[..., dict[str, Any]]:
    """What stands behind the guard when a stream is opened with such headers, of one guard."""
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(
            header=[value.decode() for name, value in scope["headers"] if name == b"x-workshot-counted"],
            counted=guard.visitor_of(scope).counted.value,
        )

    standing = Guard(app, framework=NoFramework(), secure=False)

    def opens(kind: str = "websocket", **headers: str) -> dict[str, Any]:
        pairs = {"host": "localhost", "origin": ORIGIN, "cookie": f"workshot={TOKEN}"} | headers
        scope = {
            "type": kind, "path": "/_stcore/stream" if kind == "websocket" else "/", "method": "GET", "client": None,
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in pairs.items()],
        }  # fmt: skip
        seen.clear()
        asyncio.run(standing(scope, _nothing, _nothing))
        return dict(seen)

    return opens


async def _nothing(*_: Any) -> dict[str, Any]:
    return {"type": "http.request"}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "yes"),
        ({"sec_gpc": "1"}, "signal"),
        ({"dnt": "1"}, "signal"),
        ({"sec_gpc": "0", "dnt": "0"}, "yes"),
        ({"cookie": f"workshot={TOKEN}; workshot_count=no"}, "no"),
        ({"cookie": f"workshot_count=ga; workshot={TOKEN}"}, "ga"),
        ({"cookie": f"workshot={TOKEN}; workshot_count=ga", "sec_gpc": "1"}, "signal"),
        ({"cookie": f"workshot={TOKEN}; workshot_count=whatever"}, "yes"),
        ({"cookie": f"workshot={TOKEN}; workshot_count=ga; workshot_count=no"}, "no"),
        ({"sec_gpc": "1", "x_workshot_counted": "yes"}, "signal"),
        ({"x_workshot_counted": "ga"}, "yes"),
    ],
)
def test_the_guard_says_it_and_nobody_else(behind: Callable[..., Any], headers: dict[str, str], said: str) -> None:
    assert behind(**headers) == {"header": [said], "counted": said}


def test_a_page_that_was_asked_for_with_a_signal_speaks_for_its_stream(behind: Callable[..., Any]) -> None:
    assert behind("http", sec_gpc="1")["counted"] == "signal"
    assert behind()["counted"] == "signal"
    other = {"cookie": f"workshot={'u' * 43}"}
    assert behind(**other)["counted"] == "yes"
    assert behind(cookie="")["counted"] == "yes"


def test_a_request_that_passed_no_guard_is_not_counted() -> None:
    assert guard.visitor_of({"type": "http"}).counted is guard.Counted.NO


# ---------------------------------------------------------------------------------------------------------- the switch
def test_the_switch_is_a_cookie_without_an_id(client: TestClient) -> None:
    answer = client.post("/counting/no", headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/my_photos")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie == "workshot_count=no; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"

    (cookie,) = client.post("/counting/yes", headers=HERE).headers.get_list("set-cookie")
    assert "Max-Age=0" in cookie


def test_behind_https_it_is_secure(svc: Services) -> None:
    with served(svc, secure=True) as client:
        (cookie,) = client.post("/counting/no", headers=HERE).headers.get_list("set-cookie")
    assert cookie.startswith("__Host-workshot_count=no; Path=/; ") and cookie.endswith("; Secure")


def test_behind_https_nobody_beside_us_can_agree_for_anyone() -> None:
    """A cookie without the prefix may come from a subdomain, or from a line that is not encrypted."""
    planted, own = ([(b"cookie", f"{prefix}workshot_count=ga".encode())] for prefix in ("", "__Host-"))
    assert visitor._chosen(planted, secure=True) is guard.Counted.YES
    assert visitor._chosen(own, secure=True) is guard.Counted.GA


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://else.example"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://else.example"},
    ],
)
def test_no_other_site_throws_it(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/counting/no", headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_an_old_browser_says_its_origin(client: TestClient) -> None:
    assert client.post("/counting/no", headers={"origin": ORIGIN}).status_code == 303


@pytest.mark.parametrize("headers", [{}, {"origin": "null"}])
def test_where_a_browser_says_nothing_the_cookie_does(client: TestClient, headers: dict[str, str]) -> None:
    """Over plain http on an address that is not this machine's own. From another site's form it would not come."""
    assert client.post("/counting/no", headers=headers).status_code == 303
    client.cookies.clear()
    answer = client.post("/counting/no", headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_there_is_nothing_to_agree_to_where_google_is_not_set_up(svc: Services, client: TestClient) -> None:
    for choice in ("ga", "maybe", "signal"):
        assert client.post(f"/counting/{choice}", headers=HERE).status_code == 404
    assert client.get("/counting/no").status_code == 405


def test_where_it_is_one_may_agree(limit_to: Callable[..., Services]) -> None:
    with served(limit_to(ga4_measurement_id="G-ABCD123456")) as client:
        (cookie,) = client.post("/counting/ga", headers=HERE).headers.get_list("set-cookie")
    assert cookie.startswith("workshot_count=ga; ")


def test_who_says_no_takes_their_photos_along(svc: Services, client: TestClient, ask: Callable[..., str]) -> None:
    ask(who=ME)
    client.post("/counting/no", headers=HERE)
    with svc.reading() as session:
        assert [subject.is_counted for subject in session.exec(select(Subject)).all()] == [False]


# ----------------------------------------------------------------------------------------------------------- downloads
@pytest.fixture
def made(svc: Services, ask: Callable[..., str], work: Callable[[], int]) -> tuple[str, str, str]:
    """A run of mine, its first headshot and its portrait."""
    run_id = ask(who=ME)
    work()
    with svc.reading() as session:
        copy_id = session.exec(select(HeadshotRow.copy_id).where(HeadshotRow.variant == 1)).one()
        portrait = session.exec(select(Copy.id).where(Copy.kind == CopyKind.PORTRAIT)).one()
        assert session.get_one(Generation, run_id).purpose == CHOICES.purpose
    return run_id, copy_id, portrait


def test_files_that_are_taken_along_count(svc: Services, client: TestClient, made: tuple[str, str, str]) -> None:
    run_id, copy_id, portrait = made
    agent = {"user-agent": SAFARI, "accept-language": "de"}
    for address in (f"/img/{copy_id}?w=64", f"/img/{copy_id}?w=240", f"/img/{portrait}?dl=1", "/img/none?dl=1"):
        client.get(address, headers=agent)
    client.head(f"/zip/{run_id}", headers=agent)
    assert told_of(svc, "download", "step") == {}

    assert client.get(f"/img/{copy_id}?dl=1", headers=agent).status_code == 200
    client.get(f"/img/{copy_id}?w=64&dl=1", headers=agent)
    client.get(f"/zip/{run_id}", headers=agent)
    client.get(f"/zip/{run_id}", headers=agent)
    assert told_of(svc, "download") == {("original",): 1, ("smaller",): 1, ("all",): 2}
    assert told_of(svc, "step") == dict.fromkeys(
        [("visit",), ("photo",), ("checks",), ("generate",), ("ready",), ("download",)], 1
    )
    assert told_of(svc, "visit_device", "visit_language") == {("visit_device", "phone"): 1, ("visit_language", "de"): 1}


@pytest.mark.parametrize(
    "headers", [{"sec-gpc": "1"}, {"dnt": "1"}, {"cookie": f"workshot={TOKEN}; workshot_count=no"}]
)
def test_of_who_said_no_they_do_not(
    svc: Services, client: TestClient, made: tuple[str, str, str], headers: dict[str, str]
) -> None:
    assert client.get(f"/img/{made[1]}?dl=1", headers=headers).status_code == 200
    assert told_of(svc, "download", "step", "visit_device") == {}


def test_photos_of_who_said_no_are_not_counted_in_another_browser(
    svc: Services, client: TestClient, made: tuple[str, str, str]
) -> None:
    client.post("/counting/no", headers=HERE)
    client.cookies.delete("workshot_count")
    assert client.get(f"/zip/{made[0]}").status_code == 200
    assert told_of(svc, "download", "step") == {}
