"""
Content Credentials, checked by the library of those who made the standard.

It is native code before bytes that anyone may have made up, so it runs in a process of its own, with bounds on memory
and time, and with nothing fetched from anywhere. Whatever happens to it, the server goes on, and what could not be
checked is unknown. The picture goes there through a pipe and lies in no file.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

from core.errors import Busy
from core.provenance.findings import Credentials, State
from core.provenance.statements import last_word, plain

READER: Final = Path(__file__).with_name("reader.py")
SECONDS: Final = 20
MOST_ANSWERED: Final = 1 << 20
AT_ONCE: Final = 2

_places = threading.BoundedSemaphore(AT_ONCE)
_PATIENCE: Final = 30.0  # seconds


def read(data: bytes, media_type: str, *, reader: Path = READER) -> Credentials:
    """Of a file that carries some. Raises Busy."""
    if not _places.acquire(timeout=_PATIENCE):
        raise Busy("Many images are being checked right now. Please try again in a minute.")
    try:
        return _judged(_answer(data, media_type, reader))
    finally:
        _places.release()


def _answer(data: bytes, media_type: str, reader: Path) -> dict[str, Any]:
    """What the reader found; nothing where it failed."""
    try:
        done = subprocess.run(  # noqa: S603 - our own program; all that comes from outside is piped into it
            [sys.executable, "-I", str(reader), media_type],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            env={},
            cwd="/",
            check=False,
        )
        answer = json.loads(done.stdout[:MOST_ANSWERED]) if done.returncode == 0 else {}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _judged(answer: dict[str, Any]) -> Credentials:
    states = {"Valid": State.KEPT, "Trusted": State.KEPT, "Invalid": State.BROKEN, "absent": State.ABSENT}
    state = states.get(str(answer.get("state")), State.UNKNOWN)
    if state in (State.ABSENT, State.UNKNOWN):
        return Credentials(state=state)
    return Credentials(
        state=state,
        signer=plain(str(answer.get("signer", ""))),
        made_with=plain(str(answer.get("made_with", ""))),
        source_types=tuple(sorted({last_word(str(term)) for term in answer.get("source_types", [])})),
        problems=tuple(sorted({plain(str(code)) for code in answer.get("problems", [])})),
    )
