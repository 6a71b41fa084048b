"""The timer: exact to the second, blind to clocks that change and tables that change, and never later than the law."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core import sla
from core.errors import BadSettings, NotAllowed
from core.models import RequestKind
from core.sla import Period, Standing
from tests.fakes import NOON

SECOND, TWO_DAYS = timedelta(seconds=1), timedelta(hours=48)
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
ERASE = sla.clock_for(RequestKind.ERASE)
OTHERS = [kind for kind in RequestKind if kind is not RequestKind.ERASE]


@dataclass(frozen=True)
class Timed:
    due_at: datetime = NOON + TWO_DAYS
    done_at: datetime | None = None


# ---------------------------------------------------------------------------------------------------------- 48 hours
@pytest.mark.parametrize(
    ("after", "open_", "done"),
    [
        (TWO_DAYS - SECOND, Standing.DUE_SOON, Standing.MET),
        (TWO_DAYS, Standing.DUE_SOON, Standing.MET),
        (TWO_DAYS + timedelta(microseconds=1), Standing.BREACHED, Standing.MISSED),
        (TWO_DAYS + SECOND, Standing.BREACHED, Standing.MISSED),
    ],
    ids=["47:59:59", "48:00:00", "48:00:00.000001", "48:00:01"],
)
def test_the_promise_breaks_after_48_hours_and_not_a_moment_sooner(after, open_, done):
    due = sla.due_at(ERASE, NOON)

    assert due == NOON + TWO_DAYS
    assert sla.standing(Timed(due), NOON + after) is open_
    assert sla.standing(Timed(due, NOON + after), NOON + timedelta(days=99)) is done


@pytest.mark.parametrize(
    ("before_due", "standing"),
    [
        (timedelta(hours=12, seconds=1), Standing.ON_TRACK),
        (timedelta(hours=12), Standing.DUE_SOON),
        (timedelta(hours=11, minutes=59, seconds=59), Standing.DUE_SOON),
        (timedelta(0), Standing.DUE_SOON),
        (-SECOND, Standing.BREACHED),
    ],
)
def test_due_soon_are_the_last_twelve_hours(before_due, standing):
    assert sla.standing(Timed(NOON), NOON - before_due) is standing


@pytest.mark.parametrize(
    ("received", "due"),
    [
        # the night loses an hour, and the reading on the wall is one later
        (datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN), datetime(2026, 3, 30, 13, 0, tzinfo=BERLIN)),
        # the night has an hour twice, and it is one earlier
        (datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN), datetime(2026, 10, 26, 11, 0, tzinfo=BERLIN)),
        (datetime(2026, 3, 7, 12, 0, tzinfo=NEW_YORK), datetime(2026, 3, 9, 13, 0, tzinfo=NEW_YORK)),
        # in the hour that there is twice: which of the two is not forgotten
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=0), datetime(2026, 10, 27, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), datetime(2026, 10, 27, 1, 30, tzinfo=UTC)),
    ],
    ids=["spring", "autumn", "spring elsewhere", "twice, the first", "twice, the second"],
)
def test_48_hours_are_48_hours_when_clocks_change(received, due):
    found = sla.due_at(ERASE, received)

    assert found == due
    assert found.tzinfo is UTC
    assert found - received.astimezone(UTC) == TWO_DAYS


def test_an_instant_without_a_zone_is_none():
    with pytest.raises(ValueError, match="without a zone"):
        sla.due_at(ERASE, datetime(2026, 3, 2))


# -------------------------------------------------------------------------------------------------------------- the law
@pytest.mark.parametrize(
    ("received", "due"),
    [
        ((2026, 1, 15), (2026, 2, 15)),
        ((2026, 1, 31), (2026, 2, 28)),  # there is no 31 February: its last day
        ((2028, 1, 31), (2028, 2, 29)),
        ((2026, 2, 28), (2026, 3, 28)),  # and not the last of March
        ((2026, 3, 31), (2026, 4, 30)),
        ((2026, 12, 31), (2027, 1, 31)),
        ((2026, 11, 15), (2026, 12, 15)),
    ],
)
def test_a_month_ends_on_the_day_of_the_same_number_or_on_the_last(received, due):
    at = datetime(*received, 9, 30, 15, tzinfo=UTC)

    for kind in OTHERS:
        assert sla.due_at(sla.clock_for(kind), at) == datetime(*due, 9, 30, 15, tzinfo=UTC)


def test_a_month_is_counted_in_utc():
    """Half past midnight in Berlin on 1 March is still February there where clocks are kept."""
    received = datetime(2026, 3, 1, 0, 30, tzinfo=BERLIN)

    assert sla.due_at(sla.clock_for(RequestKind.COPY), received) == datetime(2026, 3, 28, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize("kind", OTHERS)
def test_where_californian_law_is_named_it_is_45_days(kind):
    clock = sla.clock_for(kind, law="california")

    assert sla.due_at(clock, NOON) == NOON + timedelta(days=45)
    assert sla.extended(clock, NOON) == NOON + timedelta(days=90)


@pytest.mark.parametrize("kind", OTHERS)
def test_an_extension_is_two_months_more_than_the_month(kind):
    assert sla.extended(sla.clock_for(kind), datetime(2026, 11, 30, 8, tzinfo=UTC)) == datetime(
        2027, 2, 28, 8, tzinfo=UTC
    )


@pytest.mark.parametrize("law", [None, *sla.laws()])
def test_the_promise_to_erase_is_48_hours_under_any_law_and_is_never_extended(law):
    clock = sla.clock_for(RequestKind.ERASE, law=law)

    assert sla.due_at(clock, NOON) == NOON + TWO_DAYS
    assert sla.extended(clock, NOON) is None


def test_of_what_we_promise_and_what_the_law_says_the_earlier_counts():
    ours, theirs = Period(days=30), Period(months=1)
    clock = sla.clock_for(RequestKind.COPY)
    both = sla.Clock(**{**clock.__dict__, "internal": ours, "legal": theirs})

    february, march = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert sla.due_at(both, february) == theirs.after(february) < ours.after(february)
    assert sla.due_at(both, march) == ours.after(march) < theirs.after(march)


def test_a_law_that_is_not_in_the_table_is_not_guessed():
    with pytest.raises(NotAllowed):
        sla.clock_for(RequestKind.COPY, law="atlantis")


# ------------------------------------------------------------------------------------------------------------ the table
def table(change):
    made = json.loads(sla.CLOCKS_FILE.read_text())
    change(made["clocks"])
    return json.dumps(made)


def test_every_clock_has_words_a_source_and_a_name_that_fits_the_column():
    for clock in sla.clocks().values():
        assert clock.says and clock.source and len(clock.name) <= 24
        assert sla.clock_named(clock.name) is clock
    assert sla.clock_named("of another release") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda clocks: clocks[0].update(legal={"hours": -1}),
        lambda clocks: clocks[0].update(legal={"hours": 1.5}),
        lambda clocks: clocks[0].update(legal={"hours": True}),
        lambda clocks: clocks[0].update(legal={"weeks": 1}),
        lambda clocks: clocks[0].update(legal={"hours": 1, "days": 1}),
        lambda clocks: clocks[0].update(legal=None),
        lambda clocks: clocks[0].update(kinds=["delete"]),
        lambda clocks: clocks[0].update(extended={"months": 3}),
        lambda clocks: clocks[0].pop("source"),
        lambda clocks: clocks.append(dict(clocks[0])),
        lambda clocks: clocks.append(dict(clocks[0]) | {"name": "erase_again"}),
        lambda clocks: clocks.pop(0),
    ],
    ids=[
        "negative", "fraction", "truth", "unit", "two units", "no law", "kind", "erase extended", "no source", "twice",
        "two clocks", "none",
    ],
)  # fmt: skip
def test_a_table_with_a_mistake_is_no_table(change):
    with pytest.raises(BadSettings):
        sla.read(table(change))


def test_what_is_no_json_is_no_table():
    with pytest.raises(BadSettings):
        sla.read("{")


# ------------------------------------------------------------------------------------------------------------ in words
@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59, microseconds=999_999), "59 s"),
        (timedelta(seconds=60), "1 m 0 s"),
        (timedelta(minutes=59, seconds=59), "59 m 59 s"),
        (timedelta(hours=2, minutes=14, seconds=59), "2 h 14 m"),
        (timedelta(hours=47, minutes=59, seconds=59), "47 h 59 m"),
        (timedelta(hours=71, minutes=59), "71 h 59 m"),
        (timedelta(days=3), "3 d 0 h"),
        (timedelta(days=30, hours=5, minutes=59), "30 d 5 h"),
    ],
)
def test_lengths_are_said_in_two_units_and_rounded_down(length, words):
    assert sla.in_words(length) == words
    assert sla.in_words(-length) == words


@pytest.mark.parametrize(
    ("now", "done", "says"),
    [
        (timedelta(hours=-31, minutes=-4), None, "31 h 4 m left"),
        (timedelta(0), None, "0 s left"),
        (timedelta(hours=2, minutes=14), None, "overdue by 2 h 14 m"),
        (timedelta(days=9), timedelta(hours=-40), "40 h 0 m early"),
        (timedelta(days=9), timedelta(minutes=9, seconds=1), "missed by 9 m 1 s"),
    ],
)
def test_a_timer_in_words(now, done, says):
    this = Timed(NOON, None if done is None else NOON + done)
    now = NOON + now

    assert sla.says(sla.standing(this, now), this.due_at, this.done_at, now) == says
    assert sla.left(this.due_at, now) == NOON - now


def test_every_standing_has_words_and_an_icon():
    assert [standing.label for standing in Standing] == ["on track", "due soon", "breached", "met", "missed"]
    assert len({standing.icon for standing in Standing}) == len(Standing)
