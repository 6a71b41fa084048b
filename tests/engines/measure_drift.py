"""
How often the drift guard speaks up for nothing, and how often it notices: the figures in its module.

Run it with `python -m tests.engines.measure_drift [FOLDER]`. FOLDER holds photos of one person each; without it, there
is only the public-domain portrait that the tests use. Each photo is measured against pictures made from itself, before
another backdrop and framed anew, encoded as a JPEG:

* light: the same skin in other light. Exposure, white balance, gamma, contrast, colour, a light from one side; and all
  styles of the on-device engine. Everything that is said about these is a false alarm.
* skin: only what classic ranges of YCrCb take for skin gets lighter or darker, by so many L* at its median and along
  the way melanin absorbs, red least and blue most; the rest stays. Then some of the lights.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from core.drift import STRONG
from core.engines.on_device import OnDevice, drift, person, photo
from core.engines.on_device.arrays import Array
from core.engines.on_device.looks import STYLES
from core.engines.on_device.model import PersonModel
from core.ports import Headshot, Order
from tests.engines import portraits

Change = Callable[[Array], Array]

LIGHTEST = 88  # L*: beyond, skin has no room to get lighter
BACKDROPS = ((245, 245, 245), (40, 55, 90))


def linear(pixels: Array) -> Array:
    tone = pixels.astype(np.float32) / 255
    return np.where(tone <= 0.04045, tone / 12.92, ((tone + 0.055) / 1.055) ** 2.4)


def encoded(light: Array) -> Array:
    light = np.clip(light, 0, 1)
    tone = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(tone * 255).astype(np.uint8)


def gains(red: float, green: float, blue: float) -> Change:
    return lambda pixels: encoded(linear(pixels) * np.array([red, green, blue], np.float32))


def stops(number: float) -> Change:
    return gains(*[2**number] * 3)


def gamma(power: float) -> Change:
    return lambda pixels: np.rint(255 * (pixels / 255) ** power).astype(np.uint8)


def contrast(amount: float) -> Change:
    def change(pixels: Array) -> Array:
        tone = pixels / 255
        return np.rint(255 * np.clip(tone + amount * (tone - 0.5) * tone * (1 - tone), 0, 1)).astype(np.uint8)

    return change


def colourful(amount: float) -> Change:
    def change(pixels: Array) -> Array:
        lab = cv2.cvtColor((pixels / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
        lab[..., 1:] *= amount
        return np.rint(255 * np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)).astype(np.uint8)

    return change


def from_one_side(amount: float) -> Change:
    def change(pixels: Array) -> Array:
        return encoded(linear(pixels) * np.linspace(1 - amount, 1 + amount, pixels.shape[1])[None, :, None])

    return change


def both(first: Change, then: Change) -> Change:
    return lambda pixels: then(first(pixels))


LIGHTS: dict[str, Change] = {
    "the same": stops(0),
    "+½ EV": stops(0.5),
    "-½ EV": stops(-0.5),
    "+1 EV": stops(1),
    "-1 EV": stops(-1),
    "warm": gains(1.25, 1, 0.75),
    "cool": gains(0.82, 1, 1.25),
    "tungsten": gains(1.5, 1, 0.55),
    "gamma 0.8": gamma(0.8),
    "gamma 1.25": gamma(1.25),
    "harder": contrast(0.96),
    "softer": contrast(-0.96),
    "paler": colourful(0.8),
    "more colour": colourful(1.2),
    "from the left": from_one_side(-0.4),
    "from the right": from_one_side(0.4),
    "warm, +0.7 EV": both(gains(1.2, 1, 0.8), stops(0.7)),
    "cool, -0.7 EV": both(gains(0.85, 1, 1.2), stops(-0.7)),
}


SHIFTS = dict.fromkeys(
    (-20, -16, -12, -8, 8, 12, 16, 20),
    ("the same", "+½ EV", "-½ EV", "warm", "cool", "gamma 0.8", "gamma 1.25"),
)
"""Each in these lights."""


@dataclass(frozen=True)
class Sitter:
    """A photo, small, and who is on it."""

    file: bytes = field(repr=False)
    pixels: Array = field(repr=False)
    who: person.Person = field(repr=False)

    def pictured(self, pixels: Array, backdrop: tuple[int, int, int]) -> bytes:
        """Before another backdrop, framed as a headshot."""
        share = np.clip((self.who.soft - 0.3) / 0.5, 0, 1)[..., None]
        fading = np.linspace(1.05, 0.9, len(pixels))[:, None, None]
        whole = (pixels * share + np.clip(np.array(backdrop) * fading, 0, 255) * (1 - share)).astype(np.uint8)
        head = self.who.head
        top, left = max(0, int(head.top - 0.9 * head.radius)), max(0, int(head.x - 2.6 * head.radius))
        part = whole[top : int(head.top + 5.2 * head.radius), left : int(head.x + 2.6 * head.radius)]
        enlarged = 480 / max(part.shape[:2])
        return portraits.jpeg(cv2.resize(part, None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC))

    def skin(self) -> Array:
        """How much of each pixel is skin, found another way than the guard's."""
        ycrcb = cv2.cvtColor(cv2.GaussianBlur(self.pixels, (0, 0), 1.5), cv2.COLOR_RGB2YCrCb)
        within = cv2.inRange(ycrcb, np.array([19, 137, 76]), np.array([255, 179, 126])) > 0
        head = self.who.head
        rows, columns = np.mgrid[: len(self.pixels), : self.pixels.shape[1]]
        across, down = (columns - head.x) / head.radius, (rows - head.y) / head.radius - 0.25
        face = (across**2 + (down / 1.25) ** 2 < 1) | (down > 1.05)
        return cv2.GaussianBlur((within & face & (self.who.shape > 0)).astype(np.float32), (0, 0), 1.2)

    def shifted(self, by: float) -> Array | None:
        """Skin alone made lighter or darker; None where there is no room for it."""
        light, share = linear(self.pixels), self.skin()
        own = light[share > 0.7] @ np.array([0.2126, 0.7152, 0.0722])
        lightness = 116 * float(np.cbrt(np.median(own))) - 16
        if not 8 < lightness + by < LIGHTEST:
            return None
        factor = ((lightness + by + 16) / (lightness + 16)) ** 3
        changed = light * factor ** np.array([0.8, 1.04, 1.25])
        return encoded(light + share[..., None] * (changed - light))


