"""
Blocks: a person, or the very file that was misused, makes nothing more here for a while.

Asked where a file is taken in and where a run is requested, before anything is stored. Whoever meets one reads the
ground, that a person decided it, until when it lasts and where to object (the spirit of the EU's Digital Services Act,
Articles 17 and 20). What lies there stays as it is: its owner sees it, downloads it and erases it, and its clock runs.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import audit, language, made_up
from core.abuse import finding
from core.abuse.terms import BLOCKED_FOR, GROUNDS
from core.db import take_turns
from core.errors import NotAllowed, NotFound
from core.language import N_, _
from core.models import AbuseReport, Block
from core.operators import Operator
from core.services import Services
from core.settings import Settings

CODE: Final = "blocked"


class What(StrEnum):
    PERSON = "person"
    FILE = "file"


# ------------------------------------------------------------------------------------------------------------ operators
def block(
    svc: Services, operator: Operator, report_id: str, what: What, *, subject_id: str | None = None
) -> list[Block]:
    """Block whom a report is about, or the files it is about: the one that came with it, and what the reported run was
    made from. Blocked twice for a report is blocked once. Raises NotFound, NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        report = finding.open_report(session, report_id)
        these = _person(session, report, subject_id) if what is What.PERSON else _files(session, report)
        return [_blocked(session, report, this, now) or _new(session, report, this, operator, now) for this in these]


def _person(session: Session, report: AbuseReport, subject_id: str | None) -> list[dict[str, str]]:
    theirs = [person.subject_id for person in finding.people(session, report)]
    chosen = subject_id or (theirs[0] if len(theirs) == 1 else None)
    if chosen is None or chosen not in theirs:
        raise NotAllowed("Nobody was found to block." if not theirs else "Several people were found: choose one.")
    made_up.refuse(chosen)
    return [{"subject_id": chosen}]


def _files(session: Session, report: AbuseReport) -> list[dict[str, str]]:
    of_run = {
        copy.original_hash
        for person in finding.people(session, report)
        for run in person.runs
        for copy in person.copies
        if run.id == report.generation_id and copy.id in (run.portrait_id, run.clothing_id, run.backdrop_id)
    }
    hashes = sorted(filter(None, {report.file_hash, *of_run}))
    if not hashes:
        raise NotAllowed("No file is known to block: none came with the report, and none is here.")
    return [{"file_hash": file_hash} for file_hash in hashes]


def _new(session: Session, report: AbuseReport, this: dict[str, str], operator: Operator, now: datetime) -> Block:
    new = Block(
        report_id=report.id,
        reason=report.kind,
        made_by=operator.id,
        made_at=now,
        until=now + BLOCKED_FOR,
        subject_id=this.get("subject_id"),
        file_hash=this.get("file_hash"),
    )
    session.add(new)
    session.flush()
    facts = {"what": What.PERSON.value if new.subject_id else What.FILE.value, "kind": report.kind.value}
    audit.record(session, audit.Action.BLOCK_MADE, new.id, at=now, actor=operator.actor, report=report.id, **facts)
    return new


def lift(svc: Services, operator: Operator, block_id: str) -> Block:
    """It ends now, and with it all that hold of the same person or file, for whatever reports. Lifted twice is lifted
    once. Raises NotFound."""
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        lifted = session.get(Block, block_id)
        if lifted is None:
            raise NotFound("There is no such block.")
        for one in _same(session, lifted, now) if is_on(lifted, now) else ():
            one.lifted_at, one.lifted_by = now, operator.id
            session.add(one)
            audit.record(session, audit.Action.BLOCK_LIFTED, one.id, at=now, actor=operator.actor)
    return lifted


def _same(session: Session, one: Block, now: datetime) -> Sequence[Block]:
    of = Block.subject_id == one.subject_id if one.subject_id else Block.file_hash == one.file_hash
    query = select(Block).where(of, *_holds(now)).order_by(col(Block.made_at), col(Block.id))
    return session.exec(query.with_for_update()).all()


def of_report(session: Session, report_id: str) -> Sequence[Block]:
    return session.exec(select(Block).where(Block.report_id == report_id).order_by(col(Block.made_at))).all()


def holding(session: Session, now: datetime) -> Sequence[Block]:
    """All that hold now, the latest first: for whoever may lift them after their report is closed."""
    return session.exec(select(Block).where(*_holds(now)).order_by(col(Block.made_at).desc()).limit(200)).all()


def is_on(one: Block, now: datetime) -> bool:
    return one.lifted_at is None and now < one.until


def _holds(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return col(Block.lifted_at).is_(None), col(Block.until) > now


def _blocked(session: Session, report: AbuseReport, this: dict[str, str], now: datetime) -> Block | None:
    same = (col(getattr(Block, name)) == value for name, value in this.items())
    return session.exec(select(Block).where(Block.report_id == report.id, *same, *_holds(now))).first()


# ------------------------------------------------------------------------------------------------------- who meets one
def of_subject(session: Session, subject_id: str, now: datetime) -> Block | None:
    """The one that lasts longest."""
    mine = select(Block).where(Block.subject_id == subject_id, *_holds(now))
    return session.exec(mine.order_by(col(Block.until).desc())).first()


def refuse(
    session: Session, settings: Settings, now: datetime, *, subject_id: str | None, files: Collection[str | None]
) -> None:
    """Raises NotAllowed, with why, where this person or one of these files (their keyed hashes) is blocked."""
    found = of_subject(session, subject_id, now) if subject_id else None
    hashes = [file for file in files if file]
    if found is None and hashes:
        found = session.exec(select(Block).where(col(Block.file_hash).in_(hashes), *_holds(now))).first()
    if found is not None:
        raise NotAllowed(says(found, settings), code=CODE)


def refuse_file(svc: Services, file_hash: str | None) -> None:
    """The same of a file that has just arrived."""
    if file_hash is not None:
        with svc.reading() as session:
            refuse(session, svc.settings, svc.clock(), subject_id=None, files=[file_hash])


PERSON_SAYS: Final = N_(
    "No new headshots are made for you here until {day}, in this browser or with your claim code. An image of yours "
    "was reported: “{ground}”. An operator read the report and decided this; no program did. What is here is not "
    "touched by it: you can see it, download it and erase it, and its clock runs."
)
FILE_SAYS: Final = N_(
    "This file is not taken here until {day}. An image made from it was reported: “{ground}”. An operator read the "
    "report and decided this; no program did. Other photos are not affected."
)
PERSON_OBJECTS: Final = N_(
    "If it is wrong, object under “Something else about your data” on My photos: a person reads it."
)
PERSON_OBJECTS_BY_MAIL: Final = N_(
    "If it is wrong, object under “Something else about your data” on My photos, or write to {contact}: a person "
    "reads it."
)
FILE_OBJECTS: Final = N_(
    "If it is wrong and you have photos here, object under “Something else about your data” on My photos: a person "
    "reads it."
)
FILE_OBJECTS_BY_MAIL: Final = N_("If it is wrong, write to {contact}: a person reads it.")


def says(one: Block, settings: Settings) -> str:
    """Why, until when, and how to object, for whoever it is about."""
    why = PERSON_SAYS if one.subject_id else FILE_SAYS
    contact = settings.privacy_contact
    if one.subject_id:
        objects = PERSON_OBJECTS_BY_MAIL if contact else PERSON_OBJECTS
    else:
        objects = FILE_OBJECTS_BY_MAIL if contact else FILE_OBJECTS
    until = _(why, day=language.day(one.until), ground=_(GROUNDS[one.reason]))
    return f"{until} {_(objects, contact=contact)}"
