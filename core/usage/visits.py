"""
Visits: which browser sessions were here within a day, and how far each of them came. In memory alone.

A step of the funnel counts once for a browser session, on the day of its visit, and with it every earlier step that was
not counted yet: whoever comes back with a claim code has a photo, and no later step is ever reached more often than an
earlier one. What is known of a session is the hash that its page runs under anyway. It is written nowhere, and is
forgotten with the process, after a day, or when too many came since. Two servers do not know of each other's visits.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from core.usage import words
from core.usage.counting import Cell, cell
from core.usage.metrics import STEPS, Metric

FORGOTTEN_AFTER: Final = timedelta(hours=24)
MOST: Final = 50_000
"""Sessions, about 20 MB; beyond it the oldest is forgotten first."""


@dataclass(slots=True)
class _Visit:
    at: datetime
    reached: int = -1  # an index of STEPS
    marks: set[str] = field(default_factory=set)


class Visits:
    """Several threads may share one."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._visits: OrderedDict[str, _Visit] = OrderedDict()  # in the order of their beginning
        self._lock = threading.Lock()

    def has_reached(self, session_hash: str, step: str, now: datetime) -> bool:
        """Then there is nothing to count. What a page asks each time, so it costs next to nothing."""
        visit = self._visits.get(session_hash)
        return visit is not None and visit.reached >= STEPS.index(step) and not _is_over(visit, now)

    def reach(
        self, session_hash: str, step: str, *, at: datetime, user_agent: str = "", accepts: str = ""
    ) -> Sequence[Cell]:
        """What is to be counted now: this step and those before it, each once for a visit. Nothing, mostly.

        With the visit itself goes what the browser says of its machine and its language, as a word each.
        """
        with self._lock:
            visit = self._of(session_hash, at)
            furthest = STEPS.index(step)
            new = STEPS[visit.reached + 1 : furthest + 1]
            visit.reached = max(visit.reached, furthest)
        cells = [_cell(visit, Metric.STEP, each) for each in new]
        if STEPS[0] in new:
            cells.append(_cell(visit, Metric.VISIT_DEVICE, words.device(user_agent)))
            cells.append(_cell(visit, Metric.VISIT_LANGUAGE, words.language(accepts)))
        return cells

    def first(self, session_hash: str, mark: str, *, at: datetime) -> bool:
        """Whether this is met for the first time in a visit. For what a page shows again and again."""
        with self._lock:
            visit = self._of(session_hash, at)
            is_first = mark not in visit.marks
            visit.marks.add(mark)
        return is_first

    def forget(self, session_hash: str) -> None:
        """Whoever says no is not kept in mind. If they say yes again, that is a visit of its own."""
        with self._lock:
            self._visits.pop(session_hash, None)

    def prune(self, now: datetime) -> None:
        """Forget those of a day ago, also when nobody else comes by."""
        with self._lock:
            self._prune(now)

    def __len__(self) -> int:
        return len(self._visits)

    def _of(self, session_hash: str, now: datetime) -> _Visit:
        visit = self._visits.get(session_hash)
        if visit is None or _is_over(visit, now):
            self._prune(now)
            self._visits.pop(session_hash, None)
            visit = self._visits[session_hash] = _Visit(now)
            while len(self._visits) > self._most:
                self._visits.popitem(last=False)
        return visit

    def _prune(self, now: datetime) -> None:
        while self._visits and _is_over(next(iter(self._visits.values())), now):
            self._visits.popitem(last=False)


def _is_over(visit: _Visit, now: datetime) -> bool:
    return now - visit.at >= FORGOTTEN_AFTER


def _cell(visit: _Visit, metric: Metric, a: str) -> Cell:
    return cell(metric, a, at=visit.at)
