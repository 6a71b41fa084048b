"""
Whether skin came out much lighter or darker than in the photo, noted with each headshot of a provider.

Best effort: a headshot that cannot be compared is as good as any, so nothing that goes wrong here stops a run.
"""

import logging

from core import copies
from core.errors import WorkShotError
from core.models import Generation, HeadshotRow
from core.ports import Framer
from core.queue import Claim
from core.services import Services

_log = logging.getLogger(__name__)


def note(svc: Services, claim: Claim, generation: Generation, variant: int, headshot: bytes) -> None:
    """Once for each headshot that is kept. Raises LeaseLost when another worker has taken over."""
    try:
        portrait = copies.read_upload(svc, generation.portrait_id)
    except WorkShotError:  # erased meanwhile, or out of reach
        return
    shift = _shift(svc.framer, portrait, headshot)
    if shift is None:
        return
    with claim.transaction() as session:
        row = session.get(HeadshotRow, (generation.id, variant))
        if row is not None:
            row.shift = shift
            session.add(row)


def _shift(framer: Framer, portrait: bytes, headshot: bytes) -> float | None:
    try:
        return framer.shift(portrait, headshot)
    except Exception as exc:  # decoders raise whatever they like, and what they say may quote a picture
        _log.warning("a headshot could not be compared with its photo: %s", type(exc).__name__)
        return None
