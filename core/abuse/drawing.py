"""A reported image as an operator sees it: small, and with who looks at it and when drawn all over it."""

import io
from typing import TYPE_CHECKING, Final

from core import pictures

if TYPE_CHECKING:
    from PIL import Image

LONG_SIDE: Final = 900
_LETTER, _ROW = 16, 34  # px: rows so close that no face fits between two
_ANGLE: Final = 28
_INK, _SHADE = 150, 110  # of 255: to be read on any picture, with the picture still to be made out


def small_and_marked(data: bytes, says: str) -> bytes:
    """A JPEG made anew from the pixels. `says` is part of them, again and again from corner to corner."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
        longest = max(image.size)
        width, height = (max(1, round(side * min(1, LONG_SIDE / longest))) for side in image.size)
    with Image.open(io.BytesIO(pictures.smaller(data, (width, height)))) as image:
        drawn = image.convert("RGB")
    words = _words(drawn.size, says)
    drawn.paste("black", (1, 1), words.point(lambda ink: ink * _SHADE // 255))
    drawn.paste("white", (0, 0), words.point(lambda ink: ink * _INK // 255))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=80)
    return out.getvalue()


def _words(size: tuple[int, int], says: str) -> "Image.Image":
    """The words as a mask: rows of them over a square that still covers the picture when it is turned."""
    from PIL import Image, ImageDraw, ImageFont

    across = sum(size) + 2 * _ROW
    layer = Image.new("L", (across, across), 0)
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(_LETTER)
    step = int(draw.textlength(says + "   ", font=font))
    for row, top in enumerate(range(0, across, _ROW)):
        for left in range(-(row * 97 % step), across, step):
            draw.text((left, top), says, fill=255, font=font)
    turned = layer.rotate(_ANGLE, resample=Image.Resampling.BICUBIC)
    left, top = (across - size[0]) // 2, (across - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))
