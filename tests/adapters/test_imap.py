"""The mailbox adapter, against a real server: what it reads, what it leaves, and what it says when it cannot."""

import ssl
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from core.adapters.imap import AT_A_TIME, BEGINNING, ImapInbox
from core.errors import MailUnavailable
from core.ports import RawMail
from tests.peers.certificate import make_certificate
from tests.peers.dovecot import Dovecot
from tests.peers.faultproxy import Fault, FaultProxy

MARCH = datetime(2026, 3, 2, 12, tzinfo=UTC)
Reach = Callable[..., ImapInbox]


def mail(number: int = 1, *, body: bytes = b"Please erase it.") -> bytes:
    return b"From: ann@peer.example\r\nSubject: Deletion Request %d\r\n\r\n%s\r\n" % (number, body)


def read(inbox: ImapInbox, after: tuple[int, int] | None = None) -> list[RawMail]:
    with inbox.look(after=after) as (_, mails):
        return list(mails)


def validity(inbox: ImapInbox) -> int:
    with inbox.look(after=None) as (number, _):
        return number


@pytest.fixture
def inbox(mailbox_of: Reach) -> ImapInbox:
    return mailbox_of()


def failing(inbox: ImapInbox) -> str:
    with pytest.raises(MailUnavailable) as failure:
        read(inbox)
    return failure.value.code


def test_a_mail_is_read_whole_with_the_time_the_server_got_it(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(mail(), at=MARCH.astimezone(timezone(timedelta(hours=-9, minutes=-30))))
    (found,) = read(inbox)
    assert (found.uid, found.received_at, found.size, found.data) == (1, MARCH, len(mail()), mail())


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ],
)
def test_no_summer_time_moves_an_instant(mail_server: Dovecot, inbox: ImapInbox, at: datetime):
    mail_server.put(mail(), at=at)
    assert read(inbox)[0].received_at == at


