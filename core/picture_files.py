"""
JPEG, PNG and WebP as files: which parts they are made of, and the same pixels among other parts.

Nothing is decoded and no compressed byte of a picture changes; segments and chunks are taken out, put in, and handed
on. What does not hold together is refused: whoever reads on from a wrong length reads something else.
"""

from dataclasses import dataclass, field

from core.errors import EngineRefused


class NotAPicture(EngineRefused):
    """These bytes are no whole picture of a kind that we handle."""

    code = "result_refused"


Part = tuple[bytes, bytes]
"""Its name, and all of it as it stands in the file."""

_MOST_PARTS = 20_000
_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"

_XMP, _XMP_KEYWORD = b"http://ns.adobe.com/xap/1.0/\x00", b"XML:com.adobe.xmp\x00"
_PROFILE = b"ICC_PROFILE\x00"
_SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_APP0, _APP1, _APP2, _APP11, _APP14, _APP15, _COMMENT, _SCAN, _END = (
    0xE0,
    0xE1,
    0xE2,
    0xEB,
    0xEE,
    0xEF,
    0xFE,
    0xDA,
    0xD9,
)

# All that a picture needs to be shown in its right colours and size. Animations become their first picture.
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"sBIT", b"bKGD", b"pHYs"}
_PNG_PROFILE = b"iCCP"
_WEBP_PIXELS = (b"VP8 ", b"VP8L")


def media_type_of(data: bytes) -> str:
    """By its first bytes. Raises NotAPicture."""
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data.startswith(_PNG):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise NotAPicture("This is no picture.")


def with_packet(data: bytes, packet: bytes, *, keep_profile: bool) -> bytes:
    """The same pixels with this XMP as the only metadata, the colour profile aside. Raises NotAPicture."""
    match media_type_of(data):
        case "image/jpeg":
            return _jpeg_with(data, packet, keep_profile)
        case "image/png":
            return _png_with(data, packet, keep_profile)
        case _:
            return _webp_with(data, packet, keep_profile)


def packet_of(data: bytes) -> bytes | None:
    """The XMP in it. Raises NotAPicture."""
    match media_type_of(data):
        case "image/jpeg":
            found = (part[4 + len(_XMP) :] for name, part in _jpeg(data).header if _is_xmp(name, part))
        case "image/png":
            texts = (part[8:-4] for name, part in _png(data) if name == b"iTXt")
            plain = (body[len(_XMP_KEYWORD) :] for body in texts if body.startswith(_XMP_KEYWORD + b"\x00"))
            found = (body[2:].split(b"\x00", 2)[-1] for body in plain)
        case _:
            found = (_body(part) for name, part in _webp(data) if name == b"XMP ")
    return next(found, None)


def carries_c2pa(data: bytes) -> bool:
    """Raises NotAPicture."""
    match media_type_of(data):
        case "image/jpeg":
            return any(
                name[0] == _APP11 and part[4:6] == b"JP" and b"jumb" in part for name, part in _jpeg(data).header
            )
        case "image/png":
            return any(name == b"caBX" for name, _ in _png(data))
        case _:
            return any(name == b"C2PA" for name, _ in _webp(data))


# ----------------------------------------------------------------------------------------------------------- JPEG
@dataclass(frozen=True)
class _Jpeg:
    header: list[Part] = field(repr=False)  # segments up to the first scan, each named by its marker
    rest: bytes = field(repr=False)


def jpeg_metadata(data: bytes) -> list[str]:
    """Which application segments and comments there are, as "APP1" or "COM". Raises NotAPicture."""
    names = [name[0] for name, _ in _jpeg(data).header]
    return ["COM" if name == _COMMENT else f"APP{name - _APP0}" for name in names if _is_metadata(name)]


def _jpeg(data: bytes) -> _Jpeg:
    segments: list[Part] = []
    at, whole = len(_JPEG), len(data)
    while data.startswith(_JPEG) and at + 4 <= whole and data[at] == 0xFF and len(segments) < _MOST_PARTS:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == _SCAN:
            if not any(name[0] in _SOF for name, _ in segments):
                break
            return _Jpeg(segments, data[at:])
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > whole:
            break
        segments.append((bytes([marker]), data[at : at + 2 + length]))
        at += 2 + length
    raise NotAPicture("This is no whole JPEG.")


