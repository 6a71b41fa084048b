"""Promises, the checklist and the check of an image as a person sees them: both sizes, both themes, nothing kept."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.models import PromiseCheck, PromiseState
from core.promises import PROMISES
from tests.browser.backstage import Backstage
from tests.browser.studio import DESK, PATIENCE, PHONE, Visitor
from tests.browser.test_looks import looked_at
from tests.provenance.signed import changed, signed
from tests.web.served import Server, until

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]
BOTH = pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])


@BOTH
def test_promises(someone: Someone, backstage: Backstage, size: dict[str, Any], scheme: str) -> None:
    broken = PROMISES[4].id
    ann = someone(**size, color_scheme=scheme).open("/promises")
    ann.reads("Check it without trusting us")
    for folded in ann.page.locator(".ws-promises summary").all()[:3]:
        folded.click()
    looked_at(ann, "promises")
    with broken_for_days(backstage, broken):
        ann.open("/promises").reads("broken.")
        ann.page.locator(f"a[href='#promise-{broken}']").click()
        expect(ann.page.locator(f"#promise-{broken}")).to_be_in_viewport(timeout=PATIENCE)
        looked_at(ann, "a broken promise")
    assert ann.foreign == []


@contextmanager
def broken_for_days(backstage: Backstage, promise: str) -> Iterator[None]:
    """As if it had been measured so, until the worker measures it again."""
    assert until(lambda: backstage.rows(PromiseCheck), seconds=60), "the worker measures soon after the start"
    long_ago = datetime.now(UTC) - timedelta(days=2)
    before = next(row for row in backstage.rows(PromiseCheck) if row.promise == promise)
    was = {"state": before.state, "since": before.since, "broken_at": before.broken_at}
    _set(backstage, promise, state=PromiseState.BROKEN, since=long_ago, broken_at=long_ago)
    yield
    _set(backstage, promise, **was)


def _set(backstage: Backstage, promise: str, **values: object) -> None:
    with backstage.changing() as connection:
        connection.execute(sa.update(PromiseCheck).where(PromiseCheck.promise == promise).values(**values))


@BOTH
def test_the_checklist(someone: Someone, size: dict[str, Any], scheme: str) -> None:
    ann = someone(**size, color_scheme=scheme).open("/checklist")
    ann.reads("Hold another tool against it")
    ann.page.get_by_role("textbox", name="The other tool").fill("Face Mill <b>")
    ann.page.keyboard.press("Tab")
    expect(ann.page.get_by_role("columnheader", name="Face Mill <b>")).to_be_visible(timeout=PATIENCE)
    ann.page.get_by_text("It answers these clearly (0 of 8)").click()
    ann.page.get_by_role("checkbox", name="Is it used for training?").focus()
    ann.page.keyboard.press("Space")
    expect(ann.page.get_by_text("It answers these clearly (1 of 8)")).to_be_visible(timeout=PATIENCE)
    looked_at(ann, "checklist")
    assert ann.foreign == []


def test_on_paper_there_is_the_comparison_alone(someone: Someone) -> None:
    ann = someone(color_scheme="dark").open("/checklist")
    ann.reads("AI photo tools, compared")
    ann.settled()
    ann.page.evaluate("window.print = () => { window.printed = true }")
    ann.press("Print the comparison")
    assert until(lambda: ann.page.evaluate("window.printed"))
    ann.page.emulate_media(media="print")
    expect(ann.page.locator(".ws-compared")).to_be_visible()
    for gone in ("Print the comparison", "Five points to look for in a privacy policy", "Check a receipt"):
        expect(ann.page.get_by_text(gone).first).to_be_hidden()
    ink = ann.page.locator(".ws-compared th[scope=row]").first.evaluate("cell => getComputedStyle(cell).color")
    assert ink == "rgb(23, 32, 42)", "dark ink, whatever the theme"


@BOTH
def test_checking_an_image(someone: Someone, size: dict[str, Any], scheme: str) -> None:
    ann = someone(**size, color_scheme=scheme).open("/check_image")
    looked_at(ann, "nothing chosen yet")
    ann.choose_file(signed(), "signed.jpg", label="The image")
    ann.reads("a small icon for Content Credentials")
    looked_at(ann, "signed")
    ann.choose_file(changed(signed()), "changed.jpg", label="The image")
    ann.reads("They do not hold")
    looked_at(ann, "changed")
    ann.choose_file(b"GIF89a no", "no.jpg", label="The image")
    ann.reads("We can't read this kind of file.")
    looked_at(ann, "refused")
    assert ann.foreign == []


def test_of_an_image_that_was_checked_nothing_is_left(someone: Someone, server: Server, backstage: Backstage) -> None:
    before = backstage.traces()
    marker = os.urandom(16).hex().encode()
    photo = signed() + (marker + bytes(4096 - len(marker))) * 400
    ann = someone().open("/check_image")
    ann.choose_file(photo, "Jane at home.jpg", label="The image")
    ann.reads("What LinkedIn will show")
    assert "Jane at home" not in ann.page.content() and "Jane at home" not in server.logged()
    assert backstage.traces() == before
    # Of 400 marks per copy; a few may outlive it at the edges of blocks that other things have a part of.
    assert until(lambda: server.copies_in_memory(marker) <= 20, seconds=90)
    assert server.temporary_files() == []


def test_the_foot_of_each_page_leads_to_all_of_them(someone: Someone) -> None:
    ann = someone()
    for link, title in (
        ("Check an image", "Check an image"),
        ("Check a receipt", "Check a receipt"),
        ("Checklist", "Checklist"),
        ("Promises", "Promises"),
    ):
        ann.page.locator(".st-key-ws-foot").get_by_role("link", name=link).click()
        ann.sees(title)
