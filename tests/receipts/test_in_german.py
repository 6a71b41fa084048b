"""A receipt in another language: the same signed statement, read aloud, and nothing signed is ever translated."""

import json
import re
from dataclasses import replace

from core import receipts
from core.language import speaking
from core.models import Request
from core.receipts import Finding, sentences
from core.receipts.statement import NotProved, Statement
from tests.provider.outsider import Outsider, beside, given_run_of, given_task, noted
from tests.receipts.helpers import keys_of, told

LEFT = re.compile(r"\b(the|your|and|is|it|we|our|of|not|erased|gone|request|by|storage)\b", re.IGNORECASE)


def everything(words: receipts.Words) -> str:
    facts = [f"{name}: {what}" for name, what in (*words.facts, *words.copies)]
    return "\n".join([words.title, *words.proves, *words.does_not, *facts])


def test_one_statement_in_two_languages(svc, erased, made, clock):
    outside = beside(svc, Outsider())
    request, held = erased
    noted(outside, given_task(outside, given_run_of(outside, request.subject_id, held[0].id)))
    with speaking("de"):
        receipt = made(request, svc=outside)
    signed = receipts.verify(receipts.as_file(receipt), public_keys=keys_of(svc.signer)).statement
    english = receipts.words(signed)
    assert all(LEFT.search(one["says"]) for one in told(receipt)["not_proved"]), "signed in English, whoever asks"
    assert english.does_not == tuple(one["says"] for one in told(receipt)["not_proved"])
    with speaking("de"):
        german = receipts.words(signed)
    assert not LEFT.search(everything(german)), everything(german)
    assert len(german.proves) == len(english.proves) and len(german.does_not) == len(english.does_not)
    for words in (english, german):
        for fact in (signed.number, signed.request_number, signed.audit_hash, signed.salt, signed.elsewhere[0].id_hash):
            assert fact in everything(words)
        assert f"{signed.received_at:%Y-%m-%d %H:%M:%S} UTC" in everything(words), "dates stay as on paper"
    assert german.title == f"Quittung {signed.number}"
    assert (
        german.does_not[0].startswith("Ein Headshot von APIMart liegt dort")
        and "2026-03-03 12:01 UTC" in (german.does_not[0])
    )
    assert "1 Foto" in german.proves[1] and "0,0" not in german.proves[1]


def test_a_sentence_that_is_none_of_ours_is_shown_as_it_was_signed(genuine):
    said = Statement.of(json.loads(genuine)["statement"])
    theirs = NotProved("copy", "Something that another release has said.")
    ours = NotProved("copy", sentences.STILL_HERE)
    with speaking("de"):
        shown = receipts.words(replace(said, not_proved=(theirs, ours))).does_not
    assert shown[0] == theirs.says and shown[1].startswith("Eine Kopie in unserem Speicher")


def test_the_page_says_in_which_language_it_is_and_has_no_other(genuine):
    said = Statement.of(json.loads(genuine)["statement"])
    assert '<html lang="en">' in receipts.page_html(said, file="/r.json")
    with speaking("de"):
        page = receipts.page_html(said, file="/r.json")
    assert '<html lang="de">' in page and '<a href="/r.json">' in page and "<h1>Quittung R-" in page
    assert not LEFT.search(re.sub(r"<[^>]*>", " ", page.partition("<body")[2]))


def test_a_verdict_is_in_the_readers_language(genuine):
    with speaking("de"):
        for finding in Finding:
            assert finding.headline and not LEFT.search(finding.headline + finding.says)
        assert "Echt" in receipts.verify(genuine, public_keys={}).finding.__class__.VERIFIES.headline


def test_making_one_does_not_depend_on_who_asks(erased, made, svc):
    request: Request = erased[0]
    with speaking("de"):
        first = made(request)
    again = made(request, write=receipts.amend)
    assert told(first)["not_proved"] == told(again)["not_proved"]
