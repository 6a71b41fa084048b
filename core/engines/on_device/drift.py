"""
The drift guard: whether skin came out lighter or darker than in the photo, beyond what light alone would do.

Engines that generate tend to lighten skin, and nobody should have to notice it alone. This looks at colour statistics
of the head's circle in both pictures and at nothing else: no landmarks, no embeddings, nothing that could tell one
person from another. Like all masks, what it sees lives for one call.

How it tells reflectance from light:

* Skin is the densest colour in the middle of the circle: judged relative to itself, so that a cast moves all of it.
  Its shift is that of its median lightness.
* White balance and exposure are normalised by what is not skin and comes along: the darkest tenth of the upper head
  (hair, brows, a hat). Surroundings and clothes cannot serve, since engines replace them.
* The shift is read with and without that normalisation, and the smaller reading counts; where they disagree about the
  direction there is none. Exposure moves only the first reading, contrast hardly both alike, skin itself moves both.
* The photo is then relit by one stop up and down, warmer, cooler, softer, harder and like in a studio, and the most
  that any of these would be read as is taken off. Dark hair on a dark photo, or hair of skin's colour, thereby silence
  the guard for that photo.

It is built to stay silent rather than to accuse. Measured by tests/engines/measure_drift.py on 14 photos of people with
light, brown and dark skin (14 x 18 lights, 14 x 6 of our own styles; skin made lighter or darker, each in 7 lights):

    false alarms                      0 of 336 (20 could not be told); the largest reading 4.9, threshold 5.5
    noticed of a shift of -20 L*      40 %, of -16 L* 23 %, of -12 L* 4 %, of -8 L* none
    noticed of a shift of +20 L*      32 %, of +16 L* 27 %, of +12 L* 9 %, of +8 L* none
    said the other way round          never
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from core.engines.on_device import person, photo
from core.engines.on_device.arrays import Array
from core.engines.on_device.model import PersonModel
from core.errors import EngineRefused

SIDE = 160  # px of the square around the head that is looked at
REACH = 1.6  # radii of the head's circle from its middle to the square's edge
CORE = 0.75  # radii: within, most of a face is skin
UPPER = 1.45  # radii: hair, and less and less of anything else
PERSON = 0.8  # how sure the mask has to be
SKIN_RANGE = 14.0  # how far from skin's own colour is still skin, in a and b of a middle lightness
COLOURLESS = 4.0  # chroma below which nothing is skin
BRIGHT_ENOUGH = 0.4  # of the brightest skin; below is shadow, beard or hair
LEAST_SKIN = 0.15  # of the circle
MOST_UNLIKE = 2.2  # times more skin in one picture than in the other: then one of the circles is no face
DARKEST = 10  # per cent of the upper head that normalise
FLARE = 0.005  # of full light: what lenses and encoders add to black


def shift(portrait: bytes, headshot: bytes, model: PersonModel) -> float | None:
    """How much lighter (+) or darker (-) the skin is, in L*, beyond what light would do. None: it cannot be told."""
    before, after = _head(portrait, model, None), _head(headshot, model, 0)
    if before is None or after is None:
        return None
    here, there = _tones(before.pixels, before), _tones(after.pixels, after)
    if here is None or there is None or not 1 / MOST_UNLIKE < there.share / here.share < MOST_UNLIKE:
        return None
    seen = _difference(here, there)
    return float(np.sign(seen) * max(0.0, abs(seen) - _light_reads_as(before, here)))


@dataclass(frozen=True, kw_only=True)
class _Head:
    """A square of SIDE pixels around a head. Lives for one call."""

    pixels: Array = field(repr=False)  # linear light, 0 to 1
    sure: Array = field(repr=False)  # how sure the mask is
    distance: Array = field(repr=False)  # from the circle's middle, in its radii
    upper: Array = field(repr=False)  # bool: the upper half of the head


@dataclass(frozen=True, kw_only=True)
class _Tones:
    skin: float  # linear light
    dark: float
    share: float  # of the circle that is skin


def _head(picture: bytes, model: PersonModel, turns: int | None) -> _Head | None:
    try:
        upright = person.look(model, photo.open_photo(picture).thumbnail(), turns)
    except EngineRefused:
        return None
    found = person.find_person(upright.soft)
    if found is None:
        return None
    circle = found.head
    scale = SIDE / (2 * REACH * circle.radius)
    middle = circle.top + 1.45 * circle.radius  # a little below the circle's where hair is high
    place = np.array(
        [[scale, 0, SIDE / 2 - scale * circle.x], [0, scale, SIDE / 2 - scale * middle]],
        np.float64,
    )
    pixels = cv2.warpAffine(upright.thumbnail, place, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    sure = cv2.warpAffine(upright.soft, place, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    rows -= np.float32(SIDE / 2 + (circle.y - middle) * scale)
    distance = np.hypot(columns - SIDE / 2, rows) / np.float32(scale * circle.radius)
    upper = (distance < UPPER) & (rows < 0.2 * scale * circle.radius) & (sure > PERSON)
    return _Head(pixels=_linear(pixels), sure=sure, distance=distance, upper=upper)


def _tones(linear: Array, head: _Head) -> _Tones | None:
    """None where no colour in the middle of the circle is clearly that of skin."""
    lab = cv2.cvtColor(_encoded(linear), cv2.COLOR_RGB2LAB)
    lightness = lab[..., 0]
    colour = lab[..., 1:] * (66 / (lightness + 16))[..., None]  # as at L* 50: shading leaves it alone
    core = (head.distance < CORE) & (head.sure > 0.6)
    if not core.any() or not head.upper.any():
        return None
    lit = lightness > BRIGHT_ENOUGH * np.percentile(lightness[core], 90)
    own = _densest(colour, core & lit & (np.hypot(colour[..., 0], colour[..., 1]) > COLOURLESS), core)
    if own is None or own[0] < 2:  # greenish or bluish: not skin in any light that a photo is taken in
        return None
    circle = head.distance < 1
    skin = circle & (head.sure > 0.6) & lit & _near(colour, own)
    share = float(skin.sum() / circle.sum())
    if share < LEAST_SKIN:
        return None
    light = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    dark = float(np.percentile(light[head.upper], DARKEST))
    return _Tones(skin=float(np.median(light[skin])), dark=dark, share=share)


def _densest(colour: Array, candidates: Array, core: Array) -> Array | None:
    """The most frequent colour: a hat or hair may fill half of the circle, so it is not the middle one."""
    if candidates.sum() < 0.2 * core.sum():
        return None
    found = colour[candidates]
    counts, a, b = np.histogram2d(found[:, 0], found[:, 1], bins=48, range=[[-30, 66], [-30, 66]])
    row, column = np.unravel_index(int(cv2.GaussianBlur(counts, (0, 0), 2).argmax()), counts.shape)
    own: Array = np.array([a[row] + 1, b[column] + 1])
    for _ in range(4):
        near = candidates & _near(colour, own)
        if near.sum() < 60:
            return None
        own = colour[near].mean(axis=0)
    return own


def _near(colour: Array, own: Array) -> Array:
    away: Array = np.hypot(colour[..., 0] - own[0], colour[..., 1] - own[1])
    return away < SKIN_RANGE


def _difference(before: _Tones, after: _Tones) -> float:
    """In L*: the smaller of the readings, as they are and at the same light; 0 where they contradict each other."""
    gain = (before.dark + FLARE) / (after.dark + FLARE)
    as_it_is = _lightness(after.skin) - _lightness(before.skin)
    like_before = _lightness(after.skin * gain) - _lightness(before.skin)
    like_after = _lightness(after.skin) - _lightness(before.skin / gain)
    if as_it_is * like_before <= 0:
        return 0.0
    return min(as_it_is, like_before, like_after, key=abs)


def _light_reads_as(head: _Head, tones: _Tones) -> float:
    """The largest shift that would be read if this very photo had been taken in another light."""
    worst = 0.0
    for relit in _LIGHTS:
        other = _tones(relit(head.pixels), head)
        if other is not None and 1 / MOST_UNLIKE < other.share / tones.share < MOST_UNLIKE:
            worst = max(worst, abs(_difference(tones, other)))
    return worst


def _lightness(light: float) -> float:
    return 116 * float(np.cbrt(light)) - 16 if light > 0.008856 else 903.3 * light


def _linear(pixels: Array) -> Array:
    encoded = pixels.astype(np.float32) / np.float32(255)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _encoded(linear: Array) -> Array:
    light = np.clip(linear, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


def _gains(red: float, green: float, blue: float) -> Callable[[Array], Array]:
    return lambda linear: np.clip(linear * np.array([red, green, blue], np.float32), 0, 1)


def _gamma(power: float) -> Callable[[Array], Array]:
    return lambda linear: linear ** np.float32(power)


def _contrast(linear: Array) -> Array:
    tone = _encoded(linear)
    return _gamma(2.2)(np.clip(tone + (tone - 0.5) * tone * (1 - tone), 0, 1))


def _spot(linear: Array) -> Array:
    """A studio's light: the face brighter, what is around it less so, and a little harder."""
    away = (np.arange(SIDE, dtype=np.float32) + 0.5) / (SIDE / 2) - 1
    glow = np.exp(-2 * (away[:, None] ** 2 + away[None, :] ** 2))
    return _contrast(np.clip(linear * (0.97 + 0.2 * glow)[..., None], 0, 1))


_LIGHTS: tuple[Callable[[Array], Array], ...] = (
    _gains(2, 2, 2),
    _gains(0.5, 0.5, 0.5),
    _gains(1.3, 1, 0.7),
    _gains(0.8, 1, 1.25),
    _gamma(0.8),
    _gamma(1.25),
    _contrast,
    _spot,
)
