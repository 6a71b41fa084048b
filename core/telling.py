"""
Telling people on duty of what has a clock: once for each threshold that it meets, whatever it is.

A row says that a threshold was met, and when it was told. Only the most urgent one that a clock has met is told:
whoever comes back after a night without a worker hears "1 h left", not the three before it.

The row is written, and the try noted, before anybody is told, and no transaction is open meanwhile. Told and then
killed before the commit: told once more, a few minutes later; twice is better than not at all. If nobody could be
reached, it is tried again after a pause, for as long as it is true.

What is told are numbers, kinds and instants, nothing of anybody: it goes through chats and mailboxes of others.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col
from sqlmodel.sql.expression import SelectOfScalar

from core import audit
from core.db import take_turns, upsert
from core.models import AbuseReport, Alert, Breach, Request
from core.services import Services
from core.sla import BREACHED, THRESHOLDS

NEW: Final = "new"
"""The threshold of what is told of the moment it is there."""
FARTHEST: Final = THRESHOLDS[-1][1]
PAUSE_FIRST, PAUSE_LONGEST = timedelta(minutes=2), timedelta(minutes=15)
AT_ONCE: Final = 200
"""Rows in one look; what is left waits a minute."""
LISTED: Final = 10
"""Named in one telling of a kind; beyond it their number says enough."""

NONE, ALL = sa.false(), sa.true()

Row = TypeVar("Row", Request, AbuseReport, Breach)


@dataclass(frozen=True)
class Due(Generic[Row]):
    """Somebody has to hear of this now."""

    row: Row
    threshold: str


Words = Callable[[Services, Sequence[Due[Row]], datetime], tuple[str, str]]


def tell_once(
    svc: Services,
    now: datetime,
    of: type[Row],
    rows: SelectOfScalar[Row],
    words: Words[Row],
    *,
    told: audit.Action,
    at_once: sa.ColumnElement[bool] = NONE,
    this_clock: sa.ColumnElement[bool] = ALL,
) -> int:
    """Tell what is due of these rows, the first of them first. `at_once`: which are told of before any time is short.
    `this_clock`: which alerts were of the clock that runs now, where a row may get another. How many were told of."""
    if svc.notify is None:
        return 0
    with svc.transaction() as session:
        take_turns(session)
        due = _to_tell(session, now, of, rows, at_once, this_clock)
    if not due or not svc.notify.tell(*words(svc, due, now)):
        return 0
    with svc.transaction() as session:
        for one in due:
            this = sa.update(Alert).where(col(Alert.ref) == one.row.id, col(Alert.threshold) == one.threshold)
            session.execute(this.values(sent_at=now, again_at=None))
            audit.record(session, told, one.row.id, at=now, threshold=one.threshold)
    return len(due)


def _to_tell(
    session: Session,
    now: datetime,
    of: type[Row],
    rows: SelectOfScalar[Row],
    at_once: sa.ColumnElement[bool],
    this_clock: sa.ColumnElement[bool],
) -> list[Due[Row]]:
    """What is to be told now, each with its try noted."""
    due_at = col(of.due_at)
    met = _met(due_at, now)
    known = sa.and_(col(Alert.ref) == of.id, col(Alert.threshold) == met, this_clock)
    may_be_tried = sa.and_(col(Alert.sent_at).is_(None), col(Alert.again_at) <= now)
    close = (
        rows.outerjoin(Alert, known)
        .where(sa.or_(due_at <= now + FARTHEST, at_once), sa.or_(col(Alert.at).is_(None), may_be_tried))
        .limit(AT_ONCE)
        .add_columns(met, Alert)
    )
    found = [(Due(row, threshold), alert) for row, threshold, alert in session.execute(close).all()]
    for one, alert in found:
        _note_try(session, one.row.id, one.threshold, alert, now)
    return [one for one, _ in found]


def _met(due_at: Mapped[datetime], now: datetime) -> sa.ColumnElement[str]:
    """The most urgent threshold. Done at the very instant that it is due is in time, so that is no breach yet."""
    return sa.case((due_at < now, BREACHED), *((due_at <= now + left, name) for name, left in THRESHOLDS), else_=NEW)


def _note_try(session: Session, ref: str, threshold: str, alert: Alert | None, now: datetime) -> None:
    at, tries = (alert.at, alert.tries + 1) if alert is not None else (now, 1)
    again_at = now + min(PAUSE_FIRST * 2 ** min(tries - 1, 10), PAUSE_LONGEST)
    values = {"at": at, "sent_at": None, "tries": tries, "again_at": again_at}
    row = upsert(session.get_bind().dialect.name, Alert).values(ref=ref, threshold=threshold, **values)
    session.execute(row.on_conflict_do_update(index_elements=["ref", "threshold"], set_=values))


def forget(session: Session, refs: Collection[str]) -> None:
    """The rows that these hang on are going."""
    session.execute(sa.delete(Alert).where(col(Alert.ref).in_(refs)))


# ----------------------------------------------------------------------------------------------------------- words
def listed(lines: Sequence[str]) -> list[str]:
    return [*lines[:LISTED], *([f"and {len(lines) - LISTED} more"] if len(lines) > LISTED else [])]


def page(svc: Services, says: str, name: str) -> list[str]:
    """Where to look, as far as that is known."""
    return [f"{says}: {svc.settings.public_url}/{name}"] if svc.settings.public_url else []


def left(due_at: datetime, now: datetime) -> str:
    minutes = int(abs(due_at - now).total_seconds() // 60)
    span = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return f"overdue by {span}" if now > due_at else f"{span} left"
