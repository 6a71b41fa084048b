"""The page that takes reports: without a name, with nothing kept of a file, and with a number at the end."""

import pickle
from dataclasses import replace

import pytest
from sqlmodel import select

from core.models import AbuseKind, AbuseReport
from core.services import Services
from core.ui import pages, report_text
from tests.fakes import NOON
from tests.pages.conftest import Opened, Tab
from tests.provenance.test_look import OURS, mark, plain

PAGE = pages.REPORT
NAME = "Jane at home.jpg"
MADE_NOW = replace(OURS, created_at=NOON)
"""Which of ours are: a mark from times to come is none."""


def fill(tab: Tab, *, words: str = "", run: str = "", address: str = "") -> Tab:
    tab.at.text_area[0].input(words)
    number, mail = tab.at.text_input
    number.input(run)
    mail.input(address)
    return tab


def rows(svc: Services) -> list[AbuseReport]:
    with svc.reading() as session:
        return list(session.exec(select(AbuseReport)).all())


def test_it_says_what_happens_before_anything_is_sent(opened: Opened) -> None:
    tab = opened(PAGE)
    assert tab.title == "Report an image"
    assert "due within 48 hours" in tab.text and "never by whom" in tab.text
    assert "Operators of this server see no images" in tab.text, "the setting is off by default"
    assert report_text.CHILD_FIRST not in tab.text


def test_sent_it_has_a_number_and_a_time(opened: Opened, svc: Services) -> None:
    tab = fill(opened(PAGE), words="It is me, at example.org", address="eve@example.org").press("Send the report")
    (row,) = rows(svc)
    assert "We have it" in tab.text and row.number in tab.text and "48 h left" in tab.text.replace("2 d", "48 h")
    assert row.kind is AbuseKind.NOT_ASKED
    assert fill(tab.press("Report another image"), words="Another").press("Send the report")
    assert len(rows(svc)) == 2


def test_without_anything_that_points_at_an_image_nothing_is_sent(opened: Opened, svc: Services) -> None:
    tab = opened(PAGE).press("Send the report")
    assert "Please say which image it is" in tab.text and not rows(svc)
    assert "We can't write to this address." in fill(tab, words="x", address="nobody").press("Send the report").text
    assert not rows(svc)


def test_of_a_child_the_police_come_first_and_no_file_is_taken(opened: Opened, svc: Services) -> None:
    tab = opened(PAGE)
    assert tab.at.get("file_uploader")
    tab.at.radio[0].set_value(AbuseKind.CHILD)
    tab.run()
    assert "tell the police first" in tab.text and not tab.at.get("file_uploader")
    tab = fill(tab, words="It is on example.org").press("Send the report")
    assert "We have it" in tab.text and "tell the police first" in tab.text
    assert [row.kind for row in rows(svc)] == [AbuseKind.CHILD]


@pytest.mark.parametrize(
    ("data", "says"), [(plain(), "a keyed hash"), (mark(plain(), MADE_NOW), "a random word")], ids=["plain", "marked"]
)
def test_a_file_is_read_and_let_go_of(
    opened: Opened, svc: Services, caplog: pytest.LogCaptureFixture, data: bytes, says: str
) -> None:
    tab = opened(PAGE)
    tab.at.file_uploader[0].upload(NAME, data, "image/jpeg")
    tab.run()
    assert says in tab.text and not tab.at.get("file_uploader")
    held = tab.at.session_state["reported-trace"]
    kept = pickle.dumps(held)
    assert len(kept) < 600 and data[300:320] not in kept and NAME.encode() not in kept
    assert list(svc.vault.store.inventory()) == []
    tab = tab.press("Leave the file out")
    tab.at.file_uploader[0].upload(NAME, data, "image/jpeg")
    tab.run().press("Send the report")
    (row,) = rows(svc)
    assert row.file_hash == held.file_hash
    assert NAME not in tab.drawn and NAME not in caplog.text


def test_check_an_image_leads_here(opened: Opened) -> None:
    tab = opened(pages.CHECK_IMAGE)
    assert 'href="/report"' in tab.drawn and "Is it of you, and nobody asked you?" in tab.text
