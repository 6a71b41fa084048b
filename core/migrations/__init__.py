"""
The schema, version by version, forward only. `upgrade` brings any database to the newest one and is safe to call from
several processes at once: on PostgreSQL they queue for an advisory lock, on SQLite for the write lock. What is at the
newest version is only read, and Alembic is not even imported: that is nearly every start.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.db import reader

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent
_LOCK = 7_270_001  # any number, the same for all of our processes
_REVISION = re.compile(r'^(down_)?revision\b[^=]*= "(\w+)"', re.MULTILINE)


def upgrade(engine: sa.Engine) -> str:
    """Migrate to the newest version, and give its name."""
    wanted = newest()
    if current(engine) != wanted:
        _migrate(engine)
    return wanted


def current(engine: sa.Engine) -> str | None:
    """The version a database is at, or None for an empty one."""
    with reader(engine).connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return version


def newest() -> str:
    """The version that no other one comes after."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (FOLDER / "versions").glob("*.py"))
    found = _REVISION.findall(text)
    followed = {name for is_down, name in found if is_down}
    (head,) = {name for is_down, name in found if not is_down} - followed
    return str(head)


def _migrate(engine: sa.Engine) -> None:
    from alembic import command

    config = _config()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
