"""
Measuring: every promise, one after the other, and what is remembered of it.

A check that crashes is a promise that nobody has measured, and so is one that was measured too long ago: both are
*unknown*, never kept. What was broken stays known as broken until it is kept again, also while it cannot be measured in
between; the public is told once it has been so for longer than its grace. Kept are the last measurement of each promise
and, for each day, how often it was what.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core.db import upsert
from core.language import ENGLISH, speaking
from core.logs import outline
from core.models import PromiseCheck, PromiseDay, PromiseState
from core.promises.shapes import Promise, Result, Says, says, unknown
from core.promises.table import PROMISES
from core.services import Services
from core.settings import Settings
from core.usage.counting import count
from core.usage.metrics import Metric

log = logging.getLogger(__name__)

KEPT, BROKEN, UNKNOWN = PromiseState.KEPT, PromiseState.BROKEN, PromiseState.UNKNOWN
STALE_AFTER: Final = 3
"""Rounds: what was measured longer ago than these take is unknown."""
HISTORY: Final = timedelta(days=30)
FIGURE_AT_MOST: Final = 200

Day = tuple[date, int, int, int]
"""A day, and how often it was kept, broken, unknown."""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """How a promise stands now."""

    promise: Promise
    sentence: str  # in English, as figure and evidence are
    said: str  # in the language of whoever asked
    state: PromiseState
    figure: str
    evidence: str
    figure_says: Says
    evidence_says: Says
    checked_at: datetime | None
    since: datetime | None
    public_state: PromiseState  # broken only after its grace; until then unknown
    kept_percent: float | None  # of all measurements in 30 days
    days: tuple[Day, ...]


# ---------------------------------------------------------------------------------------------------------- measuring
def run_checks(svc: Services, now: datetime, promises: Sequence[Promise] = PROMISES) -> Sequence[Stand]:
    """Measure all of them, and remember it."""
    measured = [(promise, *_measure(svc, promise, now)) for promise in promises]
    with svc.transaction() as session:
        for promise, result, took_ms in measured:
            _remember(session, promise, result, took_ms, now)
    return stands(svc, now, promises)


def _measure(svc: Services, promise: Promise, now: datetime) -> tuple[Result, int]:
    started = perf_counter()
    try:
        result = promise.check(svc, now)
        if len(result.figure.as_json()) > FIGURE_AT_MOST:
            raise ValueError("a figure is short")
        _ = result.figure.text, result.evidence.text
    except Exception as exc:  # whatever a check runs into, the others go on
        log.error("The check of %s failed: %s", promise.id, outline(exc))
        result = unknown(says("not measured"), says("The measuring itself failed ({why}).", why=type(exc).__name__))
    return result, round(1000 * (perf_counter() - started))


def _remember(session: Session, promise: Promise, result: Result, took_ms: int, now: datetime) -> None:
    before = session.get(PromiseCheck, promise.id)
    values: dict[str, Any] = {
        "state": result.state,
        "figure": result.figure.as_json(),
        "evidence": result.evidence.as_json(),
        "checked_at": now,
        "took_ms": took_ms,
        "since": before.since if before is not None and before.state is result.state else now,
        "broken_at": _broken_at(before, result.state, now),
    }
    dialect = session.get_bind().dialect.name
    row = upsert(dialect, PromiseCheck).values(promise=promise.id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["promise"], set_=values))
    day = upsert(dialect, PromiseDay).values(
        day=now.astimezone(UTC).date(), promise=promise.id, state=result.state, n=1
    )
    more = {"n": col(PromiseDay.n) + day.excluded.n}
    session.execute(day.on_conflict_do_update(index_elements=["day", "promise", "state"], set_=more))
    count(session, Metric.PROMISE, promise.id, result.state.value, at=now)


def _broken_at(before: PromiseCheck | None, state: PromiseState, now: datetime) -> datetime | None:
    """Since when it is not known to be kept again."""
    if state is KEPT:
        return None
    known = before.broken_at if before is not None else None
    return known or (now if state is BROKEN else None)


# ------------------------------------------------------------------------------------------------------------ reading
def stands(svc: Services, now: datetime, promises: Sequence[Promise] = PROMISES) -> Sequence[Stand]:
    """Every promise as it stands, from what was measured last: nothing is measured here."""
    first = (now - HISTORY).astimezone(UTC).date()
    history: dict[str, dict[date, dict[PromiseState, int]]] = defaultdict(lambda: defaultdict(dict))
    with svc.reading() as session:
        checks = {check.promise: check for check in session.exec(select(PromiseCheck)).all()}
        columns = col(PromiseDay.promise), col(PromiseDay.day), col(PromiseDay.state), col(PromiseDay.n)
        for name, day, state, n in session.execute(sa.select(*columns).where(col(PromiseDay.day) > first)).all():
            history[name][day][state] = n
    fresh = timedelta(seconds=STALE_AFTER * svc.settings.promises_every_seconds)
    return tuple(_stand(svc, promise, checks.get(promise.id), history[promise.id], now, fresh) for promise in promises)


def _stand(
    svc: Services,
    promise: Promise,
    check: PromiseCheck | None,
    history: Mapping[date, Mapping[PromiseState, int]],
    now: datetime,
    fresh: timedelta,
) -> Stand:
    state, since, figure, evidence = _now(check, now, fresh)
    days = tuple((day, n.get(KEPT, 0), n.get(BROKEN, 0), n.get(UNKNOWN, 0)) for day, n in sorted(history.items()))
    measured = sum(sum(day[1:]) for day in days)
    return Stand(
        promise=promise,
        sentence=_in_english(promise, svc.settings),
        said=promise.filled(svc.settings),
        state=state,
        figure=figure.text,
        evidence=evidence.text,
        figure_says=figure,
        evidence_says=evidence,
        checked_at=check.checked_at if check else None,
        since=since,
        public_state=_in_public(promise, state, check.broken_at if check else None, now),
        kept_percent=100 * sum(day[1] for day in days) / measured if measured else None,
        days=days,
    )


def _in_english(promise: Promise, settings: Settings) -> str:
    with speaking(ENGLISH):
        return promise.filled(settings)


def _now(
    check: PromiseCheck | None, now: datetime, fresh: timedelta
) -> tuple[PromiseState, datetime | None, Says, Says]:
    if check is None:
        return UNKNOWN, None, says("not measured yet"), says("Nothing has been measured yet.")
    figure, evidence = Says.of_json(check.figure), Says.of_json(check.evidence)
    if now - check.checked_at <= fresh:
        return check.state, check.since, figure, evidence
    old = says("The last measurement is too old to count; it said:")
    return UNKNOWN, check.checked_at + fresh, says("not measured lately"), old.followed_by(evidence)


def _in_public(promise: Promise, state: PromiseState, broken_at: datetime | None, now: datetime) -> PromiseState:
    """Within the grace nobody is told that it is kept."""
    if state is BROKEN and broken_at is not None and now - broken_at < promise.grace:
        return UNKNOWN
    return state


def headline(stands: Sequence[Stand], now: datetime | None = None) -> tuple[PromiseState, str]:
    """One light, one sentence, as the public sees it."""
    state, said = headline_says(stands, now)
    return state, said.text


def headline_says(stands: Sequence[Stand], now: datetime | None = None) -> tuple[PromiseState, Says]:
    of, bad, dark = len(stands), *(sum(stand.public_state is s for stand in stands) for s in (BROKEN, UNKNOWN))
    if bad:
        several, one = (
            says("{bad} of {of} promises are broken.", bad=bad, of=of),
            says("1 of {of} promises is broken.", of=of),
        )
        state, said = BROKEN, several if bad > 1 else one
    elif dark:
        several = says("{dark} of {of} promises cannot be vouched for just now.", dark=dark, of=of)
        one = says("1 of {of} promises cannot be vouched for just now.", of=of)
        state, said = UNKNOWN, several if dark > 1 else one
    else:
        state, said = KEPT, says("All {of} promises hold.", of=of)
    checked = [stand.checked_at for stand in stands if stand.checked_at is not None]
    if now is None or not checked:
        return state, said
    minutes = int((now - min(checked)).total_seconds() // 60)
    when = says("Checked {minutes} min ago.", minutes=minutes) if minutes else says("Checked within the last minute.")
    return state, said.followed_by(when)


def are_well(stands: Sequence[Stand]) -> bool:
    """Unknown is not well."""
    return all(stand.state is KEPT for stand in stands)
