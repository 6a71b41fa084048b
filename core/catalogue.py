"""
What people can choose from: purposes, styles and backdrops, read once from data/catalogue.json.

The pages show these; engines know the ids. A catalogue with a mistake stops the app at its first use, not a run.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from core.errors import BadSettings

DATA = Path(__file__).parent.parent / "data"
CATALOGUE_FILE = DATA / "catalogue.json"
PICTURES = DATA / "pictures"

OWN_BACKDROP = "own"

_ID = re.compile(r"[a-z][a-z0-9_]{1,31}")
_RATIO = re.compile(r"([1-9][0-9]{0,2}):([1-9][0-9]{0,2})")
# A download is cut from the result by scaling alone, so its shape may differ from the ratio by rounding only.
_RATIO_TOLERANCE = 0.005


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What the headshot is for, which decides its shape and the sizes to download."""

    id: str
    title: str
    hint: str
    ratio: str  # width:height
    sizes: tuple[tuple[int, int], ...]  # px, from small to large

    @property
    def long_side(self) -> int:
        """Of the largest download."""
        return max(self.sizes[-1])


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A style or a backdrop, chosen by looking at its picture."""

    id: str
    title: str
    line: str
    picture: Path


_Entry = TypeVar("_Entry", Purpose, Choice)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    purposes: tuple[Purpose, ...]
    styles: tuple[Choice, ...]
    backdrops: tuple[Choice, ...]

    def purpose(self, id: str) -> Purpose:
        return _by_id(self.purposes, id)

    def style(self, id: str) -> Choice:
        return _by_id(self.styles, id)

    def backdrop(self, id: str) -> Choice:
        return _by_id(self.backdrops, id)


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships."""
    return load(CATALOGUE_FILE, PICTURES)


def load(file: Path, pictures: Path) -> Catalogue:
    """Read and check a catalogue. Raises BadSettings with the place of the first mistake."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        read = Catalogue(
            purposes=tuple(_purpose(entry) for entry in raw["purposes"]),
            styles=tuple(_choice(entry, pictures) for entry in raw["styles"]),
            backdrops=tuple(_choice(entry, pictures) for entry in raw["backdrops"]),
        )
        for entries in (read.purposes, read.styles, read.backdrops):
            check_ids([entry.id for entry in entries])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadSettings(f"{file.name} has a mistake: {error}") from error
    return read


def _purpose(entry: dict[str, Any]) -> Purpose:
    sizes = tuple((int(width), int(height)) for width, height in entry["sizes"])
    purpose = Purpose(
        id=entry["id"], title=text(entry, "title"), hint=text(entry, "hint"), ratio=entry["ratio"], sizes=sizes
    )
    found = _RATIO.fullmatch(purpose.ratio)
    if found is None:
        raise ValueError(f"purpose {purpose.id}: ratio {purpose.ratio!r}")
    shape = int(found.group(1)) / int(found.group(2))
    fits = all(abs(width / height / shape - 1) < _RATIO_TOLERANCE for width, height in sizes)
    if not sizes or not fits or list(sizes) != sorted(sizes):
        raise ValueError(f"purpose {purpose.id}: sizes must grow and have the ratio {purpose.ratio}")
    return purpose


def _choice(entry: dict[str, Any], pictures: Path) -> Choice:
    picture = pictures / text(entry, "picture")
    if not picture.is_file():
        raise ValueError(f"{entry['id']}: picture {picture.name} is missing")
    return Choice(id=entry["id"], title=text(entry, "title"), line=text(entry, "line"), picture=picture)


def text(entry: Mapping[str, Any], key: str) -> str:
    """For whoever reads a file of data/. Raises KeyError, ValueError."""
    value = entry[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{entry.get('id', 'an entry')}: {key} is empty")
    return value


def switch(entry: Mapping[str, Any], key: str) -> bool:
    """The same for a yes or no."""
    value = entry[key]
    if type(value) is not bool:
        raise ValueError(f"{key} must be true or false")
    return value


def check_ids(ids: list[str]) -> None:
    wrong = [id for id in ids if not isinstance(id, str) or _ID.fullmatch(id) is None]
    if wrong or len(set(ids)) < len(ids) or not ids:
        raise ValueError(f"ids must be plain words, each once: {wrong or ids}")


def _by_id(entries: tuple[_Entry, ...], id: str) -> _Entry:
    for entry in entries:
        if entry.id == id:
            return entry
    raise KeyError(id)
