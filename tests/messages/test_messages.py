"""The translations that are shipped are whole, and are those of the sentences of today: `python -m tests.messages`."""

import pytest
from babel.messages import Catalog

from tests.messages import as_po, compiled, languages, po_of, problems, translated, updated


@pytest.fixture(scope="module", params=languages())
def today(request: pytest.FixtureRequest) -> Catalog:
    """Every sentence that can be said, with what is shipped of it."""
    return updated(request.param)


def test_every_sentence_is_translated_with_its_places(today: Catalog) -> None:
    assert list(problems(today)) == []


def test_what_is_shipped_is_what_is_said(today: Catalog) -> None:
    language = str(today.locale)
    po = po_of(language)
    assert as_po(today) == po.read_bytes()
    assert compiled(translated(language)) == po.with_suffix(".mo").read_bytes()
