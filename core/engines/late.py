"""
An engine whose libraries are loaded when it is first needed.

Decoding and computing with pictures takes large libraries. A server that starts, and a command that only erases, need
not wait for them; the server loads them right after it has started, before anyone can have chosen a photo.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from core.ports import Engine, Finding, Framer, Framing, Headshot, Order, Stage


class EngineAndFramer(Engine, Framer, Protocol):
    """What looks at photos and makes headshots of them."""


E = TypeVar("E", bound=EngineAndFramer)


class Late(Generic[E]):
    """Implements ports.Engine and ports.Framer by the engine that `load` gives, which is called once."""

    name: str
    title: str
    run_by: str
    takes_note: bool
    takes_clothing: bool
    stages: tuple[str, ...]

    def __init__(self, load: Callable[[], E]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._loaded: E | None = None

    @property
    def engine(self) -> E:
        """Whoever comes first loads it; who comes meanwhile waits."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def __getattr__(self, name: str) -> Any:
        """Its name, its title and the like."""
        return getattr(self.engine, name)

    def make(self, order: Order) -> Iterator[Stage | Headshot]:
        return self.engine.make(order)

    def examine(self, portrait: bytes) -> list[Finding]:
        return self.engine.examine(portrait)

    def preview(self, portrait: bytes, *, ratio: str, framing: Framing, long_side: int = 480) -> bytes:
        return self.engine.preview(portrait, ratio=ratio, framing=framing, long_side=long_side)

    def before(self, portrait: bytes, *, ratio: str, framing: Framing, long_side: int) -> bytes:
        return self.engine.before(portrait, ratio=ratio, framing=framing, long_side=long_side)

    def shift(self, portrait: bytes, headshot: bytes) -> float | None:
        return self.engine.shift(portrait, headshot)
