"""A policy as it is drawn: today's from its document, an older one from the plain text that was kept of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from core import policy
from core.models import PromiseState
from core.policy import Change, Folded, Line, Mark, Section
from core.promises import Stand
from core.ui import widgets
from core.ui.widgets import Html, State, el, icon

STATES: Final[Mapping[PromiseState, tuple[State, str, str]]] = {
    PromiseState.KEPT: ("kept", "check", "holds"),
    PromiseState.BROKEN: ("broken", "alert", "broken now"),
    PromiseState.UNKNOWN: ("unknown", "question", "not proved just now"),
}
MARKS: Final[Mapping[Mark, tuple[str, str]]] = {Mark.ADDED: ("ins", "Added"), Mark.REMOVED: ("del", "Removed")}
SHORT: Final = 8


def short(version: str) -> str:
    """A version as people compare it: the beginning of its hash, and which time it is that it came."""
    name, _, time = version.partition(".")
    return f"{name[:SHORT]}{f' ({time}.)' if time else ''}"


def day(at: datetime) -> str:
    return f"{at:%d %b %Y}".lstrip("0")


# ----------------------------------------------------------------------------------------------------------- today's
def contents(sections: Sequence[Section]) -> Html:
    links = (el("li", el("a", section.title, href=f"#{section.id}")) for section in sections)
    return el("nav", el("ul", *links), class_="ws-contents", aria_label="On this page")


def section(part: Section, stands: Mapping[str, Stand]) -> Html:
    """Promises with their state, what else is said, and tables that open."""
    promised = [line for line in part.lines if line.promise]
    said = (el("p", *_words(line)) for line in part.lines if not line.promise)
    marked = el("ul", *(_promise(line, stands.get(line.promise)) for line in promised), class_="ws-vows")
    return el("div", marked if promised else None, *said, *map(folded, part.folded), class_="ws-stack ws-policy")


def _words(line: Line) -> Iterator[Html | str]:
    """With an address in it as a link."""
    for number, word in enumerate(line.text.split(" ")):
        if number:
            yield " "
        yield el("a", word, href=f"mailto:{word}") if _is_address(word) else word


def _is_address(word: str) -> bool:
    name, at, host = word.partition("@")
    return bool(name and at and "." in host) and not set(word) & set(":/?&<>\"'")


def _promise(line: Line, stand: Stand | None) -> Html:
    state, drawing, word = STATES[stand.public_state if stand else PromiseState.UNKNOWN]
    how = el("a", word, href=f"/promises#promise-{line.promise}", class_="ws-vow-state")
    return el("li", icon(drawing), el("span", line.text, " ", how), class_=f"ws-{state}")


def folded(table: Folded) -> Html:
    said = el("p", table.says, class_="ws-quiet") if table.says else None
    rows = _table(table) if table.columns else widgets.facts([(row.cells[0], row.cells[1]) for row in table.rows])
    return el("details", el("summary", table.title), said, rows, class_="ws-fold", id=table.id)


def _table(table: Folded) -> Html:
    """On a phone each row becomes a card whose cells name their column: the roles keep it a table all the same."""
    names = el("tr", *(el("th", name, scope="col", role="columnheader") for name in table.columns), role="row")
    rows = (
        el(
            "tr",
            el("th", row.cells[0], scope="row", role="rowheader"),
            *(
                el("td", cell, role="cell", data_label=name)
                for name, cell in zip(table.columns[1:], row.cells[1:], strict=True)
            ),
            role="row",
        )
        for row in table.rows
    )
    head, body = el("thead", names, role="rowgroup"), el("tbody", *rows, role="rowgroup")
    return el("table", head, body, class_="ws-schedule", role="table", aria_label=table.title)


def fold(title: str, *what: Html, opened: bool = False) -> Html:
    return el("details", el("summary", title), *what, class_="ws-fold", open=opened)


# ------------------------------------------------------------------------------------------------------- older versions
def plain(text: str) -> Html:
    """A whole text that was kept."""
    return el("div", *(_line(mark, line) for mark, line in policy.lines_of(text)), class_="ws-old-text")


def _line(mark: str, line: str) -> Html:
    name = {"#": "h2", "##": "h3"}.get(mark, "p")
    return el(name, line, class_="ws-old-item" if mark == "*" else None)


def difference(before: str, after: str) -> Html:
    """What came and what went, by sentence, each with its word."""
    found = policy.changes(before, after)
    if not found:
        return el("p", "Not a sentence. What changed is a number that stands in no sentence.")
    return el("ul", *(_change(change) for change in found), class_="ws-changes")


def _change(change: Change) -> Html:
    name, word = MARKS[change.mark]
    return el("li", el("strong", f"{word} under “{change.under}”: "), el(name, change.text), class_=f"ws-{change.mark}")
