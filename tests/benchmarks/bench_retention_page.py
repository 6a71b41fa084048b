"""
How long the retention page asks the database, with ten times and a hundred times as many copies.

Run it with `python -m tests.benchmarks.bench_retention_page [--json] [--full] [--postgres]`: 10,000 and 100,000 copies,
and a million with `--full`.

Everything is asked that one run of the page asks: figures, clocks, forecast, the counts of all queues, and a page of
the longest. All copies are kept and none is gone, which is the worst there can be. What a worker has counted is only
read by the page; how long the counting took is told beside. Rounds of all sizes take turns, so that a busy machine
slows each of them.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core import backlog, bootstrap, futures, lifecycle
from core.backlog import Queue, Wanted
from core.models import CopyKind
from core.services import Services
from core.settings import Settings
from tests.benchmarks.common import Figure, main
from tests.peers.postgres import Cluster

SIZES, SIZES_IN_FULL = (10_000, 100_000), (10_000, 100_000, 1_000_000)
ROUNDS = 15
GROWS, PAGE = 1.3, 0.3  # first to last size; seconds
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONTRACTS = ("30d", "30d", "30d", "30d", "7d", "7d", "72h", "24h", "24h", "1h")
OVERDUE, UNPROVED = 400, 80  # copies, whatever the size


def questions(svc: Services) -> dict[str, Callable[[], Any]]:
    """What one run of pages/ops_retention.py asks."""
    coming = Wanted(queue=Queue.COMING)
    return {
        "figures": partial(futures.figures, svc),
        "clocks": partial(lifecycle.check, svc),
        "forecast": partial(futures.forecast, svc),
        "counts of queues": partial(backlog.counts, svc),
        "size of a queue": partial(backlog.size_of, svc, coming),
        "its first page": partial(backlog.page, svc, coming),
        "its last page": partial(backlog.page, svc, coming, number=4),
        "the same of one kind": partial(backlog.page, svc, replace(coming, kind=CopyKind.PORTRAIT)),
        "search": partial(backlog.page, svc, Wanted(id=f"{1:08x}{1:024x}")),
    }


def measure(*, full: bool = False, postgres: bool = False) -> list[Figure]:
    sizes = SIZES_IN_FULL if full else SIZES
    with ExitStack() as stack:
        made = {size: stack.enter_context(filled(size, postgres=postgres)) for size in sizes}
        counting = {size: timed(partial(futures.count, svc)) for size, svc in made.items()}
        took = {size: _rounds(svc) for size, svc in made.items()}
        for _ in range(ROUNDS):
            for size, svc in made.items():
                for name, ask in questions(svc).items():
                    took[size][name].append(timed(ask))
    medians = {size: {name: statistics.median(times) for name, times in of.items()} for size, of in took.items()}
    first, last = sizes[0], sizes[-1]
    sums = {size: sum(of.values()) for size, of in medians.items()}
    return [
        Figure(name=f"retention page, {last:,} copies against {first:,}", value=sums[last], floor=sums[first],
               promised=GROWS),
        *(Figure(name=f"all its queries, {size:,} copies", value=sums[size], promised=PAGE, of="value")
          for size in sizes),
        *(Figure(name=f"  {name}", value=medians[last][name], floor=medians[first][name]) for name in medians[last]),
        *(Figure(name=f"a worker counts {size:,} copies", value=counting[size]) for size in sizes),
    ]  # fmt: skip


def _rounds(svc: Services) -> dict[str, list[float]]:
    """Asked once before it counts, as by whoever looked last."""
    for ask in questions(svc).values():
        ask()
    return {name: [] for name in questions(svc)}


def timed(ask: Callable[[], Any]) -> float:
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


@contextmanager
def filled(size: int, *, postgres: bool) -> Iterator[Services]:
    """Services on a database with so many copies, four to a person, whose clocks end evenly over a month."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = stack.enter_context(Cluster()).url() if postgres else ""
        svc = replace(bootstrap.build(Settings(data_dir=folder, database_url=url)), clock=lambda: NOW)  # type: ignore[arg-type]
        fill(svc, size)
        yield svc
        svc.database.dispose()


