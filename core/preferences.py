"""
What a browser prefers: its language, its theme, and how long photos stay where nothing else is chosen.

One cookie keeps it, and nothing else does: no id is in it, no row of ours knows it, and everybody who prefers the same
has the same. Its value is `de.dark.24h`, with `-` for what nobody has chosen; whatever else may be in it says nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final
from urllib.parse import parse_qsl

from core.contracts import Contract
from core.language import NAMES
from core.settings import ROOT

UNSET: Final = "-"
CHOICES: Final = ("language", "theme", "contract")
"""As they follow one another in the cookie."""


class Theme(StrEnum):
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """None: as the browser or the device has it, as the settings have it."""

    language: str | None = None
    theme: Theme | None = None
    contract: Contract | None = None

    def __str__(self) -> str:
        return ".".join(part or UNSET for part in (self.language, self.theme, self.contract))

    @property
    def is_empty(self) -> bool:
        return self == NOTHING


NOTHING: Final = Preferences()


def of_words(language: str, theme: str, contract: str) -> Preferences:
    """Raises ValueError for a word that nobody was offered."""
    if language not in (UNSET, *NAMES):
        raise ValueError("no such language")
    return Preferences(
        language=None if language == UNSET else language,
        theme=None if theme == UNSET else Theme(theme),
        contract=None if contract == UNSET else Contract(contract),
    )


def read(value: str) -> Preferences:
    """What a cookie says."""
    try:
        return of_words(*value.split("."))
    except (TypeError, ValueError):
        return NOTHING


@dataclass(frozen=True)
class Said:
    """A form that somebody has sent: what is to be otherwise, and the page that it stood on."""

    words: dict[str, str] = field(default_factory=dict)
    back: str = ""

    def on_top_of(self, before: Preferences, *, offered: Collection[Contract]) -> Preferences:
        """Raises ValueError for a word that nobody was offered."""
        language, theme, contract = (self.words.get(name, getattr(before, name) or UNSET) for name in CHOICES)
        wanted = of_words(language, theme, contract)
        if "contract" in self.words and wanted.contract not in (None, *offered):
            raise ValueError("no such contract")
        return wanted


def of_form(body: bytes) -> Said:
    """Raises ValueError where it holds anything that no form of ours sends."""
    fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=4)
    words = dict(fields)
    if len(words) != len(fields):
        raise ValueError("said twice")
    back = words.pop("back", "")
    if not words or not words.keys() <= set(CHOICES):
        raise ValueError("no form of ours")
    if back not in {"", *page_names()} or is_for_operators(back):
        raise ValueError("no page of ours")
    return Said(words, "" if back == "studio" else back)


def is_for_operators(page: str) -> bool:
    """By the name that its address has. Such a page is in English, and no form of a preference stands on it."""
    return page.startswith("ops_") or page == "sign_in"


@cache
def page_names() -> frozenset[str]:
    return frozenset(path.stem for path in (ROOT / "pages").glob("*.py"))
