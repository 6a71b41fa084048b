"""What is remembered of measurements, and told: crashes, staleness, history, grace, alerts, gauges, the verb."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Final

import pytest
from sqlmodel import select

from core import __main__ as command_line
from core import bootstrap, doctor, jobs, metrics, policy, promises
from core.models import JobKind, PromiseCheck, PromiseState, UsageCount
from core.promises import Promise, Result, Says, checking
from core.promises.shapes import broken, kept, says, unknown
from core.services import Services
from core.usage.metrics import Metric
from tests.fakes import FrozenClock
from tests.promises.conftest import Told, promise

KEPT, BROKEN, UNKNOWN = PromiseState.KEPT, PromiseState.BROKEN, PromiseState.UNKNOWN
ANSWERS = {KEPT: kept, BROKEN: broken, UNKNOWN: unknown}
NAME = "erased_by_the_clock"
GRACE = promise(NAME).grace


class Answering:
    """A promise whose check says what it is told to."""

    def __init__(self) -> None:
        self.state: PromiseState | Exception = KEPT
        self.promise: Promise = replace(promise(NAME), check=lambda svc, now: self())

    def __call__(self) -> Result:
        if isinstance(self.state, Exception):
            raise self.state
        return ANSWERS[self.state](says("{n} late", n=1234), says("Seen: {n}.", n=1234))


@pytest.fixture
def answering() -> Answering:
    return Answering()


Round = Callable[..., promises.Stand]


@pytest.fixture
def round_of(svc: Services, answering: Answering, clock: FrozenClock, duty: Told) -> Round:
    """One round of the schedule, some time later: measured, told, and read again."""
    working = replace(svc, notify=duty)

    def go(state: PromiseState | Exception, **later: float) -> promises.Stand:
        clock.advance(**later)
        answering.state = state
        promises.run_checks(working, clock(), [answering.promise])
        promises.tell(working, clock(), [answering.promise])
        return stand_of(working, answering)

    return go


def stand_of(svc: Services, answering: Answering) -> promises.Stand:
    (stand,) = promises.stands(svc, svc.clock(), [answering.promise])
    return stand


# ------------------------------------------------------------------------------------------------ never green by itself
def test_nothing_measured_is_unknown(svc: Services) -> None:
    stands = promises.stands(svc, svc.clock())
    assert {stand.state for stand in stands} == {stand.public_state for stand in stands} == {UNKNOWN}
    assert stands[0].checked_at is stands[0].since is stands[0].kept_percent is None and not stands[0].days
    assert not promises.are_well(stands)
    assert promises.headline(stands)[0] is UNKNOWN


def test_a_crash_is_unknown_and_says_nothing_of_anybody(round_of: Round, caplog: pytest.LogCaptureFixture) -> None:
    stand = round_of(RuntimeError("Ann's photo"))
    assert stand.state is UNKNOWN and stand.evidence == "The measuring itself failed (RuntimeError)."
    assert "RuntimeError" in caplog.text and "Ann" not in caplog.text


def test_one_crash_holds_up_no_other_check(svc: Services, answering: Answering, clock: FrozenClock) -> None:
    answering.state = RuntimeError()
    other = Answering()
    second = replace(other.promise, id="available_until")
    stands = promises.run_checks(svc, clock(), [answering.promise, second])
    assert [stand.state for stand in stands] == [UNKNOWN, KEPT]


@pytest.mark.sqlite_only("the same code reads both")
def test_a_figure_that_is_no_figure_is_a_crash(svc: Services, answering: Answering, clock: FrozenClock) -> None:
    for figure in (says("x" * 300), says("{missing}")):
        long = replace(answering.promise, check=lambda svc, now, figure=figure: kept(figure, says("")))
        (stand,) = promises.run_checks(svc, clock(), [long])
        assert stand.state is UNKNOWN


def test_a_stale_result_is_unknown_and_shown_as_what_it_said(
    round_of: Round, svc: Services, answering: Answering, clock: FrozenClock
) -> None:
    round_of(KEPT)
    fresh = timedelta(seconds=3 * svc.settings.promises_every_seconds)
    clock.now += fresh
    assert stand_of(svc, answering).state is KEPT
    clock.advance(seconds=1)
    stand = stand_of(svc, answering)
    assert stand.state is stand.public_state is UNKNOWN
    assert stand.evidence == "The last measurement is too old to count; it said: Seen: 1,234."
    assert stand.since == clock() - timedelta(seconds=1)


# ------------------------------------------------------------------------------------------------------------ history
def test_history_is_counts_by_day(round_of: Round, svc: Services, clock: FrozenClock) -> None:
    for state in (KEPT, KEPT, BROKEN):
        round_of(state, minutes=5)
    stand = round_of(RuntimeError(), days=1)
    assert stand.days == ((date(2026, 3, 2), 2, 1, 0), (date(2026, 3, 3), 0, 0, 1))
    assert stand.kept_percent == 50
    assert round_of(KEPT, days=29).days == ((date(2026, 3, 3), 0, 0, 1), (date(2026, 4, 1), 1, 0, 0))
    svc.tally.flush(svc.database, clock())
    with svc.reading() as session:
        counted = session.exec(select(UsageCount).where(UsageCount.metric == Metric.PROMISE)).all()
    assert sum(row.n for row in counted) == 5 and {row.a for row in counted} == {NAME}


def test_since_is_the_beginning_of_a_state(round_of: Round, clock: FrozenClock) -> None:
    first = round_of(KEPT).checked_at
    assert round_of(KEPT, minutes=5).since == first
    stand = round_of(BROKEN, minutes=5)
    assert stand.since == stand.checked_at == clock()


# -------------------------------------------------------------------------------------------------------------- grace
def test_the_public_hears_of_it_after_the_grace_and_never_that_all_is_well(round_of: Round) -> None:
    assert round_of(BROKEN).public_state is UNKNOWN
    stand = round_of(BROKEN, seconds=GRACE.total_seconds() - 1)
    assert (stand.state, stand.public_state) == (BROKEN, UNKNOWN)
    assert round_of(BROKEN, seconds=1).public_state is BROKEN
    assert round_of(KEPT, minutes=5).public_state is KEPT
    assert round_of(BROKEN, minutes=5).public_state is UNKNOWN, "another break has a grace of its own"


def test_a_crash_in_between_gives_no_new_grace(round_of: Round) -> None:
    round_of(BROKEN)
    round_of(RuntimeError(), seconds=GRACE.total_seconds() / 2)
    assert round_of(BROKEN, seconds=GRACE.total_seconds() / 2).public_state is BROKEN


@pytest.mark.sqlite_only("words, and no rows")
def test_the_headline_says_the_worst_first(svc: Services) -> None:
    (stand,) = promises.stands(svc, svc.clock(), [promise(NAME)])
    good, bad, dark = (replace(stand, public_state=state) for state in (KEPT, BROKEN, UNKNOWN))
    assert promises.headline([good, good]) == (KEPT, "All 2 promises hold.")
    assert promises.headline([good, dark]) == (UNKNOWN, "1 of 2 promises cannot be vouched for just now.")
    assert promises.headline([bad, dark, good]) == (BROKEN, "1 of 3 promises is broken.")
    assert promises.headline([bad, bad]) == (BROKEN, "2 of 2 promises are broken.")
    now = svc.clock()
    checked = replace(good, checked_at=now - timedelta(minutes=3))
    assert promises.headline([checked], now)[1] == "All 1 promises hold. Checked 3 min ago."


# ------------------------------------------------------------------------------------------------------------- alerts
def test_a_break_is_told_once_and_once_when_it_is_over(round_of: Round, duty: Told) -> None:
    round_of(KEPT)
    assert duty.messages == []
    for _ in range(3):
        round_of(BROKEN, minutes=5)
    ((title, text),) = duty.messages
    assert title == "WorkShot: 1 promise broken"
    assert text == f"{NAME} is broken: Seen: 1,234. Shown to the public from 02 Mar, 12:35 UTC on."
    round_of(RuntimeError(), minutes=5)
    round_of(BROKEN, minutes=5)
    assert len(duty.messages) == 1, "a crash in between is no new break"
    for _ in range(2):
        round_of(KEPT, minutes=5)
    assert [title for title, _ in duty.messages[1:]] == ["WorkShot: 1 promise kept again"]
    round_of(BROKEN, minutes=5)
    assert len(duty.messages) == 3


def test_who_could_not_be_reached_is_told_with_the_next_round(round_of: Round, duty: Told) -> None:
    duty.reached = False
    round_of(BROKEN)
    duty.reached = True
    round_of(BROKEN, minutes=5)
    assert len(duty.messages) == 1


def test_what_is_not_measured_for_an_hour_is_told_too(round_of: Round, duty: Told) -> None:
    round_of(UNKNOWN)
    round_of(UNKNOWN, minutes=59)
    assert duty.messages == []
    round_of(UNKNOWN, minutes=1)
    round_of(UNKNOWN, minutes=60)
    assert [title for title, _ in duty.messages] == ["WorkShot: 1 promise not measured"]
    round_of(BROKEN, minutes=5)
    assert len(duty.messages) == 2, "that it is broken is more than that"


def test_nobody_on_duty_is_no_trouble(svc: Services, answering: Answering, clock: FrozenClock) -> None:
    answering.state = BROKEN
    promises.run_checks(svc, clock(), [answering.promise])
    assert promises.tell(svc, clock(), [answering.promise]) == 0


# ----------------------------------------------------------------------------------------------------------- schedule
def test_a_worker_measures_soon_after_the_first_start_and_then_every_few_minutes(
    svc: Services, worker: jobs.Worker, clock: FrozenClock
) -> None:
    worker.beat()
    assert not worker.look(jobs.MEASURING_WORK)
    clock.advance(seconds=20)
    worker.beat()
    assert worker.look(jobs.MEASURING_WORK) and not worker.look(jobs.MEASURING_WORK)
    measured = {stand.checked_at for stand in promises.stands(svc, clock())}
    assert measured == {clock()}
    assert jobs.next_at(JobKind.PROMISES, svc.settings, clock()) == clock() + timedelta(minutes=5)


# ---------------------------------------------------------------------------------------------------- where it is told
def test_the_doctor_says_what_was_measured_last(sound: Services) -> None:
    assert doctor._promises(sound).health is doctor.Health.WARNING
    promises.run_checks(sound, sound.clock())
    assert doctor._promises(sound).health is doctor.Health.FINE
    with sound.transaction() as session:
        row = session.get_one(PromiseCheck, NAME)
        row.state = BROKEN
        session.add(row)
    check = doctor._promises(sound)
    assert check.health is doctor.Health.BROKEN and check.says.endswith(f"Look at: {NAME}.")


@pytest.mark.sqlite_only("text made of what is read elsewhere")
def test_gauges_say_what_is_unknown(sound: Services) -> None:
    assert f'workshot_promise_state{{promise="{NAME}"}} -1.0' in metrics.text(sound).decode()
    promises.run_checks(sound, sound.clock())
    text = metrics.text(sound).decode()
    assert f'workshot_promise_state{{promise="{NAME}"}} 1.0' in text and "workshot_promises_age_seconds 0.0" in text


ASKED: Final = command_line.parser().parse_args(["promises"])


def test_the_command_line_measures_and_its_status_tells(sound: Services) -> None:
    no_server = partial(command_line.promised, ASKED, within=0)
    policy.note(sound)
    well, data, _ = no_server(svc=sound)
    told = json.loads(json.dumps(data, default=str))
    assert (
        well
        and told["well"]
        and told["version"] == policy.version(sound)
        and len(told["promises"]) == len(promises.PROMISES)
    )
    assert {one["state"] for one in told["promises"]} == {"kept"}
    assert told["promises"][0]["days"] == [{"day": "2026-03-02", "kept": 1, "broken": 0, "unknown": 0}]
    without = replace(sound, settings=sound.settings.model_copy(update={"privacy_contact": ""}))
    well, _, text = no_server(svc=without)
    assert not well, "unknown is not well"
    assert "breach_notice" in text


def test_where_a_server_measures_the_command_line_asks_it(sound: Services) -> None:
    """It would not know how people reach the server, and call that unknown."""
    promises.run_checks(sound, sound.clock())
    blind = replace(sound, settings=sound.settings.model_copy(update={"privacy_contact": ""}))
    server = bootstrap.measuring(sound)
    server.start()
    try:
        well, _, _ = command_line.promised(ASKED, svc=blind)
        assert well
    finally:
        server.stop()


# --------------------------------------------------------------------------------------------------------------- words
def test_words_are_kept_apart_from_their_values() -> None:
    told = says("{n} seen.", n=1234).followed_by(says("Asked over {way}.", way="HTTPS"))
    assert told.text == "1,234 seen. Asked over HTTPS."
    again = Says.of_json(told.as_json())
    german = {"{n} seen.": "{n} gesehen.", "Asked over {way}.": "Gefragt über {way}."}
    assert told.followed_by(says("Twice."), says("At least.")).text == f"{told.text} Twice. At least."
    assert again == told and again.in_words(german.__getitem__) == "1,234 gesehen. Gefragt über HTTPS."


def test_a_reader_sees_what_a_check_has_said(round_of: Round) -> None:
    stand = round_of(KEPT)
    assert (stand.figure, stand.evidence, stand.figure_says.values) == ("1,234 late", "Seen: 1,234.", {"n": 1234})
    assert checking.STALE_AFTER == 3
