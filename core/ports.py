"""What the app needs from the outside, as small as its callers need it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from core.errors import StorageUnavailable
from core.language import _


class Presence(StrEnum):
    """What storage answered when asked for an object. Only ABSENT may ever become `gone`."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"  # refused, timed out, or any answer that proves nothing


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """What a store holds, as its listing shows it."""

    key: str
    size: int  # bytes as stored, encryption included
    modified_at: datetime
    whole: bool = True  # False: what `get` does not read, as a half-written file, an old version, an unfinished upload


@dataclass(frozen=True, kw_only=True)
class LifecycleRule:
    """What a store erases by itself."""

    name: str
    enabled: bool
    prefix: str = ""
    days: int | None = None  # after it was written; None: on a date, or not objects
    narrowed: bool = False  # by more than the prefix, as by tags or sizes


class ObjectStore(Protocol):
    """Keeps bytes under random keys, and can be asked whether it still does."""

    place: str
    takes_many: bool
    """Whether asking several things at once is faster than one after the other."""

    def put(self, key: str, data: bytes) -> None:
        """Durable when it returns. Raises StorageUnavailable."""

    def get(self, key: str) -> bytes:
        """Raises ObjectMissing, StorageUnavailable."""

    def erase(self, key: str) -> None:
        """Erasing what is already gone is not an error. Returning is no proof. Raises StorageUnavailable."""

    def erase_many(self, keys: Iterable[str]) -> dict[str, StorageUnavailable]:
        """Like `erase` for each, in as few requests as the store can. Never raises: what failed, and why."""

    def head(self, key: str) -> Presence:
        """Ask for the object itself. Never raises."""

    def listed(self, key: str) -> Presence:
        """Look for the key in a listing, which another part of the store answers. Never raises."""

    def inventory(self) -> Iterator[StoredObject]:
        """Everything there is, in no order, without holding it all at once. Raises StorageUnavailable: a listing
        that breaks off never looks like a short one."""

    def lifecycle_rules(self) -> list[LifecycleRule] | None:
        """What it erases by itself, as it says. None: a store of this kind has no such rules. Raises
        StorageUnavailable, also where we may not ask."""


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How the person wants to be framed: chosen on the preview, before anything is spent."""

    zoom: float = 1.0  # 0.7 to 1.5; above 1 the head fills more of the picture
    turns: int | None = None  # counter-clockwise quarter turns 0..3; None: let the engine see to it


@dataclass(frozen=True, kw_only=True)
class Order:
    """What an engine is asked to make. Holds bytes of a person: lives in memory, for one run."""

    portrait: bytes = field(repr=False)
    ratio: str  # width:height, a shape of data/catalogue.json, as "4:5"
    long_side: int  # pixels, the most that is asked for
    style: str
    backdrop: str
    variants: int  # 1 to 4
    framing: Framing = field(default_factory=Framing)
    backdrop_image: bytes | None = field(default=None, repr=False)
    skip: frozenset[int] = frozenset()  # variants an earlier attempt has already stored


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The engine has begun this stage."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Headshot:
    """One finished variant. `data` carries our AI marks, or its maker's, and nothing of the person's metadata."""

    variant: int  # 1 to 4
    data: bytes = field(repr=False)
    width: int
    height: int
    media_type: str = "image/jpeg"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something a look at the photo has shown. A question where the check is unsure, a statement where it is not."""

    code: str
    says: str  # one or two sentences: what was seen, and how to mend it; with the places of `values`
    blocking: bool = False  # only where a headshot is impossible
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """To whoever reads it now: it is kept while they may change their language."""
        return _(self.says, **self.values)


class Offered(Protocol):
    """What people choose when they choose who makes their headshots."""

    name: str
    title: str
    run_by: str
    takes_note: bool
    takes_clothing: bool
    stages: tuple[str, ...]


