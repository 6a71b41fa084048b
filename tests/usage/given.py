"""Counts as they lie in the tables, for tests."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from core.models import UsageCount, UsageHour, UsageLevel
from core.services import Services
from core.usage import reading
from core.usage.metrics import STEPS, Level, Metric


def counts(svc: Services, *rows: tuple[date, Metric, str, str, int], demo: bool = False) -> None:
    names = ("day", "metric", "a", "b", "n")
    _insert(svc, UsageCount, [dict(zip(names, (d, m.value, a, b, n), strict=True)) for d, m, a, b, n in rows], demo)


def visits(svc: Services, day: date, *, hour: int = 9, demo: bool = False, **furthest: int) -> None:
    """So many visits that came so far and no further."""
    reached = [sum(furthest.get(step, 0) for step in STEPS[number:]) for number in range(len(STEPS))]
    rows = [(day, Metric.STEP, step, "", n) for step, n in zip(STEPS, reached, strict=True) if n]
    counts(svc, *rows, demo=demo)
    _insert(svc, UsageHour, [{"day": day, "hour": hour, "metric": "step", "n": reached[0]}], demo)


def level(svc: Services, day: date, what: Level, name: str, value: int, *, demo: bool = False) -> None:
    _insert(svc, UsageLevel, [{"day": day, "metric": what.value, "a": name, "value": value}], demo)


def _insert(svc: Services, table: Any, rows: list[dict[str, Any]], demo: bool) -> None:
    with svc.database.begin() as connection:
        connection.execute(sa.insert(table), [{"demo": demo, **row} for row in rows])
    reading.forget(svc)
