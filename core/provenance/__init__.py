"""
What the file of an image says of where it comes from: our AI mark, somebody else's, Content Credentials.

The file's parts are told apart in memory and no pixel is decoded, so that a picture made to burst a decoder does
nothing here. Nothing is stored, logged or looked up: there is no list of pictures that were made here, and so nobody
can ask whether one was. A mark is words in a file. Only Content Credentials are signed, and bound to the pixels.
"""

from core.provenance.certificates import Certificate
from core.provenance.findings import Credentials, Findings, Mark, State

__all__ = ["Certificate", "Credentials", "Findings", "Mark", "State", "look"]


def look(data: bytes, *, ours: Certificate | None = None) -> Findings:
    """What one file says. `ours`: what this server signs with. Raises InvalidPhoto, with a sentence for the person, or
    Busy when many are being looked at."""
    from core.provenance import looking  # it reads pictures, which a server does not need to start

    return looking.look(data, ours=ours)
