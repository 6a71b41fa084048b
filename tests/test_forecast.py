"""What will be late unless somebody starts in time: from what was, and nothing made up where too little was."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from core import forecast
from core.forecast import Budget, Done, Forecast, History, Open, Risk
from core.models import Request, RequestChannel, RequestKind, RequestOutcome, RequestState, new_id

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def one(number: str = "D-1", *, due_in: timedelta = 5 * HOUR, **values) -> Open:
    told = {
        "id": number,
        "number": number,
        "kind": RequestKind.ERASE,
        "channel": RequestChannel.EMAIL,
        "state": RequestState.OPEN,
        "received_at": NOW + due_in - 48 * HOUR,
        "due_at": NOW + due_in,
    }
    return Open(**(told | values))


def was(took: timedelta, *, matched_after: timedelta | None = None, ago: timedelta = 24 * HOUR, **values) -> Done:
    told = {"kind": RequestKind.ERASE, "channel": RequestChannel.EMAIL, "by_hand": False}
    matched_at = NOW - ago - took + matched_after if matched_after is not None else None
    return Done(
        received_at=NOW - ago - took, done_at=NOW - ago, closed_at=NOW - ago, matched_at=matched_at, **told | values
    )


def of(*open_now: Open, done=(), received=None, since: timedelta = 28 * 24 * HOUR) -> Forecast:
    history = History(done=done, done_since=NOW - since, received=received or {}, received_since=NOW - since)
    return forecast.forecast(open_now, history, NOW)


def said(found: Forecast) -> list[str]:
    return [outlook.says(lambda at: f"{at:%H:%M}", NOW) for outlook in found.outlooks]


HOURS = [was(n * HOUR) for n in (1, 1, 1, 2, 9)]  # four of five took 2 h at most


# --------------------------------------------------------------------------------------------------- by itself
def test_it_says_until_when_somebody_has_to_start():
    assert said(of(one("D-7Q4K2M9"), done=HOURS)) == ["D-7Q4K2M9 breaches 17:00 unless started by 15:00."]


def test_what_has_time_is_not_in_it():
    ahead = forecast.TOLD_AHEAD + 2 * HOUR
    assert said(of(one(due_in=ahead), done=HOURS)) == ["D-1 breaches 02:00 unless started by 00:00."]
    assert said(of(one(due_in=ahead + MINUTE), done=HOURS)) == []


def test_what_is_matched_needs_less():
    done = [was(n * HOUR, matched_after=n * HOUR - 10 * MINUTE) for n in (1, 1, 1, 2, 9)]
    assert said(of(one(), one("D-2", matched_at=NOW), done=done)) == [
        "D-1 breaches 17:00 unless started by 15:00.",
        "D-2 breaches 17:00 unless started by 16:50.",
    ]


def test_a_match_from_before_the_receipt_counts_from_the_receipt():
    done = [was(HOUR, matched_after=-5 * HOUR)] * 5
    assert of(one(matched_at=NOW), done=done).outlooks[0].needs == HOUR


def test_when_less_is_left_than_it_takes_it_says_start_now():
    for due_in, expected in (
        (2 * HOUR + MINUTE, "D-1 breaches 14:01 unless started by 12:01."),
        (
            2 * HOUR,
            "D-1 breaches 14:00: what is left to do mostly took up to 2 h 0 m, and 2 h 0 m are left. Start now.",
        ),
        (HOUR, "D-1 breaches 13:00: what is left to do mostly took up to 2 h 0 m, and 1 h 0 m are left. Start now."),
    ):
        assert said(of(one(due_in=due_in), done=HOURS)) == [expected]


def test_who_waits_for_the_requester_and_what_is_stuck_say_so():
    waiting = one(state=RequestState.WAITING)
    stuck = one("D-2", state=RequestState.WORKING, trouble="storage_locked")
    assert said(of(waiting, stuck, done=HOURS)) == [
        "D-1 breaches 17:00 unless its requester answers by 15:00.",
        "D-2 breaches 17:00 unless it goes on by 15:00: see what keeps it.",
    ]


def test_what_goes_on_by_itself_is_told_only_if_such_ones_took_longer_than_is_left():
    works = {"state": RequestState.WORKING}
    assert said(of(one(due_in=3 * HOUR, **works), done=HOURS)) == []
    assert said(of(one(due_in=HOUR, **works), done=HOURS)) == [
        "D-1 breaches 13:00 if it takes as long as others did (2 h 0 m); 1 h 0 m are left."
    ]
    undo = {"state": RequestState.UNDO, "start_at": NOW + 90 * MINUTE}
    assert [outlook.risk for outlook in of(one(due_in=3 * HOUR, **undo), done=HOURS).outlooks] == [Risk.SLOW]


def test_such_is_the_same_kind_by_the_same_channel_or_else_by_any():
    by_hand = [was(4 * HOUR, channel=RequestChannel.HAND)] * 4
    assert of(one(channel=RequestChannel.HAND), done=[*HOURS, *by_hand]).outlooks[0].needs == 4 * HOUR, "of all nine"
    assert of(one(channel=RequestChannel.HAND), done=[*HOURS, *by_hand, by_hand[0]]).outlooks[0].needs == 4 * HOUR
    assert of(one(), done=[*HOURS, *by_hand]).outlooks[0].needs == 2 * HOUR
    assert of(one(kind=RequestKind.QUESTION), done=HOURS).outlooks[0].needs is None


def test_what_is_late_already_is_not_foretold():
    found = of(one(due_in=-MINUTE), one("D-2", due_in=timedelta(0)), done=HOURS)
    assert [outlook.number for outlook in found.outlooks] == ["D-2"] and found.breached == 1


# ---------------------------------------------------------------------------------------------------- too little
@pytest.mark.parametrize(
    ("known", "says"),
    [
        (0, "None has been answered in four weeks: too few"),
        (1, "Only 1 has been answered in four weeks: too few"),
        (4, "Only 4 have been answered in four weeks: too few"),
    ],
)
def test_too_little_history_is_said_and_only_due_times_count(known, says):
    found = of(one(due_in=HOUR), one("D-2", due_in=40 * HOUR), done=HOURS[:known])
    assert says in found.says and not found.is_known
    assert said(found) == ["D-1 breaches 13:00 unless done before."]
    assert (found.arrivals_a_day, found.pace_a_day) == (None, None)


def test_with_enough_it_says_what_it_is_from():
    found = of(one(), done=HOURS, received={RequestKind.ERASE: 42})
    assert found.says == "1 is about to be late. From the 5 latest answers of four weeks. About 1.5 come in a day."
    assert of().says.startswith("Nothing is about to be late.")


def test_a_pace_wants_some_days():
    received = {RequestKind.ERASE: 42}
    assert of(received=received, since=2 * 24 * HOUR).arrivals_a_day is None
    assert of(received=received, since=3 * 24 * HOUR).arrivals_a_day == 14
    assert of(received={RequestKind.ERASE: 9}).arrivals_a_day is None


# ------------------------------------------------------------------------------------------------------- the queue
def by_hand_on(*days: int) -> list[Done]:
    """So many were done on each of the last days."""
    return [was(HOUR, ago=day * 24 * HOUR, by_hand=True) for day, number in enumerate(days, 1) for _ in range(number)]


def test_what_is_not_reached_in_time_even_on_a_busy_day_is_late_in_the_queue():
    queue = [one(f"D-{number:02}", due_in=30 * HOUR + number * MINUTE) for number in range(20)]
    found = of(*queue, done=by_hand_on(2, 3, 12, 4))  # 12 a day: in 29 h they reach the 15th
    late = [outlook.number for outlook in found.outlooks if outlook.risk is Risk.QUEUE]
    assert late == [f"D-{number}" for number in range(15, 20)]
    first = next(outlook for outlook in found.outlooks if outlook.number == "D-15")
    assert first.says(lambda at: f"{at:%d %H:%M}", NOW) == (
        "D-15 breaches 21 18:15 even at the pace of the busiest day: 15 come before it, and its turn is 21 18:00."
    )
    assert found.busiest_day == 12 and found.pace_a_day == 0.75
    assert found.says.endswith("0.8 a day are done by a person, 12 on the busiest.")


def test_little_is_done_where_little_comes_and_that_is_no_alarm():
    queue = [one(f"D-{number}", due_in=40 * HOUR) for number in range(3)]
    assert of(*queue, done=by_hand_on(2, *[1] * 9)).outlooks == ()


def test_what_goes_on_by_itself_holds_nobody_up():
    queue = [one(f"D-{number}", due_in=30 * HOUR, state=RequestState.WORKING) for number in range(90)]
    assert of(*queue, one("D-x", due_in=31 * HOUR), done=by_hand_on(12)).outlooks == ()


def test_what_is_due_late_is_overtaken_by_what_is_still_to_come():
    month = [one(f"D-{number:02}", due_in=20 * 24 * HOUR, kind=RequestKind.QUESTION) for number in range(30)]
    done = by_hand_on(10)
    calm = of(*month, done=done)
    busy = of(*month, done=done, received={RequestKind.ERASE: 28 * 9})
    flooded = of(*month, done=done, received={RequestKind.ERASE: 28 * 11})
    assert calm.at_risk == 0, "30 are done in three days"
    assert busy.at_risk == 9, "nine of ten a day go to what is due first: 20 are done in 20 days"
    assert flooded.at_risk == 29 and "its turn never comes" in said(flooded)[0]


def test_of_many_the_most_pressing_are_shown_and_all_are_counted():
    queue = [one(f"D-{number:02}", due_in=(number + 3) * MINUTE) for number in range(40)]
    found = of(*reversed(queue), done=HOURS)
    assert found.at_risk == 40
    assert [outlook.number for outlook in found.outlooks] == [f"D-{number:02}" for number in range(forecast.SHOWN)]


# ----------------------------------------------------------------------------------------------------- the budget
@pytest.mark.parametrize(
    ("answers", "late", "says"),
    [
        (0, 0, "No request was answered this month yet."),
        (31, 0, "No answer of 31 this month was late; 99.5 % leaves room for none until there are 200."),
        (31, 1, "1 of 31 answers this month is late, 1 more than 99.5 % leaves room for."),
        (199, 0, "No answer of 199 this month was late; 99.5 % leaves room for none until there are 200."),
        (200, 0, "None of 1 late answer this month is spent."),
        (412, 1, "1 of 2 late answers this month is spent."),
        (412, 2, "2 of 2 late answers this month are spent."),
        (412, 3, "3 of 412 answers this month are late, 1 more than 99.5 % leaves room for."),
        (2000, 11, "11 of 2,000 answers this month are late, 1 more than 99.5 % leaves room for."),
    ],
)
def test_the_error_budget_in_words(answers, late, says):
    assert Budget(answers=answers, late=late).says == says


def test_another_target_has_another_budget():
    budget = Budget(answers=100, late=2, target=0.98)
    assert (budget.room, budget.is_kept, budget.says) == (2, True, "2 of 2 late answers this month are spent.")
    assert Budget(answers=100, late=3, target=0.98).says.endswith("1 more than 98 % leaves room for.")


# ------------------------------------------------------------------------------------------------------- from rows


@pytest.fixture
def given(svc):
    """A request in the register, open unless it took so long."""

    def make(*, received: datetime, took: timedelta | None = None, number: str | None = None, **values) -> Request:
        told = {
            "number": number or f"D-{new_id()[:8]}",
            "kind": RequestKind.ERASE,
            "channel": RequestChannel.EMAIL,
            "state": RequestState.OPEN,
            "clock": "erase",
            "received_at": received,
            "entered_at": received,
            "due_at": received + 48 * HOUR,
        }
        if took is not None:
            told |= {"state": RequestState.CLOSED, "outcome": RequestOutcome.DONE}
            told |= dict.fromkeys(("done_at", "closed_at"), received + took)
        row = Request(**told | values)
        with svc.transaction() as session:
            session.add(row)
        return row

    return make


def look(svc) -> Forecast:
    with svc.reading() as session:
        return forecast.look(session, svc.clock())


def test_it_reads_the_register(svc, clock, given):
    now = clock()
    for days in range(1, 13):
        given(received=now - days * 24 * HOUR, took=2 * HOUR, assignee="ann" if days % 2 else None)
    given(received=now - 40 * 24 * HOUR, took=30 * HOUR)  # too long ago
    leader = given(received=now - 44 * HOUR, number="D-LEADER")
    given(received=now - 44 * HOUR, duplicate_of=leader.id)
    given(received=now - 30 * HOUR)
    found = look(svc)

    assert [(outlook.number, outlook.needs) for outlook in found.outlooks] == [("D-LEADER", 2 * HOUR)]
    assert found.outlooks[0].start_by == now + 2 * HOUR
    assert found.answered == 12
    assert found.arrivals_a_day == pytest.approx(15 / 28)
    assert found.pace_a_day is None, "six were done by hand"


def test_a_young_register_has_its_own_span(svc, clock, given):
    for hours in range(1, 13):
        given(received=clock() - 4 * 24 * HOUR + hours * HOUR, took=HOUR, channel=RequestChannel.HAND)
    found = look(svc)
    assert found.arrivals_a_day == found.pace_a_day == pytest.approx(12 / (4 - 1 / 24))


def test_of_a_busy_month_the_latest_are_the_measure(svc, clock, given):
    rows = [
        {"id": new_id(), "number": f"D-{number}", "kind": kind, "channel": "email", "state": "closed", "clock": "erase",
         "outcome": "done", "assignee": "ann", **dict.fromkeys(("received_at", "entered_at", "due_at"), at),
         **dict.fromkeys(("done_at", "closed_at"), at)}
        for number, kind in enumerate(["erase", "question"] * 400)
        for at in [clock() - timedelta(days=20) * number / 800]
    ]  # fmt: skip
    with svc.transaction() as session:
        session.execute(sa.insert(Request), rows)
    found = look(svc)
    assert found.answered == forecast.ROWS == 500
    assert found.arrivals_a_day == found.pace_a_day == pytest.approx(40, rel=0.01), "of the last 12 and a half days"
    assert found.busiest_day in (40, 41)


def test_an_empty_register_says_so(svc):
    found = look(svc)
    assert (found.outlooks, found.answered, found.breached) == ((), 0, 0)
    assert found.says.startswith("Nothing is about to be late. None has been answered in four weeks")


def test_the_budget_is_of_the_month(svc, clock, given):
    start = clock().replace(day=1, hour=0, minute=0)
    clock.advance(days=19)
    given(received=start - 50 * HOUR, took=50 * HOUR)  # closed at the first instant of the month, late
    given(received=start - 50 * HOUR, took=50 * HOUR - MINUTE)  # in the month before
    given(received=start, took=48 * HOUR)  # in time, at the last instant
    given(received=start, took=HOUR, done_at=None)  # withdrawn
    given(received=clock() - 49 * HOUR)  # open, and late now
    given(received=clock() - 47 * HOUR)
    with svc.reading() as session:
        found = forecast.budget(session, clock())
    assert (found.answers, found.late, found.is_kept) == (3, 2, False)


def test_it_costs_the_same_however_long_the_register_is(svc, clock, given):
    """Every question goes to an index, and ends after so many rows."""
    asked: list[str] = []
    sa.event.listen(svc.database, "before_cursor_execute", lambda *a: asked.append(a[2]))
    given(received=clock())
    asked.clear()
    with svc.reading() as session:
        forecast.look(session, clock())
        forecast.budget(session, clock())
    questions = [text for text in asked if text.startswith("SELECT")]
    assert len(questions) == 6
    assert all("LIMIT" in text for text in questions if "min(" not in text)
    if svc.database.dialect.name == "sqlite":
        with svc.reading() as session:
            for text in questions:
                filled = text.replace("?", "1")
                plan = " ".join(row[3] for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {filled}")))
                assert "SCAN request USING" in plan or "SCAN request" not in plan, (text, plan)
                assert "TEMP B-TREE FOR ORDER BY" not in plan, text
