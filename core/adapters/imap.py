"""
IMAP: one folder of a mailbox, read without leaving a trace in it, and cleared of what is settled.

Only the beginning of each mail is fetched, some mails at a time, so a mail of any size and a folder of any length take
the same memory. A mail that another session takes away in the middle is no mail; one that the server has and does not
hand out is handed on empty, so that somebody looks at it and those after it do not wait.
"""

import imaplib
import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderSelectError, MailboxLoginError

from core.errors import MailUnavailable
from core.ports import RawMail

BEGINNING: Final = 256 * 1024
"""Bytes of a mail that are fetched: its headers, and more words than anyone writes."""
AT_A_TIME: Final = 20
REMOVED_AT_A_TIME: Final = 200
PATIENCE: Final = 30.0
"""Seconds that the server may be silent."""

_ABOUT = "UID INTERNALDATE RFC822.SIZE"
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(
    rb'\bINTERNALDATE "([ \d]\d)-(\w{3})-(\d{4}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})"', re.IGNORECASE
)
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905 -- as the protocol has them
_FOR_NOW: Final = (b"[UNAVAILABLE]", b"[INUSE]", b"[LIMIT]", b"[SERVERBUG]")


class ImapInbox:
    """An `Inbox`. Signs in for each look: a worker that sleeps holds no connection."""

    def __init__(
        self,
        *,
        name: str,
        host: str,
        port: int,
        security: str,
        user: str,
        password: str,
        folder: str = "INBOX",
        trust: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
        beginning: int = BEGINNING,
    ) -> None:
        self.name = name
        self._host, self._port, self._security = host, port, security
        self._user, self._password, self._folder = user, password, folder
        self._trust = trust
        self._patience = patience
        self._beginning = beginning

    @contextmanager
    def look(self, *, after: tuple[int, int] | None) -> Iterator[tuple[int, Iterator[RawMail]]]:
        with self._signed_in(readonly=True) as box:
            with _plainly():
                validity = _validity(box)
            since = after[1] if after and after[0] == validity else 0
            yield validity, self._mails(box, since)

    def remove(self, uid_validity: int, uids: Iterable[int]) -> None:
        wanted = sorted(uids)
        with self._signed_in(readonly=False) as box, _plainly():
            if _validity(box) != uid_validity:
                raise MailUnavailable("The mailbox has numbered its mails anew.", code="renumbered")
            for some in _chunks(wanted, REMOVED_AT_A_TIME):
                _expunge(box, some)

    # -------------------------------------------------------------------------------------------------- connection
    @contextmanager
    def _signed_in(self, *, readonly: bool) -> Iterator[BaseMailBox]:
        with _plainly():
            box = self._connected()
        try:
            with _plainly():
                self._sign_in(box)
                box.folder.set(self._folder, readonly=readonly)
            yield box
        except MailUnavailable:  # no word of goodbye: it would be waited for
            with suppress(Exception):
                box.client.shutdown()
            raise
        finally:
            for end in (box.client.logout, box.client.shutdown):
                with suppress(Exception):
                    end()

    def _connected(self) -> BaseMailBox:
        if self._security == "none":
            return MailBoxUnencrypted(self._host, self._port, timeout=self._patience)
        # left to themselves both would take any certificate
        trust = self._trust or ssl.create_default_context()
        kind = MailBoxStartTls if self._security == "starttls" else MailBox
        return kind(self._host, self._port, timeout=self._patience, ssl_context=trust)

    def _sign_in(self, box: BaseMailBox) -> None:
        as_ascii = self._user.isascii() and self._password.isascii()
        try:
            (box.login if as_ascii else box.login_utf8)(self._user, self._password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as exc:  # how the second of them is told
            raise MailboxLoginError(("NO", [str(exc)]), "OK") from None

    # ------------------------------------------------------------------------------------------------------ reading
    def _mails(self, box: BaseMailBox, since: int) -> Iterator[RawMail]:
        with _plainly():
            found = _search(box, f"UID {since + 1}:*")
        for some in _chunks([uid for uid in found if uid > since], AT_A_TIME):  # `n:*` always names the last one, too
            with _plainly():
                mails = self._fetched(box, some)
            yield from mails

    def _fetched(self, box: BaseMailBox, uids: Sequence[int]) -> list[RawMail]:
        mails = self._asked(box, uids, beginning=True)
        for uid in _still_there(box, [uid for uid in uids if uid not in mails]):
            alone = self._asked(box, [uid], beginning=True) or self._asked(box, [uid], beginning=False)
            if uid not in alone:
                raise MailUnavailable("The mail server keeps a mail to itself.", code="answers_badly")
            mails |= alone
        return [mails[uid] for uid in uids if uid in mails]

    def _asked(self, box: BaseMailBox, uids: Sequence[int], *, beginning: bool) -> dict[int, RawMail]:
        """With their beginning, or all but that: a server may know a mail and be unable to read it."""
        what = f"({_ABOUT} BODY.PEEK[]<0.{self._beginning}>)" if beginning else f"({_ABOUT})"
        said, answer = box.client.uid("FETCH", ",".join(map(str, uids)), what)
        found = self._read(answer) if said == "OK" else ()
        return {mail.uid: mail for mail in found if mail.uid in uids and (mail.data or not beginning)}

    def _read(self, answer: Sequence[Any]) -> Iterator[RawMail]:
        """Each mail is a pair (what comes before its bytes, its bytes) and a line of what comes after; or a line."""
        for at, item in enumerate(answer):
            if isinstance(item, tuple):
                after = answer[at + 1] if at + 1 < len(answer) and isinstance(answer[at + 1], bytes) else b""
                about, data = bytes(item[0]) + b" " + after, bytes(item[1])
            elif isinstance(item, bytes) and _DATE.search(item):
                about, data = item, b""
            else:
                continue
            uid, size, date = _UID.search(about), _SIZE.search(about), _DATE.search(about)
            if uid and size and date:
                received_at = _instant(date)
                yield RawMail(uid=int(uid[1]), received_at=received_at, size=int(size[1]), data=data[: self._beginning])


def _instant(date: re.Match[bytes]) -> datetime:
    day, month, year, hour, minute, second, sign, off_hours, off_minutes = (part.decode() for part in date.groups())
    ahead = timedelta(hours=int(off_hours), minutes=int(off_minutes))
    zone = timezone(ahead if sign == "+" else -ahead)
    number = _MONTHS.index(month.lower()) + 1
    at = datetime(int(year), number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=zone)
    return at.astimezone(UTC)


def _chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (uids[at : at + size] for at in range(0, len(uids), size))


def _validity(box: BaseMailBox) -> int:
    _, said = box.client.response("UIDVALIDITY")
    if said and said[0]:
        return int(said[0])
    raise MailUnavailable("The mail server does not say how it numbers mails.", code="answers_badly")


def _search(box: BaseMailBox, criteria: str) -> list[int]:
    return sorted(int(uid) for uid in box.uids(criteria, charset=None))


def _still_there(box: BaseMailBox, uids: Sequence[int]) -> list[int]:
    """Of those that were not handed out. A session may go on seeing what another has expunged until it is told."""
    if not uids:
        return []
    box.client.noop()
    return _search(box, f"UID {','.join(map(str, uids))}")


def _expunge(box: BaseMailBox, uids: Sequence[int]) -> None:
    """Gone when it returns: the server was asked for them, and has none of them."""
    which = ",".join(map(str, uids))
    _require_ok(box.client.uid("STORE", which, "+FLAGS.SILENT", r"(\Deleted)"))
    if b"UIDPLUS" in b" ".join(box.client.capability()[1]).upper():
        _require_ok(box.client.uid("EXPUNGE", which))
    elif set(_search(box, "DELETED")) <= set(uids):
        _require_ok(box.client.expunge())
    else:  # a plain EXPUNGE would take what others have marked, and perhaps we have not read
        raise MailUnavailable("Other mails in the mailbox are marked as deleted.", code="others_marked")
    if _search(box, f"UID {which}"):
        raise MailUnavailable("The mail server kept mails that were to go.", code="not_removed")


def _require_ok(answer: tuple[str, Any]) -> None:
    if answer[0] != "OK":
        raise MailUnavailable("The mail server would not remove mails.", code="not_removed")


@contextmanager
def _plainly() -> Iterator[None]:
    """Whatever goes wrong between us and the server, as one error with a code that a row may keep."""
    try:
        yield
    except MailboxLoginError as exc:
        if any(word in str(exc).upper().encode() for word in _FOR_NOW):
            raise MailUnavailable("The mail server is busy.", code="busy") from None
        raise MailUnavailable("The mail server does not accept our sign-in.", code="signin_refused") from None
    except MailboxFolderSelectError:
        raise MailUnavailable("The mailbox has no such folder.", code="no_folder") from None
    except ssl.SSLCertVerificationError:
        raise MailUnavailable("The mail server's certificate is not one we trust.", code="untrusted") from None
    except (imaplib.IMAP4.abort, ConnectionResetError, BrokenPipeError, EOFError):
        raise MailUnavailable("The mail server broke off.", code="broke_off") from None
    except OSError:
        raise MailUnavailable("The mail server cannot be reached.", code="unreachable") from None
    except (imaplib.IMAP4.error, ImapToolsError, ValueError, TypeError, IndexError, AttributeError):
        raise MailUnavailable("The mail server's answer makes no sense.", code="answers_badly") from None
