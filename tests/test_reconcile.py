"""Storage against rows, both ways; and a mend looks again before it acts: a stale finding never erases live data."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from core import audit, copies, erasing, jobs, reconcile, retention
from core.errors import NotAllowed, StorageUnavailable
from core.models import AuditEntry, Copy, EraseReason, FindingKind, FindingRow, JobKind, Subject
from core.ports import StoredObject
from core.reconcile import Mend
from tests.conftest import PLAIN

OPERATOR = "operator:o-1"
STRAY = "ab" * 20
UNTRACKED, MISSING, MISMATCH, OVERDUE, ZOMBIE = FindingKind


@pytest.fixture
def store(store, clock):
    store.clock = clock
    return store


@pytest.fixture
def kept(given_copy):
    """An image that is nobody's business: as it should be."""
    return given_copy(ends_in=timedelta(days=9))


def make_untracked(svc, store, clock, given_copy):
    store.put(STRAY, b"stray")
    clock.now += reconcile.SETTLES + timedelta(seconds=1)
    return STRAY


def make_missing(svc, store, clock, given_copy):
    copy = given_copy(ends_in=timedelta(days=9))
    del store.objects[copy.object_key]
    return copy.id


def make_mismatch(svc, store, clock, given_copy):
    copy = given_copy(ends_in=timedelta(days=9))
    store.objects[copy.object_key] = store.objects[copy.object_key][:-1]
    return copy.id


def make_overdue(svc, store, clock, given_copy):
    copy = given_copy(ends_in=timedelta(minutes=1))
    clock.now += reconcile.LATE + timedelta(minutes=1, seconds=1)
    return copy.id


def make_zombie(svc, store, clock, given_copy):
    copy = given_copy()
    bytes_of_it = store.objects[copy.object_key]
    assert retention.erase(svc, copy.id) is retention.Outcome.GONE
    store.put(copy.object_key, bytes_of_it)
    return copy.id


WAYS = {
    UNTRACKED: make_untracked,
    MISSING: make_missing,
    MISMATCH: make_mismatch,
    OVERDUE: make_overdue,
    ZOMBIE: make_zombie,
}
each_kind = pytest.mark.parametrize("kind", FindingKind)


@pytest.fixture
def given(svc, store, clock, given_copy):
    return lambda kind: WAYS[kind](svc, store, clock, given_copy)


def found(svc):
    with svc.reading() as session:
        return {(row.kind, row.ref) for row in session.exec(select(FindingRow))}


def rows(svc):
    with svc.reading() as session:
        return [copy.model_dump() for copy in session.exec(select(Copy).order_by(col(Copy.id)))]


def is_untouched(svc, store, copy):
    return copies.read(svc, copy.id) == PLAIN and copy.object_key in store.objects


# ------------------------------------------------------------------------------------------------- comparing
def test_what_agrees_is_no_finding(svc, kept, given_copy):
    retention.erase(svc, given_copy().id)
    given_copy(ends_in=timedelta(days=1), written=False)

    done = reconcile.compare(svc)

    assert done.is_well and (done.objects, done.rows) == (1, 2) and found(svc) == set()
    assert retention.last_time(svc, JobKind.RECONCILE).well


@each_kind
def test_each_kind_is_found_and_nothing_else(svc, kept, given, clock, kind):
    ref = given(kind)

    done = reconcile.compare(svc)

    assert found(svc) == {(kind, ref)}
    assert {each for each, count in done.found.items() if count} == {kind}
    assert retention.last_time(svc, JobKind.RECONCILE).figures[kind.value] == 1
    (row,) = reconcile.findings(svc, kind)
    assert row.first_seen_at == row.last_seen_at == clock()


@each_kind
def test_a_finding_keeps_the_day_it_was_first_seen_and_goes_when_it_is_over(svc, store, kept, given, clock, kind):
    given(kind)
    first = clock()
    reconcile.compare(svc)
    clock.advance(hours=1)
    reconcile.compare(svc)
    (row,) = reconcile.findings(svc, kind)
    assert (row.first_seen_at, row.last_seen_at) == (first, clock())
    reconcile.mend_all(svc, kind, actor=OPERATOR)
    clock.advance(hours=1)

    assert reconcile.compare(svc).is_well and found(svc) == set()


