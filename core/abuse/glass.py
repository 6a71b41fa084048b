"""
The glass before a reported image, and how it is broken: one asks, another one allows, and one looks.

* Two operators: who asked may not allow it. The database refuses that, too. Nor may who signed in after it was asked.
* For ten minutes from the decision, only by who asked, only while the report is open and the image readable.
* Never against its owner: where the setting is off, or the person forbids it, also while it may be looked at.
* Seen small and with who looks and when drawn over it; never the file itself, and nothing of it is stored.
* Every question, decision and look is in the audit log, and the owner reads of it on My photos.

Whatever stands in the way of a look is answered alike: there is nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from core import access, audit, copies, made_up, operators
from core.abuse import drawing, finding
from core.abuse.terms import LOOK_FOR
from core.db import take_turns
from core.errors import NotAllowed, NotFound
from core.language import _
from core.models import AbuseReport, Copy, GlassView, Subject
from core.operators import Operator
from core.services import Services

TOLD_EVERY: Final = timedelta(minutes=1)
"""Of looks at one image within a minute, the log has one."""
NOT_HERE: Final = "Looking at reported images is off here: LOOK_AT_REPORTED."
FORBIDDEN: Final = "Its owner forbids it, or agreed when nobody could look."
OVER: Final = "This image is erased, or cannot be read."
TOO_LATE: Final = "You signed in after this was asked. Say no and have it asked again: then you can allow it."
_NOTHING: Final = "There is no such image."


# ------------------------------------------------------------------------------------------------------------ operators
def in_the_way(svc: Services, subject: Subject | None, copy: Copy | None, now: datetime) -> str:
    """Why nobody may look at this image now; empty where two operators may."""
    if not svc.settings.look_at_reported:
        return NOT_HERE
    if subject is None or subject.is_canary or made_up.is_one(subject.id) or not subject.may_be_looked_at:
        return FORBIDDEN
    if copy is None or copy.subject_id != subject.id or copy.kind not in finding.IMAGES or not copy.may_be_read(now):
        return OVER
    return ""


def ask_to_look(svc: Services, operator: Operator, report_id: str, copy_id: str | None = None) -> GlassView:
    """One operator asks; nothing is shown to anybody yet. Asked twice is asked once. Raises NotFound, NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        report = finding.open_report(session, report_id)
        copy = _reported(session, report, copy_id, now)
        subject = session.get(Subject, copy.subject_id) if copy else None
        if why := in_the_way(svc, subject, copy, now):
            raise NotAllowed(why)
        assert copy is not None
        mine = select(GlassView).where(GlassView.report_id == report.id, GlassView.copy_id == copy.id)
        for view in session.exec(mine.where(GlassView.asked_by == operator.id)):
            if view.decided_at is None or is_open(view, now):
                return view
        view = GlassView(
            report_id=report.id,
            subject_id=copy.subject_id,
            copy_id=copy.id,
            reason=report.kind,
            asked_by=operator.id,
            asked_at=now,
        )
        session.add(view)
        asked = audit.Action.GLASS_ASKED
        audit.record(session, asked, view.id, at=now, actor=operator.actor, kind=report.kind.value, report=report.id)
    return view


