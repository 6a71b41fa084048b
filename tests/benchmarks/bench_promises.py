"""
How long it takes to measure every promise, and to read how they stand, with many copies.

Run it with `python -m tests.benchmarks.bench_promises [--json] [--full] [--postgres]`: 50,000 copies, a million with
`--full`.

None of the copies is gone; each of their people has a consent, one run in three was made by a third party and left two
copies there, and the register has as many requests as there are hundreds of people. A round is all checks as the server
runs them, our own server asked within the process; the first one of a process reads the whole source, too. What a page
reads is `stands`, with a month of history.
"""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

from sqlmodel import select

from core import bootstrap, promises
from core.models import PromiseCheck, PromiseDay, PromiseState
from core.services import Services
from tests.benchmarks.bench_retention_page import NOW, _postgres_hex, _sqlite_hex, filled, timed
from tests.benchmarks.common import Figure, main

SIZE, SIZE_IN_FULL = 50_000, 1_000_000
ROUNDS, READINGS = 3, 15
ROUND, PAGE = 5.0, 0.3
SHOWN = 5


def measure(*, full: bool = False, postgres: bool = False) -> list[Figure]:
    size = SIZE_IN_FULL if full else SIZE
    with lived_in(size, postgres=postgres) as svc:
        measuring = partial(promises.run_checks, svc, NOW)
        first, rounds = timed(measuring), [timed(measuring) for _ in range(ROUNDS)]
        readings = [timed(partial(promises.stands, svc, NOW)) for _ in range(READINGS)]
        with svc.reading() as session:
            slowest = sorted(session.exec(select(PromiseCheck)).all(), key=lambda row: -row.took_ms)[:SHOWN]
    return [
        Figure(name=f"a round of all checks, {size:,} copies", value=max(rounds), promised=ROUND, of="value"),
        Figure(name="the first one of a process", value=first, promised=ROUND, of="value"),
        Figure(name="what a page reads of them", value=statistics.median(readings), promised=PAGE, of="value"),
        *(Figure(name=f"  {row.promise}", value=row.took_ms / 1000) for row in slowest),
    ]


@contextmanager
def lived_in(size: int, *, postgres: bool) -> Iterator[Services]:
    with filled(size, postgres=postgres) as svc:
        _fill(svc, size // 4)
        with svc.transaction() as session:
            for back in range(30):
                day = (NOW - timedelta(days=back)).date()
                for promise in promises.PROMISES:
                    for state in PromiseState:
                        session.add(PromiseDay(day=day, promise=promise.id, state=state, n=96))
        yield replace(bootstrap.seen_from_outside(svc), clock=lambda: NOW)


def _fill(svc: Services, people: int) -> None:
    postgres = svc.database.dialect.name == "postgresql"
    hexed = _postgres_hex if postgres else _sqlite_hex
    yes = "true" if postgres else "1"
    now = f"'{NOW:%Y-%m-%d %H:%M:%S}{'+00' if postgres else '.000000'}'"
    ends = f"'{NOW + timedelta(days=2):%Y-%m-%d %H:%M:%S}{'+00' if postgres else '.000000'}'"
    person = hexed("n", 0)

    def counted(number: int) -> str:
        return f"WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {number - 1})"

    instant = f"CAST({now} AS timestamptz)" if postgres else now
    until = f"CAST({ends} AS timestamptz)" if postgres else ends
    statements = [
        f"INSERT INTO consent (id, subject_id, given_at, policy_version, may_use_photo, is_adult) {counted(people)} "
        f"SELECT {person}, {person}, {instant}, 'v', {yes}, {yes} FROM c",
        "INSERT INTO provider_task (id, generation_id, variant, provider, model, template, hand_over, state, "
        f"planned_at, sent_at, ended_at, looks, tries, uploads_in_doubt) {counted(people // 3)} "
        f"SELECT {person} || '-1', {person}, 1, 'apimart', 'm', '1', 'inline', 'kept', {instant}, {instant}, "
        f"{instant}, 0, 0, 0 FROM c",
        "INSERT INTO request (id, number, kind, channel, state, clock, received_at, entered_at, due_at) "
        f"{counted(people // 100)} SELECT {person}, 'D-' || n, CASE n % 2 WHEN 0 THEN 'erase' ELSE 'copy' END, "
        f"'product', 'open', CASE n % 2 WHEN 0 THEN 'erase' ELSE 'month' END, {instant}, {instant}, {until} FROM c",
    ]
    for number in (1, 2):
        own = hexed("n", number)
        statements.append(
            "INSERT INTO provider_copy (id, subject_id, generation_id, task_id, provider, kind, mark, noted_at, "
            f"expires_at, dated_by, probe_at, probes) {counted(people // 3)} SELECT {own}, {person}, {person}, "
            f"{person} || '-1', 'apimart', 'result', {own}, {instant}, {until}, 'documents', {until}, 0 FROM c"
        )
    with svc.database.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%") if postgres else statement)
    with svc.database.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


if __name__ == "__main__":
    main(measure, __doc__, full="with a million copies", postgres="on PostgreSQL instead of SQLite")
