"""
How long the desk asks the database, with a hundred and a thousand times as many requests; and how fast requests are
cleared.

Run it with `python -m tests.benchmarks.bench_desk [--json] [--postgres] [--requests N]`.

The page: one whole run of it without a browser, and everything that it asks the database, of 100, 10,000 and 100,000
requests over two years, of which one in a hundred is open: several times what a clock of 48 hours leaves open. Rounds
of all sizes take turns, so that a busy machine slows each of them.

Clearing: so many requests (1,000, unless told otherwise) of as many people, two pictures each, on a PostgreSQL of its
own: erased, every copy asked for again and proved gone, receipt signed, mail queued, words scrubbed, closed. By a
worker process for each core, as the command line starts it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, func, select
from streamlit import logger
from streamlit.testing.v1 import AppTest

from core import access, bootstrap, copies, forecast, operators, requests
from core.models import (
    Copy,
    CopyKind,
    Job,
    JobKind,
    MailOut,
    Receipt,
    Request,
    RequestKind,
    RequestState,
    Role,
    Subject,
    new_id,
)
from core.queue import CHANNEL
from core.requests import Filter
from core.services import Services
from core.settings import Settings
from core.sla import Standing
from core.ui import app
from tests.benchmarks.bench_retention_page import timed
from tests.benchmarks.common import Figure
from tests.benchmarks.common import main as tell
from tests.peers.postgres import Cluster
from tests.web.served import ROOT

SIZES = (100, 10_000, 100_000)
ROUNDS = 15
DESK = str(ROOT / "pages" / "ops_deletions.py")
QUIET = {"CANARY_EVERY_MINUTES": "0", "MAIL_FROM": "desk@example.org"}
GROWS, PAGE, CLEARED_WITHIN = 1.3, 0.3, 60.0  # last to first size where both are long; seconds; seconds for a thousand
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def questions(svc: Services) -> dict[str, Callable[[], Any]]:
    """What one run of pages/ops_deletions.py asks."""

    def read(ask: Callable[..., Any], *rest: Any, **more: Any) -> Callable[[], Any]:
        def asked() -> Any:
            with svc.reading() as session:
                return ask(session, *rest, now=NOW, **more)

        return asked

    everything = tuple(RequestState)
    return {
        "totals": read(requests.totals),
        "first page": read(requests.page, Filter()),
        "third page": read(requests.page, Filter(), page=3),
        "closed ones, too": read(requests.page, Filter(states=everything)),
        "the breached": read(requests.page, Filter(standing=Standing.BREACHED)),
        "one kind, nobody's": read(requests.page, Filter(kinds=(RequestKind.COPY,), assignee="")),
        "search": read(requests.page, Filter(search="D-0000042")),
        "one of them": partial(requests.detail, svc, f"{42:032x}", NOW),
        "forecast": read(forecast.look),
    }


def measure(*, postgres: bool = False, number: int = 1000) -> list[Figure]:
    with ExitStack() as stack:
        stack.callback(app.provide, None)
        made = {size: stack.enter_context(filled(size, postgres=postgres)) for size in SIZES}
        who = {size: browser_of_support(svc) for size, svc in made.items()}
        pages: dict[int, list[float]] = {size: [] for size in SIZES}
        took: dict[int, dict[str, list[float]]] = {
            size: {name: [] for name in questions(svc)} for size, svc in made.items()
        }
        for turn in range(ROUNDS + 1):
            for size, svc in made.items():
                drawn = timed(partial(draw, svc, who[size]))
                asked = {name: timed(ask) for name, ask in questions(svc).items()}
                if turn:  # the first asks for whoever comes after
                    pages[size].append(drawn)
                    for name, seconds in asked.items():
                        took[size][name].append(seconds)
    page = {size: statistics.median(times) for size, times in pages.items()}
    medians = {size: {name: statistics.median(times) for name, times in of.items()} for size, of in took.items()}
    sums = {size: sum(of.values()) for size, of in medians.items()}
    first, middle, last = SIZES
    return [
        Figure(name=f"desk page, {last:,} requests against {middle:,}", value=page[last], floor=page[middle],
               promised=GROWS),
        Figure(name=f"desk page, {last:,} requests against {first:,}", value=page[last], floor=page[first]),
        *(Figure(name=f"one run of it, {size:,} requests", value=page[size], promised=PAGE, of="value")
          for size in SIZES),
        Figure(name="all its queries", value=sums[last], floor=sums[middle]),
        *(Figure(name=f"  {name}", value=medians[last][name], floor=medians[middle][name]) for name in medians[last]),
        cleared(number),
    ]  # fmt: skip


def browser_of_support(svc: Services) -> str:
    """Somebody of support, signed in with this browser."""
    browser = "b" * 64
    operators.open_link(svc, operators.make_link(svc, Role.SUPPORT).url.rpartition("/")[2], browser)
    return browser


def draw(svc: Services, browser: str) -> None:
    logger.set_log_level("ERROR")  # it warns of every run that no browser has asked for
    app.provide(svc)
    page = AppTest.from_file(DESK, default_timeout=60)
    page.user = {"session": "", "staff": browser}  # type: ignore[attr-defined]
    page.run()
    if page.exception:
        raise SystemExit(page.exception[0].message)


@contextmanager
def filled(size: int, *, postgres: bool) -> Iterator[Services]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = stack.enter_context(Cluster()).url() if postgres else ""
        svc = replace(bootstrap.build(Settings(data_dir=folder, database_url=url)), clock=lambda: NOW)  # type: ignore[arg-type]
        fill(svc, size)
        yield svc
        svc.database.dispose()


def fill(svc: Services, size: int) -> None:
    """One in a hundred is open; the closed ones lie behind each other over two years, each done within its clock."""
    postgres = svc.database.dialect.name == "postgresql"
    at = _postgres_instant if postgres else _sqlite_instant
    number = "lpad(n::text, 7, '0')" if postgres else "printf('%07d', n)"
    own = "lpad(to_hex(n), 32, '0')" if postgres else "printf('%032x', n)"
    is_open = "n % 100 = 42"
    step = 2 * 365 * 86_400 // size
    received = f"CASE WHEN {is_open} THEN -n % 170000 ELSE -172800 - n * {step} END"
    done = f"CASE WHEN {is_open} THEN NULL ELSE {at(f'{received} + 600')} END"
    due = at(f"{received} + 172800")
    no, key = ("false", r"'\x6b'::bytea") if postgres else ("0", "x'6b'")
    numbered = f"WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {size - 1})"
    with svc.database.begin() as connection:
        connection.exec_driver_sql(
            f"INSERT INTO subject (id, created_at, sealed_key, is_canary) {numbered} "
            f"SELECT {own}, {at('0')}, {key}, {no} FROM c"
        )
        statement = (
            "INSERT INTO request (id, subject_id, number, kind, channel, state, clock, received_at, entered_at, "
            f"due_at, done_at, closed_at, outcome) {numbered} "
            f"SELECT {own}, CASE WHEN {is_open} THEN NULL ELSE {own} END, "
            f"'D-' || {number}, CASE n % 4 WHEN 3 THEN 'copy' ELSE 'erase' END, "
            f"CASE n % 3 WHEN 0 THEN 'email' ELSE 'product' END, CASE WHEN {is_open} THEN 'open' ELSE 'closed' END, "
            f"'erase', {at(received)}, {at(received)}, {due}, {done}, {done}, "
            f"CASE WHEN {is_open} THEN NULL ELSE 'done' END FROM c"
        )
        connection.exec_driver_sql(statement.replace("%", "%%") if postgres else statement)
    with svc.database.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _sqlite_instant(seconds: str) -> str:
    return f"(strftime('%Y-%m-%d %H:%M:%S', '{NOW:%Y-%m-%d %H:%M:%S}', ({seconds}) || ' seconds') || '.000000')"


def _postgres_instant(seconds: str) -> str:
    return f"(timestamptz '{NOW:%Y-%m-%d %H:%M:%S}+00' + ({seconds}) * interval '1 second')"


# ------------------------------------------------------------------------------------------------------------- clearing
def cleared(number: int) -> Figure:
    """So many requests, from the end of their undo to the last one closed."""
    workers = len(os.sched_getaffinity(0))
    with TemporaryDirectory() as folder, Cluster() as cluster:
        settings = Settings(data_dir=Path(folder), database_url=cluster.url())  # type: ignore[arg-type]
        svc = bootstrap.build(settings)
        ask_for(svc, number)
        with ExitStack() as stack:
            for _ in range(workers):
                stack.enter_context(worker(settings))
            two_minutes_later(svc)
            started = time.perf_counter()
            while still_open(svc):
                time.sleep(0.1)
            took = time.perf_counter() - started
        check(svc, number)
        svc.database.dispose()
    promised = CLEARED_WITHIN * number / 1000
    name = f"{number:,} requests cleared by {workers} workers"
    return Figure(name=name, value=took, promised=promised, of="value")


@contextmanager
def worker(settings: Settings) -> Iterator[None]:
    """A process of its own, as the command line starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "worker", "--json"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(settings.data_dir), "DATABASE_URL": settings.database, **QUIET},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout and "started" in process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait(timeout=90)


