"""
Opening requests, and showing whose data they are about.

What proves it, the strongest first: the browser session that made the photos; their claim code, 128 bits that only
their owner was shown; the original file, byte for byte (a keyed hash, never a look at the face); a run's number
together with about when it was made. A code that opens nothing, was replaced or never existed is treated like no code
at all: same state, same reply, same words to support. Guessing a code is hopeless, so codes in mails are not counted
against anybody: a limit there could be used up by a stranger, and hold up the one who is right.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlmodel import Session, col, func, select

from core import access, audit, correspondence, made_up, sla
from core.db import scrub, take_turns
from core.errors import LimitReached, NotAllowed, NotFound
from core.language import ENGLISH, NAMES, _, current, number
from core.models import (
    JobKind,
    MatchedBy,
    Request,
    RequestChannel,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
    Subject,
)
from core.queue import enqueue
from core.requests import answers, codes
from core.requests.rows import (
    NO_SUCH,
    address_of,
    checked_address,
    hand_over,
    keep_address,
    keep_words,
    lead_or_follow,
    lock_subject,
    open_row,
    shut,
    subject_of,
)
from core.requests.tickets import Ticket, ticket
from core.services import Services
from core.usage import noting

UNDO: Final = timedelta(minutes=2)
MOST_OPEN: Final = 20
"""Of one person at a time: more is somebody's finger on a button."""
OLDEST_BY_HAND: Final = timedelta(days=366)
MOST_WORDS: Final = 4_000
"""Letters, of a form."""
BY_ITSELF: Final = (MatchedBy.SESSION, MatchedBy.CLAIM_CODE)
"""Proof enough for a copy of everything to be packed: the same opens the photos themselves."""


def _too_long() -> NotAllowed:
    return NotAllowed(_("Please use fewer than {most} letters.", most=number(MOST_WORDS)))


