"""Matting on made-up pictures, where the right answer is known."""

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np

from core.engines.on_device.matting import Band, ColourGuide, solve_matte

SIDE = 320


def one_after_another(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    for item in items:
        work(item)


def backwards(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    for item in reversed(list(items)):
        work(item)


def disc_before_wall() -> tuple[np.ndarray, np.ndarray]:
    """(picture, its true alpha): a red disc with a soft rim before a blue wall."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    alpha = np.clip((90 - np.hypot(rows - SIDE / 2, columns - SIDE / 2)) / 6 + 0.5, 0, 1).astype(np.float32)
    red, blue = np.array([0.8, 0.2, 0.1], np.float32), np.array([0.2, 0.4, 0.8], np.float32)
    texture = np.random.default_rng(2).normal(0, 0.01, (SIDE, SIDE, 3)).astype(np.float32)
    return alpha[..., None] * red + (1 - alpha[..., None]) * blue + texture, alpha


def band() -> Band:
    width = np.full((SIDE, 1), 12, np.float32)
    return Band(inner=width, outer=width)


def test_the_true_alpha_is_found_from_a_coarse_mask() -> None:
    picture, alpha = disc_before_wall()
    coarse = cv2.GaussianBlur(np.roll(alpha, 4, axis=1), (0, 0), 4)  # off by 4 px, and blurred
    found = solve_matte(picture, coarse, band(), one_after_another).alpha
    unsure = (alpha > 0.02) & (alpha < 0.98)
    assert np.abs(found - alpha)[unsure].mean() < 0.5 * np.abs(coarse - alpha)[unsure].mean()
    assert np.abs(found - alpha).mean() < 0.01


def test_the_order_of_patches_makes_no_difference() -> None:
    picture, alpha = disc_before_wall()
    coarse = cv2.GaussianBlur(alpha, (0, 0), 4)
    one = solve_matte(picture, coarse, band(), one_after_another).alpha
    other = solve_matte(picture, coarse, band(), backwards).alpha
    assert np.array_equal(one, other)


def test_windows_of_nearly_one_colour_stay_in_range() -> None:
    """Greys along one line leave the covariance nearly singular: float32 would answer with noise."""
    random = np.random.default_rng(4)
    grey = random.uniform(0, 1, (64, 64, 1)).astype(np.float32)
    picture = np.repeat(grey, 3, axis=2)
    alpha = (grey[..., 0] > 0.5).astype(np.float32)
    smooth = ColourGuide(picture, 2, 1e-5).filter(alpha)
    assert np.isfinite(smooth).all()
    assert smooth.min() > -0.6 and smooth.max() < 1.6
