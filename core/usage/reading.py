"""
Reading: raw sums from the tables of usage, put into trees and handed to `publishing`. No other module sees both.

A month is read by itself, grouped in the database, and what may be shown of a month that is over is kept in this
process for a while: three years cost what their last month costs. Days are read only where they are told by day.
"""

import weakref
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol

import sqlalchemy as sa
from sqlmodel import Session

from core.generations import MAX_VARIANTS
from core.models import UsageCount, UsageHour, UsageLevel
from core.settings import Settings
from core.usage.metrics import BUCKETS, STEPS, Metric
from core.usage.periods import Period, later, month_word
from core.usage.publishing import Cell, Month, Node, Published, Rule, Timed, in_steps, publish
from core.vault import Vault

NOT_FAILED: Final = ("ready", "cancelled")
"""How a run ends, as it is counted: one of the two, or else the reason of its failure."""
FAILED: Final = "failed"
REMEMBERED: Final = timedelta(hours=1)
"""How long a month that is over is told as it was read: counts that come later than `_SETTLED` show by then."""
_Parts = dict[str, Node]
_SETTLED: Final = timedelta(days=2)
_MONTHS_KEPT: Final = 400


class Source(Protocol):
    """What is needed of the services."""

    @property
    def settings(self) -> Settings: ...
    @property
    def database(self) -> sa.Engine: ...
    @property
    def vault(self) -> Vault: ...
    def reading(self) -> AbstractContextManager[Session]: ...


def published(svc: Source, period: Period, *, now: datetime, by_day: bool | None = None) -> Published:
    """What may be shown of some months. While there is a demo, of that alone."""
    key = bytes.fromhex(svc.vault.keyed_hash("usage", b"draws"))
    rule, today = Rule(svc.settings.small_count, key), now.astimezone(UTC).date()
    with svc.reading() as session:
        demo = _which_demo(session)
        read = _Reader(svc.database, session, rule, demo, now, period.is_by_day if by_day is None else by_day)
        months = [read.month(first) for first in period.months if first <= today]
    return Published(months=months, k=rule.k, demo=demo is not None)


def _which_demo(session: Session) -> tuple[Any, ...] | None:
    """What tells one demo from another: its days, and how much happened on the last."""
    table = _table(UsageCount)
    made_up = _is_demo(table, True)
    latest = sa.select(sa.func.max(table.c.day)).where(made_up).scalar_subquery()
    amount = sa.select(sa.func.sum(table.c.n)).where(made_up, table.c.day == latest).scalar_subquery()
    earliest = sa.select(sa.func.min(table.c.day)).where(made_up).scalar_subquery()  # alone: read off the index
    first, last, n = session.execute(sa.select(earliest, latest, amount)).one()
    return (first, last, int(n)) if first is not None else None


def forget(svc: Source) -> None:
    """For tests and benchmarks, which change what is over."""
    _kept.pop(svc.database, None)


_kept: "weakref.WeakKeyDictionary[sa.Engine, dict[Any, tuple[datetime, Month]]]" = weakref.WeakKeyDictionary()


@dataclass
class _Reader:
    database: sa.Engine
    session: Session
    rule: Rule
    demo: tuple[Any, ...] | None
    now: datetime
    by_day: bool

    def month(self, first: date) -> Month:
        after = later(first, 1)
        if datetime(after.year, after.month, 1, tzinfo=UTC) + _SETTLED > self.now:
            return self._read(first)
        known, name = _kept.setdefault(self.database, {}), (self.demo, self.rule, self.by_day, first)
        found = known.get(name)
        if found is None or not timedelta(0) <= self.now - found[0] < REMEMBERED:
            if len(known) >= _MONTHS_KEPT:
                known.clear()
            found = known[name] = self.now, self._read(first)
        return found[1]

    def _read(self, first: date) -> Month:
        ends = later(first, 1) - timedelta(days=1)
        return _Counted(self.session, self.demo is not None, first, ends, self.by_day).as_month(self.rule)


