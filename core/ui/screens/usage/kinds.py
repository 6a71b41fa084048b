"""The few kinds of charts that all tables of a report are drawn as."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from core.ui import charts
from core.ui.charts import Group, Point, Row, Spread
from core.ui.screens.usage import cells, frame
from core.ui.screens.usage.frame import Page
from core.usage.publishing import Shown
from core.usage.reports import Cell, Table

AT_MOST: Final = 10  # bars that lie, in one chart
Drawn = Callable[[Page, str], None]
NONE: Final = Point(None)
_SECONDS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800)
"""Times that an axis may have a mark at."""
_LONG: Final = (1, 10, 60, 600, 3600, 21600, 86400, 604800)
"""And one whose marks grow."""
_NOT_READY: Final = {"ready": 0, "cancelled": 4, "all": 0}
"""The colours of outcomes; all others are failures."""


def side_by_side(page: Page, *sides: Sequence[tuple[Drawn, str]]) -> None:
    """Two columns where there is room, else one after the other."""
    for column, drawn in zip(st.columns(len(sides), gap="large"), sides, strict=True):
        with column:
            for kind, name in drawn:
                kind(page, name)


# ------------------------------------------------------------------------------------------------------------- lists
def listed(page: Page, name: str) -> None:
    """A bar for each word, the largest first; hidden ones last, and noughts in the table alone."""
    table = page.table(name)
    _rows(page, table, [_row(table, row) for row in _that_count(table)])


def outcomes(page: Page, name: str) -> None:
    """As `listed`: first how it ended, then at which engine, and in a colour of its own what came to nothing."""
    table = page.table(name)
    found = []
    for row in _that_count(table):
        engine, outcome = str(row[0]), str(row[1])
        said = replace(_row(table, row), label=cells.word(outcome), note=cells.word(engine))
        found.append(replace(said, colour=_NOT_READY.get(outcome, 1)))
    _rows(page, table, found)


def _that_count(table: Table) -> list[Sequence[Cell]]:
    kept = [row for row in table.rows if not _is_nothing(_first(row))]
    return sorted(kept, key=lambda row: -(cells.point(_first(row)).value or -1))


def _row(table: Table, row: Sequence[Cell]) -> Row:
    at = cells.words_in(row)
    share = row[at + 1] if at + 1 < len(row) else None
    beside = cells.number(share, "%") if isinstance(share, float) and table.columns[at + 1].endswith("%") else ""
    return Row(cells.label_of(table, row), cells.point(row[at], cells.unit_of(table, at)), beside=beside)


def _rows(page: Page, table: Table, items: Sequence[Row], *, whole: float | None = None) -> None:
    shown = items[:AT_MOST]
    figure = charts.rows(shown, unit=_unit(table), which=page.theme, whole=whole) if shown else None
    left = len(items) - len(shown)
    more = f"{left} more in the table." if left else ""
    said = {f"{item.label} {item.note}".strip(): item.point.says for item in items}
    frame.chart(page, table, figure, _alt(page, table, said), more=more)


def funnel(page: Page, name: str) -> None:
    """Its steps in their order: how many came so far, and which part of them no further."""
    table = page.table(name)
    items = [_step(table, row) for row in table.rows if not _is_nothing(_first(row))]
    figure = charts.rows(items, unit="visits", which=page.theme) if items else None
    said = {item.label: " ".join(filter(None, (item.point.says, item.beside, item.note))) for item in items}
    frame.chart(page, table, figure, _alt(page, table, said))


def _step(table: Table, row: Sequence[Cell]) -> Row:
    step, reached, share, lost = (*row, None, None, None)[:4]
    if step == "again":
        return Row(cells.word(step), cells.point(reached), colour=2)
    ends = cells.point(lost)
    gone = f"{ends.says} stop here" if lost is not None and (ends.hidden or ends.value) else ""
    beside = f"{share:.0f} %" if isinstance(share, float) else ""
    fits = isinstance(reached, Shown) and reached.n is not None and not reached.at_least
    return Row(
        cells.label_of(table, row), cells.point(reached), note=gone, beside=beside, ends=(ends.value or 0) * fits
    )


def promises(page: Page, name: str) -> None:
    """A bar for each: how many of its checks found it kept."""
    table = page.table(name)
    found = []
    for promise, kept, broken, unknown, share in table.rows:
        told = [f"{cells.text(n)} {word}" for n, word in ((broken, "broken"), (unknown, "unknown")) if n]
        item = Row(cells.word(promise), cells.point(share, "%"), note=", ".join(told), colour=1 if broken else 0)
        found.append((share if isinstance(share, float) else 0, item, kept))
    worst = [item for _, item, _ in sorted(found, key=lambda one: (one[0], one[1].label))]
    _rows(page, replace(table, unit="%"), worst, whole=100)


# --------------------------------------------------------------------------------------------------------- over time
def over_time(
    page: Page,
    table: Table,
    *,
    of: str,
    unit: str = "",
    limit: float | None = None,
    says: str = "",
    file: str = "",
    stacked: bool = True,
) -> None:
    """A bar for each day or month, of the column `of`. `limit`: a line across, with what it `says`."""
    days = list(dict.fromkeys(str(row[0]) for row in table.rows))
    groups = _groups(table, days, table.columns.index(of) if of in table.columns else 0)
    if not any(one.hidden or one.value for group in groups for one in group.points):
        frame.chart(page, table, None, "")
        return
    figure = charts.bars(
        [cells.word(day) for day in days],
        groups,
        unit=unit or _unit(table) or of,
        which=page.theme,
        number=lambda value: cells.number(value, table.unit),
        limit=Point(limit, says) if limit else None,
        stacked=stacked,
    )
    frame.chart(page, table, figure, _most(page, table, days, groups), file=file)


def _groups(table: Table, days: Sequence[str], at: int) -> list[Group]:
    """A colour for each word that stands beside the day."""
    found: dict[str, dict[str, Point]] = {}
    for row in table.rows:
        words = " · ".join(cells.word(cell) for cell in row[1 : cells.words_in(row)])
        found.setdefault(words or table.title, {})[str(row[0])] = _or_hidden(row, at, cells.unit_of(table, at))
    return [
        Group(word, [points.get(day, NONE) for day in days], colour % 5)
        for colour, (word, points) in enumerate(found.items())
    ]


def _or_hidden(row: Sequence[Cell], at: int, unit: str) -> Point:
    """Money is told where its headshots are: where those are hidden, it is too."""
    hidden = next((cell for cell in row if cells.is_hidden(cell)), None)
    return cells.point(row[at], unit) if row[at] is not None or hidden is None else cells.point(hidden)


def _most(page: Page, table: Table, days: Sequence[str], groups: Sequence[Group]) -> str:
    known = [(one.value, day, one.says) for group in groups for day, one in zip(days, group.points, strict=True)
             if one.value is not None]  # fmt: skip
    hidden = sum(one.hidden for group in groups for one in group.points)
    most = max(known, default=None)
    told = [f"most in {cells.word(most[1])} with {most[2]}"] if most else []
    told += [f"{hidden} hidden because they are few"] if hidden else []
    return f"{table.title}, {page.report.period.label}: {', '.join(told)}."


# -------------------------------------------------------------------------------------------------------- percentiles
def spread(page: Page, name: str, *, log: bool = False, limit: float | None = None) -> None:
    """Three marks on a line for each. What was too seldom to say is in the table alone."""
    table = page.table(name)
    items = [_spread(row, table.unit) for row in table.rows]
    known = [item for item in items if item.half is not None]
    if not known:
        frame.chart(page, table, None, "")
        return
    top = max(max(item.half or 0, item.most or 0, item.nearly_all or 0) for item in known)
    least = min(item.half or 0 for item in known)
    figure = charts.spread(
        known,
        ticks=_ticks(least if log else 0, max(top, limit or 0), table.unit, log=log),
        unit=_unit(table),
        which=page.theme,
        log=log,
        limit=Point(limit, f"{limit / 3600:.0f} h") if limit else None,
    )
    left = len(items) - len(known)
    more = f"Of {left} more there were too few to say." if left else ""
    frame.chart(page, table, figure, _alt(page, table, {item.label: item.says for item in known}), more=more)


def _spread(row: Sequence[Cell], unit: str) -> Spread:
    values = [cells.point(cell, unit) for cell in row[cells.words_in(row) :]]
    half, most, nearly_all = (one.value for one in [*values, NONE, NONE, NONE][:3])
    says = " / ".join(one.says for one in values)
    *first, last = (cells.word(cell) for cell in row[: cells.words_in(row)])
    return Spread(last, half, most, nearly_all, says, note=" · ".join(first))


def _ticks(least: float, top: float, unit: str, *, log: bool) -> list[tuple[float, str]]:
    """Few marks, at times that people say."""
    if log:
        return [(at, cells.span(at)) for at in _LONG if least / 3 <= at <= top * 2]
    steps = _SECONDS if unit == "s" else (1, 2, 5, 10, 20, 50, 100, 200)
    step = next((step for step in steps if top / step <= 4), steps[-1])
    return [(step * nth, cells.number(step * nth, unit)) for nth in range(int(top / step) + 1)]


# -------------------------------------------------------------------------------------------------------------- hours
def hours(page: Page, name: str) -> None:
    table = page.table(name)
    week = [[cells.point(cell) for cell in row[-24:]] for row in table.rows]
    known = [(one.value, day, hour) for day, row in enumerate(week) for hour, one in enumerate(row) if one.value]
    figure = charts.week(week, unit=_unit(table), which=page.theme) if cells.has_something(table) else None
    most = max(known, default=None)
    hidden = sum(one.hidden for row in week for one in row)
    told = [f"most on {table.rows[most[1]][0]} at {most[2]:02}:00 with {most[0]:,.0f}"] if most else []
    told += [f"{hidden} of 168 hours hidden because they are few"] if hidden else []
    frame.chart(page, table, figure, f"{table.title}, {page.report.period.label}: {', '.join(told)}.")


# ------------------------------------------------------------------------------------------------------------- shared
def _first(row: Sequence[Cell]) -> Cell:
    at = cells.words_in(row)
    return row[at] if at < len(row) else None


def _is_nothing(cell: Cell) -> bool:
    point = cells.point(cell)
    return not point.hidden and not point.value


def _unit(table: Table) -> str:
    known = {"USD": "US dollars", "s": "time", "%": "% of checks"}
    at = next((cells.words_in(row) for row in table.rows), 0)
    return known.get(table.unit, table.unit) or (table.columns[at] if at < len(table.columns) else "")


def _alt(page: Page, table: Table, said: Mapping[str, str]) -> str:
    return f"{table.title}, {page.report.period.label}: {frame.in_words(said, most=AT_MOST)}"
