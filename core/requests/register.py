"""
Opening requests, and showing whose data they are about.

What proves it, the strongest first: the browser session that made the photos; their claim code, 128 bits that only
their owner was shown; the original file, byte for byte (a keyed hash, never a look at the face); a run's number
together with about when it was made. A code that opens nothing, was replaced or never existed is treated like no code
at all: same state, same reply, same words to support. Guessing a code is hopeless, so codes in mails are not counted
against anybody: a limit there could be used up by a stranger, and hold up the one who is right.
"""

import re
from datetime import datetime, timedelta
from typing import Final, Protocol

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import access, audit, sla
from core.db import scrub, take_turns
from core.errors import LimitReached, NotAllowed, NotFound
from core.models import (
    JobKind,
    MatchedBy,
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
from core.queue import enqueue
from core.requests import codes
from core.requests.tickets import Ticket, new_number, ticket
from core.services import Services

UNDO: Final = timedelta(minutes=2)
MOST_OPEN: Final = 20
"""Of one person at a time: more is somebody's finger on a button."""
OLDEST_BY_HAND: Final = timedelta(days=366)
MOST_WORDS: Final = 4_000
MOST_MAIL: Final = 20_000
"""Letters that are kept of a form, and of a mail."""
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,190}")
_BY_ITSELF = (MatchedBy.SESSION, MatchedBy.CLAIM_CODE)
_TOO_LONG = f"Please use fewer than {MOST_WORDS:,} letters."
NO_SUCH: Final = "There is no such request."


