"""
The guard: one ASGI layer that every request passes before Streamlit or any route of ours sees it.

Streamlit trusts whoever knows a session's id, keeps files for everyone under one roof and answers on more addresses
than its own front end calls. For an app that holds people's faces that is too open, so the guard decides first:

* who is asking: one cookie, 256 random bits, gone with the browser. It stops here; everyone behind the guard knows
  the session by a hash (`session_hash`) and nobody behind it ever sees the cookie;
* whether this address, host, origin and method are part of the app at all. What is not on a list is a 404;
* whether an upload belongs to the session that it names, and whether there is room for it;
* whether its sender may be counted: not if their browser says `Sec-GPC: 1` or `DNT: 1`, nor if they told us so;
* in which language they are spoken to, as they or their browser prefer it (core/preferences.py);
* what leaves: answers of HTML, rewritten for their reader's language and theme; security headers on every response,
  cookies that end with the browser, nothing private in any cache.

Parts: `visitor` (who comes), `admitting` (who is let in), `leaving` (what goes out). The guard knows nothing of
Streamlit's inside: what it must ask, it asks a `Framework` (core/ui/session.py).
"""

import logging
from collections.abc import Callable, Collection
from http import HTTPStatus

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from core import language
from core.guard.admitting import Admission, Body, BodyTooLargeError, Limits, address_of, same_origin
from core.guard.framework import Framework, OpenUpload
from core.guard.leaving import Leaving, Reply, content_security_policy, harden_cookie
from core.guard.visitor import (
    Counted,
    Visitors,
    hash_of,
    new_session,
    session_hash,
    set_count_cookie,
    set_preferences_cookie,
    set_session_cookie,
    set_staff_cookie,
    staff_hash,
    staff_hash_of,
    visitor_of,
)
from core.logs import outline

__all__ = [
    "Counted",
    "Framework",
    "Guard",
    "Limits",
    "OpenUpload",
    "content_security_policy",
    "harden_cookie",
    "hash_of",
    "new_session",
    "same_origin",
    "session_hash",
    "set_count_cookie",
    "set_preferences_cookie",
    "set_session_cookie",
    "set_staff_cookie",
    "staff_hash",
    "staff_hash_of",
    "visitor_of",
]

log = logging.getLogger(__name__)


class Guard:
    def __init__(
        self,
        app: ASGIApp,
        *,
        framework: Framework,
        secure: bool,
        hosts: Collection[str] = (),
        limits: Limits | None = None,
        trusted_proxies: int = 0,
        seen: Callable[[str, str], None] = lambda session, address: None,
    ) -> None:
        """`seen` is told the session hash and the address of each tab that connects; the address goes no further."""
        self._app = app
        self._trusted_proxies = trusted_proxies
        self._seen = seen
        self._visitors = Visitors(secure=secure)
        self._admission = Admission(framework, secure=secure, hosts=hosts, limits=limits)
        self._leaving = Leaving(framework, secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = self._visitors.identified(scope)
        try:
            if scope["type"] == "websocket":
                await self._websocket(scope, receive, send)
            else:
                with language.speaking(visitor_of(scope).language):
                    await self._http(scope, receive, send)
        except ClientDisconnect:
            pass  # the person closed the page: nobody is left to answer

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._admission.welcomes(scope):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        session = session_hash(scope)
        try:
            if session:
                self._seen(session, address_of(scope, self._trusted_proxies))
            await self._app(scope, receive, send)
        except Exception as exc:
            log.error("A connection failed: %s", outline(exc))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = self._admission.body(scope, receive)
        reply = self._leaving.reply(scope, send)
        try:
            with self._admission.admitted(scope) as refusal:
                if refusal is None:
                    await self._app(scope, body.receive, reply)
        except BodyTooLargeError:
            refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        except ClientDisconnect:
            raise
        except Exception as exc:
            log.error("A request failed: %s", outline(exc))
            refusal = HTTPStatus.INTERNAL_SERVER_ERROR
        if refusal is not None:
            await self._refuse(refusal, scope, body, reply)

    async def _refuse(self, status: HTTPStatus, scope: Scope, body: Body, reply: Reply) -> None:
        if reply.started:
            # Half an answer is out; breaking the connection is the only way left to say that the rest is missing.
            raise ConnectionAbortedError("response cut short")
        response = await self._admission.refused(status, scope, body)
        await response(scope, body.arriving, reply)
