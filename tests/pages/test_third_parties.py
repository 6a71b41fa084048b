"""Somebody else may make the headshots: chosen by name, said before, listed afterwards, and never switched silently."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from core import access, generations, intake, retention
from core.drafts import DraftKind
from core.models import (
    Generation,
    HeadshotRow,
    ProviderCopy,
    ProviderCopyKind,
    ProviderHealth,
    RunState,
    Spending,
)
from core.ports import HandOver
from core.provider import residue
from core.services import Services
from core.ui.screens import makers, over
from tests.conftest import ANN
from tests.fakes import FrozenClock, jpeg
from tests.pages.conftest import Opened, Tab
from tests.provider.outsider import Outsider, beside, given_task, noted

Ask = Callable[..., str]
Work = Callable[[], int]
Put = Callable[..., None]
SEND = "Send to APIMart and generate"


@dataclass
class Particular(Outsider):
    """Takes no note about hats."""

    def refuses(self, note: str) -> str | None:
        return "No hats, please." if "hat" in note else None


@pytest.fixture
def apimart() -> Particular:
    return Particular()


@pytest.fixture
def both(svc: Services, apimart: Particular) -> Services:
    return beside(svc, apimart)


@pytest.fixture
def chosen(opened: Opened, both: Services, draft: Put) -> Callable[[], Tab]:
    """Ann has added a photo and chosen APIMart."""

    def look() -> Tab:
        draft()
        return choose(opened(services=both), "apimart")

    return look


def choose(tab: Tab, name: str) -> Tab:
    """The cards themselves need a browser: tests/browser/test_apimart.py presses them."""
    state = tab.at.session_state
    turn = state[makers._TURN] if makers._TURN in state else 0  # noqa: SIM401 - it is no mapping with a get
    state[makers._CHOSEN], state[makers._TURN] = name, turn + 1
    return tab.run()


def at_apimart(svc: Services, run_id: str, **values: Any) -> None:
    """The run is APIMart's."""
    with svc.transaction() as session:
        run = session.get_one(Generation, run_id)
        run.engine = "apimart"
        for name, value in values.items():
            setattr(run, name, value)


# ------------------------------------------------------------------------------------------------------ before the run
def test_before_a_photo_is_added_it_is_said_who_may_get_it(opened: Opened, both: Services) -> None:
    said = opened(services=both).text
    assert "Made on this server, or by APIMart. Nothing is sent to APIMart unless you choose it" in said
    assert "Nothing is sent to anyone else" not in said
    assert "Never used for training by us." in said


def test_ours_is_chosen_until_somebody_chooses_another(opened: Opened, both: Services, draft: Put) -> None:
    draft()
    tab = opened(services=both)
    assert "Generate headshots" in tab.labels and SEND not in tab.labels
    assert not tab.at.text_area
    tab.agree().press("Generate headshots")
    with both.reading() as session:
        (view,) = generations.runs_of(session, ANN, both.clock())
    assert view.run.engine == "on_device"


def test_whoever_chooses_apimart_is_told_what_that_does(chosen: Callable[[], Tab], both: Services) -> None:
    tab = chosen()
    assert "This sends your photo to APIMart. What lies there is not ours to erase" in tab.text
    tab.at.text_area[0].set_value("A dark jacket")
    both.drafts.put(ANN, DraftKind.CLOTHING, intake.read(jpeg(400, 400)))
    tab.agree().press(SEND)
    assert tab.title == "Making your headshots"
    with both.reading() as session:
        (view,) = generations.runs_of(session, ANN, both.clock())
        subject = access.current_subject(session, ANN)
    assert subject is not None and view.run.sealed_note is not None
    assert view.run.engine == "apimart" and view.run.clothing_id is not None
    assert both.vault.open_text(subject, view.run.sealed_note) == "A dark jacket"


