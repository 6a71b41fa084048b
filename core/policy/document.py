"""
The policy as a document: sections of lines, some of which are promises, and tables that are folded away.

It is written out as plain text, one line a paragraph: what is hashed, stored with each version and read by machines is
what a person reads, without any markup that could hide something.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WORDS_A_MINUTE: Final = 230
_WORD = re.compile(r"[\w’'-]*\w")
_WHICH = re.compile(r" \[[a-z_]+\]$")
_WITHIN_A_DATE = r"(?<!\b\d\.)(?<!\b\d\d\.)(?<!(?:Jan|Feb|Apr|Aug|Okt|Nov|Dez)\.)(?<!Sept\.)"
_SENTENCE_ENDS = re.compile(rf"(?<=[.?]){_WITHIN_A_DATE}\s+(?=[A-ZÄÖÜ“„0-9])")
"""No sentence ends within “21. Nov. 2026”."""


@dataclass(frozen=True)
class Line:
    """A paragraph. `promise`: it is the sentence of that promise, to the letter."""

    text: str
    promise: str = ""

    @property
    def plain(self) -> str:
        return f"* {self.text} [{self.promise}]" if self.promise else self.text


@dataclass(frozen=True)
class Row:
    """A line of a table. What it says holds by a promise, or by a rule: the dotted name of what sees to it."""

    cells: tuple[str, ...]
    promise: str = ""
    rule: str = ""

    @property
    def plain(self) -> str:
        cells = " | ".join(self.cells)
        return f"- {cells} [{self.promise}]" if self.promise else f"- {cells}"


@dataclass(frozen=True, kw_only=True)
class Folded:
    """A table that is not part of what is read in one go. Without columns it is terms, and what they are."""

    id: str
    title: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...] = ()
    says: str = ""

    @property
    def plain(self) -> Iterator[str]:
        yield f"## {self.title}"
        if self.says:
            yield self.says
        if self.columns:
            yield f"- {' | '.join(self.columns)}"
        yield from (row.plain for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Section:
    id: str
    title: str
    lines: tuple[Line, ...]
    folded: tuple[Folded, ...] = ()

    @property
    def plain(self) -> Iterator[str]:
        yield f"# {self.title}"
        yield from (line.plain for line in self.lines)
        for table in self.folded:
            yield from table.plain


@dataclass(frozen=True)
class Document:
    sections: tuple[Section, ...]

    @property
    def plain(self) -> str:
        return "\n\n".join("\n".join(section.plain) for section in self.sections) + "\n"

    @property
    def words(self) -> int:
        """Of the main text: headings and lines, with the titles of what is folded."""
        said = [part for section in self.sections for part in (section.title, *(line.text for line in section.lines))]
        said += [table.title for section in self.sections for table in section.folded]
        return sum(len(_WORD.findall(text)) for text in said)

    @property
    def seconds(self) -> int:
        """To read the main text."""
        return round(self.words * 60 / WORDS_A_MINUTE)

    @property
    def promises(self) -> list[str]:
        """The ids of promises whose sentences stand here, in their order."""
        return [line.promise for section in self.sections for line in section.lines if line.promise]


def lines_of(plain: str) -> list[tuple[str, str]]:
    """A text that was kept, as it is read: "#", "##", "*" or "" with each line, which promise it is left out."""
    found = []
    for line in filter(str.strip, plain.splitlines()):
        mark, _, rest = line.partition(" ")
        item = {"*": "*", "-": "*", "#": "#", "##": "##"}.get(mark, "")
        said = _WHICH.sub("", rest) if item == "*" else rest if item else line
        found.append((item, said.replace(" | ", " · ")))
    return found


def sentences(plain: str) -> list[tuple[str, str]]:
    """The same, a sentence each."""
    return [(mark, said) for mark, line in lines_of(plain) for said in _SENTENCE_ENDS.split(line)]
