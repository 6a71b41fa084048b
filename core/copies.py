"""
Copies: where the bytes of a person lie, and until when.

* Row before bytes. `plan` records a copy in the transaction that decides on it; `write` puts the bytes afterwards.
  A crash between the two leaves a row without bytes, which the sweep finds. The other order could leave a face that
  no row points to.
* Clocks only shrink. `shrink` moves `erase_by` to an earlier instant and never to a later one.
* A late arrival is not a copy. If the row was erased while the bytes were on their way, `write` reopens it as due and
  says so: nothing that arrives after its owner left may stay.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core import made_up
from core.errors import NotFound
from core.language import _
from core.models import Copy, CopyKind, EraseReason, Subject
from core.services import Services
from core.vault import new_object_key


class Seen(NamedTuple):
    """What a copy's row said when it was read."""

    id: str
    subject_id: str
    kind: CopyKind
    object_key: str
    created_at: datetime
    written_at: datetime | None
    erase_by: datetime
    erase_reason: EraseReason
    erased_at: datetime | None
    gone_at: datetime | None
    probes: int


def seen(
    session: Session,
    *where: sa.ColumnElement[bool],
    order: Sequence[Any] = (Copy.id,),
    limit: int | None = None,
    lock: bool = False,
) -> list[Seen]:
    """Rows as they are now, many at once. `lock`: nobody else changes them until this transaction ends."""
    query = sa.select(*(getattr(Copy, name) for name in Seen._fields)).where(*where).order_by(*order).limit(limit)
    return [Seen(*row) for row in session.execute(query.with_for_update() if lock else query)]


def kept_of_people() -> tuple[sa.ColumnElement[bool], ...]:
    """Copies that are not gone, of people: no canary's, and none that was made up."""
    return col(Copy.gone_at).is_(None), col(Copy.kind) != CopyKind.CANARY, made_up.is_real(Copy.id)


def readable(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Those that may be read (`Copy.may_be_read`), as the database finds them."""
    return col(Copy.written_at).is_not(None), col(Copy.erased_at).is_(None), col(Copy.erase_by) > now


def plan(
    session: Session,
    *,
    subject_id: str,
    kind: CopyKind,
    width: int,
    height: int,
    size: int,
    at: datetime,
    erase_by: datetime,
    media_type: str = "image/jpeg",
    original_hash: str | None = None,
) -> Copy:
    """Record a copy that is about to be written."""
    copy = Copy(
        subject_id=subject_id,
        kind=kind,
        place="vault",
        object_key=new_object_key(),
        media_type=media_type,
        width=width,
        height=height,
        size=size,
        created_at=at,
        erase_by=erase_by,
        original_hash=original_hash,
    )
    session.add(copy)
    session.flush()
    return copy


def write(svc: Services, copy_id: str, data: bytes) -> bool:
    """Put the bytes of a planned copy; safe to repeat. False: it is no longer wanted, and is due for erasing now.

    Raises StorageUnavailable; NotFound when the subject is already over.
    """
    copy, subject = _with_subject(svc, copy_id)
    svc.vault.put(subject, copy, data)
    return arrived(svc, copy_id)


def arrived(svc: Services, copy_id: str) -> bool:
    """The bytes of a copy are in the vault. False: its row was closed, or its clock ran out, in the meantime."""
    now = svc.clock()
    with svc.transaction() as session:
        copy = session.get_one(Copy, copy_id)
        copy.written_at = now
        wanted = copy.erased_at is None and copy.erase_by > now
        if not wanted:
            reopen(copy, now)
        session.add(copy)
    return wanted


def reopen(copy: Copy, now: datetime) -> None:
    """Its bytes are there, and nobody wants them: whatever was said of it before, it is due."""
    copy.erase_by = min(copy.erase_by, now)
    copy.erase_reason = EraseReason.NOT_WANTED
    copy.erased_at = copy.gone_at = copy.evidence_id = None
    copy.probe_again_at = None


def read(svc: Services, copy_id: str) -> bytes:
    """The image. Raises NotFound for what may not be read any more, and the vault's errors."""
    copy, subject = _with_subject(svc, copy_id)
    if not copy.may_be_read(svc.clock()):
        raise NotFound(_("This image is erased."))
    return svc.vault.get(subject, copy)


def read_upload(svc: Services, copy_id: str) -> bytes:
    """Like `read`, also for an upload whose server died before it could note that the bytes had arrived."""
    copy, subject = _with_subject(svc, copy_id)
    if copy.written_at is None:
        svc.vault.get(subject, copy)
        arrived(svc, copy_id)
    return read(svc, copy_id)


def hash_of_original(svc: Services, data: bytes) -> str:
    """Whoever still has the very file that was uploaded can show later that it was theirs: one changed byte, and it is
    another file. Of its bytes, keyed, and never of what is to be seen in it."""
    return svc.vault.keyed_hash("original", data)


def shrink(session: Session, copy_ids: Iterable[str], *, to: datetime, reason: EraseReason) -> int:
    """Move clocks to an earlier instant. How many became shorter.

    What holds one of these images goes no later than it does. They are locked before that is looked up, as whoever
    packs them does: either it is seen here, or what has become of them is seen there.
    """
    still = col(Copy.id).in_(list(copy_ids)), col(Copy.gone_at).is_(None), col(Copy.erase_by) > to
    longer = session.exec(select(Copy.id).where(*still).order_by(col(Copy.id)).with_for_update()).all()
    if not longer:
        return 0
    session.execute(_shorter(_holds_any_of(longer), to, reason))
    result = session.execute(_shorter(col(Copy.id).in_(longer), to, reason))
    return int(result.rowcount)  # type: ignore[attr-defined]


def _shorter(which: sa.ColumnElement[bool], to: datetime, reason: EraseReason) -> sa.Update:
    still = col(Copy.gone_at).is_(None), col(Copy.erase_by) > to
    return sa.update(Copy).where(which, *still).values(erase_by=to, erase_reason=reason)


def _holds_any_of(copy_ids: Sequence[str]) -> sa.ColumnElement[bool]:
    """Exports in which one of these images may be: of the same person, packed after it, and with no longer a clock.

    Each file of an export has the earliest clock of the images in it (core/exports.py), so one with a longer clock than
    an image does not hold it.
    """
    image = aliased(Copy)
    packed = sa.exists().where(
        col(image.id).in_(copy_ids),
        col(image.subject_id) == col(Copy.subject_id),
        col(image.created_at) <= col(Copy.created_at),
        col(image.erase_by) >= col(Copy.erase_by),
    )
    return sa.and_(col(Copy.kind) == CopyKind.EXPORT, packed)


def of_subject(session: Session, subject_id: str) -> Sequence[Copy]:
    """All copies there ever were, gone ones included, oldest first."""
    return session.exec(select(Copy).where(Copy.subject_id == subject_id).order_by(col(Copy.created_at))).all()


def _with_subject(svc: Services, copy_id: str) -> tuple[Copy, Subject]:
    with svc.reading() as session:
        copy = session.get(Copy, copy_id)
        subject = session.get(Subject, copy.subject_id) if copy else None
    if copy is None or subject is None:
        raise NotFound(_("There is no such image."))
    return copy, subject
