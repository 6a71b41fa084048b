"""
Requests for those who look at them: a page, the totals, one in full.

However long the register is, a page costs the same: what is open is found by its due time, what is closed by when that
was, and every number is counted up to a bound. Nothing of the person leaves here but what `detail` gives to whoever
works on that one request: the address and the words, while it is open.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import access, audit
from core.errors import NotFound
from core.futures import count_up_to
from core.models import (
    AuditEntry,
    Copy,
    CopyKind,
    Generation,
    MailOut,
    MailState,
    MatchedBy,
    MessageWay,
    Receipt,
    Request,
    RequestChannel,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
)
from core.provider import residue
from core.requests.rows import NO_SUCH, address_of, subject_of
from core.requests.tickets import Ticket, ticket, tickets
from core.services import Services
from core.sla import DUE_SOON, Standing

COUNTED: Final = 2_000
"""As far as requests are counted."""
MEDIAN_OF: Final = 500
OPEN_STATES: Final = tuple(state for state in RequestState if state is not RequestState.CLOSED)
UNASSIGNED: Final = ""
Clause = sa.ColumnElement[bool]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which requests. Empty fields show everything, but for the states: what is open."""

    states: Sequence[RequestState] = OPEN_STATES
    kinds: Sequence[RequestKind] = ()
    channels: Sequence[RequestChannel] = ()
    assignee: str | None = None  # an operator's id; UNASSIGNED: nobody's
    search: str = ""  # the number of a ticket or of a run: looked for everywhere
    standing: Standing | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    items: list[Ticket]
    total: int
    capped: bool  # there are more than `total`


@dataclass(frozen=True, kw_only=True)
class Totals:
    """How the register stands. Shares and seconds are of this month (UTC), None where nothing was done in it."""

    breached: int
    due_soon: int
    on_track: int
    open: int
    met_this_month: int
    missed_this_month: int
    kept_share: float | None  # of what was done this month or is breached now, what was done in time
    zero_touch_share: float | None  # of what was erased, what no operator had a hand in
    median_seconds: float | None  # from receipt to proof, of what was erased; of the latest 500
    capped: bool  # some number is a bound, not a count


@dataclass(frozen=True)
class Moment:
    """A line of a timeline."""

    at: datetime
    says: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What was written. None: its words are gone with the request."""

    id: str
    at: datetime
    way: MessageWay
    author: str
    template: str | None
    same_address: bool
    text: str | None = field(repr=False)


@dataclass(frozen=True)
class WillGo:
    """What an erase takes: so many copies of a kind, there."""

    kind: CopyKind
    place: str
    copies: int
    bytes: int


@dataclass(frozen=True)
class Stays:
    """What no erase of ours takes: a copy at a third party, which only they can erase."""

    provider: str  # as people know it
    kind: str
    ends_at: datetime
    open_after_its_end: bool


@dataclass(frozen=True)
class Progress:
    """Of the copies that there were at the receipt or since."""

    copies: int
    erased: int
    gone: int


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail of ours about a request."""

    id: str
    purpose: str
    created_at: datetime
    state: MailState
    over_at: datetime | None
    failure: str | None


@dataclass(frozen=True, kw_only=True)
class Detail:
    """A request in full, for whoever works on it."""

    ticket: Ticket
    timeline: list[Moment]
    messages: list[Message]
    will_go: list[WillGo]
    stays_elsewhere: list[Stays]
    progress: Progress | None  # None: nobody knows yet whose data it is
    address: str | None = field(repr=False)
    receipt_ids: list[str]
    mails: list[Mail]


