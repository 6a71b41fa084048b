"""In which language somebody is spoken to: who decides it, where it holds, and what stands in for what is missing."""

import gettext
import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core import preferences
from core.contracts import Contract
from core.guard import Guard, visitor
from core.language import _, accepted, current, day, listed, month, n_, number, p_, speaking
from core.preferences import Preferences, Theme, is_for_operators, page_names
from core.services import Services
from core.ui import pages
from core.ui.widgets import ASSETS, wording
from tests.messages import translated_by
from tests.ui.test_wording import BERLIN, NOW
from tests.web.test_staff import NoFramework, served

pytestmark = pytest.mark.sqlite_only("no row is read and none is written")
HERE = {"sec-fetch-site": "same-origin", "origin": "null"}


class Few(gettext.NullTranslations):
    """One sentence is translated, and no other."""

    def gettext(self, message: str) -> str:
        return {"Yes.": "Ja."}.get(message, message)


# --------------------------------------------------------------------------------------------------- which one it is
@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"),
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("DE-at", "de"),
        ("en;q=0.5, de; q=0.7", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr,it;q=0.9,de;q=0.1", "de"),
        ("fr,it", "en"),
        ("de;q=0", "en"),
        ("", "en"),
        ("*", "en"),
        ("de;q=nonsense,en", "en"),
        (",".join(["fr"] * 40 + ["de"]), "en"),
        ("deutsch", "en"),
    ],
)
def test_a_browser_is_spoken_to_in_what_it_likes_best_of_what_is_spoken(header: str, language: str) -> None:
    assert accepted(header) == language


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ("de.dark.24h", Preferences(language="de", theme=Theme.DARK, contract=Contract.DAY)),
        ("-.-.7d", Preferences(contract=Contract.WEEK)),
        ("en.-.-", Preferences(language="en")),
        ("-.-.-", Preferences()),
        *((wrong, Preferences()) for wrong in (
            "", "de", "de.dark", "de.dark.24h.x", "DE.dark.24h", "fr.dark.24h", "de.grey.24h", "de.dark.25h",
            " de.dark.24h", "de.dark.24h ", '"de.dark.24h"', "../de.dark.24h", "de.dark.\n", "...",
        )),
    ],
)  # fmt: skip
def test_a_cookie_says_what_we_wrote_into_it_or_nothing(value: str, means: Preferences) -> None:
    assert preferences.read(value) == means
    assert str(means) == (value if not means.is_empty else "-.-.-")


def test_what_is_said_inside_is_said_in_that_language() -> None:
    assert current() == "en"
    with speaking("de"):
        with speaking("en"):
            assert current() == "en"
        assert current() == "de"
        with speaking("fr"):
            assert current() == "en"
        assert current() == "de"
    assert current() == "en"


def test_an_error_ends_it_too() -> None:
    with pytest.raises(ZeroDivisionError), speaking("de"):
        _ = 1 / 0
    assert current() == "en"


def test_another_thread_is_nobody_elses_reader() -> None:
    heard: list[str] = []
    with speaking("de"):
        thread = threading.Thread(target=lambda: heard.append(current()))
        thread.start()
        thread.join()
    assert heard == ["en"]


# --------------------------------------------------------------------------------------------------------- the guard
@pytest.fixture
def said() -> Callable[..., tuple[str, str]]:
    """In which language a route is, in the loop and in a thread of its own, for a request with such headers."""

    async def here(request: Request) -> PlainTextResponse:
        return PlainTextResponse(current())

    def there(request: Request) -> PlainTextResponse:
        return PlainTextResponse(current())

    async def deeper(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await run_in_threadpool(current))

    app = Starlette(
        routes=[Route("/here", here), Route("/there", there), Route("/deeper", deeper)],
        middleware=[Middleware(Guard, framework=NoFramework(), secure=False)],
    )
    client = TestClient(app, base_url="http://localhost")

    def asks(**headers: str) -> tuple[str, ...]:
        pairs = {name.replace("_", "-"): value for name, value in headers.items()}
        return tuple(client.get(path, headers=pairs).text for path in ("/here", "/there", "/deeper"))

    return asks


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"accept_language": "de"}, "de"),
        ({"accept_language": "de", "cookie": "workshot_prefs=en.-.-"}, "en"),
        ({"accept_language": "en", "cookie": "workshot_prefs=de.-.-"}, "de"),
        ({"accept_language": "de", "cookie": "workshot_prefs=-.dark.-"}, "de"),
        ({"accept_language": "de", "cookie": "workshot_prefs=fr.-.-"}, "de"),
        ({"cookie": "workshot_prefs=nonsense; workshot_prefs=de.-.-"}, "de"),
        ({"x_workshot_language": "de"}, "en"),
    ],
)
def test_a_route_speaks_to_who_asks(said: Callable[..., Any], headers: dict[str, str], language: str) -> None:
    assert said(**headers) == (language, language, language)
    assert current() == "en"


def test_what_the_guard_refuses_it_refuses_in_the_readers_language(svc: Services) -> None:
    with served(svc) as client:
        german = client.get("/media/x", headers={"accept-language": "de"})
        english = client.get("/media/x", headers={"accept-language": "en"})
    assert (german.status_code, english.text) == (404, "There is nothing here.\n")
    assert german.text != english.text


# -------------------------------------------------------------------------------------------------------- the switch
@pytest.fixture
def client(svc: Services) -> Any:
    with served(svc) as client:
        yield client


