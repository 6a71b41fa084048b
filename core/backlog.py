"""
The backlog: what retention has not done yet, and why; a page of it at a time, and what an operator can do about it.

Ids, kinds, sizes and clocks: never a picture. Nothing here has a way out of its own: erasing, asking storage again and
mending go through `retention` and `reconcile`, which read each row again right before they act. An operator's wish is
in the audit log before it is carried out.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, Self

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import audit, erasing, made_up, reconcile, retention
from core.errors import WorkShotError
from core.futures import DAY, LATE, Count, count_up_to, is_unproved, of_people
from core.models import Copy, CopyKind, EraseReason, FindingKind, FindingRow, Generation, HeadshotRow
from core.reconcile import Mend
from core.retention import Outcome
from core.services import Services

PAGE = 50
LEAFED = 1_000
"""As many can be leafed through; whoever wants the rest filters, or takes the CSV."""
EXPORTED = 100_000
AT_ONCE = 20
ASK_BEFORE = 10
"""More than so many at once want a typed word."""
COLUMNS = ("id", "queue", "kind", "size", "added", "erase_by", "erased", "why", "probes", "ask_again", "gone")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


class Queue(StrEnum):
    """What a copy waits for. It may be in several: what is blocked or unproved for long is overdue as well."""

    COMING = "coming"
    DUE = "due"
    OVERDUE = "overdue"
    BLOCKED = "blocked"
    UNPROVED = "unproved"
    UNTRACKED = "untracked"
    MISSING = "missing"
    MISMATCH = "mismatch"
    ZOMBIE = "zombie"

    @property
    def finding(self) -> FindingKind | None:
        """What a comparison of storage and rows found; None: told by the rows alone."""
        return _FINDINGS.get(self)


_FINDINGS = {
    Queue.UNTRACKED: FindingKind.UNTRACKED,
    Queue.MISSING: FindingKind.MISSING,
    Queue.MISMATCH: FindingKind.MISMATCH,
    Queue.ZOMBIE: FindingKind.ZOMBIE,
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which part of the backlog. An id is looked for everywhere, in queues or not."""

    queue: Queue = Queue.DUE
    kind: CopyKind | None = None
    id: str = ""

    def as_words(self) -> dict[str, str]:
        words = {"queue": self.queue.value, "kind": self.kind.value if self.kind else "", "id": self.id}
        return {name: word for name, word in words.items() if word}

    @classmethod
    def of_words(cls, words: Mapping[str, str]) -> Self:
        """Raises ValueError."""
        sought = words.get("id", "").strip()
        if sought and not _ID.fullmatch(sought):
            raise ValueError("not an id")
        kind = CopyKind(words["kind"]) if words.get("kind") else None
        return cls(queue=Queue(words.get("queue", Queue.DUE)), kind=kind, id=sought)


@dataclass(frozen=True, kw_only=True)
class Item:
    """A copy, or an object that no row knows."""

    ref: str
    queue: Queue | None  # None: in none of them
    kind: CopyKind | None
    size: int
    added_at: datetime | None
    erase_by: datetime | None
    erased_at: datetime | None
    why: str
    probes: int
    ask_again_at: datetime | None
    gone_at: datetime | None


# ------------------------------------------------------------------------------------------------------------- reading
def counts(svc: Services) -> dict[Queue, Count]:
    """How many are in each queue, counted up to a bound."""
    with svc.reading() as session:
        brakes = _Brakes.of(svc, session)
        return {queue: count_up_to(session, _query(session, brakes, Wanted(queue=queue))) for queue in Queue}


def size_of(svc: Services, wanted: Wanted) -> Count:
    with svc.reading() as session:
        return count_up_to(session, _query(session, _Brakes.of(svc, session), wanted), LEAFED)


def page(svc: Services, wanted: Wanted, *, number: int = 1, size: int = PAGE) -> list[Item]:
    """The most urgent first."""
    with svc.reading() as session:
        brakes = _Brakes.of(svc, session)
        query = _ordered(_query(session, brakes, wanted), wanted).offset((number - 1) * size).limit(size)
        return _items(session, brakes, wanted, [row for (row,) in session.execute(query)])


def matching(svc: Services, wanted: Wanted) -> Iterator[Item]:
    """All of it, for a file, in flat memory."""
    with svc.reading() as session:
        brakes = _Brakes.of(svc, session)
        query = _ordered(_query(session, brakes, wanted), wanted).limit(EXPORTED)
        rows = (row for (row,) in session.execute(query, execution_options={"yield_per": 500}))
        while some := list(islice(rows, 500)):
            yield from _items(session, brakes, wanted, some)
            session.expunge_all()


@dataclass(frozen=True)
class _Brakes:
    """What keeps erasing as a whole, at this moment."""

    now: datetime
    stopped: bool
    held: bool

    @classmethod
    def of(cls, svc: Services, session: Session) -> Self:
        return cls(svc.clock(), erasing.is_stopped(session), retention.hold(svc) is not None)


