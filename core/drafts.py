"""
Photos between upload and consent: in memory only, for minutes, and never on any disk.

Nothing may be stored of a person who has not agreed to it yet, but the page must show the photo and what is wrong
with it before it can ask. So a draft waits here. It leaves by being taken into a run, dropped, replaced, or
forgotten when its time is up; a restart forgets all of them, and the person adds the photo again.
"""

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from core.clock import Clock
from core.errors import Busy, NotFound
from core.language import _

if TYPE_CHECKING:  # intake reads pictures, for which large libraries are loaded; this only keeps what it gave
    from core.intake import CleanPhoto


class DraftKind(StrEnum):
    PORTRAIT = "portrait"
    CLOTHING = "clothing"
    BACKDROP = "backdrop"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One photo in waiting. The contract's clock starts at `received_at`; `id` is what a preview asks for."""

    id: str
    kind: DraftKind
    received_at: datetime
    photo: "CleanPhoto" = field(repr=False)
    original_hash: str | None = field(default=None, repr=False)  # keyed, of the file that the person has

    @property
    def size(self) -> int:
        return len(self.photo.data)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A draft is never written anywhere.")


@dataclass(kw_only=True)
class _Shelf:
    """What one browser session has added, and when it last asked for it."""

    touched_at: datetime
    drafts: dict[DraftKind, Draft] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(draft.size for draft in self.drafts.values())


class Drafts:
    """Holds each session's drafts within one bound of memory. Safe to share between threads."""

    def __init__(
        self,
        clock: Clock,
        *,
        keep_for: timedelta = timedelta(minutes=30),
        max_bytes: int = 256 << 20,
        max_per_session: int = 64 << 20,
        safe_for: timedelta = timedelta(minutes=1),
    ) -> None:
        self._clock = clock
        self._keep_for = keep_for
        self._max_bytes = max_bytes
        self._max_per_session = max_per_session
        self._safe_for = safe_for
        self._shelves: dict[str, _Shelf] = {}
        self._lock = threading.Lock()

    def put(self, session: str, kind: DraftKind, photo: "CleanPhoto", *, original_hash: str | None = None) -> Draft:
        """Replaces the session's draft of this kind. Raises Busy when there is no room."""
        with self._lock:
            now = self._clock()
            self._forget_expired(now)
            draft = Draft(
                id=secrets.token_urlsafe(16), kind=kind, received_at=now, photo=photo, original_hash=original_hash
            )
            shelf = self._shelves.get(session) or _Shelf(touched_at=now)
            others = sum(other.size for other in shelf.drafts.values() if other.kind is not kind)
            if others + draft.size > self._max_per_session:
                raise Busy(_("These photos are too large together. Please use smaller copies."))
            self._make_room(session, others + draft.size, now)
            shelf.drafts[kind] = draft
            shelf.touched_at = now
            self._shelves[session] = shelf
            return draft

    def get(self, session: str, kind: DraftKind) -> Draft | None:
        with self._lock:
            return self._drafts_of(session).get(kind)

    def find(self, session: str, draft_id: str) -> Draft:
        """By the id in a preview's address. Raises NotFound, alike for foreign, expired and unknown ids."""
        with self._lock:
            for draft in self._drafts_of(session).values():
                if secrets.compare_digest(draft.id.encode(), draft_id.encode()):
                    return draft
        raise NotFound(_("There is no such picture."))

    def take(self, session: str) -> dict[DraftKind, Draft]:
        """Hands over all of a session's drafts, and holds them no longer."""
        with self._lock:
            drafts = self._drafts_of(session)
            self._shelves.pop(session, None)
            return drafts

    def drop(self, session: str, kind: DraftKind | None = None) -> int:
        """Forgets one kind, or all; answers how many there were."""
        with self._lock:
            shelf = self._shelves.get(session)
            if shelf is None:
                return 0
            gone = [one for one in shelf.drafts if kind is None or one is kind]
            for one in gone:
                del shelf.drafts[one]
            if not shelf.drafts:
                del self._shelves[session]
            return len(gone)

    def prune(self) -> int:
        """Forgets what has waited too long; answers how many. A timer calls this, and so does every access."""
        with self._lock:
            return self._forget_expired(self._clock())

    @property
    def held_bytes(self) -> int:
        with self._lock:
            return self._held()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(shelf.drafts) for shelf in self._shelves.values())

    def __repr__(self) -> str:
        return f"<Drafts: {len(self)} held, {self.held_bytes} of {self._max_bytes} bytes>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Drafts are never written anywhere.")

    # Below, the lock is held.

    def _held(self) -> int:
        return sum(shelf.size for shelf in self._shelves.values())

    def _drafts_of(self, session: str) -> dict[DraftKind, Draft]:
        now = self._clock()
        self._forget_expired(now)
        shelf = self._shelves.get(session)
        if shelf is None:
            return {}
        shelf.touched_at = now
        return dict(shelf.drafts)

    def _forget_expired(self, now: datetime) -> int:
        forgotten = 0
        for session, shelf in list(self._shelves.items()):
            for draft in list(shelf.drafts.values()):
                if now - draft.received_at >= self._keep_for:
                    del shelf.drafts[draft.kind]
                    forgotten += 1
            if not shelf.drafts:
                del self._shelves[session]
        return forgotten

    def _make_room(self, session: str, needed: int, now: datetime) -> None:
        """Whoever has not looked for longest goes first; nobody goes who looked within the last minute."""
        others = self._held() - (self._shelves[session].size if session in self._shelves else 0)
        going: list[str] = []
        for name in self._oldest_first(session, now):
            if others + needed <= self._max_bytes:
                break
            others -= self._shelves[name].size
            going.append(name)
        if others + needed > self._max_bytes:
            raise Busy(_("Many people are adding photos right now. Please try again in a minute."))
        for name in going:
            del self._shelves[name]

    def _oldest_first(self, session: str, now: datetime) -> Iterator[str]:
        idle = (
            (shelf.touched_at, name)
            for name, shelf in self._shelves.items()
            if name != session and now - shelf.touched_at >= self._safe_for
        )
        return (name for _since, name in sorted(idle))
