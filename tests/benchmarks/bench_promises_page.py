"""
How long the promises page takes on the server, with ten times and a hundred times as many copies.

Run it with `python -m tests.benchmarks.bench_promises_page [--json] [--full] [--postgres]`: 10,000 and 100,000 copies,
and a million with `--full`; a tenth as many lie at a third party, or did. Measured is one whole run of the page without
a browser, after a month of measurements, and how long of that the processor worked: on a busy machine the rest is
waiting for others. What the checks themselves take is not in it: the page reads what they found.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from streamlit import logger
from streamlit.testing.v1 import AppTest

from core.models import Generation, PromiseCheck, PromiseDay, PromiseState, ProviderTask, ProviderTaskState
from core.promises import PROMISES
from core.promises.shapes import says
from core.services import Services
from core.ui import app, pages
from tests.benchmarks import bench_retention_page as copies
from tests.benchmarks.bench_retention_page import NOW, timed
from tests.benchmarks.common import Figure, main
from tests.web.served import ROOT

APP = str(ROOT / "streamlit_app.py")
SIZES, SIZES_IN_FULL = (10_000, 100_000), (10_000, 100_000, 1_000_000)
ROUNDS = 9
GROWS, PAGE = 1.3, 0.3  # first to last size; seconds
ROUNDS_A_DAY = 288
SOMEBODY = "a" * 64


def measure(*, full: bool = False, postgres: bool = False) -> list[Figure]:
    logger.set_log_level("ERROR")  # it warns of every run that no browser has asked for
    sizes = SIZES_IN_FULL if full else SIZES
    with ExitStack() as stack:
        stack.callback(app.provide, None)
        made = {size: stack.enter_context(filled(size, postgres=postgres)) for size in sizes}
        took: dict[int, list[float]] = {size: [] for size in sizes}
        worked: dict[int, list[float]] = {size: [] for size in sizes}
        for turn in range(ROUNDS + 1):
            for size, svc in made.items():
                before = time.process_time()
                seconds = looked_at(svc)
                if turn:  # the first loads what any page needs
                    took[size].append(seconds)
                    worked[size].append(time.process_time() - before)
    medians = {size: statistics.median(times) for size, times in took.items()}
    processor = {size: statistics.median(times) for size, times in worked.items()}
    first, last = sizes[0], sizes[-1]
    return [
        *(Figure(name=f"promises page, {size:,} copies", value=medians[size], promised=PAGE, of="value")
          for size in sizes),
        *(Figure(name=f"  of that at work, {size:,} copies", value=processor[size]) for size in sizes),
        Figure(name=f"  {last:,} copies against {first:,}", value=medians[last], floor=medians[first], promised=GROWS),
    ]  # fmt: skip


def looked_at(svc: Services) -> float:
    app.provide(svc)
    page = AppTest.from_file(APP, default_timeout=60)
    page.user = {"session": SOMEBODY}  # type: ignore[attr-defined]
    page.switch_page(pages.PROMISES)
    seconds = timed(page.run)
    assert not page.exception and any("promises" in html.proto.body for html in page.get("html"))
    return seconds


@contextmanager
def filled(size: int, *, postgres: bool) -> Iterator[Services]:
    with copies.filled(size, postgres=postgres) as svc:
        measured(svc)
        elsewhere(svc, size // 10)
        yield svc


def measured(svc: Services) -> None:
    """A month, five minutes apart, and the last time just now."""
    with svc.transaction() as session:
        for promise in PROMISES:
            words = says("{n} of 7", n=7).as_json()
            session.add(
                PromiseCheck(
                    promise=promise.id, state=PromiseState.KEPT, figure=words, evidence=words, checked_at=NOW, since=NOW
                )
            )
            for back in range(30):
                day = (NOW - timedelta(days=back)).date()
                session.add(PromiseDay(day=day, promise=promise.id, state=PromiseState.KEPT, n=ROUNDS_A_DAY))
                session.add(PromiseDay(day=day, promise=promise.id, state=PromiseState.UNKNOWN, n=1))


def elsewhere(svc: Services, size: int) -> None:
    """So many headshots of one task, all gone but a hundred."""
    with svc.transaction() as session:
        run = session.query(Generation).first()
        assert run is not None
        session.add(
            ProviderTask(
                id="task-1",
                generation_id=run.id,
                variant=1,
                provider="apimart",
                model="m",
                template="t",
                hand_over="inline",
                state=ProviderTaskState.KEPT,
                planned_at=NOW,
                sent_at=NOW,
            )
        )
    hexed = copies._postgres_hex if svc.database.dialect.name == "postgresql" else copies._sqlite_hex
    instant = copies._postgres_instant if svc.database.dialect.name == "postgresql" else copies._sqlite_instant
    over, gone = instant("-3600 * (n % 700)"), f"CASE WHEN n < 100 THEN NULL ELSE {instant('-60')} END"
    statement = (
        "INSERT INTO provider_copy (id, subject_id, generation_id, task_id, provider, kind, mark, noted_at, "
        "expires_at, dated_by, probe_at, probes, refused_at, gone_at) "
        f"WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < {size - 1}) "
        f"SELECT {hexed('n', 1)}, '{run.subject_id}', '{run.id}', 'task-1', 'apimart', 'result', {hexed('n', 2)}, "
        f"{over}, {over}, 'documents', {over}, 3, {over}, {gone} FROM c"
    )
    with svc.database.begin() as connection:
        postgres = svc.database.dialect.name == "postgresql"
        connection.exec_driver_sql(statement.replace("%", "%%") if postgres else statement)


if __name__ == "__main__":
    main(measure, __doc__, full="also with a million copies", postgres="on PostgreSQL instead of SQLite")
