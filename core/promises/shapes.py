"""
What a promise is made of, and what a measurement of it says.

Words are templates and values, never finished text alone: they are stored as JSON, and printed in whatever language the
reader has. Nothing of anyone is in them: counts, spans, names of third parties and of settings.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from core.models import PromiseState
from core.services import Services
from core.settings import Settings

Group = Literal["your photos", "who sees them", "your requests", "this service"]
GROUPS: Final[tuple[Group, ...]] = ("your photos", "who sees them", "your requests", "this service")
Owner = Literal["founder", "support"]
Value = str | int | float


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Says:
    """A sentence with its values, and those that come after it. `text` is how it reads in English."""

    template: str
    values: Mapping[str, Value] = field(default_factory=dict)
    then: tuple["Says", ...] = ()

    @property
    def text(self) -> str:
        return self.in_words()

    def in_words(self, translated: Callable[[str], str] = _same) -> str:
        """`translated` gives a template in another language."""
        filled = translated(self.template).format_map({name: _shown(value) for name, value in self.values.items()})
        return " ".join(part for part in (filled, *(more.in_words(translated) for more in self.then)) if part)

    def followed_by(self, *more: "Says") -> "Says":
        return replace(self, then=(*self.then, *more))

    def as_json(self) -> str:
        return json.dumps(self._plain(), separators=(",", ":"), ensure_ascii=False)

    def _plain(self) -> list[Any]:
        return [self.template, dict(self.values), *(more._plain() for more in self.then)]

    @classmethod
    def of_json(cls, text: str) -> "Says":
        return cls._of_plain(json.loads(text))

    @classmethod
    def _of_plain(cls, plain: list[Any]) -> "Says":
        template, values, *then = plain
        return cls(template, values, tuple(cls._of_plain(more) for more in then))


def says(template: str, /, **values: Value) -> Says:
    return Says(template, values)


def _shown(value: Value) -> Value:
    return f"{value:,}" if isinstance(value, int) else value


@dataclass(frozen=True)
class Result:
    """What a check has found."""

    state: PromiseState
    figure: Says  # short: it stands beside the sentence
    evidence: Says


def kept(figure: Says, evidence: Says) -> Result:
    return Result(PromiseState.KEPT, figure, evidence)


def broken(figure: Says, evidence: Says) -> Result:
    return Result(PromiseState.BROKEN, figure, evidence)


def unknown(figure: Says, evidence: Says) -> Result:
    return Result(PromiseState.UNKNOWN, figure, evidence)


Check = Callable[[Services, datetime], Result]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One sentence of the policy, what keeps it, and how we look whether it is kept."""

    id: str
    group: Group
    sentence: str
    at_a_glance: str = ""  # its short form, read before a photo is added
    with_others: str = ""  # the short form where a third party can be chosen as well
    reads: tuple[str, ...] = ()  # the settings that its numbers come from, and that its check looks at
    enforced_by: tuple[str, ...]  # dotted names of what keeps it
    measured: str  # for the reader: how we look
    owner: Owner
    grace: timedelta  # broken for so long before the public is told: time to look whether the measuring is at fault
    reader_may: str
    check: Check

    def filled(self, settings: Settings) -> str:
        return self.sentence.format_map(numbers(settings))

    def glance(self, settings: Settings) -> str:
        return self.at_a_glance.format_map(numbers(settings))


def numbers(settings: Settings) -> dict[str, str]:
    """The numbers in force, as the sentences name them."""
    early = settings.erase_early_hours
    return {
        "longest": settings.terms.longest_label,
        "early": f" Clocks of more than 24 hours end {early} hours early, so that this holds though our worker is down."
        if early
        else "",
        "stored": f" Stored encrypted at {urlsplit(settings.s3_endpoint_url).hostname}." if settings.uses_s3 else "",
        "run_by": f", run by {settings.run_by}" if settings.run_by else "",
        "backups": _backups(settings.backup_days),
        "notice_days": str(settings.policy_notice_days),
        "small_count": str(settings.small_count),
    }


def _backups(days: int) -> str:
    """Keys of people lie sealed in a backup, of those as well whose images are gone here by now."""
    if not days:
        return "No backups are kept."
    return f"Backups are kept for at most {days} days; until then they can hold what was erased here."
