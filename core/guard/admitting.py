"""
Who is let in: whether this address, host, origin and method are part of the app at all, whether an upload belongs to
the session that it names, and whether there is room for it. What is not on a list is a 404.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope

from core.guard.framework import Framework, OpenUpload
from core.guard.visitor import Headers, session_hash
from core.language import N_, _

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


class Admission:
    """Lets a request in, or says why not."""

    def __init__(
        self, framework: Framework, *, secure: bool, hosts: Collection[str] = (), limits: Limits | None = None
    ) -> None:
        self._framework = framework
        self._secure = secure
        self._hosts = frozenset(host.lower() for host in hosts if host)
        self._limits = limits or Limits()
        self._arriving: list[OpenUpload] = []  # uploads under way; only the event loop touches it

    def welcomes(self, stream: Scope) -> bool:
        """
        Whether a stream may open. Decided here because Streamlit accepts a missing Origin, and for a foreign one asks a
        server on the internet for this machine's address while everyone else waits.
        """
        return (
            stream["path"] == STREAM_PATH
            and answers_to(host_of(stream["headers"]), self._hosts)
            and same_origin(stream["headers"], secure=self._secure)
        )

    def body(self, scope: Scope, receive: Receive) -> Body:
        """What a request brings, up to where it is too large."""
        uploading = bool(UPLOAD_PATH.fullmatch(scope["path"])) and scope["method"] == "PUT"
        return Body(receive, self._limits.upload_bytes if uploading else self._limits.form_bytes)

    @contextmanager
    def admitted(self, scope: Scope) -> Iterator[HTTPStatus | None]:
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

    async def refused(self, status: HTTPStatus, scope: Scope, body: Body) -> Response:
        """What is said to whoever is not let in."""
        response = PlainTextResponse(_(REFUSALS[status]) + "\n", status_code=status)
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            response.headers["retry-after"] = "10"
        if scope["method"] not in SAFE_METHODS and not await body.read_out(self._limits.upload_bytes):
            response.headers["connection"] = "close"
        return response
