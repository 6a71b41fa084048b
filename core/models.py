"""
The tables. What we know of a person is erasable or not recorded.

Instants end in `_at` and are stored; states that time alone can change (due, overdue) are worked out from them.
A `copy` is one place where bytes of a person lie. Its row is written before the bytes and closed only by evidence:
the database itself refuses a `gone_at` without an evidence row, and an evidence row that is not a negative read.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from core.contracts import Contract
from core.db import UtcDateTime, Word
from core.ports import Presence


def new_id() -> str:
    return uuid4().hex


def _where(condition: str) -> dict[str, Any]:
    """For a partial index. PostgreSQL's is in the migration as well: naming it here loads its dialect at each start."""
    return {"sqlite_where": sa.text(condition)}


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
    CopyKind.PORTRAIT: "Your photo",
    CopyKind.CLOTHING: "Clothing picture",
    CopyKind.BACKDROP: "Backdrop picture",
    CopyKind.HEADSHOT: "Headshot",
    CopyKind.CANARY: "Test object",
    CopyKind.EXPORT: "Copy of your data",
}


class EraseReason(StrEnum):
    CONTRACT = "contract"  # its clock ran out
    ASKED = "asked"  # the person pressed Erase now
    RUN_OVER = "run_over"  # the run that needed it ended
    NOT_WANTED = "not_wanted"  # it arrived after its owner had left
    LOST = "lost"  # storage no longer had it
    DAMAGED = "damaged"  # what storage has does not open
    CANARY = "canary"


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


