"""
How long it takes to remove the rows of people whose time is over, with how much memory; and to count what a leak shows.

Run it with `python -m tests.benchmarks.bench_people [--json] [--full] [--postgres]`: 5,000 people and 50,000 copies, or
100,000 people and a million copies with `--full`.

Each person has a consent, a run with its stages, and three images with evidence, of which two are headshots; one in
three had a copy at a third party, one in ten has a request in the register. As many again went a month ago, and stay.
"""

import resource
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel, func, select

from core import exposure, records
from core.contracts import Contract
from core.models import (
    Consent,
    Copy,
    CopyKind,
    Evidence,
    Generation,
    HandOverLink,
    HeadshotRow,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTask,
    ProviderTaskState,
    Request,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    RequestState,
    RunState,
    StageEvent,
    Subject,
)
from core.ports import Presence
from core.services import Services
from tests.benchmarks.bench_retention_page import NOW, filled, timed
from tests.benchmarks.common import Figure, main

PEOPLE, PEOPLE_IN_FULL = 5_000, 100_000
COPIES, COPIES_IN_FULL = 50_000, 1_000_000
PRUNED, COUNTED = 120.0, 1.0
"""Seconds that are promised, of the full size."""
MORE_MEMORY = 100.0
"""Megabytes, at the most, however many people go."""
LONG_AGO, LATELY = timedelta(days=400), timedelta(days=30)
AT_ONCE = 1_000


def measure(*, full: bool = False, postgres: bool = False) -> list[Figure]:
    people, copies = (PEOPLE_IN_FULL, COPIES_IN_FULL) if full else (PEOPLE, COPIES)
    with filled(copies, postgres=postgres) as svc:
        counting = [timed(partial(exposure.measure, svc)) for _ in range(3)]
        _fill(svc, people)
        before = _memory()
        pruning = timed(partial(records.prune, svc))
        more = _memory() - before
        with svc.reading() as session:
            left = session.exec(select(func.count()).select_from(Consent)).one()
    assert left == people, "those who went lately stay"
    return [
        Figure(name=f"rows of {people:,} people are removed", value=pruning, promised=PRUNED, of="value"),
        Figure(name="  with so much more memory", value=more, unit="MB", promised=MORE_MEMORY, of="value"),
        Figure(name=f"what a leak shows of {copies:,} copies", value=min(counting), promised=COUNTED, of="value"),
    ]


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _fill(svc: Services, people: int) -> None:
    numbers = range(2 * people)
    for start in range(0, len(numbers), AT_ONCE):
        rows: dict[type[SQLModel], list[dict[str, Any]]] = {}
        for number in numbers[start : start + AT_ONCE]:
            for table, row in _rows(number, NOW - (LONG_AGO if number < people else LATELY)):
                rows.setdefault(table, []).append(row)
        with svc.transaction() as session:
            for table, some in rows.items():
                session.execute(sa.insert(table), some)
    with svc.database.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def _rows(number: int, at: Any) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    person = f"f{number:031x}"
    yield Subject, {"id": person, "created_at": at, "key_destroyed_at": at, "is_canary": False}
    agreed = {"policy_version": "v", "may_use_photo": True, "is_adult": True}
    yield Consent, {"id": person, "subject_id": person, "given_at": at, **agreed}
    for nth in range(3):
        copy = f"f{number:029x}{nth:02x}"
        absent = {"head": Presence.ABSENT, "listing": Presence.ABSENT}
        yield Evidence, {"id": copy, "copy_id": copy, "probed_at": at, **absent}
        ended = dict.fromkeys(("created_at", "written_at", "erase_by", "erased_at", "gone_at"), at)
        about = {"place": "vault", "object_key": copy, "media_type": "image/jpeg", "width": 1, "height": 1, "size": 1}
        kind = CopyKind.HEADSHOT if nth else CopyKind.PORTRAIT
        yield Copy, {"id": copy, "subject_id": person, "kind": kind, "evidence_id": copy, "probes": 0, **about, **ended}
    yield from _run(number, person, at)
    if number % 3 == 0:
        yield from _elsewhere(number, person, at)
    if number % 10 == 0:
        times = dict.fromkeys(("received_at", "entered_at", "due_at", "done_at", "closed_at"), at)
        kinds = {"kind": RequestKind.ERASE, "channel": RequestChannel.PRODUCT, "clock": "erase"}
        over = {"state": RequestState.CLOSED, "outcome": RequestOutcome.DONE}
        yield Request, {"id": person, "number": f"D-{number:x}", "subject_id": person, **kinds, **over, **times}


def _run(number: int, person: str, at: Any) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    chosen = {"engine": "e", "purpose": "p", "ratio": "1:1", "long_side": 1, "style": "s", "backdrop": "b"}
    times = dict.fromkeys(("uploaded_at", "erase_by", "created_at", "ended_at"), at)
    names = {"id": person, "number": f"B-{number:x}", "request_id": person, "subject_id": person}
    state = {"contract": Contract.MONTH, "state": RunState.READY, "variants": 2, "counts": True, "zoom": 1.0}
    yield Generation, {**names, "portrait_id": f"f{number:029x}00", **chosen, **times, **state}
    for stage in ("queued", "making", "storing"):
        yield StageEvent, {"generation_id": person, "stage": stage, "entered_at": at}
    for variant in (1, 2):
        yield HeadshotRow, {"generation_id": person, "variant": variant, "copy_id": f"f{number:029x}{variant:02x}"}


def _elsewhere(number: int, person: str, at: Any) -> Iterator[tuple[type[SQLModel], dict[str, Any]]]:
    task = f"{person}-1"
    asked = {"provider": "apimart", "model": "m", "template": "1", "hand_over": "link", "variant": 1, "looks": 0}
    times = dict.fromkeys(("planned_at", "sent_at", "ended_at"), at)
    state = {"state": ProviderTaskState.KEPT, "tries": 0, "uploads_in_doubt": 0}
    yield ProviderTask, {"id": task, "generation_id": person, **asked, **times, **state}
    copy = f"f{number:029x}00"
    yield HandOverLink, {"id": person, "task_id": task, "copy_id": copy, "made_at": at, "expires_at": at}
    seen = dict.fromkeys(("noted_at", "expires_at", "probe_at", "refused_at", "gone_at"), at)
    of = {"subject_id": person, "generation_id": person, "task_id": task, "provider": "apimart", "probes": 2}
    kind = {"kind": ProviderCopyKind.RESULT, "mark": person, "dated_by": "provider"}
    yield ProviderCopy, {"id": person, **of, **kind, **seen}


if __name__ == "__main__":
    main(measure, __doc__, full="100,000 people and a million copies", postgres="on PostgreSQL instead of SQLite")
