"""What operators do: each deed where it may be done, once, and told; and where not, a reason and no change."""

from datetime import timedelta

import pytest

from core import correspondence, requests, sla
from core.errors import NotAllowed, NotFound
from core.models import MessageWay, Request, RequestKind, RequestOutcome, RequestState, new_id
from core.sla import Standing
from tests.conftest import ANN, on_all_threads
from tests.requests.conftest import ADDRESS, OPERATOR, OTHER

ME, THEM = (actor.removeprefix("operator:") for actor in (OPERATOR, OTHER))
DEEDS = {
    "assign": lambda svc, request_id: requests.assign(svc, request_id, ME, OPERATOR),
    "note": lambda svc, request_id: requests.note(svc, request_id, "called back", OPERATOR),
    "reply": lambda svc, request_id: requests.reply(svc, request_id, template="received", actor=OPERATOR),
    "wait": lambda svc, request_id: requests.wait(svc, request_id, actor=OPERATOR),
    "start": lambda svc, request_id: requests.start(svc, request_id, OPERATOR),
    "retry": lambda svc, request_id: requests.retry(svc, request_id, actor=OPERATOR),
    "refuse": lambda svc, request_id: requests.refuse(svc, request_id, ground=GROUND, actor=OPERATOR),
    "extend": lambda svc, request_id: requests.extend(svc, request_id, reason="many", actor=OPERATOR),
    "withdraw": lambda svc, request_id: requests.withdraw(svc, request_id, actor=OPERATOR),
    "unmatch": lambda svc, request_id: requests.unmatch(svc, request_id, actor=OPERATOR),
    "close": lambda svc, request_id: requests.close(svc, request_id, actor=OPERATOR),
}
GROUND = correspondence.grounds(RequestKind.ERASE)[0].code


@pytest.fixture
def stuck(press, subject_id, store, erased):
    """Begun, and storage shows nothing."""
    asked = press(address=ADDRESS)
    store.erases_nothing = True
    erased()
    return asked


@pytest.mark.parametrize("name", DEEDS)
def test_nothing_is_done_to_what_there_is_not(svc, name):
    with pytest.raises(NotFound):
        DEEDS[name](svc, new_id())


@pytest.mark.parametrize("name", DEEDS)
def test_nothing_is_done_to_what_is_closed(svc, name, by_hand, row):
    entered = by_hand(address=ADDRESS)
    requests.withdraw(svc, entered.id, actor=OPERATOR)
    before = row(entered)

    with pytest.raises(NotAllowed):
        DEEDS[name](svc, entered.id)
    assert row(entered) == before


@pytest.mark.parametrize("name", ["note", "reply", "wait"])
def test_whoever_has_a_hand_in_it_takes_it_on(svc, name, by_hand, row):
    entered = by_hand(address=ADDRESS)
    DEEDS[name](svc, entered.id)
    assert row(entered).assignee == ME
    requests.note(svc, entered.id, "me too", OTHER)
    assert row(entered).assignee == ME


# ------------------------------------------------------------------------------------------------------ who works on it
def test_what_nobody_has_can_be_taken(svc, by_hand, row, deeds):
    free, theirs, over = by_hand(), by_hand(), by_hand()
    requests.assign(svc, theirs.id, THEM, OTHER)
    requests.withdraw(svc, over.id, actor=OTHER)
    unknown = new_id()
    came_of_it = requests.take(svc, [free.id, theirs.id, over.id, unknown, free.id], OPERATOR)

    assert [bool(why) for why in came_of_it.values()] == [False, True, True, True]
    assert (row(free).assignee, row(theirs).assignee) == (ME, THEM)
    assert deeds(free) == ["request:opened", "request:assigned"]
    assert requests.take(svc, [free.id], OPERATOR) == {free.id: ""}
    assert requests.assign(svc, free.id, None, OTHER).assignee is None


def test_of_two_who_take_it_one_has_it(svc, by_hand):
    entered = by_hand()
    actors = iter([OPERATOR, OTHER])
    came_of_it = on_all_threads(lambda: requests.take(svc, [entered.id], next(actors))[entered.id], times=2)

    assert sorted(map(bool, came_of_it)) == [False, True]


