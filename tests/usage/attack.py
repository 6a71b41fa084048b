"""
Somebody who adds and subtracts: takes all that is shown, writes it down as equations over whole numbers, and solves.

What they know: nothing is negative, a total is what its parts add up to, "<5" is 1 to 4, a number that is kept back is
k or more, and what is not named where all parts are named did not occur. How the numbers were hidden they need not know
here (see `test_publishing.py` for those who do).
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

from core.usage.publishing import Shown

Unknown = Hashable
BIG = 10**6
"""More than anything in these tests."""


@dataclass(frozen=True)
class Equation:
    """The unknowns, each times its factor, come to `least` or more and to `most` or less."""

    factors: Mapping[Unknown, int]
    least: int
    most: int

    def holds(self, truth: Mapping[Unknown, int]) -> bool:
        return self.least <= sum(factor * truth.get(u, 0) for u, factor in self.factors.items()) <= self.most


@dataclass
class Attack:
    equations: list[Equation] = field(default_factory=list)
    told: set[Unknown] = field(default_factory=set)
    """What was shown as a number."""
    hidden: set[Unknown] = field(default_factory=set)
    """What was shown as hidden."""

    def adds_up(self, whole: Unknown, parts: Iterable[Unknown]) -> None:
        self.equations.append(Equation({**dict.fromkeys(parts, 1), whole: -1}, 0, 0))

    def shown(self, unknowns: Iterable[Unknown], shown: Shown) -> None:
        """A number of the page: of one unknown, or of a sum of them."""
        which = dict.fromkeys(unknowns, 1)
        if shown.n is None and len(which) == 1:
            self.hidden |= set(which)
        if shown.n is not None:
            self.equations.append(Equation(which, shown.n, BIG if shown.at_least else shown.n))
            if len(which) == 1 and not shown.at_least:
                self.told |= set(which)
        elif shown.why == "few":
            self.equations.append(Equation(which, 1, shown.below - 1))
        elif shown.why == "kept_back":
            self.equations.append(Equation(which, shown.below, BIG))

    def ranges(self, given: Mapping[Unknown, int] | None = None) -> dict[Unknown, tuple[int, int]] | None:
        """What is left for each unknown when every equation is used until nothing changes. None: it cannot be."""
        left = {u: (0, BIG) for equation in self.equations for u in equation.factors}
        left.update({u: (n, n) for u, n in (given or {}).items()})
        waiting = list(self.equations)
        while waiting:
            again = [equation for equation in waiting if _narrow(left, equation)]
            if any(least > most for least, most in left.values()):
                return None
            waiting = self.equations if again else []
        return left

    def by_ranges(self) -> dict[Unknown, int]:
        """What only one value is left for. Exact wherever equations form a tree, as those of a page do."""
        left = self.ranges()
        assert left is not None, "the true numbers fit, so there is a solution"
        return {u: least for u, (least, most) in left.items() if least == most}

    def by_algebra(self) -> set[Unknown]:
        """What the equations alone determine, in fractions: without ranges, and without whole numbers."""
        pivots: dict[Unknown, dict[Unknown, Fraction]] = {}
        for equation in self.equations:
            if equation.least == equation.most:
                row = {u: Fraction(factor) for u, factor in equation.factors.items()}
                for known in [u for u in row if u in pivots]:
                    row = _less(row, pivots[known], row[known])
                if row:
                    pivot, factor = next(iter(row.items()))
                    row = {u: amount / factor for u, amount in row.items()}
                    pivots = {u: _less(its, row, its[pivot]) if pivot in its else its for u, its in pivots.items()}
                    pivots[pivot] = row
        return {pivot for pivot, row in pivots.items() if len(row) == 1}

    def values_of(self, unknown: Unknown) -> list[int]:
        """By brute force over all whole solutions: up to two values that do occur in one."""
        left = self.ranges()
        assert left is not None
        least, most = left[unknown]
        occur = (value for value in range(least, min(most, least + 40) + 1) if self._has_solution({unknown: value}))
        return list(islice(occur, 2))

    def _has_solution(self, given: Mapping[Unknown, int]) -> bool:
        left = self.ranges(given)
        if left is None:
            return False
        open_ = sorted((most - least, str(u), u) for u, (least, most) in left.items() if least < most)
        if not open_:
            return True
        unknown, fixed = open_[0][2], {u: least for u, (least, most) in left.items() if least == most}
        least, most = left[unknown]
        return any(self._has_solution({**fixed, unknown: n}) for n in range(least, min(most, least + 40) + 1))


def _narrow(left: dict[Unknown, tuple[int, int]], equation: Equation) -> bool:
    """Each unknown is what is left when all others are as small, or as large, as they may be."""
    terms = {u: tuple(sorted((f * left[u][0], f * left[u][1]))) for u, f in equation.factors.items()}
    low, high = sum(least for least, _ in terms.values()), sum(most for _, most in terms.values())
    changed = False
    for u, (least, most) in terms.items():
        factor = equation.factors[u]
        new_least, new_most = max(least, equation.least - (high - most)), min(most, equation.most - (low - least))
        if (new_least, new_most) != (least, most):
            ends = (new_least, new_most) if factor > 0 else (-new_most, -new_least)
            left[u] = -(-ends[0] // abs(factor)), ends[1] // abs(factor)  # whole numbers within
            changed = True
    return changed


def _less(
    row: Mapping[Unknown, Fraction], other: Mapping[Unknown, Fraction], times: Fraction
) -> dict[Unknown, Fraction]:
    left = dict(row)
    for u, amount in other.items():
        left[u] = left.get(u, Fraction(0)) - times * amount
    return {u: amount for u, amount in left.items() if amount}