def sitter(file: bytes, model: PersonModel) -> Sitter | None:
    upright = person.look(model, photo.open_photo(file).thumbnail(), 0)
    who = person.find_person(upright.soft)
    return Sitter(file, upright.thumbnail, who) if who else None


def relit(one: Sitter, lights: Mapping[str, Change]) -> Iterator[tuple[str, bytes]]:
    for number, (name, change) in enumerate(lights.items()):
        yield name, one.pictured(change(one.pixels), BACKDROPS[number % 2])


def ours(one: Sitter, styles: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    engine, backdrops = OnDevice(), ("white", "navy", "grey", "office_evening")
    for number, style in enumerate(styles):
        backdrop = backdrops[number % len(backdrops)]
        order = Order(portrait=one.file, ratio="4:5", long_side=640, style=style, backdrop=backdrop, variants=1)
        yield f"style {style}", next(made.data for made in engine.make(order) if isinstance(made, Headshot))


def reskinned(one: Sitter, shifts: Mapping[int, Sequence[str]]) -> Iterator[tuple[int, bytes]]:
    for by, lights in shifts.items():
        pixels = one.shifted(by)
        for number, name in enumerate(lights if pixels is not None else ()):
            yield by, one.pictured(LIGHTS[name](pixels), BACKDROPS[number % 2])


def table(
    files: Iterable[bytes],
    *,
    lights: Mapping[str, Change] = LIGHTS,
    shifts: Mapping[int, Sequence[str]] = SHIFTS,
    styles: Iterable[str] = tuple(STYLES),
) -> Iterator[str]:
    model = PersonModel()
    sitters = [found for file in files if (found := sitter(file, model))]
    lit: dict[str, list[float | None]] = {}
    shifted: dict[int, list[float | None]] = {}
    for one in sitters:
        for name, made in (*relit(one, lights), *ours(one, styles)):
            lit.setdefault(name, []).append(drift.shift(one.file, made, model))
        for by, made in reskinned(one, shifts):
            shifted.setdefault(by, []).append(drift.shift(one.file, made, model))
    yield f"{len(sitters)} photos, threshold {STRONG} L*"
    yield "light            largest  false alarms  not told"
    for name, found in lit.items():
        told = [abs(value) for value in found if value is not None]
        alarms = sum(value >= STRONG for value in told)
        yield f"{name:16} {max(told, default=0):7.1f}  {alarms:5} of {len(found):3}  {len(found) - len(told):8}"
    yield "skin made    noticed  the other way  not told"
    for by, found in sorted(shifted.items()):
        right = sum(value is not None and value * np.sign(by) >= STRONG for value in found)
        wrong = sum(value is not None and value * np.sign(by) <= -STRONG for value in found)
        yield f"{by:+3} L*  {right:5} of {len(found):3} {wrong:14} {sum(value is None for value in found):9}"


def main() -> None:
    given = [path.read_bytes() for folder in sys.argv[1:] for path in sorted(Path(folder).iterdir())]
    for line in table(given or [portraits.portrait()]):
        print(line)


if __name__ == "__main__":
    main()
