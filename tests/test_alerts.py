"""People on duty hear of a clock in time: each threshold once, the most urgent only, and never of whom it is."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from core import alerts, bootstrap, breaches, doctor, jobs, telling
from core.adapters.duty import Duty
from core.models import (
    Alert,
    AuditEntry,
    BreachKind,
    Job,
    JobKind,
    Request,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    RequestState,
    new_id,
)
from core.settings import load_settings
from tests.peers.webhook import webhook

PROMISE = timedelta(hours=48)


class Listener:
    """A Notify that keeps what it hears, unless told not to listen."""

    def __init__(self):
        self.heard, self.listens, self.meanwhile = [], True, lambda: None

    def tell(self, title, text):
        self.meanwhile()
        if self.listens:
            self.heard.append((title, text))
        return self.listens

    def check(self):
        return 1, 1


@pytest.fixture
def notify():
    return Listener()


@pytest.fixture
def svc(svc, notify, limit_to):
    return replace(limit_to(alert_urls=load_settings(alert_urls="json://127.0.0.1/").alert_urls), notify=notify)


@pytest.fixture
def given(svc):
    """A request of this number whose clock ends in so long."""

    def one(number="D-1", *, left=PROMISE, kind=RequestKind.ERASE, **columns):
        now = svc.clock()
        clock = "erase" if kind is RequestKind.ERASE else "month"
        state, channel = columns.pop("state", RequestState.OPEN), RequestChannel.EMAIL
        due = {"received_at": now + left - PROMISE, "due_at": now + left, "entered_at": now}
        row = Request(number=number, kind=kind, channel=channel, state=state, clock=clock, **due, **columns)
        with svc.transaction() as session:
            session.add(row)
        return row

    return one


@pytest.fixture
def look(svc):
    """A minute of the worker."""
    worker = jobs.Worker(svc)

    def once():
        worker.beat()
        while worker.look([JobKind.ALERTS]):
            pass

    return once


def told(notify):
    """What was heard since the last time, titles only."""
    titles = [title.removeprefix("WorkShot: ") for title, _ in notify.heard]
    notify.heard.clear()
    return titles


def rows(svc):
    with svc.reading() as session:
        return {(alert.threshold, alert.sent_at is not None) for alert in session.exec(select(Alert))}


def test_each_threshold_is_told_once_to_the_second(svc, notify, given, clock):
    row = given(left=PROMISE)
    second = timedelta(seconds=1)
    for left, says in (
        (timedelta(hours=24), "1 request due within 24 hours"),
        (timedelta(hours=6), "1 request due within 6 hours"),
        (timedelta(hours=1), "1 request due within 1 hour"),
        (-second, "1 request overdue"),
    ):
        for instant, heard in ((row.due_at - left - second, []), (row.due_at - left, [says]), (clock.now, [])):
            clock.now = max(instant, clock.now)
            alerts.tell(svc, clock.now)
            assert told(notify) == heard
        clock.advance(minutes=20)
        alerts.tell(svc, clock.now)
        assert told(notify) == [], "once"
    assert rows(svc) == {("24h", True), ("6h", True), ("1h", True), ("breached", True)}


@pytest.mark.parametrize(
    ("left", "threshold"),
    [(25, None), (24, "24h"), (23, "24h"), (6, "6h"), (5, "6h"), (1, "1h"), (0, "1h"), (-1, "breached")],
)
def test_a_threshold_is_met_to_the_instant(svc, given, clock, left, threshold):
    given(left=timedelta(hours=left))
    alerts.tell(svc, clock.now)
    assert rows(svc) == ({(threshold, True)} if threshold else set())


def test_after_a_night_without_a_worker_only_the_most_urgent_is_told(svc, notify, given, look, clock):
    given(left=timedelta(hours=30))
    look()
    clock.advance(hours=31)
    look()
    look()
    assert told(notify) == ["1 request overdue"] and rows(svc) == {("breached", True)}


def test_several_are_told_in_one_the_most_urgent_first(svc, notify, given, clock):
    for number, hours in (("D-1", 20), ("D-2", -2), ("D-3", 0.5), ("D-4", 0.6), ("D-5", 40)):
        given(number, left=timedelta(hours=hours))
    alerts.tell(svc, clock.now)
    ((title, text),) = notify.heard
    assert title == "WorkShot: 1 request overdue, 2 requests due within 1 hour, 1 request due within 24 hours"
    assert text.split("\n") == [
        "D-2: overdue by 2 h 0 min, due 02 Mar 2026, 10:00:00 UTC",
        "D-3: 30 min left, due 02 Mar 2026, 12:30:00 UTC",
        "D-4: 36 min left, due 02 Mar 2026, 12:36:00 UTC",
        "D-1: 20 h 0 min left, due 03 Mar 2026, 08:00:00 UTC",
    ]


def test_a_flood_is_told_by_its_number(svc, notify, given, clock):
    for number in range(telling.LISTED + 3):
        given(f"D-{number}", left=timedelta(minutes=number))
    alerts.tell(svc, clock.now)
    assert notify.heard[0][1].split("\n")[-1] == "and 3 more"
    assert told(notify) == ["13 requests due within 1 hour"]


def test_what_is_done_or_closed_alerts_nobody(svc, notify, given, clock):
    now = clock.now
    given("D-1", left=-PROMISE, done_at=now)
    given("D-2", left=-PROMISE, state=RequestState.CLOSED, closed_at=now, outcome=RequestOutcome.WITHDRAWN)
    alerts.tell(svc, now)
    assert told(notify) == []


@pytest.mark.parametrize("state", [RequestState.WAITING, RequestState.UNDO, RequestState.WORKING])
def test_waiting_for_somebody_stops_no_alert(svc, notify, given, clock, state):
    given(left=timedelta(hours=1), state=state)
    alerts.tell(svc, clock.now)
    assert told(notify) == ["1 request due within 1 hour"]


def test_an_extended_clock_is_another_one(svc, notify, given, clock):
    row = given(left=timedelta(hours=20), kind=RequestKind.COPY)
    alerts.tell(svc, clock.now)
    assert told(notify) == ["1 request due within 24 hours"]
    clock.advance(hours=1)
    with svc.transaction() as session:
        stored = session.get_one(Request, row.id)
        stored.extended_at, stored.due_at = clock.now, clock.now + timedelta(days=60)
        session.add(stored)
    clock.advance(days=59, hours=1)
    alerts.tell(svc, clock.now)
    alerts.tell(svc, clock.now)
    assert told(notify) == ["1 request due within 24 hours"]


def test_if_nobody_could_be_reached_it_is_tried_again(svc, notify, given, look, clock):
    given(left=timedelta(minutes=30))
    notify.listens = False
    look()
    for _ in range(2):
        clock.advance(minutes=1)
        look()
    assert rows(svc) == {("1h", False)}
    with svc.reading() as session:
        assert session.exec(select(Alert.tries)).one() == 1, "not each minute"
        assert session.exec(select(AuditEntry).where(AuditEntry.action == "alert:sent")).all() == []

    notify.listens = True
    clock.advance(minutes=2)
    look()
    clock.advance(minutes=20)
    look()
    assert told(notify) == ["1 request due within 1 hour"] and rows(svc) == {("1h", True)}


def test_what_could_not_be_told_in_time_gives_way_to_what_is_more_urgent(svc, notify, given, clock):
    given(left=timedelta(minutes=30))
    notify.listens = False
    alerts.tell(svc, clock.now)
    notify.listens = True
    clock.advance(minutes=31)
    alerts.tell(svc, clock.now)
    clock.advance(minutes=31)
    alerts.tell(svc, clock.now)
    assert told(notify) == ["1 request overdue"]


def test_the_try_is_noted_before_and_nothing_is_locked_meanwhile(svc, notify, given, clock):
    given(left=timedelta(minutes=30))
    seen = []
    notify.meanwhile = lambda: (seen.append(rows(svc)), given("D-2"))
    alerts.tell(svc, clock.now)
    assert seen == [{("1h", False)}]


def test_each_is_in_the_audit_log_with_ids_only(svc, given, look, clock):
    row = given(left=timedelta(hours=1), assignee="0a1b2c3d")
    clock.advance(minutes=1)
    look()
    clock.advance(minutes=1)
    look()
    with svc.reading() as session:
        (entry,) = session.exec(select(AuditEntry).where(AuditEntry.action == "alert:sent")).all()
    assert (entry.ref, json.loads(entry.facts)) == (row.id, {"threshold": "1h"})


def test_an_alert_names_a_number_and_a_page_and_nothing_else(svc, notify, given, clock):
    row = given("D-7Q4K2M9", left=timedelta(hours=1), sealed_key=b"k", sealed_address=b"ann@example.org")
    reachable = replace(svc, settings=svc.settings.model_copy(update={"public_url": "https://workshot.example"}))
    alerts.tell(reachable, clock.now)
    text = "\n".join(notify.heard[0])
    assert text.endswith("The desk: https://workshot.example/ops_deletions")
    assert "D-7Q4K2M9" in text and "ann" not in text and row.id not in text


def test_with_nobody_on_duty_nothing_is_scheduled_and_nothing_is_noted(svc, given, clock):
    given(left=timedelta(hours=1))
    assert alerts.tell(replace(svc, notify=None), clock.now) == 0 and rows(svc) == set()
    empty = load_settings(data_dir=svc.settings.data_dir)
    assert jobs.next_at(JobKind.ALERTS, empty, clock.now) is None and bootstrap.on_duty(empty) is None
    assert jobs.next_at(JobKind.ALERTS, svc.settings, clock.now) == clock.now + timedelta(minutes=1)


def test_a_real_webhook_is_told_and_the_doctor_reads_its_address(svc, given, clock):
    given("D-7Q4K2M9", left=timedelta(hours=1))
    with webhook() as hook:
        urls = f"{hook.url}  no-such-service://x"
        duty = bootstrap.on_duty(load_settings(data_dir=svc.settings.data_dir, alert_urls=urls))
        assert isinstance(duty, Duty) and len(duty.urls) == 2
        alerts.tell(replace(svc, notify=duty), clock.now)
    assert [told["title"] for told in hook.got] == ["WorkShot: 1 request due within 1 hour"]
    check = next(each for each in doctor.examine(replace(svc, notify=duty)) if each.name == "alerts")
    assert check.health is doctor.Health.WARNING and check.says == "1 of 2 addresses in ALERT_URLS are not understood."


@pytest.mark.parametrize(("chokes_on", "heard"), [("breach", "1 request overdue"), ("request", "1 breach to be told")])
def test_one_that_fails_takes_no_other_with_it_and_is_tried_again(svc, notify, given, clock, caplog, chokes_on, heard):
    breaches.note(svc, kind=BreachKind.SERVER, noticed_at=clock.now, press_id=new_id(), actor="operator:one")
    given(left=-timedelta(hours=1))

    class Choking(Listener):
        def tell(self, title, text):
            if chokes_on in title:
                raise ValueError(text)
            return notify.tell(title, text)

    jobs.Worker(replace(svc, notify=Choking())).look([JobKind.ALERTS])
    assert told(notify) == [heard]
    assert "People on duty could not be told: ValueError" in caplog.text and "due 02 Mar" not in caplog.text
    with svc.reading() as session:
        job = session.exec(select(Job).where(Job.kind == JobKind.ALERTS)).one()
    assert job.run_at > clock.now and job.tries == 1