# ---------------------------------------------------------------------------------------------------------------- words
def test_a_note_is_for_operators_alone(svc, by_hand, mails, clock):
    entered = by_hand(address=ADDRESS)
    requests.note(svc, entered.id, "she called twice", OPERATOR)

    (message,) = requests.detail(svc, entered.id, clock()).messages
    assert (message.way, message.author, message.text) == (MessageWay.NOTE, OPERATOR, "she called twice")
    assert mails() == []
    with pytest.raises(NotAllowed):
        requests.note(svc, entered.id, " \n", OPERATOR)


def test_asking_waits_and_the_clock_goes_on(svc, by_hand, row, mails, words_of, clock):
    entered = by_hand(address=ADDRESS)
    requests.reply(svc, entered.id, template="ask_for_run", actor=OPERATOR)

    assert (row(entered).state, row(entered).waiting_at) == (RequestState.WAITING, clock())
    assert f"To: {ADDRESS}\n{entered.number}" in words_of(mails()[0])
    clock.now = entered.due_at + timedelta(seconds=1)
    assert sla.standing(row(entered), clock()) is Standing.BREACHED


def test_waiting_by_hand(svc, by_hand, press, subject_id, row):
    entered = by_hand()
    assert requests.wait(svc, entered.id, actor=OPERATOR).state is RequestState.WAITING
    with pytest.raises(NotAllowed):
        requests.wait(svc, entered.id, actor=OPERATOR)
    with pytest.raises(NotAllowed):
        requests.wait(svc, press().id, actor=OPERATOR)


def test_a_reply_pressed_twice_is_one_mail(svc, by_hand, mails, clock):
    entered = by_hand(RequestKind.QUESTION, address=ADDRESS)
    for _ in range(2):
        text, press_id = "We use no cookies but one.", "one"
        requests.reply(svc, entered.id, template="answer", text=text, actor=OPERATOR, press_id=press_id)
        clock.advance(seconds=1)

    assert len(mails()) == 1
    assert len(requests.detail(svc, entered.id, clock()).messages) == 1


@pytest.mark.parametrize("template", ["done", "refused", "copy_ready", "no such", ""])
def test_what_only_the_app_says_is_not_said_by_hand(svc, by_hand, template, mails):
    with pytest.raises(NotAllowed):
        requests.reply(svc, by_hand(address=ADDRESS).id, template=template, actor=OPERATOR)
    assert mails() == []


def test_without_an_address_nothing_is_written(svc, by_hand, mails):
    with pytest.raises(NotAllowed):
        requests.reply(svc, by_hand().id, template="received", actor=OPERATOR)


# ------------------------------------------------------------------------------------------------------------- the work
def test_an_operator_who_matched_skips_the_undo(svc, by_hand, code, work, row, kept, subject_id):
    entered = by_hand(address=ADDRESS)
    requests.match_claim_code(svc, entered.id, code=code, actor=OPERATOR)
    requests.start(svc, entered.id, OPERATOR)
    work()

    assert row(entered).outcome is RequestOutcome.DONE
    assert kept(subject_id) == []


def test_the_undo_of_a_person_is_theirs(svc, press, arrives, code, row, work, clock):
    asked, read = press(address=ADDRESS), arrives(code, sender="b@example.org")
    for request in (asked, read):
        with pytest.raises(NotAllowed):
            requests.start(svc, request.id, OPERATOR)
        assert row(request).assignee is None
    clock.advance(minutes=2)
    requests.start(svc, asked.id, OPERATOR)  # its time has come, and the worker is slow: no harm
    work()
    assert row(asked).outcome is RequestOutcome.DONE


@pytest.mark.parametrize("kind", list(RequestKind))
def test_nothing_begins_before_it_is_known_whose_it_is(svc, by_hand, kind, row):
    entered = by_hand(kind)
    with pytest.raises(NotAllowed):
        requests.start(svc, entered.id, OPERATOR)
    assert row(entered).state is RequestState.OPEN


