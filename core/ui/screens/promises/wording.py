"""How a promise stands, in words: pure functions from a `Stand` to what is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import floor
from typing import Final, Literal

from core.language import N_, _, n_
from core.models import PromiseState
from core.promises import Day, Stand
from core.ui.widgets.markup import State
from core.usage.words import percent

DAYS: Final = 30
LOOKS: Final[dict[PromiseState, State]] = {
    PromiseState.KEPT: "kept",
    PromiseState.BROKEN: "broken",
    PromiseState.UNKNOWN: "unknown",
}
GROUPS: Final = {
    "your photos": N_("Your photos"),
    "who sees them": N_("Who sees them"),
    "your requests": N_("Your requests"),
    "this service": N_("This service"),
}


def chip(stand: Stand) -> tuple[State, str]:
    """What the public is told. Within its grace a promise is neither kept nor broken: somebody is looking."""
    if stand.state is PromiseState.BROKEN and stand.public_state is PromiseState.UNKNOWN:
        return "unknown", _("Being looked into")
    words = {PromiseState.KEPT: _("Kept"), PromiseState.BROKEN: _("Broken"), PromiseState.UNKNOWN: _("Not known")}
    return LOOKS[stand.public_state], words[stand.public_state]


def kept_share(stands: Sequence[Stand]) -> float | None:
    """Of everything that was measured in thirty days; what is not known was not kept."""
    measured = sum(sum(day[1:]) for stand in stands for day in stand.days)
    return 100 * sum(day[1] for stand in stands for day in stand.days) / measured if measured else None


def history(stand: Stand) -> str:
    """What the little bars show."""
    if stand.kept_percent is None:
        return _("Nothing has been measured yet.")
    told = n_(
        "Measured on {n} day of the last {all}; kept in {share} of all checks.",
        "Measured on {n} days of the last {all}; kept in {share} of all checks.",
        len(stand.days),
        all=DAYS,
        share=percent(stand.kept_percent),
    )
    return " ".join(filter(None, (told, _otherwise(stand))))


def _otherwise(stand: Stand) -> str:
    broken, dark = sum(day[2] > 0 for day in stand.days), sum(day[3] > 0 for day in stand.days)
    if broken and dark:
        both = {"broken": _days(broken), "dark": _days(dark)}
        return _("Broken on {broken} and not known for some time on {dark}.", **both)
    if broken:
        return _("Broken on {broken}.", broken=_days(broken))
    return _("Not known for some time on {dark}.", dark=_days(dark)) if dark else ""


def _days(number: int) -> str:
    return n_("{n} day", "{n} days", number)


@dataclass(frozen=True)
class Bar:
    """A day: how much of it was kept, and what the rest was."""

    day: date
    kept: float  # %
    rest: Literal["kept", "broken", "unknown", "none"]


def bars(days: Sequence[Day], now: datetime) -> list[Bar]:
    """The last thirty days, those on which nothing was measured too."""
    known = {day[0]: day for day in days}
    today = now.astimezone(UTC).date()
    return [_bar(at, known.get(at)) for at in (today - timedelta(days=back) for back in range(DAYS - 1, -1, -1))]


def _bar(at: date, day: Day | None) -> Bar:
    if day is None or not sum(day[1:]):
        return Bar(at, 0, "none")
    kept, broken, unknown = day[1:]
    rest: Literal["kept", "broken", "unknown"] = "broken" if broken else "unknown" if unknown else "kept"
    return Bar(at, floor(100 * kept / (kept + broken + unknown)), rest)
