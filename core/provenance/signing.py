"""
Signing what this server made: Content Credentials beside our own mark, where a certificate is set up.

They say what the mark says and nothing of the person: made by WorkShot, from which kind of parts. What was signed is
read back with the library's own reader before it is kept. What cannot be signed is kept with its mark alone, and the
log says so: a certificate that has run out costs nobody their headshot.
"""

import json
import logging
from pathlib import Path
from typing import Final

from core import marks
from core.errors import Busy
from core.provenance import apart
from core.provenance.certificates import Certificate

log = logging.getLogger(__name__)

SIGNER: Final = Path(__file__).with_name("signer.py")
PATIENCE: Final = 30.0  # seconds: nobody is looking on


def signed(jpeg: bytes, certificate: Certificate | None, *, signer: Path = SIGNER, patience: float = PATIENCE) -> bytes:
    """The same pixels and the same mark, signed; or just as they are."""
    said = marks.read_marks(jpeg) if certificate else None
    if certificate is None or said is None:
        return jpeg
    order = {
        "algorithm": certificate.algorithm,
        "chain": certificate.chain,
        "key": certificate.key,
        "manifest": _manifest(said),
    }
    head = json.dumps(order).encode()
    try:
        made = apart.run(signer, given=len(head).to_bytes(4, "big") + head + jpeg, patience=patience)
    except Busy:
        log.error("A headshot could not be signed, and is kept with its mark alone: too many were being signed.")
        return jpeg
    if not made:
        log.error("A headshot could not be signed, and is kept with its mark alone. Is the certificate still valid?")
        return jpeg
    return made


def _manifest(said: marks.Marks) -> dict[str, object]:
    name, version = said.system, said.version
    action = {
        "action": "c2pa.created",
        "digitalSourceType": said.source_type.value,
        "softwareAgent": {"name": name, "version": version},
    }
    return {
        "claim_generator_info": [{"name": "WorkShot", "version": version}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