def _query(session: Session, brakes: _Brakes, wanted: Wanted) -> sa.Select[Any]:
    if wanted.id:
        return _sought(session, wanted)
    if wanted.queue.finding is not None:
        return sa.select(FindingRow).where(col(FindingRow.kind) == wanted.queue.finding)
    query = of_people().where(*_in_queue(wanted.queue, brakes))
    return query.where(col(Copy.kind) == wanted.kind) if wanted.kind else query


def _in_queue(queue: Queue, brakes: _Brakes) -> tuple[sa.ColumnElement[bool], ...]:
    due = col(Copy.erase_by) <= brakes.now
    if queue is Queue.COMING:
        return col(Copy.erase_by) > brakes.now, col(Copy.erase_by) <= brakes.now + DAY
    if queue is Queue.DUE:
        return due, col(Copy.erase_by) >= brakes.now - LATE, col(Copy.erased_at).is_(None)
    if queue is Queue.OVERDUE:
        return (col(Copy.erase_by) < brakes.now - LATE,)
    if queue is Queue.UNPROVED:
        return is_unproved()
    refused = sa.and_(col(Copy.probe_answer).is_not(None), col(Copy.erased_at).is_(None))
    if brakes.stopped:
        return due, col(Copy.erased_at).is_(None)
    if brakes.held:
        return (
            due,
            col(Copy.erased_at).is_(None),
            sa.or_(refused, col(Copy.erase_reason) == EraseReason.CONTRACT),
        )
    return (refused,)


def _sought(session: Session, wanted: Wanted) -> sa.Select[Any]:
    """By the id of a copy, a person or a run, or by a run's number; gone ones too."""
    run = session.exec(
        select(Generation).where(sa.or_(col(Generation.id) == wanted.id, col(Generation.number) == wanted.id.upper()))
    ).first()
    ids = [wanted.id]
    if run is not None:
        made = session.exec(select(HeadshotRow.copy_id).where(HeadshotRow.generation_id == run.id)).all()
        ids += [*made, *filter(None, (run.portrait_id, run.clothing_id, run.backdrop_id))]
    found = sa.or_(col(Copy.id).in_(ids), col(Copy.subject_id) == wanted.id)
    return sa.select(Copy).where(found, col(Copy.kind) != CopyKind.CANARY)


