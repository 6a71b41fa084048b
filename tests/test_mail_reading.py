"""Mails become words, whatever was sent: what is found in them, what is dropped, and that it never takes long."""

import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from core.mail_reading import LONGEST_TEXT, InboundMail, parse
from core.ports import RawMail

MARCH = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUARTER = 256 * 1024
MOMENT = 5.0
"""Seconds that the worst mail may take on a busy machine; unbounded, the parsers below take minutes."""


def read(data: bytes | str, *, size: int | None = None) -> InboundMail:
    data = data.encode() if isinstance(data, str) else data
    return parse(RawMail(uid=1, received_at=MARCH, size=size or len(data), data=data))


def mail(*, headers: str = "", subject: str = "Deletion Request", body: str = "Please.", sender: str = "") -> bytes:
    return f"From: {sender or 'ann@peer.example'}\r\nSubject: {subject}\r\n{headers}\r\n{body}\r\n".encode()


def test_a_plain_mail():
    found = read(mail(headers="Message-ID: <one@peer.example>\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\n"))
    assert (found.sender, found.subject, found.text) == ("ann@peer.example", "Deletion Request", "Please.")
    assert (found.message_id, found.references, found.notes) == ("<one@peer.example>", (), ())
    assert found.received_at == MARCH  # and never the Date that it names
    assert found.is_from_a_person
    assert found.may_answer


def test_nothing_of_a_mail_is_shown_in_a_traceback():
    shown = repr(read(mail(body="7Q4K")))
    assert not any(word in shown for word in ("ann@", "Deletion", "7Q4K"))


@pytest.mark.parametrize(
    "subject",
    [
        "Deletion Request",
        "deletion request",
        "DELETION   REQUEST!",
        "Re: Deletion Request",
        "Fwd: AW: My Deletion Request, please",
        "=?utf-8?B?RGVsZXRpb24gUmVxdWVzdA==?=",
        "=?iso-8859-1?q?Deletion_Request_f=FCr_Ann?=",
        "=?utf-8?q?Dele?= =?utf-8?q?tion_Request?=",
        "Deletion\u00a0Request",
        "Del\u00adetion\u200b Request",
        "Ｄｅｌｅｔｉｏｎ Ｒｅｑｕｅｓｔ",
        "Deletion\r\n Request",
        "DeletionRequest",
        "Deletion-Requests",
        "Deletion Request No. 2",
        "Urgent Deletion Request, I want it done",
    ],
)
def test_a_subject_that_asks_for_deletion(subject: str):
    assert read(mail(subject=subject)).asks_to_delete


@pytest.mark.parametrize(
    "subject", ["Delete my photo", "Request for deletion", "Completion Request", "", "Predeletion request"]
)
def test_a_subject_that_does_not(subject: str):
    assert not read(mail(subject=subject)).asks_to_delete


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("ann@peer.example", "ann@peer.example"),
        ("Ann Example <ann@peer.example>", "ann@peer.example"),
        ('"ann@other.example" <ann@peer.example>', "ann@peer.example"),
        ("=?utf-8?q?=C3=84nn?= <ann@peer.example>", "ann@peer.example"),
        ("Änn <ann@peer.example>", "ann@peer.example"),
        ("änn@peer.example", "änn@peer.example"),
        ("ann@peer.example, bob@peer.example", ""),
        ("Ann <ann@peer.example>, Bob <bob@peer.example>", ""),
        ("ann@peer.example\r\nFrom: bob@peer.example", ""),
        ("undisclosed", ""),
        ("<>", ""),
        ("ann@peer.example@other.example", ""),
        ("=?utf-8?q?ann=40peer=2Eexample?=", ""),
        ("ann@" + "x" * 300, ""),
        ("ann\x00@peer.example", ""),
    ],
)
def test_whom_it_is_from(line: str, address: str):
    assert read(mail(sender=line)).sender == address


def test_an_encoded_line_break_is_none_of_ours():
    found = read(mail(subject="=?utf-8?q?Deletion_Request=0D=0ABcc=3A_all=40peer.example?="))
    assert found.subject == "Deletion Request Bcc: all@peer.example"
    assert not set(found.subject) & set("\r\n")


