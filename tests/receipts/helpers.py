"""What a receipt holds, read without any code of ours."""

import json

from core import receipts
from core.models import Receipt
from core.signing import Signer


def told(receipt: Receipt) -> dict:
    return json.loads(receipts.as_file(receipt))["statement"]


def keys_of(*signers: Signer) -> dict:
    return {signer.key_id: signer.public_key for signer in signers}
