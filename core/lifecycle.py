"""
Two clocks: ours, and the rule of the bucket as a dead man's switch.

If every worker and the database were lost, the bucket still erases what it holds after so many days. The rule counts
whole days from the day an object was written and may be up to a day late. So there is one right number:

* not before our own clock ends, or it would erase what people were promised to keep: the longest clock, rounded up;
* and that number plus the day it may be late is what the bucket alone can hold. With ERASE_EARLY_HOURS at 24 this is
  the promise itself: a clock of 29 days, a rule of 29 days, everything gone after 30.

A rule knows nothing of contracts, shortened clocks or headshots that were made later than their photo was added: those
it erases so much later. It is a net under our clock, never the promise.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import ceil

from sqlmodel import col, func, select

from core import made_up
from core.errors import StorageUnavailable
from core.models import Copy
from core.ports import LifecycleRule
from core.retention import LOCKED_AWAY
from core.services import Services
from core.settings import Settings

DAY = timedelta(days=1)
LATE_BY = DAY
"""How long after its day a rule may come."""


class Trouble(StrEnum):
    MISSING = "missing"
    DISABLED = "disabled"
    WRONG_PREFIX = "wrong_prefix"
    TOO_LATE = "too_late"
    TOO_SOON = "too_soon"
    LOCKED = "locked"
    UNKNOWN = "unknown"

    @property
    def is_red(self) -> bool:
        return self is not Trouble.UNKNOWN


@dataclass(frozen=True)
class RuleFinding:
    """What is wrong with the bucket's rule, and the exact mend to paste."""

    trouble: Trouble
    says: str
    mend: str
    days: int | None = None  # after which it erases, where that is the trouble


@dataclass(frozen=True)
class TwoClocks:
    """Rule, setting and policy, side by side."""

    policy: timedelta  # what is promised
    setting: timedelta  # when our clock ends, at the latest
    wanted_days: int  # the rule that fits
    rule_days: int | None  # the rule that there is
    applies: bool  # False: this store has no rules
    findings: tuple[RuleFinding, ...]

    @property
    def holds(self) -> bool:
        return not any(finding.trouble.is_red for finding in self.findings)

    @property
    def says(self) -> str:
        rule = "not applicable" if not self.applies else "none" if self.rule_days is None else f"{self.rule_days} d"
        return f"rule {rule} · clock {_days(self.setting)} · policy {_days(self.policy)}"


def longest_clock(settings: Settings) -> timedelta:
    """The longest that anything of a run exists by our own clock."""
    return settings.terms.longest_clock


def rule_days(settings: Settings) -> int:
    """Whole days, never fewer than our own clock."""
    return max(1, ceil(longest_clock(settings) / DAY))


def gone_by(days: int) -> timedelta:
    """When the bucket alone has erased an object, at the latest, counted from its writing."""
    return days * DAY + LATE_BY


def check(svc: Services) -> TwoClocks:
    """Asks the bucket for its rules. Changes nothing."""
    wanted = rule_days(svc.settings)
    locked = _locked(svc)
    try:
        rules = svc.vault.store.lifecycle_rules()
    except StorageUnavailable:
        return _clocks(svc.settings, None, True, (_unreadable(svc.settings), *locked))
    if rules is None:
        return _clocks(svc.settings, None, False, locked)
    finding = judge(rules, wanted, svc.settings)
    in_force = [rule.days for rule in rules if rule.enabled and rule.days and not rule.prefix and not rule.narrowed]
    return _clocks(svc.settings, min(in_force, default=None), True, (*filter(None, (finding,)), *locked))


def judge(rules: list[LifecycleRule], wanted: int, settings: Settings) -> RuleFinding | None:
    """The worst that is wrong with the rules, or None. The earliest of several rules is the one in force."""
    expiring = [rule for rule in rules if rule.days is not None]
    enabled = [rule for rule in expiring if rule.enabled]
    soonest = min((rule.days for rule in enabled if rule.days is not None), default=None)
    whole = [rule.days for rule in enabled if not rule.prefix and not rule.narrowed and rule.days is not None]
    mend = mend_rule(settings, wanted)
    if soonest is not None and soonest < wanted:  # of whatever prefix: it takes what people were promised to keep
        says = f"The bucket erases after {soonest} days what our clock keeps for {_days(longest_clock(settings))}."
        return RuleFinding(Trouble.TOO_SOON, says, mend, soonest)
    if whole:
        if min(whole) <= wanted:
            return None
        says = f"The bucket's rule waits {min(whole)} days; {wanted} fit the promise, and it may be a day late."
        return RuleFinding(Trouble.TOO_LATE, says, mend)
    if enabled:
        return RuleFinding(Trouble.WRONG_PREFIX, "The bucket's rule covers only some of the images.", mend)
    if expiring:
        return RuleFinding(Trouble.DISABLED, "The bucket's rule is switched off.", mend)
    return RuleFinding(Trouble.MISSING, "The bucket has no rule that erases images by itself.", mend)


def mend_rule(settings: Settings, days: int) -> str:
    """The command to paste. It replaces all rules of the bucket, and needs a key that may configure it."""
    rule = {"ID": "workshot", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}
    text = json.dumps({"Rules": [rule | {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}]})
    if ".r2.cloudflarestorage.com" in settings.s3_endpoint_url:
        bucket = settings.s3_bucket
        return f'npx wrangler r2 bucket lifecycle add {bucket} workshot "" --expire-days {days} --force'
    return (
        f"aws s3api put-bucket-lifecycle-configuration --endpoint-url {settings.s3_endpoint_url} "
        f"--bucket {settings.s3_bucket} --lifecycle-configuration '{text}'"
    )


def _locked(svc: Services) -> tuple[RuleFinding, ...]:
    real = col(Copy.gone_at).is_(None), made_up.is_real(Copy.id)
    kept = select(func.count()).where(*real, Copy.probe_answer == LOCKED_AWAY)
    with svc.reading() as session:
        count = session.exec(kept).one()
    if not count:
        return ()
    bucket = svc.settings.s3_bucket
    mend = f"npx wrangler r2 bucket lock list {bucket}; npx wrangler r2 bucket lock remove {bucket} --name NAME"
    return (RuleFinding(Trouble.LOCKED, f"A lock on the bucket keeps {count} images that are due.", mend),)


def _unreadable(settings: Settings) -> RuleFinding:
    says = "The bucket's rules cannot be read with our key, which is as it should be on R2. Look for yourself."
    if ".r2.cloudflarestorage.com" in settings.s3_endpoint_url:
        return RuleFinding(Trouble.UNKNOWN, says, f"npx wrangler r2 bucket lifecycle list {settings.s3_bucket}")
    look = f"aws s3api get-bucket-lifecycle-configuration --endpoint-url {settings.s3_endpoint_url}"
    return RuleFinding(Trouble.UNKNOWN, says, f"{look} --bucket {settings.s3_bucket}")


def _clocks(settings: Settings, days: int | None, applies: bool, findings: tuple[RuleFinding, ...]) -> TwoClocks:
    return TwoClocks(
        policy=max(map(settings.terms.keep_for, settings.terms.offered)),
        setting=longest_clock(settings),
        wanted_days=rule_days(settings),
        rule_days=days,
        applies=applies,
        findings=findings,
    )


def _days(span: timedelta) -> str:
    return f"{span / DAY:g} d"
