"""
The gate: whether anything may be asked of a provider now. One answer for all workers, because it stands in the rows.

* The breaker. A provider that does not answer, again and again, is left alone for a while: for longer each time, and
  until one answer comes.
* Budgets. What was charged, what may have been, and the list price of all that is under way: at the cap the provider
  is closed, for the UTC day or month, to new runs. Nothing is stored of a run that is refused here.
* Limits. So many at once and so many in a minute; who comes too early comes again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core.db import upsert
from core.errors import Busy, NotAllowed, WorkShotError
from core.language import N_, _
from core.models import ProviderHealth, ProviderTask, ProviderTaskState
from core.ports import Provider
from core.provider import spending
from core.settings import Settings

AWAY, BUDGET_DAY, BUDGET_MONTH = "away", "budget_day", "budget_month"

FAILURES: Final = 5  # in a row
CLOSED_FIRST, CLOSED_LATEST = timedelta(minutes=2), timedelta(minutes=30)
WINDOW: Final = timedelta(minutes=1)
A_MOMENT: Final = timedelta(seconds=1)
"""When all places are taken: one of them is free before long, and nobody can say when."""

_AT_WORK = (ProviderTaskState.INTENT, ProviderTaskState.TAKEN)
_NOT_BOOKED = (ProviderTaskState.PLANNED, *_AT_WORK)
_SENTENCES = {
    AWAY: N_("{title} is not answering just now. Please try again in a few minutes, or choose another engine."),
    BUDGET_DAY: N_(
        "{title} is closed until midnight UTC: what may be spent there in a day is used up. "
        "Please choose another engine."
    ),
    BUDGET_MONTH: N_(
        "{title} is closed until the first of the month: what may be spent there is used up. "
        "Please choose another engine."
    ),
}


# -------------------------------------------------------------------------------------------------------- before a run
def is_closed(session: Session, provider: Provider, now: datetime, settings: Settings, *, more: int = 0) -> str | None:
    """Why no new run is taken, as a code; None: it is. `more`: headshots that are asked for."""
    if _closed_for(session, provider, now):
        return AWAY
    return over_budget(session, provider, now, settings, _NOT_BOOKED, more=more)


def says(code: str, title: str) -> str:
    """A code of `is_closed` as a sentence."""
    return _(_SENTENCES[code], title=title)


def require_open(session: Session, provider: Provider, now: datetime, settings: Settings, *, more: int) -> None:
    """Raises Busy, NotAllowed."""
    code = is_closed(session, provider, now, settings, more=more)
    if code is not None:
        raise _refusal(code, says(code, provider.title))


def _refusal(code: str, sentence: str) -> WorkShotError:
    kind = Busy if code == AWAY else NotAllowed
    return kind(_("{sentence} Nothing of yours was stored.", sentence=sentence), code=f"provider_{code}")


def over_budget(
    session: Session,
    provider: Provider,
    now: datetime,
    settings: Settings,
    under_way: tuple[ProviderTaskState, ...] = _AT_WORK,
    *,
    more: int = 0,
) -> str | None:
    """Whether a cap is reached, or would be passed: by what is booked, and by what these states will cost."""
    caps = settings.apimart_daily_budget_usd, settings.apimart_monthly_budget_usd
    if not any(caps):
        return None
    spent = spending.spent(session, provider.name, now)
    coming = _count(session, provider.name, under_way) * provider.price
    for code, cap, booked in zip((BUDGET_DAY, BUDGET_MONTH), caps, (spent.day, spent.month), strict=True):
        sure = booked.at_most + coming
        if cap and (sure >= spending.micro(cap) or sure + more * provider.price > spending.micro(cap)):
            return code
    return None


@dataclass(frozen=True)
class Stand:
    """How a provider stands, for those who look after it."""

    closed: str | None  # a code of `is_closed`, for one headshot more
    until: datetime | None  # it opens then by itself
    failures: int  # in a row, up to now
    failure: str | None  # the last one's code
    under_way: int  # headshots that are not booked yet
    coming: int  # what those will cost, at list price


def stand(session: Session, provider: Provider, now: datetime, settings: Settings) -> Stand:
    health = session.get(ProviderHealth, provider.name)
    closed, under_way = is_closed(session, provider, now, settings, more=1), _count(session, provider.name, _NOT_BOOKED)
    return Stand(
        closed=closed,
        until=_opens(closed, health, now),
        failures=health.failures if health else 0,
        failure=health.failure if health else None,
        under_way=under_way,
        coming=under_way * provider.price,
    )


def _opens(closed: str | None, health: ProviderHealth | None, now: datetime) -> datetime | None:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if closed == BUDGET_DAY:
        return today + timedelta(days=1)
    if closed == BUDGET_MONTH:
        return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return health.closed_until if closed and health else None


# ----------------------------------------------------------------------------------------------------- before a request
def may_send(session: Session, provider: Provider, settings: Settings, now: datetime) -> timedelta | None:
    """None: one more request may be sent now. Else, how long to wait before asking this again.

    Whoever sends asks while it alone may (`take_turns`), and counts itself in the same transaction.
    """
    if closed_for := _closed_for(session, provider, now):
        return closed_for
    if _count(session, provider.name, _AT_WORK) >= settings.apimart_at_once:
        return A_MOMENT
    sent = select(ProviderTask.sent_at).where(ProviderTask.provider == provider.name)
    lately = sent.where(col(ProviderTask.sent_at) > now - WINDOW).order_by(col(ProviderTask.sent_at).desc())
    first = session.exec(lately.offset(settings.apimart_per_minute - 1).limit(1)).first()
    return None if first is None else max(first + WINDOW - now, A_MOMENT)


def _count(session: Session, provider: str, states: tuple[ProviderTaskState, ...]) -> int:
    open_ones = col(ProviderTask.ended_at).is_(None), col(ProviderTask.state).in_(states)
    return session.exec(
        select(func.count()).select_from(ProviderTask).where(ProviderTask.provider == provider, *open_ones)
    ).one()


def _closed_for(session: Session, provider: Provider, now: datetime) -> timedelta | None:
    health = session.get(ProviderHealth, provider.name)
    until = health.closed_until if health else None
    return until - now if until is not None and until > now else None


# ------------------------------------------------------------------------------------------------------------- after it
def note_success(session: Session, provider: str, now: datetime) -> None:
    """It has answered: whatever was before is over."""
    bad = sa.or_(col(ProviderHealth.failures) > 0, col(ProviderHealth.closed_until).is_not(None))
    if session.exec(select(ProviderHealth.provider).where(ProviderHealth.provider == provider, bad)).first():
        well = {"failures": 0, "failure": None, "closed_until": None}
        session.execute(sa.update(ProviderHealth).where(col(ProviderHealth.provider) == provider).values(**well))


def note_failure(session: Session, provider: str, now: datetime, code: str) -> None:
    """It has not. While it is left alone, what was still on its way counts no more."""
    row = upsert(session.get_bind().dialect.name, ProviderHealth).values(provider=provider, failures=0)
    session.execute(row.on_conflict_do_nothing(index_elements=["provider"]))
    health = session.get_one(ProviderHealth, provider, with_for_update=True, populate_existing=True)
    if health.closed_until is not None and health.closed_until > now:
        return
    health.failures, health.failure = health.failures + 1, code[:40]
    if health.failures >= FAILURES:
        times = min(health.failures - FAILURES, 10)
        health.closed_until = now + min(CLOSED_FIRST * 2**times, CLOSED_LATEST)
    session.add(health)
