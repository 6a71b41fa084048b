"""
Reconcile: the whole store against the rows, both ways.

The listing is written to a table of the database's temporary kind and compared there, so memory stays the same for a
thousand objects and for a million. A listing takes its time, and rows change meanwhile; so whatever looks wrong is
looked at once more, row and object, before it is called a finding. Every mend looks once more again: a finding is a
hint where to look, never a reason to erase.

Nothing is mended by itself. A database that was restored from last week's backup makes this week's photos untracked.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, copies, erasing, made_up, plans, retention
from core.db import take_turns, upsert
from core.errors import NotAllowed, NotFound, ObjectDamaged, ObjectMissing, StorageUnavailable
from core.models import Copy, CopyKind, EraseReason, FindingKind, FindingRow, JobKind, Subject
from core.ports import Presence, StoredObject
from core.services import Services
from core.vault import OVERHEAD, new_object_key

SETTLES = timedelta(hours=1)
"""An object without a row that is younger than this may be somebody's test of the bucket; ours have a row first."""
LATE = timedelta(minutes=10)
"""A clock is not overdue while the sweep is on its way."""
PAGE = 1000
DEEP = "does not open"
MANY_MISSING, MANY_SHARE = 20, 0.1
"""So many rows without objects are no accidents: that is another bucket, or a disk that did not mount."""