class Subject(SQLModel, table=True):
    """A person, as an opaque id. Exists from consent until the last copy is gone."""

    __tablename__ = "subject"
    __table_args__ = (
        sa.CheckConstraint(
            "(sealed_key IS NULL) = (key_destroyed_at IS NOT NULL)", name="ck_subject_key_is_kept_or_destroyed"
        ),
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


class Consent(SQLModel, table=True):
    """What a person agreed to, and which text they had read."""

    __tablename__ = "consent"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    subject_id: str = Field(foreign_key="subject.id", index=True, max_length=32)
    given_at: datetime = Field(sa_type=UtcDateTime)
    policy_version: str = Field(max_length=40)
    may_use_photo: bool
    is_adult: bool


class BrowserSession(SQLModel, table=True):
    """Which browser opens which subject. Holds the hash of a cookie, never the cookie."""

    __tablename__ = "browser_session"
    __table_args__ = (
        sa.Index("uq_browser_session_opens_one", "session_hash", unique=True, **_where("closed_at IS NULL")),
    )

    session_hash: str = Field(primary_key=True, max_length=64)
    subject_id: str = Field(primary_key=True, foreign_key="subject.id", max_length=32, index=True)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    by_claim_code: bool = False


class Evidence(SQLModel, table=True):
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


class Copy(SQLModel, table=True):
    """One place where bytes of a person lie, with its own clock."""

    __tablename__ = "copy"
    __table_args__ = (
        sa.ForeignKeyConstraint(["evidence_id", "id"], ["evidence.id", "evidence.copy_id"], name="fk_copy_evidence"),
        sa.CheckConstraint("(gone_at IS NULL) = (evidence_id IS NULL)", name="ck_copy_gone_needs_evidence"),
        sa.CheckConstraint("gone_at IS NULL OR erased_at IS NOT NULL", name="ck_copy_gone_after_erased"),
        sa.Index("ix_copy_due", "erase_by", **_where("gone_at IS NULL")),
        sa.Index("ix_copy_kept", "created_at", **_where("gone_at IS NULL")),
        sa.Index("ix_copy_asked", "erase_by", **_where("gone_at IS NULL AND probe_answer IS NOT NULL")),
        sa.Index("ix_copy_original", "original_hash", **_where("original_hash IS NOT NULL")),
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


class Generation(SQLModel, table=True):
    """One run: a portrait, choices, an engine, and 1 to 4 headshots."""

    __tablename__ = "generation"
    __table_args__ = (
        sa.Index("ix_generation_subject", "subject_id", "created_at"),
        sa.Index("ix_generation_clothing", "clothing_id", **_where("clothing_id IS NOT NULL")),
        sa.Index("ix_generation_backdrop", "backdrop_id", **_where("backdrop_id IS NOT NULL")),
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


class StageEvent(SQLModel, table=True):
    """When a run entered a stage. The last one is where it is now."""

    __tablename__ = "stage_event"

    id: int | None = Field(default=None, primary_key=True)
    generation_id: str = Field(foreign_key="generation.id", index=True, max_length=32)
    stage: str = Field(max_length=24)
    entered_at: datetime = Field(sa_type=UtcDateTime)


class HeadshotRow(SQLModel, table=True):
    """Which copy is which variant of a run. The key makes a doubled variant impossible."""

    __tablename__ = "headshot"

    generation_id: str = Field(primary_key=True, foreign_key="generation.id", max_length=32)
    variant: int = Field(primary_key=True, sa_type=sa.Integer)
    copy_id: str = Field(foreign_key="copy.id", unique=True, max_length=32)
    shift: float | None = None  # how much lighter (+) or darker (-) the skin is than in the photo, in CIE L*


class JobKind(StrEnum):
    GENERATE = "generate"  # ref: a generation
    ERASE = "erase"  # ref: a subject
    SWEEP = "sweep"  # ref: "-", by schedule
    RECONCILE = "reconcile"  # ref: "-", by schedule
    CANARY = "canary"  # ref: "-", by schedule
    REQUEST = "request"  # ref: a request
    EXPORT = "export"  # ref: a request
    MAIL_OUT = "mail_out"  # ref: a mail
    MAIL_IN = "mail_in"  # ref: "-", by schedule
    ALERTS = "alerts"  # ref: "-", by schedule
    PROVIDER = "provider"  # ref: a generation that a third party makes
    DRIFT = "drift"  # ref: a generation that a third party has made: its headshots are compared with its photo
    RESIDUE = "residue"  # ref: "-", by schedule: copies at third parties, and what they charge
    USAGE = "usage"  # ref: "-", by schedule: levels of the day, the weekly summary, what is too old
    PROMISES = "promises"  # ref: "-", by schedule: every promise is measured


class Job(SQLModel, table=True):
    """Work that a row wants. Holds a kind and an id, nothing else about anyone; gone when the work is done."""

    __tablename__ = "job"
    __table_args__ = (sa.Index("ix_job_ready", "kind", "run_at"),)

    kind: JobKind = Field(primary_key=True, sa_type=Word(JobKind))
    ref: str = Field(primary_key=True, max_length=32)
    run_at: datetime = Field(sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    token: int = 0  # one more with every claim: the fence
    tries: int = 0  # steps in a row that did not end well, kill -9 included
    wishes: int = 0  # how often the work was asked for; one more while it is under way means: once more


class AuditEntry(SQLModel, table=True):
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


class AuditCheckpoint(SQLModel, table=True):
    """A signed statement that the entry `seq` has this hash. Never removed."""

    __tablename__ = "audit_checkpoint"

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    hash: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
    key_id: str = Field(max_length=16)
    signature: str = Field(max_length=128)


class Role(StrEnum):
    SUPPORT = "support"
    FOUNDER = "founder"


class StaffLink(SQLModel, table=True):
    """A link that signs an operator in, once. Holds the hash of its token."""

    __tablename__ = "staff_link"

    token_hash: str = Field(primary_key=True, max_length=64)
    operator_id: str = Field(max_length=24)
    role: Role = Field(sa_type=Word(Role))
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignInWay(StrEnum):
    LINK = "link"
    OIDC = "oidc"


class OperatorSession(SQLModel, table=True):
    """Which browser an operator is signed in with. Holds the hash of a cookie, never the cookie."""

    __tablename__ = "operator_session"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    session_hash: str = Field(index=True, max_length=64)
    operator_id: str = Field(index=True, max_length=24)
    role: Role = Field(sa_type=Word(Role))
    way: SignInWay = Field(sa_type=Word(SignInWay))
    opened_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WorkerBeat(SQLModel, table=True):
    """A worker was alive then."""

    __tablename__ = "worker_beat"

    worker: str = Field(primary_key=True, max_length=60)
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class Tick(SQLModel, table=True):
    """When scheduled work is next due. A missed tick becomes one run, not many."""

    __tablename__ = "tick"

    kind: JobKind = Field(primary_key=True, sa_type=Word(JobKind))
    next_at: datetime = Field(sa_type=UtcDateTime)


class Upkeep(SQLModel, table=True):
    """How scheduled work went the last time that it came to its end. One row per kind."""

    __tablename__ = "upkeep"

    kind: JobKind = Field(primary_key=True, sa_type=Word(JobKind))
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    well: bool
    figures: str = Field(sa_type=sa.Text)  # JSON: names and numbers


class Switch(SQLModel, table=True):
    """Something that an operator has stopped. There is a row for as long as it is stopped."""

    __tablename__ = "switch"

    name: str = Field(primary_key=True, max_length=24)
    stopped_at: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(max_length=40)
    actor: str = Field(max_length=40)


class SweepHold(SQLModel, table=True):
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


class FindingRow(SQLModel, table=True):
    """What the last comparison of storage and rows found. `ref`: a copy, or the key of an object without one."""

    __tablename__ = "finding"

    kind: FindingKind = Field(primary_key=True, sa_type=Word(FindingKind))
    ref: str = Field(primary_key=True, max_length=1024)
    size: int = Field(sa_type=sa.BigInteger)
    detail: str = Field(max_length=60)
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)


class ForecastRow(SQLModel, table=True):
    """What goes when, as it was last counted: counting a million copies is nothing that a page could wait for."""

    __tablename__ = "forecast"

    name: str = Field(primary_key=True, max_length=24)
    counted_at: datetime = Field(sa_type=UtcDateTime)
    took_ms: int
    cells: str = Field(sa_type=sa.Text)  # JSON: days, kinds, contracts and numbers


class CanaryRun(SQLModel, table=True):
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


# ------------------------------------------------------------------------------------------------------- requests
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


class Request(SQLModel, table=True):
    """A deletion request, or another of its kind. Address and words lie sealed until it closes; the rest is the
    register. `received_at` never changes, `due_at` only by the one extension: triggers refuse anything else."""

    __tablename__ = "request"
    __table_args__ = (
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="ck_request_closed_with_an_outcome"),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="ck_request_state_closed"),
        sa.CheckConstraint("closed_at IS NULL OR sealed_key IS NULL", name="ck_request_closed_is_scrubbed"),
        sa.Index("ix_request_due", "due_at", **_where("closed_at IS NULL")),
        sa.Index("ix_request_received", "received_at"),
        # partial: of the empty ones there may be many, and they would make the index look useless to a planner
        sa.Index("ix_request_subject_id", "subject_id", **_where("subject_id IS NOT NULL")),
        sa.Index("ix_request_duplicate_of", "duplicate_of", **_where("duplicate_of IS NOT NULL")),
        sa.Index("ix_request_closed", "closed_at", **_where("closed_at IS NOT NULL")),
        sa.Index(
            "uq_request_one_active_erase", "subject_id", unique=True, **_where("kind = 'erase' AND closed_at IS NULL")
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    number: str = Field(unique=True, max_length=12)  # what a person can quote; says nothing about them
    press_id: str | None = Field(default=None, unique=True, max_length=64)  # one per press of a button
    kind: RequestKind = Field(sa_type=Word(RequestKind))
    channel: RequestChannel = Field(sa_type=Word(RequestChannel))
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


class RequestMessage(SQLModel, table=True):
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


class Receipt(SQLModel, table=True):
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


class MailState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    BOUNCED = "bounced"
    FAILED = "failed"  # refused for good, or tried for too long


class MailOut(SQLModel, table=True):
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


class Mailbox(SQLModel, table=True):
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


class MailIn(SQLModel, table=True):
    """A mail that was read. The mark (keyed hash of its identity) makes reading it twice impossible."""

    __tablename__ = "mail_in"
    __table_args__ = (
        sa.Index("ix_mail_in_unsorted", "received_at", **_where("sealed_key IS NOT NULL")),
        sa.Index("ix_mail_in_kept", "mailbox", "uid", **_where("taken_from_mailbox_at IS NULL")),
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


class Alert(SQLModel, table=True):
    """That people on duty were told of a request's clock, once for each threshold."""

    __tablename__ = "alert"

    request_id: str = Field(primary_key=True, foreign_key="request.id", max_length=32)
    threshold: str = Field(primary_key=True, max_length=12)  # "24h", "6h", "1h", "breached"
    at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int = 0
    again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


# ------------------------------------------------------------------------------------------------------ providers
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


class ProviderTask(SQLModel, table=True):
    """One variant of a run, as asked of a provider. Its id is the idempotency key of the request."""

    __tablename__ = "provider_task"
    __table_args__ = (
        sa.UniqueConstraint("generation_id", "variant", name="uq_provider_task_variant"),
        sa.CheckConstraint(
            "state NOT IN ('intent', 'taken', 'made', 'kept', 'unknown') OR sent_at IS NOT NULL",
            name="ck_provider_task_sent",
        ),
        sa.Index("ix_provider_task_under_way", "provider", "state", **_where("ended_at IS NULL")),
        sa.Index("ix_provider_task_sent", "provider", "sent_at", **_where("sent_at IS NOT NULL")),
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


class HandOverLink(SQLModel, table=True):
    """An address that serves one upload to a provider, once. Its secret is worked out from its id and never stored."""

    __tablename__ = "hand_over_link"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    task_id: str = Field(foreign_key="provider_task.id", index=True, max_length=40)
    copy_id: str = Field(foreign_key="copy.id", max_length=32)
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    served_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ProviderCopyKind(StrEnum):
    UPLOAD = "upload"  # what we uploaded there
    RESULT = "result"  # what it made


class ProviderCopy(SQLModel, table=True):
    """A place at a provider where bytes of a person lie, open to whoever knows its address, not ours to erase. The
    address is sealed under a key of its own, destroyed when it is gone: refused twice, a quarter of an hour apart."""

    __tablename__ = "provider_copy"
    __table_args__ = (
        sa.CheckConstraint("gone_at IS NULL OR refused_at IS NOT NULL", name="ck_provider_copy_refused_twice"),
        sa.CheckConstraint("gone_at IS NULL OR sealed_key IS NULL", name="ck_provider_copy_gone_is_scrubbed"),
        sa.Index("ix_provider_copy_probe", "probe_at", **_where("gone_at IS NULL")),
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


class ProviderHealth(SQLModel, table=True):
    """How a provider has answered lately. One row for each, shared by all workers."""

    __tablename__ = "provider_health"

    provider: str = Field(primary_key=True, max_length=24)
    failures: int = 0  # in a row
    failure: str | None = Field(default=None, max_length=40)  # the last one's code
    closed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # nothing new is asked of it before then
    balance: int | None = Field(default=None, sa_type=sa.BigInteger)  # millionths of a US dollar
    balance_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Spending(SQLModel, table=True):
    """What a provider charged on a day: sums, with nothing of anyone in them."""

    __tablename__ = "spending"

    day: datetime = Field(primary_key=True, sa_type=UtcDateTime)  # its midnight, UTC
    provider: str = Field(primary_key=True, max_length=24)
    model: str = Field(primary_key=True, max_length=64)
    charged: int = Field(default=0, sa_type=sa.BigInteger)  # millionths of a US dollar, as the provider said
    headshots: int = 0  # that were charged
    possible: int = Field(default=0, sa_type=sa.BigInteger)  # at list price, of what it may have taken
    doubtful: int = 0  # how many those are


# ---------------------------------------------------------------------------------------------------------- usage
class UsageCount(SQLModel, table=True):
    """How often something happened on a day. Belongs to nobody: there is no row per event, and no id in it."""

    __tablename__ = "usage_count"

    demo: bool = Field(default=False, primary_key=True)  # made up: never beside what was counted
    day: date = Field(primary_key=True)  # UTC
    metric: str = Field(primary_key=True, max_length=24)
    a: str = Field(primary_key=True, max_length=40)  # "": the metric has no dimension
    b: str = Field(primary_key=True, max_length=40)
    n: int = Field(sa_type=sa.BigInteger)


class UsageHour(SQLModel, table=True):
    """How often something happened in an hour of a day, without any dimension."""

    __tablename__ = "usage_hour"

    demo: bool = Field(default=False, primary_key=True)  # made up: never beside what was counted
    day: date = Field(primary_key=True)  # UTC
    hour: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    metric: str = Field(primary_key=True, max_length=24)
    n: int = Field(sa_type=sa.BigInteger)


class UsageLevel(SQLModel, table=True):
    """How much there was of something on a day, as it was seen last."""

    __tablename__ = "usage_level"

    demo: bool = Field(default=False, primary_key=True)  # made up: never beside what was counted
    day: date = Field(primary_key=True)  # UTC
    metric: str = Field(primary_key=True, max_length=24)
    a: str = Field(primary_key=True, max_length=40)
    value: int = Field(sa_type=sa.BigInteger)


class UsageBatch(SQLModel, table=True):
    """A batch of counts that was written. Whoever did not hear of it and writes it again finds its id; for two days."""

    __tablename__ = "usage_batch"

    id: str = Field(primary_key=True, max_length=32)
    day: date = Field(index=True)


class UsageSent(SQLModel, table=True):
    """What goes out once for each span of time: the weekly summary, a day's counts for a third party."""

    __tablename__ = "usage_sent"

    what: str = Field(primary_key=True, max_length=24)
    day: date = Field(primary_key=True)  # the first of the span
    at: datetime = Field(sa_type=UtcDateTime)


# ------------------------------------------------------------------------------------------------------- promises
class PromiseState(StrEnum):
    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # not measured, measured too long ago, or the measuring failed: never taken for kept


class PromiseCheck(SQLModel, table=True):
    """What was measured last of a promise. Figures and evidence are words without anything of anyone."""

    __tablename__ = "promise_check"

    promise: str = Field(primary_key=True, max_length=40)
    state: PromiseState = Field(sa_type=Word(PromiseState))
    figure: str = Field(max_length=200)  # JSON: what fills the sentence of this state, in any language
    evidence: str = Field(sa_type=sa.Text)  # JSON, likewise
    checked_at: datetime = Field(sa_type=UtcDateTime)
    took_ms: int = 0
    since: datetime = Field(sa_type=UtcDateTime)  # it is in this state without a break
    broken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # and not known to be kept since
    told: PromiseState | None = Field(default=None, sa_type=Word(PromiseState))  # what founders were told last
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PromiseDay(SQLModel, table=True):
    """How often on a day a promise was measured as what."""

    __tablename__ = "promise_day"

    day: date = Field(primary_key=True)  # UTC
    promise: str = Field(primary_key=True, max_length=40)
    state: PromiseState = Field(primary_key=True, sa_type=Word(PromiseState))
    n: int


class PolicyVersion(SQLModel, table=True):
    """A text of the policy that was in force, or will be. Never changed and never removed."""

    __tablename__ = "policy_version"

    version: str = Field(primary_key=True, max_length=40)  # a hash of all that it promises
    noted_at: datetime = Field(sa_type=UtcDateTime)
    effective_at: datetime = Field(sa_type=UtcDateTime, index=True)
    loosens: bool = False  # it promises less than the one before: announced, and not in force before its time
    numbers: str = Field(sa_type=sa.Text)  # canonical JSON: the bounds that it promises
    texts: str = Field(sa_type=sa.Text)  # canonical JSON: language → the whole text
