"""
Dovecot: a real IMAP server with a mailbox of its own, as an ordinary user, in its own folder and on its own ports.

Mails are put in by IMAP APPEND with the internal date that a test wants. `restart`, `stop` and `end_sessions` are what
happens to mail servers.
"""

import grp
import imaplib
import os
import pwd
import re
import shutil
import signal
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.peers.certificate import make_certificate
from tests.peers.process import Server, free_port

USER, PASSWORD = "desk@peer.example", "not a secret"
PROGRAM = Path("/usr/sbin/dovecot")

SETTINGS = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
default_vsz_limit = 256M
mail_fsync = never
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 100
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
imap_capability = {capability}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%u
}}
first_valid_uid = 1
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """`with Dovecot() as server: server.put(b"...", at=...)`."""

    def __init__(self, *, capability: str = "") -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="workshot-dovecot-"))
        user, group = _who()
        key, self.authority = make_certificate(self.folder)
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        words = {"folder": self.folder, "user": user, "group": group, "key": key, "certificate": self.authority}
        words |= {"port": self.port, "tls_port": self.tls_port, "capability": capability}
        (self.folder / "settings.conf").write_text(SETTINGS.format(**words))
        for name in ("mail", "home"):
            (self.folder / name).mkdir()
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, user, group)
        self._as = [f"--reuid={user}", f"--regid={group}", "--clear-groups"] if os.getuid() == 0 else []
        self._server: Server | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        if not PROGRAM.exists():
            raise RuntimeError("These tests need Dovecot: apt-get install -y --no-install-recommends dovecot-imapd")
        command: list[str | Path] = [PROGRAM, "-F", "-c", self.folder / "settings.conf"]
        if self._as:
            command = ["setpriv", *self._as, *command]
        self._server = Server(command, log=self.folder / "log", is_up=lambda _: self._answers())
        self._server.__enter__()

    def stop(self) -> None:
        if self._server is not None:
            self._server.__exit__(None, None, None)
            self._server = None

    def _answers(self) -> bool:
        with suppress(OSError, imaplib.IMAP4.error):
            imaplib.IMAP4("127.0.0.1", self.port, timeout=5).shutdown()
            return True
        return False

    @contextmanager
    def session(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Somebody else who reads this mailbox."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        client.login(USER, PASSWORD)
        client.select(folder)
        try:
            yield client
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def put(self, *mails: bytes, at: datetime, folder: str = "INBOX") -> None:
        """Mails arrive, with this internal date."""
        with self.session() as client:
            for mail in mails:
                done, says = client.append(folder, "", imaplib.Time2Internaldate(at.astimezone(UTC)), mail)
                assert done == "OK", says

    def uids(self) -> list[int]:
        with self.session() as client:
            return [int(uid) for uid in client.uid("SEARCH", "ALL")[1][0].split()]

    def flags(self) -> list[bytes]:
        with self.session() as client:
            return [item for item in client.uid("FETCH", "1:*", "(FLAGS)")[1] if isinstance(item, bytes)]

    def expunge(self, *uids: int) -> None:
        with self.session() as client:
            client.uid("STORE", ",".join(str(uid) for uid in uids), "+FLAGS", r"(\Deleted)")
            client.expunge()

    def empty(self) -> None:
        """A fresh mailbox: the folder goes, with its UIDs and their validity."""
        shutil.rmtree(self.folder / "mail" / USER, ignore_errors=True)

    def change_validity(self, to: int) -> None:
        """What a restored backup does: the same mails under other UIDs' validity."""
        listing = self.folder / "mail" / USER / "dovecot-uidlist"
        first, _, rest = listing.read_text().partition("\n")
        listing.write_text(f"{' '.join(f'V{to}' if word.startswith('V') else word for word in first.split())}\n{rest}")
        for index in listing.parent.glob("dovecot.index*"):
            index.unlink()

    def end_sessions(self) -> int:
        """Every connection breaks off, in the middle of whatever it was at. How many there were."""
        ended = 0
        for pid in re.findall(r"mpid=(\d+)", self.said()):
            with suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"dovecot/imap"):
                    os.kill(int(pid), signal.SIGKILL)
                    ended += 1
        return ended

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


def _who() -> tuple[str, str]:
    """Root's mail is nobody's business: Dovecot then runs as `nobody`."""
    if os.getuid() == 0:
        return "nobody", grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
    return pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
