"""How a promise stands, in words: pure functions from a `Stand` to what is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import floor
from typing import Final, Literal

from core.models import PromiseState
from core.promises import Day, Stand
from core.ui.widgets import count
from core.ui.widgets.markup import State

DAYS: Final = 30
LOOKS: Final[dict[PromiseState, State]] = {
    PromiseState.KEPT: "kept",
    PromiseState.BROKEN: "broken",
    PromiseState.UNKNOWN: "unknown",
}
OWNERS: Final = {"founder": "the founders", "support": "support"}
GROUPS: Final = {
    "your photos": "Your photos",
    "who sees them": "Who sees them",
    "your requests": "Your requests",
    "this service": "This service",
}


def chip(stand: Stand) -> tuple[State, str]:
    """What the public is told. Within its grace a promise is neither kept nor broken: somebody is looking."""
    if stand.state is PromiseState.BROKEN and stand.public_state is PromiseState.UNKNOWN:
        return "unknown", "Being looked into"
    words = {PromiseState.KEPT: "Kept", PromiseState.BROKEN: "Broken", PromiseState.UNKNOWN: "Not known"}
    return LOOKS[stand.public_state], words[stand.public_state]


def percent(share: float) -> str:
    """Rounded down: 99.96 is not 100."""
    return "100 %" if share >= 100 else f"{floor(share * 10) / 10:.1f} %"


def kept_share(stands: Sequence[Stand]) -> float | None:
    """Of everything that was measured in thirty days; what is not known was not kept."""
    measured = sum(sum(day[1:]) for stand in stands for day in stand.days)
    return 100 * sum(day[1] for stand in stands for day in stand.days) / measured if measured else None


def history(stand: Stand) -> str:
    """What the little bars show."""
    if stand.kept_percent is None:
        return "Nothing has been measured yet."
    measured = count(len(stand.days), "day")
    told = [f"Measured on {measured} of the last {DAYS}; kept in {percent(stand.kept_percent)} of all checks."]
    broken, dark = sum(day[2] > 0 for day in stand.days), sum(day[3] > 0 for day in stand.days)
    if broken or dark:
        said = [f"broken on {count(broken, 'day')}"] if broken else []
        said += [f"not known for some time on {count(dark, 'day')}"] if dark else []
        told.append(f"{' and '.join(said).capitalize()}.")
    return " ".join(told)


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
    _, kept, broken, unknown = day
    rest: Literal["kept", "broken", "unknown"] = "broken" if broken else "unknown" if unknown else "kept"
    return Bar(at, floor(100 * kept / (kept + broken + unknown)), rest)