def two_minutes_later(svc: Services) -> None:
    """The undo of all of them has ended, at once."""
    now = svc.clock()
    with svc.transaction() as session:
        session.execute(sa.update(Request).values(start_at=now))
        session.execute(sa.update(Job).where(col(Job.kind) == JobKind.REQUEST).values(run_at=now))
        session.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))


def ask_for(svc: Services, number: int) -> None:
    """Each by a person with two pictures, and an address to answer to."""
    now = svc.clock()
    for n in range(number):
        subject_id, browser = new_id(), f"{n:064x}"
        with svc.transaction() as session:
            session.add(Subject(id=subject_id, created_at=now, sealed_key=svc.vault.make_key(subject_id)))
            session.flush()
            access.link(session, browser, subject_id, now)
            held = [
                copies.plan(session, subject_id=subject_id, kind=kind, width=1, height=1, size=4, at=now,
                            erase_by=now + timedelta(days=29))
                for kind in (CopyKind.PORTRAIT, CopyKind.HEADSHOT)
            ]  # fmt: skip
        for copy in held:
            copies.write(svc, copy.id, b"face")
        requests.open_in_product(
            svc, browser, kind=RequestKind.ERASE, press_id=new_id(), address=f"person{n}@example.org"
        )


def still_open(svc: Services) -> bool:
    with svc.reading() as session:
        return session.exec(select(Request.id).where(col(Request.closed_at).is_(None))).first() is not None


def check(svc: Services, number: int) -> None:
    """Fast is nothing if it is not done: every copy with its evidence, a receipt for each, one mail for each."""
    with svc.reading() as session:
        proved = session.exec(select(func.count()).select_from(Copy).where(col(Copy.evidence_id).is_not(None))).one()
        receipts = session.exec(select(func.count()).select_from(Receipt)).one()
        mails = session.exec(select(func.count()).select_from(MailOut).where(MailOut.purpose == "done")).one()
    if (proved, receipts, mails) != (2 * number, number, number):
        raise SystemExit(f"not cleared: {proved} copies proved, {receipts} receipts, {mails} mails")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="the page on PostgreSQL instead of SQLite")
    parser.add_argument("--requests", type=int, default=1000, help="how many are cleared")
    options, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    tell(partial(measure, postgres=options.postgres, number=options.requests), __doc__)


if __name__ == "__main__":
    main()
