"""
What is known of those who are sent a person's picture, and what is not: read once from data/providers.json.

The guide, the studio page before its button and the policy say the same because they read the same. What could not be
established is part of it: silence would pass for a promise. Each statement has the page it comes from and the day that
page was read; hours are data, so that nobody types them again. Sentences are English here, the language of those pages,
and translated where they are said.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from core.catalogue import DATA, check_ids, switch, text
from core.errors import BadSettings
from core.language import _, p_
from core.ports import HandOver

THIRD_PARTIES_FILE: Final = DATA / "providers.json"

_ADDRESS = re.compile(r"https://[a-z0-9.-]+(/[^\s<>\"]*)?")


class By(StrEnum):
    """Where it says so."""

    PRIVACY = "privacy"
    TERMS = "terms"
    DOCUMENTATION = "documentation"

    @property
    def label(self) -> str:
        """As it stands after “In”."""
        match self:
            case By.PRIVACY:
                return p_("in", "its privacy policy")
            case By.TERMS:
                return p_("in", "its terms")
            case By.DOCUMENTATION:
                return p_("in", "its documentation")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of theirs, and which version of it was read."""

    url: str
    updated: date


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Something that they say of themselves: quoted where it stands in quotation marks."""

    text: str
    by: By


@dataclass(frozen=True, kw_only=True)
class Left:
    """A copy that a run leaves with them."""

    id: str
    what: str
    hand_over: frozenset[HandOver]  # arises where pictures are handed over so
    hours: tuple[int, int] | None  # the shortest and the longest that is documented; None: nothing is
    public: bool  # open to whoever knows its address
    erasable: bool  # before its time, by anybody
    says: str

    @property
    def how_long(self) -> str:
        """As it stands in a sentence or a table: "72 h", "24 to 72 h", "not known"."""
        if self.hours is None:
            return _("not known")
        shortest, longest = self.hours
        if shortest == longest:
            return _("{longest} h", longest=longest)
        return _("{shortest} to {longest} h", shortest=shortest, longest=longest)


@dataclass(frozen=True, kw_only=True)
class ThirdParty:
    """One of them. Its id is the name of the engine that reaches it."""

    id: str
    title: str
    calls_itself: str
    does: str
    privacy: Page
    terms: Page
    contact: str
    read_on: date
    read_how: str
    says: tuple[Statement, ...]
    unknown: tuple[str, ...]
    copies: tuple[Left, ...]

    def left_by(self, hand_over: HandOver) -> tuple[Left, ...]:
        """What a run leaves there where pictures are handed over so."""
        return tuple(copy for copy in self.copies if hand_over in copy.hand_over)


@cache
def third_parties() -> Mapping[str, ThirdParty]:
    """Everybody of the file that ships, by id."""
    return load(THIRD_PARTIES_FILE)


def load(file: Path) -> Mapping[str, ThirdParty]:
    """Read and check such a file. Raises BadSettings with the place of the first mistake."""
    try:
        read = [_third_party(entry) for entry in json.loads(file.read_text(encoding="utf-8"))["third_parties"]]
        check_ids([known.id for known in read])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadSettings(f"{file.name} has a mistake: {error}") from error
    return MappingProxyType({known.id: known for known in read})


def _third_party(entry: Mapping[str, Any]) -> ThirdParty:
    try:
        return _checked(entry)
    except KeyError as missing:
        raise ValueError(f"{entry['id']}: {missing} is missing") from missing
    except (TypeError, ValueError) as error:
        raise ValueError(f"{entry['id']}: {error}") from error


def _checked(entry: Mapping[str, Any]) -> ThirdParty:
    party = ThirdParty(
        id=entry["id"],
        title=text(entry, "title"),
        calls_itself=text(entry, "calls_itself"),
        does=text(entry, "does"),
        privacy=_page(entry["privacy"]),
        terms=_page(entry["terms"]),
        contact=text(entry, "contact"),
        read_on=date.fromisoformat(entry["read_on"]),
        read_how=text(entry, "read_how"),
        says=tuple(Statement(text=text(said, "text"), by=By(said["by"])) for said in entry["says"]),
        unknown=tuple(text({"unknown": line}, "unknown") for line in entry["unknown"]),
        copies=tuple(_left(copy) for copy in entry["copies"]),
    )
    check_ids([copy.id for copy in party.copies])
    if max(party.privacy.updated, party.terms.updated) > party.read_on:
        raise ValueError("read before it was written")
    if unnamed := [way for way in HandOver if not party.left_by(way)]:
        raise ValueError(f"copies: none with {unnamed[0]}")
    return party


def _page(entry: Mapping[str, Any]) -> Page:
    if _ADDRESS.fullmatch(entry["url"]) is None:
        raise ValueError(f"url {entry['url']!r}")
    return Page(url=entry["url"], updated=date.fromisoformat(entry["updated"]))


def _left(entry: Mapping[str, Any]) -> Left:
    return Left(
        id=entry["id"],
        what=text(entry, "what"),
        hand_over=frozenset(HandOver(way) for way in entry["hand_over"]),
        hours=_hours(entry["hours"]),
        public=switch(entry, "public"),
        erasable=switch(entry, "erasable"),
        says=text(entry, "says"),
    )


def _hours(given: list[int] | None) -> tuple[int, int] | None:
    if given is None:
        return None
    shortest, longest = given
    if type(shortest) is not int or type(longest) is not int or not 0 < shortest <= longest:
        raise ValueError("hours are the shortest and the longest, whole numbers above 0")
    return shortest, longest
