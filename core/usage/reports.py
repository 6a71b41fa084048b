"""Usage as founders read it (under way): made of published cells alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from core.usage.periods import Period
from core.usage.publishing import Shown

Cell = str | float | Shown | None
TABLES: Final = (
    "visits_by_day", "funnel", "outcomes", "latency", "stages", "queue_wait", "cost_by_day", "cost_by_month",
    "styles", "purposes", "contracts", "limits", "shortened", "gone", "tickets", "ticket_times", "hours", "storage",
    "devices", "languages", "refusals", "downloads", "operators", "promises",
)  # fmt: skip
KPIS: Final = ("visits", "headshots", "success", "median_time", "cost_each", "sla_kept", "promises_kept")


@dataclass(frozen=True, kw_only=True)
class Kpi:
    id: str
    title: str
    unit: str  # "", "%", "s", "USD"
    value: Shown | float | None  # None: nothing to tell, or hidden
    change: str  # per day against the period before, in words
    trend: tuple[tuple[date, Shown], ...]
    says: str


@dataclass(frozen=True, kw_only=True)
class Table:
    id: str
    title: str
    says: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    period: Period
    before: Period
    demo: bool
    kpis: tuple[Kpi, ...]
    tables: Mapping[str, Table]
    as_of: datetime


def report(svc: Any, period: Period, *, engine: str | None = None, now: datetime) -> Report:
    """Everything of a period. `engine`: of that one alone, where numbers are told by engine."""
    kpis = tuple(Kpi(id=i, title=i, unit="", value=None, change="", trend=(), says="") for i in KPIS)
    tables = {i: Table(id=i, title=i, says="", unit="", columns=(), rows=()) for i in TABLES}
    return Report(period=period, before=period.before(), demo=False, kpis=kpis, tables=tables, as_of=now)
