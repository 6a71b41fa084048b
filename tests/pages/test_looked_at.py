"""My photos and the studio, for whom a report is about: who looked, the switch, and what is blocked."""

from collections.abc import Callable
from typing import Any

import pytest

from core.abuse import blocks, glass
from core.abuse.blocks import What
from core.operators import Operator
from core.services import Services
from core.ui import pages
from tests.abuse.conftest import *  # noqa: F403
from tests.abuse.conftest import ORIGINAL, subject_of
from tests.conftest import ANN, BOB
from tests.fakes import FrozenClock
from tests.pages.conftest import Opened, Tab

SWITCH = "Operators may look at my images if they are reported"


def at_home(opened: Opened, svc: Services, page: str = pages.MY_PHOTOS) -> Tab:
    return opened(page, services=svc, who=ANN)


@pytest.fixture
def allowed(open_house: Services, reported: str, kim: Operator, lee: Operator) -> str:
    view = glass.ask_to_look(open_house, kim, reported)
    return glass.decide(open_house, lee, view.id, allow=True).id


def test_each_look_is_told_with_its_time_and_reason(
    opened: Opened, open_house: Services, allowed: str, kim: Operator, clock: FrozenClock
) -> None:
    tab = at_home(opened, open_house)
    assert "An operator may look at 1 headshot for ten minutes from 2 Mar, 12:00" in tab.text
    clock.advance(minutes=5)
    glass.look(open_house, kim, allowed)
    said = tab.run().text
    assert "An operator looked at 1 headshot on 2 Mar, 12:05" in said
    assert "because it was reported: “It shows somebody who was not asked”. Another operator allowed it." in said
    assert kim.id not in said


def test_allowed_and_not_seen_is_told_too(
    opened: Opened, open_house: Services, allowed: str, clock: FrozenClock
) -> None:
    clock.advance(minutes=11)
    said = at_home(opened, open_house).text
    assert "An operator was allowed on 2 Mar, 12:00" in said and "Nobody did look." in said


def test_the_switch_forbids_at_once_and_allows_again(
    opened: Opened, open_house: Services, allowed: str, kim: Operator
) -> None:
    tab = at_home(opened, open_house)
    (switch,) = tab.at.toggle
    assert (switch.label, switch.value) == (SWITCH, True)
    switch.set_value(False)
    tab.run()
    assert not subject_of(open_house).may_be_looked_at and not glass.shows(open_house, kim, allowed)
    (switch,) = tab.at.toggle
    assert switch.value is False
    switch.set_value(True)
    tab.run()
    assert subject_of(open_house).may_be_looked_at


def test_where_nobody_looks_there_is_nothing_to_switch(
    opened: Opened, svc: Services, open_house: Services, made: Callable[..., Any]
) -> None:
    made(svc)
    assert SWITCH not in [toggle.label for toggle in at_home(opened, svc).at.toggle]
    assert "Who may look" not in at_home(opened, svc).text
    made(open_house, who=BOB)
    bob = opened(pages.MY_PHOTOS, services=svc, who=BOB)
    assert [toggle.label for toggle in bob.at.toggle] == [SWITCH], "who agreed while it was on can forbid it"
    bob.at.toggle[0].set_value(False)
    assert not bob.run().at.toggle


@pytest.mark.parametrize("page", [pages.MY_PHOTOS, pages.STUDIO])
def test_who_is_blocked_reads_why_before_they_choose_anything(
    opened: Opened, open_house: Services, reported: str, kim: Operator, page: str
) -> None:
    blocks.block(open_house, kim, reported, What.PERSON)
    tab = at_home(opened, open_house, page)
    if page == pages.STUDIO:
        tab.at.session_state["composing"] = "new"
        tab.run()
        assert not tab.at.get("file_uploader") and "Generate headshots" not in tab.labels
    assert "No new headshots are made for you here until" in tab.text and "a person reads it" in tab.text
    if page == pages.STUDIO:
        assert "No new headshots" not in tab.press("Back to the results").text
    else:
        assert "Erase now" in tab.labels and "/zip/" in tab.drawn, "what is here stays theirs"


def test_a_blocked_file_is_refused_as_it_arrives(
    opened: Opened, open_house: Services, reported: str, kim: Operator
) -> None:
    blocks.block(open_house, kim, reported, What.FILE)
    tab = opened(pages.STUDIO, services=open_house, who=BOB)
    tab.at.file_uploader[0].upload("me.jpg", ORIGINAL, "image/jpeg")
    tab.run()
    assert "This file is not taken here until" in tab.text and "It was not stored anywhere." in tab.text
    assert len(open_house.drafts) == 0
