"""
Charts: one template of ours, for every page that draws one.

Plotly, without what clutters: no grid but a few quiet lines, no toolbar, numbers written where they are, units on the
axis. At most five colours, chosen so that they stay apart for colour-blind readers and in grey, on both papers. A
chart is never alone: it has a sentence for those who cannot see it, and the page shows its numbers as a table.

A number that is not shown (`Point.hidden`) is a hatched stub of one height, whatever it may be, with its sign on it.

Figures are plain mappings, checked once, when they are drawn: a page with twenty of them is still made at a glance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, NamedTuple

import pandas  # noqa: F401  Plotly looks into it wherever it finds it, also where another thread has half loaded it
import streamlit as st

Theme = Literal["light", "dark"]
Figure = dict[str, Any]

_FONT: Final = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
_INK: Final = {"light": "#17202A", "dark": "#E9E6E0"}
_QUIET: Final = {"light": "#55606B", "dark": "#A5AEB8"}
_LINE: Final = {"light": "#E3DFD8", "dark": "#2B333C"}
_HATCH: Final = {"light": "#A9AFB6", "dark": "#5A6570"}
_SUNKEN: Final = {"light": "#F3F0EB", "dark": "#20272F"}
_PAPER: Final = {"light": "#FBFAF8", "dark": "#12161B"}
_COLOURS: Final = {
    "light": ("#0F6B63", "#D98E04", "#3B5BA9", "#B0527A", "#8A8F98"),
    "dark": ("#5CC0B3", "#F2C14E", "#8FA8E8", "#E08FB3", "#A5AEB8"),
}
FEW: Final = 10
"""So many bars can each have their number on top."""
MANY: Final = 45
"""So many bars are so thin that an edge would hide them."""
STUB: Final = 0.06
"""How high a hidden number is drawn, as a share of the highest that is shown."""
ROW: Final = 46
"""Pixels for a bar that lies, with its words above it."""
_HOURS: Final = 24
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Point(NamedTuple):
    """A number to draw, and how it is said. `value` None and not hidden: there is none, and nothing is drawn."""

    value: float | None
    says: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Series:
    """A name, its values, one for each label below, and which of the colours it keeps whatever else is drawn."""

    name: str
    values: Sequence[float]
    colour: int


@dataclass(frozen=True)
class Group:
    """As `Series`, of points: of which some may be hidden."""

    name: str
    points: Sequence[Point]
    colour: int = 0


@dataclass(frozen=True)
class Row:
    """A bar that lies: what it is of, its number, and what else is said of both. `ends`: the part of it that stops."""

    label: str
    point: Point
    note: str = ""  # behind the label
    beside: str = ""  # behind the number
    ends: float = 0
    colour: int = 0


@dataclass(frozen=True)
class Spread:
    """How a time is spread: the half, 95 and 99 of a hundred. None: too few to say."""

    label: str
    half: float | None
    most: float | None
    nearly_all: float | None
    says: str
    note: str = ""


def theme() -> Theme:
    return "dark" if st.context.theme.type == "dark" else "light"


@cache
def template(which: Theme) -> Figure:
    quiet = {"color": _QUIET[which], "size": 14}
    bare = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "tickfont": quiet, "fixedrange": True}
    return {
        "layout": {
            "font": {"family": _FONT, "size": 14, "color": _INK[which]},
            "paper_bgcolor": _PAPER[which],
            "plot_bgcolor": _PAPER[which],
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
    }  # fmt: skip


def draw(figure: Figure, *, alt: str, key: str, height: int = 300, saved_as: str = "") -> None:
    """`alt`: what the chart shows, in a sentence with its numbers. `saved_as`: a button of the page makes it a file."""
    height = figure["layout"].setdefault("height", height)
    calm: dict[str, Any] = {"displayModeBar": False, "staticPlot": False, "responsive": True, "scrollZoom": False}
    if saved_as:
        # Plotly's own button makes the picture, in the browser; workshot.css hides it, and ours presses it
        calm |= {"displayModeBar": True, "displaylogo": False, "modeBarButtons": [["toImage"]]}
        size = {"width": 960, "height": max(360, height), "scale": 2}
        calm["toImageButtonOptions"] = {"format": "png", "filename": saved_as, **size}
    st.plotly_chart(figure, theme=None, key=key, config=calm, height=height, alt=alt)


# ---------------------------------------------------------------------------------------------------- bars that stand
def stacked_bars(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str,
    which: Theme,
    number: Callable[[float], str] = "{:,.0f}".format,
) -> Figure:
    """A bar for each label, with its sum on top. A series alone needs no legend: the unit says what it is."""
    groups = [Group(one.name, [Point(value) for value in one.values], one.colour) for one in series]
    return bars(labels, groups, unit=unit, which=which, number=number)


def bars(
    labels: Sequence[str],
    groups: Sequence[Group],
    *,
    unit: str,
    which: Theme,
    number: Callable[[float], str] = "{:,.0f}".format,
    limit: Point | None = None,
    stacked: bool = True,
) -> Figure:
    """As `stacked_bars`, of points. `limit`: a line across, as a budget is, with what it says."""
    sums = [sum(one.value or 0 for one in column) for column in zip(*(group.points for group in groups), strict=True)]
    top = max([*sums, *([limit.value] if limit and limit.value and limit.value <= 3 * max(sums, default=0) else [])])
    stub = (top or 1) * STUB
    traces = [_standing(labels, group, unit, which, stub) for group in groups]
    if stacked or len(groups) == 1:
        traces.append(_on_top(labels, groups, sums, stub, number, which))
    layout = _layout(which, barmode="stack" if stacked else "group", showlegend=len(groups) > 1)
    layout["yaxis"] = {"title": _said(unit, which), "rangemode": "tozero"}
    layout["xaxis"] = {"type": "category", "tickangle": 0, "tickvals": list(labels[:: -(-len(labels) // 7) or 1])}
    if limit and limit.value:
        _across(layout, limit, top, which)
    return {"data": traces, "layout": layout}


def _standing(labels: Sequence[str], group: Group, unit: str, which: Theme, stub: float) -> Figure:
    return {
        "type": "bar",
        "x": list(labels),
        "y": [stub if one.hidden else one.value for one in group.points],
        "name": group.name,
        "marker": _marks(group.points, _COLOURS[which][group.colour], which),
        "customdata": [one.says or (f"{one.value:,}" if one.value is not None else "") for one in group.points],
        "hovertemplate": f"%{{x}} · {group.name} · %{{customdata}} {unit}<extra></extra>",
    }


def _on_top(
    labels: Sequence[str],
    groups: Sequence[Group],
    sums: Sequence[float],
    stub: float,
    number: Callable[[float], str],
    which: Theme,
) -> Figure:
    hidden = [[one for one in column if one.hidden] for column in zip(*(group.points for group in groups), strict=True)]
    said = _said_on_top(sums, number)
    if len(labels) <= FEW:
        said = [text or (some[0].says if some else "") for text, some in zip(said, hidden, strict=True)]
    return {
        "type": "scatter",
        "x": list(labels),
        "y": [total + stub * len(some) for total, some in zip(sums, hidden, strict=True)],
        "mode": "text",
        "text": said,
        "textposition": "top center",
        "textfont": {"size": 14, "color": _INK[which]},
        "hoverinfo": "skip",
        "showlegend": False,
        "cliponaxis": False,
    }


def _said_on_top(sums: Sequence[float], number: Callable[[float], str]) -> list[str]:
    """Of many bars only the highest, or the numbers would lie on each other."""
    top = max(sums, default=0)
    first = next((at for at, total in enumerate(sums) if total == top), 0)
    few = len(sums) <= FEW
    return [number(total) if total and (few or at == first) else "" for at, total in enumerate(sums)]


def _marks(points: Sequence[Point], colour: str, which: Theme) -> Figure:
    edge = 1 if len(points) <= MANY else 0
    if not any(one.hidden for one in points):
        return {"color": colour, "line": {"width": edge, "color": _PAPER[which]}}
    return {
        "color": [_HATCH[which] if one.hidden else colour for one in points],
        "line": {"width": edge, "color": [_HATCH[which] if one.hidden else _PAPER[which] for one in points]},
        "pattern": {
            "shape": ["/" if one.hidden else "" for one in points],
            "bgcolor": [_PAPER[which] if one.hidden else colour for one in points],
            "fillmode": "replace",
            "size": 6,
            "solidity": 0.2,
        },
    }


def _across(layout: Figure, limit: Point, top: float, which: Theme) -> None:
    """A line with its words; far above all bars the words alone, or the bars would be flat."""
    near = (limit.value or 0) <= top
    text = {"xref": "paper", "x": 1, "xanchor": "right", "showarrow": False, "text": limit.says}
    if near:
        line = {"color": _INK[which], "width": 1, "dash": "dot"}
        shape = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": limit.value, "y1": limit.value, "line": line}
        layout["shapes"] = [shape]
    where = {"y": limit.value, "yanchor": "bottom"} if near else {"yref": "paper", "y": 1, "yanchor": "bottom"}
    layout["annotations"] = [{**text, **where, "font": {"size": 14, "color": _QUIET[which]}}]


# ------------------------------------------------------------------------------------------------------ bars that lie
def rows(items: Sequence[Row], *, unit: str, which: Theme, whole: float | None = None) -> Figure:
    """A line of words for each bar, and the bar below it: what it is on the left, its number on the right."""
    top = whole or max((item.point.value or 0 for item in items), default=0) or 1
    traces = [_lying(items, top, unit, which)]
    if any(item.ends for item in items):
        traces.append(_ending(items, unit, which))
    layout = _flat(len(items), which, barmode="stack")
    layout["xaxis"] = {"title": _said(unit, which), "range": [0, top], "showticklabels": False, "showgrid": False}
    layout["annotations"] = [
        text
        for at, item in enumerate(items)
        for text in _words(at, (item.label, item.note), (item.point.says, item.beside), which)
    ]
    return {"data": traces, "layout": layout}


def _lying(items: Sequence[Row], top: float, unit: str, which: Theme) -> Figure:
    marks = _marks([item.point for item in items], _COLOURS[which][0], which)
    colours = [_HATCH[which] if item.point.hidden else _COLOURS[which][item.colour] for item in items]
    if "pattern" in marks:
        marks["pattern"]["bgcolor"] = [
            _PAPER[which] if item.point.hidden else colour for item, colour in zip(items, colours, strict=True)
        ]
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(items))),
        "x": [top * STUB if item.point.hidden else (item.point.value or 0) - item.ends for item in items],
        "width": 0.3,
        "marker": {**marks, "color": colours},
        "customdata": [f"{item.label} · {item.point.says} {unit}" for item in items],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _ending(items: Sequence[Row], unit: str, which: Theme) -> Figure:
    """What of a bar stops there, in a colour of its own."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(items))),
        "x": [item.ends for item in items],
        "width": 0.3,
        "marker": {"color": _COLOURS[which][1], "opacity": 0.55, "line": {"width": 1, "color": _PAPER[which]}},
        "customdata": [f"{item.label} · {item.note} {unit}" for item in items],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _words(at: int, left: tuple[str, str], right: tuple[str, str], which: Theme) -> list[Figure]:
    """Above a bar: its name and what is said of it, its number and what is said of that."""
    line = {"xref": "paper", "y": at, "yshift": 8, "yanchor": "bottom", "showarrow": False, "bgcolor": _PAPER[which]}
    name, number = _safe(left[0]), f"<b>{_safe(right[0])}</b>"
    return [
        {**line, "x": 0, "xanchor": "left", "text": f"{name}  {_aside(left[1], which)}" if left[1] else name},
        {**line, "x": 1, "xanchor": "right", "text": f"{number}  {_aside(right[1], which)}" if right[1] else number},
    ]


