"""What the drift guard gives: one more run that does not count, once, and to nobody else."""

from collections.abc import Callable

import pytest

from core import access, drift, generations
from core.errors import NotAllowed, NotFound
from core.models import Generation, HeadshotRow, new_id
from core.services import Services
from tests.conftest import ANN, BOB, CHOICES, on_all_threads
from tests.fakes import DrawingEngine

Ask = Callable[..., str]
Work = Callable[[], int]


@pytest.fixture
def drifted(svc: Services, ask: Ask, work: Work) -> str:
    """A run with skin that came out much darker in one of its headshots."""
    run_id = ask()
    work()
    shifted(svc, run_id, -drift.STRONG)
    return run_id


def shifted(svc: Services, run_id: str, by: float) -> None:
    with svc.transaction() as session:
        session.get_one(HeadshotRow, (run_id, 2)).shift = by


def try_again(svc: Services, like: str, *, who: str = ANN, of: str | None = None, request_id: str = "") -> str:
    return generations.again(
        svc, who, request_id=request_id or new_id(), like=like, choices=CHOICES, free_try_of=of or like
    )


def left(svc: Services) -> int:
    with svc.reading() as session:
        return access.allowance(session, ANN, limit=svc.settings.runs_per_day, now=svc.clock()).left


def test_it_does_not_count_even_where_nothing_is_left(
    svc: Services, drifted: str, work: Work, limit_to: Callable[..., Services]
) -> None:
    before = left(svc)
    run_id = try_again(limit_to(runs_per_day=1), drifted)
    work()
    with svc.reading() as session:
        run = session.get_one(Generation, run_id)
        assert run.free_try_of == drifted and not run.counts and generations.shifts(session, run_id)
    assert left(svc) == before


def test_there_is_one_however_often_it_is_asked_for_at_once(svc: Services, drifted: str) -> None:
    def press() -> str | None:
        try:
            return try_again(svc, drifted)
        except NotAllowed:
            return None

    assert len([run for run in on_all_threads(press, times=4) if run]) == 1


def test_a_double_press_is_one_run(svc: Services, drifted: str) -> None:
    assert try_again(svc, drifted, request_id="one") == try_again(svc, drifted, request_id="one")


def test_a_free_try_gives_no_other(svc: Services, drifted: str, work: Work) -> None:
    second = try_again(svc, drifted)
    work()
    shifted(svc, second, 40)
    with pytest.raises(NotAllowed):
        try_again(svc, second)


@pytest.mark.parametrize("by", [0.0, drift.STRONG - 0.1, 0.1 - drift.STRONG])
def test_without_a_strong_shift_there_is_none(svc: Services, drifted: str, by: float) -> None:
    shifted(svc, drifted, by)
    with pytest.raises(NotAllowed):
        try_again(svc, drifted)


def test_it_is_for_that_run_and_its_owner(svc: Services, drifted: str, ask: Ask, work: Work) -> None:
    other = ask()
    work()
    shifted(svc, other, drift.STRONG)
    with pytest.raises(NotAllowed):
        try_again(svc, other, of=drifted)
    with pytest.raises(NotFound):
        try_again(svc, drifted, who=BOB)


def test_one_that_came_to_nothing_is_still_to_be_had(
    svc: Services, drifted: str, work: Work, engine: DrawingEngine
) -> None:
    engine.refuses = "no_person"
    try_again(svc, drifted)
    work()
    engine.refuses = None
    before = left(svc)
    try_again(svc, drifted)
    work()
    assert left(svc) == before


@pytest.mark.sqlite_only("arithmetic: no question is asked of the database")
def test_it_says_lighter_or_darker_or_nothing() -> None:
    assert drift.says(drift.STRONG) == "Your skin looks noticeably lighter than in your photo."
    assert drift.says(-drift.STRONG) == "Your skin looks noticeably darker than in your photo."
    assert drift.says(drift.STRONG - 0.1) is None and drift.says(None) is None
