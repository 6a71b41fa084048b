"""Whose data it is: what shows it, what does not, and that nobody unproved stands in the way of somebody proved."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core import access, jobs, requests, retention
from core.errors import NotAllowed, NotFound
from core.models import (
    Copy,
    Generation,
    Job,
    JobKind,
    MatchedBy,
    Request,
    RequestKind,
    RequestOutcome,
    RequestState,
    new_id,
)
from core.requests import UNDO
from tests.conftest import ANN, BOB, PLAIN, on_all_threads
from tests.requests.conftest import ADDRESS, OPERATOR, OTHER

ORIGINAL = b"\xff\xd8 as the camera wrote it"


@pytest.fixture
def run(svc, subject_id) -> Generation:
    with svc.reading() as session:
        return session.exec(select(Generation).where(Generation.subject_id == subject_id)).one()


@pytest.fixture
def uploaded(svc, subject_id) -> None:
    """The file that Ann's portrait was made from."""
    _keep_hash(svc, subject_id)


def _keep_hash(svc, subject_id):
    with svc.transaction() as session:
        for copy in session.exec(select(Copy).where(Copy.subject_id == subject_id)):
            copy.original_hash = svc.vault.keyed_hash("original", ORIGINAL)
            session.add(copy)


@pytest.fixture
def bob(svc, ask) -> str:
    """Another person; their claim code."""
    ask(who=BOB)
    return access.issue_claim_code(svc, BOB)


def others_of(svc, request):
    with svc.reading() as session:
        return session.exec(select(Request).where(Request.id != request.id)).all()


# -------------------------------------------------------------------------------------------------- a code in a mail
def test_a_mail_with_a_claim_code_is_matched_and_erased_by_itself(
    arrives, code, subject_id, row, clock, erased, kept, deeds
):
    read = arrives(f"Hello,\n> delete all\nmy code: {code.lower()}.")

    matched = row(read)
    assert (matched.state, matched.matched_by, matched.matched_at) == (
        RequestState.UNDO,
        MatchedBy.CLAIM_CODE,
        clock(),
    )
    assert (matched.subject_id, matched.start_at) == (subject_id, clock() + UNDO)
    erased()
    assert (row(read).state, row(read).outcome) == (RequestState.CLOSED, RequestOutcome.DONE)
    assert kept(subject_id) == []
    assert deeds(read) == [
        "request:opened",
        "request:matched",
        "request:started",
        "request:proved",
        "receipt:made",
        "request:closed",
    ]


def test_a_code_in_the_subject_counts(arrives, code, row):
    assert row(arrives(subject=f"Deletion Request {code}")).matched_by is MatchedBy.CLAIM_CODE


def test_a_code_in_a_reply_counts_from_any_address(arrives, replies, code, row, clock):
    read = arrives()
    assert row(read).state is RequestState.WAITING
    clock.advance(hours=30)
    replies(read, f"here: {code}", same_address=False)

    assert (row(read).state, row(read).waiting_at) == (RequestState.UNDO, None)
    assert row(read).due_at == read.due_at


def test_a_reply_without_a_code_wakes_whoever_waits(arrives, replies, row):
    read = arrives()
    replies(read, "I have no code.")

    assert (row(read).state, row(read).waiting_at) == (RequestState.OPEN, None)


def test_no_code_is_kept_of_a_mail(svc, arrives, replies, code, clock):
    read = arrives(f"my code is {code}")
    replies(read, f"once more: {access.new_claim_code()}")

    texts = [message.text for message in requests.detail(svc, read.id, clock()).messages]
    assert texts == ["my code is [claim code]", "once more: [claim code]"]


@pytest.mark.parametrize("wrong", ["new", "replaced", "erased", "slip", "none"])
def test_a_wrong_code_is_like_none(
    svc, arrives, code, wrong, subject_id, row, mails, words_of, deeds, clock, press, erased
):
    """Nothing tells which it was: not the state, not our mail, not what support sees, not the log."""
    text = code
    if wrong == "new":
        text = access.new_claim_code()
    elif wrong == "replaced":
        access.issue_claim_code(svc, ANN, replace=True)
    elif wrong == "erased":
        press()
        erased()
    elif wrong == "slip":
        text = code[:-1] + ("0" if code[-1] != "0" else "1")
    elif wrong == "none":
        text = "kindly"
    read = arrives(f"it is {text}")

    seen = row(read)
    assert (seen.state, seen.matched_by, seen.subject_id, seen.trouble) == (RequestState.WAITING, None, None, None)
    assert deeds(read) == ["request:opened"]
    mail = words_of(next(mail for mail in mails() if mail.request_id == read.id))
    assert read.number in mail
    assert text not in mail


