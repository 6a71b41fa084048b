"""Fakes that work: a clock that stands still, a store in memory that can be told to lie, an engine that draws."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image

from core.adapters.one_by_one import OneByOne
from core.errors import EngineRefused, ObjectMissing, StorageUnavailable
from core.ports import (
    Commission,
    Fetched,
    Finding,
    Framing,
    HandOver,
    Headshot,
    LifecycleRule,
    Order,
    Presence,
    ProviderResult,
    Stage,
    StoredObject,
    Submission,
    TaskReport,
    TaskState,
)

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


class DrawingProvider:
    """A third party in memory: it takes, works for a while, shows what it made to whoever knows the address, and
    charges. `at` is told each moment (`submit`, `submitted`, `task`, `fetch`, `fetched`, `upload`, `uploaded`,
    `encoded`) and may raise what a real one makes a client raise."""

    name = "apimart"
    title = "APIMart"
    run_by = "APIMart, a third party"
    takes_note = True
    takes_clothing = True
    stages = ("sending", "waiting", "fetching")
    model = "drawing-1"
    price = 15_000
    usual = timedelta(hours=1)
    result_kept_for = timedelta(hours=24)
    upload_kept_for = timedelta(hours=72)

    def __init__(self, clock: Callable[[], datetime], *, hand_over: HandOver = HandOver.INLINE) -> None:
        self.clock = clock
        self.hand_over = hand_over
        self.honours_keys = False
        self.takes = 10.0  # seconds
        self.cost: int | None = 12_500
        self.at: Callable[[str], None] = lambda moment: None
        self.forbids = "celebrity"
        self.reports: dict[TaskState, dict[str, Any]] = {}  # ends other than DONE: state → what else it says
        self.ends = TaskState.DONE
        self.results_per_task = 1
        self.at_once = False  # the answer to a submission has the results
        self.bodies: dict[str, bytes] = {}  # by task, as it took them
        self.keys: list[str] = []  # of everything that it took, in order
        self.known: dict[str, tuple[str, bytes]] = {}  # key → task, body; where it honours keys
        self.taken_at: dict[str, datetime] = {}
        self.open: dict[str, bytes] = {}  # address → what it shows
        self.asked: Counter[str] = Counter()

    @property
    def charged(self) -> Counter[str]:
        """How often each key has been charged for."""
        return Counter(self.keys)

    def refuses(self, note: str) -> str | None:
        return "We cannot make you look like somebody else." if self.forbids in note else None

    def for_sending(self, picture: bytes) -> bytes:
        self.at("encoded")
        return b"sent:" + hashlib.sha256(picture).digest()

    def commission(self, **what: Any) -> Commission:
        body = json.dumps({"model": self.model, **what}, sort_keys=True).encode()
        return Commission(model=self.model, template="t1", body=body)

    def upload(self, picture: bytes) -> ProviderResult:
        self._tell("upload")
        url = f"https://files.example/{len(self.open)}.jpg"
        self.open[url] = picture
        self._tell("uploaded")
        return ProviderResult(url=url)

    def submit(self, commission: Commission, *, key: str) -> Submission:
        self._tell("submit")
        task_id, replayed = f"task_{len(self.keys)}", False
        if self.honours_keys and key in self.known:
            task_id, replayed = self.known[key][0], True
            assert self.known[key][1] == commission.body, "another body under a key that it knows"
        else:
            self.keys.append(key)
            self.known[key] = task_id, commission.body
            self.bodies[task_id], self.taken_at[task_id] = commission.body, self.clock()
        self._tell("submitted")
        if self.at_once:
            return Submission(task_id=None, results=self._results(task_id))
        return Submission(task_id=task_id, replayed=replayed, request_ref="ref-1")

    def task(self, task_id: str) -> TaskReport:
        self._tell("task")
        if self.clock() < self.taken_at[task_id] + timedelta(seconds=self.takes):
            return TaskReport(state=TaskState.WAITING)
        if self.ends is not TaskState.DONE:
            return TaskReport(state=self.ends, **self.reports.get(self.ends, {}))
        return TaskReport(state=TaskState.DONE, results=self._results(task_id), cost=self.cost)

    def _results(self, task_id: str) -> tuple[ProviderResult, ...]:
        urls = [f"https://files.example/{task_id}-{n}.jpg" for n in range(self.results_per_task)]
        self.open |= {url: jpeg(80, 100, "navy") for url in urls}
        return tuple(ProviderResult(url=url, expires_at=self.clock() + timedelta(hours=24)) for url in urls)

    def fetch(self, url: str) -> Fetched:
        self._tell("fetch")
        data = self.open[url]
        self._tell("fetched")
        return Fetched(data=data, media_type="image/jpeg", width=80, height=100)

    def probe(self, url: str) -> Presence:
        return Presence.PRESENT if url in self.open else Presence.ABSENT

    def balance(self) -> int | None:
        self._tell("balance")
        return 5_000_000

    def _tell(self, moment: str) -> None:
        self.asked[moment] += 1
        self.at(moment)
