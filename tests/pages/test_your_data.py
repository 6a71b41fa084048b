"""My photos, the part where one asks: for a copy, for the end of everything, for an answer; and what became of it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from core import access, jobs, requests, retention
from core.errors import NotAllowed
from core.models import Copy, CopyKind, JobKind, Request, RequestKind, RequestOutcome, RequestState, new_id
from core.services import Services
from tests.conftest import ANN, BOB
from tests.fakes import FrozenClock, MemoryStore
from tests.pages.conftest import Opened, Tab
from tests.pages.test_my_photos import PAGE, entered

Ask = Callable[..., str]
ALL_WORK = (*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK, JobKind.EXPORT)


@pytest.fixture
def work(worker: jobs.Worker) -> Callable[[], None]:
    """Do all there is to do, but for mails."""

    def until_idle() -> None:
        while worker.look(ALL_WORK):
            pass

    return until_idle


@pytest.fixture
def page(opened: Opened, ask: Ask, work: Callable[[], None]) -> Tab:
    """Ann has headshots, and looks at them."""
    ask()
    work()
    return opened(PAGE)


def field(tab: Tab, label: str, value: str) -> None:
    (one,) = [one for kind in ("text_input", "text_area") for one in tab.at.get(kind) if one.label == label]
    one.set_value(value)


def asked(svc: Services) -> list[Request]:
    with svc.reading() as session:
        return list(session.exec(select(Request)))


# -------------------------------------------------------------------------------------------------------------- a copy
def test_a_copy_is_packed_and_found_here(page: Tab, svc: Services, work: Callable[[], None]) -> None:
    page.press("Get a copy of my data").press("Pack it now")
    assert page.text.count("Under way") == 1, "the button gives way to what is being done"
    assert "Your copy is being packed." in page.text and "Get a copy of my data" not in page.labels
    work()
    page.run()
    with svc.reading() as session:
        export = session.exec(select(Copy).where(Copy.kind == CopyKind.EXPORT)).one()
    assert f'href="/export/{export.id}"' in page.drawn
    assert "1 photo, 2 headshots and 1 ZIP of your data" in page.text
    assert "23 h" in page.text or "1 d" in page.text


def test_a_copy_that_is_erased_again_says_so(
    page: Tab, work: Callable[[], None], clock: FrozenClock, opened: Opened
) -> None:
    page.press("Get a copy of my data").press("Pack it now")
    work()
    clock.advance(hours=24)
    page.run()
    assert "/export/" not in page.drawn
    assert "Our copy of it is erased again." in page.text


def test_a_copy_that_cannot_be_packed_says_why_it_waits(
    page: Tab, store: MemoryStore, work: Callable[[], None]
) -> None:
    store.down = True
    page.press("Get a copy of my data").press("Pack it now")
    work()
    page.run()
    assert "The copy could not be packed. It is tried again." in page.text


def test_not_now_asks_for_nothing(page: Tab, svc: Services) -> None:
    page.press("Get a copy of my data").press("Not now")
    assert asked(svc) == []
    assert "Pack it now" not in page.labels


# ------------------------------------------------------------------------------------------------ the end of everything
def test_erasing_everything_waits_two_minutes_and_ends_with_a_receipt(
    page: Tab, svc: Services, store: MemoryStore, clock: FrozenClock, work: Callable[[], None]
) -> None:
    page.press("Erase everything")
    assert "This erases 1 photo and 2 headshots" in page.text
    page.press("Erase 1 photo and 2 headshots")
    assert "2 min left to take it back · nothing is erased yet" in page.text.replace("back nothing", "back · nothing")
    assert "Erase everything" not in page.labels and len(store.objects) == 3
    clock.advance(minutes=1)
    assert "1 min left to take it back" in page.run().text
    clock.advance(minutes=1)
    work()
    page.run()
    assert store.objects == {}
    (request,) = asked(svc)
    assert request.outcome is RequestOutcome.DONE
    assert "Everything there was is erased" in page.text
    receipts = re.findall(r'href="/receipt/(\w+)\.json"', page.drawn)
    assert len(receipts) == 1 and f'href="/receipt/{receipts[0]}"' in page.drawn


def test_it_can_be_taken_back(page: Tab, svc: Services, store: MemoryStore, clock: FrozenClock, work: Any) -> None:
    page.press("Erase everything").press("Erase 1 photo and 2 headshots").press("Take it back")
    clock.advance(minutes=5)
    work()
    page.run()
    assert len(store.objects) == 3
    assert "You took it back in time. Nothing was erased." in page.text
    assert "Erase everything" in page.labels


def test_taken_back_too_late_it_says_so(page: Tab, svc: Services, clock: FrozenClock, work: Any, store: Any) -> None:
    page.press("Erase everything").press("Erase 1 photo and 2 headshots")
    store.down = True  # so that it does not end at once
    clock.advance(minutes=2)
    work()
    page.press("Take it back")
    assert "Take it back" not in page.labels and "Being done" in page.text
    with pytest.raises(NotAllowed):
        requests.undo(svc, ANN, asked(svc)[0].id)


def test_who_does_not_want_to_wait_need_not(page: Tab, store: MemoryStore, work: Callable[[], None]) -> None:
    page.press("Erase everything").press("Erase 1 photo and 2 headshots").press("Erase all of it now")
    work()
    page.run()
    assert store.objects == {}
    assert "/receipt/" in page.drawn


def test_keep_everything_keeps_everything(page: Tab, svc: Services) -> None:
    page.press("Erase everything").press("Keep everything")
    assert asked(svc) == []


def test_storage_that_is_down_is_said_with_the_clock(
    page: Tab, store: MemoryStore, clock: FrozenClock, work: Callable[[], None]
) -> None:
    page.press("Erase everything").press("Erase 1 photo and 2 headshots")
    store.down = True
    clock.advance(minutes=2)
    for _ in range(3):
        work()
        clock.advance(seconds=3)
    page.run()
    assert "Storage could not be reached. It is tried again." in page.text
    assert "1 d 23 h left" in page.text


def test_one_run_is_still_erased_at_once(page: Tab, store: MemoryStore, work: Callable[[], None]) -> None:
    page.press("Erase now")
    field(page, "Type ERASE to confirm", "ERASE")
    page.press("Erase 2 headshots")
    work()
    assert store.objects == {}


def test_with_a_claim_code_alone_one_may_ask_too(
    opened: Opened, page: Tab, svc: Services, clock: FrozenClock, work: Callable[[], None], store: MemoryStore
) -> None:
    code = access.issue_claim_code(svc, ANN, replace=True)
    assert code
    bob = entered(opened(PAGE, who=BOB), code)
    bob.press("Erase everything").press("Erase 1 photo and 2 headshots")
    assert "Take it back" in page.run().labels, "and in the first browser it can be taken back"
    clock.advance(minutes=2)
    work()
    assert store.objects == {}
    assert "/receipt/" in bob.run().drawn


# ----------------------------------------------------------------------------------------------------------- addresses
def test_an_address_is_kept_sealed(page: Tab, svc: Services) -> None:
    page.press("Erase everything")
    field(page, "E-mail (optional)", "ann@example.org")
    page.press("Erase 1 photo and 2 headshots")
    (request,) = asked(svc)
    assert request.sealed_address and svc.vault.open_text(request, request.sealed_address) == "ann@example.org"
    assert "ann@example.org" not in page.text


def test_what_is_no_address_is_said_and_nothing_is_asked_for(page: Tab, svc: Services) -> None:
    page.press("Erase everything")
    field(page, "E-mail (optional)", "ann at example")
    page.press("Erase 1 photo and 2 headshots")
    assert asked(svc) == []
    assert "Erase 1 photo and 2 headshots" in page.labels, "the question stays"


# ---------------------------------------------------------------------------------------------------------- in writing
@pytest.mark.parametrize("kind", [RequestKind.QUESTION, RequestKind.CORRECT, RequestKind.OBJECT])
def test_anything_else_is_asked_in_writing(page: Tab, svc: Services, kind: RequestKind) -> None:
    (radio,) = [one for one in page.at.radio if one.label == "What is it about?"]
    radio.set_value(kind)
    write(page, "It is my brother in that photo.")
    (request,) = asked(svc)
    assert (request.kind, request.state) == (kind, RequestState.OPEN)
    assert "Sent." in page.text and request.number in page.text
    assert "29 d" in page.text or "30 d" in page.text, "its clock"


def write(page: Tab, words: str, address: str = "ann@example.org") -> Tab:
    field(page, "In your words", words)
    field(page, "E-mail, for our answer", address)
    return page.press("Send")


def test_a_question_needs_an_address_and_an_objection_none(page: Tab, svc: Services) -> None:
    write(page, "Who are you?", address="")
    assert asked(svc) == [] and "Please say where we may answer" in page.text
    (radio,) = [one for one in page.at.radio if one.label == "What is it about?"]
    radio.set_value(RequestKind.OBJECT)
    write(page, "I object.", address="")
    assert [request.kind for request in asked(svc)] == [RequestKind.OBJECT]


def test_nothing_to_say_is_no_request(page: Tab, svc: Services) -> None:
    page.press("Send")
    assert asked(svc) == []
    assert "Please write a sentence or two" in page.text


def test_our_answer_is_here_while_it_is_open(page: Tab, svc: Services) -> None:
    write(page, "Who are you?")
    (request,) = asked(svc)
    requests.note(svc, request.id, "a funny one", "operator:0a1b2c3d")
    requests.reply(svc, request.id, template="answer", text="Two people in Graz.", actor="operator:0a1b2c3d")
    page.run()
    assert "Two people in Graz." in page.text
    assert "a funny one" not in page.text


def test_a_refusal_says_its_ground(page: Tab, svc: Services) -> None:
    write(page, "Again?")
    (request,) = asked(svc)
    requests.refuse(svc, request.id, ground="excessive", actor="operator:0a1b2c3d")
    page.run()
    assert "Refused" in page.text and "often" in page.text


def test_after_everything_is_erased_one_may_still_ask(page: Tab, svc: Services, work: Callable[[], None]) -> None:
    with svc.reading() as session:
        subject = access.current_subject(session, ANN)
    assert subject
    retention.erase_everything(svc, subject.id)
    work()
    page.run()
    assert "Get a copy of my data" not in page.labels and "Erase everything" not in page.labels
    assert "Sent." in write(page, "Is it really gone?").text


def test_foreign_requests_are_not_here(page: Tab, opened: Opened, ask: Ask, work: Callable[[], None], svc: Any) -> None:
    ask(who=BOB)
    requests.open_in_product(svc, BOB, kind=RequestKind.QUESTION, press_id=new_id(), words="bob's")
    (request,) = asked(svc)
    assert request.number not in page.run().text
    assert request.number in opened(PAGE, who=BOB).text
