"""
The certificate that headshots of this server are signed with, and one to try it with.

Two settings: C2PA_CERTIFICATE, the certificate and those above it, and C2PA_KEY, its private key; both PEM, best as
files. Others believe a signature only if they believe whoever issued the certificate: that takes one from the C2PA's
trust list. One that is made here is believed by nobody, and is good to see whether everything works.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from core.errors import BadSettings
from core.settings import Settings

if TYPE_CHECKING:
    from cryptography import x509

LASTS: Final = timedelta(days=365)
_ENDS: Final = "-----END CERTIFICATE-----"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """With its key, as the library wants it."""

    chain: str
    root: str
    key: str = field(repr=False)
    algorithm: str
    serial: str
    ends_at: datetime


def of(settings: Settings) -> Certificate | None:
    """None: headshots are not signed. Raises BadSettings."""
    chain, key = settings.c2pa_certificate.strip(), settings.c2pa_key.get_secret_value().strip()
    return _read(chain, key) if chain and key else None


@lru_cache(maxsize=2)
def _read(chain: str, key: str) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        first = x509.load_pem_x509_certificates(chain.encode())[0]
        private: Any = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError, IndexError):
        raise BadSettings("C2PA_CERTIFICATE and C2PA_KEY have to be PEM, the key without a password.") from None
    if private.public_key() != first.public_key():
        raise BadSettings("C2PA_KEY does not belong to the first certificate of C2PA_CERTIFICATE.")
    return Certificate(
        chain=chain + "\n",
        root=chain.rpartition("-----BEGIN")[1] + chain.rpartition("-----BEGIN")[2] + "\n",
        key=key + "\n",
        algorithm=_algorithm(private),
        serial=str(first.serial_number),
        ends_at=first.not_valid_after_utc,
    )


def _algorithm(private: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(private, ec.EllipticCurvePrivateKey):
        sizes = {256: "es256", 384: "es384", 521: "es512"}
        if private.curve.key_size in sizes:
            return sizes[private.curve.key_size]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    raise BadSettings("C2PA_KEY is of a kind that Content Credentials do not know: EC, Ed25519 or RSA.")


# ------------------------------------------------------------------------------------------------------ to try it with
def development(*, name: str, now: datetime) -> tuple[str, str]:
    """A certificate under a root of its own, which is thrown away, and its key: both PEM."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _made(f"{name} development root", name, root_key.public_key(), root_key, now, is_root=True)
    leaf = _made(f"{name} development", name, key.public_key(), root_key, now, is_root=False)
    pem = "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in (leaf, root))
    return pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _made(common: str, name: str, public: Any, by: Any, now: datetime, *, is_root: bool) -> "x509.Certificate":
    """With the extensions that the standard asks for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def called(text: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:60])
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, text[:60])])

    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(is_root, None), True),
        (
            x509.KeyUsage(
                digital_signature=not is_root,
                key_cert_sign=is_root,
                crl_sign=is_root,
                encipher_only=False,
                decipher_only=False,
                **usage,
            ),
            True,
        ),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), False),
    ]
    if not is_root:
        extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False))
    made = x509.CertificateBuilder(
        issuer_name=called(f"{name} development root"),
        subject_name=called(common),
        public_key=public,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + LASTS,
    )
    for extension, critical in extensions:
        made = made.add_extension(extension, critical=critical)
    return made.sign(by, hashes.SHA256())
