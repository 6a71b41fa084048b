"""
How long the founders' usage page takes on the server, with 90 days of data and with three years of it.

Run it with `python -m tests.benchmarks.bench_usage [--json] [--postgres] [--subjects N]`.

Data are a demo's: every metric, every day, three engines' worth of stages and buckets; so many people on a day as there
are in the other (20, unless told otherwise). Measured is one whole run of the page without a browser, from the request
to the last element: the first paint of whoever opens it, with nothing remembered from before, and then each change of a
filter. Rounds of both sizes take turns, so that a busy machine slows each of them.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from streamlit import logger
from streamlit.testing.v1 import AppTest

from core import bootstrap, demo, operators
from core.models import Role
from core.services import Services
from core.settings import Settings
from core.ui import app
from core.usage import periods, reading
from tests.benchmarks.bench_retention_page import timed
from tests.benchmarks.common import Figure
from tests.benchmarks.common import main as tell
from tests.peers.postgres import Cluster
from tests.web.served import ROOT

PAGE = str(ROOT / "pages" / "ops_usage.py")
SPANS = {"90 days": 90, "3 years": 1_095}
ROUNDS = 9
PAINT, GROWS = 0.4, 1.3  # seconds; three years to 90 days
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
BROWSER = "b" * 64
FIRST = "first paint"
CHANGES: dict[str, dict[str, str]] = {
    **{name: periods.preset(name, NOW.date()).as_words() for name in periods.PRESETS},
    "one engine": periods.preset(periods.THIS_MONTH, NOW.date()).as_words() | {"engine": "apimart"},
    "last month": {"from": "2026-10", "to": "2026-10"},
}


def measure(*, postgres: bool = False, a_day: int = 20) -> list[Figure]:
    logger.set_log_level("ERROR")  # it warns of every run that no browser has asked for
    with ExitStack() as stack:
        stack.callback(app.provide, None)
        made = {span: stack.enter_context(filled(days, a_day, postgres=postgres)) for span, days in SPANS.items()}
        took: dict[str, dict[str, list[float]]] = {span: {} for span in made}
        for turn in range(ROUNDS + 1):
            for span, svc in made.items():
                for name, seconds in looked_at(svc):
                    if turn:  # the first loads what any page needs
                        took[span].setdefault(name, []).append(seconds)
    medians = {span: {name: statistics.median(times) for name, times in of.items()} for span, of in took.items()}
    short, long = (medians[span] for span in SPANS)
    return [
        *(Figure(name=f"usage page with 3 years of data, {name}", value=long[name], promised=PAINT, of="value")
          for name in long),
        *(Figure(name=f"  against 90 days of it, {name}", value=long[name], floor=short[name],
                 promised=GROWS if name in (FIRST, periods.THIS_MONTH, "3 months", "last month") else None)
          for name in long),
    ]  # fmt: skip


def looked_at(svc: Services) -> Iterator[tuple[str, float]]:
    """Somebody opens the page, and tries every filter."""
    app.provide(svc)
    reading.forget(svc)
    page = AppTest.from_file(PAGE, default_timeout=60)
    page.user = {"session": "", "staff": BROWSER}  # type: ignore[attr-defined]
    yield FIRST, timed(partial(draw, page))
    for name, words in CHANGES.items():
        yield name, timed(partial(draw, page, words))


def draw(page: AppTest, words: dict[str, str] | None = None) -> None:
    if words is not None:
        page.query_params.clear()
        page.query_params.update(words)
    page.run()
    if page.exception:
        raise SystemExit(page.exception[0].message)


@contextmanager
def filled(days: int, a_day: int, *, postgres: bool) -> Iterator[Services]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = stack.enter_context(Cluster()).url() if postgres else ""
        settings = Settings(data_dir=folder, database_url=url, apimart_api_key="nobody-s")  # type: ignore[arg-type]
        svc = replace(bootstrap.build(settings), clock=lambda: NOW)
        demo.make(svc, days=days, subjects=days * a_day)
        operators.open_link(svc, operators.make_link(svc, Role.FOUNDER).url.rpartition("/")[2], BROWSER)
        yield svc
        svc.database.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--subjects", type=int, default=20, metavar="N", help="people on a day (20)")
    options, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    tell(partial(measure, postgres=options.postgres, a_day=options.subjects), __doc__)


if __name__ == "__main__":
    main()
