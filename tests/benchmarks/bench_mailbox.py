"""
A mail bomb: thousands of mails ask for deletion, and behind them stands one that means it. How long does that one wait,
what does it cost in memory, and how many answers do we send?

Run it with `python -m tests.benchmarks.bench_mailbox [--json]`. From a real IMAP server on this machine into SQLite,
with the flushes to disk that a request survives a power cut by.
"""

import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from sqlmodel import select

from core import bootstrap, mailbox
from core.models import MailOut, Request
from core.services import Services
from core.settings import Settings
from tests.benchmarks.common import Figure, main
from tests.inbox import letter
from tests.peers.dovecot import PASSWORD, USER, Dovecot

MAILS, SENDERS = 5_000, 1_000
WORDS = "x" * 3_000


def measure() -> list[Figure]:
    with TemporaryDirectory() as name, Dovecot() as server:
        svc = _services(Path(name), server)
        server.put(*(_one_of_the_bomb(n) for n in range(MAILS)), letter(sender="honest@peer.example"), at=svc.clock())
        mailbox.fetch(svc)
        before, started = _memory(), time.perf_counter()
        report = mailbox.fetch_all(svc)
        took, grown = time.perf_counter() - started, _memory() - before
        read = report.read + mailbox.AT_ONCE
        with svc.reading() as session:
            requests, answers = (
                session.exec(select(sa.func.count()).select_from(table)).one() for table in (Request, MailOut)
            )
    if (read, requests) != (MAILS + 1, MAILS + 1):
        raise RuntimeError(f"{read} of {MAILS + 1} mails read, {requests} requests")
    each = took / report.read
    return [
        Figure(name=f"one of {MAILS} mails read and opened", value=1000 * each, unit="ms"),
        Figure(name="the honest one behind them waits", value=each * (MAILS + 1), promised=600, of="value"),
        Figure(name="memory that the bomb took", value=grown, unit="MB", promised=32, of="value"),
        Figure(name="answers to the bomb", value=answers, unit="", promised=mailbox.ANSWERS_AN_HOUR, of="value"),
    ]


def _services(folder: Path, server: Dovecot) -> Services:
    settings = Settings(
        data_dir=folder,
        imap_host="127.0.0.1",
        imap_port=server.port,
        imap_security="none",
        imap_user=USER,
        imap_password=PASSWORD,
        mail_from="privacy@workshot.example",
    )
    return bootstrap.build(settings)


def _one_of_the_bomb(n: int) -> bytes:
    return letter(
        f"Deletion Request {n}", WORDS, sender=f"a{n % SENDERS}@bomb.example", message_id=f"<{n}@bomb.example>"
    )


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(measure, __doc__)
