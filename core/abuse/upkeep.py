"""What is done about reports by the schedule: telling people on duty, and removing what is too old."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from core import audit, telling
from core.abuse.terms import BLOCKS_KEPT, KEPT
from core.language import count
from core.models import AbuseKind, AbuseReport, Block, GlassView
from core.services import Services
from core.telling import Due, listed, page, tell_once

URGENT_FIRST: Final = (sa.case((col(AbuseReport.kind) == AbuseKind.CHILD, 0), else_=1), col(AbuseReport.due_at))
"""A child's first, then by what is due: no flood of others stands before it."""
BATCH: Final = 500
REGISTER: Final = "reports"
"""What the audit log names: a batch has no id of its own."""


# -------------------------------------------------------------------------------------------------------------- telling
def tell(svc: Services, now: datetime) -> int:
    """Tell people on duty of reports whose clock asks for it, and of a child's the moment it is there. How many."""
    still = select(AbuseReport).where(col(AbuseReport.closed_at).is_(None)).order_by(*URGENT_FIRST)
    is_childs = col(AbuseReport.kind) == AbuseKind.CHILD
    return tell_once(svc, now, AbuseReport, still, _words, told=audit.Action.ABUSE_TOLD, at_once=is_childs)


def _words(svc: Services, due: Sequence[Due[AbuseReport]], now: datetime) -> tuple[str, str]:
    children = sum(one.row.kind is AbuseKind.CHILD for one in due)
    title = f"WorkShot: {count(len(due), 'abuse report')} waiting" + (f", {children} of a child" if children else "")
    lines = listed([_line(one.row, now) for one in due])
    return title, "\n".join([*lines, *page(svc, "The reports", "ops_abuse")])


def _line(row: AbuseReport, now: datetime) -> str:
    overdue = ", overdue" if now > row.due_at else ""
    return f"{row.number} ({row.kind.value.replace('_', ' ')}): due {row.due_at:%d %b %Y, %H:%M} UTC{overdue}"


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
            telling.forget(session, ids)
            session.execute(sa.delete(AbuseReport).where(col(AbuseReport.id).in_(ids)))
            audit.record(session, audit.Action.ABUSE_PRUNED, REGISTER, at=svc.clock(), rows=len(ids))
    return len(ids)
