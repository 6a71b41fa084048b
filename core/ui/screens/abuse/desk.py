"""Which report is open on the page of reports, and how things are said there."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from core import reports
from core.models import AbuseKind, AbuseOutcome, AbuseReport
from core.ui import operators
from core.ui.operators import Desk, Opened

SAID: Final = "abuse-said"
KIND_SAYS: Final[Mapping[AbuseKind, str]] = {
    AbuseKind.NOT_ASKED: "Shows somebody who was not asked",
    AbuseKind.CHILD: "Shows a child",
    AbuseKind.INTIMATE: "Intimate or sexual",
    AbuseKind.PRETENDS: "Used to pass for somebody else",
    AbuseKind.OTHER: "Something else",
}
OUTCOME_SAYS: Final[Mapping[AbuseOutcome, str]] = {
    AbuseOutcome.NOTHING_FOUND: "Nothing found here",
    AbuseOutcome.NOTHING_WRONG: "Nothing wrong with it",
    AbuseOutcome.BLOCKED: "Blocked",
    AbuseOutcome.ERASED: "Erased",
}


def opened(desk: Desk) -> AbuseReport | None:
    """The report that the address of the page names."""
    if not _open.number:
        return None
    with desk.svc.reading() as session:
        return reports.numbered(session, _open.number)


_open = Opened("report", SAID)
open_one, leave = _open.open, _open.leave
do = partial(operators.do, SAID)
what_came_of_it = partial(operators.what_came_of_it, SAID)
