"""
The vault: encrypted objects under a key per subject.

Every object is AES-256-GCM under the data key of its subject; that key is stored sealed under the master key. The
associated data names subject, copy and kind, so bytes that were moved to another row do not open. When the last copy
of a subject is gone, its sealed key is destroyed: whatever a backup of the objects still holds can never be read.

Form of an object: b"WS1" + 12 bytes nonce + ciphertext with its 16-byte tag.
"""

import hmac
import secrets
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import NotFound, ObjectDamaged
from core.language import _
from core.models import Copy, Subject
from core.ports import ObjectStore

FORM = b"WS1"
NONCE_BYTES = 12  # the size NIST SP 800-38D recommends for GCM
OVERHEAD = len(FORM) + NONCE_BYTES + 16


class Keyed(Protocol):
    """A row with a data key of its own: a subject, a request, a mail."""

    id: str
    sealed_key: bytes | None


class Vault:
    """Puts and gets the bytes of copies. Knows nothing of clocks: see `copies` and `retention`."""

    def __init__(self, store: ObjectStore, master_key: bytes) -> None:
        self.store = store
        self._master = AESGCM(master_key)
        self._for_hashes = hmac.digest(master_key, b"workshot/keyed-hashes", "sha256")

    def make_key(self, owner_id: str) -> bytes:
        """A new data key for a row of this id, sealed."""
        return _seal(self._master, AESGCM.generate_key(256), _key_binding(owner_id))

    def put(self, subject: Subject, copy: Copy, data: bytes) -> None:
        """Encrypt and store. Raises StorageUnavailable; NotFound if the subject's key has been destroyed."""
        self.store.put(copy.object_key, _seal(self._data_key(subject), data, _copy_binding(copy)))

    def get(self, subject: Subject, copy: Copy) -> bytes:
        """Raises ObjectMissing, ObjectDamaged, StorageUnavailable, NotFound."""
        return _open(self._data_key(subject), self.store.get(copy.object_key), _copy_binding(copy))

    def seal_text(self, owner: Keyed, text: str) -> bytes:
        """Words of a person, for a column."""
        return _seal(self._data_key(owner), text.encode(), _text_binding(owner.id))

    def open_text(self, owner: Keyed, sealed: bytes) -> str:
        """Raises NotFound if the owner's key has been destroyed, ObjectDamaged."""
        return _open(self._data_key(owner), sealed, _text_binding(owner.id)).decode()

    def keyed_hash(self, purpose: str, data: bytes) -> str:
        """Tells whether two things are the same, to nobody but us: HMAC-SHA256 under a key of that purpose, in hex."""
        return hmac.digest(hmac.digest(self._for_hashes, purpose.encode(), "sha256"), data, "sha256").hex()

    def _data_key(self, owner: Keyed) -> AESGCM:
        if owner.sealed_key is None:
            raise NotFound(_("This is erased."))
        return AESGCM(_open(self._master, owner.sealed_key, _key_binding(owner.id)))


def new_object_key() -> str:
    """Random, so that a key says nothing and cannot be guessed."""
    return secrets.token_hex(20)


def _seal(key: AESGCM, data: bytes, binding: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORM + nonce + key.encrypt(nonce, data, binding)


def _open(key: AESGCM, sealed: bytes, binding: bytes) -> bytes:
    start = len(FORM) + NONCE_BYTES
    if sealed[: len(FORM)] != FORM or len(sealed) < OVERHEAD:
        raise ObjectDamaged(_("This image is damaged."))
    try:
        return key.decrypt(sealed[len(FORM) : start], sealed[start:], binding)
    except InvalidTag:
        raise ObjectDamaged(_("This image is damaged.")) from None


def _key_binding(subject_id: str) -> bytes:
    return f"workshot/subject-key/{subject_id}".encode()


def _copy_binding(copy: Copy) -> bytes:
    return f"workshot/copy/{copy.subject_id}/{copy.id}/{copy.kind.value}".encode()


def _text_binding(subject_id: str) -> bytes:
    return f"workshot/text/{subject_id}".encode()
