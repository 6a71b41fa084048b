"""What a report is made of: key figures, and tables of words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from core.usage.periods import Period
from core.usage.publishing import Shown

Cell = str | float | Shown | None
Row = tuple[Cell, ...]
ALL: Final = "all"


@dataclass(frozen=True, kw_only=True)
class Kpi:
    """A key figure. Its trend is by day or by month, in its unit (money in millionths), rounded."""

    id: str
    title: str
    unit: str  # "", "%", "s", "USD"
    value: Shown | float | None  # None: nothing to tell, or hidden
    change: str  # per day against the period before, in words; empty: nothing to compare
    trend: tuple[tuple[date, Shown], ...]
    says: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of words and numbers. None: not told, of too few, or nothing to divide by."""

    id: str
    title: str
    says: str
    unit: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    period: Period
    before: Period
    demo: bool
    kpis: tuple[Kpi, ...]
    tables: Mapping[str, Table]
    as_of: datetime

    def kpi(self, id_: str) -> Kpi:
        return next(kpi for kpi in self.kpis if kpi.id == id_)
