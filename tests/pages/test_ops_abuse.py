"""The page of reports: for operators alone, never a face but through the glass, and each deed asks first."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core import abuse, operators, reports
from core.abuse import blocks, glass
from core.models import AbuseKind, AbuseOutcome, Role, new_id
from core.operators import Operator
from core.reports import Said
from core.services import Services
from core.settings import ROOT
from core.ui import app
from core.ui.screens.abuse.looks import is_to_be_drawn
from tests.abuse.conftest import drawn, press, subject_of
from tests.conftest import ANN, BOB, EVE
from tests.fakes import FrozenClock

PAGE = str(ROOT / "pages" / "ops_abuse.py")
MAP = str(ROOT / "streamlit_app.py")
WORDS = "It is me, <b>taken</b> from my page."
KIM, LEE = "c" * 64, "d" * 64
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def house(svc: Services) -> Iterator[Services]:
    svc = replace(svc, settings=svc.settings.model_copy(update={"look_at_reported": True}))
    app.provide(svc)
    yield svc
    app.provide(None)


@pytest.fixture
def staff(house: Services) -> dict[str, Operator]:
    """Kim of support and Lee, a founder."""
    roles = {KIM: Role.SUPPORT, LEE: Role.FOUNDER}
    links = {who: operators.make_link(house, role).url.rpartition("/")[2] for who, role in roles.items()}
    return {who: operators.open_link(house, link, who) for who, link in links.items()}


@pytest.fixture
def number(house: Services) -> str:
    """Of a report about Ann's run."""
    run_id = press(house)
    drawn(house)
    with house.reading() as session:
        from core.models import Generation

        run = session.get_one(Generation, run_id).number
    said = Said(kind=AbuseKind.PRETENDS, words=WORDS, address="eve@example.org", run_number=run)
    return reports.open_report(house, EVE, said, press_id=new_id()).number


@pytest.fixture
def opened(house: Services, staff: dict[str, Operator]) -> Callable[..., AppTest]:
    def look(number: str = "", *, who: str | None = KIM, path: str = PAGE) -> AppTest:
        page = AppTest.from_file(path, default_timeout=60)
        page.user = {"session": BOB, "staff": who}  # type: ignore[attr-defined]
        if number:
            page.query_params["report"] = number
        return run(page)

    return look


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, [shown.message for shown in page.exception]
    return page


def text(page: AppTest) -> str:
    drawn = " ".join(element.proto.body for element in page.get("html") if "<style>" not in element.proto.body)
    others = [element.value for kind in ("header", "subheader") for element in page.get(kind)]
    return " ".join([html.unescape(re.sub(r"<[^>]+>", " ", drawn)), *others])


