"""The translations that are shipped are whole, and are those of the sentences of today: `python -m tests.messages`."""

import pytest

from tests.messages import as_po, compiled, languages, po_of, problems, translated, updated


@pytest.mark.parametrize("language", languages())
def test_every_sentence_is_translated_with_its_places(language: str) -> None:
    assert list(problems(updated(language))) == []


@pytest.mark.parametrize("language", languages())
def test_what_is_shipped_is_what_is_said(language: str) -> None:
    po = po_of(language)
    assert as_po(updated(language)) == po.read_bytes()
    assert compiled(translated(language)) == po.with_suffix(".mo").read_bytes()
