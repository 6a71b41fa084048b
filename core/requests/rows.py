"""
The row of a request: opened, linked, sealed, shut. What everything else in this package is made of.

Everybody locks in one order, so that nobody waits for each other in a circle: the job, the subject, the request, the
request that leads.
"""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import access, addresses, audit, sla
from core.language import ENGLISH, N_
from core.models import (
    MessageWay,
    Request,
    RequestChannel,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
    Subject,
    new_id,
)
from core.requests import codes
from core.services import Services
from core.usage import noting

NO_SUCH: Final = N_("There is no such request.")
MOST_KEPT: Final = 20_000
"""Letters of a mail."""


def open_row(
    session: Session,
    svc: Services,
    kind: RequestKind,
    channel: RequestChannel,
    clock: sla.Clock,
    *,
    received_at: datetime,
    now: datetime,
    press_id: str | None = None,
    actor: str = audit.SUBJECT,
    language: str = ENGLISH,
) -> Request:
    request_id = new_id()
    request = Request(
        id=request_id,
        number=access.new_number("D"),
        press_id=press_id,
        kind=kind,
        channel=channel,
        state=RequestState.OPEN,
        clock=clock.name,
        language=language,
        received_at=received_at,
        entered_at=now,
        due_at=sla.due_at(clock, received_at),
        sealed_key=svc.vault.make_key(request_id),
    )
    session.add(request)
    session.flush()
    facts = {"kind": kind.value, "channel": channel.value}
    audit.record(session, audit.Action.REQUEST_OPENED, request.id, at=now, actor=actor, **facts)
    return request


def shut(
    session: Session, request: Request, outcome: RequestOutcome, now: datetime, *, actor: str = audit.SYSTEM
) -> None:
    """Closed and scrubbed, in one: whatever was personal about it cannot be read from here on."""
    request.state, request.outcome, request.closed_at = RequestState.CLOSED, outcome, now
    request.sealed_key = request.sealed_address = request.trouble = request.waiting_at = None
    session.add(request)
    words = sa.update(RequestMessage).where(col(RequestMessage.request_id) == request.id)
    session.execute(words.values(sealed_body=None))
    closed = audit.Action.REQUEST_CLOSED
    audit.record(session, closed, request.id, at=now, actor=actor, outcome=outcome.value)
    noting.ticket_closed(session, request, outcome, subject_of(session, request), now)


def checked_address(text: str) -> str:
    """An address that we can write to, or nothing for nothing. Raises NotAllowed."""
    return addresses.address(text) if text.strip() else ""


def keep_address(svc: Services, request: Request, address: str) -> None:
    if address:
        request.sealed_address = svc.vault.seal_text(request, address)


def address_of(svc: Services, request: Request) -> str | None:
    if request.sealed_address is None or request.sealed_key is None:
        return None
    return svc.vault.open_text(request, request.sealed_address)


def keep_words(
    session: Session,
    svc: Services,
    request: Request,
    words: str,
    *,
    author: str,
    at: datetime,
    mark: str | None = None,
    same_address: bool = True,
    way: MessageWay = MessageWay.IN,
    template: str | None = None,
) -> None:
    kept = codes.without_codes(words[: codes.MOST_LETTERS])[:MOST_KEPT]  # cut last: half a code is a secret, too
    session.add(
        RequestMessage(
            request_id=request.id,
            at=at,
            way=way,
            author=author,
            template=template,
            same_address=same_address,
            message_hash=mark,
            sealed_body=svc.vault.seal_text(request, kept),
        )
    )


# --------------------------------------------------------------------------------------------- one leads, others follow
def lock_subject(session: Session, subject_id: str) -> Subject:
    """From here to the commit nobody else shows that a request is about this subject."""
    return session.get_one(Subject, subject_id, with_for_update=True, populate_existing=True)


def lead_or_follow(session: Session, request: Request, subject_id: str, now: datetime) -> None:
    """The first that is proved leads. The subject is locked by the caller: of two, the second sees the first."""
    leads = Request.subject_id == subject_id, Request.kind == RequestKind.ERASE, col(Request.closed_at).is_(None)
    leader = session.exec(select(Request).where(*leads, Request.id != request.id).with_for_update()).first()
    if leader is None:
        request.subject_id, request.duplicate_of = subject_id, None
    else:
        request.subject_id, request.duplicate_of = None, leader.id
        audit.record(session, audit.Action.REQUEST_LINKED, request.id, at=now)


def hand_over(session: Session, leader_id: str, subject_id: str | None) -> None:
    """One that led is out of the way: the first of those that followed leads, and the others follow it.

    Each of them has a job of its own that looks again by itself; waking it here would be a lock out of order.
    """
    if subject_id is None:  # it followed one itself, or nobody knew whose data it was about
        return
    session.flush()  # there is one leader at any moment
    following = Request.duplicate_of == leader_id, col(Request.closed_at).is_(None)
    ids = session.exec(select(Request.id).where(*following).order_by(col(Request.matched_at), col(Request.id))).all()
    if not ids:
        return
    first, *others = ids
    lead = sa.update(Request).where(col(Request.id) == first)
    session.execute(lead.values(subject_id=subject_id, duplicate_of=None))
    session.execute(sa.update(Request).where(col(Request.id).in_(others)).values(duplicate_of=first))


def subject_of(session: Session, request: Request) -> str | None:
    """Whose data it is about: its own subject, or that of the request that leads."""
    if request.duplicate_of is None:
        return request.subject_id
    return session.exec(select(Request.subject_id).where(Request.id == request.duplicate_of)).first()
