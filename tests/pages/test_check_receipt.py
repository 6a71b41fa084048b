"""The page that checks receipts: for everyone, in words, and nothing of an unproved document is ever shown."""

import json
from datetime import timedelta

import pytest

from core import receipts, retention
from core.models import Request, RequestChannel, RequestKind, RequestState
from core.services import Services
from core.ui import pages
from tests.pages.conftest import Opened, Tab

PAGE = pages.CHECK_RECEIPT
pytestmark = pytest.mark.sqlite_only("tests/receipts asks both what the page asks")


@pytest.fixture
def genuine(svc: Services, given_copy, given_subject) -> str:  # type: ignore[no-untyped-def]
    subject_id, now = given_subject(), svc.clock()
    given_copy(subject_id=subject_id)
    request = Request(
        number="D-7Q4K2M",
        kind=RequestKind.ERASE,
        channel=RequestChannel.EMAIL,
        state=RequestState.WORKING,
        clock="erase",
        received_at=now,
        entered_at=now,
        due_at=now + timedelta(hours=48),
        proved_at=now,
        subject_id=subject_id,
    )
    retention.sweep(svc)
    with svc.transaction() as session:
        session.add(request)
        session.flush()
        return receipts.as_file(receipts.make(session, svc, request, now=now)).decode()


def pasted(tab: Tab, text: str) -> Tab:
    tab.at.text_area[0].set_value(text)
    return tab.press("Check this text")


def read(tab: Tab) -> str:
    return f"{tab.text} {' '.join(heading.value for heading in tab.at.header)}"


def test_a_genuine_one_is_put_into_words(opened: Opened, genuine: str) -> None:
    said = read(pasted(opened(PAGE), genuine))
    assert "Genuine and unchanged" in said
    assert "Request D-7Q4K2M, to erase, came by e-mail on" in said
    assert "What it shows" in said and "What it does not show" in said
    assert "What was downloaded, shared or copied before is out of our reach." in said


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text.replace("D-7Q4K2M", "D-EVIL"), "Not what was signed"),
        (lambda text: text[:-20], "This cannot be read"),
        (lambda text: json.dumps({"note": "D-EVIL"}), "Not a receipt"),
        (lambda text: text.replace('"key_id": "', '"key_id": "D-EVIL'), "Signed with a key we do not know"),
        (lambda text: text.replace("workshot receipt 1", "workshot receipt D-EVIL"), "Another kind of receipt"),
    ],
)
def test_anything_else_is_answered_without_showing_any_of_it(opened: Opened, genuine: str, change, expected) -> None:  # type: ignore[no-untyped-def]
    said = read(pasted(opened(PAGE), change(genuine)))
    assert expected in said and "Genuine" not in said
    assert "D-EVIL" not in said and "What it shows" not in said


def test_markup_in_a_paste_stays_text(opened: Opened) -> None:
    assert "<script>alert" not in pasted(opened(PAGE), "<script>alert(1)</script>").drawn


def test_an_empty_paste_asks_for_one(opened: Opened) -> None:
    assert "Paste the text of a receipt first." in read(pasted(opened(PAGE), "  "))


def test_it_is_open_without_a_cookie_of_anybody_else(opened: Opened, svc: Services, genuine: str) -> None:
    said = read(pasted(opened(PAGE, who="c" * 64), genuine))
    assert "Genuine and unchanged" in said


def test_the_key_and_the_way_without_us_are_there(opened: Opened, svc: Services) -> None:
    tab = opened(PAGE)
    assert svc.signer.public_text in tab.text and svc.signer.key_id in tab.text
    assert 'href="/receipt-format"' in tab.drawn and 'href="/receipt-key"' in tab.drawn
