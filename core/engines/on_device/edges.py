"""
Edges, second half: the person at full size, cut free of the old background.

Alpha is carried up to full size along the picture's own edges (fast guided filter, He 2015), and the old
background's colour is taken out of mixed pixels (blur fusion, Forte 2021), or hair would keep its halo. Both only
matter where a pixel is part person, part background, so only such tiles are worked on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from core.engines.on_device.arrays import Array, Size, box, enlarged_part, gauss, grown, per_channel, size_of
from core.engines.on_device.framing import Frame
from core.engines.on_device.matting import Band, ColourGuide, Matte, Parallel, solve_matte
from core.engines.on_device.model import PersonModel
from core.engines.on_device.person import main_shape

WORK_SIDE = 1300  # px; pictures beyond it are matted at half size, or a quarter
MATTE_SCALE = 896  # px; the matting radii were tuned at this long side
CONTEXT = 0.06  # of the frame's height around it, so that the network sees where the person goes on
NEAR_PERSON = 0.035  # of the height: the second look may move the first outline by this much
HAIR_OUTER, HAIR_INNER = 0.105, 0.08  # width of the unknown band around the head, in head radii
BODY_OUTER, BODY_INNER = 0.03, 0.03  # ... and along the body, where edges are plain
VEIL_BELOW, VEIL_ABOVE = 0.06, 0.94  # alpha below is nothing, above is everything
CRISP = 0.85  # where colours are alike, a crisp edge beats a veil
FAR, NEAR = 70, 5  # px, radii of the two colour estimates, at MATTE_SCALE
GUIDE_RADIUS, GUIDE_REGULAR = 3, 1e-5

TILE = 256  # px at full size
HALO = 16  # px at working size, enough for every window used in a tile


@dataclass(frozen=True, kw_only=True)
class Circle:
    """The head in pixels of the picture."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """The person, free of the old background. `rgb` means something only where `alpha` is above zero, or near."""

    rgb: Array = field(repr=False)  # uint8, full size
    alpha: Array = field(repr=False)  # uint8, full size
    surroundings: Array = field(repr=False)  # float RGB, the framed photo at working size
    low_alpha: Array = field(repr=False)  # float, working size
    head: Circle

    @property
    def size(self) -> Size:
        return size_of(self.alpha)


def work_factor(size: Size) -> int:
    factor = 1
    while max(size) / factor > WORK_SIDE:
        factor *= 2
    return factor


def cut_free(picture: Array, mask: Array, inside: Array, head: Circle, factor: int, parallel: Parallel) -> Cutout:
    """`picture` uint8 RGB at full size (taken over); `mask` and `inside` (the photo's own area) at working size."""
    work = (picture.shape[1] // factor, picture.shape[0] // factor)
    low = cv2.resize(picture, work, interpolation=cv2.INTER_AREA).astype(np.float32)
    low *= np.float32(1 / 255)
    matte = solve_matte(low, mask, _band(work[1], head, factor), parallel)
    low_alpha = _settled(matte) * inside
    alpha = cv2.resize(cv2.convertScaleAbs(low_alpha, alpha=255), size_of(picture), interpolation=cv2.INTER_LINEAR)
    person, ground = _far_colours(low, low_alpha)

    def refine(tile: tuple[slice, slice]) -> None:
        _refine_tile(picture, alpha, low, low_alpha, person, ground, tile, factor)

    parallel(refine, list(_mixed_tiles(low_alpha, factor)))
    return Cutout(rgb=picture, alpha=alpha, surroundings=low, low_alpha=low_alpha, head=head)


def _band(rows: int, head: Circle, factor: int) -> Band:
    """Wide around the head, where hair is; narrow along the body."""
    row = np.arange(rows, dtype=np.float32)[:, None] * factor
    hairy = np.clip(1 - (row - (head.y + head.radius * 1.3)) / (head.radius * 0.8), 0, 1)
    unit = head.radius / factor
    return Band(
        inner=(unit * (BODY_INNER + (HAIR_INNER - BODY_INNER) * hairy) + 2).astype(np.float32),
        outer=(unit * (BODY_OUTER + (HAIR_OUTER - BODY_OUTER) * hairy) + 2).astype(np.float32),
    )


def _settled(matte: Matte) -> Array:
    alpha = np.clip((matte.alpha - VEIL_BELOW) / (VEIL_ABOVE - VEIL_BELOW), 0, 1)
    crisp = np.clip((alpha - 0.28) / 0.5, 0, 1)
    return np.asarray(alpha + matte.doubt * CRISP * (crisp - alpha), np.float32)


def _far_colours(low: Array, alpha: Array) -> tuple[Array, Array]:
    """First, wide means of person and background colour everywhere. They are so smooth that a quarter will do."""
    size = (max(1, low.shape[1] // 4), max(1, low.shape[0] // 4))
    radius = max(4, round(FAR * max(low.shape[:2]) / MATTE_SCALE / 4))
    small, share = cv2.resize(low, size, interpolation=cv2.INTER_AREA), cv2.resize(alpha, size)
    return _mean_colours(small, small, share, radius)


def _mean_colours(person: Array, ground: Array, alpha: Array, radius: int) -> tuple[Array, Array]:
    """Mean colour of each side nearby, each pixel counting by its share."""
    a = per_channel(alpha)
    share = per_channel(box(alpha, radius))
    mean_person = box(person * a, radius)
    mean_person /= share + np.float32(1e-5)
    np.subtract(np.float32(1), a, out=a)
    mean_ground = box(ground * a, radius)
    mean_ground /= np.float32(1 + 1e-5) - share
    return mean_person, mean_ground


def _near_colours(piece: Array, alpha: Array, person: Array, ground: Array, radius: int) -> tuple[Array, Array]:
    """Second, narrow means, of colours that explain what is seen."""
    a = per_channel(alpha)
    rest = piece - a * person
    rest -= (1 - a) * ground
    nearer_person = np.clip(person + a * rest, 0, 1)
    nearer_ground = np.clip(ground + (1 - a) * rest, 0, 1)
    return _mean_colours(nearer_person, nearer_ground, alpha, radius)


def _mixed_tiles(low_alpha: Array, factor: int) -> Iterator[tuple[slice, slice]]:
    """Tiles with part-person pixels in or near them."""
    low_tile = TILE // factor
    height, width = low_alpha.shape
    for y in range(0, height, low_tile):
        for x in range(0, width, low_tile):
            near = low_alpha[max(0, y - HALO) : y + low_tile + HALO, max(0, x - HALO) : x + low_tile + HALO]
            if near.max() > 0 and near.min() < 1:
                bottom, right = min(height, y + low_tile), min(width, x + low_tile)
                yield slice(y * factor, bottom * factor), slice(x * factor, right * factor)


def _refine_tile(
    picture: Array,
    alpha: Array,
    low: Array,
    low_alpha: Array,
    person: Array,
    ground: Array,
    tile: tuple[slice, slice],
    factor: int,
) -> None:
    """Writes the tile's final alpha and its clean colours."""
    rows, columns = tile
    top, left = max(0, rows.start // factor - HALO), max(0, columns.start // factor - HALO)
    area = (
        slice(top, min(low.shape[0], rows.stop // factor + HALO)),
        slice(left, min(low.shape[1], columns.stop // factor + HALO)),
    )
    local = (
        slice(rows.start - top * factor, rows.stop - top * factor),
        slice(columns.start - left * factor, columns.stop - left * factor),
    )
    piece, share = low[area], low_alpha[area]
    colours = picture[tile].astype(np.float32)
    colours *= np.float32(1 / 255)
    fine = _fine_alpha(piece, share, colours, local, factor)
    near = max(2, round(NEAR * max(low.shape[:2]) / MATTE_SCALE))
    far_person, far_ground = _part_at(person, low.shape, area), _part_at(ground, low.shape, area)
    mean_person, mean_ground = _near_colours(piece, share, far_person, far_ground, near)
    clean = _clean_colours(
        colours,
        fine,
        enlarged_part(mean_person, factor, *local),
        enlarged_part(mean_ground, factor, *local),
    )
    alpha[tile] = cv2.convertScaleAbs(fine, alpha=255)
    picture[tile] = cv2.convertScaleAbs(clean, alpha=255)


def _fine_alpha(piece: Array, share: Array, colours: Array, local: tuple[slice, slice], factor: int) -> Array:
    base = enlarged_part(share, factor, *local)
    if factor == 1:
        return base
    fits = ColourGuide(piece, GUIDE_RADIUS, GUIDE_REGULAR).coefficients(share)
    red, green, blue, guided = (enlarged_part(fit, factor, *local) for fit in fits)
    guided = guided + red * colours[..., 0]
    guided += green * colours[..., 1]
    guided += blue * colours[..., 2]
    mixed = np.clip(6.4 * base * (1 - base), 0, 1)  # the guided value counts only where a pixel is mixed
    fine: Array = np.clip(base + mixed * (guided - base), 0, 1)
    return fine


def _part_at(small: Array, shape: tuple[int, ...], area: tuple[slice, slice]) -> Array:
    """The part of a quarter-size map that belongs to `area` of the working size."""
    rows, columns = area
    size = (columns.stop - columns.start, rows.stop - rows.start)
    scale_x, scale_y = small.shape[1] / shape[1], small.shape[0] / shape[0]
    to_small = np.array(
        [
            [scale_x, 0, (columns.start + 0.5) * scale_x - 0.5],
            [0, scale_y, (rows.start + 0.5) * scale_y - 0.5],
        ],
        np.float64,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(small, to_small, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _clean_colours(colours: Array, alpha: Array, person: Array, ground: Array) -> Array:
    """Person colour: what is seen, less the background's share. Where alpha is 1 this is exactly what is seen."""
    a = per_channel(alpha)
    explained = person - ground
    explained *= a
    explained += ground
    np.subtract(colours, explained, out=explained)
    explained *= a
    explained += person
    return np.clip(explained, 0, 1, out=explained)


def second_look(model: PersonModel, crop: Array, shape: Array) -> Array | None:
    """
    The network once more, on the framed crop: its 256 px now cover head and shoulders only.

    `shape` is the person of the first look in the same crop, to stay with the same person. None: nobody there.
    """
    height, width = crop.shape[:2]
    soft = np.clip(cv2.resize(model.segment(crop), (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    soft *= gauss(grown(shape, max(3, int(NEAR_PERSON * height))), 0.006 * height + 0.5)
    main, _ = main_shape(soft)
    if main is None:
        return None
    return np.asarray(soft * grown(main, max(3, int(0.02 * height))), np.float32)


def context_of(frame: Frame, width: int, height: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the frame with some air, within the photo."""
    air = CONTEXT * frame.height
    return (
        int(max(0, frame.x - air)),
        int(max(0, frame.y - air)),
        int(min(width, frame.x + frame.width + air)),
        int(min(height, frame.y + frame.height + air)),
    )


def into_frame(soft: Array, context: tuple[int, int, int, int], frame: Frame, size: Size) -> tuple[Array, Array]:
    """The context's mask on the frame's working grid, and where that grid lies within the photo."""
    left, top, right, bottom = context
    frame_left, frame_top, frame_right, frame_bottom = frame.edges()
    scale_x = size[0] / (frame_right - frame_left)
    scale_y = size[1] / (frame_bottom - frame_top)
    x = scale_x * (right - left) / soft.shape[1]
    y = scale_y * (bottom - top) / soft.shape[0]
    place = np.array([[x, 0, (left - frame_left) * scale_x], [0, y, (top - frame_top) * scale_y]], np.float64)
    mask = cv2.warpAffine(soft, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = np.zeros((size[1], size[0]), np.float32)
    rows = slice(max(0, round((top - frame_top) * scale_y)), max(0, round((bottom - frame_top) * scale_y)))
    columns = slice(max(0, round((left - frame_left) * scale_x)), max(0, round((right - frame_left) * scale_x)))
    inside[rows, columns] = 1
    return mask, inside