# ---------------------------------------------------------------------------------------------------------------- pages
def page(
    session: Session, which: Filter, *, now: datetime, page: int = 1, size: int = 50, at_most: int = COUNTED
) -> Page:
    """What is open, the most urgent first; then what is closed, the latest first. `at_most`: counted of each."""
    total, capped, items, skip = 0, False, list[Request](), (page - 1) * size
    for query in _queries(which, now):
        counted = count_up_to(session, query, at_most)
        if len(items) < size and (skip < counted.number or counted.is_more):
            some = query.offset(max(0, skip)).limit(size - len(items))
            items += session.execute(some).scalars()
        skip -= counted.number
        total, capped = total + counted.number, counted.is_more
        if capped:  # as far as anybody leafs; the rest is for filters and files
            break
    return Page(items=tickets(session, items), total=total, capped=capped)


def matching(session: Session, which: Filter, *, now: datetime, at_once: int = 500) -> Iterator[Ticket]:
    """All of them, for a file, in the order of `page` and in flat memory."""
    for query in _queries(which, now):
        found = session.execute(query, execution_options={"yield_per": at_once}).scalars()
        for some in found.partitions():
            yield from tickets(session, some)


def _queries(which: Filter, now: datetime) -> list[sa.Select[Any]]:
    """One for what is open and one for what is closed: each is read off its own index."""
    query = sa.select(Request)
    if which.search.strip():
        found = query.where(_is_sought(which.search)).order_by(col(Request.due_at), col(Request.id))
        return [found]
    where = [*_narrowed(which), *_stands(which.standing, now)]
    open_states = [state for state in which.states or RequestState if state is not RequestState.CLOSED]
    queries = []
    if open_states:
        still = [col(Request.closed_at).is_(None), *where]
        if len(open_states) < len(OPEN_STATES):
            still.append(col(Request.state).in_(open_states))
        queries.append(query.where(*still).order_by(col(Request.due_at), col(Request.id)))
    if not which.states or RequestState.CLOSED in which.states:
        over = col(Request.closed_at).is_not(None)
        queries.append(query.where(over, *where).order_by(col(Request.closed_at).desc(), col(Request.id)))
    return queries


def _is_sought(text: str) -> Clause:
    """Of that number, or about the person of the run of that number. Each way is found by an index of its own."""
    number = text.strip().upper()
    of_run = sa.select(col(Request.id)).join(Generation, col(Generation.subject_id) == col(Request.subject_id))
    leads = of_run.where(col(Generation.number) == number)
    follows = sa.select(col(Request.id)).where(col(Request.duplicate_of).in_(leads))
    return col(Request.id).in_(
        sa.union(sa.select(col(Request.id)).where(col(Request.number) == number), leads, follows)
    )


def _narrowed(which: Filter) -> list[Clause]:
    where: list[Clause] = []
    if which.kinds:
        where.append(col(Request.kind).in_(which.kinds))
    if which.channels:
        where.append(col(Request.channel).in_(which.channels))
    if which.assignee is not None:
        nobody = which.assignee == UNASSIGNED
        where.append(col(Request.assignee).is_(None) if nobody else col(Request.assignee) == which.assignee)
    return where


def _stands(standing: Standing | None, now: datetime) -> list[Clause]:
    """The same as `sla.standing`, for the database; a test holds the two together."""
    due, done = col(Request.due_at), col(Request.done_at)
    undone = done.is_(None)
    match standing:
        case None:
            return []
        case Standing.BREACHED:
            return [undone, due < now]
        case Standing.DUE_SOON:
            return [undone, due >= now, due <= now + DUE_SOON]
        case Standing.ON_TRACK:
            return [undone, due > now + DUE_SOON]
        case Standing.MET:
            return [done <= due]
        case Standing.MISSED:
            return [done > due]


def of_subject(session: Session, session_hash: str, now: datetime) -> list[Ticket]:
    """What this browser's person has asked for, the latest first. Requests that follow another one are not listed."""
    subject = access.current_subject(session, session_hash)
    if subject is None:
        return []
    mine = select(Request).where(Request.subject_id == subject.id)
    return tickets(session, session.exec(mine.order_by(col(Request.received_at).desc()).limit(100)).all())


