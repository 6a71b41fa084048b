"""
The embedded runner: a few threads of this process that look for work, and one that keeps the worker's heart beating.

It delivers at least once and knows nothing of jobs: whatever it calls may be called again. Woken when this process
has made work, it looks at once; otherwise it looks every half second, for work that another process has made.
"""

import logging
import threading
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds


class EmbeddedRunner:
    """`looks`: one thread each; a call does one piece of work and says whether there was any. `rest` is called last."""

    def __init__(
        self,
        looks: Sequence[Callable[[], bool]],
        *,
        beat: Callable[[], None],
        beat_every: float,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._looks = looks
        self._beat = beat
        self._beat_every = beat_every
        self._rest = rest
        self._stopping = threading.Event()
        self._wakers = [threading.Event() for _ in looks]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._threads = [
            threading.Thread(target=self._work, args=(look, waker), name=f"worker-{n}", daemon=True)
            for n, (look, waker) in enumerate(zip(self._looks, self._wakers, strict=True))
        ]
        self._threads.append(threading.Thread(target=self._keep_beating, name="worker-beat", daemon=True))
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        for waker in self._wakers:
            waker.set()

    def stop(self, timeout: float = 10.0) -> None:
        """Let every thread finish the step it is in, but not for ever: a step that is cut off is done again."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout / max(1, len(self._threads)))
        self._guarded(self._rest)

    def _work(self, look: Callable[[], bool], waker: threading.Event) -> None:
        while not self._stopping.is_set():
            waker.clear()
            if not self._guarded(look):
                waker.wait(LOOK_EVERY)

    def _keep_beating(self) -> None:
        while True:
            self._guarded(self._beat)
            if self._stopping.wait(self._beat_every):
                return

    def _guarded(self, call: Callable[[], bool | None]) -> bool:
        """A database that is away for a minute must not end the thread that erases."""
        try:
            return bool(call())
        except Exception as exc:
            log.error("worker: %s", type(exc).__name__)
            self._stopping.wait(LOOK_EVERY)
            return False
