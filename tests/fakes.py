"""Fakes that work: a clock that stands still, a store in memory that can be told to lie, an engine that draws."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from PIL import Image

from core.adapters.one_by_one import OneByOne
from core.errors import EngineRefused, ObjectMissing, StorageUnavailable
from core.ports import Finding, Framing, Headshot, LifecycleRule, Order, Presence, Stage, StoredObject

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class FrozenClock:
    """Stands still until told otherwise."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class MemoryStore(OneByOne):
    """An ObjectStore. Its switches are the ways in which real ones misbehave."""

    place = "vault"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.rules: list[LifecycleRule] | None = None
        self.down = False
        self.erases_nothing = False  # answers 200 and keeps the object
        self.head_refused = False  # 403
        self.listing_lags = False  # still shows what has gone
        self.before_head: Callable[[str], None] = lambda key: None
        self.after_listing: Callable[[str], None] = lambda key: None
        self.before_put: Callable[[str], None] = lambda key: None
        self.after_put: Callable[[str], None] = lambda key: None
        self.clock: Callable[[], datetime] = lambda: NOON
        self._ever: set[str] = set()
        self._put_at: dict[str, datetime] = {}

    def put(self, key: str, data: bytes) -> None:
        self.before_put(key)
        self._require_up()
        self.objects[key] = data
        self._ever.add(key)
        self._put_at[key] = self.clock()
        self.after_put(key)

    def get(self, key: str) -> bytes:
        self._require_up()
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectMissing("This image is not in the vault.") from None

    def erase(self, key: str) -> None:
        self._require_up()
        if not self.erases_nothing:
            self.objects.pop(key, None)

    def head(self, key: str) -> Presence:
        self.before_head(key)
        if self.down or self.head_refused:
            return Presence.UNKNOWN
        return Presence.PRESENT if key in self.objects else Presence.ABSENT

    def listed(self, key: str) -> Presence:
        if self.down:
            return Presence.UNKNOWN
        shown = self._ever if self.listing_lags else self.objects
        answer = Presence.PRESENT if key in shown else Presence.ABSENT
        self.after_listing(key)
        return answer

    def inventory(self) -> Iterator[StoredObject]:
        self._require_up()
        for key in sorted(self._ever if self.listing_lags else self.objects):
            data = self.objects.get(key, b"")
            yield StoredObject(key=key, size=len(data), modified_at=self._put_at.get(key, self.clock()))

    def lifecycle_rules(self) -> list[LifecycleRule] | None:
        self._require_up()
        return self.rules

    def _require_up(self) -> None:
        if self.down:
            raise StorageUnavailable("The vault cannot be reached just now.")


def jpeg(width: int = 400, height: int = 500, colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


class DrawingEngine:
    """An Engine and a Framer that draws plain rectangles, and can be told to fail between two stages."""

    name = "on_device"
    title = "On this server"
    run_by = "this server"
    takes_note = False
    takes_clothing = False
    stages = ("reading", "light", "finishing")

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.refuses: str | None = None
        self.shifts: float | None = None
        self.at_stage: Callable[[str], None] = lambda stage: None
        self.closed = 0

    def make(self, order: Order) -> Iterator[Stage | Headshot]:
        self.orders.append(order)
        if self.refuses:
            raise EngineRefused("We can't see a person in this photo.", code=self.refuses)
        try:
            for name in self.stages:
                self.at_stage(name)
                yield Stage(name=name)
            for variant in range(1, order.variants + 1):
                if variant not in order.skip:
                    self.at_stage(f"variant {variant}")
                    yield Headshot(variant=variant, data=jpeg(80, 100, "navy"), width=80, height=100)
        finally:
            self.closed += 1

    def examine(self, portrait: bytes) -> list[Finding]:
        return []

    def preview(self, portrait: bytes, *, ratio: str, framing: Framing, long_side: int = 480) -> bytes:
        return jpeg(40, 50)

    def before(self, portrait: bytes, *, ratio: str, framing: Framing, long_side: int) -> bytes:
        return jpeg(80, 100, "olive")

    def shift(self, portrait: bytes, headshot: bytes) -> float | None:
        return self.shifts
