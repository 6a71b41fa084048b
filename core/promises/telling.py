"""
Telling: people on duty hear of a promise that broke, once, and once more when it holds again.

What cannot be measured for an hour is told as well: nobody may take silence for good news. What was told last stands
with the promise; it is noted after somebody was reached, outside any transaction. Told and then killed before that:
told once more with the next round, and twice is better than never.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from core.language import count
from core.models import PromiseCheck, PromiseState
from core.promises.shapes import Promise, Says
from core.promises.table import PROMISES
from core.services import Services
from core.telling import listed, page

DARK_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class News:
    promise: Promise
    row: PromiseCheck


def tell(svc: Services, now: datetime, promises: Sequence[Promise] = PROMISES) -> int:
    """How many promises people on duty were told of."""
    if svc.notify is None:
        return 0
    with svc.reading() as session:
        rows = {row.promise: row for row in session.exec(select(PromiseCheck)).all()}
    known = (News(promise, rows[promise.id]) for promise in promises if promise.id in rows)
    news = [one for one in known if _is_news(one.row, now)]
    if not news or not svc.notify.tell(*_words(svc, news, now)):
        return 0
    with svc.transaction() as session:
        for one in news:
            told = None if one.row.state is PromiseState.KEPT else one.row.state
            this = sa.update(PromiseCheck).where(col(PromiseCheck.promise) == one.promise.id)
            session.execute(this.values(told=told, told_at=now))
    return len(news)


def _is_news(row: PromiseCheck, now: datetime) -> bool:
    match row.state:
        case PromiseState.BROKEN:
            return row.told is not PromiseState.BROKEN
        case PromiseState.UNKNOWN:
            return row.told is None and now - row.since >= DARK_FOR
        case _:
            return row.told is not None


# ----------------------------------------------------------------------------------------------------------- words
_SAYS: Final = {
    PromiseState.BROKEN: "broken",
    PromiseState.UNKNOWN: "not measured",
    PromiseState.KEPT: "kept again",
}


def _words(svc: Services, news: Sequence[News], now: datetime) -> tuple[str, str]:
    groups = [(says, [one for one in news if one.row.state is state]) for state, says in _SAYS.items()]
    title = "WorkShot: " + ", ".join(f"{count(len(ones), 'promise')} {says}" for says, ones in groups if ones)
    told = [(says, one) for says, ones in groups for one in ones]
    lines = listed([f"{one.promise.id} is {says}: {_why(one)}{_until(one, now)}" for says, one in told])
    return title, "\n".join([*lines, *page(svc, "All of them", "promises")])


def _why(one: News) -> str:
    return Says.of_json(one.row.evidence).text


def _until(one: News, now: datetime) -> str:
    """When the public is told, if nothing is done."""
    if one.row.state is not PromiseState.BROKEN or one.row.broken_at is None:
        return ""
    public_at = one.row.broken_at + one.promise.grace
    return f" Shown to the public from {public_at:%d %b, %H:%M} UTC on." if public_at > now else " Shown to the public."
