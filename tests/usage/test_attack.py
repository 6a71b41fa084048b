"""
Nothing that is hidden can be worked out: all that trees, pages, filters, periods and files show is taken together and
solved, by brute force where it is small, exactly by ranges and by algebra where it is not. And a publishing that is a
little careless is found out by the same attack.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel

from core.models import UsageCount, UsageHour
from core.usage import reading, reports
from core.usage.metrics import STEPS, Metric
from core.usage.periods import Period
from core.usage.publishing import Cell, Node, Rule, Shown, hidden_of, publish
from tests.usage.attack import BIG, Attack, Equation, Unknown


def quiet(examples: int) -> settings:
    """Always the same examples; none is made smaller, which would take minutes."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


KS = (5, 8)


# ------------------------------------------------------------------------------------------------------ small: a tree
small = st.one_of(st.integers(0, 3), st.integers(0, 12))
inner = st.dictionaries(st.sampled_from("xyz"), small, max_size=3)
trees = st.tuples(st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=4), st.lists(small, max_size=3))
Parts = Mapping[str, Mapping[str, int]]


def tree(parts: Parts, others: list[int]) -> Node:
    """A root that is split twice: by what is split again, and, with the same sum, by something else."""
    nodes = {name: Node(sum(its.values()), {"in": {i: Node(n) for i, n in its.items()}}) for name, its in parts.items()}
    whole, other = sum(node.n for node in nodes.values()), {}
    for number, n in enumerate(others):
        other[str(number)] = Node(min(n, whole - sum(node.n for node in other.values())))
    return Node(whole, {"by": nodes, "other": other})


def attack_on(root: Node, cell: Cell) -> tuple[Attack, dict[Unknown, int]]:
    """All that is shown of a tree, and the truth."""
    attack, truth = Attack(), {}

    def look(node: Node, shown: Cell, path: tuple[str, ...]) -> None:
        truth[path] = node.n
        attack.shown([path], shown.shown)
        for split, parts in node.splits.items():
            rest = node.n - sum(part.n for part in parts.values())
            known = {**parts, "other": Node(rest)} if rest else parts
            attack.adds_up(path, [(*path, split, name) for name in known] or [(*path, split, "other")])
            for name, part in known.items():
                look(part, shown.at(split, name), (*path, split, name))

    look(root, cell, ())
    return attack, truth


def solved(attack: Attack, truth: Mapping[Unknown, int]) -> set[Unknown]:
    """What was not told, and is known all the same."""
    assert all(equation.holds(truth) for equation in attack.equations)
    return {u for u in {*attack.by_ranges(), *attack.by_algebra()} - attack.told if truth.get(u)}


@quiet(150)
@given(trees, st.sampled_from(KS), st.binary(min_size=4, max_size=4))
@example(({"a": {"x": 1}, "b": {"x": 5}, "c": {"x": 12}}, []), 5, b"seed")
def test_brute_force_over_all_whole_solutions_leaves_two_values_for_each_hidden_cell(given_, k, key):
    root = tree(*given_)
    attack, truth = attack_on(root, publish(root, Rule(k, key), "it"))
    assert not solved(attack, truth)
    hidden = [u for u, n in truth.items() if n and u not in attack.told]
    for u in hidden[:6]:
        assert len(attack.values_of(u)) == 2


# ------------------------------------------------------------------------------------------------ careless publishing
class OnlyFew(Rule):
    """Hides what is small, and keeps nothing back."""

    def hides(self, counts: Mapping[str, int], what: str) -> Any:
        return {name: (1, self.k - 1) for name, n in counts.items() if 0 < n < self.k}


class NeverAlone(Rule):
    """Keeps one back where a small one is alone, and does not look at what they add up to."""

    def hides(self, counts: Mapping[str, int], what: str) -> Any:
        few = OnlyFew.hides(self, counts, what)  # type: ignore[arg-type]
        large = sorted((n, name) for name, n in counts.items() if n >= self.k)
        return {**few, large[0][1]: (self.k, 10**6)} if len(few) == 1 and large else few


class ZerosToo(Rule):
    """Checks everything, and then shows what is zero in a split that is hidden."""

    def hides(self, counts: Mapping[str, int], what: str) -> Any:
        hidden = hidden_of(counts, self.k, at_least=0)
        return dict.fromkeys(counts, (1, 10**6)) if hidden is None else hidden


