"""
Whose image it is that somebody reports: by numbers and keyed hashes, never by what is to be seen in it.

* The original file, byte for byte: the keyed hash that its copy has.
* The number of a run.
* A headshot as it was downloaded, in any size: its AI mark has a random word that the stored one has, too. The mark
  says when it was made, so those few that were made at that time are read, in memory and by nobody. That is done when
  an operator asks for it, so that a stranger with a file makes nothing here be read, and learns nothing by waiting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import copies, made_up, marks
from core.errors import NotAllowed, NotFound, StorageError, StorageUnavailable, WorkShotError
from core.models import AbuseReport, Copy, CopyKind, Generation, HeadshotRow, Subject
from core.services import Services

MADE_AROUND: Final = timedelta(minutes=10)
"""From the mark, set while it is made, to the row of the copy."""
FIRST_MARKS: Final = datetime(2020, 1, 1, tzinfo=UTC)
CLOCKS_DIFFER: Final = timedelta(days=1)
MOST_READ: Final = 200
IMAGES: Final = (CopyKind.PORTRAIT, CopyKind.HEADSHOT, CopyKind.CLOTHING, CopyKind.BACKDROP)


@dataclass(frozen=True)
class Found:
    """Whose it is, and which image, as far as that is known."""

    subject_id: str
    generation_id: str | None = None
    copy_id: str | None = None


@dataclass(frozen=True)
class Marked:
    """What the mark of a file says, to find it by."""

    id: str
    made_at: datetime


def _of_people() -> tuple[sa.ColumnElement[bool], ...]:
    return col(Subject.is_canary).is_(False), made_up.is_real(Subject.id)


def by_run(session: Session, number: str) -> Found | None:
    known = select(Generation).join(Subject, col(Subject.id) == Generation.subject_id)
    run = session.exec(known.where(Generation.number == number.strip().upper(), *_of_people())).first()
    return Found(run.subject_id, run.id) if run else None


def by_original(session: Session, file_hash: str) -> list[Found]:
    """Everybody who has uploaded that very file, as long as it is here; the latest first."""
    held = Copy.original_hash == file_hash, col(Copy.gone_at).is_(None)
    query = select(Copy).join(Subject, col(Subject.id) == Copy.subject_id).where(*held, *_of_people())
    found: dict[str, Found] = {}
    for copy in session.exec(query.order_by(col(Copy.created_at).desc()).limit(MOST_READ)):
        used = sa.or_(
            col(Generation.portrait_id) == copy.id,
            col(Generation.clothing_id) == copy.id,
            col(Generation.backdrop_id) == copy.id,
        )
        run = session.exec(select(Generation.id).where(used).order_by(col(Generation.created_at).desc())).first()
        found.setdefault(copy.subject_id, Found(copy.subject_id, run, copy.id))
    return list(found.values())


def mark_of(data: bytes, now: datetime) -> Marked | None:
    """Our mark in a file. None where it has none that is ours, as one from before there were any or from times to come,
    and where it is no picture at all."""
    try:
        found = marks.read_marks(data)
    except WorkShotError:
        return None
    if found is None or not found.id or not FIRST_MARKS <= found.created_at <= now + CLOCKS_DIFFER:
        return None
    return Marked(found.id, found.created_at)


def by_mark(svc: Services, marked: Marked) -> Found | None:
    """Raises StorageUnavailable: whether it is there is not known then."""
    with svc.reading() as session:
        candidates = _made_around(session, marked.made_at, svc.clock())
    for copy, generation_id in candidates:
        if _carries(svc, copy, marked):
            return Found(copy.subject_id, generation_id, copy.id)  # nobody else's image is read for it
    return None


def _carries(svc: Services, copy: Copy, marked: Marked) -> bool:
    """One that is damaged, or went a moment ago, is not the one, and hides no other."""
    try:
        theirs = mark_of(copies.read(svc, copy.id), svc.clock())
    except StorageUnavailable:
        raise
    except (NotFound, StorageError):
        return False
    return theirs is not None and theirs.id == marked.id


def _made_around(session: Session, at: datetime, now: datetime) -> Sequence[tuple[Copy, str]]:
    query = (
        select(Copy, HeadshotRow.generation_id)
        .join(HeadshotRow, col(HeadshotRow.copy_id) == Copy.id)
        .join(Subject, col(Subject.id) == Copy.subject_id)
        .where(col(Copy.created_at).between(at - MADE_AROUND, at + MADE_AROUND), *_of_people())
        .where(*copies.readable(now))
        .order_by(col(Copy.created_at))
        .limit(MOST_READ)
    )
    return session.exec(query).all()


# ---------------------------------------------------------------------------------------------------- what is there now
def open_report(session: Session, report_id: str) -> AbuseReport:
    """Locked, for a deed. Raises NotFound, NotAllowed."""
    report = session.get(AbuseReport, report_id, with_for_update=True)
    if report is None:
        raise NotFound("There is no such report.")
    if report.closed_at is not None:
        raise NotAllowed("This report is closed already.")
    return report


@dataclass(frozen=True)
class Person:
    """Somebody whose image it may be: ids, clocks and sizes."""

    subject_id: str
    may_be_looked_at: bool
    runs: tuple[Generation, ...]
    copies: tuple[Copy, ...]  # not gone yet; the reported one first, then headshots

    def readable(self, now: datetime) -> list[Copy]:
        return [copy for copy in self.copies if copy.kind in IMAGES and copy.may_be_read(now)]


def people(session: Session, report: AbuseReport) -> list[Person]:
    """Whom a report is about: whom it turned out to be, and whoever has uploaded the file that came with it."""
    found = by_original(session, report.file_hash) if report.file_hash else []
    ids = dict.fromkeys([*([report.subject_id] if report.subject_id else []), *(one.subject_id for one in found)])
    reported = {report.copy_id, *(one.copy_id for one in found)}
    return [_person(session, subject_id, report.generation_id, reported) for subject_id in ids]


def _person(session: Session, subject_id: str, generation_id: str | None, reported: set[str | None]) -> Person:
    theirs = select(Generation).where(Generation.subject_id == subject_id)
    runs = session.exec(theirs.order_by(col(Generation.created_at).desc()).limit(MOST_READ)).all()
    kept = select(Copy).where(Copy.subject_id == subject_id, col(Copy.gone_at).is_(None))
    held = session.exec(kept.order_by(col(Copy.created_at).desc(), col(Copy.id)).limit(MOST_READ)).all()
    of_run = set(session.exec(select(HeadshotRow.copy_id).where(HeadshotRow.generation_id == generation_id)).all())
    ranked = sorted(
        held, key=lambda copy: (copy.id not in reported, copy.id not in of_run, copy.kind is not CopyKind.HEADSHOT)
    )
    subject = session.get_one(Subject, subject_id)
    return Person(subject_id, subject.may_be_looked_at, tuple(runs), tuple(ranked))
