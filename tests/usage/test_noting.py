"""Deeds of nouns: each is counted where it is done, as words of lists; nobody is who said no, sings, or is made up."""

import ast
from datetime import timedelta

import pytest

from core import access, canary, generations, requests, retention
from core.contracts import Contract
from core.engines.on_device.findings import _SAYS
from core.errors import NotAllowed, StorageUnavailable
from core.generations import Upload
from core.models import CopyKind, Request, RequestKind, Subject, new_id
from core.settings import ROOT
from core.ui.screens import over
from core.usage import noting, words
from core.usage.metrics import SECONDS
from tests.conftest import ANN, BOB, CHOICES
from tests.fakes import jpeg
from tests.usage.conftest import OPERATOR
from tests.usage.told import told, told_of


def test_a_run_is_counted_at_its_beginning_and_at_its_end(svc, ask, work, engine, clock):
    def takes(seconds):
        return lambda stage: clock.advance(seconds=seconds[stage])

    ask(style="warm", purpose="linkedin", contract=Contract.HOUR)
    clock.advance(seconds=3)
    assert told(svc) == {
        ("run_style", "warm", ""): 1,
        ("run_purpose", "linkedin", ""): 1,
        ("run_contract", "1h", ""): 1,
    }
    engine.at_stage = takes({"reading": 0, "light": 2, "finishing": 5, "variant 1": 7, "variant 2": 11})
    work()

    assert {cell: n for cell, n in told(svc).items() if not cell[0].startswith("run_")} == {
        ("run", "on_device", "ready"): 1,
        ("headshot", "on_device", ""): 2,
        ("queue_wait", "on_device", "3"): 1,
        ("took", "on_device", "30"): 1,  # 3 + 2 + 5 + 7 + 11
        ("stage_took", "on_device.reading", "2"): 1,
        ("stage_took", "on_device.light", "5"): 1,
        ("stage_took", "on_device.finishing", "20"): 1,
    }


def test_each_end_of_a_run_has_its_word(svc, ask, work, engine, store, clock):
    engine.refuses = "person_too_small"
    ask()
    work()
    engine.refuses = "a_new_way"
    ask()
    work()
    engine.refuses = None
    generations.cancel(svc, ANN, ask())
    work()
    store.down = True
    with pytest.raises(StorageUnavailable):
        ask()
    store.down = False
    work()

    assert told_of(svc, "run") == {
        ("on_device", "person_too_small"): 1,
        ("on_device", "other"): 1,
        ("on_device", "cancelled"): 1,
        ("on_device", "not_stored"): 1,
    }
    assert told_of(svc, "headshot", "took", "stage_took") == {}
    assert told_of(svc, "queue_wait") == {("on_device", "1"): 3}


def test_a_run_that_was_stopped_counts_what_it_made(svc, ask, work, engine):
    run_id = ask(variants=3)
    engine.at_stage = lambda stage: generations.cancel(svc, ANN, run_id) if stage == "variant 2" else None
    work()
    assert told_of(svc, "run") == {("on_device", "cancelled"): 1}
    assert told_of(svc, "headshot") == {("on_device",): 2}


def test_another_run_and_a_shorter_clock(svc, ask, again, work):
    run_id = ask()
    work()
    again(like=run_id)
    retention.shorten(svc, run_id, Contract.WEEK)
    with pytest.raises(NotAllowed):
        retention.shorten(svc, run_id, Contract.MONTH)

    assert told_of(svc, "again", "shortened") == {("again",): 1, ("shortened", "7d"): 1}
    assert told_of(svc, "run_contract") == {("30d",): 2}


def test_a_double_click_is_one_run(svc, ask):
    for _ in range(3):
        ask(request_id="the same")
    assert told_of(svc, "run_style") == {("studio",): 1}


def test_what_is_gone_counts_by_why_it_went_and_how_long_that_took(svc, ask, work, clock, store):
    run_id = ask(contract=Contract.HOUR)
    work()
    clock.advance(hours=1, seconds=25)
    retention.sweep(svc)
    asked = ask()
    work()
    store.listing_lags = True
    retention.erase_run(svc, asked)
    work()
    store.listing_lags = False
    clock.advance(minutes=4)
    retention.sweep(svc)

    assert run_id != asked
    assert told_of(svc, "erased") == {
        ("portrait", "contract"): 1, ("headshot", "contract"): 2, ("portrait", "asked"): 1, ("headshot", "asked"): 2,
    }  # fmt: skip
    assert told_of(svc, "gone_took") == {("contract", "30"): 3, ("asked", "300"): 3}


