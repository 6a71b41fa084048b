"""Which change of a number promises less, and what to set instead."""

from pathlib import Path

import pytest

from core import policy
from core.contracts import Contract
from core.policy import numbers
from core.policy.numbers import BOUNDS, Rule, Value, loosened
from core.ports import HandOver
from core.settings import Settings

NOBODY: tuple[policy.Other, ...] = ()
APIMART = policy.Other("apimart", HandOver.INLINE)


@pytest.fixture
def usual(tmp_path: Path) -> dict[str, Value]:
    return numbers.numbers(Settings(data_dir=tmp_path), (APIMART,))


def test_every_number_is_bound_and_every_bound_has_its_number(usual: dict[str, Value]) -> None:
    assert set(usual) == set(BOUNDS)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_less_is_looser_and_more_is_not(name: str, usual: dict[str, Value]) -> None:
    less, more = _moved(BOUNDS[name].rule, usual[name])
    (looser,) = loosened(usual, usual | {name: less})
    assert (looser.name, looser.before, looser.after) == (name, usual[name], less)
    assert looser.says and looser.until_then
    assert loosened(usual, usual | {name: more}) == ()
    assert loosened(usual, usual) == ()


def _moved(rule: Rule, value: Value) -> tuple[Value, Value]:
    """That promises less than this, and that promises more."""
    match rule, value:
        case Rule.AT_MOST, int():
            return value + 1, max(value - 1, 0)
        case Rule.AT_LEAST, int():
            return value - 1, value + 1
        case Rule.ONLY_THESE, list():
            return [*value, "someone_else"], value[1:]
        case _, list():
            return value[1:], [*value, "one_more"]
    raise AssertionError(value)


def test_a_number_that_is_gone_was_a_promise(usual: dict[str, Value]) -> None:
    (looser,) = loosened(usual, {name: value for name, value in usual.items() if name != "keep_hours"})
    assert looser.after is None and "nothing" in looser.says


def test_a_new_number_promises_more(usual: dict[str, Value]) -> None:
    assert loosened({name: value for name, value in usual.items() if name != "keep_hours"}, usual) == ()


def test_what_older_versions_promised_in_words_alone_is_a_promise(usual: dict[str, Value]) -> None:
    """Operators saw no faces before there was a number for it."""
    before = {name: value for name, value in usual.items() if name != "look_at_reported"}
    assert loosened(before, usual) == ()
    (looser,) = loosened(before, usual | {"look_at_reported": 1})
    assert looser.until_then == "LOOK_AT_REPORTED=false"


def test_what_nobody_knows_any_more_may_not_change(usual: dict[str, Value]) -> None:
    assert loosened(usual | {"of_another_release": 3}, usual | {"of_another_release": 3}) == ()
    (looser,) = loosened(usual | {"of_another_release": 3}, usual | {"of_another_release": 2})
    assert "of_another_release" in looser.says and "the release before" in looser.until_then


@pytest.mark.parametrize(
    ("before", "after", "instead"),
    [
        ({"longest_days": 14}, {}, "LONGEST_DAYS=14"),
        (
            {"longest_contract": Contract.HOUR, "default_contract": Contract.HOUR},
            {"default_contract": Contract.HOUR},
            "LONGEST_CONTRACT=1h",
        ),
        ({"default_contract": Contract.DAY}, {}, "DEFAULT_CONTRACT=24h"),
        ({"erase_early_hours": 24}, {"erase_early_hours": 0}, "ERASE_EARLY_HOURS=24"),
        ({"backup_days": 3}, {"backup_days": 7}, "BACKUP_DAYS=3"),
        ({"policy_notice_days": 30}, {}, "POLICY_NOTICE_DAYS=30"),
        ({"small_count": 10}, {}, "SMALL_COUNT=10"),
        ({"records_months": 6}, {}, "RECORDS_MONTHS=6"),
        ({}, {"look_at_reported": True}, "LOOK_AT_REPORTED=false"),
        (
            {},
            {"ga4_measurement_id": "G-ABCD123456", "ga4_api_secret": "secret"},
            "leave GA4_MEASUREMENT_ID empty",
        ),
    ],
)
def test_it_says_what_to_set(before: dict[str, object], after: dict[str, object], instead: str, tmp_path: Path) -> None:
    was, now = (numbers.numbers(Settings(data_dir=tmp_path, **one), NOBODY) for one in (before, after))  # type: ignore[arg-type]
    assert instead in [looser.until_then for looser in loosened(was, now)]
    assert loosened(now, was) == () or "default" in str(before)


def test_somebody_else_and_a_public_copy_are_less(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    nobody, inline, upload = (
        numbers.numbers(settings, others) for others in ((), (APIMART,), (policy.Other("apimart", HandOver.UPLOAD),))
    )
    assert [looser.name for looser in loosened(nobody, inline)] == ["public_copies", "third_parties"]
    assert [looser.until_then for looser in loosened(inline, upload)] == ["APIMART_HAND_OVER=inline"]
    assert loosened(upload, inline) == loosened(inline, nobody) == ()
