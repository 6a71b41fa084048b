"""What a clock, a date or a count says, as pure functions of the instants they are handed.

The same sentences are spoken by the browser between two runs of a page (assets/behaviour.js), by the same English
sentences and the table `told_to_the_browser` of the reader's own: change both; tests/ui/test_widgets.py holds them to
one another.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.language import ENGLISH, N_, _, month, p_, speaking

SECONDS_BELOW: Final = 5 * 60
"""Under this much time the seconds are counted too."""
OVERDUE_AFTER: Final = 15 * 60
"""A clock that ran out this long ago is not "being erased" any more: it is late, and says so."""
DUE_SOON_BELOW: Final = 12 * 3600
"""Under this much time a request is due soon, as core/sla.py has it."""
DAYS_FROM: Final = 72 * 3600
"""Below, a timer counts in hours: the promise is one of 48 hours."""

YOUR_TIME: Final = N_("(your time)")
UTC_ALONE: Final = "(UTC)"

DAYS, HOURS, MINUTES, SECONDS = N_("{n} d"), N_("{n} h"), N_("{n} min"), N_("{n} s")
EXACT_MINUTES: Final = N_("{n} m")


@dataclass(frozen=True)
class Said:
    """A clock's sentence: what is said first and strongest, the rest, and which state colours it."""

    strong: str
    rest: str
    state: str

    def __str__(self) -> str:
        return f"{self.strong} · {self.rest}"


def told_to_the_browser(language: str) -> dict[str, str]:
    """What the page says by itself, by the English sentence; nothing where that is the reader's language."""
    if language == ENGLISH:
        return {}
    with speaking(language):
        return {english: _(english) for english in (*IN_THE_BROWSER, *BY_STREAMLIT)}