@each_kind
def test_a_listing_that_breaks_off_finds_nothing_and_forgets_nothing(svc, store, kept, given, kind):
    given(kind)
    reconcile.compare(svc)
    before = found(svc)
    whole = store.inventory

    def breaks_off():
        yield next(whole(), StoredObject(key=STRAY, size=1, modified_at=store.clock()))
        raise StorageUnavailable("The vault cannot be reached just now.")

    store.inventory = breaks_off
    with pytest.raises(StorageUnavailable):
        reconcile.compare(svc)
    assert found(svc) == before
    store.inventory = whole
    reconcile.compare(svc)
    assert found(svc) == before, "and the next one begins anew"


def test_a_young_object_without_a_row_is_given_its_hour(svc, store, clock):
    store.put(STRAY, b"stray")
    clock.now += reconcile.SETTLES
    assert reconcile.compare(svc).is_well
    clock.advance(seconds=1)
    assert reconcile.compare(svc).found[UNTRACKED] == 1


def test_what_is_due_for_minutes_only_is_not_overdue(svc, clock, given_copy):
    given_copy()
    clock.now += reconcile.LATE
    assert reconcile.compare(svc).is_well


def test_what_changes_while_the_listing_is_read_is_no_finding(svc, store, clock, given_copy, kept):
    """One arrives, one goes and one is erased after the listing has passed by."""
    going = given_copy()
    listing = list(store.inventory())

    def passes_by():
        yield from listing
        given_copy(ends_in=timedelta(days=1))
        retention.erase(svc, going.id)

    store.inventory = passes_by
    assert reconcile.compare(svc).is_well


def test_half_a_file_is_no_object(svc, store, clock, given_copy):
    copy = given_copy(ends_in=timedelta(days=1))
    del store.objects[copy.object_key]
    part = StoredObject(key=copy.object_key, size=3, modified_at=clock(), whole=False)
    store.inventory = lambda: iter([part])

    assert reconcile.compare(svc).found[MISSING] == 1


def test_an_object_and_its_left_overs_are_one(svc, store, clock, kept):
    (whole,) = store.inventory()
    part = StoredObject(key=whole.key, size=3, modified_at=clock(), whole=False)
    looked_at = []
    store.before_head = looked_at.append
    for order in ([whole, part], [part, whole]):
        store.inventory = lambda order=order: iter(order)
        assert reconcile.compare(svc).is_well
    assert looked_at == [], "there was nothing to look at twice"


def test_only_a_deep_comparison_opens_every_image(svc, store, clock, kept):
    sealed = bytearray(store.objects[kept.object_key])
    sealed[-1] ^= 1
    store.objects[kept.object_key] = bytes(sealed)

    assert reconcile.compare(svc).is_well
    assert reconcile.compare(svc, deep=True).found[MISMATCH] == 1
    clock.advance(hours=1)
    reconcile.compare(svc)
    assert found(svc) == {(MISMATCH, kept.id)}, "one that does not look cannot say that it is over"
    reconcile.mend(svc, MISMATCH, kept.id, actor=OPERATOR)
    assert store.objects == {} and found(svc) == set()


def test_more_than_a_page_of_everything(svc, store, clock, given_copy, given_subject):
    subject_id = given_subject()
    for _ in range(7):
        given_copy(subject_id=subject_id, ends_in=timedelta(days=1))
    for n in range(7):
        store.put(f"{n:040x}", b"stray")
    clock.now += reconcile.SETTLES + timedelta(seconds=1)
    breaths = []

    assert reconcile.compare(svc, breath=lambda: breaths.append(1), page=3).found[UNTRACKED] == 7
    assert len(breaths) >= 5
    assert sum(reconcile.mend_all(svc, UNTRACKED, actor=OPERATOR).values()) == 7
    assert len(store.objects) == 7


# ------------------------------------------------------------------------------------------------- mending
@each_kind
def test_each_kind_is_mended_and_nothing_else_is_touched(svc, store, kept, given, kind):
    ref = given(kind)
    reconcile.compare(svc)

    assert reconcile.mend(svc, kind, ref, actor=OPERATOR) is Mend.MENDED

    assert found(svc) == set() and is_untouched(svc, store, kept)
    assert set(store.objects) == {kept.object_key}
    with svc.reading() as session:
        deeds = session.exec(select(AuditEntry).where(AuditEntry.actor == OPERATOR)).all()
        if kind is not UNTRACKED:
            assert session.get_one(Copy, ref).gone_at is not None
    assert [deed.ref for deed in deeds] == ([] if kind is OVERDUE else [ref])