def test_looking_leaves_no_trace(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(mail(), at=MARCH)
    read(inbox)
    assert b"Seen" not in b"".join(mail_server.flags())


def test_only_what_came_after_is_read(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(*map(mail, range(1, 4)), at=MARCH)
    now = validity(inbox)
    assert [found.uid for found in read(inbox, (now, 1))] == [2, 3]
    assert read(inbox, (now, 3)) == []
    assert read(inbox, (now, 99)) == []
    assert len(read(inbox, (now + 1, 3))) == 3  # numbered anew: the number says nothing


def test_of_a_huge_mail_only_the_beginning_comes(mail_server: Dovecot, inbox: ImapInbox):
    huge = mail(body=b"x" * 30_000_000)
    mail_server.put(huge, at=MARCH)
    (found,) = read(inbox)
    assert (len(found.data), found.size) == (BEGINNING, len(huge))


def test_memory_does_not_grow_with_the_folder(mail_server: Dovecot, mailbox_of: Reach):
    beginning = 32 * 1024
    inbox = mailbox_of(beginning=beginning)
    mail_server.put(*[mail(body=b"x" * 2 * beginning)] * (5 * AT_A_TIME), at=MARCH)
    tracemalloc.start()
    try:
        with inbox.look(after=None) as (_, mails):
            assert sum(1 for _ in mails) == 5 * AT_A_TIME
        assert tracemalloc.get_traced_memory()[1] < 3 * AT_A_TIME * beginning  # one part, and the next one arriving
    finally:
        tracemalloc.stop()


def test_many_come_in_order_and_a_part_at_a_time(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(*map(mail, range(1, 2 * AT_A_TIME + 6)), at=MARCH)
    with inbox.look(after=None) as (_, mails):
        first = next(mails)
        mail_server.expunge(5, AT_A_TIME + 2, AT_A_TIME + 3)  # by another session, the first in a part that we have
        uids = [first.uid, *(each.uid for each in mails)]
    assert uids == [uid for uid in range(1, 2 * AT_A_TIME + 6) if uid not in (AT_A_TIME + 2, AT_A_TIME + 3)]


def test_a_whole_part_that_is_gone_does_not_end_the_look(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(*map(mail, range(1, 2 * AT_A_TIME + 6)), at=MARCH)
    with inbox.look(after=None) as (_, mails):
        next(mails)
        mail_server.expunge(*range(AT_A_TIME + 1, 2 * AT_A_TIME + 1))
        assert max(each.uid for each in mails) == 2 * AT_A_TIME + 5


def test_removing_takes_those_and_no_others(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(*map(mail, range(1, 5)), at=MARCH)
    with mail_server.session() as other:
        other.uid("STORE", "4", "+FLAGS", r"(\Deleted)")  # marked by somebody, and perhaps not read
    inbox.remove(validity(inbox), [1, 3, 77])
    assert mail_server.uids() == [2, 4]


def test_nothing_is_removed_from_a_mailbox_that_was_numbered_anew(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(mail(), at=MARCH)
    with pytest.raises(MailUnavailable) as failure:
        inbox.remove(validity(inbox) + 1, [1])
    assert failure.value.code == "renumbered"
    assert mail_server.uids() == [1]


@pytest.fixture(scope="module")
def plain_server() -> Iterator[Dovecot]:
    """Cannot expunge some mails only."""
    with Dovecot(capability="IMAP4rev1") as running:
        yield running


def test_without_uidplus_it_removes_only_where_nobody_else_has_marked(plain_server: Dovecot, mailbox_of: Reach):
    inbox = mailbox_of(port=plain_server.port)
    plain_server.put(*map(mail, range(1, 4)), at=MARCH)
    inbox.remove(validity(inbox), [1])
    assert plain_server.uids() == [2, 3]
    with plain_server.session() as other:
        other.uid("STORE", "3", "+FLAGS", r"(\Deleted)")
    with pytest.raises(MailUnavailable) as failure:
        inbox.remove(validity(inbox), [2])
    assert failure.value.code == "others_marked"
    assert plain_server.uids() == [2, 3]


# ------------------------------------------------------------------------------------------------- whom it talks to
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_it_speaks_tls_with_a_server_that_it_can_trust(mail_server: Dovecot, mailbox_of: Reach, security: str):
    mail_server.put(mail(), at=MARCH)
    port = mail_server.tls_port if security == "tls" else mail_server.port
    assert len(read(mailbox_of(port=port, security=security, trust=mail_server.trusting()))) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_it_refuses_a_server_that_it_cannot(mail_server: Dovecot, mailbox_of: Reach, tmp_path: Path, security: str):
    port = mail_server.tls_port if security == "tls" else mail_server.port
    _, foreign = make_certificate(tmp_path)
    for trust in (None, ssl.create_default_context(cafile=str(foreign))):
        said = len(mail_server.said())
        assert failing(mailbox_of(port=port, security=security, trust=trust)) == "untrusted"
        assert "Login:" not in mail_server.said()[said:]
    other_name = {"host": "localhost", "trust": mail_server.trusting()}
    assert failing(mailbox_of(port=port, security=security, **other_name)) == "untrusted"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"password": "guessed"}, "signin_refused"),
        ({"password": "größer"}, "signin_refused"),
        ({"user": "nobody@peer.example"}, "signin_refused"),
        ({"folder": "Nowhere"}, "no_folder"),
        ({"host": "no-such-host.invalid"}, "unreachable"),
        ({"security": "tls"}, "unreachable"),  # on a port that does not
    ],
)
def test_what_is_wrong_is_named(mailbox_of: Reach, wrong: dict[str, Any], code: str):
    assert failing(mailbox_of(**wrong)) == code


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        (Fault.REFUSES, {"unreachable", "broke_off"}),
        (Fault.SWALLOWS, {"unreachable"}),
        (Fault.LOSES_ANSWERS, {"unreachable", "broke_off"}),
    ],
)
def test_a_network_that_fails_is_no_crash(mail_server: Dovecot, mailbox_of: Reach, fault: Fault, codes: set[str]):
    with FaultProxy(mail_server.port) as proxy:
        inbox = mailbox_of(port=proxy.port, patience=0.5)
        proxy.fault(fault)
        assert failing(inbox) in codes
        proxy.heal()
        assert read(inbox) == []


def test_a_connection_that_breaks_in_the_middle_keeps_what_came_before(mail_server: Dovecot, inbox: ImapInbox):
    mail_server.put(*map(mail, range(1, 2 * AT_A_TIME + 1)), at=MARCH)
    seen: list[int] = []

    def read_on() -> None:
        with inbox.look(after=None) as (_, mails):
            for each in mails:
                seen.append(each.uid)
                if each.uid == 1:
                    assert mail_server.end_sessions() == 1

    with pytest.raises(MailUnavailable) as failure:
        read_on()
    assert failure.value.code == "broke_off"
    assert seen == list(range(1, AT_A_TIME + 1))


def test_an_error_of_the_caller_stays_that_error(mail_server: Dovecot, inbox: ImapInbox):
    with pytest.raises(ValueError, match="ours"), inbox.look(after=None):
        raise ValueError("ours")
