"""
What a browser prefers: its language, its theme, and how long photos stay where nothing else is chosen.

One cookie keeps it, and nothing else does: no id is in it, no row of ours knows it, and everybody who prefers the same
has the same. Its value is `de.dark.24h`, with `-` for what nobody has chosen; whatever else may be in it says nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from core.contracts import Contract
from core.language import NAMES

LIVES: Final = timedelta(days=365)
UNSET: Final = "-"


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
