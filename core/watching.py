"""What every page asks the database: looked at now and then, by one who asks while the others go on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from core.services import Services

FIRST_LOOK_WAITED_FOR: Final = 2.0  # seconds, by those who come while another one looks

T = TypeVar("T")


@dataclass(frozen=True)
class _Seen(Generic[T]):
    svc: Services
    at: datetime | None  # None: to be looked at again
    found: T


class Watch(Generic[T]):
    """While the database is away it says what it saw last: there are pages that need no database, and they open."""

    def __init__(self, look: Callable[[Services], T], *, every: timedelta, unseen: T) -> None:
        """`unseen`: what is said as long as nothing was seen."""
        self._look, self._every, self._unseen = look, every, unseen
        self._seen: _Seen[T] | None = None
        self._looking = Lock()

    def seen(self, svc: Services) -> T:
        seen = self._seen if self._seen and self._seen.svc is svc else None
        if seen and seen.at and abs(svc.clock() - seen.at) < self._every:
            return seen.found
        last = seen.found if seen else self._unseen
        if not self._looking.acquire(timeout=0 if seen else FIRST_LOOK_WAITED_FOR):
            return last
        try:
            return self._look_now(svc, last)
        finally:
            self._looking.release()

    def look_again(self) -> None:
        """It was changed here, a moment ago."""
        if seen := self._seen:
            self._seen = _Seen(seen.svc, None, seen.found)

    def _look_now(self, svc: Services, last: T) -> T:
        try:
            found = self._look(svc)
        except SQLAlchemyError:
            found = last
        self._seen = _Seen(svc, svc.clock(), found)
        return found
