"""
HTTP with APIMart's API: one client for a process, our own base address, our key to nobody else.

Nothing is repeated and no redirect is followed. The environment is not asked for proxies, certificates or passwords:
where a face goes is decided by this server's settings alone. What httpx and httpcore write into logs are addresses,
which name tasks, and headers; what Pillow writes are the texts that a picture carries. Those loggers are switched off.

What is raised tells whether a request can have been acted on. It cannot where no connection was opened; everything
after that is doubt, also a request that broke off while it was being sent: the part that we still held may have been
the last bytes, on their way.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from core.engines.apimart.answers import NAME, UNREACHABLE, Answer, in_doubt, unavailable
from core.errors import NotTaken

CONNECT_SECONDS = 5.0
UPLOAD_SECONDS = 120.0
MOST_BYTES = 32 * 1024 * 1024
_PATIENCE = 2  # times what the first byte may take, for the last one
_CONNECTIONS = httpx.Limits(
    max_connections=32,
    max_keepalive_connections=8,
    keepalive_expiry=5.0,  # shorter than a server's patience: one that closes as we send leaves a submission in doubt
)
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
    "PIL.TiffImagePlugin",
)


def hush() -> None:
    """Disabled, not set to a level: levels are what people change to find out more."""
    for name in _LOGGERS:
        logging.getLogger(name).disabled = True


class TooMuch(httpx.StreamError):
    """An answer larger or slower than any answer needs to be."""

    def __init__(self) -> None:
        super().__init__("more than an answer needs")


class Client:
    """Speaks with one base address. Safe to share between threads."""

    def __init__(self, *, base_url: str, key: str, read_seconds: float, submit_seconds: float) -> None:
        hush()
        self._base = base_url.rstrip("/")
        self._reading = _timeout(read_seconds)
        self._submitting = _timeout(submit_seconds)
        self._http = httpx.Client(
            headers={
                "Authorization": f"Bearer {key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # what is small stays small
                "User-Agent": "WorkShot",
            },
            follow_redirects=False,
            trust_env=False,
            limits=_CONNECTIONS,
        )

    def close(self) -> None:
        self._http.close()

    def submit(self, body: bytes, key: str) -> Answer:
        """Raises NotTaken, InDoubt."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        with _in_doubt():
            return self._ask("POST", "/v1/images/generations", self._submitting, content=body, headers=headers)

    def upload(self, picture: bytes) -> Answer:
        """Under a name that says nothing, as the name becomes part of a public address. Raises NotTaken, InDoubt."""
        with _in_doubt():
            files = {"file": ("ref.jpg", picture, "image/jpeg")}
            return self._ask("POST", "/v1/uploads/images", _timeout(UPLOAD_SECONDS), files=files)

    def task(self, task_id: str) -> Answer:
        """Raises EngineUnavailable. The address is made here: `poll_url` could lead our key anywhere."""
        with _unavailable():
            return self._ask("GET", f"/v1/tasks/{task_id}", self._reading, params={"language": "en"})

    def balance(self) -> Answer:
        """Of our key. Raises EngineUnavailable."""
        with _unavailable():
            return self._ask("GET", "/v1/balance", self._reading)

    def _ask(self, method: str, path: str, timeout: httpx.Timeout, **what: Any) -> Answer:
        until = time.monotonic() + _PATIENCE * (timeout.read or 0)
        with self._http.stream(method, self._base + path, timeout=timeout, **what) as response:
            body = _whole(response, until)
        return Answer(status=response.status_code, headers=_lower(response.headers), body=body)


def _timeout(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=CONNECT_SECONDS)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _whole(response: httpx.Response, until: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() > until:
            raise TooMuch
    return bytes(body)


@contextmanager
def _in_doubt() -> Iterator[None]:
    """Without the cause: a client's errors hold the request, with our key and the words in it."""
    try:
        yield
    except _NOTHING_SENT:
        raise NotTaken(f"{NAME} cannot be reached just now.", code=UNREACHABLE) from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError):
        raise in_doubt() from None


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError):
        raise unavailable() from None
