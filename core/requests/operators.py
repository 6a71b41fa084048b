"""
What people on duty do about a request.

Every deed reads the row under its lock and decides then: of two operators, two tabs or two presses, one does it and the
other is told. Whoever has a hand in a request takes it on, if nobody has: what nobody took was done without a human.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import audit, copies, correspondence, made_up, sla
from core.access import read_claim_code
from core.db import scrub
from core.errors import NotAllowed, NotFound, WorkShotError
from core.language import NAMES
from core.models import (
    Copy,
    Generation,
    JobKind,
    MatchedBy,
    MessageWay,
    Request,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    RequestState,
    Subject,
)
from core.queue import enqueue
from core.requests import answers
from core.requests.register import MOST_WORDS, begin_packing, match, opened_by, take_back
from core.requests.rows import NO_SUCH, address_of, hand_over, keep_words, lock_subject, shut, subject_of
from core.requests.tickets import Ticket, ticket
from core.services import Services

ABOUT: Final = timedelta(minutes=15)
"""How far somebody's memory of when a run was made may be off."""
PROVES: Final[Mapping[MatchedBy, str]] = {
    MatchedBy.SESSION: "It is the browser that made the photos.",
    MatchedBy.CLAIM_CODE: "They have the secret that only the owner of the photos was shown. Enough for everything.",
    MatchedBy.RUN_NUMBER: "They know the number of a run and about when it was made: they have seen the page, or a "
    "picture of it. Enough to erase; never enough to hand anything over.",
    MatchedBy.ORIGINAL_FILE: "They have the very file that was uploaded, byte for byte: the person, or somebody they "
    "gave it to. Enough to erase; never enough to hand anything over.",
}
_OPENS_NOTHING: Final = "This opens nothing. Check it with the requester; photos may also have been erased."
_ASKS: Final = ("ask_for_code", "ask_for_run")


# ---------------------------------------------------------------------------------------------------------- one request
@contextmanager
def _at_hand(
    svc: Services, request_id: str, actor: str, *, wants: JobKind | None = None
) -> Iterator[tuple[Session, Request]]:
    """An open request, locked. `wants`: work that the deed makes; the job comes before the row, as for the worker."""
    made_up.refuse(request_id)
    with svc.transaction() as session:
        if wants is not None:
            enqueue(session, wants, request_id, at=svc.clock())
        request = session.get(Request, request_id, with_for_update=True)
        if request is None:
            raise NotFound(NO_SUCH)
        if request.closed_at is not None:
            raise NotAllowed("This request is closed already.")
        if request.assignee is None:
            request.assignee = _id_of(actor)
        yield session, request
        session.add(request)


def _id_of(actor: str) -> str | None:
    role, _, operator_id = actor.partition(":")
    return operator_id if role == audit.OPERATOR else None


def _require_words(words: str) -> str:
    if not words.strip() or len(words) > MOST_WORDS:
        raise NotAllowed(f"Please write something, in fewer than {MOST_WORDS:,} letters.")
    return words.strip()


def each(ids: Iterable[str], deed: Callable[[str], object]) -> dict[str, str]:
    """The same deed for several requests: what stood in the way of each, "" where nothing did."""
    came_of_it = {}
    for request_id in dict.fromkeys(ids):
        try:
            deed(request_id)
        except WorkShotError as exc:
            came_of_it[request_id] = str(exc)
        else:
            came_of_it[request_id] = ""
    return came_of_it


# ------------------------------------------------------------------------------------------------------ who works on it
def take(svc: Services, ids: Iterable[str], actor: str) -> dict[str, str]:
    """Take what nobody has. What stood in the way of each, "" where nothing did."""
    return each(ids, lambda request_id: _take(svc, request_id, actor))


def _take(svc: Services, request_id: str, actor: str) -> None:
    made_up.refuse(request_id)
    with svc.transaction() as session:
        request = session.get(Request, request_id, with_for_update=True)
        if request is None or request.closed_at is not None:
            raise NotFound("This request is closed already." if request else NO_SUCH)
        if request.assignee == _id_of(actor):
            return
        if request.assignee is not None:
            raise NotAllowed("Somebody else works on this one.")
        _give(session, request, _id_of(actor), svc.clock(), actor)


def assign(svc: Services, request_id: str, operator_id: str | None, actor: str) -> Ticket:
    """Give a request to an operator, or back to everybody."""
    made_up.refuse(request_id)
    with svc.transaction() as session:
        request = session.get(Request, request_id, with_for_update=True)
        if request is None:
            raise NotFound(NO_SUCH)
        if request.closed_at is not None:
            raise NotAllowed("This request is closed already.")
        _give(session, request, operator_id, svc.clock(), actor)
        return ticket(session, request)