_seen = sa.Table(
    "seen_object",
    sa.MetaData(),
    sa.Column("key", sa.String(1024), primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("written", sa.BigInteger, nullable=False),  # seconds since 1970
    sa.Column("whole", sa.Boolean, nullable=False),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True)
class Comparison:
    """What a comparison found."""

    objects: int
    rows: int
    found: Mapping[FindingKind, int]

    @property
    def is_well(self) -> bool:
        return not any(self.found.values())


class Mend(StrEnum):
    MENDED = "mended"
    NOT_SO = "not_so"  # it is no longer as it was found: nothing was done
    NOT_PROVED = "not_proved"  # erased, and storage has not shown it yet
    STOPPED = "stopped"  # all erasing is


# --------------------------------------------------------------------------------------------------------- compare
def compare(
    svc: Services, *, deep: bool = False, breath: Callable[[], None] = lambda: None, page: int = PAGE
) -> Comparison:
    """List everything, compare, and keep what was found. `deep` opens every object. Raises StorageUnavailable."""
    started_at, found = svc.clock(), Counter[FindingKind]()
    with _temporary(svc) as connection:
        objects = _note_objects(connection, svc.vault.store.inventory(), breath, page)
        for kind, query in _suspects(started_at).items():
            for ref, size, detail in _pages(connection, query, page):
                found[kind] += _keep(svc, kind, ref, size, detail, started_at)
                breath()
    if deep:
        for copy in _stored_copies(svc):
            if _is_damaged(svc, copy):
                kind = FindingKind.MISMATCH
                found[kind] += _keep(svc, kind, copy.id, copy.size, DEEP, started_at)
            breath()
    rows = _forget_the_rest(svc, started_at, deep=deep)
    told = {kind.value: found[kind] for kind in FindingKind}
    retention.note_upkeep(svc, JobKind.RECONCILE, started_at, well=not found.total(), objects=objects, **told)
    return Comparison(objects, rows, {kind: found[kind] for kind in FindingKind})


@contextmanager
def _temporary(svc: Services) -> Iterator[sa.Connection]:
    """One connection for as long as the comparison takes; its table is gone with it."""
    with svc.database.connect() as connection:
        reading = connection.execution_options(workshot_read_only=True)
        reading.exec_driver_sql("DROP TABLE IF EXISTS seen_object")  # of one that was cut off
        _seen.create(reading, checkfirst=False)
        reading.commit()
        try:
            yield reading
        finally:
            reading.rollback()
            _seen.drop(reading, checkfirst=False)
            reading.commit()


def _note_objects(
    connection: sa.Connection, listing: Iterator[StoredObject], breath: Callable[[], None], at_once: int
) -> int:
    """Page by page, each in a transaction of its own: the next page may take a while."""
    new = upsert(connection.dialect.name, _seen)
    better = {name: new.excluded[name] for name in ("size", "written", "whole")}
    note = new.on_conflict_do_update(index_elements=["key"], set_=better, where=new.excluded.whole)
    while page := list(islice(listing, at_once)):
        values = [
            {"key": each.key, "size": each.size, "written": int(each.modified_at.timestamp()), "whole": each.whole}
            for each in page
        ]
        connection.execute(note, values)
        connection.commit()
        breath()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE seen_object")  # temporary tables are never looked at by themselves
    objects: int = connection.execute(sa.select(sa.func.count()).select_from(_seen)).scalar_one()
    connection.commit()
    return objects


def _suspects(now: datetime) -> dict[FindingKind, sa.Select[Any]]:
    """What does not fit, as far as the listing and the rows tell. Each gives an id to go on from, a size, a word."""
    both = sa.join(_seen, Copy, col(Copy.object_key) == _seen.c.key)
    no_row = sa.outerjoin(_seen, Copy, col(Copy.object_key) == _seen.c.key)
    no_object = sa.outerjoin(Copy, _seen, sa.and_(col(Copy.object_key) == _seen.c.key, _seen.c.whole))
    real = made_up.is_real(Copy.id)
    kept = (col(Copy.written_at).is_not(None), col(Copy.erased_at).is_(None), col(Copy.gone_at).is_(None), real)
    old = int((now - SETTLES).timestamp())
    of_copy: sa.Label[str] = col(Copy.id).label("ref")
    return {
        FindingKind.UNTRACKED: sa.select(_seen.c.key.label("ref"), _seen.c.size, sa.literal("no row").label("detail"))
        .select_from(no_row)
        .where(col(Copy.id).is_(None), _seen.c.written < old),
        FindingKind.ZOMBIE: sa.select(of_copy, _seen.c.size, sa.literal("came back").label("detail"))
        .select_from(both)
        .where(col(Copy.gone_at).is_not(None)),
        FindingKind.MISMATCH: sa.select(of_copy, _seen.c.size, sa.literal("another size").label("detail"))
        .select_from(both)
        .where(*kept, _seen.c.whole, _seen.c.size != col(Copy.size) + OVERHEAD),
        FindingKind.MISSING: sa.select(of_copy, col(Copy.size), sa.literal("no object").label("detail"))
        .select_from(no_object)
        .where(*kept, _seen.c.key.is_(None)),
        FindingKind.OVERDUE: sa.select(
            of_copy, col(Copy.size), func.coalesce(Copy.probe_answer, "not erased yet").label("detail")
        ).where(col(Copy.gone_at).is_(None), col(Copy.erase_by) < now - LATE, col(Copy.kind) != CopyKind.CANARY, real),
    }


def _pages(connection: sa.Connection, query: sa.Select[Any], size: int) -> Iterator[tuple[str, int, str]]:
    """A page at a time, so that no transaction is open while storage is asked about what is on it."""
    ref = query.selected_columns.ref
    after = ""
    while True:
        page = connection.execute(query.where(ref > after).order_by(ref).limit(size)).all()
        connection.commit()
        yield from ((row[0], row[1], row[2]) for row in page)
        if len(page) < size:
            return
        after = page[-1][0]


def _keep(svc: Services, kind: FindingKind, ref: str, size: int, detail: str, seen_at: datetime) -> int:
    """Look once more, and note it if it is so. 1 or 0, to count."""
    if not is_so(svc, kind, ref):
        return 0
    with svc.transaction() as session:
        take_turns(session)
        known = session.get(FindingRow, (kind, ref))
        first = known.first_seen_at if known else seen_at
        session.merge(
            FindingRow(kind=kind, ref=ref, size=size, detail=detail, first_seen_at=first, last_seen_at=seen_at)
        )
    return 1


def _forget_the_rest(svc: Services, started_at: datetime, *, deep: bool) -> int:
    """What this comparison did not find again is over. What only a deep one can find waits for the next deep one."""
    over = [col(FindingRow.last_seen_at) < started_at]
    if not deep:
        over.append(col(FindingRow.detail) != DEEP)
    with svc.transaction() as session:
        session.execute(sa.delete(FindingRow).where(*over))
        return plans.kept_in_all(session)


def _stored_copies(svc: Services) -> Iterator[Copy]:
    after = ""
    while True:
        page = select(Copy).where(
            col(Copy.id) > after,
            col(Copy.written_at).is_not(None),
            col(Copy.erased_at).is_(None),
            col(Copy.gone_at).is_(None),
            made_up.is_real(Copy.id),
        )
        with svc.reading() as session:
            found = session.exec(page.order_by(col(Copy.id)).limit(100)).all()
        yield from found
        if len(found) < 100:
            return
        after = found[-1].id


# ------------------------------------------------------------------------------------------------ looking once more
def is_so(svc: Services, kind: FindingKind, ref: str) -> bool:
    """Whether a finding is true at this moment. False also where storage does not say."""
    if kind is FindingKind.UNTRACKED:
        return _row_of_key(svc, ref) is None and _is_there(svc, ref)
    copy = _row(svc, ref)
    if copy is None or made_up.is_one(copy.id):
        return False
    if kind is FindingKind.ZOMBIE:
        return copy.gone_at is not None and _is_there(svc, copy.object_key)
    if copy.gone_at is not None:
        return False
    if kind is FindingKind.OVERDUE:
        return copy.erase_by <= svc.clock()
    if copy.written_at is None or copy.erased_at is not None:
        return False
    return _is_absent(svc, copy.object_key) if kind is FindingKind.MISSING else _does_not_fit(svc, copy)


def _row(svc: Services, copy_id: str) -> Copy | None:
    with svc.reading() as session:
        return session.get(Copy, copy_id)


def _row_of_key(svc: Services, key: str) -> str | None:
    with svc.reading() as session:
        return session.exec(select(Copy.id).where(Copy.object_key == key)).first()


def _is_there(svc: Services, key: str) -> bool:
    try:
        return Presence.PRESENT in (svc.vault.store.head(key), svc.vault.store.listed(key))
    except ValueError:  # a name that no object of ours could have
        return True


def _is_absent(svc: Services, key: str) -> bool:
    return (svc.vault.store.head(key), svc.vault.store.listed(key)) == (Presence.ABSENT, Presence.ABSENT)


def _does_not_fit(svc: Services, copy: Copy) -> bool:
    return _is_damaged(svc, copy) or _true_size(svc, copy) not in (None, copy.size)


def _is_damaged(svc: Services, copy: Copy) -> bool:
    try:
        _open(svc, copy)
    except ObjectDamaged:
        return True
    except (ObjectMissing, StorageUnavailable, NotFound):
        return False
    return False


def _true_size(svc: Services, copy: Copy) -> int | None:
    try:
        return len(_open(svc, copy))
    except (ObjectMissing, ObjectDamaged, StorageUnavailable, NotFound):
        return None


def _open(svc: Services, copy: Copy) -> bytes:
    with svc.reading() as session:
        subject = session.get_one(Subject, copy.subject_id)
    return svc.vault.get(subject, copy)


# ------------------------------------------------------------------------------------------------------------- mending
def mend(svc: Services, kind: FindingKind, ref: str, *, actor: str) -> Mend:
    """Make rows and storage agree about one finding, if it still is one. Raises NotAllowed."""
    if kind is FindingKind.MISSING:
        _require_few_missing(svc)
    if not is_so(svc, kind, ref):
        if _is_known_again(svc, kind, ref):
            _forget(svc, kind, ref)
        return Mend.NOT_SO
    if erasing.state(svc).is_stopped and kind is not FindingKind.MISMATCH:
        return Mend.STOPPED
    done = _MENDS[kind](svc, ref, actor)
    if done is Mend.MENDED:
        _forget(svc, kind, ref)
    return done


def mend_all(
    svc: Services, kind: FindingKind, *, actor: str, breath: Callable[[], None] = lambda: None
) -> Counter[Mend]:
    """Every finding of one kind, one after the other, each looked at anew."""
    done, after = Counter[Mend](), ""
    while page := findings(svc, kind, after=after, limit=100):
        for finding in page:
            done[mend(svc, kind, finding.ref, actor=actor)] += 1
            breath()
        after = page[-1].ref
    return done


def _mend_untracked(svc: Services, key: str, actor: str) -> Mend:
    outcome = retention.erase_stray(svc, key)
    if outcome is retention.Outcome.GONE:
        known = len(key) == len(new_object_key()) and key.isalnum()
        with svc.transaction() as session:
            named = key if known else "foreign"
            audit.record(session, audit.Action.OBJECT_ERASED, named, at=svc.clock(), actor=actor)
    return _told(outcome)


def _mend_missing(svc: Services, copy_id: str, actor: str) -> Mend:
    return _make_due(svc, copy_id, actor, FindingKind.MISSING, EraseReason.LOST)


def _mend_mismatch(svc: Services, copy_id: str, actor: str) -> Mend:
    """An image that opens is kept, whatever its row said of its size. One that does not is of no use to anybody."""
    copy = _row(svc, copy_id)
    size = _true_size(svc, copy) if copy else None
    if copy is not None and size is not None:
        with svc.transaction() as session:
            session.execute(sa.update(Copy).where(col(Copy.id) == copy_id).values(size=size))
            _record(session, svc, copy, actor, FindingKind.MISMATCH)
        return Mend.MENDED
    if copy is None or not _is_damaged(svc, copy):
        return Mend.NOT_SO
    if erasing.state(svc).is_stopped:
        return Mend.STOPPED
    return _make_due(svc, copy_id, actor, FindingKind.MISMATCH, EraseReason.DAMAGED)


def _mend_overdue(svc: Services, copy_id: str, actor: str) -> Mend:
    return _told(retention.erase(svc, copy_id))


def _mend_zombie(svc: Services, copy_id: str, actor: str) -> Mend:
    """Its row is opened again, and it goes the one way out once more."""
    with svc.transaction() as session:
        copy = session.get(Copy, copy_id, with_for_update=True)
        if copy is None or copy.gone_at is None:
            return Mend.NOT_SO
        copies.reopen(copy, svc.clock())
        session.add(copy)
        _record(session, svc, copy, actor, FindingKind.ZOMBIE)
    return _told(retention.erase(svc, copy_id))


_MENDS: dict[FindingKind, Callable[[Services, str, str], Mend]] = {
    FindingKind.UNTRACKED: _mend_untracked,
    FindingKind.MISSING: _mend_missing,
    FindingKind.MISMATCH: _mend_mismatch,
    FindingKind.OVERDUE: _mend_overdue,
    FindingKind.ZOMBIE: _mend_zombie,
}


def _make_due(svc: Services, copy_id: str, actor: str, kind: FindingKind, reason: EraseReason) -> Mend:
    with svc.transaction() as session:
        copy = session.get(Copy, copy_id, with_for_update=True)
        if copy is None or copy.erased_at is not None or copy.gone_at is not None:
            return Mend.NOT_SO
        copies.shrink(session, [copy_id], to=svc.clock(), reason=reason)
        _record(session, svc, copy, actor, kind)
    return _told(retention.erase(svc, copy_id))


def _record(session: Session, svc: Services, copy: Copy, actor: str, kind: FindingKind) -> None:
    if copy.kind is not CopyKind.CANARY:
        mended = audit.Action.COPY_MENDED
        audit.record(session, mended, copy.id, at=svc.clock(), actor=actor, finding=kind.value)


def _told(outcome: retention.Outcome) -> Mend:
    return {
        retention.Outcome.GONE: Mend.MENDED,
        retention.Outcome.ALREADY_GONE: Mend.MENDED,
        retention.Outcome.NOT_PROVED: Mend.NOT_PROVED,
        retention.Outcome.STOPPED: Mend.STOPPED,
        retention.Outcome.KEPT: Mend.NOT_SO,
    }[outcome]


def _require_few_missing(svc: Services) -> None:
    with svc.reading() as session:
        missing = counts(session)[FindingKind.MISSING]
        kept = plans.kept_in_all(session)
    if missing > max(MANY_MISSING, MANY_SHARE * kept):
        raise NotAllowed(
            f"{missing} of {kept} images are missing. That looks like another bucket or a disk that is not mounted: "
            "mending would destroy the keys of images that may well be somewhere. Check the S3 settings and DATA_DIR."
        )


def _is_known_again(svc: Services, kind: FindingKind, ref: str) -> bool:
    """Whether it can be said that the finding is over. Where storage does not say, it stays."""
    if kind is FindingKind.UNTRACKED:
        return _row_of_key(svc, ref) is not None or _is_absent(svc, ref)
    copy = _row(svc, ref)
    if copy is None or kind is FindingKind.OVERDUE:
        return True
    return kind is FindingKind.ZOMBIE and _is_absent(svc, copy.object_key)


def _forget(svc: Services, kind: FindingKind, ref: str) -> None:
    with svc.transaction() as session:
        session.execute(sa.delete(FindingRow).where(col(FindingRow.kind) == kind, col(FindingRow.ref) == ref))


# -------------------------------------------------------------------------------------------------------------- reading
def findings(svc: Services, kind: FindingKind, *, after: str = "", limit: int = 50) -> list[FindingRow]:
    """A page, in the order of their ids; the next one begins after the last of this."""
    query = select(FindingRow).where(FindingRow.kind == kind, col(FindingRow.ref) > after)
    with svc.reading() as session:
        return list(session.exec(query.order_by(col(FindingRow.ref)).limit(limit)).all())


def counts(session: Session) -> dict[FindingKind, int]:
    """How many of each kind the last comparison left."""
    known = dict(session.exec(select(FindingRow.kind, func.count()).group_by(col(FindingRow.kind))).all())
    return {kind: known.get(kind, 0) for kind in FindingKind}
