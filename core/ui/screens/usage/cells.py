"""Cells of a report in words and as points of a chart. What is not to be shown stays a sign: it is never a number."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Final

from core.catalogue import catalogue
from core.language import size
from core.ui import charts, widgets
from core.usage.publishing import Shown
from core.usage.reports import Cell, Table
from core.usage.words import percent

WORDS: Final[dict[str, str]] = {
    "all": "All together",
    "on_device": "On this server",
    "apimart": "APIMart",
    "again": "Again, with the same photo",
    "asked": "Pressed Erase now",
    "contract": "Its clock ended",
    "hand": "Entered by support",
    "erase": "Erase",
    "copy": "A copy of the data",
    "visit": "Visit",
    "photo": "Photo added",
    "checks": "Checks passed",
    "generate": "Generate pressed",
    "ready": "Ready",
    "download": "Downloaded",
    "en": "English",
    "de": "German",
    "process": "While it runs",
    "1h": "1 hour",
    "24h": "24 hours",
    "72h": "72 hours",
    "7d": "7 days",
    "30d": "30 days",
}


OF_TABLE: Final[dict[str, dict[str, str]]] = {
    "downloads": {"original": "One headshot", "smaller": "One, smaller", "all": "All of a run"},
    "limits": {
        "day": "Of a person's day", "network": "Of a network", "busy": "Too many at once", "provider": "Of a provider",
    },
}  # fmt: skip
"""Words that mean something of their own in one table."""


def word(cell: Cell) -> str:
    """What a row is about: a word of ours as people know it, a day, or the text as it is."""
    text = str(cell)
    known = WORDS.get(text) or _chosen().get(text)
    if known:
        return known
    day = day_of(text)
    if day:
        return f"{day:%b %Y}" if len(text) == len("2026-11") else f"{day.day} {day:%b}"
    return f"{text[:1].upper()}{text[1:]}".replace("_", " ").replace(":", " ")


@cache
def _chosen() -> dict[str, str]:
    """What can be chosen, as the studio calls it."""
    offered = catalogue()
    return {one.id: one.title for one in offered.purposes} | {one.id: one.title for one in offered.styles}


def day_of(text: str) -> date | None:
    """Of `2026-11-21` and `2026-11`."""
    try:
        return date.fromisoformat(text if len(text) != len("2026-11") else f"{text}-01")
    except ValueError:
        return None


def number(value: float, unit: str) -> str:
    """As people say it, with its unit where it is none of counting."""
    if unit == "s":
        return span(value)
    if unit == "USD":
        return f"${value:,.2f}" if value == 0 or value >= 0.1 else f"${value:.4f}".rstrip("0")
    if unit == "%":
        return percent(value)
    if unit == "bytes":
        return size(value)
    if unit == "US cents":
        return f"{value:,.2f}".rstrip("0").rstrip(".") + " ct"
    return f"{value:,.0f}" if value == int(value) or value >= 10 else f"{value:,.2f}"


def span(seconds: float) -> str:
    """As a clock says it; few seconds more exactly."""
    return f"{seconds:.2g} s" if seconds < 10 else widgets.length(timedelta(seconds=round(seconds)))


def text(cell: Cell, unit: str = "") -> str:
    if cell is None:
        return "–"
    if isinstance(cell, Shown):
        return cell.text
    return number(cell, unit) if isinstance(cell, int | float) else word(cell)


def is_hidden(cell: Cell) -> bool:
    return isinstance(cell, Shown) and cell.n is None


def point(cell: Cell, unit: str = "") -> charts.Point:
    if isinstance(cell, Shown):
        return charts.Point(cell.n, cell.text, hidden=cell.n is None)
    if isinstance(cell, int | float):
        return charts.Point(float(cell), number(cell, unit))
    return charts.Point(None, "–")


def has_something(table: Table) -> bool:
    """Whether anything was counted: a hidden number is something, a nought is nothing."""
    return any(_counts(cell) for row in table.rows for cell in row)


def _counts(cell: Cell) -> bool:
    if isinstance(cell, Shown):
        return cell.n is None or cell.n > 0
    return isinstance(cell, int | float) and cell > 0


def unit_of(table: Table, at: int) -> str:
    """Of a column: shares have a sign of their own."""
    return "%" if table.columns[at].endswith("%") else table.unit


def label_of(table: Table, row: Sequence[Cell]) -> str:
    """All words that a row begins with."""
    own = OF_TABLE.get(table.id, {})
    return " · ".join(own.get(str(cell)) or word(cell) for cell in row[: words_in(row)])


def words_in(row: Sequence[Cell]) -> int:
    return next((at for at, cell in enumerate(row) if not isinstance(cell, str)), len(row))
