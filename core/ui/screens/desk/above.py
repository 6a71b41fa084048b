"""What stands above the list: how all clocks are kept, and what needs somebody next."""

from datetime import datetime, timedelta

import streamlit as st

from core import forecast, requests
from core.forecast import Budget, Forecast, Risk
from core.requests import Totals
from core.ui import widgets
from core.ui.screens.desk.desk import Desk

FORETOLD, FORETOLD_EVERY = "desk-forecast", timedelta(seconds=20)
MOST = 3
HOPE = (Risk.START, Risk.DUE, Risk.SLOW)
"""What is in time if somebody starts; the others need more than that."""


def totals(desk: Desk) -> None:
    with desk.svc.reading() as session:
        stand = requests.totals(session, desk.now)
    widgets.show(widgets.figures(*_clocks(stand), *_month(stand)))


def _clocks(stand: Totals) -> list[widgets.Html]:
    more = "+" if stand.capped else ""
    return [
        widgets.key_figure(
            f"{stand.breached:,}",
            "past their clock",
            change="breached" if stand.breached else "none breached",
            state="broken" if stand.breached else "kept",
        ),
        widgets.key_figure(
            f"{stand.due_soon:,}",
            "within 12 h",
            change="due soon" if stand.due_soon else "none due soon",
            state="due" if stand.due_soon else "kept",
        ),
        widgets.key_figure(
            f"{stand.on_track:,}", f"with more time, of {stand.open:,}{more} open", change="on track", state="counting"
        ),
    ]


def _month(stand: Totals) -> list[widgets.Html]:
    done = stand.met_this_month + stand.missed_this_month
    missed = stand.missed_this_month + stand.breached
    return [
        widgets.key_figure(
            _share(stand.kept_share),
            f"kept this month, of {done + stand.breached:,}",
            change=f"{missed:,} missed" if missed else ("every clock kept" if done else "nothing done yet"),
            state="broken" if missed else ("kept" if done else "unknown"),
        ),
        widgets.key_figure(_share(stand.zero_touch_share), "erased without a hand", change="this month"),
        widgets.key_figure(_length(stand.median_seconds), "median, from receipt to proof", change="this month"),
    ]


def _share(share: float | None) -> str:
    """Never rounded up to all of them."""
    if share is None:
        return "–"
    return "100 %" if share == 1 else f"{int(share * 1000) / 10:.1f} %"


def _length(seconds: float | None) -> str:
    return "–" if seconds is None else widgets.length(timedelta(seconds=seconds))


# ------------------------------------------------------------------------------------------------------------- forecast
def outlook(desk: Desk, *, brief: bool) -> None:
    """Which request breaches when, unless somebody starts by when; and how much lateness the month has left."""
    foretold, budget = _foretold(desk)
    most = 1 if brief else MOST
    lines: list[tuple[widgets.State, str]] = [
        ("due" if one.risk in HOPE else "broken", one.says(desk.at, desk.now)) for one in foretold.outlooks[:most]
    ]
    more = foretold.at_risk - len(lines)
    rest = f" {more:,} more after these." if more > 0 and not brief else ""
    widgets.show(
        widgets.told(lines) if lines else None,
        None if brief else widgets.quiet(f"Forecast: {foretold.says}{rest} {budget.says}"),
    )


def _foretold(desk: Desk) -> tuple[Forecast, Budget]:
    """From hundreds of rows: not with every key that somebody presses."""
    known: tuple[datetime, Forecast, Budget] | None = st.session_state.get(FORETOLD)
    if known is None or not timedelta(0) <= desk.now - known[0] < FORETOLD_EVERY:
        with desk.svc.reading() as session:
            known = (desk.now, forecast.look(session, desk.now), forecast.budget(session, desk.now))
        st.session_state[FORETOLD] = known
    return known[1], known[2]
