"""What is published of a period, seen through a filter: an engine's own cells, which are published without it too."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from core.usage.periods import Period
from core.usage.publishing import Cell, Month, Published


@dataclass(frozen=True)
class View:
    what: Published
    period: Period
    engine: str | None
    now: datetime

    @property
    def engine_path(self) -> tuple[str, ...]:
        return ("engine", self.engine) if self.engine else ()

    def engines(self, root: str) -> list[str]:
        return [name for name in self.what.names(root, "engine") if self.engine in (None, name)]

    @property
    def days(self) -> float:
        """How many of its days have passed, the one under way as far as it has come."""
        start = datetime(self.period.first.year, self.period.first.month, 1, tzinfo=UTC)
        end = datetime(self.period.ends.year, self.period.ends.month, self.period.ends.day, tzinfo=UTC)
        passed = min(self.now, end + timedelta(days=1)) - start
        return max(passed / timedelta(days=1), 1.0)

    def points(self) -> Iterator[tuple[date, "View"]]:
        """Its months, each as a view of its own."""
        for month in self.what.months:
            one = Published(months=[month], k=self.what.k, demo=self.what.demo)
            yield month.first, View(one, Period(month.first, month.first), self.engine, self.now)

    def each_day(self) -> Iterator[tuple[date, Month]]:
        """Days that have begun."""
        today = self.now.astimezone(UTC).date()
        for month in self.what.months:
            day = month.first
            while day.month == month.first.month and day <= today:
                yield day, month
                day += timedelta(days=1)


def visits_on(month: Month, day: date) -> Cell:
    return month.roots["visits"].below("weekday", str(day.weekday()), "day", day.isoformat())