def _give(session: Session, request: Request, operator_id: str | None, now: datetime, actor: str) -> None:
    request.assignee = operator_id
    session.add(request)
    assigned = audit.Action.REQUEST_ASSIGNED
    audit.record(session, assigned, request.id, at=now, actor=actor, to=operator_id or "nobody")


# ----------------------------------------------------------------------------------------------------------- whose data
def match_claim_code(svc: Services, request_id: str, *, code: str, actor: str) -> Ticket:
    """Raises NotFound for a code that opens nothing, whatever the reason."""
    claim_hash = read_claim_code(code)
    return _match(
        svc, request_id, MatchedBy.CLAIM_CODE, actor, lambda s: opened_by(s, claim_hash) if claim_hash else None
    )


def match_run(svc: Services, request_id: str, *, run_number: str, about_when: datetime, actor: str) -> Ticket:
    """Raises NotFound, for a wrong number and a wrong time alike."""
    number = run_number.strip().upper()

    def find(session: Session) -> str | None:
        near = col(Generation.created_at).between(about_when - ABOUT, about_when + ABOUT)
        known = select(Generation.subject_id).join(Subject, col(Subject.id) == Generation.subject_id)
        nobody = col(Subject.is_canary).is_(False), made_up.is_real(Subject.id)
        return session.exec(known.where(Generation.number == number, near, *nobody)).first()

    return _match(svc, request_id, MatchedBy.RUN_NUMBER, actor, find)


def match_file(svc: Services, request_id: str, *, data: bytes, actor: str) -> Ticket:
    """The original file, compared by a keyed hash of its bytes and not kept. Raises NotFound; NotAllowed where several
    people have uploaded that file, so that it shows nothing."""
    this = copies.hash_of_original(svc, data)

    def find(session: Session) -> str | None:
        held = Copy.original_hash == this, col(Copy.gone_at).is_(None)
        theirs = session.exec(select(Copy.subject_id).where(*held).distinct().limit(2)).all()
        if len(theirs) > 1:
            raise NotAllowed("Several people have uploaded this file: it does not show whose photos are meant.")
        return theirs[0] if theirs else None

    return _match(svc, request_id, MatchedBy.ORIGINAL_FILE, actor, find)


def _match(svc: Services, request_id: str, by: MatchedBy, actor: str, find: Callable[[Session], str | None]) -> Ticket:
    made_up.refuse(request_id)
    with svc.reading() as session:
        subject_id = find(session)
    if subject_id is None:
        raise NotFound(_OPENS_NOTHING)
    with svc.transaction() as session:
        enqueue(session, JobKind.REQUEST, request_id, at=svc.clock())
        lock_subject(session, subject_id)
        request = session.get(Request, request_id, with_for_update=True)
        if request is None:
            raise NotFound(NO_SUCH)
        if request.closed_at is not None:
            raise NotAllowed("This request is closed already.")
        if request.matched_by is not None:
            raise NotAllowed("It is known already whose photos this is about.")
        request.assignee = request.assignee or _id_of(actor)
        match(session, request, subject_id, by, svc.clock(), actor=actor)
        matched = ticket(session, request)
    svc.wake()
    return matched


def unmatch(svc: Services, request_id: str, *, actor: str) -> Ticket:
    """An operator's match was a mistake, and nothing has begun. What a person proved by themselves stays proved."""
    with _at_hand(svc, request_id, actor) as (session, request):
        if request.matched_by is None or request.state not in (RequestState.UNDO, RequestState.OPEN):
            raise NotAllowed("There is nothing to undo: either nobody was matched, or the work has begun.")
        if not _by_operator(request):
            raise NotAllowed("The requester has shown it by themselves. They can take the request back.")
        led = request.subject_id if request.kind is RequestKind.ERASE else None
        request.state, request.start_at, request.matched_by, request.matched_at = RequestState.OPEN, None, None, None
        request.subject_id = request.duplicate_of = None
        session.add(request)
        matched = audit.Action.REQUEST_MATCHED
        audit.record(session, matched, request.id, at=svc.clock(), actor=actor, by="nobody")
        hand_over(session, request.id, led)
        return ticket(session, request)


def _by_operator(request: Request) -> bool:
    """Whether an operator has said whose data it is. A code that came with a mail speaks for itself."""
    if request.matched_by in (MatchedBy.RUN_NUMBER, MatchedBy.ORIGINAL_FILE):
        return True
    return request.matched_by is MatchedBy.CLAIM_CODE and request.channel is RequestChannel.HAND


