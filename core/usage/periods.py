"""
Periods of usage: whole calendar months in UTC, because nothing smaller is published.

Two ranges that differ by a day would give away that day, however few there were. Ranges of whole months are sums of the
same published cells, so that no two of them tell more than the cells themselves do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

from core.errors import NotAllowed

THIS_MONTH: Final = "this month"
PRESETS: Final[Mapping[str, int]] = {THIS_MONTH: 1, "3 months": 3, "12 months": 12, "3 years": 36}
"""What is picked with one press, and how many months that is, the one under way included."""
BY_DAY_UP_TO: Final = 3
"""Months that are told day by day; longer periods month by month."""
LONGEST: Final = 120  # months
WHOLE_MONTHS: Final = (
    "Usage is told in whole months, as 2026-03: ranges that differ by a day or two would give away what happened on "
    "those days, however few people it was."
)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Period:
    """From the first day of one month to the last day of another, both given by their first day."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first.day != 1 or self.last.day != 1:
            raise NotAllowed(WHOLE_MONTHS, code="not_whole_months")
        if self.last < self.first:
            raise NotAllowed("The first month comes after the last one.")
        if self.length > LONGEST:
            raise NotAllowed(f"At most {LONGEST} months at once.")

    @property
    def length(self) -> int:
        """In months."""
        return _index(self.last) - _index(self.first) + 1

    @property
    def months(self) -> tuple[date, ...]:
        """The first day of each."""
        return tuple(_month(_index(self.first) + more) for more in range(self.length))

    @property
    def ends(self) -> date:
        """Its last day."""
        return later(self.last, 1) - timedelta(days=1)

    @property
    def is_by_day(self) -> bool:
        return self.length <= BY_DAY_UP_TO

    @property
    def label(self) -> str:
        """`November 2026`, `September to November 2026`, `December 2025 to November 2026`."""
        if self.first == self.last:
            return f"{self.first:%B %Y}"
        return f"{self.first:%B}{'' if self.first.year == self.last.year else f' {self.first:%Y}'} to {self.last:%B %Y}"

    def before(self) -> Self:
        """As many months, right before it."""
        return type(self)(later(self.first, -self.length), later(self.first, -1))

    def as_words(self) -> dict[str, str]:
        return {"from": month_word(self.first), "to": month_word(self.last)}

    @classmethod
    def of_words(cls, words: Mapping[str, str]) -> Self:
        """As `as_words` writes them. Raises NotAllowed, with a sentence that says why."""
        first = month_of(words.get("from", ""))
        return cls(first, month_of(words["to"]) if words.get("to") else first)


def preset(name: str, today: date) -> Period:
    """One of PRESETS, up to the month under way."""
    last = today.replace(day=1)
    return Period(later(last, 1 - PRESETS[name]), last)


def name_of(period: Period, today: date) -> str | None:
    """Which preset this is, if it is one."""
    return next((name for name in PRESETS if preset(name, today) == period), None)


def month_of(text: str) -> date:
    """`2026-03`. Raises NotAllowed for a day, and for all else."""
    found = _MONTH.fullmatch(text.strip())
    if not found or not 1000 <= int(found[1]) <= 9000:
        raise NotAllowed(WHOLE_MONTHS, code="not_whole_months")
    return date(int(found[1]), int(found[2]), 1)


def month_word(month: date) -> str:
    return f"{month:%Y-%m}"


def later(month: date, months: int) -> date:
    return _month(_index(month) + months)


def _index(month: date) -> int:
    return month.year * 12 + month.month - 1


def _month(index: int) -> date:
    year, month = divmod(index, 12)
    return date(year, month + 1, 1)
