"""What people are told of a breach, on every page."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from core.breaches import register
from core.language import ENGLISH, _, current, speaking
from core.models import Breach, BreachOutcome
from core.services import Services
from core.watching import Watch

LOOKED_AT_EVERY: Final = timedelta(seconds=10)

Notices = Sequence[Mapping[str, str]]


def _told(svc: Services) -> Notices:
    with svc.reading() as session:
        return [_notice(breach) for breach in register.are_shown(session, svc.clock())]


def _notice(breach: Breach) -> Mapping[str, str]:
    """As it was told; where it turned out to be none, that is added."""
    told = register.notice_of(breach)
    return told if breach.outcome is not BreachOutcome.NONE else {lang: _took_back(lang, told[lang]) for lang in told}


def _took_back(language: str, text: str) -> str:
    with speaking(language):
        return f"{text} {_('Since then it turned out that it was no breach.')}"


def watch() -> Watch[Notices]:
    return Watch(_told, every=LOOKED_AT_EVERY, unseen=())


_watch = watch()
look_again = _watch.look_again


def told_now(svc: Services, seen_by: Watch[Notices] = _watch) -> str:
    """For the top of every page, in the reader's language; empty where there is nothing to tell."""
    told = [notice.get(current()) or notice.get(ENGLISH, "") for notice in seen_by.seen(svc)]
    return " ".join(filter(None, told))
