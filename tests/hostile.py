"""
Broken, tricky and malicious files, built by script, each with what reading it must come to.

`corpus()` is one list for every test that puts files into the app. `expect` is "reads" or the code of the
InvalidPhoto. `heavy` files are the largest that are let in: they cost seconds.
"""

import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms
from skimage import data as skimage_data

HERE = Path(__file__).parent / "data"
READS = "reads"
SECRETS = (b"SN-123456789", b"Pat Owner", b"Elm Street 5", b"2026:01:02", b"GPSLatitude")


@dataclass(frozen=True, kw_only=True)
class Case:
    name: str
    filename: str
    data: bytes = field(repr=False)
    expect: str
    heavy: bool = False


def corpus(*, heavy: bool = True) -> Iterator[Case]:
    yield from light()
    if heavy:
        yield from _heavy()


@cache
def light() -> tuple[Case, ...]:
    """All but the heavy ones, built once."""
    families = (_plain, _modes, _oriented, _metadata, _truncated, _flipped, _other_files, _sizes, _lies, _stuffed)
    return tuple(case for family in families for case in family())


def named(name: str) -> Case:
    return next(case for case in light() if case.name == name)


# Ingredients


@cache
def portrait() -> Image.Image:
    """A public-domain portrait, 480 × 600, RGB."""
    whole = Image.fromarray(skimage_data.astronaut())
    return whole.crop((40, 0, 400, 450)).resize((480, 600), Image.Resampling.LANCZOS)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@cache
def jpeg() -> bytes:
    return encoded(portrait(), "JPEG", quality=88)


@cache
def png() -> bytes:
    return encoded(portrait(), "PNG", compress_level=1)


@cache
def webp() -> bytes:
    return encoded(portrait(), "WEBP", quality=80, method=0)


@cache
def avif() -> bytes:
    return encoded(portrait(), "AVIF", quality=60, speed=10)


@cache
def heic() -> bytes:
    return (HERE / "portrait.heic").read_bytes()


def exif(orientation: int | None = None) -> bytes:
    """A phone's EXIF, with everything that says who, where and when."""
    block = Image.Exif()
    if orientation is not None:
        block[0x0112] = orientation
    block[0x010F], block[0x0110], block[0x0131] = "Maker", "Phone 1", "Editor 3"
    block[0x013B], block[0x010E] = "Pat Owner", "Elm Street 5"
    block.get_ifd(0x8769).update({0x9003: "2026:01:02 03:04:05", 0xA431: "SN-123456789", 0x829A: 0.01})
    block.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    return block.tobytes()


def xmp() -> bytes:
    return (
        b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r"><rdf:Description '
        b'exif:GPSLatitude="52,30.5N" exif:GPSLongitude="13,24E" aux:SerialNumber="SN-123456789" '
        b'xmp:CreatorTool="Editor 3"><dc:creator>Pat Owner</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>'
    )


def icc() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def with_segments(*segments: bytes, of: bytes | None = None) -> bytes:
    """A JPEG with more segments right after its start."""
    base = of or jpeg()
    return base[:2] + b"".join(segments) + base[2:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_chunks(*chunks: bytes, of: bytes | None = None) -> bytes:
    """A PNG with more chunks right after its header."""
    base = of or png()
    return base[:33] + b"".join(chunks) + base[33:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def zeros(count: int) -> bytes:
    """`count` zero bytes, deflated, without ever being held."""
    packer, parts, block = zlib.compressobj(1), [], bytes(1 << 20)
    for _ in range(count >> 20):
        parts.append(packer.compress(block))
    parts.append(packer.compress(bytes(count & 0xFFFFF)) + packer.flush())
    return b"".join(parts)


def png_of_zeros(width: int, height: int, depth: int, colour: int) -> bytes:
    """A real picture, all black or see-through, of any size."""
    channels = {0: 1, 2: 3, 6: 4}[colour]
    row = 1 + (width * depth * channels + 7) // 8
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zeros(row * height)) + chunk(b"IEND", b"")


def motion_clip() -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"mp42", 0, b"isom") + struct.pack(">I4s", 1008, b"mdat") + bytes(1000)


def _noise(count: int) -> bytes:
    return random.Random(7).randbytes(count)


