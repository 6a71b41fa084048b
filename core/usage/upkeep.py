"""
Upkeep of usage, once an hour: what there is of something today, and what is too old.

Bytes in the vault are a level, not anybody's doing: sums over everybody, by kind, as any look at the disk would tell.
What goes out (the summary, a third party that is agreed to) is seen to last, so that nobody who cannot be reached
holds up the rest.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func

from core import made_up
from core.db import upsert
from core.logs import outline
from core.models import Copy, CopyKind, ProviderHealth, UsageCount, UsageHour, UsageLevel, UsageSent
from core.queue import Claim
from core.services import Services
from core.usage.metrics import Level
from core.usage.periods import later

log = logging.getLogger(__name__)

MONTHS_KEPT: Final = 72
"""Before the one that is under way: the longest period that a page shows, three years, and the three before it."""


def step(svc: Services, job: Claim) -> None:
    """The job of the schedule."""
    tend(svc, breath=job.renew)
    with job.transaction() as session:
        job.done(session)


def tend(
    svc: Services,
    *,
    breath: Callable[[], None] = lambda: None,
    senders: Iterable[Callable[[Services], None]] | None = None,
) -> None:
    note_levels(svc)
    prune(svc)
    for send_due in _senders() if senders is None else senders:
        breath()
        try:
            send_due(svc)
        except Exception as exc:  # the next hour tries again; a failure of one says nothing about the other
            log.warning("usage was not sent: %s", outline(exc))


def _senders() -> Iterable[Callable[[Services], None]]:
    from core.usage import ga4, summary  # nothing that a start has to wait for

    return summary.send_due, ga4.send_due


# -------------------------------------------------------------------------------------------------------------- levels
def note_levels(svc: Services) -> None:
    """As it is now; the last look of a day is what stays of it."""
    today = svc.clock().astimezone(UTC).date()
    with svc.reading() as session:
        seen = [*_stored(session), *_balances(session)]
    rows = [{"demo": False, "day": today, "metric": level.value, "a": a, "value": n} for level, a, n in seen]
    row = upsert(svc.database.dialect.name, UsageLevel)
    key = ["demo", "day", "metric", "a"]
    with svc.transaction() as session:
        session.connection().execute(
            row.on_conflict_do_update(index_elements=key, set_={"value": row.excluded.value}), rows
        )


def _stored(session: Session) -> list[tuple[Level, str, int]]:
    """Bytes by kind, also of kinds of which there are none. Neither canaries nor what is made up."""
    held = col(Copy.gone_at).is_(None), col(Copy.written_at).is_not(None), made_up.is_real(Copy.id)
    sums = sa.select(col(Copy.kind), func.sum(Copy.size)).where(*held).group_by(col(Copy.kind))
    known = {kind: int(size) for kind, size in session.execute(sums)}
    return [(Level.STORED, kind.value, known.get(kind, 0)) for kind in CopyKind if kind is not CopyKind.CANARY]


def _balances(session: Session) -> list[tuple[Level, str, int]]:
    """What third parties said that is left; of one without a limit there is nothing to tell."""
    told = sa.select(col(ProviderHealth.provider), col(ProviderHealth.balance)).where(
        col(ProviderHealth.balance).is_not(None)
    )
    return [(Level.BALANCE, provider, int(left)) for provider, left in session.execute(told)]


# ------------------------------------------------------------------------------------------------------------- pruning
def prune(svc: Services) -> int:
    """Remove months that are older than anybody looks at: whole ones, as only whole ones are ever shown. How many
    rows."""
    first = first_kept(svc.clock())
    removed = 0
    with svc.transaction() as session:
        for table in (UsageCount, UsageHour, UsageLevel, UsageSent):
            removed += _remove(session, table, first)
    return removed


def first_kept(now: datetime) -> date:
    return later(now.astimezone(UTC).date(), -MONTHS_KEPT)


def _remove(session: Session, table: Any, first: date) -> int:
    gone = session.execute(sa.delete(table).where(col(table.day) < first))
    return int(gone.rowcount)  # type: ignore[attr-defined]
