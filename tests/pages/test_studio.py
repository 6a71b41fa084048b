"""The studio: each state of a run has its screen, and each screen its next step."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from core import access, erasing, generations, intake, retention
from core.contracts import Contract
from core.drafts import DraftKind
from core.models import Generation, RunState
from core.ports import Finding
from core.services import Services
from core.ui.screens import over
from core.ui.session import NO_COOKIE
from tests.conftest import ANN, BOB
from tests.fakes import DrawingEngine, FrozenClock, MemoryStore, jpeg
from tests.pages.conftest import Opened

Ask = Callable[..., str]
Work = Callable[[], int]
Put = Callable[..., None]


@dataclass
class Doubtful:
    """A framer that has something to say about every photo."""

    framer: DrawingEngine
    says: list[Finding] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.framer, name)

    def examine(self, portrait: bytes) -> list[Finding]:
        return self.says


def end(svc: Services, run_id: str, state: RunState, failure: str | None = None) -> None:
    with svc.transaction() as session:
        run = session.get_one(Generation, run_id)
        run.state, run.failure, run.ended_at, run.counts = state, failure, svc.clock(), False


def test_a_stranger_reads_what_happens_to_the_photo(opened: Opened) -> None:
    tab = opened()
    assert tab.title == "A headshot that still looks like you"
    assert "Made on this server. Nothing is sent to anyone else." in tab.text
    assert "after 30 days at the latest" in tab.text
    assert [uploader.label for uploader in tab.at.get("file_uploader")] == ["Your photo"]
    assert "Generate headshots" not in tab.labels


def test_the_numbers_follow_the_settings(opened: Opened, limit_to: Callable[..., Services]) -> None:
    tab = opened(services=limit_to(longest_contract=Contract.WEEK, run_by="Ann's Studio"))
    assert "after 7 days at the latest" in tab.text
    assert "run by Ann's Studio" in tab.text


def test_without_a_cookie_it_says_what_it_needs(opened: Opened) -> None:
    tab = opened(who=None)
    assert [info.value for info in tab.at.info] == [NO_COOKIE]
    assert tab.labels == []


def test_a_photo_is_looked_at_and_choices_are_offered(opened: Opened, draft: Put, svc: Services) -> None:
    draft()
    tab = opened()
    held = svc.drafts.get(ANN, DraftKind.PORTRAIT)
    assert held and f"/draft/{held.id}?ratio=1%3A1" in tab.drawn.replace("&amp;", "&")
    assert "there was nothing to remove" in tab.text
    assert [box.value for box in tab.at.checkbox] == [False, False]
    assert "10 of 10 left today" in tab.text
    assert not tab.button("Generate headshots").disabled


def test_what_is_doubtful_is_said_and_stops_nobody(opened: Opened, draft: Put, svc: Services) -> None:
    draft()
    doubts = [Finding(code="dark", says="It looks a little dark. Is there a brighter one?")]
    tab = opened(services=replace(svc, framer=Doubtful(svc.framer, doubts)))  # type: ignore[arg-type]
    assert "It looks a little dark." in tab.text
    assert "This photo looks good." not in tab.text
    assert "Generate headshots" in tab.labels


def test_where_no_headshot_is_possible_it_says_why(opened: Opened, draft: Put, svc: Services) -> None:
    draft()
    blocking = [Finding(code="no_person", says="We can't find a person in this photo.", blocking=True)]
    tab = opened(services=replace(svc, framer=Doubtful(svc.framer, blocking)))  # type: ignore[arg-type]
    assert "We can't find a person in this photo." in tab.text
    assert "Generate headshots" not in tab.labels
    tab.press("Use another photo")
    assert svc.drafts.get(ANN, DraftKind.PORTRAIT) is None
    assert tab.at.get("file_uploader")


@pytest.mark.parametrize("ticked", [[], [0], [1]])
def test_both_ticks_are_needed(opened: Opened, draft: Put, svc: Services, ticked: list[int]) -> None:
    draft()
    tab = opened()
    for box in ticked:
        tab.at.checkbox[box].check()
    tab.press("Generate headshots")
    assert "Please tick both boxes first" in tab.text
    assert svc.drafts.get(ANN, DraftKind.PORTRAIT) is not None
    with svc.reading() as reading:
        assert access.current_subject(reading, ANN) is None


def test_the_button_makes_one_run_with_what_was_chosen(opened: Opened, draft: Put, svc: Services) -> None:
    draft()
    tab = opened().agree()
    pills = {group.label: group for group in tab.at.get("button_group")}
    assert "What is it for?" in pills
    tab.press("Generate headshots")
    assert tab.title == "Making your headshots"
    assert svc.drafts.get(ANN, DraftKind.PORTRAIT) is None
    with svc.reading() as reading:
        (view,) = generations.runs_of(reading, ANN, svc.clock())
    assert (view.run.purpose, view.run.contract, view.run.variants) == ("linkedin", Contract.MONTH, 2)


def test_the_days_limit_closes_the_button(
    opened: Opened, draft: Put, ask: Ask, work: Work, limit_to: Callable[..., Services]
) -> None:
    ask()
    work()
    draft()
    tab = opened(services=limit_to(runs_per_day=1))
    assert "Today's 1 run is used up." in tab.text
    assert "0 of 1 left today" in tab.text
    assert tab.button("Generate headshots").disabled


def test_when_busy_the_photo_waits_where_it_was(
    opened: Opened, draft: Put, ask: Ask, svc: Services, limit_to: Callable[..., Services]
) -> None:
    ask(who=BOB)
    draft()
    tab = opened(services=limit_to(queue_limit=1)).agree().press("Generate headshots")
    assert "Many people are making headshots just now." in tab.text
    assert "Your photo is still only in memory here." in tab.text
    assert svc.drafts.get(ANN, DraftKind.PORTRAIT) is not None


def test_storage_that_is_down_loses_no_photo_and_says_so(
    opened: Opened, draft: Put, svc: Services, store: MemoryStore
) -> None:
    draft()
    tab = opened().agree()
    store.down = True
    tab.press("Generate headshots")
    assert "The vault cannot be reached just now." in tab.text
    assert svc.drafts.get(ANN, DraftKind.PORTRAIT) is not None
    with svc.reading() as reading:
        assert access.allowance(reading, ANN, limit=10, now=svc.clock()).left == 10

    store.down = False
    tab.press("Generate headshots")
    assert tab.title == "Making your headshots"


def test_a_run_that_waits_says_for_what(opened: Opened, ask: Ask, clock: FrozenClock) -> None:
    ask(who=BOB)
    clock.advance(seconds=1)
    ask()
    tab = opened()
    assert tab.title == "Making your headshots"
    assert "1 run before yours." in tab.text


def test_a_run_under_way_shows_its_stages(opened: Opened, ask: Ask, work: Work, engine: DrawingEngine) -> None:
    seen: list[str] = []
    engine.at_stage = lambda stage: seen.append(opened().drawn) if stage == "finishing" else None
    ask()
    work()
    (drawn,) = seen
    assert "Step 2 of 3: Light." in drawn
    assert "Cancel this run" in opened().labels or "Your headshots are ready" in opened().title


def test_results_come_with_everything_one_may_do(
    opened: Opened, ask: Ask, work: Work, time_left: Callable[[str], str]
) -> None:
    run_id = ask()
    work()
    tab = opened()
    assert tab.title == "Your headshots are ready"
    assert re.findall(r'href="(/zip/\w+)"', tab.drawn) == [f"/zip/{run_id}"]
    assert "Download" in tab.text and time_left(run_id) in tab.text
    assert {"Make this my favourite", "Make another from this photo", "Use another photo", "Erase now"} <= {*tab.labels}
    assert tab.drawn.count("ws-primary") == 1


def test_the_claim_code_is_shown_once_unasked(opened: Opened, ask: Ask, work: Work) -> None:
    ask()
    work()
    code = re.search("data-ws-code>([^<]+)<", opened().drawn)
    assert code
    later = opened()
    assert code.group(1) not in later.drawn
    assert "Make a new claim code" in later.labels
    later.press("Make a new claim code")
    assert "data-ws-code" in later.drawn and code.group(1) not in later.drawn


@pytest.mark.parametrize("code", [*over.FAILURES, "something new"])
def test_a_failed_run_says_why_and_what_to_do(opened: Opened, ask: Ask, svc: Services, code: str) -> None:
    end(svc, ask(), RunState.FAILED, code)
    tab = opened()
    happened, do = over.FAILURES.get(code, over.OTHERWISE)
    assert tab.title == "That did not work"
    assert happened in tab.text and do in tab.text
    assert "This run does not count towards today's." in tab.text
    assert "Use another photo" in tab.labels


def test_a_stopped_run_is_no_failure(opened: Opened, ask: Ask, work: Work, svc: Services) -> None:
    run_id = ask()
    generations.cancel(svc, ANN, run_id)
    work()
    tab = opened()
    assert tab.title == "Stopped"
    assert "It does not count." in tab.text
    assert "Erase now" in tab.labels


def test_erased_but_not_proved_is_said_as_it_is(
    opened: Opened, ask: Ask, work: Work, svc: Services, store: MemoryStore
) -> None:
    run_id = ask()
    work()
    store.listing_lags = True
    retention.erase_run(svc, run_id)
    work()
    tab = opened()
    assert tab.title == "Erasing"
    assert "not proved yet" in tab.text and "Storage is being asked for proof." in tab.text


def test_erased_is_a_screen_of_its_own_with_proof(opened: Opened, ask: Ask, work: Work, svc: Services) -> None:
    run_id = ask()
    work()
    retention.erase_run(svc, run_id)
    work()
    for tab in (opened(), opened()):
        assert tab.title == "Erased"
        assert tab.text.count("erased ✓ proved") == 3
        assert tab.text.count("Storage was asked for a listing: not in it.") == 3
    assert "/img/" not in tab.drawn


def test_a_clock_that_ran_out_is_over_before_the_sweep_came(
    opened: Opened, ask: Ask, work: Work, clock: FrozenClock
) -> None:
    ask(contract=Contract.HOUR)
    work()
    clock.advance(hours=1, seconds=1)
    tab = opened()
    assert tab.title == "Erasing"
    assert "/img/" not in tab.drawn


def test_erase_now_asks_first(opened: Opened, ask: Ask, work: Work, svc: Services) -> None:
    ask()
    work()
    tab = opened().press("Erase now")
    assert "This cannot be undone." in tab.text
    with svc.reading() as reading:
        (view,) = generations.runs_of(reading, ANN, svc.clock())
    assert len(view.headshots) == 2


def test_when_storage_is_down_the_page_still_stands(opened: Opened, ask: Ask, work: Work, store: MemoryStore) -> None:
    ask()
    work()
    store.down = True
    assert opened().title == "Your headshots are ready"


def test_nobody_sees_anothers_run(opened: Opened, ask: Ask, work: Work) -> None:
    run_id = ask()
    work()
    bob = opened(who=BOB)
    assert bob.title == "A headshot that still looks like you"
    assert run_id not in bob.drawn


def test_an_engine_that_takes_words_and_clothes_is_given_them(
    opened: Opened, draft: Put, svc: Services, engine: DrawingEngine
) -> None:
    engine.takes_note = engine.takes_clothing = True
    draft()
    tab = opened()
    assert "Your clothing picture (optional)" in [uploader.label for uploader in tab.at.get("file_uploader")]
    svc.drafts.put(ANN, DraftKind.CLOTHING, intake.read(jpeg(400, 400)))
    tab.run().at.text_area[0].set_value("A plain dark jacket")
    tab.agree().press("Generate headshots")
    with svc.reading() as session:
        (run,) = generations.runs_of(session, ANN, svc.clock())
        subject = access.current_subject(session, ANN)
    assert run.run.clothing_id is not None
    assert subject is not None and run.run.sealed_note is not None
    assert svc.vault.open_text(subject, run.run.sealed_note) == "A plain dark jacket"


def test_the_app_says_above_its_pages_when_erasing_is_stopped(
    opened: Opened, svc: Services, clock: FrozenClock
) -> None:
    assert "Erasing is stopped" not in opened().text
    erasing.stop(svc, reason="wrong-clock", actor="system")
    clock.advance(seconds=3)
    assert opened().text.startswith("Erasing is stopped since 02 Mar, 12:00 UTC. Access still ends on time.")
