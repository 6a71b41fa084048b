"""
The program that reads Content Credentials: a picture comes in through a pipe, a few words go out.

It is run by itself (core/provenance/credentials.py) and imports nothing of ours. Nothing is fetched: credentials that
lie elsewhere count as not there, and nobody is asked whether a certificate was taken back. The signer's certificate is
held against that of this server alone, where it has one, and against no list of trusted ones; the page says so.
"""

import contextlib
import io
import json
import os
import sys
from typing import Any

MEMORY = 1 << 30
SECONDS = 10
VERIFY = {"verify_after_reading": True, "verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
MOST = 40
ABSENT = {"state": "absent"}


def last_in_line() -> None:
    """Whoever makes headshots here goes first. Nowhere but on Unix can it be said so."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)


def bounded() -> None:
    """So that a file made for it takes neither all memory nor a processor for long."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read(data: bytes, media_type: str, *anchors: str) -> dict[str, Any]:
    import c2pa  # type: ignore[import-untyped,unused-ignore]

    bounded()
    trust = {"trust": {"user_anchors": "".join(anchors)}} if anchors else {}
    context = c2pa.Context.from_dict({"verify": VERIFY, **trust})
    try:
        with c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader:
            return said(json.loads(reader.json()))
    except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.RemoteManifest):
        return ABSENT
    except (c2pa.C2paError.NotSupported, c2pa.C2paError.Io):
        return {}
    except c2pa.C2paError as error:
        return {"state": "Invalid", "problems": [type(error).__name__.strip("_").removeprefix("C2pa")]}


def said(store: dict[str, Any]) -> dict[str, Any]:
    """The active manifest's: who signed, with what it was made, how it says that it came about."""
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    signature, generators = manifest.get("signature_info") or {}, manifest.get("claim_generator_info") or []
    failures = [problem.get("code", "") for problem in failed(store.get("validation_results") or {})]
    return {
        "state": store.get("validation_state"),
        "serial": signature.get("cert_serial_number"),
        "signer": signature.get("issuer") or signature.get("common_name") or "",
        "made_with": " ".join(str(generators[0].get(key, "")) for key in ("name", "version")) if generators else "",
        "source_types": source_types(manifest)[:MOST],
        "problems": failures[:MOST],
    }


def failed(results: dict[str, Any]) -> list[dict[str, Any]]:
    return list((results.get("activeManifest") or {}).get("failure") or [])


def source_types(manifest: dict[str, Any]) -> list[str]:
    """Of everything that was done, in the IPTC's terms."""
    found = []
    for assertion in manifest.get("assertions") or []:
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            for action in (assertion.get("data") or {}).get("actions") or []:
                if term := action.get("digitalSourceType"):
                    found.append(str(term))
    return found


if __name__ == "__main__":
    last_in_line()
    sys.stdout.write(json.dumps(read(sys.stdin.buffer.read(), *sys.argv[1:])))
