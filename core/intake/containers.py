"""
Takes an image file apart: pixels to one side, everything else counted.

The decoder is handed a skeleton that holds the compressed pixels and little more, so a bomb in a text chunk, a
profile or a tag directory never reaches it. Formats are told by content; file names and declared types are hearsay.
"""

import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from core.intake import removed
from core.intake.exif import ExifTags, read_exif

_MOST_PARTS = 20_000
_LARGEST_PROFILE = 4 << 20
_LARGEST_TEXT = 1 << 20


class Damaged(Exception):
    """The file does not hold together. Stays inside intake."""


@dataclass(kw_only=True)
class Parts:
    """A file taken apart. `skeleton` is all that a decoder gets to see."""

    format: str
    skeleton: bytes = field(default=b"", repr=False)
    size: tuple[int, int] | None = None  # as declared
    scans: int = 1
    profile: bytes | None = field(default=None, repr=False)
    orientation: int = 1
    carried: Counter[str] = field(default_factory=Counter)

    def carries_exif(self, block: bytes) -> None:
        tags: ExifTags = read_exif(block)
        if tags.orientation != 1 and self.orientation == 1:
            self.orientation = tags.orientation
        self.carried += removed.count_exif(tags) or Counter({removed.SETTINGS: 1})

    def carries_profile(self, profile: bytes | None) -> None:
        self.carried[removed.PROFILE] += 1
        if profile and len(profile) <= _LARGEST_PROFILE:
            self.profile = profile