class Engine(Offered, Protocol):
    """Makes headshots on this server, saying where it is as it goes."""

    def make(self, order: Order) -> Iterator[Stage | Headshot]:
        """Stages in order, each headshot as it is finished. Raises EngineRefused, EngineUnavailable."""


class HandOver(StrEnum):
    """How a provider is given the pictures that a run needs."""

    LINK = "link"  # an address of ours that serves them once, for minutes
    INLINE = "inline"  # within the request itself
    UPLOAD = "upload"  # its own upload, which leaves a public copy that nobody can erase before its time


@dataclass(frozen=True, kw_only=True)
class Commission:
    """Exactly what is sent to a provider for one variant: the same bytes however often it is made again."""

    model: str
    template: str  # version of the words
    body: bytes = field(repr=False)  # JSON


@dataclass(frozen=True, kw_only=True)
class ProviderResult:
    """A result as the provider names it. Whoever knows the address sees the face."""

    url: str = field(repr=False)
    expires_at: datetime | None = None  # as it says, if it says so


@dataclass(frozen=True, kw_only=True)
class Submission:
    """The provider took it."""

    task_id: str | None  # None: the results are here at once
    results: tuple[ProviderResult, ...] = ()
    replayed: bool = False  # it had taken the very same before, and says so
    request_ref: str | None = None  # its own name for the exchange, for asking it


class TaskState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class TaskReport:
    """What became of a task so far."""

    state: TaskState
    results: tuple[ProviderResult, ...] = ()
    cost: int | None = None  # millionths of a US dollar; None: it does not say
    failure: str | None = None  # our code: provider_refused, provider_failed
    request_ref: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A picture of a provider, checked: its type by its bytes, its size in pixels by its header."""

    data: bytes = field(repr=False)
    media_type: str  # image/jpeg, image/png or image/webp
    width: int
    height: int


class Provider(Offered, Protocol):
    """A named third party that makes headshots: asked, waited for, fetched from. No call is repeated by itself."""

    model: str
    price: int  # millionths of a US dollar for one headshot, as listed; what is charged only it can say
    usual: timedelta
    """How long one headshot takes, as listed."""
    hand_over: HandOver
    result_kept_for: timedelta
    """The longest documented, for what it does not date itself."""
    upload_kept_for: timedelta
    honours_keys: bool
    """Whether the model is documented to answer a repeated key with its first answer, and charge once."""

    def refuses(self, note: str) -> str | None:
        """Why a note cannot be sent on, as a sentence for who wrote it. None: it can."""

    def for_sending(self, picture: bytes) -> bytes:
        """Encoded anew as a JPEG of at most what it takes, nothing in it but pixels; the same each time."""

    def commission(
        self,
        *,
        ratio: str,
        long_side: int,
        style: str,
        purpose: str,
        backdrop: str,
        note: str,
        variant: int,
        portrait: str,
        clothing: str | None,
        backdrop_image: str | None,
    ) -> Commission:
        """Pictures are http(s) or data: URLs. Raises EngineRefused."""

    def upload(self, picture: bytes) -> ProviderResult:
        """Leaves a public copy there. Raises NotTaken, InDoubt (there may be a copy), EngineRefused."""

    def submit(self, commission: Commission, *, key: str) -> Submission:
        """Costs money. Raises NotTaken: nothing was done; EngineRefused: for good, not charged; InDoubt."""

    def task(self, task_id: str) -> TaskReport:
        """Raises NotTaken, EngineUnavailable."""

    def fetch(self, url: str) -> Fetched:
        """Raises EngineRefused (what is there is not acceptable), EngineUnavailable (try again)."""

    def probe(self, url: str) -> Presence:
        """Whether this address still shows it to anybody who knows it. Never raises."""

    def balance(self) -> int | None:
        """What is left, in millionths of a US dollar; None: without limit. Raises EngineUnavailable."""


class Framer(Protocol):
    """Looks at a photo before anything is spent: what is wrong with it, and how a run would frame it."""

    def examine(self, portrait: bytes) -> list[Finding]:
        """What stands in the way of a headshot, the blocking things first."""

    def preview(self, portrait: bytes, *, ratio: str, framing: Framing, long_side: int = 480) -> bytes:
        """A small JPEG in the frame that a run would use. Raises EngineRefused."""

    def before(self, portrait: bytes, *, ratio: str, framing: Framing, long_side: int) -> bytes:
        """The photo as it was, in exactly the frame of the run's headshots. Raises EngineRefused."""

    def shift(self, portrait: bytes, headshot: bytes) -> float | None:
        """How much lighter (+) or darker (-) the skin is in a headshot than in its photo, apart from the light, in CIE
        L*. By colour statistics alone. None: it cannot be told. Never raises for a picture it cannot read."""


