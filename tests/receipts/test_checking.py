"""A receipt holds for ever, nothing hostile passes for one, and it can be read."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from core import receipts
from core.canonical import as_json
from core.models import Request
from core.receipts import Finding
from core.receipts.checking import MOST_BYTES, MOST_PARTS
from core.signing import Signer
from tests.receipts.helpers import keys_of

pytestmark = pytest.mark.sqlite_only("a receipt is checked without a database")


def test_it_verifies_with_the_public_key_alone(svc, erased, genuine):
    verdict = receipts.verify(genuine, public_keys=keys_of(svc.signer))

    assert verdict.finding is Finding.VERIFIES and verdict.well
    assert verdict.statement.request_number == erased[0].number
    assert {copy.kind for copy in verdict.statement.copies} == {"portrait", "headshot"}


def test_how_it_is_laid_out_does_not_matter(svc, genuine):
    document = json.loads(genuine)
    for text in (json.dumps(document), json.dumps(document, indent=8, sort_keys=True), "\ufeff" + genuine.decode()):
        assert receipts.verify(text.encode(), public_keys=keys_of(svc.signer)).well
    assert receipts.verify(genuine.replace(b"\n", b"\r\n"), public_keys=keys_of(svc.signer)).well


def test_a_new_key_keeps_old_receipts_valid(svc, genuine, given_request, made):
    rotated = Signer(b"t" * 32, retired=[svc.signer.public_key])
    after = replace(svc, signer=rotated)

    assert receipts.check(after, genuine).finding is Finding.VERIFIES
    new = receipts.as_file(made(given_request(), svc=after))
    assert receipts.check(after, new).finding is Finding.VERIFIES
    assert receipts.check(svc, new).finding is Finding.UNKNOWN_KEY
    assert receipts.verify(genuine, public_keys=keys_of(Signer(b"t" * 32))).finding is Finding.UNKNOWN_KEY


def test_a_key_under_a_false_name_verifies_nothing(svc, genuine):
    assert receipts.verify(genuine, public_keys={svc.signer.key_id: b"t" * 32}).finding is Finding.CHANGED


def every_change(value, path=()):
    """Each leaf of a document, with its place."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from every_change(inner, (*path, name))
        case list():
            for at, inner in enumerate(value):
                yield from every_change(inner, (*path, at))
        case _:
            yield path, value


def changed(value):
    return {str: lambda: value[:-1] + ("0" if value[-1:] != "0" else "1"), int: lambda: value + 1}.get(
        type(value), lambda: "2026-03-02T12:00:00.000000Z"
    )()


def test_no_value_can_be_changed(svc, genuine):
    document = json.loads(genuine)
    places = list(every_change(document))
    assert len(places) > 40
    for path, value in places:
        copy = json.loads(genuine)
        inner = copy
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = changed(value)
        verdict = receipts.verify(json.dumps(copy).encode(), public_keys=keys_of(svc.signer))
        assert not verdict.well and verdict.statement is None, path
        if path not in {("statement", "format"), ("statement", "key_id")}:
            assert verdict.finding is Finding.CHANGED, path


def test_nothing_can_be_added_or_left_out(svc, genuine):
    for change in (
        lambda told: told["statement"].update(note="so it is"),
        lambda told: told["statement"].pop("copies_gone_before"),
        lambda told: told["statement"]["copies"].pop(),
        lambda told: told["statement"]["copies"].reverse(),
        lambda told: told.update(signature=told["signature"][:-2]),
        lambda told: told.update(signature="zz" * 64),
        lambda told: told.update(signature=""),
    ):
        document = json.loads(genuine)
        change(document)
        verdict = receipts.verify(json.dumps(document).encode(), public_keys=keys_of(svc.signer))
        assert verdict.finding is Finding.CHANGED
    for document in (
        json.loads(genuine) | {"note": "so it is"},
        {"statement": json.loads(genuine)["statement"]},
        {"ѕtatement": json.loads(genuine)["statement"], "signature": json.loads(genuine)["signature"]},
    ):
        verdict = receipts.verify(json.dumps(document).encode(), public_keys=keys_of(svc.signer))
        assert verdict.finding is Finding.NOT_A_RECEIPT


def signed(svc, **told) -> bytes:
    """Whatever, signed with the right key: as a mistake of ours would be."""
    statement = {"format": receipts.FORMAT, "key_id": svc.signer.key_id} | told
    signature = svc.signer.sign(as_json(statement).encode()).value
    return json.dumps({"statement": statement, "signature": signature}).encode()


def in_form(form, *, signature="00", **members) -> bytes:
    return json.dumps({"statement": {"format": form, **members}, "signature": signature}).encode()


