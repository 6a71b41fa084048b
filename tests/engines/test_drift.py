"""The drift guard on a real portrait: silent about light, not about skin, and careful where it cannot tell."""

import io
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image

from core.drift import STRONG
from core.engines.on_device import OnDevice, drift
from core.engines.on_device.arrays import Array
from core.engines.on_device.model import PersonModel
from core.ports import Headshot, Order
from tests.engines import measure_drift, portraits
from tests.engines.measure_drift import LIGHTS, Sitter

MODEL = PersonModel()
WHITE, NAVY = measure_drift.BACKDROPS


def sitting(pixels: Array) -> Sitter:
    found = measure_drift.sitter(portraits.jpeg(pixels), MODEL)
    assert found is not None
    return found


@cache
def as_taken() -> Sitter:
    """The portrait as it is, nearer: hair of skin's own colour, so that the guard has little to go by."""
    return sitting(portraits.astronaut_pixels()[:700, 300:800])


@cache
def sitter() -> Sitter:
    """The same person with a grey cap and darker skin: there is something to compare with, and room both ways."""
    pixels = as_taken().shifted(-14)
    assert pixels is not None
    outer, inner = np.zeros((2, *pixels.shape[:2]), np.float32)
    cv2.ellipse(outer, (170, 125), (124, 116), 0, 0, 360, 1, -1)
    cv2.ellipse(inner, (170, 190), (74, 108), 0, 0, 360, 1, -1)
    share = cv2.GaussianBlur(outer * (1 - inner), (0, 0), 2)[..., None]
    capped = pixels * (1 - share) + share * (36 + 0.25 * pixels.mean(-1, keepdims=True))
    return sitting(cv2.resize(capped.astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC))


def shift(pictured: bytes, of: bytes | None = None) -> float | None:
    return drift.shift(sitter().file if of is None else of, pictured, MODEL)


@pytest.mark.parametrize("light", list(LIGHTS))
def test_other_light_is_read_as_nothing(light):
    for one in (sitter(), as_taken()):
        read = shift(one.pictured(LIGHTS[light](one.pixels), NAVY), one.file)
        assert read is not None and abs(read) < STRONG / 2


@pytest.mark.parametrize("style", ["studio", "executive"])
def test_so_are_our_own_styles(style):
    order = Order(portrait=sitter().file, ratio="4:5", long_side=640, style=style, backdrop="white", variants=1)
    (made,) = (made for made in OnDevice().make(order) if isinstance(made, Headshot))
    read = shift(made.data)
    assert read is not None and abs(read) < STRONG


@pytest.mark.parametrize("light", ["the same", "warm", "gamma 1.25", "more colour"])
@pytest.mark.parametrize("by", [-20, 18])
def test_skin_that_was_made_lighter_or_darker_is_seen_in_another_light_too(by, light):
    """Not in each: half a stop less hides most of what was made lighter, for people as for this."""
    pixels = sitter().shifted(by)
    assert pixels is not None
    read = shift(sitter().pictured(LIGHTS[light](pixels), WHITE))
    assert read is not None and read * np.sign(by) >= STRONG


def test_more_is_read_as_more_and_never_as_more_than_it_was():
    read = [shift(sitter().pictured(sitter().shifted(by), WHITE)) for by in (-20, -16, -12, 12, 16)]
    assert None not in read and read == sorted(read)
    assert read[0] > -20 and read[-1] < 16


def test_hair_of_skin_s_colour_silences_it():
    """What light alone would be read as is taken off, and there it is much."""
    pixels = as_taken().shifted(-12)
    assert abs(shift(as_taken().pictured(pixels, WHITE), as_taken().file)) < STRONG


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_any_kind_of_file_is_read(kind):
    out = io.BytesIO()
    Image.open(io.BytesIO(sitter().pictured(sitter().shifted(18), WHITE))).convert("RGBA").save(out, kind)
    assert shift(out.getvalue()) >= STRONG


def test_the_same_pictures_are_read_the_same():
    pictured = sitter().pictured(sitter().shifted(-16), WHITE)
    assert shift(pictured) == shift(pictured) == OnDevice().shift(sitter().file, pictured)


def test_where_there_is_nobody_or_no_colour_it_cannot_tell():
    grey = np.repeat(cv2.cvtColor(sitter().pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert shift(portraits.bricks()) is None
    assert shift(sitter().file, of=portraits.bricks()) is None
    assert shift(sitter().pictured(grey, WHITE)) is None


@pytest.mark.parametrize("data", [b"", b"no picture", portraits.portrait()[:300]])
def test_what_cannot_be_read_cannot_be_told(data):
    assert shift(data) is None
    assert shift(sitter().file, of=data) is None


def test_its_measurement_can_be_made_by_anyone():
    few = {name: LIGHTS[name] for name in ("+1 EV", "-1 EV", "tungsten")}
    lines = list(measure_drift.table([sitter().file], lights=few, shifts={-20: ("the same",)}, styles=()))
    assert lines[0] == f"1 photos, threshold {STRONG} L*"
    assert sum("0 of   1" in line for line in lines) == len(few), "no light is an alarm"
    assert lines[-1].split()[:5] == ["-20", "L*", "1", "of", "1"]
