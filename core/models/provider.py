"""Third parties: what was asked of them, what lies there, how they answer and what they charge."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row, new_id, where
from core.ports import Presence


class ProviderTaskState(StrEnum):
    PLANNED = "planned"  # nothing has been sent
    INTENT = "intent"  # about to be sent: whoever finds it so cannot know whether it was
    TAKEN = "taken"  # the provider has it, and works on it
    MADE = "made"  # the provider is done; its results are being fetched
    KEPT = "kept"  # our headshot lies in the vault
    FAILED = "failed"  # not made, and not charged as far as it says
    UNKNOWN = "unknown"  # no proof either way whether it was taken: never sent again

    @property
    def is_over(self) -> bool:
        return self in (ProviderTaskState.KEPT, ProviderTaskState.FAILED, ProviderTaskState.UNKNOWN)


class ProviderTask(Row, table=True):
    """One variant of a run, as asked of a provider. Its id is the idempotency key of the request."""

    __tablename__ = "provider_task"
    __table_args__ = (
        sa.UniqueConstraint("generation_id", "variant", name="uq_provider_task_variant"),
        sa.CheckConstraint(
            "state NOT IN ('intent', 'taken', 'made', 'kept', 'unknown') OR sent_at IS NOT NULL",
            name="ck_provider_task_sent",
        ),
        sa.Index("ix_provider_task_under_way", "provider", "state", **where("ended_at IS NULL")),
        sa.Index("ix_provider_task_sent", "provider", "sent_at", **where("sent_at IS NOT NULL")),
    )

    id: str = Field(primary_key=True, max_length=40)  # "<generation>-<variant>"
    generation_id: str = Field(foreign_key="generation.id", max_length=32)
    variant: int
    provider: str = Field(max_length=24)
    model: str = Field(max_length=64)
    template: str = Field(max_length=16)
    hand_over: str = Field(max_length=12)
    state: ProviderTaskState = Field(sa_type=Word(ProviderTaskState))
    body_hash: str | None = Field(
        default=None, max_length=64
    )  # SHA-256 of what was sent; no other is sent under its key
    planned_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the intent, before the request itself
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    made_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when we learned that it was
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # not to be looked after before then
    looks: int = 0
    tries: int = 0  # in vain, in this state
    uploads_in_doubt: int = Field(default=0, sa_column_kwargs={"server_default": "0"})  # one more before each is sent
    task_id: str | None = Field(default=None, max_length=200)  # the provider's
    request_ref: str | None = Field(default=None, max_length=80)
    cost: int | None = Field(default=None, sa_type=sa.BigInteger)  # millionths of a US dollar
    failure: str | None = Field(default=None, max_length=40)  # a code


class HandOverLink(Row, table=True):
    """An address that serves one upload to a provider, once. Its secret is worked out from its id and never stored."""

    __tablename__ = "hand_over_link"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    task_id: str = Field(foreign_key="provider_task.id", index=True, max_length=40)
    copy_id: str = Field(foreign_key="copy.id", index=True, max_length=32)
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    served_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ProviderCopyKind(StrEnum):
    UPLOAD = "upload"  # what we uploaded there
    RESULT = "result"  # what it made


class ProviderCopy(Row, table=True):
    """A place at a provider where bytes of a person lie, open to whoever knows its address, not ours to erase. The
    address is sealed under a key of its own, destroyed when it is gone: refused twice, a quarter of an hour apart."""

    __tablename__ = "provider_copy"
    __table_args__ = (
        sa.CheckConstraint("gone_at IS NULL OR refused_at IS NOT NULL", name="ck_provider_copy_refused_twice"),
        sa.CheckConstraint("gone_at IS NULL OR sealed_key IS NULL", name="ck_provider_copy_gone_is_scrubbed"),
        sa.Index("ix_provider_copy_probe", "probe_at", **where("gone_at IS NULL")),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    subject_id: str = Field(foreign_key="subject.id", index=True, max_length=32)
    generation_id: str = Field(foreign_key="generation.id", index=True, max_length=32)
    task_id: str = Field(foreign_key="provider_task.id", index=True, max_length=40)
    provider: str = Field(max_length=24)
    kind: ProviderCopyKind = Field(sa_type=Word(ProviderCopyKind))
    mark: str = Field(unique=True, max_length=64)  # keyed hash of its address: noted once
    noted_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    dated_by: str = Field(max_length=12)  # "provider": it said so; "documents": the longest that it documents
    probe_at: datetime = Field(sa_type=UtcDateTime)
    probes: int = 0
    answer: Presence | None = Field(default=None, sa_type=Word(Presence))  # the last one
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    open_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # first seen open after its end: an incident
    refused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the first of the two refusals in a row
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sealed_key: bytes | None = None
    sealed_url: bytes | None = None
    copy_id: str | None = Field(default=None, max_length=32)  # of an upload: our copy that it is of


class ProviderHealth(Row, table=True):
    """How a provider has answered lately. One row for each, shared by all workers."""

    __tablename__ = "provider_health"

    provider: str = Field(primary_key=True, max_length=24)
    failures: int = 0  # in a row
    failure: str | None = Field(default=None, max_length=40)  # the last one's code
    closed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # nothing new is asked of it before then
    balance: int | None = Field(default=None, sa_type=sa.BigInteger)  # millionths of a US dollar
    balance_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Spending(Row, table=True):
    """What a provider charged on a day: sums, with nothing of anyone in them."""

    __tablename__ = "spending"

    day: datetime = Field(primary_key=True, sa_type=UtcDateTime)  # its midnight, UTC
    provider: str = Field(primary_key=True, max_length=24)
    model: str = Field(primary_key=True, max_length=64)
    charged: int = Field(default=0, sa_type=sa.BigInteger)  # millionths of a US dollar, as the provider said
    headshots: int = 0  # that were charged
    possible: int = Field(default=0, sa_type=sa.BigInteger)  # at list price, of what it may have taken
    doubtful: int = 0  # how many those are
