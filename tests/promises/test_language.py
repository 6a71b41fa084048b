"""Promises in another language: what is stored is said when it is read, by whoever reads it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from core import promises
from core.contracts import Contract
from core.language import _, speaking
from core.ports import HandOver
from core.promises import PROMISES, Promise, Says, bounds
from core.promises.checks import parties
from core.promises.shapes import Listed, listed, says
from core.services import Services
from core.settings import Settings
from core.third_parties import third_parties
from tests.promises.conftest import promise
from tests.provider.outsider import Outsider

pytestmark = pytest.mark.sqlite_only("words alone")
GERMAN = "de"
OLD = '["oldest photo {age}, {late} past their clock",{"age":"11 d 4 h","late":0}]'
LATE_SPAN = timedelta(days=11, hours=4, seconds=5.7)


def words_of(said: Says) -> Iterator[str]:
    """Every template that is in it."""
    yield said.template
    for value in said.values.values():
        yield from words_of(value) if isinstance(value, Says) else ()
        if isinstance(value, Listed):
            yield from (word for name in value.names if isinstance(name, Says) for word in words_of(name))
    for more in said.then:
        yield from words_of(more)


def is_said_otherwise(english: str) -> bool:
    with speaking(GERMAN):
        return _(english) != english


# ----------------------------------------------------------------------------------------------------------- measured
def test_everything_that_was_measured_is_said_in_german(lived_in: Services) -> None:
    served = replace(lived_in, providers={"apimart": Outsider(hand_over=HandOver.UPLOAD)})
    stands = promises.run_checks(served, served.clock())
    _state, headline = promises.headline_says(stands, served.clock())
    said = [headline, *(one for stand in stands for one in (stand.figure_says, stand.evidence_says))]
    assert {word for one in said for word in words_of(one) if not is_said_otherwise(word)} == set()
    with speaking(GERMAN):
        assert not any("{" in one.in_words(_) for one in said)
        assert headline.in_words(_).startswith("Alle ")


def test_what_was_measured_is_english_for_whoever_runs_it(lived_in: Services) -> None:
    """Alerts, the command line and privacy.json read `sentence`, `figure` and `evidence`, whoever asks."""
    with speaking(GERMAN):
        stands = promises.run_checks(lived_in, lived_in.clock())
        german = [stand.said for stand in stands]
    english = promises.stands(lived_in, lived_in.clock())
    assert [(one.sentence, one.figure, one.evidence) for one in stands] == [
        (one.sentence, one.figure, one.evidence) for one in english
    ]
    assert [stand.said for stand in english] == [stand.sentence for stand in english]
    assert not set(german) & {stand.sentence for stand in english}


# ------------------------------------------------------------------------------------------------------------- values
@pytest.mark.parametrize(
    ("said", "english", "german"),
    [
        (says("{ago} ago", ago=LATE_SPAN), "11 d 4 h ago", "11 T 4 Std ago"),
        (says("{n} of {of}", n=12345, of=0), "12,345 of 0", "12.345 of 0"),
        (says("from {day}", day=date(2026, 11, 5)), "from 05 Nov 2026", "from 5. November 2026"),
        (says("from {day}", day=datetime(2026, 11, 5, 23, tzinfo=UTC)), "from 05 Nov 2026", "from 5. November 2026"),
        (says("in {names}", names=listed([])), "in none", "in keine"),
        (
            says("in {names}", names=listed(["a", "b", "c", "d"], 3)),
            "in a, b, c and 1 more",
            "in a, b, c und 1 weitere",
        ),
        (says("in {names}", names=listed([says("storage"), "b"])), "in storage, b", "in Speicher, b"),
        (says("it is {what}", what=says("gone")).followed_by(says("none")), "it is gone none", "it is weg keine"),
    ],
    ids=lambda value: value.template if isinstance(value, Says) else "",
)
def test_values_are_worded_when_they_are_read(said: Says, english: str, german: str) -> None:
    again = Says.of_json(said.as_json())
    assert said.text == again.text == english and Says.of_json(again.as_json()) == again
    with speaking(GERMAN):
        assert again.in_words(_) == german and again.text == english


def test_what_was_stored_before_is_read_as_it_was() -> None:
    told = Says.of_json(OLD)
    assert told.text == "oldest photo 11 d 4 h, 0 past their clock"
    assert (told.value("age"), told.value("late"), told.value("other")) == ("11 d 4 h", "0", "")


def test_what_a_third_party_keeps_is_known_by_words() -> None:
    kept = {copy.id for party in third_parties().values() for copy in party.copies}
    assert kept <= set(parties.KEEPS)


# ---------------------------------------------------------------------------------------------------------- sentences
@pytest.mark.parametrize("which", PROMISES, ids=lambda each: each.id)
def test_each_promise_is_made_in_german(which: Promise, svc: Services) -> None:
    wide = svc.settings.model_copy(update=ALL_SAID)
    for settings in (svc.settings, wide):
        assert in_german(which.filled, settings) != which.filled(settings)
        assert not re.search(r"[{}]", in_german(which.filled, settings))
    assert is_said_otherwise(which.measured) and is_said_otherwise(which.reader_may)


ALL_SAID = {
    "run_by": "Ann Photos",
    "erase_early_hours": 24,
    "backup_days": 30,
    "look_at_reported": True,
    "s3_endpoint_url": "https://s3.example.com",
    "s3_bucket": "faces",
}


def in_german(said: object, *of: object, **more: object) -> str:
    assert callable(said)
    with speaking(GERMAN):
        return str(said(*of, **more))


@pytest.mark.parametrize("others", [(), ("Here & There",), ("Here", "There", "Nowhere")])
def test_what_is_read_before_a_photo_is_added_is_german(svc: Services, others: tuple[str, ...]) -> None:
    settings = svc.settings.model_copy(update=ALL_SAID)
    english = promises.glance(settings, others=others)
    with speaking(GERMAN):
        german = promises.glance(settings, others=others)
    assert len(german) == len(english) and not set(german) & set(english)
    assert not any(re.search(r"[{}]|\b(or|by|and|the)\b", line) for line in german)
    assert ", betrieben von Ann Photos" in german[0]


def test_how_long_photos_stay_is_said_in_the_reader_s_language(svc: Services) -> None:
    fourteen = svc.settings.model_copy(update={"longest_days": 14})
    assert in_german(fourteen.terms.label, Contract.MONTH) == "14 Tage"
    with speaking(GERMAN):
        labels = [svc.settings.terms.label(contract) for contract in svc.settings.terms.offered]
    assert labels == ["Nicht aufbewahrt", "1 Stunde", "24 Stunden", "72 Stunden", "7 Tage", "30 Tage"]
    assert "höchstens 14 Tage" in in_german(promise("erased_by_the_clock").filled, fourteen)


def test_settings_that_promise_too_much_are_refused_in_english(svc: Services) -> None:
    """Whoever starts a server reads it; the page says it in the language of its reader."""
    lax = Settings(data_dir=svc.settings.data_dir).model_copy(update={"backup_days": 31})
    with speaking(GERMAN):
        (beyond,) = bounds.exceeded(lax)
        assert beyond.text == "BACKUP_DAYS: 31 days, and the policy promises at most 30 (backups_end_too)."
        assert beyond.in_words(_).startswith("BACKUP_DAYS: 31 Tage;")
