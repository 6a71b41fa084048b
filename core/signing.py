"""
Signing: one Ed25519 key of this installation, and who is believed.

What is signed must still verify after the key was changed, so every signature names its key. Believed are the key in
use and the retired ones, which the operator lists (`SIGNING_KEYS_RETIRED`). Public keys are never read from the
database: whoever could change what was signed could put a key of their own beside it.

A key's id is the first 16 hex digits of the SHA-256 of its 32 public bytes.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass(frozen=True)
class Signature:
    key_id: str
    value: str  # hex, 128 digits


class Signer:
    """Signs with the key in use; verifies with that and the retired ones."""

    def __init__(self, private_key: bytes, retired: Iterable[bytes] = ()) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(private_key)
        self.public_key = self._private.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public_key)
        self._believed = {key_id_of(key): key for key in (*retired, self.public_key)}

    def sign(self, message: bytes) -> Signature:
        return Signature(self.key_id, self._private.sign(message).hex())

    @property
    def public_keys(self) -> Mapping[str, bytes]:
        """Every key that is believed, by its id."""
        return self._believed

    def knows(self, key_id: str) -> bool:
        return key_id in self._believed

    def verifies(self, message: bytes, signature: Signature) -> bool:
        """False also for keys that nobody told us to believe."""
        key = self._believed.get(signature.key_id)
        if key is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(signature.value), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def public_text(self) -> str:
        """What to put into SIGNING_KEYS_RETIRED when this key is replaced."""
        return base64.b64encode(self.public_key).decode()


def key_id_of(public_key: bytes) -> str:
    return hashlib.sha256(public_key).hexdigest()[:16]
