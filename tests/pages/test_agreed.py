"""My photos shows what somebody agreed to: when, the text of then, and whether it has changed since."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from core import policy
from core.language import speaking
from core.models import Consent, PolicyVersion
from core.services import Services
from tests.conftest import BOB
from tests.fakes import FrozenClock
from tests.pages.conftest import Opened

PAGE = "pages/my_photos.py"
HEADING = "What you agreed to"
pytestmark = pytest.mark.sqlite_only("what is stored of consents and versions is tested on both")

Ask = Callable[..., str]


def test_it_is_shown_with_its_text(opened: Opened, ask: Ask, svc: Services) -> None:
    policy.note(svc)
    ask()
    tab = opened(PAGE)
    assert HEADING in [header.value for header in tab.at.header]
    assert f"under version {policy.version(svc)[:8]} of the policy" in tab.text and "Unchanged since" in tab.text
    assert "at most 30 days after the photo was added" in tab.text
    assert 'href="#your-data"' in tab.drawn and 'href="/policy"' in tab.drawn


def test_the_same_text_twice_is_said_once(opened: Opened, ask: Ask, clock: FrozenClock) -> None:
    ask()
    clock.now += timedelta(hours=1)
    ask()
    text = opened(PAGE).text
    assert text.count("The text that you agreed to") == 1 and ", and 1 time before, under version" in text


def test_what_has_changed_since_is_told(opened: Opened, ask: Ask, svc: Services, clock: FrozenClock) -> None:
    policy.note(svc)
    ask()
    clock.now += timedelta(days=1)
    later = replace(svc, settings=svc.settings.model_copy(update={"longest_days": 14}))
    policy.note(later)
    tab = opened(PAGE, services=later)
    assert "Changed since; your clocks are not" in tab.text
    assert "What has changed since" in tab.text and "at most 14 days" in tab.text and "at most 30 days" in tab.text


def test_it_is_shown_in_the_language_in_which_it_was_read(opened: Opened, ask: Ask, svc: Services) -> None:
    policy.note(svc)
    with speaking("de"):
        ask()
    tab = opened(PAGE)
    here = policy.of(svc).texts
    first = tab.drawn.index('class="ws-old-text" lang="de"')
    assert first < tab.drawn.index("In another language: English") and f"{here['de'].splitlines()[-1]}" in tab.text
    tab = opened(PAGE, language="de")
    assert "Der Text, dem Sie zugestimmt haben" in tab.text and "In anderer Sprache: English" in tab.text


def test_a_text_from_before_there_was_german_is_english(opened: Opened, ask: Ask, svc: Services) -> None:
    policy.note(svc)
    ask()
    with svc.transaction() as session:
        row = session.exec(select(PolicyVersion)).one()
        row.version, row.texts = "f" * 32, json.dumps({"en": policy.of(svc).texts["en"].replace("photo", "picture")})
        session.exec(select(Consent)).one().policy_version = row.version
    tab = opened(PAGE, language="de")
    assert "nur auf Englisch" in tab.text and "In anderer Sprache" not in tab.text
    assert "in English alone" not in opened(PAGE).text


def test_what_was_not_kept_is_not_made_up(opened: Opened, ask: Ask, svc: Services) -> None:
    ask()
    with svc.transaction() as session:
        session.exec(select(Consent)).one().policy_version = "f" * 16
    text = opened(PAGE).text
    assert "Its text was not kept" in text and "The text that you agreed to" not in text


def test_nobody_else_sees_it(opened: Opened, ask: Ask) -> None:
    ask()
    assert HEADING not in [header.value for header in opened(PAGE, who=BOB).at.header]
