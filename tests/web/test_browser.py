"""The guard as a browser meets it: everything a page needs still works, and nothing else is fetched."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.web.served import Server, until

pytestmark = pytest.mark.browser


@dataclass
class Watch:
    """What a page asked for and complained about."""

    page: Page
    server: Server
    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda line: self._said(line.text))
        self.page.on("request", self._asked)

    def _said(self, text: str) -> None:
        if "Content Security Policy" in text or "Permissions policy" in text:
            self.problems.append(text)

    def _asked(self, request: Request) -> None:
        if not re.match(rf"(http|ws)://{self.server.host}/|data:|blob:", request.url):
            self.foreign.append(request.url)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context()
    context.add_init_script(
        "window.violations = []; document.addEventListener('securitypolicyviolation',"
        " event => window.violations.push(event.violatedDirective + ' ' + event.blockedURI))"
    )
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext, server: Server) -> Watch:
    assert until(lambda: _held(server) == 0)
    watch = Watch(context.new_page(), server)
    _open(watch.page, server)
    return watch


def _open(page: Page, server: Server) -> None:
    page.goto(server.url)
    expect(page.get_by_text("born=")).to_be_visible(timeout=30_000)
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_visible()


def _held(server: Server) -> int:
    return int(httpx.get(f"{server.url}/test/uploads").json()["count"])


def _said(page: Page, name: str) -> str:
    found = re.search(rf"\b{name}=(\S+)", page.get_by_text("born=").inner_text())
    assert found
    return found.group(1)


def _photo(tmp_path: Path, size: int = 1_500_000) -> Path:
    photo = tmp_path / "portrait of Jane.png"
    photo.write_bytes(b"x" * size)
    return photo


def test_a_page_with_all_we_use_breaks_no_rule_and_asks_nobody_else(watch: Watch, tmp_path: Path) -> None:
    page = watch.page
    page.get_by_role("button", name="inline component").click()
    expect(page.get_by_text("component answered")).to_be_visible()
    expect(page.get_by_text("own html")).to_be_visible()
    page.get_by_test_id("stFileUploaderDropzoneInput").nth(1).set_input_files(_photo(tmp_path))
    expect(page.get_by_text("took 1500000 bytes")).to_be_visible()
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_text(re.compile(r"took \d+ bytes")).nth(1)).to_be_visible()

    assert page.evaluate("window.violations") == []
    assert watch.problems == []
    assert watch.foreign == []


def test_a_policy_violation_would_be_seen(watch: Watch) -> None:
    """Holds the test above to its word."""
    watch.page.evaluate("fetch('http://evil.example/').catch(() => 0)")

    assert until(lambda: watch.page.evaluate("window.violations")) == ["connect-src http://evil.example/"]
    assert watch.problems


def test_a_photo_that_a_page_took_is_no_longer_in_streamlit(watch: Watch, tmp_path: Path) -> None:
    page, photo = watch.page, _photo(tmp_path)
    uploader = page.get_by_test_id("stFileUploaderDropzoneInput").nth(1)
    uploader.set_input_files(photo)
    expect(page.get_by_text("took 1500000 bytes")).to_be_visible()

    assert _held(watch.server) == 0
    expect(page.get_by_text(photo.name)).to_have_count(0)

    uploader.set_input_files(photo)  # the same file once more: the uploader has started afresh
    expect(page.get_by_text("took 1500000 bytes")).to_have_count(2)
    assert _held(watch.server) == 0


def test_a_photo_that_a_page_took_is_nowhere_in_the_servers_memory(watch: Watch, tmp_path: Path) -> None:
    marker = os.urandom(16).hex().encode()
    photo = tmp_path / "portrait.png"
    photo.write_bytes((marker + bytes(4096 - len(marker))) * 400)
    watch.page.get_by_test_id("stFileUploaderDropzoneInput").nth(1).set_input_files(photo)
    expect(watch.page.get_by_text(f"took {400 * 4096} bytes")).to_be_visible()

    # Of 400 marks per copy; a few may outlive it at the edges of blocks that other things have a part of.
    assert until(lambda: watch.server.copies_in_memory(marker) <= 20)


def test_a_photo_that_no_page_took_goes_with_the_tab(watch: Watch, tmp_path: Path) -> None:
    watch.page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(_photo(tmp_path))
    assert until(lambda: _held(watch.server) == 1)

    watch.page.close()

    assert until(lambda: _held(watch.server) == 0)


def test_the_cookie_outlives_a_reload_and_not_the_browser(
    watch: Watch, context: BrowserContext, chromium: Browser, server: Server
) -> None:
    page = watch.page
    (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == "workshot"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Lax", -1)
    assert "workshot" not in page.evaluate("document.cookie")
    me = _said(page, "me")

    page.reload()
    expect(page.get_by_text("born=")).to_be_visible(timeout=30_000)
    assert _said(page, "me") == me
    assert [c["value"] for c in context.cookies() if c["name"] == "workshot"] == [cookie["value"]]

    other = chromium.new_context()
    second = other.new_page()
    _open(second, server)
    assert _said(second, "me") != me
    other.close()


def test_another_sites_page_cannot_read_or_act(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(server.url)
    page.route("http://evil.example/", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
    page.goto("http://evil.example/")

    assert page.evaluate(f"fetch('{server.url}/test/whoami').then(() => 'read', () => 'refused')") == "refused"
    assert (
        page.evaluate(
            f"new Promise(done => {{ const s = new WebSocket('ws://{server.host}/_stcore/stream', ['streamlit']);"
            "s.onopen = () => done('open'); s.onerror = () => done('refused') })"
        )
        == "refused"
    )


def test_media_that_a_page_made_by_mistake_is_not_served(watch: Watch) -> None:
    page, server = watch.page, watch.server
    page.get_by_role("button", name="Media").click()
    stored = until(lambda: httpx.get(f"{server.url}/test/stored").json())
    assert stored

    for kept in stored:
        for path in (f"/media/{kept}", f"/media/{kept}.wav"):
            assert httpx.get(server.url + path).status_code == 404
            assert page.request.get(server.url + path).status == 404


def test_a_page_that_fails_stays_calm_and_the_log_is_told_where(watch: Watch) -> None:
    watch.page.get_by_role("button", name="Fail").click()

    expect(watch.page.get_by_text("Something went wrong on our side")).to_be_visible()
    expect(watch.page.get_by_text("Jane Doe")).to_have_count(0)
    expect(watch.page.get_by_test_id("stException")).to_have_count(0)
    logged = watch.server.logged()
    assert "A page failed: ValueError at mini.py" in logged
    assert "Jane Doe" not in logged


def test_without_cookies_the_page_says_what_it_needs(chromium: Browser, server: Server) -> None:
    context = chromium.new_context()
    page = context.new_page()

    def forget(route: Route) -> None:
        context.clear_cookies(name="workshot")
        route.continue_()

    page.route("**/static/js/index.*.js", forget)  # after the page came and before its tab connects
    page.goto(server.url)

    expect(page.get_by_text("This page needs a cookie")).to_be_visible(timeout=30_000)
    context.close()


def test_behind_https_a_browser_keeps_the_session(chromium: Browser, secure_server: Server) -> None:
    """Chromium takes localhost for a secure place, so the stricter cookie can be seen without a certificate."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(secure_server.url)
    (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == "__Host-workshot"]

    assert cookie["secure"] is True
    known = page.evaluate("fetch('/test/whoami').then(answer => answer.json())")
    assert re.fullmatch("[0-9a-f]{64}", known["session"])
    context.close()
