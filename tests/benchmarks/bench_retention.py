"""
How long erasing takes in a bucket, against a loop that asks for the same; and how much memory a comparison takes.

Run it with `python -m tests.benchmarks.bench_retention [--json] [--full] [--server SeaweedFS] [--postgresql]`: 100,000
due objects and a million rows with `--full`, a few thousand without; rows in SQLite, or in a PostgreSQL of its own.

The floor is the same deletes and the same reads in plain boto3, one request after the other, through the same client:
`delete_objects` for a thousand keys at a time, then for each key a `get_object` of one byte that must say NoSuchKey,
then a listing of the bucket to its end. It knows its keys beforehand and notes nothing; a sweep finds them in rows,
reads each again, writes evidence and an audit log, and destroys the keys of subjects. The loop runs before the sweep
and after it, each time for half as many objects, so that a busy machine slows both. What one `delete_object` for each
takes, with nothing asked afterwards, is told as well.
"""

import argparse
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from core import bootstrap, proof, reconcile, retention
from core.adapters.s3 import S3Store
from core.models import Copy, CopyKind, EraseReason, Subject, new_id
from core.ports import LifecycleRule, Presence, StoredObject
from core.services import Services
from core.settings import Settings
from core.vault import OVERHEAD, new_object_key
from tests.benchmarks.common import Figure
from tests.benchmarks.common import main as tell
from tests.peers.postgres import Cluster
from tests.peers.s3_servers import BUCKET, S3Servers

OBJECTS, OBJECTS_IN_FULL = 2_000, 100_000
ROWS, ROWS_IN_FULL = 50_000, 1_000_000
SERVER = "moto"
LISTINGS = ("ListObjectsV2", "ListObjectVersions", "ListMultipartUploads")
ALONE = 5  # of so many objects one is deleted alone
PER_SUBJECT = 5
SLOWEST = 1 / 0.8  # of the loop's time
FLAT = 1.25
BYTES = 1_000
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def measure(*, full: bool = False, server: str = SERVER, postgresql: bool = False) -> list[Figure]:
    objects, rows = (OBJECTS_IN_FULL, ROWS_IN_FULL) if full else (OBJECTS, ROWS)
    return [*_sweeping(objects, server, postgresql), *_comparing(rows, postgresql)]


@contextmanager
def _services(postgresql: bool, **how: Any) -> Iterator[Services]:
    with TemporaryDirectory() as name, Cluster() if postgresql else nullcontext() as cluster:
        where = {"database_url": cluster.url()} if cluster else {}
        settings = Settings(data_dir=Path(name), sweep_cap=OBJECTS_IN_FULL, sweep_cap_share=1, **where)
        svc = bootstrap.build(settings, **how)
        yield replace(svc, clock=lambda: NOW)
        svc.database.dispose()