def markup(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html") if "<style>" not in element.proto.body)


def click(page: AppTest, label: str) -> AppTest:
    (button,) = [one for one in page.button if one.label == label]
    button.click()
    return run(page)


def sure(page: AppTest, label: str, typed: str = "") -> AppTest:
    """The deed, and yes to its question."""
    click(page, label)
    if typed:
        (field,) = [one for one in page.text_input if one.label.startswith("Type")]
        field.input(typed)
    yes = [one for one in page.button if one.key and one.key.endswith("-yes")]
    yes[0].click()
    return run(page)


def test_nobody_else_gets_the_page(opened: Callable[..., AppTest], number: str) -> None:
    page = opened(number, who=None)
    assert "There is nothing here." in text(page) and number not in text(page)


@pytest.mark.parametrize("who", [KIM, LEE])
def test_both_roles_have_it_in_their_menu(opened: Callable[..., AppTest], who: str, number: str) -> None:
    page = opened(path=MAP, who=who).switch_page("pages/ops_abuse.py")
    assert number in text(run(page))


def test_empty_it_says_so(opened: Callable[..., AppTest]) -> None:
    assert "No open reports." in text(opened())


def test_the_list_and_one_in_full_without_a_face(opened: Callable[..., AppTest], house: Services, number: str) -> None:
    page = click(opened(), f"Open {number}")
    said = text(page)
    for words in (number, WORDS, "eve@example.org", subject_of(house).id, "Used to pass for somebody else"):
        assert words in said
    assert "<img" not in markup(page) and "<b>taken" not in markup(page)


def test_a_look_takes_two_and_shows_for_ten_minutes(
    opened: Callable[..., AppTest], house: Services, number: str, clock: FrozenClock
) -> None:
    kim = click(opened(number), "Ask to look")
    assert "Another operator has to decide." in text(kim)
    assert not [one for one in kim.button if one.label.startswith("Allow")]
    lee = opened(who=LEE)
    assert "Another operator asks to look" in text(lee)
    lee = click(click(lee, f"Open {number}"), "Allow for 10 minutes")
    assert "You do not see the image" in text(lee) and "/ops/glass/" not in markup(lee)
    kim = run(kim)
    assert "/ops/glass/" in markup(kim) and "10 min left" in text(kim)
    until = (house.clock() + abuse.LOOK_FOR).isoformat()
    assert re.search(rf'<img src="/ops/glass/[^>]*data-ws-until="{re.escape(until)}"', markup(kim))
    clock.advance(minutes=abuse.LOOK_FOR.total_seconds() / 60)
    assert "/ops/glass/" not in markup(run(kim))


def test_what_must_not_be_shown_any_longer_waits_for_no_question() -> None:
    shown, over, asked = (NOON, True), (NOON, False), (None, False)
    for before, seen, is_drawn in (
        ({"a": shown}, {"a": over}, (True, True)),
        ({"a": shown}, {}, (True, True)),
        ({"a": shown, "b": asked}, {"a": over, "b": shown}, (True, True)),
        ({"a": asked}, {"a": shown}, (True, False)),
        ({"a": shown}, {"a": shown, "b": asked}, (True, False)),
        ({"a": shown}, {"a": shown}, (False, False)),
    ):
        assert tuple(is_to_be_drawn(seen, before, is_asking=asking) for asking in (False, True)) == is_drawn


def test_what_its_owner_forbids_goes_from_the_page_and_cannot_be_asked(
    opened: Callable[..., AppTest], house: Services, staff: dict[str, Operator], number: str
) -> None:
    kim = click(opened(number), "Ask to look")
    click(opened(number, who=LEE), "Allow for 10 minutes")
    assert "/ops/glass/" in markup(run(kim))
    glass.forbid(house, ANN)
    kim = run(kim)
    assert "/ops/glass/" not in markup(kim) and "Its owner forbids it" in text(kim)
    (ask,) = [one for one in kim.button if one.label == "Ask to look"]
    assert ask.disabled


def test_where_it_is_off_the_page_says_so(
    svc: Services, opened: Callable[..., AppTest], house: Services, number: str
) -> None:
    app.provide(svc)
    page = opened(number)
    (ask,) = [one for one in page.button if one.label == "Ask to look"]
    assert ask.disabled and "LOOK_AT_REPORTED" in text(page)


def test_blocks_are_made_and_lifted(
    opened: Callable[..., AppTest], house: Services, number: str, clock: FrozenClock
) -> None:
    page = sure(opened(number), "Block the person")
    assert "The person is blocked." in text(page)
    with house.reading() as session:
        assert blocks.of_subject(session, subject_of(house).id, clock())
    page = sure(page, "Block the file")
    lifts = [one for one in page.button if one.label == "Lift" and one.key and one.key.startswith("lift-")]
    lifts[0].click()
    assert "The block is lifted." in text(run(page))


def test_erasing_asks_for_a_word_and_leads_to_the_desk(
    opened: Callable[..., AppTest], house: Services, number: str
) -> None:
    page = sure(opened(number), "Erase everything of this person", "erase")
    assert "Being erased." in text(page) and "/ops_deletions?request=D-" in markup(page)
    drawn(house)
    house.clock.advance(minutes=15)  # type: ignore[attr-defined]
    drawn(house)
    assert "Everything of theirs is gone." in text(run(page))


def test_closing_says_what_goes_and_refuses_what_is_not_so(
    opened: Callable[..., AppTest], house: Services, number: str
) -> None:
    page = opened(number)
    assert "closing destroys the address" in text(page)
    page.selectbox(key="outcome").set_value(AbuseOutcome.ERASED)
    page = sure(run(page), "Close the report")
    assert "Nothing was erased for this report." in text(page)
    page.selectbox(key="outcome").set_value(AbuseOutcome.NOTHING_WRONG)
    page = sure(run(page), "Close the report")
    assert "Closed. Words, address and the file's hash are destroyed; what is left" in text(page)
    assert WORDS not in text(page) and "eve@example.org" not in text(page)
    assert "No open reports." in text(page)
