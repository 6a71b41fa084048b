"""
Alerts: people on duty are told before a request is late, at 24, 6 and 1 hour left and when its time is over.

Once for each: a row says that a threshold was met, and when it was told. Only the most urgent one that a request has
met is told: whoever comes back after a night without a worker hears "1 h left", not the three before it. An extension
is another clock, and its thresholds count anew.

The row is written, and the try noted, before anybody is told, and no transaction is open meanwhile. Told and then
killed before the commit: told once more, a few minutes later; an alert twice is better than none. If nobody could be
reached, it is tried again, for as long as it is true.

An alert holds numbers of requests and instants, nothing of anybody: it goes through chats and mailboxes of others.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import abuse, audit, breaches, made_up
from core.db import take_turns, upsert
from core.language import count
from core.logs import outline
from core.models import Alert, Request
from core.queue import Claim
from core.services import Services
from core.sla import BREACHED, THRESHOLDS, threshold_of

log = logging.getLogger(__name__)

FARTHEST: Final = THRESHOLDS[-1][1]
PAUSE_FIRST, PAUSE_LONGEST = timedelta(minutes=2), timedelta(minutes=15)
AT_ONCE: Final = 200
"""Requests in one look; what is left waits a minute."""
LISTED: Final = 10
"""Requests named in one alert of a kind; beyond it their number says enough."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """Somebody has to hear of this now."""

    request_id: str
    number: str
    due_at: datetime
    threshold: str


def look(svc: Services, job: Claim) -> None:
    """The job: find what has come close, tell it, note that it was told. What concerns everybody comes first, and one
    that fails takes no other with it: it is tried again with the job."""
    tellings = (breaches.tell, abuse.tell, tell) if svc.notify is not None else ()
    failed = [exc for telling in tellings if (exc := _failure(telling, svc)) is not None]
    if failed:
        raise failed[0]
    with job.transaction() as session:
        job.done(session)


def _failure(telling: Callable[[Services, datetime], object], svc: Services) -> Exception | None:
    try:
        telling(svc, svc.clock())
    except Exception as exc:
        log.error("People on duty could not be told: %s", outline(exc))
        return exc
    return None


def tell(svc: Services, now: datetime) -> int:
    """How many alerts were told."""
    if svc.notify is None:
        return 0
    with svc.transaction() as session:
        take_turns(session)
        due = _to_tell(session, now)
    if not due or not svc.notify.tell(*_words(svc, due, now)):
        return 0
    with svc.transaction() as session:
        for one in due:
            session.execute(_of(one).values(sent_at=now, again_at=None))
            audit.record(session, audit.Action.ALERT_SENT, one.request_id, at=now, threshold=one.threshold)
    return len(due)


def _to_tell(session: Session, now: datetime) -> list[Due]:
    """What is to be told now, each with its try noted."""
    close = (
        select(Request, Alert)
        .outerjoin(Alert, sa.and_(col(Alert.request_id) == Request.id, col(Alert.threshold) == _met(now)))
        .where(col(Request.closed_at).is_(None), col(Request.done_at).is_(None))
        .where(col(Request.due_at) <= now + FARTHEST, _not_told_yet(now), made_up.is_real(Request.id))
        .order_by(col(Request.due_at))
        .limit(AT_ONCE)
    )
    return [_tried(session, request, alert, now) for request, alert in session.exec(close).all()]


def _met(now: datetime) -> sa.ColumnElement[str]:
    """`threshold_of`, asked of the database."""
    met = [(col(Request.due_at) < now, BREACHED), *((col(Request.due_at) <= now + left, n) for n, left in THRESHOLDS)]
    return sa.case(*met)


def _not_told_yet(now: datetime) -> sa.ColumnElement[bool]:
    is_of_another_clock = sa.and_(col(Request.extended_at).is_not(None), col(Alert.at) < col(Request.extended_at))
    may_be_tried = sa.and_(col(Alert.sent_at).is_(None), col(Alert.again_at) <= now)
    return sa.or_(col(Alert.at).is_(None), is_of_another_clock, may_be_tried)


def _tried(session: Session, request: Request, alert: Alert | None, now: datetime) -> Due:
    met = threshold_of(request.due_at, now)
    assert met is not None, "the database and we agree on what is close"
    is_retry = alert is not None and not (request.extended_at and alert.at < request.extended_at)
    at, tries = (alert.at, alert.tries + 1) if alert is not None and is_retry else (now, 1)
    again_at = now + min(PAUSE_FIRST * 2 ** min(tries - 1, 10), PAUSE_LONGEST)
    values = {"at": at, "sent_at": None, "tries": tries, "again_at": again_at}
    row = upsert(session.get_bind().dialect.name, Alert).values(request_id=request.id, threshold=met, **values)
    session.execute(row.on_conflict_do_update(index_elements=["request_id", "threshold"], set_=values))
    return Due(request_id=request.id, number=request.number, due_at=request.due_at, threshold=met)


def _of(one: Due) -> sa.Update:
    return sa.update(Alert).where(col(Alert.request_id) == one.request_id, col(Alert.threshold) == one.threshold)


# ----------------------------------------------------------------------------------------------------------- words
_SAYS = {BREACHED: "overdue", "1h": "due within 1 hour", "6h": "due within 6 hours", "24h": "due within 24 hours"}


def _words(svc: Services, due: Sequence[Due], now: datetime) -> tuple[str, str]:
    groups = [(name, [one for one in due if one.threshold == name]) for name in _SAYS]
    told = [(name, ones) for name, ones in groups if ones]
    title = "WorkShot: " + ", ".join(f"{count(len(ones), 'request')} {_SAYS[name]}" for name, ones in told)
    lines = [line for _, ones in told for line in _listed(ones, now)]
    desk = [f"The desk: {svc.settings.public_url}/ops_deletions"] if svc.settings.public_url else []
    return title, "\n".join([*lines, *desk])


def _listed(ones: Sequence[Due], now: datetime) -> list[str]:
    lines = [
        f"{one.number}: {_left(one.due_at, now)}, due {one.due_at:%d %b %Y, %H:%M:%S} UTC" for one in ones[:LISTED]
    ]
    return [*lines, f"and {len(ones) - LISTED} more"] if len(ones) > LISTED else lines


def _left(due_at: datetime, now: datetime) -> str:
    minutes = int(abs(due_at - now).total_seconds() // 60)
    span = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return f"overdue by {span}" if now > due_at else f"{span} left"
