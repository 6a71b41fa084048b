"""
The drift guard's word: whether skin in a headshot is so much lighter or darker than in its photo that a person is told.

It is about light and colour alone, and says nothing about who is in the picture. How it is measured stands with the
engine on this server (core/engines/on_device/drift.py), and so do the measurements that this threshold comes from.
"""

from typing import Final

from core.language import _

STRONG: Final = 5.5
"""In CIE L*, of 100, beyond what light alone would do to this photo. The most that other light was read as: 4.9."""


def is_strong(shift: float | None) -> bool:
    return shift is not None and abs(shift) >= STRONG


def says(shift: float | None) -> str | None:
    """What its owner reads, or None where there is nothing to say."""
    if shift is None or not is_strong(shift):
        return None
    if shift > 0:
        return _("Your skin looks noticeably lighter than in your photo.")
    return _("Your skin looks noticeably darker than in your photo.")
