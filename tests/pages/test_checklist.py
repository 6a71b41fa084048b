"""The checklist: answered from live facts, honest about what nobody has named, and a form that keeps nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core import promises
from core.contracts import Contract
from core.models import PromiseState
from core.promises import PROMISES
from core.services import Services
from core.settings import Settings
from core.ui import checklist_text, guide_text, pages
from core.ui.checklist_text import checklist
from core.ui.screens.checklist.compare import NAME
from tests.pages.conftest import Opened, Tab
from tests.pages.test_promises import measured
from tests.provider.outsider import Outsider

PAGE = pages.CHECKLIST
pytestmark = pytest.mark.sqlite_only("tests of core/promises ask both what the page asks")


def under(svc: Services, **settings: object) -> Services:
    return replace(svc, settings=Settings(data_dir=svc.settings.data_dir, **settings))


def lists(svc: Services) -> checklist_text.Checklist:
    return checklist(svc, promises.stands(svc, svc.clock()))


def test_every_question_point_and_flag_of_the_guide_is_there_with_its_answer(opened: Opened, svc: Services) -> None:
    measured(svc)
    said, fill = opened(PAGE).text, guide_text.filler(svc)
    for question, answer in guide_text.ANSWERS:
        assert question in said and fill(answer) in said
    for term, what in guide_text.POLICY:
        assert term in said and what[1:] in said
    assert all(flag in said for flag in guide_text.FLAGS)
    assert all(check in said for check in (*guide_text.CHECKS, *guide_text.PHOTO_AVOID))
    assert all(fill(what) in said for pairs in (guide_text.STORAGE, guide_text.FACE) for _, what in pairs)
    assert fill(guide_text.FACE_HERE) in said
    assert "{" not in said


def test_where_nothing_is_kept_no_window_is_offered(opened: Opened, svc: Services) -> None:
    strict = under(svc, longest_contract=Contract.PROCESS, default_contract=Contract.PROCESS)
    assert "Here: not offered." in opened(PAGE, services=strict).text


def test_answers_are_as_good_as_the_promises_that_they_rest_on(svc: Services) -> None:
    measured(svc, never_trained_on=(PromiseState.BROKEN, timedelta(days=3)))
    here = lists(svc)
    assert [item.state for item in here.questions][:3] == ["kept", "broken", "kept"]
    assert here.points[1].state == "broken"


def test_nothing_is_green_before_it_was_measured(svc: Services) -> None:
    here = lists(svc)
    assert {item.word for item in (*here.questions[1:7], *here.points[:4])} == {"Not known"}


def test_every_promise_that_an_answer_rests_on_exists() -> None:
    named = {name for names in checklist_text._QUESTION_PROMISES for name in names}
    named |= {name for _, names in checklist_text._POINTS for name in names}
    assert named <= {promise.id for promise in PROMISES}


def test_what_nobody_has_named_is_said_to_be_so(svc: Services) -> None:
    here = lists(svc)
    assert {item.word for item in (here.questions[-1], here.points[-1], here.flags[3])} == {"Not named yet"}
    named = lists(
        under(svc, privacy_contact="a@b.example", jurisdiction="Germany", authority="the BfDI", run_by="Ann's Studio")
    )
    assert named.points[-1].says == "The law of Germany. Complaints go to the BfDI." and named.points[-1].well
    assert named.questions[-1].well and "a@b.example" in named.questions[-1].says
    assert named.flags[3].well and "Ann's Studio pays for it." in named.flags[3].says


def test_third_parties_are_part_of_the_answers(opened: Opened, svc: Services) -> None:
    tab = opened(PAGE, services=replace(svc, providers={"apimart": Outsider()}))
    assert "APIMart follows terms of its own, which the guide quotes." in tab.text
    assert "see below" not in tab.text


def tick(tab: Tab, label: str) -> Tab:
    (box,) = [box for box in tab.at.checkbox if box.label.startswith(label)]
    box.check()
    return tab.run()


def test_another_tool_is_held_against_it(opened: Opened, svc: Services) -> None:
    measured(svc)
    tab = opened(PAGE)
    tab.at.text_input(key=f"{NAME}-typed").set_value("Face <b>Mill</b>")
    tab = tick(tick(tick(tab.run(), "Is it used for training?"), "Law"), "An account before")
    assert [box.label for box in tab.at.expander if "of" in box.label][-3:] == [
        "It answers these clearly (1 of 8)",
        "Its policy has these (1 of 5)",
        "It shows these flags (1 of 5)",
    ]
    table = tab.drawn.partition("<table")[2]
    assert "Face &lt;b&gt;Mill&lt;/b&gt;" in table and "<b>" not in table
    assert table.count(">Yes<") == 3 and "7 of 8" in table and "1 of 8" in table


def test_what_was_ticked_outlives_a_look_at_another_page_and_no_other_browser(opened: Opened) -> None:
    tab = opened(PAGE)
    tab.at.text_input(key=f"{NAME}-typed").set_value("Face Mill")
    tab = tick(tab.run(), "Whom can I ask?").go(pages.GUIDE).go(PAGE)
    assert "Face Mill" in tab.text and "1 of 8" in tab.drawn
    assert "Face Mill" not in opened(PAGE, who="d" * 64).text


def test_it_can_be_printed(opened: Opened) -> None:
    drawn = opened(PAGE).drawn
    assert 'data-ws-print="page"' in drawn and 'class="ws-print"' in drawn
