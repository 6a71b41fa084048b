"""
Framing: which part of the photo becomes the picture.

The frame may leave the photo on sides where the person does not touch it, because the backdrop is ours. The body
always reaches the lower edge: nobody floats.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from core.engines.on_device.arrays import GRID, Array, Size
from core.engines.on_device.person import Person

# How much of the picture's height the head with its hair takes, and the air above it (passport style is tighter).
HEAD_SHARE = {"1:1": 0.46, "4:5": 0.40, "3:4": 0.40, "35:45": 0.52}
HEADROOM = {"1:1": 0.11, "4:5": 0.11, "3:4": 0.11, "35:45": 0.08}
ZOOM_RANGE = (0.7, 1.5)
HEAD_WEIGHT = 0.72  # the picture centres between head and body: 0.72 head, the rest body
TIGHT_HEAD = 0.8  # share of the height beyond which the head fills the picture
ENLARGE_UP_TO = 1024  # px; small sources are enlarged to this long side and no further
ENLARGED_MUCH = 1.6


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A rectangle in photo pixels, possibly reaching beyond the photo, and what had to be given up for it."""

    x: float
    y: float
    width: float
    height: float
    compromises: tuple[str, ...] = ()

    def scaled(self, factor: float) -> "Frame":
        return replace(
            self,
            x=self.x * factor,
            y=self.y * factor,
            width=self.width * factor,
            height=self.height * factor,
        )

    def edges(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) in whole pixels."""
        return (
            round(self.x),
            round(self.y),
            max(round(self.x) + 1, round(self.x + self.width)),
            max(round(self.y) + 1, round(self.y + self.height)),
        )


def knows_ratio(ratio: str) -> bool:
    return ratio in HEAD_SHARE


def sides(ratio: str) -> tuple[int, int]:
    """The ratio in lowest terms: 35:45 is 7:9."""
    width, height = (int(part) for part in ratio.split(":"))
    shared = math.gcd(width, height)
    return width // shared, height // shared


def picture_size(frame: Frame, ratio: str, long_side: int) -> Size:
    """The size of the result: exactly the ratio, never beyond `long_side`, small sources enlarged a little only."""
    source = max(frame.width, frame.height)
    long_side = min(long_side, max(round(source), ENLARGE_UP_TO))
    width, height = sides(ratio)
    unit = max(1, long_side // (max(width, height) * GRID)) * GRID
    return width * unit, height * unit


def choose_frame(person: Person, ratio: str, zoom: float) -> Frame:
    """The frame in pixels of the person's mask."""
    share = HEAD_SHARE[ratio] * min(max(zoom, ZOOM_RANGE[0]), ZOOM_RANGE[1])
    top, height, compromises = _vertical(person, share, HEADROOM[ratio])
    across, down = sides(ratio)
    frame = Frame(x=0.0, y=top, width=height * across / down, height=height, compromises=tuple(compromises))
    return _horizontal(person, frame, HEADROOM[ratio])


def _vertical(person: Person, share: float, headroom: float) -> tuple[float, float, list[str]]:
    head, shape = person.head, person.shape
    compromises = []
    height = head.height / share
    top = head.top - headroom * height
    cut_at_top = bool(shape[0].sum() > 0.01 * shape.shape[1])
    if cut_at_top:  # no air above what is not there
        top, height = 0.0, height * (1 - headroom * 0.5)
        compromises.append("head_cut_at_top")
    bottom = _body_bottom(shape)
    if top + height > bottom:
        height = bottom - top
        if not cut_at_top:
            top, height = _tighter(head.top, head.height, bottom, headroom)
    if head.height / height > TIGHT_HEAD:
        compromises.append("too_tight")
    return top, height, compromises


def _tighter(head_top: float, head_height: float, bottom: float, headroom: float) -> tuple[float, float]:
    """Shorter body, same air in proportion; a little more air while the head would fill the picture."""
    top = height = 0.0
    for air in (headroom, headroom + 0.03, headroom + 0.06):
        height = (bottom - head_top) / (1 - air)
        top = head_top - air * height
        if head_height / height < 0.72:
            break
    return top, height


def _body_bottom(shape: Array) -> float:
    rows = np.flatnonzero(shape.sum(1))
    last = int(rows[-1])
    at_edge = last >= shape.shape[0] - 3  # the last line of a photo is often soft
    return last + 1 - (0.006 * shape.shape[0] if at_edge else 0.0)


def _horizontal(person: Person, frame: Frame, headroom: float) -> Frame:
    shape, head = person.shape, person.head
    photo_height, photo_width = shape.shape
    seen = shape[int(max(0, frame.y)) : int(min(photo_height, frame.y + frame.height))]
    moments = cv2.moments(seen, binaryImage=True)
    body = moments["m10"] / moments["m00"] if moments["m00"] else head.x
    x = HEAD_WEIGHT * head.x + (1 - HEAD_WEIGHT) * body - frame.width / 2
    left, right = bool(seen[:, 0].any()), bool(seen[:, -1].any())
    if left and right and frame.width > photo_width:
        return _as_wide_as_photo(frame, photo_width, headroom)
    if left and right:
        x = min(max(x, 0.0), photo_width - frame.width)
    elif left:
        x = max(x, 0.0)
    elif right:
        x = min(x, photo_width - frame.width)
    return replace(frame, x=x)


def _as_wide_as_photo(frame: Frame, photo_width: int, headroom: float) -> Frame:
    """The body is cut on both sides: the frame cannot be wider than the photo."""
    height = photo_width * frame.height / frame.width
    top = frame.y + (0 if "head_cut_at_top" in frame.compromises else (frame.height - height) * headroom)
    return replace(
        frame,
        x=0.0,
        y=top,
        width=float(photo_width),
        height=height,
        compromises=(*frame.compromises, "tight_width"),
    )


def cut_out(pixels: Array, frame: Frame, size: Size, *, beyond: tuple[int, int, int] | None = None) -> Array:
    """The frame's part of the photo at `size`; beyond the photo its edge goes on, or one plain colour."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = frame.edges()
    part = pixels[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    margins = (max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width))
    if any(margins):
        border = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
        part = cv2.copyMakeBorder(part, *margins, border, value=beyond or (0, 0, 0))
    shrinks = part.shape[0] >= size[1]
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4)
