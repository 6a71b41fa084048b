"""Did we keep our promises?"""

from collections.abc import Iterator
from typing import Final

from core.usage.metrics import Level, Metric
from core.usage.reports.rows import level_of, nested, simple, table, timed
from core.usage.reports.shape import Row
from core.usage.reports.view import View

_gone = nested(
    "gone",
    "Erased and proved",
    "erased",
    ("kind", "reason", "copies"),
    "Copies that storage has shown to be gone, by what they were and why they went.",
)
_gone_times = timed(
    "gone_times",
    "Time to gone",
    Metric.GONE_TOOK,
    "reason",
    "From the end of a clock, or the wish, to the proof.",
)
_tickets = nested(
    "tickets",
    "Requests that came in",
    "tickets",
    ("channel", "kind", "requests"),
    "Deletion and other requests, by the way they came and what they ask for.",
)
_ticket_ends = nested(
    "ticket_ends",
    "How requests ended",
    "ticket_ends",
    ("outcome", "in time", "requests"),
    "Requests that were closed, by how they ended and whether that was within their clock.",
)
_ticket_times = timed(
    "ticket_times", "Time to done", Metric.TICKET_TOOK, "kind", "From the receipt of a request to its being done."
)


@table(
    "storage",
    "What is stored",
    ("when", "kind", "bytes"),
    "Encrypted bytes in the vault by kind of copy, as last seen on the day; in long periods in the month. Of everybody "
    "together, in steps of 10 MB, so that no single photo can be seen to come or go.",
    "bytes",
)
def _storage(view: View) -> Iterator[Row]:
    yield from level_of(view, Level.STORED)


@table(
    "promises",
    "Promises",
    ("promise", "kept", "broken", "unknown", "kept, %"),
    "How often each promise was checked, and with what result. Unknown is not taken for kept. Never hidden: no checks "
    "are anybody's doings.",
)
def _promises(view: View) -> Iterator[Row]:
    counts: dict[str, dict[str, int]] = {}
    for month in view.what.months:
        for (promise, state), n in month.checks.items():
            its = counts.setdefault(promise, {"kept": 0, "broken": 0, "unknown": 0})
            its[state] = its.get(state, 0) + n
    for promise, its in sorted(counts.items()):
        numbers = [float(its[state]) for state in ("kept", "broken", "unknown")]
        yield promise, *numbers, 100 * its["kept"] / sum(its.values())


_shortened = simple(
    "shortened",
    "Kept for less",
    "shortened",
    "contract",
    ("contract", "times"),
    "How often a run was shortened to this.",
)
_contracts = simple(
    "contracts",
    "How long people let us keep it",
    "runs_begun",
    "contract",
    ("contract", "runs", "%"),
    "Runs that were begun, by the contract chosen; what was shortened later is told apart.",
)


TABLES: Final = (_gone, _gone_times, _shortened, _contracts, _tickets, _ticket_ends, _ticket_times, _storage, _promises)
