"""A person whose browser asks for German: their words, their switch, their theme, from the first byte and for good."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.studio import NEIGHBOUR, PHONE, Visitor
from tests.browser.test_looks import looked_at
from tests.web.served import Server

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]
PAPER = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
DARK = "rgb(18, 22, 27)"


def test_a_german_browser_reads_german_until_its_person_says_otherwise(someone: Someone) -> None:
    ann = someone(**PHONE, locale="de-DE")
    ann.sees("Ein Headshot")
    expect(ann.page.get_by_test_id("stFileUploader")).to_contain_text("Datei auswählen")
    expect(ann.page.get_by_test_id("stFileUploader")).to_contain_text("bis 20\u00a0MB je Datei")
    expect(ann.button("Menü")).to_be_visible()
    assert ann.page.evaluate("document.documentElement.lang") == "de"
    looked_at(ann, "the studio in German")

    ann.open("/my_photos")
    ann.press("Dunkel")
    expect(ann.page.locator("button[value=dark]")).to_have_attribute("aria-pressed", "true")
    assert ann.page.evaluate(PAPER) == DARK
    looked_at(ann, "My photos in German, dark")

    ann.page.locator(".ws-languages").get_by_role("button", name="English").click()
    ann.sees("My photos")
    ann.open("/")
    ann.sees("A headshot that still looks like you")
    expect(ann.page.get_by_test_id("stFileUploader")).to_contain_text("Upload")
    assert ann.page.evaluate(f"[document.documentElement.lang, {PAPER}]") == ["en", DARK]
    assert ann.foreign == []


class AsNeighbour(Server):
    @property
    def host(self) -> str:
        return f"{NEIGHBOUR}:{self.port}"


def test_over_plain_http_from_another_machine_the_switches_work(server: Server, someone: Someone) -> None:
    """There a browser says nothing of where a form comes from."""
    ann = someone(to=AsNeighbour(server.port, server.log))
    assert ann.page.evaluate("window.isSecureContext") is False
    ann.page.locator(".ws-languages").get_by_role("button", name="Deutsch").click()
    ann.sees("Ein Headshot")
    assert ann.page.evaluate("document.documentElement.lang") == "de"
    ann.open("/my_photos")
    with ann.page.expect_response("**/counting/no") as answered:
        ann.page.locator('form[action="/counting/no"] button').click()
    assert answered.value.status == 303
