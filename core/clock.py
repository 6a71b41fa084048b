"""The one place where the current time comes from. Everything else is handed a `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Answers with the current instant, aware and in UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def next_utc_midnight(now: datetime) -> datetime:
    """When a UTC day's allowance starts anew."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
