"""What a clock, a date or a count says, as pure functions of the instants they are handed.

The same sentences are spoken by the browser between two runs of a page (assets/behaviour.js): change both;
tests/ui/test_widgets.py holds them to one another.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SECONDS_BELOW: Final = 5 * 60
"""Under this much time the seconds are counted too."""
OVERDUE_AFTER: Final = 15 * 60
"""A clock that ran out this long ago is not "being erased" any more: it is late, and says so."""
DUE_SOON_BELOW: Final = 12 * 3600
"""Under this much time a request is due soon, as core/sla.py has it."""
DAYS_FROM: Final = 72 * 3600
"""Below, a timer counts in hours: the promise is one of 48 hours."""


@dataclass(frozen=True)
class Said:
    """A clock's sentence: what is said first and strongest, the rest, and which state colours it."""

    strong: str
    rest: str
    state: str

    def __str__(self) -> str:
        return f"{self.strong} · {self.rest}"


def length(span: timedelta) -> str:
    """`29 d 23 h`, `3 h 2 min`, `42 min`, `4 min 12 s`: two units at most, rounded down, zeros left out."""
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return _two((days, "d"), (hours, "h"))
    if hours:
        return _two((hours, "h"), (minutes, "min"))
    if seconds >= SECONDS_BELOW:
        return f"{minutes} min"
    return _two((minutes, "min"), (seconds % 60, "s")) if minutes else f"{seconds} s"


def ago(span: timedelta) -> str:
    """`just now`, `3 min ago`, `2 h 5 min ago`: in whole minutes."""
    minutes = max(0, int(span.total_seconds()) // 60)
    return f"{length(timedelta(minutes=minutes))} ago" if minutes else "just now"


def instant(at: datetime, *, now: datetime, zone: ZoneInfo) -> str:
    """`12 Dec, 14:02` in the reader's zone; the year only where it is another one."""
    there, here = at.astimezone(zone), now.astimezone(zone)
    year = "" if there.year == here.year else f" {there.year}"
    return f"{there.day} {MONTHS[there.month - 1]}{year}, {there:%H:%M}"


def near(at: datetime, *, now: datetime, zone: ZoneInfo) -> str:
    """`today 14:02`, `tomorrow 09:00`, else the day alone: as exact as a glance needs."""
    there, here = at.astimezone(zone), now.astimezone(zone)
    days = (there.date() - here.date()).days
    if days in (0, 1):
        return f"{'today' if days == 0 else 'tomorrow'} {there:%H:%M}"
    return instant(at, now=now, zone=zone).partition(",")[0]


def erase_clock(
    erase_at: datetime,
    *,
    now: datetime,
    zone: ZoneInfo,
    erased_at: datetime | None = None,
    gone_at: datetime | None = None,
    zone_note: str = "",
) -> Said:
    """Where bytes stand: counting down, being erased, late, erased but not proved, or proved gone."""
    note = f" {zone_note}" if zone_note else ""
    if gone_at is not None:
        return Said(f"Erased {instant(erased_at or gone_at, now=now, zone=zone)}{note}", "proved", "kept")
    if erased_at is not None:
        return Said(f"Erased {instant(erased_at, now=now, zone=zone)}{note}", "not proved yet", "unknown")
    left, when = erase_at - now, f"{instant(erase_at, now=now, zone=zone)}{note}"
    if left > timedelta(0):
        return Said(f"{length(left)} left", f"erased {when}", "counting")
    if -left < timedelta(seconds=OVERDUE_AFTER):
        return Said("Being erased", f"due {when}", "due")
    return Said(f"{length(-left)} overdue", f"due {when}", "broken")


def deadline_clock(due_at: datetime, *, now: datetime, zone: ZoneInfo, zone_note: str = "") -> Said:
    """How long somebody has: `3 h 2 min left · due today …`, or how late it is."""
    note = f" {zone_note}" if zone_note else ""
    when, left = f"due {instant(due_at, now=now, zone=zone)}{note}", due_at - now
    if left > timedelta(0):
        return Said(f"{length(left)} left", when, "counting")
    return Said(f"{length(-left)} overdue", when, "broken")


def exactly(span: timedelta) -> str:
    """`29 d 23 h 04 m 12 s`, `31 h 04 m 12 s`, `4 m 09 s`, `9 s`: to the second, so that a list of them lines up."""
    seconds = max(0, int(span.total_seconds()))
    long = seconds >= DAYS_FROM
    parts = [(seconds // 86400, "d")] if long else []
    parts += [(seconds // 3600 % 24 if long else seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    (first, unit), *others = parts
    return " ".join([f"{first} {unit}", *(f"{number:02} {unit}" for number, unit in others)])


def timer(
    due_at: datetime, *, now: datetime, zone: ZoneInfo, done_at: datetime | None = None, zone_note: str = ""
) -> Said:
    """How a request stands against its clock. Without a note about the zone it does not say when it is due."""
    if done_at is not None:
        when = both_times("done", done_at, now=now, zone=zone, zone_note=zone_note)
        if done_at <= due_at:
            return Said(f"{exactly(due_at - done_at)} to spare", f"met{when}", "kept")
        return Said(f"{exactly(done_at - due_at)} late", f"missed{when}", "broken")
    when, left = both_times("due", due_at, now=now, zone=zone, zone_note=zone_note), due_at - now
    if left < timedelta(0):
        return Said(f"overdue by {exactly(-left)}", f"breached{when}", "broken")
    if left <= timedelta(seconds=DUE_SOON_BELOW):
        return Said(f"{exactly(left)} left", f"due soon{when}", "due")
    return Said(f"{exactly(left)} left", f"on track{when}", "counting")


def both_times(verb: str, at: datetime, *, now: datetime, zone: ZoneInfo, zone_note: str) -> str:
    """` · due 23 Nov, 08:30 (your time), 07:30 UTC`, with another day where UTC has one; nothing without a note."""
    if not zone_note:
        return ""
    here, utc = instant(at, now=now, zone=zone), instant(at, now=now, zone=ZoneInfo("UTC"))
    if zone_note == "(UTC)":
        return f" · {verb} {utc} UTC"
    same_day = here.partition(",")[0] == utc.partition(",")[0]
    return f" · {verb} {here} {zone_note}, {utc.partition(', ')[2] if same_day else utc} UTC"


def undo_clock(begins_at: datetime, *, now: datetime, zone: ZoneInfo, zone_note: str = "") -> Said:
    """How long something can still be taken back. No time of day: it is a matter of minutes."""
    if begins_at > now:
        return Said(f"{length(begins_at - now)} left to take it back", "nothing is erased yet", "due")
    return Said("Beginning", "it takes a moment", "due")


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 photo`, `3 photos`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def groups_of_four(code: str) -> str:
    """`7Q4K-M2XW-…`: how a claim code is shown, read aloud and copied."""
    plain = "".join(character for character in code if character.isalnum())
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def _two(first: tuple[int, str], second: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in (first, second) if number or unit == first[1])
