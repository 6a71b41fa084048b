"""
Light: what the scene's light was, and what a look changes about it.

Works in CIE Lab, so lightness moves without colour. Casts and exposure are judged by the whole scene, never by skin,
and every correction is capped.
"""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from core.engines.on_device.arrays import GRID, Array, fit, gauss, grid_coordinates
from core.engines.on_device.edges import Cutout
from core.engines.on_device.looks import Look

CAST_CAP, CAST_CAP_BRIGHT = 4.5, 9.0  # Lab units: how far a cast may be moved, by near-greys or by highlights
CAST_TAKEN_OUT = 0.5  # half of it: people expect evening light to stay evening light
FULL_WHITE = 96  # L that the scene's highlights are brought to, if they are near
NOISE_SEEN, NOISE_RANGE = 0.9, 2.5  # sigma in L at which smoothing begins, and over which it grows


@dataclass(frozen=True)
class SceneLight:
    """Colour cast (Lab a, b) and the lightness of the scene's highlights."""

    a: float
    b: float
    highlight: float


@dataclass(frozen=True, kw_only=True)
class Relight:
    """How a tile's Lab becomes the finished Lab: L * gain + offset, then tone and colour by single numbers."""

    gain: Array = field(repr=False)  # 1/GRID of the picture's size
    offset: Array = field(repr=False)
    colour_gain: float
    a_shift: float
    b_shift: float
    contrast: float
    air: float
    sharpening: float
    sharpening_sigma: float
    noise: float  # 0 none .. 1 strong
    noise_sigma: float
    monochrome: bool


