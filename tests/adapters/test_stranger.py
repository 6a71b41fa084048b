"""Our own server as a stranger sees it, over HTTP and within the process."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import bootstrap
from core.adapters.stranger import START, stranger
from core.ports import Stranger
from core.services import Services
from tests.peers.certificate import make_certificate

GONE = "http://127.0.0.1:9"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("location", "/big")
        else:
            self.send_response(200 if self.path == "/big" else 404)
        self.send_header("set-cookie", "a=1")
        self.send_header("set-cookie", "b=2")
        self.end_headers()
        self.wfile.write(b"x" * (2 * START) if self.path == "/big" else self.headers.get("cookie", "").encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serving(over: ssl.SSLContext | None = None) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if over is not None:
        server.socket = over.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"{'https' if over else 'http'}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving() as address:
        yield address


def app() -> Starlette:
    def said(request: Request) -> Response:
        return PlainTextResponse(request.headers.get("cookie", "none"), headers={"x-here": "inside"})

    def fails(request: Request) -> Response:
        raise RuntimeError

    return Starlette(routes=[Route("/said", said), Route("/fails", fails)])


def anybody(_: Stranger) -> bool:
    return True


def test_what_answers_is_taken_as_it_is(base: str) -> None:
    with stranger([base], app(), anybody) as outside:
        assert outside.way == "http"
        big, moved, told = outside.ask("/big"), outside.ask("/elsewhere"), outside.ask("/x", {"cookie": "c=3"})
    assert big and moved and told
    assert (big.status, len(big.start) <= START, big.header("set-cookie")) == (200, True, "a=1, b=2")
    assert moved.status == 302 and moved.header("location") == "/big", "nothing is followed"
    assert told.start == b"c=3", "no cookie but those named, though others were handed out"


def test_who_is_not_us_says_nothing_about_us(base: str) -> None:
    with stranger([GONE, base], app(), lambda who: who.ask("/big") is None) as outside:
        assert outside.way == "http" and outside.ask("/big") is None
    with stranger([GONE, base], app(), lambda who: False) as outside:
        assert outside.way == "inside"
        answer = outside.ask("/said", {"cookie": "c=3"})
    assert answer and (answer.status, answer.start, answer.header("x-here")) == (200, b"c=3", "inside")


def test_within_the_process_others_are_asked_over_http(base: str) -> None:
    with stranger([], app(), anybody) as outside:
        there, silent, broken = outside.ask(f"{base}/big"), outside.ask(f"{GONE}/x"), outside.ask("/fails")
    assert there and there.status == 200 and silent is None
    assert broken and broken.status == 500


def test_who_signs_an_inner_address_is_taken_from_the_environment_and_proxies_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("HTTPS_PROXY", GONE)
    with serving(context) as address, stranger([address], app(), lambda who: who.ask("/big") is not None) as outside:
        assert outside.way == "https"


@pytest.mark.sqlite_only("no rows are asked")
def test_our_server_shows_its_key_before_it_is_believed(svc: Services, base: str) -> None:
    seen = bootstrap.seen_from_outside(svc, base)
    assert seen.outside is not None
    with seen.outside() as outside:
        assert outside.way == "inside", "the other one has no key of ours"
        answer = outside.ask("/receipt-key", {"accept": "text/html"})
    assert answer and svc.signer.key_id.encode() in answer.start and "workshot=" in answer.header("set-cookie")


@pytest.mark.sqlite_only("no rows are asked")
def test_a_copy_of_us_with_another_key_is_not_us(svc: Services) -> None:
    from core.signing import Signer

    @contextmanager
    def other() -> Iterator[Stranger]:
        theirs = bootstrap.seen_from_outside(replace(svc, signer=Signer(b"t" * 32)))
        assert theirs.outside is not None
        with theirs.outside() as outside:
            yield outside

    with other() as outside:
        assert not bootstrap._is_us(svc, outside)
        assert bootstrap._is_us(replace(svc, signer=Signer(b"t" * 32)), outside)