HOSTILE = {
    "nothing": (b"", Finding.NOT_JSON),
    "not JSON": (b"Dear Sir or Madam", Finding.NOT_JSON),
    "an image": (b"\xff\xd8\xff\xe0" * 99, Finding.NOT_JSON),
    "UTF-16": ('{"a":1}'.encode("utf-16"), Finding.NOT_JSON),
    "nulls": (b"\0" * 1000, Finding.NOT_JSON),
    "deep lists": (b"[" * 200_000, Finding.NOT_JSON),
    "deep and whole": (b"[" * 100_000 + b"]" * 100_000, Finding.NOT_JSON),
    "deep objects": (b'{"statement":' * 90_000 + b"1" + b"}" * 90_000, Finding.NOT_JSON),
    "wide": (b"[" + b"[]," * 1_000_000 + b"[]]", Finding.NOT_A_RECEIPT),
    "wide inside": (in_form("workshot receipt 1", copies=[[]] * MOST_PARTS), Finding.NOT_A_RECEIPT),
    "a name twice": (b'{"statement":{},"statement":{},"signature":""}', Finding.NOT_JSON),
    "NaN": (b'{"statement":NaN,"signature":""}', Finding.NOT_JSON),
    "infinity": (b'{"statement":-Infinity,"signature":""}', Finding.NOT_JSON),
    "a fraction": (b'{"statement":1.0,"signature":""}', Finding.NOT_JSON),
    "an exponent": (b'{"statement":1e999999,"signature":""}', Finding.NOT_JSON),
    "a huge number": (b'{"statement":' + b"9" * 1_000_000 + b"}", Finding.NOT_JSON),
    "a word": (b'"workshot receipt 1"', Finding.NOT_A_RECEIPT),
    "a list": (b"[1]", Finding.NOT_A_RECEIPT),
    "empty": (b"{}", Finding.NOT_A_RECEIPT),
    "no statement": (b'{"statement":null,"signature":"00"}', Finding.NOT_A_RECEIPT),
    "no format": (b'{"statement":{},"signature":"00"}', Finding.NOT_A_RECEIPT),
    "format of another kind": (b'{"statement":{"format":["a"]},"signature":"00"}', Finding.NOT_A_RECEIPT),
    "look-alike format": (in_form("workshοt receipt 1"), Finding.NOT_A_RECEIPT),
    "later format": (in_form("workshot receipt 2"), Finding.OTHER_FORMAT),
    "no key": (in_form("workshot receipt 1"), Finding.UNKNOWN_KEY),
    "key of another kind": (in_form("workshot receipt 1", key_id={}), Finding.UNKNOWN_KEY),
    "signature of another kind": (in_form("workshot receipt 1", signature=7), Finding.NOT_A_RECEIPT),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_hostile_passes_or_breaks_it(name):
    data, expected = HOSTILE[name]
    verdict = receipts.verify(data, public_keys=keys_of(Signer(b"s" * 32)))
    assert (verdict.finding, verdict.statement, verdict.well) == (expected, None, False)


def test_lone_surrogates_and_foreign_letters_are_changes(svc, genuine):
    for letter in ("\\ud800", "Ａ", "е"):
        text = genuine.decode().replace('"portrait"', f'"portr{letter}it"')
        verdict = receipts.verify(text.encode(), public_keys=keys_of(svc.signer))
        assert verdict.finding is Finding.CHANGED


def test_more_than_ten_megabytes_are_not_even_read(svc, genuine):
    padded = genuine + b" " * (MOST_BYTES - len(genuine))
    assert receipts.verify(padded, public_keys=keys_of(svc.signer)).well
    assert receipts.verify(padded + b" ", public_keys=keys_of(svc.signer)).finding is Finding.TOO_LARGE


@pytest.mark.parametrize("told", [{}, {"request": []}, {"request": {"number": 7}}])
def test_what_our_key_signed_is_still_no_receipt_unless_it_is_one(svc, told):
    assert receipts.verify(signed(svc, **told), public_keys=keys_of(svc.signer)).finding is Finding.NOT_A_RECEIPT


def test_every_finding_says_something_of_its_own():
    assert len({finding.says for finding in Finding}) == len({finding.headline for finding in Finding}) == len(Finding)


def test_in_words(svc, clock, erased, made):
    request, _ = erased
    with svc.transaction() as session:
        session.get_one(Request, request.id).proved_at = clock()
    verdict = receipts.verify(receipts.as_file(made(request)), public_keys=keys_of(svc.signer))
    said = receipts.words(verdict.statement)

    assert said.proves == (
        f"Request {request.number}, to erase, came on the site on 2026-03-02 12:00:01 UTC.",
        "1 headshot, 1 photo (12 bytes): each was erased, then asked for in two ways, and storage had it no more.",
        "1 picture had been erased and proved before the request came.",
        "All was shown to be gone on 2026-03-02 12:01:01 UTC, 47 h 59 min before the promised time was over.",
        "The key that opened these pictures was destroyed on 2026-03-02 12:01:01 UTC.",
    )
    assert len(said.does_not) == 4 and len(said.copies) == 2


def test_late_is_said(svc, clock, given_request, made):
    request = given_request(proved_at=clock() + timedelta(hours=50))
    said = receipts.words(receipts.verify(receipts.as_file(made(request)), public_keys=keys_of(svc.signer)).statement)
    assert "2 h 0 min after the promised time was over" in " ".join(said.proves)
    assert "Nothing was held." in said.proves


def test_the_printed_one_says_the_same_and_escapes_all(svc, erased, made):
    verdict = receipts.verify(receipts.as_file(made(erased[0])), public_keys=keys_of(svc.signer))
    said = replace(verdict.statement, channel="<b>&", policy='"><script>alert(1)</script>')
    page = receipts.page_html(said, file="/receipt/x.json")
    assert "<script" not in page and "&lt;script&gt;" in page and "&lt;b&gt;&amp;" in page
    assert erased[0].number in page and 'href="/receipt/x.json"' in page
