"""Who looks at the page of reports, when, which report is open, and how things are said there."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final

import streamlit as st

from core import reports
from core.models import AbuseKind, AbuseOutcome, AbuseReport, CopyKind
from core.ui import operators, widgets

OPEN, SAID = "report", "abuse-said"
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
COPY_SAYS: Final[Mapping[CopyKind, str]] = {
    CopyKind.PORTRAIT: "photo",
    CopyKind.HEADSHOT: "headshot",
    CopyKind.CLOTHING: "clothing",
    CopyKind.BACKDROP: "backdrop",
    CopyKind.EXPORT: "copy of their data",
    CopyKind.CANARY: "test object",
}


class Desk(operators.Desk):
    def at(self, at: datetime) -> str:
        return widgets.instant(at, now=self.now)


def opened(desk: Desk) -> AbuseReport | None:
    """The report that the address of the page names."""
    number = st.query_params.get(OPEN, "")
    if not number:
        return None
    with desk.svc.reading() as session:
        return reports.numbered(session, number)


def open_one(number: str) -> None:
    st.query_params[OPEN] = number
    st.session_state.pop(SAID, None)


def leave() -> None:
    st.query_params.pop(OPEN, None)
    st.session_state.pop(SAID, None)


do = partial(operators.do, SAID)
what_came_of_it = partial(operators.what_came_of_it, SAID)
