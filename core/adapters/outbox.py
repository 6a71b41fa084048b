"""
The outbox: mails as files in DATA_DIR, for an installation that has no mail server (yet).

A file is one mail as it would have been sent, and any mail program opens it. Its name is made of the mail's own date
and Message-ID, so the same mail is the same file however often it is written: here, once means once. Each holds
somebody's address, so only this user may read it, and it goes when its time is over (`forget`).
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.errors import MailUnavailable

_NAME = re.compile(r"\.?(\d{8}T\d{6}Z)-[0-9a-f]{16}\.eml(\.part)?")
_FORM = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Outbox:
    folder: Path

    def send(self, mail: bytes, *, sender: str, to: str) -> None:
        path = self.folder / _name_of(mail)
        part = path.with_name(f".{path.name}.part")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(mail)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _settle(self.folder)
        except OSError:
            raise MailUnavailable("The outbox in DATA_DIR cannot be written.", code="outbox") from None

    def check(self) -> str:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise MailUnavailable("The outbox in DATA_DIR cannot be written.", code="outbox") from None
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise MailUnavailable("The outbox in DATA_DIR cannot be written.", code="outbox")
        kept = sum(1 for _ in self._mails())
        return f"No SMTP_HOST is set: mails are written to the outbox in DATA_DIR, {kept} now"

    def forget(self, *, before: datetime) -> int:
        """By the mail's own date: a backup that was restored brings back nothing for another month."""
        old = [path for path, at in self._mails() if at < before]
        for path in old:
            path.unlink(missing_ok=True)
        if old:
            _settle(self.folder)
        return len(old)

    def _mails(self) -> Iterator[tuple[Path, datetime]]:
        """Ours only: what anybody else has put there is theirs."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if named := _NAME.fullmatch(path.name):
                yield path, datetime.strptime(named[1], _FORM).replace(tzinfo=UTC)


def _name_of(mail: bytes) -> str:
    from email.parser import BytesHeaderParser
    from email.policy import SMTPUTF8

    headers = BytesHeaderParser(policy=SMTPUTF8).parsebytes(mail)
    mark = hashlib.sha256(str(headers["Message-ID"]).encode()).hexdigest()[:16]
    return f"{headers['Date'].datetime.astimezone(UTC).strftime(_FORM)}-{mark}.eml"


def _settle(folder: Path) -> None:
    """A name survives a power cut only once its folder does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
