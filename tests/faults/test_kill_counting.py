"""
Two workers and a server count at once on PostgreSQL, and one of them is killed: nothing is doubled, and what is lost is
no more than it had not written. That is at most `FLUSH_EVERY` of time, or `AT_MOST` cells and what one beat adds.

Each process tells, through memory that outlives it, how often it has counted and how much of that it knows is written.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from core.models import UsageBatch, UsageCount, WorkerBeat
from core.services import Services
from core.usage.counting import AT_MOST, FLUSH_EVERY, cell, count
from core.usage.metrics import Metric
from tests.conftest import _empty
from tests.faults import victim
from tests.faults.points import Trigger, _watch_statements
from tests.web.served import until

_PROCESSES = multiprocessing.get_context("forkserver")
ALL = "all"
EVERY = 10  # deeds, of a worker between two flushes


@dataclass(frozen=True)
class Counter:
    """One process that counts. Both numbers are read after its death."""

    name: str
    counted: Any = field(default_factory=lambda: _PROCESSES.Value("q", 0))
    written: Any = field(default_factory=lambda: _PROCESSES.Value("q", 0))
    stops: Any = field(default_factory=_PROCESSES.Event)

    def noted(self) -> None:
        self.counted.value += 1

    def flush(self, svc: Services) -> None:
        before = self.counted.value
        svc.tally.flush(svc.database, svc.clock())
        self.written.value = before


def lives(me: Counter, data_dir: Path, database_url: str, dies_at: str, nth: int) -> None:
    svc = victim.services(data_dir, database_url)
    _watch_statements(svc.database, Trigger(dies_at, nth, lambda: os.kill(os.getpid(), signal.SIGKILL)))
    (_pages if me.name == "server" else _deeds)(svc, me)
    me.flush(svc)


def _deeds(svc: Services, me: Counter) -> None:
    """As a worker does: in the transaction of what is done, and now and then all of it is written."""
    while not me.stops.is_set():
        with svc.transaction() as session:
            session.merge(WorkerBeat(worker=me.name, started_at=svc.clock(), seen_at=svc.clock()))
            for word in (me.name, ALL):
                count(session, Metric.LIMIT, word, at=svc.clock())
        me.noted()
        if me.counted.value % EVERY == 0:
            me.flush(svc)


def _pages(svc: Services, me: Counter) -> None:
    """As a server does: pages count in memory, and another thread writes."""
    over = threading.Event()

    def writes() -> None:
        while not over.wait(0.005):
            me.flush(svc)

    beside = threading.Thread(target=writes)
    beside.start()
    while not me.stops.wait(0.0005):
        svc.tally.add([cell(Metric.LIMIT, word, at=svc.clock()) for word in (me.name, ALL)])
        me.noted()
    over.set()
    beside.join()


@pytest.fixture
def database(tmp_path: Path, migrated_postgres: str) -> Iterator[tuple[Path, str]]:
    yield tmp_path / "data", migrated_postgres
    _empty(migrated_postgres)


@pytest.fixture
def start(database: tuple[Path, str]) -> Iterator[Callable[..., tuple[Counter, ForkServerProcess]]]:
    started: list[ForkServerProcess] = []

    def run(name: str, *, dies_at: str = "", nth: int = 1) -> tuple[Counter, ForkServerProcess]:
        me = Counter(name)
        process = _PROCESSES.Process(target=lives, args=(me, *database, dies_at, nth), daemon=True)
        process.start()
        started.append(process)
        return me, process

    yield run
    for process in started:
        process.kill()


@pytest.mark.parametrize(
    ("who", "dies_at"),
    [
        ("worker-1", "batch"),  # nothing of its batch is committed
        ("worker-1", "counts committed"),  # all of it is, and it never heard so
        ("server", ""),  # at any moment
    ],
)
def test_one_dies_and_nothing_is_doubled_or_lost_but_what_it_had_not_written(
    database: tuple[Path, str], start: Callable[..., tuple[Counter, ForkServerProcess]], who: str, dies_at: str
) -> None:
    crew = {
        name: start(name, dies_at=dies_at if name == who else "", nth=4) for name in ("worker-1", "worker-2", "server")
    }
    victim_of_it, process = crew[who]
    if not dies_at:
        assert until(lambda: all(me.written.value > EVERY for me, _ in crew.values()), seconds=60)
        process.kill()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL, "it was to die"
    others = [(me, each) for name, (me, each) in crew.items() if name != who]
    after = [me.counted.value + EVERY for me, _ in others]
    assert until(lambda: all(me.written.value > more for (me, _), more in zip(others, after, strict=True)), seconds=60)
    for me, each in others:
        me.stops.set()
        each.join(60)
        assert each.exitcode == 0

    svc = victim.services(*database)
    told = sums(svc)
    svc.database.dispose()
    for me, _ in others:
        assert told[me.name] == me.counted.value, "it lived, and all of it is there, once"
    had = told[who]
    assert victim_of_it.written.value <= had <= victim_of_it.counted.value
    assert told[ALL] == sum(told[name] for name in crew), "a batch is written whole, or not at all"


def sums(svc: Services) -> dict[str, int]:
    with svc.reading() as session:
        found: dict[str, int] = {}
        for row in session.exec(select(UsageCount)).all():
            found[row.a] = found.get(row.a, 0) + row.n
        assert session.exec(select(UsageBatch)).first() is not None
    return found


def test_what_may_be_lost_is_small() -> None:
    assert timedelta(seconds=10) >= FLUSH_EVERY
    assert AT_MOST <= 500
