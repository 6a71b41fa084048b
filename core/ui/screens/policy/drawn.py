"""A policy as it is drawn: today's from its document, an older one from the plain text that was kept of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from core import policy
from core.language import ENGLISH, N_, NAMES, _, current, month
from core.models import PromiseState
from core.policy import Change, Folded, Line, Mark, Section
from core.promises import Stand
from core.ui import widgets
from core.ui.widgets import Html, State, el, icon

STATES: Final[Mapping[PromiseState, tuple[State, str, str]]] = {
    PromiseState.KEPT: ("kept", "check", N_("holds")),
    PromiseState.BROKEN: ("broken", "alert", N_("broken now")),
    PromiseState.UNKNOWN: ("unknown", "question", N_("not proved just now")),
}
MARKS: Final[Mapping[Mark, tuple[str, str]]] = {
    Mark.ADDED: ("ins", N_("Added under “{heading}”: ")),
    Mark.REMOVED: ("del", N_("Removed under “{heading}”: ")),
}
ENGLISH_ALONE: Final = N_("This version is there in English alone: it is older than the text in other languages.")
COMPARED_IN_ENGLISH: Final = N_("One of the two versions is there in English alone, so they are compared in English.")
SHORT: Final = 8


def short(version: str) -> str:
    """A version as people compare it: the beginning of its hash, and which time it is that it came."""
    name, _, time = version.partition(".")
    return f"{name[:SHORT]}{f' ({time}.)' if time else ''}"


def day(at: datetime) -> str:
    return _("{day} {month} {year}", day=at.day, month=month(at), year=at.year)


# ----------------------------------------------------------------------------------------------------------- today's
def contents(sections: Sequence[Section]) -> Html:
    links = (el("li", el("a", section.title, href=f"#{section.id}")) for section in sections)
    return el("nav", el("ul", *links), class_="ws-contents", aria_label=_("On this page"))


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
    how = el("a", _(word), href=f"/promises#promise-{line.promise}", class_="ws-vow-state")
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
def plain(text: str, language: str = ENGLISH) -> Html:
    """A whole text that was kept."""
    lines = (_line(mark, line) for mark, line in policy.lines_of(text))
    return el("div", *lines, class_="ws-old-text", lang=_foreign(language))


def of_texts(texts: Mapping[str, str]) -> Html:
    """The text of a version in the reader's language; where there is none, the English one, and a word about it."""
    if current() in texts:
        return plain(texts[current()], current())
    return widgets.stack(el("p", _(ENGLISH_ALONE)), plain(texts[ENGLISH], ENGLISH))


def in_another(texts: Mapping[str, str]) -> Iterator[Html]:
    """Other texts of a version, folded, each by the name that those who speak its language give it."""
    for language, text in texts.items():
        yield fold(_("In another language: {language}", language=NAMES.get(language, language)), plain(text, language))


def _foreign(language: str) -> str | None:
    """For those who have a page read to them: where its language is another one than the page's."""
    return None if language == current() else language


def _line(mark: str, line: str) -> Html:
    name = {"#": "h2", "##": "h3"}.get(mark, "p")
    return el(name, line, class_="ws-old-item" if mark == "*" else None)


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> Html:
    """What came and what went, by sentence, each with its word, in the reader's language if both texts have it."""
    both = current() in before and current() in after
    language = current() if both else ENGLISH
    listed = _changes(policy.changes(before[language], after[language]), language)
    return listed if both else widgets.stack(el("p", _(COMPARED_IN_ENGLISH)), listed)


def _changes(found: Sequence[Change], language: str) -> Html:
    if not found:
        return el("p", _("Not a sentence. What changed is a number that stands in no sentence."))
    return el("ul", *(_change(change, language) for change in found), class_="ws-changes")


def _change(change: Change, language: str) -> Html:
    name, word = MARKS[change.mark]
    what = el(name, change.text, lang=_foreign(language))
    return el("li", el("strong", _(word, heading=change.under)), what, class_=f"ws-{change.mark}")