def test_a_mail_with_the_codes_of_two_people_is_two_requests(svc, arrives, code, bob, row, erased, subject_id, kept):
    read = arrives(f"{code}\nand the one of my other browser: {bob}\n")

    (sibling,) = others_of(svc, read)
    assert (sibling.received_at, sibling.due_at, sibling.channel) == (read.received_at, read.due_at, read.channel)
    assert requests.detail(svc, sibling.id, read.received_at).address == ADDRESS
    erased()
    assert row(read).outcome is row(sibling).outcome is RequestOutcome.DONE


def test_the_same_code_again_changes_nothing(svc, arrives, replies, code, row):
    read = arrives(code)
    before = row(read)
    replies(read, code)

    assert row(read) == before
    assert others_of(svc, read) == []


def test_a_reply_to_what_is_closed_changes_nothing(svc, arrives, replies, code, row, erased, bob):
    read = arrives(code)
    erased()
    before = row(read)
    replies(read, f"{bob}")

    assert row(read) == before
    assert len(requests.detail(svc, read.id, before.received_at).messages) == 1


def test_two_mails_that_say_they_are_one_are_both_kept(svc, arrives, replies, clock):
    read = arrives(message_id="<1@example.org>")
    replies(read, "again", message_id="<1@example.org>")

    assert len(requests.detail(svc, read.id, clock()).messages) == 2


# -------------------------------------------------------------------------------------------------------- by operators
def test_an_operator_types_the_code(svc, by_hand, code, row):
    entered = by_hand()
    matched = requests.match_claim_code(svc, entered.id, code=f" {code.lower()} ", actor=OPERATOR)

    assert (matched.matched_by, matched.state) == (MatchedBy.CLAIM_CODE, RequestState.UNDO)
    assert row(entered).assignee == OPERATOR.removeprefix("operator:")


@pytest.mark.parametrize("off", [timedelta(minutes=15), timedelta(minutes=-15), timedelta(0)])
def test_a_run_is_known_by_its_number_and_about_when_it_was_made(svc, by_hand, run, off, row):
    entered = by_hand()
    number = f" {run.number.lower()} "
    requests.match_run(svc, entered.id, run_number=number, about_when=run.created_at + off, actor=OPERATOR)

    assert (row(entered).matched_by, row(entered).subject_id) == (MatchedBy.RUN_NUMBER, run.subject_id)


def test_the_original_file_is_known_by_its_bytes(svc, by_hand, uploaded, row, subject_id):
    entered = by_hand()
    requests.match_file(svc, entered.id, data=ORIGINAL, actor=OPERATOR)

    assert (row(entered).matched_by, row(entered).subject_id) == (MatchedBy.ORIGINAL_FILE, subject_id)


def test_a_file_that_several_people_have_shows_nothing(svc, by_hand, uploaded, ask, row):
    ask(who=BOB)
    with svc.reading() as session:
        _keep_hash(svc, access.current_subject(session, BOB).id)
    entered = by_hand()

    with pytest.raises(NotAllowed):
        requests.match_file(svc, entered.id, data=ORIGINAL, actor=OPERATOR)
    assert row(entered).matched_by is None


def test_whatever_opens_nothing_is_told_alike(svc, by_hand, run, uploaded, code, row):
    entered, near = by_hand(), run.created_at
    told = []
    for deed in (
        lambda: requests.match_claim_code(svc, entered.id, code=access.new_claim_code(), actor=OPERATOR),
        lambda: requests.match_claim_code(svc, entered.id, code="no code", actor=OPERATOR),
        lambda: requests.match_run(svc, entered.id, run_number="G-0000000", about_when=near, actor=OPERATOR),
        lambda: requests.match_run(
            svc, entered.id, run_number=run.number, about_when=near + timedelta(minutes=15, seconds=1), actor=OPERATOR
        ),
        lambda: requests.match_run(
            svc, entered.id, run_number=run.number, about_when=near - timedelta(minutes=15, seconds=1), actor=OPERATOR
        ),
        lambda: requests.match_file(svc, entered.id, data=ORIGINAL + b" ", actor=OPERATOR),
        lambda: requests.match_file(svc, entered.id, data=PLAIN, actor=OPERATOR),
    ):
        with pytest.raises(NotFound) as error:
            deed()
        told.append(str(error.value))
    assert len(set(told)) == 1
    assert (row(entered).state, row(entered).matched_by) == (RequestState.OPEN, None)


