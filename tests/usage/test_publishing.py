"""The rule by which counts are shown or hidden, case by case, and against somebody who knows it by heart."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product

import pytest

from core.usage.metrics import Metric
from core.usage.publishing import BENEATH, ZERO, Cell, Node, Rule, Shown, Timed, Times, add, hidden_of, publish

K = 5


class NoDraw(Rule):
    """As few as it takes."""

    def draw(self, what: str) -> int:
        return 0


class Draws(Rule):
    """So many more are kept back."""

    more = 1

    def draw(self, what: str) -> int:
        return self.more


RULE = NoDraw(K, b"")


def leaves(**counts: int) -> dict[str, Node]:
    return {name: Node(n) for name, n in counts.items()}


def split(rule: Rule = RULE, **counts: int) -> Cell:
    return publish(Node(sum(counts.values()), {"by": leaves(**counts)}), rule, "it")


def texts(cell: Cell, *names: str) -> list[str]:
    return [cell.at("by", name).shown.text for name in names]


# ---------------------------------------------------------------------------------------------------------------- root
@pytest.mark.parametrize(("n", "text"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (1_234, "1,234")])
def test_a_total_is_hidden_below_k_and_nothing_is_no_secret(n, text):
    assert publish(Node(n), RULE, "it").shown.text == text


def test_beneath_a_hidden_total_nothing_is_shown_not_even_that_something_is_zero():
    cell = split(a=4, b=0)
    assert cell.shown.text == "<5"
    assert list(cell.names("by")) == []
    assert texts(cell, "a", "b", "never") == ["–", "–", "–"]


def test_beneath_nothing_everything_is_nothing():
    assert texts(split(), "a", "b") == ["0", "0"]


# -------------------------------------------------------------------------------------------------------------- splits
def test_what_is_k_or_more_and_what_is_nothing_is_shown():
    assert texts(split(a=5, b=100, c=0), "a", "b", "c", "never") == ["5", "100", "0", "0"]


def test_a_single_small_cell_takes_the_smallest_large_one_with_it():
    assert texts(split(a=3, b=7, c=40), "a", "b", "c") == ["<5", "–", "40"]


def test_two_small_cells_protect_each_other_where_their_sum_leaves_a_choice():
    assert texts(split(a=2, b=3, c=40), "a", "b", "c") == ["<5", "<5", "40"]


def test_what_is_hidden_is_not_a_small_number_together_either():
    """Whoever takes what is shown from the total would have it: three came so far."""
    assert texts(split(a=2, b=1, c=40, d=50), "a", "b", "c", "d") == ["<5", "<5", "–", "50"]


@pytest.mark.parametrize(("a", "b"), [(1, 1), (4, 4)])
def test_two_small_cells_that_are_both_as_small_or_large_as_can_be_take_another_with_them(a, b):
    assert texts(split(a=a, b=b, c=40, d=50), "a", "b", "c", "d") == ["<5", "<5", "–", "50"]


def test_one_and_five_would_be_told_by_their_sum_of_six_so_one_more_is_kept_back():
    assert texts(split(a=1, b=5, c=40), "a", "b", "c") == ["<5", "–", "–"]


def test_what_was_kept_back_is_no_larger_than_what_was_not():
    """12 would be hidden. As 8 is shown beside it, what is kept back is 8 or less, so the other is 4."""
    assert texts(split(a=4, b=8, c=8), "a", "b", "c") == ["<5", "–", "–"]


def test_where_keeping_back_does_not_help_the_whole_split_is_hidden_its_zeros_too():
    cell = split(a=1, b=5, c=0)
    assert cell.shown.text == "6"
    assert list(cell.names("by")) == []
    assert texts(cell, "a", "b", "c", "never") == ["–", "–", "–", "–"]


def test_a_split_of_small_cells_alone():
    assert texts(split(a=2, b=3, c=1), "a", "b", "c") == ["<5", "<5", "<5"]
    assert list(split(a=4, b=4).names("by")) == []


def test_one_more_is_kept_back_where_the_draw_says_so():
    rule = Draws(K, b"")
    assert texts(split(rule, a=2, b=3, c=40, d=50), "a", "b", "c", "d") == ["<5", "<5", "–", "50"]
    assert texts(split(rule, a=3, b=7, c=40), "a", "b", "c") == ["<5", "–", "–"]
    assert texts(split(rule, a=50, b=40), "a", "b") == ["50", "40"]
    assert list(split(rule, a=2, b=3, c=2).names("by")) == []


def test_a_draw_is_always_the_same_for_a_split_and_seldom_large():
    rule = Rule(K, b"key")
    drawn = [rule.draw(f"2026-03/visits/{n}") for n in range(4_000)]
    assert drawn == [rule.draw(f"2026-03/visits/{n}") for n in range(4_000)]
    assert drawn != [Rule(K, b"other").draw(f"2026-03/visits/{n}") for n in range(4_000)]
    assert 0.72 < drawn.count(0) / 4_000 < 0.78
    assert 0.15 < drawn.count(1) / 4_000 < 0.22
    assert max(drawn) < 12


def test_what_a_split_does_not_name_is_a_cell_like_others():
    cell = publish(Node(50, {"by": leaves(a=30, b=17)}), RULE, "it")
    assert texts(cell, "a", "b", "other") == ["30", "–", "<5"]


def test_a_split_that_comes_to_more_than_its_node_is_hidden():
    assert list(publish(Node(50, {"by": leaves(a=30, b=21)}), RULE, "it").names("by")) == []


def test_beneath_what_is_hidden_or_kept_back_nothing_is_shown():
    tree = Node(
        50,
        {
            "by": {
                "small": Node(3, {"day": leaves(x=3)}),
                "back": Node(7, {"day": leaves(x=7)}),
                "large": Node(40, {"day": leaves(x=20, y=20)}),
            }
        },
    )
    cell = publish(tree, RULE, "it")
    assert cell.below("by", "small", "day", "x") is BENEATH
    assert cell.below("by", "back", "day", "y") is BENEATH
    assert cell.below("by", "large", "day", "x").shown == Shown(20)
    assert cell.below("by", "large", "day", "z") is ZERO
    assert cell.below("by", "never", "day", "z") is ZERO


def test_what_can_be_worked_out_anyway_is_said():
    """Of 100, 97 are hidden in two cells: one of 1 to 4, so the other is 93 to 96."""
    cell = split(a=2, b=95, c=0, d=40)
    assert (cell.at("by", "a").least, cell.at("by", "a").most) == (1, 4)
    assert (split(a=2, b=95).at("by", "b").least, split(a=2, b=95).at("by", "b").most) == (93, 96)


# --------------------------------------------------------------------------------------------- who knows it by heart
def sums_up_to(total: int, cells: int) -> Iterator[tuple[int, ...]]:
    if cells == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in sums_up_to(total - first, cells - 1))


def as_displayed(counts: Mapping[str, int], k: int, more: int) -> tuple[object, ...]:
    hidden = hidden_of({name: n for name, n in counts.items() if n}, k, at_least=more)
    if hidden is None:
        return ("all",)
    return tuple(n if name not in hidden else "few" if n < k else "back" for name, n in counts.items())


@pytest.mark.parametrize(
    ("k", "cells", "most"), [(3, 2, 24), (3, 3, 16), (3, 4, 12), (5, 2, 40), (5, 3, 26), (5, 4, 16)]
)
def test_whoever_knows_the_rule_but_not_the_draw_cannot_tell_any_hidden_cell(k, cells, most):
    """Every split there can be, under every draw: what looks the same leaves two values for each hidden cell."""
    names = "abcdef"[:cells]
    for total in range(k, most):
        looks: dict[tuple[object, ...], list[set[int]]] = defaultdict(lambda: [set() for _ in names])
        for counts, more in product(sums_up_to(total, cells), range(cells + 2)):
            displayed = as_displayed(dict(zip(names, counts, strict=True)), k, more)
            for seen, n in zip(looks[displayed], counts, strict=True):
                seen.add(n)
        for displayed, values in looks.items():
            for cell, seen in zip(displayed * (cells if displayed == ("all",) else 1), values, strict=True):
                assert isinstance(cell, int) or len(seen) > 1, (total, displayed, values)


# ---------------------------------------------------------------------------------------------------------------- sums
FEW, BACK = Shown(None, "few"), Shown(None, "kept_back")


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([Shown(5), Shown(0), Shown(7)], "12"),
        ([], "0"),
        ([Shown(1_200), FEW], "≥ 1,200"),
        ([Shown(0), FEW, Shown(0)], "<5"),
        ([FEW, FEW], "–"),
        ([FEW, BACK], "–"),
        ([Shown(3, "beneath", at_least=True), Shown(4)], "≥ 7"),
    ],
)
def test_a_sum_says_that_it_is_at_least_so_much_where_something_is_hidden(parts, text):
    assert add(parts).text == text


def test_every_hidden_number_says_why():
    for shown in (FEW, BACK, BENEATH.shown, add([Shown(9), FEW])):
        assert len(shown.why_hidden) > 20
    assert Shown(7).why_hidden == ""
    assert Shown(None, "few", below=10).text == "<10"


# --------------------------------------------------------------------------------------------------------- percentiles
def times(*months: dict[str, int], k: int = K) -> Times:
    return Times.of(Metric.TOOK, [Timed(month, sum(month.values())) for month in months], k)


def test_a_percentile_lies_on_a_straight_line_within_its_bucket():
    assert times({"10": 4, "12": 4}).percentile(50) == 10
    assert times({"10": 2, "12": 4}).percentile(50) == 10  # 10.5, in two digits
    assert times({"90": 10}).percentile(50) == 75
    assert times({"more": 20}).percentile(95) == 1800


def test_a_percentile_of_too_few_is_not_told():
    assert times({"90": 4}).percentile(50) is None
    assert times({"90": 5}).percentile(50) == 75
    assert times({"90": 19}).percentile(95) is None
    assert times({"90": 20}).percentile(95) == 88
    assert times({"90": 99}).percentile(99) is None
    assert times({"90": 100}).percentile(99) == 90
    assert times({"90": 24}, k=25).percentile(95) is None


def test_a_month_of_too_few_changes_no_percentile_of_a_longer_period():
    assert times({"90": 20}, {"1": 4}).percentile(50) == times({"90": 20}).percentile(50)
