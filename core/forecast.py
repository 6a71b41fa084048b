"""
The forecast of the desk: which open request breaches when, unless somebody starts by when; and the error budget.

Pure sums over rows, and two ways in which a request can become late:

* By itself. What is left to do took four of five such requests so long; whoever starts later than that before the due
  time is more likely late than not. What is left depends on how far a request is: to be matched and done, or only done.
  "Such" is the same kind by the same channel; where too few of those were closed, the same kind by any.
* In the queue. A person does one after the other, those first that are due first. On the busiest of the last days so
  many were done by hand; what even at that pace is not reached in time is late in the queue. (The average would not do:
  where little comes, little is done.) What is due later than an erase that came now is overtaken by those to come.

History is the latest requests, at most five hundred: so it costs the same however long the register is, and it follows
when work becomes faster. With too little of it nothing is made up: then only due times are told, and that it is so.

The error budget: of a month's answers, the target leaves room for so many late ones. It counts what was closed in the
month and what is open and late now, as the totals of the desk do.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col

from core import sla
from core.models import Request, RequestChannel, RequestKind, RequestState

TARGET: Final = 0.995
"""Of a month's answers, so many are in time."""
BACK: Final = timedelta(days=28)
ROWS: Final = 500
"""Of history, and of what is open: the latest and the most urgent."""
COUNTED: Final = 5_000
"""Of a month's answers: the latest."""
ENOUGH: Final = 5
"""Requests of a kind from which something can be said about the next one."""
ENOUGH_FOR_A_PACE: Final = 10
SHORTEST_HISTORY: Final = timedelta(days=3)
FOUR_OF_FIVE: Final = 0.8
TOLD_AHEAD: Final = timedelta(hours=12)
"""A request is in the forecast from so long before it has to be started."""
SHOWN: Final = 20
DAY: Final = timedelta(days=1)
FAR_AWAY: Final = 3650

When = Callable[[datetime], str]
NEEDS_A_PERSON: Final = (RequestState.OPEN, RequestState.WAITING)


# ------------------------------------------------------------------------------------------------------------ what is
@dataclass(frozen=True, kw_only=True)
class Open:
    """A request that is not done yet."""

    id: str
    number: str
    kind: RequestKind
    channel: RequestChannel
    state: RequestState
    received_at: datetime
    due_at: datetime
    matched_at: datetime | None = None
    start_at: datetime | None = None
    started_at: datetime | None = None
    trouble: str | None = None

    @property
    def waits_for_a_person(self) -> bool:
        return self.state in NEEDS_A_PERSON or self.trouble is not None


@dataclass(frozen=True, kw_only=True)
class Done:
    """A request that was answered."""

    kind: RequestKind
    channel: RequestChannel
    received_at: datetime
    done_at: datetime
    closed_at: datetime
    matched_at: datetime | None = None
    by_hand: bool = True

    @property
    def whole(self) -> timedelta:
        return self.done_at - self.received_at

    @property
    def after_match(self) -> timedelta | None:
        return self.done_at - max(self.matched_at, self.received_at) if self.matched_at else None


@dataclass(frozen=True, kw_only=True)
class History:
    """The latest requests. `since`: they are all there were from then on."""

    done: Sequence[Done] = ()
    done_since: datetime
    received: Mapping[RequestKind, int] = field(default_factory=dict)
    received_since: datetime


