"""
What the file of an image says of where it comes from: our AI mark, somebody else's, Content Credentials.

The file's parts are told apart in memory and no pixel is decoded, so that a picture made to burst a decoder does
nothing here. Nothing is stored, logged or looked up: there is no list of pictures that were made here, and so nobody
can ask whether one was. A mark is words in a file. Only Content Credentials are signed, and bound to the pixels.
"""

from core.provenance.findings import Credentials, Findings, Mark, State
from core.provenance.look import look

__all__ = ["Credentials", "Findings", "Mark", "State", "look"]
