"""
What a run at a third party costs beside the third party's own time, and what a hundred of them cost one worker.

Run it with `python -m tests.benchmarks.bench_provider [--json]`. A stand-in in this process takes ten seconds for each
picture and speaks real HTTP; a worker in a process of its own asks it, waits, fetches, and stores. The first run
teaches the worker how long a picture takes. The photo has 12 MP, and what comes back is as large as what is ordered.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.bench_engine import twelve_megapixels
from tests.benchmarks.common import Figure, main
from tests.peers.apimart import ApiMart

TAKES = 10.0
OVERHEAD, MEMORY, THREADS = 1.0, 300.0, 20


def measured(guard: str) -> dict[str, Any]:
    with TemporaryDirectory() as name, ApiMart() as api:
        api.knobs.takes = TAKES
        (Path(name) / "photo.jpg").write_bytes(twelve_megapixels())
        command = [sys.executable, "-m", "tests.benchmarks.provider_once", name, api.url, api.key, guard]
        quiet = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # as every launcher of ours sets it
        answer = subprocess.run(command, check=True, capture_output=True, text=True, env=quiet)
        assert max(api.charges_by_key().values()) == 1
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def figures() -> list[Figure]:
    found, guarded = measured("without"), measured("with")
    first, *later = guarded["singles"]
    to_picture = statistics.median(run["to_picture"] for run in later)
    parts = {name: statistics.median(run[name] for run in later) for name in first if name != "to_picture"}
    return [
        Figure(
            name="provider: press to picture",
            value=round(to_picture, 3),
            floor=TAKES,
            promised=OVERHEAD,
            of="difference",
        ),
        Figure(name="  the first, which teaches", value=round(first["to_picture"], 3), floor=TAKES, of="difference"),
        *(
            Figure(name=f"  {name.replace('_', ' ')}", value=round(value, 3), of="value")
            for name, value in parts.items()
        ),
        Figure(
            name="provider: memory of 100 runs", value=round(found["peak_mib"]), unit="MiB", promised=MEMORY, of="value"
        ),
        Figure(name="  with the drift guard's model", value=round(guarded["peak_mib"]), unit="MiB", of="value"),
        Figure(name="provider: threads", value=found["threads"], unit="", promised=THREADS, of="value"),
        Figure(name="  before any run", value=found["idle_threads"], unit="", of="value"),
        Figure(name="  most at once there", value=found["most_at_once"], unit="", of="value"),
        Figure(name="  all hundred, with the guard beside", value=round(guarded["crowd_s"], 1), of="value"),
        Figure(name="  all hundred", value=round(found["crowd_s"], 1), of="value"),
        Figure(name="  of that, pressing", value=round(found["pressing_s"], 1), of="value"),
    ]


if __name__ == "__main__":
    main(figures, __doc__)
