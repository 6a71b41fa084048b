"""
The embedded runner: a few threads of this process that look for work, and one that keeps the worker's heart beating.

It delivers at least once and knows nothing of jobs but the words for their kinds: whatever it calls may be called
again. Woken when this process has made work, it looks at once; otherwise it looks every half second, for work that
another process has made.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from time import monotonic

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds
OFTEN = 0.2
BREATH = 0.5  # seconds after a failure, so that a database that is away is not asked in a tight loop


@dataclass(frozen=True)
class Look:
    """A call does one piece of work of these kinds and says whether there was any."""

    kinds: Collection[str]
    once: Callable[[], bool]
    often: bool = False  # such work mostly becomes ready by time, and people wait for it


class EmbeddedRunner:
    """`looks`: one thread each. `rest` is called last."""

    def __init__(
        self,
        looks: Sequence[Look],
        *,
        beat: Callable[[], None],
        beat_every: float,
        rest: Callable[[], None] = lambda: None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._looks = looks
        self._look_every = look_every
        self._beat = beat
        self._beat_every = beat_every
        self._rest = rest
        self._stopping = threading.Event()
        self._all_done = threading.Event()
        self._wakers = [threading.Event() for _ in self._looks]
        self._threads: list[threading.Thread] = []
        self._heart = threading.Thread(target=self._keep_beating, name="worker-beat", daemon=True)

    def start(self) -> None:
        """The first beat comes before anything else: whoever is told that the worker has started finds it alive."""
        self._guarded(self._beat)
        self._threads = [
            threading.Thread(target=self._work, args=(look, waker), name=f"worker-{n}", daemon=True)
            for n, (look, waker) in enumerate(zip(self._looks, self._wakers, strict=True))
        ]
        for thread in (*self._threads, self._heart):
            thread.start()

    def wake(self, kind: str | None = None) -> None:
        for look, waker in zip(self._looks, self._wakers, strict=True):
            if kind is None or kind in look.kinds:
                waker.set()

    def stop(self, timeout: float = 10.0) -> None:
        """The heart beats until the last step is done: nobody else takes over what is about to be finished."""
        self._stopping.set()
        self.wake()
        by = monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, by - monotonic()))
        self._all_done.set()
        self._heart.join(BREATH)
        self._guarded(self._rest)

    def _work(self, look: Look, waker: threading.Event) -> None:
        while not self._stopping.is_set():
            waker.clear()
            if not self._guarded(look.once):
                waker.wait(OFTEN if look.often else self._look_every)

    def _keep_beating(self) -> None:
        while not self._all_done.wait(self._beat_every):
            self._guarded(self._beat)

    def _guarded(self, call: Callable[[], bool | None]) -> bool:
        """A database that is away for a minute must not end the thread that erases."""
        try:
            return bool(call())
        except Exception as exc:
            log.error("worker: %s", type(exc).__name__)
            self._stopping.wait(BREATH)
            return False
