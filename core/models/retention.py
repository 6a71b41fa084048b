"""What watches over erasing: stops and holds, findings, what goes when, and drawn portraits that go the whole way."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.contracts import Contract
from core.db import UtcDateTime, Word
from core.models.base import Row, new_id


class Switch(Row, table=True):
    """Something that an operator has stopped. There is a row for as long as it is stopped."""

    __tablename__ = "switch"

    name: str = Field(primary_key=True, max_length=24)
    stopped_at: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(max_length=40)
    actor: str = Field(max_length=40)


class SweepHold(Row, table=True):
    """More is due at once than a sweep may erase without being told to. One row, for as long as it is so."""

    __tablename__ = "sweep_hold"

    name: str = Field(primary_key=True, max_length=24)
    held_at: datetime = Field(sa_type=UtcDateTime)
    plan_hash: str = Field(max_length=40)
    planned_at: datetime = Field(sa_type=UtcDateTime)
    copies: int
    size: int = Field(sa_type=sa.BigInteger)
    kept_in_all: int  # copies that were in the vault then


class FindingKind(StrEnum):
    UNTRACKED = "untracked"  # an object that no row knows
    MISSING = "missing"  # a row whose object is not there
    MISMATCH = "mismatch"  # an object that is not what its row says, or does not open
    OVERDUE = "overdue"  # past its clock, and not gone
    ZOMBIE = "zombie"  # an object that was shown to be gone, and is there


class FindingRow(Row, table=True):
    """What the last comparison of storage and rows found. `ref`: a copy, or the key of an object without one."""

    __tablename__ = "finding"

    kind: FindingKind = Field(primary_key=True, sa_type=Word(FindingKind))
    ref: str = Field(primary_key=True, max_length=1024)
    size: int = Field(sa_type=sa.BigInteger)
    detail: str = Field(max_length=60)
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)


class ForecastRow(Row, table=True):
    """What goes when, as it was last counted: counting a million copies is nothing that a page could wait for."""

    __tablename__ = "forecast"

    name: str = Field(primary_key=True, max_length=24)
    counted_at: datetime = Field(sa_type=UtcDateTime)
    took_ms: int
    cells: str = Field(sa_type=sa.Text)  # JSON: days, kinds, contracts and numbers


class CanaryRun(Row, table=True):
    """A drawn portrait that went the whole way under one contract."""

    __tablename__ = "canary_run"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    subject_id: str | None = Field(default=None, max_length=32)  # the canary's; None once its rows are pruned
    contract: Contract = Field(sa_type=Word(Contract))
    started_at: datetime = Field(sa_type=UtcDateTime, index=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failure: str | None = Field(default=None, max_length=40)  # a code

    @property
    def is_open(self) -> bool:
        return self.gone_at is None and self.failure is None
