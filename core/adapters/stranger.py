"""
Our own server as a stranger sees it: over HTTP where it can be reached, or else within this process, through the same
layers that a request from outside passes.

Whoever answers at an address has to show first that it is us, by `is_us`: another server on this machine, or one that
has taken over a name, says nothing about our promises. The environment is not asked for proxies, and nothing is
followed: what is asked for is what is looked at.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from core.adapters.hush import keep_addresses_out_of_logs
from core.ports import Answered, Stranger

CONNECT_SECONDS, SECONDS = 1.0, 3.0
START: Final = 64 * 1024
"""How much of a body is looked at."""


@contextmanager
def stranger(
    addresses: Sequence[str], app: Callable[..., Any], is_us: Callable[[Stranger], bool]
) -> Iterator[Stranger]:
    """The first of the addresses that is us; if none is, `app` itself."""
    keep_addresses_out_of_logs()  # these hold ids
    timeout = httpx.Timeout(SECONDS, connect=CONNECT_SECONDS)
    trusted = httpx.create_ssl_context()  # SSL_CERT_FILE counts: who signs an inner address is no proxy
    with httpx.Client(timeout=timeout, trust_env=False, verify=trusted, headers={"User-Agent": "WorkShot"}) as http:
        for address in addresses:
            over_http = OverHttp(http, address)
            if is_us(over_http):
                yield over_http
                return
        yield Inside(http, app)


@dataclass(frozen=True)
class OverHttp:
    http: httpx.Client
    base: str

    @property
    def way(self) -> str:
        return urlsplit(self.base).scheme

    def ask(self, address: str, headers: Mapping[str, str] | None = None) -> Answered | None:
        url = f"{self.base}{address}" if address.startswith("/") else address
        try:
            self.http.cookies.clear()
            with self.http.stream("GET", url, headers=dict(headers or {})) as answer:
                return _answered(answer, next(answer.iter_bytes(START), b""))
        except (httpx.HTTPError, httpx.InvalidURL):
            return None


@dataclass(frozen=True)
class Inside:
    http: httpx.Client  # for whole URLs: storage is outside in any case
    app: Callable[..., Any]
    way: str = "inside"

    def ask(self, address: str, headers: Mapping[str, str] | None = None) -> Answered | None:
        if not address.startswith("/"):
            return OverHttp(self.http, "").ask(address, headers)
        return asyncio.run(self._ask(address, dict(headers or {})))

    async def _ask(self, path: str, headers: dict[str, str]) -> Answered | None:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False) as http:
            try:
                answer = await http.get(path, headers=headers)
            except httpx.HTTPError:
                return None
            return _answered(answer, answer.content[:START])


def _answered(answer: httpx.Response, start: bytes) -> Answered:
    pairs = tuple((name.lower(), value) for name, value in answer.headers.multi_items())
    return Answered(status=answer.status_code, headers=pairs, start=start[:START])
