"""The drift guard: whether skin came out lighter or darker than in the photo, apart from the light."""

from core.engines.on_device.model import PersonModel


def shift(portrait: bytes, headshot: bytes, model: PersonModel) -> float | None:
    """In CIE L*; None where it cannot be told."""
    return None


def says(shift: float | None) -> str | None:
    """What the person reads, or None where there is nothing to say."""
    return None
