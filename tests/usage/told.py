"""What the tables say, for tests."""

from collections import Counter
from collections.abc import Mapping

from sqlmodel import select

from core.models import UsageCount, UsageHour
from core.services import Services


def told(svc: Services) -> Mapping[tuple[str, str, str], int]:
    """All that was counted, days added up, once everything is written."""
    svc.tally.flush(svc.database, svc.clock())
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in rows(svc):
        sums[row.metric, row.a, row.b] += row.n
    return sums


def told_of(svc: Services, *metrics: str) -> Mapping[tuple[str, ...], int]:
    """Of some metrics, without their names where it is one, and without what is not there."""
    found = {cell: n for cell, n in told(svc).items() if cell[0] in metrics}
    return {tuple(filter(None, cell[1:] if len(metrics) == 1 else cell)): n for cell, n in found.items()}


def rows(svc: Services) -> list[UsageCount]:
    with svc.reading() as session:
        return list(session.exec(select(UsageCount)).all())


def hours(svc: Services) -> Mapping[tuple[int, str], int]:
    svc.tally.flush(svc.database, svc.clock())
    with svc.reading() as session:
        return {(row.hour, row.metric): row.n for row in session.exec(select(UsageHour)).all()}