def speak(svc: Services, request_id: str, language: str, *, actor: str) -> Ticket:
    """Write to the requester in this language from now on: a mail's was only a guess."""
    if language not in NAMES:
        raise NotAllowed("Letters are not written in this language here.")
    with _at_hand(svc, request_id, actor) as (session, request):
        if request.language != language:
            request.language = language
            spoken = audit.Action.REQUEST_LANGUAGE_SET
            audit.record(session, spoken, request.id, at=svc.clock(), actor=actor, language=language)
        return ticket(session, request)


# ------------------------------------------------------------------------------------------------------------- the work
def start(svc: Services, request_id: str, actor: str) -> Ticket:
    """Begin now: to erase what an operator has matched, or to pack a copy. Raises NotFound, NotAllowed."""
    with svc.reading() as session:
        kind = session.exec(select(Request.kind).where(Request.id == request_id)).first()
    job = JobKind.EXPORT if kind is RequestKind.COPY else JobKind.REQUEST
    now = svc.clock()
    with _at_hand(svc, request_id, actor, wants=job) as (session, request):
        if request.matched_by is None:
            raise NotAllowed("First find out whose photos this is about: by claim code, run, or original file.")
        if request.state is RequestState.WORKING:
            raise NotAllowed("The work on this request has begun already.")
        if request.kind is RequestKind.ERASE:
            _skip_the_undo(request, now)
        elif request.kind is RequestKind.COPY:
            _require_strong_proof(request)
            begin_packing(session, request, now, actor=actor)
        else:
            raise NotAllowed("A request of this kind is answered by writing to the requester.")
        begun = ticket(session, request)
    svc.wake()
    return begun


def _skip_the_undo(request: Request, now: datetime) -> None:
    if request.start_at is not None and request.start_at > now:
        if not _by_operator(request):
            raise NotAllowed("The requester can still take this back. It begins by itself in two minutes at most.")
        request.start_at = now


def _require_strong_proof(request: Request) -> None:
    if request.matched_by not in (MatchedBy.SESSION, MatchedBy.CLAIM_CODE):
        raise NotAllowed("A copy of everything is only for who has the claim code. Ask the requester for it.")


def retry(svc: Services, request_id: str, *, actor: str) -> Ticket:
    """Try again now what does not go on by itself. Storage is asked again at once, whatever it said last."""
    now = svc.clock()
    with svc.reading() as session:
        known = session.get(Request, request_id)
        if known is None:
            raise NotFound(NO_SUCH)
        subject_id = subject_of(session, known)
    job = JobKind.EXPORT if known.kind is RequestKind.COPY else JobKind.REQUEST
    with _at_hand(svc, request_id, actor, wants=job) as (session, request):
        if request.state is not RequestState.WORKING:
            raise NotAllowed("There is nothing to try again: the work on this request has not begun.")
        audit.record(session, audit.Action.REQUEST_RETRIED, request.id, at=now, actor=actor)
        tried = ticket(session, request)
    if subject_id is not None and known.kind is RequestKind.ERASE:
        with svc.transaction() as session:
            waits = col(Copy.subject_id) == subject_id, col(Copy.gone_at).is_(None), col(Copy.erase_by) <= now
            ids = session.exec(select(Copy.id).where(*waits).order_by(col(Copy.id)).with_for_update()).all()
            session.execute(sa.update(Copy).where(col(Copy.id).in_(ids)).values(probe_again_at=now))
            enqueue(session, JobKind.ERASE, subject_id, at=now)
    svc.wake()
    return tried


# ---------------------------------------------------------------------------------------------------------------- words
def note(svc: Services, request_id: str, text: str, actor: str) -> Ticket:
    """For other operators; goes with the request."""
    words = _require_words(text)
    with _at_hand(svc, request_id, actor) as (session, request):
        now = svc.clock()
        keep_words(session, svc, request, words, author=actor, at=now, way=MessageWay.NOTE)
        audit.record(session, audit.Action.REQUEST_NOTED, request.id, at=now, actor=actor)
        return ticket(session, request)


