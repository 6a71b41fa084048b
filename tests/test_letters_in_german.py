"""The letters in another language: whole, exact, with what the law asks for, and known again by our own mailbox."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from core import correspondence
from core.correspondence import TEMPLATES, Facts
from core.correspondence.messages import WIDTH, build, wrapped
from core.language import NAMES, speaking
from core.mail_reading import InboundMail, language_of, parse
from core.mailbox import _NUMBER
from core.models import CopyKind, RequestKind
from core.ports import RawMail
from tests.fakes import NOON
from tests.test_letters import STATEMENT, request

ENGLISH = re.compile(r"\b(the|your|you|and|is|are|it|we|our|of|not|photos|erased|request|by|was|on)\b", re.IGNORECASE)
"""What no German sentence has; "was" is one of theirs, and stands in none of these letters."""


@pytest.fixture
def facts():
    def some(**more):
        given = {
            "number": "D-7Q4K2M9",
            "kind": RequestKind.ERASE,
            "language": "de",
            "received_at": NOON,
            "due_at": NOON + timedelta(hours=48),
            "start_at": NOON + timedelta(minutes=2),
            "proved_at": NOON + timedelta(minutes=3),
            "is_matched": True,
            "site": "https://workshot.example",
            "contact": "privacy@workshot.example",
            "run_by": "Example Ltd",
            "ground": "not_identified",
            "receipt": "R-1.1",
            "statement": {"copies": STATEMENT["copies"]},
        }
        return Facts(**given | more)

    return some


def text(template, facts):
    return " ".join(correspondence.letter(template, facts).text.split())


@pytest.mark.parametrize("kind", RequestKind)
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_letter_is_whole_and_no_english_is_left_in_it(facts, name, kind):
    ground = "unfounded"  # which every kind has
    for more in ({}, {"site": "", "contact": "", "run_by": "", "proved_at": None, "start_at": None, "receipt": None}):
        subject, body = correspondence.letter(name, facts(kind=kind, ground=ground, **more))
        assert subject.startswith("D-7Q4K2M9: ") and len(subject) < 60
        assert body.startswith("Guten Tag,\n\n")
        assert "Anfrage D-7Q4K2M9, eingegangen am 2. März 2026, 12:00:00 Uhr UTC\n" in body
        left = re.sub(r"https://\S+|privacy@\S+|Example Ltd|WorkShot", "", f"{subject} {body}")
        assert not [word for word in ENGLISH.findall(left) if word != "was"], left
        assert not re.search(r"None|[{}!]| {2,}(?!\S)|\n\n\n", body)
        assert language_of(left) == "de"
        assert all(len(line) <= WIDTH or " " not in line for line in wrapped(body).split("\n"))


def test_the_law_is_named_as_it_is_called_here(facts):
    extended = text("extended", facts(kind=RequestKind.COPY))
    assert "nun fällig am 4. März 2026, 12:00:00 Uhr UTC" in extended and "(Art. 12 Abs. 3 DSGVO)" in extended
    for told in (extended, text("refused", facts())):
        assert "das Recht, sich bei einer Datenschutz-Aufsichtsbehörde zu beschweren" in told
        assert "(Art. 77 DSGVO)" in told and "das Recht, vor Gericht zu gehen (Art. 79 DSGVO)" in told
    assert "cppa.ca.gov" in text("refused", facts(is_californian=True))


@pytest.mark.parametrize("kind", RequestKind)
def test_each_ground_has_its_sentence_and_its_source(facts, kind):
    for ground in correspondence.grounds(kind):
        told = text("refused", facts(kind=kind, ground=ground.code))
        assert re.search(r"Unser Grund: .+\. \(Art\. \d+ Abs\. \d", told) and "DSGVO)" in told
        assert ground.says not in told and ground.sources[kind] not in told


def test_the_end_says_what_was_erased_and_a_sentence_that_is_not_ours_as_it_was_signed(facts):
    subject, told = correspondence.letter("done", facts(statement=STATEMENT))
    assert subject == "D-7Q4K2M9: Ihre Fotos sind bei uns gelöscht"
    with speaking("de"):
        assert "Gelöscht:\n- Ihr Foto: 1\n- Headshot: 2\n" in told, CopyKind.PORTRAIT.label
    assert "keine mehr, am 2. März 2026, 12:03:00 Uhr UTC." in told
    assert "Noch nicht nachweislich weg:\n- A copy at a provider, which removes it within 24 hours." in told


def test_a_draft_and_a_letter_are_in_the_language_of_the_request_whoever_writes_them(svc):
    asked = request(language="de")
    with speaking("en"):
        assert correspondence.draft(svc, "late", asked).startswith("Wir sind zu spät. Ihre Anfrage zur Löschung")
        assert correspondence.rendered(svc, "late", asked).text.startswith("Guten Tag,")
    with speaking("de"):
        assert correspondence.draft(svc, "late", request()).startswith("We are late.")
        assert correspondence.rendered(svc, "late", request()).text.startswith("Hello,")


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("name", TEMPLATES)
def test_an_answer_to_it_finds_its_request_and_opens_no_other(facts, name, language):
    letter = correspondence.letter(name, facts(language=language))
    sent = build(sender="us@ours.example", to="ann@peer.example", at=NOON, subject=letter.subject, text=letter.text)
    data = sent.text.encode()
    back = parse(RawMail(uid=1, received_at=datetime(2026, 3, 2, tzinfo=UTC), size=len(data), data=data))
    assert back.subject == letter.subject and back.language == language
    assert back.text.split() == letter.text.split()
    for answers in ("", "Re: ", "AW: ", "WG: "):
        answer = InboundMail(
            uid=1, received_at=NOON, size=1, sender="ann@peer.example", subject=answers + back.subject, text=""
        )
        assert not answer.asks_to_delete
        assert _NUMBER.findall(answer.subject.upper()) == ["D-7Q4K2M9"]
