"""Checking a receipt as a person does, on a phone as well, and reading the one to print."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from core import access, bootstrap, copies, receipts, retention
from core.guard import hash_of
from core.models import Copy, CopyKind, Receipt, Request, RequestChannel, RequestKind, RequestState, Subject, new_id
from core.settings import load_settings
from tests.browser.studio import DESK, PATIENCE, PHONE, Visitor
from tests.browser.test_looks import looked_at

pytestmark = pytest.mark.browser

Someone = Callable[..., Visitor]


@pytest.fixture(scope="module")
def receipt(server: object, data_dir: Path) -> Receipt:
    """Of three copies, made by the installation that the browser looks at."""
    svc = bootstrap.build(load_settings(data_dir=data_dir))
    now = datetime.now(UTC)
    subject_id = new_id()
    with svc.transaction() as session:
        session.add(Subject(id=subject_id, created_at=now, sealed_key=svc.vault.make_key(subject_id)))
        session.flush()
        for kind, size in ((CopyKind.PORTRAIT, 812_345), (CopyKind.HEADSHOT, 240_000), (CopyKind.HEADSHOT, 251_000)):
            copy = copies.plan(
                session, subject_id=subject_id, kind=kind, width=1, height=1, size=size, at=now, erase_by=now
            )
            copy.written_at = now
    retention.erase_copies(svc, [copy.id for copy in of(svc, subject_id)])
    request = Request(
        number=f"D-{new_id()[:7].upper()}",
        kind=RequestKind.ERASE,
        channel=RequestChannel.EMAIL,
        state=RequestState.WORKING,
        clock="erase",
        received_at=now - timedelta(hours=2),
        entered_at=now,
        due_at=now + timedelta(hours=46),
        started_at=now,
        erased_at=now,
        proved_at=now,
        subject_id=subject_id,
    )
    with svc.transaction() as session:
        session.add(request)
        session.flush()
        return receipts.make(session, svc, request, now=now)


def of(svc: Any, subject_id: str) -> list[Copy]:
    with svc.reading() as session:
        return list(copies.of_subject(session, subject_id))


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def test_checking_a_receipt(someone: Someone, receipt: Receipt, size: dict[str, Any], scheme: str) -> None:
    ann = someone(**size, color_scheme=scheme).open("/check_receipt")
    ann.sees("Check a receipt")
    looked_at(ann, "nothing checked yet")
    ann.choose_file(receipts.as_file(receipt), "receipt.json", label="The receipt’s file")
    ann.reads("Genuine and unchanged")
    ann.reads("What it does not show")
    for folded in ann.page.locator("summary").all():
        folded.click()
    looked_at(ann, "genuine")
    text = receipts.as_file(receipt).decode().replace("headshot", "portrait")
    ann.page.get_by_role("textbox", name="Or its text").fill(text)
    ann.press("Check this text")
    ann.reads("Not what was signed")
    expect(ann.page.get_by_text("Genuine and unchanged")).to_have_count(0, timeout=PATIENCE)
    looked_at(ann, "changed")
    assert ann.foreign == []


def test_by_the_keyboard_alone(someone: Someone, receipt: Receipt) -> None:
    ann = someone().open("/check_receipt")
    ann.settled()
    ann.page.get_by_role("textbox", name="Or its text").focus()
    ann.page.keyboard.insert_text(receipts.as_file(receipt).decode())
    ann.page.keyboard.press("Tab")
    ann.page.keyboard.press("Enter")
    ann.reads("Genuine and unchanged")


def test_the_guide_leads_there_and_the_menu_stays_short(someone: Someone) -> None:
    ann = someone().open("/guide")
    menu = ann.page.get_by_test_id("stTopNavLink").all_inner_texts()
    assert menu == ["Studio", "My photos", "Promises", "Guide"]
    ann.page.get_by_role("link", name="Check a receipt").click()
    ann.sees("Check a receipt")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_printed_one(someone: Someone, receipt: Receipt, data_dir: Path, size: dict[str, Any]) -> None:
    ann = someone(**size)
    token = next(cookie["value"] for cookie in ann.context.cookies() if cookie["name"] == "workshot")
    svc = bootstrap.build(load_settings(data_dir=data_dir))
    with svc.transaction() as session:
        subject_id = session.get_one(Request, receipt.request_id).subject_id
        assert subject_id is not None
        access.link(session, hash_of(token), subject_id, svc.clock())
    ann.page.goto(f"{ann.server.url}/receipt/{receipt.id}")
    expect(ann.heading(f"Receipt {receipt.number}")).to_be_visible(timeout=PATIENCE)
    width = ann.page.viewport_size["width"] if ann.page.viewport_size else 0
    assert ann.page.evaluate("document.documentElement.scrollWidth") <= width
    assert receipts.check(svc, ann.downloaded("download it")).well
