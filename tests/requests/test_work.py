"""The job of a request: it begins after the undo, closes on evidence alone, says what keeps it, and ends once."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from core import erasing, jobs, receipts, requests, retention, sla
from core.models import (
    Copy,
    Generation,
    Job,
    JobKind,
    MailOut,
    Receipt,
    Request,
    RequestMessage,
    RequestOutcome,
    RequestState,
    RunState,
)
from core.queue import LeaseLost, claim, enqueue
from core.sla import Standing
from tests.conftest import ANN, on_all_threads
from tests.requests.conftest import ADDRESS, OPERATOR

REQUESTS = (JobKind.REQUEST,)


@pytest.fixture
def jobs_of(svc):
    def get(ref):
        with svc.reading() as session:
            return session.exec(select(Job).where(Job.ref == ref)).all()

    return get


def receipts_of(svc):
    with svc.reading() as session:
        return session.exec(select(Receipt)).all()


# ----------------------------------------------------------------------------------------------------------- the whole
def test_from_the_press_to_the_answer(
    svc, press, subject_id, work, clock, row, kept, mails, words_of, deeds, store, jobs_of
):
    work()  # the run is made first
    asked = press(words="all of it, please", address=ADDRESS)
    clock.advance(seconds=119)
    work()
    assert row(asked).state is RequestState.UNDO
    assert len(kept(subject_id)) == 3
    clock.advance(seconds=1)
    began = clock()
    work()

    done = row(asked)
    assert (done.state, done.outcome, done.trouble) == (RequestState.CLOSED, RequestOutcome.DONE, None)
    assert done.started_at == done.erased_at == done.proved_at == done.done_at == done.closed_at == began
    assert kept(subject_id) == [] and store.objects == {}
    assert (done.sealed_key, done.sealed_address) == (None, None)
    assert jobs_of(asked.id) == []
    (mail,) = mails()
    assert (mail.purpose, mail.request_id, mail.once) == ("done", asked.id, f"done:{asked.id}")
    (receipt,) = receipts_of(svc)
    assert receipts.check(svc, receipts.as_file(receipt)).well
    assert receipt.number in words_of(mail)
    with svc.reading() as session:
        assert session.exec(select(RequestMessage.sealed_body)).all() == [None]
    assert deeds(asked).count("request:closed") == 1


def test_nothing_is_told_to_nobody(press, subject_id, erased, row, mails):
    asked = press()
    erased()

    assert row(asked).outcome is RequestOutcome.DONE
    assert mails() == []


def test_nothing_held_is_not_done(svc, press, subject_id, work, row, clock, erased):
    retention.erase_everything(svc, subject_id)
    work()
    clock.advance(seconds=1)
    asked = press(address=ADDRESS)
    erased()

    assert row(asked).outcome is RequestOutcome.NOTHING_HELD
    assert row(asked).done_at == clock()
    assert receipts_of(svc) == []


def test_what_went_by_its_own_clock_since_the_receipt_is_done(svc, press, subject_id, work, row, clock):
    """Nobody came to it before the contract ended: it is gone since, and proved."""
    work()
    asked = press()
    clock.advance(minutes=1)
    with svc.transaction() as session:
        session.execute(sa.update(Copy).values(erase_by=clock()))
    retention.sweep(svc)
    clock.advance(minutes=1)
    work()

    done = row(asked)
    assert (done.outcome, done.proved_at, done.erased_at) == (
        RequestOutcome.DONE,
        clock(),
        clock() - timedelta(minutes=1),
    )
    assert len(receipts_of(svc)) == 1


def test_the_promise_is_kept_or_missed_by_when_it_was_proved(svc, arrives, code, clock, work, row):
    """Proved in time and closed late, as by a worker that was away: in time."""
    read = arrives(code)
    clock.advance(minutes=2)
    worker = jobs.Worker(svc)
    assert worker.look(REQUESTS)
    clock.now = read.due_at
    while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK)):
        pass
    clock.advance(seconds=1)
    work()

    assert row(read).done_at == read.due_at < row(read).closed_at
    assert sla.standing(row(read), clock()) is Standing.MET


def test_proved_a_second_late_is_missed(svc, arrives, code, clock, work, row):
    read = arrives(code)
    clock.now = read.due_at + timedelta(seconds=1)
    work()

    assert row(read).outcome is RequestOutcome.DONE
    assert sla.standing(row(read), clock()) is Standing.MISSED


# ------------------------------------------------------------------------------------------------------ what keeps it
@pytest.mark.parametrize(
    ("flag", "trouble"),
    [("down", "storage_unreachable"), ("erases_nothing", "not_proved"), ("head_refused", "not_proved")],
)
def test_storage_that_shows_nothing_closes_nothing(
    svc, press, subject_id, store, flag, trouble, erased, row, clock, work, mails
):
    asked = press(address=ADDRESS)
    setattr(store, flag, True)
    erased()
    clock.advance(seconds=31)
    work()

    assert (row(asked).state, row(asked).trouble) == (RequestState.WORKING, trouble)
    assert mails() == []
    clock.advance(hours=49)
    work()
    assert sla.standing(row(asked), clock()) is Standing.BREACHED
    setattr(store, flag, False)
    clock.advance(hours=2)
    work()
    assert (row(asked).outcome, row(asked).trouble) == (RequestOutcome.DONE, None)
    assert [mail.purpose for mail in mails()] == ["done"]
    assert sla.standing(row(asked), clock()) is Standing.MISSED


def test_a_switch_that_stops_all_erasing_is_named_and_waited_for(
    svc, press, subject_id, erased, row, clock, work, kept
):
    asked = press()
    erasing.stop(svc, reason="wrong-clock", actor=OPERATOR)
    erased()
    clock.advance(minutes=1)
    work()

    assert (row(asked).state, row(asked).trouble) == (RequestState.WORKING, "erasing_stopped")
    assert all(copy.erase_by <= clock() for copy in kept(subject_id)), "access has ended all the same"
    erasing.start(svc, actor=OPERATOR)
    clock.advance(minutes=1)
    work()
    assert row(asked).outcome is RequestOutcome.DONE


def test_an_upload_that_may_still_be_on_its_way_is_waited_for(
    svc, press, subject_id, given_copy, erased, row, clock, work
):
    given_copy(subject_id=subject_id, written=False, ends_in=timedelta(days=3))
    asked = press()
    erased()
    clock.advance(seconds=31)
    work()
    assert (row(asked).state, row(asked).trouble) == (RequestState.WORKING, "write_settles")
    clock.advance(minutes=6)
    work()
    assert row(asked).outcome is RequestOutcome.DONE


def test_a_closing_that_fails_leaves_nothing_half_done(svc, press, subject_id, erased, row, clock, work, mails, deeds):
    """The receipt cannot be signed: no mail, no end; and later both, once."""

    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("no key at hand")

    asked = press(address=ADDRESS)
    clock.advance(minutes=2)
    broken = jobs.Worker(replace(svc, signer=Broken()))
    while broken.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
        pass

    assert (row(asked).state, row(asked).trouble) == (RequestState.WORKING, "answer_failed")
    assert (mails(), receipts_of(svc)) == ([], [])
    assert requests.detail(svc, asked.id, clock()).address == ADDRESS
    clock.advance(minutes=6)
    work()
    assert (row(asked).outcome, row(asked).trouble) == (RequestOutcome.DONE, None)
    assert (len(mails()), len(receipts_of(svc)), deeds(asked).count("request:closed")) == (1, 1, 1)


# ----------------------------------------------------------------------------------------------------- runs under way
def test_a_request_during_a_run_stops_it_and_nothing_of_it_stays(svc, ask, press, engine, clock, work, row, store):
    run_id, asked = ask(), []

    def at_stage(stage):
        if stage == "variant 2" and not asked:
            asked.append(press())
            clock.advance(minutes=2)
            assert jobs.Worker(svc).look(REQUESTS)

    engine.at_stage = at_stage
    work()

    with svc.reading() as session:
        assert session.get(Generation, run_id).state is RunState.CANCELLED
    clock.advance(minutes=1)
    work()
    assert row(asked[0]).outcome is RequestOutcome.DONE
    assert store.objects == {}


def test_a_run_that_has_not_ended_is_waited_for(svc, ask, press, engine, clock, row, subject_id):
    """Its worker is away: something may still arrive. It ends with the worker that takes it over."""
    asked = press()
    clock.advance(minutes=2)
    worker = jobs.Worker(svc)
    while worker.look((*jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
        pass
    clock.advance(minutes=1)
    while worker.look((*jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
        pass
    assert row(asked).state is RequestState.WORKING
    while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
        pass
    assert row(asked).outcome is RequestOutcome.DONE


def test_what_slipped_in_as_it_began_goes_with_it(svc, press, subject_id, given_copy, clock, row, work):
    """Between "begun" and the wish to erase lies a moment, and a headshot may be planned in it."""
    work()
    asked = press()
    clock.advance(minutes=2)
    held = claim(svc, REQUESTS)
    assert requests.work._begin(held)
    clock.advance(seconds=1)
    given_copy(subject_id=subject_id, written=False, ends_in=timedelta(days=3))
    requests.step(svc, held)
    work()
    clock.advance(seconds=31)
    work()
    assert (row(asked).state, row(asked).trouble) == (RequestState.WORKING, "write_settles")
    clock.advance(minutes=6)
    work()
    assert row(asked).outcome is RequestOutcome.DONE


def test_what_is_made_after_it_began_is_not_taken(svc, press, ask, subject_id, clock, work, row, kept, store):
    """Who goes on making photos keeps them, and their request does not wait for those."""
    asked = press()
    store.erases_nothing = True
    clock.advance(minutes=2)
    work()
    clock.advance(minutes=5)
    ask()
    store.erases_nothing = False
    clock.advance(hours=1)
    work()

    assert row(asked).outcome is RequestOutcome.DONE
    left = kept(subject_id)
    assert len(left) == 3
    assert all(copy.created_at > row(asked).started_at and copy.erased_at is None for copy in left)


# ------------------------------------------------------------------------------------------------------- by and by
def test_work_that_lost_its_job_is_found_by_the_sweep(svc, press, subject_id, clock, work, row, worker):
    asked = press()
    with svc.transaction() as session:
        session.execute(sa.delete(Job))
    clock.advance(minutes=3)
    worker.beat()
    work()

    assert row(asked).outcome is RequestOutcome.DONE


def test_erasing_that_lost_its_job_goes_on(svc, press, subject_id, clock, work, row, worker):
    work()  # no run is under way, whose end would ask for it as well
    asked = press()
    clock.advance(minutes=2)
    assert worker.look(REQUESTS)
    with svc.transaction() as session:
        session.execute(sa.delete(Job).where(col(Job.kind) == JobKind.ERASE))
    clock.advance(seconds=31)
    work()
    clock.advance(seconds=31)
    work()

    assert row(asked).outcome is RequestOutcome.DONE


def test_a_worker_that_was_overtaken_writes_nothing(svc, press, subject_id, clock, row, mails, work):
    asked = press(address=ADDRESS)
    clock.advance(minutes=2)
    late = claim(svc, REQUESTS)
    clock.advance(minutes=1)  # its lease ends, and another takes over
    work()
    before = row(asked)
    with pytest.raises(LeaseLost):
        requests.step(svc, late)

    assert row(asked) == before
    assert len(mails()) == 1


def test_several_workers_at_once_close_it_once(svc, press, subject_id, clock, row, mails, deeds, work):
    asked = press(address=ADDRESS)
    clock.advance(minutes=2)
    workers = [jobs.Worker(svc) for _ in range(4)]
    ones = iter(workers)

    def drain():
        worker = next(ones)
        while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
            pass

    on_all_threads(drain, times=4)
    clock.advance(minutes=1)
    work()
    assert row(asked).outcome is RequestOutcome.DONE
    assert len(mails()) == 1
    assert [deeds(asked).count(deed) for deed in ("request:started", "request:proved", "request:closed")] == [1, 1, 1]


def test_undo_and_begin_at_the_same_moment_end_in_one_of_the_two(svc, press, subject_id, clock, row, work, kept):
    asked = press()
    clock.advance(minutes=2)
    worker = jobs.Worker(svc)
    turns = iter([lambda: requests.undo(svc, ANN, asked.id), lambda: worker.look(REQUESTS)])

    def either():
        try:
            return next(turns)()
        except requests.register.NotAllowed:
            return None

    on_all_threads(either, times=2)
    work()
    clock.advance(minutes=1)
    work()
    outcome = row(asked).outcome
    assert outcome in (RequestOutcome.WITHDRAWN, RequestOutcome.DONE)
    assert (kept(subject_id) == []) is (outcome is RequestOutcome.DONE)


def test_whoever_wakes_it_early_does_not_start_it(svc, press, subject_id, clock, work, row, kept):
    asked = press()
    clock.advance(seconds=119)
    with svc.transaction() as session:
        enqueue(session, JobKind.REQUEST, asked.id, at=clock())
    work()

    assert row(asked).state is RequestState.UNDO
    assert all(copy.erased_at is None for copy in kept(subject_id))
    clock.advance(seconds=1)
    work()
    assert row(asked).state is not RequestState.UNDO


def test_what_is_taken_back_while_its_worker_comes_to_it_stays(svc, press, subject_id, clock, row, kept, work):
    """The worker has read that it may begin, and then it is taken back: what counts is what is read under the lock."""
    asked = press()
    clock.advance(minutes=2)
    held = claim(svc, REQUESTS)
    as_read = row(asked)
    requests.undo(svc, ANN, asked.id)
    assert as_read.state is RequestState.UNDO
    assert requests.work._begin(held) is False
    work()

    assert row(asked).outcome is RequestOutcome.WITHDRAWN
    assert all(copy.erased_at is None for copy in kept(subject_id))


def test_a_job_for_nothing_is_settled(svc, worker, clock, by_hand, jobs_of):
    entered = by_hand()
    with svc.transaction() as session:
        for ref in (entered.id, "0" * 32):
            enqueue(session, JobKind.REQUEST, ref, at=clock())
    assert worker.look(REQUESTS) and worker.look(REQUESTS) and not worker.look(REQUESTS)
    assert jobs_of(entered.id) == []


def test_no_mail_of_ours_outlives_its_request_but_the_one_that_was_queued(svc, press, subject_id, erased, mails):
    """The request's own key is gone; the mail lies under one of its own until it is sent."""
    asked = press(address=ADDRESS)
    erased()
    with svc.reading() as session:
        stored = session.get(Request, asked.id)
        assert session.exec(select(MailOut.sealed_key)).one() is not None
    assert stored.sealed_key is None
