"""
A stand-in for Google Analytics' Measurement Protocol over HTTP, in this process. As Google's, it answers 204 whatever
comes; unlike Google's, it keeps what came and says what is wrong with it.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass
class Hit:
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Google:
    """What it was told, and how it answers. `hangs_up`: it takes the whole request and closes the line."""

    answers: int = 204
    hangs_up: bool = False
    port: int = 0
    connections: int = 0
    got: list[Hit] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/mp/collect"

    def complaints(self) -> list[str]:
        """By the protocol's reference and its limits."""
        return [told for hit in self.got for told in _wrong_with(hit)]


def _wrong_with(hit: Hit) -> Iterator[str]:
    if set(hit.query) != {"api_secret", "measurement_id"}:
        yield "the query is more or less than the two"
    if not set(hit.body) <= {"client_id", "timestamp_micros", "consent", "events"} or not hit.body.get("client_id"):
        yield "the body has no client_id, or keys that nobody asked for"
    if len(str(hit.body.get("timestamp_micros"))) != 16:
        yield "not in microseconds"
    events = hit.body.get("events", [])
    if not 1 <= len(events) <= 25:
        yield "none, or more than 25 events"
    for event in events:
        params = event.get("params", {})
        if set(event) != {"name", "params"} or not NAME.fullmatch(event["name"]):
            yield "an event's name"
        if len(params) > 25 or not all(NAME.fullmatch(key) and len(str(value)) <= 100 for key, value in params.items()):
            yield "an event's parameters"


@contextmanager
def google() -> Iterator[Google]:
    """Until the end of the block."""
    self = Google()

    class Handler(BaseHTTPRequestHandler):
        def setup(self_) -> None:  # noqa: N805
            self.connections += 1
            super().setup()

        def do_POST(self_) -> None:  # noqa: N805
            body = json.loads(self_.rfile.read(int(self_.headers["Content-Length"])))
            where = urlsplit(self_.path)
            if self.answers == 204 or self.hangs_up:
                self.got.append(Hit(where.path, parse_qs(where.query), dict(self_.headers.items()), body))
            if self.hangs_up:
                self_.close_connection = True
                return
            self_.send_response(self.answers)
            self_.end_headers()

        def log_message(self_, form: str, *args: Any) -> None:  # noqa: N805
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    self.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield self
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
