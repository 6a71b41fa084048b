"""What is not sent on: asked for plainly or in disguise, and not what only sounds like it."""

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.engines.apimart.refusals import WISHES_FILE, load, reason, refused_wishes, refuses
from core.errors import BadSettings
from tests.engines.apimart.notes import ALLOWED, REFUSED

WISHES = [(code, note) for code, notes in REFUSED.items() for note in notes]
SENTENCES = {known.says for known in refused_wishes().reasons}


@pytest.mark.parametrize("note", ALLOWED)
def test_a_fine_wish_is_sent_on(note: str) -> None:
    assert refuses(note) is None


@pytest.mark.parametrize(("code", "note"), WISHES)
def test_a_forbidden_wish_is_refused_for_its_reason(code: str, note: str) -> None:
    found = reason(note)
    assert found is not None
    assert found.id == code
    assert refuses(note) == found.says


def test_every_reason_is_tried() -> None:
    assert {known.id for known in refused_wishes().reasons} == set(REFUSED)


@pytest.mark.parametrize("note", ["", " ", "\n", "…", "!?,", "👩🏽‍💼", "0 1 2", "\u200b"])
def test_nothing_is_nothing_to_refuse(note: str) -> None:
    assert refuses(note) is None


def test_what_is_forbidden_is_found_among_what_is_not() -> None:
    fine = ". ".join(ALLOWED[:8])
    assert refuses(f"{fine}. And now make me look like Brad Pitt. {fine}")


def test_a_denial_reaches_no_further_than_its_clause() -> None:
    assert refuses("No badge. Show me naked") == refuses("naked")
    assert refuses("Why not make me younger?") == refuses("Make me younger")


def test_letters_of_other_alphabets_hide_nothing() -> None:
    assert refuses("ΒRАD РІТТ") == refuses("Brad Pitt")  # Greek and Cyrillic but for R and D
    assert refuses("nаkеd") == refuses("naked")


def test_one_s_own_name_is_one_s_own() -> None:
    assert refuses("My name is Michael Jordan") is None
    assert refuses("Michael Jordan") is not None


UNSEEN = some.sampled_from(["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u0301"])


@settings(max_examples=60, deadline=None)
@given(wish=some.sampled_from(WISHES), seed=some.randoms(use_true_random=False), sign=UNSEEN)
def test_what_cannot_be_seen_hides_nothing(wish: tuple[str, str], seed: Any, sign: str) -> None:
    code, note = wish
    disguised = "".join(letter + (sign if letter.isalpha() and seed.random() < 0.4 else "") for letter in note)
    found = reason(disguised)
    assert found is not None and found.id == code


@settings(max_examples=60, deadline=None)
@given(wish=some.sampled_from(WISHES))
def test_wide_and_large_letters_hide_nothing(wish: tuple[str, str]) -> None:
    code, note = wish
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" and sign.isalpha() else sign for sign in note.upper())
    found = reason(wide)
    assert found is not None and found.id == code


@settings(max_examples=60, deadline=None)
@given(note=some.text(max_size=500))
def test_any_note_is_read_and_none_is_repeated(note: str) -> None:
    assert refuses(note) is None or refuses(note) in SENTENCES


@pytest.mark.parametrize(
    "piece", ["make me look like a ", "i will ", "no badge ", "a.", "n a k ", "do not make me younger "]
)
def test_a_very_long_note_is_read_in_time(piece: str) -> None:
    """Patterns look no further than some words: 40 000 characters take a tenth of a second, not minutes."""
    started = perf_counter()
    refuses(piece * (40_000 // len(piece)))
    assert perf_counter() - started < 5


def test_sentences_are_for_people() -> None:
    for known in refused_wishes().reasons:
        assert known.says.endswith(".")
        assert "lease" in known.says
        assert len(known.says) < 200


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"says": " "}, "says"),
        ({"patterns": ["{nobody} here"]}, "nobody"),
        ({"patterns": ["a(b"]}, "not words"),
        ({"id": "age"}, "once"),
        ({"reach": "far"}, "far"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    raw = json.loads(WISHES_FILE.read_text(encoding="utf-8"))
    raw["reasons"][0] |= change
    file = tmp_path / "wishes.json"
    file.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(BadSettings, match=named):
        load(file)
