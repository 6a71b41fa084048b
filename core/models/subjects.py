"""People, as opaque ids: what they agreed to, and which browsers open what is theirs."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime
from core.models.base import Row, new_id, where


class Subject(Row, table=True):
    """A person, as an opaque id. Exists from consent until the last copy is gone."""

    __tablename__ = "subject"
    __table_args__ = (
        sa.CheckConstraint(
            "(sealed_key IS NULL) = (key_destroyed_at IS NOT NULL)", name="ck_subject_key_is_kept_or_destroyed"
        ),
        sa.Index("ix_subject_key_destroyed_at", "key_destroyed_at", **where("key_destroyed_at IS NOT NULL")),
        sa.Index("ix_subject_with_key", "created_at", **where("sealed_key IS NOT NULL")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    created_at: datetime = Field(sa_type=UtcDateTime)
    sealed_key: bytes | None = None  # the subject's data key, sealed by the master key
    key_destroyed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claim_hash: str | None = Field(default=None, max_length=64, unique=True)
    claim_issued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_canary: bool = False
    is_counted: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})
    """False: nothing of this person is in any usage count. It stays so, whatever their browser says later."""
    may_be_looked_at: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    """Two operators together may look at a reported image. Only a person who agreed when this was so can allow it."""


class Consent(Row, table=True):
    """What a person agreed to, and which text they had read."""

    __tablename__ = "consent"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    subject_id: str = Field(foreign_key="subject.id", index=True, max_length=32)
    given_at: datetime = Field(sa_type=UtcDateTime)
    policy_version: str = Field(max_length=40)
    may_use_photo: bool
    is_adult: bool
    language: str = Field(
        default="en", max_length=2, sa_column_kwargs={"server_default": "en"}
    )  # of the text they read


class BrowserSession(Row, table=True):
    """Which browser opens which subject. Holds the hash of a cookie, never the cookie."""

    __tablename__ = "browser_session"
    __table_args__ = (
        sa.Index("uq_browser_session_opens_one", "session_hash", unique=True, **where("closed_at IS NULL")),
    )

    session_hash: str = Field(primary_key=True, max_length=64)
    subject_id: str = Field(primary_key=True, foreign_key="subject.id", max_length=32, index=True)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    by_claim_code: bool = False