# ----------------------------------------------------------------------------------------------------------- what will
class Risk(StrEnum):
    START = "start"  # late unless somebody starts in time
    LATE_START = "late_start"  # what is left to do has taken longer than what is left of the time
    STUCK = "stuck"  # late unless what keeps it from going on by itself is mended
    SLOW = "slow"  # goes on by itself, and such ones took longer
    ANSWER = "answer"  # waits for its requester, and the clock does not
    QUEUE = "queue"  # late at the pace at which those before it are done
    DUE = "due"  # nothing is known of how long it takes; it is due soon


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What is to be expected of one request."""

    id: str
    number: str
    risk: Risk
    due_at: datetime
    start_by: datetime
    needs: timedelta | None = None
    before_it: int = 0
    reached_at: datetime | None = None

    def says(self, when: When, now: datetime) -> str:
        """ "D-7Q4K2M9 breaches 17:40 unless started by 16:50." `when` says an instant as its reader wants it."""
        late = f"{self.number} breaches {when(self.due_at)}"
        needs = sla.in_words(self.needs) if self.needs is not None else ""
        left = sla.in_words(self.due_at - now)
        match self.risk:
            case Risk.START:
                return f"{late} unless started by {when(self.start_by)}."
            case Risk.LATE_START:
                return f"{late}: what is left to do mostly took up to {needs}, and {left} are left. Start now."
            case Risk.ANSWER:
                return f"{late} unless its requester answers by {when(self.start_by)}."
            case Risk.STUCK:
                return f"{late} unless it goes on by {when(self.start_by)}: see what keeps it."
            case Risk.SLOW:
                return f"{late} if it takes as long as others did ({needs}); {left} are left."
            case Risk.QUEUE:
                before = "1 comes before it" if self.before_it == 1 else f"{self.before_it} come before it"
                then = f"its turn is {when(self.reached_at)}" if self.reached_at else "its turn never comes"
                return f"{late} even at the pace of the busiest day: {before}, and {then}."
            case Risk.DUE:
                return f"{late} unless done before."


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """`outlooks`: the most pressing first."""

    outlooks: tuple[Outlook, ...]
    at_risk: int
    arrivals_a_day: float | None
    pace_a_day: float | None
    busiest_day: int  # done by hand on it
    answered: int  # of how many the durations are known
    breached: int  # late already: not foretold, but first in the queue

    @property
    def is_known(self) -> bool:
        return self.answered >= ENOUGH

    @property
    def says(self) -> str:
        """What stands above the list."""
        if not self.is_known:
            closed = "None has" if self.answered == 0 else f"Only {self.answered} {_has(self.answered)}"
            known = (
                f"{closed} been answered in four weeks: too few to say how long work takes, so only due times count."
            )
        else:
            known = f"From the {self.answered:,} latest answers of four weeks."
        come = f" About {_rate(self.arrivals_a_day)} come in a day." if self.arrivals_a_day is not None else ""
        done = ""
        if self.pace_a_day is not None:
            done = f" {_rate(self.pace_a_day)} a day are done by a person, {self.busiest_day:,} on the busiest."
        return f"{self._at_risk} {known}{come}{done}"

    @property
    def _at_risk(self) -> str:
        if not self.at_risk:
            return "Nothing is about to be late."
        return f"{self.at_risk:,} {'is' if self.at_risk == 1 else 'are'} about to be late."


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _rate(a_day: float) -> str:
    return f"{a_day:.0f}" if a_day >= 10 else f"{a_day:.1f}"


def forecast(open_now: Sequence[Open], history: History, now: datetime) -> Forecast:
    """What these requests come to, if work goes on as it did."""
    durations = Durations.of(history.done)
    arrivals = _a_day(sum(history.received.values()), now - history.received_since)
    by_hand = [one for one in history.done if one.by_hand]
    pace = _a_day(len(by_hand), now - history.done_since)
    busiest = max(Counter(one.closed_at.date() for one in by_hand).values(), default=0)
    line = Line(busiest if pace is not None else 0, _urgent(history, now), now)
    queue = sorted(open_now, key=lambda one: (one.due_at, one.id))
    told, before = list[Outlook](), 0
    for one in queue:
        if one.due_at >= now and (outlook := _outlook(one, durations, before, line)):
            told.append(outlook)
        before += one.waits_for_a_person
    told.sort(key=lambda outlook: (outlook.start_by, outlook.due_at, outlook.id))
    return Forecast(
        outlooks=tuple(told[:SHOWN]),
        at_risk=len(told),
        arrivals_a_day=arrivals,
        pace_a_day=pace,
        busiest_day=busiest,
        answered=len(history.done),
        breached=sum(one.due_at < now for one in queue),
    )


@dataclass(frozen=True)
class Line:
    """How fast those who wait for a person are reached."""

    a_day: int  # 0: nothing can be said
    urgent: float  # still to come in a day, and due before what is due late
    now: datetime

    def reached_at(self, one: Open, before: int) -> datetime | None:
        """When those before it are done. None: never, at this pace."""
        overtaken = one.due_at > sla.due_at(sla.clock_for(RequestKind.ERASE), self.now)
        left = self.a_day - self.urgent if overtaken else self.a_day
        if before == 0 or left <= 0:
            return self.now if before == 0 else None
        return self.now + min(before / left, FAR_AWAY) * DAY


def _outlook(one: Open, durations: "Durations", before: int, line: Line) -> Outlook | None:
    needs = durations.left_of(one)
    start_by = one.due_at - needs if needs is not None else one.due_at
    risk, reached_at = _risk(one, needs, start_by, line.now), None
    if one.waits_for_a_person and line.a_day and risk is not Risk.LATE_START:
        reached_at = line.reached_at(one, before)
        risk = Risk.QUEUE if reached_at is None or reached_at > start_by else risk
    if risk is None:
        return None
    return Outlook(
        id=one.id,
        number=one.number,
        risk=risk,
        due_at=one.due_at,
        start_by=start_by,
        needs=needs,
        before_it=before,
        reached_at=reached_at,
    )


def _risk(one: Open, needs: timedelta | None, start_by: datetime, now: datetime) -> Risk | None:
    if not one.waits_for_a_person:
        begins = max(now, one.start_at or now)
        return Risk.SLOW if needs is not None and begins + needs > one.due_at else None
    if start_by - now > TOLD_AHEAD:
        return None
    if one.trouble:
        return Risk.STUCK
    if needs is None:
        return Risk.DUE
    if start_by <= now:
        return Risk.LATE_START
    return Risk.ANSWER if one.state is RequestState.WAITING else Risk.START


def _urgent(history: History, now: datetime) -> float:
    """Erases that come in a day and need a person: they are due before whatever has a month."""
    erases = history.received.get(RequestKind.ERASE, 0)
    closed = [one for one in history.done if one.kind is RequestKind.ERASE]
    share = sum(one.by_hand for one in closed) / len(closed) if closed else 1.0
    return (_a_day(erases, now - history.received_since) or 0.0) * share


def _a_day(number: int, span: timedelta) -> float | None:
    """None: too few, or too short a time, to speak of a pace."""
    if number < ENOUGH_FOR_A_PACE or span < SHORTEST_HISTORY:
        return None
    return number / (span / DAY)


@dataclass(frozen=True)
class Durations:
    """How long four of five took, by kind and channel, and by kind alone."""

    whole: Mapping[tuple[RequestKind, RequestChannel | None], timedelta] = field(default_factory=dict)
    after_match: Mapping[tuple[RequestKind, RequestChannel | None], timedelta] = field(default_factory=dict)

    @classmethod
    def of(cls, done: Sequence[Done]) -> "Durations":
        return cls(
            _four_of_five([(one, one.whole) for one in done]),
            _four_of_five([(one, one.after_match) for one in done if one.after_match is not None]),
        )

    def left_of(self, one: Open) -> timedelta | None:
        """How long what is left to do takes. None: too little is known."""
        known = self.after_match if one.matched_at else self.whole
        return known.get((one.kind, one.channel), known.get((one.kind, None)))


def _four_of_five(
    took: Sequence[tuple[Done, timedelta | None]],
) -> Mapping[tuple[RequestKind, RequestChannel | None], timedelta]:
    groups: dict[tuple[RequestKind, RequestChannel | None], list[timedelta]] = {}
    for one, length in took:
        if length is not None:
            groups.setdefault((one.kind, one.channel), []).append(length)
            groups.setdefault((one.kind, None), []).append(length)
    return {key: _at(FOUR_OF_FIVE, lengths) for key, lengths in groups.items() if len(lengths) >= ENOUGH}


def _at(share: float, lengths: Sequence[timedelta]) -> timedelta:
    """The shortest length that this share of them did not exceed."""
    ordered = sorted(lengths)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


# -------------------------------------------------------------------------------------------------------- error budget
@dataclass(frozen=True, kw_only=True)
class Budget:
    """Late answers of a month, and how many the target leaves room for."""

    answers: int
    late: int
    target: float = TARGET
    is_more: bool = False  # only the latest were counted

    @property
    def room(self) -> int:
        return int(self.answers * (1 - self.target) + 1e-9)

    @property
    def is_kept(self) -> bool:
        return self.late <= self.room

    @property
    def says(self) -> str:
        """ "1 of 2 late answers this month is spent." """
        share = f"{self.target:.1%}".replace(".0%", "%").replace("%", " %")
        of = f"the latest {self.answers:,}" if self.is_more else f"{self.answers:,}"
        if self.answers == 0:
            return "No request was answered this month yet."
        if self.room == 0 and self.late == 0:
            return f"No answer of {of} this month was late; {share} leaves room for none until there are {self._first}."
        if self.late > self.room:
            over = f"{self.late:,} of {of} answers this month {_is(self.late)} late"
            return f"{over}, {self.late - self.room:,} more than {share} leaves room for."
        spent = "None" if self.late == 0 else f"{self.late:,}"
        return f"{spent} of {self.room:,} late {_answers(self.room)} this month {_is(max(1, self.late))} spent."

    @property
    def _first(self) -> int:
        """From so many answers on there is room for a late one."""
        return round(1 / (1 - self.target))


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _answers(number: int) -> str:
    return "answer" if number == 1 else "answers"


# ------------------------------------------------------------------------------------------------------------- reading
def look(session: Session, now: datetime) -> Forecast:
    """The forecast, from the rows as they are."""
    return forecast(_open(session), _history(session, now), now)


def budget(session: Session, now: datetime, *, target: float = TARGET) -> Budget:
    """This month's (UTC), as far as it is over."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    closed = (
        sa.select(col(Request.done_at), col(Request.due_at))
        .where(col(Request.closed_at) >= start, col(Request.done_at).is_not(None))
        .order_by(col(Request.closed_at).desc())
        .limit(COUNTED + 1)
        .subquery()
    )
    late = sa.func.coalesce(sa.func.sum(sa.case((closed.c.done_at > closed.c.due_at, 1), else_=0)), 0)
    answers, missed = session.execute(sa.select(sa.func.count(), late).select_from(closed)).one()
    overdue = sa.select(sa.literal(1)).where(
        col(Request.closed_at).is_(None), col(Request.done_at).is_(None), col(Request.due_at) < now
    )
    bounded = overdue.limit(COUNTED).subquery()
    breached = session.execute(sa.select(sa.func.count()).select_from(bounded)).scalar_one()
    is_more = answers > COUNTED
    return Budget(answers=min(answers, COUNTED) + breached, late=int(missed) + breached, target=target, is_more=is_more)