@pytest.mark.parametrize(
    ("careless", "counts"),
    [
        (OnlyFew, {"a": 3, "b": 40}),
        (OnlyFew, {"a": 1, "b": 1, "c": 40}),
        (NeverAlone, {"a": 1, "b": 5, "c": 40}),
        (NeverAlone, {"a": 4, "b": 4, "c": 40}),
        (ZerosToo, {"a": 1, "b": 5}),
        (ZerosToo, {"a": 4, "b": 4}),
    ],
)
def test_a_careless_publishing_is_found_out(careless, counts):
    root = Node(sum(counts.values()), {"by": {name: Node(n) for name, n in counts.items()}})
    attack, truth = attack_on(root, publish(root, careless(5, b""), "it"))
    assert solved(attack, truth)
    careful, truth = attack_on(root, publish(root, Rule(5, b""), "it"))
    assert not solved(careful, truth)


# ------------------------------------------------------------------------------------------------- large: whole pages
MONTHS = (date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1))
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
ENGINES, PRICE = ("on_device", "apimart"), 40_000
_days = st.sampled_from([first + timedelta(days=more) for first in MONTHS for more in (0, 1, 7, 8, 12)])
_visits = st.tuples(
    _days,
    st.sampled_from((9, 10, 14)),
    st.sampled_from(STEPS),
    st.sampled_from(("phone", "computer", "tablet")),
    st.sampled_from(("en", "de", "other")),
    st.one_of(st.integers(1, 4), st.integers(1, 15)),
)
_runs = st.tuples(
    _days,
    st.sampled_from(ENGINES),
    st.sampled_from(("ready", "ready", "cancelled", "no_person", "provider_away")),
    st.sampled_from(("studio", "warm", "mono")),
    st.sampled_from(("1h", "7d", "30d")),
    st.integers(1, 4),
    st.one_of(st.integers(1, 3), st.integers(1, 12)),
)
_others = st.tuples(
    _days,
    st.sampled_from(
        [
            (Metric.TICKET, "product", "erase"),
            (Metric.TICKET, "product", "copy"),
            (Metric.TICKET, "email", "erase"),
            (Metric.TICKET_END, "done", "in_time"),
            (Metric.TICKET_END, "done", "late"),
            (Metric.TICKET_END, "refused", "in_time"),
            (Metric.ERASED, "portrait", "contract"),
            (Metric.ERASED, "headshot", "asked"),
            (Metric.ERASED, "headshot", "contract"),
            (Metric.PHOTO_REFUSED, "no_person", ""),
            (Metric.PHOTO_REFUSED, "too_small", ""),
            (Metric.LIMIT, "day", ""),
            (Metric.LIMIT, "busy", ""),
            (Metric.SHORTENED, "1h", ""),
            (Metric.SHORTENED, "7d", ""),
            (Metric.DOWNLOAD, "original", ""),
            (Metric.DOWNLOAD, "all", ""),
            (Metric.OPERATOR, "claim:issued", ""),
            (Metric.OPERATOR, "request:closed", ""),
            (Metric.AGAIN, "", ""),
        ]
    ),
    st.one_of(st.integers(1, 4), st.integers(1, 15)),
)
events = st.tuples(
    st.lists(_visits, max_size=30), st.lists(_runs, max_size=30), st.lists(_others, min_size=5, max_size=40)
)


def counted(visits: list[Any], runs: list[Any], others: list[Any]) -> tuple[Counter[Any], Counter[Any]]:
    """As counting would have written it: by day, and by hour."""
    days: Counter[Any] = Counter()
    hours: Counter[Any] = Counter()
    for day, hour, furthest, device, language, n in visits:
        for step in STEPS[: STEPS.index(furthest) + 1]:
            days[day, Metric.STEP, step, ""] += n
        days[day, Metric.VISIT_DEVICE, device, ""] += n
        days[day, Metric.VISIT_LANGUAGE, language, ""] += n
        hours[day, hour, Metric.STEP] += n
    for day, engine, outcome, style, contract, made, n in runs:
        days[day, Metric.RUN, engine, outcome] += n
        days[day, Metric.RUN_STYLE, style, ""] += n
        days[day, Metric.RUN_CONTRACT, contract, ""] += n
        days[day, Metric.RUN_PURPOSE, "linkedin", ""] += n
        if outcome == "ready":
            days[day, Metric.HEADSHOT, engine, ""] += made * n
            if engine == "apimart":
                days[day, Metric.COST, engine, ""] += PRICE * made * n
    for day, (metric, a, b), n in others:
        days[day, metric, a, b] += n
    return days, hours