def fill(svc: Services, size: int) -> None:
    """By the database itself: a million rows one by one would take longer than the rest."""
    postgres = svc.database.dialect.name == "postgresql"
    people = size // 4
    span = 29 * 86400 // people
    instant = _postgres_instant if postgres else _sqlite_instant
    hexed = _postgres_hex if postgres else _sqlite_hex
    person, photo = hexed("n", 0), hexed("n", 1)
    ends = instant(f"CASE WHEN n < {OVERDUE // 4} THEN -3600 + n ELSE 60 + (n - {OVERDUE // 4}) * {span} END")
    added = instant(f"-86400 * 2 - n % 3600 + n * {span} / 40")
    contract = "CASE n % 10 " + " ".join(f"WHEN {at} THEN '{word}'" for at, word in enumerate(CONTRACTS)) + " END"
    counted = f"WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {people - 1})"
    no, key = ("false", r"'\x6b'::bytea") if postgres else ("0", "x'6b'")
    copy = (
        "INSERT INTO copy (id, subject_id, kind, place, object_key, media_type, width, height, size, created_at, "
        "written_at, erase_by, erase_reason, probes) "
    )
    run = (
        "INSERT INTO generation (id, number, request_id, subject_id, portrait_id, engine, purpose, ratio, long_side, "
        "style, backdrop, variants, zoom, contract, uploaded_at, erase_by, created_at, state, counts) "
    )
    with svc.database.begin() as connection:

        def run_sql(statement: str) -> None:
            connection.exec_driver_sql(statement.replace("%", "%%") if postgres else statement)

        run_sql(
            f"INSERT INTO subject (id, created_at, sealed_key, is_canary) {counted} "
            f"SELECT {person}, {added}, {key}, {no} FROM c"
        )
        for number in range(1, 5):
            kind, own = ("portrait" if number == 1 else "headshot"), hexed("n", number)
            run_sql(
                f"{copy} {counted} SELECT {own}, {person}, '{kind}', 'vault', {own}, 'image/jpeg', 1, 1, 900000, "
                f"{added}, {added}, {ends}, 'contract', 0 FROM c"
            )
        run_sql(
            f"{run} {counted} SELECT {person}, 'R' || n, {person}, {person}, {photo}, 'on_device', 'linkedin', '1:1', "
            f"1600, 'studio', 'grey', 3, 1.0, {contract}, {added}, {ends}, {added}, 'ready', "
            f"{'true' if postgres else '1'} FROM c"
        )
        for number in range(2, 5):
            run_sql(
                f"INSERT INTO headshot (generation_id, variant, copy_id) {counted} "
                f"SELECT {person}, {number - 1}, {hexed('n', number)} FROM c"
            )
        run_sql(
            f"UPDATE copy SET erased_at = erase_by, probes = 3, probe_answer = 'head says unknown' WHERE id IN "
            f"(SELECT id FROM copy ORDER BY erase_by LIMIT {UNPROVED})"
        )
    with svc.database.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _sqlite_hex(n: str, number: int) -> str:
    return f"printf('%08x%024x', ({n} * 2654435761 + {number}) % 4294967296, {n} * 8 + {number})"


def _postgres_hex(n: str, number: int) -> str:
    first = f"lpad(to_hex(({n}::bigint * 2654435761 + {number}) % 4294967296), 8, '0')"
    return f"{first} || lpad(to_hex({n}::bigint * 8 + {number}), 24, '0')"


def _sqlite_instant(seconds: str) -> str:
    return f"strftime('%Y-%m-%d %H:%M:%S', '{NOW:%Y-%m-%d %H:%M:%S}', ({seconds}) || ' seconds') || '.000000'"


def _postgres_instant(seconds: str) -> str:
    return f"timestamptz '{NOW:%Y-%m-%d %H:%M:%S}+00' + ({seconds}) * interval '1 second'"


if __name__ == "__main__":
    main(measure, __doc__, full="also with a million copies", postgres="on PostgreSQL instead of SQLite")
