"""Smaller versions of a finished picture, for downloads and previews. Its AI marks go along."""

import io

from core import marks
from core.catalogue import Purpose

Size = tuple[int, int]  # width, height in px


def smaller(data: bytes, size: Size) -> bytes:
    """The same JPEG at another size of the same shape, its marks carried over."""
    from PIL import Image  # not while the server starts: most of this module is arithmetic

    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.draft("RGB", (size[0] * 2, size[1] * 2))
        scaled = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    scaled.save(out, "JPEG", quality=92, subsampling=0)
    found = marks.read_marks(data)
    return marks.mark(out.getvalue(), found) if found else out.getvalue()


def fitted(size: Size, width: int) -> Size:
    """`size` brought down to a width; never up."""
    width = min(width, size[0])
    return width, max(1, round(size[1] * width / size[0]))


def downloads(purpose: Purpose, made: Size) -> list[Size]:
    """The sizes in which a result is offered, largest first: the purpose's, where it has the pixels, and its own."""
    return sorted({made, *(size for size in purpose.sizes if size[0] < made[0])}, reverse=True)
