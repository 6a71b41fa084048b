"""Upkeep: levels of the day, whole months that go, what goes out last. And who writes what is counted, and when."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlmodel import select

from core import bootstrap, canary, jobs, retention
from core.models import (
    Copy,
    CopyKind,
    Job,
    JobKind,
    ProviderHealth,
    Subject,
    UsageCount,
    UsageHour,
    UsageLevel,
    UsageSent,
)
from core.ui import app, server
from core.usage import upkeep
from core.usage.counting import FLUSH_EVERY
from core.usage.metrics import Metric
from tests.usage.told import rows


def levels(svc):
    with svc.reading() as session:
        return {(row.day, row.metric, row.a): row.value for row in session.exec(select(UsageLevel)).all()}


def test_bytes_by_kind_and_what_is_left_as_they_are_now(svc, ask, work, clock, given_copy):
    run_id = ask()
    work()
    canary.release(svc)
    with svc.transaction() as session:
        session.add(ProviderHealth(provider="apimart", failures=0, balance=4_200_000, balance_at=clock()))
        session.add(ProviderHealth(provider="without-limit", failures=0, balance=None, balance_at=clock()))
    upkeep.note_levels(svc)
    with svc.reading() as session:
        held = session.exec(select(Copy).where(Copy.kind != CopyKind.CANARY)).all()
    size = {kind: sum(copy.size for copy in held if copy.kind is kind) for kind in CopyKind}
    today = clock().date()
    assert size[CopyKind.HEADSHOT] > 0
    assert levels(svc) == {
        **{(today, "stored", kind.value): size[kind] for kind in CopyKind if kind is not CopyKind.CANARY},
        (today, "balance", "apimart"): 4_200_000,
    }

    retention.erase_run(svc, run_id)
    work()
    upkeep.note_levels(svc)
    clock.advance(days=1)
    upkeep.note_levels(svc)
    assert {day for day, _, _ in levels(svc)} == {today, today + timedelta(days=1)}
    assert sum(n for (_, metric, _), n in levels(svc).items() if metric == "stored") == 0


def test_what_is_made_up_takes_no_place(svc):
    with svc.transaction() as session:
        subject = Subject(id="demo1", created_at=svc.clock(), sealed_key=b"-")
        session.add(subject)
        session.flush()
        at = {"created_at": svc.clock(), "written_at": svc.clock(), "erase_by": svc.clock() + timedelta(days=1)}
        what = {"kind": CopyKind.PORTRAIT, "place": "vault", "object_key": "demo", "media_type": "image/jpeg"}
        session.add(Copy(id="demo2", subject_id="demo1", width=1, height=1, size=1000, **at, **what))
    upkeep.note_levels(svc)
    assert sum(levels(svc).values()) == 0


def test_whole_months_go_once_nobody_looks_at_them(svc, clock):
    clock.now = clock.now.replace(year=2032, month=5, day=20)
    first = upkeep.first_kept(clock())
    assert first == date(2026, 5, 1)
    before, after = first - timedelta(days=1), first
    with svc.transaction() as session:
        for day in (before, after):
            session.add(UsageCount(day=day, metric="again", a="", b="", n=1))
            session.add(UsageHour(day=day, hour=1, metric="run", n=1))
            session.add(UsageLevel(day=day, metric="stored", a="portrait", value=1))
            session.add(UsageSent(what="summary", day=day, at=clock()))
    assert upkeep.prune(svc) == 4
    with svc.reading() as session:
        for table in (UsageCount, UsageHour, UsageLevel, UsageSent):
            assert [row.day for row in session.exec(select(table)).all()] == [after]


def test_it_is_done_once_an_hour_by_a_thread_that_waits_for_others(svc, worker, clock):
    worker.beat()
    clock.now += jobs.USAGE_EVERY
    worker.beat()
    with svc.reading() as session:
        assert session.get(Job, (JobKind.USAGE, "-")) is not None
    while worker.look(jobs.POST_WORK):
        pass
    with svc.reading() as session:
        assert session.get(Job, (JobKind.USAGE, "-")) is None
    assert levels(svc)


def test_what_cannot_be_sent_holds_up_nothing(svc, worker, clock, caplog):
    def fails(_svc):
        raise RuntimeError("her name")

    sent = []
    upkeep.tend(svc, senders=(fails, sent.append))
    assert sent == [svc]
    assert levels(svc)
    assert "RuntimeError" in caplog.text and "her name" not in caplog.text


def test_a_beat_of_the_worker_writes_what_is_due_and_its_end_all(svc, worker, clock):
    svc.tally.count(Metric.LIMIT, "day", at=clock())
    worker.beat()
    assert len(rows(svc)) == 1
    svc.tally.count(Metric.LIMIT, "busy", at=clock())
    clock.now += FLUSH_EVERY - timedelta(seconds=1)
    worker.beat()
    assert len(rows(svc)) == 1
    worker.rest()
    assert len(rows(svc)) == 2


@pytest.mark.sqlite_only("which database it is makes no difference to when the server writes")
def test_a_server_that_stops_has_written_all(settings, database_url):
    counted = settings.model_copy(update={"worker": "external"})

    async def lives() -> None:
        async with server.lifespan(counted)(None):
            svc = app.services()
            svc.tally.flush(svc.database, svc.clock())
            svc.tally.count(Metric.LIMIT, "day", at=svc.clock())
            assert rows(svc) == []

    asyncio.run(lives())
    again = bootstrap.build(counted)
    assert [(row.metric, row.a, row.n) for row in rows(again)] == [("limit", "day", 1)]
    again.database.dispose()
