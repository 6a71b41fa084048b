"""People who ask, and operators who answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_string, policy
from typing import Any

import pytest
from sqlmodel import col, select

from core import access, jobs, requests
from core.models import AuditEntry, BrowserSession, Copy, MailOut, Request, RequestKind, new_id
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
    message_id: str = ""
    subject: str = "Deletion Request"
    language: str = "en"
    may_answer: bool = True


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


@pytest.fixture
def work(worker) -> Callable[[], int]:
    """Do all work that is ready now, requests included; how many jobs that was."""

    def until_idle() -> int:
        done = 0
        while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
            done += 1
            assert done < 1000, "the worker never comes to rest"
        return done

    return until_idle


@pytest.fixture
def code(svc, subject_id) -> str:
    """Ann's claim code."""
    return access.issue_claim_code(svc, ANN)


@pytest.fixture
def arrives(svc, clock) -> Callable[..., Request]:
    """A mail, read by the worker now."""

    def read(text: str = "Please delete everything.", *, received_at: datetime | None = None, **more: Any) -> Request:
        mail = Mail(received_at=received_at or clock(), text=text, **more)
        with svc.transaction() as session:
            return requests.open_from_mail(session, svc, mail, clock())

    return read


@pytest.fixture
def replies(svc, clock) -> Callable[..., None]:
    """A mail that belongs to a request."""

    def read(request: Any, text: str, *, same_address: bool = True, **more: Any) -> None:
        mail = Mail(received_at=clock(), text=text, **more)
        with svc.transaction() as session:
            row = session.get_one(Request, request.id)
            requests.add_reply(session, svc, row, mail, same_address=same_address, now=clock())

    return read


@pytest.fixture
def by_hand(svc, clock) -> Callable[..., Ticket]:
    """Somebody called."""

    def enter(kind: RequestKind = RequestKind.ERASE, *, ago: timedelta = timedelta(hours=1), **more: Any) -> Ticket:
        return requests.open_by_hand(svc, kind=kind, received_at=clock() - ago, actor=OPERATOR, **more)

    return enter


@pytest.fixture
def mails(svc) -> Callable[..., list[MailOut]]:
    """Our mails, or those for one purpose."""

    def get(purpose: str | None = None) -> list[MailOut]:
        with svc.reading() as session:
            found = session.exec(select(MailOut).order_by(col(MailOut.created_at))).all()
        return [mail for mail in found if purpose in (None, mail.purpose)]

    return get


@pytest.fixture
def words_of(svc) -> Callable[[MailOut], str]:
    """A mail as it will be sent."""

    def read(mail: MailOut) -> str:
        sent = message_from_string(svc.vault.open_text(mail, mail.sealed_mail), policy=policy.SMTP)
        return f"To: {sent['To']}\n{sent['Subject']}\n{sent.get_body().get_content()}"

    return read


@pytest.fixture
def deeds(svc) -> Callable[[Any], list[str]]:
    """What the audit log tells of a request."""

    def get(of: Any) -> list[str]:
        with svc.reading() as session:
            log = select(AuditEntry.action).where(AuditEntry.ref == of.id).order_by(col(AuditEntry.seq))
            return list(session.exec(log).all())

    return get


@pytest.fixture
def erased(work, clock) -> Callable[[], None]:
    """The undo ends, and everything there is to do is done."""

    def pass_by() -> None:
        clock.advance(minutes=2)
        work()

    return pass_by
