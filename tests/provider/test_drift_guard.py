"""What the drift guard notes with a provider's headshots, what it gives for it, and that it never stands in the way."""

from dataclasses import replace

import pytest

from core import access, copies, drift, generations, retention
from core.errors import NotAllowed, NotFound
from core.marks import SourceType, read_marks
from core.models import HeadshotRow, JobKind, new_id
from core.queue import enqueue
from tests.conftest import ANN, BOB, CHOICES
from tests.fakes import DrawingProvider

STRONG = drift.STRONG + 1


def shifts(there, run_id):
    return [row.shift for row in there.rows(HeadshotRow) if row.generation_id == run_id]


def made(there, shift, **choices):
    there.svc.framer.shifts = shift
    run_id = there.ask(**choices)
    there.wait()
    return run_id


def for_free(there, run_id, *, of=None, who=ANN):
    """A run made once more without counting; `of`: said to be the free try of that one."""
    choices = replace(CHOICES, engine="apimart", variants=1)
    free = {"free_try_of": of or run_id}
    return generations.again(there.svc, who, request_id=new_id(), like=run_id, choices=choices, **free)


def left(there):
    with there.svc.reading() as session:
        return access.allowance(session, ANN, limit=there.svc.settings.runs_per_day, now=there.clock()).left


@pytest.mark.parametrize("shift", [STRONG, -STRONG, 0.0, None])
def test_the_shift_is_noted_with_each_headshot(there, shift):
    assert shifts(there, made(there, shift, variants=2)) == [shift, shift]


def erased(there, run_id):
    retention.erase_run(there.svc, run_id)
    retention.sweep(there.svc)


def test_what_was_measured_goes_with_the_headshot(there):
    kept, run_id = made(there, STRONG), made(there, -STRONG)
    erased(there, run_id)

    assert shifts(there, run_id) == [None]
    assert shifts(there, kept) == [STRONG]


def test_nothing_is_noted_of_what_is_gone_while_it_was_compared(there):
    run_id = made(there, None)
    there.svc.framer.shift = lambda portrait, headshot: erased(there, run_id) or STRONG
    with there.svc.transaction() as session:
        enqueue(session, JobKind.DRIFT, run_id, at=there.clock())
    there.wait()

    assert shifts(there, run_id) == [None]


def test_a_comparison_that_breaks_stops_no_run_and_says_nothing_of_the_picture(there, caplog):
    def breaks(portrait, headshot):
        raise ValueError("a secret of the picture")

    there.svc.framer.shift = breaks
    run_id = made(there, None)
    assert there.how(run_id)[0] == "ready" and shifts(there, run_id) == [None]
    assert "secret" not in caplog.text and "ValueError" in caplog.text


def test_a_headshot_says_that_it_was_drawn_and_by_whom(there):
    run_id = made(there, None)
    (row,) = [row for row in there.rows(HeadshotRow) if row.generation_id == run_id]
    says = read_marks(copies.read(there.svc, row.copy_id))

    assert says is not None and says.source_type is SourceType.GENERATED
    assert (says.system, says.version) == (DrawingProvider.title, DrawingProvider.model)


# ---------------------------------------------------------------------------------------------------- the free try
@pytest.mark.parametrize("shift", [STRONG, -STRONG])
def test_a_strong_shift_gives_one_more_try_that_does_not_count(there, shift):
    run_id = made(there, shift)
    before = left(there)
    free = for_free(there, run_id)
    assert left(there) == before, "not while it is made"
    there.wait()

    assert there.how(free) == ("ready", None, False)
    assert left(there) == before


def test_it_is_there_also_when_nothing_else_is_left(there):
    there.set(runs_per_day=1)
    run_id = made(there, STRONG)
    assert left(there) == 0
    assert for_free(there, run_id)


def test_there_is_one_for_a_run_and_none_for_a_free_one(there):
    run_id = made(there, STRONG)
    free = for_free(there, run_id)
    there.wait()

    assert shifts(there, free) == [STRONG]
    for like in (run_id, free):
        with pytest.raises(NotAllowed):
            for_free(there, like)


@pytest.mark.parametrize("shift", [drift.STRONG - 0.1, 0.1 - drift.STRONG, 0.0, None])
def test_there_is_none_for_what_light_may_have_done(there, shift):
    with pytest.raises(NotAllowed):
        for_free(there, made(there, shift))


def test_there_is_none_before_a_run_is_ready_nor_for_another_run_nor_for_others(there):
    run_id = made(there, STRONG)
    under_way = there.ask()
    with pytest.raises(NotAllowed):
        for_free(there, under_way)
    with pytest.raises(NotAllowed):
        for_free(there, under_way, of=run_id)
    with pytest.raises(NotFound):
        for_free(there, run_id, who=BOB)


def test_what_is_said_speaks_of_light_and_of_nobody():
    assert drift.says(STRONG) == "Your skin looks noticeably lighter than in your photo."
    assert drift.says(-STRONG) == "Your skin looks noticeably darker than in your photo."
    assert drift.says(drift.STRONG - 0.1) is drift.says(None) is None
