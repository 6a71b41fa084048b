"""A look at one file: within intake's bounds, by its parts alone."""

from core import intake, marks
from core.errors import InvalidPhoto
from core.intake import removed
from core.language import _
from core.picture_files import NotAPicture, packet_of
from core.provenance import credentials, statements
from core.provenance.certificates import Certificate
from core.provenance.findings import Credentials, Findings, Mark

_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WebP": "image/webp",
    "HEIC": "image/heic",
    "AVIF": "image/avif",
}


def look(data: bytes, *, ours: Certificate | None = None) -> Findings:
    """See core.provenance.look."""
    parts = intake.outline(data)
    width, height = parts.size or (None, None)
    return Findings(
        format=parts.format,
        width=width,
        height=height,
        mark=_mark(data, parts.format),
        credentials=_credentials(data, parts.format, ours) if parts.carried[removed.CREDENTIALS] else Credentials(),
    )


def _mark(data: bytes, kind: str) -> Mark:
    """We write marks into JPEG, PNG and WebP alone; of other files nobody has asked for more yet."""
    if kind not in ("JPEG", "PNG", "WebP"):
        return Mark()
    try:
        ours, packet = marks.read_marks(data), packet_of(data)
    except NotAPicture:
        says = _("This file does not hold together: part of it is missing. Try the original again.")
        raise InvalidPhoto(says, code="unreadable") from None
    if ours is not None:
        return statements.of_marks(ours)
    return statements.of_packet(packet.decode("utf-8", "replace")) if packet else Mark()


def _credentials(data: bytes, kind: str, ours: Certificate | None) -> Credentials:
    return credentials.read(data, _MEDIA_TYPES[kind], ours=ours)
