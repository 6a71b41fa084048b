"""What is left at a provider, from day to day, would count its headshots: it is told in whole dollars."""

from datetime import UTC, date, datetime

import pytest

from core.models import UsageLevel
from core.usage import reports
from core.usage.metrics import Level
from core.usage.periods import Period

MARCH = Period(date(2026, 3, 1), date(2026, 3, 1))


@pytest.mark.sqlite_only("what is read is the same on both; tests of reading see to that")
@pytest.mark.parametrize("headshots", [1, 3, 16])
def test_what_is_left_on_two_days_does_not_say_how_many_headshots_lie_between(svc, headshots):
    """At four cents each."""
    left = 12_900_000
    with svc.transaction() as session:
        for day, value in ((date(2026, 3, 9), left), (date(2026, 3, 10), left - headshots * 40_000)):
            session.add(UsageLevel(day=day, metric=Level.BALANCE, a="apimart", value=value))
    told = reports.report(svc, MARCH, now=datetime(2026, 3, 20, tzinfo=UTC))
    assert [row[2] for row in told.tables["balances"].rows] == [12.0, 12.0]
    assert "12.9" not in reports.as_csv(told) and "12900000" not in str(reports.as_json(told))
