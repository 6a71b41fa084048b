"""What we write: exact, in a frame that nobody can take off, and never more than was measured."""

import json
import re
from datetime import timedelta

import pytest

from core import correspondence
from core.correspondence import TEMPLATES, Facts
from core.correspondence.messages import WIDTH, wrapped
from core.correspondence.templates import MOST_LETTERS
from core.errors import NotAllowed
from core.language import instant
from core.models import CopyKind, MatchedBy, Receipt, Request, RequestChannel, RequestKind, RequestState
from tests.fakes import NOON

STATEMENT = {
    "copies": [{"kind": "portrait"}, {"kind": "headshot"}, {"kind": "headshot"}],
    "not_proved": [
        {"what": "our_word", "says": "That storage answered as it says is our word."},
        {"what": "copy", "says": "A copy at a provider, which removes it within 24 hours."},
    ],
}


@pytest.fixture
def facts():
    def some(**more):
        given = {
            "number": "D-7Q4K2M9",
            "kind": RequestKind.ERASE,
            "received_at": NOON,
            "due_at": NOON + timedelta(hours=48),
            "site": "https://workshot.example",
            "contact": "privacy@workshot.example",
            "run_by": "Example Ltd",
            "ground": "not_identified",
        }
        return Facts(**given | more)

    return some


def text(template, facts, **more):
    """In one line, so that a test need not know where lines end."""
    return " ".join(correspondence.letter(template, facts, **more).text.split())


@pytest.mark.parametrize("kind", [RequestKind.ERASE, RequestKind.COPY])
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_letter_is_whole_and_names_its_request_and_the_instant(facts, name, kind):
    subject, body = correspondence.letter(name, facts(kind=kind))
    assert subject.startswith("D-7Q4K2M9: ") and len(subject) < 60
    assert "deletion request" not in subject.lower(), "an answer to it must not open another request"
    assert body.startswith("Hello,\n\n") and "Request D-7Q4K2M9, received on 2 March 2026, 12:00:00 UTC\n" in body
    assert "Questions? Write to privacy@workshot.example" in body and "WorkShot, run by Example Ltd" in body
    assert not re.search(r"None|[{}!]| {2,}(?!\S)|\n\n\n|sorry for|successfully", body)
    lines = wrapped(body).split("\n")
    assert all(len(line) <= WIDTH or " " not in line for line in lines)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_letter_is_whole_without_a_site_a_contact_or_a_name(facts, name):
    body = correspondence.letter(name, facts(site="", contact="", run_by="")).text
    assert "http" not in body and body.endswith("WorkShot\nRequest D-7Q4K2M9, received on 2 March 2026, 12:00:00 UTC\n")


def test_the_end_says_what_was_erased_when_and_what_storage_said(facts):
    done = facts(proved_at=NOON + timedelta(minutes=3), receipt="R-1.1", statement=STATEMENT)
    subject, told = correspondence.letter("done", done)
    assert subject == "D-7Q4K2M9: your photos are erased here" and "\nYour photos are erased here.\n" in told
    all_gone = correspondence.letter("done", facts(statement={"copies": STATEMENT["copies"]}))
    assert all_gone.subject == "D-7Q4K2M9: your photos are erased" and "\nYour photos are erased.\n" in all_gone.text
    assert f"Erased:\n- {CopyKind.PORTRAIT.label}: 1\n- {CopyKind.HEADSHOT.label}: 2\n" in told
    assert "no longer had it on 2 March 2026, 12:03:00 UTC." in told
    assert "receipt R-1.1 is attached" in told and "https://workshot.example/check_receipt" in told
    assert "Not shown to be gone yet:\n- A copy at a provider, which removes it within 24 hours." in told
    assert "is our word" not in told


def test_without_a_receipt_none_is_promised(facts):
    told = text("done", facts(proved_at=NOON))
    assert "attached" not in told and "Erased:" not in told


def test_what_was_not_measured_is_not_said(facts):
    assert "UTC" not in text("nothing_held", facts()).partition("Photos end")[0]
    assert "shown to be gone on 2 March 2026" in text("nothing_held", facts(proved_at=NOON))
    assert "begins by itself" not in text("received", facts())
    assert "begins by itself on 2 March 2026, 12:02:00 UTC" in text(
        "received", facts(is_matched=True, start_at=NOON + timedelta(minutes=2))
    )


