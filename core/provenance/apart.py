"""
Programs of ours that run apart: native code before bytes that anyone may have made up, or before a secret key.

Each gets its input through a pipe and answers through one; nothing lies in a file, nothing is in its environment, and
whatever happens to it, the process that asked goes on. Few run at once, of each program by itself: whoever has images
checked takes no place from a headshot that is to be signed.
"""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from core.errors import Busy
from core.language import _

SECONDS: Final = 20
AT_ONCE: Final = 2
PATIENCE: Final = 5.0  # seconds, of somebody who looks at a page

_places: dict[Path, threading.BoundedSemaphore] = {}


def places(program: Path) -> threading.BoundedSemaphore:
    return _places.setdefault(program, threading.BoundedSemaphore(AT_ONCE))


def run(program: Path, *arguments: str, given: bytes, patience: float = PATIENCE) -> bytes | None:
    """What it answered; None where it failed. Raises Busy."""
    free = places(program)
    if not free.acquire(timeout=patience):
        raise Busy(_("Many images are being checked right now. Please try again in a minute."))
    try:
        done = subprocess.run(  # noqa: S603 - our own program; all that comes from outside is piped into it
            [sys.executable, "-I", str(program), *arguments],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            env={},
            cwd="/",
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    finally:
        free.release()
    return done.stdout if done.returncode == 0 else None
