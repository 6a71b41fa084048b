"""
The pictures that a provider leaves at public addresses: fetched once, and later asked for like anybody could.

The address comes from somebody else's server, so it is not believed. https, a host that the settings name, the usual
port, no redirect; the name is looked up here, every address of it must be a public one, and the connection goes to
just that address: a name that changes its mind in between leads nowhere else. A body may be large, endless or slow,
and costs a bounded amount of memory and time. No error says an address.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from core.engines.apimart.answers import NAME, unavailable
from core.engines.apimart.client import hush
from core.engines.apimart.pictures import RESULT_REFUSED, kind_of, looked_through, unacceptable
from core.errors import EngineRefused
from core.ports import Fetched, Presence

MOST_BYTES = 30 * 1000 * 1000
FETCH_SECONDS = 60.0  # for all of it
PROBE_SECONDS = 10.0
CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
LONGEST_URL = 4096
_FIRST_BYTES = 64  # tell a picture from a page that says it is gone

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

_NO_HOSTS_OF_V6 = [
    ipaddress.IPv6Network(net)
    for net in (
        "2001::/23",  # Teredo, which holds an IPv4 address, and other protocols
        "2001:db8::/32",  # for documents
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",  # for documents
    )
]
_ANYONE_OF_V6 = ipaddress.IPv6Network("2000::/3")  # all that is handed out; NAT64 and mapped IPv4 lie outside
_NO_HOSTS_OF_V4 = [
    ipaddress.IPv4Network(net)
    for net in (
        "192.0.0.0/24",  # for protocols
        "192.88.99.0/24",  # relays into 6to4
    )
]


def is_public(address: Address) -> bool:
    """Whether an address belongs to somebody on the internet, and not to this machine, its network, or nobody."""
    if isinstance(address, ipaddress.IPv6Address):
        return (
            address in _ANYONE_OF_V6
            and address.is_global
            and address.scope_id is None
            and not any(address in net for net in _NO_HOSTS_OF_V6)
        )
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in net for net in _NO_HOSTS_OF_V4)
    )


def look_up(host: str, port: int) -> list[str]:
    """Its addresses. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@cache
def _trusted() -> ssl.SSLContext:
    """Certificates of the authorities that come with httpx, whatever the environment says. Takes a while to load."""
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """An address that we would go to."""

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)


