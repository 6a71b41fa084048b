"""
How long erasing takes in a bucket, against a loop that only deletes; and how much memory a comparison takes.

Run it with `python -m tests.benchmarks.bench_retention [--json] [--full] [--server SeaweedFS]`: 100,000 due objects and
a million rows with `--full`, a few thousand without.

The floor is what an operator would write: for each due object one `delete_object`, on the same server, one after the
other, nothing asked afterwards and nothing noted. A sweep also asks each object whether it is gone, and once more in a
listing, and writes evidence and an audit log. The two take turns in portions, so that a busy machine slows both.
"""

import argparse
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
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
from tests.peers.s3_servers import BUCKET, S3Servers

OBJECTS, OBJECTS_IN_FULL = 2_000, 100_000
ROWS, ROWS_IN_FULL = 50_000, 1_000_000
SERVER = "moto"
LISTINGS = ("ListObjectsV2", "ListObjectVersions", "ListMultipartUploads")
PORTIONS = 4
PER_SUBJECT = 5
SLOWEST = 1 / 0.8  # of the loop's time
FLAT = 1.25
BYTES = 1_000
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def measure(*, full: bool = False, server: str = SERVER) -> list[Figure]:
    return [*_sweeping(OBJECTS_IN_FULL if full else OBJECTS, server), *_comparing(ROWS_IN_FULL if full else ROWS)]


# ----------------------------------------------------------------------------------------------------------- sweep
def _sweeping(objects: int, server: str) -> list[Figure]:
    took: Counter[str] = Counter()
    asked: dict[str, Counter[str]] = {"sweep": Counter(), "loop": Counter()}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with TemporaryDirectory() as name, S3Servers(Path(name)) as servers:
        client = servers.client(server, connections=proof.AT_ONCE)
        settings = Settings(data_dir=Path(name) / "data", sweep_cap=objects, sweep_cap_share=1)
        svc = replace(bootstrap.build(settings, store=S3Store(client, BUCKET)), clock=lambda: NOW)
        counting = _Counting(client)
        for _ in range(PORTIONS):
            for who in ("loop", "sweep"):
                keys = _put(client, objects // PORTIONS)
                counting.into = asked[who]
                if who == "sweep":
                    _add_rows(svc, keys, due=True)
                started = time.perf_counter()
                if who == "sweep":
                    gone = retention.sweep(svc).gone
                else:
                    gone = len([client.delete_object(Bucket=BUCKET, Key=key) for key in keys])
                took[who] += time.perf_counter() - started
                counting.into = Counter()
                if gone != len(keys) or client.list_objects_v2(Bucket=BUCKET).get("KeyCount"):
                    raise RuntimeError(f"{gone} of {len(keys)} are gone")
    return [
        Figure(name=f"{objects} due objects swept", value=took["sweep"], floor=took["loop"], promised=SLOWEST),
        Figure(name="its requests", value=asked["sweep"].total(), floor=asked["loop"].total(), unit=""),
        Figure(name="of these deletes", value=asked["sweep"]["DeleteObjects"], unit=""),
        Figure(name="of these listings", value=sum(asked["sweep"][what] for what in LISTINGS), unit=""),
    ]


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
def _comparing(rows: int) -> list[Figure]:
    """Each size in a process of its own, so that its peak is its own."""
    small, large = _compare_alone(max(1000, rows // 100)), _compare_alone(rows)
    return [
        Figure(name=f"a million rows at the speed of {rows}", value=large.seconds / rows * 1e6, unit="s"),
        Figure(name=f"memory with {rows} rows against {rows // 100}", value=large.mib, floor=small.mib,
               unit="MiB", promised=FLAT),
    ]  # fmt: skip


@dataclass(frozen=True)
class _Compared:
    seconds: float
    mib: float


def _compare_alone(rows: int) -> _Compared:
    command = [sys.executable, "-m", "tests.benchmarks.bench_retention", "--compare", str(rows)]
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


def _compare(rows: int) -> None:
    """Prints seconds and the peak of this process in MiB, with the rows already there."""
    with TemporaryDirectory() as name:
        svc = replace(bootstrap.build(Settings(data_dir=Path(name))), clock=lambda: NOW)
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
    parser.add_argument("--compare", type=int, default=0)
    options, rest = parser.parse_known_args()
    if options.compare:
        _compare(options.compare)
    else:
        sys.argv[1:] = rest
        tell(lambda: measure(full=options.full, server=options.server), __doc__)
