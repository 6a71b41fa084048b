"""
How fast the demo is written, and removed, against plain `executemany` of the same rows into the same database.

Run it with `python -m tests.benchmarks.bench_demo [--json] [--full] [--postgres]`: some 60,000 photos and headshots, a
million with `--full`.

The floor has its rows made already and in memory, as the demo had written them, and hands them to the driver table by
table, parents first, as many in one transaction as the demo does. The demo makes up its rows while it writes. The two
take turns, three times each (with `--full` once), so that a busy machine slows both.
"""

import statistics
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from core import bootstrap, demo
from core.demo import writing
from core.services import Services
from core.settings import Settings
from tests.benchmarks.common import Figure, main
from tests.peers.postgres import Cluster

SUBJECTS, SUBJECTS_IN_FULL = 13_500, 224_000
DAYS, ROUNDS = 365, 3
SLOWEST = 3.5
"""Times the floor, whose rows are made already: on SQLite making them up takes longer than writing them."""
MINUTES = 10.0


def measure(*, full: bool = False, postgres: bool = False) -> list[Figure]:
    subjects = SUBJECTS_IN_FULL if full else SUBJECTS
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = stack.enter_context(Cluster()).url() if postgres else ""
        svc = bootstrap.build(Settings(data_dir=folder, database_url=url))  # type: ignore[arg-type]
        wrote, removed, plainly = list[float](), list[float](), list[float]()
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for _ in range(1 if full else ROUNDS):
            made = demo.make(svc, days=DAYS, subjects=subjects)
            wrote.append(made.seconds)
            rows = rows or _rows(svc)
            removed.append(_timed(lambda: demo.remove(svc)))
            plainly.append(_timed(partial(_plainly, svc.database, rows)))
            demo.remove(svc)
        svc.database.dispose()
    print(made.says, file=sys.stderr)
    took, floor = statistics.median(wrote), statistics.median(plainly)
    minutes = 1_000_000 / made.assets * took / 60
    of = f"{made.assets:,} photos and headshots"
    return [
        Figure(name=f"demo of {of}, {made.rows:,} rows", value=took, floor=floor, promised=SLOWEST),
        Figure(name="a million of them, at that rate", value=minutes, unit="min", promised=MINUTES, of="value"),
        Figure(name="rows in a second", value=made.rows / took, unit="", floor=made.rows / floor),
        Figure(name="photos and headshots in a second", value=made.assets / took, unit=""),
        Figure(name="removed again", value=statistics.median(removed), floor=took),
    ]


def _timed(deed: Any) -> float:
    started = time.perf_counter()
    deed()
    return time.perf_counter() - started


def _rows(svc: Services) -> dict[str, list[tuple[Any, ...]]]:
    """As the driver gives them, which is as it takes them."""
    with svc.database.connect() as connection:
        driver: Any = connection.connection.driver_connection
        cursor = driver.cursor()
        found = {}
        for table, columns in writing.COLUMNS.items():
            cursor.execute(f"SELECT {', '.join(columns.split())} FROM {table}")
            found[table] = cursor.fetchall()
        return found


def _plainly(database: sa.Engine, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    mark = "%s" if database.dialect.name == "postgresql" else "?"
    with database.connect() as connection:
        for table, columns in writing.COLUMNS.items():
            names = columns.split()
            into = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"
            for start in range(0, len(rows[table]), writing.BATCH):
                with connection.begin():
                    connection.exec_driver_sql(into, rows[table][start : start + writing.BATCH])


if __name__ == "__main__":
    main(measure, __doc__, full="a million photos and headshots", postgres="on PostgreSQL instead of SQLite")
