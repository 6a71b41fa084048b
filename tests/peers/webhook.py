"""An address of the web in this process that keeps what is posted to it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    answers: int = 200
    port: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As Apprise writes it."""
        return f"json://127.0.0.1:{self.port}/hooks/a-token"


@contextmanager
def webhook() -> Iterator[Webhook]:
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hook.answers == 200:
                hook.got.append(json.loads(body))
            self.send_response(hook.answers)
            self.end_headers()

        def log_message(self, form: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
