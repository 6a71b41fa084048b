"""Reports of abuse, what operators did about them, and every look at somebody's image."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row, new_id, where


class AbuseKind(StrEnum):
    """What somebody says is wrong with an image that was made here."""

    NOT_ASKED = "not_asked"  # it shows them, and nobody asked them
    CHILD = "child"
    INTIMATE = "intimate"
    PRETENDS = "pretends"  # used to pass for somebody else
    OTHER = "other"


class AbuseOutcome(StrEnum):
    NOTHING_FOUND = "nothing_found"  # nothing here belongs to what was reported
    NOTHING_WRONG = "nothing_wrong"
    BLOCKED = "blocked"
    ERASED = "erased"  # and blocked


class AbuseReport(Row, table=True):
    """What somebody reported. Words and address lie sealed until it closes; neither is needed to report."""

    __tablename__ = "abuse_report"
    __table_args__ = (
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="ck_abuse_report_closed_with_an_outcome"),
        sa.CheckConstraint("closed_at IS NULL OR sealed_key IS NULL", name="ck_abuse_report_closed_is_scrubbed"),
        sa.Index("ix_abuse_report_due", "due_at", **where("closed_at IS NULL")),
        sa.Index("ix_abuse_report_closed", "closed_at", **where("closed_at IS NOT NULL")),
        sa.Index("ix_abuse_report_subject_id", "subject_id", **where("subject_id IS NOT NULL")),
        sa.Index("ix_abuse_report_copy_id", "copy_id", **where("copy_id IS NOT NULL")),
        sa.Index("ix_abuse_report_generation_id", "generation_id", **where("generation_id IS NOT NULL")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    number: str = Field(unique=True, max_length=12)  # what its sender can quote
    press_id: str | None = Field(default=None, unique=True, max_length=64)  # one per press of a button
    kind: AbuseKind = Field(sa_type=Word(AbuseKind))
    language: str = Field(default="en", max_length=2, sa_column_kwargs={"server_default": "en"})
    received_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    subject_id: str | None = Field(default=None, foreign_key="subject.id", max_length=32)  # whom it turned out to be
    copy_id: str | None = Field(default=None, foreign_key="copy.id", max_length=32)
    generation_id: str | None = Field(default=None, foreign_key="generation.id", max_length=32)
    file_hash: str | None = Field(default=None, max_length=64)  # keyed, of a file that came with it; as of originals
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: AbuseOutcome | None = Field(default=None, sa_type=Word(AbuseOutcome))
    sealed_key: bytes | None = None
    sealed_words: bytes | None = None
    sealed_address: bytes | None = None


class GlassView(Row, table=True):
    """One operator's look at one reported image, which another one allowed. Its subject sees it on My photos."""

    __tablename__ = "glass_view"
    __table_args__ = (
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="ck_glass_view_takes_two"),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="ck_glass_view_decided_by_somebody"),
        sa.CheckConstraint("until IS NULL OR decided_at IS NOT NULL", name="ck_glass_view_open_once_decided"),
        sa.CheckConstraint("first_seen_at IS NULL OR until IS NOT NULL", name="ck_glass_view_seen_once_allowed"),
        sa.Index("ix_glass_view_waits", "asked_at", **where("decided_at IS NULL")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    report_id: str = Field(foreign_key="abuse_report.id", index=True, max_length=32)
    subject_id: str = Field(foreign_key="subject.id", index=True, max_length=32)
    copy_id: str = Field(foreign_key="copy.id", index=True, max_length=32)
    reason: AbuseKind = Field(sa_type=Word(AbuseKind))
    asked_by: str = Field(max_length=24)  # an operator's id
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, max_length=24)  # never the same
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: not allowed
    first_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Block(Row, table=True):
    """A person or a file that makes nothing more here, for a while, unless it is lifted."""

    __tablename__ = "block"
    __table_args__ = (
        sa.CheckConstraint("(subject_id IS NULL) <> (file_hash IS NULL)", name="ck_block_of_one_thing"),
        sa.Index("ix_block_subject_id", "subject_id", **where("subject_id IS NOT NULL")),
        sa.Index("ix_block_file_hash", "file_hash", **where("file_hash IS NOT NULL")),
        sa.Index("ix_block_until", "until"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    report_id: str = Field(foreign_key="abuse_report.id", index=True, max_length=32)
    subject_id: str | None = Field(default=None, foreign_key="subject.id", max_length=32)
    file_hash: str | None = Field(default=None, max_length=64)  # keyed, of an original file
    reason: AbuseKind = Field(sa_type=Word(AbuseKind))
    made_by: str = Field(max_length=24)
    made_at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lifted_by: str | None = Field(default=None, max_length=24)
