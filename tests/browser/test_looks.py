"""Every screen of the tester's pages: accessible in both themes and sizes, and nothing asked of other hosts."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.studio import DESK, PATIENCE, PHONE, Visitor

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]

STREAMLITS_OWN = {
    "presentation-role-conflict": "the uploader's dropzone has role=presentation and a label",
    "region": "the skip link and portals lie outside its landmarks",
    "aria-dialog-name": "its toasts",
}


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "dark"), (PHONE, "light")], ids=["desk-dark", "phone-light"])
def test_no_screen_of_ours_shuts_anyone_out(someone: Someone, size: dict[str, Any], scheme: str) -> None:
    ann = someone(**size, color_scheme=scheme)
    looked_at(ann, "empty")
    ann.add()
    ann.press("Generate headshots")
    ann.reads("Please tick both boxes first")
    looked_at(ann, "composing")
    ann.agree()
    ann.generate()
    ann.sees("Your headshots are ready")
    looked_at(ann, "ready")
    ann.open("/my_photos")
    looked_at(ann, "my photos")
    ann.press("Erase now")
    expect(ann.page.get_by_role("dialog")).to_be_visible(timeout=PATIENCE)
    looked_at(ann, "the question before erasing")
    ann.page.get_by_role("dialog").get_by_role("textbox").fill("ERASE")
    ann.page.get_by_role("dialog").get_by_role("button", name="Erase").first.click()
    ann.sees("Erased")
    looked_at(ann, "erased")
    ann.open("/guide")
    looked_at(ann, "guide")
    assert ann.foreign == []


def looked_at(visitor: Visitor, screen: str) -> None:
    page = visitor.page
    visitor.settled()
    expect(page.locator("img:not([loading=lazy])").first.or_(page.locator("main"))).not_to_have_count(0)
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{screen} is wider than the window"
    assert violations(page) == [], screen
    assert visitor.refused == [], screen


def violations(page: Page) -> list[str]:
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for violation in Axe().run(page).response["violations"]
        if violation["id"] not in STREAMLITS_OWN
        for node in violation["nodes"]
    ]
