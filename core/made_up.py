"""
What is made up: how the rows of the demo are told from real ones.

Every id that `python -m core demo` writes begins with a word that no other id can hold: ours are hexadecimal. So a row
says of itself that nobody is behind it, wherever it is met, and no column has to be kept true for that.

Whatever erases, proves, alerts, answers or measures leaves such rows alone: they are no photo of anybody, no storage
has anything of them, and what a health check or a promise said of them would be a lie. Pages of operators show them,
and say so; deeds on them are refused.
"""

from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core.errors import NotAllowed
from core.models import UsageCount

WORD: Final = "demo"
HERE: Final = (
    "A demo is here: these people, pictures and requests are made up. Checks and promises leave them alone. "
    "To remove it: python -m core demo --remove"
)
REFUSED: Final = (
    "This was made up by the demo. Nothing can be done about it; `python -m core demo --remove` removes it."
)


def is_real(id_column: Any) -> sa.ColumnElement[bool]:
    """The rows of people, for a WHERE. Of a table's id, or of a column that holds one."""
    return ~is_made_up(id_column)


def is_made_up(id_column: Any) -> sa.ColumnElement[bool]:
    made_up: sa.ColumnElement[bool] = col(id_column).like(f"{WORD}%")
    return made_up


def is_one(id: str | None) -> bool:
    """The same of an id in hand."""
    return id is not None and id.startswith(WORD)


def refuse(id: str | None) -> None:
    """Raises NotAllowed for what is made up."""
    if is_one(id):
        raise NotAllowed(REFUSED)


def is_here(session: Session) -> bool:
    """Whether there is a demo. Its counts are the first of it that comes and the last that goes."""
    return session.exec(select(UsageCount.metric).where(col(UsageCount.demo)).limit(1)).first() is not None