@each_kind
def test_a_mend_is_not_made_while_erasing_is_stopped(svc, store, kept, given, kind):
    ref = given(kind)
    reconcile.compare(svc)
    before, rows_before = dict(store.objects), rows(svc)
    erasing.stop(svc, reason="test", actor=OPERATOR)

    assert reconcile.mend(svc, kind, ref, actor=OPERATOR) is Mend.STOPPED

    assert store.objects == before and found(svc) == {(kind, ref)}
    assert rows(svc) == rows_before, "no clock is moved and no row opened again for nothing"


@each_kind
def test_a_mend_that_storage_does_not_prove_stays_a_finding(svc, store, kept, given, kind):
    ref = given(kind)
    reconcile.compare(svc)
    store.erases_nothing = True
    done = reconcile.mend(svc, kind, ref, actor=OPERATOR)

    assert done is (Mend.MENDED if kind is MISSING else Mend.NOT_PROVED)
    assert found(svc) == (set() if kind is MISSING else {(kind, ref)})


@each_kind
def test_where_storage_does_not_answer_nothing_is_done_and_nothing_forgotten(svc, store, kept, given, kind):
    ref = given(kind)
    reconcile.compare(svc)
    before = dict(store.objects)
    store.down = True

    assert reconcile.mend(svc, kind, ref, actor=OPERATOR) in (Mend.NOT_SO, Mend.NOT_PROVED)

    assert store.objects == before and found(svc) == {(kind, ref)}


def healed(svc, store, kind, ref):
    """The world as it is when the list is older than the truth: what was found is live data now."""
    if kind is UNTRACKED:  # its row came back, as from a database that was restored
        with svc.transaction() as session:
            subject = Subject(created_at=svc.clock(), sealed_key=b"x")
            session.add(subject)
            session.flush()
            copy = copies.plan(session, subject_id=subject.id, kind="portrait", width=1, height=1, size=6,
                               at=svc.clock(), erase_by=svc.clock() + timedelta(days=9))  # fmt: skip
            copy.object_key, copy.written_at = ref, svc.clock()
        return ref
    with svc.reading() as session:
        copy = session.get_one(Copy, ref)
        subject = session.get_one(Subject, copy.subject_id)
    values = {"erase_by": svc.clock() + timedelta(days=9)}
    if kind is ZOMBIE:
        values |= {"gone_at": None, "evidence_id": None, "erased_at": None}
        with svc.transaction() as session:
            key = svc.vault.make_key(subject.id)
            is_its = col(Subject.id) == subject.id
            session.execute(sa.update(Subject).where(is_its).values(sealed_key=key, key_destroyed_at=None))
    else:
        svc.vault.put(subject, copy, PLAIN)
    with svc.transaction() as session:
        session.execute(sa.update(Copy).where(col(Copy.id) == ref).values(**values))
    return copy.object_key


@each_kind
def test_a_stale_finding_never_erases_live_data(svc, store, kept, given, kind):
    ref = given(kind)
    reconcile.compare(svc)
    key = healed(svc, store, kind, ref)
    before = dict(store.objects)
    assert key in before
    assert not reconcile.is_so(svc, kind, ref)

    done = reconcile.mend(svc, kind, ref, actor=OPERATOR)

    assert done is Mend.NOT_SO
    assert store.objects == before and is_untouched(svc, store, kept)
    with svc.reading() as session:
        row = session.exec(select(Copy).where(Copy.object_key == key)).one()
    assert (row.gone_at, row.erased_at) == (None, None) and row.erase_by > svc.clock()


@pytest.mark.parametrize("kind", [MISSING, MISMATCH])
@pytest.mark.parametrize(
    "values", [{"written_at": None}, {"erased_at": datetime(2026, 3, 2, tzinfo=UTC)}], ids=["planned", "erased"]
)
def test_what_is_on_its_way_in_or_out_is_neither_missing_nor_damaged(svc, store, given, kind, values):
    ref = given(kind)
    with svc.transaction() as session:
        session.execute(sa.update(Copy).where(col(Copy.id) == ref).values(**values))

    assert not reconcile.is_so(svc, kind, ref)


@pytest.mark.parametrize("kind", [MISSING, MISMATCH, OVERDUE])
def test_what_is_gone_is_none_of_these(svc, store, given, kind):
    ref = given(kind)
    with svc.transaction() as session:
        copies.shrink(session, [ref], to=svc.clock(), reason=EraseReason.ASKED)
    assert retention.erase(svc, ref) is retention.Outcome.GONE

    assert not reconcile.is_so(svc, kind, ref)


