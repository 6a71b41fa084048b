"""How tables are made, and the rows that more than one question is answered with."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.usage.metrics import Level, Metric
from core.usage.periods import month_word
from core.usage.publishing import Shown
from core.usage.reports.shape import ALL, Row, Table
from core.usage.reports.view import View

Rows = Callable[[View], Iterable[Row]]
_PERCENTILES: Final = (50, 95, 99)
OF: Final = ("p50", "p95", "p99")
HOW: Final = (
    "From fixed buckets, straight lines within each, two digits. A 95th is told of 20 and more, a 99th of 100 and more."
)


@dataclass(frozen=True, kw_only=True)
class TableOf:
    """A table of whatever period: its words, and what gives it rows."""

    id: str
    title: str
    says: str
    unit: str
    columns: tuple[str, ...]
    rows: Rows

    def made(self, view: View) -> Table:
        rows = tuple(self.rows(view))
        return Table(id=self.id, title=self.title, says=self.says, unit=self.unit, columns=self.columns, rows=rows)


def table(id_: str, title: str, columns: Sequence[str], says: str, unit: str = "") -> Callable[[Rows], TableOf]:
    """Makes a function that gives rows one of the tables."""
    return lambda rows: TableOf(id=id_, title=title, says=says, unit=unit, columns=tuple(columns), rows=rows)


def simple(id_: str, title: str, root: str, split: str, columns: Sequence[str], says: str) -> TableOf:
    """A table of one split: its cells, the largest first, and their share where there is a column for it."""

    @table(id_, title, columns, says)
    def rows(view: View) -> Iterator[Row]:
        whole = view.what.total(root).exact
        cells = [(name, view.what.total(root, split, name)) for name in view.what.names(root, split)]
        yield from by_size((name, n, share(n, whole))[: len(columns)] for name, n in cells)

    return rows


def nested(id_: str, title: str, root: str, columns: Sequence[str], says: str) -> TableOf:
    """A table of a split within a split, which its first two columns name."""
    outer, inner, _ = columns

    @table(id_, title, columns, says)
    def rows(view: View) -> Iterator[Row]:
        for name in view.what.names(root, outer):
            parts = view.what.names(root, outer, name, inner)
            if not parts:
                yield name, ALL, view.what.total(root, outer, name)
            yield from by_size((name, part, view.what.total(root, outer, name, inner, part)) for part in parts)

    return rows


def timed(id_: str, title: str, metric: Metric, by: str, says: str) -> TableOf:
    """A table of how long something took."""

    @table(id_, title, (by, *OF), f"{says} {HOW}", "s")
    def rows(view: View) -> Iterator[Row]:
        yield from ((name, *times(view, metric, name)) for name in view.what.timed(metric))

    return rows


def by_engine(view: View, metric: Metric) -> Iterator[Row]:
    names = [name for name in view.what.timed(metric) if view.engine in (None, name)]
    yield from ((name, *times(view, metric, name)) for name in names)
    if len(names) > 1:
        yield ALL, *times(view, metric, None)


def times(view: View, metric: Metric, name: str | None) -> Row:
    its = view.what.times(metric, name)
    return tuple(its.percentile(part) for part in _PERCENTILES)


def level_of(view: View, level: Level) -> Iterator[tuple[str, str, float]]:
    seen = [
        (day, name, value)
        for month in view.what.months
        for (its, name), days in month.levels.items()
        if its == level.value
        for day, value in days.items()
    ]
    for day, name, value in sorted(seen):
        yield day.isoformat() if view.period.is_by_day else month_word(day), name, float(value)


def share(part: Shown, whole: int | None) -> float | None:
    return 100 * part.exact / whole if part.exact is not None and whole else None


def by_size(rows: Iterable[Row]) -> list[Row]:
    """The largest first, what is hidden last."""

    def size(row: Row) -> tuple[float, str]:
        n = next((cell for cell in row if isinstance(cell, Shown)), Shown(0))
        return (-n.n if n.n is not None else 1, str(row))

    return sorted(rows, key=size)
