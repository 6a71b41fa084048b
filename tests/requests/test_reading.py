"""Pages of requests: the most urgent first, each filter, totals that agree with the rows, and nothing of a person."""

from dataclasses import fields
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import access, requests, sla
from core.errors import NotFound
from core.models import (
    CopyKind,
    Generation,
    Request,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    RequestState,
    new_id,
)
from core.requests import Filter, Ticket, WillGo, reading
from core.requests.tickets import TROUBLES
from core.sla import Standing
from tests.conftest import ANN, EVE
from tests.requests.conftest import ADDRESS, OPERATOR

ANY = Filter(states=())


@pytest.fixture
def given(svc, clock):
    """A row of the register, due in so long, and done so long before it was due."""

    def make(due_in: timedelta, *, early: timedelta | None = None, **more) -> Request:
        due_at = clock() + due_in
        values = {
            "number": access.new_number("D"),
            "kind": RequestKind.ERASE,
            "channel": RequestChannel.EMAIL,
            "state": RequestState.OPEN,
            "clock": "erase",
            "received_at": due_at - timedelta(hours=48),
            "entered_at": due_at - timedelta(hours=48),
            "due_at": due_at,
        }
        if early is not None:
            done_at = due_at - early
            values |= {"state": RequestState.CLOSED, "done_at": done_at, "closed_at": done_at}
            values |= {"outcome": RequestOutcome.DONE}
        row = Request(**values | more)
        with svc.transaction() as session:
            session.add(row)
        return row

    return make


@pytest.fixture
def shown(svc, clock):
    def get(which: Filter | None = None, **page):
        with svc.reading() as session:
            return requests.page(session, which or Filter(), now=clock(), **page)

    return get


@pytest.fixture
def totals(svc, clock):
    def get():
        with svc.reading() as session:
            return requests.totals(session, clock())

    return get


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


# ---------------------------------------------------------------------------------------------------------------- order
def test_what_is_open_comes_by_time_left_and_what_is_closed_by_when_it_was(given, shown):
    late, soon, calm = given(hours(-2)), given(hours(3)), given(hours(40))
    old, new = given(hours(-90), early=hours(5)), given(hours(-50), early=hours(5))

    assert [ticket.id for ticket in shown().items] == [late.id, soon.id, calm.id]
    everything = [late.id, soon.id, calm.id, new.id, old.id]
    assert [ticket.id for ticket in shown(ANY).items] == everything
    leafed = [ticket.id for number in (1, 2, 3) for ticket in shown(ANY, page=number, size=2).items]
    assert leafed == everything
    assert (shown(ANY).total, shown(ANY, page=2, size=2).total, shown(ANY, page=9, size=2).items) == (5, 5, [])


def test_more_than_is_counted_is_said(given, shown):
    for number in range(5):
        given(hours(number))
    given(hours(-90), early=hours(1))

    first, second = shown(at_most=3), shown(ANY, page=2, size=3, at_most=3)
    assert (first.total, first.capped, len(first.items)) == (3, True, 5)
    assert len(second.items) == 2
    assert all(not ticket.closed_at for ticket in second.items)


# -------------------------------------------------------------------------------------------------------------- filters
def test_each_filter_narrows(given, shown):
    mine = given(hours(1), assignee="me", kind=RequestKind.COPY, clock="month", channel=RequestChannel.HAND)
    waiting = given(hours(2), state=RequestState.WAITING)
    closed = given(hours(-60), early=hours(1))

    def ids(**filter_):
        return {ticket.id for ticket in shown(Filter(**filter_)).items}

    assert ids(kinds=(RequestKind.COPY,)) == {mine.id}
    assert ids(channels=(RequestChannel.HAND,)) == {mine.id}
    assert ids(assignee="me") == {mine.id}
    assert ids(assignee=requests.UNASSIGNED) == {waiting.id}
    assert ids(states=(RequestState.WAITING,)) == {waiting.id}
    assert ids(states=(RequestState.CLOSED,)) == {closed.id}
    assert ids(states=(RequestState.CLOSED, RequestState.OPEN)) == {closed.id, mine.id}
    assert ids(kinds=(RequestKind.COPY,), assignee=requests.UNASSIGNED) == set()


