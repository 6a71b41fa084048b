"""Migrations, from every earlier version and with a row in every table: nothing is lost, and the newest rules hold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from core import audit, migrations
from core.db import connect
from tests.peers.postgres import Cluster

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WORDS: dict[str, Any] = {
    "head": "absent",
    "listing": "absent",
    "sealed_key": b"sealed",
    "state": "queued",
    "file_hash": "1",
}
"""What the checks of some table want; everything else may be anything of its type."""
RENAMED = {("alert", "request_id"): "ref"}


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(migrations.FOLDER))
    return made


VERSIONS = sorted(script.revision for script in ScriptDirectory.from_config(config()).walk_revisions())


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'old.db'}")
        yield engine
        engine.dispose()
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    server = sa.create_engine(cluster.url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE old")
    engine = connect(cluster.url("old"))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE old WITH (FORCE)")


def migrate_to(engine: sa.Engine, version: str) -> None:
    settings = config()
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, version)


def tables(engine: sa.Engine) -> dict[str, sa.Table]:
    found = sa.MetaData()
    found.reflect(engine)
    return {table.name: table for table in found.tables.values() if table.name != "alembic_version"}


def value_for(column: sa.Column[Any]) -> Any:
    if column.name in WORDS:
        return WORDS[column.name]
    kind = column.type
    if isinstance(kind, sa.DateTime):
        return AT if kind.timezone else AT.replace(tzinfo=None)
    if isinstance(kind, sa.Date):
        return AT.date()
    if isinstance(kind, sa.LargeBinary):
        return b"bytes"
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Integer | sa.Float | sa.Numeric):
        return 1
    return "1"[: getattr(kind, "length", None) or 1]


def fill(engine: sa.Engine) -> None:
    """One row each. Every text is "1", so every foreign key finds its row."""
    parents_first = _parents_first(engine)
    with engine.begin() as connection:
        for table in parents_first:
            wanted = [column for column in table.columns if not column.nullable or column.name in WORDS]
            connection.execute(table.insert().values({column.name: value_for(column) for column in wanted}))


def _parents_first(engine: sa.Engine) -> list[sa.Table]:
    found = tables(engine)
    return [found[name] for name, _ in sa.inspect(engine).get_sorted_table_and_fkc_names() if name in found]


def rows(engine: sa.Engine, columns: dict[str, list[str]]) -> dict[str, list[dict[str, Any]]]:
    now = tables(engine)
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(sa.select(*_called(now[name], names))).mappings()]
            for name, names in columns.items()
        }


def _called(table: sa.Table, names: list[str]) -> list[sa.ColumnElement[Any]]:
    """Columns by the names that they had once, whatever they have now."""
    return [table.c[name if name in table.c else RENAMED[table.name, name]].label(name) for name in names]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_row_of_every_table_survives_the_way_to_the_newest(database: sa.Engine, version: str) -> None:
    migrate_to(database, version)
    fill(database)
    columns = {name: [column.name for column in table.columns] for name, table in tables(database).items()}
    before = rows(database, columns)
    assert all(len(found) == 1 for found in before.values())

    assert migrations.upgrade(database) == migrations.newest()

    assert rows(database, columns) == before


@pytest.mark.parametrize("version", [version for version in VERSIONS if version < "0002"])
def test_a_database_from_before_the_audit_log_gets_its_rules(database: sa.Engine, version: str) -> None:
    migrate_to(database, version)
    fill(database)
    migrations.upgrade(database)
    entry = {"seq": 1, "at": AT, "actor": "system", "action": "copy:gone", "ref": "c", "facts": "{}"}
    chained = {**entry, "previous_hash": audit.NOBODY_BEFORE}
    entries = tables(database)["audit_entry"]
    with database.begin() as connection:
        connection.execute(entries.insert().values(**chained, hash=audit.hash_of(chained)))
    for deed in ("UPDATE audit_entry SET ref = 'x'", "DELETE FROM audit_entry"):
        with pytest.raises(sa.exc.DBAPIError, match="audit_entry"), database.begin() as connection:
            connection.exec_driver_sql(deed)