class Post(Protocol):
    """Takes our mails out of the house."""

    def send(self, mail: bytes, *, sender: str, to: str) -> None:
        """A whole RFC 5322 message. Taken when it returns. Raises MailRefused, MailUnavailable."""

    def check(self) -> str:
        """Try everything short of sending; what it is, in words. Raises MailUnavailable, whose message says why."""

    def forget(self, *, before: datetime) -> int:
        """Remove what was sent before then, where it is still kept here. How many."""


@dataclass(frozen=True, kw_only=True)
class RawMail:
    """A mail as the mailbox has it, or as much of it as we take."""

    uid: int
    received_at: datetime  # the server's internal date: when it arrived there
    size: int  # bytes of the whole mail
    data: bytes = field(repr=False)  # its headers and the beginning of its text


class Inbox(Protocol):
    """One folder of a mailbox."""

    name: str
    """Says which one, and nothing that a log may not say."""

    def look(self, *, after: tuple[int, int] | None) -> AbstractContextManager[tuple[int, Iterator[RawMail]]]:
        """The folder's UIDVALIDITY, and what came after (UIDVALIDITY, UID), in order of UID; everything if that is None
        or of another UIDVALIDITY. Raises MailUnavailable, also half-way. Signed in for as long as the context."""

    def remove(self, uid_validity: int, uids: Iterable[int]) -> None:
        """Take mails out of the folder for good: when it returns, the server has shown that it has none of them.
        Raises MailUnavailable."""


class Notify(Protocol):
    """Tells people on duty."""

    def tell(self, title: str, text: str) -> bool:
        """True: at least one of them was reached. Never raises."""

    def check(self) -> tuple[int, int]:
        """How many ways to tell them are understood, of how many there are. Tells nobody."""


class Analytics(Protocol):
    """A third party that is told how often things happened on a day, and nothing of anyone."""

    def send(self, day: date, counts: Mapping[str, int]) -> None:
        """What happened how often. Raises AnalyticsUnavailable: nothing was taken. Returns also where that is in doubt:
        such a day is not sent again, as it would be counted twice there."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What a server said to a stranger."""

    status: int
    headers: tuple[tuple[str, str], ...]  # names in lower case
    start: bytes = field(repr=False)  # of its body

    def header(self, name: str) -> str:
        """All of that name, in one line; empty where there is none."""
        return ", ".join(value for known, value in self.headers if known == name)


class Stranger(Protocol):
    """Somebody outside, who knows an address and nothing else."""

    @property
    def way(self) -> str:
        """How it is asked: "https" or "http", over the network; "inside", where this server can only be asked within
        this process, through everything that a request from outside passes."""

    def ask(self, address: str, headers: Mapping[str, str] | None = None) -> Answered | None:
        """A path of our own server, or a whole URL. Follows nothing, sends no cookie but those named. None: nobody
        answered. Never raises."""


class Runner(Protocol):
    """Has a worker's steps called, at least once and sooner or later; who may work on what is not its business."""

    def start(self) -> None:
        """Returns at once."""

    def wake(self, kind: str | None = None) -> None:
        """There may be work now, of this kind if one is named."""

    def stop(self, timeout: float = 10.0) -> None:
        """Let steps in hand finish, but not for ever: a step that is cut off is done again."""