@pytest.mark.parametrize("off", [timedelta(seconds=-1), timedelta(0), timedelta(seconds=1)])
def test_the_database_and_the_timer_agree_about_every_standing(given, shown, clock, off):
    for due_in in (hours(0), hours(12), hours(48)):
        given(due_in + off)
        given(due_in + off, done_at=clock() + hours(12), kind=RequestKind.COPY, clock="month")
    for early in (hours(0) + off, hours(1), hours(-1)):
        given(hours(-99), early=early)

    rows = shown(ANY).items
    assert len(rows) == 9
    for standing in Standing:
        found = {ticket.id for ticket in shown(Filter(states=(), standing=standing)).items}
        assert found == {ticket.id for ticket in rows if sla.standing(ticket, clock()) is standing}


def test_a_ticket_is_found_by_its_number_and_by_that_of_a_run(
    svc, press, subject_id, given, shown, arrives, code, erased
):
    asked = press(address=ADDRESS)
    follows = arrives(code, sender="b@example.org")
    other = given(hours(1))
    with svc.reading() as session:
        run = session.exec(select(Generation.number).where(Generation.subject_id == subject_id)).one()

    assert [ticket.id for ticket in shown(Filter(search=f" {other.number.lower()} ")).items] == [other.id]
    assert {ticket.id for ticket in shown(Filter(search=run)).items} == {asked.id, follows.id}
    erased()
    assert {ticket.id for ticket in shown(Filter(search=run)).items} == {asked.id, follows.id}, "closed ones, too"
    for text in ("D-0000000", "%", "' OR 1=1 --", ADDRESS):
        assert shown(Filter(search=text)).items == []


def test_a_file_has_them_all_in_the_same_order(svc, given, shown, clock):
    made = [given(hours(number)) for number in range(7)]
    given(hours(-60), early=hours(1), duplicate_of=made[0].id, outcome=RequestOutcome.DUPLICATE)

    with svc.reading() as session:
        listed = list(reading.matching(session, ANY, now=clock(), at_once=3))
    assert listed == shown(ANY).items
    assert listed[-1].duplicate_of == made[0].number


# --------------------------------------------------------------------------------------------------------------- totals
def test_totals_of_an_empty_register(totals):
    empty = totals()

    assert (empty.open, empty.breached, empty.kept_share, empty.zero_touch_share, empty.median_seconds) == (
        0, 0, None, None, None,
    )  # fmt: skip


def test_totals_agree_with_the_rows(given, totals, clock):
    clock.now = clock().replace(day=20)
    given(hours(-1))
    given(hours(1)), given(hours(12)), given(hours(13))
    given(hours(-50), early=hours(47))  # took an hour
    given(hours(-50), early=hours(45), assignee="me")  # three
    given(hours(-50), early=hours(-2), channel=RequestChannel.HAND)  # fifty, too late
    given(hours(-24 * 30), early=hours(1))  # last month
    given(hours(-50), early=hours(1), outcome=RequestOutcome.WITHDRAWN)
    given(hours(-50), early=hours(1), kind=RequestKind.QUESTION, clock="month")

    found = totals()
    assert (found.breached, found.due_soon, found.on_track, found.open) == (1, 2, 1, 4)
    assert (found.met_this_month, found.missed_this_month) == (4, 1)
    assert found.kept_share == pytest.approx(4 / 6)
    assert found.zero_touch_share == pytest.approx(1 / 3)
    assert found.median_seconds == 3 * 3600
    assert not found.capped


@pytest.mark.parametrize(("lengths", "median"), [([1], 3600), ([1, 3], 7200), ([9, 1, 3], 10800)])
def test_the_median(given, totals, clock, lengths, median):
    clock.now = clock().replace(day=20)
    for length in lengths:
        given(hours(-40), early=hours(48 - length))
    assert totals().median_seconds == median


def test_who_touched_nothing_has_touched_nothing(svc, press, subject_id, erased, totals, by_hand, code):
    press()
    erased()
    assert totals().zero_touch_share == 1


# ---------------------------------------------------------------------------------------------------------- one in full
def test_one_in_full(svc, press, subject_id, given_copy, clock, work):
    work()
    asked = press(words="please", address=ADDRESS)
    detail = requests.detail(svc, asked.id, clock())

    assert detail.ticket == asked
    assert detail.address == ADDRESS
    assert [message.text for message in detail.messages] == ["please"]
    kinds = {(will.kind, will.place): will.copies for will in detail.will_go}
    assert kinds == {(CopyKind.PORTRAIT, "vault"): 1, (CopyKind.HEADSHOT, "vault"): 2}
    assert all(isinstance(will, WillGo) and will.bytes > 0 for will in detail.will_go)
    assert (detail.progress.copies, detail.progress.erased, detail.progress.gone) == (3, 0, 0)
    assert [moment.says for moment in detail.timeline] == ["Received", "Matched", "End of the undo"]


