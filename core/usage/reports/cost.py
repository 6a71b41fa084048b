"""What does it cost?"""

from collections.abc import Iterator
from typing import Final

from core.provider.spending import MILLION
from core.usage.metrics import Level, Metric
from core.usage.periods import month_word
from core.usage.publishing import Shown
from core.usage.reports.rows import HOW, OF, by_engine, level_of, table
from core.usage.reports.shape import Row
from core.usage.reports.view import View

_COST_COLUMNS = ("when", "engine", "headshots", "cost", "each")
_COST_SAYS = "What an engine said that it charged, shown where its headshots are; each: by the headshots that it made."


@table("cost_by_day", "Cost per day", _COST_COLUMNS, f"{_COST_SAYS} By UTC day; in long periods by month.", "USD")
def _cost_by_day(view: View) -> Iterator[Row]:
    if not view.period.is_by_day:
        yield from _cost_by_month.rows(view)
        return
    engines = _charging(view)
    for day, month in view.each_day():
        for engine in engines:
            cell = month.roots["headshots"].below("engine", engine, "day", day.isoformat())
            yield day.isoformat(), engine, cell.shown, *_money(cell.shown, month.money.get((engine, day.isoformat())))


@table("cost_by_month", "Cost per month", _COST_COLUMNS, _COST_SAYS, "USD")
def _cost_by_month(view: View) -> Iterator[Row]:
    for month in view.what.months:
        for engine in _charging(view):
            cell = month.roots["headshots"].at("engine", engine)
            yield month_word(month.first), engine, cell.shown, *_money(cell.shown, month.money.get((engine, "")))


@table("run_costs", "Cost of a run", ("engine", *OF), f"What a run was charged, in US cents. {HOW}", "US cents")
def _run_costs(view: View) -> Iterator[Row]:
    yield from by_engine(view, Metric.RUN_COST)


@table(
    "balances",
    "What is left at providers",
    ("when", "provider", "left"),
    "As the provider said it last on the day; in long periods in the month. In whole dollars: what a headshot costs is "
    "known, and from one cent to the next one could count those of a day.",
    "USD",
)
def _balances(view: View) -> Iterator[Row]:
    yield from ((when, name, float(left // MILLION)) for when, name, left in level_of(view, Level.BALANCE))


def _charging(view: View) -> list[str]:
    """Engines that have charged something in the period."""
    names = {engine for month in view.what.months for (engine, _), money in month.money.items() if money}
    return sorted(name for name in names if view.engine in (None, name))


def _money(headshots: Shown, money: int | None) -> Row:
    if money is None or not headshots.n:
        return None, None
    return money / MILLION, money / MILLION / headshots.n


TABLES: Final = (_cost_by_day, _cost_by_month, _run_costs, _balances)
