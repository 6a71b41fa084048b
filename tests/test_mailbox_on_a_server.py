"""Mail in, from a real IMAP server: huge mails, hostile mails, and everything that mail servers do to their readers."""

import socket
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from core import doctor, mailbox, requests
from core.adapters.imap import AT_A_TIME, BEGINNING, ImapInbox
from core.models import MailIn, MailSort, Request
from core.services import Services
from tests.inbox import letter
from tests.peers.dovecot import Dovecot
from tests.test_mail_reading import HOSTILE

pytestmark = pytest.mark.sqlite_only("what the database does with mails is shown on both, with a mailbox in memory")

DESK = "operator:support-1"
Reach = Callable[..., ImapInbox]


@pytest.fixture
def svc(svc: Services, mailbox_of: Reach) -> Services:
    settings = svc.settings.model_copy(update={"mail_from": "privacy@workshot.example", "imap_host": "127.0.0.1"})
    return replace(svc, inbox=mailbox_of(), settings=settings)


def rows(svc, table):
    with svc.reading() as session:
        return list(session.exec(select(table)).all())


def check(svc):
    return next(check for check in doctor.examine(svc) if check.name == "mailbox")


def test_from_the_mailbox_to_a_request_and_out_of_the_mailbox(svc, mail_server):
    received_at = svc.clock() - timedelta(hours=47, minutes=59)
    mail_server.put(letter(), letter("Hello"), at=received_at)
    assert mailbox.fetch(svc).sorts == {MailSort.REQUEST: 1, MailSort.UNSORTED: 1}
    (request,) = rows(svc, Request)
    assert request.received_at == received_at
    assert mailbox.fetch(svc).removed == 0
    requests.withdraw(svc, request.id, actor=DESK)
    assert mailbox.fetch(svc).removed == 1
    assert mail_server.uids() == [2]


def test_a_mail_of_thirty_megabytes_opens_a_request_and_takes_little(svc, mail_server):
    rest = "Content-Type: multipart/mixed; boundary=b\r\n"
    body = "--b\r\n\r\nPlease erase it.\r\n--b\r\nContent-Type: image/png\r\n\r\n" + "x" * 76 + "\r\n"
    mail_server.put(letter(headers=rest, body=body + ("A" * 76 + "\r\n") * 400_000), letter(), at=svc.clock())
    tracemalloc.start()
    try:
        assert mailbox.fetch(svc).sorts == {MailSort.REQUEST: 2}
        assert tracemalloc.get_traced_memory()[1] < 30 * BEGINNING
    finally:
        tracemalloc.stop()


def test_hostile_mails_do_not_keep_those_behind_them_waiting(svc, mail_server):
    hostile = [HOSTILE[name] for name in ("nested, hidden", "ten thousand parts", "encoded words", "comments")]
    hostile += [b"\r\n", b"From", b"\xff\xfe\r\n" * 50, letter(headers="x" * 300_000 + "\r\n")]
    mail_server.put(*hostile, letter(sender="honest@peer.example"), at=svc.clock())
    report = mailbox.fetch(svc)
    assert (report.failure, report.stumbled) == (None, 0)
    assert report.sorts == {MailSort.REQUEST: 5, MailSort.UNSORTED: 4}
    assert max(rows(svc, MailIn), key=lambda mail: mail.uid).sort is MailSort.REQUEST


def test_nothing_that_a_mail_names_is_ever_called(svc, mail_server):
    with closing(socket.create_server(("127.0.0.1", 0))) as tracker:
        tracker.setblocking(False)
        url = f"http://127.0.0.1:{tracker.getsockname()[1]}"
        html = f'<img src="{url}/1.png"><link rel="stylesheet" href="{url}/2.css"><iframe src="{url}"></iframe>Erase me'
        mail_server.put(letter(body=html, headers="Content-Type: text/html\r\n"), at=svc.clock())
        assert mailbox.fetch(svc).read == 1
        with pytest.raises(BlockingIOError):
            tracker.accept()