# Families


def _plain() -> Iterator[Case]:
    yield Case(name="jpeg", filename="me.jpg", data=jpeg(), expect=READS)
    yield Case(name="png", filename="me.png", data=png(), expect=READS)
    yield Case(name="webp", filename="me.webp", data=webp(), expect=READS)
    yield Case(name="avif", filename="me.avif", data=avif(), expect=READS)
    yield Case(name="heic", filename="IMG_0001.HEIC", data=heic(), expect=READS)
    yield Case(name="jpeg named png", filename="me.png", data=jpeg(), expect=READS)
    yield Case(name="png named jpg", filename="me.jpg", data=png(), expect=READS)
    yield Case(name="webp named jpg", filename="me.jpg", data=webp(), expect=READS)
    yield Case(name="heic named jpg", filename="me.jpg", data=heic(), expect=READS)
    yield Case(name="avif named heic", filename="me.heic", data=avif(), expect=READS)
    yield Case(name="no extension", filename="me", data=jpeg(), expect=READS)
    yield Case(name="long name", filename="x" * 251 + ".jpg", data=jpeg(), expect=READS)
    yield Case(name="path in name", filename="../../etc/passwd.jpg", data=jpeg(), expect=READS)
    yield Case(name="markup in name", filename="<img src=x onerror=alert(1)>.jpg", data=jpeg(), expect=READS)
    yield Case(name="right to left name", filename="me\u202egpj.exe.jpg", data=jpeg(), expect=READS)


def _modes() -> Iterator[Case]:
    def case(name: str, data: bytes, end: str) -> Case:
        return Case(name=name, filename=f"me.{end}", data=data, expect=READS)

    rgb, grey = portrait(), portrait().convert("L")
    alpha = Image.linear_gradient("L").resize(rgb.size)
    see_through = rgb.copy()
    see_through.putalpha(alpha)
    cmyk = encoded(rgb.convert("CMYK"), "JPEG", quality=85)
    yield case("cmyk jpeg", cmyk, "jpg")
    at = cmyk.index(b"Adobe") + 11
    yield case("ycck jpeg", cmyk[:at] + b"\2" + cmyk[at + 1 :], "jpg")
    yield case("grey jpeg", encoded(grey, "JPEG"), "jpg")
    yield case("progressive jpeg", encoded(rgb, "JPEG", progressive=True), "jpg")
    yield case("rgb jpeg", encoded(rgb, "JPEG", keep_rgb=True), "jpg")
    yield case("restart markers", encoded(rgb, "JPEG", restart_marker_blocks=3), "jpg")
    yield case("arithmetic jpeg", (HERE / "arithmetic.jpg").read_bytes(), "jpg")
    yield case("16-bit grey png", encoded(Image.fromarray(_sixteen(grey)), "PNG"), "png")
    yield case("16-bit rgb png", _png_16(rgb), "png")
    yield case("palette png", encoded(rgb.quantize(64), "PNG"), "png")
    yield case("palette with transparency", encoded(rgb.quantize(64), "PNG", transparency=3), "png")
    yield case("palette with alpha list", encoded(rgb.quantize(4), "PNG", transparency=b"\0\x40\x80\xff"), "png")
    yield case("1-bit png", encoded(rgb.convert("1"), "PNG"), "png")
    yield case("grey png", encoded(grey, "PNG"), "png")
    yield case("grey and alpha png", encoded(Image.merge("LA", (grey, alpha)), "PNG"), "png")
    yield case("rgba png", encoded(see_through, "PNG", compress_level=1), "png")
    yield case("rgb png with one transparent colour", encoded(rgb, "PNG", transparency=(0, 0, 0)), "png")
    yield case("interlaced png", _interlaced(grey), "png")
    yield case("lossless webp", encoded(rgb, "WEBP", lossless=True, method=0, quality=0), "webp")
    yield case("webp with alpha", encoded(see_through, "WEBP", method=0), "webp")
    yield case("lossless webp with alpha", encoded(see_through, "WEBP", lossless=True, method=0, quality=0), "webp")
    yield case("avif with alpha", encoded(see_through, "AVIF", speed=10), "avif")
    yield case("grey avif", encoded(grey, "AVIF", speed=10), "avif")
    yield case("heic with alpha", (HERE / "see_through.heic").read_bytes(), "heic")
    two = [rgb.rotate(180)]
    yield case("animated png", encoded(rgb, "PNG", save_all=True, append_images=two), "png")
    yield case("animated webp", encoded(rgb, "WEBP", save_all=True, append_images=two, method=0), "webp")
    yield case("animated avif", encoded(rgb, "AVIF", save_all=True, append_images=two, speed=10), "avif")
    yield case("multi-picture jpeg", encoded(rgb, "MPO", save_all=True, append_images=two), "jpg")
    yield case("motion photo", jpeg() + motion_clip(), "jpg")


