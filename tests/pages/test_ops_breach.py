"""The page of breaches: for founders alone; what lies here, noting one once, drafts, telling everybody, and its end."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core import breaches, operators
from core.models import Breach, BreachKind, BreachOutcome, Role, new_id
from core.services import Services
from core.ui import app
from core.ui.screens.breach.noting import KIND_SAYS
from tests.conftest import ANN, BOB, EVE
from tests.fakes import FrozenClock
from tests.pages.test_ops_retention import button, press, run, said, table

PAGE = str(Path(__file__).parents[2] / "pages" / "ops_breach.py")
FOUNDER = "operator:one"
HOURS = timedelta(hours=1)


@pytest.fixture
def provided(svc: Services) -> Iterator[Services]:
    app.provide(svc)
    yield svc
    app.provide(None)


@pytest.fixture
def opened(provided: Services) -> Callable[..., AppTest]:
    def look(*, role: Role = Role.FOUNDER) -> AppTest:
        staff = ANN if role is Role.FOUNDER else EVE
        operators.open_link(provided, operators.make_link(provided, role).url.rpartition("/")[2], staff)
        page = AppTest.from_file(PAGE, default_timeout=60)
        page.user = {"session": BOB, "staff": staff}  # type: ignore[attr-defined]
        return run(page)

    return look


def noted(svc: Services, kind: BreachKind = BreachKind.SERVER, *, ago: timedelta = HOURS) -> Breach:
    return breaches.note(svc, kind=kind, noticed_at=svc.clock() - ago, press_id=new_id(), actor=FOUNDER)


def rows(svc: Services) -> list[Breach]:
    with svc.reading() as session:
        return list(session.exec(select(Breach)).all())


def field(page: AppTest, kind: str, label: str) -> Any:
    return next(found for found in page.get(kind) if found.label.startswith(label))


def say_yes(page: AppTest) -> AppTest:
    field(page, "text_input", "Type tell").set_value("tell")
    next(found for found in page.button if found.label == "Tell people").click()
    return run(page)


def note_on_page(page: AppTest, kind: BreachKind) -> AppTest:
    field(page, "selectbox", "What got").select(kind)
    press(page, "Note this breach")
    return press(page, "Note it")


def test_nobody_but_founders_sees_it(opened):
    assert "There is nothing here." in said(opened(role=Role.SUPPORT))
    assert "Breaches" in said(opened())


def test_what_lies_here_stands_on_top_with_its_age(opened, given_copy, clock: FrozenClock):
    given_copy(ends_in=timedelta(days=9))
    page = opened()
    assert "people with images" in said(page) and "1 image (" in said(page) and "Counted just now" in said(page)
    given_copy(ends_in=timedelta(days=9))
    clock.advance(minutes=2)
    page = run(page)
    assert "Counted 2 min ago" in said(page) and "1 image (" in said(page), "it is not counted in every run"
    assert "2 images (" in said(press(page, "Count again"))


def test_a_breach_is_noted_once_and_its_clock_runs(opened, provided):
    page = note_on_page(opened(), BreachKind.DATABASE)
    (breach,) = rows(provided)
    assert breach.kind is BreachKind.DATABASE and breach.due_at == breach.noticed_at + 72 * HOURS
    assert "3 d 00 h 00 m 00 s left" in said(page)
    assert breach.number in page.header[0].value and "Noted. Its clock runs." in said(page)
    run(page)
    assert len(rows(provided)) == 1


def test_nothing_is_noted_without_a_kind_or_when_it_was_longer_ago(opened, provided, clock: FrozenClock):
    page = press(opened(), "Note this breach")
    assert "choose what and when first" in said(page) and not rows(provided)
    field(page, "date_input", "Day it was noticed").set_value(clock().date() - timedelta(days=40))
    page = note_on_page(page, BreachKind.OTHER)
    assert "more than 30 days ago" in said(page) and not rows(provided)


def test_the_draft_for_the_authority_is_there_in_both_languages(opened, provided):
    breach = noted(provided)
    page = opened()
    assert "GDPR, Article 33" in page.code[0].value and breach.number in page.code[0].value
    (language,) = [found for found in page.get("button_group") if found.label == "Language"]
    language.set_value("de")
    page = run(page)
    assert (
        "Verletzung des Schutzes personenbezogener Daten" in page.code[0].value and breach.number in page.code[0].value
    )


def test_the_authority_was_told(opened, provided, clock: FrozenClock):
    noted(provided)
    clock.advance(hours=2)
    page = press(opened(), "Note that it was told")
    (breach,) = rows(provided)
    assert breach.authority_told_at is not None and clock() - breach.authority_told_at < timedelta(minutes=1)
    assert not [found for found in page.button if found.label == "Note that it was told"]


def test_people_are_told_on_every_page_in_their_language(opened, provided, clock: FrozenClock):
    noted(provided)
    page = opened()
    for area, text in zip(page.text_area, ("Somebody got in.", "Jemand kam herein."), strict=True):
        area.set_value(text)
    press(page, "Tell people on every page")
    page = say_yes(page)
    (breach,) = rows(provided)
    assert breach.people_told_at == clock()

    assert "Somebody got in." in seen_by_a_visitor() and "Jemand kam herein." in seen_by_a_visitor("de")


def seen_by_a_visitor(language: str = "en") -> str:
    page = AppTest.from_file(str(Path(PAGE).parents[1] / "streamlit_app.py"), default_timeout=60)
    page.user = {"session": BOB, "language": language}  # type: ignore[attr-defined]
    return said(run(page))


def test_a_draft_with_gaps_is_not_published(opened, provided):
    noted(provided)
    page = press(opened(), "Tell people on every page")
    page = say_yes(page)
    (breach,) = rows(provided)
    assert breach.people_told_at is None and "square brackets first" in said(page)


def test_it_is_closed_with_an_outcome_and_stays_in_the_register(opened, provided):
    breach = noted(provided)
    page = opened()
    field(page, "selectbox", "Outcome").select(BreachOutcome.NO_RISK)
    press(page, "Close this breach")
    page = press(page, "Close it")
    (closed,) = rows(provided)
    assert closed.outcome is BreachOutcome.NO_RISK
    told = table(page, "number")
    assert list(told["number"]) == [breach.number] and list(told["what"]) == [KIND_SAYS[BreachKind.SERVER]]
    assert button(page, "Note this breach")
