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
* what leaves: security headers on every response, cookies that end with the browser, nothing private in any cache.

The guard knows nothing of Streamlit's inside: what it must ask, it asks a `Framework` (core/ui/session.py).
"""

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import cookies, language, preferences
from core.cookies import Cookie
from core.language import N_, _
from core.logs import outline
from core.preferences import Preferences, Theme

log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

IDENTITY_HEADER = b"x-workshot-session"  # .streamlit/config.toml maps it to st.user["session"]
STAFF_HEADER = b"x-workshot-staff"  # … and this one to st.user["staff"]
COUNTED_HEADER = b"x-workshot-counted"  # … and this one, always, to st.user["counted"]
PREFERENCES_HEADER = b"x-workshot-preferences"  # as the cookie has them, to st.user["preferences"]
LANGUAGE_HEADER = b"x-workshot-language"  # which it is in the end, where anything says so, to st.user["language"]
OUR_HEADERS = frozenset({IDENTITY_HEADER, STAFF_HEADER, COUNTED_HEADER, PREFERENCES_HEADER, LANGUAGE_HEADER})
BESIDE_A_PAGE = frozenset({b"if-none-match", b"if-modified-since", b"accept-encoding"})
"""What would bring an answer that cannot be put into anybody's language: nothing new, or packed."""
QUIET_SESSIONS = 50_000
SCOPE_KEY = "workshot.visitor"

