"""
Whether skin came out much lighter or darker than in the photo, noted with each headshot of a provider.

Best effort: a headshot that cannot be compared is as good as any, so nothing that goes wrong here stops a run.
"""

import logging

from sqlmodel import col, select

from core import copies
from core.errors import WorkShotError
from core.models import Copy, Generation, HeadshotRow
from core.ports import Framer
from core.queue import Claim
from core.services import Services

_log = logging.getLogger(__name__)


def step(svc: Services, claim: Claim) -> None:
    """Each headshot of a run that has none yet: on a thread of the engine here, which has the memory for it, and when
    nobody waits for the run any more. Raises LeaseLost when another worker has taken over."""
    with svc.reading() as session:
        generation = session.get(Generation, claim.ref)
        unknown = HeadshotRow.generation_id == claim.ref, col(HeadshotRow.shift).is_(None)
        rows = session.exec(select(HeadshotRow).where(*unknown)).all() if generation else []
    for row in rows:
        assert generation is not None
        try:
            headshot = copies.read(svc, row.copy_id)
        except WorkShotError:
            continue
        note(svc, claim, generation, row.variant, headshot)
    give_up(claim)


def give_up(claim: Claim) -> None:
    with claim.transaction() as session:
        claim.done(session)


def note(svc: Services, claim: Claim, generation: Generation, variant: int, headshot: bytes) -> None:
    """Of one headshot, while its photo is there. Raises LeaseLost when another worker has taken over."""
    try:
        portrait = copies.read_upload(svc, generation.portrait_id)
    except WorkShotError:  # erased meanwhile, or out of reach
        return
    shift = _shift(svc.framer, portrait, headshot)
    if shift is None:
        return
    with claim.transaction() as session:
        row = session.get_one(HeadshotRow, (generation.id, variant))
        headshot_copy = session.get_one(Copy, row.copy_id, with_for_update=True)
        if headshot_copy.gone_at is None:  # nothing is measured of what is gone
            row.shift = shift
            session.add(row)


def _shift(framer: Framer, portrait: bytes, headshot: bytes) -> float | None:
    try:
        return framer.shift(portrait, headshot)
    except Exception as exc:  # decoders raise whatever they like, and what they say may quote a picture
        _log.warning("a headshot could not be compared with its photo: %s", type(exc).__name__)
        return None
