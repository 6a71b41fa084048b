"""
Surprise: is what was counted lately something else than the usual? Statistics without a word about what was counted.

**Counts by day** (`by_day`). The usual of a weekday is the sum of the same weekday in the eight weeks before the recent
fortnight, so weekends are compared with weekends. Values that stick out of their own weekday are first pulled in to
three robust deviations of its median, so that an old incident does not become the usual. A run of recent days O is
weighed against its usual R by the conditional test of two Poisson means: given O + R, O is binomial with the share of
its exposure (Przyborowski and Wilenski, Biometrika 31, 1940). How unlikely that is at most says the bound
exp(-n·KL(O/n ‖ share)) (Chernoff 1952; Hoeffding 1963). Days scatter more than Poisson, so both counts are divided by
their dispersion first: 1.4826 times the median absolute deviation of Pearson residuals, squared, never below 1 (MAD:
Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993; quasi-Poisson: McCullagh and Nelder, 1989). All runs of
days within the fortnight are tried that are over for less than a week; the most unlikely one is told.

**Shares by month** (`by_month`). The same test, with what it is a share of as its exposure, against up to six months
before. So few months show no dispersion; it is taken as `SHARES_SCATTER`.

**Levels** (`level`), as times or prices. The median of the recent ones against median and MAD of those before.

Hidden cells take part as what they say: `<5` is between 1 and 4. What speaks for an alarm is taken at its least, what
speaks against it at its most, so that no alarm rests on a guess about a hidden number.

An alarm needs all of: at most one in `ODDS` by the bound, twice or half the usual, and counts of at least `least`.
How often that is wrong and how much it misses is measured in tests/usage/test_surprise.py; see its table.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Final, Literal

Way = Literal["more", "less"]

RECENT: Final = 14  # days that may be unusual
WEEKS: Final = 8  # before those, that say what is usual
FEWEST_WEEKS: Final = 4
OVER_FOR: Final = 7  # days; what ended earlier is not news
MONTHS: Final = 6
FEWEST_MONTHS: Final = 2
TWICE: Final = 2.0
AT_ITS_ENDS: Final = 1.4  # times the usual: what the first and the last day of a run are, too
ODDS: Final = 10_000
SHARES_SCATTER: Final = 2.0
LEVEL_DEVIATIONS: Final = 4.0
LEVEL_TIMES: Final = 1.5
_SIGMA: Final = 1.4826  # MAD to standard deviation, for the normal distribution


@dataclass(frozen=True)
class Between:
    """What is known of a number: at least `low`, at most `high`. None: nobody may know."""

    low: int
    high: int | None

    @classmethod
    def exactly(cls, n: int) -> "Between":
        return cls(n, n)


@dataclass(frozen=True, kw_only=True)
class Unusual:
    """Something else than the usual, from one day (or month) to another."""

    way: Way
    first: date
    last: date
    times: float  # what it is of the usual; 0: nothing at all
    usual: float  # for each day, of each event, or the level itself
    seen: float  # likewise


# ----------------------------------------------------------------------------------------------------- counts by day
def by_day(days: Mapping[date, Between], until: date, *, way: Way, least: int) -> Unusual | None:
    """Up to and including `until`, the last day that is over. None: nothing unusual, or too little to tell."""
    usual = _Usual.of(days, until - timedelta(days=RECENT), way)
    found = [one for one in _runs(days, until, way, usual) if one.is_alarm(way, least)]
    if not found:
        return None
    best = min(found, key=lambda run: (run.log_odds, run.length))
    times = best.seen / best.usual if best.usual else math.inf
    usually, seen = best.usual / best.length, best.seen / best.length
    return Unusual(way=way, first=best.first, last=best.last, times=times, usual=usually, seen=seen)


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Days in a row."""

    first: date
    last: date
    seen: float
    usual: float
    log_odds: float  # of seeing so much, or so little, by chance; at most

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    def is_alarm(self, way: Way, least: int) -> bool:
        if self.log_odds > -math.log(ODDS):
            return False
        if way == "more":
            return self.seen >= least and self.seen >= TWICE * self.usual
        return self.usual >= least and self.seen * TWICE <= self.usual


