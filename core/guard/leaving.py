"""
What leaves: pages in the language and the theme of who gets them, security headers on every answer, cookies that end
with the browser, nothing private in any cache.

An answer of HTML is held until it is whole, and then rewritten (`Reply`, `dressed`). Any other passes as it comes.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field

from starlette.types import Message, Scope, Send

from core import cookies
from core.guard.framework import Framework
from core.guard.visitor import Headers, Visitor, needs_session, new_session, visitor_of


def content_security_policy(index_html: str) -> str:
    """
    Only what Streamlit's front end needs. `blob:` runs components that are written inline in our own code;
    'wasm-unsafe-eval' lets its protobuf reader compile its own arithmetic, and lets no text become a script;
    `data:` under connect-src is how the camera widget reads its own snapshot.
    """
    scripts = re.findall(r"<script>(.*?)</script>", index_html, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'self'; script-src 'self' {allowed} blob: 'wasm-unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data:; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )


def security_headers(index_html: str, *, secure: bool) -> Headers:
    headers = {
        "content-security-policy": content_security_policy(index_html),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def harden_cookie(value: bytes, *, secure: bool) -> bytes:
    """Streamlit's own cookies end with the browser too, and travel over https only where there is https."""
    parts = [part.strip() for part in value.split(b";")]
    erases = any(part.lower() == b"max-age=0" for part in parts)
    if value.startswith(b"_streamlit") and not erases:
        parts = [part for part in parts if not part.lower().startswith((b"max-age=", b"expires="))]
    if secure and not any(part.lower() == b"secure" for part in parts):
        parts.append(b"Secure")
    return b"; ".join(parts)


class Leaving:
    """What becomes of an answer on its way out."""

    def __init__(self, framework: Framework, *, secure: bool) -> None:
        self._framework = framework
        self._secure = secure
        index = framework.index_html()
        self._index = index.encode()
        self._security_headers = security_headers(index, secure=secure)

    def reply(self, scope: Scope, send: Send) -> "Reply":
        """To be sent through, by whoever answers this request."""
        return Reply(send, self, mint=needs_session(scope), visitor=visitor_of(scope))

    def dressed(self, body: bytes, headers: Headers, visitor: Visitor) -> tuple[bytes, Headers]:
        """
        A page in the language and the theme of who gets it. The one that loads the front end comes from a file, the
        same for everybody: what a browser kept of it says nothing about what it prefers now.
        """
        outdated, theme = [b"content-length"], visitor.preferences.theme
        if body == self._index:
            body = self._framework.page(visitor.language, theme).encode()
            outdated += [b"etag", b"last-modified", b"cache-control"]
        elif theme:
            body = body.replace(b"<html ", f'<html data-ws-theme="{theme}" '.encode(), 1)
        headers = [(name, value) for name, value in headers if name.lower() not in outdated]
        return body, [*headers, (b"content-length", str(len(body)).encode())]

    def headers_out(self, headers: Headers, *, mint: bool) -> Headers:
        """What a response may carry: nothing for other sites, our rules wherever a route has none of its own."""
        ours = f"{cookies.SESSION.named(secure=self._secure)}=".encode()
        out: Headers = []
        for name, value in ((name.lower(), value) for name, value in headers):
            if name == b"set-cookie":
                mint = mint and not value.startswith(ours)
                value = harden_cookie(value, secure=self._secure)
            if not name.startswith(b"access-control-"):
                out.append((name, value))
        if mint:
            out.append((b"set-cookie", cookies.SESSION.line(new_session(), secure=self._secure).encode()))
        names = {name for name, _ in out}
        if b"set-cookie" in names:
            out = [(name, value) for name, value in out if name != b"cache-control"]
        if b"set-cookie" in names or b"cache-control" not in names:
            out.append((b"cache-control", b"no-store"))
        return out + [(name, value) for name, value in self._security_headers if name not in names]


@dataclass
class Reply:
    """Watches one response on its way out."""

    send: Send
    leaving: Leaving
    mint: bool
    visitor: Visitor
    started: bool = field(default=False, init=False)
    _held: Message | None = field(default=None, init=False)
    _body: bytes = field(default=b"", init=False)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._held = message
        elif self._held is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._give(self._held)
        else:
            await self._pass_on(message)

    async def _give(self, start: Message) -> None:
        body, headers = self._body, start["headers"]
        if body:  # else it was only asked about
            body, headers = self.leaving.dressed(body, headers, self.visitor)
        await self._pass_on({**start, "headers": headers})
        await self._pass_on({"type": "http.response.body", "body": body})

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            mint = self.mint and message["status"] < 400
            message = {**message, "headers": self.leaving.headers_out(list(message.get("headers", ())), mint=mint)}
        await self.send(message)


def _is_page(start: Message) -> bool:
    return bytes(dict(start.get("headers", ())).get(b"content-type", b"")).startswith(b"text/html")