class Letter(Protocol):
    """What is needed of a mail."""

    @property
    def received_at(self) -> datetime: ...
    @property
    def sender(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def message_id(self) -> str | None: ...


# ------------------------------------------------------------------------------------------------------ in the product
def open_in_product(
    svc: Services,
    session_hash: str,
    *,
    kind: RequestKind,
    press_id: str,
    words: str = "",
    address: str = "",
    law: str | None = None,
) -> Ticket:
    """A request by the browser that made the photos. The same press twice is one request, and so are two tabs.

    Raises NotFound where this browser has no photos, NotAllowed, LimitReached.
    """
    clock, now = sla.clock_for(kind, law=law), svc.clock()
    if len(words) > MOST_WORDS:
        raise NotAllowed(_TOO_LONG)
    address = checked_address(address)
    with svc.transaction() as session:
        subject = _own_subject(session, session_hash)
        known = _same_press(session, press_id, subject.id) or _under_way(svc, session, subject.id, kind, address)
        if known is not None:
            return ticket(session, known)
        if kind is RequestKind.COPY and subject.sealed_key is None:
            raise NotFound("All that was here is erased: there is nothing left to copy.")
        _require_room(session, subject.id)
        request = _open(session, svc, kind, RequestChannel.PRODUCT, clock, received_at=now, now=now, press_id=press_id)
        _keep_address(svc, request, address)
        if words.strip():
            _keep_words(session, svc, request, words, author=audit.SUBJECT, at=now)
        match(session, request, subject.id, MatchedBy.SESSION, now, actor=audit.SUBJECT)
        opened = ticket(session, request)
    svc.wake()
    return opened


def _own_subject(session: Session, session_hash: str) -> Subject:
    """Locked: presses of one person come one after the other."""
    subject = access.current_subject(session, session_hash)
    if subject is None:
        raise NotFound("There are no photos here.")
    return lock_subject(session, subject.id)


def lock_subject(session: Session, subject_id: str) -> Subject:
    """From here to the commit nobody else shows that a request is about this subject."""
    return session.get_one(Subject, subject_id, with_for_update=True, populate_existing=True)


def _same_press(session: Session, press_id: str, subject_id: str) -> Request | None:
    known = session.exec(select(Request).where(Request.press_id == press_id)).first()
    if known is not None and subject_of(session, known) != subject_id:
        raise NotFound(NO_SUCH)
    return known


def _under_way(svc: Services, session: Session, subject_id: str, kind: RequestKind, address: str) -> Request | None:
    """The same wish in another tab. With an address of its own it is a request of its own: somebody else may wait."""
    if kind not in (RequestKind.ERASE, RequestKind.COPY):
        return None
    mine = Request.subject_id == subject_id, Request.kind == kind, col(Request.closed_at).is_(None)
    known = session.exec(select(Request).where(*mine).with_for_update()).first()
    if known is None or not address:
        return known
    if known.sealed_address is None:
        _keep_address(svc, known, address)
        session.add(known)
        return known
    return known if address_of(svc, known) == address else None


def _require_room(session: Session, subject_id: str) -> None:
    open_ones = col(Request.subject_id) == subject_id, col(Request.closed_at).is_(None)
    if session.exec(select(func.count()).select_from(Request).where(*open_ones)).one() >= MOST_OPEN:
        raise LimitReached("Several of your requests are being worked on. Please wait for the answers.")


def undo(svc: Services, session_hash: str, request_id: str) -> Ticket:
    """The person takes it back, as long as nothing has begun. Raises NotFound, NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        subject = access.current_subject(session, session_hash)
        request = session.get(Request, request_id, with_for_update=True)
        if subject is None or request is None or subject_of(session, request) != subject.id:
            raise NotFound(NO_SUCH)
        take_back(session, request, now, actor=audit.SUBJECT)
        taken = ticket(session, request)
    scrub(svc.database)
    return taken


def take_back(session: Session, request: Request, now: datetime, *, actor: str) -> None:
    if request.closed_at is not None:
        raise NotAllowed("This request is closed already.")
    if request.state is RequestState.WORKING:
        raise NotAllowed("The work on this request has begun: it cannot be taken back any more.")
    audit.record(session, audit.Action.REQUEST_WITHDRAWN, request.id, at=now, actor=actor)
    request.done_at = now
    shut(session, request, RequestOutcome.WITHDRAWN, now, actor=actor)
    hand_over(session, request, now)


# ---------------------------------------------------------------------------------------------------------- by e-mail
def open_from_mail(session: Session, svc: Services, mail: Letter, now: datetime) -> Request:
    """A mail that asks for deletion, in the transaction that notes that it was read.

    Its clock began when the mailbox got it. A mailbox whose own clock is ahead of ours gains no time by it.
    """
    clock, received_at = sla.clock_for(RequestKind.ERASE), min(mail.received_at, now)
    kind, channel = RequestKind.ERASE, RequestChannel.EMAIL
    request = _open(session, svc, kind, channel, clock, received_at=received_at, now=now)
    if _ADDRESS.fullmatch(mail.sender):
        _keep_address(svc, request, mail.sender)
    _keep_mail(session, svc, request, mail, same_address=True)
    _match_codes(session, svc, request, mail, now)
    return request


def add_reply(
    session: Session, svc: Services, request: Request, mail: Letter, *, same_address: bool, now: datetime
) -> None:
    """A mail that belongs to a request. A claim code in it counts, whoever sent it: the code is the proof."""
    enqueue(session, JobKind.REQUEST, request.id, at=now)
    row = session.get_one(Request, request.id, with_for_update=True, populate_existing=True)
    if row.closed_at is not None:
        return
    _keep_mail(session, svc, row, mail, same_address=same_address)
    if row.state is RequestState.WAITING:
        row.state, row.waiting_at = RequestState.OPEN, None
        session.add(row)
    _match_codes(session, svc, row, mail, now)


def _keep_mail(session: Session, svc: Services, request: Request, mail: Letter, *, same_address: bool) -> None:
    mark = svc.vault.keyed_hash("message-id", mail.message_id.encode()) if mail.message_id else None
    if mark and session.exec(select(RequestMessage.id).where(RequestMessage.message_hash == mark)).first():
        mark = None  # two mails that say they are one
    at, author = min(mail.received_at, request.entered_at), audit.SUBJECT
    at = max(at, request.received_at)
    _keep_words(session, svc, request, mail.text, author=author, at=at, mark=mark, same_address=same_address)


def _match_codes(session: Session, svc: Services, request: Request, mail: Letter, now: datetime) -> None:
    """What each code opens; a request for each of the further ones, as one has one subject."""
    for claim_hash in codes.claim_hashes(mail.text):
        subject_id = _opened_by(session, claim_hash)
        if subject_id is None or subject_id == subject_of(session, request):
            continue
        this = request if request.matched_by is None else _sibling(session, svc, request, now)
        lock_subject(session, subject_id)
        match(session, this, subject_id, MatchedBy.CLAIM_CODE, now, actor=audit.SUBJECT)


def _opened_by(session: Session, claim_hash: str) -> str | None:
    """The subject; the hash goes with its last copy, so a code of somebody erased is a code like any wrong one."""
    query = select(Subject.id).where(Subject.claim_hash == claim_hash, col(Subject.is_canary).is_(False))
    return session.exec(query).first()


def _sibling(session: Session, svc: Services, request: Request, now: datetime) -> Request:
    kind, received_at = request.kind, request.received_at
    clock = sla.clock_named(request.clock) or sla.clock_for(kind)
    sibling = _open(session, svc, kind, request.channel, clock, received_at=received_at, now=now)
    _keep_address(svc, sibling, address_of(svc, request) or "")
    session.add(sibling)
    return sibling


# ------------------------------------------------------------------------------------------------------------- by hand
def open_by_hand(
    svc: Services,
    *,
    kind: RequestKind,
    received_at: datetime,
    actor: str,
    address: str = "",
    words: str = "",
    law: str | None = None,
    press_id: str | None = None,
) -> Ticket:
    """A request that reached support in another way, as by phone, with the time it did. Raises NotAllowed."""
    clock, now = sla.clock_for(kind, law=law), svc.clock()
    if received_at.tzinfo is None or received_at > now:
        raise NotAllowed("The time of receipt lies in the future. Please look at it again: it cannot be changed later.")
    if received_at < now - OLDEST_BY_HAND:
        raise NotAllowed("The time of receipt is more than a year ago. Please look at it again.")
    if len(words) > MOST_WORDS:
        raise NotAllowed(_TOO_LONG)
    address = checked_address(address)
    with svc.transaction() as session:
        take_turns(session)
        known = press_id and session.exec(select(Request).where(Request.press_id == press_id)).first()
        if known:
            return ticket(session, known)
        channel = RequestChannel.HAND
        request = _open(
            session, svc, kind, channel, clock, received_at=received_at, now=now, press_id=press_id, actor=actor
        )
        _keep_address(svc, request, address)
        if words.strip():
            _keep_words(session, svc, request, words, author=audit.SUBJECT, at=received_at)
        session.add(request)
        return ticket(session, request)


# ------------------------------------------------------------------------------------------------------------ matching
def match(
    session: Session,
    request: Request,
    subject_id: str,
    by: MatchedBy,
    now: datetime,
    *,
    actor: str,
    at_once: bool = True,
) -> None:
    """It is shown whose data this is about: erasing begins after the undo, a copy is packed.

    The subject is locked by the caller. `at_once`: work that has no undo begins by itself.
    """
    request.matched_by, request.matched_at = by, now
    audit.record(session, audit.Action.REQUEST_MATCHED, request.id, at=now, actor=actor, by=by.value)
    if request.kind is RequestKind.ERASE:
        lead_or_follow(session, request, subject_id, now)
        request.state, request.start_at = RequestState.UNDO, now + UNDO
        enqueue(session, JobKind.REQUEST, request.id, at=request.start_at)
    else:
        request.subject_id = subject_id
        if request.kind is RequestKind.COPY and by in _BY_ITSELF and at_once:
            begin_packing(session, request, now, actor=actor)
        elif request.state is RequestState.WAITING:
            request.state, request.waiting_at = RequestState.OPEN, None
    session.add(request)
    session.flush()


def begin_packing(session: Session, request: Request, now: datetime, *, actor: str) -> None:
    request.state, request.waiting_at, request.started_at = RequestState.WORKING, None, request.started_at or now
    audit.record(session, audit.Action.REQUEST_STARTED, request.id, at=now, actor=actor)
    enqueue(session, JobKind.EXPORT, request.id, at=now)


def lead_or_follow(session: Session, request: Request, subject_id: str, now: datetime) -> None:
    """The first that is proved leads. The subject is locked by the caller: of two, the second sees the first."""
    leads = Request.subject_id == subject_id, Request.kind == RequestKind.ERASE, col(Request.closed_at).is_(None)
    leader = session.exec(select(Request).where(*leads, Request.id != request.id).with_for_update()).first()
    if leader is None:
        request.subject_id, request.duplicate_of = subject_id, None
    else:
        request.subject_id, request.duplicate_of = None, leader.id
        audit.record(session, audit.Action.REQUEST_LINKED, request.id, at=now)


def hand_over(session: Session, leader: Request, now: datetime) -> None:
    """One that led is out of the way: the first of those that followed leads, and the others follow it."""
    if leader.subject_id is None:
        return
    session.flush()  # there is one leader at any moment
    following = Request.duplicate_of == leader.id, col(Request.closed_at).is_(None)
    ids = session.exec(select(Request.id).where(*following).order_by(col(Request.matched_at), col(Request.id))).all()
    if not ids:
        return
    for request_id in ids:
        enqueue(session, JobKind.REQUEST, request_id, at=now)
    first, *others = ids
    lead = sa.update(Request).where(col(Request.id) == first)
    session.execute(lead.values(subject_id=leader.subject_id, duplicate_of=None))
    session.execute(sa.update(Request).where(col(Request.id).in_(others)).values(duplicate_of=first))


def subject_of(session: Session, request: Request) -> str | None:
    """Whose data it is about: its own subject, or that of the request that leads."""
    if request.duplicate_of is None:
        return request.subject_id
    return session.exec(select(Request.subject_id).where(Request.id == request.duplicate_of)).first()


# ------------------------------------------------------------------------------------------------------------- the row
def _open(
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
) -> Request:
    request_id = new_id()
    request = Request(
        id=request_id,
        number=new_number(),
        press_id=press_id,
        kind=kind,
        channel=channel,
        state=RequestState.OPEN,
        clock=clock.name,
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


def checked_address(address: str) -> str:
    """Raises NotAllowed for what is no address; nothing is fine."""
    address = address.strip()
    if address and not _ADDRESS.fullmatch(address):
        raise NotAllowed("This does not look like an e-mail address. Please check it.")
    return address


def _keep_address(svc: Services, request: Request, address: str) -> None:
    if address:
        request.sealed_address = svc.vault.seal_text(request, address)


def address_of(svc: Services, request: Request) -> str | None:
    if request.sealed_address is None or request.sealed_key is None:
        return None
    return svc.vault.open_text(request, request.sealed_address)


def _keep_words(
    session: Session,
    svc: Services,
    request: Request,
    words: str,
    *,
    author: str,
    at: datetime,
    mark: str | None = None,
    same_address: bool = True,
) -> None:
    kept = codes.without_codes(words)[:MOST_MAIL]
    session.add(
        RequestMessage(
            request_id=request.id,
            at=at,
            way=MessageWay.IN,
            author=author,
            same_address=same_address,
            message_hash=mark,
            sealed_body=svc.vault.seal_text(request, kept),
        )
    )