@pytest.mark.parametrize("kind", [MISSING, ZOMBIE])
def test_a_row_that_changes_between_the_look_and_the_deed_is_left_alone(svc, store, kept, given, kind):
    ref = given(kind)
    reconcile.compare(svc)
    changed = {"erased_at": svc.clock()} if kind is MISSING else {"gone_at": None, "evidence_id": None}

    def somebody_else_is_faster(key):
        store.after_listing = lambda key: None
        with svc.transaction() as session:
            session.execute(sa.update(Copy).where(col(Copy.id) == ref).values(**changed))

    store.after_listing = somebody_else_is_faster
    assert reconcile.mend(svc, kind, ref, actor=OPERATOR) is Mend.NOT_SO
    with svc.reading() as session:
        row = session.get_one(Copy, ref)
    assert row.gone_at is None and row.erase_reason is EraseReason.CONTRACT


def test_an_image_that_cannot_be_looked_at_a_second_time_is_not_called_damaged(svc, store, kept, given):
    ref = given(MISMATCH)
    reconcile.compare(svc)
    get, before = store.get, rows(svc)

    def goes_away_after_one(key):
        store.down = True
        store.get = get
        return store.objects[key]

    store.get = goes_away_after_one
    assert reconcile.mend(svc, MISMATCH, ref, actor=OPERATOR) is Mend.NOT_SO
    assert rows(svc) == before and found(svc) == {(MISMATCH, ref)}


@each_kind
def test_what_was_never_found_is_looked_at_all_the_same(svc, store, kept, kind):
    ref = kept.object_key if kind is UNTRACKED else kept.id

    assert reconcile.mend(svc, kind, ref, actor=OPERATOR) is Mend.NOT_SO
    assert reconcile.mend(svc, kind, "nothing", actor=OPERATOR) in (Mend.NOT_SO,)
    assert is_untouched(svc, store, kept)


def test_an_image_that_opens_is_kept_whatever_its_row_says_of_its_size(svc, store, kept, now_of):
    with svc.transaction() as session:
        session.execute(sa.update(Copy).values(size=3))
    assert reconcile.compare(svc).found[MISMATCH] == 1

    assert reconcile.mend(svc, MISMATCH, kept.id, actor=OPERATOR) is Mend.MENDED

    assert now_of(kept).size == len(PLAIN) and is_untouched(svc, store, kept)
    assert reconcile.compare(svc).is_well


def test_an_empty_bucket_is_not_a_reason_to_destroy_every_key(svc, store, given_copy, given_subject):
    subject_id = given_subject()
    for _ in range(reconcile.MANY_MISSING + 1):
        given_copy(subject_id=subject_id, ends_in=timedelta(days=1))
    store.objects.clear()
    reconcile.compare(svc)

    with pytest.raises(NotAllowed, match="another bucket"):
        reconcile.mend_all(svc, MISSING, actor=OPERATOR)
    with svc.reading() as session:
        assert session.get_one(Subject, subject_id).sealed_key is not None


def test_as_many_missing_as_may_be_accidents_are_mended(svc, store, given_copy, given_subject):
    subject_id = given_subject()
    for _ in range(reconcile.MANY_MISSING):
        given_copy(subject_id=subject_id, ends_in=timedelta(days=1))
    store.objects.clear()
    reconcile.compare(svc)

    assert reconcile.mend_all(svc, MISSING, actor=OPERATOR)[Mend.MENDED] == reconcile.MANY_MISSING
    with svc.reading() as session:
        assert {copy.erase_reason for copy in session.exec(select(Copy))} == {EraseReason.LOST}


def test_a_foreign_name_is_erased_and_its_name_is_not_told(svc, store, clock):
    store.put("holiday/ann-smith.jpg", b"?")
    clock.now += reconcile.SETTLES + timedelta(seconds=1)
    reconcile.compare(svc)

    assert reconcile.mend_all(svc, UNTRACKED, actor=OPERATOR)[Mend.MENDED] == 1
    with svc.reading() as session:
        told = session.exec(select(AuditEntry.ref).where(AuditEntry.action == audit.Action.OBJECT_ERASED.value)).one()
    assert told == "foreign" and store.objects == {}


def test_it_runs_at_night_and_nobody_waits_for_it(svc, store, clock, worker):
    worker.beat()
    assert not worker.look(jobs.RARE_WORK)
    clock.now = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)
    worker.beat()
    store.put(STRAY, b"stray")
    assert worker.look(jobs.RARE_WORK)
    assert retention.last_time(svc, JobKind.RECONCILE).ended_at == clock()
    assert jobs.next_at(JobKind.RECONCILE, svc.settings, clock()) == clock() + timedelta(days=1)
    assert JobKind.RECONCILE not in (*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK)
