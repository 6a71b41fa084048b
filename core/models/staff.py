"""Operators: how they sign in, and which browsers they are signed in with."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field

from core.db import UtcDateTime, Word
from core.models.base import Row, new_id


class Role(StrEnum):
    SUPPORT = "support"
    FOUNDER = "founder"


class StaffLink(Row, table=True):
    """A link that signs an operator in, once. Holds the hash of its token."""

    __tablename__ = "staff_link"

    token_hash: str = Field(primary_key=True, max_length=64)
    operator_id: str = Field(max_length=24)
    role: Role = Field(sa_type=Word(Role))
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignInWay(StrEnum):
    LINK = "link"
    OIDC = "oidc"


class OperatorSession(Row, table=True):
    """Which browser an operator is signed in with. Holds the hash of a cookie, never the cookie."""

    __tablename__ = "operator_session"

    id: str = Field(default_factory=new_id, primary_key=True, max_length=32)
    session_hash: str = Field(index=True, max_length=64)
    operator_id: str = Field(index=True, max_length=24)
    role: Role = Field(sa_type=Word(Role))
    way: SignInWay = Field(sa_type=Word(SignInWay))
    opened_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
