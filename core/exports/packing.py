"""
The job that packs: rows, then bytes, then the answer; and it can die between any two lines.

All files of an attempt are recorded in one transaction that holds the images it read: whoever shortens one of them at
that moment comes before (and it is not packed) or after (and `copies.shrink` finds the files). An attempt that a killed
worker left half-written is given up as a whole, and its rows are due: what still arrives in them is erased on arrival.
The answer, the audit entry and the end of the job are one transaction.
"""

import io
import json
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, copies, pictures, retention
from core.errors import NotFound, ObjectDamaged, ObjectMissing
from core.exports.gathering import gather, sections
from core.exports.reading import MICROSECOND, MOST_FILES, attempt
from core.language import _, instant, speaking
from core.models import (
    LIVE,
    Copy,
    CopyKind,
    EraseReason,
    Generation,
    HeadshotRow,
    JobKind,
    Request,
    RequestKind,
    RequestOutcome,
    RequestState,
)
from core.queue import Claim, LeaseLost, enqueue
from core.requests import answers
from core.services import Services

log = logging.getLogger(__name__)

KEPT_FOR: Final = timedelta(hours=24)
FILE_BYTES: Final = 48 << 20
"""Of images in one file, and about a third of what packing it takes in memory."""
LOOK_AGAIN: Final = timedelta(seconds=10)
PACKED: Final = (CopyKind.PORTRAIT, CopyKind.CLOTHING, CopyKind.BACKDROP, CopyKind.HEADSHOT)
MEDIA_TYPE: Final = "application/zip"
TROUBLE: Final = "not_packed"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file to be: its images, and the instant at which the first of them goes."""

    until: datetime
    images: tuple[Copy, ...]

    @property
    def size(self) -> int:
        return sum(image.size for image in self.images)


# -------------------------------------------------------------------------------------------------------------- the job
def pack(svc: Services, claim: Claim) -> None:
    """One attempt at a copy of the data. Settles its claim, or raises to be tried again later."""
    begun = _begin(claim)
    if begun is None:
        return
    try:
        _attempt(svc, claim, *begun)
    except LeaseLost:
        raise
    except Exception:
        with claim.transaction() as session:
            session.execute(sa.update(Request).where(col(Request.id) == claim.ref).values(trouble=TROUBLE))
        raise


def _attempt(svc: Services, claim: Claim, request: Request, subject_id: str) -> None:
    files = _plan(claim, request.id, subject_id)
    if files is None:
        return
    with svc.reading() as session:
        document = gather(svc, session, subject_id, svc.clock())
        names = _names(session, subject_id)
    for number, (file, part) in enumerate(files, 1):
        told = document if number == 1 else None
        data = _zip(svc, part, number, len(files), names, told, svc.clock(), request.language)
        with claim.transaction() as session:
            session.get_one(Copy, file.id).size = len(data)
        if not copies.write(svc, file.id, data):
            retention.erase(svc, file.id)
    _answer(claim)


def _begin(claim: Claim) -> tuple[Request, str] | None:
    """None: there is nothing to do, or nothing any more; the claim is settled."""
    with claim.transaction() as session:
        request = _locked(session, claim.ref)
        wanted = request is not None and request.kind is RequestKind.COPY and request.state is RequestState.WORKING
        if not wanted or request is None or request.subject_id is None:
            claim.done(session)
            return None
        if request.export_id is not None and _close_if_ready(claim, session, request):
            return None
        return request, request.subject_id


def _locked(session: Session, request_id: str) -> Request | None:
    return session.get(Request, request_id, with_for_update=True, populate_existing=True)


def _plan(claim: Claim, request_id: str, subject_id: str) -> list[tuple[Copy, Part]] | None:
    """Record the files. None: there is nothing to pack, now or ever; the claim is settled."""
    now = claim.svc.clock()
    with claim.transaction() as session:
        request = _locked(session, request_id)
        if request is None or request.state is not RequestState.WORKING:
            claim.done(session)
            return None
        images = _readable(session, subject_id, now)
        if not images:
            _nothing_to_pack(claim, session, request, subject_id, now)
            return None
        first_at = _after_any_other(session, subject_id, now)
        parts = enumerate(divided(images, now))
        files = [(_file(session, subject_id, part, first_at + n * MICROSECOND), part) for n, part in parts]
        request.export_id = files[0][0].id
        session.add(request)
        return files


def _readable(session: Session, subject_id: str, now: datetime) -> Sequence[Copy]:
    """Locked: until the files are recorded nobody shortens the clock of one of these."""
    mine = Copy.subject_id == subject_id, col(Copy.kind).in_(PACKED), col(Copy.gone_at).is_(None)
    query = select(Copy).where(*mine).order_by(col(Copy.id)).with_for_update()
    found = session.exec(query.execution_options(populate_existing=True)).all()
    return sorted((copy for copy in found if copy.may_be_read(now)), key=lambda copy: (copy.created_at, copy.id))


def _nothing_to_pack(claim: Claim, session: Session, request: Request, subject_id: str, now: datetime) -> None:
    """What is being made or is on its way is waited for."""
    mine = Generation.subject_id == subject_id, col(Generation.state).in_(LIVE), col(Generation.cancel_at).is_(None)
    if session.exec(select(Generation.id).where(*mine, col(Generation.erase_by) > now)).first() is not None:
        claim.again(session, after=LOOK_AGAIN)
        return
    request.done_at = now
    answers.finish(session, claim.svc, request, RequestOutcome.NOTHING_HELD, now)
    claim.done(session)


def _after_any_other(session: Session, subject_id: str, now: datetime) -> datetime:
    """Files of two attempts are never taken for one another's."""
    mine = Copy.subject_id == subject_id, Copy.kind == CopyKind.EXPORT
    last: datetime | None = session.exec(select(func.max(Copy.created_at)).where(*mine)).one()
    return max(now, last + MOST_FILES * MICROSECOND) if last else now