class Results:
    """Fetches from the hosts it was given, and from nowhere else. Safe to share between threads."""

    def __init__(
        self,
        hosts: Collection[str],
        *,
        resolve: Resolve = look_up,
        trusts: ssl.SSLContext | None = None,
        nearby: bool = False,
        most_bytes: int = MOST_BYTES,
        fetch_seconds: float = FETCH_SECONDS,
        probe_seconds: float = PROBE_SECONDS,
    ) -> None:
        """`nearby` is for tests, and no setting leads to it: this machine, any port, and http are allowed too."""
        hush()
        self._hosts = frozenset(host.lower() for host in hosts)
        self._resolve = resolve
        self._trusts = trusts or _trusted()
        self._nearby = nearby
        self._most_bytes = most_bytes
        self._fetch_seconds = fetch_seconds
        self._probe_seconds = probe_seconds

    def fetch(self, url: str) -> Fetched:
        """Raises EngineRefused: what is there, or where it is, is not acceptable; EngineUnavailable: try again."""
        try:
            with self._answer(self._place(url), seconds=self._fetch_seconds) as answer:
                if 300 <= answer.status < 400:
                    raise _wrong_place()
                if answer.status != 200:  # also 403 and 404: a picture just made may not have reached every server
                    raise unavailable()
                data = self._body(answer)
        except _NotPublic:
            raise _wrong_place() from None
        except (*_HTTP_ERRORS, OSError):
            raise unavailable() from None
        return looked_through(data)

    def probe(self, url: str) -> Presence:
        """Asks as anybody could who knows the address. A refusal is what is hoped for; silence proves nothing."""
        try:
            first = {"Range": f"bytes=0-{_FIRST_BYTES - 1}"}
            with self._answer(self._place(url), seconds=self._probe_seconds, **first) as answer:
                return _told_by(answer)
        except Exception:  # whatever it was, it proves nothing
            return Presence.UNKNOWN

    # ----------------------------------------------------------------------------------------------------- where
    def _place(self, url: str) -> _Place:
        """Raises EngineRefused."""
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise _wrong_place()
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise _wrong_place() from None
        if "@" in parts.netloc or host not in self._hosts:
            raise _wrong_place()
        if not self._nearby and (parts.scheme != "https" or port not in (None, 443)):
            raise _wrong_place()
        if parts.scheme not in ("https", "http"):
            raise _wrong_place()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        usual = 443 if parts.scheme == "https" else 80
        return _Place(scheme=parts.scheme, host=host, port=port or usual, target=target)

    def _allowed(self, host: str, port: int) -> list[str]:
        """Addresses of a host. One that is not public spoils them all: no honest name has both."""
        found = [ipaddress.ip_address(each) for each in self._resolve(host, port)]
        if not found:
            raise httpcore.ConnectError
        if not all(is_public(each) or (self._nearby and each.is_loopback) for each in found):
            raise _NotPublic
        return [str(each) for each in found]

    # ------------------------------------------------------------------------------------------------------ how
    @contextmanager
    def _answer(self, place: _Place, *, seconds: float, **headers: str) -> Iterator[httpcore.Response]:
        """A connection of its own each time, as two hosts may share an address and not a certificate."""
        network = _Straight(self._allowed, until=time.monotonic() + seconds)
        ours = {"Host": _authority(place), "Accept-Encoding": "identity", "User-Agent": "WorkShot", "Accept": "image/*"}
        with (
            httpcore.ConnectionPool(ssl_context=self._trusts, network_backend=network, max_connections=1) as pool,
            pool.stream(
                "GET",
                httpcore.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.target),
                headers=list({**ours, **headers}.items()),
                extensions={"timeout": {"connect": CONNECT_SECONDS, "read": READ_SECONDS, "write": READ_SECONDS}},
            ) as answer,
        ):
            yield answer

    def _body(self, answer: httpcore.Response) -> bytes:
        body = bytearray()
        for chunk in answer.iter_stream():
            body += chunk
            if kind_of(bytes(body[:12])) is None and len(body) >= 12:
                raise unacceptable()
            if len(body) > self._most_bytes:
                raise unacceptable()
        return bytes(body)


def _authority(place: _Place) -> str:
    usual = (place.scheme, place.port) in (("https", 443), ("http", 80))
    return place.host if usual else f"{place.host}:{place.port}"


def _told_by(answer: httpcore.Response) -> Presence:
    headers = {name.lower(): value for name, value in answer.headers}
    if answer.status in (403, 404, 410):
        challenged = b"cf-mitigated" in headers  # a guard that takes us for a robot, and shows it to others
        return Presence.UNKNOWN if challenged else Presence.ABSENT
    if answer.status == 304:
        return Presence.PRESENT
    if answer.status not in (200, 206):
        return Presence.UNKNOWN
    first = bytearray()
    for chunk in answer.iter_stream():
        first += chunk
        if len(first) >= _FIRST_BYTES:
            break
    return Presence.PRESENT if kind_of(bytes(first[:12])) else Presence.UNKNOWN


def _wrong_place() -> EngineRefused:
    return EngineRefused(f"{NAME} names a place for this picture that we do not go to.", code=RESULT_REFUSED)


class _NotPublic(Exception):
    """A host leads to this machine, its network, or nobody."""


_HTTP_ERRORS = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
    httpcore.UnsupportedProtocol,
)


class _Straight(httpcore.NetworkBackend):
    """Connects to an address that was looked at, and ends everything at one instant, however slowly it trickles."""

    def __init__(self, allowed: Callable[[str, int], list[str]], *, until: float) -> None:
        self._allowed = allowed
        self._until = until
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        error: Exception = httpcore.ConnectError()
        for address in self._allowed(host, port):
            within = _left(self._until, timeout, httpcore.ConnectTimeout)
            try:
                stream = self._sockets.connect_tcp(address, port, within, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                error = exc
            else:
                return _Timed(stream, self._until)
        raise error


class _Timed(httpcore.NetworkStream):
    """A stream that ends at one instant."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until, timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        within = _left(self._until, timeout, httpcore.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, within), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _left(until: float, timeout: float | None, late: type[Exception]) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise late
    return left if timeout is None else min(left, timeout)
