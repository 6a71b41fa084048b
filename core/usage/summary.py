"""
The summary: on Mondays, a mail to founders with what the usage page says.

Made of the same report as the page, so its numbers are the same and hide the same. It is of the month of the Sunday
before, as far as that has come: whole months are the smallest thing that is published. Wanted once for each week, in
one transaction with its mails, whichever of several workers is first; from there on they are mails like all of ours.
A server that was away on Monday makes up for it until Wednesday; later, the next one says as much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import correspondence
from core.db import upsert
from core.models import UsageSent
from core.provider import spending
from core.services import Services
from core.settings import listed
from core.usage import anomalies, reports
from core.usage.anomalies import Anomaly
from core.usage.periods import Period
from core.usage.publishing import Shown, add
from core.usage.reports import Cell, Kpi, Report
from core.usage.words import LATE, percent

WHAT: Final = "summary"
MORNING: Final = timedelta(hours=5)
"""UTC, on a Monday: before anybody's day begins in Europe, and in nobody's night mail in America."""
UNTIL: Final = timedelta(days=3)
DEMO: Final = "These numbers are made up: there is a demo. `python -m core demo --remove` takes it away."
HIDDEN: Final = (
    'A number from 1 to {last} is told as "<{k}", and one that would give such a number away as "–", here as on the '
    "page. Who opted out is not counted at all."
)


@dataclass(frozen=True)
class Words:
    """A mail without its receiver."""

    subject: str
    text: str


def send_due(svc: Services) -> None:
    """For the schedule: queue this week's summary, if it is time and nobody has."""
    now = svc.clock().astimezone(UTC)
    monday = now.date() - timedelta(days=now.weekday())
    since = now - datetime.combine(monday, time(0), UTC)
    founders = list(dict.fromkeys(listed(svc.settings.summary_to)))
    if not founders or not MORNING <= since < UNTIL or last_sent(svc) == monday:
        return
    words = write(svc, monday, now)
    row = upsert(svc.database.dialect.name, UsageSent).values(what=WHAT, day=monday, at=now)
    with svc.transaction() as session:
        if session.execute(row.on_conflict_do_nothing().returning(UsageSent.day)).first() is not None:
            _queue(svc, session, founders, words, monday, now)


def _queue(svc: Services, session: Session, to: Sequence[str], words: Words, monday: date, now: datetime) -> None:
    """One mail for each: nobody sees who else gets it."""
    for number, founder in enumerate(to, 1):
        once = f"{WHAT}:{monday.isoformat()}:{number}"
        correspondence.queue(
            session, svc, to=founder, purpose=WHAT, once=once, subject=words.subject, text=words.text, now=now
        )


def last_sent(svc: Services) -> date | None:
    """The Monday of the last one. None: there was none."""
    with svc.reading() as session:
        return session.exec(select(sa.func.max(UsageSent.day)).where(col(UsageSent.what) == WHAT)).one()


def write(svc: Services, monday: date, now: datetime) -> Words:
    """The words of a week that is over."""
    month = (monday - timedelta(days=1)).replace(day=1)
    told = reports.report(svc, Period(month, month), now=now)
    unusual = anomalies.lately(svc, now=now)
    subject = f"WorkShot: usage of {told.period.label}" + (f", as of {_day(now.date())}" if _goes_on(told) else "")
    site = svc.settings.public_url
    return Words(subject, "\n\n".join(_parts(told, unusual, k=svc.settings.small_count, site=site)) + "\n")


def _parts(told: Report, unusual: Sequence[Anomaly], *, k: int, site: str) -> Iterator[str]:
    begins = f"Usage of {told.period.label}, "
    so_far = f"as of {_day(told.as_of.date())}, {told.as_of:%H:%M} UTC, " if _goes_on(told) else ""
    yield f"{begins}{so_far}compared with {told.before.label}."
    if told.demo:
        yield DEMO
    yield _block("Unusual", [anomaly.says for anomaly in unusual] or ["Nothing."])
    yield _block("Key figures", [_figure(kpi) for kpi in told.kpis])
    yield _block("Requests", list(_requests(told)))
    yield _block("Promises", list(_promises(told)))
    yield _block("Cost", list(_cost(told)))
    yield HIDDEN.format(k=k, last=k - 1)
    yield f"All of it, with charts: {site}/ops_usage" if site else "All of it, with charts: the page Usage of the site."


def _goes_on(told: Report) -> bool:
    return told.period.ends >= told.as_of.date()


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"


def _block(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"- {line}" for line in lines)])


# ------------------------------------------------------------------------------------------------------------- lines
def _figure(kpi: Kpi) -> str:
    change = f" ({kpi.change})" if kpi.change else ""
    return f"{kpi.title}: {_number(kpi.value, kpi.unit)}{change}"


def _requests(told: Report) -> Iterator[str]:
    came, ended = told.tables["tickets"].rows, told.tables["ticket_ends"].rows
    late = [row[2] for row in ended if row[1] == LATE]
    late += [Shown(None, "beneath") for row in ended if row[1] == reports.ALL]  # how many of those were is not told
    yield f"Came in: {_sum([row[2] for row in came])}"
    yield f"Ended: {_sum([row[2] for row in ended])}, of those late: {_sum(late)}"


def _promises(told: Report) -> Iterator[str]:
    """By name only those that were not always kept."""
    rows = told.tables["promises"].rows
    for promise, kept, broken, unknown, _ in rows:
        if broken or unknown:
            checks = sum(n for n in (kept, broken, unknown) if isinstance(n, float))
            name = str(promise).replace("_", " ")
            yield f"{name}: {_number(broken)} broken and {_number(unknown)} unknown, of {checks:,.0f} checks"
    if not rows:
        yield "No checks."
    elif all(not row[2] and not row[3] for row in rows):
        yield "Every check found them kept."


def _cost(told: Report) -> Iterator[str]:
    rows = told.tables["cost_by_month"].rows
    for _, engine, made, cost, each in rows:
        if cost is None or each is None:
            yield f"{anomalies.name_of(str(engine))}: hidden, as its headshots are"
        else:
            made_for = f"for {_number(made)} headshots, {_number(each, 'USD')} each"
            yield f"{anomalies.name_of(str(engine))}: {_number(cost, 'USD')} {made_for}"
    if not rows:
        yield "Nothing was charged."


def _sum(cells: Sequence[Cell]) -> str:
    return add(cell for cell in cells if isinstance(cell, Shown)).text


def _number(value: Cell, unit: str = "") -> str:
    if value is None:
        return "–"
    if isinstance(value, Shown):
        return f"{value.text} %" if unit == "%" and value.n is not None else value.text
    if isinstance(value, str):
        return value
    if unit == "USD":
        return spending.dollars(spending.micro(value))
    if unit == "%":
        return percent(value)
    return anomalies.span(value) if unit == "s" else f"{value:,.0f}"