# ----------------------------------------------------------------------------------------------------------- words
def test_text_is_taken_where_there_is_text_and_html_only_where_there_is_none():
    both = EmailMessage()
    both["From"] = "ann@peer.example"
    both.set_content("Plain words")
    both.add_alternative("<p>Coloured words</p>", subtype="html")
    assert read(bytes(both)).text == "Plain words"
    html = EmailMessage()
    html.set_content("<p>Hello<br>there</p>", subtype="html")
    found = read(bytes(html))
    assert (found.text, found.had_html) == ("Hello\nthere", True)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two &amp; three</p>", "One\n\nTwo & three"),
        ("<script>alert(1)</script>Words", "Words"),
        ("<STYLE>p {color: red}</STYLE >Words", "Words"),
        ("<head><title>T</title></head><body>Words", "Words"),
        ('<img src="http://tracker.example/x.png" alt="x">Words', "Words"),
        ('<a href="http://evil.example">Words</a>', "Words"),
        ("<!-- hidden -->Words<!doctype html>", "Words"),
        ("a < b and c > d", "a < b and c > d"),
        ("Words<script>never closed", "Words"),
        ("<td>7Q4K</td><td>2M9P</td>", "7Q4K2M9P"),
    ],
)
def test_html_is_reduced_to_its_words(html: str, text: str):
    assert read(mail(headers="Content-Type: text/html\r\n", body=html)).text == text


def test_attachments_are_counted_and_dropped():
    found = EmailMessage()
    found.set_content("Words")
    found.add_attachment(b"\xff\xd8 a face", maintype="image", subtype="jpeg", filename="me.jpg")
    found.add_attachment("text in a file", filename="notes.txt")
    forwarded = EmailMessage()
    forwarded.set_content("in another mail")
    found.add_attachment(forwarded)
    assert (read(bytes(found)).text, read(bytes(found)).attachments) == ("Words", 3)


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("iso-8859-1", "schön".encode("latin-1"), "schön"),
        ("utf-8", "schön".encode(), "schön"),
        ("", "schön".encode(), "schön"),
        ("us-ascii", "schön".encode(), "schön"),
        ("utf-8", "schön".encode("latin-1"), "schön"),
        ("no-such-charset", b"words", "words"),
        ("rot13", b"words", "words"),
        ("zip", b"words", "words"),
        ("punycode", b"words-", "words-"),
        ("unicode_escape", rb"\x41", r"\x41"),
        ("koi8-r", "слово".encode("koi8-r"), "слово"),
    ],
)
def test_charsets_right_wrong_and_hostile(charset: str, data: bytes, text: str):
    named = f'Content-Type: text/plain; charset="{charset}"\r\n' if charset else ""
    assert read(mail(headers=named, body="\x01").replace(b"\x01", data)).text == text


def test_what_only_machines_see_is_left_out():
    assert read(mail(body="a\x00b\x07c\u202ed\u2066e\u200bf")).text == "abcdef"
    assert read(mail(body="م\u200cن")).text == "م\u200cن"  # Persian needs it


def test_a_long_text_is_cut_and_says_so():
    found = read(mail(body="x" * 100_000))
    assert (len(found.text), found.notes) == (LONGEST_TEXT, ("long",))


def test_a_mail_that_was_fetched_in_part_says_so():
    assert "cut" in read(mail(), size=30_000_000).notes


# -------------------------------------------------------------------------------------------------------- machines
@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (rejected)",
        "Precedence: auto_reply",
        "Return-Path: <>",
        "X-Autoreply: yes",
        "Content-Type: multipart/report; boundary=b",
    ],
)
def test_machines_are_known(header: str):
    assert read(mail(headers=f"{header}\r\n")).is_automatic


@pytest.mark.parametrize(
    "header", ["Precedence: bulk", "Precedence: list", "List-Id: <a.b>", "List-Unsubscribe: <mailto:x@y>"]
)
def test_lists_are_known(header: str):
    found = read(mail(headers=f"{header}\r\n"))
    assert (found.is_list, found.is_automatic, found.is_from_a_person) == (True, False, False)


def test_who_wants_no_answer_from_machines_is_known():
    assert not read(mail(headers="X-Auto-Response-Suppress: All\r\n")).is_from_a_person


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no",
        "Precedence: first-class",
        "Return-Path: <ann@peer.example>",
        "X-Auto-Response-Suppress: None",
    ],
)
def test_people_are_not_taken_for_machines(header: str):
    assert read(mail(headers=f"{header}\r\n")).is_from_a_person