def test_two_operators_start_it_and_it_is_erased_once(svc, by_hand, code, work, deeds, mails):
    entered = by_hand(address=ADDRESS)
    requests.match_claim_code(svc, entered.id, code=code, actor=OPERATOR)
    actors = iter([OPERATOR, OTHER, OPERATOR, OTHER])
    on_all_threads(lambda: requests.start(svc, entered.id, next(actors)), times=4)
    work()

    assert [deeds(entered).count(deed) for deed in ("request:started", "request:closed")] == [1, 1]
    assert len(mails()) == 1


def test_what_has_begun_is_neither_started_nor_taken_back_nor_refused(svc, stuck, row):
    for name in ("start", "withdraw", "refuse", "unmatch"):
        with pytest.raises(NotAllowed):
            DEEDS[name](svc, stuck.id)
    assert row(stuck).state is RequestState.WORKING


def test_trying_again_asks_storage_at_once(svc, stuck, store, clock, work, row, deeds):
    for _ in range(8):
        clock.advance(hours=1)
        work()
    store.erases_nothing = False
    clock.advance(seconds=1)
    work()
    assert row(stuck).state is RequestState.WORKING, "storage is asked again in an hour"
    assert requests.retry(svc, stuck.id, actor=OPERATOR).trouble == "not_proved"
    work()

    assert row(stuck).outcome is RequestOutcome.DONE
    assert "request:retried" in deeds(stuck)


def test_nothing_is_tried_again_that_was_not_tried(svc, press, subject_id):
    with pytest.raises(NotAllowed):
        requests.retry(svc, press().id, actor=OPERATOR)


# ----------------------------------------------------------------------------------------------------------- other ends
@pytest.mark.parametrize("ground", [ground.code for ground in correspondence.grounds(RequestKind.ERASE)])
def test_a_refusal_says_why_and_where_to_complain(svc, by_hand, ground, row, mails, words_of, deeds, clock):
    entered = by_hand(address=ADDRESS, words="mine")
    refused = requests.refuse(svc, entered.id, ground=ground, words="We looked twice.", actor=OPERATOR)

    assert (refused.state, refused.outcome) == (RequestState.CLOSED, RequestOutcome.REFUSED)
    assert (row(entered).refused_ground, row(entered).sealed_key) == (ground, None)
    text = " ".join(words_of(mails()[0]).split())
    assert "We looked twice." in text
    assert "complain to a data protection authority" in text
    assert deeds(entered)[-2:] == ["request:refused", "request:closed"]
    assert sla.standing(row(entered), clock()) is Standing.MET


@pytest.mark.parametrize("ground", ["", "because", "REFUSED"])
def test_nothing_is_refused_without_a_ground(svc, by_hand, ground, row):
    entered = by_hand()
    with pytest.raises(NotAllowed):
        requests.refuse(svc, entered.id, ground=ground, actor=OPERATOR)
    assert row(entered).state is RequestState.OPEN


def test_who_is_known_is_not_refused_as_unknown(svc, press, subject_id, row):
    asked = press()
    with pytest.raises(NotAllowed):
        requests.refuse(svc, asked.id, ground="not_identified", actor=OPERATOR)
    assert row(asked).state is RequestState.UNDO


def test_a_refusal_of_one_that_led_lets_the_next_lead(svc, press, subject_id, arrives, code, row):
    first = press(address=ADDRESS)
    second = arrives(code, sender="b@example.org")
    ground = next(one.code for one in correspondence.grounds(RequestKind.ERASE) if one.code != "not_identified")
    requests.refuse(svc, first.id, ground=ground, actor=OPERATOR)

    assert row(second).subject_id == subject_id


def test_taken_back_by_a_call_to_support(svc, press, subject_id, erased, kept, mails, row):
    asked = press(address=ADDRESS)
    requests.withdraw(svc, asked.id, actor=OPERATOR)
    erased()

    assert row(asked).outcome is RequestOutcome.WITHDRAWN
    assert len(kept(subject_id)) == 3
    assert [mail.purpose for mail in mails()] == ["withdrawn"]


# ------------------------------------------------------------------------------------------------------------ extension
@pytest.fixture
def question(by_hand):
    return by_hand(RequestKind.QUESTION, ago=timedelta(0), address=ADDRESS)


