"""Work that rows want, the workers that do it, and when scheduled work is due and how it went."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row


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
    RECORDS = "records"  # ref: "-", by schedule: rows of people whose images are long gone, and what else is too old
    PROMISES = "promises"  # ref: "-", by schedule: every promise is measured


class Job(Row, table=True):
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


class WorkerBeat(Row, table=True):
    """A worker was alive then."""

    __tablename__ = "worker_beat"

    worker: str = Field(primary_key=True, max_length=60)
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class Tick(Row, table=True):
    """When scheduled work is next due. A missed tick becomes one run, not many."""

    __tablename__ = "tick"

    kind: JobKind = Field(primary_key=True, sa_type=Word(JobKind))
    next_at: datetime = Field(sa_type=UtcDateTime)


class Upkeep(Row, table=True):
    """How scheduled work went the last time that it came to its end. One row per kind."""

    __tablename__ = "upkeep"

    kind: JobKind = Field(primary_key=True, sa_type=Word(JobKind))
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime = Field(sa_type=UtcDateTime)
    well: bool
    figures: str = Field(sa_type=sa.Text)  # JSON: names and numbers
