"""Migrations: from nothing to the newest version, and then the database is what the models say."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

import core.models  # noqa: F401  # fills the metadata
from core import migrations
from core.db import connect
from tests.conftest import on_all_threads
from tests.peers.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request, tmp_path):
    """A database in which nothing is."""
    if request.param == "sqlite":
        engine = connect(f"sqlite:///{tmp_path / 'deep' / 'new.db'}")
        yield engine
        engine.dispose()
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    server = sa.create_engine(cluster.url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE new")
    engine = connect(cluster.url("new"))
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE new WITH (FORCE)")


def test_an_empty_database_becomes_the_newest(empty):
    assert migrations.current(empty) is None

    assert migrations.upgrade(empty) == migrations.newest() == migrations.current(empty)

    assert set(SQLModel.metadata.tables) | {"alembic_version"} == set(sa.inspect(empty).get_table_names())


def test_what_was_migrated_is_what_the_models_say(empty):
    migrations.upgrade(empty)

    with empty.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_checks_of_the_models_are_in_the_database(empty):
    migrations.upgrade(empty)
    inspector = sa.inspect(empty)

    for table in SQLModel.metadata.sorted_tables:
        wanted = {check.name for check in table.constraints if isinstance(check, sa.CheckConstraint)}
        assert wanted <= {check["name"] for check in inspector.get_check_constraints(table.name)}, table.name


def test_the_newest_version_is_the_one_that_alembic_means():
    folder = Config()
    folder.set_main_option("script_location", str(migrations.FOLDER))
    assert migrations.newest() == ScriptDirectory.from_config(folder).get_current_head()


def test_a_database_at_the_newest_version_is_only_read(tmp_path):
    """So a server starts while a backup holds the file, and without Alembic."""
    engine = connect(f"sqlite:///{tmp_path / 'new.db'}")
    migrations.upgrade(engine)
    with engine.begin():  # the one write lock
        assert migrations.upgrade(engine) == migrations.newest()
    engine.dispose()


def test_migrating_twice_changes_nothing(empty):
    migrations.upgrade(empty)
    before = sa.MetaData()
    before.reflect(empty)

    migrations.upgrade(empty)

    after = sa.MetaData()
    after.reflect(empty)
    assert {name: [c.name for c in table.columns] for name, table in before.tables.items()} == {
        name: [c.name for c in table.columns] for name, table in after.tables.items()
    }


def test_servers_that_start_at_once_queue_up_to_migrate(empty):
    assert set(on_all_threads(lambda: migrations.upgrade(empty), times=4)) == {migrations.newest()}
    assert migrations.current(empty) == migrations.newest()
