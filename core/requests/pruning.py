"""
The register is kept for 24 months and then no longer: what was closed before that goes, with all that hangs on it.

Nothing personal has been in these rows since they were closed; what remains of them by then is a number, a kind and a
clock. Their receipts need no row: whoever has one can check it for as long as the key is known. Marks of mails stay
where the mail is still in the mailbox, since without its mark it would be read as a new one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from core import audit, made_up, telling
from core.models import MailIn, MailOut, Receipt, Request, RequestMessage
from core.services import Services
from core.sla import Period

KEPT_FOR_MONTHS: Final = 24
BATCH: Final = 500
REGISTER: Final = "register"
"""What the audit log names: a batch of requests has no id of its own."""


def prune(svc: Services, *, breath: Callable[[], None] = lambda: None) -> int:
    """Remove what is older, batch by batch, each told in its own transaction. How many requests."""
    removed = 0
    while batch := _prune_batch(svc, kept_from(svc.clock())):
        removed += batch
        breath()
    _remove_loose_mails(svc, kept_from(svc.clock()))
    return removed


def kept_from(now: datetime) -> datetime:
    """What was closed at this instant is the oldest that stays."""
    return Period(months=-KEPT_FOR_MONTHS).after(now)


def _prune_batch(svc: Services, oldest: datetime) -> int:
    with svc.transaction() as session:
        is_over = col(Request.closed_at) < oldest, made_up.is_real(Request.id)
        over = select(Request.id).where(*is_over).order_by(col(Request.closed_at), col(Request.id))
        ids = session.exec(over.limit(BATCH).with_for_update(skip_locked=True)).all()
        if ids:
            _remove(session, ids)
            pruned = audit.Action.REQUEST_PRUNED
            audit.record(session, pruned, REGISTER, at=svc.clock(), requests=len(ids))
    return len(ids)


def _remove(session: Session, ids: Sequence[str]) -> None:
    telling.forget(session, ids)
    for table in (RequestMessage, Receipt, MailOut):
        session.execute(sa.delete(table).where(_of(table, ids)))
    session.execute(sa.delete(MailIn).where(_of(MailIn, ids), col(MailIn.taken_from_mailbox_at).is_not(None)))
    session.execute(sa.update(MailIn).where(_of(MailIn, ids)).values(request_id=None))
    session.execute(sa.update(Request).where(col(Request.duplicate_of).in_(ids)).values(duplicate_of=None))
    session.execute(sa.delete(Request).where(col(Request.id).in_(ids)))


def _of(table: type[SQLModel], ids: Sequence[str]) -> Any:
    return table.__table__.c.request_id.in_(ids)  # type: ignore[attr-defined]


def _remove_loose_mails(svc: Services, oldest: datetime) -> None:
    """Rows of mails that never belonged to a request, once a person has seen to them."""
    is_over = col(MailIn.sealed_key).is_(None), col(MailIn.taken_from_mailbox_at).is_not(None)
    read_before = col(MailIn.read_at) < oldest
    with svc.transaction() as session:
        session.execute(sa.delete(MailIn).where(col(MailIn.request_id).is_(None), read_before, *is_over))
        session.execute(sa.delete(MailOut).where(col(MailOut.request_id).is_(None), col(MailOut.over_at) < oldest))
