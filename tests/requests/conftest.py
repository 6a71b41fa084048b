"""People who ask, and operators who answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from core import requests
from core.models import BrowserSession, Copy, Request, RequestKind, new_id
from core.requests import Ticket
from tests.conftest import ANN

OPERATOR = "operator:0a1b2c3d"
OTHER = "operator:4e5f6a7b"
ADDRESS = "ann@example.org"


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What the register needs of one."""

    received_at: datetime
    text: str = "Please delete everything."
    sender: str = ADDRESS
    message_id: str | None = None
    subject: str = "Deletion Request"


@pytest.fixture
def press(svc) -> Callable[..., Ticket]:
    """Ann's browser asks."""

    def open_one(kind: RequestKind = RequestKind.ERASE, *, who: str = ANN, press_id: str | None = None, **more: Any):
        return requests.open_in_product(svc, who, kind=kind, press_id=press_id or new_id(), **more)

    return open_one


@pytest.fixture
def subject_id(svc, ask) -> str:
    """Ann has made headshots."""
    ask()
    with svc.reading() as session:
        return session.exec(select(BrowserSession.subject_id).where(BrowserSession.session_hash == ANN)).one()


@pytest.fixture
def row(svc) -> Callable[[Any], Request]:
    """The row of a ticket, as it stands now."""

    def get(of: Any) -> Request:
        with svc.reading() as session:
            return session.get_one(Request, getattr(of, "id", of))

    return get


@pytest.fixture
def kept(svc) -> Callable[[str], list[Copy]]:
    """Copies of a subject that are not gone."""

    def get(subject_id: str) -> list[Copy]:
        with svc.reading() as session:
            found = session.exec(select(Copy).where(Copy.subject_id == subject_id)).all()
        return [copy for copy in found if copy.gone_at is None]

    return get
