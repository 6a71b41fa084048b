"""How it behaves, and all that happened: a new book for each test. A request keeps to the one that it began with."""

import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from starlette.responses import Response

from tests.peers.apimart.faults import WELL, Fault, Gate, Outcome
from tests.peers.apimart.models import MODELS, Model, Order

Door = Literal["upload", "submit", "task", "balance", "file"]
"""Where faults happen. `file`: reading an upload or a result."""

Shape = Literal["default", "versioned", "result", "openai"]
"""Of the answer to a submission. The last two come with the pictures: those tasks take no time."""


@dataclass(kw_only=True)
class Knobs:
    """How it behaves until told otherwise."""

    takes: float = 0  # seconds for a picture; 0: done at the first look
    models: dict[str, Model] = field(default_factory=lambda: dict(MODELS))
    shape: Shape | None = None  # None: as the request and the model have it
    words: tuple[str, ...] = ("pending", "processing")  # while it works, one after the other
    outcome: Outcome = WELL  # of tasks for which none is queued
    faults: dict[Door, Fault] = field(default_factory=dict)  # of requests for which none is queued
    format: str = "PNG"
    pixels: tuple[int, int] | None = None  # of every picture, instead of what was ordered
    outlives: float = 0  # seconds that files stay public after their time; below 0: that they go before; inf: for ever
    honours_keys: bool = True
    takes_inline: bool = True  # False: no model takes data: addresses, as the page about uploads has it
    fetches: int = 1  # times that an address in `image_urls` is read: whoever is behind it may read it too
    unreachable: int = 400  # status where that fails: 400 or 500
    refuses_flat: bool = False  # pictures of a single colour fail, as they did when measured
    unknown_task: int = 400
    success: bool = True  # False: a balance is not told, by a 200
    unlimited: bool = False  # the key has no quota


# -------------------------------------------------------------------------------------------------------- what came in
@dataclass(kw_only=True)
class Reference:
    """A picture that was handed over, as it arrived."""

    how: Literal["link", "inline", "upload"]
    data: bytes = field(repr=False)
    media_type: str


@dataclass(kw_only=True)
class Submission:
    """One POST, whatever became of it."""

    at: datetime
    headers: dict[str, str]  # lower case
    raw: bytes = field(repr=False)
    body: Any
    references: list[Reference] = field(default_factory=list)
    answered: int | None = None  # None: nobody was told anything, or not yet
    task_id: str | None = None  # what it led to
    replayed: bool = False

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def prompt(self) -> str:
        return str(self.body.get("prompt", "")) if isinstance(self.body, dict) else ""


@dataclass(kw_only=True)
class Upload:
    filename: str
    data: bytes = field(repr=False)
    media_type: str
    url: str
    until: datetime


@dataclass(kw_only=True)
class Fetch:
    """An address of `image_urls` that it read, or tried to."""

    url: str
    status: int | None  # None: nobody there
    data: bytes = field(default=b"", repr=False)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Poll:
    task_id: str
    at: datetime
    language: str | None
    word: str  # that was told


@dataclass(kw_only=True)
class Hit:
    """A request at a public address, or elsewhere."""

    method: str
    url: str
    headers: dict[str, str]
    status: int | None  # None: it was hung up on


# ----------------------------------------------------------------------------------------------------- what came of it
@dataclass(kw_only=True)
class Task:
    id: str
    order: Order
    key: str | None
    references: list[Reference]
    outcome: Outcome
    created: datetime
    ends: datetime
    over: bool = False
    urls: list[str] = field(default_factory=list)  # that it tells
    until: datetime | None = None
    cost: float = 0.0


@dataclass(kw_only=True)
class Charge:
    task_id: str
    key: str | None
    prompt: str
    cost: float  # US dollars


@dataclass(kw_only=True)
class File:
    """Something public, to whoever knows its address."""

    path: str
    kind: Literal["upload", "result"]
    media_type: str
    until: datetime
    make: Callable[[], bytes] = field(repr=False)  # when it is first read: nobody waits for it before
    served: Fault | None = None


@dataclass(kw_only=True)
class Key:
    """An idempotency key that has been seen. Without an answer: it is being worked on."""

    digest: str
    at: datetime
    answer: Response | None = None
    task_id: str | None = None


@dataclass(kw_only=True)
class Book:
    knobs: Knobs = field(default_factory=Knobs)
    queued: dict[Door, deque[Fault | None]] = field(default_factory=lambda: defaultdict(deque))
    outcomes: deque[Outcome] = field(default_factory=deque)
    gates: list[Gate] = field(default_factory=list)

    submissions: list[Submission] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    fetched: list[Fetch] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)
    reads: list[Hit] = field(default_factory=list)
    strays: list[Hit] = field(default_factory=list)

    tasks: dict[str, Task] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    charged: list[Charge] = field(default_factory=list)
    balance: float = 10.0
    used: float = 0.0

    def fault_at(self, door: Door) -> Fault | None:
        """What is queued for the next request; if nothing is, what happens to all."""
        queued = self.queued[door]
        return queued.popleft() if queued else self.knobs.faults.get(door)

    def next_outcome(self) -> Outcome:
        return self.outcomes.popleft() if self.outcomes else self.knobs.outcome

    def is_public(self, file: File, now: datetime) -> bool:
        outlives = self.knobs.outlives
        return outlives == math.inf or now < file.until + timedelta(seconds=outlives)
