"""Small array helpers that every stage shares. Sizes are (width, height), as OpenCV has them."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Size = tuple[int, int]

# Every picture we make has sides divisible by this, so that maps computed at 1/2, 1/4 and 1/8 of the size
# enlarge by a whole number and tiles of one picture meet without a seam.
GRID = 8


def size_of(picture: Array) -> Size:
    return picture.shape[1], picture.shape[0]


def fit(picture: Array, side: int) -> Array:
    """Shrunk so that the longer side is at most `side`; never enlarged."""
    while max(picture.shape[:2]) >= 2 * side:
        picture = _halved(picture)
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    width, height = size_of(picture)
    smaller = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA)


def _halved(picture: Array) -> Array:
    """Exactly half, less an odd last line: several times faster than any other step."""
    width, height = picture.shape[1] // 2, picture.shape[0] // 2
    even = picture[: 2 * height, : 2 * width]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)


def box(plane: Array, radius: int) -> Array:
    """Mean over a square window."""
    window = (2 * radius + 1, 2 * radius + 1)
    return cv2.blur(plane, window, borderType=cv2.BORDER_REFLECT)


def gauss(plane: Array, sigma: float) -> Array:
    return cv2.GaussianBlur(plane, (0, 0), sigma)


def disc(radius: int) -> Array:
    """A round structuring element."""
    side = 2 * radius + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def grown(shape: Array, radius: int) -> Array:
    """A 0/1 shape made wider by `radius`: by distance, which costs the same for any radius."""
    distance = cv2.distanceTransform(np.where(shape > 0, 0, 1).astype(np.uint8), cv2.DIST_L2, 5)
    return (distance <= radius).astype(np.float32)


def smooth_enlarged(mask: Array, size: Size) -> Array:
    """A soft mask at a larger size, still within 0 and 1."""
    return np.clip(cv2.resize(mask, size, interpolation=cv2.INTER_CUBIC), 0, 1)


def enlarged_part(low: Array, factor: int, rows: slice, columns: slice) -> Array:
    """The part [rows, columns] of `low` enlarged by a whole factor, without enlarging the rest."""
    if factor == 1:
        return low[rows, columns]
    top, left = max(0, rows.start // factor - 1), max(0, columns.start // factor - 1)
    bottom, right = -(-rows.stop // factor) + 1, -(-columns.stop // factor) + 1
    piece = low[top:bottom, left:right]
    size = (piece.shape[1] * factor, piece.shape[0] * factor)
    large = cv2.resize(piece, size, interpolation=cv2.INTER_LINEAR)
    y, x = rows.start - top * factor, columns.start - left * factor
    return large[y : y + rows.stop - rows.start, x : x + columns.stop - columns.start]


def per_channel(plane: Array) -> Array:
    """A plane once for each of three channels: much faster to calculate with than broadcasting over the last axis."""
    return cv2.merge((plane, plane, plane))


def grid_coordinates(size: Size, step: int = 1) -> tuple[Array, Array]:
    """(rows, columns) of the centres of a grid, to be broadcast: shapes (h, 1) and (1, w)."""
    width, height = size
    rows = (np.arange(height, dtype=np.float32) + 0.5) * step - 0.5
    columns = (np.arange(width, dtype=np.float32) + 0.5) * step - 0.5
    return rows[:, None], columns[None, :]
