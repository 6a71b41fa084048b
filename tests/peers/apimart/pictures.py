"""The pictures that it makes: the portrait that was handed over, cut to what was ordered, in a frame."""

import io
import math
import struct
import zlib
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageOps

from tests.peers.apimart.models import SIDES, Order

FRAME = (0, 128, 128)


def sniffed(data: bytes) -> str | None:
    """Its type by its first bytes, whatever it is called. None: not taken."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if data.startswith((b"GIF87a", b"GIF89a")) else None


def is_flat(data: bytes) -> bool:
    """Of a single colour."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").getcolors(1) is not None


def size_of(order: Order, portrait: bytes) -> tuple[int, int]:
    """As large as the resolution's square, in the ratio that was asked for; sides are multiples of 16."""
    area = SIDES[order.resolution.upper()] ** 2
    across, down = _ratio(order.ratio, portrait)
    width = math.sqrt(area * across / down)
    return _sixteens(width), _sixteens(area / width)


def _ratio(asked: str, portrait: bytes) -> tuple[int, int]:
    """`auto` and `match_input_image` go by the portrait."""
    if ":" in asked:
        across, _, down = asked.partition(":")
        return int(across), int(down)
    if not portrait:
        return 1, 1
    with Image.open(io.BytesIO(portrait)) as image:
        return image.size


def _sixteens(side: float) -> int:
    return max(16, math.ceil(side / 16 - 1e-6) * 16)


@lru_cache(maxsize=8)
def picture(portrait: bytes, pixels: tuple[int, int], kind: str) -> bytes:
    """A JPEG, PNG or WEBP. Without a portrait it is a gradient."""
    image = _opened(portrait) if portrait else Image.linear_gradient("L").convert("RGB")
    image = ImageOps.fit(image, pixels)
    width, height = pixels
    edge = max(1, min(pixels) // 50)
    ImageDraw.Draw(image).rectangle((0, 0, width - 1, height - 1), outline=FRAME, width=edge)
    how: dict[str, Any] = {"compress_level": 1} if kind == "PNG" else {"quality": 90}
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def _opened(portrait: bytes) -> Image.Image:
    with Image.open(io.BytesIO(portrait)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def signed(data: bytes) -> bytes:
    """
    With a C2PA manifest where each format has its place for one: for `Outcome(finish=signed)`. The boxes are right,
    the manifest in them is empty, and no checker of signatures would take it.
    """
    named = _box(b"jumd", b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0")
    store = _box(b"jumb", named)
    if data.startswith(b"\x89PNG"):
        chunk = struct.pack(">I", len(store)) + b"caBX" + store
        return data[:33] + chunk + struct.pack(">I", zlib.crc32(chunk[4:])) + data[33:]  # behind IHDR
    if data.startswith(b"\xff\xd8"):
        segment = b"JP\0\1\0\0\0\1" + store
        return data[:2] + b"\xff\xeb" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    inside = data[8:] + b"C2PA" + struct.pack("<I", len(store)) + store + bytes(len(store) % 2)
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def _box(kind: bytes, inside: bytes) -> bytes:
    return struct.pack(">I4s", len(inside) + 8, kind) + inside
