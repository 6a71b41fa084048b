"""
Which tags an EXIF block has, never what they say.

A value is the one thing of a photo we never want to hold, and a general reader holds all of them, warns of each
broken tag by number in the server's log, and trusts offsets that a stranger wrote. This one walks the directories,
notes tag numbers and stops after a bounded number of them; the only value it reads is the orientation.
"""

import struct
from dataclasses import dataclass, field

_ORIENTATION = 0x0112
_POINTERS = {0x8769: "exif", 0x8825: "gps", 0xA005: "interop"}
_MOST_TAGS = 2000  # real photos have fewer than 200
_MOST_DIRECTORIES = 8


@dataclass(kw_only=True)
class ExifTags:
    """Tag numbers by directory: `image`, `exif`, `gps`, `interop`, `thumbnail`."""

    tags: list[tuple[str, int]] = field(default_factory=list)
    orientation: int = 1


def read_exif(block: bytes) -> ExifTags:
    """Never raises: what cannot be followed is not followed."""
    found = ExifTags()
    tiff = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return found
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    _walk(tiff, order, first, found)
    return found


def _walk(tiff: bytes, order: str, first: int, found: ExifTags) -> None:
    to_read = [("image", first)]
    seen: set[int] = set()
    while to_read and len(seen) < _MOST_DIRECTORIES:
        name, offset = to_read.pop(0)
        if offset in seen or not 0 < offset <= len(tiff) - 2:
            continue
        seen.add(offset)
        (count,) = struct.unpack_from(order + "H", tiff, offset)
        end = offset + 2 + 12 * count
        for at in range(offset + 2, min(end, len(tiff) - 11), 12):
            if len(found.tags) >= _MOST_TAGS:
                return
            to_read += _entry(tiff, order, at, name, found)
        if name == "image" and end + 4 <= len(tiff):
            to_read.append(("thumbnail", struct.unpack_from(order + "I", tiff, end)[0]))


def _entry(tiff: bytes, order: str, at: int, name: str, found: ExifTags) -> list[tuple[str, int]]:
    """Note one entry; answers with the directory it points at, if it does."""
    tag, kind, _count, value = struct.unpack_from(order + "HHII", tiff, at)
    if tag in _POINTERS:
        return [(_POINTERS[tag], value)]
    found.tags.append((name, tag))
    if tag == _ORIENTATION and name == "image":
        short = struct.unpack_from(order + "H", tiff, at + 8)[0] if kind == 3 else value
        found.orientation = short if 1 <= short <= 8 else 1
    return []
