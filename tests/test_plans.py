"""Plans are the live code: a dry run prints what runs, which leaves alone what has changed; and too much asks first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import col, func, select

from core import audit, copies, erasing, holds, plans, proof, retention, steps
from core.contracts import Contract, Terms
from core.db import scrub
from core.errors import NotAllowed, NotFound, ObjectLocked, StalePlan, StorageUnavailable
from core.models import AuditEntry, Copy, CopyKind, EraseReason, JobKind, Subject, Switch
from core.retention import ASK_AGAIN_FIRST, Outcome, Report
from tests.conftest import ANN, PLAIN

OPERATOR = "operator:o-1"


def change(svc, copy, **values):
    with svc.transaction() as session:
        session.execute(sa.update(Copy).where(col(Copy.id) == copy.id).values(**values))


def deeds(svc, action):
    with svc.reading() as session:
        return session.exec(select(AuditEntry.ref).where(AuditEntry.action == action.value)).all()


# ------------------------------------------------------------------------------------------------- what a plan says
def test_a_plan_names_what_is_due_the_most_overdue_first(svc, clock, given_copy):
    late, later = given_copy(ends_in=timedelta(minutes=2)), given_copy(ends_in=timedelta(minutes=1))
    given_copy(ends_in=timedelta(hours=2))
    clock.advance(hours=1)

    made = plans.plan(svc)

    assert [(item.id, item.kind, item.size, item.erase_by, item.reason) for item in made.items] == [
        (copy.id, CopyKind.PORTRAIT, len(PLAIN), copy.erase_by, EraseReason.CONTRACT) for copy in (later, late)
    ]
    assert (made.total, made.size, made.left_out, made.kept_in_all) == (2, 2 * len(PLAIN), 0, 3)
    assert dict(made.reasons) == {EraseReason.CONTRACT: 2}
    assert (made.made_at, made.valid_until) == (clock(), clock() + plans.LIFE)


def test_a_plan_counts_and_hashes_also_what_it_has_no_room_to_show(svc, given_copy):
    for _ in range(3):
        given_copy()

    whole, part = plans.plan(svc), plans.plan(svc, shows=1)

    assert (part.total, len(part.items), part.left_out, part.hash) == (3, 1, 2, whole.hash)


@pytest.mark.parametrize(
    "values",
    [
        {"size": 7},
        {"erase_reason": EraseReason.ASKED},
        {"erase_by": datetime(2026, 3, 2, 11, 59, tzinfo=UTC)},
        {"erase_by": datetime(2026, 3, 2, 12, 1, tzinfo=UTC)},
        {"written_at": datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)},
    ],
)
def test_the_hash_covers_everything_that_a_plan_says(svc, given_copy, values):
    copy = given_copy()
    before = plans.plan(svc).hash
    assert plans.plan(svc).hash == before

    change(svc, copy, **values)

    assert plans.plan(svc).hash != before


def test_what_is_erased_already_and_canaries_are_in_no_plan(svc, store, given_copy):
    erased, _ = given_copy(), given_copy(kind=CopyKind.CANARY)
    store.erases_nothing = True
    retention.erase(svc, erased.id)

    assert (plans.plan(svc).total, plans.plan(svc).kept_in_all) == (0, 1)


def test_making_a_plan_changes_nothing(svc, store, given_copy, now_of):
    copy = given_copy()
    plans.plan(svc)
    assert now_of(copy).erased_at is None and store.objects


# ------------------------------------------------------------------------------------------------- executing one
def test_executing_a_plan_erases_what_it_names_and_nothing_that_became_due_since(svc, clock, store, given_copy):
    named, since = given_copy(), given_copy(ends_in=timedelta(seconds=1))
    made = plans.plan(svc)
    clock.advance(minutes=1)

    assert retention.execute(svc, made) == Report(gone=1)

    assert set(store.objects) == {since.object_key} != {named.object_key}


def later(clock):
    return clock() + timedelta(seconds=1)


@pytest.mark.parametrize(
    "what_changed",
    [
        lambda clock: {"erase_by": clock() + timedelta(days=1)},  # somebody gave it time, as no code of ours does
        lambda clock: {"erase_by": clock() + timedelta(microseconds=1)},
        lambda clock: {"written_at": later(clock)},  # other bytes than those that were looked at
        lambda clock: {"created_at": later(clock)},
        lambda clock: {"erased_at": later(clock), "probe_again_at": clock() + timedelta(hours=1)},
    ],
)
def test_what_changed_since_the_plan_is_left_alone(svc, clock, store, given_copy, what_changed):
    changed, same = given_copy(), given_copy()
    made = plans.plan(svc)
    change(svc, changed, **what_changed(clock))
    clock.advance(seconds=2)

    assert retention.execute(svc, made) == Report(gone=1)

    assert set(store.objects) == {changed.object_key} != {same.object_key}


@pytest.mark.parametrize(
    "values",
    [
        {"erase_by": datetime(2026, 3, 2, 13, tzinfo=UTC)},
        {"written_at": datetime(2026, 3, 2, 13, tzinfo=UTC)},
        {"created_at": datetime(2026, 3, 2, 13, tzinfo=UTC)},
        {"kind": CopyKind.CANARY},
    ],
)
def test_a_row_is_read_again_right_before_its_bytes_go(svc, clock, store, given_copy, values):
    """The batch was chosen, and then the row changed: what the last look sees counts."""
    copy = given_copy()
    made = plans.plan(svc)
    change(svc, copy, **values)
    clock.now = datetime(2026, 3, 2, 14, tzinfo=UTC)

    assert retention.erase_copies(svc, [copy.id], planned_at=made.made_at) == {copy.id: Outcome.KEPT}

    assert store.objects


def test_what_is_erased_or_gone_since_is_not_as_it_was_planned(svc, clock, given_copy, now_of):
    copy = given_copy()
    assert plans.is_untouched_since(now_of(copy), clock())
    change(svc, copy, erased_at=clock())
    assert not plans.is_untouched_since(now_of(copy), clock())
    retention.erase(svc, copy.id)
    assert not plans.is_untouched_since(now_of(copy), clock())


def test_a_plan_lives_for_an_hour_and_says_from_when_a_new_one_would_be_valid(svc, clock, store, given_copy):
    given_copy()
    made = plans.plan(svc)
    clock.now = made.valid_until + timedelta(microseconds=1)
    with pytest.raises(StalePlan, match=r"valid until 2026-03-02 13:00:00 UTC.*valid from 2026-03-02 13:00:00 UTC"):
        retention.execute(svc, made)
    with pytest.raises(StalePlan):
        retention.confirm(svc, made.hash, actor=OPERATOR)
    assert store.objects
    clock.now = made.valid_until
    assert retention.execute(svc, made).gone == 1


def test_a_plan_for_later_shows_what_will_go_and_does_not_run_before(svc, clock, store, given_copy):
    given_copy(ends_in=timedelta(hours=2))
    made = plans.plan(svc, at=clock() + timedelta(hours=3))

    assert made.total == 1
    with pytest.raises(StalePlan, match="valid from 2026-03-02 15:00:00 UTC"):
        retention.execute(svc, made)
    assert store.objects
    clock.advance(hours=3)
    assert retention.execute(svc, made).gone == 1


def test_a_plan_of_a_machine_whose_clock_is_ahead_waits_for_its_instant(svc, clock, store, given_copy):
    given_copy()
    ahead = replace(svc, clock=lambda: clock() + timedelta(minutes=3))
    made = plans.plan(ahead)

    with pytest.raises(StalePlan):
        retention.execute(svc, made)
    clock.advance(minutes=3)
    assert retention.execute(svc, made).gone == 1


# ------------------------------------------------------------------------------------------------- confirming one
def test_a_plan_is_known_again_by_its_hash_though_some_of_it_is_gone_since(svc, clock, store, given_copy):
    first, _ = given_copy(), given_copy()
    made = plans.plan(svc)
    clock.advance(seconds=1)
    retention.erase(svc, first.id)
    clock.advance(seconds=1)

    assert plans.named(svc, made.hash).hash == made.hash
    assert retention.confirm(svc, made.hash, actor=OPERATOR) == Report(gone=1)
    assert store.objects == {}
    assert deeds(svc, audit.Action.SWEEP_CONFIRMED) == [made.hash]


def test_a_plan_whose_rows_have_changed_is_no_longer_that_plan(svc, clock, store, given_copy):
    copy = given_copy()
    made = plans.plan(svc)
    clock.advance(seconds=1)
    change(svc, copy, size=1)

    with pytest.raises(StalePlan, match="What is due has changed"):
        retention.confirm(svc, made.hash, actor=OPERATOR)
    assert store.objects and not deeds(svc, audit.Action.SWEEP_CONFIRMED)


@pytest.mark.parametrize("text", ["", "-", "0", "zz-00", "ffffffffffffffffffff-0", "660c2947e349a", "-5-0"])
def test_what_is_no_hash_of_a_plan_is_refused(svc, store, given_copy, text):
    given_copy()
    with pytest.raises(StalePlan):
        retention.confirm(svc, text, actor=OPERATOR)
    assert store.objects


# ------------------------------------------------------------------------------------------------- too much at once
def test_beyond_the_cap_nothing_is_erased_by_the_clock_and_an_operator_is_asked(svc, store, given_copy, limit_to):
    held = [given_copy() for _ in range(4)]
    capped = limit_to(sweep_cap=3)

    assert retention.sweep(capped) == Report(held=True)
    assert len(store.objects) == 4
    hold = retention.hold(svc)
    assert (hold.copies, hold.kept_in_all, hold.held_at) == (4, 4, svc.clock())
    assert retention.last_time(svc, JobKind.SWEEP).well is False
    assert retention.sweep(capped) == Report(held=True), "the next one does not take it piece by piece"
    assert deeds(svc, audit.Action.SWEEP_HELD) == [hold.plan_hash]

    assert retention.confirm(capped, hold.plan_hash, actor=OPERATOR) == Report(gone=len(held))

    assert store.objects == {} and retention.hold(svc) is None


def test_as_much_as_the_cap_is_not_too_much(svc, store, given_copy, limit_to):
    for _ in range(3):
        given_copy()

    assert retention.sweep(limit_to(sweep_cap=3)) == Report(gone=3)


def test_a_share_of_the_vault_is_too_much_where_it_is_more_than_a_few(svc, given_copy, limit_to):
    for _ in range(3):
        given_copy(ends_in=timedelta(days=1))
    for _ in range(3):
        given_copy()
    found = retention.plan(svc)
    assert holds.is_too_much(limit_to(sweep_cap_share=0.49), found, share_counts_from=2)
    assert not holds.is_too_much(limit_to(sweep_cap_share=0.5), found, share_counts_from=2)
    assert not holds.is_too_much(limit_to(sweep_cap_share=0.01), found, share_counts_from=3), "few are never too much"
    assert not holds.is_too_much(limit_to(sweep_cap_share=0.01), found), "and these are few"


def test_the_cap_never_holds_up_what_a_person_asked_for(svc, ask, work, store, clock, given_copy, limit_to):
    asked = given_copy()
    change(svc, asked, erase_reason=EraseReason.ASKED)
    kept = [given_copy(), given_copy()]
    capped = limit_to(sweep_cap=1)

    assert retention.sweep(capped) == Report(gone=1, held=True)
    assert set(store.objects) == {copy.object_key for copy in kept}
    assert retention.sweep(capped, subject_id=kept[0].subject_id) == Report(gone=1), "her Erase now"


def test_under_a_hold_what_is_erased_already_is_still_proved(svc, store, clock, given_copy, limit_to):
    proving = given_copy()
    store.erases_nothing = True
    retention.erase(svc, proving.id)
    store.erases_nothing = False
    for _ in range(2):
        given_copy()
    clock.now += ASK_AGAIN_FIRST

    assert retention.sweep(limit_to(sweep_cap=1)) == Report(gone=1, held=True)


def test_canaries_and_what_waits_for_proof_are_not_counted_towards_the_cap(svc, store, given_copy, limit_to):
    store.erases_nothing = True
    for _ in range(3):
        retention.erase(svc, given_copy().id)
        given_copy(kind=CopyKind.CANARY)

    assert not retention.sweep(limit_to(sweep_cap=1)).held


def test_the_plan_of_a_hold_is_made_anew_before_it_is_too_old(svc, clock, given_copy, limit_to):
    given_copy(), given_copy()
    capped = limit_to(sweep_cap=1)
    retention.sweep(capped)
    first = retention.hold(svc)
    clock.advance(minutes=29)
    retention.sweep(capped)
    assert retention.hold(svc) == first
    clock.advance(minutes=1)
    retention.sweep(capped)
    second = retention.hold(svc)

    assert second.plan_hash != first.plan_hash and second.held_at == first.held_at
    assert retention.confirm(capped, second.plan_hash, actor=OPERATOR).gone == 2
    assert len(deeds(svc, audit.Action.SWEEP_HELD)) == 1


def test_a_clock_that_jumps_a_month_ahead_erases_nothing_unasked(svc, clock, store, given_copy, limit_to):
    for _ in range(5):
        given_copy(ends_in=timedelta(days=20))
    clock.advance(days=31)
    capped = limit_to(sweep_cap=2)
    retention.sweep(capped)
    clock.advance(days=-31)

    assert len(store.objects) == 5
    assert retention.sweep(capped) == Report() and retention.hold(svc) is None, "the clock was mended: nothing is due"


# ------------------------------------------------------------------------------------------------- the switch
def test_while_the_switch_is_off_nothing_is_erased_by_anything(svc, ask, work, store, clock, given_copy, now_of):
    copy = given_copy()
    made = plans.plan(svc)
    clock.advance(seconds=1)
    state = erasing.stop(svc, reason="wrong-clock", actor=OPERATOR)
    assert state.is_stopped and "Erasing is stopped since 02 Mar, 12:00 UTC" in state.says

    assert retention.erase(svc, copy.id) is Outcome.STOPPED
    assert retention.sweep(svc) == Report(stopped=True)
    assert retention.sweep(svc, subject_id=copy.subject_id) == Report(stopped=True)
    assert retention.execute(svc, made) == Report(stopped=True)
    assert retention.confirm(svc, made.hash, actor=OPERATOR).stopped
    store.put("ab" * 20, b"stray")
    assert retention.erase_stray(svc, "ab" * 20) is Outcome.STOPPED

    assert copy.object_key in store.objects and now_of(copy).erased_at is None
    with pytest.raises(NotFound):
        copies.read(svc, copy.id)
    assert retention.switch_state(svc) == state
    erasing.start(svc, actor=OPERATOR)
    assert retention.switch_state(svc).says == ""
    assert retention.sweep(svc) == Report(gone=1)
    assert deeds(svc, audit.Action.ERASING_STOPPED) == deeds(svc, audit.Action.ERASING_STARTED) == [erasing.ERASING]


def test_what_is_neither_due_nor_there_is_not_called_stopped(svc, given_copy):
    kept, gone = given_copy(ends_in=timedelta(days=1)), given_copy()
    retention.erase(svc, gone.id)
    erasing.stop(svc, reason="test", actor=OPERATOR)

    assert retention.erase(svc, kept.id) is Outcome.KEPT
    assert retention.erase(svc, gone.id) is Outcome.ALREADY_GONE


def test_erase_now_waits_for_the_switch_without_spinning(svc, ask, work, worker, store, clock):
    run_id = ask()
    work()
    erasing.stop(svc, reason="test", actor=OPERATOR)
    retention.erase_run(svc, run_id)
    assert work() == 1
    assert work() == 0, "it comes back later, not at once"
    assert store.objects
    erasing.start(svc, actor=OPERATOR)
    clock.now += steps.LOOK_AGAIN
    work()
    assert store.objects == {}


def test_stopping_twice_keeps_the_first_reason_and_a_sentence_is_no_reason(svc, clock):
    erasing.stop(svc, reason="first", actor=OPERATOR)
    clock.advance(hours=1)
    erasing.stop(svc, reason="second", actor=OPERATOR)
    assert (retention.switch_state(svc).reason, retention.switch_state(svc).stopped_at.hour) == ("first", 12)
    erasing.start(svc, actor=OPERATOR)
    erasing.start(svc, actor=OPERATOR)
    with svc.reading() as session:
        assert session.exec(select(func.count()).select_from(Switch)).one() == 0
    for reason in ("", "Ann Smith asked", "a@b.c", "x" * 41):
        with pytest.raises(NotAllowed):
            erasing.stop(svc, reason=reason, actor=OPERATOR)


# ------------------------------------------------------------------------------------------------- the margin
@pytest.mark.parametrize(
    ("contract", "kept"),
    [
        (Contract.PROCESS, timedelta(hours=2)),
        (Contract.HOUR, timedelta(hours=1)),
        (Contract.DAY, timedelta(hours=24)),
        (Contract.THREE_DAYS, timedelta(hours=48)),
        (Contract.WEEK, timedelta(days=6)),
        (Contract.MONTH, timedelta(days=29)),
    ],
)
def test_long_clocks_end_a_day_early_and_short_ones_when_they_say(svc, ask, limit_to, contract, kept, now_of):
    early = limit_to(erase_early_hours=24)
    ask(svc=early, contract=contract)
    with svc.reading() as session:
        portrait = session.exec(select(Copy)).one()

    assert early.settings.terms.run_by(contract, svc.clock()) == svc.clock() + kept
    assert portrait.erase_by == svc.clock() + (timedelta(hours=1) if contract is Contract.PROCESS else kept)


def test_a_worker_that_was_down_for_a_day_still_keeps_the_promise(svc, ask, work, clock, store, limit_to):
    early = limit_to(erase_early_hours=24)
    promised_by = clock() + Contract.MONTH.keep_for
    ask(svc=early)
    work()
    clock.now = promised_by - timedelta(hours=24) + timedelta(hours=24) - timedelta(seconds=1)  # down since it was due
    retention.sweep(early)

    assert store.objects == {} and clock() < promised_by


def test_shortening_counts_with_the_margin_too(svc, ask, work, limit_to, clock):
    early = limit_to(erase_early_hours=24)
    run_id = ask(svc=early)
    work()
    retention.shorten(early, run_id, Contract.WEEK)

    with svc.reading() as session:
        ends = set(session.exec(select(Copy.erase_by)).all())
    assert ends == {clock() + timedelta(days=6)}


@pytest.mark.parametrize(
    ("uploaded", "ends"),
    [
        (datetime(2028, 2, 1, 12, tzinfo=UTC), datetime(2028, 3, 1, 12, tzinfo=UTC)),  # a leap day on the way
        (datetime(2026, 10, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 10, 30, 10, tzinfo=UTC)),  # DST
    ],
)
def test_a_clock_is_so_many_hours_whatever_the_calendar_does(uploaded, ends):
    terms = Terms(longest=Contract.MONTH, longest_days=30, early=timedelta(hours=24))
    assert terms.run_by(Contract.MONTH, uploaded.astimezone(UTC)) == ends


# ------------------------------------------------------------------------------------------------- many at once
def test_many_are_proved_by_one_listing_and_one_question_each(svc, store, given_copy, given_subject):
    store.takes_many = True
    subject_id = given_subject()
    made = [given_copy(subject_id=subject_id) for _ in range(proof.LISTING_PAYS)]
    asked = []
    store.after_listing = asked.append
    store.before_head = asked.append

    assert retention.sweep(svc).gone == len(made)

    assert sorted(asked) == sorted(copy.object_key for copy in made), "each object once, no listing of its own"


@pytest.mark.parametrize("takes_many", [True, False])
def test_all_bytes_go_before_storage_is_asked_about_any(svc, store, given_copy, given_subject, monkeypatch, takes_many):
    """Over pages and batches, and though all clocks end at the same instant."""
    monkeypatch.setattr(retention, "PAGE", 3)
    monkeypatch.setattr(retention, "BATCH", 2)
    store.takes_many, subject_id = takes_many, given_subject()
    for _ in range(7):
        given_copy(subject_id=subject_id)
    left = []
    store.before_head = lambda key: left.append(len(store.objects))

    assert retention.sweep(svc) == Report(gone=7)
    assert left == [0] * 7


def test_what_people_asked_for_goes_before_what_only_its_clock_ends(svc, store, given_copy):
    overdue, asked = given_copy(ends_in=-timedelta(days=1)), given_copy()
    change(svc, asked, erase_reason=EraseReason.ASKED)
    order, erase = [], store.erase
    store.erase = lambda key: (order.append(key), erase(key))

    assert retention.sweep(svc) == Report(gone=2)
    assert order == [asked.object_key, overdue.object_key]


def test_stopped_between_the_erasing_and_the_asking_no_row_is_closed(svc, clock, store, given_copy, now_of):
    """The last row would take the key with it."""
    copy = given_copy()

    def stop():
        erasing.stop(svc, reason="test", actor=OPERATOR)

    assert retention.sweep(svc, after_each=stop) == Report(stopped=True)
    assert store.objects == {} and now_of(copy).erased_at is not None and now_of(copy).gone_at is None
    with svc.reading() as session:
        assert session.get_one(Subject, copy.subject_id).sealed_key is not None
    erasing.start(svc, actor=OPERATOR)
    assert retention.sweep(svc) == Report(gone=1)


@pytest.mark.parametrize("fault", ["erases_nothing", "head_refused", "listing_lags", "down"])
def test_a_store_that_lies_to_many_proves_nothing_of_any(svc, store, given_copy, given_subject, fault):
    store.takes_many = True
    subject_id = given_subject()
    for _ in range(proof.LISTING_PAYS):
        given_copy(subject_id=subject_id)
    setattr(store, fault, True)

    assert retention.sweep(svc) == Report(not_proved=proof.LISTING_PAYS)

    with svc.reading() as session:
        assert session.get_one(Subject, subject_id).sealed_key is not None


def test_a_listing_that_breaks_off_proves_nothing_though_each_object_seems_gone(svc, store, given_copy, given_subject):
    store.takes_many = True
    subject_id = given_subject()
    for _ in range(proof.LISTING_PAYS):
        given_copy(subject_id=subject_id)

    def breaks_off():
        raise StorageUnavailable("The vault's listing breaks off.")
        yield

    store.inventory = breaks_off
    assert retention.sweep(svc) == Report(not_proved=proof.LISTING_PAYS)


def test_a_listing_that_is_too_long_for_what_it_tells_is_not_read(svc, store, given_copy):
    given_copy()
    store.takes_many, store.inventory = True, None
    gone = [f"gone-{n}" for n in range(proof.LISTING_PAYS)]

    assert proof.Proof(svc, gone, lambda: None, listed_per_object=0).doubts(gone) == {}


def test_a_lock_is_told_apart_from_a_store_that_is_away(svc, store, given_copy, now_of):
    copy = given_copy()

    class Locked(type(store)):
        def erase(self, key):
            raise ObjectLocked("A lock on the vault keeps this image.")

    store.__class__ = Locked
    assert retention.erase(svc, copy.id) is Outcome.NOT_PROVED
    assert (now_of(copy).probe_answer, now_of(copy).erased_at) == (retention.LOCKED_AWAY, None)


def test_a_stray_is_erased_and_what_a_row_knows_is_not(svc, store, given_copy):
    copy = given_copy(ends_in=timedelta(days=1))
    store.put("ab" * 20, b"stray")

    assert retention.erase_stray(svc, copy.object_key) is Outcome.KEPT
    assert retention.erase_stray(svc, "ab" * 20) is Outcome.GONE
    assert set(store.objects) == {copy.object_key}
    store.put("ab" * 20, b"stray")
    store.erases_nothing = True
    assert retention.erase_stray(svc, "ab" * 20) is Outcome.NOT_PROVED
    store.down = True
    assert retention.erase_stray(svc, "ab" * 20) is Outcome.NOT_PROVED


# ------------------------------------------------------------------------------------------------- the key's bytes
def test_a_destroyed_key_is_nowhere_in_the_files_of_the_database(svc, given_copy, tmp_path):
    if svc.database.dialect.name != "sqlite":
        assert scrub(svc.database)
        return
    copy = given_copy()
    with svc.reading() as session:
        key = session.get_one(Subject, copy.subject_id).sealed_key
    files = lambda: b"".join(path.read_bytes() for path in tmp_path.glob("workshot.db*"))  # noqa: E731
    assert key in files(), "it would be found"

    retention.sweep(svc)

    assert key not in files()


def test_a_reader_holds_up_the_scrubbing_and_nobody_else(svc, given_copy):
    if svc.database.dialect.name != "sqlite":
        return
    given_copy()
    with svc.reading() as session:
        session.exec(select(Copy)).all()
        given_copy()
        assert scrub(svc.database) is False
    assert scrub(svc.database) is True


def test_ann_sees_the_instant_that_is_kept(svc, ask, work, limit_to, clock):
    from core import generations

    early = limit_to(erase_early_hours=24)
    run_id = ask(svc=early)
    work()
    with svc.reading() as session:
        view = generations.view(session, ANN, run_id, clock())
    assert {view.run.erase_by, *(copy.erase_by for copy in view.headshots)} == {clock() + timedelta(days=29)}