def test_what_is_matched_is_not_matched_again(svc, by_hand, code, run, bob):
    entered = by_hand()
    requests.match_claim_code(svc, entered.id, code=code, actor=OPERATOR)

    with pytest.raises(NotAllowed):
        requests.match_claim_code(svc, entered.id, code=bob, actor=OPERATOR)
    with pytest.raises(NotFound):
        requests.match_claim_code(svc, new_id(), code=code, actor=OPERATOR)


def test_a_mistake_can_be_taken_back_until_it_begins(svc, by_hand, run, row, erased, kept, subject_id):
    entered = by_hand()
    requests.match_run(svc, entered.id, run_number=run.number, about_when=run.created_at, actor=OPERATOR)
    taken = requests.unmatch(svc, entered.id, actor=OTHER)
    erased()

    assert (taken.state, taken.matched, taken.start_at) == (RequestState.OPEN, False, None)
    assert row(entered).subject_id is None
    assert len(kept(subject_id)) == 3


def test_what_a_person_has_proved_stays_proved(svc, arrives, code, press, by_hand):
    for asked in (arrives(code), press(address="b@example.org")):
        with pytest.raises(NotAllowed):
            requests.unmatch(svc, asked.id, actor=OPERATOR)
    with pytest.raises(NotAllowed):
        requests.unmatch(svc, by_hand().id, actor=OPERATOR)


def test_a_copy_wants_the_code(svc, by_hand, code, run):
    """Knowing a run's number is enough to erase, never to be handed the photos."""
    weak, strong = by_hand(RequestKind.COPY), by_hand(RequestKind.COPY)
    requests.match_run(svc, weak.id, run_number=run.number, about_when=run.created_at, actor=OPERATOR)
    with pytest.raises(NotAllowed):
        requests.start(svc, weak.id, OPERATOR)

    assert requests.match_claim_code(svc, strong.id, code=code, actor=OPERATOR).state is RequestState.WORKING


# ------------------------------------------------------------------------------------------- one leads, others follow
def test_a_second_proved_request_follows_the_first_and_has_its_own_answer(
    svc, arrives, code, press, row, clock, mails, words_of, erased, deeds
):
    first = press(address=ADDRESS)
    clock.advance(minutes=1)
    second = arrives(code, sender="other@example.org")

    assert (row(second).duplicate_of, row(second).subject_id) == (first.id, None)
    assert "request:linked" in deeds(second)
    assert row(second).due_at == first.due_at + timedelta(minutes=1)
    erased()
    assert (row(first).outcome, row(second).outcome) == (RequestOutcome.DONE, RequestOutcome.DUPLICATE)
    told = {mail.request_id: words_of(mail) for mail in mails()}
    assert f"To: {ADDRESS}" in told[first.id]
    assert "To: other@example.org" in told[second.id]
    assert {mail.purpose for mail in mails()} == {"done"}
    receipts = [requests.detail(svc, each.id, clock()).receipt_ids for each in (first, second)]
    assert receipts[0] == receipts[1] and len(receipts[0]) == 1


def test_when_the_first_is_taken_back_the_second_leads(svc, arrives, code, press, row, clock, erased, kept, subject_id):
    first = press(address=ADDRESS)
    second = arrives(code, sender="b@example.org")
    clock.advance(seconds=1)
    third = arrives(code, sender="c@example.org")
    requests.undo(svc, ANN, first.id)

    assert (row(second).subject_id, row(second).duplicate_of) == (subject_id, None)
    assert (row(third).subject_id, row(third).duplicate_of) == (None, second.id)
    erased()
    assert kept(subject_id) == []
    assert [row(each).outcome for each in (first, second, third)] == [
        RequestOutcome.WITHDRAWN,
        RequestOutcome.DONE,
        RequestOutcome.DUPLICATE,
    ]


def test_a_mistaken_match_that_led_hands_over(svc, arrives, code, by_hand, run, row, subject_id):
    wrong = by_hand()
    requests.match_run(svc, wrong.id, run_number=run.number, about_when=run.created_at, actor=OPERATOR)
    right = arrives(code)
    assert row(right).duplicate_of == wrong.id
    requests.unmatch(svc, wrong.id, actor=OPERATOR)

    assert (row(right).subject_id, row(right).duplicate_of) == (subject_id, None)


