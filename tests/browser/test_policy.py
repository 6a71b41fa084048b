"""The policy as it is read: jumping about, opening lists, older versions, paper; and what somebody agreed to."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from core.promises import PROMISES
from tests.browser.studio import DESK, PATIENCE, PHONE, Visitor
from tests.browser.test_looks import looked_at

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def test_reading_it(someone: Someone, size: dict[str, Any], scheme: str) -> None:
    ann = someone(**size, color_scheme=scheme).open("/policy")
    ann.sees("Privacy")
    expect(ann.page.locator(".ws-vows li")).to_have_count(len(PROMISES), timeout=PATIENCE)
    looked_at(ann, "the policy")
    for folded in ann.page.locator("main summary").all():
        folded.click()
    expect(ann.page.locator("details.ws-fold:not([open])")).to_have_count(0)
    looked_at(ann, "the policy, all lists open")
    assert ann.foreign == []


def test_jumping_to_a_section_and_back_from_a_promise(someone: Someone) -> None:
    ann = someone(**PHONE).open("/policy")
    contents = ann.page.get_by_role("navigation", name="On this page")
    contents.get_by_role("link", name="Your rights").click()
    expect(ann.page.get_by_role("heading", name="Your rights")).to_be_in_viewport(timeout=PATIENCE)
    ann.page.locator(".ws-vow-state").first.click()
    ann.sees("Promises")


def test_a_version_by_itself(someone: Someone) -> None:
    ann = someone().open("/policy")
    ann.page.get_by_role("link", name="Version").first.click()
    ann.reads("as it was kept")
    ann.reads("in force since")
    looked_at(ann, "one version")
    ann.page.get_by_role("link", name="The policy in force").click()
    expect(ann.page.locator(".ws-vows li").first).to_be_visible(timeout=PATIENCE)


def test_on_paper_all_of_it_is_open(someone: Someone) -> None:
    ann = someone().open("/policy")
    ann.settled()
    schedule = ann.page.get_by_role("table", name="The schedule")
    expect(schedule).to_be_hidden()
    ann.page.emulate_media(media="print")
    expect(schedule).to_be_visible(timeout=PATIENCE)
    expect(ann.page.get_by_role("button", name="Print")).to_be_hidden()
    assert len(ann.page.pdf()) > 50_000


def test_for_machines(someone: Someone) -> None:
    ann = someone()
    said = json.loads(ann.body_of("/.well-known/privacy.json"))
    assert [one["id"] for one in said["promises"]] == [promise.id for promise in PROMISES]
    assert said["effective_at"], "a server notes its version before it serves anybody"
    assert ann.status_of("/.well-known/security.txt") == 404


def test_what_somebody_agreed_to(someone: Someone) -> None:
    ann = someone(**PHONE).make()
    ann.open("/my_photos")
    ann.page.get_by_text("The text that you agreed to").click()
    ann.reads("Unchanged since")
    looked_at(ann, "what you agreed to")
    ann.page.get_by_role("link", name="Erase, withdraw or object").click()
    expect(ann.page.get_by_role("heading", name="Your data")).to_be_in_viewport(timeout=PATIENCE)
