"""A report as files: the cells of the page, as CSV and as JSON."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from core.usage.publishing import Shown
from core.usage.reports.shape import ALL, Cell, Report


def as_json(told: Report, table: str = ALL) -> dict[str, Any]:
    """What `usage export --json` prints. A hidden number is null, with the reason in `why`."""
    return {
        "period": told.period.as_words(),
        "before": told.before.as_words(),
        "demo": told.demo,
        "as_of": told.as_of.isoformat(),
        "key_figures": [
            {"id": k.id, "title": k.title, "unit": k.unit, "value": _plain(k.value), "change": k.change, "says": k.says}
            for k in told.kpis
        ],
        "tables": {
            one.id: {
                "title": one.title,
                "says": one.says,
                "unit": one.unit,
                "columns": list(one.columns),
                "rows": [[_plain(cell) for cell in row] for row in one.rows],
            }
            for one in told.tables.values()
            if table in (ALL, one.id)
        },
    }


def _plain(cell: Cell) -> Any:
    if not isinstance(cell, Shown):
        return cell
    if cell.n is None or cell.at_least:
        return {"n": cell.n, "text": cell.text, "why": "at_least" if cell.at_least else cell.why}
    return cell.n


FILE_COLUMNS: Final = ("table", "row", "column", "value")


def as_rows(told: Report, table: str = ALL) -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    """One table as it is; all of them as a row for each cell. Raises KeyError."""
    if table == ALL:
        return FILE_COLUMNS, _cells(told)
    one = told.tables[table]
    return one.columns, ([text(cell) for cell in row] for row in one.rows)


def _cells(told: Report) -> Iterator[Sequence[str]]:
    for kpi in told.kpis:
        yield "key_figures", kpi.id, kpi.unit or "number", text(kpi.value)
    for table in told.tables.values():
        for row in table.rows:
            names = [cell for cell in row if isinstance(cell, str)]
            for column, cell in zip(table.columns[len(names) :], row[len(names) :], strict=True):
                yield table.id, " · ".join(names), column, text(cell)


def text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Shown):
        return str(cell.n) if cell.n is not None and not cell.at_least else cell.text.replace(",", "")
    return cell if isinstance(cell, str) else f"{cell:.6f}".rstrip("0").rstrip(".")


def as_csv(told: Report, table: str = ALL) -> str:
    columns, rows = as_rows(told, table)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()
