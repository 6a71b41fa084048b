"""Key figures: each of a period, by its days or months, and against the period before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from core.provider.spending import MILLION, micro
from core.usage.metrics import Metric
from core.usage.publishing import Shown
from core.usage.reports.shape import Kpi
from core.usage.reports.view import View, visits_on
from core.usage.words import IN_TIME


@dataclass(frozen=True)
class Figure:
    id: str
    title: str
    unit: str
    value: Callable[[View], Shown | float | None]
    says: str


def kpi_of(view: View, before: View, figure: Figure) -> Kpi:
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


def _trend(view: View, figure: Figure) -> Iterator[tuple[date, Shown]]:
    if figure.id == "visits" and view.period.is_by_day:
        for day, month in view.each_day():
            yield day, visits_on(month, day).shown
        return
    for first, one in view.points():
        value = figure.value(one)
        if isinstance(value, float):
            value = Shown(micro(value) if figure.unit == "USD" else round(value))
        yield first, value if value is not None else Shown(None, "beneath", below=view.what.k)


def _visits(view: View) -> Shown:
    return view.what.total("visits")


def _headshots(view: View) -> Shown:
    return view.what.total("headshots", *view.engine_path)


def _success(view: View) -> Shown | float | None:
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


def _share_of_months(view: View, root: str, whole: tuple[str, ...], part: tuple[str, ...]) -> Shown | float | None:
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


def _median_time(view: View) -> float | None:
    return view.what.times(Metric.TOOK, view.engine).percentile(50)


def _cost_each(view: View) -> float | None:
    """Of engines that charge, in months in which their headshots are shown."""
    spent = made = 0
    for month in view.what.months:
        for (engine, day), money in month.money.items():
            if not day and money and view.engine in (None, engine):
                spent += money
                made += month.roots["headshots"].at("engine", engine).shown.n or 0
    return spent / MILLION / made if made else None


def _sla_kept(view: View) -> Shown | float | None:
    done = "outcome", "done"
    return _share_of_months(view, "ticket_ends", done, (*done, "in time", IN_TIME))


def _promises_kept(view: View) -> float | None:
    counts = [(state, n) for month in view.what.months for (_, state), n in month.checks.items()]
    total = sum(n for _, n in counts)
    return 100 * sum(n for state, n in counts if state == "kept") / total if total else None


FIGURES: Final = (
    Figure("visits", "Visits", "", _visits, "Browser sessions that came, each once; who opted out is not counted."),
    Figure("headshots", "Headshots", "", _headshots, "Headshots that were made and kept for their owners."),
    Figure("success", "Runs that ended ready", "%", _success, "Ready, of all runs that ended, cancelled ones too."),
    Figure(
        "median_time", "Median time to a headshot", "s", _median_time, "From the button to the last one, of ready runs."
    ),
    Figure(
        "cost_each",
        "Cost of a headshot",
        "USD",
        _cost_each,
        "All that engines charged, by the headshots that they made.",
    ),
    Figure("sla_kept", "Requests done in time", "%", _sla_kept, "Of requests that ended as done, by their own clocks."),
    Figure(
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
