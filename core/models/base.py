"""What every table starts from: an id, and a condition for an index over some rows."""

from typing import Any
from uuid import uuid4

import sqlalchemy as sa


def new_id() -> str:
    return uuid4().hex


def where(condition: str) -> dict[str, Any]:
    """For a partial index. PostgreSQL's is in the migration as well: naming it here loads its dialect at each start."""
    return {"sqlite_where": sa.text(condition)}
