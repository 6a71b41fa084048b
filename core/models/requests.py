"""Deletion requests and others of their kind, with what was written about them, receipts and alerts."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row, new_id, where


class RequestKind(StrEnum):
    ERASE = "erase"
    COPY = "copy"  # a copy of my data
    CORRECT = "correct"
    OBJECT = "object"  # withdraw consent, or object
    QUESTION = "question"  # any other about privacy


class RequestChannel(StrEnum):
    PRODUCT = "product"
    EMAIL = "email"
    HAND = "hand"  # entered by support, as after a call


class RequestState(StrEnum):
    OPEN = "open"  # somebody has to do something
    WAITING = "waiting"  # for the requester; the clock goes on
    UNDO = "undo"  # starts by itself at `start_at`, and can be taken back until then
    WORKING = "working"  # being erased and proved, or packed
    CLOSED = "closed"


class RequestOutcome(StrEnum):
    DONE = "done"
    NOTHING_HELD = "nothing_held"  # all that there was is gone already
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # taken back by the requester
    DUPLICATE = "duplicate"


class MatchedBy(StrEnum):
    """What showed whose data it is."""

    SESSION = "session"
    CLAIM_CODE = "claim_code"
    RUN_NUMBER = "run_number"  # with the time of the run
    ORIGINAL_FILE = "original_file"  # the keyed hash of its bytes


class Request(Row, table=True):
    """A deletion request, or another of its kind. Address and words lie sealed until it closes; the rest is the
    register. `received_at` never changes, `due_at` only by the one extension: triggers refuse anything else."""

    __tablename__ = "request"
    __table_args__ = (
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="ck_request_closed_with_an_outcome"),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="ck_request_state_closed"),
        sa.CheckConstraint("closed_at IS NULL OR sealed_key IS NULL", name="ck_request_closed_is_scrubbed"),
        sa.Index("ix_request_due", "due_at", **where("closed_at IS NULL")),
        sa.Index("ix_request_received", "received_at"),
        # partial: of the empty ones there may be many, and they would make the index look useless to a planner
        sa.Index("ix_request_subject_id", "subject_id", **where("subject_id IS NOT NULL")),
        sa.Index("ix_request_export_id", "export_id", **where("export_id IS NOT NULL")),
        sa.Index("ix_request_duplicate_of", "duplicate_of", **where("duplicate_of IS NOT NULL")),
        sa.Index("ix_request_closed", "closed_at", **where("closed_at IS NOT NULL")),
        sa.Index(
            "uq_request_one_active_erase", "subject_id", unique=True, **where("kind = 'erase' AND closed_at IS NULL")
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    number: str = Field(unique=True, max_length=12)  # what a person can quote; says nothing about them
    press_id: str | None = Field(default=None, unique=True, max_length=64)  # one per press of a button
    kind: RequestKind = Field(sa_type=Word(RequestKind))
    channel: RequestChannel = Field(sa_type=Word(RequestChannel))
    language: str = Field(default="en", max_length=2, sa_column_kwargs={"server_default": "en"})  # in which we answer
    state: RequestState = Field(sa_type=Word(RequestState), index=True)
    clock: str = Field(max_length=24)  # which line of data/legal_clocks.json set `due_at`
    received_at: datetime = Field(sa_type=UtcDateTime)  # as the channel says
    entered_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    extended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    subject_id: str | None = Field(default=None, foreign_key="subject.id", max_length=32)
    matched_by: MatchedBy | None = Field(default=None, sa_type=Word(MatchedBy))
    matched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waiting_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    start_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the end of the undo
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # what the clock is measured against
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: RequestOutcome | None = Field(default=None, sa_type=Word(RequestOutcome))
    refused_ground: str | None = Field(default=None, max_length=24)
    duplicate_of: str | None = Field(default=None, foreign_key="request.id", max_length=32)
    assignee: str | None = Field(default=None, max_length=24)  # an operator's id
    trouble: str | None = Field(default=None, max_length=60)  # a code: why it does not go on by itself
    export_id: str | None = Field(default=None, foreign_key="copy.id", max_length=32)
    sealed_key: bytes | None = None  # of address and words; destroyed when it closes
    sealed_address: bytes | None = None


class MessageWay(StrEnum):
    IN = "in"
    OUT = "out"
    NOTE = "note"  # among operators


class RequestMessage(Row, table=True):
    """What was written about a request. Its words go when the request closes; that there was a message stays."""

    __tablename__ = "request_message"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    request_id: str = Field(foreign_key="request.id", index=True, max_length=32)
    at: datetime = Field(sa_type=UtcDateTime)
    way: MessageWay = Field(sa_type=Word(MessageWay))
    author: str = Field(max_length=40)  # as the audit log names it
    template: str | None = Field(default=None, max_length=24)
    same_address: bool = True  # False: this mail came from another address than the request
    message_hash: str | None = Field(default=None, unique=True, max_length=64)  # keyed, of a mail's Message-ID
    sealed_body: bytes | None = None  # under the request's key


class Receipt(Row, table=True):
    """A signed statement of what was erased and how it was proved. Holds nothing personal."""

    __tablename__ = "receipt"
    __table_args__ = (sa.UniqueConstraint("request_id", "revision", name="uq_receipt_revision"),)

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    number: str = Field(unique=True, max_length=16)
    request_id: str = Field(foreign_key="request.id", max_length=32)
    revision: int  # 1, and more for amended ones
    made_at: datetime = Field(sa_type=UtcDateTime)
    statement: str = Field(sa_type=sa.Text)  # canonical JSON, exactly what is signed
    key_id: str = Field(max_length=16)
    signature: str = Field(max_length=128)


class Alert(Row, table=True):
    """That people on duty were told of a clock, once for each threshold: of a request, a report or a breach."""

    __tablename__ = "alert"

    ref: str = Field(primary_key=True, max_length=32)
    threshold: str = Field(primary_key=True, max_length=12)  # "new", "24h", "6h", "1h", "breached"
    at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = 0
    again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