def _jpeg_with(data: bytes, packet: bytes, keep_profile: bool) -> bytes:
    jpeg = _jpeg(data)
    if b"\xff" + bytes([_END]) not in jpeg.rest:
        raise NotAPicture("This JPEG breaks off.")
    content = _XMP + packet
    if len(content) > 0xFFFF - 2:
        raise NotAPicture("This is too much to say in a JPEG.")
    ours = b"\xff" + bytes([_APP1]) + (len(content) + 2).to_bytes(2, "big") + content
    first = [part for name, part in jpeg.header if name[0] == _APP0 and part[4:9] == b"JFIF\x00"][:1]
    others = [part for name, part in jpeg.header if _is_needed(name[0], part, keep_profile)]
    return b"".join([_JPEG, *first, ours, *others, jpeg.rest])


def _is_needed(marker: int, part: bytes, keep_profile: bool) -> bool:
    """Tables and frames; Adobe's word on how colours are coded; the profile."""
    if marker == _APP2 and part[4:].startswith(_PROFILE):
        return keep_profile
    return (marker == _APP14 and part[4:9] == b"Adobe") or not _is_metadata(marker)


def _is_xmp(name: bytes, part: bytes) -> bool:
    return name[0] == _APP1 and part[4:].startswith(_XMP)


def _is_metadata(marker: int) -> bool:
    return _APP0 <= marker <= _APP15 or marker == _COMMENT


# ------------------------------------------------------------------------------------------------------------ PNG
def _png(data: bytes) -> list[Part]:
    """Chunks up to the end of the picture; what follows is not it."""
    chunks: list[Part] = []
    at = len(_PNG)
    while at + 12 <= len(data) and len(chunks) < _MOST_PARTS:
        name, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data) or (not chunks and name != b"IHDR"):
            break
        chunks.append((name, data[at:end]))
        at = end
        if name == b"IEND":
            if not any(found == b"IDAT" for found, _ in chunks):
                break
            return chunks
    raise NotAPicture("This is no whole PNG.")


def _png_with(data: bytes, packet: bytes, keep_profile: bool) -> bytes:
    from zlib import crc32

    kept = [part for name, part in _png(data) if name in _PNG_KEPT or (keep_profile and name == _PNG_PROFILE)]
    text = b"iTXt" + _XMP_KEYWORD + b"\x00\x00\x00\x00" + packet  # not compressed, in no language
    ours = (len(text) - 4).to_bytes(4, "big") + text + crc32(text).to_bytes(4, "big")
    return b"".join([_PNG, kept[0], ours, *kept[1:]])


# ----------------------------------------------------------------------------------------------------------- WebP
def _webp(data: bytes) -> list[Part]:
    end = 8 + int.from_bytes(data[4:8], "little")
    chunks: list[Part] = []
    at = 12
    while at + 8 <= end <= len(data) and len(chunks) < _MOST_PARTS:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        part = data[at : at + 8 + length]
        if at + 8 + length > end:
            break
        chunks.append((data[at : at + 4], part + b"\x00" * (length % 2)))
        at += 8 + length + length % 2
    if at < end or end > len(data) or not any(name in _WEBP_PIXELS for name, _ in chunks):
        raise NotAPicture("This is no whole, still WebP.")
    return chunks


def _webp_with(data: bytes, packet: bytes, keep_profile: bool) -> bytes:
    chunks = _webp(data)
    kept = [part for name, part in chunks if name in (b"ALPH", *_WEBP_PIXELS)]
    profile = [part for name, part in chunks if name == b"ICCP" and keep_profile][:1]
    name, pixels = next((name, _body(part)) for name, part in chunks if name in _WEBP_PIXELS)
    width, height, transparent = _webp_extent(name, pixels)
    transparent = transparent or any(name == b"ALPH" for name, _ in chunks)
    flags = 0x04 | (0x10 if transparent else 0) | (0x20 if profile else 0)
    extent = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = _webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + extent)
    parts = b"".join([b"WEBP", head, *profile, *kept, _webp_chunk(b"XMP ", packet)])
    return b"RIFF" + len(parts).to_bytes(4, "little") + parts


def _webp_extent(name: bytes, pixels: bytes) -> tuple[int, int, bool]:
    """Width, height, whether it may be transparent: as the picture's own header says."""
    if len(pixels) < 10:
        raise NotAPicture("This is no whole WebP.")
    if name == b"VP8 ":
        across, down = (int.from_bytes(pixels[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        if not across or not down:
            raise NotAPicture("This is no whole WebP.")
        return across, down, False
    bits = int.from_bytes(pixels[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _webp_chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\x00" * (len(body) % 2)


def _body(part: bytes) -> bytes:
    return part[8 : 8 + int.from_bytes(part[4:8], "little")]
