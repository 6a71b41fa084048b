"""The one way out: kept to the last second, erased once due, called gone only when storage has shown it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import col, func, select

from core import access, copies, generations, jobs, retention
from core.contracts import Contract
from core.errors import NotAllowed, NotFound, StorageUnavailable
from core.models import BrowserSession, Copy, CopyKind, EraseReason, Evidence, Generation, Subject
from core.ports import Presence
from core.retention import ASK_AGAIN_FIRST, ASK_AGAIN_LATEST, BATCH, LINKS_KEPT, WRITE_SETTLES, Outcome
from tests.conftest import ANN, BOB, PLAIN, on_all_threads


def keys_of(svc, *subject_ids):
    with svc.reading() as session:
        return [session.get_one(Subject, subject_id).sealed_key is not None for subject_id in subject_ids]


def evidence_of(svc, copy):
    with svc.reading() as session:
        return session.exec(select(Evidence).where(Evidence.copy_id == copy.id)).all()


# ------------------------------------------------------------------------------------------------- due, or not
def test_a_copy_is_kept_until_its_last_second(svc, clock, store, given_copy):
    copy = given_copy(ends_in=timedelta(days=30))
    clock.now = copy.erase_by - timedelta(seconds=1)

    assert retention.sweep(svc) == retention.Report()
    assert retention.erase(svc, copy.id) is Outcome.KEPT
    assert copies.read(svc, copy.id) == PLAIN
    clock.advance(seconds=1)
    with pytest.raises(NotFound):
        copies.read(svc, copy.id)
    assert retention.sweep(svc).gone == 1

    assert store.objects == {}


def test_gone_comes_with_the_evidence_for_it(svc, clock, given_copy, now_of):
    copy = given_copy()
    clock.advance(seconds=5)

    assert retention.erase(svc, copy.id) is Outcome.GONE

    row, (evidence,) = now_of(copy), evidence_of(svc, copy)
    assert (row.erased_at, row.gone_at, row.evidence_id) == (clock(), clock(), evidence.id)
    assert (evidence.head, evidence.listing, evidence.probed_at) == (Presence.ABSENT, Presence.ABSENT, clock())


def test_erasing_again_what_is_gone_does_nothing(svc, clock, store, given_copy, now_of):
    copy = given_copy()
    retention.erase(svc, copy.id)
    gone_at = now_of(copy).gone_at
    store.down = True
    clock.advance(days=1)

    assert retention.erase(svc, copy.id) is Outcome.ALREADY_GONE
    assert retention.erase(svc, "never was") is Outcome.ALREADY_GONE

    assert (now_of(copy).gone_at, now_of(copy).probes) == (gone_at, 0)
    assert len(evidence_of(svc, copy)) == 1


def test_a_sweep_takes_what_is_due_and_nothing_else(svc, store, given_copy):
    due = [given_copy() for _ in range(3)]
    kept = [given_copy(ends_in=timedelta(seconds=1)), given_copy(ends_in=timedelta(days=3))]

    assert retention.sweep(svc) == retention.Report(gone=3)

    assert set(store.objects) == {copy.object_key for copy in kept}
    assert not set(store.objects) & {copy.object_key for copy in due}


def test_a_sweep_of_more_than_a_batch_takes_it_all(svc, store, given_copy, given_subject):
    subject_id = given_subject()
    for _ in range(BATCH + 1):
        given_copy(subject_id=subject_id)
    seen = []

    report = retention.sweep(svc, after_each=lambda: seen.append(len(store.objects)))

    assert report.gone == BATCH + 1
    assert sorted(set(seen), reverse=True) == [1, 0], "it breathes between the batches"


def test_the_most_overdue_goes_first(svc, clock, given_copy):
    late, later, latest = (given_copy(ends_in=timedelta(minutes=n)) for n in (3, 2, 1))
    clock.advance(hours=1)

    with svc.reading() as session:
        assert [c.id for c in retention.due_copies(session, clock())] == [latest.id, later.id, late.id]
        assert [c.id for c in retention.due_copies(session, clock(), limit=1)] == [latest.id]


def test_a_sweep_of_one_subject_leaves_the_others_alone(svc, store, given_copy):
    mine, other = given_copy(), given_copy()

    assert retention.sweep(svc, subject_id=mine.subject_id).gone == 1

    assert set(store.objects) == {other.object_key}


@pytest.mark.parametrize(
    ("uploaded", "due"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 3, 29, 11, tzinfo=UTC)),
        (datetime(2026, 10, 24, 12, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 10, 25, 10, tzinfo=UTC)),
        (datetime(2028, 2, 28, 12, tzinfo=UTC), datetime(2028, 2, 29, 12, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 59, 60 - 1, tzinfo=UTC), datetime(2027, 1, 1, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instants_do_not_move_with_the_clocks_of_a_place(svc, clock, given_copy, uploaded, due):
    clock.now = uploaded.astimezone(UTC)
    copy = given_copy(ends_in=timedelta(hours=24))

    clock.now = due.astimezone(ZoneInfo("Europe/Berlin")) - timedelta(seconds=1)
    assert retention.erase(svc, copy.id) is Outcome.KEPT
    clock.now = due.astimezone(ZoneInfo("Europe/Berlin"))
    assert retention.erase(svc, copy.id) is Outcome.GONE


# ------------------------------------------------------------------------------------------------- liars
def erases_nothing(store):
    store.erases_nothing = True


def refuses_head(store):
    store.head_refused = True


def lists_what_has_gone(store):
    store.listing_lags = True


def is_down(store):
    store.down = True


def goes_down_after_erasing(store):
    store.before_head = lambda key: is_down(store)


def is_honest(store):
    store.erases_nothing = store.head_refused = store.listing_lags = store.down = False
    store.before_head = lambda key: None


LIARS = {
    erases_nothing: "head says present, listing says present",
    refuses_head: "head says unknown, listing says absent",
    lists_what_has_gone: "head says absent, listing says present",
    is_down: "storage could not be reached",
    goes_down_after_erasing: "head says unknown, listing says unknown",
}


@pytest.mark.parametrize("lie", LIARS)
def test_a_store_that_lies_proves_nothing_and_is_asked_again(svc, clock, store, given_copy, now_of, lie):
    copy = given_copy()
    lie(store)

    assert retention.sweep(svc) == retention.Report(not_proved=1)

    row = now_of(copy)
    assert (row.gone_at, row.evidence_id, evidence_of(svc, copy)) == (None, None, [])
    assert (row.probes, row.probe_answer) == (1, LIARS[lie])
    assert row.probe_again_at == clock() + ASK_AGAIN_FIRST
    assert (row.erased_at is None) == (lie is is_down)
    assert keys_of(svc, copy.subject_id) == [True]
    is_honest(store)
    assert retention.sweep(svc) == retention.Report(), "not before its time"
    clock.now += ASK_AGAIN_FIRST
    assert retention.sweep(svc) == retention.Report(gone=1)
    assert now_of(copy).probe_answer is None
    assert store.objects == {}


def test_a_copy_that_nobody_erased_is_not_readable_for_that(svc, store, given_copy):
    copy = given_copy()
    erases_nothing(store)
    retention.sweep(svc)

    with pytest.raises(NotFound):
        copies.read(svc, copy.id)


def test_storage_is_asked_less_and_less_often_but_hourly_at_least(svc, clock, store, given_copy, now_of):
    copy = given_copy()
    erases_nothing(store)
    waits = []
    for _ in range(12):
        retention.sweep(svc)
        waits.append(now_of(copy).probe_again_at - clock())
        clock.now = now_of(copy).probe_again_at

    assert waits[:4] == [ASK_AGAIN_FIRST * 2**n for n in range(4)]
    assert waits[-1] == ASK_AGAIN_LATEST == max(waits)
    with svc.transaction() as session:
        session.get_one(Copy, copy.id).probes = 10**6
    retention.sweep(svc)
    assert now_of(copy).probe_again_at == clock() + ASK_AGAIN_LATEST


def test_erased_keeps_the_instant_of_the_first_deed(svc, clock, store, given_copy, now_of):
    copy, first = given_copy(), clock()
    erases_nothing(store)
    retention.sweep(svc)
    clock.advance(hours=2)
    retention.sweep(svc)

    assert now_of(copy).erased_at == first


def test_a_store_that_goes_down_in_the_middle_leaves_the_rest_for_the_next_sweep(svc, clock, store, given_copy):
    for _ in range(5):
        given_copy()
    asked = []
    store.before_head = lambda key: (asked.append(key), setattr(store, "down", len(asked) >= 4))

    report = retention.sweep(svc)

    assert report == retention.Report(not_proved=5), "five were erased, and none of it could be shown"
    store.before_head = lambda key: None
    store.down = False
    clock.now += ASK_AGAIN_FIRST
    assert retention.sweep(svc) == retention.Report(gone=5)
    assert store.objects == {}


def test_one_copy_that_cannot_be_proved_does_not_hold_up_the_others(svc, store, given_copy):
    stuck = given_copy(ends_in=-timedelta(days=1))
    others = [given_copy() for _ in range(3)]
    store.before_head = lambda key: setattr(store, "head_refused", key == stuck.object_key)

    assert retention.sweep(svc) == retention.Report(gone=len(others), not_proved=1)


# ------------------------------------------------------------------------------------------------- arriving late
def test_a_write_that_may_be_on_its_way_is_not_proved_away(svc, clock, store, given_copy, now_of):
    copy = given_copy(written=False)

    assert retention.erase(svc, copy.id) is Outcome.NOT_PROVED
    assert now_of(copy).probe_answer == "a write may still be on its way"
    clock.now = copy.created_at + WRITE_SETTLES - timedelta(microseconds=1)
    assert retention.erase(svc, copy.id) is Outcome.NOT_PROVED
    clock.now = copy.created_at + WRITE_SETTLES
    assert retention.erase(svc, copy.id) is Outcome.GONE


def test_bytes_that_arrive_after_the_erase_are_seen_and_erased(svc, clock, store, given_copy, now_of):
    copy = given_copy(written=False)
    retention.erase(svc, copy.id)
    clock.advance(seconds=1)

    assert copies.write(svc, copy.id, PLAIN) is False

    row = now_of(copy)
    assert (row.erase_reason, row.erased_at, row.probe_again_at) == (EraseReason.NOT_WANTED, None, None)
    assert retention.sweep(svc).gone == 1
    assert store.objects == {}


def test_bytes_that_arrive_are_due_at_once_though_the_eraser_s_clock_was_ahead(svc, clock, given_copy, store):
    copy = given_copy(ends_in=timedelta(seconds=2), written=False)
    clock.advance(seconds=3)
    retention.erase(svc, copy.id)
    clock.advance(seconds=-2)  # another server writes, and its clock is behind

    assert copies.write(svc, copy.id, PLAIN) is False
    assert retention.sweep(svc).gone == 1
    assert store.objects == {}


def test_bytes_that_arrive_between_the_erase_and_the_proof_are_not_called_gone(svc, clock, store, given_copy):
    copy = given_copy()

    def arrive(key):
        store.before_head = lambda key: None
        clock.advance(seconds=1)
        copies.write(svc, copy.id, PLAIN)

    store.before_head = arrive
    assert retention.erase(svc, copy.id) is Outcome.NOT_PROVED
    clock.now += ASK_AGAIN_FIRST
    assert retention.sweep(svc).gone == 1
    assert store.objects == {}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=1)])
def test_bytes_that_arrive_after_the_last_look_are_not_called_gone(svc, clock, store, given_copy, now_of, later):
    copy = given_copy()

    def arrive(key):
        store.after_listing = lambda key: None
        clock.now += later
        copies.write(svc, copy.id, PLAIN)

    store.after_listing = arrive
    assert retention.erase(svc, copy.id) is Outcome.NOT_PROVED
    assert (now_of(copy).gone_at, evidence_of(svc, copy)) == (None, [])
    assert keys_of(svc, copy.subject_id) == [True]
    assert retention.sweep(svc).gone == 1
    assert store.objects == {}


def test_what_was_seen_before_the_bytes_came_proves_nothing_though_another_has_erased_since(
    svc, clock, store, given_copy, now_of
):
    copy = given_copy()

    def arrive_and_be_erased_in_vain(key):
        store.after_listing = lambda key: None
        clock.advance(seconds=1)
        copies.write(svc, copy.id, PLAIN)
        store.erases_nothing = True
        assert retention.erase(svc, copy.id) is Outcome.NOT_PROVED

    store.after_listing = arrive_and_be_erased_in_vain
    assert retention.erase(svc, copy.id) is Outcome.NOT_PROVED
    assert now_of(copy).gone_at is None
    assert copy.object_key in store.objects


def test_an_object_that_comes_back_after_it_was_gone_is_erased_again(svc, clock, store, given_copy, given_subject):
    subject_id = given_subject()
    given_copy(subject_id=subject_id, ends_in=timedelta(days=1))  # keeps the subject, and so its key
    copy = given_copy(subject_id=subject_id, written=False)
    clock.now += WRITE_SETTLES
    assert retention.erase(svc, copy.id) is Outcome.GONE

    assert copies.write(svc, copy.id, PLAIN) is False

    assert copy.object_key in store.objects
    assert retention.sweep(svc).gone == 1
    assert copy.object_key not in store.objects
    assert len(evidence_of(svc, copy)) == 2


def test_nothing_is_written_for_a_subject_that_is_over(svc, clock, store, given_copy):
    copy = given_copy(written=False)
    clock.now += WRITE_SETTLES
    retention.sweep(svc)

    with pytest.raises(NotFound):
        copies.write(svc, copy.id, PLAIN)

    assert store.objects == {}


def test_a_copy_that_is_wanted_arrives_and_can_be_read(svc, given_copy, now_of, clock):
    copy = given_copy(ends_in=timedelta(hours=1), written=False)
    with pytest.raises(NotFound):
        copies.read(svc, copy.id)

    assert copies.write(svc, copy.id, PLAIN) is True

    assert now_of(copy).written_at == clock()
    assert copies.read(svc, copy.id) == PLAIN


def test_a_copy_that_arrives_at_the_end_of_its_clock_is_not_wanted(svc, given_copy, clock):
    copy = given_copy(ends_in=timedelta(seconds=1), written=False)
    clock.advance(seconds=1)

    assert copies.write(svc, copy.id, PLAIN) is False


# ------------------------------------------------------------------------------------------------- the database
def refused(svc, statement, **values):
    with pytest.raises(sa.exc.IntegrityError), svc.transaction() as session:
        session.execute(sa.text(statement), values)
    return True


def test_the_database_itself_refuses_gone_without_evidence(svc, clock, given_copy):
    copy = given_copy()
    at = "2026-03-02 12:00:00+00:00"
    assert refused(svc, "UPDATE copy SET gone_at = :at, erased_at = :at WHERE id = :id", at=at, id=copy.id)
    assert refused(
        svc, "UPDATE copy SET gone_at = :at, erased_at = :at, evidence_id = 'none' WHERE id = :id", at=at, id=copy.id
    )


def test_the_database_itself_refuses_the_evidence_of_another_copy(svc, given_copy):
    copy, other = given_copy(), given_copy()
    retention.erase(svc, other.id)
    (foreign,) = evidence_of(svc, other)

    assert refused(
        svc,
        "UPDATE copy SET gone_at = :at, erased_at = :at, evidence_id = :evidence WHERE id = :id",
        at="2026-03-02 12:00:00+00:00",
        evidence=foreign.id,
        id=copy.id,
    )


def test_the_database_itself_refuses_gone_of_what_was_not_erased(svc, given_copy):
    copy = given_copy()
    retention.erase(svc, copy.id)

    assert refused(svc, "UPDATE copy SET erased_at = NULL WHERE id = :id", id=copy.id)
    assert refused(svc, "UPDATE copy SET evidence_id = NULL WHERE id = :id", id=copy.id)
    assert refused(svc, "DELETE FROM evidence WHERE copy_id = :id", id=copy.id)


@pytest.mark.parametrize("head", Presence)
@pytest.mark.parametrize("listing", Presence)
def test_the_database_itself_refuses_evidence_that_is_no_negative_read(svc, given_copy, clock, head, listing):
    if (head, listing) == (Presence.ABSENT, Presence.ABSENT):
        with svc.transaction() as session:
            session.add(Evidence(copy_id="any", probed_at=clock(), head=head, listing=listing))
        return
    assert refused(
        svc,
        "INSERT INTO evidence (id, copy_id, probed_at, head, listing) VALUES ('e', 'c', :at, :head, :listing)",
        at="2026-03-02 12:00:00+00:00",
        head=head.value,
        listing=listing.value,
    )


def test_the_database_itself_refuses_a_key_that_is_both_kept_and_destroyed(svc, given_subject):
    subject_id = given_subject()
    at = "2026-03-02 12:00:00+00:00"
    assert refused(svc, "UPDATE subject SET sealed_key = NULL WHERE id = :id", id=subject_id)
    assert refused(svc, "UPDATE subject SET key_destroyed_at = :at WHERE id = :id", at=at, id=subject_id)


def test_the_database_itself_refuses_an_instant_without_a_zone(svc, given_copy):
    copy = given_copy()
    with pytest.raises(sa.exc.StatementError, match="zone"), svc.transaction() as session:
        session.get_one(Copy, copy.id).erase_by = datetime(2026, 1, 1)


# ------------------------------------------------------------------------------------------------- the last copy
def test_the_key_goes_with_the_last_copy_and_not_before(svc, clock, given_subject, given_copy, now_of):
    subject_id = given_subject()
    first = given_copy(subject_id=subject_id)
    given_copy(subject_id=subject_id, ends_in=timedelta(hours=1))
    other = given_copy(ends_in=timedelta(days=1))

    retention.sweep(svc)
    assert now_of(first).gone_at
    assert keys_of(svc, subject_id) == [True]
    clock.advance(hours=1)
    retention.sweep(svc)

    assert keys_of(svc, subject_id, other.subject_id) == [False, True]
    with svc.reading() as session:
        subject = session.get_one(Subject, subject_id)
    assert (subject.claim_hash, subject.key_destroyed_at) == (None, clock())


def test_the_key_stays_while_one_copy_is_erased_and_not_proved(svc, store, given_subject, given_copy, now_of):
    subject_id = given_subject()
    stuck, other = given_copy(subject_id=subject_id), given_copy(subject_id=subject_id)
    store.before_head = lambda key: setattr(store, "head_refused", key == stuck.object_key)
    retention.erase(svc, stuck.id)
    retention.erase(svc, other.id)

    assert now_of(stuck).erased_at and now_of(other).gone_at
    assert keys_of(svc, subject_id) == [True]


def test_the_key_stays_while_the_last_copy_is_not_proved(svc, clock, store, given_copy):
    copy = given_copy()
    erases_nothing(store)
    retention.sweep(svc)

    assert keys_of(svc, copy.subject_id) == [True]


def test_what_a_backup_still_holds_opens_no_more(svc, store, given_copy, now_of):
    copy = given_copy()
    backup = dict(store.objects)
    retention.sweep(svc)
    store.objects = backup

    with svc.reading() as session, pytest.raises(NotFound):
        svc.vault.get(session.get_one(Subject, copy.subject_id), copy)


def test_a_subject_stays_while_a_run_is_under_way(svc, ask, clock, worker):
    ask()
    with svc.reading() as session:
        subject_id = access.current_subject(session, ANN).id
        held = [copy.id for copy in copies.of_subject(session, subject_id)]
    with svc.transaction() as session:
        copies.shrink(session, held, to=clock(), reason=EraseReason.ASKED)
    assert retention.sweep(svc).gone == 1
    assert keys_of(svc, subject_id) == [True]

    worker.look(jobs.ENGINE_WORK)

    assert keys_of(svc, subject_id) == [False]


def test_the_day_the_key_went_is_not_moved_by_a_late_arrival(svc, clock, store, given_copy, now_of):
    copy = given_copy()
    retention.sweep(svc)
    went = clock()
    clock.advance(hours=1)
    copies.arrived(svc, copy.id)
    assert retention.sweep(svc).gone == 1

    with svc.reading() as session:
        assert session.get_one(Subject, copy.subject_id).key_destroyed_at == went


def test_links_to_a_subject_that_is_over_are_forgotten_a_day_later(svc, ask, work, clock):
    for who in (ANN, BOB):
        ask(who=who)
    work()
    with svc.reading() as session:
        anns = access.current_subject(session, ANN).id
    retention.erase_everything(svc, anns)
    work()

    def linked():
        with svc.reading() as session:
            return set(session.exec(select(BrowserSession.session_hash)).all())

    clock.now += LINKS_KEPT - timedelta(seconds=1)
    retention.sweep(svc)
    assert linked() == {ANN, BOB}
    clock.advance(seconds=1)
    retention.sweep(svc, subject_id=anns)
    assert linked() == {ANN, BOB}, "only the whole sweep tidies up"
    retention.sweep(svc)
    assert linked() == {BOB}


# ------------------------------------------------------------------------------------------------- two at once
def test_two_sweepers_at_once_erase_everything_once(svc, store, given_copy, given_subject):
    subjects = [given_subject() for _ in range(5)]
    for subject_id in subjects:
        for _ in range(4):
            given_copy(subject_id=subject_id)

    reports = on_all_threads(lambda: retention.sweep(svc), times=3)

    assert sum(report.gone for report in reports) == 20
    assert sum(report.not_proved for report in reports) == 0
    assert store.objects == {}
    assert keys_of(svc, *subjects) == [False] * 5
    with svc.reading() as session:
        assert session.exec(select(func.count()).select_from(Evidence)).one() == 20


def test_whoever_closes_the_last_two_copies_at_once_one_of_them_destroys_the_key(svc, given_copy, given_subject):
    for _ in range(5):
        subject_id = given_subject()
        waiting = [given_copy(subject_id=subject_id).id, given_copy(subject_id=subject_id).id]
        on_all_threads(lambda waiting=waiting: retention.erase(svc, waiting.pop()), times=2)
        assert keys_of(svc, subject_id) == [False]


def test_who_comes_second_to_a_copy_finds_it_gone(svc, store, given_copy):
    copy = given_copy()

    def the_other_is_faster(key):
        store.before_head = lambda key: None
        assert retention.erase(svc, copy.id) is Outcome.GONE

    store.before_head = the_other_is_faster
    assert retention.erase(svc, copy.id) is Outcome.ALREADY_GONE
    assert len(evidence_of(svc, copy)) == 1


# ------------------------------------------------------------------------------------------------- clocks shrink
def test_a_clock_only_shrinks(svc, clock, given_copy, now_of):
    copy = given_copy(ends_in=timedelta(days=7))

    def shrink(to):
        with svc.transaction() as session:
            return copies.shrink(session, [copy.id], to=clock() + to, reason=EraseReason.ASKED)

    assert shrink(timedelta(days=8)) == shrink(timedelta(days=7)) == 0
    assert (now_of(copy).erase_by, now_of(copy).erase_reason) == (copy.erase_by, EraseReason.CONTRACT)
    assert shrink(timedelta(days=1)) == 1
    assert now_of(copy).erase_by == clock() + timedelta(days=1)
    assert now_of(copy).erase_reason is EraseReason.ASKED
    assert shrink(timedelta(days=2)) == 0


def test_the_clock_of_what_is_gone_stands(svc, clock, given_copy, now_of):
    copy = given_copy()
    retention.sweep(svc)
    with svc.transaction() as session:
        assert copies.shrink(session, [copy.id], to=clock() - timedelta(days=1), reason=EraseReason.ASKED) == 0
    assert now_of(copy).erase_by == copy.erase_by


def clocks(svc, run_id):
    with svc.reading() as session:
        run = session.get_one(Generation, run_id)
        made = session.exec(select(Copy.erase_by).where(Copy.kind == CopyKind.HEADSHOT)).all()
        return run.erase_by, session.get_one(Copy, run.portrait_id).erase_by, *made


def test_shortening_counts_from_the_upload(svc, ask, work, clock):
    uploaded_at = clock()
    run_id = ask(contract=Contract.MONTH, variants=1)
    work()
    clock.advance(hours=5)

    retention.shorten(svc, run_id, Contract.DAY)

    assert set(clocks(svc, run_id)) == {uploaded_at + timedelta(hours=24)}


def test_shortening_to_what_has_passed_already_erases_now(svc, ask, work, clock, store):
    run_id = ask(contract=Contract.MONTH)
    work()
    clock.advance(hours=5)
    retention.shorten(svc, run_id, Contract.HOUR)
    work()

    assert set(clocks(svc, run_id)) == {clock()}
    assert store.objects == {}


@pytest.mark.parametrize("contract", [Contract.WEEK, Contract.DAY])
def test_a_contract_never_gets_longer_nor_is_renewed(svc, ask, work, contract):
    run_id = ask(contract=Contract.DAY)
    work()
    before = clocks(svc, run_id)

    with pytest.raises(NotAllowed, match="shorter"):
        retention.shorten(svc, run_id, contract)

    assert clocks(svc, run_id) == before


@pytest.mark.parametrize("contract", [Contract.MONTH, Contract.HOUR])
def test_shortened_to_process_the_photo_goes_now_and_headshots_an_hour_after_the_end(
    svc, ask, work, clock, store, contract
):
    run_id = ask(contract=contract, variants=1)
    work()
    ended_at = clock()
    clock.advance(minutes=10)
    retention.shorten(svc, run_id, Contract.PROCESS)
    work()

    assert len(store.objects) == 1
    run_ends, _, headshot_ends = clocks(svc, run_id)
    assert run_ends == headshot_ends == ended_at + timedelta(hours=1)


def test_shortened_to_process_while_it_waits_it_is_still_made(svc, ask, work, store):
    run_id = ask(contract=Contract.MONTH, variants=1)
    retention.shorten(svc, run_id, Contract.PROCESS)
    work()

    with svc.reading() as session:
        assert len(generations.view(session, ANN, run_id, svc.clock()).headshots) == len(store.objects) == 1


def test_process_is_the_shortest_there_is(svc, ask, work):
    run_id = ask(contract=Contract.PROCESS)
    for contract in Contract:
        with pytest.raises(NotAllowed):
            retention.shorten(svc, run_id, contract)


# ------------------------------------------------------------------------------------------------- erase now
def test_erasing_one_run_leaves_another_run_s_shared_photo(svc, ask, again, work, clock, store):
    first = ask(variants=1)
    work()
    second = again(like=first, variants=1)
    work()
    retention.erase_run(svc, first)
    work()

    with svc.reading() as session:
        one, two = (generations.view(session, ANN, run, clock()) for run in (first, second))
    assert (len(one.headshots), one.is_over(clock())) == (0, True)
    assert (len(two.headshots), two.is_over(clock())) == (1, False)
    assert copies.read(svc, two.portrait.id)
    assert len(store.objects) == 2

    retention.erase_run(svc, second)
    work()
    assert store.objects == {}


def test_two_runs_of_one_photo_erased_at_once_let_it_go(svc, ask, again, work, store):
    for _ in range(3):
        first = ask(variants=1)
        work()
        runs = [first, again(like=first, variants=1)]
        work()
        on_all_threads(lambda runs=runs: retention.erase_run(svc, runs.pop()), times=2)
        work()
        assert store.objects == {}


def test_shortening_one_run_leaves_the_photo_to_the_one_that_keeps_it_longer(svc, ask, again, work, clock):
    first = ask(contract=Contract.MONTH, variants=1)
    second = again(like=first, variants=1)
    work()
    uploaded_at = clock()

    retention.shorten(svc, first, Contract.DAY)
    assert clocks(svc, first)[:2] == (uploaded_at + timedelta(hours=24), uploaded_at + timedelta(days=30))
    retention.shorten(svc, second, Contract.WEEK)
    assert clocks(svc, second)[:2] == (uploaded_at + timedelta(days=7), uploaded_at + timedelta(days=7))


def test_erasing_everything_leaves_others_alone(svc, ask, work, store, clock):
    for who in (ANN, BOB):
        ask(who=who, variants=1)
    work()
    with svc.reading() as session:
        anns = access.current_subject(session, ANN).id
        bobs = access.current_subject(session, BOB).id

    retention.erase_everything(svc, anns)
    work()

    assert len(store.objects) == 2
    assert keys_of(svc, anns, bobs) == [False, True]
    with svc.reading() as session:
        reasons = {copy.erase_reason for copy in copies.of_subject(session, anns)}
        assert reasons == {EraseReason.ASKED}
        assert all(run.is_over(clock()) for run in generations.runs_of(session, ANN, clock()))


def test_erase_now_does_not_wait_for_the_sweep(svc, ask, work, store):
    ask()
    work()
    with svc.reading() as session:
        retention.erase_everything(svc, access.current_subject(session, ANN).id)

    assert work() == 1
    assert store.objects == {}


def test_what_could_not_be_proved_is_asked_for_again_by_itself(svc, ask, work, store, clock):
    ask()
    work()
    store.head_refused = True
    with svc.reading() as session:
        subject_id = access.current_subject(session, ANN).id
    retention.erase_everything(svc, subject_id)
    work()
    assert keys_of(svc, subject_id) == [True]
    with svc.reading() as session:
        again_at = retention.next_probe_at(session, clock(), subject_id=subject_id)
    assert again_at == clock() + ASK_AGAIN_FIRST
    store.head_refused = False
    clock.now = again_at - timedelta(seconds=1)
    assert work() == 0
    clock.now = again_at
    assert work() == 1
    assert keys_of(svc, subject_id) == [False]
    with svc.reading() as session:
        assert retention.next_probe_at(session, clock(), subject_id=subject_id) is None


def test_what_is_overdue_is_counted_with_the_age_of_the_oldest(svc, clock, given_copy):
    assert retention.overdue(svc, than=timedelta(0)) == (0, timedelta(0))
    for minutes in (10, 20, 90):
        given_copy(ends_in=timedelta(minutes=minutes))
    clock.advance(minutes=30)

    assert retention.overdue(svc, than=timedelta(0)) == (2, timedelta(minutes=20))
    assert retention.overdue(svc, than=timedelta(minutes=15)) == (1, timedelta(minutes=20))
    retention.sweep(svc)
    assert retention.overdue(svc, than=timedelta(0)) == (0, timedelta(0))


def test_an_upload_is_read_also_where_its_arrival_was_never_noted(svc, given_copy, now_of, clock):
    copy = given_copy(ends_in=timedelta(hours=1))
    with svc.transaction() as session:
        session.get_one(Copy, copy.id).written_at = None

    assert copies.read_upload(svc, copy.id) == PLAIN

    assert now_of(copy).written_at == clock()


def test_the_last_words_of_storage_fit_their_column(svc, given_copy, store, now_of):
    store.head_refused = store.listing_lags = True
    copy = given_copy()
    retention.sweep(svc)

    assert now_of(copy).probe_answer == "head says unknown, listing says present"


def test_an_unreachable_vault_is_said_to_whoever_reads(svc, given_copy, store):
    copy = given_copy(ends_in=timedelta(hours=1))
    store.down = True

    with pytest.raises(StorageUnavailable):
        copies.read(svc, copy.id)


def test_copies_are_listed_oldest_first_gone_ones_included(svc, clock, given_subject, given_copy):
    subject_id = given_subject()
    ids = []
    for _ in range(3):
        ids.append(given_copy(subject_id=subject_id).id)
        clock.advance(seconds=1)
    retention.sweep(svc)

    with svc.reading() as session:
        assert [copy.id for copy in copies.of_subject(session, subject_id)] == ids
        assert session.exec(select(func.count()).where(col(Copy.gone_at).is_not(None))).one() == 3