@dataclass
class _Counted:
    """The raw numbers of a month. Leaves this module as a `Month` only."""

    session: Session
    demo: bool
    first: date
    ends: date
    by_day: bool

    def as_month(self, rule: Rule) -> Month:
        self.sums = self._sums()
        self.days = self._days() if self.by_day else {}
        roots = {name: publish(root, self._rule_of(name, rule), self._what(name)) for name, root in self._roots()}
        return Month(
            first=self.first,
            roots=roots,
            money=self._money(roots["headshots"]),
            times=dict(self._times(roots, rule.k)),
            checks=dict(self.sums[Metric.PROMISE]),
            levels=self._levels(),
        )

    def _what(self, name: str) -> str:
        return f"{'demo' if self.demo else 'usage'}/{month_word(self.first)}/{name}"

    @staticmethod
    def _rule_of(name: str, rule: Rule) -> Rule:
        """From (k - 1) of the largest runs and one headshot more, k runs or more have made them."""
        return replace(rule, k=(rule.k - 1) * MAX_VARIANTS + 1) if name == "headshots" else rule

    # ------------------------------------------------------------------------------------------------------- SQL
    def _within(self, table: sa.Table) -> Sequence[Any]:
        return _is_demo(table, self.demo), table.c.day >= self.first, table.c.day <= self.ends

    def _sums(self) -> dict[str, Counter[tuple[str, str]]]:
        table = _table(UsageCount)
        key = table.c.metric, table.c.a, table.c.b
        query = sa.select(*key, sa.func.sum(table.c.n)).where(*self._within(table)).group_by(*key)
        sums: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        for metric, a, b, n in self.session.execute(query):
            sums[metric][a, b] = int(n)
        return sums

    def _days(self) -> dict[str, dict[str, Counter[str]]]:
        """metric → a → day → n, of what is told by day."""
        table = _table(UsageCount)
        visits = (table.c.metric == Metric.STEP.value) & (table.c.a == STEPS[0])
        failures = (table.c.metric == Metric.RUN.value) & table.c.b.not_in(NOT_FAILED)
        wanted = table.c.metric.in_([Metric.HEADSHOT.value, Metric.COST.value]) | visits | failures
        key = table.c.day, table.c.metric, table.c.a
        query = sa.select(*key, sa.func.sum(table.c.n)).where(*self._within(table), wanted).group_by(*key)
        days: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        for day, metric, a, n in self.session.execute(query):
            days[metric][a][day.isoformat()] += int(n)
        return days

    def _hours(self) -> dict[int, Counter[str]]:
        """weekday → hour → n, of visits."""
        table = _table(UsageHour)
        key = sa.extract("dow", table.c.day), table.c.hour
        mine = *self._within(table), table.c.metric == Metric.STEP.value
        hours: dict[int, Counter[str]] = defaultdict(Counter)
        for sunday_first, hour, n in self.session.execute(
            sa.select(*key, sa.func.sum(table.c.n)).where(*mine).group_by(*key)
        ):
            hours[(int(sunday_first) - 1) % 7][f"{hour:02}"] += int(n)
        return hours

    def _levels(self) -> dict[tuple[str, str], dict[date, int]]:
        """What was seen last: on each day, where days are told, else in the month."""
        table = _table(UsageLevel)
        key = table.c.metric, table.c.a, table.c.day
        levels: dict[tuple[str, str], dict[date, int]] = defaultdict(dict)
        query = sa.select(*key, table.c.value).where(*self._within(table)).order_by(table.c.day)
        for metric, a, day, value in self.session.execute(query):
            levels[metric, a][day if self.by_day else self.first] = in_steps(metric, int(value))
        return levels

    # ----------------------------------------------------------------------------------------------------- trees
    def _roots(self) -> Iterable[tuple[str, Node]]:
        yield "visits", self._visits()
        yield "runs_ended", self._runs_ended()
        yield "runs_begun", self._runs_begun()
        yield "headshots", self._headshots()
        for name, metric, split, beneath in (
            ("tickets", Metric.TICKET, "channel", "kind"),
            ("ticket_ends", Metric.TICKET_END, "outcome", "in time"),
            ("erased", Metric.ERASED, "kind", "reason"),
            ("refused", Metric.PHOTO_REFUSED, "reason", ""),
            ("limits", Metric.LIMIT, "limit", ""),
            ("shortened", Metric.SHORTENED, "contract", ""),
            ("downloads", Metric.DOWNLOAD, "what", ""),
            ("deeds", Metric.OPERATOR, "action", ""),
            ("again", Metric.AGAIN, "", ""),
        ):
            yield name, _nested(self.sums[metric], split, beneath)

    def _visits(self) -> Node:
        steps = [self.sums[Metric.STEP][step, ""] for step in STEPS]
        furthest = {step: here - further for step, here, further in zip(STEPS, steps, [*steps[1:], 0], strict=True)}
        splits = {
            "furthest": _leaves(furthest),
            "device": _nested(self.sums[Metric.VISIT_DEVICE], "device").splits["device"],
            "language": _nested(self.sums[Metric.VISIT_LANGUAGE], "language").splits["language"],
            "weekday": self._weekdays(self.days.get(Metric.STEP, {}).get(STEPS[0], {}), self._hours()),
        }
        return Node(steps[0], splits)

    def _runs_ended(self) -> Node:
        """Failures are a cell of their own, told by reason and, beside that, by day. There is no other split by day
        here: with all runs of a day beside its failures, one would say something of the other."""
        engines: dict[str, Counter[str]] = defaultdict(Counter)
        for (engine, outcome), n in self.sums[Metric.RUN].items():
            engines[engine][outcome] += n
        nodes = {name: self._ends(name, outcomes) for name, outcomes in engines.items() if outcomes.total()}
        return Node(sum(node.n for node in nodes.values()), {"engine": nodes})

    def _ends(self, engine: str, outcomes: Mapping[str, int]) -> Node:
        reasons = {name: n for name, n in outcomes.items() if name not in NOT_FAILED}
        splits = {"reason": _leaves(reasons)}
        if self.by_day:
            splits["day"] = _leaves(self.days.get(Metric.RUN, {}).get(engine, {}))
        ends = _leaves({name: n for name, n in outcomes.items() if name in NOT_FAILED})
        if failed := sum(reasons.values()):
            ends[FAILED] = Node(failed, splits)
        return Node(sum(outcomes.values()), {"outcome": ends})

    def _runs_begun(self) -> Node:
        """Every run has a contract, a purpose and a style: the same root, looked at from three sides."""
        sides = (("contract", Metric.RUN_CONTRACT), ("purpose", Metric.RUN_PURPOSE), ("style", Metric.RUN_STYLE))
        splits = {name: _nested(self.sums[metric], name).splits[name] for name, metric in sides}
        return Node(sum(self.sums[Metric.RUN_CONTRACT].values()), splits)

    def _headshots(self) -> Node:
        root = _nested(self.sums[Metric.HEADSHOT], "engine")
        if not self.by_day:
            return root
        days = self.days.get(Metric.HEADSHOT, {})
        engines = {
            name: Node(node.n, {"day": _leaves(days.get(name, {}))}) for name, node in root.splits["engine"].items()
        }
        return Node(root.n, {"engine": engines})

    def _weekdays(self, days: Mapping[str, int], hours: Mapping[int, Mapping[str, int]]) -> _Parts:
        """Seven nodes, each with its hours and its days (where they are told). The hours count: so that a weekday is
        the same number whether days are told or not."""
        parts: _Parts = {}
        for weekday in range(7):
            splits = {"hour": _leaves(hours.get(weekday, {}))}
            if self.by_day:
                splits["day"] = _leaves({day: n for day, n in days.items() if _weekday(day) == weekday})
            if n := sum(part.n for part in splits["hour"].values()):
                parts[str(weekday)] = Node(n, splits)
        return parts

    # -------------------------------------------------------------------------------------------- what rides along
    def _money(self, headshots: Cell) -> dict[tuple[str, str], int]:
        """Exactly where the headshots of an engine, or of its day, are shown and are not none."""
        money = {}
        for engine in headshots.names("engine"):
            cell = headshots.at("engine", engine)
            if cell.shown.n:
                money[engine, ""] = sum(n for (a, _), n in self.sums[Metric.COST].items() if a == engine)
            days: Mapping[str, int] = self.days.get(Metric.COST, {}).get(engine, {})
            money |= {(engine, day): days.get(day, 0) for day in cell.names("day") if cell.at("day", day).shown.n}
        return money

    def _times(self, roots: Mapping[str, Cell], k: int) -> Iterator[tuple[tuple[Metric, str], Timed]]:
        """Those of which everybody can work out that there were k and more."""
        times: dict[tuple[Metric, str], dict[str, int]] = defaultdict(dict)
        for metric in BUCKETS:
            for (name, bucket), n in self.sums[metric].items():
                times[metric, name][bucket] = n
        for (metric, name), counts in times.items():
            total = sum(counts.values())
            timed = Timed(counts, _sure(metric, name, roots, total))
            if min(timed.sure, total) >= k:
                yield (metric, name), timed


