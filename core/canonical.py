"""
One form for whatever is hashed or signed: JSON as ASCII, keys in order, no spaces, instants in UTC to the microsecond.

Whoever writes a verifier gets the same bytes from any JSON library. There are no fractions in it: libraries differ
about how to write them.
"""

import json
from datetime import UTC, datetime
from typing import Any


def as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def instant(at: datetime) -> str:
    """As `2026-03-02T12:00:00.000000Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
