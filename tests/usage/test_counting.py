"""The tally: what commits is counted, once, whatever becomes of the answers and whoever writes at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import func, select

from core.models import UsageBatch
from core.usage.counting import AT_MOST, BATCHES_KEPT, FLUSH_EVERY, Tally, count
from core.usage.metrics import Metric
from tests.conftest import on_all_threads
from tests.usage.told import hours, rows, told


class Lost(Exception):
    """An answer that never came, with her name in it."""


@dataclass
class Line:
    """A database behind a bad line: says what is to happen at the next transactions, in order."""

    database: sa.Engine
    fate: list[str] = field(default_factory=list)

    @property
    def dialect(self) -> Any:
        return self.database.dialect

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        fate = self.fate.pop(0) if self.fate else "well"
        with self.database.begin() as connection:
            yield connection
            if fate == "lost before":
                raise Lost
        if fate == "lost after":
            raise Lost


def test_what_commits_is_counted_and_what_rolls_back_is_not(svc, clock):
    with svc.transaction() as session:
        count(session, Metric.AGAIN, at=clock())
        count(session, Metric.LIMIT, "day", at=clock(), n=2)
    for _ in range(2):
        with suppress(sa.exc.IntegrityError), svc.transaction() as session:
            count(session, Metric.LIMIT, "network", at=clock())
            session.add(UsageBatch(id="a", day=clock().date()))

    assert told(svc) == {("again", "", ""): 1, ("limit", "day", ""): 2, ("limit", "network", ""): 1}


def test_nothing_is_written_before_a_flush_and_nothing_twice_after_it(svc, clock):
    svc.tally.count(Metric.LIMIT, "day", at=clock())
    assert rows(svc) == []
    assert told(svc) == told(svc) == {("limit", "day", ""): 1}


def test_a_day_is_one_in_utc_and_an_hour_too(svc, clock):
    late = clock.now.replace(hour=23, minute=30).astimezone(tz=None)
    for at in (late, late + timedelta(minutes=45)):
        svc.tally.count(Metric.STEP, "visit", at=at)
    told(svc)

    assert sorted((row.day, row.n) for row in rows(svc)) == [(date(2026, 3, 2), 1), (date(2026, 3, 3), 1)]
    assert hours(svc) == {(23, "step"): 1, (0, "step"): 1}


def test_of_steps_only_visits_have_an_hour(svc, clock):
    for step in ("visit", "photo", "checks"):
        svc.tally.count(Metric.STEP, step, at=clock())
    assert hours(svc) == {(12, "step"): 1}


@pytest.mark.parametrize("fate", ["lost before", "lost after"])
def test_a_batch_whose_answer_was_lost_counts_once(svc, clock, fate):
    line = Line(svc.database, [fate, "lost after", "lost before"])
    svc.tally.count(Metric.LIMIT, "day", at=clock(), n=3)
    for _ in range(3):
        with pytest.raises(Lost):
            svc.tally.flush(line, clock())
        svc.tally.count(Metric.LIMIT, "busy", at=clock())  # what comes meanwhile waits, and is not lost
    svc.tally.flush(line, clock())  # the last there is writes both

    assert sum(row.n for row in rows(svc)) == 6
    assert told(svc) == {("limit", "day", ""): 3, ("limit", "busy", ""): 3}


def test_what_fails_is_said_without_detail_and_tried_again(svc, clock, caplog):
    line = Line(svc.database, ["lost before"])
    svc.tally.count(Metric.LIMIT, "day", at=clock())
    svc.tally.tend(line, clock(), everything=True)
    assert "Lost" in caplog.text and "her name" not in caplog.text
    assert rows(svc) == []

    svc.tally.tend(line, clock())
    assert told(svc) == {("limit", "day", ""): 1}


def test_several_that_flush_at_once_add_up(svc, clock):
    tallies = [Tally() for _ in range(3)]
    free = iter([*tallies, *tallies])  # two threads share one
    cells = [(metric, word) for metric in (Metric.LIMIT, Metric.DOWNLOAD) for word in ("a", "b", "c")]

    def work():
        mine = next(free)
        for n in range(30):
            for metric, word in cells if n % 2 else reversed(cells):
                mine.count(metric, word, at=clock())
            mine.flush(svc.database, clock())

    on_all_threads(work, times=6)
    for tally in tallies:
        tally.flush(svc.database, clock())
    assert told(svc) == {(metric.value, word, ""): 180 for metric, word in cells}


def test_it_is_written_after_a_while_or_when_there_is_much(svc, clock):
    svc.tally.flush_if_due(svc.database, clock())
    svc.tally.count(Metric.LIMIT, "day", at=clock())
    clock.now += FLUSH_EVERY - timedelta(seconds=1)
    svc.tally.flush_if_due(svc.database, clock())
    assert rows(svc) == []
    clock.now += timedelta(seconds=1)
    svc.tally.flush_if_due(svc.database, clock())
    assert len(rows(svc)) == 1

    for number in range(AT_MOST):
        svc.tally.count(Metric.LIMIT, f"w{number}", at=clock())
    svc.tally.flush_if_due(svc.database, clock())
    assert len(rows(svc)) == 1 + AT_MOST


def test_what_is_no_word_is_other(svc, clock):
    for word in ("Ann Example", "ann@example.org", "x" * 41, "naïve"):
        svc.tally.count(Metric.LIMIT, word, at=clock())
    with svc.transaction() as session:
        count(session, Metric.RUN, "on_device", "her words", at=clock())
    assert told(svc) == {("limit", "other", ""): 4, ("run", "on_device", "other"): 1}


def test_ids_of_batches_go_after_two_days(svc, clock):
    for _ in range(4):
        svc.tally.count(Metric.LIMIT, "day", at=clock())
        svc.tally.flush(svc.database, clock())
        clock.now += timedelta(days=1)
    with svc.reading() as session:
        assert session.exec(select(func.count()).select_from(UsageBatch)).one() == BATCHES_KEPT.days + 1
