"""
Google Analytics 4, for visitors who agreed to it: the steps of their visits, once a day, as numbers.

Off unless both settings are there. Who agreed is counted a second time, under a metric of its own (`count`), with
nothing but the day and the step. When a day is over its sums go out by themselves (`send_due`) and the tally is
forgotten within days. What never leaves: anything of a visitor, of who did not agree, and any number below SMALL_COUNT,
also one that two of the sums would differ by.

Founders who read Google's numbers beside the page know that at least so many came; it could happen that this tells a
number which the page keeps back.

Each day is sent once at most. It is noted as sent before it is; only where it certainly was not taken is the note taken
back, and the next hour tries again, until Google takes no events of that age any more. A worker that dies between note
and answer loses a day there. That is better than counting one twice.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col

from core.db import upsert
from core.errors import AnalyticsUnavailable
from core.models import UsageCount, UsageSent
from core.services import Services
from core.usage.counting import Cell
from core.usage.metrics import STEPS, Metric

log = logging.getLogger(__name__)

TITLE: Final = "Google (Google Analytics 4)"
"""Who it is, wherever somebody is asked to agree."""
WHAT: Final = "ga4"
SETTLED: Final = timedelta(hours=2)
"""After midnight: by then every process has written what it counted on the day."""
TAKEN_FOR: Final = timedelta(hours=72)
"""From the noon that events of a day are dated with."""
FORGOTTEN_AFTER: Final = timedelta(days=4)


def count(svc: Services, cells: Iterable[Cell]) -> None:
    """What was just counted of a visitor who agreed: its steps, on the day of the visit, once more."""
    if svc.analytics is not None:
        svc.tally.add([cell._replace(metric=Metric.GA_STEP) for cell in cells if cell.metric is Metric.STEP])


def send_due(svc: Services) -> None:
    """For the schedule: send what is due and was not sent, forget what is old. Opens no connection unless set up."""
    now = svc.clock().astimezone(UTC)
    if svc.analytics is not None:
        for day in _due(now):
            _send(svc, day, now)
    with svc.transaction() as session:
        old = col(UsageCount.day) < now.date() - FORGOTTEN_AFTER
        session.execute(sa.delete(UsageCount).where(col(UsageCount.metric) == Metric.GA_STEP.value, old))


def _due(now: datetime) -> Iterator[date]:
    """Days that are over, and that events may still be of, the earliest first."""
    for back in (3, 2, 1):
        day = now.date() - timedelta(days=back)
        over, noon = (datetime.combine(day, time(hour), UTC) for hour in (0, 12))
        if over + timedelta(days=1) + SETTLED <= now < noon + TAKEN_FOR:
            yield day


def _send(svc: Services, day: date, now: datetime) -> None:
    counts = _noted(svc, day, now)
    if not counts or svc.analytics is None:
        return
    try:
        svc.analytics.send(day, counts)
    except AnalyticsUnavailable as exc:
        log.warning("Google Analytics did not take a day (%s); the next hour tries again", exc.code)
        ours = col(UsageSent.what) == WHAT, col(UsageSent.day) == day, col(UsageSent.at) == now
        with svc.transaction() as session:
            session.execute(sa.delete(UsageSent).where(*ours))


def _noted(svc: Services, day: date, now: datetime) -> Mapping[str, int]:
    """What is to be sent now that we have noted that it is; nothing if somebody else has, or if there is too little."""
    row = upsert(svc.database.dialect.name, UsageSent).values(what=WHAT, day=day, at=now)
    of_day = col(UsageCount.metric) == Metric.GA_STEP.value, col(UsageCount.day) == day, ~col(UsageCount.demo)
    with svc.transaction() as session:
        if session.execute(row.on_conflict_do_nothing().returning(UsageSent.day)).first() is None:
            return {}
        counts = {
            row.a: row.n for row in session.execute(sa.select(col(UsageCount.a), col(UsageCount.n)).where(*of_day))
        }
    return sendable(counts, svc.settings.small_count)


def sendable(counts: Mapping[str, int], k: int) -> dict[str, int]:
    """The steps that may be told: each at least k, and each two of them apart by nothing or by at least k."""
    told: dict[str, int] = {}
    for step in STEPS:
        n, before = counts.get(step, 0), [*told.values()][-1:]
        if n >= k and all(before_it == n or before_it - n >= k for before_it in before):
            told[step] = n
    return told