@pytest.mark.parametrize("kind", RequestKind)
def test_a_refusal_has_its_ground_its_source_and_where_to_complain_whatever_was_written(facts, kind):
    for ground in correspondence.grounds(kind):
        told = text("refused", facts(kind=kind, ground=ground.code), body="No.")
        assert f"Our reason: {ground.says} ({ground.sources[kind]})" in told
        assert "the right to complain to a data protection authority" in told and "Article 77" in told
        assert told.startswith("Hello, No. ")


def test_a_ground_is_one_of_the_list_and_for_this_kind(facts):
    for kind, ground in ((RequestKind.ERASE, None), (RequestKind.ERASE, "because"), (RequestKind.COPY, "legal_duty")):
        with pytest.raises(NotAllowed):
            correspondence.letter("refused", facts(kind=kind, ground=ground))


def test_grounds_fit_their_column_and_name_an_article():
    for kind in RequestKind:
        assert correspondence.grounds(kind), "every kind can be refused on some ground"
        for ground in correspondence.grounds(kind):
            assert re.fullmatch(r"[a-z_]{1,24}", ground.code) and ground.label and ground.says.endswith(".")
            assert re.search(r"Article \d+", ground.sources[kind])


def test_in_california_its_authority_is_named_too(facts):
    assert "cppa.ca.gov" in text("refused", facts(is_californian=True))
    assert "cppa.ca.gov" not in text("refused", facts())
    assert "1798.130" in text("extended", facts(kind=RequestKind.COPY, is_californian=True))


def test_an_extension_says_until_when_and_that_it_is_the_only_one(facts):
    told = text("extended", facts(kind=RequestKind.COPY, words="Many files have to be looked through."))
    assert "Many files have to be looked through." in told
    assert f"now due on {instant(NOON + timedelta(hours=48))}. The law lets us do this once" in told


def test_asking_for_a_code_says_nothing_about_what_was_sent(svc):
    """A wrong code and none get the very same letter."""
    first, second = (correspondence.rendered(svc, "ask_for_code", request()) for _ in range(2))
    assert first == second and "wrong" not in first.text and "nothing is erased" in " ".join(first.text.split())


def request(**more):
    given = {
        "number": "D-7Q4K2M9",
        "kind": RequestKind.ERASE,
        "channel": RequestChannel.EMAIL,
        "state": RequestState.OPEN,
        "clock": "erase",
        "received_at": NOON,
        "entered_at": NOON,
        "due_at": NOON + timedelta(hours=48),
    }
    return Request(**given | more)


def test_facts_come_from_the_request_and_its_receipt(svc, limit_to):
    here = limit_to(public_url="https://workshot.example", privacy_contact="p@workshot.example", run_by="Example Ltd")
    receipt = Receipt(
        number="R-1.1",
        request_id="x",
        revision=1,
        made_at=NOON,
        statement=json.dumps(STATEMENT),
        key_id="",
        signature="",
    )
    row = request(matched_by=MatchedBy.CLAIM_CODE, start_at=NOON, proved_at=NOON)
    assert "R-1.1 is attached" in correspondence.rendered(here, "done", row, receipt=receipt).text
    assert "begins by itself" in correspondence.rendered(here, "received", row).text
    until = correspondence.rendered(here, "copy_ready", request(kind=RequestKind.COPY), until=NOON).text
    assert "until 2 March 2026, 12:00:00 UTC" in until
    refused = request(kind=RequestKind.COPY, clock="california", refused_ground="excessive")
    assert "12(5)(b)" in correspondence.rendered(here, "refused", refused).text
    assert "cppa" in correspondence.rendered(here, "refused", refused).text


def test_an_operator_begins_with_the_body_and_writes_no_more_than_so_much(svc):
    row = request()
    body = correspondence.draft(svc, "ask_for_run", row)
    assert correspondence.rendered(svc, "ask_for_run", row, body=body) == correspondence.rendered(
        svc, "ask_for_run", row
    )
    with pytest.raises(NotAllowed):
        correspondence.rendered(svc, "answer", row, body="x" * (MOST_LETTERS + 1))
    with pytest.raises(NotAllowed):
        correspondence.rendered(svc, "no_such_letter", row)


def test_long_lines_are_wrapped_and_short_ones_are_left_alone():
    long = "- " + "word " * 30
    assert all(len(line) <= WIDTH for line in wrapped(long).split("\n"))
    assert wrapped(long).split("\n")[1].startswith("  word")
    assert wrapped("a\r\nb\rc\n\nhttps://workshot.example/" + "x" * 90) == (
        "a\nb\nc\n\nhttps://workshot.example/" + "x" * 90 + "\n"
    )
