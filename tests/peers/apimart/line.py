"""The line to its callers: a server in a thread, on several ports, that can hang up and can go on for ever."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class Server:
    """One thread, one loop, an app for each socket."""

    def __init__(self, apps: Mapping[socket.socket, Starlette]) -> None:
        self._sockets = list(apps)
        self._apps = {listener.getsockname()[1]: app for listener, app in apps.items()}
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            http=_Line,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve(sockets=self._sockets)), name="apimart", daemon=True
        )

    def start(self) -> None:
        """The sockets listen already: whoever comes early waits."""
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)

    @property
    def is_stopping(self) -> bool:
        return self._server.should_exit

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)


def listening(ports: Sequence[int]) -> list[socket.socket]:
    """On this machine only. 0: any that is free."""
    return [socket.create_server(("127.0.0.1", port), backlog=512) for port in ports]


class _Line(H11Protocol):
    """Tells an answer which connection it goes out on."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


async def _hang_up(scope: Scope) -> None:
    scope["state"]["transport"].abort()
    await asyncio.sleep(0)  # until the server has noticed, and misses no end of the answer


class NoAnswer(Response):
    """Hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _hang_up(scope)


class Pieces(Response):
    """An answer that may be shorter than it says, or have no end."""

    def __init__(self, pieces: AsyncIterator[bytes], status: int, headers: Mapping[str, str], *, cut: bool) -> None:
        super().__init__(None, status)
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._pieces, self._cut = pieces, cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: dict[str, Any] = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self._cut:
            await asyncio.sleep(0.02)  # what was sent so far is on its way
            await _hang_up(scope)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
