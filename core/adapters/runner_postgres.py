"""
The runner on PostgreSQL: the embedded one, woken by whoever commits work, on whichever machine that was.

Listening is for speed alone. A notification that is lost, or a connection that cannot listen (some poolers), costs a
moment: the threads still look by themselves, as they must for work that time alone makes ready, such as the work of a
dead worker whose lease ends.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing

import psycopg
from psycopg import sql

from core.ports import Runner

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0  # seconds; new work wakes the threads, so this is only for what becomes ready by time
NOTICE_STOP_EVERY = 1.0
CONNECT_AGAIN_AFTER = 1.0


class ListeningRunner:
    """Another runner, woken from afar. `connect` opens a connection of its own, in autocommit."""

    def __init__(self, runner: Runner, *, connect: Callable[[], psycopg.Connection], channel: str) -> None:
        self._runner = runner
        self._connect = connect
        self._listen = sql.SQL("LISTEN {}").format(sql.Identifier(channel))
        self._stopping = threading.Event()
        self._hears = False
        self._thread = threading.Thread(target=self._keep_listening, name="worker-listen", daemon=True)

    def start(self) -> None:
        self._runner.start()
        self._thread.start()

    def wake(self, kind: str | None = None) -> None:
        if not self._hears:  # else it has been announced: an idle thread need not look twice
            self._runner.wake(kind)

    def stop(self, timeout: float = 10.0) -> None:
        self._stopping.set()
        self._runner.stop(timeout)
        self._thread.join(NOTICE_STOP_EVERY * 2)

    def _keep_listening(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._pass_on(connection)
            except Exception as exc:  # PostgreSQL restarts; until it is back, the threads look by themselves
                log.warning("worker: not listening, %s", type(exc).__name__)
                self._stopping.wait(CONNECT_AGAIN_AFTER)

    def _pass_on(self, connection: psycopg.Connection) -> None:
        connection.execute(self._listen)
        self._hears = True
        try:
            self._runner.wake()  # for what was committed while nobody listened
            while not self._stopping.is_set():
                for said in connection.notifies(timeout=NOTICE_STOP_EVERY, stop_after=1):
                    self._runner.wake(said.payload or None)
        finally:
            self._hears = False
