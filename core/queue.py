"""
The queue: who may work on which row now, and the fence that keeps a late worker from writing.

A job says only that a row wants work; the row is the truth. A claim takes the job for as long as its lease is renewed.
Whoever died is followed by another when the lease ends, and whoever merely stalled finds that its token is old:
every write about a job goes through `Claim.transaction`, which commits only while the claim still holds.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core.db import UtcDateTime, upsert
from core.models import Job, JobKind, ProviderTask
from core.services import Services

CHANNEL = "workshot_job"
"""On PostgreSQL every wish is announced here by its kind, so that workers on any machine look at once."""


class LeaseLost(Exception):
    """Another worker has this job now. Whatever we were about to write must not be written."""


def enqueue(session: Session, kind: JobKind, ref: str, *, at: datetime) -> None:
    """In the caller's transaction: the work is wanted if and only if the caller commits. Earlier of two wishes wins."""
    dialect = session.get_bind().dialect.name
    wish = upsert(dialect, Job).values(kind=kind, ref=ref, run_at=at, token=0, tries=0, wishes=1)
    earlier = sa.case((col(Job.run_at) < wish.excluded.run_at, col(Job.run_at)), else_=wish.excluded.run_at)
    changes = {"run_at": earlier, "wishes": col(Job.wishes) + 1}
    wish = wish.on_conflict_do_update(index_elements=["kind", "ref"], set_=changes)
    if dialect == "postgresql":  # heard when the caller commits, and only then
        said = wish.returning(col(Job.ref)).cte("wish")
        wish = sa.select(sa.func.pg_notify(CHANNEL, kind.value)).add_cte(said)
    session.execute(wish)


def enqueue_run(session: Session, run_id: str, *, at: datetime) -> None:
    """A run wants work: of this server, or of the third party that it was planned with."""
    planned = session.exec(select(ProviderTask.id).where(ProviderTask.generation_id == run_id).limit(1)).first()
    enqueue(session, JobKind.PROVIDER if planned else JobKind.GENERATE, run_id, at=at)


KEPT_FOR_NOW = 4
"""A lease of which no more than one part of so many has passed need not be renewed yet."""


@dataclass(eq=False)
class Claim:
    """The right to work on one row, until the lease ends or the job is settled."""

    svc: Services
    kind: JobKind
    ref: str
    token: int
    tries: int  # 1 for the first
    wishes: int  # how often the work had been asked for when it was claimed
    kept_at: datetime  # when its lease last began

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that commits only while this claim holds. Raises LeaseLost."""
        with self.svc.transaction() as session:
            now = self.svc.clock()
            self._update(session, lease_until=now + self.svc.settings.lease)
            yield session
        self.kept_at = now

    def renew(self) -> None:
        """May be called as often as one likes. Raises LeaseLost."""
        if not timedelta(0) <= self.svc.clock() - self.kept_at < self.svc.settings.lease / KEPT_FOR_NOW:
            with self.transaction():
                pass

    def done(self, session: Session) -> None:
        """The row wants no more work, unless somebody asked for more while we were at it."""
        settled = session.execute(sa.delete(Job).where(*self._mine(), col(Job.wishes) == self.wishes))
        if _rows(settled) == 0:
            self._update(session, lease_until=None, tries=0)

    def again(self, session: Session, *, after: timedelta, failed: bool = False) -> None:
        """The row wants work later. Whoever asked for it while we were at it is not made to wait."""
        now = self.svc.clock()
        asked_again = col(Job.wishes) != self.wishes
        run_at = sa.case((asked_again, sa.literal(now, UtcDateTime())), else_=sa.literal(now + after, UtcDateTime()))
        values: dict[str, Any] = {"lease_until": None, "run_at": run_at}
        self._update(session, **values if failed else values | {"tries": 0})

    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return col(Job.kind) == self.kind, col(Job.ref) == self.ref, col(Job.token) == self.token

    def _update(self, session: Session, **values: Any) -> None:
        if _rows(session.execute(sa.update(Job).where(*self._mine()).values(**values))) != 1:
            raise LeaseLost


def claim(svc: Services, kinds: Collection[JobKind]) -> Claim | None:
    """The most overdue job of these kinds that nobody holds, or None."""
    now = svc.clock()
    ready = (
        sa.select(col(Job.kind), col(Job.ref))
        .where(
            col(Job.kind).in_(kinds),
            col(Job.run_at) <= now,
            sa.or_(col(Job.lease_until).is_(None), col(Job.lease_until) <= now),
        )
        .order_by(col(Job.run_at))
        .limit(1)
    )
    if svc.database.dialect.name == "sqlite":  # look before asking for its one write lock
        with svc.reading() as session:
            if session.execute(ready).first() is None:
                return None
    first = ready.with_for_update(skip_locked=True).cte("first")
    taken = (
        sa.update(Job)
        .where(*(getattr(Job, key) == sa.select(first.c[key]).scalar_subquery() for key in ("kind", "ref")))
        .values(lease_until=now + svc.settings.lease, token=col(Job.token) + 1, tries=col(Job.tries) + 1)
        .returning(col(Job.kind), col(Job.ref), col(Job.token), col(Job.tries), col(Job.wishes))
    )
    with svc.transaction() as session:
        job = session.execute(taken).first()
    if job is None:
        return None
    return Claim(svc, job.kind, job.ref, job.token, job.tries, job.wishes, kept_at=now)


def _rows(result: Any) -> int:
    return int(result.rowcount)
