"""A face opens for its owner: by the browser that made it or by its code. Everything else looks like nothing."""

import re
from datetime import timedelta

import pytest
from sqlmodel import col, func, select

from core import access, copies, generations, retention
from core.access import ALPHABET, CODE_LENGTH, new_claim_code, read_claim_code
from core.contracts import Contract
from core.errors import LimitReached, NotFound
from core.models import BrowserSession, Copy, Subject, new_id
from tests.conftest import ANN, BOB, EVE, on_all_threads

HOME = "network-1"


@pytest.fixture
def open_of(svc):
    """The id of what a browser has open, or None."""

    def get(who):
        with svc.reading() as session:
            subject = access.current_subject(session, who)
            return subject and subject.id

    return get


def portrait_of(svc, run_id):
    with svc.reading() as session:
        return generations.view(session, ANN, run_id, svc.clock()).portrait.id


def what_is_said(svc, who, text):
    with pytest.raises(NotFound) as caught:
        access.open_with_code(svc, who, HOME, text)
    return type(caught.value), str(caught.value), caught.value.code


# ------------------------------------------------------------------------------------------------- the code itself
def test_a_code_is_seven_groups_of_four_without_letters_to_mistake():
    code = new_claim_code()

    assert [len(group) for group in code.split("-")] == [4] * 7
    assert set(code) <= set(ALPHABET) | {"-"}
    assert not set("ILOU") & set(ALPHABET)


def test_numbers_cannot_be_guessed():
    numbers = {access.new_number("R", length=10) for _ in range(200)}

    assert len(numbers) == 200
    assert all(re.fullmatch(r"R-[0-9A-HJKMNP-TV-Z]{10}", number) for number in numbers)


def test_codes_differ_and_their_hashes_do_too():
    codes = [new_claim_code() for _ in range(200)]

    assert len({read_claim_code(code) for code in codes}) == len(set(codes)) == 200
    assert all(len(read_claim_code(code)) == 64 for code in codes)


@pytest.mark.parametrize(
    "spoil",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        lambda code: code.replace("-", " – "),
        lambda code: code.replace("-", "—"),
        lambda code: f"  {code}\n",
        lambda code: code.replace("0", "O"),
        lambda code: code.replace("0", "o"),
        lambda code: code.replace("1", "I"),
        lambda code: code.replace("1", "l"),
        lambda code: code.replace("-", "_").replace("1", "i"),
    ],
)
def test_a_code_is_read_however_it_was_typed(spoil):
    for code in (new_claim_code() for _ in range(20)):
        assert read_claim_code(spoil(code)) == read_claim_code(code)


@pytest.mark.parametrize("text", ["", " ", "hello", "0" * (CODE_LENGTH - 1), "U" * CODE_LENGTH, "é" * CODE_LENGTH])
def test_what_cannot_be_a_code_is_none(text):
    assert read_claim_code(text) is None


def test_a_slip_of_the_pen_is_noticed():
    code = new_claim_code()
    slips = [code[:n] + ALPHABET[(ALPHABET.index(code[n]) + 1) % 32] + code[n + 1 :] for n in (0, 6, 13, 33)]

    assert sum(read_claim_code(slip) is not None for slip in slips) == 0


# ------------------------------------------------------------------------------------------------- opening by code
def test_with_its_code_another_browser_opens_the_same(svc, ask, work, open_of):
    run_id = ask()
    code = access.issue_claim_code(svc, ANN)
    work()

    access.open_with_code(svc, BOB, HOME, code.lower())

    assert open_of(BOB) == open_of(ANN)
    with svc.reading() as session:
        view = generations.view(session, BOB, run_id, svc.clock())
        assert access.may_read(session, BOB, view.headshots[0].id, svc.clock())
        assert session.get_one(BrowserSession, (BOB, open_of(ANN))).by_claim_code


def test_only_the_hash_of_a_code_is_stored(svc, ask, open_of):
    ask()
    code = access.issue_claim_code(svc, ANN)

    with svc.reading() as session:
        stored = session.get_one(Subject, open_of(ANN)).claim_hash
    assert stored == read_claim_code(code)
    assert code.replace("-", "") not in stored


