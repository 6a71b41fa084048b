"""
A look at the pixels before anything is spent: what is wrong, and how to mend it.

These checks know nothing about people; the engine looks for a person. Where a measure can be mistaken (a white
backdrop is not a blown-out face) it asks, and nothing here blocks: only a picture too small to use is refused.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from core.language import N_
from core.ports import Finding

COMFORTABLE_SIDE = 600
_LOOKED_AT = 1024  # long side that the measures are taken at; results are made at 1024 to 2048
_TILE = 64
_LEAST_RANGE = 12.0  # grey levels between which an edge can be told from noise

Grey = npt.NDArray[np.uint8]


def findings(image: Image.Image) -> list[Finding]:
    """What stands out in an upright sRGB picture. Empty: nothing to say."""
    small = _at_fixed_size(image)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return [
        *_size(image),
        *_sharpness(grey),
        *_light(grey),
        *_colour(small),
    ]


def _at_fixed_size(image: Image.Image) -> npt.NDArray[np.uint8]:
    pixels = np.asarray(image)
    scale = _LOOKED_AT / max(image.size)
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR).astype(np.uint8)


def _size(image: Image.Image) -> Iterator[Finding]:
    if min(image.size) < COMFORTABLE_SIDE:
        yield Finding(
            code="small",
            says=N_(
                "This photo is {width} × {height} pixels: fine for a small profile picture, soft in print. Send the "
                "original rather than a copy from a chat."
            ),
            values={"width": image.width, "height": image.height},
        )


def sharpness(grey: Grey) -> float:
    """
    One over the width in pixels of the crispest edges, whatever the light and however plain the background.

    In each tile the steepest slope is held against the whole range of its greys, so faint contrast cancels out
    and noise has little say; of all tiles only those with a strong edge count. 0 where there is none at all.
    """
    values = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(values, -1, 1, 0, scale=0.125), cv2.Sobel(values, -1, 0, 1, scale=0.125))
    height, width = (side - side % _TILE for side in grey.shape)
    ranges = np.ptp(_tiles(values[:height, :width]), axis=1)
    steepest = np.percentile(_tiles(slope[:height, :width]), 99.5, axis=1)
    strong = ranges >= max(_LEAST_RANGE, 0.6 * float(ranges.max(initial=0.0)))
    return float(np.percentile(steepest[strong] / ranges[strong], 90)) if strong.any() else 0.0


def _tiles(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One row of pixels a tile."""
    rows, columns = values.shape[0] // _TILE, values.shape[1] // _TILE
    split = values.reshape(rows, _TILE, columns, _TILE).swapaxes(1, 2)
    return split.reshape(rows * columns, _TILE * _TILE)


BLURRED_BELOW = 0.095  # a Gaussian blur of about 4 pixels at 1024


def _sharpness(grey: Grey) -> Iterator[Finding]:
    if 0 < sharpness(grey) < BLURRED_BELOW:
        yield Finding(
            code="blurred",
            says=N_(
                "Is this a little out of focus? Zoom in on the eyes: if the lashes run together, hold the phone "
                "still, tap the face to focus, and take it again."
            ),
        )


def _light(grey: Grey) -> Iterator[Finding]:
    dark, middle, bright = (float(value) for value in np.percentile(grey, (2, 50, 98)))
    height, width = grey.shape
    centre = grey[height // 6 : height * 3 // 4, width // 4 : width * 3 // 4]
    if middle < 45 and bright < 140:
        yield Finding(
            code="dark",
            says=N_("This looks a little dark: we can lighten it, but a photo near a window will look better."),
        )
    elif float(np.mean(centre >= 252)) > 0.30:
        yield Finding(
            code="blown_out",
            says=N_(
                "Is part of the face plain white? What the light has washed out cannot be brought back: try again "
                "out of direct sun or without flash."
            ),
        )
    elif bright - dark < 60:
        yield Finding(
            code="low_contrast",
            says=N_(
                "This looks flat, as if through haze: we can add some contrast. Wiping the lens or turning away "
                "from a bright window helps more."
            ),
        )


def _colour(small: npt.NDArray[np.uint8]) -> Iterator[Finding]:
    red, green, blue = cv2.split(small)
    spread = cv2.max(cv2.max(red, green), blue) - cv2.min(cv2.min(red, green), blue)
    if float(np.percentile(spread, 99)) <= 6:
        yield Finding(
            code="greyscale",
            says=N_(
                "This photo is black and white, and the headshots will be too. Send the colour original if you have it."
            ),
        )