def test_one_that_follows_is_not_held_up_by_one_that_is_stuck(
    svc, arrives, code, press, row, clock, work, store, erased, kept, subject_id, ask
):
    """What was uploaded after the first began goes by the second, whose own undo is over."""
    first = press(address=ADDRESS)
    store.erases_nothing = True
    erased()
    assert row(first).state is RequestState.WORKING
    clock.advance(minutes=1)
    ask()
    assert any(copy.erase_by > clock() for copy in kept(subject_id))
    second = arrives(code, sender="b@example.org")
    erased()

    assert row(second).state is RequestState.WORKING
    assert all(copy.erase_by <= clock() for copy in kept(subject_id))
    store.erases_nothing = False
    clock.advance(hours=2)
    work()
    assert (row(first).outcome, row(second).outcome) == (RequestOutcome.DONE, RequestOutcome.DUPLICATE)
    assert kept(subject_id) == []


def test_one_that_follows_leads_where_the_first_did_not_see_to_all(
    svc, arrives, code, press, row, clock, work, ask, kept, subject_id, store, mails
):
    """New photos, made after the first had begun and before it ended: the second is about them as well."""
    work()
    first = press(address=ADDRESS)
    store.erases_nothing = True
    clock.advance(minutes=2)
    work()
    clock.advance(minutes=1)
    ask()
    second = arrives(code, sender="b@example.org")
    store.erases_nothing = False
    clock.advance(minutes=1)
    work()
    assert row(first).outcome is RequestOutcome.DONE
    assert len(kept(subject_id)) == 3
    clock.advance(minutes=1)
    work()

    assert kept(subject_id) == []
    assert (row(second).outcome, row(second).subject_id) == (RequestOutcome.DONE, subject_id)
    assert [mail.purpose for mail in mails()] == ["done", "done"]
    ids = {requests.detail(svc, each.id, clock()).receipt_ids[0] for each in (first, second)}
    assert len(ids) == 2, "each has a receipt of its own"


def test_one_that_follows_ends_after_the_first_and_right_after(svc, arrives, code, press, row, clock, work):
    work()
    first = press(address=ADDRESS)
    second = arrives(code, sender="b@example.org")
    clock.advance(minutes=2)
    worker = jobs.Worker(svc)
    assert worker.look(jobs.DESK_WORK) and worker.look(jobs.DESK_WORK)
    while worker.look(jobs.UPKEEP_WORK):
        pass
    later = clock() + timedelta(minutes=10)
    with svc.transaction() as session:  # nobody comes to the first
        session.get(Job, (JobKind.REQUEST, first.id)).run_at = later
    clock.advance(minutes=5)
    work()
    assert row(second).state is RequestState.WORKING
    clock.now = later
    with svc.transaction() as session:
        session.get(Job, (JobKind.REQUEST, second.id)).run_at = later + timedelta(minutes=1)
    work()

    assert (row(first).outcome, row(second).outcome) == (RequestOutcome.DONE, RequestOutcome.DUPLICATE)
    assert row(second).done_at < row(second).closed_at == later


def test_ten_proofs_at_once_have_one_leader(svc, by_hand, code, row, subject_id):
    entered = [by_hand() for _ in range(6)]
    ids = iter(entered)
    on_all_threads(
        lambda: requests.match_claim_code(svc, next(ids).id, code=code, actor=OPERATOR), times=len(entered)
    )  # fmt: skip

    rows = [row(each) for each in entered]
    (leader,) = [each for each in rows if each.subject_id == subject_id]
    assert {each.duplicate_of for each in rows if each is not leader} == {leader.id}


def test_strangers_neither_displace_nor_delay_nor_block(svc, arrives, press, code, run, row, erased, clock, by_hand):
    """A hundred mails that claim to be Ann, and one call that was believed too early."""
    for _ in range(20):
        arrives(f"delete run {run.number}", sender=ADDRESS)
    wrong = by_hand()
    requests.match_run(svc, wrong.id, run_number=run.number, about_when=run.created_at, actor=OPERATOR)
    asked = arrives(code)
    erased()

    assert row(asked).outcome is RequestOutcome.DUPLICATE
    assert row(asked).done_at <= clock()


def test_what_is_erased_already_is_said_to_nobody_but_its_owner(
    svc, subject_id, press, erased, clock, mails, row, work
):
    """Their own browser still knows them. To everybody else their code is a wrong one."""
    retention.erase_everything(svc, subject_id)
    work()
    clock.advance(minutes=5)
    asked = press(address=ADDRESS)
    erased()

    assert row(asked).outcome is RequestOutcome.NOTHING_HELD
    assert [mail.purpose for mail in mails()] == ["nothing_held"]
    assert requests.detail(svc, asked.id, clock()).receipt_ids == []
