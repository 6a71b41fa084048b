"""One setting moves everything that is said and done about it, and beyond what is promised nothing starts."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from core import bootstrap, canary, futures, generations, lifecycle, policy, promises, retention
from core.contracts import Contract, Terms
from core.errors import BadSettings, NotAllowed
from core.models import Consent, Copy, Generation, PromiseState
from core.ports import LifecycleRule
from core.promises import bounds
from core.services import Services
from core.settings import LONGEST_PROMISED, Settings, load_settings
from tests.fakes import FrozenClock, MemoryStore
from tests.promises.conftest import measured, promise

Changed = Callable[..., Services]


# -------------------------------------------------------------------------------------------------------- too much
@pytest.mark.parametrize(
    ("setting", "value", "bound"),
    [("longest_days", 31, "promises at most 30"), ("backup_days", 31, "promises at most 30")],
)
def test_beyond_the_bound_nothing_starts_and_the_reason_is_said(
    tmp_path: Path, setting: str, value: int, bound: str
) -> None:
    settings = load_settings(data_dir=tmp_path / "new", **{setting: value})
    with pytest.raises(BadSettings) as refused:
        bootstrap.build(settings)
    assert f"{setting.upper()}: {value} days" in str(refused.value) and bound in str(refused.value)
    assert not (tmp_path / "new").exists(), "it is found out before anything is made"


@pytest.mark.parametrize(("setting", "value"), [("policy_notice_days", 13), ("small_count", 4)])
def test_less_than_the_least_is_refused_as_well(tmp_path: Path, setting: str, value: int) -> None:
    with pytest.raises(BadSettings, match=setting.upper()):
        load_settings(data_dir=tmp_path, **{setting: value})
    lax = Settings(data_dir=tmp_path).model_copy(update={setting: value})
    assert [said.text.partition(":")[0] for said in bounds.exceeded(lax)] == [setting.upper()]


def test_at_the_bound_it_starts(tmp_path: Path) -> None:
    bounds.require(Settings(data_dir=tmp_path, longest_days=30, backup_days=30, policy_notice_days=14, small_count=5))
    assert bounds.LONGEST == LONGEST_PROMISED.keep_for == timedelta(days=30)


def test_every_bound_is_of_a_setting_and_of_a_promise() -> None:
    assert {bound.setting for bound in bounds.BOUNDS} <= set(Settings.model_fields)
    assert {bound.promise for bound in bounds.BOUNDS} <= {each.id for each in promises.PROMISES}
    assert all(bound.setting in promise(bound.promise).reads for bound in bounds.BOUNDS)


@pytest.mark.parametrize(
    ("longest", "hours"),
    [(Contract.PROCESS, 2), (Contract.HOUR, 2), (Contract.DAY, 24), (Contract.MONTH, 30 * 24)],
)
def test_nothing_that_is_offered_may_exist_for_longer_than_is_measured(
    tmp_path: Path, longest: Contract, hours: int
) -> None:
    """Headshots of `process` stay for an hour after their photo, also where one hour is the most that is offered."""
    settings = Settings(data_dir=tmp_path, longest_contract=longest, default_contract=longest, erase_early_hours=24)
    assert bounds.longest(settings) == timedelta(hours=hours)


# ------------------------------------------------------------------------------------------------------- fourteen
@pytest.fixture
def fourteen(sound: Services) -> Services:
    """LONGEST_DAYS=14, and no other edit."""
    return bootstrap.seen_from_outside(
        replace(sound, settings=sound.settings.model_copy(update={"longest_days": 14, "erase_early_hours": 24}))
    )


def test_fourteen_days_are_what_is_said(fourteen: Services) -> None:
    settings = fourteen.settings
    assert "at most 14 days after the photo was added" in promise("erased_by_the_clock").filled(settings)
    assert any("after 14 days at the latest" in line for line in promises.glance(settings))
    assert not any("30 days" in line for line in promises.glance(settings))
    assert [settings.terms.label(contract) for contract in settings.terms.offered][-1] == "14 days"


def test_fourteen_days_are_what_is_agreed_to(
    fourteen: Services, sound: Services, ask: Callable[..., str], clock: FrozenClock
) -> None:
    run_id = ask(svc=fourteen)
    with fourteen.reading() as session:
        consent, run = session.exec(select(Consent)).one(), session.get_one(Generation, run_id)
        ends = {copy.erase_by for copy in session.exec(select(Copy)).all()}
    usual = replace(sound, settings=sound.settings.model_copy(update={"erase_early_hours": 24}))
    assert consent.policy_version == policy.version(fourteen) != policy.version(usual)
    assert ends == {run.erase_by} == {clock() + timedelta(days=13)}, "a day early, as every long clock"


def test_fourteen_days_are_enforced(
    fourteen: Services, ask: Callable[..., str], work: Callable[[], int], clock: FrozenClock, store: MemoryStore
) -> None:
    ask(svc=fourteen)
    work()
    assert len(store.objects) == 3
    clock.advance(days=13)
    retention.sweep(fourteen)
    assert store.objects == {}


def test_fourteen_days_are_measured(fourteen: Services, ask: Callable[..., str], clock: FrozenClock) -> None:
    ask(svc=replace(fourteen, settings=fourteen.settings.model_copy(update={"longest_days": 30})))
    clock.advance(days=14, minutes=11)
    retention.sweep(fourteen)
    stand = measured(fourteen, promise("erased_by_the_clock"))
    assert stand.state is PromiseState.BROKEN and "1 have a longer clock than promised" in stand.evidence


@pytest.mark.sqlite_only("no rows are asked")
def test_fourteen_days_are_what_the_bucket_s_rule_is_held_against(fourteen: Services, store: MemoryStore) -> None:
    assert lifecycle.rule_days(fourteen.settings) == 13, "and it may be a day late"
    store.rules = [LifecycleRule(name="old", enabled=True, days=29)]
    clocks = lifecycle.check(fourteen)
    assert not clocks.holds and clocks.policy == timedelta(days=14)
    assert "rule 29 d · clock 13 d · policy 14 d" in clocks.says
    assert '"Days": 13' in clocks.findings[0].mend
    store.rules = [LifecycleRule(name="new", enabled=True, days=13)]
    assert lifecycle.check(fourteen).holds


@pytest.mark.sqlite_only("the same text from both")
def test_fourteen_days_are_what_machines_read(fourteen: Services) -> None:
    assert fourteen.outside is not None
    with fourteen.outside() as stranger:
        answer = stranger.ask("/.well-known/privacy.json")
    assert answer is not None and answer.status == 200
    told = json.loads(answer.start)
    assert "at most 14 days after the photo was added" in json.dumps(told)
    assert "at most 30 days after the photo" not in json.dumps(told)


@pytest.mark.sqlite_only("numbers of settings alone")
def test_fourteen_days_are_what_operators_see(fourteen: Services) -> None:
    assert futures.figures(fourteen).promise == timedelta(days=14)
    assert [run.contract for run in canary.release(fourteen)] == fourteen.settings.terms.offered


# --------------------------------------------------------------------------------------------------------- contracts
def terms(days: int, longest: Contract = Contract.MONTH, early: float = 24) -> Terms:
    return Terms(longest=longest, longest_days=days, early=timedelta(hours=early))


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (30, ["Not kept", "1 hour", "24 hours", "72 hours", "7 days", "30 days"]),
        (14, ["Not kept", "1 hour", "24 hours", "72 hours", "7 days", "14 days"]),
        (7, ["Not kept", "1 hour", "24 hours", "72 hours", "7 days"]),
        (5, ["Not kept", "1 hour", "24 hours", "72 hours", "5 days"]),
        (3, ["Not kept", "1 hour", "24 hours", "72 hours"]),
        (2, ["Not kept", "1 hour", "24 hours", "2 days"]),
        (1, ["Not kept", "1 hour", "24 hours"]),
    ],
)
def test_what_is_offered_and_what_it_is_called(days: int, labels: list[str]) -> None:
    under = terms(days)
    assert [under.label(contract) for contract in under.offered] == labels
    assert under.longest_label == labels[-1]
    assert under.offers(Contract.MONTH) is under.offered[-1] and under.offers(Contract.HOUR) is Contract.HOUR


@pytest.mark.parametrize("longest", [Contract.PROCESS, Contract.HOUR])
def test_headshots_of_a_photo_that_is_not_kept_outlive_it_by_an_hour_and_that_is_said(longest: Contract) -> None:
    """The photo goes after an hour at the latest, what was made of it an hour after that."""
    assert terms(30, longest=longest).longest_label == "2 hours"


def test_no_clock_is_longer_and_unlimited_they_are_as_ever() -> None:
    at = datetime.fromisoformat("2026-03-02T12:00+00:00")
    for contract in Contract:
        early = timedelta(0) if contract.keep_for <= timedelta(hours=24) else timedelta(hours=24)
        assert terms(30).clock(contract) == contract.keep_for - early
        for days in range(1, 31):
            assert terms(days).clock(contract) <= terms(days).keep_for(contract) <= timedelta(days=days)
            assert terms(days).run_by(contract, at) <= terms(30).run_by(contract, at)


@pytest.mark.sqlite_only("a refusal")
def test_what_is_not_offered_cannot_be_had(svc: Services, ask: Callable[..., str], limit_to: Any) -> None:
    week = limit_to(longest_days=7)
    with pytest.raises(NotAllowed):
        ask(svc=week, contract=Contract.MONTH)
    assert generations is not None and ask(svc=week, contract=Contract.WEEK)


@pytest.mark.sqlite_only("a clock")
def test_a_tighter_setting_moves_no_clock_that_runs(
    svc: Services, ask: Callable[..., str], limit_to: Any, clock: FrozenClock
) -> None:
    run_id = ask()
    retention.sweep(limit_to(longest_days=14))
    with svc.reading() as session:
        assert session.get_one(Generation, run_id).erase_by == clock() + timedelta(days=30)
