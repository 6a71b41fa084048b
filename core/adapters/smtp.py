"""
Mail through an SMTP server: STARTTLS by default, or TLS, or neither on a network that is ours alone.

What it guards against:
* A line that is quietly not encrypted. A server that offers no STARTTLS, or a certificate that does not belong to it,
  gets neither password nor mail. Certificates are checked against the system's authorities, or those in SSL_CERT_FILE.
* A server that says nothing. Each answer has a time limit, so a try ends within minutes whatever the other side does.
* A "no" that is not meant for good. Only a 5xx about the receiver or the mail itself ends the tries. Trouble with the
  sign-in, the sender or the line is the operator's, who may mend it while the mail waits.
* A slip at the end. Once the server has said that it took the mail, nothing that happens after counts.

No message holds an address or what the server said, which may quote one.
"""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from core.errors import MailError, MailRefused, MailUnavailable

if TYPE_CHECKING:
    from smtplib import SMTP

Security = Literal["starttls", "tls", "none"]
SECONDS: Final = 30.0
TOO_BIG: Final = 552
"""The one refusal at MAIL FROM that is about the mail: it is larger than the server takes."""


@dataclass(frozen=True, kw_only=True)
class SmtpPost:
    """Takes mail to one server. A connection for each mail: there are few, and none goes stale."""

    host: str
    port: int
    security: Security = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    our_name: str = "localhost"  # said in greeting; a server's own name for this machine is nobody's business
    patience: float = SECONDS  # with each answer
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def send(self, mail: bytes, *, sender: str, to: str) -> None:
        with self._signed_in() as server:
            _hand_over(server, mail, sender, to)

    def check(self) -> str:
        with self._signed_in() as server:
            server.noop()
        how = {"starttls": "STARTTLS", "tls": "TLS", "none": "no encryption"}[self.security]
        return f"A mail server takes our mail ({how}, {'signed in' if self.user else 'no sign-in'})"

    def forget(self, *, before: datetime) -> int:
        return 0  # what a server took is not here

    @contextmanager
    def _signed_in(self) -> "Iterator[SMTP]":
        server = None
        try:
            server = self._connected()
            self._sign_in(server)
            yield server
        except MailError:
            raise
        except Exception as exc:
            raise _unavailable(exc) from None
        finally:
            if server is not None:
                with suppress(Exception):
                    server.quit()
                server.close()

    def _connected(self) -> "SMTP":
        import smtplib

        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, self.our_name, timeout=self.patience, context=self.context())
        server = smtplib.SMTP(self.host, self.port, self.our_name, timeout=self.patience)
        if self.security == "starttls":
            try:
                server.starttls(context=self.context())
            except BaseException:
                server.close()
                raise
        return server

    def _sign_in(self, server: "SMTP") -> None:
        server.ehlo_or_helo_if_needed()
        if self.user:
            server.login(self.user, self.password)


def _hand_over(server: "SMTP", mail: bytes, sender: str, to: str) -> None:
    """One receiver; each answer looked at by itself, because what a "no" means depends on the question."""
    options = ["SMTPUTF8", "BODY=8BITMIME"] if not to.isascii() else []
    if options and not server.has_extn("smtputf8"):
        raise MailRefused("The mail server cannot write to such an address.", code="no_smtputf8")
    if server.has_extn("size"):
        options.append(f"SIZE={len(mail)}")
    if options and not to.isascii():
        server.command_encoding = "utf-8"
    code, _ = server.mail(sender, options)
    if code != 250:
        _no("sender", code, for_good=code == TOO_BIG)
    code, _ = server.rcpt(to)
    if code not in (250, 251):
        _no("receiver", code, for_good=_is_final(code))
    code = _data(server, mail)
    if code != 250:
        _no("mail", code, for_good=_is_final(code))


def _data(server: "SMTP", mail: bytes) -> int:
    import smtplib

    try:
        code, _ = server.data(mail)
    except smtplib.SMTPDataError as exc:  # refused before the first byte of it
        return exc.smtp_code
    return code


def _is_final(code: int) -> bool:
    """530 and 535 ask for a sign-in: of us, not of the one we write to."""
    return 500 <= code < 600 and code not in (530, 535)


def _no(about: str, code: int, *, for_good: bool) -> None:
    kind = MailRefused if for_good else MailUnavailable
    raise kind(f"The mail server answered {code} about the {about}.", code=f"{about}_{code}")


def _unavailable(exc: Exception) -> MailUnavailable:
    """Why a server could not be used, as a code and a sentence without a name."""
    import smtplib

    told: tuple[tuple[type[Exception], str, str], ...] = (
        (smtplib.SMTPAuthenticationError, "sign_in", "The mail server does not take our sign-in."),
        (smtplib.SMTPNotSupportedError, "not_offered", "The mail server does not offer STARTTLS, or no sign-in."),
        (ssl.SSLCertVerificationError, "certificate", "The mail server's certificate could not be verified."),
        (ssl.SSLError, "tls", "The mail server and we found no encryption that both know."),
        (TimeoutError, "timeout", "The mail server did not answer in time."),
        (smtplib.SMTPServerDisconnected, "cut_off", "The mail server ended the connection."),
        (smtplib.SMTPResponseException, "greeting", "The mail server does not want to talk to us just now."),
        (OSError, "unreachable", "The mail server cannot be reached."),
    )
    if isinstance(exc.__context__, TimeoutError):  # smtplib calls it a lost connection
        exc = exc.__context__
    for kind, code, says in told:
        if isinstance(exc, kind):
            return MailUnavailable(says, code=code)
    return MailUnavailable("The mail could not be handed over.", code=type(exc).__name__.lower()[:40])