def length(span: timedelta) -> str:
    """`29 d 23 h`, `3 h 2 min`, `42 min`, `4 min 12 s`: two units at most, rounded down, zeros left out."""
    seconds = max(0, int(span.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return _two((days, DAYS), (hours, HOURS))
    if hours:
        return _two((hours, HOURS), (minutes, MINUTES))
    if seconds >= SECONDS_BELOW:
        return _(MINUTES, n=minutes)
    return _two((minutes, MINUTES), (seconds % 60, SECONDS)) if minutes else _(SECONDS, n=seconds)


def ago(span: timedelta) -> str:
    """`just now`, `3 min ago`, `2 h 5 min ago`: in whole minutes."""
    minutes = max(0, int(span.total_seconds()) // 60)
    return _("{length} ago", length=length(timedelta(minutes=minutes))) if minutes else _("just now")


def instant(at: datetime, *, now: datetime, zone: ZoneInfo) -> str:
    """`12 Dec, 14:02` in the reader's zone; the year only where it is another one."""
    return _("{date}, {time}", date=date(at, now=now, zone=zone), time=f"{at.astimezone(zone):%H:%M}")


def date(at: datetime, *, now: datetime, zone: ZoneInfo) -> str:
    """`12 Dec`, `11 Jan 2027`."""
    there = at.astimezone(zone)
    if there.year == now.astimezone(zone).year:
        return _("{day} {month}", day=there.day, month=month(there))
    return _("{day} {month} {year}", day=there.day, month=month(there), year=there.year)


def near(at: datetime, *, now: datetime, zone: ZoneInfo) -> str:
    """`today 14:02`, `tomorrow 09:00`, else the day alone: as exact as a glance needs."""
    there, here = at.astimezone(zone), now.astimezone(zone)
    days, time = (there.date() - here.date()).days, f"{there:%H:%M}"
    if days == 0:
        return _("today {time}", time=time)
    if days == 1:
        return _("tomorrow {time}", time=time)
    return date(at, now=now, zone=zone)


def time_of_day(at: datetime, *, zone: ZoneInfo) -> str:
    """`14:02`, `14:02 Uhr`."""
    return p_("time of day", "{time}", time=f"{at.astimezone(zone):%H:%M}")


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
        when = f"{instant(erased_at or gone_at, now=now, zone=zone)}{note}"
        return Said(_("Erased {when}", when=when), _("proved"), "kept")
    if erased_at is not None:
        when = f"{instant(erased_at, now=now, zone=zone)}{note}"
        return Said(_("Erased {when}", when=when), _("not proved yet"), "unknown")
    left, when = erase_at - now, f"{instant(erase_at, now=now, zone=zone)}{note}"
    if left > timedelta(0):
        return Said(_("{length} left", length=length(left)), _("erased {when}", when=when), "counting")
    if -left < timedelta(seconds=OVERDUE_AFTER):
        return Said(_("Being erased"), _("due {when}", when=when), "due")
    return Said(_("{length} overdue", length=length(-left)), _("due {when}", when=when), "broken")


def deadline_clock(due_at: datetime, *, now: datetime, zone: ZoneInfo, zone_note: str = "") -> Said:
    """How long somebody has: `3 h 2 min left · due today …`, or how late it is."""
    note = f" {zone_note}" if zone_note else ""
    when, left = _("due {when}", when=f"{instant(due_at, now=now, zone=zone)}{note}"), due_at - now
    if left > timedelta(0):
        return Said(_("{length} left", length=length(left)), when, "counting")
    return Said(_("{length} overdue", length=length(-left)), when, "broken")


def exactly(span: timedelta) -> str:
    """`29 d 23 h 04 m 12 s`, `31 h 04 m 12 s`, `4 m 09 s`, `9 s`: to the second, so that a list of them lines up."""
    seconds = max(0, int(span.total_seconds()))
    long = seconds >= DAYS_FROM
    parts = [(seconds // 86400, DAYS)] if long else []
    parts += [
        (seconds // 3600 % 24 if long else seconds // 3600, HOURS),
        (seconds // 60 % 60, EXACT_MINUTES),
        (seconds % 60, SECONDS),
    ]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    (first, unit), *others = parts
    return " ".join([_(unit, n=first), *(_(unit, n=f"{number:02}") for number, unit in others)])


def timer(
    due_at: datetime, *, now: datetime, zone: ZoneInfo, done_at: datetime | None = None, zone_note: str = ""
) -> Said:
    """How a request stands against its clock. Without a note about the zone it does not say when it is due."""
    if done_at is not None:
        at = [_("done {when}", when=both_times(done_at, now=now, zone=zone, zone_note=zone_note))] if zone_note else []
        if done_at <= due_at:
            return Said(_("{length} to spare", length=exactly(due_at - done_at)), _beside(_("met"), *at), "kept")
        return Said(_("{length} late", length=exactly(done_at - due_at)), _beside(_("missed"), *at), "broken")
    at = [_("due {when}", when=both_times(due_at, now=now, zone=zone, zone_note=zone_note))] if zone_note else []
    left = due_at - now
    if left < timedelta(0):
        return Said(_("overdue by {length}", length=exactly(-left)), _beside(_("breached"), *at), "broken")
    if left <= timedelta(seconds=DUE_SOON_BELOW):
        return Said(_("{length} left", length=exactly(left)), _beside(_("due soon"), *at), "due")
    return Said(_("{length} left", length=exactly(left)), _beside(_("on track"), *at), "counting")


def both_times(at: datetime, *, now: datetime, zone: ZoneInfo, zone_note: str) -> str:
    """`23 Nov, 08:30 (your time), 07:30 UTC`, with another day where UTC has one."""
    utc = ZoneInfo("UTC")
    here, day_there, there = instant(at, now=now, zone=zone), date(at, now=now, zone=utc), at.astimezone(utc)
    if zone_note == UTC_ALONE or day_there != date(at, now=now, zone=zone):
        in_utc = _("{date}, {time} UTC", date=day_there, time=f"{there:%H:%M}")
    else:
        in_utc = _("{time} UTC", time=f"{there:%H:%M}")
    return in_utc if zone_note == UTC_ALONE else ", ".join([f"{here} {zone_note}".rstrip(), in_utc])


def undo_clock(begins_at: datetime, *, now: datetime, zone: ZoneInfo, zone_note: str = "") -> Said:
    """How long something can still be taken back. No time of day: it is a matter of minutes."""
    if begins_at > now:
        strong = _("{length} left to take it back", length=length(begins_at - now))
        return Said(strong, _("nothing is erased yet"), "due")
    return Said(_("Beginning"), _("it takes a moment"), "due")


def groups_of_four(code: str) -> str:
    """`7Q4K-M2XW-…`: how a claim code is shown, read aloud and copied."""
    plain = "".join(character for character in code if character.isalnum())
    return "-".join(plain[start : start + 4] for start in range(0, len(plain), 4))


def _two(first: tuple[int, str], second: tuple[int, str]) -> str:
    return " ".join(_(unit, n=number) for number, unit in (first, second) if number or unit == first[1])


def _beside(*parts: str) -> str:
    return " · ".join(parts)


IN_THE_BROWSER: Final = (
    YOUR_TIME,
    DAYS,
    HOURS,
    MINUTES,
    SECONDS,
    EXACT_MINUTES,
    "{length} ago",
    "just now",
    "{date}, {time}",
    "{day} {month}",
    "{day} {month} {year}",
    "{date}, {time} UTC",
    "{time} UTC",
    "{length} left",
    "erased {when}",
    "Being erased",
    "due {when}",
    "{length} overdue",
    "overdue by {length}",
    "breached",
    "due soon",
    "on track",
    "{length} left to take it back",
    "nothing is erased yet",
    "Beginning",
    "it takes a moment",
    N_("Menu"),
    N_("{before} % before, {after} % after"),
    N_("Copied"),
    N_("Code copied."),
    N_("Selected: press Ctrl+C"),
    N_("The code is selected. Press Control and C."),
    N_("Saved"),
    N_("Code saved as a file."),
    N_("The chart is saved as a picture."),
)
"""What behaviour.js says, word by word."""

BY_STREAMLIT: Final = (
    N_("Upload"),
    N_("file upload"),
    N_("Link to heading"),
    N_("{size} per file"),
    N_("Drag and drop a file here"),
    N_("Add files"),
    N_("Remove {name}"),
    N_("Cancel upload of {name}"),
    N_("File must be {size} or smaller."),
    N_("{type} files are not allowed."),
    N_("Take Photo"),
    N_("Clear photo"),
    N_("Switch camera"),
    N_("Uploading..."),
    N_("This app would like to use your camera."),
    N_("Learn how to allow access."),
    N_("Close"),
    N_("Sidebar"),
    N_("App pages"),
    N_("Collapse sidebar"),
    N_("Skip to main content"),
    N_("Page not found"),
    N_("The page that you have requested does not seem to exist. Running the app's main page."),
    N_(
        "You have requested page /{name}, but no corresponding file was found in the app's pages/ directory. "
        "Running the app's main page."
    ),
    N_("Connection error"),
    N_("Connection timed out."),
    N_("Streamlit server is not responding. Are you connected to the internet?"),
)
"""What 1.67.0 says by itself on pages for everyone, with no word of ours for it: behaviour.js says it again."""
