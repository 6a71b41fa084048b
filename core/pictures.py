"""Smaller versions of a finished picture, for downloads and previews. Its AI marks go along."""

import contextlib
import io
from typing import TYPE_CHECKING

from core import marks
from core.catalogue import Purpose

if TYPE_CHECKING:
    from PIL import Image

Size = tuple[int, int]  # width, height in px

_JPEG = ("JPEG", "jpg")
_KINDS = {"image/jpeg": _JPEG, "image/png": ("PNG", "png"), "image/webp": ("WebP", "webp")}


def media_type(data: bytes) -> str:
    """By its first bytes."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "image/jpeg"


def called(media_type: str) -> str:
    """As people call it: JPEG, PNG, WebP."""
    return _KINDS.get(media_type, _JPEG)[0]


def ending(media_type: str) -> str:
    """Of the name of a file."""
    return _KINDS.get(media_type, _JPEG)[1]


def smaller(data: bytes, size: Size, *, otherwise: marks.Marks | None = None) -> bytes:
    """The picture as a JPEG of another size, its marks carried over. Where it is of another shape, it is cut to fit.

    `otherwise`: what it says about itself where it carries no marks of ours, such as signed ones that do not survive.
    """
    from PIL import Image  # not while the server starts: most of this module is arithmetic

    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
        part = cut(image.size, size)
        reach = max(1, round(size[0] * image.width / (part[2] - part[0])))
        whole = image.size
        image.draft("RGB", (reach * 2, reach * 2 * image.height // image.width))
        x, y = image.width / whole[0], image.height / whole[1]
        box = (part[0] * x, part[1] * y, part[2] * x, part[3] * y)
        scaled = _opaque_srgb(image).resize(size, Image.Resampling.LANCZOS, box=box)
    out = io.BytesIO()
    scaled.save(out, "JPEG", quality=92, subsampling=0)
    found = marks.read_marks(data) or otherwise
    return marks.mark(out.getvalue(), found) if found else out.getvalue()


def _opaque_srgb(image: "Image.Image") -> "Image.Image":
    """Before white where it is see-through, and in the one colour space that needs no profile to go along."""
    from PIL import Image, ImageCms

    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        seen_through = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), seen_through).convert("RGB")
    plain = image.convert("RGB")
    if profile and image.mode == "RGB":
        with contextlib.suppress(ImageCms.PyCMSError, OSError):  # a profile that makes no sense is none
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(plain, source, ImageCms.createProfile("sRGB"))
            plain = converted or plain
    plain.info = {}
    return plain


SHAPE_TOLERANCE = 0.005  # as the catalogue's: shapes that differ by rounding only
ABOVE = 0.35  # of what is cut off in height comes off above: heads are in the upper half


def cut(size: Size, shape: Size) -> tuple[int, int, int, int]:
    """The largest part of `size` that has this shape, as (left, top, right, bottom): its middle, or a little above."""
    width, height = size
    if abs(width * shape[1] / (height * shape[0]) - 1) < SHAPE_TOLERANCE:
        return 0, 0, width, height
    narrower = min(width, round(height * shape[0] / shape[1]))
    lower = min(height, round(width * shape[1] / shape[0]))
    left, top = (width - narrower) // 2, round((height - lower) * ABOVE)
    return left, top, left + narrower, top + lower


def shaped(size: Size, ratio: str) -> Size:
    """What is left of `size` when it is cut to "4:5"."""
    across, down = (int(part) for part in ratio.split(":"))
    left, top, right, bottom = cut(size, (across, down))
    return right - left, bottom - top


def fitted(size: Size, width: int) -> Size:
    """`size` brought down to a width; never up."""
    width = min(width, size[0])
    return width, max(1, round(size[1] * width / size[0]))


def downloads(purpose: Purpose, made: Size) -> list[Size]:
    """The sizes in which a result is offered: the purpose's, where it has the pixels, largest first; and its own, which
    is first, unless it is of another shape."""
    fits = shaped(made, purpose.ratio)
    known = sorted((size for size in purpose.sizes if size[0] < made[0] and size[1] <= fits[1]), reverse=True)
    known = [size for size in known if size[0] <= fits[0]]
    return [made, *known] if fits == made else [*known, made]
