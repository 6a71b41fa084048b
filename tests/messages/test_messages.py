"""The translations that are shipped are whole, and are those of the sentences of today: `python -m tests.messages`."""

import pytest
from babel.messages import Catalog

from tests.messages import as_po, compiled, languages, po_of, problems, translated, updated
from tests.messages.__main__ import fill, missing


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


@pytest.fixture
def unsaid() -> Catalog:
    catalogue = Catalog(locale="de")
    catalogue.add("Open", locations=[("core/a.py", 0)], context="a request")
    catalogue.add(("{n} day", "{n} days"), locations=[("core/b.py", 0)])
    catalogue.add("Yes", "Ja", locations=[("core/b.py", 0)])
    return catalogue


def test_what_is_missing_is_filled_in(unsaid: Catalog) -> None:
    assert missing(unsaid) == {"a request|ctx|Open": "", "{n} day": ["", ""]}
    assert missing(unsaid, ["core/b.py"]) == {"{n} day": ["", ""]}
    assert fill(unsaid, {"a request|ctx|Open": "Offen", "{n} day": ["", ""]}) == []
    assert missing(unsaid) == {"{n} day": ["", ""]} and unsaid.get("Open", "a request").string == "Offen"
    assert fill(unsaid, {"{n} day": ["{n} Tag", "{n} Tage"]}) == [] == list(missing(unsaid))


def test_what_nobody_says_is_not_filled_in_and_neither_is_the_rest(unsaid: Catalog) -> None:
    said = {"Yes": "Jawohl", "No": "Nein", "Open": "Offen", "{n} day": "{n} Tage"}
    assert fill(unsaid, said) == ["No", "Open", "{n} day"]
    assert unsaid.get("Yes").string == "Ja"
