"""
Checking a receipt: whether these bytes are one, as it was signed.

Whoever hands it in may be hostile, so nothing in it is believed or shown before the signature holds, and nothing about
its form costs more than its size. What was changed cannot be told from a signature: only that something was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn

from core.canonical import as_json
from core.language import N_, _
from core.models import Receipt
from core.receipts.statement import FORMAT, Statement

MOST_BYTES: Final = 10 * 1024**2
MOST_PARTS: Final = 250_000
"""Brackets and commas. A receipt of a person's busiest month has a sixth of that; beyond it, parsing takes memory."""
_FORMAT_FAMILY: Final = "workshot receipt "


class Finding(StrEnum):
    """What checking came to."""

    VERIFIES = "verifies"
    SUPERSEDED = "superseded"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    NOT_A_RECEIPT = "not_a_receipt"
    OTHER_FORMAT = "other_format"
    UNKNOWN_KEY = "unknown_key"
    CHANGED = "changed"

    @property
    def headline(self) -> str:
        return _(_HEADLINES[self])

    @property
    def says(self) -> str:
        return _(_SAYS[self])


_HEADLINES: Final = {
    Finding.VERIFIES: N_("Genuine and unchanged"),
    Finding.SUPERSEDED: N_("Genuine, and there is a newer one"),
    Finding.TOO_LARGE: N_("Too large for a receipt"),
    Finding.NOT_JSON: N_("This cannot be read"),
    Finding.NOT_A_RECEIPT: N_("Not a receipt"),
    Finding.OTHER_FORMAT: N_("Another kind of receipt"),
    Finding.UNKNOWN_KEY: N_("Signed with a key we do not know"),
    Finding.CHANGED: N_("Not what was signed"),
}
_SAYS: Final = {
    Finding.VERIFIES: N_(
        "This receipt is genuine: it was signed with the key of this installation, and nothing in it was changed since."
    ),
    Finding.SUPERSEDED: N_("This receipt is genuine, and there is a newer revision of it, which says more."),
    Finding.TOO_LARGE: N_("This is larger than any receipt. Please choose the file that ends in .json."),
    Finding.NOT_JSON: N_(
        "This cannot be read as a receipt: it is not JSON. If you pasted it, paste all of it, from the "
        "first { to the last }."
    ),
    Finding.NOT_A_RECEIPT: N_("This is JSON, but it is not a receipt of ours."),
    Finding.OTHER_FORMAT: N_("This says that it is a receipt of another form, which this release does not know."),
    Finding.UNKNOWN_KEY: N_(
        "Nobody here knows the key that this names. It may be a receipt of another installation; this "
        "one cannot say whether it is genuine."
    ),
    Finding.CHANGED: N_(
        "This is not what was signed. Something was changed afterwards, in the statement or in the "
        "signature; which part cannot be known."
    ),
}


@dataclass(frozen=True)
class Verdict:
    """`statement` is only there when the signature holds: nothing unproved is ever shown."""

    finding: Finding
    statement: Statement | None = None
    newer: str | None = None
    """The number of the newest revision, where this is an older one."""

    @property
    def well(self) -> bool:
        return self.statement is not None

    @property
    def says(self) -> str:
        if self.newer is None:
            return self.finding.says
        newer = _("Its number is {number}.", number=self.newer)
        return f"{self.finding.says} {newer}"


def as_file(receipt: Receipt) -> bytes:
    """The document that people get. It may be written in other ways: only its values are signed."""
    document = {"statement": json.loads(receipt.statement), "signature": receipt.signature}
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode("ascii")


def verify(data: bytes, *, public_keys: Mapping[str, bytes]) -> Verdict:
    """Whether this is a receipt, signed with one of these keys (32 bytes each, by their ids). Never raises."""
    if len(data) > MOST_BYTES:
        return Verdict(Finding.TOO_LARGE)
    if sum(data.count(sign) for sign in (b"[", b"{", b",")) > MOST_PARTS:
        return Verdict(Finding.NOT_A_RECEIPT)
    try:
        document = _read(data)
    except (ValueError, RecursionError):
        return Verdict(Finding.NOT_JSON)
    return _judge(document, public_keys)


def _judge(document: Any, public_keys: Mapping[str, bytes]) -> Verdict:
    if not isinstance(document, dict) or set(document) != {"statement", "signature"}:
        return Verdict(Finding.NOT_A_RECEIPT)
    told, signature = document["statement"], document["signature"]
    form = told.get("format") if isinstance(told, dict) else None
    if not isinstance(form, str) or not form.startswith(_FORMAT_FAMILY) or not isinstance(signature, str):
        return Verdict(Finding.NOT_A_RECEIPT)
    if form != FORMAT:
        return Verdict(Finding.OTHER_FORMAT)
    key_id = told.get("key_id")
    key = public_keys.get(key_id) if isinstance(key_id, str) else None
    if key is None:
        return Verdict(Finding.UNKNOWN_KEY)
    if not _is_signed(told, signature, key):
        return Verdict(Finding.CHANGED)
    try:
        return Verdict(Finding.VERIFIES, Statement.of(told))
    except (KeyError, TypeError, ValueError):  # signed with our key, and yet none of ours
        return Verdict(Finding.NOT_A_RECEIPT)


def _is_signed(told: Mapping[str, Any], signature: str, key: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(signature), as_json(told).encode("ascii"))
    except (InvalidSignature, ValueError, RecursionError):
        return False
    return True


def _read(data: bytes) -> Any:
    """JSON as strict as it can be read: what two readers could understand in two ways is no receipt."""
    return json.loads(
        data.decode("utf-8-sig"),
        object_pairs_hook=_each_once,
        parse_constant=_refuse,
        parse_float=_refuse,
    )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands there twice")
    return values


def _refuse(_text: str) -> NoReturn:
    raise ValueError("no such number in a receipt")
