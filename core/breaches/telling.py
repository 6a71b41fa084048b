"""
People on duty hear of a breach when it is noted, when 24, 6 and 1 hour are left, and when its time is over: once for
each, as of everything that has a clock (core/telling.py). Whoever noted it may be the only one who knows, so that is
the first.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col, select

from core import audit
from core.language import count
from core.models import Breach
from core.services import Services
from core.sla import BREACHED
from core.telling import Due, left, listed, page, tell_once


def tell(svc: Services, now: datetime) -> int:
    """How many breaches people on duty were told of."""
    untold = sa.or_(col(Breach.authority_told_at).is_(None), col(Breach.people_told_at).is_(None))
    still = select(Breach).where(col(Breach.closed_at).is_(None), untold).order_by(col(Breach.due_at))
    return tell_once(svc, now, Breach, still, _words, told=audit.Action.BREACH_ALERTED, at_once=sa.true())


def _words(svc: Services, due: Sequence[Due[Breach]], now: datetime) -> tuple[str, str]:
    late = sum(one.threshold == BREACHED for one in due)
    title = f"WorkShot: {count(len(due), 'breach', 'breaches')} to be told" + (f", {late} overdue" if late else "")
    lines = listed([_line(one.row, now) for one in due])
    return title, "\n".join([*lines, *page(svc, "The breaches", "ops_breach")])


def _line(breach: Breach, now: datetime) -> str:
    who = " and ".join(
        name
        for name, at in (("the authority", breach.authority_told_at), ("people", breach.people_told_at))
        if at is None
    )
    kind = breach.kind.value.replace("_", " ")
    due = f"due {breach.due_at:%d %b %Y, %H:%M:%S} UTC"
    return f"{breach.number} ({kind}): {left(breach.due_at, now)} to tell {who}, {due}"