class Letter(Protocol):
    """What is needed of a mail."""

    @property
    def received_at(self) -> datetime: ...
    @property
    def sender(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def may_answer(self) -> bool: ...


# ------------------------------------------------------------------------------------------------------- in the product
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
        raise _too_long()
    address = checked_address(address)
    with svc.transaction() as session:
        subject = _own_subject(session, session_hash)
        known = _same_press(session, press_id, subject.id) or _under_way(svc, session, subject.id, kind, address)
        if known is not None:
            return ticket(session, known)
        if kind is RequestKind.COPY and subject.sealed_key is None:
            raise NotFound(_("All that was here is erased: there is nothing left to copy."))
        _require_room(session, subject.id)
        channel, speaks = RequestChannel.PRODUCT, current()
        request = open_row(
            session, svc, kind, channel, clock, received_at=now, now=now, press_id=press_id, language=speaks
        )
        keep_address(svc, request, address)
        if words.strip():
            keep_words(session, svc, request, words, author=audit.SUBJECT, at=now)
        match(session, request, subject.id, MatchedBy.SESSION, now, actor=audit.SUBJECT)
        noting.ticket_opened(session, request, subject.id, now)
        opened = ticket(session, request)
    svc.wake()
    return opened


def _own_subject(session: Session, session_hash: str) -> Subject:
    """Locked: presses of one person come one after the other."""
    subject = access.current_subject(session, session_hash)
    if subject is None:
        raise NotFound(_("There are no photos here."))
    return lock_subject(session, subject.id)


def _same_press(session: Session, press_id: str, subject_id: str) -> Request | None:
    known = session.exec(select(Request).where(Request.press_id == press_id)).first()
    if known is not None and subject_of(session, known) != subject_id:
        raise NotFound(_(NO_SUCH))
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
        keep_address(svc, known, address)
        session.add(known)
        return known
    return known if address_of(svc, known) == address else None


def _require_room(session: Session, subject_id: str) -> None:
    open_ones = col(Request.subject_id) == subject_id, col(Request.closed_at).is_(None)
    if session.exec(select(func.count()).select_from(Request).where(*open_ones)).one() >= MOST_OPEN:
        raise LimitReached(_("Several of your requests are being worked on. Please wait for the answers."))


def undo(svc: Services, session_hash: str, request_id: str) -> Ticket:
    """The person takes it back, as long as nothing has begun. Raises NotFound, NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        subject = access.current_subject(session, session_hash)
        request = session.get(Request, request_id, with_for_update=True)
        if subject is None or request is None or subject_of(session, request) != subject.id:
            raise NotFound(_(NO_SUCH))
        take_back(session, svc, request, now, actor=audit.SUBJECT)
        taken = ticket(session, request)
    scrub(svc.database)
    svc.wake()
    return taken


def begin_now(svc: Services, session_hash: str, request_id: str) -> Ticket:
    """The person does not want to wait for the end of the undo. Raises NotFound."""
    now = svc.clock()
    with svc.transaction() as session:
        enqueue(session, JobKind.REQUEST, request_id, at=now)  # the job before the row, as for the worker
        subject = access.current_subject(session, session_hash)
        request = session.get(Request, request_id, with_for_update=True)
        if subject is None or request is None or subject_of(session, request) != subject.id:
            raise NotFound(_(NO_SUCH))
        if request.state is RequestState.UNDO and request.start_at is not None:
            request.start_at = min(request.start_at, now)
            session.add(request)
        begun = ticket(session, request)
    svc.wake()
    return begun


def take_back(session: Session, svc: Services, request: Request, now: datetime, *, actor: str) -> None:
    if request.closed_at is not None:
        raise NotAllowed(_("This request is closed already."))
    if request.state is RequestState.WORKING:
        raise NotAllowed(_("The work on this request has begun: it cannot be taken back any more."))
    audit.record(session, audit.Action.REQUEST_WITHDRAWN, request.id, at=now, actor=actor)
    request.done_at = now
    answers.write(session, svc, request, "withdrawn", once=f"done:{request.id}", now=now)
    shut(session, request, RequestOutcome.WITHDRAWN, now, actor=actor)
    hand_over(session, request.id, request.subject_id)


# ------------------------------------------------------------------------------------------------------------ by e-mail
def open_from_mail(
    session: Session, svc: Services, mail: Letter, now: datetime, *, kind: RequestKind = RequestKind.ERASE
) -> Request:
    """A mail that asks for deletion, or for what an operator has read in it, in the transaction that notes that it was
    read.

    Its clock began when the mailbox got it. A mailbox whose own clock is ahead of ours gains no time by it.
    """
    clock, received_at, channel = sla.clock_for(kind), min(mail.received_at, now), RequestChannel.EMAIL
    speaks = mail.language
    request = open_row(session, svc, kind, channel, clock, received_at=received_at, now=now, language=speaks)
    with suppress(NotAllowed):  # a sender that nobody can write to
        keep_address(svc, request, checked_address(mail.sender))
    _keep_mail(session, svc, request, mail, same_address=True)
    _match_codes(session, svc, request, _all_of(mail), now, actor=audit.SUBJECT)
    noting.ticket_opened(session, request, subject_of(session, request), now)
    if request.matched_by is None and mail.may_answer:
        answers.ask_for_code(session, svc, request, now, reply_to=mail.message_id)
    return request


def add_reply(
    session: Session, svc: Services, request: Request, mail: Letter, *, same_address: bool, now: datetime
) -> None:
    """A mail that belongs to a request. A claim code in it counts, whoever sent it: the code is the proof."""
    made_up.refuse(request.id)
    if codes.claim_hashes(_all_of(mail)):
        enqueue(session, JobKind.REQUEST, request.id, at=now)  # job before row, as the worker does
    row = session.get_one(Request, request.id, with_for_update=True, populate_existing=True)
    if row.closed_at is not None:
        return
    _keep_mail(session, svc, row, mail, same_address=same_address)
    if row.state is RequestState.WAITING:
        row.state, row.waiting_at = RequestState.OPEN, None
        session.add(row)
    _match_codes(session, svc, row, _all_of(mail), now, actor=audit.SUBJECT)


def _all_of(mail: Letter) -> str:
    return f"{mail.subject}\n\n;\n{mail.text}"


def _keep_mail(session: Session, svc: Services, request: Request, mail: Letter, *, same_address: bool) -> None:
    mark = correspondence.message_hash(svc.vault, mail.message_id) if mail.message_id else None
    if mark and session.exec(select(RequestMessage.id).where(RequestMessage.message_hash == mark)).first():
        mark = None  # two mails that say they are one
    author, at = audit.SUBJECT, max(request.received_at, min(mail.received_at, svc.clock()))
    keep_words(session, svc, request, mail.text, author=author, at=at, mark=mark, same_address=same_address)


def _match_codes(session: Session, svc: Services, request: Request, text: str, now: datetime, *, actor: str) -> None:
    """What each code in a text opens; a request for each of the further ones, as one has one subject."""
    opened = {opened_by(session, claim_hash) for claim_hash in codes.claim_hashes(text)}
    for subject_id in sorted(filter(None, opened)):
        if subject_id == subject_of(session, request):
            continue
        this = request if request.matched_by is None else _sibling(session, svc, request, now)
        lock_subject(session, subject_id)
        match(session, this, subject_id, MatchedBy.CLAIM_CODE, now, actor=actor)
        if this is not request:
            noting.ticket_opened(session, this, subject_id, now)


def opened_by(session: Session, claim_hash: str) -> str | None:
    """Whose code it is. The hash goes with the last copy: a code of somebody erased is like any wrong one."""
    query = select(Subject.id).where(Subject.claim_hash == claim_hash, col(Subject.is_canary).is_(False))
    return session.exec(query).first()


def _sibling(session: Session, svc: Services, request: Request, now: datetime) -> Request:
    kind, channel, received_at, speaks = request.kind, request.channel, request.received_at, request.language
    clock = sla.clock_named(request.clock) or sla.clock_for(kind)
    sibling = open_row(session, svc, kind, channel, clock, received_at=received_at, now=now, language=speaks)
    keep_address(svc, sibling, address_of(svc, request) or "")
    session.add(sibling)
    return sibling


# -------------------------------------------------------------------------------------------------------------- by hand
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
    language: str = ENGLISH,
) -> Ticket:
    """A request that reached support in another way, as by phone, with the time it did. `language`: in which the
    requester is written to. Raises NotAllowed."""
    clock, now = sla.clock_for(kind, law=law), svc.clock()
    if received_at.tzinfo is None or received_at > now:
        raise NotAllowed("The time of receipt lies in the future. Please look at it again: it cannot be changed later.")
    if received_at < now - OLDEST_BY_HAND:
        raise NotAllowed("The time of receipt is more than a year ago. Please look at it again.")
    if language not in NAMES:
        raise NotAllowed("Letters are not written in this language here.")
    if len(words) > MOST_WORDS:
        raise _too_long()
    address = checked_address(address)
    with svc.transaction() as session:
        take_turns(session)
        known = press_id and session.exec(select(Request).where(Request.press_id == press_id)).first()
        if known:
            return ticket(session, known)
        channel = RequestChannel.HAND
        request = open_row(
            session,
            svc,
            kind,
            channel,
            clock,
            received_at=received_at,
            now=now,
            press_id=press_id,
            actor=actor,
            language=language,
        )
        keep_address(svc, request, address)
        if words.strip():
            keep_words(session, svc, request, words, author=audit.SUBJECT, at=received_at)
            _match_codes(session, svc, request, words, now, actor=actor)
        session.add(request)
        noting.ticket_opened(session, request, subject_of(session, request), now)
        opened = ticket(session, request)
    svc.wake()
    return opened


# ------------------------------------------------------------------------------------------------------------- matching
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

    The subject is locked by the caller.
    """
    request.matched_by, request.matched_at, request.waiting_at = by, now, None
    audit.record(session, audit.Action.REQUEST_MATCHED, request.id, at=now, actor=actor, by=by.value)
    if request.kind is RequestKind.ERASE:
        lead_or_follow(session, request, subject_id, now)
        request.state, request.start_at = RequestState.UNDO, now + UNDO
        enqueue(session, JobKind.REQUEST, request.id, at=request.start_at)
    else:
        request.subject_id = subject_id
        if request.kind is RequestKind.COPY and by in BY_ITSELF:
            begin_packing(session, request, now, actor=actor)
        else:
            request.state = RequestState.OPEN
    session.add(request)
    session.flush()


def begin_packing(session: Session, request: Request, now: datetime, *, actor: str) -> None:
    request.state, request.waiting_at, request.started_at = RequestState.WORKING, None, request.started_at or now
    audit.record(session, audit.Action.REQUEST_STARTED, request.id, at=now, actor=actor)
    enqueue(session, JobKind.EXPORT, request.id, at=now)
