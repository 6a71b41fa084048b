"""Pictures with real Content Credentials, under a certificate that is made for the test and trusted by nobody."""

import io
import json
from datetime import UTC, datetime
from functools import cache

import c2pa
from PIL import Image
from pydantic import SecretStr

from core.provenance import certificates
from core.settings import Settings

SIGNER = "Some Studio"
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
MANIFEST = {
    "claim_generator_info": [{"name": "Painter", "version": "2"}],
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
                    }
                ]
            },
        }
    ],
}
SETTINGS = {"verify": {"verify_trust": False, "ocsp_fetch": False}, "builder": {"thumbnail": {"enabled": False}}}


@cache
def signed(kind: str = "JPEG", *, signer: str = SIGNER) -> bytes:
    """A small picture of nothing, of one of TYPES."""
    source, out = io.BytesIO(), io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(source, kind)
    source.seek(0)
    own = certificate(signer)
    info = c2pa.C2paSignerInfo(
        alg=own.algorithm.encode(), sign_cert=own.chain.encode(), private_key=own.key.encode(), ta_url=None
    )
    builder = c2pa.Builder(json.dumps(MANIFEST), context=c2pa.Context.from_dict(SETTINGS))
    builder.sign(c2pa.Signer.from_info(info), TYPES[kind], source, out)
    return out.getvalue()


def changed(data: bytes) -> bytes:
    """A bit of its picture is another one."""
    at = data.index(b"VP8 ") + 60 if b"VP8 " in data else len(data) - 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@cache
def certificate(signer: str = SIGNER) -> certificates.Certificate:
    chain, key = certificates.development(name=signer, now=datetime.now(UTC))
    found = certificates.of(Settings(c2pa_certificate=chain, c2pa_key=SecretStr(key)))
    assert found is not None
    return found
