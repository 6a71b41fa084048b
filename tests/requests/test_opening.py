"""Opening requests: by the browser, by mail, by hand. One press is one request, and receipt is when it was received."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import access, requests, sla
from core.errors import LimitReached, NotAllowed, NotFound
from core.models import (
    Job,
    JobKind,
    MatchedBy,
    Request,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    RequestState,
    new_id,
)
from core.requests import UNDO
from core.requests.rows import open_row
from core.sla import Standing
from tests.conftest import ANN, BOB, EVE, on_all_threads
from tests.requests.conftest import ADDRESS, OPERATOR

ON_BOTH_DATABASES = True

TWO_DAYS = timedelta(hours=48)


@pytest.fixture
def job(svc):
    def get(ticket, kind=JobKind.REQUEST):
        with svc.reading() as session:
            return session.get(Job, (kind, ticket.id))

    return get


@pytest.fixture
def all_requests(svc):
    def get():
        with svc.reading() as session:
            return session.exec(select(Request).order_by(Request.entered_at)).all()

    return get


# ------------------------------------------------------------------------------------------------------ in the product
def test_the_browser_that_made_the_photos_asks_and_it_begins_by_itself(press, subject_id, clock, row, job, deeds):
    asked = press()

    assert (asked.kind, asked.channel, asked.state) == (RequestKind.ERASE, RequestChannel.PRODUCT, RequestState.UNDO)
    assert asked.matched_by is MatchedBy.SESSION
    assert (asked.received_at, asked.due_at, asked.start_at) == (clock(), clock() + TWO_DAYS, clock() + UNDO)
    assert row(asked).subject_id == subject_id
    assert job(asked).run_at == asked.start_at
    assert deeds(asked) == ["request:opened", "request:matched"]


def test_a_browser_without_photos_has_nothing_to_ask_about(press, subject_id):
    with pytest.raises(NotFound):
        press(who=EVE)


def test_the_same_press_twice_is_one_request(press, subject_id, all_requests):
    first, second = press(press_id="once"), press(press_id="once")

    assert first == second
    assert len(all_requests()) == 1


def test_two_tabs_are_one_request(press, subject_id, all_requests):
    assert press().id == press().id
    assert len(all_requests()) == 1


def test_ten_presses_at_once_are_one_request(press, subject_id, all_requests):
    tickets = on_all_threads(press, times=10)

    assert len({ticket.id for ticket in tickets}) == 1
    assert len(all_requests()) == 1


def test_nobody_learns_of_a_strangers_press(press, subject_id, ask):
    press(press_id="once")
    ask(who=BOB)

    with pytest.raises(NotFound):
        press(who=BOB, press_id="once")


def test_an_address_in_the_second_tab_is_kept_and_one_that_differs_is_a_request_of_its_own(
    svc, press, subject_id, row, clock
):
    first = press()
    assert press(address=ADDRESS).id == first.id
    assert requests.detail(svc, first.id, clock()).address == ADDRESS
    assert press(address=ADDRESS).id == first.id

    other = press(address="assistant@example.org")
    assert other.id != first.id
    assert other.duplicate_of == first.number
    assert row(other).subject_id is None


def test_a_copy_is_packed_at_once_and_there_is_one_at_a_time(press, subject_id, job, row):
    asked = press(RequestKind.COPY)

    assert (asked.state, asked.start_at) == (RequestState.WORKING, None)
    assert job(asked, JobKind.EXPORT) is not None
    assert job(asked) is None
    assert press(RequestKind.COPY).id == asked.id


@pytest.mark.parametrize("kind", [RequestKind.CORRECT, RequestKind.OBJECT, RequestKind.QUESTION])
def test_other_wishes_wait_for_a_person(press, subject_id, kind, job):
    asked = press(kind, words="I have moved.")

    assert (asked.state, asked.matched) == (RequestState.OPEN, True)
    assert job(asked) is None


def test_nothing_is_copied_for_somebody_erased_and_erasing_again_is_fine(press, subject_id, erased):
    press()
    erased()

    with pytest.raises(NotFound):
        press(RequestKind.COPY)
    assert press().state is RequestState.UNDO


@pytest.mark.parametrize(
    "address", ["ann", "ann@", "@example.org", "a@b@c.org", "ann@example.org\nBcc: eve@example.org", "a b@example.org"]
)
def test_what_is_no_address_is_refused(press, subject_id, address, all_requests):
    with pytest.raises(NotAllowed):
        press(address=address)
    assert all_requests() == []


def test_a_person_has_so_many_open_at_a_time(press, subject_id):
    for _ in range(requests.register.MOST_OPEN):
        press(RequestKind.QUESTION, words="?")
    with pytest.raises(LimitReached):
        press(RequestKind.QUESTION, words="?")


def test_long_letters_are_refused(press, subject_id):
    with pytest.raises(NotAllowed):
        press(words="a" * 4001)


def test_address_and_words_lie_sealed(svc, press, subject_id, clock):
    asked = press(words="my neighbour saw me", address=ADDRESS)

    with svc.database.connect() as connection:
        for table in ("request", "request_message"):
            held = repr([tuple(line) for line in connection.execute(sa.text(f"SELECT * FROM {table}"))])
            assert "neighbour" not in held
            assert ADDRESS not in held
    detail = requests.detail(svc, asked.id, clock())
    assert [message.text for message in detail.messages] == ["my neighbour saw me"]


# ---------------------------------------------------------------------------------------------------------------- undo
def test_it_can_be_taken_back_until_it_has_begun(svc, press, subject_id, kept, row, erased, deeds):
    asked = press(words="please", address=ADDRESS)
    taken = requests.undo(svc, ANN, asked.id)
    erased()

    assert (taken.state, taken.outcome) == (RequestState.CLOSED, RequestOutcome.WITHDRAWN)
    assert len(kept(subject_id)) == 3
    assert all(copy.erased_at is None for copy in kept(subject_id))
    assert (row(asked).sealed_key, row(asked).sealed_address) == (None, None)
    assert deeds(asked)[-2:] == ["request:withdrawn", "request:closed"]


def test_a_late_undo_works_as_long_as_nothing_has_begun(svc, press, subject_id, clock):
    asked = press()
    clock.advance(hours=1)

    assert requests.undo(svc, ANN, asked.id).outcome is RequestOutcome.WITHDRAWN


def test_it_cannot_be_taken_back_once_it_has_begun_nor_twice(svc, press, subject_id, clock, store, work):
    asked = press()
    store.down = True
    clock.advance(minutes=2)
    work()
    with pytest.raises(NotAllowed):
        requests.undo(svc, ANN, asked.id)

    again = press(RequestKind.QUESTION, words="?")
    requests.undo(svc, ANN, again.id)
    with pytest.raises(NotAllowed):
        requests.undo(svc, ANN, again.id)


def test_a_strangers_request_cannot_be_taken_back_and_looks_like_none(svc, press, subject_id, ask, row):
    asked = press()
    ask(who=BOB)

    told = []
    for who, request_id in ((BOB, asked.id), (EVE, asked.id), (BOB, new_id())):
        with pytest.raises(NotFound) as error:
            requests.undo(svc, who, request_id)
        told.append(str(error.value))
    assert len(set(told)) == 1
    assert row(asked).state is RequestState.UNDO


# ------------------------------------------------------------------------------------------------------------- by hand
def test_support_enters_the_true_time_of_receipt(by_hand, clock, row):
    entered = by_hand(ago=timedelta(hours=47), address=ADDRESS, words="called")

    assert (entered.channel, entered.state) == (RequestChannel.HAND, RequestState.OPEN)
    assert entered.due_at == clock() + timedelta(hours=1)
    assert entered.standing(clock()) is Standing.DUE_SOON
    assert by_hand(ago=timedelta(hours=48, seconds=1)).standing(clock()) is Standing.BREACHED


def test_a_claim_code_that_was_read_out_counts(svc, by_hand, code, row, clock):
    entered = by_hand(words=f"she read {code} to me")

    assert (entered.state, entered.matched_by) == (RequestState.UNDO, MatchedBy.CLAIM_CODE)
    (message,) = requests.detail(svc, entered.id, clock()).messages
    assert message.text == "she read [claim code] to me"


@pytest.mark.parametrize("ago", [timedelta(seconds=-1), timedelta(days=-1), timedelta(days=400)])
def test_a_time_that_cannot_be_is_refused(by_hand, ago, all_requests):
    with pytest.raises(NotAllowed):
        by_hand(ago=ago)
    assert all_requests() == []


def test_a_time_without_a_zone_is_refused(svc):
    with pytest.raises(NotAllowed):
        requests.open_by_hand(
            svc, kind=RequestKind.ERASE, received_at=datetime(2026, 3, 1), actor=OPERATOR
        )  # fmt: skip


def test_now_is_not_the_future(by_hand, clock):
    assert by_hand(ago=timedelta(0)).received_at == clock()


def test_the_law_that_is_named_sets_the_clock(by_hand, clock):
    entered = by_hand(RequestKind.COPY, ago=timedelta(0), law="california")

    assert entered.clock == "california"
    assert entered.due_at == clock() + timedelta(days=45)


def test_support_presses_twice(by_hand, all_requests):
    assert by_hand(press_id="one").id == by_hand(press_id="one").id
    assert len(all_requests()) == 1


# ------------------------------------------------------------------------------------------------------------- by mail
def test_the_clock_of_a_mail_began_when_the_mailbox_got_it(arrives, clock, row):
    read = arrives(received_at=clock() - timedelta(hours=40))

    assert read.channel is RequestChannel.EMAIL
    assert (read.received_at, read.entered_at) == (clock() - timedelta(hours=40), clock())
    assert read.due_at == clock() + timedelta(hours=8)


def test_a_mailbox_whose_clock_is_ahead_wins_no_time(arrives, clock):
    assert arrives(received_at=clock() + timedelta(hours=3)).due_at == clock() + TWO_DAYS


@pytest.mark.parametrize("sender", ["", "not an address", "a@b\r\nBcc: c@d.org", "x" * 300 + "@example.org"])
def test_a_mail_from_nowhere_is_a_request_all_the_same(svc, arrives, sender, clock, mails):
    read = arrives(sender=sender)

    assert requests.detail(svc, read.id, clock()).address is None
    assert mails() == []


def test_a_mail_without_a_code_is_asked_for_one(arrives, row, mails, words_of, clock):
    read = arrives(message_id="<7@example.org>")

    assert (row(read).state, row(read).waiting_at) == (RequestState.WAITING, clock())
    (mail,) = mails()
    assert (mail.request_id, mail.purpose) == (read.id, "ask_for_code")
    assert words_of(mail).startswith(f"To: {ADDRESS}\n{read.number}")


def test_who_may_not_be_answered_is_not(arrives, row, mails):
    assert row(arrives(may_answer=False)).state is RequestState.OPEN
    assert mails() == []


def test_a_request_that_came_while_the_worker_was_down_has_its_job(arrives, code, clock, job, erased, row):
    """It is late when it is read, and it is done all the same; missed is missed."""
    read = arrives(f"my code is {code}", received_at=clock() - timedelta(hours=47, minutes=59))
    erased()

    assert row(read).outcome is RequestOutcome.DONE
    assert sla.standing(row(read), clock()) is Standing.MISSED


# ---------------------------------------------------------------------------------------------------- clocks never move
@pytest.mark.parametrize(
    "change",
    [
        {"received_at": datetime(2026, 3, 2, 11, tzinfo=UTC)},
        {"due_at": datetime(2026, 3, 9, tzinfo=UTC)},
        {"due_at": datetime(2026, 3, 9, tzinfo=UTC), "extended_at": datetime(2026, 3, 2, 12, tzinfo=UTC)},
        {"clock": "month"},
        {"kind": RequestKind.COPY},
    ],
    ids=["receipt", "due", "an extension of an erase", "clock", "kind"],
)
def test_the_database_refuses_to_move_the_clock_of_an_erase(svc, press, subject_id, change, row):
    asked = press()

    with pytest.raises(sa.exc.DBAPIError, match="never changes"), svc.transaction() as session:
        session.execute(sa.update(Request).where(Request.id == asked.id).values(**change))
    assert (row(asked).due_at, row(asked).received_at) == (asked.due_at, asked.received_at)


@pytest.mark.parametrize(
    ("earlier", "change"),
    [
        ({}, {"due_at": datetime(2026, 5, 2, tzinfo=UTC)}),
        ({}, {"due_at": datetime(2026, 3, 3, tzinfo=UTC), "extended_at": datetime(2026, 3, 2, tzinfo=UTC)}),
        (
            {"due_at": datetime(2026, 5, 2, tzinfo=UTC), "extended_at": datetime(2026, 3, 2, tzinfo=UTC)},
            {"due_at": datetime(2026, 6, 2, tzinfo=UTC)},
        ),
        (
            {"due_at": datetime(2026, 5, 2, tzinfo=UTC), "extended_at": datetime(2026, 3, 2, tzinfo=UTC)},
            {"extended_at": None},
        ),
    ],
    ids=["without saying so", "to an earlier instant", "twice", "and deny it"],
)
def test_the_database_refuses_to_move_another_clock_but_once_and_later(svc, by_hand, earlier, change, row):
    entered = by_hand(RequestKind.COPY)
    if earlier:
        with svc.transaction() as session:
            session.execute(sa.update(Request).where(Request.id == entered.id).values(**earlier))
    before = row(entered)

    with pytest.raises(sa.exc.DBAPIError, match="never changes"), svc.transaction() as session:
        session.execute(sa.update(Request).where(Request.id == entered.id).values(**change))
    assert row(entered) == before


def test_another_table_of_clocks_moves_no_clock_that_runs(svc, subject_id, clock, row):
    """It came when the table gave four days; the table of now gives two."""
    usual, now = sla.clock_for(RequestKind.ERASE), clock()
    longer = replace(usual, internal=sla.Period(hours=96))
    with svc.transaction() as session:
        asked = open_row(session, svc, RequestKind.ERASE, RequestChannel.PRODUCT, longer, received_at=now, now=now)
        asked.subject_id = subject_id
        asked_id = asked.id

    assert sla.due_at(usual, now) == now + TWO_DAYS and row(asked_id).due_at == now + 2 * TWO_DAYS
    later = now + TWO_DAYS + timedelta(hours=1)
    with svc.reading() as session:
        mine = requests.of_subject(session, ANN, later)
        shown = requests.page(session, requests.Filter(), now=later).items
    for tickets in (mine, shown):
        assert [(ticket.id, ticket.standing(later)) for ticket in tickets] == [(asked_id, Standing.ON_TRACK)]


def test_the_claim_code_of_the_product_opens_the_form_for_any_browser(svc, press, code):
    access.open_with_code(svc, BOB, "", code)

    assert press(who=BOB).matched_by is MatchedBy.SESSION
