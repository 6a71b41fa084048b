"""Anomalies: in a quiet house nothing is said; what goes wrong is said in words, of published numbers alone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.usage import anomalies, surprise
from core.usage.metrics import STEPS, Metric
from tests.usage.made import quiet, write

pytestmark = pytest.mark.sqlite_only("what is read is the same on both; tests of reading see to that")
NOW = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)  # a Friday
LAST = date(2026, 3, 19)
TUESDAY, WEDNESDAY, THURSDAY = (LAST - timedelta(days=back) for back in (2, 1, 0))


def told(svc, counts, now=NOW):
    write(svc, counts)
    return [anomaly.says for anomaly in anomalies.lately(svc, now=now)]


def times(counts, factor, *days, metric, a=None, b=None):
    for (day, which, its, other), n in list(counts.items()):
        if day in days and which is metric and a in (None, its) and b in (None, other):
            counts[day, which, its, other] = round(n * factor)
    return counts


def test_a_quiet_house_has_nothing_unusual_on_any_day_of_a_month(svc):
    write(svc, quiet(LAST, days=260))
    for back in range(31):
        assert anomalies.lately(svc, now=NOW - timedelta(days=back)) == []


def test_failures_of_an_engine_are_named_with_how_much_and_since_when(svc):
    failing = times(
        quiet(LAST, visits=150), 4, TUESDAY, WEDNESDAY, THURSDAY, metric=Metric.RUN, a="apimart", b="no_person"
    )
    write(svc, failing)
    (anomaly,) = anomalies.lately(svc, now=NOW)
    assert anomaly.says == "Failures at APIMart four times the usual since Tuesday."
    assert (anomaly.about, anomaly.first, anomaly.last) == ("outcomes", TUESDAY, THURSDAY)


def test_a_new_way_to_fail_is_a_failure(svc):
    counts = quiet(LAST)
    for (day, metric, _, b), _ in list(counts.items()):
        if metric is Metric.RUN and b == "no_person":
            counts[day, metric, "apimart", b] = 0
    counts[WEDNESDAY, Metric.RUN, "apimart", "provider_away"] = 9
    counts[THURSDAY, Metric.RUN, "apimart", "provider_away"] = 12
    assert told(svc, counts) == ["Failures at APIMart far more than the usual none since Wednesday."]


def test_what_ended_is_told_with_its_end(svc):
    over = times(quiet(LAST), 5, date(2026, 3, 16), TUESDAY, metric=Metric.RUN, a="on_device", b="no_person")
    assert told(svc, over) == ["Failures on this server five times the usual from Monday to Tuesday."]


def test_no_visits_are_told_with_what_is_usual(svc):
    gone = times(quiet(LAST), 0, WEDNESDAY, THURSDAY, metric=Metric.STEP)
    gone = times(gone, 0, WEDNESDAY, THURSDAY, metric=Metric.HEADSHOT)  # which follows, and is not told apart
    assert told(svc, gone) == ["No visits since Wednesday; usually about 66 a day."]


def test_no_visits_for_so_long_that_a_month_has_none(svc):
    """The root of the month is 0, which is shown, and so is every day of it."""
    counts = {cell: n for cell, n in quiet(date(2026, 4, 4)).items() if cell[0] < date(2026, 3, 31)}
    says = told(svc, counts, now=datetime(2026, 4, 4, 9, tzinfo=UTC))
    assert says == ["No visits since Tuesday; usually about 66 a day."]


def test_so_few_visits_that_the_month_is_hidden(svc):
    counts = {cell: n for cell, n in quiet(date(2026, 4, 4)).items() if cell[0] < date(2026, 3, 31)}
    counts |= {(date(2026, 4, 2), Metric.STEP, step, ""): 3 for step in STEPS}
    says = told(svc, counts, now=datetime(2026, 4, 4, 9, tzinfo=UTC))
    assert says == ["Visits next to nothing of the usual since Tuesday; usually about 66 a day."]


def test_more_visits_are_told_too(svc):
    assert told(svc, times(quiet(LAST), 3, THURSDAY, metric=Metric.STEP)) == ["Visits three times the usual yesterday."]


def test_headshots_that_are_not_made_are_told_where_people_came(svc):
    stuck = times(quiet(LAST, visits=200), 0.25, TUESDAY, WEDNESDAY, THURSDAY, metric=Metric.HEADSHOT, a="on_device")
    assert told(svc, stuck) == [
        "Headshots on this server a quarter of the usual since Tuesday; usually about 452 a day."
    ]


def test_a_dearer_headshot_is_told_in_dollars(svc):
    dear = times(quiet(LAST), 2.5, TUESDAY, WEDNESDAY, THURSDAY, metric=Metric.COST)
    assert told(svc, dear) == ["A headshot at APIMart costs twice the usual since Tuesday: $0.10, usually $0.04."]


@pytest.mark.parametrize(
    ("metric", "a", "usual", "now", "says"),
    [
        (
            Metric.TOOK,
            "on_device",
            "8",
            "25",
            "The median time to the headshots on this server is three times the usual",
        ),
        (
            Metric.QUEUE_WAIT,
            "apimart",
            "2",
            "60",
            "The wait for a start at APIMart (95 of 100 are shorter) is more than",
        ),
        (Metric.GONE_TOOK, "clock", "60", "3600", "The time until photos are shown to be gone (95 of 100 are faster)"),
    ],
)
def test_what_takes_longer_in_this_month_is_told(svc, metric, a, usual, now, says):
    counts = quiet(LAST)
    for back in range(19):
        counts[LAST - timedelta(days=back), metric, a, now] = counts.pop(
            (LAST - timedelta(days=back), metric, a, usual)
        )
    (told_of,) = told(svc, counts)
    assert told_of.startswith(says) and " in March: " in told_of and ", usually " in told_of


def test_refused_photos_and_late_requests_are_told_as_shares_of_the_month(svc):
    counts = times(quiet(LAST), 5, *(LAST - timedelta(days=back) for back in range(19)), metric=Metric.PHOTO_REFUSED)
    for back in range(0, 18, 2):
        day = LAST - timedelta(days=back)
        counts[day, Metric.TICKET_END, "done", "late"] = counts.pop((day, Metric.TICKET_END, "done", "in_time"))
    late, refused = told(svc, counts)
    assert late == "Requests done late far more than the usual none in March: 47 of 100 that were done, usually 0."
    assert refused == "Photos refused five times the usual in March: 20 of 100 visits, usually 4.1."


# ------------------------------------------------------------------------------------------------- what it rests on
def test_fewer_than_k_are_never_told(svc):
    counts = quiet(LAST, visits=20)
    for (day, metric, _, b), _ in list(counts.items()):
        if metric is Metric.RUN and b == "no_person":
            counts[day, metric, "apimart", b] = 0
    counts[THURSDAY, Metric.RUN, "apimart", "provider_away"] = 4
    counts[WEDNESDAY, Metric.RUN, "apimart", "provider_away"] = 4
    assert told(svc, counts) == []


@pytest.mark.parametrize("module", [anomalies, surprise])
def test_it_is_made_of_what_is_published_and_of_nothing_else(module):
    """Nothing that is told in words has a way to the tables of counts."""
    source = Path(module.__file__).read_text()
    assert not any(word in source for word in ("UsageCount", "UsageHour", "UsageLevel", "tally", "_Counted"))


def test_who_has_just_begun_is_told_nothing(svc):
    assert anomalies.lately(svc, now=NOW) == []
    assert told(svc, times(quiet(LAST, days=20), 9, THURSDAY, metric=Metric.RUN)) == []