def _aside(text: str, which: Theme) -> str:
    return f'<span style="color:{_QUIET[which]}">{_safe(text)}</span>'


def spread(
    items: Sequence[Spread],
    *,
    ticks: Sequence[tuple[float, str]],
    unit: str,
    which: Theme,
    log: bool = False,
    limit: Point | None = None,
) -> Figure:
    """A line for each, from the half to 99 of a hundred, with a mark of its own for each of the three."""
    marks = (("half (p50)", "circle", 0), ("95 % (p95)", "diamond", 1), ("99 % (p99)", "square", 2))
    kept = [(at, item) for at, item in enumerate(items) if item.half is not None]
    lines_x = [x for _, item in kept for x in (item.half, item.nearly_all or item.most or item.half, None)]
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": lines_x,
            "y": [y for at, _ in kept for y in (at, at, None)],
            "line": {"color": _QUIET[which], "width": 2},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
    for nth, (name, symbol, colour) in enumerate(marks):
        values = [(item.half, item.most, item.nearly_all)[nth] for _, item in kept]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": values,
                "y": [at for at, _ in kept],
                "marker": {"symbol": symbol, "size": 11, "color": _COLOURS[which][colour],
                           "line": {"width": 1, "color": _PAPER[which]}},
                "customdata": [f"{item.label} · {item.says}" for _, item in kept],
                "hovertemplate": "%{customdata}<extra></extra>",
                "cliponaxis": False,
            }
        )  # fmt: skip
    layout = _flat(len(items), which, more=48)
    layout |= {"showlegend": True, "margin": {"l": 8, "r": 8, "t": 34, "b": 0}}
    layout["xaxis"] = {"title": _said(unit, which), "showgrid": True, "gridcolor": _LINE[which]}
    layout["xaxis"] |= {"tickvals": [at for at, _ in ticks], "ticktext": [says for _, says in ticks]}
    layout["xaxis"] |= {"type": "log"} if log else {"rangemode": "tozero"}
    layout["annotations"] = [
        text for at, item in enumerate(items) for text in _words(at, (item.label, item.note), (item.says, ""), which)
    ]
    if limit and limit.value:
        line = {"color": _INK[which], "width": 1, "dash": "dot"}
        shape = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": limit.value, "x1": limit.value, "line": line}
        layout["shapes"] = [shape | {"layer": "below"}]
        layout["annotations"].append(
            {"x": limit.value, "xanchor": "right", "yref": "paper", "y": 0, "yanchor": "bottom", "showarrow": False,
             "text": limit.says, "font": {"color": _QUIET[which]}}
        )  # fmt: skip
        layout["xaxis"]["range"] = [
            0,
            1.02 * max([limit.value, *(item.nearly_all or item.most or 0 for item in items)]),
        ]
    return {"data": traces, "layout": layout}


