"""
What pages count: how far a browser has come, what a photo was refused for, which limits people meet.

Each of these asks first whether this browser may be counted, and does nothing if not. A word is counted, never a
person: see core/usage.
"""

import streamlit as st

from core import access
from core.errors import Busy, WorkShotError
from core.guard import Counted
from core.services import Services
from core.ui import session
from core.usage import funnel, words
from core.usage.metrics import Metric

_HEEDED = "not-counted"
_LIMITS = {"limit_day": "day", "limit_network": "network"}


def reached(svc: Services, me: str, step: str) -> None:
    """This browser is at a step of the funnel."""
    said = session.counted()
    if said.is_so:
        agent, language = st.context.headers.get("User-Agent", ""), st.context.locale or ""
        funnel.reached(svc, me, step, agreed=said is Counted.GA, user_agent=agent, accepts=language)


def heed(svc: Services, me: str, *, anew: bool = False) -> None:
    """Whoever is not to be counted is not in any other browser either: what they have open is marked so. Once for a
    tab, and `anew` when it has opened something else."""
    if not session.counted().is_so and (anew or not st.session_state.get(_HEEDED)):
        st.session_state[_HEEDED] = access.stop_counting(svc, me)


def refused(svc: Services, me: str, code: str) -> None:
    """A photo cannot become a headshot."""
    if _may_count(svc, me):
        svc.tally.count(Metric.PHOTO_REFUSED, words.known(code, words.REFUSALS), at=svc.clock())


def met(svc: Services, me: str, exc: WorkShotError) -> None:
    """Something could not be done: if a limit of ours was the reason, it is counted."""
    if (limit := limit_of(exc)) is not None and _may_count(svc, me):
        svc.tally.count(Metric.LIMIT, limit, at=svc.clock())


def limit_of(exc: WorkShotError) -> str | None:
    """Which limit this is about. None: it is about something else."""
    if exc.code.startswith("provider_"):
        return "provider"
    return _LIMITS.get(exc.code, "busy" if isinstance(exc, Busy) else None)


def shown(svc: Services, me: str, limit: str) -> None:
    """A page says that a limit is reached, each time that it is drawn: counted once in a visit."""
    if session.counted().is_so and svc.visits.first(me, f"limit:{limit}", at=svc.clock()) and _may_count(svc, me):
        svc.tally.count(Metric.LIMIT, limit, at=svc.clock())


def _may_count(svc: Services, me: str) -> bool:
    return session.counted().is_so and access.is_counted(svc, me)
