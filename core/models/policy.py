"""The texts of the policy."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from core.db import UtcDateTime
from core.models.base import Row


class PolicyVersion(Row, table=True):
    """A text of the policy that was in force, or will be. Never changed and never removed; one that was announced can
    be withdrawn before its day."""

    __tablename__ = "policy_version"

    version: str = Field(primary_key=True, max_length=40)  # a hash of all that it promises
    noted_at: datetime = Field(sa_type=UtcDateTime)
    effective_at: datetime = Field(sa_type=UtcDateTime, index=True)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    loosens: bool = False  # it promises less than the one before: announced, and not in force before its time
    numbers: str = Field(sa_type=sa.Text)  # canonical JSON: the bounds that it promises
    texts: str = Field(sa_type=sa.Text)  # canonical JSON: language → the whole text
