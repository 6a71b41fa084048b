"""
Bytes from a browser → a clean portrait, or why not.

Decoding to pixels and encoding those anew is the whole sanitisation: nothing of the file survives, be it an
address in its metadata or a program glued to its end. What the file carried is counted on the way, so that the
page can say what has gone. Memory and time are bounded by what the file declares, checked before it is decoded.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core.errors import Busy, InvalidPhoto
from core.intake.checks import findings
from core.intake.containers import Parts, kind_of, take_apart
from core.intake.pixels import upright_srgb
from core.intake.removed import Removed, RemovedItem
from core.language import _
from core.ports import Finding

__all__ = ["MAX_BYTES", "MAX_PIXELS", "SHORTEST_SIDE", "CleanPhoto", "Removed", "RemovedItem", "outline", "read"]

MAX_BYTES = 20 * 1000 * 1000
MAX_PIXELS = 60_000_000
SHORTEST_SIDE = 200

# Most formats decode in up to 12 bytes a pixel, AVIF in 17; phones take no photos in it above this size.
_MAX_PIXELS = {"AVIF": 40_000_000}
_WEIGHT = {"AVIF": 1.5}
_MAX_SCANNED = 1_500_000_000  # scans × pixels of a progressive JPEG, each scan a pass over the whole picture


@dataclass(frozen=True, kw_only=True)
class CleanPhoto:
    """An upright sRGB JPEG that holds pixels and nothing else."""

    data: bytes = field(repr=False)
    width: int
    height: int
    format: str  # of the upload: JPEG, PNG, WebP, HEIC or AVIF
    removed: Removed
    findings: list[Finding]


def read(data: bytes) -> CleanPhoto:
    """Raises InvalidPhoto, with a sentence for the person; Busy when too many photos are being read at once."""
    kind = _accepted_kind(data)
    try:
        parts = take_apart(data, kind)
        if parts.size is not None:
            _fits(parts.size, parts)
        with _room.of(_weight(parts)):
            return _clean(parts)
    except (InvalidPhoto, Busy):
        raise
    except Exception as error:  # decoders of hostile bytes raise whatever they like; all of it means one thing
        raise _unreadable() from error


def outline(data: bytes) -> Parts:
    """What a file declares and carries, within the same bounds and without decoding a pixel. Raises InvalidPhoto."""
    kind = _accepted_kind(data)
    try:
        parts = take_apart(data, kind)
    except Exception as error:
        raise _unreadable() from error
    if parts.size is not None:
        _not_too_large(parts.size, parts)
    return parts


def _clean(parts: Parts) -> CleanPhoto:
    image = upright_srgb(parts, lambda size: _fits(size, parts))
    if min(image.size) < SHORTEST_SIDE:
        raise _too_small(image.size)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, subsampling=0)
    return CleanPhoto(
        data=out.getvalue(),
        width=image.width,
        height=image.height,
        format=parts.format,
        removed=Removed.of(parts.carried),
        findings=findings(image),
    )


def _accepted_kind(data: bytes) -> str:
    if not data:
        raise InvalidPhoto(
            _("This file is empty. It may not have finished copying: try adding it again."), code="empty"
        )
    if len(data) > MAX_BYTES:
        raise InvalidPhoto(
            _(
                "This file is larger than {most} MB. Send the photo as JPEG or HEIC, or a smaller copy of it.",
                most=MAX_BYTES // 1_000_000,
            ),
            code="too_heavy",
        )
    kind = kind_of(data)
    if kind is None:
        raise InvalidPhoto(
            _(
                "We can't read this kind of file. Send a photo as JPEG, PNG, WebP, HEIC or AVIF: a phone's camera "
                "makes one of these."
            ),
            code="unsupported",
        )
    return kind


def _fits(size: tuple[int, int], parts: Parts) -> None:
    _not_too_large(size, parts)
    if min(size) < SHORTEST_SIDE:
        raise _too_small(size)


def _not_too_large(size: tuple[int, int], parts: Parts) -> None:
    pixels = size[0] * size[1]
    most = _MAX_PIXELS.get(parts.format, MAX_PIXELS)
    if pixels > most:
        raise InvalidPhoto(
            _(
                "This picture has more than {most} megapixels. Send a smaller copy: 12 are plenty.",
                most=most // 1_000_000,
            ),
            code="too_large",
        )
    if pixels * parts.scans > _MAX_SCANNED:
        raise _unreadable()


def _too_small(size: tuple[int, int]) -> InvalidPhoto:
    return InvalidPhoto(
        _(
            "This picture is {width} × {height} pixels: too small for a headshot. Send the original photo, with at "
            "least {least} pixels on its shorter side.",
            width=size[0],
            height=size[1],
            least=SHORTEST_SIDE,
        ),
        code="too_small",
    )


def _unreadable() -> InvalidPhoto:
    says = _("We can't open this file. It may be damaged: try taking the photo again.")
    return InvalidPhoto(says, code="unreadable")


def _weight(parts: Parts) -> int:
    """What decoding may take, in ordinary pixels; a file that does not say is taken at the most."""
    if parts.size is None:
        return MAX_PIXELS
    return int(parts.size[0] * parts.size[1] * _WEIGHT.get(parts.format, 1))


class _Room:
    """Keeps all photos being decoded at once within the memory of the largest allowed one."""

    def __init__(self, pixels: int, *, patience: float = 30.0) -> None:
        self._free = pixels
        self._patience = patience  # seconds
        self._changed = threading.Condition()

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        with self._changed:
            if not self._changed.wait_for(lambda: pixels <= self._free, timeout=self._patience):
                raise Busy(_("Many photos are being read right now. Please try again in a minute."))
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()


_room = _Room(MAX_PIXELS)
