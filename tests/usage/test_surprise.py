"""
What is unusual: how seldom a quiet house is called unusual, and how soon what went wrong is.

Measured with simulated days (weekend at less than half, Poisson around a mean that itself scatters from day to day by
`noise`, counts below 5 hidden), 6 years for each cell; what is tested below is a part of it.

| alarms a year in quiet data, more / less | mean 0.3 | 2 | 10 | 50 | 400 a day |
|---|---|---|---|---|---|
| noise 0 | 0 / 0 | 0 / 0 | 0 / 0 | 0 / 0 | 0 / 0 |
| noise 20 % | 0 / 0 | 0 / 0 | 0.2 / 0 | 0.2 / 0 | 0 / 0.2 |
| noise 35 % | 0 / 0 | 0 / 0 | 0.5 / 0 | 1.2 / 0.9 | 1.4 / 1.4 |

| noticed after 1, 2, 3, 5 days, noise 20 %, 150 tries | mean 3 | 10 | 50 a day |
|---|---|---|---|
| four times as many | 12, 41, 63, 95 % | 76, 97, 100, 100 % | 98, 100, 100, 100 % |
| three times as many | 1, 7, 19, 51 % | 47, 85, 96, 100 % | 85, 99, 100, 100 % |
| none any more | 0, 0, 2, 15 % | 27, 63, 96, 100 % | 89, 100, 100, 100 % |

Of a mean of one a day it notices next to nothing: those are the days whose counts nobody may see.
"""

import random
from datetime import date, timedelta
from statistics import median

import pytest

from core.usage.surprise import Between, by_day, by_month, level

MONDAY = date(2026, 1, 5)
WEEK = (1.2, 1.2, 1.1, 1.1, 1.0, 0.45, 0.5)
K = 5


def poisson(mean, chance):
    """By waiting for events: no library draws the same on every machine for ever."""
    n, left = 0, chance.expovariate(1)
    while left < mean:
        n, left = n + 1, left + chance.expovariate(1)
    return n


def shown(n):
    return Between(n, n) if n == 0 or n >= K else Between(1, K - 1)


def days_of(mean, length, *, seed, noise=0.2, then=None):
    """`then`: how many days at the end, and times what."""
    chance, days = random.Random(seed), {}
    for ahead in range(length):
        times = then[1] if then and ahead >= length - then[0] else 1
        around = chance.gammavariate(1 / noise**2, noise**2) if noise else 1
        days[MONDAY + timedelta(days=ahead)] = shown(poisson(mean * WEEK[ahead % 7] * around * times, chance))
    return days


# ------------------------------------------------------------------------------------------------- measured
@pytest.mark.parametrize("way", ["more", "less"])
@pytest.mark.parametrize("mean", [0.3, 2, 10, 50])
def test_in_a_quiet_house_there_is_about_no_alarm(mean, way):
    """Two years of each."""
    days, alarms, before = days_of(mean, 800, seed=7), 0, None
    for day in list(days)[70:]:
        found = by_day(days, day, way=way, least=K)
        alarms += found is not None and before is None
        before = found
    assert alarms <= 1


@pytest.mark.parametrize(
    ("mean", "times", "way", "after", "share"),
    [
        (10, 4, "more", 2, 0.85),
        (50, 4, "more", 1, 0.85),
        (3, 4, "more", 5, 0.8),
        (10, 0, "less", 3, 0.8),
        (50, 0, "less", 2, 0.9),
        (50, 3, "more", 2, 0.85),
    ],
)
def test_what_goes_wrong_is_noticed_within_days_and_dated(mean, times, way, after, share):
    found = []
    for seed in range(40):
        days = days_of(mean, 77 + seed % 7 + after, seed=seed, then=(after, times))
        found.append(by_day(days, max(days), way=way, least=K))
    noticed = [one for one in found if one]
    assert len(noticed) >= share * len(found)
    assert sum(one.last - one.first <= timedelta(days=after) for one in noticed) >= 0.9 * len(noticed)
    assert times * 0.6 - 0.1 <= median(one.times for one in noticed) <= times * 1.4 + 0.1


# ------------------------------------------------------------------------------------------------- the rule itself
def flat(n, length=80, **other):
    days = {MONDAY + timedelta(days=ahead): Between.exactly(n) for ahead in range(length)}
    return days | {MONDAY + timedelta(days=int(ahead[1:])): known for ahead, known in other.items()}


LAST = MONDAY + timedelta(days=79)


def unusual(days, way="more", until=LAST):
    return by_day(days, until, way=way, least=K)


def test_a_weekend_is_compared_with_weekends():
    """On Saturdays five times as many come as on any other day."""
    days = {day: Between.exactly(50 if day.weekday() == 5 else 10) for day in flat(0)}
    saturday = max(day for day in days if day.weekday() == 5)
    assert unusual(days, until=saturday) is None
    assert unusual(days, way="less", until=saturday + timedelta(days=1)) is None
    days[saturday] = Between.exactly(10)  # an ordinary number, and not on a Saturday
    found = unusual(days, way="less", until=saturday)
    assert (found.first, found.usual, found.seen, found.times) == (saturday, 50, 10, 0.2)


def test_it_says_from_when_to_when_and_how_much():
    found = unusual(flat(10, d77=Between.exactly(40), d78=Between.exactly(40), d79=Between.exactly(40)))
    assert (found.first, found.last) == (LAST - timedelta(days=2), LAST)
    assert (found.usual, found.seen, found.times) == (10, 40, 4)


