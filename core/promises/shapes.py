"""
What a promise is made of, and what a measurement of it says.

Words are templates and values, never finished text alone: they are stored as JSON, and said in whatever language the
reader has. Nothing of anyone is in them: counts, spans, days, names of third parties and of settings.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, Union
from urllib.parse import urlsplit

from core.language import ENGLISH, N_, _, current, day, month, number, speaking
from core.models import PromiseState
from core.services import Services
from core.settings import Settings
from core.sla import in_words

Group = Literal["your photos", "who sees them", "your requests", "this service"]
GROUPS: Final[tuple[Group, ...]] = ("your photos", "who sees them", "your requests", "this service")
Owner = Literal["founder", "support"]
Value = Union[str, int, timedelta, date, "Says", "Listed"]
"""What fills a sentence. A span, a day and a list are worded when they are read; text stays what it is."""


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
        with speaking(ENGLISH):
            return self.in_words()

    def in_words(self, translated: Callable[[str], str] = _same) -> str:
        """`translated` gives a template in the language of whoever reads; spans, days and numbers are theirs anyway."""
        shown = {name: _shown(value, translated) for name, value in self.values.items()}
        filled = translated(self.template).format_map(shown)
        return " ".join(part for part in (filled, *(more.in_words(translated) for more in self.then)) if part)

    def value(self, name: str, translated: Callable[[str], str] = _same) -> str:
        """One of them, in words; empty where there is none of that name."""
        return _shown(self.values[name], translated) if name in self.values else ""

    def followed_by(self, *more: "Says") -> "Says":
        return replace(self, then=(*self.then, *more))

    def as_json(self) -> str:
        return json.dumps(self._plain(), separators=(",", ":"), ensure_ascii=False)

    def _plain(self) -> list[Any]:
        values = {name: _plain(value) for name, value in self.values.items()}
        return [self.template, values, *(more._plain() for more in self.then)]

    @classmethod
    def of_json(cls, text: str) -> "Says":
        return cls._of_plain(json.loads(text))

    @classmethod
    def _of_plain(cls, plain: list[Any]) -> "Says":
        template, values, *then = plain
        known = {name: _value(value) for name, value in values.items()}
        return cls(template, known, tuple(cls._of_plain(more) for more in then))


@dataclass(frozen=True)
class Listed:
    """Names, the first of them, and how many more there are. A name is said as it is, or is a `Says`."""

    names: tuple["str | Says", ...]
    more: int = 0

    def in_words(self, translated: Callable[[str], str] = _same) -> str:
        names = ", ".join(_shown(name, translated) for name in self.names)
        if not names:
            return _("none")
        return _("{names} and {more} more", names=names, more=number(self.more)) if self.more else names


def says(template: str, /, **values: Value) -> Says:
    return Says(template, values)


def listed(names: Iterable["str | Says"], most: int | None = None) -> Listed:
    """`most`: so many of them are named."""
    known = tuple(names)
    shown = known[:most]
    return Listed(shown, len(known) - len(shown))


def _shown(value: Value, translated: Callable[[str], str]) -> str:
    match value:
        case int():
            return number(value)
        case timedelta():
            return in_words(value)
        case date():
            return f"{value:%d} {month(value)} {value.year}" if current() == ENGLISH else day(value)
        case Says() | Listed():
            return value.in_words(translated)
        case _:
            return value


def _plain(value: Value) -> Any:
    match value:
        case timedelta():
            return {"seconds": int(value.total_seconds())}
        case date():
            return {"day": f"{value:%Y-%m-%d}"}
        case Says():
            return {"says": value._plain()}
        case Listed():
            return {"list": [_plain(name) for name in value.names], "more": value.more}
        case _:
            return value


def _value(plain: Any) -> Value:
    """What is not one of these is a number or text, as spans and days were once."""
    match plain:
        case {"seconds": seconds}:
            return timedelta(seconds=seconds)
        case {"day": at}:
            return date.fromisoformat(at)
        case {"says": words}:
            return Says._of_plain(words)
        case {"list": names, "more": more}:
            return Listed(tuple(_name(name) for name in names), more)
    return plain if isinstance(plain, int) else str(plain)


def _name(plain: Any) -> "str | Says":
    return plain if isinstance(plain, str) else Says._of_plain(plain["says"])


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
    called: str  # its id in words, for those who hear a page
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
        """In the reader's language, as everything below."""
        return _(self.sentence, **numbers(settings))

    def glance(self, settings: Settings) -> str:
        return _(self.at_a_glance, **numbers(settings))


def numbers(settings: Settings) -> dict[str, str]:
    """The numbers in force, as the sentences name them, in the reader's language."""
    reported = settings.look_at_reported
    return {
        "longest": settings.terms.longest_label,
        "early": _(EARLY, early=settings.erase_early_hours) if settings.erase_early_hours else "",
        "stored": _(STORED, host=urlsplit(settings.s3_endpoint_url).hostname) if settings.uses_s3 else "",
        "run_by": _(", run by {name}", name=settings.run_by) if settings.run_by else "",
        "backups": _(BACKUPS, days=settings.backup_days) if settings.backup_days else _("No backups are kept."),
        "notice_days": str(settings.policy_notice_days),
        "small_count": str(settings.small_count),
        "records": str(settings.records_months),
        "looks": _(TWO_LOOK) if reported else _("Operators see none."),
        "exception": _(EXCEPTION) if reported else "",
    }


EARLY: Final = N_(
    " Clocks of more than 24 hours end {early} hours early, so that this holds though our worker is down."
)
STORED: Final = N_(" Stored encrypted at {host}.")
BACKUPS: Final = N_("Backups are kept for at most {days} days; until then they can hold what was erased here.")
"""Keys of people lie sealed in a backup, of those as well whose images are gone here by now."""
TWO_LOOK: Final = N_(
    "Operators see none, except one that was reported: two of them together, for 10 minutes, unless you forbid it."
)
EXCEPTION: Final = N_(
    " One exception: if somebody reports an image, two operators may look at it, unless you forbid it."
)