@pytest.mark.parametrize(
    ("hand_over", "says"),
    [
        (HandOver.INLINE, "Results for up to 24 hours, open to whoever has their address. How long it keeps your"),
        (HandOver.LINK, "It fetches your photo from here, once"),
        (HandOver.UPLOAD, "A public copy of your photo for 72 hours. Results for up to 24 hours"),
    ],
)
def test_what_it_keeps_is_said_with_its_own_numbers(apimart: Particular, hand_over: HandOver, says: str) -> None:
    apimart.hand_over = hand_over
    assert says in makers.keeps(apimart)  # type: ignore[arg-type]
    apimart.result_kept_for, apimart.upload_kept_for = timedelta(hours=1), timedelta(hours=5)
    numbers = makers.keeps(apimart)  # type: ignore[arg-type]
    assert "1 hour," in numbers and "24" not in numbers and "72" not in numbers


def test_a_public_copy_is_announced_before_the_button(chosen: Callable[[], Tab], apimart: Particular) -> None:
    apimart.hand_over = HandOver.UPLOAD
    said = chosen().text
    assert "This puts a public copy of your photo at APIMart for 72 hours. Nobody can erase it sooner" in said


def test_a_note_that_cannot_be_sent_is_said_at_once_and_nothing_is_lost(
    chosen: Callable[[], Tab], both: Services
) -> None:
    tab = chosen()
    tab.at.text_area[0].set_value("Give me a hat")
    assert "No hats, please." in tab.run().text
    tab.agree().press(SEND)
    assert tab.title != "Making your headshots"
    assert tab.text.count("No hats, please.") == 2, "beside the field, and below the button"
    assert "Your photo is still only in memory here." not in tab.text, "nothing was even tried"
    assert tab.at.text_area[0].value == "Give me a hat"
    assert both.drafts.get(ANN, DraftKind.PORTRAIT) is not None
    tab.at.text_area[0].set_value("Give me a scarf")
    tab.press(SEND)
    assert tab.title == "Making your headshots"


def test_a_note_is_still_there_after_a_look_at_the_other_engine(chosen: Callable[[], Tab]) -> None:
    tab = chosen()
    tab.at.text_area[0].set_value("A dark jacket").run()
    assert not choose(tab, "on_device").at.text_area
    choose(tab, "apimart")
    assert tab.at.text_area[0].value == "A dark jacket"


@pytest.mark.parametrize("why", ["away", "budget"])
def test_one_that_is_closed_says_why_and_switches_nothing(
    chosen: Callable[[], Tab], opened: Opened, both: Services, why: str
) -> None:
    tab = chosen()
    with both.transaction() as session:
        if why == "away":
            until = both.clock() + timedelta(minutes=2)
            session.add(ProviderHealth(provider="apimart", failures=5, closed_until=until))
        else:
            midnight = both.clock().replace(hour=0, minute=0)
            session.add(Spending(day=midnight, provider="apimart", model="nano", charged=2_000_000))
    if why == "budget":
        settings = both.settings.model_copy(update={"apimart_daily_budget_usd": 1.0})
        tab = choose(opened(services=replace(both, settings=settings)), "apimart")
    tab.run()
    reason = {"away": "APIMart is not answering just now.", "budget": "APIMart is closed until midnight UTC"}[why]
    assert reason in tab.text and "Nothing has been sent." in tab.text
    assert tab.button(SEND).disabled
    tab.press("Make it on this server instead")
    assert not tab.button("Generate headshots").disabled
    assert reason not in tab.text


def test_where_there_is_nobody_else_the_third_party_is_named_all_the_same(
    opened: Opened, both: Services, draft: Put
) -> None:
    alone = replace(both, engines={})
    assert "Made by APIMart. Nothing is sent to APIMart unless" in opened(services=alone).text
    draft()
    tab = opened(services=alone)
    assert "This sends your photo to APIMart." in tab.text and SEND in tab.labels