def test_what_is_over_is_told_for_a_week():
    days = flat(10, 100, d75=Between.exactly(60), d76=Between.exactly(60))
    for later, told in ((0, True), (6, True), (7, False), (20, False)):
        found = unusual(days, until=MONDAY + timedelta(days=76 + later))
        assert (found is not None) is told
        assert found is None or (found.first, found.last) == (MONDAY + timedelta(days=75), MONDAY + timedelta(days=76))


def test_twice_is_the_least_that_is_told_however_certain():
    assert unusual(flat(1000, d79=Between.exactly(1990))) is None
    assert unusual(flat(1000, d79=Between.exactly(2000))).times == 2
    assert unusual(flat(1000, d79=Between.exactly(501)), way="less") is None
    assert unusual(flat(1000, d79=Between.exactly(500)), way="less").times == 0.5


def test_fewer_than_k_are_never_told_and_hidden_cells_are_taken_as_what_speaks_against_it():
    assert unusual(flat(0, d79=Between.exactly(4))) is None
    assert unusual(flat(0, d79=Between.exactly(7))).seen == 7
    few = {f"d{day}": Between(1, 4) for day in range(75, 80)}
    assert unusual(flat(0, **few)) is None or unusual(flat(0, **few)).seen == 1  # five days of at least one
    assert unusual({**flat(0), **dict.fromkeys(list(flat(0))[:66], Between(1, 4)), LAST: Between.exactly(9)}) is None
    assert unusual(flat(20, d78=Between(0, None), d79=Between(0, None)), way="less") is None
    assert unusual(flat(20, d77=Between(0, 4), d78=Between(0, 4), d79=Between(0, 4)), way="less").seen == 4


def test_an_old_incident_is_not_what_is_usual():
    """Two bad weeks a month ago, at ten times as many."""
    old = {f"d{day}": Between.exactly(100) for day in range(40, 54)}
    found = unusual(flat(10, **old, d78=Between.exactly(40), d79=Between.exactly(40)))
    assert found is not None and found.times > 2


@pytest.mark.parametrize("length", [1, 14, 30, 34])
def test_who_has_just_begun_is_told_nothing(length):
    days = {LAST - timedelta(days=back): Between.exactly(10) for back in range(length)} | {LAST: Between.exactly(900)}
    assert unusual(days) is None
    assert by_day({}, LAST, way="less", least=K) is None


# --------------------------------------------------------------------------------------------------------- by month
def months_of(*parts, whole=300):
    return {
        date(2026, number, 1): (part if isinstance(part, Between) else Between.exactly(part), Between.exactly(whole))
        for number, part in enumerate(parts, 1)
    }


def test_a_share_of_a_month_is_compared_with_the_months_before():
    found = by_month(months_of(10, 12, 8, 60), date(2026, 4, 1), least=K)
    assert (found.times, round(found.usual, 4), found.seen) == (6.0, 0.0333, 0.2)
    assert by_month(months_of(10, 12, 8, 19), date(2026, 4, 1), least=K) is None  # not twice as much
    assert by_month(months_of(60, 60, 60, 10), date(2026, 4, 1), least=K) is None  # less is good
    assert by_month(months_of(10, 60), date(2026, 2, 1), least=K) is None  # one month is no rule
    assert by_month(months_of(10, 12, 8), date(2026, 4, 1), least=K) is None


def test_hidden_parts_of_months_speak_against_an_alarm():
    few, back = Between(1, 4), Between(5, None)
    assert by_month(months_of(few, few, few, 40), date(2026, 4, 1), least=K).usual == pytest.approx(12 / 900)
    assert by_month(months_of(10, 12, 8, back), date(2026, 4, 1), least=K) is None
    assert by_month(months_of(back, back, back, 100), date(2026, 4, 1), least=K) is None
    assert by_month(months_of(0, 0, 0, 4), date(2026, 4, 1), least=K) is None


def test_quiet_months_are_quiet():
    """A share of 5 % that itself scatters by a third: 300 houses over seven months."""
    chance, alarms = random.Random(3), 0
    for _ in range(300):
        parts = [poisson(15 * chance.gammavariate(9, 1 / 9), chance) for _ in range(7)]
        alarms += by_month(months_of(*map(shown, parts)), date(2026, 7, 1), least=K) is not None
    assert alarms <= 1


# ----------------------------------------------------------------------------------------------------------- levels
def levels_of(*values):
    return {MONDAY + timedelta(days=ahead): value for ahead, value in enumerate(values)}


def test_a_level_is_compared_with_median_and_spread_and_has_to_be_the_highest():
    quiet = [4.0, 4.1, 3.9, 4.2, 4.0, 4.1, 3.8, 4.0, 4.0, 4.1]
    days = levels_of(*quiet, 8, 8.2, 7.9)
    found = level(days, sorted(days)[-3:], fewest=10)
    assert (found.usual, found.seen, found.times) == (4.0, 8, 2)
    assert level(days, sorted(days)[-3:], fewest=11) is None
    days = levels_of(*quiet, 5, 5, 5)
    assert level(days, sorted(days)[-3:], fewest=10) is None  # not half as much again
    days = levels_of(*quiet[:9], 12.0, 8, 8, 8)
    assert level(days, sorted(days)[-3:], fewest=10) is None  # it has been so before
    days = levels_of(1.0, 9, 2, 8, 1, 7, 9, 2, 4, 5, 11, 11, 11)
    assert level(days, sorted(days)[-3:], fewest=10) is None  # it is never the same
    assert level({}, [], fewest=0) is None