def test_tickets_come_and_go_in_time_or_late(svc, ask, work, desk, clock):
    ask()
    work()
    requests.open_in_product(svc, ANN, kind=RequestKind.ERASE, press_id=new_id())
    clock.now += requests.UNDO
    desk()
    clock.advance(seconds=30)
    desk()
    late = requests.open_by_hand(svc, kind=RequestKind.QUESTION, received_at=clock(), actor=OPERATOR, words="Who?")
    refused = requests.open_by_hand(svc, kind=RequestKind.ERASE, received_at=clock(), actor=OPERATOR)
    requests.refuse(svc, refused.id, ground="not_identified", actor=OPERATOR)
    with svc.reading() as session:
        clock.now = session.get_one(Request, late.id).due_at + timedelta(seconds=1)
    requests.refuse(svc, late.id, ground="unfounded", actor=OPERATOR)

    assert told_of(svc, "ticket") == {("product", "erase"): 1, ("hand", "erase"): 1, ("hand", "question"): 1}
    assert told_of(svc, "ticket_end") == {("done", "in_time"): 1, ("refused", "in_time"): 1, ("refused", "late"): 1}
    assert told_of(svc, "ticket_took") == {("erase", "120"): 1, ("erase", "10"): 1, ("question", "more"): 1}
    assert told_of(svc, "operator") == {
        ("request:opened",): 2, ("request:refused",): 2, ("request:closed",): 2,
    }  # fmt: skip


def test_nothing_is_counted_of_who_said_no(svc, everything, again, work):
    upload = Upload(kind=CopyKind.PORTRAIT, data=jpeg(), width=400, height=500, received_at=svc.clock())
    agreement = generations.Agreement(may_use_photo=True, is_adult=True)
    run_id = generations.request(
        svc, ANN, request_id="a", uploads=[upload], choices=CHOICES, agreement=agreement, counted=False
    )
    work()
    again(like=run_id)  # in another browser, which says nothing: it stays so
    work()
    everything()
    assert told_of(svc, *(set(_metrics(svc)) - {"operator"})) == {}


def test_a_browser_that_says_no_later_is_believed_from_then_on(svc, ask, work):
    like = ask()
    work()
    before = told(svc)
    generations.again(svc, ANN, request_id="b", like=like, choices=CHOICES, counted=False)
    work()
    retention.erase_run(svc, like)
    work()
    assert told(svc) == before


def test_the_switch_stops_counting_of_what_is_open_here(svc, ask, work, clock):
    mine, others = ask(), ask(who=BOB)
    work()
    before = told(svc)
    svc.visits.reach(ANN, "ready", at=clock())
    access.stop_counting(svc, ANN)
    access.stop_counting(svc, "c" * 64)  # has nothing here
    assert not access.is_counted(svc, ANN)
    assert access.is_counted(svc, BOB)
    assert not svc.visits.has_reached(ANN, "visit", clock())
    retention.erase_run(svc, mine)
    work()
    assert told(svc) == before
    retention.erase_run(svc, others)
    work()
    assert told_of(svc, "erased") == {("portrait", "asked"): 1, ("headshot", "asked"): 2}


def test_neither_canaries_nor_what_is_made_up_counts(svc, clock):
    canary.sing(svc)
    assert told(svc) == {}
    with svc.transaction() as session:
        people = [Subject(id=id, created_at=clock(), sealed_key=b"-") for id in ("demo1", "1demo")]
        session.add_all(people)
        session.flush()
        assert noting.counted_among(session, {person.id for person in people}) == {"1demo"}


def _metrics(svc):
    return {metric for metric, _, _ in told(svc)}


# --------------------------------------------------------------------------------------------------------------- words
def codes_in(folder, raised):
    """`code=` of what is raised there by this name, and `failure=` of whatever is called."""
    found = set()
    for path in sorted((ROOT / folder).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            name = ast.unparse(call.func)
            for keyword in call.keywords:
                if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
                    if keyword.arg == "code" and name in raised:
                        found.add(keyword.value.value)
                    if keyword.arg in ("failure", "otherwise") and raised == {"any"}:
                        found.add(keyword.value.value)
    return found


def test_every_failure_that_a_page_can_tell_of_has_a_word():
    assert {*over.FAILURES, *over.ELSEWHERE} <= set(words.OUTCOMES)


def test_every_code_of_the_engine_here_has_a_word():
    codes = codes_in("core/engines/on_device", {"EngineRefused"})
    assert len(codes) > 5
    assert codes <= set(words.OUTCOMES)
    assert {"no_person", "person_too_small"} <= set(_SAYS) & set(words.REFUSALS) & set(words.OUTCOMES)


def test_every_end_that_the_code_writes_has_a_word():
    ends = codes_in("core", {"any"}) - {"not_gone", "key_kept"}  # of canaries
    assert {"expired", "provider_slow", "gave_up"} <= ends
    assert ends <= set(words.OUTCOMES)


def test_every_refusal_of_a_photo_has_a_word():
    codes = codes_in("core/intake", {"InvalidPhoto"})
    assert len(codes) > 4
    assert codes <= set(words.REFUSALS)


def test_times_of_a_bucket_are_within_it():
    assert [SECONDS.of(value) for value in (0, 1, 1.01, 1800, 1801)] == ["1", "1", "2", "1800", "more"]