def _file(session: Session, subject_id: str, part: Part, at: datetime) -> Copy:
    return copies.plan(
        session,
        subject_id=subject_id,
        kind=CopyKind.EXPORT,
        width=0,
        height=0,
        size=part.size,
        at=at,
        erase_by=part.until,
        media_type=MEDIA_TYPE,
    )


def _answer(claim: Claim) -> None:
    """All files are there, and nobody has shortened their clocks: say so. Else begin again."""
    with claim.transaction() as session:
        request = _locked(session, claim.ref)
        if request is None or request.state is not RequestState.WORKING:
            claim.done(session)
        elif not _close_if_ready(claim, session, request):
            claim.again(session, after=timedelta(0))
    claim.svc.wake()


def _close_if_ready(claim: Claim, session: Session, request: Request) -> bool:
    """False: files are missing or due. Then the attempt is given up, and what there is of it is erased."""
    now = claim.svc.clock()
    files = attempt(session, request.export_id)
    if files and all(file.may_be_read(now) for file in files):
        audit.record(session, audit.Action.DATA_EXPORTED, request.id, at=now)
        request.trouble = None
        answers.answered(session, claim.svc, request, now)
        claim.done(session)
        return True
    copies.shrink(session, [file.id for file in files], to=now, reason=EraseReason.NOT_WANTED)
    enqueue(session, JobKind.ERASE, files[0].subject_id, at=now)
    request.export_id = None
    session.add(request)
    return False


# ------------------------------------------------------------------------------------------------------------ the files
def divided(images: Sequence[Copy], now: datetime) -> list[Part]:
    """Images that end together, in files that are not too large. The first file lasts longest: the data lies in it."""
    latest = now + KEPT_FOR
    clocks: dict[datetime, list[Copy]] = {}
    for image in images:
        clocks.setdefault(min(image.erase_by, latest), []).append(image)
    return [
        Part(until=until, images=tuple(some))
        for until, together in sorted(clocks.items(), reverse=True)
        for some in _not_too_large(together)
    ]


def _not_too_large(images: Sequence[Copy]) -> Iterator[list[Copy]]:
    some: list[Copy] = []
    for image in images:
        if some and sum(one.size for one in some) + image.size > FILE_BYTES:
            yield some
            some = []
        some.append(image)
    yield some


