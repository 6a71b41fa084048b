"""The page of breaches in Chromium: noted, a clock that ticks, a draft that is saved, and what every page says then."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import APP
from tests.browser.studio import DESK, PATIENCE, PHONE, settled, unfold
from tests.browser.test_looks import violations
from tests.browser.test_operators import browser_of, made_link
from tests.web.served import Server, free_port, serve, until

pytestmark = pytest.mark.browser
House = tuple[Server, Path]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder, port = tmp_path_factory.mktemp("breach"), free_port()
    data, public = folder / "data", f"http://localhost:{port}"
    with serve(
        folder / "server.log", page=APP, port=port, DATA_DIR=str(data), WORKER="external", PUBLIC_URL=public
    ) as server:
        yield server, data


def note_one(page: Page, server: Server, data: Path) -> None:
    page.goto(made_link(server, data, "founder"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("stTopNavLink").or_(page.get_by_role("heading", level=1)).first).to_be_visible()
    page.goto(f"{server.url}/ops_breach")
    expect(page.get_by_role("heading", name="If it leaked now")).to_be_visible(timeout=PATIENCE)
    settled(page)
    unfold(page, "Note a breach")
    page.get_by_role("combobox", name="What got into wrong hands").click()
    page.get_by_role("option", name="The server").click()
    page.get_by_role("button", name="Note this breach").click()
    page.get_by_role("dialog").get_by_role("button", name="Note it").click()
    expect(page.get_by_text("Noted. Its clock runs.")).to_be_visible(timeout=PATIENCE)


def test_a_breach_from_noting_to_telling_everybody(chromium: Browser, house: House, tmp_path: Path) -> None:
    server, data = house
    with browser_of(chromium) as page:
        page.set_viewport_size(DESK["viewport"])
        note_one(page, server, data)
        clock = page.locator("time[data-ws-clock=timer]")
        before = clock.inner_text()
        expect(clock).not_to_have_text(before, timeout=PATIENCE)
        assert "71 h" in clock.inner_text() or "2 d 23 h" in clock.inner_text()
        settled(page)
        unfold(page, "Draft for the authority")
        with page.expect_download(timeout=PATIENCE) as taken:
            page.get_by_role("button", name="Save it as a file").click()
        path = tmp_path / "notice.txt"
        taken.value.save_as(path)
        assert "(GDPR, Article 33)" in path.read_text() and taken.value.suggested_filename.startswith("B-")
        for size, scheme in ((DESK, "light"), (PHONE, "dark")):
            page.set_viewport_size(size["viewport"])
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]
            assert until(lambda: violations(page) == [], seconds=10), "once colours have changed"
        _tell(page)
    with browser_of(chromium) as visitor:
        visitor.goto(server.url)
        expect(visitor.get_by_text("Somebody got in.")).to_be_visible(timeout=PATIENCE)


def _tell(page: Page) -> None:
    settled(page)
    unfold(page, "Tell people (GDPR, Article 34)")
    for name, text in (("English", "Somebody got in."), ("Deutsch", "Jemand kam herein.")):
        page.get_by_role("textbox", name=name).fill(text)
        page.get_by_role("textbox", name=name).blur()
    page.get_by_role("button", name="Tell people on every page").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("tell")
    dialog.get_by_role("button", name="Tell people").click()
    expect(page.get_by_text("Every page says so now.")).to_be_visible(timeout=PATIENCE)
