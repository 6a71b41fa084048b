"""Mail to a real server: over lines that are what they say, and every way in which it can go wrong."""

import socket
import ssl
from functools import partial

import pytest

from core.adapters.smtp import SmtpPost
from core.errors import MailRefused, MailUnavailable
from tests.peers.certificate import make_certificate
from tests.peers.process import free_port
from tests.peers.smtp import PASSWORD, USER, mail_server, server_context

OURS, ANN = "privacy@workshot.example", "ann@example.org"
MAIL = b"From: privacy@workshot.example\r\nTo: ann@example.org\r\nMessage-ID: <1@x>\r\n\r\n.A line, and\r\n..two\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("smtp"))


@pytest.fixture(scope="module")
def theirs(certificate):
    return server_context(*certificate)


@pytest.fixture
def post(certificate):
    """To a server on this machine, whose authority is believed."""
    trusting = partial(ssl.create_default_context, cafile=str(certificate[1]))

    def make(port, **settings):
        return SmtpPost(**{"host": "127.0.0.1", "port": port, "patience": 5.0, "context": trusting} | settings)

    return make


@pytest.fixture
def plain(post):
    """A server without any encryption, and the way to it."""
    with mail_server() as server:
        yield server, post(server.port, security="none")


def failing(send, kind):
    with pytest.raises(kind) as caught:
        send()
    assert not any(word in str(caught.value) for word in (ANN, OURS, "127.0.0.1", PASSWORD))
    return caught.value.code


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_a_mail_arrives_as_it_is_over_the_line_that_was_asked_for(post, theirs, security):
    kinds = {"starttls": {"starttls": theirs}, "tls": {"tls": theirs}, "none": {}}
    with mail_server(**kinds[security]) as server:
        post(server.port, security=security).send(MAIL, sender=OURS, to=ANN)

    (taken,) = server.took
    assert (taken.sender, taken.to, taken.data) == (OURS, [ANN], MAIL)
    assert taken.encrypted is (security != "none")


def test_starttls_is_the_default_and_without_it_nothing_is_said(post):
    with mail_server(auth=True) as server:
        guarded = post(server.port, user=USER, password=PASSWORD)
        assert failing(lambda: guarded.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "not_offered"

    assert server.took == [] and server.sign_ins == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_not_believed(theirs, security):
    with mail_server(**{security: theirs}) as server:
        wary = SmtpPost(host="127.0.0.1", port=server.port, security=security, user=USER, password=PASSWORD)
        assert failing(lambda: wary.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "certificate"

    assert server.took == [] and server.sign_ins == []


def test_a_certificate_of_somebody_else_is_not_believed(post, theirs):
    with mail_server(starttls=theirs) as server:
        misled = post(server.port, host="localhost")
        assert failing(lambda: misled.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "certificate"


def test_an_authority_of_one_s_own_is_named_by_the_environment(post, theirs, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    with mail_server(starttls=theirs) as server:
        SmtpPost(host="127.0.0.1", port=server.port).send(MAIL, sender=OURS, to=ANN)
    assert len(server.took) == 1


def test_it_signs_in(post, theirs):
    with mail_server(starttls=theirs, auth=True) as server:
        post(server.port, user=USER, password=PASSWORD).send(MAIL, sender=OURS, to=ANN)
    assert server.took[0].signed_in


def test_a_password_that_is_refused_is_the_operator_s_trouble_and_the_mail_waits(post, theirs):
    with mail_server(starttls=theirs, auth=True) as server:
        wrong = post(server.port, user=USER, password="wrong")
        assert failing(lambda: wrong.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "sign_in"
        assert failing(wrong.check, MailUnavailable) == "sign_in"
        nobody = post(server.port)
        assert failing(lambda: nobody.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "sender_530"


@pytest.mark.parametrize(
    ("step", "answer", "kind", "code"),
    [
        ("at_rcpt", "550 no such person", MailRefused, "receiver_550"),
        ("at_rcpt", "553 not a name", MailRefused, "receiver_553"),
        ("at_rcpt", "450 greylisted", MailUnavailable, "receiver_450"),
        ("at_rcpt", "530 sign in first", MailUnavailable, "receiver_530"),
        ("at_data", "554 looks bad", MailRefused, "mail_554"),
        ("at_data", "452 disk full", MailUnavailable, "mail_452"),
        ("at_mail", "550 you may not", MailUnavailable, "sender_550"),
        ("at_mail", "552 too large", MailRefused, "sender_552"),
        ("at_mail", "451 later", MailUnavailable, "sender_451"),
    ],
)
def test_only_a_no_that_is_meant_for_good_is_one(plain, step, answer, kind, code):
    server, post = plain
    setattr(server, step, answer)
    assert failing(lambda: post.send(MAIL, sender=OURS, to=ANN), kind) == code
    assert server.took == []


def test_a_line_that_is_cut_after_the_mail_says_nothing_about_it_and_it_is_sent_again(plain):
    server, post = plain
    server.drops_after_data = True
    assert failing(lambda: post.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "cut_off"
    server.drops_after_data = False
    post.send(MAIL, sender=OURS, to=ANN)
    assert [taken.data for taken in server.took] == [MAIL, MAIL], "the very same, so that it can be known for the same"


def test_a_server_that_stalls_is_not_waited_for(plain, post):
    server, _ = plain
    server.stalls = 30
    hurried = post(server.port, security="none", patience=0.3)
    assert failing(lambda: hurried.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "timeout"


def test_a_server_that_takes_the_call_and_says_nothing_is_not_waited_for(post):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for security in ("none", "tls"):
            hurried = post(silent.getsockname()[1], security=security, patience=0.3)
            assert failing(lambda: hurried.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "timeout"  # noqa: B023


def test_nobody_there(post):
    gone = post(free_port())
    assert failing(lambda: gone.send(MAIL, sender=OURS, to=ANN), MailUnavailable) == "unreachable"


def test_an_address_in_any_script_goes_to_a_server_that_knows_it(post):
    mail, to = "To: jürgen@example.org\r\n\r\nHi\r\n".encode(), "jürgen@example.org"
    with mail_server() as server:
        post(server.port, security="none").send(mail, sender=OURS, to=to)
    assert (server.took[0].to, server.took[0].data) == ([to], mail)
    with mail_server(utf8=False) as server:
        old = post(server.port, security="none")
        assert failing(lambda: old.send(mail, sender=OURS, to=to), MailRefused) == "no_smtputf8"


def test_a_check_tries_everything_and_sends_nothing(post, theirs):
    with mail_server(starttls=theirs, auth=True) as server:
        says = post(server.port, user=USER, password=PASSWORD).check()
    assert says == "A mail server takes our mail (STARTTLS, signed in)"
    assert server.sign_ins == [PASSWORD.encode()] and server.took == []


def test_a_password_is_not_shown(post):
    assert PASSWORD not in repr(post(1, user=USER, password=PASSWORD))
