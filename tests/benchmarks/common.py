"""What all benchmarks share: a figure beside what it is measured against, machine facts, and servers to measure."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from tests.web.served import ROOT, free_port

APP = ROOT / "streamlit_app.py"
BARE = ROOT / "tests" / "benchmarks" / "bare_app.py"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured thing. With a floor, what counts is the ratio to it; without a promise it is only told."""

    name: str
    value: float
    unit: str = "s"
    floor: float | None = None
    promised: float | None = None
    of: str = "ratio"  # what is promised at the most: the "ratio" to the floor, the "difference", or the "value"

    @property
    def counts(self) -> float:
        if self.of == "value" or self.floor is None:
            return self.value
        return self.value / self.floor if self.of == "ratio" else self.value - self.floor

    @property
    def met(self) -> bool | None:
        return None if self.promised is None else self.counts <= self.promised

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"counts": round(self.counts, 3), "met": self.met}

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{field.name: data[field.name] for field in fields(cls)})


def machine() -> dict[str, Any]:
    """Figures without these say nothing."""
    cores = len(os.sched_getaffinity(0))
    return {
        "cores": cores,
        "load": round(os.getloadavg()[0], 1),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def table(figures: Sequence[Figure]) -> str:
    rows = [("", "figure", "floor", "counts", "promised", "")]
    for figure in figures:
        mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
        kind = {"ratio": "×", "difference": f" {figure.unit} more", "value": f" {figure.unit}"}[
            figure.of if figure.floor is not None else "value"
        ]
        rows.append(
            (
                figure.name,
                f"{figure.value:.3g} {figure.unit}",
                "" if figure.floor is None else f"{figure.floor:.3g} {figure.unit}",
                f"{figure.counts:.3g}{kind}",
                "" if figure.promised is None else f"≤ {figure.promised:g}{kind}",
                mark,
            )
        )
    widths = [max(len(row[n]) for row in rows) for n in range(6)]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)


def main(measure: Callable[..., list[Figure]], says: str | None, **flags: str) -> None:
    """The command line of a benchmark that is run alone. `flags`: what else it can be told, and what that means."""
    parser = argparse.ArgumentParser(description=says, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    for name, meaning in flags.items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    told = vars(parser.parse_args())
    as_json = told.pop("json")
    before = machine()
    figures = measure(**told)
    facts = before | {"load_after": machine()["load"]}
    if as_json:
        print(json.dumps({"machine": facts, "figures": [figure.as_json() for figure in figures]}))
    else:
        print(", ".join(f"{name} {value}" for name, value in facts.items()))
        print(table(figures))


# --------------------------------------------------------------------------------------------------------- servers
@contextmanager
def server(page: Path, folder: Path, *, healthy: str, **environment: str) -> Iterator[tuple[str, float, int]]:
    """`streamlit run` of a page until the end of the block: its address, seconds until it was healthy, its pid."""
    port = free_port()
    command = ["streamlit", "run", str(page), "--server.port", str(port), "--server.headless", "true"]
    quiet = {"MALLOC_MMAP_THRESHOLD_": "65536", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    compiled_once = {"PYTHONDONTWRITEBYTECODE": ""}  # as anywhere else: some machines of tests keep nothing compiled
    with (folder / f"{port}.log").open("w") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **compiled_once, **quiet, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://localhost:{port}"
        while not _is_healthy(port, healthy):
            if process.poll() is not None or time.perf_counter() - started > 120:
                raise RuntimeError((folder / f"{port}.log").read_text())
            time.sleep(0.01)
        yield url, time.perf_counter() - started, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        process.kill()


def _is_healthy(port: int, path: str) -> bool:
    """Asked with next to no work of its own: it shares the machine with what it waits for."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