def _sure(metric: Metric, name: str, roots: Mapping[str, Cell], total: int) -> int:
    """At least so many there were, as far as the cells say that are shown. No cell counts what a request's kind came
    to, so that their number gives none away."""
    if metric is Metric.TICKET_TOOK:
        return total
    if metric is Metric.GONE_TOOK:
        erased = roots["erased"]
        return sum(erased.below("kind", kind, "reason", name).least for kind in erased.names("kind"))
    engine = name.partition(".")[0]  # every run that was ready has waited, and took its time
    return roots["runs_ended"].below("engine", engine, "outcome", "ready").least


def _nested(sums: Mapping[tuple[str, str], int], split: str, beneath: str = "") -> Node:
    """A root of what was counted, split by its first dimension, and each part by its second."""
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for (a, b), n in sums.items():
        if n:
            parts[a][b] += n
    nodes = {a: Node(sum(bs.values()), {beneath: _leaves(bs)} if beneath else {}) for a, bs in parts.items()}
    return Node(sum(node.n for node in nodes.values()), {split: nodes} if split else {})


def _weekday(day: str) -> int:
    return date.fromisoformat(day).weekday()


def _leaves(counts: Mapping[str, int]) -> dict[str, Node]:
    return {name: Node(n) for name, n in counts.items() if n}


def _is_demo(table: sa.Table, demo: bool) -> sa.ColumnElement[bool]:
    """Written so that both databases find it by their primary key."""
    return table.c.demo == (sa.true() if demo else sa.false())


def _table(model: Any) -> sa.Table:
    table: sa.Table = model.__table__
    return table
