"""What pages and routes see of a copy of the data. It is served to its owner alone (`access.may_read`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from core import access
from core.errors import NotFound
from core.language import _
from core.models import Copy, CopyKind

MICROSECOND: Final = timedelta(microseconds=1)
MOST_FILES: Final = 1000
"""Of one attempt. They are recorded a microsecond after one another: that is their order, and what keeps them together
(of one person's, one after the other is packed)."""


@dataclass(frozen=True, kw_only=True)
class ExportFile:
    """One ZIP of a copy of the data."""

    copy_id: str
    number: int
    of: int
    size: int
    until: datetime
    made_at: datetime
    is_here: bool  # and may be downloaded

    @property
    def name(self) -> str:
        """Says nothing about anybody."""
        end = f"-{self.number}-of-{self.of}" if self.of > 1 else ""
        return f"workshot-my-data-{self.made_at:%Y-%m-%d}{end}.zip"


def attempt(session: Session, export_id: str | None) -> Sequence[Copy]:
    """All files that were recorded together, in their order."""
    first = session.get(Copy, export_id, populate_existing=True) if export_id else None
    if first is None:
        return []
    together = (
        Copy.subject_id == first.subject_id,
        Copy.kind == CopyKind.EXPORT,
        Copy.created_at >= first.created_at,
        Copy.created_at < first.created_at + MOST_FILES * MICROSECOND,
    )
    return session.exec(select(Copy).where(*together).order_by(col(Copy.created_at), col(Copy.id))).all()


def files_of(session: Session, export_id: str | None, now: datetime) -> list[ExportFile]:
    """The files of a request that was answered."""
    files = attempt(session, export_id)
    return [
        ExportFile(
            copy_id=file.id,
            number=number,
            of=len(files),
            size=file.size,
            until=file.erase_by,
            made_at=file.created_at,
            is_here=file.may_be_read(now),
        )
        for number, file in enumerate(files, 1)
    ]


def file_of(session: Session, session_hash: str, copy_id: str, now: datetime) -> ExportFile:
    """For whoever downloads it. Raises NotFound, alike for what is foreign, erased, unknown or no export."""
    copy = access.may_read(session, session_hash, copy_id, now)
    if copy.kind is not CopyKind.EXPORT:
        raise NotFound(_("There is no such file."))
    near = Copy.created_at > copy.created_at - MOST_FILES * MICROSECOND, Copy.created_at <= copy.created_at
    mine = Copy.subject_id == copy.subject_id, Copy.kind == CopyKind.EXPORT
    first = session.exec(select(Copy.id).where(*mine, *near).order_by(col(Copy.created_at))).first()
    return next(file for file in files_of(session, first, now) if file.copy_id == copy_id)
