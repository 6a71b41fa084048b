"""The page that checks an image: its words for each finding, and nothing kept of the file, not even its name."""

import pickle

import pytest
from sqlmodel import select

from core.drafts import DraftKind
from core.models import Consent, Copy, Generation, Subject
from core.services import Services
from core.ui import image_text, pages
from tests.conftest import ANN
from tests.hostile import encoded, exif, portrait
from tests.pages.conftest import Opened, Tab
from tests.provenance.signed import SIGNER, changed, signed
from tests.provenance.test_look import OURS, mark, plain

PAGE = pages.CHECK_IMAGE
FILE, FOUND = "image-to-check", "image-findings"
NAME = "Jane at home.jpg"
pytestmark = pytest.mark.sqlite_only("it reads no database")


def checked(tab: Tab, data: bytes) -> Tab:
    tab.at.file_uploader[0].upload(NAME, data, "image/jpeg")
    return tab.run()


def test_it_says_what_it_does_before_anything_is_chosen(opened: Opened) -> None:
    tab = opened(PAGE)
    assert tab.title == image_text.TITLE and "It is read in memory and not kept." in tab.text
    assert image_text.MARK not in tab.text


@pytest.mark.parametrize(
    ("data", "said", "chips"),
    [
        (mark(plain(), OURS), "It says that it was made by WorkShot", ["Kept", "Absent"]),
        (plain(), "It does not say.", ["Absent", "Absent"]),
        (signed(), f"Signed by {SIGNER}", ["Absent", "Kept"]),
        (changed(signed()), "They do not hold", ["Absent", "Broken"]),
    ],
    ids=["ours", "silent", "signed", "changed"],
)
def test_each_finding_has_its_words(opened: Opened, data: bytes, said: str, chips: list[str]) -> None:
    tab = checked(opened(PAGE), data)
    assert said in tab.text
    shown = [word for word in tab.text.split() if word in ("Kept", "Absent", "Broken")]
    assert shown == chips


def test_linkedin_is_promised_only_what_it_says_itself(opened: Opened) -> None:
    assert "a small icon for Content Credentials" in checked(opened(PAGE), signed()).text
    ours = checked(opened(PAGE), mark(plain(), OURS)).text
    assert "Nothing that we know of." in ours and "Read in November 2026" not in ours
    assert "was read in November 2026" in ours


def test_a_file_that_is_no_image_is_refused_and_takes_the_last_answer_with_it(opened: Opened) -> None:
    tab = checked(checked(opened(PAGE), signed()), b"no picture at all")
    assert "We can't read this kind of file." in tab.text and "It was not stored anywhere." in tab.text
    assert SIGNER not in tab.text


def test_nothing_of_it_is_stored_or_kept(opened: Opened, svc: Services, caplog: pytest.LogCaptureFixture) -> None:
    photo = encoded(portrait(), "JPEG", exif=exif())
    tab = checked(opened(PAGE), photo)
    found = pickle.dumps(tab.at.session_state[FOUND])
    assert len(found) < 1000 and photo[5000:5010] not in found and NAME.encode() not in found
    ours = {key for key in tab.at.session_state._state.filtered_state if "ws-behaviour" not in key and FILE not in key}
    assert ours == {FOUND}
    assert tab.at.file_uploader[0].value is None
    assert NAME not in tab.drawn and NAME not in caplog.text
    assert svc.drafts.get(ANN, DraftKind.PORTRAIT) is None
    with svc.reading() as reading:
        rows = [reading.exec(select(model)).first() for model in (Subject, Consent, Generation, Copy)]
    assert rows == [None] * 4
    assert list(svc.vault.store.inventory()) == []
