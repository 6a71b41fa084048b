"""Mail: ours until it is sent, mailboxes as far as they were read, and what was in them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row, new_id, where


class MailState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    BOUNCED = "bounced"
    FAILED = "failed"  # refused for good, or tried for too long


class MailOut(Row, table=True):
    """A mail of ours. Sealed under a key of its own, which is destroyed as soon as it is sent or given up."""

    __tablename__ = "mail_out"
    __table_args__ = (
        sa.CheckConstraint("(state = 'queued') = (sealed_key IS NOT NULL)", name="ck_mail_out_scrubbed_when_over"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    request_id: str | None = Field(default=None, foreign_key="request.id", index=True, max_length=32)
    purpose: str = Field(max_length=24)
    once: str = Field(unique=True, max_length=80)  # a second mail with the same word is the first one
    created_at: datetime = Field(sa_type=UtcDateTime)
    state: MailState = Field(sa_type=Word(MailState), index=True)
    tries: int = 0
    failure: str | None = Field(default=None, max_length=40)  # a code
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # sent, bounced or given up
    message_hash: str = Field(unique=True, max_length=64)  # keyed, of its Message-ID: how replies are recognised
    sealed_key: bytes | None = None
    sealed_mail: bytes | None = None


class Mailbox(Row, table=True):
    """How far a mailbox has been read."""

    __tablename__ = "mailbox"

    name: str = Field(primary_key=True, max_length=64)  # a keyed hash of server, user and folder
    uid_validity: int = Field(sa_type=sa.BigInteger)
    last_uid: int = Field(sa_type=sa.BigInteger)
    looked_at: datetime = Field(sa_type=UtcDateTime)  # the last time that it could be read
    failure: str | None = Field(default=None, max_length=40)  # a code: why it cannot be read now
    failed_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class MailSort(StrEnum):
    REQUEST = "request"  # opened one
    REPLY = "reply"  # belongs to one
    UNSORTED = "unsorted"  # a person has to look
    AUTOMATIC = "automatic"  # out of office, lists and the like: never answered
    BOUNCE = "bounce"  # one of ours came back


class MailIn(Row, table=True):
    """A mail that was read. The mark (keyed hash of its identity) makes reading it twice impossible."""

    __tablename__ = "mail_in"
    __table_args__ = (
        sa.Index("ix_mail_in_unsorted", "received_at", **where("sealed_key IS NOT NULL")),
        sa.Index("ix_mail_in_kept", "mailbox", "uid", **where("taken_from_mailbox_at IS NULL")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    mailbox: str = Field(max_length=64)
    uid_validity: int = Field(sa_type=sa.BigInteger)
    uid: int = Field(sa_type=sa.BigInteger)
    mark: str = Field(unique=True, max_length=64)
    received_at: datetime = Field(sa_type=UtcDateTime)  # the server's internal date
    read_at: datetime = Field(sa_type=UtcDateTime)
    sort: MailSort = Field(sa_type=Word(MailSort))
    sender_mark: str | None = Field(default=None, index=True, max_length=64)  # keyed, of address and day; for a day
    request_id: str | None = Field(default=None, foreign_key="request.id", index=True, max_length=32)
    taken_from_mailbox_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sorted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when a person saw to an unsorted one
    sealed_key: bytes | None = None  # of an unsorted mail, until a person has seen to it
    sealed_mail: bytes | None = None