def test_a_code_is_shown_once_and_a_new_one_replaces_it(svc, ask, open_of):
    ask()
    first = access.issue_claim_code(svc, ANN)
    assert access.issue_claim_code(svc, ANN) is None

    second = access.issue_claim_code(svc, ANN, replace=True)

    what_is_said(svc, BOB, first)
    access.open_with_code(svc, BOB, HOME, second)
    assert open_of(BOB) == open_of(ANN)


def test_two_tabs_that_ask_for_the_code_get_one_that_works(svc, ask, open_of):
    ask()
    codes = [code for code in on_all_threads(lambda: access.issue_claim_code(svc, ANN), times=3) if code]

    assert len(codes) == 1
    access.open_with_code(svc, BOB, HOME, codes[0])


def test_there_is_no_code_for_nothing_and_none_for_what_is_erased(svc, ask, work, open_of):
    with pytest.raises(NotFound):
        access.issue_claim_code(svc, ANN)
    ask()
    work()
    retention.erase_everything(svc, open_of(ANN))
    work()

    with pytest.raises(NotFound):
        access.issue_claim_code(svc, ANN, replace=True)
    with svc.reading() as session:
        assert session.get_one(Subject, open_of(ANN)).claim_hash is None


def test_wrong_expired_and_erased_codes_are_answered_alike(svc, ask, work, clock, store, open_of):
    ask(who=ANN)
    erased = access.issue_claim_code(svc, ANN)
    ask(who=BOB, contract=Contract.HOUR)
    expired = access.issue_claim_code(svc, BOB)
    work()
    retention.erase_everything(svc, open_of(ANN))
    work()
    clock.advance(hours=1)  # nothing has swept yet: the clock alone closes it

    answers = {what_is_said(svc, EVE, text) for text in (erased, expired, new_claim_code(), "not a code", "")}
    assert len(answers) == 1
    retention.sweep(svc)
    assert {what_is_said(svc, EVE, expired)} == answers
    assert open_of(EVE) is None


def test_a_code_opens_nothing_from_the_moment_of_erase_now(svc, ask, work, store, open_of):
    ask()
    code = access.issue_claim_code(svc, ANN)
    work()
    store.erases_nothing = True
    retention.erase_everything(svc, open_of(ANN))

    what_is_said(svc, BOB, code)
    work()
    what_is_said(svc, BOB, code)


def test_a_code_opens_also_while_the_run_is_on_its_way(svc, ask, open_of):
    ask()
    access.open_with_code(svc, BOB, HOME, access.issue_claim_code(svc, ANN))

    assert open_of(BOB) == open_of(ANN)


def test_guessing_is_limited_and_a_right_code_forgives(svc, ask, clock):
    ask()
    code = access.issue_claim_code(svc, ANN)
    for _ in range(9):
        what_is_said(svc, BOB, "wrong")
    access.open_with_code(svc, BOB, HOME, code)
    for _ in range(10):
        what_is_said(svc, BOB, "wrong")
    with pytest.raises(LimitReached):
        access.open_with_code(svc, BOB, HOME, code)
    clock.advance(minutes=10)
    access.open_with_code(svc, BOB, HOME, code)


# ------------------------------------------------------------------------------------------------- sessions
def opens(svc, who, subject_id):
    with svc.transaction() as session:
        access.link(session, who, subject_id, svc.clock())


@pytest.fixture
def given_subjects(svc):
    def make(*ids):
        with svc.transaction() as session:
            for subject_id in ids:
                key = svc.vault.make_key(subject_id)
                session.add(Subject(id=subject_id, created_at=svc.clock(), sealed_key=key))
        return ids

    return make


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
def test_a_browser_opens_one_person_s_photos_at_a_time_and_may_come_back(svc, given_subjects, open_of, clock, order):
    first, second = given_subjects(*order)
    for subject_id in (first, second, first, first, second):
        clock.advance(seconds=1)
        opens(svc, ANN, subject_id)
        assert open_of(ANN) == subject_id
        with svc.reading() as session:
            still_open = select(func.count()).select_from(BrowserSession).where(col(BrowserSession.closed_at).is_(None))
            assert session.exec(still_open).one() == 1


def test_the_instant_of_closing_is_the_first_one(svc, given_subjects, clock):
    first, second, third = given_subjects("1", "2", "3")
    closed_at = {}
    for subject_id in (first, second, third):
        clock.advance(seconds=1)
        opens(svc, ANN, subject_id)
        closed_at[subject_id] = clock()

    with svc.reading() as session:
        assert session.get_one(BrowserSession, (ANN, first)).closed_at == closed_at[second]


