"""A chart on its place: what it is called and counts, itself, and its numbers as a table, a CSV file and a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from core.ui import charts, widgets
from core.ui.charts import Figure
from core.ui.screens.usage import cells
from core.ui.screens.usage.picker import Look
from core.ui.widgets import Html, el, icon
from core.usage.publishing import Shown
from core.usage.reports import Cell, Report, Table

CSV: Final = "/ops/usage.csv"
ROWS: Final = 120
"""So many rows stand in a table; a longer one is whole in its file."""
DEMO: Final = "Demo data, not what happened here."


@dataclass(frozen=True)
class Page:
    """What all charts of a run have in common."""

    report: Report
    look: Look
    theme: charts.Theme

    def table(self, name: str) -> Table:
        return self.report.tables[name]


def chart(page: Page, table: Table, figure: Figure | None, alt: str, *, file: str = "", more: str = "") -> None:
    """`figure` None: there is nothing to draw, and that is said. `file`: the table of the report that holds it."""
    with st.container(key=f"ws-chart-{table.id}"):
        widgets.show(_head(table))
        if figure is None:
            widgets.show(widgets.quiet(f"Nothing was counted in {page.report.period.label}."))
            return
        charts.draw(figure, key=f"usage-{table.id}", alt=alt, saved_as=_file(page, table))
        widgets.show(widgets.quiet(more) if more else None, _foot(page, table, file or table.id))


def _head(table: Table) -> Html:
    return el(
        "div",
        el("h3", table.title, class_="ws-chart-title"),
        widgets.quiet(table.says),
        class_="ws-stack ws-chart-head",
    )


def _foot(page: Page, table: Table, file: str) -> Html:
    """The table folds out below; both others are one press."""
    name, title = file.replace("_", "-"), table.title
    save = el(
        "button",
        icon("download"),
        el("span", "PNG"),
        type="button",
        aria_label=f"Download {title} as PNG",
        data_ws_title=table.title,
        data_ws_foot=_told(page, table),
    )
    take = el(
        "a",
        icon("download"),
        el("span", "CSV"),
        href=csv_of(page.look, file),
        download=f"workshot-usage-{name}.csv",
        aria_label=f"Download {title} as CSV",
    )
    as_table = el("details", el("summary", el("span", "As a table")), numbers(table))
    return el("div", as_table, el("div", take, save, class_="ws-chart-take"), class_="ws-chart-foot")


def folded(summary: str, what: Html) -> Html:
    """What is there for those who ask."""
    return el("details", el("summary", el("span", summary)), what, class_="ws-more")


def csv_of(look: Look, table: str = "") -> str:
    return f"{CSV}?{urlencode(look.as_words() | ({'table': table} if table else {}))}"


def _file(page: Page, table: Table) -> str:
    return "-".join(["workshot-usage", table.id.replace("_", "-"), *page.look.period.as_words().values()])


def _told(page: Page, table: Table) -> str:
    """Below the chart in a picture of it: what it was, and of when."""
    lines = [*_folded(table.says), f"WorkShot · {page.report.period.label}{f' · {DEMO}' if page.report.demo else ''}"]
    return "<br>".join(line.replace("&", "&amp;").replace("<", "&lt;") for line in lines)


def _folded(text: str, width: int = 130) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


# ------------------------------------------------------------------------------------------------------------ numbers
def numbers(table: Table) -> Html:
    """A table of its own, that can be read out, copied, and scrolled where it is long."""
    shown = table.rows[:ROWS]
    words = max((cells.words_in(row) for row in shown), default=1)
    body = el("tbody", *(_row(row, words, table) for row in shown))
    names = [name.removesuffix(", %") for name in table.columns]
    head = el("tr", *(el("th", name, scope="col", class_=_kind(at, words)) for at, name in enumerate(names)))
    more = len(table.rows) - len(shown)
    caption = el("caption", f"{table.title}, {table.unit}" if table.unit else table.title, class_="ws-unseen")
    return el(
        "div",
        el(
            "div",
            el("table", caption, el("thead", head), body),
            class_="ws-numbers",
            tabindex=0,
            role="region",
            aria_label=f"{table.title}: the numbers",
        ),
        widgets.quiet(f"{more:,} more rows are in the CSV.") if more > 0 else None,
    )


def _row(row: tuple[Cell, ...], words: int, table: Table) -> Html:
    return el("tr", *(_cell(cell, at, words, cells.unit_of(table, at)) for at, cell in enumerate(row)))


def _cell(cell: Cell, at: int, words: int, unit: str) -> Html:
    says = cells.text(cell, unit)
    if at == 0:
        return el("th", says, scope="row", class_="ws-words")
    why = cell.why_hidden if isinstance(cell, Shown) else ""
    hidden = "ws-hidden" if cells.is_hidden(cell) else _kind(at, words)
    return el("td", says, class_=hidden, title=why or None)


def _kind(at: int, words: int) -> str | None:
    return "ws-words" if at < words else None


def in_words(pairs: Mapping[str, str], *, most: int = 6) -> str:
    """`Ready 120, Cancelled <5`, and how many more there are."""
    said = [f"{label} {text}" for label, text in list(pairs.items())[:most]]
    more = len(pairs) - len(said)
    return ", ".join(said) + (f", and {more} more in the table" if more > 0 else "") + "."