# ------------------------------------------------------------------------------------------------------ during the run
def test_stages_are_in_plain_words_and_cancelling_says_what_it_does_not_do(
    opened: Opened, both: Services, ask: Ask
) -> None:
    run_id = ask(svc=both, engine="apimart")
    at_apimart(both, run_id, state=RunState.RUNNING)
    tab = opened(services=both)
    for words in ("Sending it to APIMart", "APIMart is making it", "Fetching the results"):
        assert words in tab.text
    assert "What APIMart has taken already it may still finish" in tab.text
    tab.press("Cancel this run")
    assert "APIMart may still finish what it has taken." in tab.text


# -------------------------------------------------------------------------------------------------------- its failures
def failed_run(svc: Services, ask: Ask, failure: str) -> str:
    run_id = ask(svc=svc, engine="apimart")
    at_apimart(svc, run_id, state=RunState.FAILED, failure=failure, ended_at=svc.clock(), counts=False)
    return run_id


@pytest.mark.parametrize("failure", over.ELSEWHERE)
def test_every_failure_says_what_one_can_do(opened: Opened, both: Services, ask: Ask, failure: str) -> None:
    failed_run(both, ask, failure)
    tab = opened(services=both)
    happened, means, do = (text.format(title="APIMart") for text in over.ELSEWHERE[failure])
    assert happened in tab.text and means in tab.text and do in tab.text
    assert over.NOT_COUNTED in tab.text
    assert "{" not in tab.text and "Your photo is still here" in tab.text
    assert {"Make it on this server instead", "Use another photo", "Erase now"} <= set(tab.labels)
    again = "Change something and try again" if failure in over.NOT_AS_IT_WAS else "Try again with APIMart"
    assert again in tab.labels


def test_unknown_is_tried_again_only_when_asked_as_a_run_of_its_own(
    opened: Opened, both: Services, ask: Ask, clock: FrozenClock
) -> None:
    first = failed_run(both, ask, "unknown")
    clock.advance(seconds=5)
    tab = opened(services=both)
    assert tab.title == "We do not know"
    assert "We do not know whether APIMart took it." in tab.text
    tab.press("Try again with APIMart")
    assert tab.title == "Making your headshots"
    with both.reading() as session:
        newest, before = generations.runs_of(session, ANN, both.clock())
    assert (
        before.run.id == first and newest.run.engine == "apimart" and newest.run.portrait_id == before.run.portrait_id
    )


def test_made_here_instead_is_an_offer_with_all_choices_open(opened: Opened, both: Services, ask: Ask) -> None:
    failed_run(both, ask, "provider_slow")
    tab = opened(services=both).press("Make it on this server instead")
    assert tab.title == "Another from the same photo"
    assert "Generate headshots" in tab.labels and SEND not in tab.labels


def test_while_it_is_closed_trying_again_is_not_offered(opened: Opened, both: Services, ask: Ask) -> None:
    failed_run(both, ask, "provider_away")
    with both.transaction() as session:
        until = both.clock() + timedelta(minutes=2)
        session.add(ProviderHealth(provider="apimart", failures=5, closed_until=until))
    tab = opened(services=both)
    assert "Try again with APIMart" not in tab.labels and "APIMart is not answering just now." in tab.text
    assert "Make it on this server instead" in tab.labels


def test_of_one_that_is_offered_no_more_the_page_still_speaks(opened: Opened, both: Services, ask: Ask) -> None:
    failed_run(both, ask, "unknown")
    tab = opened(services=replace(both, providers={}))
    assert "Try again with APIMart" not in tab.labels and "Make it on this server instead" in tab.labels


# ------------------------------------------------------------------------------------------------- what lies elsewhere
@pytest.fixture
def made(both: Services, ask: Ask, work: Work) -> str:
    """A run with its headshots here, and two results at APIMart."""
    run_id = ask()
    work()
    at_apimart(both, run_id)
    for variant in (1, 2):
        noted(both, given_task(both, run_id, variant), f"{variant}.png")
    return run_id