class House:
    """What reports need of the services, on a database in memory."""

    def __init__(self) -> None:
        self.database = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        SQLModel.metadata.create_all(self.database, [UsageCount.__table__, UsageHour.__table__, *_level()])
        self.vault = SimpleNamespace(keyed_hash=lambda purpose, data: "5e" * 32)
        self.settings = SimpleNamespace(small_count=5)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with Session(self.database) as session:
            yield session

    def holds(self, days: Counter[Any], hours: Counter[Any], k: int) -> None:
        reading.forget(self)
        self.settings = SimpleNamespace(small_count=k)
        with self.database.begin() as connection:
            for table in (UsageCount, UsageHour):
                connection.execute(sa.delete(table))
            for (day, metric, a, b), n in days.items():
                row = {"demo": False, "day": day, "metric": metric.value, "a": a, "b": b, "n": n}
                connection.execute(sa.insert(UsageCount), row)
            for (day, hour, metric), n in hours.items():
                row = {"demo": False, "day": day, "hour": hour, "metric": metric.value, "n": n}
                connection.execute(sa.insert(UsageHour), row)


def _level() -> list[Any]:
    from core.models import UsageLevel

    return [UsageLevel.__table__]


@pytest.fixture(scope="module")
def house() -> House:
    return House()


FLAT = {
    "styles": ("begun", Metric.RUN_STYLE),
    "contracts": ("begun", Metric.RUN_CONTRACT),
    "purposes": ("begun", Metric.RUN_PURPOSE),
    "limits": (Metric.LIMIT, Metric.LIMIT),
    "shortened": (Metric.SHORTENED, Metric.SHORTENED),
    "refusals": (Metric.PHOTO_REFUSED, Metric.PHOTO_REFUSED),
    "downloads": (Metric.DOWNLOAD, Metric.DOWNLOAD),
    "operators": (Metric.OPERATOR, Metric.OPERATOR),
    "devices": ("visits", Metric.VISIT_DEVICE),
    "languages": ("visits", Metric.VISIT_LANGUAGE),
}
NESTED = {"gone": Metric.ERASED, "tickets": Metric.TICKET, "ticket_ends": Metric.TICKET_END, "outcomes": Metric.RUN}


def true_numbers(days: Counter[Any], hours: Counter[Any]) -> tuple[Counter[Unknown], Attack]:
    """Every number that a page is about, and how they add up: what an attacker would give for the first, the second."""
    truth: Counter[Unknown] = Counter()
    sums: dict[Unknown, set[Unknown]] = {}

    def note(*path: Unknown, n: int, under: Unknown = None, side: str = "") -> Unknown:
        truth[path] += n
        if under is not None:
            sums.setdefault((under, side), set()).add(path)
        return path

    for (day, metric, a, b), n in days.items():
        month = day.replace(day=1)
        if metric is Metric.STEP:
            further = days[day, metric, STEPS[STEPS.index(a) + 1], ""] if a != STEPS[-1] else 0
            note(month, "furthest", a, n=n - further, under=(month, "visits"), side="furthest")
            if a == STEPS[0]:
                root = note(month, "visits", n=n)
                weekday = note(month, "weekday", day.weekday(), n=n, under=root, side="weekday")
                note(month, "day", day, n=n, under=weekday, side="day")
        elif metric in (Metric.VISIT_DEVICE, Metric.VISIT_LANGUAGE):
            note(month, metric, a, n=n, under=(month, "visits"), side=metric)
        elif metric in (Metric.RUN_STYLE, Metric.RUN_CONTRACT, Metric.RUN_PURPOSE):
            note(month, "begun", n=n if metric is Metric.RUN_CONTRACT else 0)
            note(month, metric, a, n=n, under=(month, "begun"), side=metric)
        elif metric is Metric.HEADSHOT:
            root = note(month, metric, n=n)
            note(month, metric, a, day, n=n, under=note(month, metric, a, n=n, under=root))
        elif metric is not Metric.COST:
            root = note(month, metric, n=n)
            if a:
                inner = note(month, metric, a, n=n, under=root)
                if metric is Metric.RUN and b not in reading.NOT_FAILED:
                    inner = note(month, metric, a, reading.FAILED, n=n, under=inner)
                if b:
                    note(month, metric, a, b, n=n, under=inner)
    for (day, hour, _), n in hours.items():
        month = day.replace(day=1)
        weekday = month, "weekday", day.weekday()
        truth[month, "hour", day.weekday(), hour] += n
        sums.setdefault((weekday, "hour"), set()).add((month, "hour", day.weekday(), hour))
    attack = Attack()
    for (whole, _), parts in sums.items():
        attack.adds_up(whole, sorted(parts, key=str))
    for month, metric, engine in [path for path in truth if path[1:2] == (Metric.HEADSHOT,) and len(path) == 3]:
        ready = (month, Metric.RUN, engine, "ready")  # of one to four headshots each
        attack.equations.append(Equation({ready: 4, (month, metric, engine): -1}, 0, BIG))
        attack.equations.append(Equation({ready: -1, (month, metric, engine): 1}, 0, BIG))
    return truth, attack


