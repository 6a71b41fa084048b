"""SeaweedFS: an S3 server that has nothing in common with Amazon's or Cloudflare's. From PyPI, in one program."""

import json
import socket
import sys
from pathlib import Path

from tests.peers.process import Server, free_port


class SeaweedFS(Server):
    def __init__(self, *, access: tuple[str, str], folder: Path) -> None:
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        owner = {
            "name": "app",
            "credentials": [{"accessKey": access[0], "secretKey": access[1]}],
            "actions": ["Admin", "Read", "List", "Write"],
        }
        settings = folder / "s3.json"
        settings.write_text(json.dumps({"identities": [owner]}))
        others = (
            "master",
            "master.port.grpc",
            "volume",
            "volume.port.grpc",
            "filer",
            "filer.port.grpc",
            "s3.port.grpc",
        )
        ports = [f"-{name if '.' in name else f'{name}.port'}={free_port()}" for name in others]
        command = [
            Path(sys.executable).with_name("weed"),
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
            f"-s3.port={port}",
            f"-s3.config={settings}",
            f"-s3.port.grpc={free_port()}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=20",
            *ports,
        ]
        super().__init__(command, log=folder / "log", is_up=lambda said: _listens(port), ends_gently=False)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
