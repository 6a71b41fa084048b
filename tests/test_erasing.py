"""The switch as every page asks for it: cheap, soon right, and silent about a database that is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread

import pytest
import sqlalchemy as sa

from core import erasing
from core.db import connect
from core.services import Services
from tests.fakes import FrozenClock


@pytest.fixture
def asked(svc: Services) -> Iterator[list[str]]:
    """Every statement that reaches the database."""
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(svc.database, "before_cursor_execute", note)
    yield statements
    sa.event.remove(svc.database, "before_cursor_execute", note)


@contextmanager
def away(svc: Services) -> Iterator[None]:
    """The database refuses whoever asks."""

    def refuse(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("away"))

    sa.event.listen(svc.database, "before_cursor_execute", refuse)
    yield
    sa.event.remove(svc.database, "before_cursor_execute", refuse)


def test_many_pages_ask_the_database_once(svc: Services, clock: FrozenClock, asked: list[str]) -> None:
    watch = erasing.watch()
    assert not any(watch.seen(svc).is_stopped for _ in range(100))
    assert len([one for one in asked if "SELECT" in one]) == 1


def test_what_another_process_threw_is_seen_seconds_later(svc: Services, clock: FrozenClock) -> None:
    watch = erasing.watch()
    watch.seen(svc)
    erasing.stop(svc, reason="wrong-clock", actor="system")
    assert not watch.seen(svc).is_stopped
    clock.advance(seconds=3)
    assert watch.seen(svc) == erasing.state(svc)
    assert watch.seen(svc).is_stopped


def test_what_this_process_threw_is_seen_at_once(svc: Services) -> None:
    watch = erasing.watch()
    watch.seen(svc)
    erasing.stop(svc, reason="wrong-clock", actor="system")
    watch.look_again()
    assert watch.seen(svc).is_stopped


def test_a_clock_that_was_set_back_keeps_nobody_waiting(svc: Services, clock: FrozenClock) -> None:
    watch = erasing.watch()
    watch.seen(svc)
    erasing.stop(svc, reason="wrong-clock", actor="system")
    clock.advance(hours=-5)
    assert watch.seen(svc).is_stopped


def test_without_the_database_it_says_what_it_saw_last(svc: Services, clock: FrozenClock) -> None:
    erasing.stop(svc, reason="wrong-clock", actor="system")
    watch = erasing.watch()
    before = watch.seen(svc)
    clock.advance(hours=1)
    with away(svc):
        assert watch.seen(svc) == before
        assert before.is_stopped
        assert not erasing.watch().seen(svc).is_stopped, "and where nothing was seen yet, nothing"
    erasing.start(svc, actor="system")
    clock.advance(seconds=3)
    assert not watch.seen(svc).is_stopped


def test_a_database_that_is_away_is_not_asked_at_every_page(svc: Services, asked: list[str]) -> None:
    watch = erasing.watch()
    with away(svc):
        for _ in range(10):
            watch.seen(svc)
    assert len(asked) <= 1


def test_a_database_that_cannot_be_reached_is_as_good_as_away(svc: Services) -> None:
    nowhere = replace(svc, database=connect("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    assert erasing.watch().seen(nowhere) == erasing.SwitchState()


def test_another_installation_is_looked_at_by_itself(svc: Services) -> None:
    watch = erasing.watch()
    watch.seen(svc)
    erasing.stop(svc, reason="wrong-clock", actor="system")
    assert watch.seen(replace(svc, clock=FrozenClock())).is_stopped


def test_nobody_waits_while_another_one_looks(svc: Services, clock: FrozenClock) -> None:
    watch, looking, may_go_on = erasing.watch(), Event(), Event()
    watch.seen(svc)
    clock.advance(seconds=3)

    def dawdle(*_: object) -> None:
        looking.set()
        may_go_on.wait(20)

    sa.event.listen(svc.database, "before_cursor_execute", dawdle)
    thread = Thread(target=watch.seen, args=(svc,))
    thread.start()
    try:
        assert looking.wait(20)
        assert not watch.seen(svc).is_stopped
        assert thread.is_alive(), "answered before the one who looks"
    finally:
        may_go_on.set()
        thread.join()
        sa.event.remove(svc.database, "before_cursor_execute", dawdle)