def _open(session: Session) -> list[Open]:
    names = tuple(Open.__dataclass_fields__)
    leads = (
        sa.func.coalesce(col(Request.duplicate_of), "") == ""
    )  # as an expression: the index wanted is that of due_at
    query = (
        sa.select(*(getattr(Request, name) for name in names))
        .where(col(Request.closed_at).is_(None), col(Request.done_at).is_(None), leads)
        .order_by(col(Request.due_at))
        .limit(ROWS)
    )
    return [Open(**row._mapping) for row in session.execute(query)]


def _history(session: Session, now: datetime) -> History:
    since = now - BACK
    names = ("kind", "channel", "received_at", "matched_at", "done_at", "closed_at", "assignee")
    closed = (
        sa.select(*(getattr(Request, name) for name in names))
        .where(col(Request.closed_at) >= since, col(Request.done_at).is_not(None))
        .order_by(col(Request.closed_at).desc())
        .limit(ROWS)
    )
    rows = session.execute(closed).all()
    came = (
        sa.select(col(Request.kind), col(Request.received_at))
        .where(col(Request.received_at) >= since)
        .order_by(col(Request.received_at).desc())
        .limit(ROWS)
        .subquery()
    )
    counts = sa.select(came.c.kind, sa.func.count(), sa.func.min(came.c.received_at)).group_by(came.c.kind)
    received = session.execute(counts).all()
    first: datetime | None = session.execute(sa.select(sa.func.min(col(Request.received_at)))).scalar_one()
    begins = max(since, first) if first else now
    came_in_all = sum(number for _, number, _ in received)
    return History(
        done=[_done(row) for row in rows],
        done_since=max(begins, rows[-1].closed_at) if len(rows) == ROWS else begins,
        received={kind: number for kind, number, _ in received},
        received_since=max(begins, min(oldest for *_, oldest in received)) if came_in_all == ROWS else begins,
    )


def _done(row: Any) -> Done:
    """By hand is what somebody has taken on, or has entered."""
    values = {name: value for name, value in row._mapping.items() if name != "assignee"}
    return Done(**values, by_hand=row.assignee is not None or row.channel is RequestChannel.HAND)
