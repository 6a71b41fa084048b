"""What goes when, drawn and in numbers, and what would go when under another promise."""

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from core import futures
from core.contracts import Contract
from core.futures import Cell, Forecast
from core.ui import charts, widgets
from core.ui.operators import COPY_SAYS
from core.ui.screens.retention.desk import KINDS, UNDER_SAYS, Desk, day_says

SHORTEST_CHART = 7
SHORT = "1 h or less"


def what_goes_when(desk: Desk) -> None:
    st.header("What goes when", anchor=False)
    known = futures.forecast(desk.svc)
    if known is None:
        _uncounted(desk)
        return
    if not known.cells:
        widgets.show(widgets.note("Nothing of anybody is kept. There is nothing to come.", "kept"))
        return
    offered = futures.policies(desk.svc)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        policy = st.segmented_control(
            "If nothing were kept longer than",
            offered,
            default=offered[0],
            required=True,
            format_func=lambda one: f"{_says(desk, one)}, as it is" if one is offered[0] else _says(desk, one),
            key="retention-policy",
            wrap=True,
        )
        by_kind = st.segmented_control(
            "Coloured by", ["Contract", "Kind"], default="Contract", required=True, key="retention-colours"
        )
    _draw(desk, known, policy or offered[0], by_kind == "Kind")


def _says(desk: Desk, contract: Contract) -> str:
    terms = desk.svc.settings.terms
    is_called_so = terms.keep_for(contract) == contract.keep_for
    return UNDER_SAYS[contract] if is_called_so else f"{terms.longest_days} d"


def _uncounted(desk: Desk) -> None:
    widgets.show(widgets.note("There is too much to count while you wait. A worker counts it with its next sweep."))
    if st.button("Count now"):
        with st.spinner("Counting …"):
            futures.count(desk.svc)
        st.rerun()


def _draw(desk: Desk, known: Forecast, policy: Contract, by_kind: bool) -> None:
    today = desk.now.date()
    shifted = futures.what_if(known.cells, policy, terms=desk.svc.settings.terms)
    cells = futures.from_today(shifted, today)
    last = max(*(cell.day for cell in cells), today + timedelta(days=SHORTEST_CHART - 1))
    every_day = [today + timedelta(days=ahead) for ahead in range((last - today).days + 1)]
    series = [
        charts.Series(name, [sum(cell.copies for cell in some if cell.day == day) for day in every_day], colour)
        for colour, (name, some) in enumerate(_grouped(cells, by_kind).items())
        if some
    ]
    chart, numbers = st.columns([3, 2], gap="medium")
    with chart:
        _as_bars(known, every_day, series)
        _by_a_day(cells, every_day, policy)
    with numbers:
        _as_numbers(cells, every_day, series)
    counted = "now" if known.counted_at >= desk.now else f"{widgets.length(desk.now - known.counted_at)} ago"
    widgets.show(widgets.quiet(f"{known.copies:,} copies, counted {counted}. Days are UTC."))


def _as_bars(known: Forecast, every_day: Sequence[date], series: Sequence[charts.Series]) -> None:
    sums = _sums(series)
    peak = max(range(len(sums)), key=lambda at: sums[at])
    figure = charts.stacked_bars([day_says(day) for day in every_day], series, unit="copies", which=charts.theme())
    most = f"most on {day_says(every_day[peak])}: {sums[peak]:,.0f}"
    charts.draw(figure, key="retention-futures", alt=f"Copies that go on each day (UTC), {most} of {known.copies:,}.")


def _as_numbers(cells: Sequence[Cell], every_day: Sequence[date], series: Sequence[charts.Series]) -> None:
    st.dataframe(
        {
            "day": [day_says(day) for day in every_day],
            "copies": [int(total) for total in _sums(series)],
            **{one.name: [int(value) for value in one.values] for one in series},
            "MB": [sum(cell.size for cell in cells if cell.day == day) / 1e6 for day in every_day],
        },
        hide_index=True,
        height=340,
        column_config={"MB": st.column_config.NumberColumn(format="%.1f")},
        alt="The same numbers as in the chart, a row for each day (UTC)",
    )


def _sums(series: Sequence[charts.Series]) -> list[float]:
    return [sum(values) for values in zip(*(one.values for one in series), strict=True)]


def _grouped(cells: Sequence[Cell], by_kind: bool) -> dict[str, list[Cell]]:
    """As many as there are colours, the longest contract first."""
    if by_kind:
        return {COPY_SAYS[kind][0]: [cell for cell in cells if cell.kind is kind] for kind in KINDS}
    long = (Contract.MONTH, Contract.WEEK, Contract.THREE_DAYS, Contract.DAY)
    groups = {UNDER_SAYS[contract]: [cell for cell in cells if cell.contract is contract] for contract in long}
    return groups | {SHORT: [cell for cell in cells if cell.contract not in long]}


def _by_a_day(cells: Sequence[Cell], every_day: Sequence[date], policy: Contract) -> None:
    chosen = st.select_slider(
        "By the end of", every_day, format_func=day_says, key=f"retention-day-{policy}", label_visibility="collapsed"
    )
    gone, left = futures.by(cells, chosen)
    widgets.show(widgets.quiet(f"By the end of {day_says(chosen)}: {gone:,} gone, {left:,} left of what is kept now."))