def _sixteen(grey: Image.Image) -> Any:
    import numpy as np

    return np.asarray(grey).astype(np.uint16) * 257


def _png_16(rgb: Image.Image) -> bytes:
    width, height = rgb.size
    wide = bytes(value for value in rgb.tobytes() for _ in range(2))
    rows = b"".join(b"\0" + wide[y * width * 6 : (y + 1) * width * 6] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def _interlaced(grey: Image.Image) -> bytes:
    width, height = grey.size
    rows, values = [], grey.tobytes()
    for x0, y0, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        rows += [b"\0" + values[y * width + x0 : (y + 1) * width : dx] for y in range(y0, height, dy)]
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    packed = zlib.compress(b"".join(rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


# What a camera held at each orientation would store for the same upright picture.
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned(orientation: int) -> bytes:
    """The portrait, stored turned, with the EXIF orientation that undoes it."""
    turn = _STORED[orientation]
    stored = portrait() if turn is None else portrait().transpose(turn)
    return encoded(stored, "JPEG", quality=92, exif=exif(orientation))


def _oriented() -> Iterator[Case]:
    for orientation in range(1, 9):
        name = f"orientation {orientation}"
        yield Case(name=name, filename="me.jpg", data=turned(orientation), expect=READS)
    for wrong in (0, 9, 255, 65535):
        data = encoded(portrait(), "JPEG", exif=exif(wrong))
        yield Case(name=f"orientation {wrong}", filename="me.jpg", data=data, expect=READS)
    stored = portrait().transpose(Image.Transpose.ROTATE_90)
    for kind, end in (("PNG", "png"), ("WEBP", "webp"), ("AVIF", "avif")):
        data = encoded(stored, kind, exif=exif(6))
        yield Case(name=f"orientation 6 in {end}", filename=f"me.{end}", data=data, expect=READS)
    yield Case(name="turned heic", filename="me.heic", data=(HERE / "turned.heic").read_bytes(), expect=READS)


def iptc() -> bytes:
    fields = b"".join(
        struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text
        for number, text in ((80, b"Pat Owner"), (90, b"Elm Street 5"), (120, b"Elm Street 5"))
    )
    return (
        b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(fields)) + fields + b"\0" * (len(fields) % 2)
    )


def laden() -> bytes:
    """A JPEG with every kind of luggage at once."""
    return (
        with_segments(
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
            segment(0xED, iptc()),
            segment(0xEB, b"JP\0\1\0\0\0\1" + b"jumbc2pa" + bytes(40)),
            segment(0xE2, b"ICC_PROFILE\0\1\1" + icc()),
            segment(0xFE, b"Elm Street 5"),
            of=encoded(portrait(), "JPEG", exif=exif()),
        )
        + motion_clip()
    )


def _metadata() -> Iterator[Case]:
    def case(name: str, data: bytes, end: str) -> Case:
        return Case(name=name, filename=f"me.{end}", data=data, expect=READS)

    everything = {"exif": exif(), "xmp": xmp(), "icc_profile": icc()}
    yield case("laden jpeg", laden(), "jpg")
    yield case("laden webp", encoded(portrait(), "WEBP", method=0, **everything), "webp")
    yield case("laden avif", encoded(portrait(), "AVIF", speed=10, **everything), "avif")
    text = chunk(b"tEXt", b"Author\0Pat Owner") + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"Elm Street 5"))
    packet = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp())
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(icc()))
    yield case(
        "laden png", with_chunks(profile, chunk(b"eXIf", exif()[6:]), text, packet, chunk(b"tIME", bytes(7))), "png"
    )
    hexed = b"\nexif\n%8d\n" % len(exif()) + exif().hex().encode()
    yield case("exif as png text", with_chunks(chunk(b"tEXt", b"Raw profile type exif\0" + hexed)), "png")
    yield case("gps in xmp only", with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp())), "jpg")
    yield case("display p3 like profile", encoded(portrait(), "JPEG", icc_profile=icc()), "jpg")


