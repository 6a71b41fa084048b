"""
The database: one engine, the two kinds of transaction, and the column types everything shares.

On SQLite a writing transaction takes the one write lock at BEGIN, so it waits its turn at the start and never
fails half-way; a reading one takes none. `isolation_level = None` keeps the driver from beginning on its own.
"""

from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

READ_ONLY = "workshot_read_only"
PATIENCE: dict[str, Any] = {  # with a PostgreSQL that went away without a word; left to itself, TCP waits for hours
    "connect_timeout": 10,  # seconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # milliseconds
}
ITS_PATIENCE = {  # and its with us: what a frozen process or a dead machine has locked is not locked for long
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "10s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "3",
}
CONNECTIONS, MORE_AT_TIMES = 10, 10
"""Of one process to PostgreSQL, at most the two together. README says how to add them up."""
PATIENCE_WITH_OTHERS = 30  # seconds, of SQLite
ANY_RULE, AUDIT_CHAIN, SENDING = 7_270_002, 7_270_003, 7_270_004  # any numbers that no other lock of ours has


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. SQLite forgets zones, so this refuses naive values and gives UTC back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A StrEnum stored as its value, so that the database reads like the code."""

    impl = sa.String(24)
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self.enum(value)


def connect(url: str) -> sa.Engine:
    """An engine for SQLite or PostgreSQL. Makes the folder of an SQLite file, readable by its owner only."""
    if not url.startswith("sqlite"):
        return _connect_postgresql(url)
    path = sa.make_url(url).database
    if path:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"check_same_thread": False, "timeout": PATIENCE_WITH_OTHERS})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _connect_postgresql(url: str) -> sa.Engine:
    engine = sa.create_engine(
        url,
        connect_args=PATIENCE,
        pool_pre_ping=True,  # a connection that a restart has cut is found out before it is used
        pool_size=CONNECTIONS,
        max_overflow=MORE_AT_TIMES,
        pool_timeout=15,
    )
    sa.event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    for name, value in ITS_PATIENCE.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.commit()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    _write_ahead(connection)
    for pragma in (
        "busy_timeout = 30000",
        "synchronous = FULL",  # a promise that was recorded survives a power cut
        "foreign_keys = ON",
        "cache_size = -16000",  # KiB: in the 2 MB that it has by itself, a large sweep reads most pages twice
        "secure_delete = ON",  # a deleted row's bytes are overwritten in the file
    ):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Two processes that start on one new file both want this. SQLite refuses one of them without letting it wait."""
    from sqlite3 import SQLITE_BUSY, OperationalError

    until = monotonic() + PATIENCE_WITH_OTHERS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != SQLITE_BUSY or monotonic() > until:
                raise
        Event().wait(0.02)


def _begin_sqlite(connection: sa.Connection) -> None:
    reading = connection.get_execution_options().get(READ_ONLY)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def take_turns(session: sa.orm.Session, about: int = ANY_RULE) -> None:
    """From here to the commit nobody else who takes turns is at work: for rules that count rows before adding one.

    On SQLite every writer takes turns from BEGIN on. Ask before anything else is locked.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(about)))


def reader(engine: sa.Engine) -> sa.Engine:
    """The same engine for reading: takes no write lock on SQLite."""
    return engine.execution_options(**{READ_ONLY: True})


def scrub(engine: sa.Engine) -> bool:
    """Take out of SQLite's log what the tables no longer hold: a destroyed key may lie there in an older page.

    Call it outside a transaction. False: somebody was reading; then the next call does it. A PostgreSQL database sees
    to its log by itself.
    """
    if engine.dialect.name != "sqlite":
        return True
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 100")  # writers wait while this waits for readers
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute("PRAGMA busy_timeout = 30000")
        return not busy
    finally:
        connection.close()


def upsert(dialect: str, table: Any) -> Any:
    """An INSERT that knows ON CONFLICT. Only the dialect in use is loaded: the other one costs a start 20 ms."""
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
