"""A server in a process of its own, and the two clients that attack it: plain HTTP and Streamlit's websocket."""

import os
import re
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "tests" / "web" / "app" / "mini.py"
T = TypeVar("T")

HTML = {"accept": "text/html"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: Callable[[], T], *, seconds: float = 20) -> T:
    """Ask again until the answer is truthy; return the last answer either way."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if answer := what():
            return answer
        pause.wait(0.1)
    return what()


@dataclass
class Server:
    port: int
    log: Path
    pid: int = 0

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def visitor(self) -> "Visitor":
        """A browser that has opened the page, so it has a session cookie."""
        visitor = Visitor(self)
        visitor.http.get("/", headers=HTML)
        visitor.http.get("/_stcore/health")
        return visitor

    def nobody(self) -> "Visitor":
        """A client without any cookie of ours. Streamlit's own token against forgery it can make up itself."""
        visitor = Visitor(self)
        visitor.http.get("/_stcore/health")
        return visitor

    def logged(self) -> str:
        return self.log.read_text()

    def temporary_files(self) -> list[str]:
        """What this process has open that has no name any more."""
        open_files = [os.readlink(entry) for entry in Path(f"/proc/{self.pid}/fd").iterdir() if entry.is_symlink()]
        return [name for name in open_files if name.endswith("(deleted)")]

    def copies_in_memory(self, marker: bytes) -> int:
        """How often the process holds these bytes, in use or merely not overwritten yet."""
        found = 0
        with open(f"/proc/{self.pid}/maps") as maps, open(f"/proc/{self.pid}/mem", "rb", buffering=0) as memory:
            for span, rights in (line.split()[:2] for line in maps):
                start, end = (int(edge, 16) for edge in span.split("-"))
                if "r" in rights and start < 1 << 47:
                    with suppress(OSError):  # a mapping that went away, or that is not memory
                        memory.seek(start)
                        found += memory.read(end - start).count(marker)
        return found

    def is_up(self) -> bool:
        try:
            return httpx.get(f"{self.url}/_stcore/health").status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def serve(
    log: Path, *, uvicorn: bool = False, page: Path = MINI, port: int | None = None, **environment: str
) -> Iterator[Server]:
    """A server, until the end of the block. A `port` is given to start where another one has died."""
    server = Server(port or free_port(), log)
    how = (
        ["uvicorn", "tests.web.app.mini:app", "--port", str(server.port)]
        if uvicorn
        else ["streamlit", "run", str(page), "--server.port", str(server.port), "--server.headless", "true"]
    )
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *how],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MALLOC_MMAP_THRESHOLD_": "65536", **environment},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    server.pid = process.pid
    try:
        assert until(server.is_up, seconds=60), server.logged()
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


@dataclass
class Visitor:
    server: Server
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.server.client()

    @property
    def xsrf(self) -> str:
        return self.http.cookies.get("_streamlit_xsrf") or ""

    @property
    def cookie_header(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)

    def tab(self, *, resume: str | None = None, origin: str | None = "", host: str = "", **headers: str) -> "Tab":
        origin = self.server.url if origin == "" else origin
        return Tab(self, resume=resume, origin=origin, host=host or self.server.host, headers=headers)

    def put(self, streamlit_session: str, data: bytes, file_id: str = "", **headers: str) -> httpx.Response:
        return self.http.put(
            f"/_stcore/upload_file/{streamlit_session}/{file_id or uuid.uuid4()}",
            files={"file": ("p.png", data, "image/png")},
            headers={"x-xsrftoken": self.xsrf, **headers},
        )


class Tab:
    """One connection of Streamlit's front end, spoken by hand."""

    def __init__(
        self, visitor: Visitor, *, resume: str | None, origin: str | None, host: str, headers: dict[str, str]
    ) -> None:
        protocols = ["streamlit", visitor.xsrf or "none", *([resume] if resume else [])]
        cookie = {"Cookie": visitor.cookie_header} if visitor.cookie_header else {}
        self._open = ExitStack()
        connection = connect(
            f"ws://{host}/_stcore/stream",
            sock=socket.create_connection(("localhost", visitor.server.port)),
            subprotocols=[Subprotocol(protocol) for protocol in protocols],
            origin=origin,  # type: ignore[arg-type]
            additional_headers={**cookie, **headers},
            max_size=None,
            proxy=None,
        )
        self._socket: ClientConnection = self._open.enter_context(connection)
        self.session_id = ""
        self.texts: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, query: str = "") -> Self:
        """Ask for one run of the page and read until it has finished."""
        ask = BackMsg()
        ask.rerun_script.query_string = query
        self._socket.send(ask.SerializeToString())
        self.texts = []
        while True:
            message = ForwardMsg.FromString(_bytes(self._socket.recv(timeout=30)))
            self._take(message)
            if message.WhichOneof("type") == "script_finished":
                return self

    def close(self) -> None:
        self._open.close()

    def _take(self, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "new_session":
            self.session_id = message.new_session.initialize.session_id
        element = message.delta.new_element
        if element.WhichOneof("type") == "text":
            self.texts.append(element.text.body)
        if element.WhichOneof("type") == "alert":
            self.texts.append(element.alert.body)

    def said(self, name: str) -> str:
        """`born=1f…` on the page gives `1f…`."""
        found = re.search(rf"\b{name}=(\S+)", " ".join(self.texts))
        return found.group(1) if found else ""


def _bytes(frame: Any) -> bytes:
    assert isinstance(frame, bytes)
    return frame
