"""
The whole path of a deletion request by mail, between real servers: a mailbox (Dovecot), a mail server (SMTP with TLS),
the app in a process of its own, and two people in Chromium: the one who made the photos, and support at the desk.

Only the two minutes of the undo are not waited for: their end is moved to now, and nothing else.
"""

import base64
import email
import email.policy
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from core import receipts
from core.models import Copy, Job, Mailbox, MailIn, Request, RequestState
from tests.browser.backstage import Backstage
from tests.browser.conftest import APP
from tests.browser.studio import PATIENCE, Visitor, portrait, visiting
from tests.browser.test_operators import browser_of, made_link
from tests.peers.certificate import make_certificate
from tests.peers.dovecot import PASSWORD, USER, Dovecot
from tests.peers.smtp import PASSWORD as SMTP_PASSWORD
from tests.peers.smtp import USER as SMTP_USER
from tests.peers.smtp import MailServer, mail_server, server_context
from tests.web.served import Server, serve, until

pytestmark = pytest.mark.browser

ANN = "ann@people.example"


class House:
    """The app with a mailbox and a mail server before it."""

    def __init__(self, server: Server, data: Path, mailbox: Dovecot, post: MailServer, backstage: Backstage) -> None:
        self.server, self.data, self.mailbox, self.post, self.backstage = server, data, mailbox, post, backstage

    def one_request(self) -> Request | None:
        return next(iter(self.backstage.rows(Request)), None)

    def comes_to(self, state: RequestState) -> Request:
        assert until(lambda: (one := self.one_request()) and one.state is state, seconds=60), self.why_not()
        found = self.one_request()
        assert found is not None
        return found

    def why_not(self) -> object:
        return [self.backstage.rows(model) for model in (Mailbox, MailIn, Request, Job)], self.server.logged()

    def two_minutes_later(self) -> None:
        """The undo has ended; whatever waits for that waits no more."""
        with self.backstage.changing() as connection:
            ended = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1)
            connection.execute(sa.text("UPDATE request SET start_at = :at"), {"at": ended.isoformat(" ")})
            connection.execute(
                sa.text("UPDATE job SET run_at = :at WHERE kind = 'request'"), {"at": ended.isoformat(" ")}
            )

    def answers(self) -> list[email.message.EmailMessage]:
        mails = (email.message_from_bytes(taken.data, policy=email.policy.default) for taken in self.post.took)
        return [mail for mail in mails if isinstance(mail, email.message.EmailMessage)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("mail")
    key, authority = make_certificate(folder, name="WorkShot test post")
    with ExitStack() as stack:
        mailbox = stack.enter_context(Dovecot())
        both = folder / "authorities.pem"
        both.write_bytes(authority.read_bytes() + mailbox.authority.read_bytes())
        post = stack.enter_context(mail_server(starttls=server_context(key, authority), auth=True))
        server = stack.enter_context(
            serve(
                folder / "server.log",
                page=APP,
                DATA_DIR=str(folder / "data"),
                IMAP_HOST="127.0.0.1",
                IMAP_PORT=str(mailbox.tls_port),
                IMAP_USER=USER,
                IMAP_PASSWORD=PASSWORD,
                MAIL_EVERY_SECONDS="1",
                SMTP_HOST="127.0.0.1",
                SMTP_PORT=str(post.port),
                SMTP_USER=SMTP_USER,
                SMTP_PASSWORD=SMTP_PASSWORD,
                MAIL_FROM=USER,
                PRIVACY_CONTACT=USER,
                SSL_CERT_FILE=str(both),
            )
        )
        backstage = stack.enter_context(Backstage(folder / "data"))
        yield House(server, folder / "data", mailbox, post, backstage)


def letter(code: str) -> bytes:
    """As a phone sends it: the code in small letters, and broken by the mail program."""
    typed = code.lower().replace("-", " ")
    text = f"Hello,\r\nplease erase everything. My code is {typed[:17]}\r\n{typed[17:]}\r\nThank you, Ann\r\n"
    return (
        f"From: Ann <{ANN}>\r\nTo: {USER}\r\nSubject: deletion request\r\nMessage-ID: <one@people.example>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    ).encode()


def test_a_mail_with_a_claim_code_erases_everything_and_is_answered_with_a_receipt(
    chromium: Browser, house: House
) -> None:
    with visiting(chromium, house.server) as ann, browser_of(chromium) as support:
        code, addresses = makes_headshots(ann)
        support.goto(made_link(house.server, house.data))
        support.get_by_role("button", name="Sign in").click()
        sent_at = datetime.now(UTC).replace(microsecond=0)
        house.mailbox.put(letter(code), at=sent_at)

        request = house.comes_to(RequestState.UNDO)
        assert request.received_at == sent_at
        assert request.due_at == sent_at + timedelta(hours=48)
        support.goto(f"{house.server.url}/ops_deletions")
        expect(support.get_by_text(request.number).first).to_be_visible(timeout=PATIENCE)

        house.two_minutes_later()
        closed = house.comes_to(RequestState.CLOSED)
        assert closed.done_at and closed.done_at <= closed.due_at
        assert {ann.status_of(address) for address in addresses} == {404}
        assert all(copy.gone_at and copy.evidence_id for copy in house.backstage.rows(Copy))
        ann.open()
        ann.sees("Erased")

    assert until(lambda: len(house.answers()) >= 1)
    (answer,) = house.answers()
    assert (answer["To"], answer["From"].addresses[0].addr_spec) == (ANN, USER)
    assert closed.number in answer["Subject"] + answer.get_body().get_content()  # type: ignore[union-attr]
    (attached,) = answer.iter_attachments()
    receipt = attached.get_content()
    verdict = receipts.verify(receipt, public_keys=keys_of(house.server))
    assert verdict.well, verdict
    assert until(lambda: house.mailbox.uids() == []), "the mail is still in the mailbox, with its address and its words"
    assert closed.sealed_key is None and closed.sealed_address is None
    nothing_of_her_is_logged(house, code)


def makes_headshots(ann: Visitor) -> tuple[str, list[str]]:
    ann.open()
    ann.add(portrait())
    ann.agree()
    ann.generate()
    ann.sees("Your headshots are ready")
    return ann.claim_code(), sorted(ann.pictures)


def keys_of(server: Server) -> dict[str, bytes]:
    with server.client() as client:
        told = client.get("/receipt-key").json()
    return {key["key_id"]: base64.b64decode(key["public_key"]) for key in told["keys"]}


def nothing_of_her_is_logged(house: House, code: str) -> None:
    for word in (ANN, "people.example", code, code.lower(), PASSWORD, SMTP_PASSWORD):
        assert word not in house.server.logged()