def _runs(days: Mapping[date, Between], until: date, way: Way, usual: "_Usual") -> Sequence[_Run]:
    recent = [until - timedelta(days=back) for back in range(RECENT - 1, -1, -1)]
    runs = []
    for begin, first in enumerate(recent):
        seen = before = expected = 0.0
        for day in recent[begin:]:
            n, of = _taken(days.get(day), way, lately=True), usual.of_weekday.get(day.weekday())
            if n is None or of is None:
                break
            sticks_out = n > AT_ITS_ENDS * of.each if way == "more" else n * AT_ITS_ENDS < of.each
            if day == first and not sticks_out:
                break
            seen, before, expected = seen + n, before + of.total, expected + of.each
            if sticks_out and (until - day).days < OVER_FOR:
                share = expected / (expected + before) if before else 1 / (1 + of.weeks)
                odds = _log_odds(seen / usual.scatter, before / usual.scatter, share, way)
                runs.append(_Run(first=first, last=day, seen=seen, usual=expected, log_odds=odds))
    return runs


@dataclass(frozen=True)
class _Weekday:
    total: float
    weeks: int

    @property
    def each(self) -> float:
        return self.total / self.weeks


@dataclass(frozen=True)
class _Usual:
    of_weekday: Mapping[int, _Weekday]
    scatter: float

    @classmethod
    def of(cls, days: Mapping[date, Between], until: date, way: Way) -> "_Usual":
        known: dict[int, list[float]] = {}
        for back in range(7 * WEEKS):
            day = until - timedelta(days=back)
            if (n := _taken(days.get(day), way, lately=False)) is not None:
                known.setdefault(day.weekday(), []).append(n)
        enough = {weekday: values for weekday, values in known.items() if len(values) >= FEWEST_WEEKS}
        residuals = [(n - median(of)) / math.sqrt(max(median(of), 1)) for of in enough.values() for n in of]
        scatter = max(1.0, (_SIGMA * median(map(abs, residuals))) ** 2) if residuals else 1.0
        pulled = {weekday: _pulled_in(values) for weekday, values in enough.items()}
        return cls({weekday: _Weekday(sum(values), len(values)) for weekday, values in pulled.items()}, scatter)


def _taken(n: Between | None, way: Way, *, lately: bool) -> float | None:
    """The end of what is known that speaks least for an alarm."""
    if n is None:
        return None
    return n.low if (way == "more") is lately else n.high


def _pulled_in(values: Sequence[float]) -> list[float]:
    middle = median(values)
    far = 3 * max(_SIGMA * median(abs(n - middle) for n in values), math.sqrt(max(middle, 1)))
    return [min(max(n, middle - far), middle + far) for n in values]


def _log_odds(seen: float, before: float, share: float, way: Way) -> float:
    """The logarithm of at most how likely it is that of all these events so many, or so few, are in `share`."""
    n = seen + before
    if n == 0:
        return 0.0
    part = seen / n
    if (part <= share) if way == "more" else (part >= share):
        return 0.0
    told = part * math.log(part / share) if part else 0.0
    told += (1 - part) * math.log((1 - part) / (1 - share)) if part < 1 else 0.0
    return -n * told


# --------------------------------------------------------------------------------------------------- shares by month
def by_month(months: Mapping[date, tuple[Between, Between]], month: date, *, least: int) -> Unusual | None:
    """More of something than usual: how often, of how many. `months` by their first days, `month` among them."""
    if month not in months:
        return None
    part, whole = months[month]
    before = [months[one] for one in sorted(months) if one < month][-MONTHS:]
    known = [(p.high, w.low) for p, w in before if p.high is not None and w.low]
    if len(known) < FEWEST_MONTHS or not whole.low or whole.high is None:
        return None
    had, of = sum(p for p, _ in known), sum(w for _, w in known)
    odds = _log_odds(part.low / SHARES_SCATTER, had / SHARES_SCATTER, whole.high / (whole.high + of), "more")
    usual, seen = had / of, part.low / whole.high
    if odds > -math.log(ODDS) or part.low < least or seen < TWICE * usual:
        return None
    times = seen / usual if usual else math.inf
    return Unusual(way="more", first=month, last=month, times=times, usual=usual, seen=seen)


# ------------------------------------------------------------------------------------------------------------ levels
def level(
    values: Mapping[date, float], recent: Sequence[date], *, fewest: int, times: float = LEVEL_TIMES
) -> Unusual | None:
    """Higher than usual on the recent days (or in the recent month), by median and MAD of all before."""
    lately = [values[day] for day in recent if day in values]
    before = [value for day, value in values.items() if recent and day < recent[0]]
    if not lately or len(lately) < len(recent) or len(before) < fewest:
        return None
    usual, seen = median(before), median(lately)
    spread = max(_SIGMA * median(abs(value - usual) for value in before), 0.05 * usual)
    if usual <= 0 or seen < times * usual or seen < usual + LEVEL_DEVIATIONS * spread or seen <= max(before):
        return None
    return Unusual(way="more", first=recent[0], last=recent[-1], times=seen / usual, usual=usual, seen=seen)