def _flat(number: int, which: Theme, *, more: int = 0, **layout: Any) -> Figure:
    """Room for so many bars that lie, the first on top."""
    return {
        **_layout(which, showlegend=False, **layout),
        "margin": {"l": 0, "r": 0, "t": 4, "b": 0},
        "height": 34 + ROW * number + more,
        "yaxis": {"range": [number - 0.45, -0.8], "showticklabels": False, "showgrid": False},
    }


# ------------------------------------------------------------------------------------------------- hours of the week
def week(cells: Sequence[Sequence[Point]], *, unit: str, which: Theme) -> Figure:
    """Seven days of twenty-four hours, darker where there is more. Bars without height: only bars can be hatched."""
    flat = [(day, hour, one) for day, hours in enumerate(cells) for hour, one in enumerate(hours)]
    top = max((one.value or 0 for *_, one in flat), default=0) or 1
    points = [one for *_, one in flat]
    marker = _marks(points, _COLOURS[which][0], which)
    shades = [_PAPER[which] if one.hidden else _shade((one.value or 0) / top, which) for one in points]
    hatched = any(one.hidden for one in points)
    marker["color"] = [_HATCH[which] if one.hidden else shade for one, shade in zip(points, shades, strict=True)]
    marker["line"] = {"width": 1, "color": _PAPER[which]}
    if hatched:
        marker["pattern"] |= {"bgcolor": shades, "size": 5}
    blocks = {
        "type": "bar",
        "x": [hour for _, hour, _ in flat],
        "y": [1] * len(flat),
        "base": [day - 0.5 for day, *_ in flat],
        "width": 1,
        "marker": marker,
        "customdata": [f"{_DAYS[day]} {hour:02}:00 · {one.says} {unit}" for day, hour, one in flat],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    layout = _layout(which, showlegend=False, barmode="overlay", bargap=0)
    layout["margin"] = {"l": 0, "r": 0, "t": 28, "b": 0}
    darkest = {"xref": "paper", "x": 1, "yref": "paper", "y": 1, "xanchor": "right", "yanchor": "bottom"}
    says = {"text": f"darkest: {top:,.0f} {unit}", "showarrow": False, "font": {"size": 14, "color": _QUIET[which]}}
    layout["annotations"] = [{**darkest, **says}]
    at = list(range(0, _HOURS, 6))
    hours = [f"{hour:02}:00" for hour in at]
    layout["xaxis"] = {"tickvals": at, "ticktext": hours, "range": [-0.5, 23.5], "title": _said("hour, UTC", which)}
    layout["yaxis"] = {"tickvals": list(range(7)), "ticktext": list(_DAYS), "range": [6.5, -0.5], "showgrid": False}
    return {"data": [blocks], "layout": layout}


def _shade(share: float, which: Theme) -> str:
    """From the paper to the accent; a little that is there can be told from nothing."""
    weight = 0 if share <= 0 else 0.12 + 0.88 * share
    paper, full = _rgb(_SUNKEN[which]), _rgb(_COLOURS[which][0])
    return "#" + "".join(f"{round(p + (f - p) * weight):02x}" for p, f in zip(paper, full, strict=True))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


# ------------------------------------------------------------------------------------------------------------- shared
def _layout(which: Theme, **more: Any) -> Figure:
    return {"template": template(which), **more}


def _said(unit: str, which: Theme) -> Figure:
    return {"text": unit, "standoff": 12, "font": {"size": 14, "color": _QUIET[which]}}


def _safe(text: str) -> str:
    """Plotly reads a few tags in its texts; `<5` is none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def thinned(points: Sequence[Point], at_most: int, add: Callable[[Sequence[Point]], Point]) -> list[Point]:
    """Neighbours added up, until there are few enough for a little picture."""
    step = -(-len(points) // at_most) or 1
    return [add(points[at : at + step]) for at in range(0, len(points), step)]
