"""
The switch that stops all erasing: for the day when something erases that should not.

While it is off nothing is erased by anything of ours, whoever asks. Access still ends by the clock, and the bucket's
own rule goes on, since no switch of ours reaches it. Every clock that runs out meanwhile is a promise that breaks, so
this is said wherever anybody looks.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from core import audit
from core.errors import NotAllowed
from core.language import _, month
from core.models import Switch
from core.services import Services

ERASING = "erasing"
LOOKED_AT_EVERY = timedelta(seconds=3)
FIRST_LOOK_WAITED_FOR = 2.0  # seconds, by those who come while another one looks
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


@dataclass(frozen=True)
class _Seen:
    svc: Services
    at: datetime | None  # None: to be looked at again
    state: SwitchState


class Watch:
    """
    The switch for those who ask all the time: looked at every few seconds, by one of them while the others go on.

    While the database is away it says what it saw last: there are pages that need no database, and they open.
    """

    def __init__(self) -> None:
        self._seen: _Seen | None = None
        self._looking = Lock()

    def state(self, svc: Services) -> SwitchState:
        seen = self._seen if self._seen and self._seen.svc is svc else None
        if seen and seen.at and abs(svc.clock() - seen.at) < LOOKED_AT_EVERY:
            return seen.state
        if not self._looking.acquire(timeout=0 if seen else FIRST_LOOK_WAITED_FOR):
            return seen.state if seen else SwitchState()
        try:
            return self._look(svc, seen.state if seen else SwitchState())
        finally:
            self._looking.release()

    def look_again(self) -> None:
        """It was thrown here, a moment ago."""
        if seen := self._seen:
            self._seen = _Seen(seen.svc, None, seen.state)

    def _look(self, svc: Services, before: SwitchState) -> SwitchState:
        try:
            found = state(svc)
        except SQLAlchemyError:
            found = before
        self._seen = _Seen(svc, svc.clock(), found)
        return found
