"""Do people succeed, and where do they stop?"""

from collections.abc import Iterable, Iterator
from typing import Final

from core.usage.metrics import STEPS
from core.usage.periods import month_word
from core.usage.publishing import Cell, Published, Shown
from core.usage.reports.rows import by_size, share, simple, table
from core.usage.reports.shape import ALL, Row
from core.usage.reports.view import View, visits_on


@table(
    "visits_by_day", "Visits", ("when", "visits"), "Browser sessions, each once, by UTC day; in long periods by month."
)
def _visits_by_day(view: View) -> Iterator[Row]:
    if view.period.is_by_day:
        yield from ((day.isoformat(), visits_on(month, day).shown) for day, month in view.each_day())
    else:
        yield from ((month_word(month.first), month.roots["visits"].shown) for month in view.what.months)


@table(
    "funnel",
    "From visit to download",
    ("step", "visits", "of visits, %", "lost here"),
    "How many visits came so far, each step once; lost here: came so far and no further. Added up from the losses.",
)
def _funnel(view: View) -> Iterator[Row]:
    reached = [_reached(view.what, number) for number in range(len(STEPS))]
    whole = reached[0].exact
    for number, step in enumerate(STEPS):
        lost = view.what.total("visits", "furthest", step) if number < len(STEPS) - 1 else None
        yield step, reached[number], share(reached[number], whole), lost
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


def _reached_in(visits: Cell, number: int) -> tuple[int, bool]:
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


@table(
    "outcomes",
    "How runs ended",
    ("engine", "outcome", "runs", "of its runs, %"),
    "Runs by how they ended and, of those that failed, why; counted on the day of their end.",
)
def _outcomes(view: View) -> Iterator[Row]:
    for engine in view.engines("runs_ended"):
        whole = view.what.total("runs_ended", "engine", engine)
        outcomes = view.what.names("runs_ended", "engine", engine, "outcome")
        if not outcomes:
            yield engine, ALL, whole, None
        yield from by_size((engine, name, n, share(n, whole.exact)) for name, n in _ends(view, engine, outcomes))


def _ends(view: View, engine: str, outcomes: Iterable[str]) -> Iterator[tuple[str, Shown]]:
    """Failures by their reasons, where those are told."""
    for outcome in outcomes:
        path = "runs_ended", "engine", engine, "outcome", outcome
        reasons = view.what.names(*path, "reason")
        yield from ((reason, view.what.total(*path, "reason", reason)) for reason in reasons)
        if not reasons:
            yield outcome, view.what.total(*path)


_limits = simple(
    "limits",
    "Limits that were met",
    "limits",
    "limit",
    ("limit", "times"),
    "How often a run could not be begun for a limit: of a person's day, a network, the queue, a provider.",
)
_refusals = simple(
    "refusals",
    "Photos that could not be used",
    "refused",
    "reason",
    ("reason", "times"),
    "How often a photo was refused before anything was stored, by the reason that was given.",
)


TABLES: Final = (_visits_by_day, _funnel, _outcomes, _limits, _refusals)