def kind_of(data: bytes) -> str | None:
    """JPEG, PNG, WebP, HEIC or AVIF; None for everything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[4:8] == b"ftyp":
        return _kind_of_brands(data)
    return None


def _kind_of_brands(data: bytes) -> str | None:
    end = min(int.from_bytes(data[:4], "big"), 512)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    heif = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
    return "HEIC" if brands & heif else None


def take_apart(data: bytes, kind: str) -> Parts:
    """Raises Damaged."""
    ways: dict[str, Callable[[bytes, Parts], None]] = {
        "JPEG": _jpeg,
        "PNG": _png,
        "WebP": _webp,
        "HEIC": _boxes,
        "AVIF": _boxes,
    }
    parts = Parts(format=kind)
    try:
        ways[kind](data, parts)
    except (struct.error, IndexError, ValueError) as error:
        raise Damaged from error
    return parts


# JPEG: segments up to the first end-of-image; what follows is not this picture.

_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_KEPT = {*_FRAME, 0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD}  # frames, tables, scans


def _jpeg(data: bytes, parts: Parts) -> None:
    kept, at, profiles = [b"\xff\xd8"], 2, dict[int, bytes]()
    parts.scans = 0
    for _ in range(_MOST_PARTS):
        found = _MARKER.search(data, at)
        if not found:
            break
        marker, at = data[found.end() - 1], found.end()
        if marker == 0xD9:
            kept.append(b"\xff\xd9")
            parts.carried += removed.count_trailing(data[at:])
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            continue
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end < at + 2:  # shorter than its own length: whoever reads on from here reads something else
            raise Damaged
        body = data[at + 2 : end]
        if marker == 0xDA:
            parts.scans += 1
            over = _AFTER_SCAN.search(data, end)
            end = over.start() if over else len(data)
        if marker in _FRAME and len(body) >= 5:
            parts.size = struct.unpack(">HH", body[1:5])[::-1]
        if marker not in _JPEG_KEPT and not _jpeg_extra(marker, body, parts, profiles):
            at = end
            continue
        kept.append(b"\xff" + bytes([marker]) + data[at:end])
        at = end
    else:
        raise Damaged
    if profiles:
        parts.carries_profile(b"".join(profiles[number] for number in sorted(profiles)))
    parts.skeleton = b"".join(kept)


def _jpeg_extra(marker: int, body: bytes, parts: Parts, profiles: dict[int, bytes]) -> bool:
    """Count an application segment or comment; answers whether the decoder needs it."""
    if (marker == 0xE0 and body.startswith(b"JFIF\0")) or (marker == 0xEE and body.startswith(b"Adobe")):
        return True
    if marker == 0xE1 and body.startswith(b"Exif\0"):
        parts.carries_exif(body)
    elif marker == 0xE1 and (b"ns.adobe.com/xap" in body[:40] or b"<x:xmpmeta" in body[:400]):
        parts.carried += removed.count_xmp(body)
    elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xmp/extension/"):
        parts.carried += removed.count_xmp(body[75:])
    elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        profiles[body[12]] = body[14:]
    elif marker == 0xED and body.startswith(b"Photoshop 3.0\0"):
        parts.carried += removed.count_photoshop(body[14:])
    elif marker == 0xE2 and body.startswith(b"MPF\0"):
        pass  # an index of the pictures that follow; those are counted themselves
    else:
        parts.carried[_JPEG_OTHER.get(marker, removed.OTHER)] += 1
    return False


_JPEG_OTHER = {0xFE: removed.COMMENT, 0xE0: removed.THUMBNAIL, 0xEB: removed.CREDENTIALS}


# PNG: the critical chunks and transparency. An animation's first picture is the still one.

_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_TECHNICAL = {b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"sBIT", b"bKGD", b"hIST", b"acTL", b"fdAT", b"cICP"}


def _png(data: bytes, parts: Parts) -> None:
    kept, at = [data[:8]], 8
    for _ in range(_MOST_PARTS):
        if at + 12 > len(data):
            break
        length = int.from_bytes(data[at : at + 4], "big")
        name, end = data[at + 4 : at + 8], at + 12 + length
        body = data[at + 8 : end - 4]
        if name == b"IHDR":
            parts.size = struct.unpack(">II", body[:8])
        if name in _PNG_KEPT:
            kept.append(data[at:end])
        elif name not in _PNG_TECHNICAL:
            _png_extra(name, body, parts)
        at = end
        if name == b"IEND":
            parts.carried += removed.count_trailing(data[at:])
            break
    else:
        raise Damaged
    # The first animation frame may be the still picture itself.
    parts.carried[removed.EXTRA] = max(0, parts.carried[removed.EXTRA] - 1)
    parts.skeleton = b"".join(kept)


def _png_extra(name: bytes, body: bytes, parts: Parts) -> None:
    keyword, _, rest = body.partition(b"\0")
    if name == b"iCCP":
        parts.carries_profile(_inflate(rest[1:], _LARGEST_PROFILE))
    elif name == b"eXIf":
        parts.carries_exif(body)
    elif name in (b"tEXt", b"zTXt", b"iTXt"):
        _png_text(keyword, rest, compressed=name == b"zTXt", parts=parts)
    else:
        kinds = {b"tIME": removed.DATE, b"caBX": removed.CREDENTIALS, b"fcTL": removed.EXTRA}
        parts.carried[kinds.get(name, removed.OTHER)] += 1


def _png_text(keyword: bytes, rest: bytes, *, compressed: bool, parts: Parts) -> None:
    if keyword == b"XML:com.adobe.xmp":
        packed = rest[:1] == b"\1"
        text = rest[2:].split(b"\0", 2)[-1]
        parts.carried += removed.count_xmp((_inflate(text, _LARGEST_TEXT) or b"") if packed else text)
    elif keyword in (b"Raw profile type exif", b"Raw profile type APP1"):
        text = (_inflate(rest[1:], _LARGEST_TEXT) or b"") if compressed else rest
        digits = b"".join(text.split()[2:])
        parts.carries_exif(bytes.fromhex(re.sub(rb"[^0-9a-fA-F]", b"", digits)[: len(digits) // 2 * 2].decode()))
    else:
        parts.carried[removed.kind_of_text(keyword)] += 1


def _inflate(packed: bytes, most: int) -> bytes | None:
    """None where it is broken or would grow beyond `most`."""
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(packed, most)
    except zlib.error:
        return None
    return None if stream.unconsumed_tail else out


# WebP: one still picture; of an animation the first frame.


def _webp(data: bytes, parts: Parts) -> None:
    stop = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    kept, frames, at = list[bytes](), 0, 12
    for _ in range(_MOST_PARTS):
        if at + 8 > stop:
            break
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        chunk, body = data[at : at + 8 + length + length % 2], data[at + 8 : at + 8 + length]
        at += len(chunk)
        if name == b"ANMF":
            frames += 1
            if frames == 1:
                kept.append(body[16:])
        elif name in (b"VP8 ", b"VP8L", b"ALPH"):
            kept.append(chunk)
        else:
            _webp_extra(name, body, parts)
    else:
        raise Damaged
    if int.from_bytes(data[4:8], "little") + 8 < len(data):
        parts.carried += removed.count_trailing(data[stop:])
    parts.carried[removed.EXTRA] += max(0, frames - 1)
    _webp_still(b"".join(kept), parts)


def _webp_extra(name: bytes, body: bytes, parts: Parts) -> None:
    if name == b"ICCP":
        parts.carries_profile(body)
    elif name == b"EXIF":
        parts.carries_exif(body)
    elif name == b"XMP ":
        parts.carried += removed.count_xmp(body)
    elif name not in (b"VP8X", b"ANIM"):
        parts.carried[removed.CREDENTIALS if name == b"C2PA" else removed.OTHER] += 1


def _webp_still(chunks: bytes, parts: Parts) -> None:
    """The size is read from the picture's own header: the container's may say anything."""
    at, has_alpha = 0, False
    while at + 8 <= len(chunks) and chunks[at : at + 4] not in (b"VP8 ", b"VP8L"):
        has_alpha |= chunks[at : at + 4] == b"ALPH"
        length = int.from_bytes(chunks[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    body = chunks[at + 8 : at + 22]
    if chunks[at : at + 4] == b"VP8 ":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", body, 6))
    else:
        (bits,) = struct.unpack_from("<I", body, 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    parts.size = (width, height)
    if has_alpha:
        extent = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks = b"VP8X" + struct.pack("<II", 10, 0x10) + extent + chunks
    parts.skeleton = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


# HEIC and AVIF: boxes. Pixels cannot be cut out cheaply, so the file goes in whole, but what says "this is EXIF"
# and what ties metadata to the picture is renamed: a decoder that knows of none reads none.

_CONTENT_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def _box(data: bytes, at: int, end: int) -> tuple[bytes, int, int]:
    """Name, start of the body, and end of the box at `at`."""
    size, name = struct.unpack_from(">I4s", data, at)
    start = at + 8
    if size == 1:
        (size,) = struct.unpack_from(">Q", data, start)
        start += 8
    elif size == 0:
        size = end - at
    if size < start - at:
        raise Damaged
    return name, start, min(at + size, end)


def _inside(data: bytes, at: int, end: int) -> list[tuple[bytes, int, int]]:
    boxes: list[tuple[bytes, int, int]] = []
    while at + 8 <= end:
        if len(boxes) >= _MOST_PARTS:
            raise Damaged
        boxes.append(_box(data, at, end))
        at = boxes[-1][2]
    return boxes


def _boxes(data: bytes, parts: Parts) -> None:
    skeleton = bytearray(data)
    for name, start, end in _inside(data, 0, len(data)):
        if name in (b"meta", b"moov"):  # a sequence keeps its metadata with its tracks
            skeleton[start:end] = data[start:end].replace(b"cdsc", b"none").replace(b"Exif", b"none")
        if name == b"meta":
            _try_meta(data, start + 4, end, parts)
        elif name == b"uuid":
            ours = data[start : start + 16] == _CONTENT_CREDENTIALS
            parts.carried[removed.CREDENTIALS if ours else removed.OTHER] += 1
        elif name == b"mpvd":
            parts.carried[removed.VIDEO] += 1
        elif name == b"moov":
            parts.carried[removed.EXTRA] += 1
        elif name not in (b"ftyp", b"mdat", b"free", b"skip", b"idat"):
            parts.carried[removed.TRAILING] += 1
    parts.skeleton = bytes(skeleton)


def _try_meta(data: bytes, at: int, end: int, parts: Parts) -> None:
    """A table of contents that we cannot follow is for the decoder to judge; it may know better."""
    try:
        _meta(data, at, end, parts)
    except (struct.error, IndexError, Damaged):
        parts.carried[removed.OTHER] += 1


def _meta(data: bytes, at: int, end: int, parts: Parts) -> None:
    inside = {name: (start, stop) for name, start, stop in _inside(data, at, end)}
    places = _places(data, *inside[b"iloc"]) if b"iloc" in inside else {}
    for item, kind in _items(data, *inside[b"iinf"]) if b"iinf" in inside else ():
        offset, length = places.get(item, (0, 0))
        block = data[offset : offset + min(length, _LARGEST_TEXT)]
        if kind == b"Exif":
            skip = 4 + int.from_bytes(block[:4], "big")
            parts.carried += removed.count_exif(read_exif(block[skip:])) or Counter({removed.SETTINGS: 1})
        elif kind == b"mime":
            parts.carried += removed.count_xmp(block)
        elif kind in (b"uri ", b"jumb"):
            parts.carried[removed.OTHER] += 1
    if b"iref" in inside:
        start, stop = inside[b"iref"]
        thumbnails = sum(name == b"thmb" for name, _, _ in _inside(data, start + 4, stop))
        parts.carried[removed.THUMBNAIL] += thumbnails
    if b"iprp" in inside:
        _properties(data, *inside[b"iprp"], parts)


def _properties(data: bytes, at: int, end: int, parts: Parts) -> None:
    boxes = [
        box for name, start, stop in _inside(data, at, end) if name == b"ipco" for box in _inside(data, start, stop)
    ]
    for name, start, stop in boxes:
        body = data[start:stop]
        if name == b"ispe":
            size = struct.unpack_from(">II", body, 4)
            if parts.size is None or size[0] * size[1] > parts.size[0] * parts.size[1]:
                parts.size = size
        elif name == b"colr" and body[:4] in (b"prof", b"rICC"):
            parts.carries_profile(body[4:])
        elif name == b"auxC" and not (b":alpha" in body or b"auxid:1" in body):
            parts.carried[removed.DEPTH] += 1  # of a portrait mode: depth, skin, hair, teeth


def _items(data: bytes, at: int, end: int) -> list[tuple[int, bytes]]:
    """Number and type of each item."""
    items: list[tuple[int, bytes]] = []
    first = at + (6 if data[at] == 0 else 8)
    for name, start, stop in _inside(data, first, end):
        version = data[start] if stop > start else 0
        if name == b"infe" and version >= 2:
            wide = 2 if version == 2 else 4
            number = int.from_bytes(data[start + 4 : start + 4 + wide], "big")
            items.append((number, data[start + 6 + wide : start + 10 + wide]))
    return items


def _places(data: bytes, at: int, end: int) -> dict[int, tuple[int, int]]:
    """Where each item's first extent lies in the file."""
    version = data[at]
    offset_size, length_size = data[at + 4] >> 4, data[at + 4] & 15
    base_size, index_size = data[at + 5] >> 4, data[at + 5] & 15 if version in (1, 2) else 0
    wide = 2 if version < 2 else 4
    at += 6

    def number(size: int) -> int:
        nonlocal at
        if at + size > end:
            raise Damaged
        at += size
        return int.from_bytes(data[at - size : at], "big")

    places: dict[int, tuple[int, int]] = {}
    for _ in range(min(number(wide), _MOST_PARTS)):
        item = number(wide)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        base = number(base_size)
        for extent in range(number(2)):
            number(index_size)
            offset, length = number(offset_size), number(length_size)
            if extent == 0 and method == 0:
                places[item] = (base + offset, length)
    return places
