"""The register of breaches, and the deeds on it. Founders alone do them; each is in the audit log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import access, audit, exposure
from core.breaches.notices import FILL_IN
from core.canonical import as_json
from core.db import take_turns
from core.errors import NotAllowed
from core.exposure import Exposure
from core.language import NAMES
from core.models import Breach, BreachKind, BreachOutcome, JobKind
from core.queue import enqueue
from core.services import Services

TOLD_WITHIN: Final = timedelta(hours=72)
"""From noticing to telling the authority (GDPR, Article 33(1)), and people as far as they can be reached."""
NOTICED_WITHIN: Final = timedelta(days=30)
"""What was noticed longer ago than that is a slip of the hand."""
SHOWN_AFTER: Final = timedelta(days=30)
"""So long after the end of a breach every page still says what people were told."""
MOST_CHARACTERS: Final = 1_500


# ------------------------------------------------------------------------------------------------------------- deeds
def note(svc: Services, *, kind: BreachKind, noticed_at: datetime, press_id: str, actor: str) -> Breach:
    """Its clock starts when it was noticed. A second press of the same button is the first one. Raises NotAllowed."""
    now = svc.clock()
    if noticed_at > now:
        raise NotAllowed("This is in the future. When was it noticed?")
    if now - noticed_at > NOTICED_WITHIN:
        raise NotAllowed(f"This is more than {NOTICED_WITHIN.days} days ago. When was it noticed?")
    lay_open = exposure.measure(svc)
    with svc.transaction() as session:
        take_turns(session)
        if before := session.exec(select(Breach).where(Breach.press_id == press_id)).first():
            return before
        breach = Breach(
            number=access.new_number("B"),
            press_id=press_id,
            kind=kind,
            noticed_at=noticed_at,
            noted_at=now,
            noted_by=actor.partition(":")[2],
            due_at=noticed_at + TOLD_WITHIN,
            exposure=as_json(lay_open.as_dict()),
        )
        session.add(breach)
        audit.record(session, audit.Action.BREACH_NOTED, breach.id, at=now, actor=actor, kind=kind.value)
        if svc.notify is not None:
            enqueue(session, JobKind.ALERTS, "-", at=now)
    svc.wake()
    return breach


def authority_told(svc: Services, breach_id: str, *, at: datetime, actor: str) -> None:
    """Noted once; a second time changes nothing. Raises NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        breach = _open(session, breach_id)
        if breach.authority_told_at is not None:
            return
        if not breach.noticed_at <= at <= now:
            raise NotAllowed("This is not between the noticing and now. When was the authority told?")
        breach.authority_told_at = at
        session.add(breach)
        deed, in_time = audit.Action.BREACH_AUTHORITY_TOLD, at <= breach.due_at
        audit.record(session, deed, breach.id, at=now, actor=actor, in_time=in_time)


def tell_people(svc: Services, breach_id: str, texts: Mapping[str, str], *, actor: str) -> None:
    """From now on every page says so, in the reader's language. It cannot be taken back. Raises NotAllowed."""
    said = {language: " ".join(texts.get(language, "").split()) for language in NAMES}
    if not all(said.values()):
        raise NotAllowed("Write it in every language first.")
    if any(FILL_IN in text for text in said.values()):
        raise NotAllowed("Fill in what stands in square brackets first, or take it out.")
    if any(len(text) > MOST_CHARACTERS for text in said.values()):
        raise NotAllowed(f"Make it shorter: at most {MOST_CHARACTERS:,} characters in each language.")
    now = svc.clock()
    with svc.transaction() as session:
        breach = _open(session, breach_id)
        if breach.people_told_at is not None:
            return
        breach.people_told_at, breach.notice = now, as_json(said)
        session.add(breach)
        deed, in_time = audit.Action.BREACH_PEOPLE_TOLD, now <= breach.due_at
        audit.record(session, deed, breach.id, at=now, actor=actor, in_time=in_time)


