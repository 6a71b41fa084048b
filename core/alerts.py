"""
Alerts: people on duty are told before a request is late, at 24, 6 and 1 hour left and when its time is over.

Once for each (core/telling.py), and with them of breaches and of reports. An extension is another clock, and its
thresholds count anew.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from core import abuse, audit, breaches, made_up
from core.language import count
from core.logs import outline
from core.models import Alert, Request
from core.queue import Claim
from core.services import Services
from core.sla import BREACHED
from core.telling import Due, left, listed, page, tell_once

log = logging.getLogger(__name__)


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
    is_open = col(Request.closed_at).is_(None), col(Request.done_at).is_(None), made_up.is_real(Request.id)
    extended_at = col(Request.extended_at)
    return tell_once(
        svc,
        now,
        Request,
        select(Request).where(*is_open).order_by(col(Request.due_at)),
        _words,
        told=audit.Action.ALERT_SENT,
        this_clock=sa.or_(extended_at.is_(None), col(Alert.at) >= extended_at),
    )


# ----------------------------------------------------------------------------------------------------------- words
_SAYS = {BREACHED: "overdue", "1h": "due within 1 hour", "6h": "due within 6 hours", "24h": "due within 24 hours"}


def _words(svc: Services, due: Sequence[Due[Request]], now: datetime) -> tuple[str, str]:
    groups = [(name, [one.row for one in due if one.threshold == name]) for name in _SAYS]
    told = [(name, rows) for name, rows in groups if rows]
    title = "WorkShot: " + ", ".join(f"{count(len(rows), 'request')} {_SAYS[name]}" for name, rows in told)
    lines = [line for _, rows in told for line in listed([_line(row, now) for row in rows])]
    return title, "\n".join([*lines, *page(svc, "The desk", "ops_deletions")])


def _line(row: Request, now: datetime) -> str:
    return f"{row.number}: {left(row.due_at, now)}, due {row.due_at:%d %b %Y, %H:%M:%S} UTC"
