"""What people ask for, and what they agreed to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import made_up
from core.models import LIVE, Consent, Generation, Mailbox, Request, RequestKind
from core.promises.shapes import Result, Says, broken, kept, says, unknown
from core.services import Services
from core.sla import clocks

MONTH: Final = timedelta(days=30)
PROMISED: Final = timedelta(hours=48)
UNREAD: Final = timedelta(hours=1)
"""A mailbox that could not be read for so long may hold requests that nobody knows of."""


def erased_on_request(svc: Services, now: datetime) -> Result:
    """No open request to erase is past its 48 hours, and none has a longer clock."""
    with svc.reading() as session:
        longer = session.exec(
            select(func.count())
            .select_from(Request)
            .where(*_open(RequestKind.ERASE), _longer_than(session, PROMISED + timedelta(minutes=1)))
        ).one()
    return _in_time(svc, now, (RequestKind.ERASE,), longer)


def rights_in_time(svc: Services, now: datetime) -> Result:
    """The same of everything else that may be asked for, each by its own clock."""
    kinds = tuple(kind for kind in RequestKind if kind is not RequestKind.ERASE)
    with svc.reading() as session:
        unknown_clocks = session.exec(
            select(func.count()).select_from(Request).where(*_open(*kinds), col(Request.clock).not_in(list(clocks())))
        ).one()
    return _in_time(svc, now, kinds, unknown_clocks)


def _open(*kinds: RequestKind) -> tuple[sa.ColumnElement[bool], ...]:
    return col(Request.closed_at).is_(None), col(Request.kind).in_(kinds), made_up.is_real(Request.id)


def _longer_than(session: Session, span: timedelta) -> sa.ColumnElement[bool]:
    """Columns hold text on SQLite, and instants on PostgreSQL."""
    if session.get_bind().dialect.name == "postgresql":
        longer: sa.ColumnElement[bool] = col(Request.due_at) - col(Request.received_at) > span
        return longer
    days = sa.func.julianday(Request.due_at) - sa.func.julianday(Request.received_at)
    return days > span / timedelta(days=1)


def _in_time(svc: Services, now: datetime, kinds: Sequence[RequestKind], wrong: int) -> Result:
    with svc.reading() as session:
        late, oldest = session.exec(
            select(func.count(), func.min(Request.due_at))
            .select_from(Request)
            .where(*_open(*kinds), col(Request.done_at).is_(None), col(Request.due_at) < now)
        ).one()
        waiting = session.exec(select(func.count()).select_from(Request).where(*_open(*kinds))).one()
        done, missed = _done(session, kinds, now)
        box = session.get(Mailbox, svc.inbox.name) if svc.inbox else None
    figure = says("{waiting} open, {late} overdue, {met} of {done} in time in 30 days",
                  waiting=waiting, late=late, met=done - missed, done=done)  # fmt: skip
    if late or wrong:
        return broken(
            figure,
            says(
                "{late} requests are past their clock, the longest by {by}, and {wrong} have a clock that was not "
                "promised.",
                late=late,
                by=now - oldest if oldest else timedelta(0),
                wrong=wrong,
            ),
        )
    if svc.settings.imap_host and (trouble := _unread(box, now)):
        return unknown(figure, trouble)
    return kept(
        figure,
        says(
            "Every open request is within its clock, counted from the second it was received. Of {done} that were "
            "done in 30 days {missed} were late.",
            done=done,
            missed=missed,
        ),
    )


def _done(session: Session, kinds: Sequence[RequestKind], now: datetime) -> tuple[int, int]:
    """Of a month: how many, and how many of those too late."""
    row = session.exec(
        select(func.count(), func.count().filter(col(Request.done_at) > col(Request.due_at)))
        .select_from(Request)
        .where(
            col(Request.received_at) > now - 2 * MONTH,
            col(Request.done_at) > now - MONTH,
            col(Request.kind).in_(kinds),
            made_up.is_real(Request.id),
        )
    ).one()
    done, missed = row
    return done, missed


def _unread(box: Mailbox | None, now: datetime) -> Says | None:
    """Whether requests may lie in the mailbox that nobody knows of."""
    if box is None:
        return says("The mailbox for requests has not been read yet.")
    if now - box.looked_at > UNREAD:
        return says(
            "The mailbox for requests could not be read for {ago}: there may be some that nobody knows of.",
            ago=now - box.looked_at,
        )
    return None


# ------------------------------------------------------------------------------------------------------- consent
def adults_only(svc: Services, now: datetime) -> Result:
    """Every consent says both, and no run is under way without one."""
    with svc.reading() as session:
        missing = sa.or_(~col(Consent.is_adult), ~col(Consent.may_use_photo))
        bad = session.exec(
            select(func.count()).select_from(Consent).where(missing, made_up.is_real(Consent.subject_id))
        ).one()
        agreed = sa.exists().where(col(Consent.subject_id) == col(Generation.subject_id))
        without = session.exec(
            select(func.count())
            .select_from(Generation)
            .where(col(Generation.state).in_(LIVE), ~agreed, made_up.is_real(Generation.id))
        ).one()
    figure = says("{bad} without consent", bad=bad + without)
    if bad or without:
        return broken(
            figure,
            says(
                "{bad} consents lack that their owner is 18 and may use the photo, and {without} runs have none.",
                bad=bad,
                without=without,
            ),
        )
    return kept(
        figure,
        says(
            "Every consent that is kept says both: 18 and over, and allowed to use the photo. No run is under way "
            "without one."
        ),
    )
