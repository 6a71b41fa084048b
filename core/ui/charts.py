"""
Charts: one template of ours, for every page that draws one.

Plotly, without what clutters: no grid but a few quiet lines, no toolbar, numbers written where they are, units on the
axis. At most five colours, chosen so that they stay apart for colour-blind readers and in grey, on both papers. A
chart is never alone: it has a sentence for those who cannot see it, and the page shows its numbers as a table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import plotly.graph_objects as go
import streamlit as st

Theme = Literal["light", "dark"]

_FONT: Final = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_INK: Final = {"light": "#17202A", "dark": "#E9E6E0"}
_QUIET: Final = {"light": "#55606B", "dark": "#A5AEB8"}
_LINE: Final = {"light": "#E3DFD8", "dark": "#2B333C"}
_PAPER: Final = {"light": "#FBFAF8", "dark": "#12161B"}
_COLOURS: Final = {
    "light": ("#0F6B63", "#D98E04", "#3B5BA9", "#B0527A", "#8A8F98"),
    "dark": ("#5CC0B3", "#F2C14E", "#8FA8E8", "#E08FB3", "#A5AEB8"),
}
FEW: Final = 10
"""So many bars can each have their number on top."""


@dataclass(frozen=True)
class Series:
    """A name, its values, one for each label below, and which of the colours it keeps whatever else is drawn."""

    name: str
    values: Sequence[float]
    colour: int


def theme() -> Theme:
    return "dark" if st.context.theme.type == "dark" else "light"


def template(which: Theme) -> go.layout.Template:
    quiet = {"color": _QUIET[which], "size": 14}
    bare = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "tickfont": quiet, "fixedrange": True}
    return go.layout.Template(
        layout={
            "font": {"family": _FONT, "size": 14, "color": _INK[which]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(_COLOURS[which]),
            "margin": {"l": 0, "r": 0, "t": 40, "b": 0},
            "xaxis": {**bare, "automargin": True},
            "yaxis": {**bare, "automargin": True, "showgrid": True, "gridcolor": _LINE[which], "nticks": 4},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": quiet, "itemclick": False,
                       "itemdoubleclick": False, "title": {"text": ""}},
            "hoverlabel": {"font": {"family": _FONT, "size": 14}},
            "bargap": 0.25,
            "dragmode": False,
        }
    )  # fmt: skip


def stacked_bars(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str,
    which: Theme,
    number: Callable[[float], str] = "{:,.0f}".format,
) -> go.Figure:
    """A bar for each label, with its sum on top. A series alone needs no legend: the unit says what it is."""
    figure = go.Figure(layout={"template": template(which), "barmode": "stack", "showlegend": len(series) > 1})
    for one in series:
        figure.add_bar(
            x=list(labels),
            y=list(one.values),
            name=one.name,
            marker={"color": _COLOURS[which][one.colour], "line": {"width": 1, "color": _PAPER[which]}},
            hovertemplate=f"%{{x}} · {one.name} · %{{y:,}} {unit}<extra></extra>",
        )
    sums = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    figure.add_scatter(
        x=list(labels),
        y=sums,
        mode="text",
        text=_said_on_top(sums, number),
        textposition="top center",
        textfont={"size": 14, "color": _INK[which]},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    said = {"text": unit, "standoff": 12, "font": {"size": 14, "color": _QUIET[which]}}
    figure.update_yaxes(title=said, rangemode="tozero")
    figure.update_xaxes(type="category", tickangle=0, tickvals=list(labels[:: -(-len(labels) // 7)]))
    return figure


def _said_on_top(sums: Sequence[float], number: Callable[[float], str]) -> list[str]:
    """Of many bars only the highest, or the numbers would lie on each other."""
    top = max(sums, default=0)
    first = next((at for at, total in enumerate(sums) if total == top), 0)
    few = len(sums) <= FEW
    return [number(total) if total and (few or at == first) else "" for at, total in enumerate(sums)]


def draw(figure: go.Figure, *, alt: str, key: str, height: int = 300) -> None:
    """`alt`: what the chart shows, in a sentence with its numbers."""
    figure.update_layout(height=height)
    calm = {"displayModeBar": False, "staticPlot": False, "responsive": True, "scrollZoom": False}
    st.plotly_chart(figure, theme=None, key=key, config=calm, height=height, alt=alt)
