"""What every table starts from: an id, and a condition for an index over some rows."""

from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlmodel import SQLModel


def new_id() -> str:
    return uuid4().hex


def where(condition: str) -> dict[str, Any]:
    """For a partial index. PostgreSQL's is in the migration as well: naming it here loads its dialect at each start."""
    return {"sqlite_where": sa.text(condition)}


class Row(SQLModel):
    """No row is validated as it is made: what could do that is not built at each start, but for whoever asks."""

    model_config = {"defer_build": True}
