"""Who looks at the page of breaches, when, how instants are said and asked for, and what came of a deed."""

from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Final, Self
from zoneinfo import ZoneInfo

import streamlit as st

from core.operators import Operator
from core.services import Services
from core.ui import app, operators, widgets

SAID: Final = "breach-said"
MINUTE: Final = 60


@dataclass(frozen=True)
class Desk:
    """One look at the page: the same instant for everything on it."""

    svc: Services
    who: Operator
    now: datetime
    zone: ZoneInfo
    zone_says: str

    @classmethod
    def of(cls, who: Operator) -> Self:
        svc = app.services()
        return cls(svc, who, svc.clock(), *widgets.reader_zone())

    def at(self, at: datetime | None) -> str:
        return widgets.instant(at, now=self.now) if at else "–"

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
