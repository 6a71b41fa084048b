"""
Finishing: person, light and background become one picture, tile by tile, and the picture a JPEG.

Tiles keep the float arithmetic within the processor's cache and the memory flat, and two threads can share them.
"""

import cv2
import numpy as np

from core.engines.on_device import light
from core.engines.on_device.arrays import GRID, Array, enlarged_part, gauss, per_channel
from core.engines.on_device.backdrops import GRAIN_SIDE, SHRINK
from core.engines.on_device.edges import Cutout
from core.engines.on_device.light import Relight
from core.engines.on_device.looks import Scene
from core.engines.on_device.matting import Parallel

TILE = 256
MARGIN = 16  # px around a tile that its filters look at; a multiple of GRID
WRAP_REACH = 0.012  # of the longer side
JPEG_QUALITY = 92


def compose(cutout: Cutout, relight: Relight, scene: Scene, backdrop: Array, grain: Array, parallel: Parallel) -> Array:
    """The finished picture, uint8 RGB. `backdrop` is at a quarter of the size."""
    width, height = cutout.size
    picture = np.empty((height, width, 3), np.uint8)
    spill = _spill(cutout, scene, backdrop)

    def fill(tile: tuple[slice, slice]) -> None:
        rows, columns = tile
        ground = _ground(backdrop, grain, rows, columns)
        share = cutout.alpha[tile]
        if share.any():
            person = _lit_person(cutout, relight, rows, columns)
            person += enlarged_part(spill, GRID, rows, columns) * (1 - person)
            person -= ground
            person *= per_channel(share.astype(np.float32) * np.float32(1 / 255))
            ground += person
        picture[tile] = cv2.convertScaleAbs(ground, alpha=255)

    tiles = [
        (slice(y, min(height, y + TILE)), slice(x, min(width, x + TILE)))
        for y in range(0, height, TILE)
        for x in range(0, width, TILE)
    ]
    parallel(fill, tiles)
    return picture


def _spill(cutout: Cutout, scene: Scene, backdrop: Array) -> Array:
    """A little of the backdrop's light on the person's rim, so that the cut-out sits in the scene."""
    size = (cutout.size[0] // GRID, cutout.size[1] // GRID)
    share = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    share *= np.float32(1 / 255)
    open_ground = cv2.resize(backdrop, size, interpolation=cv2.INTER_AREA) * (1 - share)[..., None]
    spread = gauss(open_ground, WRAP_REACH * max(cutout.size) / GRID)
    return np.asarray(spread * np.float32(scene.wrap), np.float32)


def _ground(backdrop: Array, grain: Array, rows: slice, columns: slice) -> Array:
    ground = enlarged_part(backdrop, SHRINK, rows, columns)
    y, x = rows.start % GRAIN_SIDE, columns.start % GRAIN_SIDE
    noise = grain[y : y + ground.shape[0], x : x + ground.shape[1]]
    return np.asarray(ground + noise, np.float32)


def _lit_person(cutout: Cutout, relight: Relight, rows: slice, columns: slice) -> Array:
    width, height = cutout.size
    around_rows = slice(max(0, rows.start - MARGIN), min(height, rows.stop + MARGIN))
    around_columns = slice(max(0, columns.start - MARGIN), min(width, columns.stop + MARGIN))
    colours = cutout.rgb[around_rows, around_columns].astype(np.float32)
    colours *= np.float32(1 / 255)
    gain = enlarged_part(relight.gain, GRID, around_rows, around_columns)
    offset = enlarged_part(relight.offset, GRID, around_rows, around_columns)
    lit = light.apply(relight, colours, gain, offset)
    y, x = rows.start - around_rows.start, columns.start - around_columns.start
    return lit[y : y + rows.stop - rows.start, x : x + columns.stop - columns.start]


def to_jpeg(picture: Array, quality: int = JPEG_QUALITY) -> bytes:
    """Full colour resolution (4:4:4): red on grey edges suffers first otherwise. No metadata."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise RuntimeError("the picture could not be written as JPEG")
    return data.tobytes()
