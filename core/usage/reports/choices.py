"""What do people choose, and when?"""

from collections.abc import Iterator
from typing import Final

from core.usage.reports.rows import simple, table
from core.usage.reports.shape import Row
from core.usage.reports.view import View

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@table(
    "hours",
    "Hours of the week",
    ("weekday", *(f"{hour:02}" for hour in range(24))),
    "Visits by weekday and hour, UTC, added up over the period.",
    "visits",
)
def _hours(view: View) -> Iterator[Row]:
    for number, name in enumerate(_WEEKDAYS):
        path = "weekday", str(number), "hour"
        yield name, *(view.what.total("visits", *path, f"{hour:02}") for hour in range(24))


_styles = simple(
    "styles", "Styles", "runs_begun", "style", ("style", "runs", "%"), "Runs that were begun, by the style chosen."
)
_purposes = simple(
    "purposes", "Purposes", "runs_begun", "purpose", ("purpose", "runs", "%"), "Runs that were begun, by purpose."
)
_devices = simple(
    "devices", "Devices", "visits", "device", ("device", "visits", "%"), "Visits by what the browser says it is on."
)
_languages = simple(
    "languages",
    "Languages",
    "visits",
    "language",
    ("language", "visits", "%"),
    "Visits by the language that the browser asks for first.",
)
_downloads = simple(
    "downloads", "Downloads", "downloads", "what", ("what", "times"), "Downloads of headshots: whole, smaller, or all."
)
_operators = simple(
    "operators", "What operators did", "deeds", "action", ("action", "times"), "Deeds of operators, by their name."
)


TABLES: Final = (_styles, _purposes, _devices, _languages, _downloads, _operators, _hours)
