"""
What would have been counted of the demo: the same metrics, words and buckets, marked as made up.

Counted from the rows as they are made, so that page and rows tell the same story. What leaves no rows is drawn by
chance: visits that came to nothing, downloads, checks of promises.
"""

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.demo.writing import DAY, Stamps
from core.usage.metrics import BUCKETS, STEPS, Level, Metric

DEVICES: Final = {"phone": 57, "computer": 36, "tablet": 5, "other": 2}
LANGUAGES: Final = {"en": 70, "de": 18, "other": 12}
REFUSALS: Final = {
    "too_small": 34,
    "unsupported": 20,
    "no_person": 16,
    "unreadable": 12,
    "person_too_small": 10,
    "too_heavy": 5,
    "too_large": 3,
}
LIMITS: Final = {"day": 70, "network": 18, "busy": 8, "provider": 4}
DOWNLOADS: Final = {"original": 52, "smaller": 26, "all": 22}
OPENED_FULL: Final = 40_000_000
"""Millionths of a dollar that are paid in when little is left."""
_BOUNDS: Final = {metric: (list(buckets.bounds), buckets.names) for metric, buckets in BUCKETS.items()}


def drawn(chance: random.Random, weights: dict[str, int], times: int) -> Counter[str]:
    return Counter(chance.choices(list(weights), list(weights.values()), k=times)) if times > 0 else Counter()


@dataclass
class Figures:
    """Counts by day, by hour, and levels. Days are whole days since 1970; what lies before the first is left out."""

    first: int
    last: int
    counts: Counter[tuple[int, str, str, str]] = field(default_factory=Counter)
    hours: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    stored: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, metric: Metric, a: str = "", b: str = "", *, at: int, n: int = 1) -> None:
        self.counts[at // DAY, metric, a, b] += n

    def took(self, metric: Metric, a: str, seconds: float, *, at: int) -> None:
        """Into its bucket."""
        bounds, names = _BOUNDS[metric]
        self.count(metric, a, names[bisect_left(bounds, seconds)], at=at)

    def lay(self, kind: str, size: int, since: int, until: int | None) -> None:
        """Bytes of a copy, from the day on which they came to the one on which they were gone."""
        self.stored[kind][max(self.first, since // DAY)] += size
        if until is not None:
            self.stored[kind][max(self.first, until // DAY)] -= size

    # ------------------------------------------------------------------------------------------------- what has no rows
    def visit(self, at: int, steps: int, chance: random.Random, *, downloads: int = 0) -> None:
        """A browser came, and went so many steps."""
        for step in STEPS[:steps]:
            self.count(Metric.STEP, step, at=at)
        self.hours[at // DAY, at % DAY // 3600, Metric.STEP] += 1
        for what, n in drawn(chance, DOWNLOADS, downloads).items():
            self.count(Metric.DOWNLOAD, what, at=at, n=n)

    def passers_by(self, at: Sequence[int], chance: random.Random) -> None:
        """Visits of a day that made nothing: some looked, some had a photo that could not be used."""
        for instant in at:
            draw = chance.random()
            steps = 1 if draw < 0.62 else 2 if draw < 0.82 else 3
            self.visit(instant, steps, chance)
            if steps == 2:
                (reason,) = drawn(chance, REFUSALS, 1)
                self.count(Metric.PHOTO_REFUSED, reason, at=instant)
            elif steps == 3 and chance.random() < 0.12:
                (limit,) = drawn(chance, LIMITS, 1)
                self.count(Metric.LIMIT, limit, at=instant)

    def browsers(self, day: int, visits: int, chance: random.Random) -> None:
        for metric, weights in ((Metric.VISIT_DEVICE, DEVICES), (Metric.VISIT_LANGUAGE, LANGUAGES)):
            for word, n in drawn(chance, weights, visits).items():
                self.count(metric, word, at=day * DAY, n=n)

    def promises(self, ids: Iterable[str], until: int, every: float, chance: random.Random) -> None:
        """Each was measured all the time; once in a while nobody could know, and a few times it did not hold."""
        for day in range(self.first, self.last + 1):
            checks = round(min(DAY, until - day * DAY) / every)
            for promise in ids:
                unknown = min(checks, 3) if chance.random() < 0.03 else 0
                broken = min(checks - unknown, 2) if chance.random() < 0.004 else 0
                told = {"kept": checks - unknown - broken, "unknown": unknown, "broken": broken}
                for state, n in told.items():
                    if n:
                        self.count(Metric.PROMISE, promise, state, at=day * DAY, n=n)

    # ---------------------------------------------------------------------------------------------------------- as rows
    def rows(self, stamp: Stamps) -> Iterator[tuple[Any, ...]]:
        """Of all three tables, the name first."""
        for (day, metric, a, b), n in self.counts.items():
            if self.first <= day <= self.last:
                yield "usage_count", True, stamp.day(day), str(metric), a, b, n
        for (day, hour, metric), n in self.hours.items():
            if self.first <= day <= self.last:
                yield "usage_hour", True, stamp.day(day), hour, str(metric), n
        for kind, changes in self.stored.items():
            stored = 0
            for day in range(self.first, self.last + 1):
                stored += changes[day]
                yield "usage_level", True, stamp.day(day), Level.STORED.value, kind, max(0, stored)
        for day, left in self._balance():
            yield "usage_level", True, stamp.day(day), Level.BALANCE.value, "apimart", left

    def _balance(self) -> Iterator[tuple[int, int]]:
        left = OPENED_FULL
        for day in range(self.first, self.last + 1):
            left -= self.counts[day, Metric.COST.value, "apimart", ""]
            if left < OPENED_FULL // 10:
                left += OPENED_FULL * (1 - left // OPENED_FULL)
            yield day, left
