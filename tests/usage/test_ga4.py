"""Google Analytics: off unless it is set up, numbers of a day and nothing else, once at most, for three days."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from core import bootstrap
from core.adapters.ga4 import ADDRESS, Ga4
from core.errors import BadSettings
from core.models import UsageCount, UsageSent
from core.settings import load_settings
from core.usage import funnel, ga4
from core.usage.counting import cell
from core.usage.metrics import STEPS, Metric
from tests.conftest import on_all_threads
from tests.peers.ga4 import google
from tests.peers.process import free_port

ID, SECRET = "G-ABCD123456", "a_secret-0123456789ABC"
DAY = date(2026, 3, 2)  # the clock of tests stands at its noon
THE_NEXT_MORNING = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)


@pytest.fixture
def there():
    with google() as running:
        yield running


@pytest.fixture
def svc(svc, there):
    return replace(svc, analytics=Ga4(ID, SECRET, there.address))


@pytest.fixture
def counted(svc, clock):
    """So many visitors who agreed have come so far, today; it is the next morning."""

    def make(**reached):
        for step, n in reached.items():
            ga4.count(svc, [cell(Metric.STEP, step, at=clock())] * n)
        svc.tally.flush(svc.database, clock())
        clock.now = THE_NEXT_MORNING

    return make


def kept(svc):
    with svc.reading() as session:
        return {row.a: row.n for row in session.exec(select(UsageCount).where(UsageCount.metric == Metric.GA_STEP))}


def sent_days(svc):
    """Of those that something was counted on, or later."""
    with svc.reading() as session:
        sent = session.exec(select(UsageSent).where(UsageSent.what == "ga4", UsageSent.day >= DAY))
        return sorted(row.day for row in sent)


def values(hit):
    return {event["name"]: event["params"]["value"] for event in hit.body["events"]}


# ------------------------------------------------------------------------------------------------------ what leaves
def test_the_numbers_of_a_day_leave_as_the_protocol_wants_them_and_nothing_else_does(svc, there, counted):
    counted(visit=31, photo=22, checks=22, generate=16, ready=10, download=5)
    ga4.send_due(svc)

    (hit,) = there.got
    assert there.complaints() == []
    assert (hit.path, hit.query) == ("/mp/collect", {"measurement_id": [ID], "api_secret": [SECRET]})
    client, consent = hit.body.pop("client_id"), {"ad_user_data": "DENIED", "ad_personalization": "DENIED"}
    noon = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp())
    told = {"visit": 31, "photo": 22, "checks": 22, "generate": 16, "ready": 10, "download": 5}
    assert hit.body == {
        "timestamp_micros": noon * 1_000_000,
        "consent": consent,
        "events": [
            {"name": f"workshot_{step}", "params": {"value": n, "day": "2026-03-02"}} for step, n in told.items()
        ],
    }
    assert client.endswith(f".{noon}") and len(client) < 25
    wanted = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type"}
    assert {name.lower() for name in hit.headers} == wanted and hit.headers["User-Agent"] == "WorkShot"


def test_each_day_comes_from_another_nobody(svc, there, clock, counted):
    counted(visit=5)
    ga4.send_due(svc)
    counted(visit=7)
    clock.advance(days=1)
    ga4.send_due(svc)
    first, second = there.got
    assert first.body["client_id"] != second.body["client_id"]
    assert [values(hit) for hit in there.got] == [{"workshot_visit": 5}, {"workshot_visit": 7}]


@pytest.mark.parametrize(
    ("reached", "told"),
    [
        ({"visit": 4}, {}),
        ({"visit": 5, "photo": 4}, {"visit": 5}),
        ({"visit": 20, "photo": 16, "checks": 15}, {"visit": 20, "checks": 15}),  # four stopped at the photo
        ({"visit": 20, "photo": 20, "checks": 15, "generate": 12}, {"visit": 20, "photo": 20, "checks": 15}),
        ({}, {}),
    ],
)
def test_no_small_number_leaves_and_none_that_two_would_differ_by(reached, told):
    assert ga4.sendable(reached, 5) == told


def test_a_day_of_few_opens_no_connection_and_is_done_with(svc, there, counted):
    counted(visit=4)
    ga4.send_due(svc)
    assert there.connections == 0 and sent_days(svc) == [DAY]


# ------------------------------------------------------------------------------------------------------------- once
def test_a_day_goes_out_once_however_many_look(svc, there, clock, counted):
    counted(visit=9)
    on_all_threads(lambda: ga4.send_due(svc), times=4)
    clock.advance(hours=1)
    ga4.send_due(svc)
    assert len(there.got) == 1


def test_a_day_waits_until_all_of_it_is_written(svc, there, clock, counted):
    counted(visit=9)
    clock.now = THE_NEXT_MORNING - timedelta(seconds=1)
    ga4.send_due(svc)
    assert there.got == [] and sent_days(svc) == []


@pytest.mark.parametrize("answer", [500, 503, 403, 302])
def test_what_it_refused_is_tried_again_within_the_hour(svc, there, clock, counted, answer):
    counted(visit=9)
    there.answers = answer
    ga4.send_due(svc)
    assert there.connections == 1 and sent_days(svc) == []
    there.answers = 204
    clock.advance(hours=1)
    ga4.send_due(svc)
    assert [values(hit) for hit in there.got] == [{"workshot_visit": 9}]


def test_an_outage_is_tried_for_three_days_and_then_given_up(svc, there, clock, counted):
    away = replace(svc, analytics=Ga4(ID, SECRET, f"http://127.0.0.1:{free_port()}/mp/collect"))
    counted(visit=9)
    clock.now = datetime(2026, 3, 5, 11, 59, tzinfo=UTC)
    ga4.send_due(away)
    assert sent_days(svc) == [date(2026, 3, 3), date(2026, 3, 4)]  # nothing was counted on those
    clock.now = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)  # Google takes nothing older than 72 hours
    ga4.send_due(svc)
    assert there.connections == 0


def test_where_it_may_have_been_taken_it_is_not_sent_again(svc, there, clock, counted, caplog):
    counted(visit=9)
    there.hangs_up = True
    ga4.send_due(svc)
    there.hangs_up = False
    clock.advance(hours=1)
    ga4.send_due(svc)
    assert len(there.got) == 1 and "may have counted" in caplog.text


def test_the_network_is_asked_outside_any_transaction(svc, counted):
    class Looks:
        def send(self, day, counts):
            assert svc.database.pool.checkedout() == 0

    counted(visit=9)
    ga4.send_due(replace(svc, analytics=Looks()))
    assert sent_days(svc) == [DAY]


# ------------------------------------------------------------------------------------------------------ off, and gone
def test_off_it_counts_nothing_and_opens_no_connection(svc, there, clock):
    off = replace(svc, analytics=None)
    ga4.count(off, [cell(Metric.STEP, step, at=clock()) for step in STEPS])
    svc.tally.flush(svc.database, clock())
    clock.now = THE_NEXT_MORNING
    ga4.send_due(off)
    assert kept(svc) == {} and there.connections == 0 and sent_days(svc) == []


def test_only_who_agreed_is_counted_for_it_and_on_the_day_of_the_visit(svc, there, clock):
    clock.now = datetime(2026, 3, 2, 23, 50, tzinfo=UTC)
    for number in range(12):
        funnel.reached(svc, f"{number:064}", "visit", agreed=number < 7, user_agent="iPhone", accepts="de")
    clock.advance(minutes=20)
    for number in range(12):
        funnel.reached(svc, f"{number:064}", "photo", agreed=number < 7)
        funnel.reached(svc, f"{number:064}", "photo", agreed=number < 7)
    svc.tally.flush(svc.database, clock())
    assert kept(svc) == {"visit": 7, "photo": 7}
    clock.now = THE_NEXT_MORNING
    ga4.send_due(svc)
    assert [values(hit) for hit in there.got] == [{"workshot_visit": 7, "workshot_photo": 7}]


def test_made_up_numbers_stay_here(svc, there, clock):
    with svc.transaction() as session:
        session.add(UsageCount(demo=True, day=DAY, metric=Metric.GA_STEP, a="visit", b="", n=50))
    clock.now = THE_NEXT_MORNING
    ga4.send_due(svc)
    assert there.connections == 0


def test_the_tally_of_who_agreed_is_forgotten_within_days(svc, clock, counted):
    counted(visit=9)
    clock.now = datetime(2026, 3, 6, 23, tzinfo=UTC)
    ga4.send_due(svc)
    assert kept(svc) == {"visit": 9}
    clock.advance(hours=1)
    ga4.send_due(replace(svc, analytics=None))  # also after it was switched off
    assert kept(svc) == {}


@pytest.mark.parametrize("answer", [204, 500])
def test_no_log_says_the_secret(svc, there, counted, caplog, answer):
    caplog.set_level(logging.DEBUG)
    counted(visit=9)
    there.answers = answer
    ga4.send_due(svc)
    assert there.connections == 1
    assert SECRET not in caplog.text and SECRET not in repr(svc.analytics)


# -------------------------------------------------------------------------------------------------------- settings
def test_by_default_nobody_else_is_told(tmp_path):
    assert bootstrap.analytics(load_settings(data_dir=tmp_path)) is None


def test_set_up_it_is_google_over_https(tmp_path):
    told = bootstrap.analytics(load_settings(data_dir=tmp_path, ga4_measurement_id=ID, ga4_api_secret=SECRET))
    assert told == Ga4(ID, SECRET, "https://www.google-analytics.com/mp/collect") and "debug" not in ADDRESS


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ga4_measurement_id": ID}, "both or not at all"),
        ({"ga4_api_secret": SECRET}, "both or not at all"),
        ({"ga4_measurement_id": "UA-12345-1", "ga4_api_secret": SECRET}, "GA4_MEASUREMENT_ID: Value error, is not"),
        ({"ga4_measurement_id": ID, "ga4_api_secret": "two words"}, "copy it anew"),
    ],
)
def test_half_a_setting_stops_the_start_and_is_named(given, says):
    with pytest.raises(BadSettings) as caught:
        load_settings(**given)
    assert says in str(caught.value) and SECRET not in str(caught.value) and "two words" not in str(caught.value)
