"""What lies in the data folder and the database of a running server, read from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, select

from core.adapters.local_files import MARKER
from core.db import connect, reader
from core.models import Consent, Copy, Generation, Subject

Row = TypeVar("Row", bound=SQLModel)
KEPT_ABOUT_PEOPLE = (Subject, Consent, Generation, Copy)


class Backstage:
    def __init__(self, data_dir: Path, database_url: str = "") -> None:
        self._vault = data_dir / "vault"
        self._database = connect(database_url or f"sqlite:///{data_dir / 'workshot.db'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.dispose()

    def rows(self, of: type[Row]) -> list[Row]:
        with Session(reader(self._database), expire_on_commit=False) as session:
            return list(session.exec(select(of)).all())

    @contextmanager
    def changing(self) -> Iterator[sa.Connection]:
        """What a test does to rows behind the server's back, as to let time pass."""
        with self._database.begin() as connection:
            yield connection

    def objects(self) -> set[str]:
        """Names of what is in the vault, its marker aside."""
        return {path.name for path in self._vault.rglob("*") if path.is_file() and path.name != MARKER}

    def traces(self) -> tuple[dict[str, int], set[str]]:
        """How much there is of people: rows and files."""
        return {model.__name__: len(self.rows(model)) for model in KEPT_ABOUT_PEOPLE}, self.objects()

    def run(self, number_or_id: str) -> Generation:
        return next(run for run in self.rows(Generation) if number_or_id in (run.id, run.number))

    def newest_run(self) -> Generation:
        return max(self.rows(Generation), key=lambda run: run.created_at)

    def copies_of(self, subject_id: str) -> list[Copy]:
        return [copy for copy in self.rows(Copy) if copy.subject_id == subject_id]

    def unproved(self, subject_id: str) -> list[Copy]:
        return [copy for copy in self.copies_of(subject_id) if copy.gone_at is None or copy.evidence_id is None]


def now() -> datetime:
    return datetime.now(UTC)
