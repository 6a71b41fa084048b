"""
What is counted: every metric, what its one or two dimensions are, and the buckets of times and cost.

A dimension is a word of a short list (an engine, a style, a code), never an id. Each metric is a family of its own:
an event that is looked at from three sides is counted in three of them, so that no table of the page crosses another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final


class Metric(StrEnum):
    STEP = "step"
    VISIT_DEVICE = "visit_device"
    VISIT_LANGUAGE = "visit_language"
    PHOTO_REFUSED = "photo_refused"
    AGAIN = "again"
    LIMIT = "limit"
    RUN = "run"
    RUN_STYLE = "run_style"
    RUN_PURPOSE = "run_purpose"
    RUN_CONTRACT = "run_contract"
    SHORTENED = "shortened"
    HEADSHOT = "headshot"
    DOWNLOAD = "download"
    TOOK = "took"
    STAGE_TOOK = "stage_took"
    QUEUE_WAIT = "queue_wait"
    COST = "cost"
    RUN_COST = "run_cost"
    ERASED = "erased"
    GONE_TOOK = "gone_took"
    TICKET = "ticket"
    TICKET_END = "ticket_end"
    TICKET_TOOK = "ticket_took"
    OPERATOR = "operator"
    PROMISE = "promise"
    GA_STEP = "ga_step"


class Level(StrEnum):
    STORED = "stored"  # bytes, by kind of copy
    BALANCE = "balance"  # millionths of a US dollar, by provider


STEPS: Final = ("visit", "photo", "checks", "generate", "ready", "download")
"""The funnel. A step counts once for each browser session, on the day of its visit, and with it all before it: so a
later step is never reached more often than an earlier one."""

DIMENSIONS: Final[Mapping[Metric, tuple[str, str]]] = {
    Metric.STEP: ("step", ""),
    Metric.VISIT_DEVICE: ("device", ""),  # phone, tablet, computer, other
    Metric.VISIT_LANGUAGE: ("language", ""),  # en, de, other
    Metric.PHOTO_REFUSED: ("reason", ""),
    Metric.AGAIN: ("", ""),  # another run of a photo
    Metric.LIMIT: ("limit", ""),  # day, network, busy, provider
    Metric.RUN: ("engine", "outcome"),  # at its end: ready, cancelled, or the code of its failure
    Metric.RUN_STYLE: ("style", ""),  # at its beginning, as the next two
    Metric.RUN_PURPOSE: ("purpose", ""),
    Metric.RUN_CONTRACT: ("contract", ""),
    Metric.SHORTENED: ("contract", ""),
    Metric.HEADSHOT: ("engine", ""),
    Metric.DOWNLOAD: ("what", ""),  # original, smaller, all
    Metric.TOOK: ("engine", "bucket"),  # of ready runs, from the button to the last headshot
    Metric.STAGE_TOOK: ("engine.stage", "bucket"),
    Metric.QUEUE_WAIT: ("engine", "bucket"),
    Metric.COST: ("engine", "day"),  # `n` is in millionths of a US dollar; b is ""
    Metric.RUN_COST: ("engine", "bucket"),
    Metric.ERASED: ("kind", "reason"),  # shown to be gone
    Metric.GONE_TOOK: ("reason", "bucket"),  # from its clock's end, or the wish, to the proof
    Metric.TICKET: ("channel", "kind"),
    Metric.TICKET_END: ("outcome", "in time"),  # in_time, late
    Metric.TICKET_TOOK: ("kind", "bucket"),
    Metric.OPERATOR: ("action", ""),
    Metric.PROMISE: ("promise", "state"),
    Metric.GA_STEP: ("step", ""),  # of visitors who agreed to Google Analytics alone; kept for days, shown nowhere
}


@dataclass(frozen=True)
class Buckets:
    """Fixed upper bounds, ascending. A bucket is called by its bound, the last one `more`."""

    bounds: Sequence[int]

    def of(self, value: float) -> str:
        return next((str(bound) for bound in self.bounds if value <= bound), "more")

    @property
    def names(self) -> list[str]:
        return [*map(str, self.bounds), "more"]


SECONDS: Final = Buckets((1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 90, 120, 180, 300, 600, 1800))
LONG: Final = Buckets(
    (10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 64800, 86400, 129600, 172800, 259200, 604800)
)
"""Seconds as well: what takes minutes to days (erasing until it is proved, a request)."""
CENTS: Final = Buckets((1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 200, 500))
"""Hundredths of a US dollar, of one run."""

BUCKETS: Final[Mapping[Metric, Buckets]] = {
    Metric.TOOK: SECONDS,
    Metric.STAGE_TOOK: SECONDS,
    Metric.QUEUE_WAIT: SECONDS,
    Metric.RUN_COST: CENTS,
    Metric.GONE_TOOK: LONG,
    Metric.TICKET_TOOK: LONG,
}
HOURLY: Final = (Metric.STEP, STEPS[0])
"""Counted by hour as well, without dimensions: the visit."""


def bucket(metric: Metric, took: timedelta) -> str:
    return BUCKETS[metric].of(took.total_seconds())
