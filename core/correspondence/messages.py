"""The form of a mail: plain text and attachments, one receiver, headers that nothing from outside can add a line to."""

import re
import secrets
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from core.vault import Vault

if TYPE_CHECKING:
    from email.headerregistry import Address
    from email.message import EmailMessage

NAME: Final = "WorkShot"
WIDTH: Final = 76  # characters of a line of text
LONGEST_LINE: Final = 900
"""Of a header: below the 998 of RFC 5322, and above all of ours. Python would encode a longer Message-ID as words."""
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>", re.ASCII)


@dataclass(frozen=True)
class Attachment:
    name: str
    media_type: str  # "application/json"
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Built:
    """A mail, ready to be sent as often as it takes."""

    message_id: str
    text: str = field(repr=False)  # the whole of it, as it goes over the line


def message_hash(vault: Vault, message_id: str) -> str:
    """What is kept of a Message-ID: enough to know it again when an answer or a bounce names it."""
    return vault.keyed_hash("message-id", message_id.strip().strip("<>").encode())


def build(
    *,
    sender: str,
    to: str,
    subject: str,
    text: str,
    at: datetime,
    attachments: Sequence[Attachment] = (),
    reply_to_message_id: str | None = None,
) -> Built:
    from email.message import EmailMessage
    from email.policy import SMTP, SMTPUTF8
    from email.utils import format_datetime

    message_id = f"<{secrets.token_hex(16)}@{sender.rpartition('@')[2]}>"
    policy = SMTP if f"{sender}{to}".isascii() else SMTPUTF8
    mail = EmailMessage(policy=policy.clone(cte_type="7bit"))  # servers that take no other are still about
    mail["From"] = _address(sender, NAME)
    mail["To"] = _address(to)
    mail["Subject"] = one_line(subject)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    answers = reply_to_message_id if _MESSAGE_ID.fullmatch(reply_to_message_id or "") else None
    mail["Auto-Submitted"] = "auto-replied" if answers else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # what Exchange looks at instead
    if answers:
        mail["In-Reply-To"] = mail["References"] = answers
    mail.set_content(wrapped(text))
    _attach(mail, attachments)
    return Built(
        message_id=message_id, text=mail.as_bytes(policy=mail.policy.clone(max_line_length=LONGEST_LINE)).decode()
    )


def _address(spec: str, name: str = "") -> "Address":
    """In its two halves: as one, Python takes no letter outside ASCII."""
    from email.headerregistry import Address

    local, _, domain = spec.rpartition("@")
    return Address(name, local, domain)


def _attach(mail: "EmailMessage", attachments: Sequence[Attachment]) -> None:
    for each in attachments:
        main, _, sub = each.media_type.partition("/")
        mail.add_attachment(each.data, maintype=main, subtype=sub, filename=one_line(each.name))


def one_line(text: str, *, longest: int = 200) -> str:
    """Without any break of a line: nothing in it can become a header."""
    return _BREAKS.sub(" ", text).strip()[:longest]


def wrapped(text: str) -> str:
    """Paragraphs at a width that every mail program shows well. A line that is short enough stays as it is."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(_wrapped(line) for line in lines).strip("\n") + "\n"


def _wrapped(line: str) -> str:
    if len(line) <= WIDTH:
        return line.rstrip()
    follows = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, WIDTH, subsequent_indent=follows, break_long_words=False, break_on_hyphens=False)
