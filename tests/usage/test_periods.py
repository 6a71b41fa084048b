"""Periods are whole months; everything else is refused with the reason."""

from datetime import date

import pytest

from core.errors import NotAllowed
from core.usage.periods import LONGEST, PRESETS, THIS_MONTH, Period, later, name_of, preset

TODAY = date(2026, 3, 20)


def test_presets_end_with_the_month_under_way():
    assert preset(THIS_MONTH, TODAY) == Period(date(2026, 3, 1), date(2026, 3, 1))
    assert preset("3 months", TODAY) == Period(date(2026, 1, 1), date(2026, 3, 1))
    assert preset("12 months", TODAY).first == date(2025, 4, 1)
    assert preset("3 years", TODAY).first == date(2023, 4, 1)
    assert [name_of(preset(name, TODAY), TODAY) for name in PRESETS] == list(PRESETS)
    assert name_of(Period(date(2026, 1, 1), date(2026, 1, 1)), TODAY) is None


def test_the_one_before_is_as_long_and_ends_where_this_one_begins():
    before = preset("3 months", TODAY).before()
    assert before == Period(date(2025, 10, 1), date(2025, 12, 1))
    assert before.ends == date(2025, 12, 31)
    assert [later(date(2026, 1, 1), n) for n in (-1, 0, 13)] == [
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2027, 2, 1),
    ]


def test_labels():
    assert preset(THIS_MONTH, TODAY).label == "March 2026"
    assert preset("3 months", TODAY).label == "January to March 2026"
    assert preset("12 months", TODAY).label == "April 2025 to March 2026"


def test_three_months_are_told_by_day_and_more_by_month():
    assert preset("3 months", TODAY).is_by_day
    assert not preset("12 months", TODAY).is_by_day


def test_words_come_back_as_the_same_period():
    for name in PRESETS:
        period = preset(name, TODAY)
        assert Period.of_words(period.as_words()) == period
    assert Period.of_words({"from": "2026-02"}) == Period(date(2026, 2, 1), date(2026, 2, 1))


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"from": "2026-03-02", "to": "2026-03-20"},
        {"from": "2026-03", "to": "2026-03-20"},
        {"from": "yesterday"},
        {"from": "2026-13"},
        {"from": "0000-01"},
        {"from": "٢٠٢٦-٠٣"},
    ],
)
def test_anything_but_months_is_refused_with_the_reason(words):
    with pytest.raises(NotAllowed, match=r"whole months.*would give away"):
        Period.of_words(words)


def test_a_period_runs_forward_and_is_not_endless():
    with pytest.raises(NotAllowed, match="after the last"):
        Period.of_words({"from": "2026-03", "to": "2026-02"})
    with pytest.raises(NotAllowed, match=str(LONGEST)):
        Period.of_words({"from": "1999-03", "to": "2026-02"})
    with pytest.raises(NotAllowed, match="whole months"):
        Period(date(2026, 3, 2), date(2026, 3, 1))
