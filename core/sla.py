"""
The timer: by when a request is to be done, and how it stands.

Nothing here reads a clock or a row: instants come in, an instant or a word comes out. The lengths are data, in
data/legal_clocks.json, and of two that apply (ours and the law's) the earlier one counts. What they give is stored with
the request when it is received, so that another table, policy or calendar moves no clock that runs already.

* Hours are elapsed hours. Received in the night in which the clocks change, 48 hours are 48 hours all the same.
* A month ends on the day of the same number in the month that follows, or on that month's last day where there is
  none: Regulation (EEC, Euratom) No 1182/71, Article 3(2)(c), which governs time limits in acts of the Union. It would
  let the period end with the last hour of that day, and move it on from a weekend or a holiday (Article 3(4)); we end
  it at the time of day of the receipt, in UTC, and move nothing: never later than the law, the same for everybody.
* Days are 24 hours each. California Civil Code 1798.130(a)(2) has them run from the receipt, proof of identity or not.
* Done at the very instant that it is due is in time; a second later is not.
"""

import json
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from core.errors import BadSettings, NotAllowed
from core.language import N_, _
from core.models import RequestKind

CLOCKS_FILE: Final = Path(__file__).parent.parent / "data" / "legal_clocks.json"
GDPR: Final = "gdpr"
"""What applies where no law is named."""
DUE_SOON: Final = timedelta(hours=12)
BREACHED: Final = "breached"
THRESHOLDS: Final = (("1h", timedelta(hours=1)), ("6h", timedelta(hours=6)), ("24h", timedelta(hours=24)))
"""Time left at which people on duty are told (core/telling.py): the most urgent first."""
_UNITS = ("hours", "days", "months")


class Standing(StrEnum):
    """How a request stands against its clock. Time alone can change it, so it is never stored."""

    ON_TRACK = "on_track"
    DUE_SOON = "due_soon"
    BREACHED = "breached"
    MET = "met"
    MISSED = "missed"

    @property
    def label(self) -> str:
        return _(_LABELS[self][0])

    @property
    def icon(self) -> str:
        return _LABELS[self][1]


_LABELS = {
    Standing.ON_TRACK: (N_("on track"), ":material/schedule:"),
    Standing.DUE_SOON: (N_("due soon"), ":material/hourglass_bottom:"),
    Standing.BREACHED: (N_("breached"), ":material/error:"),
    Standing.MET: (N_("met"), ":material/check_circle:"),
    Standing.MISSED: (N_("missed"), ":material/cancel:"),
}


@dataclass(frozen=True)
class Period:
    """So long: one of these is set."""

    hours: int = 0
    days: int = 0
    months: int = 0

    def after(self, start: datetime) -> datetime:
        if start.tzinfo is None:
            raise ValueError("an instant without a zone")
        start = start.astimezone(UTC)  # before anything is added: local time may skip an hour, or have one twice
        return _months_after(start, self.months) + timedelta(days=self.days, hours=self.hours)


def _months_after(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last_day = monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last_day))


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A line of the table."""

    name: str
    kinds: tuple[RequestKind, ...]
    law: str
    says: str
    source: str
    internal: Period | None  # what we promise
    legal: Period
    extension: Period | None  # from the receipt on; None: never extended


class Clocked(Protocol):
    """What has a clock: a row of a request, or a ticket."""

    @property
    def due_at(self) -> datetime: ...

    @property
    def done_at(self) -> datetime | None: ...


# ---------------------------------------------------------------------------------------------------------- the table
def clock_for(kind: RequestKind, *, law: str | None = None) -> Clock:
    """The clock of such a request. Raises NotAllowed for a law that the table does not know."""
    for clock in clocks().values():
        if kind in clock.kinds and clock.law == (law or GDPR):
            return clock
    raise NotAllowed(_("No clock is known for that law. Choose one from the list."))


def clock_named(name: str) -> Clock | None:
    """The line that set a request's clock. None: the table has lost it since."""
    return clocks().get(name)


def laws() -> tuple[str, ...]:
    """What may be named."""
    return tuple(dict.fromkeys(clock.law for clock in clocks().values()))


