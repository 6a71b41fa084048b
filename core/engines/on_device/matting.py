"""
Edges, first half: from the coarse mask to how much of each pixel is person (alpha), down to strands of hair.

Closed-form matting (Levin 2008) with the matting Laplacian written as box filters (He 2010): L a = a - guided(a).
Only a narrow band around the outline is unknown, so we solve in small overlapping patches along it, which fit the
processor's cache and can be shared between threads.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from core.engines.on_device.arrays import Array, box, smooth_enlarged

SURE_PERSON, SURE_BACKGROUND = 0.93, 0.07  # of the network's mask
REGULAR = 1e-5  # of the colour line model; smaller follows colour more, and noise too
WINDOW = 2  # px around each pixel in which colours should lie on one line
TRUST_MASK = 7e-4  # weight of the network's mask inside the band
TRUST_MASK_MORE = 0.03  # ... where colour cannot decide
COARSE_STEPS, FINE_STEPS = 40, 12
GOOD_ENOUGH = 2e-2  # relative residual at which the solver stops
ALIKE, DIFFERENT = 0.15, 0.42  # distance of person and background colour: undecidable below, clear above
CALM, BUSY, BUSY_WEIGHT = 0.30, 0.70, 0.8  # spread of the background's colours, in units of that distance

PATCH = 64  # px of a side of the squares that are looked through for unknown pixels
COARSE_HALO, FINE_HALO = 24, 10  # px solved beyond each patch and thrown away

Parallel = Callable[[Callable[[Any], None], Iterable[Any]], None]
"""Runs a function for each item, in whatever order, and returns when all are done."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """How far the unknown band reaches inside and outside the outline, in px, row by row."""

    inner: Array = field(repr=False)
    outer: Array = field(repr=False)

    def halved(self, rows: int) -> "Band":
        return Band(inner=_rows_to(self.inner, rows), outer=_rows_to(self.outer, rows))


@dataclass(frozen=True, kw_only=True)
class Matte:
    """`alpha`: share of person per pixel. `doubt`: 1 where person and background look alike there."""

    alpha: Array = field(repr=False)
    doubt: Array = field(repr=False)


def solve_matte(picture: Array, mask: Array, band: Band, parallel: Parallel) -> Matte:
    """`picture` float RGB 0..1, `mask` soft and of the same size. First at half size, then in full."""
    height, width = mask.shape
    half = (width // 2, height // 2)
    small = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    small_mask = cv2.resize(mask, half, interpolation=cv2.INTER_AREA)
    small_band = band.halved(half[1])
    known = trimap(small_mask, small_band)
    doubt = _doubt_at_half(small, known, 2.2 * float(small_band.outer.max()))
    start = np.clip(ColourGuide(small, 4, 1e-4).filter(small_mask), 0, 1)
    coarse = _level(small, small_mask, known, doubt, start, steps=COARSE_STEPS, halo=COARSE_HALO, parallel=parallel)
    full_doubt = cv2.resize(doubt, (width, height), interpolation=cv2.INTER_LINEAR)
    fine = _level(
        picture,
        mask,
        trimap(mask, band),
        full_doubt,
        smooth_enlarged(coarse, (width, height)),
        steps=FINE_STEPS,
        halo=FINE_HALO,
        parallel=parallel,
    )
    return Matte(alpha=fine, doubt=full_doubt)


def trimap(mask: Array, band: Band) -> Array:
    """1 = surely person, 0 = surely background, 0.5 = to be found out."""
    inside = cv2.distanceTransform((mask > SURE_PERSON).astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((mask <= SURE_BACKGROUND).astype(np.uint8), cv2.DIST_L2, 5)
    known = np.full(mask.shape, 0.5, np.float32)
    known[inside > band.inner] = 1
    known[outside > band.outer] = 0
    return known


def _doubt_at_half(picture: Array, known: Array, reach: float) -> Array:
    """Doubt changes slowly: half the size will do."""
    height, width = known.shape
    half = (width // 2, height // 2)
    picture = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    doubt = colour_doubt(picture, cv2.resize(known, half, interpolation=cv2.INTER_NEAREST), reach / 2)
    return cv2.resize(doubt, (width, height), interpolation=cv2.INTER_LINEAR)


def colour_doubt(picture: Array, known: Array, reach: float) -> Array:
    """1 where the colours on both sides are too alike, or the background too busy, for colour to decide."""
    radius = int(max(4, reach))
    person, ground = (known == 1).astype(np.float32), (known == 0).astype(np.float32)
    share_person, share_ground = box(person, radius), box(ground, radius)
    mean_person = box(picture * person[..., None], radius) / (share_person[..., None] + 1e-4)
    mean_ground = box(picture * ground[..., None], radius) / (share_ground[..., None] + 1e-4)
    apart = np.sqrt(((mean_person - mean_ground) ** 2).sum(-1))
    doubt = np.clip((DIFFERENT - apart) / (DIFFERENT - ALIKE), 0, 1)
    power = box((picture * picture).sum(-1) * ground, radius) / (share_ground + 1e-4)
    spread = np.sqrt(np.maximum(power - (mean_ground * mean_ground).sum(-1), 0))
    busy = np.clip((spread / (apart + 0.05) - CALM) / (BUSY - CALM), 0, 1) * BUSY_WEIGHT
    doubt = np.maximum(doubt, busy)
    doubt[(share_person < 1e-3) | (share_ground < 1e-3)] = 0.5
    return np.asarray(doubt * doubt * (3 - 2 * doubt), np.float32)


class ColourGuide:
    """
    The guided filter with a colour guide (He 2010): alpha as a linear function of colour in every small window.

    Planar, because plain planes are what both NumPy and OpenCV are fastest at. The covariance is inverted once.
    """

    def __init__(self, picture: Array, radius: int, regular: float) -> None:
        self._radius = radius
        self._planes = [np.ascontiguousarray(picture[..., channel]) for channel in range(3)]
        self._means = [box(plane, radius) for plane in self._planes]
        self._inverse = self._inverted_covariance(regular)

    def _inverted_covariance(self, regular: float) -> list[Array]:
        planes, means = self._planes, self._means

        def covariance(i: int, j: int) -> Array:
            product = box(planes[i] * planes[j], self._radius)
            product -= means[i] * means[j]
            return product.astype(np.float64)  # determinants of nearly one-coloured windows cancel in float32

        rr, rg, rb = covariance(0, 0) + regular, covariance(0, 1), covariance(0, 2)
        gg, gb, bb = covariance(1, 1) + regular, covariance(1, 2), covariance(2, 2) + regular
        adjugate = [
            gg * bb - gb * gb,
            gb * rb - rg * bb,
            rg * gb - gg * rb,
            rr * bb - rb * rb,
            rb * rg - rr * gb,
            rr * gg - rg * rg,
        ]
        determinant = rr * adjugate[0] + rg * adjugate[1] + rb * adjugate[2]
        scale = 1 / np.maximum(determinant, 0.3 * regular**3)
        return [(part * scale).astype(np.float32) for part in adjugate]

    def coefficients(self, alpha: Array) -> tuple[Array, Array, Array, Array]:
        """(red, green, blue, constant) of the local linear functions, averaged over the windows."""
        radius, planes, means = self._radius, self._planes, self._means
        constant = box(alpha, radius)
        c0, c1, c2 = (box(plane * alpha, radius) for plane in planes)
        c0 -= means[0] * constant
        c1 -= means[1] * constant
        c2 -= means[2] * constant
        i00, i01, i02, i11, i12, i22 = self._inverse
        red = i00 * c0
        red += i01 * c1
        red += i02 * c2
        green = i01 * c0
        green += i11 * c1
        green += i12 * c2
        blue = i02 * c0
        blue += i12 * c1
        blue += i22 * c2
        constant -= red * means[0]
        constant -= green * means[1]
        constant -= blue * means[2]
        return box(red, radius), box(green, radius), box(blue, radius), box(constant, radius)

    def filter(self, alpha: Array) -> Array:
        red, green, blue, result = self.coefficients(alpha)
        red *= self._planes[0]
        green *= self._planes[1]
        blue *= self._planes[2]
        result += red
        result += green
        result += blue
        return result


def _level(
    picture: Array,
    mask: Array,
    known: Array,
    doubt: Array,
    start: Array,
    *,
    steps: int,
    halo: int,
    parallel: Parallel,
) -> Array:
    unknown = known == 0.5
    crisper = np.clip((mask - 0.5) * 2.2 + 0.5, 0, 1)
    belief = mask + doubt * (crisper - mask)
    target = np.where(unknown, belief, known)
    weight = np.where(unknown, TRUST_MASK + TRUST_MASK_MORE * doubt, np.float32(1))
    alpha = np.where(unknown, start, known)

    result = alpha.copy()  # patches read the start values of their neighbours: the order makes no difference

    def solve_patch(patch: tuple[int, int, int, int]) -> None:
        top, bottom, left, right = patch
        rows = slice(max(0, top - halo), bottom + halo)
        columns = slice(max(0, left - halo), right + halo)
        area = (rows, columns)
        solved = _conjugate_gradients(picture[area], target[area], weight[area], alpha[area], steps)
        y, x = top - rows.start, left - columns.start
        inner = solved[y : y + bottom - top, x : x + right - left]
        result[top:bottom, left:right] = np.where(unknown[top:bottom, left:right], inner, known[top:bottom, left:right])

    parallel(solve_patch, _patches(unknown))
    return result


def _patches(unknown: Array) -> list[tuple[int, int, int, int]]:
    """(top, bottom, left, right) of rectangles that hold all unknown pixels: runs along rows of squares."""
    height = unknown.shape[0]
    patches = []
    for top in range(0, height, PATCH):
        bottom = min(height, top + PATCH)
        columns = np.flatnonzero(unknown[top:bottom].any(0))
        if len(columns) == 0:
            continue
        gaps = np.flatnonzero(np.diff(columns) > PATCH // 2)
        starts = np.concatenate(([columns[0]], columns[gaps + 1]))
        ends = np.concatenate((columns[gaps], [columns[-1]])) + 1
        for left, right in zip(starts.tolist(), ends.tolist(), strict=True):
            parts = max(1, round((right - left) / (2 * PATCH)))
            cuts = np.linspace(left, right, parts + 1).astype(int).tolist()
            patches += [(top, bottom, a, b) for a, b in itertools.pairwise(cuts) if b > a]
    return patches


def _conjugate_gradients(picture: Array, target: Array, weight: Array, start: Array, steps: int) -> Array:
    """Minimise a'La + sum weight (a - target)^2, with a diagonal preconditioner."""
    guide = ColourGuide(picture, WINDOW, REGULAR)

    def laplacian(a: Array) -> Array:
        smooth = guide.filter(a)
        np.subtract(a, smooth, out=smooth)
        smooth += weight * a
        return smooth

    alpha = start.copy()
    precondition = 1 / (weight + np.float32(0.5))
    residual = weight * target - laplacian(alpha)
    scaled = precondition * residual
    direction = scaled.copy()
    power = float(np.vdot(residual, scaled))
    enough = GOOD_ENOUGH**2 * float(np.vdot(residual, residual)) + 1e-12
    for _ in range(steps):
        image = laplacian(direction)
        step = np.float32(power / (float(np.vdot(direction, image)) + 1e-20))
        alpha += step * direction
        image *= step
        residual -= image
        if float(np.vdot(residual, residual)) < enough:
            break
        np.multiply(precondition, residual, out=scaled)
        previous, power = power, float(np.vdot(residual, scaled))
        direction *= np.float32(power / (previous + 1e-20))
        direction += scaled
    return np.clip(alpha, 0, 1)


def _rows_to(column: Array, rows: int) -> Array:
    """A per-row value at half the rows, and half as many px."""
    return cv2.resize(column, (1, rows), interpolation=cv2.INTER_LINEAR) * np.float32(0.5)
