"""
Publishing: what of the counts may be shown. One rule, and everything that leaves the tables of usage goes through it.

A month is a tree. Its root is a total, as all visits; a node may be split in several ways (by device, by language), and
each split adds up to its node. `publish` walks from the root and shows a part of that tree:

* A root of 1 to k-1 is hidden with all beneath it; 0 is shown as 0, k and more as itself.
* In each split of a node that is shown, cells of 1 to k-1 are `few` ("<5"). As the rest is shown and adds up, they
  could be worked out. So the smallest cells of k and more are kept back ("–") until no hidden cell has only one value
  left, and all that are hidden come to k or more together; where that does not help, the whole split is hidden, its
  zeros too.
* Beneath a cell that is hidden nothing is shown.

Why that is safe. Whoever adds and subtracts has, for each split that is shown, one equation: the hidden cells are the
node less what is shown beside them. `few` cells are 1 to k-1, those kept back are k or more, and no more than the
smallest that was not kept back. For one equation and such ranges `_ranges` is exact: each value that it leaves does
occur in some whole solution. Nothing else ties splits together: two splits of a node share only the node, which is
shown; beneath what is hidden there is nothing; months share nothing. A report shows these cells, or sums of them over
whole months, which is what everybody could add up by themselves. So any number of reports, filters and exports together
tell no more than the cells.

Whoever knows this rule by heart could ask *why* a cell was kept back: if only because with one less the numbers could
have been worked out, they can be. So how many are kept back at least is drawn, for each split, from a key that nobody
sees, always the same for the same split: mostly as few as it takes, sometimes one more, seldom two. One cell kept back
more than needed looks the same as one that was needed.

Its limits, said plainly:

* The month under way is shown too. Whoever looks every minute sees numbers grow, and a cell that turns from "<5" into 5
  tells of that minute. Likewise after SMALL_COUNT or the key was changed: what was exported before shows other cells.
* What is counted are doings, not people: five downloads can be one person's. Headshots come up to four in a run, so
  they are shown only from as many on that at least k runs have made them.
* Different trees are about the same people, and what somebody knows from elsewhere (who was there, what a provider
  charged) is not in any equation here. Charges include headshots that nobody got, and ride on the cells of headshots.
* "Hidden" means that at least two values are possible, not that all are equally likely.
* Percentiles are of rounded times in fixed buckets, of k and more (see `Times`); a rough idea of how many of them lie
  in a bucket can be had from them, no exact number.
* Operators who can read the database, or the desk with its requests, know more than this page says.

Promise checks are no doings of people, and are not hidden. Levels (bytes stored, what is left at a provider) are told
in coarse steps: by bytes, or cents, one could count the photos of a day.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from core.usage.metrics import BUCKETS, Level, Metric

Why = Literal["", "few", "kept_back", "beneath"]
REST: Final = "other"
"""What a split does not name. It takes part like every other cell."""
TIMES_SHOWN_FROM: Final = {50: 5, 95: 20, 99: 100}
"""A 95th of fewer than 20 would be nothing but the slowest one."""

STEP_OF: Final[Mapping[str, int]] = {Level.STORED.value: 10_000_000, Level.BALANCE.value: 1_000_000}
"""Of a level: some photos, a whole dollar."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A number that may be shown, or why it may not. `n` None: hidden. `at_least`: something of the sum was hidden."""

    n: int | None
    why: Why = ""
    at_least: bool = False
    below: int = 5  # what `few` is less than

    @property
    def text(self) -> str:
        """`12`, `<5`, `–`, `≥ 120`."""
        if self.n is None:
            return f"<{self.below}" if self.why == "few" else "–"
        return f"≥ {self.n:,}" if self.at_least else f"{self.n:,}"

    @property
    def exact(self) -> int | None:
        return None if self.at_least else self.n

    @property
    def why_hidden(self) -> str:
        """In a sentence; empty where everything is shown."""
        if self.at_least:
            return "Something of this sum is hidden, so it is at least that many."
        if self.why == "few":
            return f"Between 1 and {self.below - 1}: too few to be shown without pointing at somebody."
        if self.why == "kept_back":
            return "Not small, but kept back: a hidden number beside it could be worked out from it."
        return "What it is a part of is hidden, or it would give a hidden number away." if self.why else ""


