"""Every door that the guard closes, tried from outside. Each of these passes only while its rule is there."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response
from websockets.exceptions import InvalidStatus

from core.guard import harden_cookie
from tests.web.served import HTML, Server, Visitor, serve, until

TOKEN = re.compile(r"workshot=([\w-]{43})")
KB = 1000


def held(server: Server) -> dict[str, int]:
    answer: dict[str, int] = httpx.get(f"{server.url}/test/uploads").json()
    return answer


@pytest.fixture
def visitor(server: Server) -> Visitor:
    assert until(lambda: held(server)["count"] == 0), "an earlier test's uploads are still in memory"
    return server.visitor()


@pytest.fixture
def stranger(server: Server) -> Visitor:
    return server.visitor()


# The cookie.


def test_a_page_gives_a_cookie_that_ends_with_the_browser_and_no_script_can_read(server: Server) -> None:
    response = httpx.get(server.url, headers=HTML)

    (cookie,) = response.headers.get_list("set-cookie")
    assert re.fullmatch(r"workshot=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax", cookie)
    assert response.headers["cache-control"] == "no-store"


def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(secure_server: Server) -> None:
    response = httpx.get(secure_server.url, headers=HTML)

    (cookie,) = response.headers.get_list("set-cookie")
    assert re.fullmatch(r"__Host-workshot=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure", cookie)
    assert response.headers["strict-transport-security"] == "max-age=31536000"


def test_behind_https_streamlits_own_cookie_is_secure_too(secure_server: Server) -> None:
    (cookie,) = httpx.get(f"{secure_server.url}/_stcore/health").headers.get_list("set-cookie")

    assert cookie.startswith("_streamlit_xsrf=")
    assert "Secure" in cookie


def test_streamlits_login_ends_with_the_browser() -> None:
    login = Response()
    login.set_cookie("_streamlit_user", "signed", max_age=30 * 86400, expires=30 * 86400, httponly=True)
    login.delete_cookie("_streamlit_user_tokens")
    kept, erased = (value for name, value in login.raw_headers if name == b"set-cookie")

    assert harden_cookie(kept, secure=True) == b"_streamlit_user=signed; HttpOnly; Path=/; SameSite=lax; Secure"
    assert b"Max-Age=0" in harden_cookie(erased, secure=True)
    assert b"Secure" not in harden_cookie(kept, secure=False)


def test_behind_https_the_unprefixed_cookie_means_nothing(secure_server: Server) -> None:
    cookies = {"workshot": "x" * 43}

    assert httpx.get(f"{secure_server.url}/test/whoami", cookies=cookies).json()["session"] is None


@pytest.mark.parametrize("path", ["/_stcore/health", "/test/whoami", "/favicon.png"])
def test_only_a_page_gives_a_cookie(server: Server, path: str) -> None:
    response = httpx.get(server.url + path)

    assert not any(cookie.startswith("workshot=") for cookie in response.headers.get_list("set-cookie"))


def test_a_browser_that_has_a_cookie_is_given_no_other(visitor: Visitor) -> None:
    assert "set-cookie" not in visitor.http.get("/", headers=HTML).headers


def test_no_page_comes_from_the_browsers_cache(server: Server) -> None:
    """It may be in another language by now."""
    then = "Fri, 01 Jan 2038 00:00:00 GMT"

    response = httpx.get(server.url, headers={**HTML, "if-modified-since": then, "if-none-match": "*"})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert not response.headers.keys() & {"etag", "last-modified"}
    assert TOKEN.match(response.headers["set-cookie"])


def test_a_page_is_in_the_language_and_the_theme_of_its_reader(server: Server) -> None:
    german = httpx.get(server.url, headers={**HTML, "accept-language": "de-CH, en;q=0.5", "accept-encoding": "gzip"})
    dark = httpx.get(server.url, headers={**HTML, "cookie": "workshot_prefs=en.dark.-", "accept-language": "de"})

    assert '<html lang="de" data-ws-theme="">' in german.text
    assert '<html lang="en" data-ws-theme="dark">' in dark.text
    for page in (german, dark):
        assert int(page.headers["content-length"]) == len(page.content)
        assert '<script src="/assets/theme.js"></script>' in page.text


def test_a_route_that_sets_the_session_is_not_overruled(server: Server) -> None:
    response = httpx.get(f"{server.url}/test/switch", headers=HTML)

    assert len(response.headers.get_list("set-cookie")) == 1


def test_behind_the_guard_a_session_is_only_a_hash(server: Server, visitor: Visitor) -> None:
    cookie = visitor.http.cookies["workshot"]

    known = visitor.http.get("/test/whoami", headers={"cookie": f"other=1; workshot={cookie}; broken"}).json()

    assert re.fullmatch("[0-9a-f]{64}", known["session"])
    assert known["cookies"] == ["other"] or known["cookies"] == ["", "other"]


def test_a_cookie_of_another_shape_is_no_session(server: Server) -> None:
    assert httpx.get(f"{server.url}/test/whoami", cookies={"workshot": "short"}).json()["session"] is None


def test_an_identity_that_the_sender_claims_is_dropped(visitor: Visitor, stranger: Visitor) -> None:
    victim = stranger.http.get("/test/whoami").json()["session"]

    with visitor.tab(**{"X-Workshot-Session": victim}) as tab:
        assert tab.run().said("me") == visitor.http.get("/test/whoami").json()["session"] != victim


def test_a_visitor_without_a_cookie_is_told_so(server: Server) -> None:
    with server.nobody().tab() as tab:
        assert "needs a cookie" in " ".join(tab.run().texts)
    with server.nobody().tab(**{"X-Workshot-Session": "a" * 64}) as tab:
        assert "needs a cookie" in " ".join(tab.run().texts)


# A tab belongs to its cookie.


def test_a_tab_is_resumed_by_its_own_browser(visitor: Visitor) -> None:
    with visitor.tab() as first:
        first.run()
    with visitor.tab(resume=first.session_id) as again:
        again.run()

    assert again.session_id == first.session_id
    assert again.said("born") == first.said("born")


@pytest.mark.parametrize("still_open", [True, False])
@pytest.mark.parametrize("who", ["another cookie", "no cookie"])
def test_a_tab_is_not_taken_over_by_its_id(server: Server, visitor: Visitor, who: str, still_open: bool) -> None:
    attacker = server.visitor() if who == "another cookie" else server.nobody()
    with visitor.tab() as tab:
        tab.run()
        if not still_open:
            tab.close()
        with attacker.tab(resume=tab.session_id) as taken:
            taken.run()
            assert taken.session_id != tab.session_id
            assert taken.said("born") != tab.said("born")
        if still_open:
            assert tab.run().said("runs") == "2"


def test_nobodies_do_not_share_a_session(server: Server) -> None:
    with server.nobody().tab() as one:
        one.run()
        with server.nobody().tab(resume=one.session_id) as other:
            assert other.run().session_id != one.session_id


@pytest.mark.parametrize(
    "origin",
    [None, "http://evil.example", "http://localhost:1", "null", "file://{host}", "http://evil.example/{host}"],
)
def test_a_websocket_comes_from_our_own_page(server: Server, visitor: Visitor, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        visitor.tab(origin=origin.format(host=server.host) if origin else None)

    assert refused.value.response.status_code == 403


def test_behind_https_a_page_without_https_is_foreign(secure_server: Server) -> None:
    visitor = secure_server.visitor()
    with pytest.raises(InvalidStatus):
        visitor.tab(origin=secure_server.url)
    visitor.tab(origin=secure_server.url.replace("http://", "https://")).close()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "mini.example.evil.example", ""])
def test_a_name_that_strangers_can_register_is_not_ours(server: Server, host: str) -> None:
    assert httpx.get(server.url, headers={"host": host}).status_code in (400, 421)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8501", "[::1]:8501", "192.168.1.7", "nas", "nas.local", "Mini.Example:443"]
)
def test_names_that_are_ours_are_answered(server: Server, host: str) -> None:
    assert httpx.get(f"{server.url}/_stcore/health", headers={"host": host}).status_code == 200


def test_a_websocket_for_a_foreign_name_is_refused(server: Server, visitor: Visitor) -> None:
    with pytest.raises(InvalidStatus):
        visitor.tab(origin="http://evil.example", host="evil.example")
    visitor.tab(origin="http://mini.example", host="mini.example").close()


# Closed addresses.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/media/"),
        ("GET", "/media/0123456789abcdef.png"),
        ("HEAD", "/media/0123456789abcdef.png"),
        ("GET", "/x/media/0123456789abcdef.png"),
        ("GET", "/_stcore/metrics"),
        ("GET", "/_stcore/script-health-check"),
        ("GET", "/_stcore/agent/openapi.json"),
        ("POST", "/_stcore/agent/interact"),
        ("POST", "/_stcore/agent/mcp"),
        ("GET", "/_stcore/agent/mcp"),
        ("GET", "/page/_stcore/agent/openapi.json"),
        ("GET", "/_stcore/stream"),
        ("GET", "/_stcore/anything/new"),
        ("POST", "/_stcore/health"),
        ("GET", "/_stcore/upload_file/a/b"),
        ("OPTIONS", "/_stcore/upload_file/a/b"),
        ("OPTIONS", "/_stcore/health"),
        ("GET", "/component/any.thing/index.html"),
        ("GET", "/%5fstcore/metrics"),
        ("GET", "/%6dedia/x.png"),
    ],
)
def test_what_no_page_of_ours_needs_is_not_there(server: Server, method: str, path: str) -> None:
    response = httpx.request(method, server.url + path)

    assert response.status_code == 404
    assert response.text in ("There is nothing here.\n", "")


def test_nothing_is_offered_to_other_sites(server: Server) -> None:
    foreign = {"origin": "http://localhost:1", "access-control-request-method": "PUT"}

    for method in ("OPTIONS", "GET"):
        for path in ("/", "/_stcore/health", "/_stcore/host-config", "/test/whoami"):
            headers = httpx.request(method, server.url + path, headers=foreign).headers
            assert not [name for name in headers if name.startswith("access-control-")], (method, path)


@pytest.mark.parametrize("path", ["/", "/test/whoami", "/img/x"])
def test_no_page_of_another_site_may_ask_for_leave(server: Server, path: str) -> None:
    assert httpx.options(server.url + path).status_code == 405
    assert httpx.options(server.url + path).text == "This cannot be done here.\n"


@pytest.mark.parametrize(
    "foreign",
    [{"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
)
def test_another_sites_page_cannot_act_for_a_visitor(visitor: Visitor, foreign: dict[str, str]) -> None:
    assert visitor.http.post("/test/switch", headers=foreign).status_code == 403


@pytest.mark.parametrize(
    "own", [{}, {"origin": "null", "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "same-origin"}]
)
def test_our_own_page_can(visitor: Visitor, own: dict[str, str]) -> None:
    assert visitor.http.post("/test/switch", headers=own).status_code == 200


# Uploads.


def test_a_visitor_may_upload_to_an_open_tab_and_take_it_back(server: Server, visitor: Visitor) -> None:
    with visitor.tab() as tab:
        tab.run()
        stored = visitor.put(tab.session_id, b"x" * 100 * KB, "one")
        assert stored.status_code == 204
        assert not [name for name in stored.headers if name.startswith("access-control-")]
        assert held(server) == {"count": 1, "bytes": 100 * KB}
        gone = visitor.http.delete(f"/_stcore/upload_file/{tab.session_id}/one", headers={"x-xsrftoken": visitor.xsrf})
        assert gone.status_code == 204
        assert held(server) == {"count": 0, "bytes": 0}


def test_an_upload_after_a_dropped_connection_needs_no_new_run(visitor: Visitor) -> None:
    """A phone drops the connection while its camera is open, and does not run the page again when it is back."""
    with visitor.tab() as tab:
        tab.run()
    with visitor.tab(resume=tab.session_id):
        assert until(lambda: visitor.put(tab.session_id, b"x").status_code == 204)


@pytest.mark.parametrize("who", ["another cookie", "no cookie"])
def test_nobody_uploads_to_or_deletes_from_a_foreign_tab(server: Server, visitor: Visitor, who: str) -> None:
    attacker = server.visitor() if who == "another cookie" else server.nobody()
    with visitor.tab() as tab:
        tab.run()
        visitor.put(tab.session_id, b"x", "mine")
        assert attacker.put(tab.session_id, b"planted").status_code == 403
        deleted = attacker.http.delete(
            f"/_stcore/upload_file/{tab.session_id}/mine", headers={"x-xsrftoken": attacker.xsrf}
        )
        assert deleted.status_code == 403
        assert held(server) == {"count": 1, "bytes": 1}


def test_a_tab_that_is_not_there_takes_no_upload(visitor: Visitor) -> None:
    assert visitor.put(str(uuid.uuid4()), b"x").status_code == 403


def test_an_upload_from_another_sites_page_is_refused(visitor: Visitor) -> None:
    with visitor.tab() as tab:
        tab.run()
        assert visitor.put(tab.session_id, b"x", origin="http://evil.example").status_code == 403


def test_too_large_an_upload_is_refused_before_it_is_read(server: Server, visitor: Visitor) -> None:
    with visitor.tab() as tab:
        tab.run()
        assert visitor.put(tab.session_id, b"x" * 2_000_001).status_code == 413
        assert held(server)["count"] == 0


def test_a_body_that_hides_its_size_is_cut_off(server: Server, visitor: Visitor) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\ncontent-disposition: form-data; name="f"; filename="p"\r\n\r\n'
        for _ in range(400):
            sent += 100 * KB
            yield b"x" * 100 * KB

    with visitor.tab() as tab:
        tab.run()
        try:
            answer = visitor.http.put(
                f"/_stcore/upload_file/{tab.session_id}/big",
                content=endless(),
                headers={"x-xsrftoken": visitor.xsrf, "content-type": "multipart/form-data; boundary=b"},
            ).status_code
        except httpx.TransportError:
            answer = 413  # the server has hung up, as it should, before this client could read why
        assert answer == 413
        assert sent < 20_000 * KB
        assert held(server)["count"] == 0


def test_other_bodies_are_small(server: Server) -> None:
    assert httpx.post(f"{server.url}/test/echo", content=b"x" * 1000).json() == {"bytes": 1000}
    assert httpx.post(f"{server.url}/test/echo", content=b"x" * 1001).status_code == 413
    assert httpx.post(f"{server.url}/test/echo", content=iter([b"x" * 600] * 2)).status_code == 413


def test_one_session_holds_few_uploads_over_all_its_tabs(visitor: Visitor) -> None:
    with visitor.tab() as one, visitor.tab() as two:
        one.run(), two.run()
        answers = [visitor.put(tab.session_id, b"x").status_code for tab in (one, one, two, two)]
        assert answers == [204, 204, 204, 429]


def test_one_session_holds_few_bytes(visitor: Visitor) -> None:
    with visitor.tab() as tab:
        tab.run()
        answers = [visitor.put(tab.session_id, b"x" * 1900 * KB).status_code for _ in range(3)]
        assert answers == [204, 204, 429]


def test_all_sessions_together_hold_what_memory_allows(server: Server, visitor: Visitor) -> None:
    visitors = [visitor, *(server.visitor() for _ in range(3))]
    tabs = [visitor.tab() for visitor in visitors]
    try:
        pairs = list(zip(visitors, tabs, strict=True))
        answers = [visitor.put(tab.run().session_id, b"x" * 1900 * KB).status_code for visitor, tab in pairs]
        assert answers == [204, 204, 204, 503]
    finally:
        for tab in tabs:
            tab.close()


def test_an_upload_that_no_page_took_goes_with_its_tab(server: Server, visitor: Visitor) -> None:
    with visitor.tab() as tab:
        tab.run()
        visitor.put(tab.session_id, b"x")
        assert held(server)["count"] == 1

    assert until(lambda: held(server)["count"] == 0)


# What leaves.


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/media/x", "/test/whoami", "/test/boom", "/favicon.png"])
def test_every_answer_carries_the_rules(server: Server, path: str) -> None:
    headers = httpx.get(server.url + path, headers=HTML).headers

    assert "script-src 'self' 'sha256-" in headers["content-security-policy"]
    assert "'unsafe-eval'" not in headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-inline'" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["permissions-policy"].startswith("camera=(self), microphone=()")
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "strict-transport-security" not in headers


def test_a_route_may_be_stricter(server: Server) -> None:
    policy = httpx.get(f"{server.url}/test/own-policy").headers.get_list("content-security-policy")

    assert policy == ["default-src 'none'"]


def test_only_the_front_end_may_be_cached(server: Server, visitor: Visitor) -> None:
    script = re.search(r'src="\.(/static/js/[^"]+)"', httpx.get(server.url).text)
    assert script

    assert "immutable" in httpx.get(server.url + script.group(1)).headers["cache-control"]
    assert visitor.http.get("/test/whoami").headers["cache-control"] == "no-store"


def test_an_answer_that_fails_says_nothing_about_why(server: Server) -> None:
    response = httpx.get(f"{server.url}/test/boom")

    assert response.status_code == 500
    assert "Jane" not in response.text


@pytest.mark.parametrize("launcher", ["server", "uvicorn_server", "secure_server"])
def test_logs_name_no_session_no_token_and_no_person(request: pytest.FixtureRequest, launcher: str) -> None:
    server: Server = request.getfixturevalue(launcher)
    origin = server.url.replace("http", "https") if launcher == "secure_server" else server.url
    visitor, attacker = server.visitor(), server.visitor()
    if launcher == "secure_server":
        for client in (visitor, attacker):
            client.http.cookies = httpx.Cookies({c.name: c.value or "" for c in client.http.cookies.jar})
    with visitor.tab(origin=origin) as tab:
        tab.run()
        visitor.put(tab.session_id, b"x")
        visitor.http.get("/test/whoami", params={"code": "claim-code-1234"})
        visitor.http.get("/test/boom")
        visitor.http.get("/handover/" + "5eed" * 16 + "/photo.jpg")  # opens a face, until it is used
        with attacker.tab(origin=origin, resume=tab.session_id):  # Streamlit warns of this, and names the session
            pass
        with visitor.tab(origin=origin, resume=tab.session_id) as again:
            again.run()

    logged = server.logged()
    token = visitor.http.cookies.get("workshot") or visitor.http.cookies.get("__Host-workshot") or "?"
    assert "A request failed: ValueError at mini.py" in logged
    for private in (tab.session_id, token, "claim-code-1234", "Jane", "upload_file/", "5eed5eed", "handover"):
        assert private not in logged


# What lingers.


def test_an_upload_touches_no_disk(server: Server, visitor: Visitor) -> None:
    seen: list[str] = []

    def slowly() -> Iterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="f"; filename="p"\r\n\r\n'
        yield b"x" * 1900 * KB
        seen.extend(until(server.temporary_files, seconds=1))
        yield b"\r\n--b--\r\n"

    with visitor.tab() as tab:
        tab.run()
        stored = visitor.http.put(
            f"/_stcore/upload_file/{tab.session_id}/one",
            content=slowly(),
            headers={"x-xsrftoken": visitor.xsrf, "content-type": "multipart/form-data; boundary=b"},
        )
    assert stored.status_code == 204
    assert seen == []


def test_a_closing_tab_drops_its_uploads_by_itself(logs: Path) -> None:
    with serve(logs / "no-purge.log", MINI_PURGE_EVERY="3600") as server:
        visitor = server.visitor()
        with visitor.tab() as tab:
            visitor.put(tab.run().session_id, b"x")
            assert held(server)["count"] == 1
        assert until(lambda: held(server)["count"] == 0)


def test_a_tab_that_came_back_without_a_run_leaves_nothing_either(server: Server, visitor: Visitor) -> None:
    with visitor.tab() as tab:
        tab.run()
    with visitor.tab(resume=tab.session_id):
        assert until(lambda: visitor.put(tab.session_id, b"x").status_code == 204)
    assert until(lambda: held(server)["count"] == 0)


def test_an_idle_server_lets_go_of_what_nobody_will_ask_for(logs: Path) -> None:
    with serve(logs / "hasty.log", MINI_KEEP_UNTAKEN="1", STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL="1") as server:
        visitor = server.visitor()
        with visitor.tab() as tab:
            visitor.put(tab.run("media=1").session_id, b"x")
            assert held(server)["count"] == 1
            assert until(lambda: held(server)["count"] == 0)  # no page took it, though its tab is still open
            assert httpx.get(f"{server.url}/test/stored").json()
        assert until(lambda: httpx.get(f"{server.url}/test/stored").json() == [])
