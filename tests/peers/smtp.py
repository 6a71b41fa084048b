"""
An SMTP server in this process: real sockets, real TLS, and told by the test how to answer.

A sign-in is refused with `handled=False`: otherwise aiosmtpd takes it that the answer was sent already, and the other
side waits for ever.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.peers.process import free_port

USER, PASSWORD = "workshot", "let-me-in"


@dataclass
class Delivery:
    sender: str
    to: list[str]
    data: bytes
    encrypted: bool
    signed_in: bool


@dataclass
class MailServer:
    """What it was given, and its answers. An answer is a line as `550 no such person`."""

    port: int
    took: list[Delivery] = field(default_factory=list)
    sign_ins: list[bytes] = field(default_factory=list)
    at_mail: str | None = None
    at_rcpt: str | None = None
    at_data: str | None = None
    drops_after_data: bool = False
    stalls: float = 0.0  # seconds before it answers what it was given

    async def handle_MAIL(  # noqa: N802, aiosmtpd's names
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_mail is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.at_mail or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_rcpt is None:
            envelope.rcpt_tos.append(address)
        return self.at_rcpt or "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.at_data is not None:
            return self.at_data
        self.took.append(
            Delivery(
                sender=envelope.mail_from or "",
                to=list(envelope.rcpt_tos),
                data=bytes(envelope.original_content or b""),
                encrypted=server.transport.get_extra_info("sslcontext") is not None,
                signed_in=bool(session.authenticated),
            )
        )
        if self.drops_after_data:
            server.transport.abort()
        await asyncio.sleep(self.stalls)
        return "250 taken"

    def sign_in(self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.sign_ins.append(data.password if isinstance(data, LoginPassword) else b"?")
        well = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=well, handled=False)


@contextmanager
def mail_server(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, auth: bool = False, utf8: bool = True
) -> Iterator[MailServer]:
    """Until the end of the block."""
    server = MailServer(port=free_port())
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=server.port,
        ssl_context=tls,
        tls_context=starttls,
        authenticator=server.sign_in,
        auth_require_tls=bool(starttls),
        auth_required=auth,
        enable_SMTPUTF8=utf8,
    )
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def server_context(key: Any, certificate: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
