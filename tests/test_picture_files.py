"""Marks in a provider's files: not a pixel touched, nothing else left in, and signed ones left as they are."""

import io
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core import picture_files, pictures
from core.catalogue import Purpose
from core.marks import NotAPicture, SourceType, carries_c2pa, generated, provider, read_marks

SAYS = generated(by="Somebody & sons", model="painter-2", at=datetime(2026, 11, 21, 12, tzinfo=UTC))
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">theirs</x:xmpmeta>'


def painted(width: int = 90, height: int = 120) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([rows * 2, columns * 2, rows + columns], -1).astype(np.uint8))


def file_of(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (image or painted()).save(out, kind, **options)
    return out.getvalue()


def loaded(kind: str) -> bytes:
    """With everything a file can carry along: where it was taken, what was asked for, somebody else's marks."""
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    with Image.open(io.BytesIO(file_of("JPEG"))) as plain:
        profile = plain.info.get("icc_profile") or _profile()
    options: dict[str, object] = {"exif": exif, "icc_profile": profile}
    if kind == "PNG":
        told = PngImagePlugin.PngInfo()
        told.add_text("parameters", "a secret prompt")
        told.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return file_of(kind, pnginfo=told, **options)
    return file_of(kind, xmp=XMP, **options, **({"comment": b"a secret prompt"} if kind == "JPEG" else {}))


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def signed(kind: str, image: Image.Image | None = None) -> bytes:
    """As Content Credentials lie in a file; what they say does not matter here."""
    data, box = file_of(kind, image), b"\x00\x00\x00\x20jumb\x00\x00\x00\x18jumdc2pa" + bytes(12)
    match kind:
        case "JPEG":
            content = b"JP\x00\x01\x00\x00\x00\x01" + box
            return data[:2] + b"\xff\xeb" + (len(content) + 2).to_bytes(2, "big") + content + data[2:]
        case "PNG":
            return data[:33] + chunk(b"caBX", box) + data[33:]
        case _:
            body = data[8:] + b"C2PA" + len(box).to_bytes(4, "little") + box
            return b"RIFF" + len(body).to_bytes(4, "little") + body


kinds = pytest.mark.parametrize("kind", list(TYPES))


@kinds
def test_our_marks_go_in_and_no_pixel_changes(kind):
    plain = file_of(kind)
    marked = provider(plain, TYPES[kind], SAYS)

    assert read_marks(marked) == SAYS and SAYS.source_type is SourceType.GENERATED
    assert np.array_equal(pixels(marked), pixels(plain))
    assert picture_files.media_type_of(marked) == TYPES[kind]
    assert Image.open(io.BytesIO(marked)).format == kind


@kinds
def test_the_compressed_picture_is_the_same_to_the_byte(kind):
    def coded(data: bytes) -> bytes:
        match kind:
            case "JPEG":
                return data[data.index(b"\xff\xda") :]
            case "PNG":
                return b"".join(part for name, part in picture_files._png(data) if name == b"IDAT")
            case _:
                return b"".join(part for name, part in picture_files._webp(data) if name in (b"VP8 ", b"VP8L"))

    plain = file_of(kind)
    assert len(coded(plain)) > 100
    assert coded(provider(plain, TYPES[kind], SAYS)) == coded(plain)


@kinds
def test_whatever_else_was_in_it_goes_but_its_colours_stay(kind):
    heavy = loaded(kind)
    marked = provider(heavy, TYPES[kind], SAYS)

    assert b"theirs" in heavy and b"secret" in heavy
    assert b"theirs" not in marked and b"secret" not in marked
    assert read_marks(marked) == SAYS
    with Image.open(io.BytesIO(marked)) as image:
        assert image.info["icc_profile"] == _profile()
        assert not image.getexif()
    assert np.array_equal(pixels(marked), pixels(heavy))


@kinds
def test_marking_twice_is_marking_once(kind):
    once = provider(loaded(kind), TYPES[kind], SAYS)
    assert provider(once, TYPES[kind], SAYS) == once


@kinds
def test_content_credentials_are_found_and_their_file_left_alone(kind):
    data = signed(kind)
    assert pixels(data).shape == (120, 90, 4), "it is a picture"
    assert carries_c2pa(data) and not carries_c2pa(file_of(kind))
    assert provider(data, TYPES[kind], SAYS) is data


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("lossless", [True, False])
def test_what_is_see_through_stays_so(kind, lossless):
    image = painted().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    plain = file_of(kind, image, **({"lossless": lossless} if kind == "WEBP" else {}))
    marked = provider(plain, TYPES[kind], SAYS)

    assert np.array_equal(pixels(marked), pixels(plain))
    assert pixels(marked)[..., 3].min() < 20
    assert read_marks(marked) == SAYS


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_hangs_on_behind_a_png_or_before_a_jpeg_s_picture_goes(kind):
    data = file_of(kind)
    more = data + b"a secret" if kind == "PNG" else data[:2] + b"\xff\xe4\x00\x0aa secret" + data[2:]
    assert b"a secret" not in provider(more, TYPES[kind], SAYS)


@kinds
def test_what_is_not_what_it_is_said_to_be_is_refused(kind):
    other = next(name for name in TYPES.values() if name != TYPES[kind])
    with pytest.raises(NotAPicture):
        provider(file_of(kind), other, SAYS)


@kinds
def test_a_file_that_breaks_off_anywhere_is_refused_or_marked_and_nothing_else(kind):
    """Whether its pixels are whole only a decoder knows; its parts must be."""
    data = loaded(kind)
    refused = 0
    for end in [*range(200), *range(200, len(data), 37)]:
        try:
            assert provider(data[:end], TYPES[kind], SAYS)
        except NotAPicture:
            refused += 1
    assert refused > 150


@kinds
def test_bytes_changed_at_random_are_refused_or_marked_and_nothing_else(kind):
    data, chance = loaded(kind), np.random.default_rng(5)
    for _ in range(300):
        wrong = bytearray(data)
        for at in chance.integers(2, min(len(data), 900), 3):
            wrong[at] = int(chance.integers(256))
        try:
            marked = provider(bytes(wrong), TYPES[kind], SAYS)
        except NotAPicture:
            continue
        carries_c2pa(marked)
        assert carries_c2pa(bytes(wrong)) or read_marks(marked) == SAYS


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\x04\x00\x00\x00WEBP", b"GIF89a"])
def test_what_is_no_picture_is_refused(data):
    for ask in (carries_c2pa, read_marks, lambda data: provider(data, "image/png", SAYS)):
        with pytest.raises(NotAPicture):
            ask(data)
    assert NotAPicture.code == "result_refused", "a run knows what to do with that"


# ------------------------------------------------------------------------------------------------------ downloads
RESUME = Purpose(id="resume", title="Résumé", hint="", ratio="35:45", sizes=((413, 531), (827, 1063), (1400, 1800)))


def test_what_has_the_purpose_s_shape_comes_in_its_own_size_first():
    assert pictures.downloads(RESUME, (1400, 1800)) == [(1400, 1800), (827, 1063), (413, 531)]
    assert pictures.downloads(RESUME, (1120, 1440)) == [(1120, 1440), (827, 1063), (413, 531)]


@pytest.mark.parametrize("made", [(1792, 2400), (1856, 2304)])
def test_what_has_another_shape_is_cut_to_the_purpose_s_sizes_and_comes_as_it_is_last(made):
    assert pictures.downloads(RESUME, made) == [(1400, 1800), (827, 1063), (413, 531), made]


def test_no_size_is_offered_that_had_to_be_enlarged():
    assert pictures.downloads(RESUME, (840, 1050)) == [(413, 531), (840, 1050)], "cut, it is 817 px wide"
    assert pictures.downloads(RESUME, (300, 400)) == [(300, 400)]


def test_the_middle_is_kept_and_more_of_what_is_above():
    assert pictures.cut((400, 500), (350, 450)) == (5, 0, 394, 500)
    assert pictures.cut((300, 400), (350, 450)) == (0, 5, 300, 391)
    assert pictures.cut((1600, 2000), (960, 1200)) == (0, 0, 1600, 2000)
    assert pictures.shaped((300, 400), "35:45") == (300, 386)


@kinds
def test_a_smaller_one_is_a_jpeg_of_the_asked_size_that_says_the_same(kind):
    whole = provider(file_of(kind, painted(300, 400)), TYPES[kind], SAYS)
    made = pictures.smaller(whole, (140, 180))

    with Image.open(io.BytesIO(made)) as image:
        assert (image.format, image.size) == ("JPEG", (140, 180))
    assert read_marks(made) == SAYS


@kinds
def test_a_smaller_one_of_a_signed_picture_says_it_in_our_words(kind):
    made = pictures.smaller(signed(kind), (45, 60), otherwise=SAYS)
    assert read_marks(made) == SAYS
    assert not carries_c2pa(made), "what was signed is not this picture any more"


def test_marks_of_the_picture_come_before_those_to_fall_back_on():
    whole = provider(file_of("PNG"), "image/png", SAYS)
    other = generated(by="another", model="", at=SAYS.created_at)
    assert read_marks(pictures.smaller(whole, (45, 60), otherwise=other)) == SAYS


@kinds
def test_nothing_is_squeezed(kind):
    """A disc in the middle is as wide as it is high, whatever is cut off."""
    rows, columns = np.mgrid[:800, :600]
    disc = np.hypot(rows - 0.35 / 0.7 * 800, columns - 300) < 150
    image = Image.fromarray(np.where(disc, 255, 0).astype(np.uint8)).convert("RGB")
    with Image.open(io.BytesIO(pictures.smaller(file_of(kind, image), (350, 450)))) as made:
        white = np.asarray(made.convert("L")) > 128
    across, down = white.any(0).sum(), white.any(1).sum()
    assert abs(int(across) - int(down)) <= 2 and across > 150


def test_what_is_see_through_is_seen_before_white():
    image = Image.new("RGBA", (90, 120), (0, 0, 0, 0))
    with Image.open(io.BytesIO(pictures.smaller(file_of("PNG", image), (45, 60)))) as made:
        assert made.convert("RGB").getpixel((20, 20)) == (255, 255, 255)


def test_a_profile_is_made_use_of_and_not_handed_on_and_a_broken_one_is_none():
    image = Image.new("RGB", (90, 120), (200, 90, 60))
    for profile in (_profile(), b"no profile at all"):
        with Image.open(io.BytesIO(pictures.smaller(file_of("PNG", image, icc_profile=profile), (45, 60)))) as made:
            assert max(abs(a - b) for a, b in zip(made.getpixel((20, 20)), (200, 90, 60), strict=True)) <= 3
            assert "icc_profile" not in made.info
