"""
The numbers that the policy promises, and whether others promise less. Pure: two mappings in, what is looser out.

A number is bound in one direction. Whoever gave a photo under "7 days" is not asked again when it becomes 3, but has
to be told in time before it becomes 30. What only one side names is judged, too: a number that is gone was a promise
that is gone, a new one is one more. Where nobody knows the direction any more, any change is taken for less.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from core import sla
from core.contracts import PROCESS_HEADSHOTS_KEPT, Contract
from core.models import RequestKind
from core.ports import HandOver
from core.promises import PROMISES
from core.settings import Settings
from core.third_parties import third_parties

Value = int | list[str]
Numbers = Mapping[str, Value]

GA4: Final = "google_analytics"
AUDIT_MONTHS, REGISTER_MONTHS, USAGE_MONTHS, DRAFT_MINUTES = 12, 24, 72, 30
UNSORTED_MAIL_DAYS, OUTBOX_DAYS, SENDER_DAYS = 30, 30, 1
EXPORT_HOURS, OPERATOR_DAYS, HAND_OVER_LINK_DAYS = 24, 7, 1
REPORT_MONTHS, BLOCK_MONTHS, LOOK_MINUTES, STAFF_HOURS = 12, 12, 10, 12
"""Of what is kept beside images. They are used where the work is done; tests/policy holds these to those."""
BREACH_HOURS: Final = 72
LEAST_AGE: Final = 18


@dataclass(frozen=True)
class Other:
    """A third party that can be chosen, and how it gets pictures."""

    id: str
    hand_over: HandOver


class Rule(StrEnum):
    """Which way a number is bound."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    ONLY_THESE = "only_these"
    ALL_OF_THESE = "all_of_these"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One number: what it is of, which way it is bound, and the setting that moves it."""

    rule: Rule
    says: str
    setting: str = ""  # "": a release moves it
    written: Callable[[Value], str] | None = None  # what to set for such a value, if not just that
    unsaid: Value | None = None  # what versions promised in words that are older than the number

    def allows(self, before: Value, after: Value) -> bool:
        match self.rule, before, after:
            case Rule.AT_MOST, int(), int():
                return after <= before
            case Rule.AT_LEAST, int(), int():
                return after >= before
            case Rule.ONLY_THESE, list(), list():
                return set(after) <= set(before)
            case Rule.ALL_OF_THESE, list(), list():
                return set(after) >= set(before)
        return before == after


@dataclass(frozen=True)
class Looser:
    """A number that promises less than before. None: it is not promised any more."""

    name: str
    before: Value
    after: Value | None

    @property
    def says(self) -> str:
        """What it is of, then and now: "photos stay at most: 168 h, then 720 h"."""
        bound = BOUNDS.get(self.name)
        now = "nothing" if self.after is None else _plain(self.after)
        return f"{bound.says if bound else self.name}: {_plain(self.before)}, then {now}"

    @property
    def until_then(self) -> str:
        """What to set so that the older number is kept."""
        bound = BOUNDS.get(self.name)
        if bound is None or not bound.setting:
            return f"stay with the release before ({self.says})"
        return bound.written(self.before) if bound.written else f"{bound.setting}={self.before}"


def _plain(value: Value) -> str:
    return str(value) if isinstance(value, int) else ", ".join(value) or "nobody"


def _longest(value: Value) -> str:
    days, hours = divmod(int(str(value)), 24)
    return f"LONGEST_DAYS={days}" if days and not hours else f"LONGEST_CONTRACT={_contract(value)}"


def _default(value: Value) -> str:
    return f"DEFAULT_CONTRACT={_contract(value)}"


def _contract(value: Value) -> str:
    """The longest contract that keeps for so many hours at most."""
    return [each for each in Contract if each.keep_for <= timedelta(hours=int(str(value)))][-1].value


def _less(says: str, setting: str = "", written: Callable[[Value], str] | None = None) -> Bound:
    return Bound(rule=Rule.AT_MOST, says=says, setting=setting, written=written)


def _more(says: str, setting: str = "") -> Bound:
    return Bound(rule=Rule.AT_LEAST, says=says, setting=setting)


BOUNDS: Final[Mapping[str, Bound]] = {
    "keep_hours": _less("hours that a photo may stay at most", "LONGEST_CONTRACT", _longest),
    "keep_hours_unless_chosen": _less("hours that it stays unless chosen", "DEFAULT_CONTRACT", _default),
    "early_hours": _more("hours that long clocks end early", "ERASE_EARLY_HOURS"),
    "process_headshots_hours": _less("hours that headshots stay where nothing is kept"),
    "export_hours": _less("hours that a packed copy of one's data stays"),
    "erase_request_hours": _less("hours for a request to erase"),
    "other_request_days": _less("days for any other request"),
    "other_request_days_extended": _less("days for any other request that was extended"),
    "request_months": _less("months that the register of requests stays"),
    "unsorted_mail_days": _less("days that a mail waits for a person"),
    "sender_days": _less("days that a sender is recognised"),
    "outbox_days": _less("days that our mails lie in the outbox"),
    "draft_minutes": _less("minutes that a photo waits in memory for consent"),
    "usage_months": _less("months that usage counts stay"),
    "audit_months": _less("months that the audit log stays"),
    "records_months": _less("months that rows of a person stay after their last image", "RECORDS_MONTHS"),
    "report_months": _less("months that a closed report of abuse stays"),
    "block_months": _less("months that a person or a file is blocked"),
    "look_at_reported": Bound(
        rule=Rule.AT_MOST,
        says="whether operators may look at a reported image",
        setting="LOOK_AT_REPORTED",
        written=lambda value: f"LOOK_AT_REPORTED={'true' if value else 'false'}",
        unsaid=0,
    ),
    "look_minutes": _less("minutes that such a look takes"),
    "operator_days": _less("days that sign-ins of operators stay"),
    "hand_over_link_days": _less("days that used links stay"),
    "backup_days": _less("days that backups of the database stay", "BACKUP_DAYS"),
    "breach_hours": _less("hours until a breach is told"),
    "notice_days": _more("days of notice before less is promised", "POLICY_NOTICE_DAYS"),
    "least_count": _more("the least count that usage shows", "SMALL_COUNT"),
    "least_age": _more("the least age"),
    "third_parties": Bound(
        rule=Rule.ONLY_THESE,
        says="who else can get something",
        setting="APIMART_API_KEY",
        written=lambda _: "leave APIMART_API_KEY empty",
    ),
    "counted_by": Bound(
        rule=Rule.ONLY_THESE,
        says="who else counts visits",
        setting="GA4_MEASUREMENT_ID",
        written=lambda _: "leave GA4_MEASUREMENT_ID empty",
    ),
    "public_copies": Bound(
        rule=Rule.ONLY_THESE,
        says="copies that whoever has the address can open",
        setting="APIMART_HAND_OVER",
        written=lambda _: f"APIMART_HAND_OVER={HandOver.INLINE.value}",
    ),
    "promises": Bound(rule=Rule.ALL_OF_THESE, says="the promises themselves"),
}


def numbers(settings: Settings, others: Sequence[Other]) -> dict[str, Value]:
    """All of them, under these settings. What a third party says of itself is none: it promises that, not we."""
    return {
        "keep_hours": _hours(settings.terms.keep_for(settings.longest_contract)),
        "keep_hours_unless_chosen": _hours(settings.terms.keep_for(settings.default_contract)),
        "early_hours": settings.erase_early_hours,
        "process_headshots_hours": process_hours(),
        "export_hours": EXPORT_HOURS,
        "erase_request_hours": erase_hours(),
        "other_request_days": _days(sla.clock_for(RequestKind.COPY).legal),
        "other_request_days_extended": _days(sla.clock_for(RequestKind.COPY).extension),
        "request_months": REGISTER_MONTHS,
        "unsorted_mail_days": UNSORTED_MAIL_DAYS,
        "sender_days": SENDER_DAYS,
        "outbox_days": OUTBOX_DAYS,
        "draft_minutes": DRAFT_MINUTES,
        "audit_months": AUDIT_MONTHS,
        "records_months": settings.records_months,
        "report_months": REPORT_MONTHS,
        "block_months": BLOCK_MONTHS,
        "look_at_reported": int(settings.look_at_reported),
        "look_minutes": LOOK_MINUTES,
        "usage_months": USAGE_MONTHS,
        "operator_days": OPERATOR_DAYS,
        "hand_over_link_days": HAND_OVER_LINK_DAYS,
        "backup_days": settings.backup_days,
        "breach_hours": BREACH_HOURS,
        "notice_days": settings.policy_notice_days,
        "least_count": settings.small_count,
        "least_age": LEAST_AGE,
        "third_parties": sorted(other.id for other in others),
        "counted_by": [GA4] if settings.ga4_measurement_id else [],
        "public_copies": sorted(f"{other.id}.{copy}" for other in others for copy in _public(other)),
        "promises": sorted(promise.id for promise in PROMISES),
    }


def loosened(before: Numbers, after: Numbers) -> tuple[Looser, ...]:
    """What promises less than it did, in the order of the names."""
    unsaid = {name: bound.unsaid for name, bound in BOUNDS.items() if bound.unsaid is not None and name in after}
    promised = unsaid | dict(before)
    return tuple(filter(None, map(partial(_judged, promised, after), sorted(promised))))


def instead(less: Sequence[Looser]) -> list[str]:
    """What to set so that the older numbers are kept; what comes along with another setting is not named by itself."""
    longest = next((looser.before for looser in less if looser.name == "keep_hours"), None)
    return [
        looser.until_then for looser in less if looser.name != "keep_hours_unless_chosen" or looser.before != longest
    ]


def _judged(before: Numbers, after: Numbers, name: str) -> Looser | None:
    was, bound = before[name], BOUNDS.get(name)
    if name not in after:
        return Looser(name, was, None)
    holds = bound.allows(was, after[name]) if bound else was == after[name]
    return None if holds else Looser(name, was, after[name])


def process_hours() -> int:
    """How long headshots stay where nothing is kept."""
    return _hours(PROCESS_HEADSHOTS_KEPT)


def erase_hours() -> int:
    clock = sla.clock_for(RequestKind.ERASE)
    return clock.internal.hours if clock.internal else _days(clock.legal) * 24


def _days(period: sla.Period | None) -> int:
    """A month has 31 days at most, three have 92."""
    if period is None:
        return 0
    return -(-period.hours // 24) + period.days + period.months * 31 - (period.months // 3)


def _hours(span: timedelta) -> int:
    return int(span.total_seconds() // 3600)


def _public(other: Other) -> list[str]:
    known = third_parties().get(other.id)
    return [copy.id for copy in known.left_by(other.hand_over) if copy.public] if known else ["unknown"]