def test_progress_can_be_watched(svc, press, subject_id, store, erased, clock, work):
    asked = press()
    store.erases_nothing = True
    erased()
    watched = requests.detail(svc, asked.id, clock()).progress
    assert (watched.copies, watched.erased, watched.gone) == (3, 3, 0)
    store.erases_nothing = False
    clock.advance(hours=1)
    work()
    detail = requests.detail(svc, asked.id, clock())
    assert (detail.progress.copies, detail.progress.erased, detail.progress.gone) == (3, 3, 3)
    assert detail.will_go == []


def test_once_it_is_closed_there_is_a_story_and_no_person(svc, arrives, code, erased, clock, mails):
    read = arrives(f"delete me, {code}")
    erased()
    detail = requests.detail(svc, read.id, clock())

    assert detail.address is None
    assert [message.text for message in detail.messages] == [None]
    assert [moment.says for moment in detail.timeline] == [
        "Received", "Matched", "End of the undo", "Begun", "Erased", "Shown to be gone", "Answered", "Closed",
        "A receipt was signed",
    ]  # fmt: skip
    assert [(mail.purpose, mail.id) for mail in detail.mails] == [("done", mails()[0].id)]
    assert len(detail.receipt_ids) == 1


def test_nobody_is_known_before_they_are(svc, by_hand, clock):
    detail = requests.detail(svc, by_hand().id, clock())

    assert (detail.progress, detail.will_go, detail.address) == (None, [], None)
    with pytest.raises(NotFound):
        requests.detail(svc, new_id(), clock())


def test_deeds_of_operators_are_in_the_story(svc, by_hand, clock):
    entered = by_hand()
    clock.advance(minutes=1)
    requests.take(svc, [entered.id], OPERATOR)
    story = requests.detail(svc, entered.id, clock()).timeline

    assert (story[-1].at, story[-1].detail) == (clock(), OPERATOR)
    assert [moment.at for moment in story] == sorted(moment.at for moment in story)


def test_each_person_sees_their_own(svc, press, subject_id, by_hand, clock):
    first = press()
    clock.advance(minutes=1)
    second = press(RequestKind.QUESTION, words="?")
    by_hand()

    with svc.reading() as session:
        assert [ticket.id for ticket in requests.of_subject(session, ANN, clock())] == [second.id, first.id]
        assert requests.of_subject(session, EVE, clock()) == []


def test_a_ticket_holds_nothing_of_a_person(svc, arrives, code):
    arrives(f"my name is Ann, {code}")
    with svc.reading() as session:
        (ticket,) = requests.page(session, Filter(), now=svc.clock()).items

    assert ADDRESS not in repr(ticket) and "Ann" not in repr(ticket)
    assert {field.name for field in fields(Ticket)}.isdisjoint({"subject_id", "sealed_address", "press_id"})


def test_a_detail_is_not_printed_by_mistake(svc, press, subject_id, clock):
    asked = press(words="my secret", address=ADDRESS)
    told = repr(requests.detail(svc, asked.id, clock()))
    assert ADDRESS not in told and "secret" not in told


def test_every_trouble_has_words(given, shown):
    codes = [*TROUBLES, "of_another_release"]
    for trouble in codes:
        given(hours(1), state=RequestState.WORKING, trouble=trouble)
    assert all(ticket.trouble_says.endswith(".") for ticket in shown().items)
    assert len(shown().items) == len(codes)


def test_no_page_sorts_the_register(svc, clock):
    """However long it is: the open ones come by their due time and the closed ones by when that was, off an index."""
    for query in reading._queries(ANY, clock()):
        text = query.limit(50).compile(svc.database, compile_kwargs={"literal_binds": True})
        with svc.database.connect() as connection:
            if svc.database.dialect.name == "postgresql":
                connection.execute(sa.text("SET enable_seqscan = off"))  # an empty table is read as it is
                plan = [str(row[0]) for row in connection.execute(sa.text(f"EXPLAIN {text}"))]
            else:
                plan = [str(row[-1]) for row in connection.execute(sa.text(f"EXPLAIN QUERY PLAN {text}"))]
        assert any("ix_request_due" in line or "ix_request_closed" in line for line in plan), plan
