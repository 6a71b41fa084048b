"""Pictures with real Content Credentials, under a certificate that is made for the test and trusted by nobody."""

import io
import json
from datetime import UTC, datetime, timedelta
from functools import cache

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

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
    certificate, key = _certificate(signer)
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=certificate, private_key=key, ta_url=None)
    builder = c2pa.Builder(json.dumps(MANIFEST), context=c2pa.Context.from_dict(SETTINGS))
    builder.sign(c2pa.Signer.from_info(info), TYPES[kind], source, out)
    return out.getvalue()


def changed(data: bytes) -> bytes:
    """A bit of its picture is another one."""
    at = data.index(b"VP8 ") + 60 if b"VP8 " in data else len(data) - 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@cache
def _certificate(signer: str) -> tuple[bytes, bytes]:
    """A leaf and the root above it, as the standard asks for."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _built("root", signer, root_key.public_key(), signed_with=root_key, is_root=True)
    leaf = _built("leaf", signer, key.public_key(), signed_with=root_key, is_root=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem) + root.public_bytes(pem), private


def _built(
    name: str,
    signer: str,
    public: ec.EllipticCurvePublicKey,
    *,
    signed_with: ec.EllipticCurvePrivateKey,
    is_root: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)

    def called(common: str) -> x509.Name:
        return x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, signer), x509.NameAttribute(NameOID.COMMON_NAME, common)]
        )

    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called("root"))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(is_root, None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_with.public_key()), critical=False)
    )
    if not is_root:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return made.sign(signed_with, hashes.SHA256())
