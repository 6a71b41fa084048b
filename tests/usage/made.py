"""Usage that was never counted: a house of which everything is known, written straight into the tables."""

from collections.abc import Mapping
from datetime import date, timedelta

import sqlalchemy as sa

from core.models import UsageCount, UsageHour
from core.services import Services
from core.usage.metrics import STEPS, Metric

WEEK = (1.2, 1.2, 1.1, 1.1, 1.0, 0.5, 0.5)
"""Of a weekday, what happens there compared with others."""


def write(svc: Services, counts: Mapping[tuple[date, Metric, str, str], int]) -> None:
    """Visits also by hour, as they are counted."""
    key = "day", "metric", "a", "b"
    rows = [dict(zip(key, cell, strict=True), demo=False, n=n) for cell, n in counts.items() if n]
    visits = {day: n for (day, metric, a, _), n in counts.items() if metric is Metric.STEP and a == STEPS[0] and n}
    hours = [{"demo": False, "day": day, "hour": 10, "metric": Metric.STEP, "n": n} for day, n in visits.items()]
    with svc.transaction() as session:
        for table, those in ((UsageCount, rows), (UsageHour, hours)):
            if those:
                session.connection().execute(sa.insert(table), those)


def quiet(until: date, *, days: int = 200, visits: int = 60) -> dict[tuple[date, Metric, str, str], int]:
    """An ordinary house up to and including a day: the numbers of each day are the same as a week before, but for a
    wobble of a tenth."""
    counts: dict[tuple[date, Metric, str, str], int] = {}
    for back in range(days):
        day = until - timedelta(days=back)
        scale = WEEK[day.weekday()] * (1 + 0.1 * ((day.toordinal() * 7 % 5) - 2) / 2)
        for step, share in zip(STEPS, (1, 0.8, 0.78, 0.6, 0.5, 0.4), strict=True):
            counts[day, Metric.STEP, step, ""] = round(visits * scale * share)
        for engine, share in (("on_device", 1.0), ("apimart", 0.5)):
            runs = visits * scale * share
            counts[day, Metric.RUN, engine, "ready"] = round(0.5 * runs)
            counts[day, Metric.RUN, engine, "cancelled"] = round(0.05 * runs)
            counts[day, Metric.RUN, engine, "no_person"] = round(0.1 * runs)
            counts[day, Metric.HEADSHOT, engine, ""] = round(2 * runs)
        counts[day, Metric.COST, "apimart", ""] = 40_000 * counts[day, Metric.HEADSHOT, "apimart", ""]
        counts[day, Metric.PHOTO_REFUSED, "unreadable", ""] = round(0.04 * visits * scale)
        counts[day, Metric.TICKET_END, "done", "in_time"] = 1
        for engine, bucket in (("on_device", "8"), ("apimart", "30")):
            counts[day, Metric.TOOK, engine, bucket] = counts[day, Metric.RUN, engine, "ready"]
            counts[day, Metric.QUEUE_WAIT, engine, "2"] = counts[day, Metric.RUN, engine, "ready"]
        counts[day, Metric.ERASED, "portrait", "clock"] = counts[day, Metric.GONE_TOOK, "clock", "60"] = 6
    return counts