def test_a_closed_browser_opens_nothing_and_its_code_still_does(svc, ask, work, open_of):
    run_id = ask()
    code = access.issue_claim_code(svc, ANN)
    work()
    portrait = portrait_of(svc, run_id)
    access.close(svc, ANN)

    assert open_of(ANN) is None
    with svc.reading() as session, pytest.raises(NotFound):
        access.may_read(session, ANN, portrait, svc.clock())
    access.open_with_code(svc, ANN, HOME, code)
    with svc.reading() as session:
        assert access.may_read(session, ANN, portrait, svc.clock())


def test_one_browser_closing_leaves_the_other_s_door_open(svc, ask, open_of):
    ask()
    access.open_with_code(svc, BOB, HOME, access.issue_claim_code(svc, ANN))
    access.close(svc, BOB)

    assert open_of(BOB) is None and open_of(ANN)


def test_what_may_not_be_read_is_not_found_all_alike(svc, ask, work, clock, open_of):
    headshots = {}
    for name in ("erased", "closed", "past", "foreign"):
        who = {"foreign": BOB, "closed": EVE}.get(name, ANN)
        run_id = ask(who=who, contract=Contract.HOUR if name == "past" else Contract.MONTH)
        work()
        with svc.reading() as session:
            headshots[name] = generations.view(session, who, run_id, clock()).headshots[0].id
        if name == "erased":
            retention.erase_run(svc, run_id)
    with svc.transaction() as session:
        unwritten = copies.plan(
            session,
            subject_id=open_of(ANN),
            kind=session.get_one(Copy, headshots["past"]).kind,
            width=1,
            height=1,
            size=1,
            at=clock(),
            erase_by=clock() + timedelta(days=1),
        ).id
    access.close(svc, EVE)
    clock.advance(hours=1)

    def answer(who, copy_id):
        with svc.reading() as session, pytest.raises(NotFound) as caught:
            access.may_read(session, who, copy_id, clock())
        return str(caught.value)

    answers = {answer(ANN, headshots[name]) for name in ("erased", "past", "foreign")}
    answers |= {answer(EVE, headshots["closed"]), answer(ANN, unwritten), answer(ANN, new_id()), answer(ANN, "")}
    assert len(answers) == 1
    with svc.reading() as session:
        assert access.may_read(session, BOB, headshots["foreign"], clock())


def test_an_image_is_readable_to_its_last_second(svc, ask, clock):
    run_id = ask(contract=Contract.HOUR)
    portrait = portrait_of(svc, run_id)
    with svc.reading() as session:
        assert access.may_read(session, ANN, portrait, clock() + timedelta(hours=1, microseconds=-1))
        with pytest.raises(NotFound):
            access.may_read(session, ANN, portrait, clock() + timedelta(hours=1))


def test_a_foreign_run_and_one_that_never_was_are_not_found_alike(svc, ask):
    run_id = ask()
    ask(who=BOB)

    said = set()
    for who, which in ((BOB, run_id), (EVE, run_id), (ANN, new_id())):
        with svc.reading() as session, pytest.raises(NotFound) as caught:
            access.own_run(session, who, which)
        said.add(str(caught.value))
    assert len(said) == 1


# ------------------------------------------------------------------------------------------------- allowance
def allowance(svc, who=ANN, limit=3):
    with svc.reading() as session:
        return access.allowance(session, who, limit=limit, now=svc.clock())


def test_the_allowance_counts_every_person_a_browser_has_opened(svc, ask, work, open_of):
    ask(variants=1)
    access.close(svc, ANN)
    ask(variants=1)
    work()
    retention.erase_everything(svc, open_of(ANN))
    work()
    ask(variants=1)

    assert (allowance(svc).used, allowance(svc).left, allowance(svc, limit=2).left) == (3, 0, 0)
    assert allowance(svc, BOB).used == 0


def test_the_allowance_is_new_at_midnight_utc(svc, ask, clock):
    clock.now = clock().replace(hour=0)
    ask(variants=1)
    clock.now = clock().replace(hour=23, minute=59, second=59, microsecond=999_999)
    before = allowance(svc)
    clock.advance(microseconds=1)

    assert (before.used, before.resets_at) == (1, clock())
    assert (allowance(svc).used, allowance(svc).resets_at) == (0, clock() + timedelta(days=1))
