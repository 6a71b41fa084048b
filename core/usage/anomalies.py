"""
Anomalies: what is unusual, in words that stand above the charts. "Failures at APIMart four times the usual since
Tuesday."

Made of `Published` alone, so a sentence tells nothing that the tables beside it do not: a hidden cell takes part as the
bounds that everybody can work out, and always as the one that speaks against an alarm. What counts as unusual, with its
sources and how often it is wrong, is said in `core/usage/surprise.py`.

By day, against the same weekdays of eight weeks: failures and headshots of each engine, visits, cost of a headshot.
By month, against up to six months: photos refused, requests done late, waiting, time to the headshots, time until gone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final

from core.provider import spending
from core.third_parties import third_parties
from core.usage import reading
from core.usage.metrics import Metric
from core.usage.periods import Period, later
from core.usage.publishing import REST, Cell, Month, Published
from core.usage.surprise import MONTHS, TWICE, Between, Unusual, by_day, by_month, level
from core.usage.words import LATE

MONTHS_BY_DAY: Final = 4
"""With the one under way: the ten weeks that days are compared over lie in no more."""
PRICED_DAYS, PRICED_DAYS_BEFORE, TIMED_MONTHS_BEFORE = 3, 10, 3
"""So many days together are dearer, than so many before at least; and so many months say what time is usual."""
_TIMES: Final = ("", "", "twice", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PARTS: Final = (
    (0.4, "half"),
    (0.28, "a third of"),
    (0.15, "a quarter of"),
    (0.05, "a tenth of"),
    (0.0, "next to nothing of"),
)

Path = Callable[[date], tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """`about` is the id of the table that shows it."""

    about: str
    says: str
    first: date
    last: date


def lately(svc: reading.Source, *, now: datetime) -> Sequence[Anomaly]:
    """What is unusual as of the last day that is over, the gravest first."""
    this = _yesterday(now).replace(day=1)
    days = Period(later(this, 1 - MONTHS_BY_DAY), this)
    told = reading.published(svc, days, now=now, by_day=True)
    before = reading.published(svc, Period(later(this, -MONTHS), later(days.first, -1)), now=now, by_day=False)
    return found(Published(months=[*before.months, *told.months], k=told.k, demo=told.demo), now=now)


def found(what: Published, *, now: datetime) -> Sequence[Anomaly]:
    """The same of months at hand, the last of which is that of yesterday."""
    look = _Look(what, _yesterday(now))
    return [anomaly for kind in _KINDS for anomaly in kind(look)]


def _yesterday(now: datetime) -> date:
    return now.astimezone(UTC).date() - timedelta(days=1)


@dataclass(frozen=True)
class _Look:
    """What is published, as of the last day that is over."""

    what: Published
    until: date

    @property
    def this(self) -> date:
        return self.until.replace(day=1)

    def days(self, root: str, path: Path, *, since: date | None = None) -> dict[date, Between]:
        """Up to now; from the first day that had any of it, if it is not said since when there could be."""
        known: dict[date, Between] = {}
        for month in self.what.months[-MONTHS_BY_DAY:]:
            day = month.first
            while day.month == month.first.month and day <= self.until:
                n = _between(month.roots[root], path(day))
                if known or n.low or (since is not None and day >= since):
                    known[day] = n
                day += timedelta(days=1)
        return known

    def months(self, part: Callable[[Month], Between], whole: Callable[[Month], Between]) -> Unusual | None:
        told = {month.first: (part(month), whole(month)) for month in self.what.months}
        return by_month(told, self.this, least=self.what.k)

    @cached_property
    def visits(self) -> Unusual | None:
        days = self.days("visits", lambda day: ("weekday", str(day.weekday()), "day", day.isoformat()))
        less = by_day(days, self.until, way="less", least=self.what.k)
        return less or by_day(days, self.until, way="more", least=self.what.k)


def _between(root: Cell, path: Sequence[str] = ()) -> Between:
    """What everybody can work out of a cell, also where it is hidden with what it is a part of."""
    cell, most = root, root.most
    for split, name in zip(path[::2], path[1::2], strict=True):
        cell = cell.at(split, name)
        most = cell.most if cell.most is not None else most
    return Between(cell.least, most)


def _by_day_of(*path: str) -> Path:
    return lambda day: (*path, "day", day.isoformat())


# ----------------------------------------------------------------------------------------------------- counts by day
def _failures(look: _Look) -> Iterator[Anomaly]:
    for engine in look.what.names("runs_ended", "engine"):
        its = "engine", engine
        since = next((month.first for month in look.what.months if _between(month.roots["runs_ended"], its).low), None)
        days = look.days("runs_ended", _by_day_of(*its, "outcome", "failed"), since=since)
        if unusual := by_day(days, look.until, way="more", least=look.what.k):
            yield _anomaly("outcomes", f"Failures {_at(engine)}", unusual, look)


def _visits(look: _Look) -> Iterator[Anomaly]:
    if look.visits:
        yield _anomaly("visits_by_day", "Visits", look.visits, look)


def _headshots(look: _Look) -> Iterator[Anomaly]:
    """Fewer of an engine, where that is not because fewer people came."""
    if look.visits and look.visits.way == "less":
        return
    for engine in look.what.names("headshots", "engine"):
        days = look.days("headshots", _by_day_of("engine", engine))
        if unusual := by_day(days, look.until, way="less", least=look.what.k):
            yield _anomaly("outcomes", f"Headshots {_at(engine)}", unusual, look)


def _anomaly(about: str, what: str, unusual: Unusual, look: _Look) -> Anomaly:
    if unusual.way == "less" and not unusual.seen:
        says = f"No {what[0].lower()}{what[1:]} {_when(unusual, look)}"
    else:
        says = f"{what} {_compared(unusual)} {_when(unusual, look)}"
    usually = f"; usually about {round(unusual.usual):,} a day" if unusual.way == "less" else ""
    return Anomaly(about=about, says=f"{says}{usually}.", first=unusual.first, last=unusual.last)


# ---------------------------------------------------------------------------------------------------- shares by month
def _refused(look: _Look) -> Iterator[Anomaly]:
    unusual = look.months(lambda month: _between(month.roots["refused"]), lambda month: _between(month.roots["visits"]))
    if unusual:
        yield _share("refusals", "Photos refused", "of 100 visits", unusual)


def _late(look: _Look) -> Iterator[Anomaly]:
    done = "outcome", "done"

    def late(month: Month) -> Between:
        return _between(month.roots["ticket_ends"], (*done, "in time", LATE))

    if unusual := look.months(late, lambda month: _between(month.roots["ticket_ends"], done)):
        yield _share("ticket_times", "Requests done late", "of 100 that were done", unusual)


def _share(about: str, what: str, of: str, unusual: Unusual) -> Anomaly:
    seen, usual = (f"{100 * share:.2g}" for share in (unusual.seen, unusual.usual))
    says = f"{what} {_compared(unusual)} in {unusual.first:%B}: {seen} {of}, usually {usual}."
    return Anomaly(about=about, says=says, first=unusual.first, last=unusual.last)


# ------------------------------------------------------------------------------------------------------------- levels
def _costs(look: _Look) -> Iterator[Anomaly]:
    for engine in look.what.names("headshots", "engine"):
        prices = dict(_prices(look, engine))
        recent = [day for day in sorted(prices) if (look.until - day).days < 7][-PRICED_DAYS:]
        if len(recent) < PRICED_DAYS:
            continue
        if unusual := level(prices, recent, fewest=PRICED_DAYS_BEFORE):
            seen, usual = (spending.dollars(spending.micro(price)) for price in (unusual.seen, unusual.usual))
            each = f"{seen}, usually {usual}"
            says = f"A headshot {_at(engine)} costs {_compared(unusual)} {_when(unusual, look)}: {each}."
            yield Anomaly(about="cost_by_day", says=says, first=unusual.first, last=unusual.last)


def _prices(look: _Look, engine: str) -> Iterator[tuple[date, float]]:
    """Of each headshot, in US dollars, on days whose money may be shown."""
    for month in look.what.months:
        cell = month.roots["headshots"].at("engine", engine)
        for name in set(cell.names("day")) - {REST}:
            money, made, day = month.money.get((engine, name)), cell.at("day", name).shown.n, date.fromisoformat(name)
            if money and made and day <= look.until:
                yield day, money / spending.MILLION / made


def _times(look: _Look) -> Iterator[Anomaly]:
    for metric, about, share, fewest, says in (
        (Metric.TOOK, "latency", 50, 95, "The median time to the headshots {at} is"),
        (Metric.QUEUE_WAIT, "queue_wait", 95, 99, "The wait for a start {at} (95 of 100 are shorter) is"),
        (
            Metric.GONE_TOOK,
            "gone_times",
            95,
            99,
            "The time until photos are shown to be gone (95 of 100 are faster) is",
        ),
    ):
        for name in look.what.timed(metric) if metric is not Metric.GONE_TOOK else [None]:
            values = dict(_percentiles(look, metric, name, share, fewest))
            if unusual := level(values, [look.this], fewest=TIMED_MONTHS_BEFORE, times=TWICE):
                seen, usual = span(unusual.seen), span(unusual.usual)
                begins = says.format(at=_at(name)) if name else says
                told = f"{begins} {_compared(unusual)} in {look.this:%B}: {seen}, usually {usual}."
                yield Anomaly(about=about, says=told, first=unusual.first, last=unusual.last)


def _percentiles(
    look: _Look, metric: Metric, name: str | None, share: int, fewest: int
) -> Iterator[tuple[date, float]]:
    """Of each month. A higher percentile is told of more of them only: where it is, this one is no accident."""
    for month in look.what.months:
        times = Published(months=[month], k=look.what.k, demo=look.what.demo).times(metric, name)
        value = times.percentile(share)
        if value is not None and times.percentile(fewest) is not None:
            yield month.first, value


_KINDS: Final[Sequence[Callable[[_Look], Iterator[Anomaly]]]] = (
    _failures, _visits, _headshots, _late, _times, _refused, _costs,
)  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- words
def name_of(engine: str) -> str:
    """As people know it."""
    known = third_parties().get(engine)
    return known.title if known else "this server"


def _at(engine: str) -> str:
    return f"at {name_of(engine)}" if engine in third_parties() else "on this server"


def _compared(unusual: Unusual) -> str:
    if unusual.way == "less":
        return f"{next(part for least, part in _PARTS if unusual.times >= least)} the usual"
    if not unusual.usual or math.isinf(unusual.times):
        return "far more than the usual none"
    if unusual.times >= 10.5:
        return "more than ten times the usual"
    if unusual.times < 1.95:
        return f"{unusual.times:.1f} times the usual"
    word = _TIMES[round(unusual.times)]
    return f"{word} the usual" if word == "twice" else f"{word} times the usual"


def _when(unusual: Unusual, look: _Look) -> str:
    """Yesterday is the last day that is over."""
    first, last = _day(unusual.first, look), _day(unusual.last, look)
    if unusual.first == unusual.last:
        return "yesterday" if unusual.last == look.until else f"on {first}"
    return f"since {first}" if unusual.last == look.until else f"from {first} to {last}"


def _day(day: date, look: _Look) -> str:
    return f"{day:%A}" if (look.until - day).days < 6 else f"{day.day} {day:%B}"


def span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.2g} min" if seconds < 5400 else f"{seconds / 3600:.2g} h"
