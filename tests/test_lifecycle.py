"""The bucket's own rule against our clock and the policy: the maths, what can be wrong with it, and the mend."""

import json
import shlex
from datetime import timedelta

import pytest

from core import lifecycle, retention
from core.contracts import Contract, offered
from core.errors import ObjectLocked
from core.lifecycle import Trouble
from core.ports import LifecycleRule
from core.settings import Settings

DAY = timedelta(days=1)
RIGHT = LifecycleRule(name="workshot", enabled=True, days=30)


def under(longest, early, **more):
    return Settings(longest_contract=longest, default_contract=longest, erase_early_hours=early, **more)


@pytest.mark.parametrize(
    ("longest", "early", "days"),
    [
        (Contract.MONTH, 24, 29),
        (Contract.MONTH, 0, 30),
        (Contract.MONTH, 1, 30),
        (Contract.MONTH, 48, 28),
        (Contract.WEEK, 24, 6),
        (Contract.WEEK, 23, 7),
        (Contract.THREE_DAYS, 24, 2),
        (Contract.DAY, 24, 1),
        (Contract.HOUR, 24, 1),
        (Contract.PROCESS, 24, 1),
    ],
)
def test_the_rule_is_the_longest_clock_in_whole_days(longest, early, days):
    assert lifecycle.rule_days(under(longest, early)) == days


@pytest.mark.parametrize("longest", Contract)
@pytest.mark.parametrize("early", [0, 1, 24, 47, 48])
def test_no_rule_is_so_short_that_it_takes_what_our_clock_keeps(longest, early):
    settings = under(longest, early)
    for contract in offered(longest):
        assert settings.terms.clock(contract) <= lifecycle.rule_days(settings) * DAY
    assert lifecycle.rule_days(settings) - 1 < max(1, lifecycle.longest_clock(settings) / DAY), (
        "nor longer than it must"
    )


@pytest.mark.parametrize("longest", [Contract.MONTH, Contract.WEEK, Contract.THREE_DAYS])
def test_with_a_day_of_margin_the_rule_alone_holds_the_promise_though_it_is_a_day_late(longest):
    settings = under(longest, 24)

    assert lifecycle.gone_by(lifecycle.rule_days(settings)) <= longest.keep_for


def test_without_a_margin_it_cannot(settings):
    assert lifecycle.gone_by(lifecycle.rule_days(settings)) == Contract.MONTH.keep_for + DAY


@pytest.mark.parametrize(
    ("rules", "trouble"),
    [
        ([], Trouble.MISSING),
        ([LifecycleRule(name="parts", enabled=True, days=None)], Trouble.MISSING),
        ([LifecycleRule(name="w", enabled=False, days=30)], Trouble.DISABLED),
        ([LifecycleRule(name="w", enabled=True, days=30, prefix="tmp/")], Trouble.WRONG_PREFIX),
        ([LifecycleRule(name="w", enabled=True, days=30, narrowed=True)], Trouble.WRONG_PREFIX),
        ([LifecycleRule(name="w", enabled=True, days=31)], Trouble.TOO_LATE),
        ([LifecycleRule(name="w", enabled=True, days=29)], Trouble.TOO_SOON),
        ([RIGHT, LifecycleRule(name="x", enabled=True, days=1, prefix="a")], Trouble.TOO_SOON),
        ([RIGHT, LifecycleRule(name="x", enabled=False, days=1)], None),
        ([RIGHT, LifecycleRule(name="x", enabled=True, days=90)], None),
        ([RIGHT], None),
    ],
)
def test_what_is_wrong_is_named_and_comes_with_its_mend(svc, store, rules, trouble):
    store.rules = rules

    clocks = lifecycle.check(svc)

    assert [finding.trouble for finding in clocks.findings] == ([trouble] if trouble else [])
    assert clocks.holds is (trouble is None)
    assert all(finding.mend for finding in clocks.findings)


def test_rule_clock_and_policy_stand_side_by_side(svc, store, limit_to):
    early = limit_to(erase_early_hours=24)
    store.rules = [LifecycleRule(name="w", enabled=True, days=29)]
    assert lifecycle.check(early).says == "rule 29 d · clock 29 d · policy 30 d"
    store.rules = []
    assert lifecycle.check(early).says == "rule none · clock 29 d · policy 30 d"
    store.rules = None
    assert lifecycle.check(early).says == "rule not applicable · clock 29 d · policy 30 d"
    assert lifecycle.check(early).holds


def test_the_mend_mends(svc, store):
    """The JSON in the command is a rule that the check then finds right."""
    words = shlex.split(lifecycle.mend_rule(svc.settings, lifecycle.rule_days(svc.settings)))
    (rule,) = json.loads(words[words.index("--lifecycle-configuration") + 1])["Rules"]

    store.rules = [LifecycleRule(name=rule["ID"], enabled=rule["Status"] == "Enabled",
                                 prefix=rule["Filter"]["Prefix"], days=rule["Expiration"]["Days"])]  # fmt: skip
    assert lifecycle.check(svc).findings == ()


def test_on_r2_the_mend_is_wrangler_s(limit_to, store):
    r2 = limit_to(s3_endpoint_url="https://account.r2.cloudflarestorage.com", s3_bucket="faces")
    store.rules = []

    assert "wrangler r2 bucket lifecycle add faces" in lifecycle.check(r2).findings[0].mend
    store.down = True
    assert lifecycle.check(r2).findings[0].mend == "npx wrangler r2 bucket lifecycle list faces"


def test_rules_that_we_may_not_read_are_unknown_and_not_broken(svc, store):
    store.down = True

    clocks = lifecycle.check(svc)
    assert [finding.trouble for finding in clocks.findings] == [Trouble.UNKNOWN] and clocks.holds


def test_a_lock_that_keeps_faces_is_red_whatever_the_rules_say(svc, store, given_copy):
    class Locked(type(store)):
        def erase(self, key):
            raise ObjectLocked("A lock on the vault keeps this image.")

    store.__class__, store.rules = Locked, [RIGHT]
    retention.erase(svc, given_copy().id)

    clocks = lifecycle.check(svc)
    assert [finding.trouble for finding in clocks.findings] == [Trouble.LOCKED] and not clocks.holds
    assert "lock remove" in clocks.findings[0].mend
