"""
What an XMP packet states about AI, in ours and in everybody else's way of writing it down.

Tools that save a picture anew often write the same fields as attributes, or drop some of them. Plain text search, in a
packet of bounded length: no XML parser meets bytes that someone may have tampered with.
"""

import re
from typing import Final
from xml.sax.saxutils import unescape

from core.marks import Marks
from core.provenance.findings import Mark, State

LONGEST: Final = 100
"""Letters of a name that is shown: it is somebody else's text."""
_SEARCHED: Final = 1 << 20
_OURS: Final = "WorkShot"

_SOURCE_TYPE, _SYSTEM, _VERSION = "DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def of_marks(marks: Marks) -> Mark:
    """A whole mark, written as we write it."""
    return Mark(
        state=State.KEPT,
        ours=True,
        source_type=last_word(marks.source_type.value),
        system=plain(marks.system),
        version=plain(marks.version),
        created_at=marks.created_at,
    )


def of_packet(packet: str) -> Mark:
    """Whatever else a packet says. Ours with something missing is a mark that somebody has damaged."""
    text = packet[:_SEARCHED]
    source_type, system, version = (_field(text, name) for name in (_SOURCE_TYPE, _SYSTEM, _VERSION))
    if not source_type and not system:
        return Mark()
    return Mark(
        state=State.BROKEN if _OURS in text and not (source_type and system) else State.KEPT,
        source_type=last_word(source_type),
        system=plain(system),
        version=plain(version),
    )


def last_word(term: str) -> str:
    """`trainedAlgorithmicMedia`, of the address that stands for it."""
    return plain(re.split(r"[/#]", term.rstrip("/"))[-1])


def plain(text: str) -> str:
    """Somebody else's text, fit to be shown: short, on one line, with nothing that turns letters around."""
    shown = " ".join(_UNSEEN.sub(" ", text).split())
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def _field(text: str, name: str) -> str:
    """An element or an attribute of that name, under whatever prefix."""
    found = re.search(rf"<[\w.-]{{1,40}}:{name}>([^<]{{0,2000}})<", text) or re.search(
        rf"[\w.-]{{1,40}}:{name}\s{{0,9}}=\s{{0,9}}(?:\"([^\"<]{{0,2000}})\"|'([^'<]{{0,2000}})')", text
    )
    return unescape(next((value for value in found.groups() if value is not None), "")) if found else ""
