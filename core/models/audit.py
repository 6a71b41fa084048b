"""The chain of what was done, and signed statements of how far it had come."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime
from core.models.base import Row


class AuditEntry(Row, table=True):
    """A link of the audit chain: what was done. Triggers refuse to change one; see core/audit.py for its form."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index("ix_audit_entry_actor", "actor", "seq"),
        sa.Index("ix_audit_entry_action", "action", "seq"),
        sa.Index("ix_audit_entry_ref", "ref", "seq"),
    )

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    actor: str = Field(max_length=40)
    action: str = Field(max_length=40)  # a plain string: a verifier must be able to read words of other releases
    ref: str = Field(max_length=40)
    facts: str = Field(sa_type=sa.Text)  # canonical JSON
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditCheckpoint(Row, table=True):
    """A signed statement that the entry `seq` has this hash. Never removed."""

    __tablename__ = "audit_checkpoint"

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    hash: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
    key_id: str = Field(max_length=16)
    signature: str = Field(max_length=128)
