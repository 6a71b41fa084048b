"""
How long erasing takes: thousands of copies that are due at once, as files, each erased, looked for twice and proved.

Run it with `python -m tests.benchmarks.bench_sweep [--json]`. Told, not promised: it says how large a backlog a server
works off in the 48 hours that matter. Times include the flushes to disk that make an erasure survive a power cut.
"""

import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from core import bootstrap, copies, retention
from core.models import CopyKind, Subject, new_id
from core.services import Services
from core.settings import Settings
from tests.benchmarks.common import Figure, main

SUBJECTS, COPIES = 600, 5
BYTES = 20_000


def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        svc = bootstrap.build(Settings(data_dir=Path(name)))
        started = time.perf_counter()
        subjects = [_fill(svc) for _ in range(SUBJECTS)]
        written = time.perf_counter() - started
        for subject in subjects:  # asked for, so that no cap holds it: that is for clocks that are wrong
            retention.erase_everything(svc, subject)
        started = time.perf_counter()
        report = retention.sweep(svc)
        erased = time.perf_counter() - started
        left = [path for path in (Path(name) / "vault").glob("*/*") if path.is_file()]
    due = SUBJECTS * COPIES
    if (report.gone, left) != (due, []):
        raise RuntimeError(f"{report.gone} of {due} gone, {len(left)} files left")
    return [
        Figure(name="a copy planned and written", value=1000 * written / due, unit="ms"),
        Figure(name=f"one of {due} due copies swept", value=1000 * erased / due, unit="ms"),
        Figure(name="copies in an hour", value=3600 * due / erased, unit=""),
    ]


def _fill(svc: Services) -> str:
    """A subject with copies."""
    now, subject_id = svc.clock(), new_id()
    with svc.transaction() as session:
        session.add(Subject(id=subject_id, created_at=now, sealed_key=svc.vault.make_key(subject_id)))
        session.flush()
        planned = [
            copies.plan(
                session,
                subject_id=subject_id,
                kind=CopyKind.HEADSHOT,
                width=10,
                height=10,
                size=BYTES,
                at=now,
                erase_by=now + timedelta(hours=1),
            )
            for _ in range(COPIES)
        ]
    for copy in planned:
        copies.write(svc, copy.id, bytes(BYTES))
    return subject_id


if __name__ == "__main__":
    main(measure, __doc__)
