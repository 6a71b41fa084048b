"""A network that fails, between a client and a server on this machine. What it does can be changed while it runs."""

import socket
import struct
import threading
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Self


class Fault(StrEnum):
    REFUSES = "refuses"  # connections are reset
    SWALLOWS = "swallows"  # nothing is answered, nothing is closed
    LOSES_ANSWERS = "loses answers"  # the request arrives, its answer does not
    CUTS_ANSWERS = "cuts answers"  # after `cut_after` bytes


class FaultProxy:
    """`with FaultProxy(port) as proxy: proxy.fault(Fault.REFUSES)`; `proxy.heal()`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._fault: Fault | None = None
        self._strikes: float = 0
        self._cut_after = 0
        self._open: set[socket.socket] = set()
        self._changed = threading.Lock()

    def fault(self, fault: Fault, *, times: float = float("inf"), cut_after: int = 0) -> None:
        """From now on, or for so many connections. Connections that are open are closed."""
        with self._changed:
            self._fault, self._strikes, self._cut_after = fault, times, cut_after
        self._close_all()

    def heal(self) -> None:
        with self._changed:
            self._fault = None
        self._close_all()

    def __enter__(self) -> Self:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._answer, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._door.close()
        self._close_all()

    def _answer(self) -> None:
        while True:
            try:
                caller, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(caller,), daemon=True).start()

    def _connect(self, caller: socket.socket) -> None:
        fault = self._strike()
        self._open.add(caller)
        if fault is Fault.REFUSES:
            return self._reset(caller)
        if fault is Fault.SWALLOWS:
            return None
        server = socket.create_connection(("127.0.0.1", self._target))
        self._open.add(server)
        threading.Thread(target=self._carry, args=(caller, server, None), daemon=True).start()
        self._carry(server, caller, fault)
        return None

    def _strike(self) -> Fault | None:
        with self._changed:
            if self._fault is None or self._strikes < 1:
                return None
            self._strikes -= 1
            return self._fault

    def _carry(self, source: socket.socket, sink: socket.socket, fault: Fault | None) -> None:
        allowed = {Fault.LOSES_ANSWERS: 0, Fault.CUTS_ANSWERS: self._cut_after}.get(fault) if fault else None
        try:
            while data := source.recv(65536):
                sink.sendall(data if allowed is None else data[:allowed])
                if allowed is not None:
                    allowed -= min(allowed, len(data))
                    if allowed == 0:
                        break
        except OSError:
            pass
        finally:
            for end in (source, sink):
                self._close(end)

    def _reset(self, end: socket.socket) -> None:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close(end)

    def _close(self, end: socket.socket) -> None:
        self._open.discard(end)
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

    def _close_all(self) -> None:
        for end in list(self._open):
            self._close(end)
