"""Photos for engine tests, made from scikit-image's public-domain pictures. Kept small: tests stay quick."""

import io
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

Pixels = NDArray[np.uint8]


def jpeg(pixels: Pixels, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@cache
def astronaut_pixels() -> Pixels:
    """Eileen Collins (NASA), enlarged to 1200 px."""
    return cv2.resize(data.astronaut(), (1200, 1200), interpolation=cv2.INTER_CUBIC)


@cache
def portrait() -> bytes:
    return jpeg(astronaut_pixels())


@cache
def before_a_wall() -> Pixels:
    """The same person with free space on both sides: then a silhouette tells which way is up."""
    outline = [(560, 0), (300, 120), (330, 420), (210, 560), (130, 700), (110, 1200)]
    outline += [(980, 1200), (960, 700), (860, 560), (740, 420), (760, 60)]
    mask = cv2.fillPoly(np.zeros((1200, 1200), np.float32), [np.array(outline, np.int32)], 1)
    share = cv2.GaussianBlur(mask, (0, 0), 6)[..., None]
    wall = np.full((1200, 1600, 3), (176, 170, 168), np.float32)
    wall[:, 200:1400] += share * (astronaut_pixels() - wall[:, 200:1400])
    return wall.astype(np.uint8)


@cache
def wall_portrait() -> bytes:
    return jpeg(before_a_wall())


@cache
def turned_portrait() -> bytes:
    return jpeg(np.ascontiguousarray(np.rot90(before_a_wall())))


@cache
def bricks() -> bytes:
    """A wall and nobody."""
    return jpeg(np.repeat(data.brick()[..., None], 3, axis=2))


@cache
def two_people() -> bytes:
    """The same person twice, side by side."""
    one = data.astronaut()[:, 30:400]
    return jpeg(np.ascontiguousarray(np.hstack([one, one])))


@cache
def far_away() -> bytes:
    """A person of 150 px in a large, empty room."""
    room = np.full((700, 900, 3), (176, 170, 168), np.uint8)
    room[550:, 375:525] = cv2.resize(before_a_wall()[:, 200:1400], (150, 150), interpolation=cv2.INTER_AREA)
    return jpeg(room)


@cache
def cut_at_top() -> bytes:
    return jpeg(np.ascontiguousarray(astronaut_pixels()[160:]))
