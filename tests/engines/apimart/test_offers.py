"""The models that ship are whole and enough for what people choose; a mistake is told with its place."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.catalogue import catalogue
from core.engines.apimart import prompts
from core.engines.apimart.offers import DEFAULT, MODELS_FILE, load, micro_dollars, offers
from core.errors import BadSettings
from core.settings import Settings

EVERY = list(offers().values())
by_id = pytest.mark.parametrize("offer", EVERY, ids=lambda offer: offer.id)


def test_several_are_offered_and_the_default_is_one_of_them() -> None:
    assert next(iter(offers())) == DEFAULT == Settings.model_fields["apimart_model"].default
    assert {
        "gemini-2.5-flash-image-preview",
        "gemini-3-pro-image-preview",
        "gpt-image-2",
        "gpt-image-2.5-flare",
        "seedream-5-0-pro",
    } < set(offers())


@by_id
def test_each_takes_what_a_run_needs(offer: Any) -> None:
    assert offer.references >= 3  # portrait, clothing, backdrop
    assert offer.reference_bytes >= 2_000_000
    assert prompts.room_for_note(offer.prompt_limit) >= 200
    assert 0 < offer.price < 1_000_000
    assert offer.priced_on <= date(2026, 11, 21)
    assert 24 <= offer.result_hours <= 72
    assert 5 <= offer.usual_seconds < 600
    assert offer.source.endswith(".")


@by_id
def test_each_has_a_shape_for_every_purpose_and_little_is_cut_away(offer: Any) -> None:
    for purpose in catalogue().purposes:
        width, height = (int(part) for part in offer.ratio_for(purpose.ratio).split(":"))
        wanted, wanted_height = (int(part) for part in purpose.ratio.split(":"))
        offered, needed = width / height, wanted / wanted_height
        assert min(offered / needed, needed / offered) > 0.93
        assert offer.resolution_for(purpose.long_side) in offer.sizes


def test_the_shape_that_loses_least_is_chosen() -> None:
    default = offers()[DEFAULT]
    assert default.ratio_for("1:1") == "1:1"
    assert default.ratio_for("4:5") == "4:5"
    assert default.ratio_for("3:4") == "3:4"
    assert default.ratio_for("35:45") == "4:5"  # keeps 97 %, 3:4 would keep 96 %
    assert offers()["seedream-5-0-pro"].ratio_for("35:45") == "3:4"  # there is no 4:5
    with pytest.raises(ValueError, match="wide"):
        default.ratio_for("wide")


@given(width=some.integers(1, 999), height=some.integers(1, 999))
def test_no_other_shape_would_lose_less(width: int, height: int) -> None:
    wanted = width / height

    def kept(ratio: str) -> float:
        offered = int(ratio.split(":")[0]) / int(ratio.split(":")[1])
        return min(offered / wanted, wanted / offered)

    default = offers()[DEFAULT]
    assert kept(default.ratio_for(f"{width}:{height}")) == max(kept(ratio) for ratio in default.ratios)


def test_the_smallest_that_is_large_enough_is_asked_for() -> None:
    default = offers()[DEFAULT]
    assert [default.resolution_for(px) for px in (1, 512, 513, 1024, 1025, 2048)] == [
        "0.5K",
        "0.5K",
        "1K",
        "1K",
        "2K",
        "2K",
    ]
    assert default.resolution_for(9000) == "2K"
    assert offers()["gpt-image-2"].resolution_for(2000) == "2k"  # each by its own spelling
    assert offers()["gemini-2.5-flash-image-preview"].resolution_for(2000) == "1K"


def test_the_price_is_that_of_the_dearest_asked_for() -> None:
    assert offers()["gpt-image-2"].prices == {"1k": 8_500, "2k": 14_000}
    assert offers()["gpt-image-2"].price == 14_000


def test_keys_count_as_honoured_only_where_that_is_documented() -> None:
    assert {offer.id for offer in EVERY if offer.honours_keys} == {"gpt-image-2.5-flare"}


def test_a_moderation_that_would_be_low_by_default_is_not() -> None:
    assert offers()["gpt-image-2.5-flare"].fields["moderation"] == "auto"


@pytest.mark.parametrize(
    ("dollars", "micro"),
    [("0.0125", 12_500), ("0.000001", 1), ("1", 1_000_000), ("0.1", 100_000), ("9999.999999", 9_999_999_999)],
)
def test_money_is_exact(dollars: str, micro: int) -> None:
    assert micro_dollars(dollars) == micro


@given(micro=some.integers(0, 10**9))
def test_no_millionth_is_lost(micro: int) -> None:
    assert micro_dollars(f"{micro // 10**6}.{micro % 10**6:06}") == micro


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": "No Id"}, "No Id"),
        ({"id": "gpt-image-2"}, "once"),
        ({"ratios": []}, "ratios"),
        ({"ratios": ["1:1", "1:1"]}, "ratios"),
        ({"ratios": ["wide"]}, "wide"),
        ({"sizes": {"2K": 2048, "1K": 1024}}, "grow"),
        ({"sizes": {}}, "grow"),
        ({"prices_usd": {"1K": "0.1"}}, "prices_usd"),
        ({"prices_usd": {"0.5K": 0.015, "1K": "0.015", "2K": "0.04"}}, "0.015"),
        ({"prices_usd": {"0.5K": "0.0000001", "1K": "0.015", "2K": "0.04"}}, "0.0000001"),
        ({"prices_usd": {"0.5K": "-1", "1K": "0.015", "2K": "0.04"}}, "-1"),
        ({"references": 0}, "references"),
        ({"references": True}, "references"),
        ({"takes_inline": "yes"}, "takes_inline"),
        ({"priced_on": "soon"}, "soon"),
        ({"source": " "}, "source"),
        ({"title": None}, "title"),
        ({"fields": {"n": 4}}, "n is not"),
        ({"fields": {"quality": ["low"]}}, "quality"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    raw = json.loads(MODELS_FILE.read_text(encoding="utf-8"))
    raw["models"][0] |= change
    with pytest.raises(BadSettings, match=named):
        load(_written(tmp_path, raw))


def test_what_is_missing_is_named_with_its_model(tmp_path: Path) -> None:
    raw = json.loads(MODELS_FILE.read_text(encoding="utf-8"))
    del raw["models"][1]["honours_keys"]
    with pytest.raises(BadSettings, match=r"gemini-2\.5-flash-image-preview.*honours_keys"):
        load(_written(tmp_path, raw))


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"models\.json"):
        load(tmp_path / "models.json")


def _written(folder: Path, raw: dict[str, Any]) -> Path:
    file = folder / "models.json"
    file.write_text(json.dumps(raw), encoding="utf-8")
    return file
