"""The database: aware instants, one writer at a time on SQLite, and a file for its owner alone."""

import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core.clock import next_utc_midnight, utc_now
from core.db import connect
from core.models import JobKind, Tick
from tests.conftest import on_all_threads

INSTANTS = [
    datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),  # does not exist on a clock there
    datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=ZoneInfo("Europe/Berlin")),  # exists twice
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(2028, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=14))),
]


@pytest.mark.parametrize("instant", INSTANTS)
def test_an_instant_comes_back_as_the_same_instant_in_utc(svc, instant):
    with svc.transaction() as session:
        session.add(Tick(kind=JobKind.SWEEP, next_at=instant))
    with svc.reading() as session:
        stored = session.exec(select(Tick.next_at)).one()

    assert stored.timestamp() == instant.timestamp()
    assert stored.utcoffset() == timedelta(0)


@pytest.mark.parametrize("instant", INSTANTS)
def test_instants_are_compared_as_instants(svc, instant):
    with svc.transaction() as session:
        session.add(Tick(kind=JobKind.SWEEP, next_at=instant))
    utc = instant.astimezone(UTC)
    with svc.reading() as session:
        assert session.exec(select(Tick).where(Tick.next_at <= utc)).all()
        assert not session.exec(select(Tick).where(Tick.next_at < utc)).all()


def test_a_word_that_nobody_knows_is_refused(svc):
    with pytest.raises(sa.exc.StatementError), svc.transaction() as session:
        session.add(Tick(kind="frobnicate", next_at=utc_now()))


def test_many_writers_take_turns_and_lose_nothing(svc, clock):
    with svc.transaction() as session:
        session.add(Tick(kind=JobKind.SWEEP, next_at=clock()))

    def add_a_second():
        with svc.transaction() as session:
            tick = session.get_one(Tick, JobKind.SWEEP, with_for_update=True)
            tick.next_at += timedelta(seconds=1)
            session.add(tick)

    on_all_threads(add_a_second, times=8)
    with svc.reading() as session:
        assert session.exec(select(Tick.next_at)).one() == clock() + timedelta(seconds=8)


def test_who_reads_does_not_wait_for_who_writes(svc, clock):
    writing, may_end = threading.Event(), threading.Event()

    def write_slowly():
        with svc.transaction() as session:
            session.add(Tick(kind=JobKind.SWEEP, next_at=clock()))
            session.flush()
            writing.set()
            may_end.wait(10)

    thread = threading.Thread(target=write_slowly)
    thread.start()
    assert writing.wait(10)
    with svc.reading() as session:
        assert session.exec(select(Tick)).all() == []
    may_end.set()
    thread.join()
    with svc.reading() as session:
        assert len(session.exec(select(Tick)).all()) == 1


def test_a_failed_transaction_leaves_nothing(svc, clock):
    def fail():
        with svc.transaction() as session:
            session.add(Tick(kind=JobKind.SWEEP, next_at=clock()))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with svc.reading() as session:
        assert session.exec(select(Tick)).all() == []


@pytest.mark.sqlite_only("a server looks after its own files")
def test_an_sqlite_file_is_made_with_its_folder_and_its_safeguards(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'new' / 'x.db'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    engine.dispose()

    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_day_ends_at_midnight_utc():
    assert next_utc_midnight(datetime(2028, 2, 28, 23, 59, 59, 1, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)
    assert next_utc_midnight(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2028, 3, 1, tzinfo=UTC)
    assert utc_now().utcoffset() == timedelta(0)


@pytest.mark.sqlite_only("a server looks after its own files")
def test_who_opens_a_new_file_while_another_one_fills_it_waits(tmp_path):
    """SQLite refuses to change a file's journal at once while somebody writes, however patient one is."""
    path = tmp_path / "new.db"
    first = sqlite3.connect(path, isolation_level=None)
    first.execute("BEGIN IMMEDIATE")
    first.execute("CREATE TABLE made (id)")
    engine = connect(f"sqlite:///{path}")
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(lambda: sa.inspect(engine).get_table_names())
        threading.Event().wait(0.1)
        first.execute("COMMIT")
        assert second.result(20) == ["made"]
    first.close()
    engine.dispose()