def take(attack: Attack, told: reports.Report, truth: Counter[Unknown]) -> None:
    """Everything that a report shows, as equations."""
    months = told.period.months
    for name, (_, metric) in FLAT.items():
        for a, shown, *_ in told.tables[name].rows:
            attack.shown([(month, metric, a) for month in months], shown)
    for name, metric in NESTED.items():
        for a, b, shown, *share in told.tables[name].rows:
            attack.shown([(month, metric, a, *([b] if b != "all" else [])) for month in months], shown)
            if share and share[0]:  # what it is a share of
                attack.shown([(month, metric, a) for month in months], Shown(round(shown.n * 100 / share[0])))
    _take_visits(attack, told)
    _take_headshots(attack, told)
    _take_shares(attack, told)
    if len(months) == 1:
        _take_what_is_not_named(attack, told, truth)


def _take_visits(attack: Attack, told: reports.Report) -> None:
    months = told.period.months
    for when, shown in told.tables["visits_by_day"].rows:
        attack.shown([(date.fromisoformat(when).replace(day=1), "day", date.fromisoformat(when))], shown)
    for when, shown in told.kpi("visits").trend:
        attack.shown([(when.replace(day=1), "day", when)], shown)
    for number, (step, shown, _, lost) in enumerate(told.tables["funnel"].rows[:-1]):
        furthest = [(month, "furthest", further) for month in months for further in STEPS[number:]]
        attack.shown(furthest if number else [(month, "visits") for month in months], shown)
        if lost is not None:
            attack.shown([(month, "furthest", step) for month in months], lost)
    attack.shown([(month, Metric.AGAIN) for month in months], told.tables["funnel"].rows[-1][1])
    attack.shown([(month, "visits") for month in months], told.kpi("visits").value)
    for number, (_, *hours) in enumerate(told.tables["hours"].rows):
        for hour, shown in enumerate(hours):
            attack.shown([(month, "hour", number, hour) for month in months], shown)


def _take_headshots(attack: Attack, told: reports.Report) -> None:
    for table in ("cost_by_day", "cost_by_month"):
        for when, engine, shown, cost, _ in told.tables[table].rows:
            day = date.fromisoformat(when) if len(when) == 10 else None
            month = day.replace(day=1) if day else date.fromisoformat(f"{when}-01")
            which = [(month, Metric.HEADSHOT, engine, *([day] if day else []))]
            attack.shown(which, shown)
            if cost:  # they know the price
                attack.shown(which, Shown(round(cost * 1_000_000 / PRICE)))


def _take_shares(attack: Attack, told: reports.Report) -> None:
    """A percentage tells the whole where its part is told."""
    month, months = told.period.first, told.period.months
    success = told.kpi("success").value
    ready = [shown.exact for _, b, shown, _ in told.tables["outcomes"].rows if b == "ready"]
    engines = {row[0] for row in told.tables["outcomes"].rows}
    if len(months) == 1 and isinstance(success, float) and ready and None not in ready and success:
        whole = (month, Metric.RUN) if len(engines) > 1 else (month, Metric.RUN, *engines)
        attack.shown([whole], Shown(round(100 * sum(n or 0 for n in ready) / success)))
    kept = told.kpi("sla_kept").value
    in_time = [shown.exact for a, b, shown in told.tables["ticket_ends"].rows if (a, b) == ("done", "in_time")]
    if len(months) == 1 and isinstance(kept, float) and kept and in_time and in_time[0]:
        attack.shown([(month, Metric.TICKET_END, "done")], Shown(round(100 * in_time[0] / kept)))


