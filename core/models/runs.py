"""Runs: what was asked of an engine, which stages it went through, and the headshots that came of it."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.contracts import Contract
from core.db import UtcDateTime, Word
from core.models.base import Row, new_id, where


class RunState(StrEnum):
    RECEIVING = "receiving"  # rows exist, the upload may not be safe yet
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_live(self) -> bool:
        return self in LIVE


LIVE = (RunState.RECEIVING, RunState.QUEUED, RunState.RUNNING)


class Generation(Row, table=True):
    """One run: a portrait, choices, an engine, and 1 to 4 headshots."""

    __tablename__ = "generation"
    __table_args__ = (
        sa.Index("ix_generation_subject", "subject_id", "created_at"),
        sa.Index("ix_generation_clothing", "clothing_id", **where("clothing_id IS NOT NULL")),
        sa.Index("ix_generation_backdrop", "backdrop_id", **where("backdrop_id IS NOT NULL")),
        sa.Index("uq_generation_free_try_of", "free_try_of", unique=True),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    number: str = Field(unique=True, max_length=12)  # what a person can quote; says nothing about them
    request_id: str = Field(unique=True, max_length=64)  # one per press of the button: a double click is one run
    subject_id: str = Field(foreign_key="subject.id", max_length=32)
    portrait_id: str = Field(foreign_key="copy.id", index=True, max_length=32)
    clothing_id: str | None = Field(default=None, foreign_key="copy.id", max_length=32)
    backdrop_id: str | None = Field(default=None, foreign_key="copy.id", max_length=32)
    engine: str = Field(max_length=24)
    purpose: str = Field(max_length=24)
    ratio: str = Field(max_length=8)
    long_side: int
    style: str = Field(max_length=24)
    backdrop: str = Field(max_length=24)
    variants: int
    zoom: float = 1.0
    turns: int | None = None
    sealed_note: bytes | None = None  # the person's words, under their own key
    contract: Contract = Field(sa_type=Word(Contract))
    uploaded_at: datetime = Field(sa_type=UtcDateTime)
    erase_by: datetime = Field(sa_type=UtcDateTime)  # the run's clock: nothing of it exists after this
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cancel_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: RunState = Field(sa_type=Word(RunState), index=True)
    failure: str | None = Field(default=None, max_length=40)  # a code, never a message
    counts: bool = True  # towards the day's allowance; a run that failed gives it back
    favourite_id: str | None = Field(default=None, max_length=32)
    free_try_of: str | None = Field(default=None, max_length=32)  # a run that the drift guard let be made once more


class StageEvent(Row, table=True):
    """When a run entered a stage. The last one is where it is now."""

    __tablename__ = "stage_event"

    id: int | None = Field(default=None, primary_key=True)
    generation_id: str = Field(foreign_key="generation.id", index=True, max_length=32)
    stage: str = Field(max_length=24)
    entered_at: datetime = Field(sa_type=UtcDateTime)


class HeadshotRow(Row, table=True):
    """Which copy is which variant of a run. The key makes a doubled variant impossible."""

    __tablename__ = "headshot"

    generation_id: str = Field(primary_key=True, foreign_key="generation.id", max_length=32)
    variant: int = Field(primary_key=True, sa_type=sa.Integer)
    copy_id: str = Field(foreign_key="copy.id", unique=True, max_length=32)
    shift: float | None = None  # how much lighter (+) or darker (-) the skin is than in the photo, in CIE L*
