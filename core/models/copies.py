"""Copies: the places where bytes of a person lie, and the evidence that one of them is gone."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.language import N_
from core.models.base import Row, new_id, where
from core.ports import Presence


class CopyKind(StrEnum):
    PORTRAIT = "portrait"
    CLOTHING = "clothing"
    BACKDROP = "backdrop"
    HEADSHOT = "headshot"
    CANARY = "canary"
    EXPORT = "export"  # the ZIP of "a copy of my data"

    @property
    def label(self) -> str:
        return _KIND_LABELS[self]

    @property
    def is_upload(self) -> bool:
        return self in (CopyKind.PORTRAIT, CopyKind.CLOTHING, CopyKind.BACKDROP)


_KIND_LABELS = {
    CopyKind.PORTRAIT: N_("Your photo"),
    CopyKind.CLOTHING: N_("Clothing picture"),
    CopyKind.BACKDROP: N_("Backdrop picture"),
    CopyKind.HEADSHOT: N_("Headshot"),
    CopyKind.CANARY: N_("Test object"),
    CopyKind.EXPORT: N_("Copy of your data"),
}


class EraseReason(StrEnum):
    CONTRACT = "contract"  # its clock ran out
    ASKED = "asked"  # the person pressed Erase now
    RUN_OVER = "run_over"  # the run that needed it ended
    NOT_WANTED = "not_wanted"  # it arrived after its owner had left
    LOST = "lost"  # storage no longer had it
    DAMAGED = "damaged"  # what storage has does not open
    CANARY = "canary"


class Evidence(Row, table=True):
    """A negative read: storage said twice, in two ways, that a copy is not there."""

    __tablename__ = "evidence"
    __table_args__ = (
        sa.CheckConstraint("head = 'absent' AND listing = 'absent'", name="ck_evidence_is_a_negative_read"),
        sa.UniqueConstraint("id", "copy_id", name="uq_evidence_copy"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    copy_id: str = Field(index=True, max_length=32)  # no foreign key: `copy` already points here
    probed_at: datetime = Field(sa_type=UtcDateTime)
    head: Presence = Field(sa_type=Word(Presence))
    listing: Presence = Field(sa_type=Word(Presence))


class Copy(Row, table=True):
    """One place where bytes of a person lie, with its own clock."""

    __tablename__ = "copy"
    __table_args__ = (
        sa.ForeignKeyConstraint(["evidence_id", "id"], ["evidence.id", "evidence.copy_id"], name="fk_copy_evidence"),
        sa.CheckConstraint("(gone_at IS NULL) = (evidence_id IS NULL)", name="ck_copy_gone_needs_evidence"),
        sa.CheckConstraint("gone_at IS NULL OR erased_at IS NOT NULL", name="ck_copy_gone_after_erased"),
        sa.Index("ix_copy_due", "erase_by", **where("gone_at IS NULL")),
        sa.Index("ix_copy_kept", "created_at", **where("gone_at IS NULL")),
        sa.Index("ix_copy_asked", "erase_by", **where("gone_at IS NULL AND probe_answer IS NOT NULL")),
        sa.Index("ix_copy_original", "original_hash", **where("original_hash IS NOT NULL")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    subject_id: str = Field(foreign_key="subject.id", index=True, max_length=32)
    kind: CopyKind = Field(sa_type=Word(CopyKind))
    place: str = Field(max_length=24)
    object_key: str = Field(unique=True, max_length=64)
    media_type: str = Field(max_length=24)
    width: int
    height: int
    size: int  # bytes of the image, before encryption
    created_at: datetime = Field(sa_type=UtcDateTime)
    written_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erase_by: datetime = Field(sa_type=UtcDateTime)
    erase_reason: EraseReason = Field(default=EraseReason.CONTRACT, sa_type=Word(EraseReason))
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    probes: int = 0  # how often storage was asked in vain whether it is gone
    probe_answer: str | None = Field(default=None, max_length=60)  # the last answer that proved nothing
    probe_again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    evidence_id: str | None = Field(default=None, max_length=32)
    original_hash: str | None = Field(default=None, max_length=64)  # keyed, of the file as it was uploaded; till gone

    def may_be_read(self, now: datetime) -> bool:
        """Access ends at the clock's end, whether or not the sweep has come by yet."""
        return self.written_at is not None and self.erased_at is None and self.erase_by > now
