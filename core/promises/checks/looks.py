"""Looks of operators at reported images: allowed by another one, within the minutes, never against its owner."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import made_up
from core.abuse.terms import LOOK_FOR
from core.audit import Action
from core.models import AuditEntry, GlassView, PolicyVersion, Subject
from core.promises.shapes import Says, says
from core.services import Services

LATELY: Final = timedelta(days=300)
"""What a person has forbidden since then is in the audit log still."""
AT_MOST: Final = 1_000
MOMENT: Final = timedelta(seconds=30)
"""Between looking whether it may be seen, and noting that it was."""


@dataclass(frozen=True)
class Looks:
    """How many there were lately, and of those that should not have been."""

    seen: int
    not_allowed: int
    against: int
    while_off: int
    may_be: bool

    @property
    def are_well(self) -> bool:
        return not (self.not_allowed or self.against or self.while_off)

    @property
    def says(self) -> Says:
        if not self.are_well:
            return says(
                "Looks of operators at images: {not_allowed} that no other one had allowed for these 10 minutes, "
                "{against} that the owner had forbidden, {while_off} allowed although nobody may look.",
                not_allowed=self.not_allowed,
                against=self.against,
                while_off=self.while_off,
            )
        if not self.may_be and not self.seen:
            return says("No operator has seen any.")
        return says(
            "Reported images that an operator has seen in 300 days: {seen}, each allowed by another one and within its "
            "10 minutes.",
            seen=self.seen,
        )


def looks(svc: Services, session: Session, now: datetime) -> Looks:
    """As rows and the audit log have them."""
    real = made_up.is_real(GlassView.id)
    lately = select(GlassView).where(real, col(GlassView.last_seen_at) > now - LATELY)
    seen = session.exec(lately.order_by(col(GlassView.asked_at).desc()).limit(AT_MOST)).all()
    may_be = svc.settings.look_at_reported
    return Looks(
        seen=len(seen),
        not_allowed=sum(not _was_allowed(view) for view in seen),
        against=sum(_was_forbidden(session, view) for view in seen),
        while_off=0 if may_be else _allowed_since(session, now, real),
        may_be=may_be,
    )


def _was_allowed(view: GlassView) -> bool:
    """By another one, before the first look, for ten minutes that the last one is within."""
    if view.decided_by in (None, view.asked_by) or view.decided_at is None or view.until is None:
        return False
    if view.first_seen_at is None or view.last_seen_at is None or view.until - view.decided_at > LOOK_FOR:
        return False
    return view.decided_at <= view.first_seen_at <= view.last_seen_at <= view.until + MOMENT


def _was_forbidden(session: Session, view: GlassView) -> bool:
    """By the last word of its owner before it was seen; without any, by what they agreed to, which is what they say."""
    assert view.last_seen_at is not None
    words = Action.GLASS_FORBIDDEN.value, Action.GLASS_PERMITTED.value
    theirs = select(AuditEntry.action, AuditEntry.at).where(
        AuditEntry.ref == view.subject_id, col(AuditEntry.action).in_(words)
    )
    said = session.exec(theirs.order_by(col(AuditEntry.seq))).all()
    before = [action for action, at in said if at < view.last_seen_at - MOMENT]
    if before:
        return before[-1] == words[0]
    if said:
        return said[0][0] == words[1]  # what is allowed for the first time was not allowed before
    may = session.exec(select(Subject.may_be_looked_at).where(Subject.id == view.subject_id)).first()
    return may is False


def _allowed_since(session: Session, now: datetime, real: sa.ColumnElement[bool]) -> int:
    """Since the policy is in force that allows none."""
    came = col(PolicyVersion.effective_at) <= now, col(PolicyVersion.withdrawn_at).is_(None)
    in_force: Any = select(func.max(PolicyVersion.effective_at)).where(*came)
    since = session.exec(in_force).one()
    allowed = select(func.count()).select_from(GlassView).where(real, col(GlassView.until).is_not(None))
    return session.exec(allowed.where(col(GlassView.decided_at) > since)).one() if since else 0
