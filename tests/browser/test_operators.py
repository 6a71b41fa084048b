"""Operators in Chromium: in by a link or by OIDC, the audit log, out; and for everyone else none of it exists."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import APP
from tests.browser.studio import PATIENCE, still
from tests.peers import oidc
from tests.web.served import ROOT, Server, free_port, serve

pytestmark = pytest.mark.browser

PEOPLE = {
    "ann": {"email": "Ann@example.org", "email_verified": True},
    "eve": {"email": "eve@example.org", "email_verified": True},
    "mallory": {"email": "ann@example.org", "email_verified": False},
}
NOT_FOUND = "The page that you have requested does not seem to exist."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server of its own that has a provider, and where its data lies."""
    folder, port = tmp_path_factory.mktemp("staff"), free_port()
    with oidc.provider(PEOPLE) as provider:
        oidc.configure(folder / "home", app=f"http://localhost:{port}", provider=provider)
        with serve(
            folder / "server.log",
            page=APP,
            port=port,
            DATA_DIR=str(folder / "data"),
            HOME=str(folder / "home"),
            PUBLIC_URL=f"http://localhost:{port}",
            STAFF_SUPPORT="ann@example.org",
        ) as server:
            yield server, folder / "data"


@contextmanager
def browser_of(chromium: Browser, *, cookies: list[dict[str, object]] | None = None) -> Iterator[Page]:
    with still(chromium, viewport={"width": 1280, "height": 1000}) as context:
        context.add_cookies(cookies or [])  # type: ignore[arg-type]
        yield context.new_page()


def made_link(server: Server, data: Path, role: str = "support") -> str:
    """As the command prints it."""
    done = subprocess.run(
        [sys.executable, "-m", "core", "staff", "link", "--role", role, "--json"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(data), "PUBLIC_URL": server.url},
        capture_output=True,
        text=True,
        check=True,
    )
    url: str = json.loads(done.stdout)["url"]
    return url


def pages_of(page: Page) -> list[str]:
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible(timeout=PATIENCE)
    return page.get_by_test_id("stTopNavLink").all_inner_texts()


def is_told_nothing(page: Page, server: Server) -> None:
    """The audit page is answered exactly as an address that never was one."""
    for path in ("/ops_audit", "/never-was"):
        page.goto(server.url + path)
        expect(page.get_by_text(NOT_FOUND)).to_be_visible(timeout=PATIENCE)
        assert pages_of(page) == ["Studio", "My photos", "Promises", "Guide"]


def test_the_first_visitor_of_all_finds_no_page_of_operators(chromium: Browser, house: tuple[Server, Path]) -> None:
    """Must stay the first test of this file: until a map was drawn, Streamlit takes every file in pages/ for one."""
    with browser_of(chromium) as page:
        is_told_nothing(page, house[0])


def test_a_link_opens_the_audit_log_once(chromium: Browser, house: tuple[Server, Path]) -> None:
    server, data = house
    url = made_link(server, data)
    with browser_of(chromium) as scanner:
        scanner.goto(url)
    with browser_of(chromium) as page:
        page.goto(url)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Audit")).to_be_visible(timeout=PATIENCE)
        assert pages_of(page) == ["Studio", "My photos", "Promises", "Guide", "Desk", "Retention", "Reports", "Audit"]
        page.get_by_role("button", name="Verify the whole log").click()
        expect(page.get_by_text("are as they were written")).to_be_visible(timeout=PATIENCE)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download JSON lines").click()
        lines = download.value.path().read_text().splitlines()
        done = [json.loads(line)["action"] for line in lines]
        assert [action for action in done if action != "policy:noted"][:2] == ["link:made", "operator:signed_in"]
        page.get_by_text("Guide", exact=True).first.click()
        page.get_by_text("Audit", exact=True).first.click()
        expect(page.get_by_role("heading", name="Audit")).to_be_visible(timeout=PATIENCE)
        copied = page.context.cookies()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("A headshot that still looks like you")).to_be_visible(timeout=PATIENCE)
        assert pages_of(page) == ["Studio", "My photos", "Promises", "Guide"]
        page.goto(url)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("This link is over")).to_be_visible()
    with browser_of(chromium, cookies=copied) as thief:  # type: ignore[arg-type]
        is_told_nothing(thief, server)
    assert url.rpartition("/")[2] not in server.logged()


def sign_in_at_provider(page: Page, server: Server, who: str) -> None:
    page.goto(server.url + "/sign_in")
    page.get_by_role("button", name="Sign in with company").click()
    page.locator("input[name=sub]").fill(who)
    page.locator("input[name=sub]").press("Enter")
    page.wait_for_url(server.url + "/**")


@pytest.mark.parametrize("who", ["eve", "mallory"])
def test_who_is_not_listed_or_not_verified_gets_nothing(
    chromium: Browser, house: tuple[Server, Path], who: str
) -> None:
    server, _ = house
    with browser_of(chromium) as page:
        sign_in_at_provider(page, server, who)
        is_told_nothing(page, server)
        page.goto(server.url + "/sign_in")
        expect(page.get_by_text("This account is not on the list of operators")).to_be_visible(timeout=PATIENCE)


def test_who_is_listed_gets_in_and_signs_out_everywhere(chromium: Browser, house: tuple[Server, Path]) -> None:
    server, _ = house
    with browser_of(chromium) as page:
        sign_in_at_provider(page, server, "ann")
        assert pages_of(page) == ["Studio", "My photos", "Promises", "Guide", "Desk", "Retention", "Reports", "Audit"]
        page.goto(server.url + "/ops_audit")
        expect(page.get_by_text("Support oidc-")).to_be_visible(timeout=PATIENCE)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download CSV").click()
        assert "oidc" in download.value.path().read_text()
        copied = page.context.cookies()
        with browser_of(chromium, cookies=copied) as elsewhere:  # type: ignore[arg-type]
            elsewhere.goto(server.url + "/ops_audit")
            expect(elsewhere.get_by_role("heading", name="Audit")).to_be_visible(timeout=PATIENCE)
            page.get_by_role("button", name="Sign out").click()
            expect(page).to_have_url(re.compile("/oauth2/end_session"), timeout=PATIENCE)  # out there, too
            is_told_nothing(elsewhere, server)
        page.goto(server.url + "/sign_in")
        expect(page.get_by_role("button", name="Sign in with company")).to_be_visible(timeout=PATIENCE)
    assert "example.org" not in server.logged()
