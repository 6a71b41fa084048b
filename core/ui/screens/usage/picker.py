"""Which period is looked at, and which engine: kept in the address, so that a view can be sent to somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import streamlit as st

from core.errors import NotAllowed
from core.services import Services
from core.ui import widgets
from core.usage import periods
from core.usage.periods import Period

ALL: Final = ""
_PRESET, _FIRST, _LAST, _ENGINE = "usage-preset", "usage-first", "usage-last", "usage-engine"
_OFFERED: Final = 36  # months to choose from, the one under way included


@dataclass(frozen=True)
class Look:
    """What of usage is looked at."""

    period: Period
    engine: str | None

    def as_words(self) -> dict[str, str]:
        return self.period.as_words() | ({"engine": self.engine} if self.engine else {})


def pick(svc: Services, now: datetime) -> Look:
    """Draws the choice, and answers what is chosen."""
    today = now.date()
    look, refused = _asked_for(svc, today)
    _fill_in(look, today)
    if refused:
        widgets.show(widgets.note(refused, "due"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="ws-usage-pick"):
        st.segmented_control("Period", list(periods.PRESETS), key=_PRESET, format_func=_named, on_change=_preset_taken,
                             args=(today,), wrap=True)  # fmt: skip
        _months(look, today)
        if len(svc.offered) > 1:
            st.selectbox("Made by", [ALL, *svc.offered], key=_ENGINE, format_func=lambda name: _maker(svc, name),
                         on_change=_engine_taken, width=200)  # fmt: skip
    return look


def _months(look: Look, today: date) -> None:
    offered = _offered(look.period, today)
    with st.container(
        horizontal=True, vertical_alignment="bottom", width="content", gap="xsmall", key="ws-usage-months"
    ):
        for label, key in (("From", _FIRST), ("To", _LAST)):
            st.selectbox(label, offered, key=key, format_func=_month, on_change=_months_taken, width=126)
        st.button(
            "‹", key="usage-earlier", help="As many months earlier", on_click=_step, args=(look.period, -1, today)
        )
        is_latest = look.period.last >= today.replace(day=1)
        st.button("›", key="usage-later", help="As many months later", on_click=_step, args=(look.period, 1, today),
                  disabled=is_latest)  # fmt: skip


# ------------------------------------------------------------------------------------------------------- the address
def _asked_for(svc: Services, today: date) -> tuple[Look, str]:
    """What the address says; where it says nothing of use, this month, and why."""
    words = {name: st.query_params[name] for name in ("from", "to", "engine") if name in st.query_params}
    engine = words.pop("engine", ALL)
    this_month, refused = periods.preset(periods.THIS_MONTH, today), ""
    try:
        period = Period.of_words(words) if words else this_month
    except NotAllowed as exc:
        period, refused = this_month, str(exc)
    if period.first > this_month.first:
        period, refused = this_month, "That month has not begun. This is the one under way."
    return Look(period, engine if engine in svc.offered else None), refused


def _fill_in(look: Look, today: date) -> None:
    """The controls say what the address says, however one came to it."""
    st.session_state[_PRESET] = periods.name_of(look.period, today)
    st.session_state[_FIRST], st.session_state[_LAST] = look.period.first, look.period.last
    st.session_state[_ENGINE] = look.engine or ALL


def _go(period: Period) -> None:
    for name, value in period.as_words().items():
        st.query_params[name] = value


# ------------------------------------------------------------------------------------------------------------- deeds
def _preset_taken(today: date) -> None:
    if name := st.session_state[_PRESET]:
        _go(periods.preset(name, today))


def _months_taken() -> None:
    """The later of the two is the last, whichever was picked where; and no more months than a period may have."""
    first, last = sorted((st.session_state[_FIRST], st.session_state[_LAST]))
    _go(Period(max(first, periods.later(last, 1 - periods.LONGEST)), last))


def _step(period: Period, by: int, today: date) -> None:
    """As many months as are looked at, but not beyond the one under way."""
    last = min(periods.later(period.last, by * period.length), today.replace(day=1))
    _go(Period(periods.later(last, 1 - period.length), last))


def _engine_taken() -> None:
    chosen = st.session_state[_ENGINE]
    if chosen:
        st.query_params["engine"] = chosen
    else:
        st.query_params.pop("engine", None)


# ------------------------------------------------------------------------------------------------------------- words
def _offered(period: Period, today: date) -> Sequence[date]:
    """The latest first, back to where the period begins."""
    latest = max(today.replace(day=1), period.last)
    back = max(_OFFERED, (latest.year - period.first.year) * 12 + latest.month - period.first.month + 1)
    return [periods.later(latest, -ago) for ago in range(back)]


def _named(preset: str) -> str:
    return f"{preset[:1].upper()}{preset[1:]}"


def _month(month: date) -> str:
    return f"{month:%b %Y}"


def _maker(svc: Services, name: str) -> str:
    return svc.offered[name].title if name else "All engines"
