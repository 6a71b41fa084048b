"""
People on duty hear of a breach when it is noted, when 24 and 6 hours are left, and when its time is over.

Once for each, and only the most urgent that it has met; the audit log remembers. Until somebody could be reached it is
tried again with every look. Numbers, kinds and instants: it goes through chats and mailboxes of others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from core import audit
from core.breaches.register import is_told
from core.language import count
from core.models import Breach
from core.services import Services

NOTED, OVERDUE = "noted", "overdue"
THRESHOLDS: Final = (("6h", timedelta(hours=6)), ("24h", timedelta(hours=24)))
"""Time left, the most urgent first."""


@dataclass(frozen=True)
class _Due:
    breach: Breach
    threshold: str


def threshold_of(breach: Breach, now: datetime) -> str | None:
    """The most urgent that it has met. Whoever noted it may be the only one who knows, so that is the first."""
    if is_told(breach):
        return None
    if now > breach.due_at:
        return OVERDUE
    return next((name for name, left in THRESHOLDS if breach.due_at - now <= left), NOTED)


def tell(svc: Services, now: datetime) -> int:
    """How many breaches people on duty were told of."""
    if svc.notify is None:
        return 0
    with svc.reading() as session:
        is_open = col(Breach.closed_at).is_(None)
        open_ones = session.exec(select(Breach).where(is_open)).all()
        told = audit.told(session, audit.Action.BREACH_ALERTED, select(Breach.id).where(is_open))
    met = ((breach, threshold_of(breach, now)) for breach in open_ones)
    due = [_Due(one, name) for one, name in met if name and (one.id, name) not in told]
    if not due or not svc.notify.tell(*_words(svc, due, now)):
        return 0
    with svc.transaction() as session:
        for one in due:
            deed = audit.Action.BREACH_ALERTED
            audit.record(session, deed, one.breach.id, at=now, threshold=one.threshold)
    return len(due)


def _words(svc: Services, due: Sequence[_Due], now: datetime) -> tuple[str, str]:
    late = sum(one.threshold == OVERDUE for one in due)
    title = f"WorkShot: {count(len(due), 'breach', 'breaches')} to be told" + (f", {late} overdue" if late else "")
    lines = [_line(one.breach, now) for one in due]
    page = [f"The breaches: {svc.settings.public_url}/ops_breach"] if svc.settings.public_url else []
    return title, "\n".join([*lines, *page])


def _line(breach: Breach, now: datetime) -> str:
    minutes = int(abs(breach.due_at - now).total_seconds() // 60)
    span = f"{minutes // 60} h {minutes % 60} min"
    left = f"overdue by {span}" if now > breach.due_at else f"{span} left"
    who = " and ".join(
        name
        for name, at in (("the authority", breach.authority_told_at), ("people", breach.people_told_at))
        if at is None
    )
    kind = breach.kind.value.replace("_", " ")
    return f"{breach.number} ({kind}): {left} to tell {who}, due {breach.due_at:%d %b %Y, %H:%M:%S} UTC"