# ----------------------------------------------------------------------------------------------------------- sweep
def _sweeping(objects: int, server: str, postgresql: bool) -> list[Figure]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with TemporaryDirectory() as name, S3Servers(Path(name)) as servers:
        client = servers.client(server, connections=proof.AT_ONCE)
        counting = _Counting(client)
        with _services(postgresql, store=S3Store(client, BUCKET)) as svc:
            loop = _timed(_put(client, objects // 2), lambda keys: _delete_and_ask(client, keys), counting)
            keys = _put(client, objects)
            _add_rows(svc, keys, due=True)
            swept = _timed(keys, lambda keys: _sweep(svc, keys), counting)
            loop += _timed(_put(client, objects // 2), lambda keys: _delete_and_ask(client, keys), counting)
            alone = _timed(_put(client, objects // ALONE), lambda keys: _delete_each(client, keys), counting)
    deletes, listings = swept.asked["DeleteObjects"], sum(swept.asked[what] for what in LISTINGS)
    return [
        Figure(name=f"{objects} due objects swept", value=swept.seconds, floor=loop.seconds, promised=SLOWEST),
        Figure(name="its requests", value=swept.asked.total(), floor=loop.asked.total(), unit=""),
        Figure(name="of these deletes", value=deletes, floor=loop.asked["DeleteObjects"], unit=""),
        Figure(name="of these listings", value=listings, floor=loop.asked["ListObjectsV2"], unit=""),
        Figure(name="against one delete for each alone", value=swept.seconds, floor=alone.seconds * ALONE),
    ]


@dataclass(frozen=True)
class _Timed:
    seconds: float
    asked: Counter[str]

    def __add__(self, other: "_Timed") -> "_Timed":
        return _Timed(self.seconds + other.seconds, self.asked + other.asked)


def _timed(keys: list[str], erase: Callable[[list[str]], int], counting: "_Counting") -> _Timed:
    counting.into = asked = Counter[str]()
    started = time.perf_counter()
    gone = erase(keys)
    seconds = time.perf_counter() - started
    counting.into = Counter()
    if gone != len(keys):
        raise RuntimeError(f"{gone} of {len(keys)} are gone")
    return _Timed(seconds, asked)


def _sweep(svc: Services, keys: list[str]) -> int:
    return retention.sweep(svc).gone


def _delete_and_ask(client: Any, keys: list[str]) -> int:
    for start in range(0, len(keys), 1000):
        named = [{"Key": key} for key in keys[start : start + 1000]]
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": named})
    absent = {key for key in keys if _says_no_such_key(client, key)}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        absent -= {found["Key"] for found in page.get("Contents", ())}
    return len(absent)


def _says_no_such_key(client: Any, key: str) -> bool:
    try:
        client.get_object(Bucket=BUCKET, Key=key, Range="bytes=0-0")
    except client.exceptions.NoSuchKey:
        return True
    return False


def _delete_each(client: Any, keys: list[str]) -> int:
    return len([client.delete_object(Bucket=BUCKET, Key=key) for key in keys])


class _Counting:
    """Counts the calls of a client, by operation."""

    def __init__(self, client: Any) -> None:
        self.into: Counter[str] = Counter()
        client.meta.events.register("before-call.s3", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.into[model.name] += 1


def _put(client: Any, objects: int) -> list[str]:
    keys = [new_object_key() for _ in range(objects)]
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=key, Body=bytes(BYTES))
    return keys


def _add_rows(svc: Services, keys: list[str], *, due: bool) -> None:
    """Subjects with a few copies each, as if they had been written an hour ago."""
    at, ends = NOW - timedelta(hours=1), NOW if due else NOW + timedelta(days=1)
    subjects, rows = [], []
    for n, key in enumerate(keys):
        if n % PER_SUBJECT == 0:
            subjects.append({"id": new_id(), "created_at": at, "sealed_key": b"k" * 60, "is_canary": False})
        rows.append(
            {
                "id": new_id(),
                "subject_id": subjects[-1]["id"],
                "kind": CopyKind.HEADSHOT,
                "place": "vault",
                "object_key": key,
                "media_type": "image/jpeg",
                "width": 1,
                "height": 1,
                "size": BYTES - OVERHEAD,
                "created_at": at,
                "written_at": at,
                "erase_by": ends,
                "erase_reason": EraseReason.CONTRACT,
                "probes": 0,
            }
        )
    with svc.transaction() as session:
        session.execute(sa.insert(Subject), subjects)
        session.execute(sa.insert(Copy), rows)


# ------------------------------------------------------------------------------------------------------- reconcile
def _comparing(rows: int, postgresql: bool) -> list[Figure]:
    """Each size in a process of its own, so that its peak is its own."""
    small, large = (_compare_alone(n, postgresql) for n in (max(1000, rows // 100), rows))
    return [
        Figure(name=f"a million rows at the speed of {rows}", value=large.seconds / rows * 1e6, unit="s"),
        Figure(name=f"memory with {rows} rows against {rows // 100}", value=large.mib, floor=small.mib,
               unit="MiB", promised=FLAT),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Compared:
    seconds: float
    mib: float


def _compare_alone(rows: int, postgresql: bool) -> _Compared:
    command = [sys.executable, "-m", "tests.benchmarks.bench_retention", "--compare", str(rows)]
    command += ["--postgresql"] if postgresql else []
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout
    seconds, mib = said.split()[-2:]
    return _Compared(float(seconds), float(mib))


class _Listing:
    """A store that lists so many objects without holding one. Every thousandth is not known to any row."""

    place, takes_many = "vault", True

    def __init__(self, database: sa.Engine, strays: int) -> None:
        self._database, self._strays = database, strays

    def inventory(self) -> Iterator[StoredObject]:
        for n in range(self._strays):
            yield StoredObject(key=f"{n:040x}", size=BYTES, modified_at=NOW - timedelta(days=1))
        after = ""
        while True:
            query = sa.text("SELECT object_key FROM copy WHERE object_key > :after ORDER BY object_key LIMIT 1000")
            with self._database.connect() as connection:
                page = connection.execute(query, {"after": after}).scalars().all()
            yield from (StoredObject(key=key, size=BYTES, modified_at=NOW) for key in page)
            if len(page) < 1000:
                return
            after = page[-1]

    def head(self, key: str) -> Presence:
        return Presence.PRESENT

    def listed(self, key: str) -> Presence:
        return Presence.PRESENT

    def lifecycle_rules(self) -> list[LifecycleRule] | None:
        return None


def _compare(rows: int, postgresql: bool) -> None:
    """Prints seconds and the peak of this process in MiB, with the rows already there."""
    with _services(postgresql) as svc:
        for start in range(0, rows, 1000):
            _add_rows(svc, [new_object_key() for _ in range(min(1000, rows - start))], due=False)
        strays = rows // 1000
        svc.vault.store = _Listing(svc.database, strays)  # type: ignore[assignment]
        started = time.perf_counter()
        done = reconcile.compare(svc)
        seconds = time.perf_counter() - started
        if (done.objects, sum(done.found.values())) != (rows + strays, strays):
            raise RuntimeError(f"{done}")
    print(seconds, _peak_mib())


def _peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--server", default=SERVER, help="another of tests/peers/s3_servers.py")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--compare", type=int, default=0)
    options, rest = parser.parse_known_args()
    if options.compare:
        _compare(options.compare, options.postgresql)
    else:
        sys.argv[1:] = rest
        tell(lambda: measure(full=options.full, server=options.server, postgresql=options.postgresql), __doc__)
