"""What people are told of a breach, for every page: looked at now and then, by one while the others go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from core.breaches import register
from core.language import ENGLISH, _, current, speaking
from core.models import Breach, BreachOutcome
from core.services import Services

LOOKED_AT_EVERY: Final = timedelta(seconds=10)
FIRST_LOOK_WAITED_FOR: Final = 2.0  # seconds, by those who come while another one looks

Notices = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class _Seen:
    svc: Services
    at: datetime | None  # None: to be looked at again
    notices: Notices


class Watch:
    """While the database is away it says what it saw last: there are pages that need no database, and they open."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._looking = Lock()

    def notices(self, svc: Services) -> Notices:
        seen = self._seen if self._seen and self._seen.svc is svc else None
        if seen and seen.at and abs(svc.clock() - seen.at) < LOOKED_AT_EVERY:
            return seen.notices
        if not self._looking.acquire(timeout=0 if seen else FIRST_LOOK_WAITED_FOR):
            return seen.notices if seen else ()
        try:
            return self._look(svc, seen.notices if seen else ())
        finally:
            self._looking.release()

    def look_again(self) -> None:
        """People were told here, a moment ago."""
        if seen := self._seen:
            self._seen = _Seen(seen.svc, None, seen.notices)

    def _look(self, svc: Services, before: Notices) -> Notices:
        try:
            with svc.reading() as session:
                found = [_notice(breach) for breach in register.are_shown(session, svc.clock())]
        except SQLAlchemyError:
            found = list(before)
        self._seen = _Seen(svc, svc.clock(), found)
        return found


def _notice(breach: Breach) -> Mapping[str, str]:
    """As it was told; where it turned out to be none, that is added."""
    told = register.notice_of(breach)
    return told if breach.outcome is not BreachOutcome.NONE else {lang: _took_back(lang, told[lang]) for lang in told}


def _took_back(language: str, text: str) -> str:
    with speaking(language):
        return f"{text} {_('Since then it turned out that it was no breach.')}"


_watch = Watch()
look_again = _watch.look_again


def told_now(svc: Services) -> str:
    """For the top of every page, in the reader's language; empty where there is nothing to tell."""
    told = [notice.get(current()) or notice.get(ENGLISH, "") for notice in _watch.notices(svc)]
    return " ".join(filter(None, told))