BOUNCE = b"""From: MAILER-DAEMON@peer.example
Return-Path: <>
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

It did not arrive.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; peer.example

Final-Recipient: rfc822; ann@peer.example
Action: %s
Status: 5.1.1

--b
Content-Type: %s

Message-ID: <ours@workshot.example>
Subject: Your request

--b--
"""


@pytest.mark.parametrize("kind", [b"message/rfc822", b"text/rfc822-headers"])
def test_a_bounce_names_the_mail_that_came_back(kind: bytes):
    found = read(BOUNCE % (b"failed", kind))
    assert (found.is_bounce, found.bounced_message_id) == (True, "<ours@workshot.example>")


@pytest.mark.parametrize("action", [b"delayed", b"delivered", b"relayed"])
def test_a_report_of_anything_else_is_no_bounce(action: bytes):
    found = read(BOUNCE % (action, b"message/rfc822"))
    assert (found.is_bounce, found.bounced_message_id, found.is_automatic) == (False, "", True)


def test_threads():
    found = read(mail(headers="In-Reply-To: <b@x>\r\nReferences: <a@x>\r\n <b@x>\r\n"))
    assert found.references == ("<b@x>", "<a@x>")
    many = "".join(f" <{n}@x>\r\n" for n in range(500))
    assert len(read(mail(headers=f"References:{many}")).references) == 50


# --------------------------------------------------------------------------------------------------------- hostile
def _nested(parameter: bytes) -> bytes:
    levels = (b"Content-Type: multipart/mixed; %s=b%d\r\n\r\n--b%d\r\n" % (parameter, n, n) for n in range(4000))
    return b"From: a@b.de\r\nSubject: Deletion Request\r\n" + b"".join(levels)


