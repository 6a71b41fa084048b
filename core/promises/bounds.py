"""
Bounds: what the published policy promises, as numbers. A setting may promise more to people, never less.
"""

from datetime import timedelta
from typing import Final

from core.contracts import offered
from core.settings import Settings

LONGEST: Final = timedelta(days=30)


def longest(settings: Settings) -> timedelta:
    """The longest that any image may exist, from its upload."""
    any_day = _ANY_DAY
    return max(
        contract.run_by(any_day, early=timedelta(0)) - any_day for contract in offered(settings.longest_contract)
    )


from datetime import UTC, datetime  # noqa: E402

_ANY_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
