"""Who looks at the page of breaches, when, how instants are asked for, and what came of a deed."""

from datetime import date, datetime, time
from functools import partial
from typing import Final

import streamlit as st

from core.ui import operators

SAID: Final = "breach-said"
MINUTE: Final = 60


class Desk(operators.Desk):
    def ask_when(self, what: str, *, key: str) -> datetime | None:
        """A day and a time in the reader's zone; now, as long as nothing else is chosen. None: half of it is empty."""
        first: datetime = st.session_state.setdefault(f"{key}-first", self.now.astimezone(self.zone))
        with st.container(horizontal=True):
            day: date | None = st.date_input(f"Day {what}", value=first.date(), key=f"{key}-day")
            at: time | None = st.time_input(
                f"Time {what}, {self.zone_says.strip('()')}",
                value=first.time().replace(second=0, microsecond=0),
                step=MINUTE,
                key=f"{key}-time",
            )
        if not isinstance(day, date) or at is None:
            return None
        return datetime.combine(day, at, tzinfo=self.zone)


do = partial(operators.do, SAID)


def what_came_of_it() -> None:
    """Said once. Its place stays, so that nothing below it is drawn anew when it goes."""
    with st.container():
        operators.what_came_of_it(SAID, once=True)
