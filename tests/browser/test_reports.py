"""A report from the first click to the last look, by four people in browsers of their own; and what its owner reads."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import APP
from tests.browser.studio import DESK, PATIENCE, PHONE, Visitor, portrait, settled, visiting
from tests.browser.test_looks import looked_at, violations
from tests.browser.test_operators import browser_of, made_link
from tests.web.served import Server, free_port, serve

pytestmark = pytest.mark.browser
House = tuple[Server, Path]
RUN = re.compile(r"G-[0-9A-Z]{4,}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server where two operators together may look."""
    folder, port = tmp_path_factory.mktemp("reports"), free_port()
    data, public = folder / "data", f"http://localhost:{port}"
    with serve(
        folder / "log", page=APP, port=port, DATA_DIR=str(data), PUBLIC_URL=public, LOOK_AT_REPORTED="true"
    ) as server:
        yield server, data


def signed_in(stack: ExitStack, chromium: Browser, house: House, role: str) -> Page:
    page = stack.enter_context(browser_of(chromium))
    page.goto(made_link(*house, role))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("stTopNavLink").first).to_be_visible(timeout=PATIENCE)
    return page


def report(bob: Visitor, run: str) -> str:
    """From a phone, without an account, by the number of the run."""
    bob.open("/report")
    bob.page.get_by_role("textbox", name=re.compile("^Number of the run")).fill(run)
    bob.page.get_by_role("textbox", name=re.compile("^In your words")).fill("That is me, and nobody asked me.")
    looked_at(bob, "the form")
    bob.press("Send the report")
    expect(bob.page.get_by_role("heading", name="We have it")).to_be_visible(timeout=PATIENCE)
    looked_at(bob, "the number")
    return str(bob.page.locator("dd").first.inner_text())


def opened(page: Page, server: Server, number: str) -> Page:
    page.goto(f"{server.url}/ops_abuse?report={number}")
    expect(page.get_by_role("heading", name="Look", exact=True)).to_be_visible(timeout=PATIENCE)
    settled(page)
    return page


def test_two_operators_look_and_the_owner_has_the_last_word(chromium: Browser, house: House) -> None:
    server, _data = house
    with ExitStack() as stack:
        kim, lee = (signed_in(stack, chromium, house, role) for role in ("support", "founder"))
        ann = stack.enter_context(visiting(chromium, server, **DESK)).open().make(portrait(900))
        ann.open("/my_photos").reads(RUN)
        run = re.search(RUN, ann.page.content())
        assert run
        number = report(stack.enter_context(visiting(chromium, server, **PHONE, color_scheme="dark")), run[0])
        picture = opened(kim, server, number).get_by_role("img", name="The reported image, marked")
        assert run[0] in kim.content() and picture.count() == 0
        kim.get_by_role("button", name="Ask to look").click()
        expect(kim.get_by_text("Another operator has to decide.").first).to_be_visible(timeout=PATIENCE)
        opened(lee, server, number).get_by_role("button", name="Allow for 10 minutes").click()
        expect(lee.get_by_text("You do not see the image: who asked does.")).to_be_visible(timeout=PATIENCE)
        expect(picture).to_be_visible(timeout=PATIENCE)
        kim.wait_for_function("() => document.querySelector('img[src*=\"/ops/glass/\"]')?.naturalWidth > 0")
        assert lee.get_by_role("img", name="The reported image, marked").count() == 0
        glass = picture.get_attribute("src") or ""
        for page in (kim, lee):
            assert violations(page) == []
        ann.open("/my_photos").reads(re.compile("^An operator looked at 1 (photo|headshot) on .+ Another operator"))
        looked_at(ann, "who looked")
        assert [ann.status_of(glass), lee.request.get(server.url + glass).status] == [404, 404]
        ann.page.get_by_text("Operators may look at my images if they are reported").click()
        expect(picture).to_have_count(0, timeout=PATIENCE)
        assert kim.request.get(server.url + glass).status == 404