@dataclass(frozen=True, slots=True)
class Node:
    """A number as it was counted, and what it is made of, looked at from one side or several."""

    n: int
    splits: Mapping[str, Mapping[str, "Node"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """What may be shown of a node. `least` and `most`: what everybody can work out from what is shown."""

    shown: Shown
    least: int = 0
    most: int | None = None
    splits: Mapping[str, "Split"] = field(default_factory=dict)

    def at(self, split: str, name: str) -> "Cell":
        """A cell of a split. One that is not named there did not occur, unless the split is hidden."""
        if self.shown.n is None:
            return BENEATH
        found = self.splits.get(split, Split())
        return BENEATH if found.is_hidden else found.cells.get(name, ZERO)

    def below(self, *path: str) -> "Cell":
        """`("engine", "apimart", "outcome", "ready")`."""
        cell = self
        for split, name in zip(path[::2], path[1::2], strict=True):
            cell = cell.at(split, name)
        return cell

    def names(self, split: str) -> Iterable[str]:
        return self.splits.get(split, Split()).cells


@dataclass(frozen=True, slots=True)
class Split:
    cells: Mapping[str, Cell] = field(default_factory=dict)
    is_hidden: bool = False


ZERO: Final = Cell(Shown(0), 0, 0)
BENEATH: Final = Cell(Shown(None, "beneath"))


@dataclass(frozen=True)
class Rule:
    """`k`: what is less is hidden. `key`: what the draws are made with; whoever knows it can foresee them."""

    k: int
    key: bytes

    def draw(self, what: str) -> int:
        """0 in three of four cases, 1 in three of sixteen, and so on; always the same for the same split."""
        digits = int.from_bytes(hashlib.blake2b(what.encode(), key=self.key, digest_size=8).digest(), "big")
        drawn = 0
        while drawn < 31 and not digits & 3:
            drawn, digits = drawn + 1, digits >> 2
        return drawn

    def hides(self, counts: Mapping[str, int], what: str) -> "Mapping[str, Range] | None":
        return hidden_of(counts, self.k, at_least=self.draw(what))


def publish(root: Node, rule: Rule, what: str) -> Cell:
    """`what`: which tree of which month this is, in a word that no other tree has."""
    if 0 < root.n < rule.k:
        return Cell(_few(rule.k), 1, rule.k - 1)
    return _shown(root, rule, what)


def _shown(node: Node, rule: Rule, what: str) -> Cell:
    splits = {name: _split(node.n, parts, rule, f"{what}/{name}") for name, parts in node.splits.items()}
    return Cell(Shown(node.n), node.n, node.n, splits)


def _split(whole: int, parts: Mapping[str, Node], rule: Rule, what: str) -> Split:
    parts = _whole(whole, parts)
    counts = {name: part.n for name, part in parts.items() if part.n}
    hidden = rule.hides(counts, what) if sum(counts.values()) == whole else None
    if hidden is None:
        return Split(is_hidden=True)
    few, back = _few(rule.k), Shown(None, "kept_back", below=rule.k)
    cells = {}
    for name, part in parts.items():
        if name in hidden:
            cells[name] = Cell(few if part.n < rule.k else back, *hidden[name])
        else:
            cells[name] = _shown(part, rule, f"{what}/{name}") if part.n else ZERO
    return Split(cells)


def _whole(whole: int, parts: Mapping[str, Node]) -> Mapping[str, Node]:
    """With what the parts do not name."""
    rest = whole - sum(part.n for part in parts.values())
    if rest <= 0:
        return parts
    known = parts[REST].n if REST in parts else 0
    return {**parts, REST: Node(rest + known)}


def _few(k: int) -> Shown:
    return Shown(None, "few", below=k)


# ----------------------------------------------------------------------------------------------------------- the rule
Range = tuple[int, int]


def hidden_of(counts: Mapping[str, int], k: int, *, at_least: int = 0) -> Mapping[str, Range] | None:
    """Which cells of a split are hidden, each with the values that are left for it. None: the whole split.

    A single `few` always needs another beside it. `at_least`: how many more are kept back in any case.
    """
    few = [name for name, n in counts.items() if 0 < n < k]
    if not few:
        return {}
    large = sorted((n, name) for name, n in counts.items() if n >= k)
    for many in range(at_least + (len(few) == 1), len(large) + 1):
        ranges = _ranges(counts, k, few, large[:many], next(iter(large[many:]), None))
        together = sum(counts[name] for name in ranges)  # known to everybody: what is not shown of the node
        if together >= k and all(least < most for least, most in ranges.values()):
            return ranges
    return None


def _ranges(
    counts: Mapping[str, int],
    k: int,
    few: Sequence[str],
    back: Sequence[tuple[int, str]],
    next_: tuple[int, str] | None,
) -> dict[str, Range]:
    """Exact for one equation: what is left for a cell where all others are as large, or as small, as they may be."""
    rest = sum(counts[name] for name in few) + sum(n for n, _ in back)
    ranges = dict.fromkeys(few, (1, k - 1))
    for _, name in back:
        ranges[name] = (k, rest if next_ is None else next_[0] - (name > next_[1]))
    all_least, all_most = (sum(bounds) for bounds in zip(*ranges.values(), strict=True))
    return {
        name: (max(least, rest - (all_most - most)), min(most, rest - (all_least - least)))
        for name, (least, most) in ranges.items()
    }


# --------------------------------------------------------------------------------------------------------- percentiles
@dataclass(frozen=True)
class Timed:
    """Of one month. `sure`: so many everybody can work out from the cells that are shown. Whether there is a percentile
    is decided by that, and not by how many there were: otherwise a 95th would say of a cell that is kept back that it
    is 20 or more, and that may be all that is missing to solve it."""

    counts: Mapping[str, int]
    sure: int


@dataclass(frozen=True)
class Times:
    """How long something took, or what it cost, in fixed buckets: gives percentiles and never a number of them."""

    metric: Metric
    _counts: Mapping[str, int]
    _sure: int
    _k: int

    @classmethod
    def of(cls, metric: Metric, months: Iterable[Timed], k: int) -> "Times":
        """Months of fewer than k are left out, so that no longer period tells of them."""
        counts: dict[str, int] = {}
        sure = 0
        for month in months:
            if min(month.sure, sum(month.counts.values())) >= k:
                sure += month.sure
                for name, n in month.counts.items():
                    counts[name] = counts.get(name, 0) + n
        return cls(metric, counts, sure, k)

    def percentile(self, share: int) -> float | None:
        """Linear within its bucket, in two digits. None: of too few."""
        total = sum(self._counts.values())
        if not total or self._sure < max(self._k, TIMES_SHOWN_FROM[share]):
            return None
        wanted, lower, buckets = total * share / 100, 0, BUCKETS[self.metric]
        for name, upper in zip(buckets.names, [*buckets.bounds, buckets.bounds[-1]], strict=True):
            here = self._counts.get(name, 0)
            if here and wanted <= here:
                return float(f"{lower + (upper - lower) * wanted / here:.2g}")
            wanted, lower = wanted - here, upper
        return float(buckets.bounds[-1])


# ----------------------------------------------------------------------------------------------------------- published
@dataclass(frozen=True, kw_only=True)
class Month:
    """All that may be known of one month. `money`: in millionths of a US dollar, by engine and day ("": the month).
    `times` by metric and name, of k and more; `checks` by promise and state; `levels` by metric and name, then day."""

    first: date
    roots: Mapping[str, Cell]
    money: Mapping[tuple[str, str], int]
    times: Mapping[tuple[Metric, str], Timed]
    checks: Mapping[tuple[str, str], int]
    levels: Mapping[tuple[str, str], Mapping[date, int]]


@dataclass(frozen=True, kw_only=True)
class Published:
    """Some months, and nothing that may not be shown."""

    months: Sequence[Month]
    k: int
    demo: bool

    def cells(self, root: str, *path: str) -> Iterator[Cell]:
        """The same cell of every month."""
        return (month.roots[root].below(*path) for month in self.months)

    def total(self, root: str, *path: str) -> Shown:
        return add(cell.shown for cell in self.cells(root, *path))

    def names(self, root: str, *path_and_split: str) -> list[str]:
        """What a split has had in any month, where that may be known."""
        *path, split = path_and_split
        return sorted({name for cell in self.cells(root, *path) for name in cell.names(split)})

    def times(self, metric: Metric, name: str | None = None) -> Times:
        """Of one name; None: of all of them that are shown."""
        wanted = (
            timed
            for month in self.months
            for (its, whose), timed in month.times.items()
            if its is metric and name in (None, whose)
        )
        return Times.of(metric, wanted, self.k)

    def timed(self, metric: Metric) -> list[str]:
        return sorted({name for month in self.months for its, name in month.times if its is metric})


def in_steps(level: str, value: int) -> int:
    return value // STEP_OF[level] * STEP_OF[level]


def add(parts: Iterable[Shown]) -> Shown:
    """A sum of cells that are shown; of a hidden one nothing but that there is one."""
    known, hidden = 0, []
    for part in parts:
        known += part.n or 0
        if part.n is None or part.at_least:
            hidden.append(part)
    if not hidden:
        return Shown(known)
    if known:
        return Shown(known, "beneath", at_least=True)
    return hidden[0] if len(hidden) == 1 else Shown(None, "beneath", below=hidden[0].below)