def test_copies_elsewhere_are_listed_wherever_the_run_is(opened: Opened, both: Services, made: str) -> None:
    listed = "5 copies: 3 here until 1 Apr 2 at APIMart until tomorrow 12:00"
    tab = opened(services=both)
    assert tab.title == "Your headshots are ready" and listed in tab.text
    assert "Drawn by AI at APIMart from your photo" in tab.text
    photos = tab.go("pages/my_photos.py")
    assert listed in photos.text and "1 photo and 2 headshots, and 2 copies elsewhere" in photos.text
    assert "2 copies at APIMart are not ours to erase: there until tomorrow 12:00." in photos.text


def test_erasing_says_what_stays(opened: Opened, both: Services, made: str) -> None:
    tab = opened(services=both).press("Erase now")
    assert "This erases 2 headshots and the photo" in tab.text
    assert "2 copies at APIMart are not ours to erase" in tab.text


def test_erasing_everything_says_what_stays_too(opened: Opened, both: Services, made: str) -> None:
    tab = opened("pages/my_photos.py", services=both).press("Erase everything")
    assert "on My photos. The receipt lists them." in tab.text


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ({}, "2 at APIMart until today 12:00, being checked"),
        ({"open_at": 4, "answered_at": 5}, "2 at APIMart until today 12:00, still there 17:00"),
        ({"refused_at": 2, "gone_at": 3, "open_at": 1}, "2 at APIMart until today 12:00, checked gone 15:00"),
    ],
)
def test_after_their_end_it_is_said_what_looking_has_shown(
    opened: Opened, both: Services, made: str, clock: FrozenClock, then: dict[str, int], says: str
) -> None:
    retention.erase_run(both, made)
    end = clock.now + timedelta(hours=24)
    clock.advance(hours=30)
    with both.transaction() as session:
        for copy in _copies(session, made):
            for name, hours in then.items():
                setattr(copy, name, end + timedelta(hours=hours))
            if "gone_at" in then:
                copy.sealed_key = None
    assert says in opened("pages/my_photos.py", services=both).text


def test_an_upload_is_told_from_results(opened: Opened, both: Services, made: str) -> None:
    with both.transaction() as session:
        _copies(session, made)[0].kind = ProviderCopyKind.UPLOAD
    said = opened(services=both).text
    assert "1 at APIMart (your photo) until tomorrow 12:00" in said and "1 at APIMart until tomorrow 12:00" in said


def _copies(session: Any, run_id: str) -> list[ProviderCopy]:
    return list(residue.of_run(session, run_id))


# ---------------------------------------------------------------------------------------------------------------- drift
def drifted(svc: Services, run_id: str, by: float | None) -> None:
    with svc.transaction() as session:
        session.get_one(HeadshotRow, (run_id, 1)).shift = by


@pytest.mark.parametrize(("by", "word"), [(30.0, "lighter"), (-30.0, "darker")])
def test_a_strong_shift_is_said_and_one_new_try_is_free(
    opened: Opened, both: Services, made: str, clock: FrozenClock, by: float, word: str
) -> None:
    drifted(both, made, by)
    clock.advance(seconds=5)
    tab = opened(services=both)
    assert f"Your skin looks noticeably {word} than in your photo. You may have it made once more" in tab.text
    with both.reading() as session:
        left = access.allowance(session, ANN, limit=10, now=both.clock()).left
    tab.press("Make it once more, for free")
    assert tab.title == "Making your headshots"
    with both.reading() as session:
        newest = generations.runs_of(session, ANN, both.clock())[0]
        assert newest.run.free_try_of == made and not newest.run.counts
        assert access.allowance(session, ANN, limit=10, now=both.clock()).left == left
    tab.at.session_state["run"] = made
    assert "once more" not in tab.run().text, "there is one free try, not two"
    assert f"noticeably {word}" in tab.text


@pytest.mark.parametrize("by", [None, 0.0, 1.0, -1.0])
def test_a_small_shift_is_not_worth_a_word(opened: Opened, both: Services, made: str, by: float | None) -> None:
    drifted(both, made, by)
    tab = opened(services=both)
    assert "noticeably" not in tab.text and "Make it once more, for free" not in tab.labels
