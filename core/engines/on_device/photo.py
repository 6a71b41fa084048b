"""Reading: from the bytes of a clean portrait to pixels, no larger than the work at hand needs."""

import io
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from core.engines.on_device.arrays import Array, Size, fit
from core.errors import EngineRefused
from core.language import _

SHORTEST_SIDE = 200  # px; below, a head is a handful of pixels
MOST_PIXELS = 60_000_000  # a decompression bomb by any phone's standard
THUMBNAIL_SIDE = 512  # twice what the network sees; framing needs no more

_REDUCED = {
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True, kw_only=True)
class Photo:
    """An undecoded portrait of known size."""

    data: bytes = field(repr=False)
    width: int
    height: int

    def pixels(self, *, reduce: int = 1) -> Array:
        """RGB, with the sides divided by `reduce` (1, 2, 4 or 8), which JPEG decoders do for next to nothing."""
        flag = cv2.IMREAD_COLOR_RGB if reduce == 1 else _REDUCED[reduce]
        source = np.frombuffer(self.data, np.uint8)
        try:
            decoded = cv2.imdecode(source, flag | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error as error:
            raise unreadable() from error
        if decoded is None:
            raise unreadable()
        return decoded if reduce == 1 else cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, dst=decoded)

    def thumbnail(self) -> Array:
        return fit(self.pixels(reduce=self.reduction_for(THUMBNAIL_SIDE)), THUMBNAIL_SIDE)

    def reduction_for(self, side: int, *, of: float | None = None) -> int:
        """The largest reduction that leaves at least `side` px of a stretch that is `of` px in full."""
        longest = max(self.width, self.height) if of is None else of
        return max((step for step in (1, 2, 4, 8) if longest / step >= side), default=1)


def open_photo(data: bytes) -> Photo:
    width, height = _size_in_header(data)
    if width * height > MOST_PIXELS:
        raise EngineRefused(
            _(
                "This photo has more than {most} million pixels. Please use a smaller copy.",
                most=MOST_PIXELS // 1_000_000,
            ),
            code="too_large",
        )
    if min(width, height) < SHORTEST_SIDE:
        raise EngineRefused(
            _(
                "This photo is smaller than {least} pixels on one side. "
                "Please use the original photo, not a screenshot or a thumbnail.",
                least=SHORTEST_SIDE,
            ),
            code="too_small",
        )
    return Photo(data=data, width=width, height=height)


def _size_in_header(data: bytes) -> Size:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise unreadable() from error


def unreadable() -> EngineRefused:
    says = _("We can't open this file. It may be damaged: try taking the photo again.")
    return EngineRefused(says, code="unreadable")
