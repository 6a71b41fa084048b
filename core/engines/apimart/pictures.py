"""
Pictures on their way out and in: encoded anew before they leave, looked through before they are kept.

One at a time in a process: decoding takes up to a hundred megabytes, and a worker has many runs under way.
"""

import io
import threading

from PIL import Image, ImageOps

from core.errors import EngineError, EngineRefused
from core.ports import Fetched

LONGEST_SIDE = 2048
QUALITIES = (92, 85, 75, 60)  # the first that is small enough
MOST_PIXELS = 50_000_000
SHORTEST_SIDE = 256
MOST_SCANNED = 1_500_000_000  # scans × pixels of a progressive JPEG, each scan a pass over the whole picture
RESULT_REFUSED = "result_refused"

_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_one_at_a_time = threading.Lock()


def for_sending(picture: bytes, most_bytes: int) -> bytes:
    """A JPEG of at most 2048 pixels a side and so many bytes, with nothing in it but pixels; the same each time.
    Raises EngineRefused."""
    try:
        with _one_at_a_time:
            image = _small(picture)
            for quality in QUALITIES:
                data = _jpeg(image, quality)
                if len(data) <= most_bytes:
                    return data
    except Exception:  # decoders raise whatever they like; all of it means one thing
        raise EngineRefused("We can't open this picture any more. Please add it again.", code="unreadable") from None
    raise EngineRefused("This picture is too large to be sent. Please add a smaller copy of it.", code="too_heavy")


def _small(picture: bytes) -> Image.Image:
    with Image.open(io.BytesIO(picture)) as opened:
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG need not be decoded at its full size
        upright: Image.Image = opened
        ImageOps.exif_transpose(upright, in_place=True)  # intake made it upright and sRGB: nothing is copied then
        if upright.mode != "RGB":
            upright = upright.convert("RGB")
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=None)
        return upright.copy()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    image.info = {}
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def kind_of(beginning: bytes) -> str | None:
    """JPEG, PNG or WEBP by the first twelve bytes, as Pillow calls them. None: nothing that we take."""
    if beginning.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if beginning.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    return "WEBP" if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP" else None


def looked_through(data: bytes, *, most_pixels: int = MOST_PIXELS) -> Fetched:
    """The very bytes, once they have been shown to be one whole picture of a sensible size. Raises EngineRefused."""
    kind = kind_of(data[:12])
    if kind is None:
        raise unacceptable()
    try:
        with _one_at_a_time:
            width, height = _size_of_whole(data, kind, most_pixels)
    except EngineError:
        raise
    except Exception:  # as above; its message could quote what it read
        raise unacceptable() from None
    return Fetched(data=data, media_type=_MEDIA_TYPES[kind], width=width, height=height)


def _size_of_whole(data: bytes, kind: str, most_pixels: int) -> tuple[int, int]:
    with Image.open(io.BytesIO(data), formats=(kind,)) as image:  # reads no more than the header
        width, height = image.size
        scans = data.count(b"\xff\xda") if kind == "JPEG" else 1
        too_much = width * height > most_pixels or width * height * scans > MOST_SCANNED
        if too_much or min(width, height) < SHORTEST_SIDE or getattr(image, "n_frames", 1) != 1:
            raise unacceptable()
        if kind == "JPEG":
            image.draft(None, (1, 1))  # reads all of it, and makes little of it
        image.load()
    return width, height


def unacceptable() -> EngineRefused:
    return EngineRefused("What came back is no picture that we take.", code=RESULT_REFUSED)
