"""What changed between two texts of the policy, sentence by sentence, each with the heading that it stands under."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from core.policy.document import sentences


class Mark(StrEnum):
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Change:
    """A sentence that is only in one of them."""

    mark: Mark
    under: str
    text: str


def changes(before: str, after: str) -> list[Change]:
    """In the order of the later text; what went comes before what took its place."""
    old, new = _placed(before), _placed(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    found: list[Change] = []
    for what, start, end, new_start, new_end in matcher.get_opcodes():
        if what != "equal":
            found += _marked(Mark.REMOVED, old[start:end])
            found += _marked(Mark.ADDED, new[new_start:new_end])
    return found


def _marked(mark: Mark, placed: list[tuple[str, str]]) -> Iterator[Change]:
    return (Change(mark, under, text) for under, text in placed)


def _placed(plain: str) -> list[tuple[str, str]]:
    """Each sentence with its heading. A heading stands under itself."""
    under, found = "", []
    for mark, text in sentences(plain):
        if mark.startswith("#"):
            under = text
        found.append((under, text))
    return found
