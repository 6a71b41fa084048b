"""
The switch that stops all erasing: for the day when something erases that should not.

While it is off nothing is erased by anything of ours, whoever asks. Access still ends by the clock, and the bucket's
own rule goes on, since no switch of ours reaches it. Every clock that runs out meanwhile is a promise that breaks, so
this is said wherever anybody looks.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from core import audit
from core.errors import NotAllowed
from core.language import _, month
from core.models import Switch
from core.services import Services
from core.watching import Watch

ERASING = "erasing"
LOOKED_AT_EVERY = timedelta(seconds=3)
_WORD = re.compile(r"[a-z0-9_.:-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class SwitchState:
    """Whether erasing is stopped, since when and why."""

    stopped_at: datetime | None = None
    reason: str = ""
    actor: str = ""

    @property
    def is_stopped(self) -> bool:
        return self.stopped_at is not None

    @property
    def says(self) -> str:
        """For a banner; empty where all is well."""
        if self.stopped_at is None:
            return ""
        return _(
            "Erasing is stopped since {day:02} {month}, {time} UTC. Access still ends on time.",
            day=self.stopped_at.day,
            month=month(self.stopped_at),
            time=f"{self.stopped_at:%H:%M}",
        )


def state(svc: Services) -> SwitchState:
    with svc.reading() as session:
        switch = session.get(Switch, ERASING)
    return SwitchState(switch.stopped_at, switch.reason, switch.actor) if switch else SwitchState()


def is_stopped(session: Session) -> bool:
    return session.get(Switch, ERASING) is not None


def stop(svc: Services, *, reason: str, actor: str) -> SwitchState:
    """Nothing is erased from here on. Stopping again changes nothing. Raises NotAllowed."""
    if not _WORD.fullmatch(reason):
        raise NotAllowed("Give the reason in one word of lower-case letters, digits and hyphens, as `wrong-clock`.")
    with svc.transaction() as session:
        if not is_stopped(session):
            session.add(Switch(name=ERASING, stopped_at=svc.clock(), reason=reason, actor=actor))
            audit.record(session, audit.Action.ERASING_STOPPED, ERASING, at=svc.clock(), actor=actor, reason=reason)
    return state(svc)


def start(svc: Services, *, actor: str) -> SwitchState:
    """Erasing goes on. What became due meanwhile is found by the next sweep."""
    with svc.transaction() as session:
        switch = session.get(Switch, ERASING)
        if switch is not None:
            session.delete(switch)
            audit.record(session, audit.Action.ERASING_STARTED, ERASING, at=svc.clock(), actor=actor)
    svc.wake()
    return state(svc)


def watch() -> Watch[SwitchState]:
    """The switch for those who ask all the time."""
    return Watch(state, every=LOOKED_AT_EVERY, unseen=SwitchState())
