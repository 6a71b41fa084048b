"""The catalogue that ships is whole, and a mistake in one is told with its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.catalogue import CATALOGUE_FILE, PICTURES, catalogue, load
from core.engines.on_device import framing
from core.engines.on_device.looks import BACKDROPS, STYLES
from core.errors import BadSettings


def test_every_style_and_backdrop_has_a_recipe_and_every_recipe_is_offered() -> None:
    assert {style.id for style in catalogue().styles} == set(STYLES)
    assert {backdrop.id for backdrop in catalogue().backdrops} == set(BACKDROPS)


def test_every_ratio_can_be_framed() -> None:
    assert all(framing.knows_ratio(purpose.ratio) for purpose in catalogue().purposes)


def test_the_largest_download_of_each_purpose_is_made_to_the_pixel() -> None:
    large_photo = framing.Frame(x=0, y=0, width=4000, height=4000)
    for purpose in catalogue().purposes:
        assert framing.picture_size(large_photo, purpose.ratio, purpose.long_side) == purpose.sizes[-1]


def test_every_picture_is_a_small_jpeg_without_metadata() -> None:
    for choice in (*catalogue().styles, *catalogue().backdrops):
        with Image.open(choice.picture) as image:
            assert image.size == (320, 400)
            assert not dict(image.getexif())
        assert choice.picture.stat().st_size < 60_000


def test_entries_are_found_by_id() -> None:
    assert catalogue().purpose("linkedin").ratio == "1:1"
    assert catalogue().purpose("linkedin").long_side == 1600
    assert catalogue().style("mono").title == "Black and white"
    with pytest.raises(KeyError):
        catalogue().backdrop("moon")


@pytest.mark.parametrize(
    ("kind", "change", "named"),
    [
        ("purposes", {"ratio": "wide"}, "ratio"),
        ("purposes", {"sizes": [[100, 300]]}, "sizes"),
        ("purposes", {"sizes": []}, "sizes"),
        ("styles", {"picture": "missing.jpg"}, "missing.jpg"),
        ("styles", {"title": " "}, "title"),
        ("backdrops", {"id": "Not A Word"}, "Not A Word"),
        ("backdrops", {"id": "white"}, "once"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, kind: str, change: dict[str, Any], named: str) -> None:
    raw = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    raw[kind][0] |= change
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(BadSettings, match=named):
        load(file, PICTURES)
