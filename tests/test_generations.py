"""Runs: from the button to the headshots, and through every way in which they can end."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, func, select

from core import access, attempts, copies, generations, jobs, queue, retention
from core.contracts import Contract
from core.errors import Busy, LimitReached, NotAllowed, NotFound, StorageUnavailable
from core.generations import MAX_TRIES, UPLOAD_GRACE, Agreement
from core.models import (
    BrowserSession,
    Consent,
    Copy,
    CopyKind,
    EraseReason,
    Generation,
    HeadshotRow,
    Job,
    JobKind,
    RunState,
    StageEvent,
    Subject,
)
from core.queue import LeaseLost
from tests.conftest import ANN, BOB, EVE, on_all_threads
from tests.fakes import jpeg


@pytest.fixture
def look(svc, clock):
    """A run as its owner sees it now."""

    def view(run_id, who=ANN):
        with svc.reading() as session:
            return generations.view(session, who, run_id, clock())

    return view


@pytest.fixture
def rows(svc):
    def count(table):
        with svc.reading() as session:
            return session.exec(select(func.count()).select_from(table)).one()

    return count


@pytest.fixture
def copy_of(svc):
    def get(copy_id):
        with svc.reading() as session:
            return session.get_one(Copy, copy_id)

    return get


def claim(svc):
    return queue.claim(svc, [JobKind.GENERATE])


# ------------------------------------------------------------------------------------------------- asking
def test_a_run_from_the_button_to_its_headshots(svc, ask, work, look):
    run_id = ask(variants=3)

    work()

    view = look(run_id)
    assert view.run.state is RunState.READY
    assert len(view.headshots) == 3
    assert view.stages == ("reading", "light", "finishing")
    assert all(copies.read(svc, copy.id) for copy in view.headshots)


def test_everything_a_run_leaves_shares_its_clock(svc, ask, work, clock, look):
    uploaded_at = clock()
    run_id = ask(contract=Contract.DAY)
    clock.advance(hours=1)
    work()

    view = look(run_id)
    ends = {view.run.erase_by, view.portrait.erase_by, *(copy.erase_by for copy in view.headshots)}
    assert ends == {uploaded_at + timedelta(hours=24)}


def test_the_clock_starts_at_the_upload_not_at_the_button(svc, clock, ask, look):
    received_at = clock()
    clock.advance(minutes=20)

    run_id = ask(received_at=received_at, contract=Contract.HOUR)

    assert look(run_id).run.erase_by == received_at + timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 12)),  # the night after has 23 hours
        ("Europe/Berlin", datetime(2026, 10, 24, 12)),  # this one 25
        ("America/New_York", datetime(2026, 3, 7, 12)),
        ("UTC", datetime(2028, 2, 28, 12)),  # tomorrow is 29 February
    ],
)
def test_a_day_is_24_hours_whatever_the_clocks_of_the_place_do(svc, ask, look, zone, day):
    received_at = day.replace(tzinfo=ZoneInfo(zone))

    run_id = ask(received_at=received_at, contract=Contract.DAY)

    assert look(run_id).run.erase_by.timestamp() - received_at.timestamp() == 24 * 3600


@pytest.mark.parametrize("agreement", [(True, False), (False, True), (False, False)])
def test_without_both_boxes_nothing_is_kept_of_anyone(ask, rows, store, agreement):
    with pytest.raises(NotAllowed, match="both boxes"):
        ask(agreement=Agreement(may_use_photo=agreement[0], is_adult=agreement[1]))

    assert store.objects == {}
    assert [rows(table) for table in (Subject, Consent, Copy, Generation, Job)] == [0, 0, 0, 0, 0]


def test_consent_names_the_text_that_was_read(svc, ask, clock):
    ask()

    with svc.reading() as session:
        consent = session.exec(select(Consent)).one()
    assert consent.policy_version and consent.may_use_photo and consent.is_adult
    assert consent.given_at == clock()


def test_a_double_click_is_one_run(ask, rows):
    assert ask(request_id="press") == ask(request_id="press")

    assert (rows(Generation), rows(Copy), rows(Consent), rows(Subject)) == (1, 1, 1, 1)


def test_a_double_click_is_one_run_from_two_threads_too(ask, rows):
    answers = on_all_threads(lambda: ask(request_id="press"), times=4)

    assert len(set(answers)) == 1
    assert (rows(Generation), rows(Copy), rows(Consent), rows(Subject)) == (1, 1, 1, 1)


def test_two_first_runs_of_one_browser_at_once_are_one_person(ask, rows):
    on_all_threads(ask, times=3)

    assert (rows(Generation), rows(Subject)) == (3, 1)


def test_the_day_s_allowance_is_the_limit_and_a_new_day_brings_a_new_one(svc, ask, work, clock):
    for _ in range(svc.settings.runs_per_day):
        ask(variants=1)
        work()

    with pytest.raises(LimitReached):
        ask()
    ask(who=BOB)
    clock.now = clock().replace(hour=23, minute=59, second=59)
    with pytest.raises(LimitReached):
        ask()
    clock.advance(seconds=1)
    ask()


def test_ten_presses_at_once_do_not_exceed_the_allowance(svc, ask, rows):
    def press():
        try:
            return ask(variants=1)
        except LimitReached:
            return None

    started = on_all_threads(press, times=svc.settings.runs_per_day + 3)

    assert len([run for run in started if run]) == rows(Generation) == svc.settings.runs_per_day


def test_erasing_wins_no_extra_runs(svc, ask, work, limit_to):
    svc = limit_to(runs_per_day=1)
    ask(svc=svc)
    work()
    retention.erase_everything(svc, subject_of(svc, ANN))
    work()

    with pytest.raises(LimitReached):
        ask(svc=svc)


def test_a_full_queue_says_so_and_keeps_nothing(ask, work, limit_to, rows, store):
    svc = limit_to(queue_limit=2)
    ask(svc=svc, who=ANN)
    ask(svc=svc, who=BOB)

    with pytest.raises(Busy, match="not stored"):
        ask(svc=svc, who=EVE)

    assert (rows(Subject), len(store.objects)) == (2, 2)
    work()
    ask(svc=svc, who=EVE)


def test_a_longer_contract_than_is_offered_is_refused(ask, limit_to, rows):
    svc = limit_to(longest_contract=Contract.WEEK, default_contract=Contract.DAY)

    with pytest.raises(NotAllowed):
        ask(svc=svc, contract=Contract.MONTH)

    assert (rows(Subject), rows(Copy)) == (0, 0)


@pytest.mark.parametrize("choice", [{"variants": 0}, {"variants": 5}, {"engine": "elsewhere"}])
def test_what_is_not_offered_is_refused(ask, rows, choice):
    with pytest.raises(NotAllowed):
        ask(**choice)

    assert (rows(Subject), rows(Copy)) == (0, 0)


def test_a_note_is_kept_sealed_and_only_its_owner_s_key_opens_it(svc, ask, work):
    run_id = ask(note="please hide the scar")

    with svc.reading() as session:
        run = session.get_one(Generation, run_id)
        subject = session.get_one(Subject, run.subject_id)
    assert b"scar" not in run.sealed_note
    assert svc.vault.open_text(subject, run.sealed_note) == "please hide the scar"
    work()
    retention.erase_everything(svc, subject.id)
    work()
    with svc.reading() as session:
        assert session.get_one(Generation, run_id).sealed_note is None


def test_how_many_wait_before_a_run(ask, look, clock):
    runs = []
    for who in (ANN, BOB, EVE):
        runs.append(ask(who=who))
        clock.advance(seconds=1)

    assert [look(run, who).ahead for run, who in zip(runs, (ANN, BOB, EVE), strict=True)] == [0, 1, 2]


# ------------------------------------------------------------------------------------------------- endings
def subject_of(svc, who):
    with svc.reading() as session:
        return access.current_subject(session, who).id


def test_a_refused_photo_says_why_and_gives_the_allowance_back(svc, ask, work, engine, look, clock):
    engine.refuses = "no_person"
    run_id = ask()
    work()

    run = look(run_id).run
    assert (run.state, run.failure) == (RunState.FAILED, "no_person")
    with svc.reading() as session:
        assert access.allowance(session, ANN, limit=10, now=clock()).left == 10


def test_an_engine_that_fails_every_time_is_given_up(svc, ask, work, engine, look, clock):
    def break_down(stage):
        raise RuntimeError("a secret in a message")

    engine.at_stage = break_down
    run_id = ask()
    for _ in range(MAX_TRIES + 2):
        work()
        clock.advance(minutes=10)
    run = look(run_id).run
    assert (run.state, run.failure, run.counts) == (RunState.FAILED, "gave_up", False)
    assert len(engine.orders) == MAX_TRIES
    assert engine.closed == MAX_TRIES


def test_an_engine_that_fails_once_is_asked_again(ask, work, engine, look, clock):
    def break_down_once(stage):
        engine.at_stage = lambda stage: None
        raise RuntimeError

    engine.at_stage = break_down_once
    run_id = ask()
    work()
    assert look(run_id).run.state is RunState.RUNNING
    clock.advance(seconds=2)
    work()
    assert look(run_id).run.state is RunState.READY


def test_cancelled_between_two_stages_it_stops_there(svc, ask, work, engine, look, clock):
    run_id = ask()
    engine.at_stage = lambda stage: stage == "light" and generations.cancel(svc, ANN, run_id)
    work()

    view = look(run_id)
    assert (view.run.state, view.made) == (RunState.CANCELLED, 0)
    assert "finishing" not in view.stages
    assert engine.closed == 1
    with svc.reading() as session:
        assert access.allowance(session, ANN, limit=10, now=clock()).used == 0


def test_what_a_cancelled_run_has_made_stays_on_its_clock_and_counts(svc, ask, work, engine, look, clock):
    run_id = ask(variants=3)
    engine.at_stage = lambda stage: stage == "variant 2" and generations.cancel(svc, ANN, run_id)
    work()

    view = look(run_id)
    assert view.run.state is RunState.CANCELLED
    assert len(view.headshots) == 2
    with svc.reading() as session:
        assert access.allowance(session, ANN, limit=10, now=clock()).used == 1


def test_a_headshot_that_never_reached_the_vault_does_not_count(svc, ask, work, engine, look, store, clock):
    def lose_the_vault(stage):
        store.down = stage == "variant 1"

    engine.at_stage = lose_the_vault
    run_id = ask()
    work()
    store.down = False
    generations.cancel(svc, ANN, run_id)
    clock.advance(minutes=1)
    work()

    run = look(run_id).run
    assert (run.state, run.counts) == (RunState.CANCELLED, False)


def test_cancelled_while_it_waits_it_is_never_made(svc, ask, work, engine, look):
    run_id = ask()
    generations.cancel(svc, ANN, run_id)
    work()

    assert look(run_id).run.state is RunState.CANCELLED
    assert engine.orders == []


def test_only_its_owner_cancels_a_run(svc, ask, look):
    run_id = ask()

    with pytest.raises(NotFound):
        generations.cancel(svc, EVE, run_id)

    assert look(run_id).run.cancel_at is None


def test_cancelling_a_run_that_is_over_changes_nothing(svc, ask, work, look):
    run_id = ask()
    work()
    generations.cancel(svc, ANN, run_id)
    work()

    assert (look(run_id).run.state, look(run_id).run.cancel_at) == (RunState.READY, None)


def test_a_run_that_waits_beyond_its_clock_is_not_made_any_more(ask, work, engine, look, clock, store):
    run_id = ask(contract=Contract.HOUR)
    clock.advance(hours=1)
    work()

    run = look(run_id).run
    assert (run.state, run.failure, run.counts) == (RunState.FAILED, "expired", False)
    assert engine.orders == [] and store.objects == {}


def test_a_run_whose_clock_runs_out_while_it_is_made_keeps_nothing(ask, work, engine, look, clock, store):
    def dawdle(stage):
        if stage == "variant 1":
            clock.advance(hours=1)

    engine.at_stage = dawdle
    run_id = ask(contract=Contract.HOUR)
    work()
    assert look(run_id).run.failure == "expired"
    assert store.objects == {}


# ------------------------------------------------------------------------------------------------- `process`
def ends_ready(svc, run_id, engine, clock):
    pass


def ends_refused(svc, run_id, engine, clock):
    engine.refuses = "no_person"


def ends_given_up(svc, run_id, engine, clock):
    def break_down(stage):
        raise RuntimeError

    engine.at_stage = break_down


def ends_cancelled(svc, run_id, engine, clock):
    generations.cancel(svc, ANN, run_id)


def ends_half_cancelled(svc, run_id, engine, clock):
    engine.at_stage = lambda stage: stage == "variant 1" and generations.cancel(svc, ANN, run_id)


def ends_expired(svc, run_id, engine, clock):
    clock.advance(hours=2)


@pytest.mark.parametrize(
    "ending", [ends_ready, ends_refused, ends_given_up, ends_cancelled, ends_half_cancelled, ends_expired]
)
def test_process_erases_the_uploads_when_the_run_ends_in_any_way(svc, ask, work, clock, engine, look, copy_of, ending):
    run_id = ask(contract=Contract.PROCESS, backdrop_image=jpeg(colour="red"))
    ending(svc, run_id, engine, clock)
    for _ in range(MAX_TRIES + 1):
        work()
        if not look(run_id).run.state.is_live:
            break
        clock.advance(minutes=5)

    run = look(run_id).run
    assert not run.state.is_live
    assert copy_of(run.portrait_id).gone_at == run.ended_at
    assert copy_of(run.backdrop_id).gone_at == run.ended_at
    if ending is not ends_expired:
        assert copy_of(run.portrait_id).erase_reason is EraseReason.RUN_OVER


def test_process_keeps_headshots_an_hour_after_the_end_to_the_second(svc, ask, work, clock, store, look):
    run_id = ask(contract=Contract.PROCESS)
    clock.advance(minutes=7)
    work()

    assert look(run_id).run.erase_by == clock() + timedelta(hours=1)
    assert len(look(run_id).headshots) == len(store.objects) == 2
    clock.advance(hours=1, seconds=-1)
    retention.sweep(svc)
    assert len(store.objects) == 2
    clock.advance(seconds=1)
    assert look(run_id).headshots == ()
    retention.sweep(svc)
    assert store.objects == {}


def test_under_process_the_photo_stays_until_the_last_of_two_runs_ends(svc, ask, work, again, look, worker, copy_of):
    first = ask(contract=Contract.PROCESS)
    second = again(like=first)
    portrait_id = look(first).run.portrait_id

    worker.look(jobs.ENGINE_WORK)
    while worker.look(jobs.UPKEEP_WORK):
        pass
    assert copy_of(portrait_id).gone_at is None
    work()

    assert [look(run).run.state for run in (first, second)] == [RunState.READY, RunState.READY]
    assert copy_of(portrait_id).gone_at is not None


# ------------------------------------------------------------------------------------------------- once more
def test_another_run_from_the_same_photo_shares_its_clock(ask, again, work, clock, look):
    first = ask(contract=Contract.WEEK)
    work()
    clock.advance(days=2)
    second = again(like=first, contract=Contract.MONTH)
    work()

    one, two = look(first).run, look(second).run
    assert (two.state, two.portrait_id, two.contract) == (RunState.READY, one.portrait_id, Contract.WEEK)
    assert two.erase_by == one.erase_by


def test_another_run_of_a_shortened_one_is_no_longer_than_it(svc, ask, again, work, look):
    first = ask(contract=Contract.MONTH)
    work()
    retention.shorten(svc, first, Contract.DAY)

    second = again(like=first)

    assert look(second).run.erase_by == look(first).run.erase_by


def test_again_twice_with_one_press_is_one_run(ask, again, work, rows):
    first = ask()
    work()

    assert len(set(on_all_threads(lambda: again(like=first, request_id="press"), times=3))) == 1

    assert rows(Generation) == 2


def test_there_is_no_other_run_from_an_erased_photo(svc, ask, again, work, rows):
    first = ask()
    work()
    retention.erase_run(svc, first)

    with pytest.raises(NotFound, match="erased"):
        again(like=first)
    assert rows(Generation) == 1


def test_nobody_else_makes_a_run_from_a_photo(ask, again):
    first = ask()

    with pytest.raises(NotFound):
        again(like=first, who=EVE)


def test_the_favourite_is_one_of_the_run_s_own_headshots(svc, ask, work, look):
    mine, other = ask(), ask()
    work()
    chosen, foreign = look(mine).headshots[1].id, look(other).headshots[0].id

    generations.pick_favourite(svc, ANN, mine, chosen)
    assert look(mine).run.favourite_id == chosen
    generations.pick_favourite(svc, ANN, mine, foreign)
    assert look(mine).run.favourite_id is None
    with pytest.raises(NotFound):
        generations.pick_favourite(svc, EVE, mine, chosen)


# ------------------------------------------------------------------------------------------------- the upload
def test_an_upload_that_cannot_be_stored_leaves_nothing_without_a_clock(svc, ask, work, store, clock, rows):
    store.down = True
    with pytest.raises(StorageUnavailable):
        ask(contract=Contract.MONTH)

    with svc.reading() as session:
        run, copy = session.exec(select(Generation)).one(), session.exec(select(Copy)).one()
        assert access.allowance(session, ANN, limit=10, now=clock()).used == 0
    assert (run.state, run.failure) == (RunState.FAILED, "not_stored")
    assert copy.erase_by == run.erase_by == clock()
    store.down = False
    clock.advance(minutes=10)
    work()
    with svc.reading() as session:
        assert session.exec(select(Copy)).one().gone_at is not None


def test_after_a_failed_upload_the_next_press_works(ask, work, store, look):
    store.down = True
    with pytest.raises(StorageUnavailable):
        ask()
    store.down = False

    run_id = ask()
    work()

    assert look(run_id).run.state is RunState.READY


def test_an_upload_that_fails_half_way_is_erased(svc, ask, work, store, clock):
    store.after_put = lambda key: setattr(store, "down", True)  # the portrait is in, the backdrop is not
    with pytest.raises(StorageUnavailable):
        ask(backdrop_image=jpeg())
    assert len(store.objects) == 1
    store.down = False
    store.after_put = lambda key: None

    clock.advance(minutes=10)
    work()

    assert store.objects == {}


class ServerDied(BaseException):
    """kill -9, as far as a test can have it: nothing after it runs."""


def die(*_):
    raise ServerDied


def test_a_server_that_dies_before_the_bytes_leaves_a_run_that_fails_in_words(ask, work, store, look, clock):
    store.before_put = die
    with pytest.raises(ServerDied):
        ask(request_id="press")
    run_id = ask(request_id="press")  # whoever asks again finds the run
    assert look(run_id).run.state is RunState.RECEIVING

    assert work() == 0, "the upload still has its grace"
    clock.now += UPLOAD_GRACE
    work()

    run = look(run_id).run
    assert (run.state, run.failure, run.counts) == (RunState.FAILED, "upload_lost", False)


@pytest.mark.parametrize("backdrop", [None, jpeg()])
def test_a_server_that_dies_after_the_bytes_leaves_a_run_that_is_made(ask, work, store, look, clock, backdrop):
    puts = 2 if backdrop else 1

    def die_after_the_last(key):
        if len(store.objects) == puts:
            store.after_put = lambda key: None
            raise ServerDied

    store.after_put = die_after_the_last
    with pytest.raises(ServerDied):
        ask(request_id="press", backdrop_image=backdrop)

    clock.now += UPLOAD_GRACE
    work()

    view = look(ask(request_id="press"))
    assert view.run.state is RunState.READY
    assert view.portrait.written_at is not None


def test_an_upload_that_arrives_after_its_process_run_was_given_up_is_erased_on_arrival(ask, work, store, look, clock):
    def too_slow(key):
        store.before_put = lambda key: None
        clock.now += UPLOAD_GRACE
        work()

    store.before_put = too_slow
    run_id = ask(contract=Contract.PROCESS)

    assert look(run_id).run.failure == "upload_lost"
    assert store.objects == {}


def test_a_run_that_its_server_gave_up_is_not_revived_by_its_worker(svc, ask, work, engine, look, store):
    run_id = ask()
    engine.at_stage = lambda stage: stage == "light" and generations._abandon(svc, run_id)
    work()

    run = look(run_id).run
    assert (run.state, run.failure, run.counts) == (RunState.FAILED, "not_stored", False)
    assert store.objects == {}


# ------------------------------------------------------------------------------------------------- killed workers
def begin_and_die(svc, ask, engine, at, **choices):
    """A worker that is killed at this point. Its claim is left behind, as kill -9 leaves it."""
    run_id = ask(**choices)

    def kill(stage):
        if stage == at:
            engine.at_stage = lambda stage: None
            raise ServerDied

    engine.at_stage = kill
    job = claim(svc)
    with pytest.raises(ServerDied):
        generations.run(svc, job)
    return run_id, job


@pytest.mark.parametrize("at", ["reading", "light", "finishing", "variant 1", "variant 2", "variant 3"])
def test_a_killed_worker_is_followed_by_one_that_makes_only_what_is_missing(
    svc, ask, work, engine, look, clock, rows, store, at
):
    run_id, _ = begin_and_die(svc, ask, engine, at, variants=3)
    assert work() == 0, "its lease still runs"
    clock.now += svc.settings.lease
    work()

    view = look(run_id)
    done_before = max(0, int(at[-1]) - 1) if at.startswith("variant") else 0
    assert (view.run.state, view.made, rows(HeadshotRow)) == (RunState.READY, 3, 3)
    assert engine.orders[-1].skip == frozenset(range(1, done_before + 1))
    assert len(store.objects) == 4


def test_a_headshot_whose_row_was_written_and_whose_bytes_were_not_is_made_into_the_same_row(
    svc, ask, work, engine, look, clock, store, rows
):
    run_id = ask(variants=2)
    store.before_put = die
    with pytest.raises(ServerDied):
        generations.run(svc, claim(svc))
    store.before_put = lambda key: None
    assert rows(HeadshotRow) == 1

    clock.now += svc.settings.lease
    work()

    assert len(look(run_id).headshots) == rows(HeadshotRow) == 2
    assert len(store.objects) == 3


def test_a_worker_that_was_taken_over_writes_nothing_more(svc, ask, clock, look):
    run_id = ask()
    stale = claim(svc)
    clock.now += svc.settings.lease
    fresh = claim(svc)

    with pytest.raises(LeaseLost):
        generations.run(svc, stale)
    assert look(run_id).run.state is RunState.QUEUED
    generations.run(svc, fresh)
    with pytest.raises(LeaseLost):
        attempts.finish(stale, run_id, RunState.FAILED, failure="late")
    assert look(run_id).run.state is RunState.READY


def test_a_worker_that_is_taken_over_while_it_works_stops_at_its_next_word(svc, ask, engine, clock, look, worker):
    run_id = ask(variants=2)
    others = []

    def stall(stage):
        if stage == "variant 1" and not others:
            clock.now += svc.settings.lease
            others.append(claim(svc))

    engine.at_stage = stall
    worker.look(jobs.ENGINE_WORK)
    assert look(run_id).made == 0
    generations.run(svc, others[0])
    assert (look(run_id).run.state, len(look(run_id).headshots)) == (RunState.READY, 2)


def test_no_worker_touches_a_run_that_is_over(svc, ask, work, look, clock):
    run_id = ask()
    work()
    ended_at = look(run_id).run.ended_at
    clock.advance(minutes=1)
    with svc.transaction() as session:
        queue.enqueue(session, JobKind.GENERATE, run_id, at=clock())
    assert work() == 1

    assert look(run_id).run.ended_at == ended_at


def test_a_job_without_a_run_is_settled(svc, work, rows, clock):
    with svc.transaction() as session:
        queue.enqueue(session, JobKind.GENERATE, "nothing", at=clock())
    work()

    assert rows(Job) == 0


# ------------------------------------------------------------------------------------------------- erased meanwhile
@pytest.mark.parametrize("at", ["reading", "light", "finishing", "variant 1", "variant 2"])
@pytest.mark.parametrize("erased_by", ["everything", "run"])
def test_whoever_erases_during_a_run_leaves_nothing_behind(
    svc, ask, worker, engine, look, store, clock, copy_of, at, erased_by
):
    run_id = ask(contract=Contract.MONTH, variants=2)
    subject_id = subject_of(svc, ANN)

    def erase(stage):
        if stage == at:
            if erased_by == "everything":
                retention.erase_everything(svc, subject_id)
            else:
                retention.erase_run(svc, run_id)
            while worker.look(jobs.UPKEEP_WORK):
                pass

    engine.at_stage = erase
    while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK)):
        pass

    view = look(run_id)
    assert (view.run.state, view.headshots) == (RunState.CANCELLED, ())
    assert view.is_over(clock())
    assert store.objects == {}
    with svc.reading() as session:
        assert all(copy.gone_at and copy.evidence_id for copy in copies.of_subject(session, subject_id))
        assert session.get_one(Subject, subject_id).sealed_key is None


def test_a_headshot_that_is_finished_after_its_owner_left_is_not_even_written(svc, ask, work, engine, store, rows):
    run_id = ask(variants=1)
    engine.at_stage = lambda stage: stage == "variant 1" and retention.erase_run(svc, run_id)
    store.before_put = die

    work()

    assert rows(Copy) == 1


def test_a_headshot_whose_bytes_are_on_their_way_when_its_owner_leaves_is_erased_on_arrival(svc, ask, worker, store):
    ask(variants=1)
    subject_id = subject_of(svc, ANN)

    def leave(key):
        store.before_put = lambda key: None
        retention.erase_everything(svc, subject_id)
        retention.sweep(svc)

    store.before_put = leave
    worker.look(jobs.ENGINE_WORK)

    assert store.objects == {}
    with svc.reading() as session:
        headshot = session.exec(select(Copy).where(col(Copy.kind) == CopyKind.HEADSHOT)).one()
        assert headshot.erase_reason is EraseReason.NOT_WANTED and headshot.gone_at
        assert session.get_one(Subject, subject_id).sealed_key is None


def test_erasing_while_the_upload_is_on_its_way_erases_it_on_arrival(svc, ask, work, store, look, clock):
    def leave(key):
        store.before_put = lambda key: None
        retention.erase_everything(svc, subject_of(svc, ANN))
        work()

    store.before_put = leave
    run_id = ask()
    work()
    assert store.objects == {}
    assert look(run_id).run.state is RunState.CANCELLED


def test_a_run_whose_photo_is_gone_says_so(svc, ask, work, look, clock, worker):
    run_id = ask()
    with svc.transaction() as session:
        copies.shrink(session, [look(run_id).run.portrait_id], to=clock(), reason=EraseReason.ASKED)
    retention.sweep(svc)

    work()

    assert (look(run_id).run.state, look(run_id).run.failure) == (RunState.FAILED, "photo_erased")


def test_after_everything_was_erased_the_same_browser_starts_as_a_new_person(svc, ask, work, rows):
    ask()
    before = subject_of(svc, ANN)
    work()
    retention.erase_everything(svc, before)
    work()

    ask()

    assert subject_of(svc, ANN) != before
    with svc.reading() as session:
        open_ones = select(BrowserSession).where(col(BrowserSession.closed_at).is_(None))
        assert len(session.exec(open_ones).all()) == 1


def test_shortening_a_run_that_was_erased_does_not_move_its_end(svc, ask, work, clock, look):
    run_id = ask(contract=Contract.MONTH)
    work()
    erased_at = clock()
    retention.erase_run(svc, run_id)
    clock.advance(hours=1)

    retention.shorten(svc, run_id, Contract.WEEK)

    assert look(run_id).run.erase_by == erased_at


def test_stages_are_recorded_as_they_happen(svc, ask, work, engine, clock, look):
    seen = []
    engine.at_stage = lambda stage: (clock.advance(seconds=1), seen.append(look(run_id).stages))
    run_id = ask(variants=1)
    work()

    assert seen == [("reading",), ("reading",), ("reading", "light"), ("reading", "light", "finishing")]
    with svc.reading() as session:
        entered = session.exec(select(StageEvent.entered_at).order_by(col(StageEvent.id))).all()
    assert entered == sorted(entered)


def test_runs_are_listed_newest_first_and_only_to_their_owner(svc, ask, clock):
    first = ask()
    clock.advance(seconds=1)
    second = ask()

    with svc.reading() as session:
        assert [view.run.id for view in generations.runs_of(session, ANN, clock())] == [second, first]
        assert generations.runs_of(session, EVE, clock()) == []


def test_many_workers_make_each_run_once(svc, ask, engine, look, rows):
    runs = [ask(variants=1) for _ in range(6)]
    start = threading.Barrier(3)

    def drain():
        worker = jobs.Worker(svc)
        start.wait()
        while worker.look(jobs.ENGINE_WORK):
            pass

    on_all_threads(drain, times=3)

    assert all(look(run).run.state is RunState.READY for run in runs)
    assert len(engine.orders) == rows(HeadshotRow) == 6