@cache
def clocks() -> Mapping[str, Clock]:
    return read(CLOCKS_FILE.read_text())


def read(text: str) -> Mapping[str, Clock]:
    """A table from JSON. Raises BadSettings: a table with a mistake is no table."""
    try:
        found = [_clock(line) for line in json.loads(text)["clocks"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise BadSettings("legal_clocks.json is not a table of clocks.") from exc
    known = {clock.name: clock for clock in found}
    pairs = [(kind, clock.law) for clock in found for kind in clock.kinds]
    if len(known) < len(found) or len(set(pairs)) < len(pairs):
        raise BadSettings("legal_clocks.json gives one kind of request two clocks.")
    if missing := [kind.value for kind in RequestKind if (kind, GDPR) not in pairs]:
        raise BadSettings(f"legal_clocks.json has no clock for {', '.join(missing)}.")
    if any(clock.extension for clock in found if RequestKind.ERASE in clock.kinds):
        raise BadSettings("legal_clocks.json extends the promise to erase, which is never extended.")
    return known


def _clock(line: Mapping[str, Any]) -> Clock:
    legal = _period(line["legal"])
    if legal is None:
        raise ValueError("a clock that the law does not limit")
    return Clock(
        name=line["name"],
        kinds=tuple(RequestKind(kind) for kind in line["kinds"]),
        law=line["law"],
        says=line["says"],
        source=line["source"],
        internal=_period(line["internal"]),
        legal=legal,
        extension=_period(line["extended"]),
    )


def _period(given: Mapping[str, int] | None) -> Period | None:
    if given is None:
        return None
    (unit, length), *more = given.items()
    if more or unit not in _UNITS or type(length) is not int or length < 1:
        raise ValueError("a period is a whole number of hours, days or months")
    return Period(**{unit: length})


# --------------------------------------------------------------------------------------------------------- the timer
def due_at(clock: Clock, received_at: datetime) -> datetime:
    """The earlier of what we promise and what the law gives us."""
    return min(period.after(received_at) for period in (clock.internal, clock.legal) if period)


def extended(clock: Clock, received_at: datetime) -> datetime | None:
    """By when it is due once it has been extended. None: this clock never is."""
    return clock.extension.after(received_at) if clock.extension else None


def standing(of: Clocked, now: datetime) -> Standing:
    """What is done is measured by when that was; everything else by now."""
    if of.done_at is not None:
        return Standing.MET if of.done_at <= of.due_at else Standing.MISSED
    if now > of.due_at:
        return Standing.BREACHED
    return Standing.DUE_SOON if left(of.due_at, now) <= DUE_SOON else Standing.ON_TRACK


def left(due_at: datetime, now: datetime) -> timedelta:
    """Less than nothing where it is overdue."""
    return due_at - now


def says(standing: Standing, due_at: datetime, done_at: datetime | None, now: datetime) -> str:
    """As a person says it: "31 h 4 m left", "overdue by 2 h 14 m", "missed by 9 m 1 s"."""
    match standing:
        case Standing.MET | Standing.MISSED:
            apart = in_words(due_at - (done_at or now))
            if standing is Standing.MET:
                return _("{length} early", length=apart)
            return _("missed by {length}", length=apart)
        case Standing.BREACHED:
            return _("overdue by {length}", length=in_words(now - due_at))
        case Standing.ON_TRACK | Standing.DUE_SOON:
            return _("{length} left", length=in_words(due_at - now))


def in_words(length: timedelta) -> str:
    """In its two largest units, whole seconds and rounded down: "3 d 4 h", "31 h 4 m", "4 m 12 s", "9 s"."""
    seconds = int(abs(length).total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days > 2:
        return _("{days} d {hours} h", days=days, hours=hours % 24)
    if hours:
        return _("{hours} h {minutes} m", hours=hours, minutes=minutes % 60)
    if minutes:
        return _("{minutes} m {seconds} s", minutes=minutes, seconds=seconds % 60)
    return _("{seconds} s", seconds=seconds)
