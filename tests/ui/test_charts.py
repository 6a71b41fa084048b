"""Charts: what is hidden is hatched and of one height, words are no markup, and at most five colours are used."""

import pytest

from core.ui import charts
from core.ui.charts import Group, Point, Row, Spread

HIDDEN = Point(None, "<5", hidden=True)


@pytest.mark.parametrize("which", ["light", "dark"])
def test_a_hidden_number_is_hatched_and_its_height_says_nothing(which: charts.Theme) -> None:
    few, kept_back = HIDDEN, Point(None, "–", hidden=True)
    figure = charts.bars(["a", "b", "c"], [Group("n", [few, kept_back, Point(50, "50")])], unit="runs", which=which)
    bar, on_top = figure["data"]
    assert bar["y"] == [3, 3, 50]
    assert bar["marker"]["pattern"]["shape"] == ["/", "/", ""]
    assert on_top["text"] == ["<5", "–", "50"]


def test_bars_that_lie_say_their_words_and_never_read_them_as_markup() -> None:
    figure = charts.rows([Row("a <b>", HIDDEN), Row("c", Point(9, "9"), ends=4)], unit="runs", which="light")
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert texts == ["a &lt;b&gt;", "<b>&lt;5</b>", "c", "<b>9</b>"]
    lying, ending = figure["data"]
    assert lying["x"][1] + ending["x"][1] == 9 and lying["marker"]["pattern"]["shape"] == ["/", ""]


def test_hours_of_the_week_are_hatched_where_they_are_hidden() -> None:
    week = [[HIDDEN if hour < 6 else Point(float(hour), str(hour)) for hour in range(24)] for _ in range(7)]
    (blocks,) = charts.week(week, unit="visits", which="dark")["data"]
    assert blocks["marker"]["pattern"]["shape"].count("/") == 7 * 6
    shades = {colour for colour, at in zip(blocks["marker"]["color"], blocks["x"], strict=True) if at < 6}
    assert len(shades) == 1


def test_a_limit_is_drawn_where_bars_come_near_it_and_else_only_said() -> None:
    near, far = (
        charts.bars(["a"], [Group("n", [Point(8.0)])], unit="USD", which="light", limit=Point(limit, "budget"))
        for limit in (10.0, 1000.0)
    )
    assert near["layout"]["shapes"] and "shapes" not in far["layout"]
    assert near["layout"]["annotations"][0]["text"] == far["layout"]["annotations"][0]["text"] == "budget"


def test_a_spread_has_a_mark_of_its_own_for_each_share() -> None:
    figure = charts.spread([Spread("x", 1, 2, None, "1 / 2 / –")], ticks=[(0, "0 s")], unit="time", which="light")
    assert [trace["marker"]["symbol"] for trace in figure["data"][1:]] == ["circle", "diamond", "square"]
