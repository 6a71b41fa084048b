"""
The funnel, for pages and routes: which step a browser has just reached.

Whoever calls has asked the guard whether it may be counted at all. A page that its browser has seen before costs one
look into memory.
"""

from core import access
from core.services import Services


def reached(
    svc: Services, session_hash: str, step: str, *, agreed: bool = False, user_agent: str = "", accepts: str = ""
) -> None:
    """A browser that may be counted is at this step. `agreed`: Google Analytics may be told, too."""
    now = svc.clock()
    if svc.visits.has_reached(session_hash, step, now) or not access.is_counted(svc, session_hash):
        return
    cells = svc.visits.reach(session_hash, step, at=now, user_agent=user_agent, accepts=accepts)
    svc.tally.add(cells)
    if agreed and cells:
        from core.usage import ga4  # nothing that a start has to wait for

        ga4.count(svc, cells)