# --------------------------------------------------------------------------------------------------------------- totals
def totals(session: Session, now: datetime) -> Totals:
    counted = {
        standing: count_up_to(
            session, sa.select(Request).where(col(Request.closed_at).is_(None), *_stands(standing, now)), COUNTED
        )
        for standing in (Standing.BREACHED, Standing.DUE_SOON, Standing.ON_TRACK)
    }
    all_open = count_up_to(session, sa.select(Request).where(col(Request.closed_at).is_(None)), COUNTED)
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    closed = col(Request.closed_at) >= start, col(Request.done_at).is_not(None)
    done, met, erased, untouched = session.execute(_month().where(*closed)).one()
    breached = counted[Standing.BREACHED].number
    return Totals(
        breached=breached,
        due_soon=counted[Standing.DUE_SOON].number,
        on_track=counted[Standing.ON_TRACK].number,
        open=all_open.number,
        met_this_month=met,
        missed_this_month=done - met,
        kept_share=met / (done + breached) if done + breached else None,
        zero_touch_share=untouched / erased if erased else None,
        median_seconds=_median(session, *closed),
        capped=all_open.is_more,
    )


_IS_ERASED = sa.and_(
    col(Request.kind) == RequestKind.ERASE,
    col(Request.outcome).in_((RequestOutcome.DONE, RequestOutcome.NOTHING_HELD, RequestOutcome.DUPLICATE)),
)
_IS_UNTOUCHED = sa.and_(col(Request.assignee).is_(None), col(Request.channel) != RequestChannel.HAND)
"""Whoever has a hand in a request takes it on (`operators`): nobody has taken this one."""


def _month() -> Any:
    """How much was done, in time, erased, and erased without a hand."""
    of_these = (col(Request.done_at) <= col(Request.due_at), _IS_ERASED, sa.and_(_IS_ERASED, _IS_UNTOUCHED))
    return sa.select(func.count(), *(func.count(sa.case((such, 1))) for such in of_these)).select_from(Request)


def _median(session: Session, *closed: Clause) -> float | None:
    """Seconds from receipt to proof, of the latest that were erased."""
    latest = sa.select(Request.received_at, Request.done_at).where(*closed, _IS_ERASED)  # type: ignore[call-overload]
    rows = session.execute(latest.order_by(col(Request.closed_at).desc()).limit(MEDIAN_OF)).all()
    return statistics.median((done - received).total_seconds() for received, done in rows) if rows else None


# ---------------------------------------------------------------------------------------------------------- one in full
def detail(svc: Services, request_id: str, now: datetime) -> Detail:
    """Raises NotFound."""
    with svc.reading() as session:
        request = session.get(Request, request_id)
        if request is None:
            raise NotFound(NO_SUCH)
        subject_id = subject_of(session, request)
        kept = _copies(session, subject_id) if subject_id else []
        messages = _messages(svc, session, request)
        mails = _mails(session, request)
        return Detail(
            ticket=ticket(session, request),
            timeline=_timeline(session, request),
            messages=messages,
            will_go=_will_go(kept) if request.kind is RequestKind.ERASE else [],
            stays_elsewhere=_stays(svc, session, subject_id) if subject_id else [],
            progress=_progress(kept, request.received_at) if subject_id else None,
            address=address_of(svc, request),
            receipt_ids=_receipts(session, request),
            mails=mails,
        )


def _copies(session: Session, subject_id: str) -> Sequence[Any]:
    wanted = ("kind", "place", "size", "created_at", "erased_at", "gone_at")
    query = sa.select(*(getattr(Copy, name) for name in wanted)).where(col(Copy.subject_id) == subject_id)
    return session.execute(query).all()


