"""
Reports: what founders see of usage, on the page, in files and in the mail. Made of `Published` alone: no raw number
gets here, so nothing in this package can show one.

Where a sum or a share needs a cell that is hidden, it is "at least" what everybody can work out from what is shown, or
not told. A filter is a node of the tree: an engine's own cells, which are published without it too.
"""

from datetime import datetime
from typing import Final

from core.usage import reading
from core.usage.periods import Period
from core.usage.reports import choices, cost, fast, promises, succeed
from core.usage.reports.figures import FIGURES, kpi_of
from core.usage.reports.files import FILE_COLUMNS, as_csv, as_json, as_rows, text
from core.usage.reports.shape import ALL, Cell, Kpi, Report, Row, Table
from core.usage.reports.view import View

__all__ = [
    "ALL", "FILE_COLUMNS", "TABLES", "Cell", "Kpi", "Report", "Row", "Table", "as_csv", "as_json", "as_rows", "report",
    "text",
]  # fmt: skip

_QUESTIONS: Final = (succeed, fast, cost, promises, choices)
"""Each has the tables that answer it, as on the page."""
_TABLES: Final = {table.id: table for question in _QUESTIONS for table in question.TABLES}
TABLES: Final = tuple(_TABLES)
"""Every table, by its id."""


def report(svc: reading.Source, period: Period, *, engine: str | None = None, now: datetime) -> Report:
    """Everything of a period. `engine`: of that one alone, wherever numbers are told by engine."""
    here = reading.published(svc, period, now=now)
    earlier = reading.published(svc, period.before(), now=now, by_day=False)
    view = View(here, period, engine, now)
    before = View(earlier, period.before(), engine, now)
    tables = {name: table.made(view) for name, table in _TABLES.items()}
    kpis = tuple(kpi_of(view, before, figure) for figure in FIGURES)
    return Report(period=period, before=period.before(), demo=here.demo, kpis=kpis, tables=tables, as_of=now)
