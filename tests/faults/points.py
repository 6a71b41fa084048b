"""
The moments at which a process can be made to die, by name.

They are found from outside, so that the code under test knows nothing of them: a store that wraps the real one, an
engine that wraps another, and SQLAlchemy's own events, which tell "this statement has run" from "it is committed".
"""

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from core.adapters.local_files import LocalFiles
from core.ports import (
    Commission,
    Engine,
    Fetched,
    Headshot,
    Order,
    Presence,
    Provider,
    Stage,
    Submission,
    TaskReport,
)
from core.services import Services

Reached = Callable[[str], None]

VALUE = r"(?:\?|%\(\w+\)s(?:::[A-Z ]+)?)"  # as SQLite's driver writes one, and PostgreSQL's
STATEMENTS = {
    name: re.compile(beginning)
    for name, beginning in {
        "claim": r"(?s:WITH .*)?UPDATE job SET .*token=",
        "begin": r"UPDATE generation SET started_at",
        "headshot row": r"INSERT INTO headshot",
        "written_at": r"UPDATE copy SET written_at",
        "finish": r"UPDATE generation SET ended_at",
        "job settled": r"DELETE FROM job",
        "erased_at": r"UPDATE copy SET erased_at",
        "evidence": r"INSERT INTO evidence",
        "gone_at": rf"UPDATE copy SET .*gone_at={VALUE}",
        "key destroyed": r"UPDATE subject SET sealed_key",
        "upload row": r"INSERT INTO copy",
        "request begun": rf"UPDATE request SET state={VALUE}, started_at",
        "all due": r"UPDATE copy SET erase_by",
        "receipt": r"INSERT INTO receipt",
        "mail": r"INSERT INTO mail_out",
        "words gone": r"UPDATE request_message SET sealed_body",
        "request closed": rf"UPDATE request SET .*closed_at={VALUE}",
        "mail tried": r"UPDATE mail_out SET tries",
        "mail over": r"UPDATE mail_out SET state",
        "intent": r"UPDATE provider_task SET .*body_hash=",
        "taken": r"UPDATE provider_task SET .*taken_at=",
        "noted": r"INSERT INTO provider_copy",
        "booked": r"INSERT INTO spending",
        "made": r"UPDATE provider_task SET .*made_at=",
        "kept": rf"UPDATE provider_task SET state={VALUE}, ended_at",
        "batch": r"INSERT INTO usage_batch",
        "counts": r"INSERT INTO usage_count",
    }.items()
}
"""How a statement begins that does this. Where none does any more, the test that waits for it fails."""


class Trigger:
    """Calls `deed` when a moment has been reached the n-th time. `light 1`: at the stage; `written_at committed`."""

    def __init__(self, moment: str, nth: int, deed: Callable[[], None]) -> None:
        self._moment, self._nth, self._deed = moment, nth, deed
        self._seen: Counter[str] = Counter()

    def __call__(self, moment: str) -> None:
        self._seen[moment] += 1
        if moment == self._moment and self._seen[moment] == self._nth:
            self._deed()


class WatchedStore(LocalFiles):
    """The real store, with a journal of what was put, and moments before, in and after each deed."""

    def __init__(self, folder: Path, reached: Reached, journal: Path) -> None:
        super().__init__(folder)
        self._reached, self._journal, self._root = reached, journal, folder

    def put(self, key: str, data: bytes) -> None:
        self._reached("before put")
        part = self._root / key[:2] / f"{key}.{secrets.token_hex(4)}.part"
        part.parent.mkdir(mode=0o700, exist_ok=True)
        part.write_bytes(data[: len(data) // 2])
        self._reached("half put")
        part.unlink()
        super().put(key, data)
        with self._journal.open("a") as journal:
            journal.write(f"{key}\n")
        self._reached("after put")

    def erase(self, key: str) -> None:
        self._reached("before erase")
        super().erase(key)
        self._reached("after erase")

    def head(self, key: str) -> Presence:
        answer = super().head(key)
        self._reached("after head")
        return answer

    def listed(self, key: str) -> Presence:
        answer = super().listed(key)
        self._reached("after listing")
        return answer


class WatchedEngine:
    """An engine, with a moment at each of its events."""

    def __init__(self, engine: Engine, reached: Reached) -> None:
        self._engine, self._reached = engine, reached

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def make(self, order: Order) -> Iterator[Stage | Headshot]:
        for event in self._engine.make(order):
            if isinstance(event, Stage):
                yield event  # recorded by whoever asked, then:
                self._reached(event.name)
            else:
                self._reached(f"variant {event.variant} made")
                yield event
        self._reached("all made")


class WatchedProvider:
    """A third party, with a moment before and after each of the calls that matter."""

    def __init__(self, provider: Provider, reached: Reached) -> None:
        self._provider, self._reached = provider, reached

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def submit(self, commission: Commission, *, key: str) -> Submission:
        self._reached("before submit")
        answer = self._provider.submit(commission, key=key)
        self._reached("submitted")
        return answer

    def task(self, task_id: str) -> TaskReport:
        self._reached("before look")
        report = self._provider.task(task_id)
        self._reached("looked")
        return report

    def fetch(self, url: str) -> Fetched:
        self._reached("before fetch")
        fetched = self._provider.fetch(url)
        self._reached("fetched")
        return fetched


def watched(svc: Services, reached: Reached, *, journal: Path, engine: Engine | None = None) -> Services:
    """The same services, where every moment is told."""
    svc.vault.store = WatchedStore(svc.settings.data_dir / "vault", reached, journal)
    watched_engine = WatchedEngine(engine or svc.engines["on_device"], reached)
    providers: Any = {name: WatchedProvider(provider, reached) for name, provider in svc.providers.items()}
    _watch_statements(svc.database, reached)
    return replace(svc, engines={"on_device": watched_engine}, framer=watched_engine, providers=providers)


def _watch_statements(database: sa.Engine, reached: Reached) -> None:
    """`X`: the statement has run and is not committed. `X committed`: it is, and its connection is given back."""

    def ran(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        done = connection.info.setdefault("moments", [])
        for name, beginning in STATEMENTS.items():
            if beginning.match(statement):
                done.append(name)
                reached(name)

    def given_back(_: Any, record: Any) -> None:
        for name in record.info.pop("moments", []):
            reached(f"{name} committed")

    sa.event.listen(database, "after_cursor_execute", ran)
    sa.event.listen(database, "checkin", given_back)