def _names(session: Session, subject_id: str) -> dict[str, str]:
    """What each image is called: headshots by run and variant, uploads in the order in which they came."""
    made = (
        select(HeadshotRow.copy_id, Generation.number, HeadshotRow.variant, Copy.media_type)
        .join(Generation, col(Generation.id) == HeadshotRow.generation_id)
        .join(Copy, col(Copy.id) == HeadshotRow.copy_id)
        .where(Generation.subject_id == subject_id)
    )
    names = {
        copy_id: f"images/headshot-{number}-{variant}.{pictures.ending(kind)}"
        for copy_id, number, variant, kind in session.exec(made)
    }
    numbers = {kind: count(1) for kind in PACKED}
    for copy in copies.of_subject(session, subject_id):
        if copy.kind in PACKED and copy.id not in names:
            names[copy.id] = f"images/{_CALLED.get(copy.kind, copy.kind.value)}-{next(numbers[copy.kind])}.jpg"
    return names


_CALLED = {CopyKind.PORTRAIT: "photo"}


def _zip(
    svc: Services,
    part: Part,
    number: int,
    of: int,
    names: Mapping[str, str],
    document: dict[str, Any] | None,
    at: datetime,
    language: str,
) -> bytes:
    """Images are stored as they are: they are compressed already. The first file has the data, too."""
    packed = io.BytesIO()
    missing: list[str] = []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for image in part.images:
            try:
                archive.writestr(_entry(names[image.id], at), copies.read(svc, image.id))
            except (NotFound, ObjectMissing, ObjectDamaged) as exc:
                log.warning("%s: %s, not packed", image.id, exc.code)
                missing.append(names[image.id])
        if document is not None:
            told = _with_names(document, names)
            text = json.dumps(told, indent=2, ensure_ascii=False)
            archive.writestr(_entry("data.json", at), text, zipfile.ZIP_DEFLATED)
        with speaking(language):
            readme = _readme(svc, part, number, of, document, missing)
        archive.writestr(_entry("README.txt", at), readme, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _entry(name: str, at: datetime) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, date_time=(at.year, at.month, at.day, at.hour, at.minute, at.second))


def _with_names(document: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    images = [row | {"file": names.get(row["id"]) if row["gone_at"] is None else None} for row in document["images"]]
    return document | {"images": images}


# ----------------------------------------------------------------------------------------------------------- the README
def _readme(
    svc: Services, part: Part, number: int, of: int, document: dict[str, Any] | None, missing: Sequence[str]
) -> str:
    file = _("File {number} of {of}. Made for you alone, on your request.", number=number, of=of)
    lines = [_("A copy of your data at WorkShot"), "", file, ""]
    if document is not None:
        lines += [_("What is in it"), "", _("images/      your photos and headshots, as they are stored")]
        lines += [_("data.json    everything else that is held about you, in these lists:"), ""]
        lines += [f"  {told.section} ({number_of}): {_(told.says)}" for told, number_of in sections(document)]
        lines += ["", _("Times are UTC. `null` means that there is nothing, or nothing any more."), ""]
        lines += _what_is_not(document)
    else:
        lines += [_("It holds more of your images. The data is in file 1."), ""]
    if missing:
        lines += [_("Storage could not give us these images:"), *(f"  {name}" for name in missing), ""]
    lines += [_("How long it is here"), "", *_how_long(part.until)]
    if svc.settings.privacy_contact:
        lines += ["", _("Questions? Write to {contact}.", contact=svc.settings.privacy_contact)]
    return "\r\n".join([*lines, ""])


def _how_long(until: datetime) -> list[str]:
    says = _(
        "Our copy of this file is erased by {instant}, no later than any image in it, and when\n"
        "you erase your photos. What you have downloaded is yours: we cannot erase it for you.",
        instant=instant(until, seconds=False),
    )
    return says.split("\n")


def _what_is_not(document: dict[str, Any]) -> list[str]:
    lines = [_("What is not in it, and why"), ""]
    for told, _number in sections(document):
        lines += [f"  {told.section}, {column}: {_(why)}" for column, why in told.withheld.items()]
    return [*lines, ""]
