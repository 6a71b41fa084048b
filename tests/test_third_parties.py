"""What is said of third parties is whole, dated, and fits what the engines know of them."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.engines.apimart.engine import ApiMart
from core.engines.apimart.offers import offers
from core.errors import BadSettings
from core.models import ProviderCopyKind
from core.ports import HandOver
from core.third_parties import THIRD_PARTIES_FILE, By, load, third_parties

APIMART = third_parties()["apimart"]


def test_the_engine_that_is_a_third_party_is_described() -> None:
    assert ApiMart.name in third_parties()
    assert APIMART.title == ApiMart.title
    assert APIMART.title in ApiMart.run_by


def test_times_are_those_that_copies_are_clocked_by() -> None:
    longest = {copy.id: copy.hours[1] for copy in APIMART.copies if copy.hours}
    assert timedelta(hours=longest["upload"]) == ApiMart.upload_kept_for
    assert longest["result"] == max(offer.result_hours for offer in offers().values())


def test_what_is_listed_as_a_copy_is_described() -> None:
    assert {kind.value for kind in ProviderCopyKind} <= {copy.id for copy in APIMART.copies}


def test_what_is_left_depends_on_how_pictures_get_there() -> None:
    left = {way: [copy.id for copy in APIMART.left_by(way)] for way in HandOver}
    assert left[HandOver.UPLOAD] == ["upload", "result", "record", "upstream"]
    assert left[HandOver.LINK] == left[HandOver.INLINE] == ["input", "result", "record", "upstream"]


def test_how_long_is_said_or_said_to_be_unknown() -> None:
    assert {copy.id: copy.how_long for copy in APIMART.copies} == {
        "upload": "72 h",
        "input": "not known",
        "result": "24 to 72 h",
        "record": "not known",
        "upstream": "not known",
    }
    assert not any(copy.erasable for copy in APIMART.copies)


def test_statements_name_their_page_and_their_day() -> None:
    assert {said.by for said in APIMART.says} == set(By)
    assert APIMART.privacy.updated == APIMART.terms.updated == date(2025, 10, 15)
    assert APIMART.read_on == date(2026, 11, 21)
    assert all(text.endswith((".", "”")) for text in (*APIMART.unknown, *(said.text for said in APIMART.says)))


def test_what_could_not_be_established_is_said() -> None:
    said = " ".join(APIMART.unknown)
    for open_question in ("training", "countries", "erase", "keeps words"):
        assert open_question in said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"title": ""}, "title"),
        ({"privacy": {"url": "http://apimart.ai", "updated": "2025-10-15"}}, "url"),
        ({"terms": {"url": "https://apimart.ai/terms", "updated": "lately"}}, "lately"),
        ({"read_on": "2024-01-01"}, "before it was written"),
        ({"says": [{"text": "Something.", "by": "hearsay"}]}, "hearsay"),
        ({"unknown": [" "]}, "unknown"),
        ({"copies": []}, "ids"),
        ({"id": "A P I"}, "ids"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    raw = json.loads(THIRD_PARTIES_FILE.read_text(encoding="utf-8"))
    raw["third_parties"][0] |= change
    with pytest.raises(BadSettings, match=named):
        load(_written(tmp_path, raw))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"hours": [72, 24]}, "hours"),
        ({"hours": ["72", "72"]}, "hours"),
        ({"hand_over": ["by_post"]}, "by_post"),
        ({"public": "yes"}, "public"),
        ({"id": "result"}, "once"),
    ],
)
def test_a_mistake_in_a_copy_is_told_too(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    raw = json.loads(THIRD_PARTIES_FILE.read_text(encoding="utf-8"))
    raw["third_parties"][0]["copies"][0] |= change
    with pytest.raises(BadSettings, match=named):
        load(_written(tmp_path, raw))


def _written(folder: Path, raw: dict[str, Any]) -> Path:
    file = folder / "providers.json"
    file.write_text(json.dumps(raw), encoding="utf-8")
    return file
