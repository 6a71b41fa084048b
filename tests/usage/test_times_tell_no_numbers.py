"""Whether there is a percentile says nothing of a hidden cell: it is decided by what everybody can work out anyway."""

from datetime import UTC, date, datetime

import pytest

from core.usage import reading
from core.usage.metrics import Metric
from core.usage.periods import Period
from tests.usage.made import write

pytestmark = pytest.mark.sqlite_only("what is read is the same on both; tests of reading see to that")
NOW, DAY = datetime(2026, 3, 20, 9, tzinfo=UTC), date(2026, 3, 10)
MARCH = Period(date(2026, 3, 1), date(2026, 3, 1))
SHARES = (50, 95, 99)


def told(svc, counts):
    write(svc, {(DAY, *cell): n for cell, n in counts.items()})
    return reading.published(svc, MARCH, now=NOW)


def which(what, metric, name):
    return [what.times(metric, name).percentile(share) is not None for share in SHARES]


@pytest.mark.parametrize("here", [1, 2, 3, 4])
@pytest.mark.parametrize("metric", [Metric.TOOK, Metric.QUEUE_WAIT, Metric.STAGE_TOOK, Metric.RUN_COST])
def test_a_95th_does_not_say_that_a_cell_that_is_kept_back_is_20_or_more(svc, here, metric):
    """21 runs at two engines: with a 95th of one of them, of 20 and more, the other would have had exactly one."""
    there = 21 - here
    name = "apimart.working" if metric is Metric.STAGE_TOOK else "apimart"
    runs = {(Metric.RUN, "on_device", "ready"): here, (Metric.RUN, "apimart", "ready"): there}
    what = told(svc, runs | {(metric, name, "30"): there})
    cell = what.months[0].roots["runs_ended"].at("engine", "apimart")
    assert cell.shown.text == "–" and (cell.least, cell.most) == (17, 20)
    assert which(what, metric, name) == [False, False, False]


@pytest.mark.parametrize("one", [1, 2])
def test_no_percentile_of_a_reason_does_not_say_that_all_its_cells_are_one(svc, one):
    """Four kinds of copies of which few were erased so: 4 in all, or 5. There is a median of 5 and more."""
    kinds = ("portrait", "clothing", "backdrop", "headshot")
    cells = {(Metric.ERASED, kind, "asked"): 1 for kind in kinds} | {(Metric.ERASED, "portrait", "asked"): one}
    cells |= {(Metric.ERASED, kind, reason): 2 for kind in kinds for reason in ("contract", "retention")}
    what = told(svc, cells | {(Metric.GONE_TOOK, "asked", "60"): 3 + one})
    assert which(what, Metric.GONE_TOOK, "asked") == [False, False, False]


def test_where_the_number_is_shown_the_percentiles_are(svc):
    runs = {(Metric.RUN, "on_device", "ready"): 120, (Metric.RUN, "apimart", "ready"): 21}
    what = told(svc, runs | {(Metric.TOOK, "on_device", "8"): 120, (Metric.TOOK, "apimart", "30"): 21})
    assert which(what, Metric.TOOK, "on_device") == [True, True, True]
    assert which(what, Metric.TOOK, "apimart") == [True, True, False]


def test_where_enough_of_a_cell_is_certain_they_are_too(svc):
    """Ready is kept back for few that were cancelled: 97 to 100 of 101, and so 20 at least."""
    runs = {(Metric.RUN, "on_device", "ready"): 99, (Metric.RUN, "on_device", "cancelled"): 2}
    what = told(svc, runs | {(Metric.TOOK, "on_device", "8"): 99})
    assert what.total("runs_ended", "engine", "on_device", "outcome", "ready").text == "–"
    assert which(what, Metric.TOOK, "on_device") == [True, True, False]
