"""Smaller versions of a finished picture, for downloads and previews. Its AI marks go along."""

import io

from PIL import Image

from core import marks


def smaller(data: bytes, width: int) -> bytes:
    """The same JPEG at another width, never larger than it is; proportions kept, marks carried over."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        width = min(width, image.width)
        height = max(1, round(image.height * width / image.width))
        image.draft("RGB", (width * 2, height * 2))
        scaled = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    scaled.save(out, "JPEG", quality=92, subsampling=0)
    return marks.carry_over(data, out.getvalue())
