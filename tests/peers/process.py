"""A server in a process of its own: started, waited for, and gone with everything it started."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Server:
    """`with Server(["program", ...], is_up=...)`. What it says goes to a file, and into the error if it fails."""

    def __init__(
        self, command: list[str | Path], *, log: Path, is_up: Callable[[str], bool], ends_gently: bool = True
    ) -> None:
        self._command = command
        self._log = log
        self._is_up = is_up
        self._ends_gently = ends_gently

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        tick, waited = threading.Event(), 0.0
        while not self._is_up(self._log.read_text(errors="replace")):
            if self._process.poll() is not None or waited > PATIENCE:
                self._end()
                raise RuntimeError(f"{self._command[0]} did not start: {self._log.read_text(errors='replace')[-2000:]}")
            tick.wait(0.05)
            waited += 0.05
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        """Itself first, so that it can end what it started; then whatever is left of its group."""
        if self._ends_gently:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