def _ordered(query: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    if wanted.queue.finding is not None and not wanted.id:
        return query.order_by(col(FindingRow.ref))
    return query.order_by(col(Copy.erase_by), col(Copy.id))


def _items(session: Session, brakes: _Brakes, wanted: Wanted, rows: Sequence[Any]) -> list[Item]:
    if rows and isinstance(rows[0], FindingRow):
        ids = [row.ref for row in rows]
        known = {copy.id: copy for copy in session.exec(select(Copy).where(col(Copy.id).in_(ids)))}
        return [_of_finding(row, known.get(row.ref), wanted.queue) for row in rows]
    return [_of_copy(copy, brakes, None if wanted.id else wanted.queue) for copy in rows]


def _of_finding(row: FindingRow, copy: Copy | None, queue: Queue) -> Item:
    return Item(
        ref=row.ref,
        queue=queue,
        kind=copy.kind if copy else None,
        size=row.size,
        added_at=copy.created_at if copy else row.first_seen_at,
        erase_by=copy.erase_by if copy else None,
        erased_at=copy.erased_at if copy else None,
        why=row.detail,
        probes=copy.probes if copy else 0,
        ask_again_at=None,
        gone_at=copy.gone_at if copy else None,
    )


def _of_copy(copy: Copy, brakes: _Brakes, queue: Queue | None) -> Item:
    return Item(
        ref=copy.id,
        queue=queue or _queue_of(copy, brakes),
        kind=copy.kind,
        size=copy.size,
        added_at=copy.created_at,
        erase_by=copy.erase_by,
        erased_at=copy.erased_at,
        why=_why(copy, brakes),
        probes=copy.probes,
        ask_again_at=copy.probe_again_at,
        gone_at=copy.gone_at,
    )


def _queue_of(copy: Copy, brakes: _Brakes) -> Queue | None:
    if copy.gone_at is not None:
        return None
    if copy.probe_answer is not None:
        return Queue.UNPROVED if copy.erased_at else Queue.BLOCKED
    if copy.erase_by <= brakes.now:
        return Queue.OVERDUE if copy.erase_by < brakes.now - LATE else Queue.DUE
    return Queue.COMING if copy.erase_by <= brakes.now + DAY else None


def _why(copy: Copy, brakes: _Brakes) -> str:
    if copy.gone_at is not None:
        return "proved gone"
    if copy.erase_by > brakes.now:
        return "its clock runs"
    if brakes.stopped and copy.erased_at is None:
        return "all erasing is stopped"
    if copy.probe_answer:
        return copy.probe_answer
    if brakes.held and copy.erase_reason is EraseReason.CONTRACT:
        return "too much is due at once: a sweep waits for an operator"
    return "the sweep is on its way" if copy.erase_by >= brakes.now - LATE else "no sweep has come by"


# --------------------------------------------------------------------------------------------------------------- doing
class Deed(StrEnum):
    ERASE = "erase"
    PROBE = "probe"
    MEND = "mend"


@dataclass(frozen=True)
class Done:
    """What came of one deed."""

    ref: str
    well: bool
    says: str


def deed_for(queue: Queue | None) -> Deed | None:
    """What can be done about those in a queue. What is not due is left to its clock."""
    if queue is None or queue is Queue.COMING:
        return None
    if queue.finding is not None:
        return Deed.MEND
    return Deed.PROBE if queue is Queue.UNPROVED else Deed.ERASE


def do(
    svc: Services,
    deed: Deed,
    refs: Sequence[str],
    *,
    actor: str,
    finding: FindingKind | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Done]:
    """Do it to each, and say what came of each. What is no longer as it was shown is left alone."""
    done: list[Done] = []
    for start in range(0, len(refs), AT_ONCE):
        some = refs[start : start + AT_ONCE]
        real = [ref for ref in some if not made_up.is_one(ref)]
        done += _mended(svc, finding, real, actor) if finding else _erased(svc, deed, real, actor)
        done += [Done(ref, False, made_up.REFUSED) for ref in some if made_up.is_one(ref)]
        progress(len(done), len(refs))
    return done


def _erased(svc: Services, deed: Deed, refs: Sequence[str], actor: str) -> list[Done]:
    asked = audit.Action.COPY_PROBE_ASKED if deed is Deed.PROBE else audit.Action.COPY_ERASE_ASKED
    now = svc.clock()
    with svc.transaction() as session:
        due = session.exec(select(Copy).where(col(Copy.id).in_(refs), col(Copy.gone_at).is_(None))).all()
        for copy in due:
            if copy.erase_by <= now and copy.kind is not CopyKind.CANARY:
                audit.record(session, asked, copy.id, at=now, actor=actor, kind=copy.kind.value)
    outcomes = retention.erase_copies(svc, refs)
    with svc.reading() as session:
        answers = dict(session.exec(select(Copy.id, Copy.probe_answer).where(col(Copy.id).in_(refs))).all())
    return [_told(ref, outcomes[ref], answers.get(ref)) for ref in refs]


def _told(ref: str, outcome: Outcome, answer: str | None) -> Done:
    says = {
        Outcome.GONE: "erased, and proved gone",
        Outcome.ALREADY_GONE: "was gone already",
        Outcome.KEPT: "left alone: it is not due",
        Outcome.STOPPED: "left alone: all erasing is stopped",
        Outcome.NOT_PROVED: f"not proved yet: {answer or 'storage did not say'}",
    }[outcome]
    return Done(ref, outcome in (Outcome.GONE, Outcome.ALREADY_GONE), says)


def _mended(svc: Services, kind: FindingKind, refs: Iterable[str], actor: str) -> list[Done]:
    done = []
    for ref in refs:
        try:
            outcome: Mend | None = reconcile.mend(svc, kind, ref, actor=actor)
            says = _MENDED[outcome] if outcome else ""
        except WorkShotError as exc:
            outcome, says = None, str(exc)
        with svc.transaction() as session:
            audit.record(
                session,
                audit.Action.FINDING_MEND_ASKED,
                ref if re.fullmatch(r"[0-9a-z]{32,40}", ref) else "foreign",
                at=svc.clock(),
                actor=actor,
                finding=kind.value,
                outcome=outcome.value if outcome else "refused",
            )
        done.append(Done(ref, outcome is Mend.MENDED, says))
    return done


_MENDED = {
    Mend.MENDED: "mended",
    Mend.NOT_SO: "left alone: it is no longer as it was found",
    Mend.NOT_PROVED: "erased, not proved yet",
    Mend.STOPPED: "left alone: all erasing is stopped",
}


# -------------------------------------------------------------------------------------------------------------- export
def as_row(item: Item) -> list[str]:
    """A line of the CSV, in the order of COLUMNS. Instants are UTC."""
    return [
        item.ref if item.ref[:1].isalnum() else f"'{item.ref}",  # a foreign object may be named like a formula
        item.queue.value if item.queue else "",
        item.kind.value if item.kind else "",
        str(item.size),
        _instant(item.added_at),
        _instant(item.erase_by),
        _instant(item.erased_at),
        item.why,
        str(item.probes),
        _instant(item.ask_again_at),
        _instant(item.gone_at),
    ]


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def pages(count: Count, size: int = PAGE) -> int:
    return max(1, -(-count.number // size))


def slack(item: Item, now: datetime) -> timedelta | None:
    """How long is left until its clock ends; negative where it has."""
    return item.erase_by - now if item.erase_by else None
