"""What stands above the list: how all clocks are kept, and what needs somebody next."""

from datetime import timedelta

from core import requests
from core.requests import Totals
from core.ui import widgets
from core.ui.screens.desk.desk import Desk


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
