"""
The words that counting may use where the code that is counted has no list of its own, and what they are made from.

A word that is on no list is counted as `other`: what fails in a new way must neither go uncounted nor bring a text of
its own into the tables. What a browser says of itself is read here, becomes one of four or three words, and is dropped.
"""

import re
from collections.abc import Collection
from typing import Final

from core.language import _, number

OTHER: Final = "other"

OUTCOMES: Final = (
    "ready", "cancelled",
    "expired", "upload_lost", "object_damaged", "photo_erased", "not_stored", "gave_up",
    "no_person", "person_too_small", "too_large", "too_small", "unreadable", "engine_refused",
    "unknown_style", "unknown_backdrop", "backdrop_missing", "unknown_ratio",
    "provider_refused", "provider_failed", "provider_away", "provider_slow", "provider_budget", "result_refused",
    "hand_over_failed", "unknown",
    OTHER,
)  # fmt: skip
"""How a run ends."""
REFUSALS: Final = (
    "empty", "too_heavy", "unsupported", "too_large", "too_small", "unreadable", "invalid_photo",
    "no_person", "person_too_small",
    OTHER,
)  # fmt: skip
"""Why a photo cannot become a headshot, told before anything is stored."""
LIMITS: Final = ("day", "network", "busy", "provider")
DOWNLOADS: Final = ("original", "smaller", "all")
IN_TIME, LATE = "in_time", "late"
DEVICES: Final = ("phone", "tablet", "computer", OTHER)
LANGUAGES: Final = ("en", "de", OTHER)

_TABLET = re.compile(r"iPad|Tablet|PlayBook|Silk|Android(?!.*Mobile)", re.ASCII)
_PHONE = re.compile(r"Mobi|iPhone|iPod|Android", re.ASCII)
_COMPUTER = re.compile(r"Windows|Macintosh|X11|Linux|CrOS", re.ASCII)
_LONGEST_AGENT: Final = 1_000


def percent(share: float) -> str:
    """As people read it, cut to a tenth: what is nearly everything is not everything."""
    return _("{share} %", share=number(share) if share in (0, 100) else number(int(10 * share) / 10, 1))


def known(word: str | None, words: Collection[str]) -> str:
    return word if word in words and word is not None else OTHER


def device(user_agent: str) -> str:
    """What kind of machine a browser says that it runs on."""
    agent = user_agent[:_LONGEST_AGENT]
    kinds = ((_TABLET, "tablet"), (_PHONE, "phone"), (_COMPUTER, "computer"))
    return next((kind for pattern, kind in kinds if pattern.search(agent)), OTHER)


def language(accepted: str) -> str:
    """Of what a browser asks for (`de-AT,de;q=0.9`), the first."""
    return known(accepted[:2].lower(), LANGUAGES)