def test_each_choice_joins_the_others_in_one_cookie_without_an_id(client: TestClient) -> None:
    first = client.post("/preferences", headers=HERE, data={"language": "de", "back": "promises"})
    assert (first.status_code, first.headers["location"]) == (303, "/promises")
    (cookie,) = first.headers.get_list("set-cookie")
    assert cookie == "workshot_prefs=de.-.-; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"

    client.post("/preferences", headers=HERE, data={"theme": "dark", "back": ""})
    client.post("/preferences", headers=HERE, data={"contract": "24h"})
    assert client.cookies["workshot_prefs"] == "de.dark.24h"
    for name in ("language", "theme", "contract"):
        last = client.post("/preferences", headers=HERE, data={name: "-"})
    assert last.headers["set-cookie"].startswith("workshot_prefs=-.-.-;") and "Max-Age=0" in last.headers["set-cookie"]


@pytest.mark.parametrize(
    "form",
    [
        "language=fr", "theme=grey", "contract=25h", "contract=", "language=de&language=en", "name=Ann", "", "language",
        "language=de&back=//else.example", "language=de&back=ops_audit", "language=de&back=sign_in",
        "language=de&back=https://else.example", "language=de&back=my_photos%0d%0aset-cookie:x", "language=%ff",
        "theme=light&back=studio&contract=7d&language=de&x=y",
    ],
)  # fmt: skip
def test_nothing_else_can_be_chosen(client: TestClient, form: str) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = client.post("/preferences", headers=HERE | kind, content=form)
    assert (answer.status_code, answer.text) == (400, "This cannot be chosen here.")
    assert "set-cookie" not in answer.headers


def test_no_longer_than_the_longest_that_is_offered(limit_to: Callable[..., Services]) -> None:
    with served(limit_to(longest_contract=Contract.WEEK)) as client:
        assert client.post("/preferences", headers=HERE, data={"contract": "30d"}).status_code == 400
        assert client.post("/preferences", headers=HERE, data={"contract": "7d"}).status_code == 303


def test_no_other_site_chooses(client: TestClient) -> None:
    for headers in ({"sec-fetch-site": "cross-site", "origin": "https://else.example"}, {}):
        answer = client.post("/preferences", headers=headers, data={"language": "de"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_behind_https_nobody_beside_us_chooses(svc: Services) -> None:
    with served(svc, secure=True) as client:
        cookie = client.post("/preferences", headers=HERE, data={"theme": "dark"}).headers["set-cookie"]
    assert cookie.startswith("__Host-workshot_prefs=-.dark.-; Path=/; ") and cookie.endswith("; Secure")
    planted, own = ([(b"cookie", f"{prefix}workshot_prefs=de.-.-".encode())] for prefix in ("", "__Host-"))
    assert visitor._preferred(planted, secure=True).is_empty
    assert visitor._preferred(own, secure=True).language == "de"


# ------------------------------------------------------------------------------------------------------ what is said
def test_a_sentence_that_is_not_translated_yet_is_english_and_whole() -> None:
    with translated_by(Few(), "de"), speaking("de"):
        assert _("Yes.") == "Ja."
        assert _("No, {name}.", name="Ann") == "No, Ann."
        assert n_("{n} cat", "{n} cats", 1234) == "1.234 cats"
        assert p_("an answer", "Perhaps") == "Perhaps"
    assert _("Yes.") == "Yes."


def test_numbers_and_dates_are_those_of_the_language() -> None:
    at = date(2026, 3, 5)
    assert (number(12345.5, 1), number(1000), month(at), day(at)) == ("12,345.5", "1,000", "Mar", "5 March 2026")
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    with speaking("de"):
        assert (number(12345.5, 1), number(1000), month(at), day(at)) == ("12.345,5", "1.000", "März", "5. März 2026")
        assert listed(["a", "b", "c"]) == "a, b und c"


def test_clocks_are_read_as_they_are_read_aloud() -> None:
    with speaking("de"):
        clock = wording.erase_clock(NOW + timedelta(days=30), now=NOW, zone=BERLIN, zone_note="(Ihre Zeit)")
        assert str(clock) == "noch 30 T · Löschung am 12. Dez., 14:02 Uhr (Ihre Zeit)"
        assert wording.near(NOW + timedelta(hours=1), now=NOW, zone=BERLIN) == "heute, 15:02 Uhr"
        assert wording.ago(timedelta(hours=2, minutes=5)) == "vor 2 Std 5 Min"
        timer = wording.timer(NOW + timedelta(hours=31, minutes=4), now=NOW, zone=BERLIN, zone_note="(Ihre Zeit)")
        assert timer.strong == "noch 31 Std 04 Min 00 s"
        assert timer.rest == "im Zeitplan · fällig am 13. Nov., 21:06 Uhr (Ihre Zeit), 20:06 Uhr UTC"


def test_what_the_browser_says_by_itself_is_told_to_it_whole() -> None:
    script = (ASSETS / "behaviour.js").read_text("utf-8")
    said = set(re.findall(r'(?<![\w.])_\("([^"]+)"', script)) | set(re.findall(r'"(\{n\} \w+)"', script))
    assert said == set(wording.IN_THE_BROWSER)
    assert wording.told_to_the_browser("en") == {}
    assert wording.told_to_the_browser("de").keys() == {*wording.IN_THE_BROWSER, *wording.BY_STREAMLIT}


def test_pages_for_operators_are_known_by_their_names() -> None:
    every = {path for path in vars(pages).values() if isinstance(path, str) and path.startswith("pages/")}
    assert every == {f"pages/{name}.py" for name in page_names()}
    theirs = {pages.SIGN_IN, *(path for path, _title, _roles in pages._FOR_OPERATORS)}
    assert theirs == {f"pages/{name}.py" for name in filter(is_for_operators, page_names())}
