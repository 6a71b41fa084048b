"""The guide: true of this installation, short enough to be read, and whole."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from core.contracts import Contract
from core.ports import HandOver
from core.promises import PROMISES
from core.services import Services
from core.settings import Settings
from core.third_parties import third_parties
from core.ui import app, guide_text
from tests.provider.outsider import Outsider

PAGE = str(Path(__file__).parents[2] / "pages" / "guide.py")
pytestmark = pytest.mark.sqlite_only("the guide reads no database")
WORDS_IN_THREE_MINUTES = 750

Opened = Callable[..., AppTest]


@pytest.fixture
def opened(svc: Services) -> Iterator[Opened]:
    """The page, as it is under some settings."""

    def look(*, with_apimart: bool = False, **changed: object) -> AppTest:
        providers: dict[str, Any] = {"apimart": Outsider(hand_over=HandOver.UPLOAD)} if with_apimart else {}
        settings = Settings(data_dir=svc.settings.data_dir, **changed)
        app.provide(replace(svc, settings=settings, providers=providers))
        page = AppTest.from_file(PAGE, default_timeout=30).run()
        assert not page.exception
        return page

    yield look
    app.provide(None)


def words(page: AppTest | Block) -> str:
    """All that can be read, folded or not."""
    drawn = [element.proto.body for element in page.get("html")]
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)) for body in drawn if "<style>" not in body)
    headings, lists = page.get("header"), page.get("markdown")
    return f"{text} {' '.join(element.value for element in (*headings, *lists))}"


def how_many(said: str) -> int:
    return len(re.findall(r"[\w’'-]*\w", said))


def test_every_section_has_its_heading(opened: Opened) -> None:
    assert [header.value for header in opened().header] == [
        guide_text.PHOTO,
        guide_text.CHANGES,
        guide_text.DISCLOSURE,
        guide_text.QUESTIONS,
        guide_text.CHECKLIST,
        guide_text.COOKIES,
        guide_text.COSTS,
        guide_text.CONTACT,
    ]


def test_no_fact_is_left_open(opened: Opened) -> None:
    for page in (opened(), opened(with_apimart=True, privacy_contact="privacy@example.org", run_by="Ann's Studio")):
        assert not re.search(r"[{}]|None\b(?!\.)(?! for)", words(page))


def test_it_is_read_in_three_minutes(opened: Opened) -> None:
    page = opened()
    folded = sum(how_many(words(block)) for block in page.expander)
    assert how_many(words(page)) - folded <= WORDS_IN_THREE_MINUTES


def test_numbers_follow_the_settings(opened: Opened) -> None:
    usual = words(opened())
    assert "at most 30 days after" in usual and "Unless you change it: 30 days." in usual

    week = words(opened(longest_contract=Contract.WEEK, default_contract=Contract.DAY, runs_per_day=1))
    assert "at most 7 days after" in week
    assert "Not kept, 1 hour, 24 hours, 72 hours, 7 days. Unless you change it: 24 hours." in week
    assert "1 run per person and UTC day" in week
    assert "30 days" not in week


def test_no_number_of_a_setting_is_typed_in() -> None:
    """Beside the age, the texts hold no digits at all: these come from settings and promises."""
    texts = [value for name, value in vars(guide_text).items() if name.isupper() and isinstance(value, str | tuple)]
    texts.remove(PROMISES)
    assert re.findall(r"\d+", repr(texts)) == ["18"]


@pytest.mark.parametrize("promise", ["never_trained_on", "erased_by_the_clock", "only_the_owner", "encrypted"])
def test_promises_are_quoted_not_retold(opened: Opened, promise: str) -> None:
    page = opened(longest_contract=Contract.WEEK, default_contract=Contract.WEEK)
    (said,) = [one for one in PROMISES if one.id == promise]
    assert said.filled(app.services().settings) in words(page)


def test_eight_questions_five_points_and_five_checks() -> None:
    assert (len(guide_text.ANSWERS), len(guide_text.POLICY), len(guide_text.CHECKS)) == (8, 5, 5)
    assert len(guide_text.STORAGE) == 4


def test_other_engines_are_named(opened: Opened) -> None:
    alone = opened()
    assert "Nobody. The one engine here works on this server" in words(alone)
    assert guide_text.ELSEWHERE not in [header.value for header in alone.header] and "APIMart" not in words(alone)
    said = words(opened(with_apimart=True))
    assert "APIMart, run by APIMart (apimart.ai), a third party" in said
    assert "Nobody. The one engine here" not in said
    assert "APIMart follows terms of its own: see below." in said


def test_what_is_known_of_others_and_what_is_not_is_all_there(opened: Opened) -> None:
    page = opened(with_apimart=True)
    said, apimart = " ".join(words(page).split()), third_parties()["apimart"]
    assert guide_text.ELSEWHERE in [header.value for header in page.header]
    for line in (*apimart.unknown, *(one.text for one in apimart.says), apimart.read_how, apimart.contact):
        assert line in said
    assert "it is “trainedAlgorithmicMedia”: made by a generative model" in said
    assert "Your photo, and a clothing or backdrop picture if you add one 72 h. Uploaded there, open to" in said
    for address in (apimart.privacy.url, apimart.terms.url):
        assert f'href="{address}"' in " ".join(element.proto.body for element in page.get("html"))


def test_a_contact_is_a_link(opened: Opened) -> None:
    page = opened(privacy_contact="privacy@example.org")
    assert 'href="mailto:privacy@example.org"' in " ".join(element.proto.body for element in page.get("html"))
    assert guide_text.CONTACT_UNNAMED not in words(page)
    assert guide_text.CONTACT_NOT_NEEDED in words(page)
    assert guide_text.CONTACT_BY_MAIL in words(page)
    assert guide_text.CONTACT_BY_MAIL not in words(opened(privacy_contact="https://example.org/contact"))


def test_without_a_contact_it_says_so_and_how_to_erase_all_the_same(opened: Opened) -> None:
    said = words(opened())
    assert guide_text.CONTACT_UNNAMED in said and guide_text.CONTACT_NOT_NEEDED in said
    assert guide_text.NOBODY_TO_ASK in said


def test_what_the_operator_writes_is_never_markup(opened: Opened) -> None:
    page = opened(privacy_contact="javascript:alert(1)@x", run_by="<img src=x> {data_dir} **we**")
    drawn = " ".join(element.proto.body for element in page.get("html"))
    assert "<img" not in drawn
    assert set(re.findall(r'href="([^"]+)"', drawn)) == {"/check_image", "/checklist"}
    assert "<img src=x> {data_dir} **we**" in html.unescape(drawn)
    assert "**we**" not in " ".join(element.value for element in page.markdown)


def test_cookies_go_by_their_names(opened: Opened) -> None:
    plain, secure = words(opened()), words(opened(public_url="https://headshots.example.org"))
    assert " workshot " in plain and "__Host-workshot" not in plain
    assert "__Host-workshot" in secure and guide_text.WAY_IS_SAFE in secure