def _truncated() -> Iterator[Case]:
    files = {"jpg": jpeg(), "png": png(), "webp": webp(), "avif": avif(), "heic": heic()}
    for end, data in files.items():
        for percent in (1, 10, 50, 90, 99):
            cut = data[: max(16, len(data) * percent // 100)]
            yield Case(name=f"{end} cut at {percent} %", filename=f"me.{end}", data=cut, expect="unreadable")
        only = data[:12]
        yield Case(name=f"{end} signature only", filename=f"me.{end}", data=only, expect="unreadable")


def _flipped() -> Iterator[Case]:
    """One byte wrong in the middle of the pixels: most decoders go on, as people's viewers do."""
    for end, data in {"jpg": jpeg(), "png": png(), "webp": webp(), "avif": avif(), "heic": heic()}.items():
        at = len(data) * 2 // 3
        flipped = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        expect = "unreadable" if end == "png" else READS  # deflate loses its way
        yield Case(name=f"{end} with a flipped byte", filename=f"me.{end}", data=flipped, expect=expect)
    garbled = bytearray(jpeg())
    garbled[len(garbled) // 2 :] = _noise(len(garbled) - len(garbled) // 2)
    yield Case(name="jpeg that turns to noise", filename="me.jpg", data=bytes(garbled), expect="unreadable")


def _other_files() -> Iterator[Case]:
    def case(name: str, data: bytes, filename: str = "me.jpg", expect: str = "unsupported") -> Case:
        return Case(name=name, filename=filename, data=data, expect=expect)

    small = portrait().resize((240, 300))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("me.jpg", jpeg())
    yield case("empty", b"", expect="empty")
    yield case("one byte", b"\xff")
    yield case("nulls", bytes(100_000))
    yield case("noise", _noise(50_000))
    yield case("text", b"this is not a photo\n" * 50)
    yield case("html", b"<!doctype html><script>alert(1)</script>")
    yield case("svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "me.svg")
    yield case("svg as jpg", b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>')
    yield case("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF")
    yield case("zip", archive.getvalue())
    yield case("elf", b"\x7fELF\2\1\1" + bytes(200))
    yield case("windows program", b"MZ" + bytes(300))
    yield case("php", b"<?php system($_GET['c']); ?>")
    yield case("gif", encoded(small.quantize(16), "GIF"))
    yield case("animated gif", encoded(small, "GIF", save_all=True, append_images=[small.rotate(90)]), "me.gif")
    yield case("tiff", encoded(small, "TIFF"), "me.tif")
    yield case("bmp", encoded(small, "BMP"), "me.bmp")
    yield case("ico", encoded(small, "ICO"), "me.ico")
    yield case("jpeg 2000", encoded(small, "JPEG2000"), "me.jp2")
    yield case("psd", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 300, 240, 8, 3) + bytes(12))
    yield case("jpeg xl", b"\xff\x0a" + _noise(300), "me.jxl")
    yield case("raw photo", b"II*\0\x10\0\0\0CR\2\0" + bytes(500), "me.cr2")
    yield case("video", motion_clip(), "me.mp4")
    yield case("video named heic", motion_clip(), "me.heic")
    yield case("canon raw", struct.pack(">I4s4sI", 24, b"ftyp", b"crx ", 1) + b"crx isom" + bytes(100), "me.cr3")
    yield case("eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")


def _sizes() -> Iterator[Case]:
    def case(name: str, data: bytes, expect: str, end: str = "png") -> Case:
        return Case(name=name, filename=f"me.{end}", data=data, expect=expect)

    yield case("1 x 1", encoded(Image.new("RGB", (1, 1)), "PNG"), "too_small")
    yield case("199 x 300", encoded(portrait().resize((199, 300)), "PNG"), "too_small")
    yield case("200 x 200", encoded(portrait().resize((200, 200)), "PNG"), READS)
    yield case("1 x 10000", encoded(Image.new("RGB", (1, 10000)), "PNG"), "too_small")
    yield case("10000 x 1", encoded(Image.new("RGB", (10000, 1)), "JPEG"), "too_small", "jpg")
    yield case("250 x 20000", encoded(Image.new("L", (250, 20000), 99), "PNG"), "too_small")
    yield case("black", encoded(Image.new("RGB", (400, 500)), "PNG"), READS)
    yield case("white", encoded(Image.new("RGB", (400, 500), "white"), "PNG"), READS)
    yield case("fully see-through", png_of_zeros(400, 500, 8, 6), READS)
    yield case("61 MP heic", (HERE / "huge.heic").read_bytes(), "too_large", "heic")
    yield case("13000 x 13000 bits", png_of_zeros(13000, 13000, 1, 0), "too_large")
    yield case("20000 x 20000 bits", png_of_zeros(20000, 20000, 1, 0), "too_large")
    yield case("65000 x 950", png_of_zeros(65000, 950, 1, 0), "too_large")
    yield case("more than 20 MB", jpeg() + bytes(20_000_001 - len(jpeg())), "too_heavy", "jpg")


def _with_jpeg_size(width: int, height: int, of: bytes | None = None) -> bytes:
    base = of or jpeg()
    at = base.index(b"\xff\xc0") + 5
    return base[:at] + struct.pack(">HH", height, width) + base[at + 4 :]


def _with_png_size(width: int, height: int) -> bytes:
    base = png()
    header = struct.pack(">II", width, height) + base[24:29]
    return base[:8] + chunk(b"IHDR", header) + base[33:]


def _with_box_size(base: bytes, width: int, height: int) -> bytes:
    at = base.index(b"ispe") + 8
    return base[:at] + struct.pack(">II", width, height) + base[at + 8 :]


def _with_webp_size(width: int, height: int) -> bytes:
    base = webp()
    at = base.index(b"VP8 ") + 14
    return base[:at] + struct.pack("<HH", width, height) + base[at + 4 :]


def _lies() -> Iterator[Case]:
    """Headers that say something else than the pixels do."""

    def case(name: str, data: bytes, expect: str, end: str = "jpg") -> Case:
        return Case(name=name, filename=f"me.{end}", data=data, expect=expect)

    yield case("jpeg header 65535 x 65535", _with_jpeg_size(65535, 65535), "too_large")
    yield case("jpeg header 65535 x 900", _with_jpeg_size(65535, 900), "unreadable")
    yield case("jpeg header 0 x 0", _with_jpeg_size(0, 0), "too_small")
    yield case("jpeg header 7000 x 8000", _with_jpeg_size(7000, 8000), READS)
    yield case("two frame headers", with_segments(segment(0xC0, b"\x08\xff\xff\xff\xff\3" + bytes(9))), "unreadable")
    yield case("png header 30000 x 30000", _with_png_size(30000, 30000), "too_large", "png")
    yield case("png header 2147483647 wide", _with_png_size(2**31 - 1, 1), "too_large", "png")
    yield case("png header 4294967295 wide", _with_png_size(2**32 - 1, 2**32 - 1), "too_large", "png")
    yield case("png header 0 x 0", _with_png_size(0, 0), "too_small", "png")
    yield case("png header 7000 x 8000", _with_png_size(7000, 8000), "unreadable", "png")
    second = chunk(b"IHDR", struct.pack(">IIBBBBB", 480, 600, 8, 2, 0, 0, 0))
    big = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0))
    yield case("png with two headers", png()[:8] + second + big + png()[33:], "too_large", "png")
    yield case("webp header 16383 x 16383", _with_webp_size(16383, 16383), "too_large", "webp")
    yield case("webp header 7000 x 8000", _with_webp_size(7000, 8000), "unreadable", "webp")
    canvas = struct.pack("<I", 0) + (16383).to_bytes(3, "little") * 2
    still = (b"VP8 ", webp()[20:])
    yield case("webp canvas 16384 x 16384", riff((b"VP8X", canvas), still), READS, "webp")
    yield case("webp of 4000 MB", b"RIFF\xff\xff\xff\xff" + webp()[8:], READS, "webp")
    yield case("webp without pixels", riff((b"VP8X", canvas)), "unreadable", "webp")
    yield case("avif 30000 x 30000", _with_box_size(avif(), 30000, 30000), "too_large", "avif")
    yield case("avif 300 x 300", _with_box_size(avif(), 300, 300), READS, "avif")
    yield case("heic 30000 x 30000", _with_box_size(heic(), 30000, 30000), "too_large", "heic")
    huge = (HERE / "huge.heic").read_bytes()
    yield case(
        "huge heic, 300 x 300 they say",
        huge.replace(struct.pack(">II", 8000, 7600), struct.pack(">II", 300, 300)),
        "unreadable",
        "heic",
    )
    endless = struct.pack(">I4s4sI4s", 20, b"ftyp", b"heic", 0, b"mif1") + struct.pack(">I4sQ", 1, b"meta", 8)
    yield case("heic box of size 8", endless, "unreadable", "heic")
    nested = struct.pack(">I4s4sI4s", 20, b"ftyp", b"heic", 0, b"mif1") + struct.pack(">I4sI", 12, b"meta", 0) * 9000
    yield case("heic of empty boxes", nested, "unreadable", "heic")


def _circular_exif() -> bytes:
    entry = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x8825, 4, 1, 8)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entry + struct.pack("<I", 8)


def _greedy_exif(size: int, tags: int) -> bytes:
    """Each tag claims half of the block as its value."""
    entries = b"".join(struct.pack("<HHII", 0x8000 + number, 7, size // 2, 8) for number in range(tags))
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", tags) + entries + struct.pack("<I", 0)
    return b"Exif\0\0" + block + bytes(max(0, size - len(block)))


def _many_scans(count: int) -> bytes:
    """A progressive picture whose last scan is repeated: every repeat is one more pass over 36 megapixels."""
    base = encoded(Image.new("L", (6000, 6000), 128), "JPEG", progressive=True)
    last = base.rindex(b"\xff\xda")
    return base[:-2] + base[last:-2] * count + b"\xff\xd9"


def _stuffed() -> Iterator[Case]:
    """Bombs and luggage beside the pixels, which are fine and are read."""

    def case(name: str, data: bytes, end: str = "jpg", expect: str = READS) -> Case:
        return Case(name=name, filename=f"me.{end}", data=data, expect=expect)

    archive = io.BytesIO(jpeg())
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("run.sh", "rm -rf /")
    bomb = zeros(64 << 20)
    yield case("jpeg and zip", archive.getvalue())
    yield case("jpeg and html", jpeg() + b"<html><script>alert(1)</script></html>")
    yield case("jpeg and php comment", with_segments(segment(0xFE, b"<?php system($_GET['c']); __halt_compiler();")))
    yield case("png and html", png() + b"<script>alert(1)</script>", "png")
    yield case("webp and zip", webp() + b"PK\3\4" + bytes(90), "webp")
    yield case("heic and zip", heic() + struct.pack(">I4s", 98, b"junk") + bytes(90), "heic")
    yield case("avif and text", avif() + b"Elm Street 5, second floor", "avif")
    yield case("trailing megabytes", jpeg() + _noise(5_000_000))
    yield case("fill bytes", jpeg()[:2] + b"\xff" * 3000 + jpeg()[2:])
    yield case("comments without end", with_segments(*[segment(0xFE, b"x")] * 30_000), expect="unreadable")
    inner = segment(0xE1, _greedy_exif(50_000, 4000))
    yield case("exif in a reserved segment", with_segments(segment(0xF3, inner)))
    yield case("segment of no length", with_segments(b"\xff\xdb\0\0", inner), expect="unreadable")
    yield case("circular exif", with_segments(segment(0xE1, _circular_exif())))
    yield case("garbage exif", with_segments(segment(0xE1, b"Exif\0\0" + _noise(5000))))
    yield case("empty exif", with_segments(segment(0xE1, b"Exif\0\0")))
    yield case("greedy exif", with_segments(segment(0xE1, _greedy_exif(60_000, 4000))))
    pieces = _greedy_exif(9_000_000, 1000)
    split = [segment(0xE1, b"Exif\0\0" + pieces[at : at + 65000]) for at in range(6, len(pieces), 65000)]
    yield case("greedy exif in pieces", with_segments(*split))
    yield case("greedy exif in png", with_chunks(chunk(b"eXIf", _greedy_exif(9_000_000, 3000)[6:])), "png")
    greedy_riff = riff((b"VP8 ", webp()[20:]), (b"EXIF", _greedy_exif(9_000_000, 3000)[6:]))
    yield case("greedy exif in webp", greedy_riff, "webp")
    greedy = {"exif": _greedy_exif(9_000_000, 3000)[6:], "speed": 10}
    with warnings.catch_warnings(action="ignore"):  # the encoder reads what it is given
        still = encoded(portrait(), "AVIF", **greedy)
        moving = encoded(portrait(), "AVIF", save_all=True, append_images=[portrait().rotate(9)], **greedy)
    yield case("greedy exif in avif", still, "avif")
    yield case("greedy exif in animated avif", moving, "avif")
    nothing = struct.pack(">I4sI", 12, b"meta", 0)
    at = int.from_bytes(avif()[:4], "big")
    yield case("avif with two tables of contents", avif()[:at] + nothing + avif()[at:], "avif", "unreadable")
    yield case("garbage xmp", with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _noise(9000))))
    laughs = (
        b'<!DOCTYPE l [<!ENTITY a "ha">' + b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">' * 99 + b"]><x:xmpmeta>&b;</x:xmpmeta>"
    )
    yield case("billion laughs", with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + laughs)))
    yield case(
        "garbage iptc", with_segments(segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\xff\xff\xff\xff\x1c"))
    )
    yield case("garbage profile", with_segments(segment(0xE2, b"ICC_PROFILE\0\1\1" + _noise(3000))))
    lying = struct.pack(">I", 2**31) + icc()[4:]
    yield case("profile of 2 GB", with_segments(segment(0xE2, b"ICC_PROFILE\0\1\1" + lying)))
    cmyk_icc = icc().replace(b"RGB ", b"CMYK")
    yield case("profile for other pixels", with_segments(segment(0xE2, b"ICC_PROFILE\0\1\1" + cmyk_icc)))
    yield case("profile pieces in disorder", with_segments(segment(0xE2, b"ICC_PROFILE\0\x09\1" + icc())))
    yield case("profile bomb", with_chunks(chunk(b"iCCP", b"p\0\0" + bomb)), "png")
    yield case("text bomb", with_chunks(chunk(b"zTXt", b"Comment\0\0" + bomb)), "png")
    yield case("xmp bomb", with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)), "png")
    yield case("many text bombs", with_chunks(*[chunk(b"zTXt", b"Comment\0\0" + bomb)] * 40), "png")
    yield case("pixels beyond the picture", _overfull(), "png", READS)
    yield case("chunks without end", with_chunks(*[chunk(b"tEXt", b"a\0b")] * 30_000), "png", "unreadable")
    yield case("scans without end", _many_scans(3000), expect="unreadable")
    yield case("wrong checksum", png()[:29] + b"\0\0\0\0" + png()[33:], "png", "unreadable")


def _overfull() -> bytes:
    header = struct.pack(">IIBBBBB", 400, 500, 8, 0, 0, 0, 0)
    packed = zeros(64 << 20)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _heavy() -> Iterator[Case]:
    """The most expensive pictures that are let in."""

    def case(name: str, data: bytes, end: str) -> Case:
        return Case(name=name, filename=f"me.{end}", data=data, expect=READS, heavy=True)

    side = 7740
    cmyk = Image.new("CMYK", (side, side), (10, 60, 90, 5))
    yield case("60 MP progressive cmyk jpeg", encoded(cmyk, "JPEG", quality=50, progressive=True), "jpg")
    del cmyk
    yield case("60 MP rgba png", png_of_zeros(side, side, 8, 6), "png")
    yield case("60 MP webp with alpha", (HERE / "large.webp").read_bytes(), "webp")
    yield case("40 MP avif with alpha", (HERE / "large.avif").read_bytes(), "avif")