def _take_what_is_not_named(attack: Attack, told: reports.Report, truth: Counter[Unknown]) -> None:
    """Where parts are named, those that are not did not occur: told by leaving them out."""
    month = told.period.first
    for name, (_, metric) in FLAT.items():
        named = {row[0] for row in told.tables[name].rows}
        for path in [p for p in truth if p[:2] == (month, metric) and len(p) == 3 and named and p[2] not in named]:
            attack.shown([path], Shown(0))


def everything_shown(house: House) -> Iterator[reports.Report]:
    """Each period that can be asked for, with each filter; the files are made of the same reports."""
    for first in MONTHS:
        for last in MONTHS:
            if first <= last:
                for engine in (None, *ENGINES):
                    yield reports.report(house, Period(first, last), engine=engine, now=NOW)


def visits_of(**devices: int) -> list[Any]:
    return [(date(2026, 1, 1), 9, "visit", device, "en", n) for device, n in devices.items()]


def came_so_far(**furthest: int) -> list[Any]:
    return [(date(2026, 1, 1), 9, step, "phone", "en", n) for step, n in furthest.items()]


def runs_of(engine: str, made: int, n: int) -> list[Any]:
    return [(date(2026, 1, 1), engine, "ready", "studio", "7d", made, n)]


@quiet(8)
@given(events, st.sampled_from(KS))
@example((visits_of(phone=1, tablet=5, computer=40), [], []), 5)
@example((visits_of(phone=4, tablet=4, computer=40), [], []), 5)
@example((came_so_far(visit=40, photo=50, generate=2, download=1), [], []), 5)
@example(([], runs_of("apimart", 4, 4) + runs_of("on_device", 1, 30), []), 5)
@example(([], runs_of("apimart", 1, 30) + runs_of("on_device", 1, 1), []), 5)
def test_all_periods_filters_and_tables_together_solve_no_hidden_number(house, given_, k):
    days, hours = counted(*given_)
    house.holds(days, hours, k)
    truth, attack = true_numbers(days, hours)
    everything = list(everything_shown(house))
    for told in everything:
        take(attack, told, truth)
    assert not [equation for equation in attack.equations if not equation.holds(truth)]
    known = {*attack.by_ranges(), *attack.by_algebra()}
    small = {u for u, n in truth.items() if 0 < n < k}
    assert not known & (small | {u for u in attack.hidden if truth[u]})
    assert not attack.hidden & attack.told, "hidden here and shown there"
    for told in everything:
        numbers = [cell.n for table in told.tables.values() for row in table.rows for cell in row if _is_number(cell)]
        assert not [n for n in numbers if 0 < n < k], "a small number, of whatever"
    assert attack.told, "somebody who sees nothing solves nothing"


@quiet(5)
@given(events, st.sampled_from(KS))
def test_files_say_what_the_page_says_and_nothing_else(house, given_, k):
    house.holds(*counted(*given_), k)
    for told in [reports.report(house, Period(MONTHS[0], MONTHS[2]), now=NOW)]:
        page = {reports.text(cell) for table in told.tables.values() for row in table.rows for cell in row}
        page |= {reports.text(kpi.value) for kpi in told.kpis}
        _, rows = reports.as_rows(told)
        assert {row[3] for row in rows} <= page
        numbers = set(_numbers(json.loads(json.dumps(reports.as_json(told)))["tables"]))
        shown = {
            cell.n for table in told.tables.values() for row in table.rows for cell in row if isinstance(cell, Shown)
        }
        floats = {
            cell for table in told.tables.values() for row in table.rows for cell in row if isinstance(cell, float)
        }
        assert numbers <= shown | floats


def _is_number(cell: reports.Cell) -> bool:
    return isinstance(cell, Shown) and cell.n is not None and not cell.at_least


def _numbers(said: Any) -> Iterator[float]:
    if isinstance(said, dict):
        yield from (n for value in said.values() for n in _numbers(value))
    elif isinstance(said, list):
        yield from (n for value in said for n in _numbers(value))
    elif isinstance(said, int | float):
        yield said