def close(svc: Services, breach_id: str, *, outcome: BreachOutcome, actor: str) -> None:
    """Raises NotAllowed: nobody was told, and nothing says that nobody needs to be."""
    now = svc.clock()
    with svc.transaction() as session:
        breach = _open(session, breach_id)
        if outcome is BreachOutcome.TOLD and not is_told(breach):
            raise NotAllowed("The authority and people are to be told first, or another outcome chosen.")
        breach.closed_at, breach.outcome = now, outcome
        session.add(breach)
        audit.record(session, audit.Action.BREACH_CLOSED, breach.id, at=now, actor=actor, outcome=outcome.value)


def _open(session: Session, breach_id: str) -> Breach:
    breach = session.get(Breach, breach_id, with_for_update=True)
    if breach is None or breach.closed_at is not None:
        raise NotAllowed("This breach is closed: nothing of it changes any more.")
    return breach


# ----------------------------------------------------------------------------------------------------------- reading
def is_told(breach: Breach) -> bool:
    return breach.authority_told_at is not None and breach.people_told_at is not None


def all_of_them(session: Session) -> Sequence[Breach]:
    """Open ones first, the first to be due before the others; then the newest."""
    query = select(Breach).order_by(col(Breach.closed_at).is_not(None), col(Breach.due_at))
    found = session.exec(query).all()
    still = [breach for breach in found if breach.closed_at is None]
    return [*still, *reversed(found[len(still) :])]


def exposure_of(breach: Breach) -> Exposure:
    """What lay open when it was noted."""
    return Exposure.of_dict(json.loads(breach.exposure))


def notice_of(breach: Breach) -> Mapping[str, str]:
    """What people are told, by language."""
    texts: Mapping[str, str] = json.loads(breach.notice) if breach.notice else {}
    return texts


@dataclass(frozen=True)
class Overdue:
    """How the breaches that are open stand, and those that ended lately."""

    open: int
    untold: int
    """Open, past 72 hours, and the authority or people are not told."""
    too_late: int
    """Told after 72 hours, or found only then to need no telling. It stays so, also after its end."""
    next_due_at: datetime | None
    """Of those that are still in time, and not told."""

    @property
    def late(self) -> int:
        return self.untold + self.too_late


def overdue(session: Session, now: datetime) -> Overdue:
    was_one = sa.or_(col(Breach.outcome).is_(None), col(Breach.outcome) != BreachOutcome.NONE)
    known = session.exec(select(Breach).where(_lately(now), was_one).order_by(col(Breach.due_at))).all()
    still = [breach for breach in known if breach.closed_at is None]
    waiting = [breach.due_at for breach in still if not is_told(breach)]
    settled = [(breach.due_at, _settled_at(breach)) for breach in known]
    return Overdue(
        open=len(still),
        untold=sum(due_at < now for due_at in waiting),
        too_late=sum(at is not None and at > due_at for due_at, at in settled),
        next_due_at=next((due_at for due_at in waiting if due_at >= now), None),
    )


def _settled_at(breach: Breach) -> datetime | None:
    """When the later of both was told; or when it was found that nobody needs to be, if that came first."""
    told = [at for at in (breach.authority_told_at, breach.people_told_at) if at is not None]
    ends = [max(told)] if is_told(breach) else []
    if breach.outcome is BreachOutcome.NO_RISK and breach.closed_at is not None:
        ends.append(breach.closed_at)
    return min(ends, default=None)


def are_shown(session: Session, now: datetime) -> Sequence[Breach]:
    """Those that people are told of on every page, the newest first. What was said to everybody is not just gone, also
    where it turned out to be none."""
    told = select(Breach).where(col(Breach.people_told_at).is_not(None), _lately(now))
    return session.exec(told.order_by(col(Breach.people_told_at).desc())).all()


def _lately(now: datetime) -> sa.ColumnElement[bool]:
    """Open, or closed not long ago."""
    return sa.or_(col(Breach.closed_at).is_(None), col(Breach.closed_at) > now - SHOWN_AFTER)
