"""
Moving the vault: every object to another store, proved there before it is erased here.

* The rows stay as they are, object keys included: only the place that the settings name changes.
* The source is the to-do list. Whatever still lies there has not been moved, so a move that was cut off goes on where
  it stopped, and doing an object twice does no harm.
* What is due is not carried along. It is erased at the source; the next sweep finds it absent at the target too.
* What no row knows stays where it is and is reported: nobody can say whether it is rubbish or a lost row.
* Nobody else may be at work. A worker that looked in one of the two places would take what lies in the other for gone.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from sqlmodel import col, select

from core import erasing, jobs
from core.errors import Busy, NotAllowed, ObjectMissing, StorageUnavailable
from core.models import Copy
from core.ports import ObjectStore, Presence
from core.services import Services

AT_ONCE = 8
BATCH = 32


class Fate(StrEnum):
    MOVED = "moved"
    DUE = "due"  # erased at the source, not carried along
    NO_ROW = "no_row"  # left where it is
    FAILED = "failed"  # left where it is, for the next time


@dataclass(frozen=True)
class Move:
    """How many objects met which fate."""

    moved: int = 0
    due: int = 0
    no_row: int = 0
    failed: int = 0

    @property
    def is_whole(self) -> bool:
        return not self.no_row and not self.failed

    def plus(self, fates: Iterable[Fate]) -> "Move":
        told = list(fates)
        return Move(**{fate.value: getattr(self, fate.value) + told.count(fate) for fate in Fate})


def move_objects(svc: Services, *, source: ObjectStore, target: ObjectStore) -> Move:
    """Raises Busy while a worker is alive, NotAllowed while erasing is stopped, StorageUnavailable where nothing can
    be moved at all."""
    if jobs.is_alive(svc):
        raise Busy("Stop the server and every worker first. One of them was alive within the last minute.")
    if erasing.state(svc).is_stopped:
        raise NotAllowed("Erasing is stopped, and moving ends with erasing. `python -m core erasing start` first.")
    done = Move()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for keys in _batches(source):
            rows = _rows(svc, keys)
            fates = list(threads.map(lambda key, rows=rows: _move(svc, key, rows.get(key), source, target), keys))
            if set(fates) == {Fate.FAILED}:
                raise StorageUnavailable("One of the two stores cannot be reached. Run this again to go on from here.")
            done = done.plus(fates)
    return done


def _move(svc: Services, key: str, copy: Copy | None, source: ObjectStore, target: ObjectStore) -> Fate:
    if copy is None:
        return Fate.NO_ROW
    due = copy.erase_by <= svc.clock()
    try:
        if not due and not _carry(key, source, target):
            return Fate.FAILED
        source.erase(key)
    except StorageUnavailable:
        return Fate.FAILED
    if (source.head(key), source.listed(key)) != (Presence.ABSENT, Presence.ABSENT):
        return Fate.FAILED
    return Fate.DUE if due else Fate.MOVED


def _carry(key: str, source: ObjectStore, target: ObjectStore) -> bool:
    """Byte for byte, read back: damage is moved as it is, and not made."""
    try:
        data = source.get(key)
    except ObjectMissing:
        return True  # only the left-overs of a write that never ended: nothing to carry
    target.put(key, data)
    try:
        return target.get(key) == data
    except ObjectMissing:
        return False


def _batches(source: ObjectStore) -> Iterator[list[str]]:
    found = source.inventory()
    while batch := list(islice(found, BATCH)):
        yield list(dict.fromkeys(each.key for each in batch))  # an object and its left-overs share a key


def _rows(svc: Services, keys: list[str]) -> dict[str, Copy]:
    with svc.reading() as session:
        found = session.exec(select(Copy).where(col(Copy.object_key).in_(keys), col(Copy.gone_at).is_(None))).all()
    return {copy.object_key: copy for copy in found}
