"""What is done about reports by the schedule: telling people on duty, and removing what is too old."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from core import audit, sla
from core.abuse.terms import BLOCKS_KEPT, KEPT
from core.language import count
from core.models import AbuseKind, AbuseReport, Block, GlassView
from core.services import Services

NEW: Final = "new"
URGENT_FIRST: Final = (sa.case((col(AbuseReport.kind) == AbuseKind.CHILD, 0), else_=1), col(AbuseReport.due_at))
"""A child's first, then by what is due: no flood of others stands before it."""
AT_ONCE: Final = 200
LISTED: Final = 10
BATCH: Final = 500
REGISTER: Final = "reports"
"""What the audit log names: a batch has no id of its own."""


# -------------------------------------------------------------------------------------------------------------- telling
@dataclass(frozen=True)
class _Due:
    report: AbuseReport
    threshold: str


def threshold_of(report: AbuseReport, now: datetime) -> str | None:
    """The most urgent that it has met. A child's is told of the moment it is there."""
    return sla.threshold_of(report.due_at, now) or (NEW if report.kind is AbuseKind.CHILD else None)


def tell(svc: Services, now: datetime) -> int:
    """Tell people on duty of reports whose clock asks for it, once for each threshold; the audit log remembers. Until
    somebody could be reached it is tried again. How many were told of."""
    if svc.notify is None:
        return 0
    with svc.reading() as session:
        is_open = col(AbuseReport.closed_at).is_(None)
        still = session.exec(select(AbuseReport).where(is_open).order_by(*URGENT_FIRST)).all()
        told = audit.told(session, audit.Action.ABUSE_TOLD, select(AbuseReport.id).where(is_open))
    close = ((report, threshold_of(report, now)) for report in still)
    due = [_Due(one, met) for one, met in close if met and (one.id, met) not in told][:AT_ONCE]
    if not due or not svc.notify.tell(*_words(svc, due, now)):
        return 0
    with svc.transaction() as session:
        for one in due:
            audit.record(session, audit.Action.ABUSE_TOLD, one.report.id, at=now, threshold=one.threshold)
    return len(due)


def _words(svc: Services, due: Sequence[_Due], now: datetime) -> tuple[str, str]:
    """Numbers, kinds and instants: it goes through chats and mailboxes of others."""
    children = sum(one.report.kind is AbuseKind.CHILD for one in due)
    title = f"WorkShot: {count(len(due), 'abuse report')} waiting" + (f", {children} of a child" if children else "")
    lines = [
        f"{one.report.number} ({one.report.kind.value.replace('_', ' ')}): due {one.report.due_at:%d %b %Y, %H:%M} UTC"
        + (", overdue" if now > one.report.due_at else "")
        for one in due[:LISTED]
    ]
    more = [f"and {len(due) - LISTED} more"] if len(due) > LISTED else []
    page = [f"The reports: {svc.settings.public_url}/ops_abuse"] if svc.settings.public_url else []
    return title, "\n".join([*lines, *more, *page])


# ------------------------------------------------------------------------------------------------------------- removing
def prune(svc: Services, *, breath: Callable[[], None] = lambda: None) -> int:
    """Remove reports twelve months after their end, with the looks that hang on them, and blocks thirty days after
    theirs; batch by batch, each told in its own transaction. How many reports."""
    removed = 0
    _prune_blocks(svc, svc.clock() - BLOCKS_KEPT)
    while batch := _prune_batch(svc, svc.clock() - KEPT):
        removed += batch
        breath()
    return removed


def _prune_blocks(svc: Services, before: datetime) -> None:
    with svc.transaction() as session:
        ended = sa.func.coalesce(col(Block.lifted_at), col(Block.until))
        gone = session.execute(sa.delete(Block).where(ended <= before))
        if gone.rowcount:  # type: ignore[attr-defined]
            now, blocks = svc.clock(), int(gone.rowcount)  # type: ignore[attr-defined]
            audit.record(session, audit.Action.ABUSE_PRUNED, "blocks", at=now, rows=blocks)


def _prune_batch(svc: Services, before: datetime) -> int:
    """No block outlives its report: it is made before the report closes, and lasts no longer than that is kept."""
    with svc.transaction() as session:
        over = select(AbuseReport.id).where(col(AbuseReport.closed_at) <= before)
        ids = session.exec(over.order_by(col(AbuseReport.closed_at)).limit(BATCH).with_for_update()).all()
        if ids:
            for table in (GlassView, Block):
                session.execute(sa.delete(table).where(col(table.report_id).in_(ids)))
            session.execute(sa.delete(AbuseReport).where(col(AbuseReport.id).in_(ids)))
            audit.record(session, audit.Action.ABUSE_PRUNED, REGISTER, at=svc.clock(), rows=len(ids))
    return len(ids)
