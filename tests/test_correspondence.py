"""Our mails: wanted with their reason, sent once under one Message-ID, sealed until they are over."""

import email
import email.policy
import ssl
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlmodel import select

from core import addresses, bootstrap, correspondence, doctor, jobs
from core.adapters.outbox import Outbox
from core.adapters.smtp import SmtpPost
from core.correspondence import Attachment
from core.errors import BadSettings, MailRefused, MailUnavailable, NotAllowed
from core.models import AuditEntry, Job, JobKind, MailOut, MailState
from core.settings import load_settings
from tests.conftest import on_all_threads
from tests.peers.certificate import make_certificate
from tests.peers.smtp import PASSWORD, USER, mail_server, server_context

ANN = "ann@example.org"
RECEIPT = Attachment("receipt.json", "application/json", b'{"receipt":"R-1"}')


class Letterbox:
    """A Post that takes what it is given, or raises what it was told to."""

    def __init__(self):
        self.took, self.fails, self.before = [], None, lambda: None

    def send(self, mail, *, sender, to):
        self.before()
        if self.fails:
            raise self.fails
        self.took.append((sender, to, mail))

    def check(self):
        return "A letterbox"

    def forget(self, *, before):
        return 0


@pytest.fixture
def post():
    return Letterbox()


@pytest.fixture
def svc(svc, post):
    settings = svc.settings.model_copy(update={"mail_from": "WorkShot Desk <privacy@workshot.example>"})
    return replace(svc, post=post, settings=settings)


@pytest.fixture
def queue(svc):
    def one(**facts):
        given = {"to": ANN, "purpose": "done", "once": "done:1", "subject": "Erased", "text": "All of it."} | facts
        with svc.transaction() as session:
            return correspondence.queue(session, svc, now=svc.clock(), **given)

    return one


@pytest.fixture
def deliver(svc):
    """Do what is to be sent now; how many tries that was."""
    worker = jobs.Worker(svc)

    def until_idle():
        tries = 0
        while worker.look([JobKind.MAIL_OUT]):
            tries += 1
            assert tries < 100
        return tries

    return until_idle


def read(mail):
    return email.message_from_string(mail.decode(), policy=email.policy.SMTPUTF8)


def deeds(svc):
    with svc.reading() as session:
        return [
            (entry.action, entry.facts)
            for entry in session.exec(select(AuditEntry).order_by(AuditEntry.seq))
            if entry.action.startswith("mail:")
        ]


# ---------------------------------------------------------------------------------------------------------- the form
def test_a_mail_says_who_what_when_and_that_a_machine_sent_it(svc, post, queue, deliver):
    queue(text="Größe: 4.\n\n- one", attachments=[RECEIPT])
    deliver()

    ((sender, to, data),) = post.took
    mail = read(data)
    assert (sender, to) == ("privacy@workshot.example", ANN)
    assert mail["From"] == "WorkShot <privacy@workshot.example>" and mail["To"] == ANN
    assert mail["Subject"] == "Erased" and mail["Date"].datetime == svc.clock()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@workshot.example>")
    assert mail.get_body().get_content().splitlines() == ["Größe: 4.", "", "- one"]
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("receipt.json", "application/json")
    assert attached.get_content() == RECEIPT.data
    assert (
        data.isascii()
        and all(len(line) < 999 for line in data.split(b"\r\n"))
        and b"\n" not in data.replace(b"\r\n", b"")
    )


