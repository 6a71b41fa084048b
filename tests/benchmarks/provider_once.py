"""
A worker with many runs at a provider, in a process of its own. Prints, as JSON, how long one run takes, and what a
crowd of them does to memory and threads: `python -m tests.benchmarks.provider_once FOLDER URL KEY GUARD`. Without the
drift guard (GUARD `without`) no model is loaded: memory is that of the runs alone. Called by bench_provider.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

from sqlmodel import col, func, select

from core import bootstrap, generations
from core.contracts import Contract
from core.engines.apimart.engine import ApiMart
from core.engines.apimart.offers import DEFAULT, offers
from core.engines.apimart.results import Results
from core.generations import Agreement, Choices, Upload
from core.models import Copy, CopyKind, Generation, HeadshotRow, ProviderTask, RunState, new_id
from core.services import Services
from core.settings import Settings

ONE_BY_ONE, CROWD = 4, 100
SIZE = 3024, 4032
TOO_LONG = 240.0  # seconds


class Blind:
    """In the place of who looks at pictures: what it cannot tell costs nothing."""

    def shift(self, portrait: bytes, headshot: bytes) -> None:
        return None


def services(folder: Path, url: str, key: str) -> Services:
    settings = Settings(
        data_dir=folder / "data",
        queue_limit=1000,
        apimart_at_once=1000,
        apimart_per_minute=10_000,
        canary_every_minutes=0,
    )
    results = Results(hosts=["127.0.0.1"], nearby=True)
    provider = ApiMart(offer=offers()[DEFAULT], key=key, base_url=url, results=results)
    return replace(bootstrap.build(settings), providers={provider.name: provider})


def press(svc: Services, photo: bytes) -> str:
    return generations.request(
        svc,
        new_id() + new_id(),
        request_id=new_id(),
        uploads=[Upload(kind=CopyKind.PORTRAIT, data=photo, width=SIZE[0], height=SIZE[1], received_at=svc.clock())],
        choices=Choices(
            purpose="linkedin",
            ratio="4:5",
            long_side=2048,
            style="studio",
            backdrop="grey",
            variants=1,
            engine="apimart",
            contract=Contract.DAY,
        ),
        agreement=Agreement(may_use_photo=True, is_adult=True),
    )


def count(svc: Services, what: Any, *where: Any) -> int:
    with svc.reading() as session:
        return session.exec(select(func.count()).select_from(what).where(*where)).one()


def until(is_so: Callable[[], bool]) -> None:
    by = time.monotonic() + TOO_LONG
    while not is_so():
        if time.monotonic() > by:
            raise RuntimeError("it never came")
        Event().wait(0.05)


def one(svc: Services, photo: bytes) -> dict[str, float]:
    """Seconds from the press of the button to a picture that can be shown, and where they went."""
    pressed = svc.clock()
    run_id = press(svc, photo)
    until(lambda: count(svc, Generation, Generation.id == run_id, Generation.state == RunState.READY) > 0)
    with svc.reading() as session:
        task = session.get_one(ProviderTask, f"{run_id}-1")
        copy_id = session.get_one(HeadshotRow, (run_id, 1)).copy_id
        written = session.get_one(Copy, copy_id).written_at
    moments = (pressed, task.sent_at, task.taken_at, task.made_at, written)
    names = ("stored_and_encoded", "sent", "waited", "fetched_and_stored")
    seconds = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    return dict(zip(names, seconds, strict=True)) | {"to_picture": (written - pressed).total_seconds()}


def crowd(svc: Services, photo: bytes) -> dict[str, Any]:
    """Many at once: the most that were under way there together, threads, and how long the whole took."""
    ready = Generation.state == RunState.READY
    before, most, threads = count(svc, Generation, ready), 0, 0
    started = time.monotonic()
    for _ in range(CROWD):
        press(svc, photo)
    pressed = time.monotonic()

    def all_ready() -> bool:
        nonlocal most, threads
        open_ones = col(ProviderTask.sent_at).is_not(None), col(ProviderTask.ended_at).is_(None)
        most = max(most, count(svc, ProviderTask, *open_ones))
        threads = max(threads, threading.active_count())
        Event().wait(0.2)
        return count(svc, Generation, ready) >= before + CROWD

    until(all_ready)
    return {
        "most_at_once": most,
        "threads": threads,
        "pressing_s": pressed - started,
        "crowd_s": time.monotonic() - started,
    }


def peak_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(folder: str, url: str, key: str, guard: str) -> None:
    home = Path(folder)
    photo = (home / "photo.jpg").read_bytes()
    svc = services(home, url, key)
    svc, runner = bootstrap.with_runner(svc if guard == "with" else replace(svc, framer=Blind()))
    runner.start()
    idle = threading.active_count()
    singles = [one(svc, photo) for _ in range(ONE_BY_ONE)]
    after_singles = peak_mib()
    found = crowd(svc, photo)
    runner.stop()
    print(
        json.dumps(
            {"singles": singles, "idle_threads": idle, "singles_mib": after_singles, "peak_mib": peak_mib(), **found}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
