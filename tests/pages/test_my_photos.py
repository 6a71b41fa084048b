"""My photos: everything of one person that is here, and the ways to make it go."""

import re
from collections.abc import Callable

import pytest

from core import access, retention
from core.contracts import Contract
from core.errors import LimitReached
from core.models import Generation, RunState
from core.services import Services
from core.ui.screens.runs import STATES
from tests.conftest import ANN, BOB
from tests.fakes import MemoryStore
from tests.pages.conftest import Opened, Tab

PAGE = "pages/my_photos.py"
Ask = Callable[..., str]
Work = Callable[[], int]
OPENS_NOTHING = "This code opens nothing. Check it letter by letter; photos may also have been erased."


def entered(tab: Tab, code: str) -> Tab:
    (field,) = tab.at.text_input
    field.input(code)
    return tab.press("Open my photos")


def test_empty_it_says_so_and_asks_for_a_code(opened: Opened) -> None:
    tab = opened(PAGE)
    assert "There is nothing of yours here." in tab.text
    assert [field.label for field in tab.at.text_input] == ["Claim code"]


def test_every_run_has_its_card(opened: Opened, ask: Ask, work: Work, time_left: Callable[[str], str]) -> None:
    first, second = ask(), ask(purpose="resume", ratio="35:45", contract=Contract.WEEK)
    work()
    tab = opened(PAGE)
    assert tab.title == "My photos"
    assert "2 photos and 4 headshots" in tab.text
    assert "LinkedIn Ready" in tab.text and "Résumé Ready" in tab.text
    assert time_left(first) in tab.text and time_left(second) in tab.text
    assert time_left(first) != time_left(second)
    assert set(re.findall(r'href="/zip/(\w+)"', tab.drawn)) == {first, second}
    assert tab.labels.count("Erase now") == tab.labels.count("Open in the studio") == 2


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_a_word(opened: Opened, ask: Ask, svc: Services, state: RunState) -> None:
    run_id = ask()
    with svc.transaction() as session:
        session.get_one(Generation, run_id).state = state
    assert STATES[state][1] in opened(PAGE).text


def test_erased_runs_stay_as_a_line_with_their_proof(opened: Opened, ask: Ask, work: Work, svc: Services) -> None:
    run_id = ask()
    work()
    retention.erase_run(svc, run_id)
    assert "Erasing" in opened(PAGE).text
    work()
    tab = opened(PAGE)
    assert "LinkedIn Erased" in tab.text and "proved" in tab.text
    assert "/img/" not in tab.drawn and "/zip/" not in tab.drawn
    tab.press("Show proof")
    assert tab.title == "Erased"


def test_a_right_code_opens_them_in_another_browser(opened: Opened, ask: Ask, work: Work, svc: Services) -> None:
    ask()
    work()
    code = access.issue_claim_code(svc, ANN)
    assert code
    bob = entered(opened(PAGE, who=BOB), f" {code.lower().replace('-', ' ')} ")
    assert "LinkedIn Ready" in bob.text


@pytest.mark.parametrize("code", ["7Q4K", "7Q4K-M2XW-9PTB-3HVN-6RCJ-8DYF-5A00", "<b>x</b>"])
def test_wrong_codes_open_nothing(opened: Opened, code: str) -> None:
    tab = entered(opened(PAGE), code)
    assert OPENS_NOTHING in tab.text
    assert "<b>x" not in tab.drawn


def test_an_erased_code_reads_like_a_wrong_one(opened: Opened, ask: Ask, work: Work, svc: Services) -> None:
    ask()
    work()
    code = access.issue_claim_code(svc, ANN)
    with svc.reading() as reading:
        subject = access.current_subject(reading, ANN)
    assert code and subject
    retention.erase_everything(svc, subject.id)
    work()
    assert OPENS_NOTHING in entered(opened(PAGE, who=BOB), code).text


def test_no_code_is_no_guess(opened: Opened, svc: Services) -> None:
    tab = entered(opened(PAGE), "  ")
    assert "Please type or paste your claim code." in tab.text


def test_guessing_has_an_end(opened: Opened, svc: Services) -> None:
    for _ in range(10):
        svc.guesses.spend(ANN, "")
    with pytest.raises(LimitReached) as refused:
        svc.guesses.spend(ANN, "")
    assert str(refused.value) in entered(opened(PAGE), "7Q4K").text


def test_closing_forgets_this_browser_and_erases_nothing(
    opened: Opened, ask: Ask, work: Work, store: MemoryStore
) -> None:
    ask()
    work()
    tab = opened(PAGE).press("Close on this browser")
    assert "There is nothing of yours here." in tab.text
    assert len(store.objects) == 3


def test_erasing_everything_names_what_goes(opened: Opened, ask: Ask, work: Work, store: MemoryStore) -> None:
    ask()
    work()
    tab = opened(PAGE).press("Erase everything")
    assert "This erases 1 photo and 2 headshots" in tab.text
    assert len(store.objects) == 3


def test_when_storage_is_down_clocks_are_still_there(
    opened: Opened, ask: Ask, work: Work, svc: Services, store: MemoryStore, time_left: Callable[[str], str]
) -> None:
    run_id = ask()
    work()
    store.down = True
    assert time_left(run_id) in opened(PAGE).text
    retention.erase_run(svc, run_id)
    work()
    tab = opened(PAGE)
    assert "LinkedIn Erasing" in tab.text
    tab.press("Show proof")
    assert tab.title == "Erasing"
    assert "storage could not be reached" in tab.text


@pytest.mark.parametrize("page", [None, PAGE, "pages/guide.py"])
def test_no_page_needs_storage_to_be_there(opened: Opened, store: MemoryStore, page: str | None) -> None:
    store.down = True
    assert opened(page).title
