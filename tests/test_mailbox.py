"""Mail in: what becomes of each mail, that none is lost or read twice, and when it leaves the mailbox."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import access, correspondence, demo, jobs, mailbox, requests
from core.errors import NotAllowed, NotFound
from core.mailbox import ANSWERS_A_DAY, ANSWERS_AN_HOUR, UNSORTED_KEPT
from core.models import (
    AuditEntry,
    Job,
    JobKind,
    Mailbox,
    MailIn,
    MailOut,
    MailSort,
    MailState,
    Request,
    RequestChannel,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
)
from core.queue import enqueue
from core.services import Services
from core.vault import Keyed, Vault
from tests.conftest import ANN
from tests.fakes import FrozenClock, MemoryStore
from tests.inbox import MemoryInbox, letter

DESK = "operator:support-1"


@pytest.fixture
def inbox(clock: FrozenClock) -> MemoryInbox:
    return MemoryInbox(clock)


@pytest.fixture
def svc(svc: Services, inbox: MemoryInbox) -> Services:
    settings = svc.settings.model_copy(update={"mail_from": "privacy@workshot.example", "imap_host": "mail.example"})
    return replace(svc, inbox=inbox, settings=settings)


@pytest.fixture
def arrive(svc: Services, inbox: MemoryInbox) -> Callable[..., MailIn]:
    """A mail arrives and is read; its row."""

    def put(*mails: bytes, **said: object) -> MailIn:
        inbox.put(*(mails or (letter(**said),)))
        mailbox.fetch(svc)
        return rows(svc, MailIn)[-1]

    return put


def rows(svc, table):
    with svc.reading() as session:
        order = {MailIn: MailIn.uid, RequestMessage: RequestMessage.at}.get(table)
        return list(session.exec(select(table).order_by(order) if order is not None else select(table)))


def one(svc, table, row_id):
    with svc.reading() as session:
        return session.get_one(table, row_id)


def close(svc, request_id):
    requests.withdraw(svc, request_id, actor=DESK)
    assert one(svc, Request, request_id).closed_at


# -------------------------------------------------------------------------------------------------------- requests
def test_a_deletion_request_opens_a_request_whose_clock_began_when_the_mailbox_got_it(svc, inbox, clock):
    received_at = clock()
    inbox.put(letter(message_id="<one@peer.example>", headers="Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"))
    clock.advance(hours=30)  # the worker was down
    assert mailbox.fetch(svc).sorts == {MailSort.REQUEST: 1}
    (request,), (mail,) = rows(svc, Request), rows(svc, MailIn)
    assert (request.kind, request.channel) == (RequestKind.ERASE, RequestChannel.EMAIL)
    assert (request.received_at, request.due_at) == (received_at, received_at + timedelta(hours=48))
    assert (mail.sort, mail.request_id, mail.received_at) == (MailSort.REQUEST, request.id, received_at)
    assert mail.sealed_mail is None  # the request holds the words; one place is enough


def test_a_server_whose_clock_is_ahead_gives_nobody_time(svc, inbox, clock):
    inbox.put(letter(), letter("Hello"), at=clock() + timedelta(days=2))
    mailbox.fetch(svc)
    assert rows(svc, Request)[0].received_at == clock()
    (unsorted,) = list_unsorted(svc)
    assert any("ahead of ours" in note for note in mailbox.open_unsorted(svc, unsorted.id).notes)


@pytest.mark.parametrize("where", ["subject", "body"])
def test_a_claim_code_in_it_shows_whose_data_it_is(svc, ask, arrive, where):
    ask()
    code = access.issue_claim_code(svc, ANN).lower().replace("-", " ")
    arrive(subject=f"Deletion Request {code if where == 'subject' else ''}", body=code if where == "body" else "Hi")
    (request,) = rows(svc, Request)
    assert request.state is RequestState.UNDO
    assert request.subject_id


def test_a_second_look_reads_nothing(svc, inbox):
    inbox.put(letter(), letter())
    assert mailbox.fetch(svc).read == 2
    assert mailbox.fetch(svc).read == 0
    assert inbox.looks == [None, (1, 2)]
    assert len(rows(svc, Request)) == 2


def test_a_code_lands_in_no_log_and_in_no_audit_entry(svc, ask, arrive, caplog):
    ask()
    code = access.issue_claim_code(svc, ANN)
    caplog.set_level(logging.DEBUG)
    arrive(subject=f"Deletion Request {code}", body=code, message_id="<one@peer.example>")
    arrive(subject=f"About {code}", body=code)
    seen = caplog.text + json.dumps([[e.ref, e.actor, e.facts] for e in rows(svc, AuditEntry)])
    seen += "".join(str(row.model_dump(exclude={"sealed_mail", "sealed_key"})) for row in rows(svc, MailIn))
    assert not any(word in seen for word in (code, code.replace("-", ""), "ann@", "one@peer", "Deletion Request"))
    (unsorted,) = list_unsorted(svc)
    opened = mailbox.open_unsorted(svc, unsorted.id)
    assert code not in opened.text + opened.subject  # nor before the eyes of an operator


# --------------------------------------------------------------------------------------------------------- threads
def sent(svc, request_id):
    """A mail of ours about this request, and its Message-ID."""
    with svc.transaction() as session:
        request = session.get_one(Request, request_id)
        mail = correspondence.queue(
            session, svc, to="ann@peer.example", purpose="answer", once=f"test:{len(rows(svc, MailOut))}",
            subject="About your request", text="Words", request=request, now=svc.clock(),
        )  # fmt: skip
    words = svc.vault.open_text(mail, mail.sealed_mail)
    line = next(line for line in words.splitlines() if line.lower().startswith("message-id:"))
    return line.partition(":")[2].strip()


@pytest.mark.parametrize("by", ["number", "our mail", "their mail", "older reference"])
def test_a_reply_finds_its_request(svc, arrive, by):
    request_id = arrive(message_id="<one@peer.example>").request_id
    number = one(svc, Request, request_id).number
    ours = sent(svc, request_id)
    said = {
        "number": {"subject": f"question about {number.lower()}"},
        "our mail": {"subject": "Re: what you sent", "headers": f"In-Reply-To: {ours}\r\n"},
        "their mail": {"subject": "One more thing", "headers": "References: <one@peer.example>\r\n"},
        "older reference": {"subject": "Re: it", "headers": f"References: {ours} <x@y>\r\nIn-Reply-To: <z@y>\r\n"},
    }[by]
    mail = arrive(body="The code is on its way.", **said)
    assert (mail.sort, mail.request_id) == (MailSort.REPLY, request_id)
    assert len(rows(svc, Request)) == 1


@pytest.mark.parametrize(
    ("sender", "same"),
    [("ANN@Peer.example", True), ("Somebody <ann@peer.example>", True), ("eve@peer.example", False), ("nobody", False)],
)
def test_a_reply_from_elsewhere_is_added_and_marked(svc, arrive, sender, same):
    request_id = arrive().request_id
    number = one(svc, Request, request_id).number
    arrive(subject=f"Re: {number}", body="Erase it now, I am Ann.", sender=sender)
    reply = rows(svc, RequestMessage)[-1]
    assert (reply.request_id, reply.same_address) == (request_id, same)
    assert one(svc, Request, request_id).subject_id is None  # it proves nothing


def test_the_same_mail_over_two_of_our_addresses_is_one_request(svc, arrive):
    first = arrive(message_id="<one@peer.example>", headers="Received: by a\r\n")
    second = arrive(message_id="<one@peer.example>", headers="Received: by another\r\n")
    assert (second.sort, second.request_id) == (MailSort.REPLY, first.request_id)
    assert len(rows(svc, Request)) == 1


def test_a_reply_to_a_closed_request_is_a_new_look_for_a_person(svc, arrive, inbox):
    request_id = arrive(message_id="<one@peer.example>").request_id
    close(svc, request_id)
    mail = arrive(subject="Re: Deletion Request", body="But why?", headers="In-Reply-To: <one@peer.example>\r\n")
    assert (mail.sort, mail.request_id) == (MailSort.UNSORTED, request_id)
    assert mailbox.open_unsorted(svc, mail.id).text == "But why?"
    assert list(inbox.mails) == [2]  # stays until somebody has seen to it


def test_a_new_request_that_names_a_closed_one_is_a_new_request(svc, arrive):
    request_id = arrive().request_id
    number = one(svc, Request, request_id).number
    close(svc, request_id)
    mail = arrive(subject=f"Deletion Request, after {number}")
    assert mail.sort is MailSort.REQUEST
    assert mail.request_id != request_id


# -------------------------------------------------------------------------------------------------------- machines
MACHINES = {
    "out of office": {"headers": "Auto-Submitted: auto-replied\r\n"},
    "empty return path": {"headers": "Return-Path: <>\r\n"},
    "list": {"headers": "List-Id: <friends.peer.example>\r\n"},
    "bulk": {"headers": "Precedence: bulk\r\n"},
    "no answers": {"headers": "X-Auto-Response-Suppress: All\r\n"},
    "ourselves": {"sender": "Desk <privacy@workshot.example>"},
    "nobody": {"sender": "undisclosed"},
}


@pytest.mark.parametrize("who", MACHINES)
def test_machines_are_never_answered(svc, arrive, who):
    number = one(svc, Request, arrive().request_id).number
    before = rows(svc, MailOut)
    for subject in ("Deletion Request", f"Automatic reply: your request {number}", "Hello", "Deletion Request"):
        arrive(subject=subject, **MACHINES[who])
    assert rows(svc, MailOut) == before
    assert len(rows(svc, MailIn)) == 5


def test_people_are(svc, arrive):
    arrive()
    assert [mail.purpose for mail in rows(svc, MailOut)] == ["ask_for_code"]


def test_an_automatic_reply_is_noted_and_nothing_more(svc, arrive):
    request_id = arrive().request_id
    number = one(svc, Request, request_id).number
    mail = arrive(subject=f"Out of office: Deletion Request {number}", headers="Auto-Submitted: auto-replied\r\n")
    assert (mail.sort, mail.request_id) == (MailSort.AUTOMATIC, request_id)
    assert len(rows(svc, RequestMessage)) == 1
    assert arrive(subject="On holiday", headers="Return-Path: <>\r\n").sort is MailSort.AUTOMATIC


def test_a_machine_that_asks_for_deletion_is_not_lost(svc, arrive):
    """Services that ask for people send such mails."""
    mail = arrive(headers="Auto-Submitted: auto-generated\r\n")
    assert (mail.sort, len(rows(svc, Request))) == (MailSort.UNSORTED, 0)
    assert "A machine wrote it." in mailbox.open_unsorted(svc, mail.id).notes


def test_a_bounce_tells_that_our_mail_did_not_arrive(svc, arrive):
    request_id = arrive().request_id
    ours = sent(svc, request_id)
    report = (
        "--b\r\n\r\nNo such person.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; ann@peer.example\r\nAction: failed\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {ours}\r\nSubject: x\r\n\r\n\r\n--b--\r\n"
    )
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
    mail = arrive(subject="Undelivered: Deletion Request", headers=kind, body=report, sender="MAILER-DAEMON@x.example")
    assert (mail.sort, mail.request_id) == (MailSort.BOUNCE, request_id)
    assert MailState.BOUNCED in {out.state for out in rows(svc, MailOut)}


def test_one_sender_gets_only_so_many_answers_a_day(svc, inbox, clock):
    inbox.put(
        *(letter(sender=f"ann+{n}@peer.example") for n in range(ANSWERS_A_DAY + 3)), letter(sender="bob@x.example")
    )
    assert mailbox.fetch(svc).sorts == {MailSort.REQUEST: ANSWERS_A_DAY + 4}  # every one of them is a request
    assert len(rows(svc, MailOut)) == ANSWERS_A_DAY + 1
    clock.advance(days=1, minutes=1)
    inbox.put(letter())
    mailbox.fetch(svc)
    assert len(rows(svc, MailOut)) == ANSWERS_A_DAY + 2
    assert [mail.sender_mark for mail in rows(svc, MailIn)[:-1]] == [None] * (ANSWERS_A_DAY + 4)


def test_a_flood_of_invented_senders_makes_us_write_to_so_many_strangers(svc, inbox, clock):
    with svc.transaction() as session:
        for n in range(ANSWERS_AN_HOUR - 1):
            session.add(_was_request(svc, n))
    inbox.put(letter(), letter(sender="bob@x.example"))
    mailbox.fetch(svc)
    assert len(rows(svc, MailOut)) == 1
    clock.advance(hours=1, seconds=1)
    inbox.put(letter(sender="cid@x.example"))
    mailbox.fetch(svc)
    assert len(rows(svc, MailOut)) == 2


def _was_request(svc, n):
    now = svc.clock()
    return MailIn(
        mailbox="m", uid_validity=1, uid=n, mark=f"{n}", received_at=now, read_at=now, sort=MailSort.REQUEST,
        sender_mark=f"{n}",
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------- unsorted
def list_unsorted(svc):
    with svc.reading() as session:
        return mailbox.unsorted(session)


def test_anything_else_waits_for_a_person_sealed(svc, arrive, clock):
    mail = arrive(subject="Where are my photos?", body="I cannot find them.")
    (listed,) = list_unsorted(svc)
    assert (listed.id, listed.received_at, listed.expires_at) == (mail.id, clock(), clock() + UNSORTED_KEPT)
    opened = mailbox.open_unsorted(svc, mail.id)
    assert (opened.sender, opened.subject) == ("ann@peer.example", "Where are my photos?")
    assert b"cannot find" not in one(svc, MailIn, mail.id).sealed_mail


def test_it_becomes_a_request_with_the_time_it_was_received(svc, ask, arrive, inbox, clock):
    ask()
    code, received_at = access.issue_claim_code(svc, ANN), clock()
    mail = arrive(subject="Please remove my pictures", body=code)
    clock.advance(hours=20)
    request = one(svc, Request, mailbox.into_request(svc, mail.id, actor=DESK))
    assert (request.received_at, request.due_at) == (received_at, received_at + timedelta(hours=48))
    assert request.subject_id  # the code in it still counts
    seen_to = one(svc, MailIn, mail.id)
    assert (seen_to.sort, seen_to.request_id, seen_to.sorted_at) == (MailSort.REQUEST, request.id, clock())
    assert seen_to.sealed_key is seen_to.sealed_mail is None
    for again in (mailbox.into_request, mailbox.dismiss):
        with pytest.raises(NotFound):
            again(svc, mail.id, actor=DESK)
    assert mailbox.fetch(svc).removed == 0  # while it is open


def test_it_becomes_a_request_of_another_kind(svc, arrive):
    mail = arrive(subject="A copy of my data, please")
    request = one(svc, Request, mailbox.into_request(svc, mail.id, actor=DESK, kind=RequestKind.COPY))
    assert request.kind is RequestKind.COPY


def test_it_becomes_part_of_a_request(svc, arrive):
    request_id = arrive().request_id
    mail = arrive(subject="I forgot to say", body="it was on Monday")
    mailbox.into_reply(svc, mail.id, request_id, actor=DESK)
    assert one(svc, MailIn, mail.id).sort is MailSort.REPLY
    assert len(rows(svc, RequestMessage)) == 2
    close(svc, request_id)
    other = arrive(subject="And more")
    with pytest.raises(NotAllowed):
        mailbox.into_reply(svc, other.id, request_id, actor=DESK)
    with pytest.raises(NotFound):
        mailbox.into_reply(svc, other.id, "no such", actor=DESK)
    assert one(svc, MailIn, other.id).sealed_key


def test_put_away_it_is_scrubbed_here_and_taken_out_of_the_mailbox(svc, arrive, inbox, clock):
    mail = arrive(subject="Buy this")
    mailbox.dismiss(svc, mail.id, actor=DESK)
    assert one(svc, MailIn, mail.id).sealed_key is None
    assert list(inbox.mails) == [1]
    assert mailbox.fetch(svc).removed == 1
    assert inbox.mails == {}
    assert one(svc, MailIn, mail.id).taken_from_mailbox_at == clock()
    last = rows(svc, AuditEntry)[-1]
    assert (last.action, last.ref, last.actor, last.facts) == ("mail:sorted", mail.id, DESK, '{"sort":"dismissed"}')


def test_what_nobody_has_seen_in_thirty_days_is_scrubbed_on_both_sides(svc, arrive, inbox, clock):
    mail = arrive(subject="Hello")
    arrive(subject="Away", headers="Auto-Submitted: auto-replied\r\n")
    clock.advance(days=30)
    assert mailbox.fetch(svc).expired == 0
    clock.advance(seconds=1)
    report = mailbox.fetch(svc)
    assert (report.expired, report.removed, inbox.mails) == (1, 2, {})
    assert one(svc, MailIn, mail.id).sealed_mail is None
    with pytest.raises(NotFound):
        mailbox.open_unsorted(svc, mail.id)


def test_it_is_scrubbed_also_while_the_server_is_away(svc, arrive, inbox, clock):
    mail = arrive(subject="Hello")
    inbox.failure = "unreachable"
    clock.advance(days=31)
    mailbox.fetch(svc)
    assert one(svc, MailIn, mail.id).sealed_key is None


# --------------------------------------------------------------------------------------------- never lost, nor twice
def test_renumbered_mails_are_known_again(svc, inbox):
    inbox.put(letter(message_id="<one@x>"), letter("Hello"), letter("Hello"), letter("Hello"))  # three are the same
    assert mailbox.fetch(svc).sorts == {MailSort.REQUEST: 1, MailSort.UNSORTED: 3}
    del inbox.mails[3]
    inbox.number_anew()
    inbox.put(letter("New"))
    report = mailbox.fetch(svc)
    assert (report.known, report.sorts) == (3, {MailSort.UNSORTED: 1})
    assert len(rows(svc, Request)) == 1
    gone = [mail for mail in rows(svc, MailIn) if mail.taken_from_mailbox_at]
    assert len(gone) == 1  # the one that somebody else had taken away
    assert {(m.uid_validity, m.uid) for m in rows(svc, MailIn) if not m.taken_from_mailbox_at} == {
        (2, uid) for uid in inbox.mails
    }


def test_a_mail_that_comes_back_from_a_backup_is_removed_again(svc, arrive, inbox):
    mail = arrive(subject="Buy this")
    mailbox.dismiss(svc, mail.id, actor=DESK)
    mailbox.fetch(svc)
    inbox.put(letter(subject="Buy this"))
    inbox.number_anew()
    assert mailbox.fetch(svc).known == 1
    assert inbox.mails == {}


def test_a_connection_that_breaks_loses_nothing(svc, inbox, clock):
    inbox.put(*(letter(f"Deletion Request {n}") for n in range(5)))
    inbox.breaks_after = 2
    began = clock()
    report = mailbox.fetch(svc)
    assert (report.read, report.failure) == (2, "broke_off")
    clock.advance(minutes=1)
    mailbox.fetch(svc)
    state = mailbox.state(svc)
    assert (state.failure, state.failed_since) == ("broke_off", began)
    inbox.breaks_after = None
    assert mailbox.fetch(svc).read == 1
    assert mailbox.state(svc).failure is None
    assert len(rows(svc, Request)) == 5


def test_a_server_that_was_never_reached_is_noted(svc, inbox, clock):
    inbox.failure = "signin_refused"
    mailbox.fetch(svc)
    state = mailbox.state(svc)
    assert (state.read_at, state.failure, state.failed_since) == (None, "signin_refused", clock())
    assert "IMAP_PASSWORD" in state.says
    inbox.failure = None
    mailbox.fetch(svc)
    assert mailbox.state(svc).read_at == clock()


class StumblingVault(Vault):
    """Fails over one kind of mail, as a fault of ours would."""

    stumbles_over = "poison"

    def seal_text(self, owner: Keyed, text: str) -> bytes:
        if self.stumbles_over in text and not isinstance(owner, MailIn):
            raise RuntimeError("a fault of ours")
        return super().seal_text(owner, text)


def test_a_mail_that_we_stumble_over_is_kept_and_those_behind_it_do_not_wait(svc, inbox, caplog):
    svc = replace(svc, vault=StumblingVault(MemoryStore(), b"k" * 32))
    inbox.put(letter(body="poison 7Q4K"), letter(body="fine"))
    report = mailbox.fetch(svc)
    assert (report.stumbled, report.sorts) == (1, {MailSort.UNSORTED: 1, MailSort.REQUEST: 1})
    assert len(rows(svc, Request)) == 1  # nothing half-done is left of the first
    (mail,) = list_unsorted(svc)
    opened = mailbox.open_unsorted(svc, mail.id)
    assert opened.text == "poison 7Q4K"
    assert any("something here failed" in note for note in opened.notes)
    assert "7Q4K" not in caplog.text


def test_a_number_that_the_demo_made_up_keeps_no_request_from_being_one(svc, inbox):
    demo.make(svc, days=3, subjects=30)
    numbers = [request.number for request in rows(svc, Request)]
    inbox.put(*(letter(f"Re: {number}, Deletion Request", sender=f"{number}@peer.example") for number in numbers[:3]))
    report = mailbox.fetch(svc)
    assert (report.stumbled, report.sorts) == (0, {MailSort.REQUEST: 3})
    demo.remove(svc)
    assert len(rows(svc, Request)) == 3


def test_a_database_that_fails_is_no_fault_of_the_mail(svc, inbox):
    class DatabaseGoesAway(StumblingVault):
        def make_key(self, owner_id: str) -> bytes:
            raise sa.exc.OperationalError("", {}, Exception("server closed the connection"))

    inbox.put(letter())
    with pytest.raises(sa.exc.OperationalError):
        mailbox.fetch(replace(svc, vault=DatabaseGoesAway(MemoryStore(), b"k" * 32)))
    assert rows(svc, MailIn) == []
    assert mailbox.fetch(svc).sorts == {MailSort.REQUEST: 1}


# -------------------------------------------------------------------------------------------------------- removing
def test_a_mail_stays_until_its_request_is_closed(svc, arrive, inbox):
    request_id = arrive().request_id
    arrive(subject=f"Re: {one(svc, Request, request_id).number}")
    assert len(inbox.mails) == 2
    close(svc, request_id)
    assert one(svc, Request, request_id).outcome is RequestOutcome.WITHDRAWN
    assert mailbox.fetch(svc).removed == 2
    assert (inbox.mails, sorted(inbox.removed)) == ({}, [1, 2])


def test_what_could_not_be_removed_is_tried_again_and_said(svc, arrive, inbox, clock):
    close(svc, arrive().request_id)
    inbox.keeps = True
    clock.advance(minutes=1)
    assert mailbox.fetch(svc).failure == "not_removed"
    assert mailbox.state(svc).read_at == clock()  # it was read all the same
    inbox.keeps = False
    assert mailbox.fetch(svc).removed == 1
    assert mailbox.state(svc).failure is None


def test_who_died_between_mailbox_and_row_finds_it_gone(svc, arrive, inbox):
    close(svc, arrive().request_id)
    inbox.mails.clear()
    assert mailbox.fetch(svc).removed == 1
    assert rows(svc, MailIn)[0].taken_from_mailbox_at


# --------------------------------------------------------------------------------------------------------- the job
def test_a_long_mailbox_is_read_in_turns_and_mails_of_ours_go_out_in_between(svc, inbox):
    inbox.put(*(letter("Hello", str(n)) for n in range(5)))
    assert mailbox.fetch(svc, most=2).more
    assert mailbox.fetch(svc, most=2).more
    report = mailbox.fetch(svc, most=2)
    assert (report.read, report.more) == (1, False)


def test_the_schedule_reads_it(svc, inbox, clock):
    worker = jobs.Worker(svc)
    worker.beat()
    clock.advance(seconds=svc.settings.mail_every_seconds + 1)
    worker.beat()
    inbox.put(letter())
    while worker.look([JobKind.MAIL_IN]):
        pass
    assert len(rows(svc, Request)) == 1
    assert JobKind.MAIL_IN not in {job.kind for job in rows(svc, Job)}


def test_a_worker_that_lost_its_lease_stores_nothing(svc, inbox, clock):
    inbox.put(letter())
    with svc.transaction() as session:
        enqueue(session, JobKind.MAIL_IN, "-", at=clock())
    late = jobs.claim(svc, [JobKind.MAIL_IN])
    clock.advance(minutes=1)
    assert jobs.claim(svc, [JobKind.MAIL_IN])
    with pytest.raises(jobs.LeaseLost):
        mailbox.read(svc, late)
    assert (rows(svc, MailIn), rows(svc, Mailbox)) == ([], [])


def test_without_a_mailbox_there_is_nothing_to_do(svc):
    svc = replace(svc, inbox=None)
    assert mailbox.state(svc) is None
    with pytest.raises(NotAllowed, match="IMAP_HOST"):
        mailbox.fetch_all(svc)
