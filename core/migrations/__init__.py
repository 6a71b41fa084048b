"""
The schema, version by version, forward only. `upgrade` brings any database to the newest one and is safe to call from
several processes at once: on PostgreSQL they queue for an advisory lock, on SQLite for the write lock.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

FOLDER = Path(__file__).parent
_LOCK = 7_270_001  # any number, the same for all of our processes


def upgrade(engine: sa.Engine) -> str:
    """Migrate to the newest version, and give its name."""
    config = _config()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest()


def current(engine: sa.Engine) -> str | None:
    """The version a database is at, or None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return head or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