HTML = b"From: a@b.de\r\nSubject: Deletion Request\r\nContent-Type: text/html\r\n\r\n"
TEXT = b"From: a@b.de\r\nSubject: Deletion Request\r\n"
REPORT = b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
JUNK = (b"<", b"<a ", b"<a b='", b"<!--", b"<![", b"&#")
HOSTILE = {
    **{f"html {junk!r}": HTML + (junk * QUARTER)[:QUARTER] for junk in JUNK},
    "nested": _nested(b"boundary"),
    "nested, hidden": _nested(b"boundary*0"),
    "mails in mails": TEXT + b"Content-Type: message/rfc822\r\n\r\n" * 8000,
    "ten thousand parts": TEXT + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nhi\r\n" * 10_000,
    "encoded words": b"From: a@b.de\r\nSubject: Deletion Request " + b"=?a?q?" * 40_000 + b"\r\n\r\nhi",
    "ten thousand headers": TEXT + b"x: y\r\n" * 40_000 + b"\r\nhi",
    "comments": b"Subject: Deletion Request\r\nFrom: " + b"(" * 40_000 + b"\r\n\r\nhi",
    "quotes": b"Subject: Deletion Request\r\nFrom: " + b'"\\' * 40_000 + b"\r\n\r\nhi",
    "parameters": TEXT + b"Content-Type: text/plain" + b"; a*0*=" * 30_000 + b"\r\n\r\nhi",
    "semicolons": TEXT + b"Content-Disposition: " + b";" * 200_000 + b"\r\n\r\nhi",
    "equal signs": TEXT + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * QUARTER,
    "broken base64": TEXT + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"Q!" * (QUARTER // 2),
    "carriage returns": TEXT + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"\r" * QUARTER,
    "combining": TEXT + b"\r\n" + ("a" + "\u0315\u0300" * 60_000).encode(),
    "delivery": TEXT + REPORT + b"a: b\r\n\r\n" * 25_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_read_in_a_moment(name: str):
    started = time.process_time()
    found = read(HOSTILE[name])
    assert time.process_time() - started < MOMENT
    assert found.asks_to_delete or name == "encoded words", "what could not be decoded is full of question marks"
    assert len(found.text) <= LONGEST_TEXT


@pytest.mark.parametrize("data", [b"", b"\0" * 1000, b"\r\n\r\n", b"From", b"From:", b"\xff\xfe" * 500, b":" * 5000])
def test_what_is_no_mail_is_read_all_the_same(data: bytes):
    found = read(data)
    assert (found.sender, found.asks_to_delete) == ("", False)
    assert "no_sender" in found.notes


def test_a_mail_cut_anywhere_is_read():
    whole = BOUNCE % (b"failed", b"message/rfc822")
    for length in range(0, len(whole), 7):
        read(whole[:length], size=len(whole))


@pytest.mark.parametrize(
    "subject",
    [
        "Löschanfrage",
        "AW: Loeschanfrage",
        "Lösch-Anfrage zu meinen Fotos",
        "Löschantrag",
        "Löschungsantrag nach Art. 17 DSGVO",
        "Antrag auf Löschung meiner Daten",
        "Bitte um Löschung",
        "Bitte löschen Sie meine Fotos",
        "Bitte alle meine Bilder löschen",
        "Löschen Sie bitte meine Daten",
        "AW: Bitte löschen Sie meine Daten.",
        "Löschersuchen",
        "=?utf-8?q?L=C3=B6schanfrage?=",
        "Lo\u0308schanfrage",
    ],
)
def test_a_german_subject_that_asks_for_deletion(subject: str):
    assert read(mail(subject=subject)).asks_to_delete


@pytest.mark.parametrize("subject", ["Löschwasser", "Frage zu meinen Fotos", "Was löschen Sie wann?", "Abholcode"])
def test_a_german_subject_that_does_not(subject: str):
    assert not read(mail(subject=subject)).asks_to_delete


@pytest.mark.parametrize(
    "subject",
    [
        "Bitte meine Fotos noch nicht löschen",
        "Bitte nicht löschen",
        "Bitte meine Fotos nicht loeschen!",
        "Keine Löschanfrage",
        "Dies ist kein Löschantrag",
        "Bitte um Auskunft: wann löschen Sie?",
        "Bitte um Auskunft, bevor Sie meine Daten löschen",
        "Bitte sagen Sie mir, ob Sie meine Fotos löschen",
        "Löschen Sie meine Fotos auch bei Dritten",
        "Bitte löschen Sie nichts",
        "Bitte löschen Sie meine Fotos erst im Mai",
        "Bitte löschen Sie meine Fotos nicht",
        "Löschanfrage: warum dauert das?",
        "Löschantrag zurückgezogen",
        "Ruecknahme meiner Loeschanfrage",
        "Antrag auf Löschung: wie geht das",
        "Bitte um Löschung ohne Eile",
        "Bitte den Newsletter löschen",
        "No deletion request",
        "This is not a Deletion Request",
        "Don't treat this as a deletion request",
        "It isn’t a deletion request",
        "Before I send a Deletion Request",
        "When is a deletion request done",
        "Deletion Request?",
        "Deletion request\uff1f",
        "Please cancel my deletion request",
        "I never sent a deletion request",
    ],
)
def test_a_subject_that_could_mean_the_opposite_is_read_by_a_person(subject: str):
    assert not read(mail(subject=subject)).asks_to_delete


@pytest.mark.parametrize(
    ("language", "subject", "text"),
    [
        ("de", "Löschanfrage", ""),
        ("de", "Deletion Request", "Guten Tag, bitte löschen Sie meine Fotos. Mein Abholcode ist ABCD-EFGH."),
        ("de", "Deletion Request", "ich will dass meine bilder bei euch weg sind"),
        ("de", "Bitte loeschen Sie meine Bilder", "Danke und viele Gruesse"),
        (
            "de",
            "AW: Deletion Request",
            "Weg damit, danke.\n\nMit freundlichen Grüßen\n> Please answer with it.",
        ),
        ("en", "Deletion Request", "Please."),
        ("en", "Deletion Request", "Hi, please delete my photos. Regards, Jürgen Müller, Köln"),
        (
            "en",
            "Deletion Request",
            "Can you remove what you have of me?\n> Bitte löschen Sie meine Fotos.",
        ),
        ("en", "Demande d'effacement", "Bonjour, merci d'effacer mes photos."),
        ("en", "", ""),
    ],
)
def test_the_language_of_a_mail_is_guessed_from_its_own_words(language: str, subject: str, text: str):
    assert read(mail(subject=subject, body=text)).language == language


@pytest.mark.parametrize(
    ("language", "header", "text"),
    [
        ("de", "de-DE", "ABCD-EFGH"),
        ("en", "fr", "ABCD-EFGH"),
        ("en", "en-US", "ABCD-EFGH"),
        ("de", "en-US", "Bitte löschen Sie meine Fotos."),
        ("en", "de-DE", "Please delete my photos, and tell me when it is done."),
    ],
)
def test_what_a_mail_program_says_counts_where_the_words_say_nothing(language: str, header: str, text: str):
    found = read(mail(subject="7", headers=f"Content-Language: {header}\r\n", body=text))
    assert found.language == language
