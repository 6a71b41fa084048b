"""
How long the server takes from `streamlit run` until it is healthy, as a ratio to a bare Streamlit app.

Run it with `python -m tests.benchmarks.bench_start [--json]`. The two take turns. `/healthz` answers 200 only when the
database, the vault and the worker do; the bare app has to answer Streamlit's own health check. The very first start,
which makes the database and the keys, is told apart.
"""

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.common import APP, BARE, Figure, main, server

ROUNDS = 8  # medians: others may be at work on this machine
PROMISED = 1.5


def measure() -> list[Figure]:
    ours, bare = [], []
    with TemporaryDirectory() as name:
        folder = Path(name)
        started(folder, BARE)  # both read from disk and compile once
        first = started(folder, APP)
        for _ in range(ROUNDS):
            bare.append(started(folder, BARE))
            ours.append(started(folder, APP))
    floor = statistics.median(bare)
    return [
        Figure(name="start to healthy", value=statistics.median(ours), floor=floor, promised=PROMISED),
        Figure(name="very first start", value=first, floor=floor),
    ]


def started(folder: Path, page: Path) -> float:
    healthy = "/healthz" if page == APP else "/_stcore/health"
    with server(page, folder, healthy=healthy, DATA_DIR=str(folder / "data")) as (_, seconds, _):
        return seconds


if __name__ == "__main__":
    main(measure, __doc__)