def _will_go(kept: Sequence[Any]) -> list[WillGo]:
    sizes: dict[tuple[CopyKind, str], list[int]] = {}
    for copy in kept:
        if copy.gone_at is None:
            sizes.setdefault((copy.kind, copy.place), []).append(copy.size)
    order = list(CopyKind)
    found = sorted(sizes.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    return [WillGo(kind, place, len(each), sum(each)) for (kind, place), each in found]


def _stays(svc: Services, session: Session, subject_id: str) -> list[Stays]:
    noted = (copy for copy in residue.of_subject(session, subject_id) if copy.gone_at is None)
    stays = [
        Stays(residue.title_of(svc, copy.provider), copy.kind.value, copy.expires_at, copy.open_at is not None)
        for copy in noted
    ]
    return sorted(stays, key=lambda stay: (stay.ends_at, stay.provider, stay.kind))


def _progress(kept: Sequence[Any], received_at: datetime) -> Progress:
    mine = [copy for copy in kept if copy.gone_at is None or copy.gone_at >= received_at]
    erased = sum(copy.erased_at is not None for copy in mine)
    return Progress(len(mine), erased, sum(copy.gone_at is not None for copy in mine))


_PROVED_BY = {
    MatchedBy.SESSION: "by the browser that made the photos",
    MatchedBy.CLAIM_CODE: "by claim code",
    MatchedBy.RUN_NUMBER: "by a run's number and its time",
    MatchedBy.ORIGINAL_FILE: "by the original file",
}
_TOLD_BY_ROW = {
    audit.Action.REQUEST_OPENED,
    audit.Action.REQUEST_MATCHED,
    audit.Action.REQUEST_STARTED,
    audit.Action.REQUEST_PROVED,
    audit.Action.REQUEST_EXTENDED,
    audit.Action.REQUEST_CLOSED,
}


def _timeline(session: Session, request: Request) -> list[Moment]:
    """What the row knows of itself, and what else the audit log tells, in order."""
    outcome = request.outcome.value.replace("_", " ") if request.outcome else ""
    matched = _PROVED_BY[request.matched_by] if request.matched_by else ""
    told = [
        (request.received_at, "Received", request.channel.value),
        (request.matched_at, "Matched", matched),
        (request.start_at if request.started_at or request.closed_at is None else None, "End of the undo", ""),
        (request.started_at, "Begun", ""),
        (request.erased_at, "Erased", ""),
        (request.proved_at, "Shown to be gone", ""),
        (request.extended_at, "Clock extended", "once"),
        (request.answered_at, "Answered", ""),
        (request.closed_at, "Closed", outcome),
    ]
    moments = [Moment(at, says, more) for at, says, more in told if at is not None]
    log = select(AuditEntry).where(AuditEntry.ref == request.id).order_by(col(AuditEntry.seq))
    moments += [
        Moment(entry.at, audit.says(entry.action), entry.actor)
        for entry in session.exec(log.limit(200))
        if entry.action not in _TOLD_BY_ROW
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _messages(svc: Services, session: Session, request: Request) -> list[Message]:
    query = select(RequestMessage).where(RequestMessage.request_id == request.id)
    rows = session.exec(query.order_by(col(RequestMessage.at)).limit(200))
    return [
        Message(
            id=row.id,
            at=row.at,
            way=row.way,
            author=row.author,
            template=row.template,
            same_address=row.same_address,
            text=svc.vault.open_text(request, row.sealed_body) if row.sealed_body and request.sealed_key else None,
        )
        for row in rows
    ]


def _receipts(session: Session, request: Request) -> list[str]:
    """Its own, or that of the request it followed; the latest revision first."""
    ids = [found for found in (request.id, request.duplicate_of) if found]
    query = select(Receipt.id).where(col(Receipt.request_id).in_(ids))
    return list(session.exec(query.order_by(col(Receipt.revision).desc())).all())


def _mails(session: Session, request: Request) -> list[Mail]:
    query = select(MailOut).where(MailOut.request_id == request.id).order_by(col(MailOut.created_at))
    return [
        Mail(
            id=row.id,
            purpose=row.purpose,
            created_at=row.created_at,
            state=row.state,
            over_at=row.over_at,
            failure=row.failure,
        )
        for row in session.exec(query)
    ]
