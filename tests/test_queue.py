"""Claims: one holder at a time, a fence for whoever comes late, and wishes that are never lost."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core import queue
from core.models import Job, JobKind
from core.queue import LeaseLost
from tests.conftest import on_all_threads

ANY = tuple(JobKind)


@pytest.fixture
def wish(svc, clock):
    def enqueue(ref="a", *, kind=JobKind.ERASE, at=timedelta(0)):
        with svc.transaction() as session:
            queue.enqueue(session, kind, ref, at=clock() + at)

    return enqueue


@pytest.fixture
def the_job(svc):
    def get():
        with svc.reading() as session:
            return session.exec(select(Job)).one_or_none()

    return get


def settle(claim):
    with claim.transaction() as session:
        claim.done(session)


def test_two_wishes_are_one_job_at_the_earlier_instant(wish, the_job, clock):
    wish(at=timedelta(hours=1))
    wish(at=timedelta(minutes=1))
    wish(at=timedelta(hours=2))

    assert (the_job().run_at, the_job().wishes) == (clock() + timedelta(minutes=1), 3)


def test_a_wish_goes_with_the_transaction_it_was_made_in(svc, clock, the_job):
    def wish_and_fail():
        with svc.transaction() as session:
            queue.enqueue(session, JobKind.ERASE, "a", at=clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        wish_and_fail()
    assert the_job() is None


def test_a_job_is_claimed_when_its_time_has_come_and_by_its_kind(svc, wish, clock):
    wish(at=timedelta(seconds=1))

    assert queue.claim(svc, ANY) is None
    clock.advance(seconds=1)
    assert queue.claim(svc, [JobKind.GENERATE]) is None
    claim = queue.claim(svc, ANY)
    assert (claim.kind, claim.ref, claim.tries, claim.wishes) == (JobKind.ERASE, "a", 1, 1)


def test_the_most_overdue_job_is_claimed_first(svc, wish, clock):
    wish("late", at=timedelta(minutes=2))
    wish("later", at=timedelta(minutes=1))
    clock.advance(hours=1)

    assert [queue.claim(svc, ANY).ref for _ in range(2)] == ["later", "late"]


def test_a_job_has_one_holder_until_its_lease_ends(svc, wish, clock):
    wish()
    first = queue.claim(svc, ANY)
    clock.now += svc.settings.lease - timedelta(microseconds=1)
    assert queue.claim(svc, ANY) is None
    clock.advance(microseconds=1)

    second = queue.claim(svc, ANY)

    assert (second.token, second.tries) == (first.token + 1, 2)
    assert queue.claim(svc, ANY) is None


def test_a_lease_that_is_renewed_does_not_end(svc, wish, clock):
    wish()
    claim = queue.claim(svc, ANY)
    for _ in range(5):
        clock.now += svc.settings.lease - timedelta(seconds=1)
        claim.renew()

    assert queue.claim(svc, ANY) is None


def test_a_lease_that_has_hardly_begun_is_not_renewed(svc, wish, clock, the_job):
    wish()
    claim = queue.claim(svc, ANY)
    until, a_part = the_job().lease_until, svc.settings.lease / queue.KEPT_FOR_NOW
    clock.now += a_part - timedelta(microseconds=1)
    claim.renew()
    assert the_job().lease_until == until
    clock.advance(microseconds=1)
    claim.renew()

    assert the_job().lease_until == until + a_part


def test_every_write_about_a_job_renews_its_lease(svc, wish, clock, the_job):
    wish()
    claim = queue.claim(svc, ANY)
    clock.advance(seconds=5)
    with claim.transaction():
        pass

    assert the_job().lease_until == clock() + svc.settings.lease


def test_whoever_was_taken_over_can_write_nothing(svc, wish, clock, the_job):
    wish()
    stale = queue.claim(svc, ANY)
    clock.now += svc.settings.lease
    queue.claim(svc, ANY)
    before = the_job().model_dump()

    with pytest.raises(LeaseLost):
        stale.renew()
    with pytest.raises(LeaseLost), stale.transaction() as session:
        queue.enqueue(session, JobKind.SWEEP, "x", at=clock())
    with pytest.raises(LeaseLost), svc.transaction() as session:
        stale.done(session)
    with pytest.raises(LeaseLost), svc.transaction() as session:
        stale.again(session, after=timedelta(0))

    assert the_job().model_dump() == before


def test_a_claim_on_a_job_that_was_settled_is_lost(svc, wish, clock):
    wish()
    stale = queue.claim(svc, ANY)
    clock.now += svc.settings.lease
    settle(queue.claim(svc, ANY))

    with pytest.raises(LeaseLost):
        stale.renew()


def test_a_settled_job_is_gone(svc, wish, the_job):
    wish()
    settle(queue.claim(svc, ANY))

    assert the_job() is None
    assert queue.claim(svc, ANY) is None


def test_a_wish_made_while_the_work_is_done_means_once_more(svc, wish, the_job):
    wish()
    claim = queue.claim(svc, ANY)
    wish()
    settle(claim)

    assert (the_job().lease_until, the_job().tries) == (None, 0)
    second = queue.claim(svc, ANY)
    assert (second.tries, second.wishes) == (1, 2)
    settle(second)
    assert the_job() is None


def test_a_wish_does_not_take_the_job_from_its_holder(svc, wish):
    wish()
    queue.claim(svc, ANY)
    wish()

    assert queue.claim(svc, ANY) is None


def test_a_job_put_off_comes_back_at_its_time(svc, wish, clock, the_job):
    wish()
    claim = queue.claim(svc, ANY)
    with claim.transaction() as session:
        claim.again(session, after=timedelta(minutes=1))

    assert queue.claim(svc, ANY) is None
    clock.advance(minutes=1)
    assert queue.claim(svc, ANY).tries == 1


def test_failed_tries_are_counted_in_a_row(svc, wish, clock):
    wish()
    for tries in (1, 2, 3):
        claim = queue.claim(svc, ANY)
        assert claim.tries == tries
        with claim.transaction() as session:
            claim.again(session, after=timedelta(0), failed=True)
    claim = queue.claim(svc, ANY)
    with claim.transaction() as session:
        claim.again(session, after=timedelta(0))
    assert queue.claim(svc, ANY).tries == 1


@pytest.mark.parametrize("failed", [True, False])
def test_who_asks_while_the_work_is_done_does_not_wait_for_its_next_try(svc, wish, clock, the_job, failed):
    wish()
    claim = queue.claim(svc, ANY)
    wish()
    with claim.transaction() as session:
        claim.again(session, after=timedelta(hours=1), failed=failed)

    assert the_job().run_at == clock()
    assert queue.claim(svc, ANY).wishes == 2


def test_many_threads_claim_each_job_once(svc, wish):
    for n in range(12):
        wish(str(n))

    def drain():
        mine = []
        while claim := queue.claim(svc, ANY):
            mine.append(claim.ref)
        return mine

    claimed = [ref for mine in on_all_threads(drain, times=3) for ref in mine]

    # a thread may find a job taken between its look and its claim, and leave the rest to the others
    assert len(claimed) == len(set(claimed))
    claimed += drain()
    assert sorted(claimed) == sorted(str(n) for n in range(12))


def test_many_threads_wish_for_one_job(wish, the_job):
    on_all_threads(wish, times=6)

    assert the_job().wishes == 6