def test_another_clock_is_extended_once_with_notice(svc, question, row, mails, words_of, clock):
    clock.now = question.due_at  # the last instant
    extended = requests.extend(svc, question.id, reason="It is a long story.", actor=OPERATOR)

    assert (extended.extended, extended.extended_at) == (True, clock())
    assert extended.due_at == question.received_at.replace(month=question.received_at.month + 3)
    (mail,) = mails()
    assert mail.purpose == "extended"
    assert "It is a long story." in words_of(mail)
    with pytest.raises(NotAllowed, match="can be done once"):
        requests.extend(svc, question.id, reason="longer", actor=OPERATOR)
    assert row(question).due_at == extended.due_at


def test_a_clock_that_has_lapsed_is_not_extended(svc, question, row, clock, mails):
    clock.now = question.due_at + timedelta(seconds=1)
    with pytest.raises(NotAllowed):
        requests.extend(svc, question.id, reason="late", actor=OPERATOR)
    assert row(question).due_at == question.due_at
    assert mails() == []


@pytest.mark.parametrize("law", [None, "california"])
def test_the_promise_to_erase_is_never_extended(svc, by_hand, law, row):
    entered = by_hand(address=ADDRESS, law=law)
    with pytest.raises(NotAllowed):
        requests.extend(svc, entered.id, reason="please", actor=OPERATOR)
    assert row(entered).due_at == entered.due_at


def test_without_notice_nothing_is_extended(svc, by_hand, question, row):
    silent = by_hand(RequestKind.QUESTION)
    with pytest.raises(NotAllowed):
        requests.extend(svc, silent.id, reason="no address", actor=OPERATOR)
    with pytest.raises(NotAllowed):
        requests.extend(svc, question.id, reason=" ", actor=OPERATOR)
    assert row(silent).extended_at is row(question).extended_at is None


def test_what_is_answered_is_not_extended(svc, question):
    requests.reply(svc, question.id, template="answer", text="Yes.", actor=OPERATOR)
    with pytest.raises(NotAllowed):
        requests.extend(svc, question.id, reason="?", actor=OPERATOR)


# -------------------------------------------------------------------------------------------------------------- closing
def test_other_wishes_are_closed_after_an_answer(svc, question, row, clock):
    with pytest.raises(NotAllowed):
        requests.close(svc, question.id, actor=OPERATOR)
    requests.reply(svc, question.id, template="answer", text="Yes.", actor=OPERATOR)
    answered = clock()
    clock.advance(days=60)
    closed = requests.close(svc, question.id, actor=OPERATOR)

    assert (closed.outcome, closed.answered_at, closed.done_at) == (RequestOutcome.DONE, answered, answered)
    assert closed.standing(clock()) is Standing.MET
    assert row(question).sealed_address is None


def test_an_empty_answer_is_none(svc, question):
    with pytest.raises(NotAllowed):
        requests.reply(svc, question.id, template="answer", text=" ", actor=OPERATOR)


def test_a_request_to_erase_is_closed_by_its_proof_alone(svc, by_hand):
    entered = by_hand(address=ADDRESS)
    requests.reply(svc, entered.id, template="answer", text="We do.", actor=OPERATOR)
    with pytest.raises(NotAllowed):
        requests.close(svc, entered.id, actor=OPERATOR)


def test_a_copy_that_is_ready_is_said_and_closed(svc, press, subject_id, row, mails, clock):
    asked = press(RequestKind.COPY, address=ADDRESS)
    with svc.transaction() as session:
        requests.answered(session, svc, session.get(Request, asked.id), clock())

    assert (row(asked).outcome, row(asked).done_at) == (RequestOutcome.DONE, clock())
    assert [mail.purpose for mail in mails()] == ["copy_ready"]


def test_a_deed_for_many_says_what_came_of_each(svc, by_hand, press, subject_id):
    free, mine = by_hand(), press()
    came_of_it = requests.each([free.id, mine.id], lambda each: requests.withdraw(svc, each, actor=OPERATOR))
    assert came_of_it == {free.id: "", mine.id: ""}
    assert all(requests.each([free.id], lambda each: requests.undo(svc, ANN, each)).values())
