"""A drawing that carries all that photos carry, and a look at what is left of that in a picture."""

import io
from typing import Final

NEEDLES: Final = {
    "position": b"GPSPOSITION-OF-A-TEST",
    "camera": b"CAMERA-OF-A-TEST",
    "time": b"2001:02:03 04:05:06",
    "comment": b"COMMENT-OF-A-TEST",
    "program": b"PROGRAM-OF-A-TEST",
}
_MAKE, _DATE_TIME, _GPS, _GPS_AREA = 0x010F, 0x0132, 0x8825, 0x001C
_SIDE: Final = 240


def with_everything() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[_MAKE] = NEEDLES["camera"].decode()
    exif[_DATE_TIME] = NEEDLES["time"].decode()
    exif[_GPS] = {_GPS_AREA: NEEDLES["position"]}
    out = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), "teal").save(out, "JPEG", exif=exif, comment=NEEDLES["comment"])
    return out.getvalue() + NEEDLES["program"]


def carried(data: bytes) -> list[str]:
    """Which of it is in there."""
    return [what for what, needle in NEEDLES.items() if needle in data]
