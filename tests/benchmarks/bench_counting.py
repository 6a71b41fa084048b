"""
What counting adds to a run of a page: browsers that may be counted beside browsers that say they may not.

Run it with `python -m tests.benchmarks.bench_counting [--json]`. One server. Both kinds of browser ask for the same
page over Streamlit's own websocket, in turns, so that whatever else the machine does meets both alike; who says no is
neither counted nor looked up, which makes it the floor. Told is the first quartile of each, since half of all runs
wait some 40 ms for an acknowledgement of TCP that the other half do not wait for: of the first run of a visit, when
there is something to count, and of later ones, when there is not. Beside it stands what the call itself takes, without
a page around it, where no other noise can hide it.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from core import bootstrap
from core.settings import Settings
from core.usage import funnel
from tests.benchmarks.common import APP, Figure, main, server
from tests.web.served import Server, Tab

FIRST, LATER, CALLS = 100, 400, 400
WARM = 10
PROMISED = 0.001
SAYS_NO = {"Sec-GPC": "1"}


def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        quiet = {"DATA_DIR": str(folder / "data"), "CANARY_EVERY_MINUTES": "0"}
        with server(APP, folder, healthy="/healthz", **quiet) as (url, _, pid):
            there = Server(int(url.rpartition(":")[2]), folder / "server.log", pid)
            first = [_first_of_a_visit(there, number) for number in range(WARM + FIRST)][WARM:]
            later = _later(there)
        calls = _calls(folder / "calls")
    return [
        _beside("page run, first of a visit", first),
        _beside("page run, later", later),
        Figure(name="counting a visit, the call", value=calls[0], of="value", promised=PROMISED),
        Figure(name="a visit that is counted, the call", value=calls[1], of="value", promised=PROMISED),
    ]


def _beside(name: str, pairs: Sequence[tuple[float, float]]) -> Figure:
    counted, silent = (statistics.quantiles(seconds, n=4)[0] for seconds in zip(*pairs, strict=True))
    return Figure(name=name, value=counted, floor=silent, of="difference", promised=PROMISED)


def _first_of_a_visit(there: Server, number: int) -> tuple[float, float]:
    """Counted, and not. Each comes, and asks, as the first of the two every other time."""
    ways: list[dict[str, str]] = [{}, SAYS_NO]
    if number % 2:
        ways.reverse()
    with there.visitor().tab(**ways[0]) as one, there.visitor().tab(**ways[1]) as other:
        seconds = [_seconds(one.run), _seconds(other.run)]
    if number % 2:
        seconds.reverse()
    return seconds[0], seconds[1]


def _later(there: Server) -> list[tuple[float, float]]:
    with there.visitor().tab() as counted, there.visitor().tab(**SAYS_NO) as silent:
        return [_in_turns(counted, silent, number) for number in range(WARM + LATER)][WARM:]


def _in_turns(counted: Tab, silent: Tab, number: int) -> tuple[float, float]:
    if number % 2:
        return _seconds(counted.run), _seconds(silent.run)
    second = _seconds(silent.run)
    return _seconds(counted.run), second


def _calls(folder: Path) -> tuple[float, float]:
    """Of a browser that is new, and of one that is not."""
    svc = bootstrap.build(Settings(data_dir=folder))
    who = [f"{number:064}" for number in range(CALLS)]
    agent = {"user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0 Safari/537.36", "accepts": "en"}
    new = [_seconds(lambda me=me: funnel.reached(svc, me, "visit", **agent)) for me in who]  # type: ignore[misc]
    known = [_seconds(lambda me=me: funnel.reached(svc, me, "visit", **agent)) for me in who]  # type: ignore[misc]
    svc.database.dispose()
    return statistics.median(new), statistics.median(known)


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main(measure, __doc__)
