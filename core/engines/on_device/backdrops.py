"""
Background: what stands behind the person. Computed at a quarter of the size, since all of it is soft.

Nothing is a stock photo: the studio walls are gradients, the office is drawn and thrown out of focus, the
surroundings are the photo's own.
"""

import math

import cv2
import numpy as np

from core.engines.on_device.arrays import Array, Size, gauss, grid_coordinates, per_channel, size_of
from core.engines.on_device.edges import Cutout
from core.engines.on_device.looks import WARM_TINT, Look, Scene

SHRINK = 4  # backdrops are computed at this part of the size
GRAIN = 0.0035  # keeps gradients from banding, and matches a photo's own noise
GRAIN_SIDE = 512
FULL_BLUR_OF_GAPS = 0.15  # of the longer side: where the person hid everything, far surroundings fill in


def paint(scene: Scene, look: Look, cutout: Cutout, own: Array | None) -> Array:
    """Float RGB 0..1 at a quarter of the picture's size."""
    size = (cutout.size[0] // SHRINK, cutout.size[1] // SHRINK)
    if scene.kind == "office":
        painted = draw_office(size, scene)
    elif scene.kind == "surroundings":
        painted = _surroundings(size, scene, cutout)
    elif scene.kind == "own" and own is not None:
        painted = _own(size, scene, own)
    else:
        painted = _studio(size, scene, look, cutout)
    painted = painted * _vignette(size, scene.vignette)
    if scene.lit:
        painted *= np.float32(look.backdrop_light) * (1 + look.warmth * np.array(WARM_TINT, np.float32))
    if look.monochrome:
        painted = np.repeat((painted @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, axis=2)
    return np.clip(painted, 0, 1).astype(np.float32)


def grain() -> Array:
    """One square of noise, to be repeated."""
    noise = np.random.default_rng(7).standard_normal((GRAIN_SIDE, GRAIN_SIDE), dtype=np.float32)
    return per_channel(noise * np.float32(GRAIN))


def _vignette(size: Size, amount: float) -> Array:
    width, height = size
    rows, columns = grid_coordinates(size)
    reach = np.hypot((columns - width / 2) / (width * 0.72), (rows - height / 2) / (height * 0.72))
    return np.asarray(1 - amount * np.clip(reach - 0.35, 0, 1)[..., None], np.float32)


def _studio(size: Size, scene: Scene, look: Look, cutout: Cutout) -> Array:
    """A lit wall: brightest behind the head, a little to the side the key light does not come from."""
    width, height = size
    rows, columns = grid_coordinates(size)
    head = cutout.head
    middle_x = 0.85 * head.x / SHRINK + 0.075 * width - (look.key_side < 0) * 0.12 * width
    middle_y = (head.y + head.radius * 0.5) / SHRINK
    reach = np.hypot((columns - middle_x) / (width * 0.78), (rows - middle_y) / (height * 0.80))
    reach = np.clip(reach, 0, 1.15)
    fade = (reach * reach * (3 - 2 * np.minimum(reach, 1)))[..., None]
    inner, outer = (np.array(colour, np.float32) / 255 for colour in (scene.inner, scene.outer))
    wall = inner * (1 - fade) + outer * fade
    if scene.kind == "canvas":
        wall = wall * (1 + scene.texture * _clouds(size, scene.seed))[..., None]
    return np.asarray(wall, np.float32)


def _clouds(size: Size, seed: int) -> Array:
    """The mottling of painted canvas: three layers of soft noise."""
    width, height = size
    random = np.random.default_rng(seed)
    clouds = np.zeros((height, width), np.float32)
    for across, strength in ((5, 0.5), (11, 0.3), (24, 0.18)):
        down = max(2, int(across * height / width))
        layer = random.standard_normal((down, across)).astype(np.float32)
        clouds += np.float32(strength) * cv2.resize(layer, size, interpolation=cv2.INTER_CUBIC)
    return clouds


def _surroundings(size: Size, scene: Scene, cutout: Cutout) -> Array:
    """The photo's own background, strongly blurred, with the person taken out before so that no ghost remains."""
    hidden = cv2.dilate(cutout.low_alpha, np.ones((7, 7), np.uint8))
    seen = (1 - hidden) ** 2 + np.float32(1e-4)
    colours = cv2.resize(cutout.surroundings * seen[..., None], size, interpolation=cv2.INTER_AREA)
    weight = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    near_sigma, far_sigma = max(size) * scene.blur, max(size) * FULL_BLUR_OF_GAPS
    near_weight = gauss(weight, near_sigma)[..., None]
    near = gauss(colours, near_sigma) / (near_weight + 1e-5)
    far = _wide_blur(colours, far_sigma) / (_wide_blur(weight, far_sigma)[..., None] + 1e-5)
    trust = np.clip(near_weight * 3, 0, 1)
    return np.asarray(near * trust + far * (1 - trust), np.float32)


def _wide_blur(plane: Array, sigma: float) -> Array:
    """A wide Gaussian at a quarter of the size, where it looks the same and costs a fraction."""
    small = cv2.resize(plane, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.resize(gauss(small, sigma / 4), size_of(plane), interpolation=cv2.INTER_LINEAR)


def _own(size: Size, scene: Scene, own: Array) -> Array:
    """The person's own image, filling the frame, slightly out of focus as a backdrop behind someone is."""
    width, height = size
    scale = max(width / own.shape[1], height / own.shape[0])
    cover = (max(width, math.ceil(own.shape[1] * scale)), max(height, math.ceil(own.shape[0] * scale)))
    filled = cv2.resize(own, cover, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (cover[1] - height) // 2, (cover[0] - width) // 2
    part = filled[top : top + height, left : left + width].astype(np.float32) * np.float32(1 / 255)
    return gauss(part, max(size) * scene.blur)


def draw_office(size: Size, scene: Scene) -> Array:
    """An office out of focus: plain shapes in linear light, blurred by a disc as a lens does."""
    office = _Office(size, scene)
    office.windows()
    office.partition()
    office.shelf()
    office.furniture()
    office.ceiling_lights()
    return office.out_of_focus()


class _Office:
    """The drawing, in linear light; positions are shares of width and height."""

    def __init__(self, size: Size, scene: Scene) -> None:
        self.width, self.height = size
        self.scene = scene
        self.random = np.random.default_rng(scene.seed)
        self.dim = 0.6 if scene.evening else 1.0
        self.wall = _linear(0.40, 0.41, 0.42) if scene.evening else _linear(0.74, 0.73, 0.70)
        down = np.linspace(1.10, 0.82, self.height, dtype=np.float32)[:, None, None]
        across = np.linspace(1.15, 0.80, self.width, dtype=np.float32)[None, :, None]
        self.canvas: Array = np.ascontiguousarray(self.wall * down * across)

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, colour: Array, opacity: float = 1.0
    ) -> None:
        rows = slice(max(0, self._y(top)), max(0, self._y(bottom)))
        part = self.canvas[rows, max(0, self._x(left)) : max(0, self._x(right))]
        part += np.float32(opacity) * (colour - part)

    def windows(self) -> None:
        """A bright wall of panes on the left with a hazy skyline."""
        sky = _linear(0.33, 0.396, 0.528) if self.scene.evening else _linear(1.55, 1.62, 1.70)
        for pane in range(3):
            left = -0.08 + pane * 0.185
            self._pane(left, left + 0.165, sky)
        for mullion in range(-1, 3):
            middle = 0.087 + 0.185 * mullion
            self.rectangle(middle - 0.01, -0.02, middle + 0.01, 0.74, self.wall * 0.55)
        self.rectangle(-0.1, 0.33, 0.46, 0.345, self.wall * 0.6)

    def _pane(self, left: float, right: float, sky: Array) -> None:
        bottom = self._y(0.74)
        haze = 1 - 0.25 * np.linspace(0, 1, max(1, bottom), dtype=np.float32)[:, None, None]
        self.canvas[:bottom, max(0, self._x(left)) : max(1, self._x(right))] = sky * haze
        x, uniform = left, self.random.uniform
        while x < right:
            width, height = uniform(0.025, 0.06), uniform(0.10, 0.42)
            tower = sky * np.float32(uniform(0.52, 0.80)) * _linear(0.96, 1.0, 1.02)
            self.rectangle(max(x, left), 0.74 - height, min(x + width, right), 0.74, tower)
            if self.scene.evening:
                self._lit_rooms(x, width, height)
            x += width * uniform(0.8, 1.3)

    def _lit_rooms(self, x: float, width: float, height: float) -> None:
        uniform = self.random.uniform
        for _ in range(3):
            left, top = x + uniform(0, width), 0.74 - uniform(0.02, height)
            self.rectangle(left, top, x + uniform(0, width) + 0.006, 0.73, _linear(2.2, 1.7, 0.9), 0.5)

    def partition(self) -> None:
        """A glass wall with a lit room behind."""
        self.rectangle(0.50, 0.06, 0.70, 0.80, self.wall * (0.78 if self.scene.evening else 0.88))
        self.rectangle(0.50, 0.06, 0.505, 0.80, self.wall * 0.5)
        self.rectangle(0.70, 0.0, 0.715, 0.84, self.wall * 0.5)
        glow = _linear(1.5, 1.3, 1.0) * np.float32(0.7 if self.scene.evening else 0.75)
        self.rectangle(0.52, 0.10, 0.685, 0.30, glow, 0.55)

    def shelf(self) -> None:
        self.rectangle(0.76, 0.05, 1.05, 0.86, self.wall * 0.60)
        for board in (0.07, 0.225, 0.38, 0.535, 0.69):
            self._books(board)
            self.rectangle(0.76, board + 0.145, 1.05, board + 0.157, self.wall)

    def _books(self, board: float) -> None:
        x, uniform = 0.77, self.random.uniform
        while x < 1.02:
            width, height = uniform(0.012, 0.034), uniform(0.075, 0.125)
            if self.random.random() > 0.28:
                cover = _BOOKS[self.random.integers(len(_BOOKS))] * np.float32(uniform(0.7, 1.15) * self.dim)
                self.rectangle(x, board + 0.145 - height, x + width, board + 0.145, cover)
            x += width + 0.003

    def furniture(self) -> None:
        """A low cabinet, a desk and a plant."""
        self.rectangle(-0.1, 0.74, 1.1, 1.1, self.wall * 0.62)
        self.rectangle(-0.1, 0.86, 1.1, 1.1, _linear(0.42, 0.32, 0.23) * np.float32(self.dim))
        for _ in range(46):
            x, y = 0.60 + self.random.normal(0, 0.045), 0.50 + self.random.normal(0, 0.10)
            light = self.random.uniform(0.55, 1.5) * self.dim
            leaf = (max(1, self._x(0.034)), max(1, self._x(0.010)))
            angle = float(self.random.uniform(0, 180))
            green = (0.12 * light, 0.25 * light, 0.10 * light)
            cv2.ellipse(self.canvas, (self._x(x), self._y(y)), leaf, angle, 0, 360, green, -1)
        self.rectangle(0.565, 0.60, 0.635, 0.78, _linear(0.72, 0.68, 0.62) * np.float32(self.dim))

    def ceiling_lights(self) -> None:
        """Small and far too bright: the lens makes discs of them."""
        for _ in range(7):
            spot = (self._x(self.random.uniform(0.48, 1.0)), self._y(self.random.uniform(0.0, 0.12)))
            cv2.circle(self.canvas, spot, max(1, self._x(0.009)), (7.0, 5.6, 3.8), -1)

    def out_of_focus(self) -> Array:
        radius = self.scene.blur * max(self.width, self.height)
        blurred = cv2.filter2D(self.canvas, -1, _lens(radius), borderType=cv2.BORDER_REFLECT)
        blurred = gauss(blurred, radius * 0.22) * np.float32(self.scene.exposure)
        toned = blurred / (1 + 0.22 * blurred) * np.float32(1.12)
        return np.asarray(np.clip(toned, 0, 1) ** (1 / 1.5), np.float32)

    def _x(self, share: float) -> int:
        return round(share * self.width)

    def _y(self, share: float) -> int:
        return round(share * self.height)


def _linear(red: float, green: float, blue: float) -> Array:
    return np.array((red, green, blue), np.float32)


_BOOKS = [
    _linear(0.56, 0.40, 0.26),
    _linear(0.22, 0.33, 0.44),
    _linear(0.80, 0.78, 0.72),
    _linear(0.50, 0.22, 0.16),
    _linear(0.20, 0.30, 0.24),
    _linear(0.90, 0.86, 0.76),
    _linear(0.12, 0.14, 0.17),
]


def _lens(radius: float) -> Array:
    side = 2 * math.ceil(radius) + 1
    rows, columns = np.mgrid[0:side, 0:side] - side // 2
    disc = (np.hypot(columns, rows) <= radius).astype(np.float32)
    return np.asarray(disc / disc.sum(), np.float32)
