"""
Bounds: what the published policy promises, as numbers. A setting may promise people more, never less.

Beyond a bound nothing starts, and the reason is said; within it the sentences, pages, clocks and the bucket's rule
follow the setting. These are the bounds of every version there ever was; that a later one promises no less than the one
in force without its notice is seen to where versions are kept.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from core.errors import BadSettings
from core.language import N_
from core.promises.shapes import Says
from core.settings import LONGEST_PROMISED, Settings

LONGEST: Final = LONGEST_PROMISED.keep_for


@dataclass(frozen=True)
class Side:
    """On which side of a bound a value keeps the promise, and what is said of one that does not."""

    keeps: Callable[[int, int], bool]
    says: str


@dataclass(frozen=True, kw_only=True)
class Bound:
    """How far a setting may go. `promise`: the sentence that it would break."""

    setting: str
    promise: str
    value: Callable[[Settings], int]
    side: Side
    bound: int

    def holds(self, settings: Settings) -> bool:
        return self.side.keeps(self.value(settings), self.bound)

    def says(self, settings: Settings) -> Says:
        numbers = {"value": str(self.value(settings)), "bound": str(self.bound)}
        return Says(self.side.says, {"setting": self.setting.upper(), "promise": self.promise, **numbers})


AT_MOST_DAYS: Final = Side(
    operator.le, N_("{setting}: {value} days, and the policy promises at most {bound} ({promise}).")
)
AT_MOST_MONTHS: Final = Side(
    operator.le, N_("{setting}: {value} months, and the policy promises at most {bound} ({promise}).")
)
AT_LEAST_DAYS: Final = Side(
    operator.ge, N_("{setting}: {value} days, and the policy promises at least {bound} ({promise}).")
)
AT_LEAST_SHOWN: Final = Side(
    operator.ge,
    N_("{setting}: {value} as the least count that is shown, and the policy promises at least {bound} ({promise})."),
)


def _days(span: timedelta) -> int:
    return -(-span // timedelta(days=1))


BOUNDS: Final = (
    Bound(
        setting="longest_days",
        promise="erased_by_the_clock",
        value=lambda settings: settings.longest_days,
        side=AT_MOST_DAYS,
        bound=_days(LONGEST),
    ),
    Bound(
        setting="longest_contract",
        promise="erased_by_the_clock",
        value=lambda settings: _days(settings.longest_contract.keep_for),
        side=AT_MOST_DAYS,
        bound=_days(LONGEST),
    ),
    Bound(
        setting="backup_days",
        promise="backups_end_too",
        value=lambda settings: settings.backup_days,
        side=AT_MOST_DAYS,
        bound=30,
    ),
    Bound(
        setting="records_months",
        promise="records_end",
        value=lambda settings: settings.records_months,
        side=AT_MOST_MONTHS,
        bound=12,
    ),
    Bound(
        setting="policy_notice_days",
        promise="notice_before_a_change",
        value=lambda settings: settings.policy_notice_days,
        side=AT_LEAST_DAYS,
        bound=14,
    ),
    Bound(
        setting="small_count",
        promise="usage_belongs_to_nobody",
        value=lambda settings: settings.small_count,
        side=AT_LEAST_SHOWN,
        bound=5,
    ),
)


def exceeded(settings: Settings) -> list[Says]:
    """Every bound that these settings break."""
    return [bound.says(settings) for bound in BOUNDS if not bound.holds(settings)]


def require(settings: Settings) -> None:
    """Raises BadSettings with each reason and its bound."""
    if problems := exceeded(settings):
        raise BadSettings(
            "\n  ".join(
                ["These settings promise less than the published policy:", *(problem.text for problem in problems)]
            )
        )


def longest(settings: Settings) -> timedelta:
    """The longest that any image may exist, from its upload: what is offered, without the margin of our own clocks."""
    return replace(settings.terms, early=timedelta(0)).longest_clock