TOKEN = re.compile(r"[\w-]{43}", re.ASCII)  # what secrets.token_urlsafe(32) looks like
UPLOAD_PATH = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")
STREAM_PATH = "/_stcore/stream"
# All that Streamlit's front end asks for under /_stcore/, beside the stream and uploads.
OPEN_CORE_PATHS = re.compile(r"/_stcore/(health|host-config|bidi-components/.+)")
CLOSED_SEGMENTS = frozenset({"_stcore", "media", "component"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

REFUSALS = {
    HTTPStatus.FORBIDDEN: N_("This belongs to another browser session."),
    HTTPStatus.NOT_FOUND: N_("There is nothing here."),
    HTTPStatus.METHOD_NOT_ALLOWED: N_("This cannot be done here."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: N_("This is larger than we accept."),
    HTTPStatus.MISDIRECTED_REQUEST: N_("This server does not answer to this name. Set ALLOWED_HOSTS or PUBLIC_URL."),
    HTTPStatus.TOO_MANY_REQUESTS: N_("Too many uploads at once. Please try again in a moment."),
    HTTPStatus.SERVICE_UNAVAILABLE: N_("We are busy. Please try again in a moment."),
    HTTPStatus.INTERNAL_SERVER_ERROR: N_("Something went wrong on our side. Please try again."),
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of people's bytes may be in memory at once."""

    upload_bytes: int = 20 * 1024**2 + 64 * 1024  # one photo and its multipart frame
    open_files: int = 4  # per browser session: uploads that no page has taken yet
    open_bytes: int = 48 * 1024**2
    all_bytes: int = 200 * 1024**2  # of everyone
    form_bytes: int = 64 * 1024  # any other request body


@dataclass(frozen=True, kw_only=True)
class OpenUpload:
    """An upload that the framework still holds. Without an owner its tab is gone."""

    owner: str | None
    size: int


class Framework(Protocol):
    """What the guard asks of the framework that it stands before."""

    def index_html(self) -> str:
        """The page that loads the front end; its inline scripts are the only ones allowed to run."""

    def page(self, speaks: str, theme: Theme | None) -> str:
        """The same for somebody who reads this language and prefers this theme, if any."""

    def owner(self, framework_session: str) -> str | None:
        """The session hash that a live connection was opened with; None unless it is live right now."""

    def open_uploads(self) -> Collection[OpenUpload]: ...


class Counted(StrEnum):
    """Whether what a visitor does may be counted, and who says so."""

    YES = "yes"
    NO = "no"  # they told us
    SIGNAL = "signal"  # their browser says that they do not want it: nothing can be switched here
    GA = "ga"  # they agreed to Google Analytics as well

    @property
    def is_so(self) -> bool:
        return self in (Counted.YES, Counted.GA)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """What a request may know about who sent it."""

    session: str | None
    secure: bool
    staff: str | None = None
    counted: Counted = Counted.NO
    language: str = language.ENGLISH
    preferences: Preferences = preferences.NOTHING


NOBODY = Visitor(session=None, secure=False)


# Who it is.


def new_session() -> str:
    """A fresh cookie value, for a route that starts a session anew. It goes to the browser and nowhere else."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """How everyone behind the guard knows a session. The prefix keeps it from matching hashes made elsewhere."""
    return hashlib.sha256(b"workshot session 1:" + token.encode()).hexdigest()


def staff_hash_of(token: str) -> str:
    """How everyone behind the guard knows an operator's session."""
    return hashlib.sha256(b"workshot staff session 1:" + token.encode()).hexdigest()


def visitor_of(scope: Scope) -> Visitor:
    """Who sent a request; nobody, where it did not come through the guard."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Visitor) else NOBODY


def session_hash(scope: Scope) -> str | None:
    """Whose request this is, for routes. None: no cookie, or the request did not come through the guard."""
    return visitor_of(scope).session


def staff_hash(scope: Scope) -> str | None:
    """The operator's session that a request claims to be of, for routes to look up. None: no cookie."""
    return visitor_of(scope).staff


# Their cookies.


def set_session_cookie(response: Response, scope: Scope, token: str) -> None:
    """Put the browser into the session `token`; the guard then adds no cookie of its own."""
    _set_cookie(response, scope, cookies.SESSION, token)


def set_staff_cookie(response: Response, scope: Scope, token: str) -> None:
    _set_cookie(response, scope, cookies.STAFF, token)


def set_count_cookie(response: Response, scope: Scope, choice: Counted) -> None:
    """Remember it in the browser alone. To be counted is what is so without it."""
    _set_cookie(response, scope, cookies.COUNT, choice.value, forget=choice is Counted.YES)


def set_preferences_cookie(response: Response, scope: Scope, wanted: Preferences) -> None:
    """Remember it in the browser alone; where nothing is preferred, nothing is remembered."""
    _set_cookie(response, scope, cookies.PREFERENCES, str(wanted), forget=wanted.is_empty)


def _set_cookie(response: Response, scope: Scope, cookie: Cookie, value: str, *, forget: bool = False) -> None:
    line = cookie.line(value, secure=scope[SCOPE_KEY].secure, forget=forget)
    response.raw_headers.append((b"set-cookie", line.encode()))


def _taken(headers: Headers, cookie: str) -> tuple[str | None, Headers]:
    """The token in it, and the headers without it. Cookies of other apps on this host stay as they are."""
    token = next(filter(TOKEN.fullmatch, _values(headers, cookie)), None)
    return token, [(name, _without(cookie, value) if name == b"cookie" else value) for name, value in headers]


def _values(headers: Headers, cookie: str) -> list[str]:
    """The values of all cookies of this name."""
    pairs = (pair.partition("=") for name, value in headers if name == b"cookie" for pair in _pairs(value))
    return [value for name, _sep, value in pairs if name == cookie]


def _without(cookie: str, header: bytes) -> bytes:
    return "; ".join(pair for pair in _pairs(header) if pair.partition("=")[0] != cookie).encode("latin-1")


def _pairs(header: bytes) -> list[str]:
    return [pair.strip() for pair in header.decode("latin-1").split(";")]


# What they want.


def _signals(headers: Headers) -> bool:
    """Global Privacy Control, or Do Not Track: either is a no."""
    return any(name.lower() in (b"sec-gpc", b"dnt") and value.strip() == b"1" for name, value in headers)


def _chosen(headers: Headers, *, secure: bool) -> Counted:
    """What the preference cookie says; anything else that it may hold says nothing."""
    values = _values(headers, cookies.COUNT.named(secure=secure))
    return next((choice for choice in (Counted.NO, Counted.GA) if choice.value in values), Counted.YES)


def _preferred(headers: Headers, *, secure: bool) -> Preferences:
    found = map(preferences.read, _values(headers, cookies.PREFERENCES.named(secure=secure)))
    return next((each for each in found if not each.is_empty), preferences.NOTHING)


def _accepted(headers: Headers) -> str | None:
    """The language that the browser asks for, if it does."""
    said = [value.decode("latin-1") for name, value in headers if name == b"accept-language"]
    return language.accepted(", ".join(said)) if said else None


def _wants_page(headers: Headers) -> bool:
    return b"text/html" in dict(headers).get(b"accept", b"")


def _is_page(start: Message) -> bool:
    return bytes(dict(start.get("headers", ())).get(b"content-type", b"")).startswith(b"text/html")


# What leaves.


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


# Who may ask.


def address_of(scope: Scope, trusted_proxies: int) -> str:
    """Where a request comes from: each trusted proxy has added one entry at the end of X-Forwarded-For."""
    entries = [
        entry.strip()
        for name, value in scope["headers"]
        if name.lower() == b"x-forwarded-for"
        for entry in value.decode("latin-1").split(",")
    ]
    if trusted_proxies and len(entries) >= trusted_proxies:
        return str(entries[-trusted_proxies])
    client = scope.get("client")
    return str(client[0]) if client else ""


def host_of(headers: Headers) -> str:
    """The one Host that was asked for, in lower case; empty when there is none or more than one."""
    hosts = [value for name, value in headers if name == b"host"]
    return hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""


def answers_to(host: str, hosts: Collection[str]) -> bool:
    """
    Names that are listed, and names that no stranger can register and point at this machine (DNS rebinding):
    addresses, names without a dot and `.local` ones.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in hosts or (name and "." not in name and ":" not in name) or name.endswith((".local", ".localhost")):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def same_origin(headers: Headers, *, secure: bool) -> bool:
    """Whether exactly one Origin came along and names the host that was asked."""
    origins = [value.decode("latin-1").lower() for name, value in headers if name == b"origin"]
    if len(origins) != 1:
        return False
    scheme, _, host = origins[0].partition("://")
    return scheme in (("https",) if secure else ("http", "https")) and host != "" and host == host_of(headers)


def crosses_sites(headers: Headers) -> bool:
    """Whether another site's page sent this. Programs that are no browser send neither header and have no cookies."""
    sent = dict(headers)
    if sent.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
        return True
    origin = sent.get(b"origin", b"null").decode("latin-1").lower()
    return origin != "null" and origin.partition("://")[2] != host_of(headers)


def is_closed(path: str, method: str) -> bool:
    """Addresses of Streamlit that no page of ours needs, wherever in the path they hide."""
    if OPEN_CORE_PATHS.fullmatch(path):
        return method not in ("GET", "HEAD")
    if UPLOAD_PATH.fullmatch(path):
        return method not in ("PUT", "DELETE")
    segments = path.split("/")
    return segments[1:2] != ["static"] and not CLOSED_SEGMENTS.isdisjoint(segments)


class BodyTooLargeError(Exception):
    """More bytes came than were agreed to."""


@dataclass
class Body:
    """Watches one request's body on its way in."""

    arriving: Receive
    limit: int
    read: int = field(default=0, init=False)
    ended: bool = field(default=False, init=False)

    async def receive(self) -> Message:
        """Stops as soon as there is more than agreed, whatever the sender declared."""
        message = await self.arriving()
        self.read += len(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        if self.read > self.limit:
            raise BodyTooLargeError
        return message

    async def read_out(self, at_most: int) -> bool:
        """
        Let a refused body arrive, keeping nothing: a browser that is cut off while it sends never reads the answer.
        False where it goes on for longer than anything we would have taken; then the connection has to go.
        """
        end = self.read + at_most
        while not self.ended and self.read < end:
            message = await self.arriving()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self.read += len(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        return self.ended


@dataclass
class Reply:
    """Watches one response on its way out."""

    send: Send
    guard: "Guard"
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
            body, headers = self.guard.dressed(body, headers, self.visitor)
        await self._pass_on({**start, "headers": headers})
        await self._pass_on({"type": "http.response.body", "body": body})

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            mint = self.mint and message["status"] < 400
            message = {**message, "headers": self.guard.headers_out(list(message.get("headers", ())), mint=mint)}
        await self.send(message)


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
        self._framework = framework
        self._secure = secure
        self._hosts = frozenset(host.lower() for host in hosts if host)
        self._limits = limits or Limits()
        index = framework.index_html()
        self._index = index.encode()
        self._security_headers = security_headers(index, secure=secure)
        self._arriving: list[OpenUpload] = []  # uploads under way; only the event loop touches it
        self._quiet: dict[str, None] = {}  # sessions whose browser said that they are not to be counted; likewise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope = self._identified(scope)
        try:
            if scope["type"] == "websocket":
                await self._websocket(scope, receive, send)
            else:
                with language.speaking(scope[SCOPE_KEY].language):
                    await self._http(scope, receive, send)
        except ClientDisconnect:
            pass  # the person closed the page: nobody is left to answer

    def _identified(self, scope: Scope) -> Scope:
        """The same request with its sender's hash in place of the cookie, and no identity that the sender claimed."""
        token, headers = _taken(list(scope["headers"]), cookies.SESSION.named(secure=self._secure))
        session = hash_of(token) if token else None
        staff_token, headers = _taken(headers, cookies.STAFF.named(secure=self._secure))
        staff = staff_hash_of(staff_token) if staff_token else None
        counted = self._may_count(session, headers)
        wanted = _preferred(headers, secure=self._secure)
        speaks = wanted.language or _accepted(headers)  # None: nothing says so
        headers = [(name, value) for name, value in headers if name.lower() not in OUR_HEADERS]
        if _wants_page(headers):
            headers = [(name, value) for name, value in headers if name.lower() not in BESIDE_A_PAGE]
        if scope["type"] == "websocket":
            # A visitor without a cookie is nobody, and a different nobody each time: nothing to take over.
            headers.append((IDENTITY_HEADER, (session or f"nobody-{secrets.token_hex(16)}").encode()))
            if staff:
                headers.append((STAFF_HEADER, staff.encode()))
            headers.append((COUNTED_HEADER, counted.value.encode()))
            headers.append((PREFERENCES_HEADER, str(wanted).encode()))
            if speaks:
                headers.append((LANGUAGE_HEADER, speaks.encode()))
        visitor = Visitor(
            session=session,
            secure=self._secure,
            staff=staff,
            counted=counted,
            language=speaks or language.ENGLISH,
            preferences=wanted,
        )
        return {**scope, "headers": headers, SCOPE_KEY: visitor}

    def _may_count(self, session: str | None, headers: Headers) -> Counted:
        """A browser that signals it once, with a page or a picture, has said it for its session: not every browser
        says it again when it opens a stream."""
        if _signals(headers):
            if session:
                self._quiet[session] = None
            while len(self._quiet) > QUIET_SESSIONS:
                del self._quiet[next(iter(self._quiet))]
            return Counted.SIGNAL
        return Counted.SIGNAL if session in self._quiet else _chosen(headers, secure=self._secure)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope["headers"]
        # Decided here because Streamlit accepts a missing Origin, and for a foreign one asks a server on the
        # internet for this machine's address while everyone else waits.
        welcome = (
            scope["path"] == STREAM_PATH
            and answers_to(host_of(headers), self._hosts)
            and same_origin(headers, secure=self._secure)
        )
        if not welcome:
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
        uploading = bool(UPLOAD_PATH.fullmatch(scope["path"])) and scope["method"] == "PUT"
        body = Body(receive, self._limits.upload_bytes if uploading else self._limits.form_bytes)
        reply = Reply(send, self, mint=self._should_mint(scope), visitor=scope[SCOPE_KEY])
        try:
            with self._admitted(scope) as refusal:
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
        response = PlainTextResponse(_(REFUSALS[status]) + "\n", status_code=status)
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            response.headers["retry-after"] = "10"
        if scope["method"] not in SAFE_METHODS and not await body.read_out(self._limits.upload_bytes):
            response.headers["connection"] = "close"
        await response(scope, body.arriving, reply)

    @contextmanager
    def _admitted(self, scope: Scope) -> Iterator[HTTPStatus | None]:
        """Why a request may not go on; if it may and brings an upload, the upload counts until it is over."""
        refusal = self._refusal(scope)
        if refusal is not None or scope["method"] != "PUT":
            yield refusal
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        size = int(declared) if declared.isdigit() else self._limits.upload_bytes
        upload = OpenUpload(owner=session_hash(scope), size=size)
        refusal = self._no_room_for(upload)
        self._arriving.append(upload)
        try:
            yield refusal
        finally:
            self._arriving.remove(upload)

    def _refusal(self, scope: Scope) -> HTTPStatus | None:
        headers, path, method = scope["headers"], scope["path"], scope["method"]
        if not answers_to(host_of(headers), self._hosts):
            return HTTPStatus.MISDIRECTED_REQUEST
        if is_closed(path, method):
            return HTTPStatus.NOT_FOUND
        if method == "OPTIONS":
            return HTTPStatus.METHOD_NOT_ALLOWED  # nothing here is meant for pages of other sites
        if method not in SAFE_METHODS and crosses_sites(headers):
            return HTTPStatus.FORBIDDEN
        upload = UPLOAD_PATH.fullmatch(path)
        if upload and not self._owns(scope, upload.group(1)):
            return HTTPStatus.FORBIDDEN
        return None

    def _owns(self, scope: Scope, framework_session: str) -> bool:
        session = session_hash(scope)
        return session is not None and self._framework.owner(framework_session) == session

    def _no_room_for(self, upload: OpenUpload) -> HTTPStatus | None:
        if upload.size > self._limits.upload_bytes:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        everyones = [*self._framework.open_uploads(), *self._arriving, upload]
        own = [other.size for other in everyones if other.owner == upload.owner]
        if len(own) > self._limits.open_files or sum(own) > self._limits.open_bytes:
            return HTTPStatus.TOO_MANY_REQUESTS
        if sum(other.size for other in everyones) > self._limits.all_bytes:
            return HTTPStatus.SERVICE_UNAVAILABLE
        return None

    # What leaves.

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

    def _should_mint(self, scope: Scope) -> bool:
        """Only a person who opens a page gets a session, not a script, a picture or a health check."""
        return session_hash(scope) is None and scope["method"] == "GET" and _wants_page(scope["headers"])

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
