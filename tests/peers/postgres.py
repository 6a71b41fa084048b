"""
A throw-away PostgreSQL cluster: its own folder, its own port, no fsync, gone at the end.

`initdb` refuses to run as root, so as root the cluster runs as `postgres`, or `nobody` where there is none.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
}


def programs() -> Path:
    """The newest server's folder of programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if found:
        return found[-1]
    if on_path := shutil.which("initdb"):
        return Path(on_path).parent
    raise RuntimeError("These tests need PostgreSQL: apt-get install -y --no-install-recommends postgresql")


class Cluster:
    """`with Cluster() as cluster: connect(cluster.create())`."""

    def __init__(self) -> None:
        self.port = _free_port()
        self._numbers = count(1)
        self._programs = programs()
        self._user = _user_for_the_server()
        self._folder = Path(tempfile.mkdtemp(prefix="workshot-postgres-"))
        if self._user:
            shutil.chown(self._folder, self._user.pw_name)

    def __enter__(self) -> Self:
        try:
            self._run("initdb", "-D", "data", "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        where = f"-p {self.port} -k {self._folder}"
        self._run("pg_ctl", "-D", "data", "-w", "-t", "30", "-l", "log", "-o", f"{where} {options}", "start")

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is what a power cut looks like."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://app@127.0.0.1:{self.port}/{database}"

    def create(self, *, like: str = "template1") -> str:
        """Another database, empty or as a template's; its address. A template must have no connections."""
        name = f"made_{next(self._numbers)}"
        address = self.url().replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {like}")  # type: ignore[call-overload]
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        as_user = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            env={"PATH": f"{self._programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self._folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            **as_user,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _user_for_the_server() -> pwd.struct_passwd | None:
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no other user.")
