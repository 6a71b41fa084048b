"""
Makes the small pictures of data/pictures: each style and each backdrop, by the engine itself.

The portrait is NASA's of Eileen Collins, in the public domain, as scikit-image ships it.
Run `python -m tests.tour.pictures` after changing a recipe, and look at what came out.
"""

import json

import cv2
import numpy as np
from PIL import Image
from skimage import data

from core.catalogue import CATALOGUE_FILE, PICTURES
from core.engines.on_device import OnDevice
from core.engines.on_device.arrays import Array
from core.engines.on_device.finish import to_jpeg
from core.ports import Framing, Headshot, Order

WIDTH, HEIGHT = 320, 400
RATIO = "4:5"
LONG_SIDE = 1000  # made larger and scaled down: edges as people will see them
ENLARGED = 3
ZOOM = 1.2
QUALITY = 84
STYLE_BACKDROP = "grey"  # the same for all: a style is light and tone, and that is what its picture should show
BACKDROP_STYLE = "studio"


def main() -> None:
    catalogue = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    portrait = to_jpeg(_portrait(), 95)
    own = to_jpeg(_own_backdrop(), 92)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for entry in catalogue["styles"]:
        _save(entry["picture"], _made(portrait, entry["id"], STYLE_BACKDROP, None))
    for entry in catalogue["backdrops"]:
        image = own if entry["id"] == "own" else None
        _save(entry["picture"], _made(portrait, BACKDROP_STYLE, entry["id"], image))


def _portrait() -> Array:
    """Enlarged, because the engine frames what it is given and the original is small."""
    original = data.astronaut()
    return cv2.resize(original, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)


def _own_backdrop() -> Array:
    """Stands for "your own image": another public-domain photo of the same source, a rocket on its pad."""
    return np.ascontiguousarray(data.rocket())


def _made(portrait: bytes, style: str, backdrop: str, image: bytes | None) -> bytes:
    order = Order(
        portrait=portrait,
        ratio=RATIO,
        long_side=LONG_SIDE,
        style=style,
        backdrop=backdrop,
        variants=1,
        framing=Framing(zoom=ZOOM),
        backdrop_image=image,
    )
    return next(made.data for made in OnDevice().make(order) if isinstance(made, Headshot))


def _save(name: str, jpeg: bytes) -> None:
    pixels = cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    small = Image.fromarray(cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
    small.save(PICTURES / name, "JPEG", quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main()
