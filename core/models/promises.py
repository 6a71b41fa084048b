"""What was measured of our promises."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row


class PromiseState(StrEnum):
    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # not measured, measured too long ago, or the measuring failed: never taken for kept


class PromiseCheck(Row, table=True):
    """What was measured last of a promise. Figures and evidence are words without anything of anyone."""

    __tablename__ = "promise_check"

    promise: str = Field(primary_key=True, max_length=40)
    state: PromiseState = Field(sa_type=Word(PromiseState))
    figure: str = Field(max_length=200)  # JSON: what fills the sentence of this state, in any language
    evidence: str = Field(sa_type=sa.Text)  # JSON, likewise
    checked_at: datetime = Field(sa_type=UtcDateTime)
    took_ms: int = 0
    since: datetime = Field(sa_type=UtcDateTime)  # it is in this state without a break
    broken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # and not known to be kept since
    told: PromiseState | None = Field(default=None, sa_type=Word(PromiseState))  # what founders were told last
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PromiseDay(Row, table=True):
    """How often on a day a promise was measured as what."""

    __tablename__ = "promise_day"

    day: date = Field(primary_key=True)  # UTC
    promise: str = Field(primary_key=True, max_length=40)
    state: PromiseState = Field(primary_key=True, sa_type=Word(PromiseState))
    n: int
