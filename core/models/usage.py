"""Counts of what happens, which belong to nobody."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime
from core.models.base import Row


class UsageCount(Row, table=True):
    """How often something happened on a day. Belongs to nobody: there is no row per event, and no id in it."""

    __tablename__ = "usage_count"

    demo: bool = Field(default=False, primary_key=True)  # made up: never beside what was counted
    day: date = Field(primary_key=True)  # UTC
    metric: str = Field(primary_key=True, max_length=24)
    a: str = Field(primary_key=True, max_length=40)  # "": the metric has no dimension
    b: str = Field(primary_key=True, max_length=40)
    n: int = Field(sa_type=sa.BigInteger)


class UsageHour(Row, table=True):
    """How often something happened in an hour of a day, without any dimension."""

    __tablename__ = "usage_hour"

    demo: bool = Field(default=False, primary_key=True)  # made up: never beside what was counted
    day: date = Field(primary_key=True)  # UTC
    hour: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    metric: str = Field(primary_key=True, max_length=24)
    n: int = Field(sa_type=sa.BigInteger)


class UsageLevel(Row, table=True):
    """How much there was of something on a day, as it was seen last."""

    __tablename__ = "usage_level"

    demo: bool = Field(default=False, primary_key=True)  # made up: never beside what was counted
    day: date = Field(primary_key=True)  # UTC
    metric: str = Field(primary_key=True, max_length=24)
    a: str = Field(primary_key=True, max_length=40)
    value: int = Field(sa_type=sa.BigInteger)


class UsageBatch(Row, table=True):
    """A batch of counts that was written. Whoever did not hear of it and writes it again finds its id; for two days."""

    __tablename__ = "usage_batch"

    id: str = Field(primary_key=True, max_length=32)
    day: date = Field(index=True)


class UsageSent(Row, table=True):
    """What goes out once for each span of time: the weekly summary, a day's counts for a third party."""

    __tablename__ = "usage_sent"

    what: str = Field(primary_key=True, max_length=24)
    day: date = Field(primary_key=True)  # the first of the span
    at: datetime = Field(sa_type=UtcDateTime)