def decide(svc: Services, operator: Operator, view_id: str, *, allow: bool) -> GlassView:
    """Another operator allows it, from now on for ten minutes, or not. Raises NotFound, NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        view = session.get(GlassView, view_id, with_for_update=True)
        if view is None:
            raise NotFound("There is no such question.")
        finding.open_report(session, view.report_id)
        if view.asked_by == operator.id:
            raise NotAllowed("You asked: another operator has to decide.")
        if view.decided_at is not None:
            raise NotAllowed("This is decided already.")
        if allow and not _was_there(session, operator, view):
            raise NotAllowed(TOO_LATE)
        if allow and (why := in_the_way(svc, *_whose(session, view), now)):
            raise NotAllowed(why)
        view.decided_by, view.decided_at = operator.id, now
        view.until = now + LOOK_FOR if allow else None
        session.add(view)
        deed = audit.Action.GLASS_ALLOWED if allow else audit.Action.GLASS_REFUSED
        audit.record(session, deed, view.id, at=now, actor=operator.actor, kind=view.reason.value)
    return view


def _was_there(session: Session, operator: Operator, view: GlassView) -> bool:
    """Whoever asks makes no second operator of themselves just to allow it: a link that was opened later counts not."""
    since = operators.known_since(session, operator)
    return since is not None and since <= view.asked_at


def look(svc: Services, operator: Operator, view_id: str) -> bytes:
    """The image for who asked, small and marked. Raises NotFound for everything else, alike; StorageUnavailable.

    What has to hold is looked at twice, and the second time when it is drawn already: whoever forbids it meanwhile is
    heard.
    """
    with svc.reading() as session:
        view = _may_look(svc, session, operator, session.get(GlassView, view_id))
    says = f"{view.id[:8]} · operator {operator.id} · {svc.clock():%Y-%m-%d %H:%M:%S} UTC"
    picture = drawing.small_and_marked(copies.read(svc, view.copy_id), says)
    with svc.transaction() as session:
        view = _may_look(svc, session, operator, session.get(GlassView, view_id, with_for_update=True))
        _note_seen(session, operator, view, svc.clock())
    return picture


def shows(svc: Services, operator: Operator, view_id: str) -> bool:
    """Whether `look` would show it now. No look, and not noted as one."""
    with svc.reading() as session:
        try:
            _may_look(svc, session, operator, session.get(GlassView, view_id))
        except NotFound:
            return False
    return True


def stands_in_the_way(svc: Services, copy: Copy) -> str:
    """`in_the_way` of an image in hand."""
    with svc.reading() as session:
        return in_the_way(svc, session.get(Subject, copy.subject_id), copy, svc.clock())


def is_open(view: GlassView, now: datetime) -> bool:
    return view.until is not None and now < view.until


def _may_look(svc: Services, session: Session, operator: Operator, view: GlassView | None) -> GlassView:
    now = svc.clock()
    if view is None or view.asked_by != operator.id or not is_open(view, now):
        raise NotFound(_NOTHING)
    report = session.get(AbuseReport, view.report_id)
    if report is None or report.closed_at is not None or in_the_way(svc, *_whose(session, view), now):
        raise NotFound(_NOTHING)
    return view


def _note_seen(session: Session, operator: Operator, view: GlassView, now: datetime) -> None:
    if view.last_seen_at is not None and now - view.last_seen_at < TOLD_EVERY:
        return
    view.first_seen_at, view.last_seen_at = view.first_seen_at or now, now
    session.add(view)
    seen = audit.Action.GLASS_SEEN
    audit.record(session, seen, view.id, at=now, actor=operator.actor, kind=view.reason.value)


def _reported(session: Session, report: AbuseReport, copy_id: str | None, now: datetime) -> Copy | None:
    """The image that was chosen of those that a report may be about; else the likeliest that can be read."""
    readable = [copy for person in finding.people(session, report) for copy in person.readable(now)]
    if copy_id is None:
        return readable[0] if readable else None
    return next((copy for copy in readable if copy.id == copy_id), None)


def _whose(session: Session, view: GlassView) -> tuple[Subject | None, Copy | None]:
    return session.get(Subject, view.subject_id), session.get(Copy, view.copy_id)


# ------------------------------------------------------------------------------------------------------------ the owner
@dataclass(frozen=True)
class Looked:
    """A look that was allowed, as the owner of the image is told of it."""

    view: GlassView
    is_upload: bool


def of_subject(session: Session, subject_id: str) -> Sequence[Looked]:
    """Every look at images of this person that was allowed, seen or not, the latest first."""
    allowed = GlassView.subject_id == subject_id, col(GlassView.until).is_not(None)
    query = select(GlassView, Copy).join(Copy, col(Copy.id) == GlassView.copy_id).where(*allowed)
    found = session.exec(query.order_by(col(GlassView.decided_at).desc())).all()
    return [Looked(view, copy.kind.is_upload) for view, copy in found]


def may_choose(svc: Services, subject: Subject) -> bool:
    """Whether there is anything to forbid, or to allow."""
    return svc.settings.look_at_reported or subject.may_be_looked_at


def forbid(svc: Services, session_hash: str) -> None:
    """Nobody looks at this person's images from here on, whatever was allowed before. Raises NotFound."""
    _choose(svc, session_hash, may=False)


def permit(svc: Services, session_hash: str) -> None:
    """The person allows it (again). Raises NotFound, and NotAllowed where nobody looks at anything."""
    if not svc.settings.look_at_reported:
        raise NotAllowed(_("Nobody looks at images here: there is nothing to allow."))
    _choose(svc, session_hash, may=True)


def _choose(svc: Services, session_hash: str, *, may: bool) -> None:
    with svc.transaction() as session:
        mine = access.current_subject(session, session_hash)
        if mine is None:
            raise NotFound(_("There are no photos here."))
        subject = session.get_one(Subject, mine.id, with_for_update=True, populate_existing=True)
        if subject.may_be_looked_at == may:
            return
        subject.may_be_looked_at = may
        session.add(subject)
        deed = audit.Action.GLASS_PERMITTED if may else audit.Action.GLASS_FORBIDDEN
        audit.record(session, deed, subject.id, at=svc.clock(), actor=audit.SUBJECT)
