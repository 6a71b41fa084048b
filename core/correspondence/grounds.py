"""Grounds on which a request may be refused: a list with its sources, in data/refusal_grounds.json, and no other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from core.errors import NotAllowed
from core.models import RequestKind

GROUNDS_FILE: Final = Path(__file__).parent.parent.parent / "data" / "refusal_grounds.json"


@dataclass(frozen=True, kw_only=True)
class Ground:
    code: str
    label: str  # for the operator who chooses
    says: str  # to the requester
    sources: Mapping[RequestKind, str]
    """Where the law has it, for each kind of request that it may be a ground for."""


@cache
def _all() -> Mapping[str, Ground]:
    told = json.loads(GROUNDS_FILE.read_text())["grounds"]
    grounds = (
        Ground(
            code=one["code"],
            label=one["label"],
            says=one["says"],
            sources={RequestKind(kind): source for kind, source in one["sources"].items()},
        )
        for one in told
    )
    return {ground.code: ground for ground in grounds}


def grounds(kind: RequestKind) -> list[Ground]:
    """Those that may be given for a request of this kind."""
    return [ground for ground in _all().values() if kind in ground.sources]


def ground_of(code: str, kind: RequestKind) -> Ground:
    """Raises NotAllowed if this is no ground for that kind of request."""
    ground = _all().get(code)
    if ground is None or kind not in ground.sources:
        raise NotAllowed("This is no ground on which such a request may be refused. Choose one from the list.")
    return ground