def test_a_mailbox_numbered_anew_opens_nothing_twice(svc, mail_server):
    mail_server.put(letter(), letter("Hello"), letter("Hello"), at=svc.clock())
    mailbox.fetch(svc)
    mail_server.change_validity(4711)
    mail_server.put(letter("Deletion Request, another"), at=svc.clock())
    report = mailbox.fetch(svc)
    assert (report.known, report.sorts) == (3, {MailSort.REQUEST: 1})
    mail_server.expunge(1)
    mailbox.dismiss(svc, mailbox_unsorted(svc), actor=DESK)
    assert mailbox.fetch(svc).removed == 1
    assert len(mail_server.uids()) == 2


def mailbox_unsorted(svc):
    with svc.reading() as session:
        return mailbox.unsorted(session)[0].id


def test_connections_that_break_again_and_again_lose_nothing(svc, mail_server):
    mail_server.put(*(letter(f"Deletion Request {n}") for n in range(2 * AT_A_TIME + 5)), at=svc.clock())
    inner, seen = svc.inbox, []

    class Breaking:
        name = inner.name
        remove = inner.remove

        def look(self, *, after):
            return BreakingLook(inner.look(after=after))

    class BreakingLook:
        def __init__(self, look):
            self.look = look

        def __enter__(self):
            uid_validity, mails = self.look.__enter__()
            return uid_validity, self.some(mails)

        def __exit__(self, *error):
            return self.look.__exit__(*error)

        def some(self, mails):
            for mail in mails:
                seen.append(mail.uid)
                if len(seen) in (1, AT_A_TIME + 3):
                    mail_server.end_sessions()
                yield mail

    breaking = replace(svc, inbox=Breaking())
    failures = [mailbox.fetch(breaking).failure for _ in range(3)]
    assert failures == ["broke_off", "broke_off", None]
    assert len(rows(svc, Request)) == 2 * AT_A_TIME + 5
    assert len(seen) == len(set(seen))


def test_a_mail_that_others_take_away_meanwhile_is_no_trouble(svc, mail_server):
    mail_server.put(*(letter(f"Deletion Request {n}") for n in range(2 * AT_A_TIME)), at=svc.clock())
    mailbox.fetch(svc, most=1)
    taken = threading.Thread(target=mail_server.expunge, args=(2, AT_A_TIME + 5))
    taken.start()
    report = mailbox.fetch_all(svc)
    taken.join()
    assert report.failure is None
    assert 2 * AT_A_TIME - 3 <= report.read <= 2 * AT_A_TIME - 1
    mailbox.fetch(svc)
    assert set(mail_server.uids()) <= {mail.uid for mail in rows(svc, MailIn)}


def test_the_doctor_says_how_it_stands(svc, mail_server, mailbox_of, clock):
    assert check(replace(svc, inbox=None)).health is doctor.Health.FINE
    assert "never read" in check(svc).says
    mail_server.put(letter("Hello"), at=clock())
    mailbox.fetch(svc)
    assert check(svc).says == "Signed in; last read 0 s ago, 1 unsorted"
    clock.advance(hours=25)
    assert "Does a worker run?" in check(svc).says
    mailbox.fetch(svc)
    waits = check(svc)
    assert (waits.health, "1 unsorted mails wait" in waits.says) == (doctor.Health.WARNING, True)
    wrong = replace(svc, inbox=mailbox_of(password="guessed"))
    mailbox.fetch(wrong)
    refused = check(wrong)
    assert refused.health is doctor.Health.BROKEN
    assert "IMAP_PASSWORD" in refused.says
    assert "Not read since 03 Mar, 13:00 UTC" in refused.says


def test_a_server_that_is_away_for_hours_is_read_when_it_is_back(svc, mailbox_of, clock):
    with Dovecot() as server:
        svc = replace(svc, inbox=mailbox_of(port=server.port, patience=5))
        server.put(letter("Deletion Request 1"), at=clock())
        mailbox.fetch(svc)
        server.stop()
        away_since = clock()
        for _ in range(3):
            clock.advance(hours=2)
            assert mailbox.fetch(svc).failure == "unreachable"
        state = mailbox.state(svc)
        assert (state.read_at, state.failed_since) == (away_since, away_since + timedelta(hours=2))
        assert check(svc).health is doctor.Health.BROKEN
        server.start()
        server.put(letter("Deletion Request 2"), at=away_since + timedelta(hours=1))
        assert mailbox.fetch(svc).sorts == {MailSort.REQUEST: 1}
        assert mailbox.state(svc).failure is None
    assert max(request.received_at for request in rows(svc, Request)) == away_since + timedelta(hours=1)
