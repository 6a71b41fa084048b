"""Who looks at the retention page, when, and how instants and spans are said to them."""

from datetime import date, datetime, timedelta

from core.contracts import Contract
from core.models import CopyKind
from core.ui import operators, widgets

WORD = "erase"
KINDS = [CopyKind.PORTRAIT, CopyKind.HEADSHOT, CopyKind.CLOTHING, CopyKind.BACKDROP]
UNDER_SAYS = {
    Contract.MONTH: "30 d",
    Contract.WEEK: "7 d",
    Contract.THREE_DAYS: "72 h",
    Contract.DAY: "24 h",
    Contract.HOUR: "1 h",
    Contract.PROCESS: "not kept",
}


class Desk(operators.Desk):
    def said(self, at: datetime | None) -> str:
        return f"{at.astimezone(self.zone):%d %b, %H:%M}" if at else "–"


def coarse(span: timedelta) -> tuple[str, str]:
    """A number and its unit, the largest that fits."""
    number, unit = widgets.length(span).split(" ")[:2]
    return number, unit


def day_says(day: date) -> str:
    return f"{day.day} {day:%b}"


def code(word: str) -> str:
    return word.replace("_", " ")
