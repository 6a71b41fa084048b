"""S3 servers to test against, each started when it is first asked for. What differs between them is in the README."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.adapters.s3 import Patience, S3Store, s3_client
from tests.peers.certificate import make_certificate
from tests.peers.r2 import R2Simulator
from tests.peers.seaweedfs import SeaweedFS
from tests.peers.strict_s3 import StrictS3

ACCESS = ("test-key-id", "test-secret")
BUCKET = "app"
KINDS = ("moto", "R2 simulator", "R2 simulator over TLS", "SeaweedFS", "strict stand-in")
IMPATIENT = Patience(connect=2.0, read=10.0, attempts=2)


class S3Servers:
    """`with S3Servers(folder) as servers: servers.store("moto")`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, tuple[str, str | None]] = {}
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._ends = ExitStack()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def store(self, kind: str) -> S3Store:
        """A store that has asked its server nothing yet, through a client that all of them share."""
        if kind not in self._clients:
            self._clients[kind] = self.client(kind)
        return S3Store(self._clients[kind], BUCKET)

    def client(self, kind: str, **how: Any) -> Any:
        if kind not in self._running:
            self._running[kind] = self._start(kind)
        endpoint, ca_bundle = self._running[kind]
        return s3_client(endpoint, *ACCESS, **({"patience": IMPATIENT, "ca_bundle": ca_bundle} | how))

    def endpoint(self, kind: str) -> str:
        self.client(kind)
        return self._running[kind][0]

    def ca_bundle(self, kind: str) -> str | None:
        self.client(kind)
        return self._running[kind][1]

    def _start(self, kind: str) -> tuple[str, str | None]:
        folder = self._folder / kind.replace(" ", "-")
        folder.mkdir()
        begin = {
            "moto": self._moto,
            "R2 simulator": lambda folder: self._r2(folder, None),
            "R2 simulator over TLS": lambda folder: self._r2(folder, make_certificate(folder)),
            "SeaweedFS": self._seaweedfs,
            "strict stand-in": self._strict,
        }[kind]
        return begin(folder)

    def _moto(self, folder: Path) -> tuple[str, None]:
        from moto.server import ThreadedMotoServer  # a second that no other test should wait

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        self._ends.callback(server.stop)
        host, port = server.get_host_and_port()
        return self._with_bucket(f"http://{host}:{port}", LocationConstraint="auto"), None

    def _r2(self, folder: Path, tls: tuple[Path, Path] | None) -> tuple[str, str | None]:
        server = R2Simulator(access=ACCESS, bucket=BUCKET, log=folder / "log", tls=tls)
        self._ends.enter_context(server)
        return server.endpoint, str(tls[1]) if tls else None

    def _seaweedfs(self, folder: Path) -> tuple[str, None]:
        server = SeaweedFS(access=ACCESS, folder=folder)
        self._ends.enter_context(server)
        return self._with_bucket(server.endpoint), None

    def _strict(self, folder: Path) -> tuple[str, None]:
        server = StrictS3(BUCKET, access_key_id=ACCESS[0])
        self._ends.enter_context(server)
        return server.endpoint, None

    def _with_bucket(self, endpoint: str, **where: str) -> str:
        client = s3_client(endpoint, *ACCESS)
        client.create_bucket(Bucket=BUCKET, **({"CreateBucketConfiguration": where} if where else {}))
        return endpoint
