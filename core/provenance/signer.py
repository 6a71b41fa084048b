"""
The program that signs a picture: its order and the picture come in through a pipe, the signed picture goes out.

It is run by itself (core/provenance/signing.py) and imports nothing of ours. Nothing is fetched: no instant is asked of
a time-stamping authority, so a signature counts for as long as its certificate does. What it made is read back before
it is handed over, by the library's own reader.
"""

import contextlib
import io
import json
import sys

MEMORY = 1 << 30
SECONDS = 10
VERIFY = {"verify_after_reading": True, "verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False}
SETTINGS = {"verify": VERIFY, "builder": {"thumbnail": {"enabled": False}}}


def bounded() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def sign(given: bytes) -> bytes:
    import c2pa  # type: ignore[import-untyped,unused-ignore]

    bounded()
    start = 4 + int.from_bytes(given[:4], "big")
    order, picture, out = json.loads(given[4:start]), io.BytesIO(given[start:]), io.BytesIO()
    info = c2pa.C2paSignerInfo(
        alg=order["algorithm"].encode(),
        sign_cert=order["chain"].encode(),
        private_key=order["key"].encode(),
        ta_url=None,
    )
    context = c2pa.Context.from_dict(SETTINGS)
    c2pa.Builder(json.dumps(order["manifest"]), context=context).sign(
        c2pa.Signer.from_info(info), "image/jpeg", picture, out
    )
    made = out.getvalue()
    with c2pa.Reader("image/jpeg", io.BytesIO(made), context=c2pa.Context.from_dict(SETTINGS)) as reader:
        if reader.get_validation_state() not in ("Valid", "Trusted"):
            raise SystemExit(1)
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(sign(sys.stdin.buffer.read()))