def reply(
    svc: Services, request_id: str, *, template: str, text: str = "", actor: str, press_id: str | None = None
) -> Ticket:
    """Write to the requester. One that asks them for something makes the request wait; the clock goes on."""
    with _at_hand(svc, request_id, actor) as (session, request):
        now = svc.clock()
        if template not in correspondence.TEMPLATES or not correspondence.TEMPLATES[template].by_hand:
            raise NotAllowed("Please choose one of the replies.")
        if template == "answer":
            _require_words(text)
        if address_of(svc, request) is None:
            raise NotAllowed("There is no address to write to. Use the way the request came by, and note that you did.")
        once = f"reply:{press_id or f'{request.id}:{template}:{now.timestamp()}'}"
        words = answers.write(session, svc, request, template, once=once, now=now, body=text.strip())
        if words is None:  # pressed twice
            return ticket(session, request)
        author, way = actor, MessageWay.OUT
        keep_words(session, svc, request, words, author=author, at=now, way=way, template=template)
        audit.record(session, audit.Action.REQUEST_REPLIED, request.id, at=now, actor=actor, template=template)
        if template in _ASKS and request.state is RequestState.OPEN:
            request.state, request.waiting_at = RequestState.WAITING, now
        if template == "answer" and request.kind is not RequestKind.ERASE:
            request.answered_at = request.answered_at or now
            request.done_at = request.answered_at
        return ticket(session, request)


def wait(svc: Services, request_id: str, *, actor: str) -> Ticket:
    """Nothing can be done before the requester says something. The clock goes on."""
    with _at_hand(svc, request_id, actor) as (session, request):
        if request.state is not RequestState.OPEN:
            raise NotAllowed("Only a request that is open can wait for the requester.")
        request.state, request.waiting_at = RequestState.WAITING, svc.clock()
        return ticket(session, request)


# ----------------------------------------------------------------------------------------------------------- other ends
def withdraw(svc: Services, request_id: str, *, actor: str) -> Ticket:
    """The requester takes it back, and tells support so. Raises NotAllowed once the work has begun."""
    with _at_hand(svc, request_id, actor) as (session, request):
        take_back(session, svc, request, svc.clock(), actor=actor)
        taken = ticket(session, request)
    scrub(svc.database)
    return taken


def refuse(svc: Services, request_id: str, *, ground: str, words: str = "", actor: str) -> Ticket:
    """Say no, why, and where to complain about it; and close. Raises NotAllowed."""
    if len(words) > MOST_WORDS:
        raise NotAllowed(f"Please use fewer than {MOST_WORDS:,} letters.")
    now = svc.clock()
    with _at_hand(svc, request_id, actor) as (session, request):
        if request.state is RequestState.WORKING:
            raise NotAllowed("The work on this request has begun: it cannot be refused any more.")
        if ground == "not_identified" and request.matched_by is not None:
            raise NotAllowed("It is known whose photos this is about. Please choose another ground.")
        answers.refused(session, svc, request, ground, words.strip(), now)
        audit.record(session, audit.Action.REQUEST_REFUSED, request.id, at=now, actor=actor, ground=ground)
        shut(session, request, RequestOutcome.REFUSED, now, actor=actor)
        hand_over(session, request.id, request.subject_id)
        refused = ticket(session, request)
    scrub(svc.database)
    svc.wake()
    return refused


def extend(svc: Services, request_id: str, *, reason: str, actor: str) -> Ticket:
    """Once, before the clock lapses, with notice; never for a request to erase. Raises NotAllowed."""
    words, now = _require_words(reason), svc.clock()
    with _at_hand(svc, request_id, actor) as (session, request):
        if request.extended_at is not None:
            raise NotAllowed("This clock was extended already, and that can be done once.")
        clock = sla.clock_named(request.clock)
        later = sla.extended(clock, request.received_at) if clock else None
        if request.kind is RequestKind.ERASE or later is None or later <= request.due_at:
            raise NotAllowed("This clock is never extended.")
        if now > request.due_at:
            raise NotAllowed("This clock has lapsed. It could only have been extended before.")
        if request.done_at is not None:
            raise NotAllowed("This request is answered already.")
        if address_of(svc, request) is None:
            raise NotAllowed("There is no address to give notice to, and without notice a clock is not extended.")
        request.extended_at, request.due_at = now, later
        answers.write(session, svc, request, "extended", once=f"extended:{request.id}", now=now, words=words)
        keep_words(session, svc, request, words, author=actor, at=now, way=MessageWay.OUT, template="extended")
        audit.record(session, audit.Action.REQUEST_EXTENDED, request.id, at=now, actor=actor)
        extended = ticket(session, request)
    svc.wake()
    return extended


def close(svc: Services, request_id: str, *, actor: str) -> Ticket:
    """All is said. A request to erase is closed by the proof, and by nothing else."""
    with _at_hand(svc, request_id, actor) as (session, request):
        if request.kind is RequestKind.ERASE:
            raise NotAllowed("A request to erase closes by itself once all is shown to be gone. It can be refused.")
        if request.answered_at is None:
            raise NotAllowed("Please answer the requester first.")
        shut(session, request, RequestOutcome.DONE, svc.clock(), actor=actor)
        closed = ticket(session, request)
    scrub(svc.database)
    return closed