def scene_light(thumbnail: Array) -> SceneLight:
    """
    Near-grey pixels vote on the cast; without any, the brightest do, but only for tungsten or daylight.

    Deliberately timid: painted walls must not vote, and unsure means no correction.
    """
    lab = cv2.cvtColor(fit(thumbnail, 400).astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    lightness, a, b = cv2.split(lab)
    bright, highlight = (float(level) for level in np.percentile(lightness, [95, 99]))
    voters = (np.hypot(a, b) < 10) & (lightness > 0.45 * highlight) & (lightness < 98)
    if voters.mean() >= 0.05:
        return SceneLight(*_capped(_median(a, voters), _median(b, voters), CAST_CAP), highlight)
    voters = (lightness >= bright) & (lightness < 98)
    if voters.mean() < 0.01:
        return SceneLight(0.0, 0.0, highlight)
    cast_a, cast_b = _median(a, voters), _median(b, voters)
    spread = float(np.median(np.hypot(a[voters] - cast_a, b[voters] - cast_b)))
    off_axis = abs(cast_a) > 0.6 * abs(cast_b) + 2
    if spread > 7 or off_axis or not 5 < math.hypot(cast_a, cast_b) < 28:
        return SceneLight(0.0, 0.0, highlight)
    return SceneLight(*_capped(cast_a, cast_b, CAST_CAP_BRIGHT), highlight)


def _median(plane: Array, where: Array) -> float:
    return float(np.median(plane[where]))


def _capped(a: float, b: float, cap: float) -> tuple[float, float]:
    share = min(1.0, cap / max(math.hypot(a, b), 1e-6))
    return a * share, b * share


@dataclass(frozen=True, kw_only=True)
class Lit:
    """What the light looks like on the cut-out person: measured once, used by every variant."""

    lightness: Array = field(repr=False)  # L at 1/GRID, of the person alone
    person: Array = field(repr=False)  # bool, same size
    noise_sigma: float
    scene: SceneLight


def measure(cutout: Cutout, scene: SceneLight) -> Lit:
    width, height = cutout.size
    low_size = (width // GRID, height // GRID)
    low = cv2.resize(cutout.rgb, low_size, interpolation=cv2.INTER_AREA).astype(np.float32)
    low *= np.float32(1 / 255)
    share = cv2.resize(cutout.alpha, low_size, interpolation=cv2.INTER_AREA)
    lightness = np.ascontiguousarray(cv2.cvtColor(low, cv2.COLOR_RGB2LAB)[..., 0])
    centre = cutout.rgb[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return Lit(lightness=lightness, person=share > 0.9 * 255, noise_sigma=_noise(centre), scene=scene)


def _noise(rgb: Array) -> float:
    """Immerkaer's estimate: what a Laplacian of Laplacians leaves of real pictures is mostly noise."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    rest = np.abs(cv2.filter2D(grey, -1, kernel))
    return float(np.median(rest)) / (6 * 0.6745) * (100 / 255)


def plan(lit: Lit, cutout: Cutout, look: Look) -> Relight:
    """Everything a look does that varies slowly becomes two small maps, the rest plain numbers."""
    black, gain = _exposure(lit)
    black, gain = black * look.exposure, 1 + (gain - 1) * look.exposure
    level = (lit.lightness - np.float32(black)) * np.float32(gain)
    lift = _shadow_lift(level, lit, cutout, look)
    key = _key_light(lit.lightness.shape, cutout, look)
    noise = float(np.clip((lit.noise_sigma * gain - NOISE_SEEN) / NOISE_RANGE, 0, 1))
    colour_gain = (gain**0.6 if gain > 1.05 else 1.0) * (0.0 if look.monochrome else look.saturation)
    taken_out = colour_gain * CAST_TAKEN_OUT
    return Relight(
        gain=(key * np.float32(gain)).astype(np.float32),
        offset=((lift - np.float32(black * gain)) * key).astype(np.float32),
        colour_gain=colour_gain,
        a_shift=-taken_out * lit.scene.a,
        b_shift=-taken_out * lit.scene.b + (0.0 if look.monochrome else look.warmth),
        contrast=look.contrast,
        air=look.air,
        sharpening=look.sharpening * (1 - 0.6 * noise),
        sharpening_sigma=max(0.8, max(cutout.size) / 1400),
        noise=noise,
        noise_sigma=lit.noise_sigma * gain,
        monochrome=look.monochrome,
    )


def _exposure(lit: Lit) -> tuple[float, float]:
    """Black point and gain, with hard limits; more than a touch only where the whole scene has no highlights."""
    values = lit.lightness[lit.person]
    if values.size <= 50:
        return 0.0, 1.0
    darkest, brightest = (float(level) for level in np.percentile(values, [1, 99]))
    black = float(np.clip((darkest - 3) * 0.5, 0, 6))
    white = float(np.clip(brightest + max(0.0, 93 - brightest) * 0.45, 70, 100))
    cap = 1.08 + 0.40 * float(np.clip((86 - lit.scene.highlight) / 36, 0, 1))
    underexposed = cap > 1.1
    reach = max((brightest if underexposed else white) - black, 1.0)
    return black, float(np.clip(FULL_WHITE / reach, 0.94, cap))


def _shadow_lift(level: Array, lit: Lit, cutout: Cutout, look: Look) -> Array:
    """Fill light: only large shadows rise, by 7 L at most; more where even the head's brightest part is dark."""
    amount = look.fill + 0.12 * float(np.clip((58 - _head_brightness(lit, cutout)) / 30, 0, 1))
    sigma = max(level.shape) * 0.02
    weight = lit.person.astype(np.float32)
    base = gauss(level * weight, sigma) / (gauss(weight, sigma) + np.float32(1e-3))
    share = np.clip(base / 100, 0.02, 1)
    lift = (share ** (1 - amount * 0.55) * 100 - base) * np.clip(1.1 - share, 0, 1)
    return np.asarray(np.minimum(lift, 7) * np.clip(base / 18, 0, 1), np.float32)


def _head_brightness(lit: Lit, cutout: Cutout) -> float:
    rows, columns = grid_coordinates((lit.lightness.shape[1], lit.lightness.shape[0]), GRID)
    head = cutout.head
    near = np.hypot(columns - head.x, rows - head.y) < head.radius * 0.85
    values = lit.lightness[near & lit.person]
    return float(np.percentile(values, 95)) if values.size > 20 else 70.0


def _key_light(shape: tuple[int, ...], cutout: Cutout, look: Look) -> Array:
    """A soft light around the head, stronger from one upper side, fading down the torso."""
    rows, columns = grid_coordinates((shape[1], shape[0]), GRID)
    head = cutout.head
    dx, dy = columns - head.x, rows - head.y
    glow = np.exp(-((dx / (head.radius * 2.6)) ** 2 + (dy / (head.radius * 3.0)) ** 2))
    side = np.clip((-dx * 0.75 * look.key_side - dy * 0.65) / (head.radius * 3.2), -1, 1)
    below = np.clip((dy - head.radius * 1.4) / max(cutout.size[1] - head.y, 1), 0, 1)
    light = 1 + look.key * (0.9 * glow - 0.25) + look.key * 0.8 * side * glow - look.fall_off * below
    return np.asarray(light, np.float32)


def apply(relight: Relight, rgb: Array, gain: Array, offset: Array) -> Array:
    """One tile: float RGB 0..1 in, float RGB 0..1 out. `gain` and `offset` are the maps' parts at full size."""
    lightness, a, b = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB))
    lightness *= gain
    lightness += offset
    if relight.noise > 0:
        smooth: Array = cv2.bilateralFilter(lightness, 5, 2.2 * relight.noise_sigma + 1, 2.0)
        smooth -= lightness
        smooth *= np.float32(0.75 * relight.noise)
        lightness += smooth
    np.clip(lightness, 0, 100, out=lightness)
    _tone(relight, lightness)
    detail: Array = lightness - gauss(lightness, relight.sharpening_sigma)
    np.clip(detail, -6, 6, out=detail)
    detail *= np.float32(relight.sharpening)
    lightness += detail
    np.clip(lightness, 0, 100, out=lightness)
    if relight.monochrome:
        a[:] = 0
        b[:] = 0
    else:
        a, b = _colour(relight, a, relight.a_shift), _colour(relight, b, relight.b_shift)
    lit = cv2.cvtColor(cv2.merge([lightness, a, b]), cv2.COLOR_LAB2RGB)
    return np.clip(lit, 0, 1, out=lit)


def _tone(relight: Relight, lightness: Array) -> None:
    """S curve around the middle, and a lift of the middle that leaves both ends: L += (4c(L-1/2) + air) L (1-L)."""
    scaled = lightness * np.float32(0.01)
    bend = scaled * np.float32(4 * relight.contrast)
    bend += np.float32(4 * relight.air - 2 * relight.contrast)
    bend *= scaled
    np.subtract(np.float32(1), scaled, out=scaled)
    bend *= scaled
    bend *= np.float32(100)
    lightness += bend


def _colour(relight: Relight, plane: Array, shift: float) -> Array:
    if relight.noise > 0:
        plane = gauss(plane, 1 + 2 * relight.noise)
    plane *= np.float32(relight.colour_gain)
    plane += np.float32(shift)
    return plane
