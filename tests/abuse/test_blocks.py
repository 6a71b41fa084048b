"""A person or a file makes nothing more here; what is here stays theirs; they read why, till when, how to object."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core import access, copies, generations, language, reports, retention
from core.abuse import blocks
from core.abuse.blocks import What
from core.contracts import Contract
from core.errors import NotAllowed, NotFound
from core.models import AbuseOutcome, Block, new_id
from core.operators import Operator
from core.services import Services
from tests.abuse.conftest import ORIGINAL, deeds, drawn, headshots, id_of, press, subject_of
from tests.conftest import ANN, BOB, CHOICES
from tests.fakes import FrozenClock, MemoryStore

OTHER = b"another file"


def refused(svc: Services, deed: Callable[[], object]) -> str:
    """The words of a block; nothing was stored."""
    held = dict(svc.vault.store.objects)  # type: ignore[attr-defined]
    with pytest.raises(NotAllowed) as why:
        deed()
    assert why.value.code == "blocked"
    assert svc.vault.store.objects == held  # type: ignore[attr-defined]
    return str(why.value)


def once_more(svc: Services, like: str) -> str:
    return generations.again(svc, ANN, request_id=new_id(), like=like, choices=CHOICES)


@pytest.fixture
def person(open_house: Services, reported: str, kim: Operator) -> Block:
    (made,) = blocks.block(open_house, kim, reported, What.PERSON)
    return made


@pytest.fixture
def file(open_house: Services, reported: str, kim: Operator) -> Block:
    """Of what the reported run was made from; nobody sent the file."""
    (made,) = blocks.block(open_house, kim, reported, What.FILE)
    return made


def test_a_blocked_person_makes_nothing_from_any_photo_and_reads_why(open_house: Services, person: Block) -> None:
    says = refused(open_house, lambda: press(open_house, ANN, OTHER))
    with open_house.reading() as session:
        (run,) = generations.runs_of(session, ANN, open_house.clock())
    assert refused(open_house, lambda: once_more(open_house, run.run.id)) == says
    for told in (
        "until 2 March 2027, in this browser or with your claim code",
        "“It shows somebody who was not asked”",
        "no program did",
        "Something else about your data",
        "privacy@example.org",
    ):
        assert told in says
    press(open_house, BOB, OTHER)


def test_a_blocked_file_is_taken_from_nobody(open_house: Services, file: Block) -> None:
    assert file.file_hash == copies.hash_of_original(open_house, ORIGINAL)
    says = refused(open_house, lambda: press(open_house, BOB, ORIGINAL))
    assert "This file is not taken here until 2 March 2027" in says and "write to privacy@example.org" in says
    assert refused(open_house, lambda: blocks.refuse_file(open_house, file.file_hash)) == says
    with open_house.reading() as session:
        (run,) = generations.runs_of(session, ANN, open_house.clock())
    assert refused(open_house, lambda: once_more(open_house, run.run.id)) == says
    press(open_house, BOB, OTHER)
    blocks.refuse_file(open_house, None)


def test_the_file_that_came_with_a_report_is_blocked_though_nobody_was_found(
    open_house: Services, report: Callable[..., Any], kim: Operator
) -> None:
    report_id = id_of(open_house, report(trace=reports.trace_of(open_house, OTHER)))
    with pytest.raises(NotAllowed, match="Nobody was found"):
        blocks.block(open_house, kim, report_id, What.PERSON)
    blocks.block(open_house, kim, report_id, What.FILE)
    refused(open_house, lambda: press(open_house, BOB, OTHER))
    nothing = id_of(open_house, report())
    with pytest.raises(NotAllowed, match="No file is known"):
        blocks.block(open_house, kim, nothing, What.FILE)


def test_without_an_address_nobody_is_sent_to_one(svc: Services, person: Block, file: Block) -> None:
    of_person, of_file = (blocks.says(one, svc.settings) for one in (person, file))
    assert "write to" not in of_person and "write to" not in of_file
    assert "Something else about your data" in of_person and "Something else about your data" in of_file


def test_it_ends_by_itself_after_twelve_months(open_house: Services, person: Block, clock: FrozenClock) -> None:
    clock.advance(days=365, seconds=-1)
    refused(open_house, lambda: press(open_house, ANN, OTHER))
    clock.advance(seconds=1)
    press(open_house, ANN, OTHER)


def test_an_operator_lifts_it(
    open_house: Services, reported: str, person: Block, file: Block, kim: Operator, lee: Operator
) -> None:
    blocks.lift(open_house, lee, person.id)
    refused(open_house, lambda: press(open_house, ANN, ORIGINAL))
    reports.close(open_house, kim, reported, AbuseOutcome.BLOCKED)
    for _twice in range(2):
        blocks.lift(open_house, lee, file.id)
    press(open_house, ANN, ORIGINAL)
    made = [("block:made", kim.actor)] * 2
    assert deeds(open_house, "block") == [*made, *[("block:lifted", lee.actor)] * 2]
    with pytest.raises(NotFound):
        blocks.lift(open_house, lee, "none")


def test_blocked_twice_is_blocked_once(open_house: Services, reported: str, person: Block, lee: Operator) -> None:
    assert [one.id for one in blocks.block(open_house, lee, reported, What.PERSON)] == [person.id]
    with open_house.reading() as session:
        assert [one.id for one in blocks.holding(session, open_house.clock())] == [person.id]


@pytest.mark.parametrize("what", list(What))
def test_a_second_report_of_the_same_has_a_block_of_its_own_and_one_lift_ends_both(
    open_house: Services,
    reported: str,
    report: Callable[..., Any],
    kim: Operator,
    lee: Operator,
    clock: FrozenClock,
    what: What,
) -> None:
    (first,) = blocks.block(open_house, kim, reported, what)
    clock.advance(hours=1)
    with open_house.reading() as session:
        (run,) = generations.runs_of(session, ANN, clock())
    second_report = id_of(open_house, report(run_number=run.run.number))
    (second,) = blocks.block(open_house, lee, second_report, what)
    assert second.id != first.id and second.until > first.until
    reports.close(open_house, lee, second_report, AbuseOutcome.BLOCKED)
    blocks.lift(open_house, lee, first.id)
    with open_house.reading() as session:
        assert blocks.holding(session, clock()) == []
    press(open_house, ANN, ORIGINAL)
    assert deeds(open_house, "block")[2:] == [("block:lifted", lee.actor)] * 2
    (third,) = blocks.block(open_house, kim, reported, what)
    blocks.lift(open_house, lee, first.id)
    with open_house.reading() as session:
        assert [one.id for one in blocks.holding(session, clock())] == [third.id], "what is over ends nothing else"


def test_what_is_here_stays_theirs_and_on_its_clock(open_house: Services, person: Block, store: MemoryStore) -> None:
    before = [(copy.id, copy.erase_by) for copy in headshots(open_house)]
    assert before
    with open_house.reading() as session:
        for copy_id, _clock in before:
            access.may_read(session, ANN, copy_id, open_house.clock())
    assert copies.read(open_house, before[0][0])
    assert [(copy.id, copy.erase_by) for copy in headshots(open_house)] == before
    retention.erase_everything(open_house, subject_of(open_house).id)
    drawn(open_house)
    assert store.objects == {}


def test_both_languages_say_until_when(open_house: Services, person: Block) -> None:
    with language.speaking("de"):
        says = blocks.says(person, open_house.settings)
    assert "2. März 2027" in says and "{" not in says and "No new headshots" not in says


def test_the_press_before_the_block_is_the_run_it_was(open_house: Services, reported: str, kim: Operator) -> None:
    """A double click is one run, also where the block comes in between."""
    request_id = new_id()
    with open_house.reading() as session:
        (run,) = generations.runs_of(session, ANN, open_house.clock())
    choices = replace(CHOICES, contract=Contract.MONTH)
    first = generations.again(open_house, ANN, request_id=request_id, like=run.run.id, choices=choices)
    blocks.block(open_house, kim, reported, What.PERSON)
    assert generations.again(open_house, ANN, request_id=request_id, like=run.run.id, choices=choices) == first
