"""
Reports: what founders see of usage, on the page, in files and in the mail. Made of `Published` alone: no raw number
gets here, so nothing in this module can show one.

Where a sum or a share needs a cell that is hidden, it is "at least" what everybody can work out from what is shown, or
not told. A filter is a node of the tree: an engine's own cells, which are published without it too.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from core.provider.spending import MILLION, micro
from core.usage import reading
from core.usage.metrics import STEPS, Level, Metric
from core.usage.periods import Period, month_word
from core.usage.publishing import Cell as Published_
from core.usage.publishing import Month, Published, Shown
from core.usage.words import IN_TIME

Cell = str | float | Shown | None
Row = tuple[Cell, ...]
ALL: Final = "all"
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PERCENTILES: Final = (50, 95, 99)


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


def report(svc: reading.Source, period: Period, *, engine: str | None = None, now: datetime) -> Report:
    """Everything of a period. `engine`: of that one alone, wherever numbers are told by engine."""
    here = reading.published(svc, period, now=now)
    earlier = reading.published(svc, period.before(), now=now, by_day=False)
    view = _View(here, period, engine, now)
    before = _View(earlier, period.before(), engine, now)
    tables = {name: make(view) for name, make in _TABLES.items()}
    kpis = tuple(_kpi(view, before, figure) for figure in _FIGURES)
    return Report(period=period, before=period.before(), demo=here.demo, kpis=kpis, tables=tables, as_of=now)


@dataclass(frozen=True)
class _View:
    """What is published of a period, seen through a filter."""

    what: Published
    period: Period
    engine: str | None
    now: datetime

    @property
    def engine_path(self) -> tuple[str, ...]:
        return ("engine", self.engine) if self.engine else ()

    def engines(self, root: str) -> list[str]:
        return [name for name in self.what.names(root, "engine") if self.engine in (None, name)]

    @property
    def days(self) -> float:
        """How many of its days have passed, the one under way as far as it has come."""
        start = datetime(self.period.first.year, self.period.first.month, 1, tzinfo=UTC)
        end = datetime(self.period.ends.year, self.period.ends.month, self.period.ends.day, tzinfo=UTC)
        passed = min(self.now, end + timedelta(days=1)) - start
        return max(passed / timedelta(days=1), 1.0)

    def points(self) -> Iterator[tuple[date, "_View"]]:
        """Its months, each as a view of its own."""
        for month in self.what.months:
            one = Published(months=[month], k=self.what.k, demo=self.what.demo)
            yield month.first, _View(one, Period(month.first, month.first), self.engine, self.now)

    def each_day(self) -> Iterator[tuple[date, Month]]:
        """Days that have begun."""
        today = self.now.astimezone(UTC).date()
        for month in self.what.months:
            day = month.first
            while day.month == month.first.month and day <= today:
                yield day, month
                day += timedelta(days=1)


# -------------------------------------------------------------------------------------------------------- key figures
@dataclass(frozen=True)
class _Figure:
    id: str
    title: str
    unit: str
    value: Callable[[_View], Shown | float | None]
    says: str


def _kpi(view: _View, before: _View, figure: _Figure) -> Kpi:
    value = figure.value(view)
    change = _change(figure.unit, (value, view.days), (figure.value(before), before.days))
    return Kpi(
        id=figure.id,
        title=figure.title,
        unit=figure.unit,
        value=value,
        change=change,
        trend=tuple(_trend(view, figure)),
        says=figure.says,
    )


def _trend(view: _View, figure: _Figure) -> Iterator[tuple[date, Shown]]:
    if figure.id == "visits" and view.period.is_by_day:
        for day, month in view.each_day():
            yield day, _visits_on(month, day).shown
        return
    for first, one in view.points():
        value = figure.value(one)
        if isinstance(value, float):
            value = Shown(micro(value) if figure.unit == "USD" else round(value))
        yield first, value if value is not None else Shown(None, "beneath", below=view.what.k)


def _visits(view: _View) -> Shown:
    return view.what.total("visits")


def _headshots(view: _View) -> Shown:
    return view.what.total("headshots", *view.engine_path)


def _success(view: _View) -> Shown | float | None:
    path = view.engine_path
    if path:
        return _share_of_months(view, "runs_ended", path, (*path, "outcome", "ready"))
    ended, least, exact = 0, 0, True
    for month in view.what.months:
        root = month.roots["runs_ended"]
        if root.shown.n is None:
            continue
        ended += root.shown.n
        for engine in root.names("engine"):
            ready = root.below("engine", engine, "outcome", "ready")
            least, exact = least + ready.least, exact and ready.shown.n is not None
        exact = exact and (not root.shown.n or bool(list(root.names("engine"))))
    return _percent(least, ended, exact)


def _share_of_months(view: _View, root: str, whole: tuple[str, ...], part: tuple[str, ...]) -> Shown | float | None:
    """Of months whose whole is shown: a part that is hidden counts as the least that it can be."""
    total, least, exact = 0, 0, True
    for month in view.what.months:
        n = month.roots[root].below(*whole).shown.n
        if n is None:
            continue
        cell = month.roots[root].below(*part)
        total, least, exact = total + n, least + cell.least, exact and cell.shown.n is not None
    return _percent(least, total, exact)


def _percent(part: int, whole: int, exact: bool) -> Shown | float | None:
    if not whole:
        return None
    if exact:
        return 100 * part / whole
    return Shown(100 * part // whole, "beneath", at_least=True) if part else None


def _median_time(view: _View) -> float | None:
    return view.what.times(Metric.TOOK, view.engine).percentile(50)


def _cost_each(view: _View) -> float | None:
    """Of engines that charge, in months in which their headshots are shown."""
    spent = made = 0
    for month in view.what.months:
        for (engine, day), money in month.money.items():
            if not day and money and view.engine in (None, engine):
                spent += money
                made += month.roots["headshots"].at("engine", engine).shown.n or 0
    return spent / MILLION / made if made else None


def _sla_kept(view: _View) -> Shown | float | None:
    done = "outcome", "done"
    return _share_of_months(view, "ticket_ends", done, (*done, "in time", IN_TIME))


def _promises_kept(view: _View) -> float | None:
    counts = [(state, n) for month in view.what.months for (_, state), n in month.checks.items()]
    total = sum(n for _, n in counts)
    return 100 * sum(n for state, n in counts if state == "kept") / total if total else None


_FIGURES: Final = (
    _Figure("visits", "Visits", "", _visits, "Browser sessions that came, each once; who opted out is not counted."),
    _Figure("headshots", "Headshots", "", _headshots, "Headshots that were made and kept for their owners."),
    _Figure("success", "Runs that ended ready", "%", _success, "Ready, of all runs that ended, cancelled ones too."),
    _Figure(
        "median_time", "Median time to a headshot", "s", _median_time, "From the button to the last one, of ready runs."
    ),
    _Figure(
        "cost_each",
        "Cost of a headshot",
        "USD",
        _cost_each,
        "All that engines charged, by the headshots that they made.",
    ),
    _Figure(
        "sla_kept", "Requests done in time", "%", _sla_kept, "Of requests that ended as done, by their own clocks."
    ),
    _Figure(
        "promises_kept", "Promise checks kept", "%", _promises_kept, "Of all checks; unknown is not taken for kept."
    ),
)


def _change(unit: str, here: tuple[Any, float], before: tuple[Any, float]) -> str:
    now, then = (_exact(value) for value, _ in (here, before))
    if now is None:
        return ""
    if then is None or (unit == "" and not then):
        return "nothing to compare with" if then is None or now else ""
    if unit == "%":
        return _in_words(now - then, " points")
    if unit == "":
        now, then = now / here[1], then / before[1]
    per = " per day" if unit == "" else ""
    return _in_words(100 * (now - then) / then, f" %{per}") if then else ""


def _exact(value: Shown | float | None) -> float | None:
    return value.exact if isinstance(value, Shown) else value


def _in_words(difference: float, unit: str) -> str:
    amount = round(abs(difference))
    if not amount:
        return "as before"
    return f"{amount:,}{unit} {'more' if difference > 0 else 'less'} than before"


# -------------------------------------------------------------------------------------------------------------- tables
_Make = Callable[[_View], Table]
_TABLES: Final[dict[str, _Make]] = {}


def _table(
    id_: str, title: str, columns: Sequence[str], says: str, unit: str = ""
) -> Callable[[Callable[[_View], Iterable[Row]]], Callable[[_View], Iterable[Row]]]:
    """Makes a function that gives rows one of the tables."""

    def with_rows(rows: Callable[[_View], Iterable[Row]]) -> Callable[[_View], Iterable[Row]]:
        def make(view: _View) -> Table:
            return Table(id=id_, title=title, says=says, unit=unit, columns=tuple(columns), rows=tuple(rows(view)))

        _TABLES[id_] = make
        return rows

    return with_rows


@_table(
    "visits_by_day", "Visits", ("when", "visits"), "Browser sessions, each once, by UTC day; in long periods by month."
)
def _visits_by_day(view: _View) -> Iterator[Row]:
    if view.period.is_by_day:
        yield from ((day.isoformat(), _visits_on(month, day).shown) for day, month in view.each_day())
    else:
        yield from ((month_word(month.first), month.roots["visits"].shown) for month in view.what.months)


def _visits_on(month: Month, day: date) -> Published_:
    return month.roots["visits"].below("weekday", str(day.weekday()), "day", day.isoformat())


@_table(
    "funnel",
    "From visit to download",
    ("step", "visits", "of visits, %", "lost here"),
    "How many visits came so far, each step once; lost here: came so far and no further. Added up from the losses.",
)
def _funnel(view: _View) -> Iterator[Row]:
    reached = [_reached(view.what, number) for number in range(len(STEPS))]
    whole = reached[0].exact
    for number, step in enumerate(STEPS):
        lost = view.what.total("visits", "furthest", step) if number < len(STEPS) - 1 else None
        yield step, reached[number], _share(reached[number], whole), lost
    yield "again", view.what.total("again"), None, None


def _reached(what: Published, number: int) -> Shown:
    """Summed from the far end, or the total less what was lost before; where that is hidden, at least so many."""
    known, exact = 0, True
    for cell in what.cells("visits"):
        n, here = _reached_in(cell, number)
        known, exact = known + n, exact and here
    if exact:
        return Shown(known)
    return Shown(known, "beneath", at_least=True) if known else Shown(None, "beneath", below=what.k)


def _reached_in(visits: Published_, number: int) -> tuple[int, bool]:
    if visits.shown.n is None:
        return 0, False
    so_far, before = (
        [visits.at("furthest", step) for step in STEPS[number:]],
        [visits.at("furthest", step) for step in STEPS[:number]],
    )
    if all(cell.shown.n is not None for cell in so_far):
        return sum(cell.shown.n or 0 for cell in so_far), True
    if all(cell.shown.n is not None for cell in before):
        return visits.shown.n - sum(cell.shown.n or 0 for cell in before), True
    return sum(cell.least for cell in so_far), False


@_table(
    "outcomes",
    "How runs ended",
    ("engine", "outcome", "runs", "of its runs, %"),
    "Runs by how they ended and, of those that failed, why; counted on the day of their end.",
)
def _outcomes(view: _View) -> Iterator[Row]:
    for engine in view.engines("runs_ended"):
        whole = view.what.total("runs_ended", "engine", engine)
        outcomes = view.what.names("runs_ended", "engine", engine, "outcome")
        if not outcomes:
            yield engine, ALL, whole, None
        yield from _by_size((engine, name, n, _share(n, whole.exact)) for name, n in _ends(view, engine, outcomes))


def _ends(view: _View, engine: str, outcomes: Iterable[str]) -> Iterator[tuple[str, Shown]]:
    """Failures by their reasons, where those are told."""
    for outcome in outcomes:
        path = "runs_ended", "engine", engine, "outcome", outcome
        reasons = view.what.names(*path, "reason")
        yield from ((reason, view.what.total(*path, "reason", reason)) for reason in reasons)
        if not reasons:
            yield outcome, view.what.total(*path)


def _times(view: _View, metric: Metric, name: str | None) -> Row:
    times = view.what.times(metric, name)
    return tuple(times.percentile(share) for share in _PERCENTILES)


_OF = ("p50", "p95", "p99")
_HOW = (
    "From fixed buckets, straight lines within each, two digits. A 95th is told of 20 and more, a 99th of 100 and more."
)


@_table(
    "latency", "Time to the headshots", ("engine", *_OF), f"From the button to the last one, ready runs. {_HOW}", "s"
)
def _latency(view: _View) -> Iterator[Row]:
    yield from _by_engine(view, Metric.TOOK)


@_table("queue_wait", "Waiting for a start", ("engine", *_OF), f"From the button to the start of a run. {_HOW}", "s")
def _queue_wait(view: _View) -> Iterator[Row]:
    yield from _by_engine(view, Metric.QUEUE_WAIT)


@_table("run_costs", "Cost of a run", ("engine", *_OF), f"What a run was charged, in US cents. {_HOW}", "US cents")
def _run_costs(view: _View) -> Iterator[Row]:
    yield from _by_engine(view, Metric.RUN_COST)


def _by_engine(view: _View, metric: Metric) -> Iterator[Row]:
    names = [name for name in view.what.timed(metric) if view.engine in (None, name)]
    yield from ((name, *_times(view, metric, name)) for name in names)
    if len(names) > 1:
        yield ALL, *_times(view, metric, None)


@_table("stages", "Stages of a run", ("engine", "stage", *_OF), f"How long ready runs were in each stage. {_HOW}", "s")
def _stages(view: _View) -> Iterator[Row]:
    for name in view.what.timed(Metric.STAGE_TOOK):
        engine, _, stage = name.partition(".")
        if view.engine in (None, engine):
            yield engine, stage, *_times(view, Metric.STAGE_TOOK, name)


_COST_COLUMNS = ("when", "engine", "headshots", "cost", "each")
_COST_SAYS = "What an engine said that it charged, shown where its headshots are; each: by the headshots that it made."


@_table("cost_by_day", "Cost per day", _COST_COLUMNS, f"{_COST_SAYS} By UTC day; in long periods by month.", "USD")
def _cost_by_day(view: _View) -> Iterator[Row]:
    if not view.period.is_by_day:
        yield from _cost_by_month(view)
        return
    engines = _charging(view)
    for day, month in view.each_day():
        for engine in engines:
            cell = month.roots["headshots"].below("engine", engine, "day", day.isoformat())
            yield day.isoformat(), engine, cell.shown, *_money(cell.shown, month.money.get((engine, day.isoformat())))


@_table("cost_by_month", "Cost per month", _COST_COLUMNS, _COST_SAYS, "USD")
def _cost_by_month(view: _View) -> Iterator[Row]:
    for month in view.what.months:
        for engine in _charging(view):
            cell = month.roots["headshots"].at("engine", engine)
            yield month_word(month.first), engine, cell.shown, *_money(cell.shown, month.money.get((engine, "")))


def _charging(view: _View) -> list[str]:
    """Engines that have charged something in the period."""
    names = {engine for month in view.what.months for (engine, _), money in month.money.items() if money}
    return sorted(name for name in names if view.engine in (None, name))


def _money(headshots: Shown, money: int | None) -> Row:
    if money is None or not headshots.n:
        return None, None
    return money / MILLION, money / MILLION / headshots.n


def _simple(id_: str, title: str, root: str, split: str, columns: tuple[str, ...], says: str) -> None:
    """A table of one split: its cells, the largest first, and their share where there is a column for it."""

    @_table(id_, title, columns, says)
    def _rows(view: _View) -> Iterator[Row]:
        whole = view.what.total(root).exact
        cells = [(name, view.what.total(root, split, name)) for name in view.what.names(root, split)]
        yield from _by_size((name, n, _share(n, whole))[: len(columns)] for name, n in cells)


_simple("styles", "Styles", "runs_begun", "style", ("style", "runs", "%"), "Runs that were begun, by the style chosen.")
_simple("purposes", "Purposes", "runs_begun", "purpose", ("purpose", "runs", "%"), "Runs that were begun, by purpose.")
_simple(
    "contracts",
    "How long people let us keep it",
    "runs_begun",
    "contract",
    ("contract", "runs", "%"),
    "Runs that were begun, by the contract chosen; what was shortened later is told apart.",
)
_simple(
    "limits",
    "Limits that were met",
    "limits",
    "limit",
    ("limit", "times"),
    "How often a run could not be begun for a limit: of a person's day, a network, the queue, a provider.",
)
_simple(
    "shortened",
    "Kept for less",
    "shortened",
    "contract",
    ("contract", "times"),
    "How often a run was shortened to this.",
)
_simple(
    "refusals",
    "Photos that could not be used",
    "refused",
    "reason",
    ("reason", "times"),
    "How often a photo was refused before anything was stored, by the reason that was given.",
)
_simple(
    "downloads", "Downloads", "downloads", "what", ("what", "times"), "Downloads of headshots: whole, smaller, or all."
)
_simple(
    "devices", "Devices", "visits", "device", ("device", "visits", "%"), "Visits by what the browser says it is on."
)
_simple(
    "languages",
    "Languages",
    "visits",
    "language",
    ("language", "visits", "%"),
    "Visits by the language that the browser asks for first.",
)
_simple("operators", "What operators did", "deeds", "action", ("action", "times"), "Deeds of operators, by their name.")


@_table(
    "gone",
    "Erased and proved",
    ("kind", "reason", "copies"),
    "Copies that storage has shown to be gone, by what they were and why they went.",
)
def _gone(view: _View) -> Iterator[Row]:
    yield from _two_levels(view, "erased", "kind", "reason")


@_table(
    "gone_times",
    "Time to gone",
    ("reason", *_OF),
    f"From the end of a clock, or the wish, to the proof. {_HOW}",
    "s",
)
def _gone_times(view: _View) -> Iterator[Row]:
    yield from ((name, *_times(view, Metric.GONE_TOOK, name)) for name in view.what.timed(Metric.GONE_TOOK))


@_table(
    "tickets",
    "Requests that came in",
    ("channel", "kind", "requests"),
    "Deletion and other requests, by the way they came and what they ask for.",
)
def _tickets(view: _View) -> Iterator[Row]:
    yield from _two_levels(view, "tickets", "channel", "kind")


@_table(
    "ticket_ends",
    "How requests ended",
    ("outcome", "in time", "requests"),
    "Requests that were closed, by how they ended and whether that was within their clock.",
)
def _ticket_ends(view: _View) -> Iterator[Row]:
    yield from _two_levels(view, "ticket_ends", "outcome", "in time")


@_table("ticket_times", "Time to done", ("kind", *_OF), f"From the receipt of a request to its being done. {_HOW}", "s")
def _ticket_times(view: _View) -> Iterator[Row]:
    yield from ((name, *_times(view, Metric.TICKET_TOOK, name)) for name in view.what.timed(Metric.TICKET_TOOK))


def _two_levels(view: _View, root: str, outer: str, inner: str) -> Iterator[Row]:
    for name in view.what.names(root, outer):
        parts = view.what.names(root, outer, name, inner)
        if not parts:
            yield name, ALL, view.what.total(root, outer, name)
        yield from _by_size((name, part, view.what.total(root, outer, name, inner, part)) for part in parts)


@_table(
    "hours",
    "Hours of the week",
    ("weekday", *(f"{hour:02}" for hour in range(24))),
    "Visits by weekday and hour, UTC, added up over the period.",
    "visits",
)
def _hours(view: _View) -> Iterator[Row]:
    for number, name in enumerate(_WEEKDAYS):
        path = "weekday", str(number), "hour"
        yield name, *(view.what.total("visits", *path, f"{hour:02}") for hour in range(24))


@_table(
    "storage",
    "What is stored",
    ("when", "kind", "bytes"),
    "Encrypted bytes in the vault by kind of copy, as last seen on the day; in long periods in the month. Of everybody "
    "together, in steps of 10 MB, so that no single photo can be seen to come or go.",
    "bytes",
)
def _storage(view: _View) -> Iterator[Row]:
    yield from _level(view, Level.STORED)


@_table(
    "balances",
    "What is left at providers",
    ("when", "provider", "left"),
    "As the provider said it last on the day; in long periods in the month. In whole dollars: what a headshot costs is "
    "known, and from one cent to the next one could count those of a day.",
    "USD",
)
def _balances(view: _View) -> Iterator[Row]:
    yield from ((when, name, float(left // MILLION)) for when, name, left in _level(view, Level.BALANCE))


def _level(view: _View, level: Level) -> Iterator[tuple[str, str, float]]:
    seen = [
        (day, name, value)
        for month in view.what.months
        for (its, name), days in month.levels.items()
        if its == level.value
        for day, value in days.items()
    ]
    for day, name, value in sorted(seen):
        yield day.isoformat() if view.period.is_by_day else month_word(day), name, float(value)


@_table(
    "promises",
    "Promises",
    ("promise", "kept", "broken", "unknown", "kept, %"),
    "How often each promise was checked, and with what result. Unknown is not taken for kept. Never hidden: no checks "
    "are anybody's doings.",
)
def _promises(view: _View) -> Iterator[Row]:
    counts: dict[str, dict[str, int]] = {}
    for month in view.what.months:
        for (promise, state), n in month.checks.items():
            its = counts.setdefault(promise, {"kept": 0, "broken": 0, "unknown": 0})
            its[state] = its.get(state, 0) + n
    for promise, its in sorted(counts.items()):
        numbers = [float(its[state]) for state in ("kept", "broken", "unknown")]
        yield promise, *numbers, 100 * its["kept"] / sum(its.values())


def _share(part: Shown, whole: int | None) -> float | None:
    return 100 * part.exact / whole if part.exact is not None and whole else None


def _by_size(rows: Iterable[Row]) -> list[Row]:
    """The largest first, what is hidden last."""

    def size(row: Row) -> tuple[float, str]:
        n = next((cell for cell in row if isinstance(cell, Shown)), Shown(0))
        return (-n.n if n.n is not None else 1, str(row))

    return sorted(rows, key=size)


TABLES: Final = tuple(_TABLES)
"""Every table, by its id."""


# --------------------------------------------------------------------------------------------------------------- files
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
    return one.columns, ([_text(cell) for cell in row] for row in one.rows)


def _cells(told: Report) -> Iterator[Sequence[str]]:
    for kpi in told.kpis:
        yield "key_figures", kpi.id, kpi.unit or "number", _text(kpi.value)
    for table in told.tables.values():
        for row in table.rows:
            names = [cell for cell in row if isinstance(cell, str)]
            for column, cell in zip(table.columns[len(names) :], row[len(names) :], strict=True):
                yield table.id, " · ".join(names), column, _text(cell)


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Shown):
        return str(cell.n) if cell.n is not None and not cell.at_least else cell.text.replace(",", "")
    return cell if isinstance(cell, str) else f"{cell:.6f}".rstrip("0").rstrip(".")


def as_csv(told: Report, table: str = ALL) -> str:
    columns, rows = as_rows(told, table)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
