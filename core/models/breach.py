"""Breaches: when somebody knew, what lay open, and who was told by when."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row, new_id, where


class BreachKind(StrEnum):
    """What got into wrong hands, or may have."""

    BUCKET = "bucket"  # stored objects, sealed as they are
    DATABASE = "database"
    KEYS = "keys"  # the master key: what is sealed can be opened
    SERVER = "server"
    OPERATOR = "operator"  # somebody's sign-in
    THIRD_PARTY = "third_party"
    OTHER = "other"


class BreachOutcome(StrEnum):
    TOLD = "told"
    NO_RISK = "no_risk"  # unlikely to be a risk to anybody: noted, not told (GDPR, Article 33(1) and (5))
    NONE = "none"  # it was no breach


class Breach(Row, table=True):
    """A breach of security, from the moment somebody knew of it. Kept as GDPR, Article 33(5) asks."""

    __tablename__ = "breach"
    __table_args__ = (
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="ck_breach_closed_with_an_outcome"),
        sa.CheckConstraint("due_at >= noticed_at", name="ck_breach_due_after_noticed"),
        sa.Index("ix_breach_due", "due_at", **where("closed_at IS NULL")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    number: str = Field(unique=True, max_length=12)
    press_id: str | None = Field(default=None, unique=True, max_length=64)
    kind: BreachKind = Field(sa_type=Word(BreachKind))
    noticed_at: datetime = Field(sa_type=UtcDateTime)  # the clock starts here
    noted_at: datetime = Field(sa_type=UtcDateTime)
    noted_by: str = Field(max_length=24)
    due_at: datetime = Field(sa_type=UtcDateTime)  # 72 hours after it was noticed
    exposure: str = Field(sa_type=sa.Text)  # canonical JSON: counts and instants, as they were when it was noted
    authority_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    people_told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # from when every page says so
    notice: str | None = Field(default=None, sa_type=sa.Text)  # what they are told: canonical JSON, language → text
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: BreachOutcome | None = Field(default=None, sa_type=Word(BreachOutcome))
