"""
Recipes: what each style does to light and tone, what each backdrop is made of, and how variants differ.

Nothing here aims at a lightness of skin. A style moves light by a few percent, and hard limits hold it there; the
same recipe is used for everyone.
"""

from dataclasses import dataclass, replace
from typing import Literal

Colour = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Look:
    """A style. Amounts are shares of full scale; zero leaves the photo's own light."""

    key: float  # soft key light around the head
    exposure: float = 1.0  # how much of the correction of black point and exposure is made
    key_side: int = 1  # 1: from the viewer's upper left; -1: upper right
    fill: float = 0.13  # lift of large shadows; detail and true blacks stay
    fall_off: float = 0.07  # how much the light fades down the torso
    contrast: float = 0.04  # S curve
    air: float = 0.0  # lifts the middle tones of the whole picture, lowers them below zero
    saturation: float = 1.0
    warmth: float = 0.0  # Lab b
    sharpening: float = 0.45
    monochrome: bool = False
    backdrop_light: float = 1.0  # the light on backdrops that a studio could light


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A backdrop."""

    kind: Literal["gradient", "canvas", "office", "surroundings", "own"]
    inner: Colour = (128, 128, 128)
    outer: Colour = (128, 128, 128)
    vignette: float = 0.12
    wrap: float = 0.06  # light that spills from the backdrop over the person's rim
    texture: float = 0.0
    blur: float = 0.0  # of the longer side
    exposure: float = 1.0
    evening: bool = False
    lit: bool = False  # follows the variant's light
    seed: int = 3


STYLES = {
    "studio": Look(key=0.06),
    "bright": Look(key=0.03, fill=0.24, fall_off=0.0, contrast=0.0, air=0.06, backdrop_light=1.12),
    "executive": Look(
        key=0.10, fill=0.08, fall_off=0.26, contrast=0.10, air=-0.05, saturation=0.94, backdrop_light=0.62
    ),
    "warm": Look(key=0.06, contrast=0.03, warmth=5.0, saturation=1.04),
    "natural": Look(key=0.0, exposure=0.3, fill=0.06, fall_off=0.0, contrast=0.0, sharpening=0.25),
    "mono": Look(key=0.08, contrast=0.13, air=-0.02, monochrome=True),
}

BACKDROPS = {
    "grey": Scene(kind="gradient", inner=(206, 208, 211), outer=(122, 125, 130), lit=True),
    "white": Scene(kind="gradient", inner=(252, 252, 252), outer=(232, 234, 236), vignette=0.02, wrap=0.10),
    "charcoal": Scene(kind="canvas", inner=(76, 84, 96), outer=(24, 27, 33), texture=0.03, vignette=0.22, lit=True),
    "navy": Scene(kind="gradient", inner=(64, 92, 132), outer=(18, 30, 54), vignette=0.18, lit=True),
    "canvas": Scene(kind="canvas", inner=(214, 196, 174), outer=(140, 118, 98), texture=0.045, lit=True),
    "sage": Scene(kind="gradient", inner=(184, 198, 184), outer=(104, 124, 110), vignette=0.14, lit=True),
    "office": Scene(kind="office", vignette=0.10, exposure=0.78, blur=0.034, seed=5),
    "office_evening": Scene(kind="office", vignette=0.18, blur=0.034, evening=True, seed=5),
    "surroundings": Scene(kind="surroundings", blur=0.035, wrap=0.08),
    "own": Scene(kind="own", blur=0.012),
}

OWN_BACKDROP = "own"

# How light of one unit of warmth (Lab b) colours a backdrop, in shares of red, green and blue.
WARM_TINT = (0.006, 0.0, -0.011)

# 1 is the look as chosen. The others move the light only, a little, and never the person.
VARIANTS = ("as chosen", "light from the other side", "airier", "deeper")


def variant_of(look: Look, variant: int) -> Look:
    if variant == 2:
        return replace(look, key=look.key + 0.03, key_side=-look.key_side)
    if variant == 3:
        return replace(
            look,
            fill=look.fill + 0.08,
            fall_off=look.fall_off * 0.5,
            contrast=max(0.0, look.contrast - 0.02),
            air=look.air + 0.05,
            backdrop_light=look.backdrop_light * 1.07,
        )
    if variant == 4:
        return replace(
            look,
            key=look.key + 0.02,
            fill=max(0.04, look.fill - 0.06),
            fall_off=look.fall_off + 0.07,
            contrast=look.contrast + 0.05,
            air=look.air - 0.02,
            backdrop_light=look.backdrop_light * 0.84,
        )
    return look
