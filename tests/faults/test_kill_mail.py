"""
Whoever reads the mailbox is killed with SIGKILL at each step. The next one reads on: no mail is lost or read twice,
none leaves the mailbox before it is stored, and all that is settled leaves it.
"""

import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import mailbox, requests
from core.adapters.imap import ImapInbox
from core.models import MailIn, MailSort, Request, RequestMessage
from core.ports import RawMail
from core.services import Services
from tests.faults import victim
from tests.faults.points import Trigger
from tests.inbox import letter
from tests.peers.dovecot import PASSWORD, USER, Dovecot

_PROCESSES = multiprocessing.get_context("forkserver")
STATEMENTS = {
    "request row": re.compile(r"INSERT INTO request "),
    "words": re.compile(r"INSERT INTO request_message"),
    "mail row": re.compile(r"INSERT INTO mail_in"),
    "cursor": re.compile(r"UPDATE mailbox SET last_uid"),
    "taken": re.compile(r"UPDATE mail_in SET taken_from_mailbox_at"),
}
MAILS = 6
READING = [("fetched", 1), ("request row", 4), ("mail row", 4), ("cursor", 4), ("cursor committed", 1)]
REMOVING = ["before removal", "after removal", "taken", "taken committed"]


class WatchedInbox(ImapInbox):
    """The real one, and what happens between its deeds."""

    reached: Callable[[str], None] = staticmethod(lambda moment: None)

    @contextmanager
    def look(self, *, after: tuple[int, int] | None) -> Iterator[tuple[int, Iterator[RawMail]]]:
        with super().look(after=after) as (uid_validity, mails):
            yield uid_validity, self._watched(mails)

    def _watched(self, mails: Iterator[RawMail]) -> Iterator[RawMail]:
        for mail in mails:
            self.reached("fetched")
            yield mail

    def remove(self, uid_validity: int, uids: Iterable[int]) -> None:
        self.reached("before removal")
        super().remove(uid_validity, uids)
        self.reached("after removal")


def with_mailbox(data_dir: Path, database_url: str, port: int) -> Services:
    svc = victim.services(data_dir, database_url, later=0.0)
    inbox = WatchedInbox(
        name="m" * 64, host="127.0.0.1", port=port, security="none", user=USER, password=PASSWORD, patience=10
    )
    return replace(svc, inbox=inbox)


def fetch_until(data_dir: Path, database_url: str, port: int, moment: str, nth: int) -> None:
    """The process that dies."""
    svc = with_mailbox(data_dir, database_url, port)
    reached = Trigger(moment, nth, lambda: os.kill(os.getpid(), signal.SIGKILL))
    svc.inbox.reached = reached  # type: ignore[union-attr]
    _watch(svc.database, reached)
    mailbox.fetch(svc)


def _watch(database: sa.Engine, reached: Callable[[str], None]) -> None:
    def ran(connection: sa.Connection, cursor: Any, statement: str, *_: Any) -> None:
        for name, beginning in STATEMENTS.items():
            if beginning.match(statement):
                connection.info.setdefault("mail moments", []).append(name)
                reached(name)

    def given_back(_: Any, record: Any) -> None:
        for name in record.info.pop("mail moments", []):
            reached(f"{name} committed")

    sa.event.listen(database, "after_cursor_execute", ran)
    sa.event.listen(database, "checkin", given_back)


class Post:
    """A mailbox, somebody who reads it, and what is left when they die."""

    def __init__(self, server: Dovecot, data_dir: Path, database_url: str) -> None:
        self.server = server
        self._place = (data_dir, database_url, server.port)
        self.svc = with_mailbox(*self._place)

    def dies(self, moment: str, nth: int = 1) -> None:
        process = _PROCESSES.Process(target=fetch_until, args=(*self._place, moment, nth), daemon=True)
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, f"{moment!r} was not reached: {process.exitcode}"

    def rows(self, table: Any) -> list[Any]:
        with self.svc.reading() as session:
            return list(session.exec(select(table)).all())


@pytest.fixture
def post(mail_server: Dovecot, tmp_path: Path, database_setting: str) -> Iterator[Post]:
    mail_server.empty()
    post = Post(mail_server, tmp_path / "data", database_setting)
    now = post.svc.clock() - timedelta(hours=1)
    mail_server.put(*(letter(f"Deletion Request {n}", message_id=f"<{n}@x>") for n in range(MAILS - 1)), at=now)
    mail_server.put(letter("Hello"), at=now)
    yield post
    post.svc.database.dispose()


@pytest.mark.parametrize(("moment", "nth"), READING)
def test_killed_while_it_reads(post: Post, moment: str, nth: int):
    post.dies(moment, nth)
    stored = len(post.rows(MailIn))
    assert stored == (nth if moment.endswith("committed") else nth - 1)
    assert len(post.server.uids()) == MAILS
    report = mailbox.fetch(post.svc)
    assert (report.read, report.known) == (MAILS - stored, 0)
    sorts = [mail.sort for mail in post.rows(MailIn)]
    assert (sorts.count(MailSort.REQUEST), sorts.count(MailSort.UNSORTED)) == (MAILS - 1, 1)
    assert len(post.rows(Request)) == len(post.rows(RequestMessage)) == MAILS - 1


@pytest.mark.parametrize("moment", REMOVING)
def test_killed_while_it_removes(post: Post, moment: str):
    mailbox.fetch(post.svc)
    for request in post.rows(Request)[:3]:
        requests.withdraw(post.svc, request.id, actor="operator:support-1")
    post.dies(moment)
    for _ in range(2):
        mailbox.fetch(post.svc)
    gone = [mail for mail in post.rows(MailIn) if mail.taken_from_mailbox_at]
    assert len(gone) == 3
    assert sorted(post.server.uids()) == sorted(m.uid for m in post.rows(MailIn) if not m.taken_from_mailbox_at)
    assert len(post.rows(MailIn)) == MAILS