def test_an_answer_names_what_it_answers(post, queue, deliver):
    theirs = f"<{'a' * 200}@example.org>"  # longer than a line: it must not be folded into something else
    queue(reply_to_message_id=theirs)
    deliver()
    mail = read(post.took[0][2])
    assert (mail["In-Reply-To"], mail["References"]) == (theirs, theirs)
    assert f"In-Reply-To: {theirs}\r\n".encode() in post.took[0][2]
    assert mail["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize("theirs", ["", "no brackets@x", "<a@b>\r\nBcc: eve@example.org", "<a b@c>", "<a@b> <c@d>"])
def test_what_is_no_message_id_is_not_repeated(post, queue, deliver, theirs):
    queue(reply_to_message_id=theirs)
    deliver()
    assert read(post.took[0][2])["In-Reply-To"] is None
    assert b"eve@" not in post.took[0][2]


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028", "\0"])
def test_no_word_of_a_subject_or_a_file_s_name_becomes_a_header(post, queue, deliver, line_break):
    evil = f"Hello{line_break}Bcc: eve@example.org"
    queue(subject=evil, attachments=[replace(RECEIPT, name=evil)], text=f"Hi{line_break}.{line_break}QUIT")
    deliver()
    mail = read(post.took[0][2])
    assert mail["Bcc"] is None and mail["Subject"] == "Hello Bcc: eve@example.org"
    assert [part["Bcc"] for part in mail.walk()] == [None, None, None]


@pytest.mark.parametrize(
    ("text", "is_for"),
    [
        ("ann@example.org", ANN),
        (" Ann Example <ann@example.org> ", ANN),
        ('"Example\\, Ann" <ann@EXAMPLE.org>', None),
        ('"Ann" <Ann+photos@Example.ORG>', "Ann+photos@example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("ann@localhost", "ann@localhost"),
        ("", None),
        ("ann", None),
        ("@example.org", None),
        ("ann@", None),
        ("ann@example..org", None),
        (".ann@example.org", None),
        ("ann@-example.org", None),
        ("ann@[127.0.0.1]", None),
        ("ann@example.org, eve@example.org", None),
        ("ann@example.org;eve@example.org", None),
        ("<ann@example.org> <eve@example.org>", None),
        ("ann@example.org\r\nBcc: eve@example.org", None),
        ("ann@example.org\n", None),
        ("ann@exam\tple.org", None),
        ("Friends: ann@example.org;", None),
        ('"a b"@example.org', None),
        ("ann@example.org>", None),
        ("a\0nn@example.org", None),
        ("x" * 65 + "@example.org", None),
        ("ann@" + ".".join(["x" * 60] * 5), None),
    ],
)
def test_an_address_is_one_person_s_or_none(text, is_for):
    if is_for is not None:
        assert addresses.address(text) == is_for
        return
    with pytest.raises(NotAllowed) as caught:
        addresses.address(text)
    assert caught.value.code == "bad_address" and "example" not in str(caught.value)


def test_an_address_in_any_script_goes_out_as_it_is(post, queue, deliver):
    queue(to="jürgen@bücher.example")
    deliver()
    _, to, data = post.took[0]
    assert to == "jürgen@xn--bcher-kva.example"
    assert read(data)["To"].addresses[0].addr_spec == to


# -------------------------------------------------------------------------------------------------------------- once
def test_a_mail_that_is_wanted_twice_is_one(svc, post, queue, deliver):
    assert queue().id == queue(text="Said otherwise.").id
    deliver()
    assert queue(to="not an address").state is MailState.SENT, "it is over, and stays the one"
    assert deliver() == 0 and len(post.took) == 1


def test_two_that_want_it_at_once_want_one(svc, queue, post, deliver):
    assert len({mail.id for mail in on_all_threads(queue, times=4)}) == 1
    assert deliver() == 1 and len(post.took) == 1


def test_without_its_reason_there_is_no_mail(svc, deliver):
    def fail():
        with svc.transaction() as session:
            correspondence.queue(session, svc, to=ANN, purpose="done", once="x", subject="s", text="t", now=svc.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert deliver() == 0


def test_nobody_is_written_to_at_what_is_no_address(svc, queue):
    with pytest.raises(NotAllowed):
        queue(to="ann@example.org\r\nRCPT TO:<eve@example.org>")
    with svc.reading() as session:
        assert session.exec(select(MailOut)).all() == [] and session.exec(select(Job)).all() == []


# -------------------------------------------------------------------------------------------------------------- sealed
def test_it_is_sealed_while_it_waits_and_gone_when_it_is_over(svc, queue, deliver, now_of):
    mail = queue()
    stored = bytes(now_of(mail).sealed_mail)
    assert b"ann" not in stored and b"All of it" not in stored
    deliver()

    mail = now_of(mail)
    assert (mail.state, mail.tries, mail.failure, mail.over_at) == (MailState.SENT, 1, None, svc.clock())
    assert mail.sealed_key is None and mail.sealed_mail is None
    assert deeds(svc) == [("mail:sent", '{"purpose":"done"}')]


def test_nothing_of_it_stays_in_the_files_of_the_database(svc, queue, deliver, now_of):
    if svc.database.dialect.name != "sqlite":
        return
    mail = queue()
    key, sealed = now_of(mail).sealed_key, now_of(mail).sealed_mail
    deliver()
    kept = b"".join(path.read_bytes() for path in svc.settings.data_dir.glob("workshot.db*"))
    assert key not in kept and sealed[:64] not in kept


# --------------------------------------------------------------------------------------------------------------- tries
def test_trouble_is_tried_again_with_longer_pauses_as_the_same_mail(svc, post, queue, deliver, clock, now_of):
    mail = queue()
    post.fails = MailUnavailable("It is away.", code="unreachable")
    pauses = []
    for _ in range(9):
        assert deliver() == 1
        with svc.reading() as session:
            pauses.append(session.exec(select(Job)).one().run_at - clock.now)
        assert deliver() == 0
        clock.now += pauses[-1]
    assert pauses == [min(timedelta(seconds=30) * 2**n, timedelta(minutes=30)) for n in range(9)]
    assert (now_of(mail).tries, now_of(mail).failure) == (9, "unreachable")

    post.fails = None
    deliver()
    assert now_of(mail).state is MailState.SENT and now_of(mail).failure is None
    assert read(post.took[0][2])["Date"].datetime == mail.created_at, "the mail that was wanted then"


def test_after_two_days_it_is_given_up(svc, post, queue, deliver, clock, now_of):
    mail = queue()
    post.fails = MailUnavailable("It is away.", code="unreachable")
    clock.advance(hours=47, minutes=59)
    deliver()
    assert now_of(mail).state is MailState.QUEUED
    clock.advance(hours=1)
    deliver()

    mail = now_of(mail)
    assert (mail.state, mail.failure, mail.sealed_key) == (MailState.FAILED, "gave_up", None)
    assert deeds(svc) == [("mail:failed", '{"failure":"gave_up","purpose":"done"}')]
    assert deliver() == 0


def test_what_is_refused_for_good_is_not_tried_again(svc, post, queue, deliver, now_of):
    mail = queue()
    post.fails = MailRefused("No.", code="receiver_550")
    deliver()
    assert (now_of(mail).state, now_of(mail).failure) == (MailState.FAILED, "receiver_550")
    assert now_of(mail).sealed_mail is None and deliver() == 0
    assert deeds(svc) == [("mail:failed", '{"failure":"receiver_550","purpose":"done"}')]


def test_whoever_dies_between_the_server_s_yes_and_our_note_sends_the_same_again(
    svc, post, queue, deliver, clock, now_of
):
    mail = queue()

    class Killed(BaseException):
        pass

    def taken_and_killed():
        post.before = lambda: None
        post.send(b"the first", sender="", to="")
        raise Killed

    post.before = taken_and_killed
    with pytest.raises(Killed):
        deliver()
    assert now_of(mail).tries == 1, "the try was noted before it was made"
    clock.now += svc.settings.lease + timedelta(seconds=1)
    assert deliver() == 1
    assert now_of(mail).state is MailState.SENT and now_of(mail).tries == 2
    sent = read(post.took[1][2])
    assert correspondence.message_hash(svc.vault, sent["Message-ID"]) == mail.message_hash


def test_in_the_outbox_such_a_mail_is_there_once(svc, tmp_path, queue, clock, now_of):
    outbox = Outbox(tmp_path / "outbox")
    mail = queue()
    text = svc.vault.open_text(now_of(mail), now_of(mail).sealed_mail).encode()
    outbox.send(text, sender="", to="")  # and then the process died
    assert jobs.Worker(replace(svc, post=outbox)).look([JobKind.MAIL_OUT])
    assert len(list(outbox.folder.iterdir())) == 1 and now_of(mail).state is MailState.SENT


def test_no_transaction_is_open_while_the_network_is_asked(svc, post, queue, deliver):
    """On SQLite another writer would wait half a minute for it."""
    queue()

    def write_something():
        with svc.transaction() as session:
            session.execute(sa.update(Job).values(tries=Job.tries))

    post.before = write_something
    deliver()
    assert len(post.took) == 1


def test_with_nowhere_to_send_to_it_waits(svc, queue, now_of):
    mail = queue()
    jobs.Worker(replace(svc, post=None)).look([JobKind.MAIL_OUT])
    assert (now_of(mail).state, now_of(mail).failure) == (MailState.QUEUED, "no_post")


# ------------------------------------------------------------------------------------------------------------- bounces
@pytest.fixture
def bounce(svc):
    def back(message_hash):
        with svc.transaction() as session:
            return correspondence.bounced(session, message_hash, now=svc.clock())

    return back


def test_a_mail_that_comes_back_is_noticed_once(svc, post, queue, deliver, bounce, now_of):
    mail = queue()
    deliver()
    message_id = read(post.took[0][2])["Message-ID"]
    for form in (message_id, message_id.strip("<>"), f" {message_id}\n"):
        assert correspondence.message_hash(svc.vault, form) == mail.message_hash
    assert bounce(mail.message_hash).id == mail.id
    assert bounce(mail.message_hash) is None and bounce("0" * 64) is None
    assert (now_of(mail).state, now_of(mail).failure) == (MailState.BOUNCED, "bounced")
    assert deeds(svc)[1:] == [("mail:failed", '{"failure":"bounced","purpose":"done"}')]


def test_a_mail_that_is_back_before_we_noted_that_it_went_stays_bounced(svc, post, queue, deliver, bounce, now_of):
    mail = queue()
    post.before = lambda: bounce(mail.message_hash)
    deliver()
    assert now_of(mail).state is MailState.BOUNCED and now_of(mail).sealed_key is None
    assert deliver() == 0 and len(deeds(svc)) == 1


def test_a_mail_that_is_over_is_not_sent_by_a_job_that_was_left(svc, post, queue, deliver, bounce):
    bounce(queue().message_hash)
    assert deliver() == 1 and post.took == []
    with svc.reading() as session:
        assert session.exec(select(Job)).all() == []


# ------------------------------------------------------------------------------------------------ settings and doctor
def test_without_a_server_mail_goes_to_the_outbox(tmp_path):
    assert bootstrap.post(load_settings(data_dir=tmp_path)) == Outbox(tmp_path / "outbox")


@pytest.mark.parametrize(
    "given",
    [
        {"smtp_host": "mail.example"},
        {"smtp_host": "mail.example", "privacy_contact": "https://workshot.example/contact"},
        {"mail_from": "not an address"},
        {"mail_from": "a@b.example, c@d.example", "smtp_host": "mail.example"},
    ],
)
def test_mail_that_nobody_could_answer_stops_the_start(tmp_path, given):
    with pytest.raises(BadSettings, match="MAIL_FROM"):
        bootstrap.post(load_settings(data_dir=tmp_path, **given))


def test_a_contact_that_is_an_address_is_where_mail_comes_from(tmp_path):
    settings = load_settings(data_dir=tmp_path, smtp_host="mail.example", privacy_contact="p@workshot.example")
    post = bootstrap.post(settings)
    assert addresses.sender(settings) == "p@workshot.example"
    assert (post.host, post.port, post.security, post.our_name) == ("mail.example", 587, "starttls", "workshot.example")


def found(svc):
    return {check.name: check for check in doctor.examine(svc)}["mail"]


def test_the_doctor_signs_in_and_says_what_waits_and_what_came_back(svc, post, queue, deliver, clock):
    assert found(svc).health is doctor.Health.FINE
    queue()
    post.fails = MailUnavailable("It is away.", code="unreachable")
    deliver()
    assert found(svc).says == "A letterbox. Mails have waited since 02 Mar, 12:00 UTC."
    post.fails = MailRefused("No.", code="receiver_550")
    clock.advance(minutes=1)
    deliver()
    assert "Not delivered within a week: 1" in found(svc).says
    clock.advance(days=8)
    assert found(svc).health is doctor.Health.FINE


def test_the_doctor_says_why_a_server_does_not_take_mail(svc, tmp_path):
    context = server_context(*make_certificate(tmp_path))
    with mail_server(starttls=context) as server:
        settings = load_settings(
            data_dir=tmp_path, smtp_host="127.0.0.1", smtp_port=server.port, mail_from="p@workshot.example"
        )
        check = found(replace(svc, post=bootstrap.post(settings)))
    assert check.health is doctor.Health.BROKEN and "certificate could not be verified" in check.says


def test_through_a_real_server_it_goes_encrypted_signed_in_and_whole(svc, tmp_path, queue, now_of):
    context = server_context(*make_certificate(tmp_path))
    trusting = partial(ssl.create_default_context, cafile=str(tmp_path / "certificate.pem"))
    mail = queue(attachments=[RECEIPT])
    with mail_server(starttls=context, auth=True) as server:
        post = SmtpPost(host="127.0.0.1", port=server.port, user=USER, password=PASSWORD, context=trusting)
        worker = jobs.Worker(replace(svc, post=post))
        assert worker.look([JobKind.MAIL_OUT]) and not worker.look([JobKind.MAIL_OUT])
    (taken,) = server.took
    assert taken.encrypted and taken.signed_in and taken.to == [ANN]
    (attached,) = read(taken.data).iter_attachments()
    assert attached.get_content() == RECEIPT.data
    assert now_of(mail).state is MailState.SENT


def test_the_sweep_clears_the_outbox_after_thirty_days(svc, tmp_path, queue, clock):
    svc = replace(svc, post=Outbox(tmp_path / "outbox"))
    queue()
    jobs.Worker(svc).look([JobKind.MAIL_OUT])
    worker = jobs.Worker(svc)
    for days, left in ((30, 1), (1, 0)):
        clock.advance(days=days)
        worker.beat()
        worker.look([JobKind.SWEEP])
        assert len(list((tmp_path / "outbox").iterdir())) == left
