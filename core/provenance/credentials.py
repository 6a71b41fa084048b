"""
Content Credentials, checked by the library of those who made the standard.

It runs apart (core/provenance/apart.py), with bounds on memory and time and with nothing fetched from anywhere. What
could not be checked is unknown.
"""

import json
from pathlib import Path
from typing import Any, Final

from core.provenance import apart
from core.provenance.certificates import Certificate
from core.provenance.findings import Credentials, State
from core.provenance.statements import last_word, plain

READER: Final = Path(__file__).with_name("reader.py")
MOST_ANSWERED: Final = 1 << 20

_STATES: Final = {"Valid": State.KEPT, "Trusted": State.KEPT, "Invalid": State.BROKEN, "absent": State.ABSENT}


def read(data: bytes, media_type: str, *, ours: Certificate | None = None, reader: Path = READER) -> Credentials:
    """Of a file that carries some. `ours`: what this server signs with, to know its own signature. Raises Busy."""
    anchors = [ours.root] if ours else []
    return _judged(_answer(apart.run(reader, media_type, *anchors, given=data)), ours)


def _answer(said: bytes | None) -> dict[str, Any]:
    try:
        answer = json.loads((said or b"{}")[:MOST_ANSWERED])
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _judged(answer: dict[str, Any], ours: Certificate | None) -> Credentials:
    state = _STATES.get(str(answer.get("state")), State.UNKNOWN)
    if state in (State.ABSENT, State.UNKNOWN):
        return Credentials(state=state)
    return Credentials(
        state=state,
        signer=plain(str(answer.get("signer", ""))),
        ours=ours is not None and answer.get("state") == "Trusted" and answer.get("serial") == ours.serial,
        made_with=plain(str(answer.get("made_with", ""))),
        source_types=tuple(sorted({last_word(str(term)) for term in answer.get("source_types", [])})),
        problems=_problems(answer) if state is State.BROKEN else (),
    )


def _problems(answer: dict[str, Any]) -> tuple[str, ...]:
    return tuple(sorted({plain(str(code)) for code in answer.get("problems", [])}))
