"""The audit chain: whole, in order, written with its deed, and found out wherever somebody touched it."""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from core import access, audit, doctor, generations, retention
from core.audit import Action, Fault, Filter, Head
from core.contracts import Contract
from core.errors import NotAllowed, NotFound
from core.models import AuditEntry
from core.services import Services
from core.signing import Signer
from tests.conftest import ANN, BOB, EVE, on_all_threads
from tests.fakes import FrozenClock

LONG_AGO = datetime(2024, 3, 2, 12, 0, tzinfo=UTC)


def write(svc: Services, number: int = 1, *, ref: str = "a1") -> None:
    """As many deeds, each in a transaction of its own."""
    for _ in range(number):
        with svc.transaction() as session:
            audit.record(session, Action.COPY_ERASED, ref, at=svc.clock(), kind="portrait", reason="asked")


def entries(svc: Services) -> list[AuditEntry]:
    with svc.reading() as session:
        return list(session.exec(select(AuditEntry).order_by(col(AuditEntry.seq))).all())


@pytest.fixture
def tamper(svc: Services) -> Callable[..., None]:
    """What somebody can do who may do anything in the database."""

    def change(*statements: str, **values: Any) -> None:
        with svc.database.begin() as connection:
            for statement in _without_triggers(connection.dialect.name, statements):
                connection.execute(sa.text(statement), values)

    return change


def _without_triggers(dialect: str, statements: tuple[str, ...]) -> list[str]:
    if dialect == "postgresql":
        return ["SET LOCAL session_replication_role = replica", *statements]
    names = ("is_only_appended", "never_changes", "is_kept")
    drops = [f"DROP TRIGGER IF EXISTS audit_entry_{name}" for name in names]
    names = ("is_only_added", "never_changes", "is_kept")
    return [*drops, *(f"DROP TRIGGER IF EXISTS audit_checkpoint_{name}" for name in names), *statements]


def first_problem(svc: Services) -> tuple[Fault, int]:
    verdict = audit.verify(svc)
    assert not verdict.well
    return verdict.problems[0].fault, verdict.problems[0].seq


# -------------------------------------------------------------------------------------------------------- writing
def test_entries_count_from_one_and_each_names_the_one_before(svc: Services) -> None:
    write(svc, 3)
    found = entries(svc)
    assert [entry.seq for entry in found] == [1, 2, 3]
    assert found[0].previous_hash == "0" * 64
    assert [entry.previous_hash for entry in found[1:]] == [entry.hash for entry in found[:-1]]


def test_the_canonical_form_is_the_one_that_is_documented(svc: Services) -> None:
    write(svc)
    entry = entries(svc)[0]
    body = (
        '["workshot audit entry 1",1,"2026-03-02T12:00:00.000000Z","system","copy:erased","a1",'
        f'{{"kind":"portrait","reason":"asked"}},"{"0" * 64}"]'
    )
    assert entry.hash == hashlib.sha256(body.encode()).hexdigest()


def test_what_is_rolled_back_was_never_done(svc: Services) -> None:
    with pytest.raises(RuntimeError), svc.transaction() as session:  # noqa: PT012
        audit.record(session, Action.RUN_CANCELLED, "r", at=svc.clock())
        raise RuntimeError
    with svc.transaction() as session:
        audit.record(session, Action.RUN_CANCELLED, "r", at=svc.clock())
        session.rollback()
    assert entries(svc) == []


def test_several_deeds_of_one_transaction_keep_their_order(svc: Services) -> None:
    with svc.transaction() as session:
        for ref in "abc":
            audit.record(session, Action.RUN_CANCELLED, ref, at=svc.clock())
    assert [entry.ref for entry in entries(svc)] == ["a", "b", "c"]
    assert audit.verify(svc).well


@pytest.mark.parametrize(
    "how",
    [
        {"ref": "ann@example.org"},
        {"ref": ""},
        {"actor": "Ann"},
        {"actor": "operator:Ann Lee"},
        {"name": "x"},
        {"kind": "ann@example.org"},
        {"kind": "Ann"},
        {"kind": "a sentence"},
        {"kind": "ü"},
        {"kind": "x" * 41},
    ],
)
def test_nothing_personal_passes(svc: Services, how: dict[str, Any]) -> None:
    with pytest.raises(ValueError), svc.transaction() as session:  # noqa: PT011
        audit.record(session, Action.COPY_GONE, **({"ref": "a1", "at": svc.clock()} | how))
    assert entries(svc) == []


def test_writers_at_once_keep_one_chain(svc: Services) -> None:
    on_all_threads(lambda: write(svc, 5), times=8)
    assert [entry.seq for entry in entries(svc)] == list(range(1, 41))
    assert audit.verify(svc).well


def test_a_deed_that_holds_a_row_never_waits_for_one_that_holds_the_chain(svc: Services) -> None:
    """Two transactions record first and lock the same row later: the chain is taken at commit, so none deadlocks."""
    write(svc)
    both = threading.Barrier(2, timeout=20)

    def deed() -> None:
        with svc.transaction() as session:
            audit.record(session, Action.RUN_CANCELLED, "r", at=svc.clock())
            if svc.database.dialect.name == "postgresql":  # SQLite lets in one writer at a time
                both.wait()
            session.exec(select(AuditEntry).where(AuditEntry.seq == 1).with_for_update()).one()

    on_all_threads(deed, times=2)
    assert len(entries(svc)) == 3
    assert audit.verify(svc).well


# ------------------------------------------------------------------------------------------------------- triggers
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'subject' WHERE seq = 1",
        "UPDATE audit_entry SET hash = hash",
        "DELETE FROM audit_entry WHERE seq = 2",
        "DELETE FROM audit_entry",
        "INSERT INTO audit_entry SELECT 1, at, actor, action, ref, facts, previous_hash, hash FROM audit_entry "
        "WHERE seq = 2",
        "UPDATE audit_checkpoint SET hash = 'x'",
        "DELETE FROM audit_checkpoint",
        "INSERT INTO audit_checkpoint SELECT 1, hash, at, key_id, signature FROM audit_checkpoint",
    ],
)
def test_the_database_refuses_to_change_what_was_written(svc: Services, statement: str) -> None:
    write(svc, 2)
    audit.checkpoint(svc)
    with pytest.raises(sa.exc.DBAPIError, match=r"append|kept"), svc.database.begin() as connection:
        connection.exec_driver_sql(statement)
    assert audit.verify(svc).well


def test_what_replaces_on_conflict_is_refused_too(svc: Services) -> None:
    """On SQLite this would get past the trigger on DELETE."""
    write(svc, 2)
    columns = "at, actor, action, ref, facts, previous_hash, hash"
    replaced = f"SELECT 1, {columns} FROM audit_entry WHERE seq = 2"
    statement = (
        f"INSERT OR REPLACE INTO audit_entry (seq, {columns}) {replaced}"
        if svc.database.dialect.name == "sqlite"
        else f"INSERT INTO audit_entry (seq, {columns}) {replaced} ON CONFLICT (seq) DO UPDATE SET ref = 'x'"
    )
    with pytest.raises(sa.exc.DBAPIError, match="append"), svc.database.begin() as connection:
        connection.exec_driver_sql(statement)


def test_emptying_the_table_is_refused(svc: Services) -> None:
    write(svc)
    how = "DELETE FROM audit_entry" if svc.database.dialect.name == "sqlite" else "TRUNCATE audit_entry"
    with pytest.raises(sa.exc.DBAPIError), svc.database.begin() as connection:
        connection.exec_driver_sql(how)
    assert len(entries(svc)) == 1


# ------------------------------------------------------------------------------------------------------ tampering
def test_a_whole_chain_is_said_to_be_whole(svc: Services) -> None:
    assert audit.verify(svc).well
    assert "Nothing has been recorded" in audit.verify(svc).says
    write(svc, 3)
    verdict = audit.verify(svc)
    assert (verdict.entries, verdict.first, verdict.head.seq) == (3, 1, 3)
    assert "All 3 entries" in verdict.says


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "'subject'"),
        ("action", "'copy:gone'"),
        ("ref", "'b2'"),
        ("facts", '\'{"kind":"headshot","reason":"asked"}\''),
        ("facts", '\'{"kind":"x","kind":"portrait","reason":"asked"}\''),
        ("facts", "'no json'"),
        ("at", "'2026-03-02 12:00:00.000001+00:00'"),
        ("hash", "previous_hash"),
    ],
)
def test_a_changed_entry_is_found(svc: Services, tamper: Callable[..., None], column: str, value: str) -> None:
    write(svc, 5)
    if column == "at" and svc.database.dialect.name == "sqlite":
        value = value.replace("+00:00", "")
    tamper(f"UPDATE audit_entry SET {column} = {value.replace(':', chr(92) + ':')} WHERE seq = 3")
    assert first_problem(svc) == (Fault.CHANGED, 3)


def test_a_changed_entry_with_a_fitting_hash_is_found(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 5)
    third = entries(svc)[2]
    forged = audit.hash_of({**third.model_dump(), "ref": "b2"})
    tamper("UPDATE audit_entry SET ref = 'b2', hash = :hash WHERE seq = 3", hash=forged)
    assert first_problem(svc) == (Fault.OUT_OF_PLACE, 4)


def test_a_missing_entry_is_found(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 5)
    tamper("DELETE FROM audit_entry WHERE seq IN (2, 3)")
    verdict = audit.verify(svc)
    assert (verdict.problems[0].fault, verdict.problems[0].seq) == (Fault.MISSING, 2)
    assert "2 to 3" in verdict.says


def test_a_missing_beginning_is_found(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 5)
    tamper("DELETE FROM audit_entry WHERE seq <= 2")
    assert first_problem(svc) == (Fault.MISSING, 1)


def test_an_entry_that_was_taken_out_and_closed_up_is_found(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 4)
    tamper("DELETE FROM audit_entry WHERE seq = 2", "UPDATE audit_entry SET seq = 2 WHERE seq = 3")
    assert first_problem(svc)[1] == 2


def test_an_inserted_entry_is_found(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 3)
    tamper(
        "UPDATE audit_entry SET seq = 4 WHERE seq = 3",
        "INSERT INTO audit_entry SELECT 3, at, actor, action, ref, facts, previous_hash, hash FROM audit_entry "
        "WHERE seq = 2",
    )
    assert first_problem(svc)[1] == 3


def test_two_entries_that_changed_places_are_found(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 4)
    tamper(*(f"UPDATE audit_entry SET seq = {b} WHERE seq = {a}" for a, b in ((2, 99), (3, 2), (99, 3))))
    assert first_problem(svc)[1] == 2


def test_a_cut_end_is_found_as_far_as_it_was_signed(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 5)
    assert audit.checkpoint(svc) == 5
    tamper("DELETE FROM audit_entry WHERE seq > 3")
    assert first_problem(svc) == (Fault.CUT, 4)
    tamper("DELETE FROM audit_entry")
    assert first_problem(svc) == (Fault.CUT, 1)


def test_a_head_that_was_kept_elsewhere_finds_what_no_checkpoint_does(
    svc: Services, tamper: Callable[..., None]
) -> None:
    write(svc, 5)
    kept = audit.verify(svc).head
    assert audit.verify(svc, kept=kept).well
    tamper("DELETE FROM audit_entry WHERE seq = 5")
    assert audit.verify(svc).well  # nothing inside the database can tell
    assert audit.verify(svc, kept=kept).problems[0].fault is Fault.CUT
    write(svc, ref="other")
    assert audit.verify(svc, kept=kept).problems[0].fault is Fault.REWRITTEN


def test_a_chain_that_was_made_anew_is_not_the_one_that_was_signed(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 3)
    audit.checkpoint(svc)
    tamper("DELETE FROM audit_entry")
    write(svc, 3, ref="forged")
    assert first_problem(svc) == (Fault.REWRITTEN, 3)


def test_a_forged_checkpoint_is_found(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 3)
    audit.checkpoint(svc)
    tamper("UPDATE audit_checkpoint SET signature = :forged", forged="0" * 128)
    assert first_problem(svc) == (Fault.NOT_SIGNED, 3)


def test_many_problems_are_told_without_end_to_them(svc: Services, tamper: Callable[..., None]) -> None:
    write(svc, 60)
    tamper("UPDATE audit_entry SET ref = 'zz'")
    assert len(audit.verify(svc).problems) == audit.MOST_PROBLEMS


# ---------------------------------------------------------------------------------------- checkpoints and pruning
def test_a_checkpoint_is_made_only_where_something_was_added(svc: Services) -> None:
    assert audit.checkpoint(svc) is None
    write(svc, 2)
    assert audit.checkpoint(svc) == 2
    assert audit.checkpoint(svc) is None
    write(svc)
    assert audit.checkpoint(svc) == 3
    verdict = audit.verify(svc)
    assert (verdict.checkpoints, verdict.signed_until) == (2, 3)


def test_the_schedule_signs_every_hour_and_prunes_what_is_old(svc: Services, clock: FrozenClock) -> None:
    clock.now = LONG_AGO
    for minutes, signed in ((0, 2), (30, 2), (30, 6)):
        clock.advance(minutes=minutes)
        write(svc, 2)
        audit.tend(svc)
        assert audit.verify(svc).signed_until == signed
    clock.advance(days=368)
    audit.tend(svc)
    assert [entry.action for entry in entries(svc)] == ["audit:pruned"]
    assert audit.verify(svc).well


def test_the_chain_verifies_across_its_own_pruning(svc: Services, clock: FrozenClock) -> None:
    clock.now = LONG_AGO
    write(svc, 3)
    audit.checkpoint(svc)
    write(svc, 2)
    clock.advance(days=200)
    audit.checkpoint(svc)
    write(svc, 2)
    clock.now = LONG_AGO + timedelta(days=368)
    assert audit.prune(svc) == 3
    assert [entry.seq for entry in entries(svc)] == [4, 5, 6, 7, 8]
    assert entries(svc)[-1].action == "audit:pruned"
    verdict = audit.verify(svc)
    assert verdict.well
    assert (verdict.first, verdict.pruned_until) == (4, 3)
    assert audit.prune(svc) == 0


def test_nothing_young_is_pruned(svc: Services, clock: FrozenClock) -> None:
    clock.now = LONG_AGO
    write(svc, 3)
    clock.advance(days=365)
    assert audit.prune(svc) == 0, "no checkpoint covers them"
    audit.checkpoint(svc)
    assert audit.prune(svc) == 0, "the checkpoint is not old enough"
    clock.advance(days=365)
    assert audit.prune(svc) == 0
    clock.advance(days=3)
    assert audit.prune(svc) == 3


def test_an_entry_from_a_clock_that_runs_ahead_is_not_pruned(svc: Services, clock: FrozenClock) -> None:
    clock.now = LONG_AGO
    write(svc)
    ahead = replace(svc, clock=lambda: LONG_AGO + timedelta(days=3))
    write(ahead)
    audit.checkpoint(svc)
    clock.advance(days=368)
    assert audit.prune(svc) == 0
    clock.advance(days=3)
    assert audit.prune(svc) == 2


def test_the_database_keeps_twelve_months_by_its_own_clock(svc: Services, clock: FrozenClock) -> None:
    """A clock of ours that is years ahead prunes nothing."""
    clock.now = datetime.now(UTC) - timedelta(days=300)
    write(svc, 2)
    audit.checkpoint(svc)
    clock.advance(days=5000)
    with pytest.raises(sa.exc.DBAPIError, match="twelve months"):
        audit.prune(svc)
    assert len(entries(svc)) == 2


def test_a_beginning_that_was_removed_too_early_is_found(
    svc: Services, clock: FrozenClock, tamper: Callable[..., None]
) -> None:
    write(svc, 3)
    audit.checkpoint(svc)
    write(svc)
    clock.advance(days=300)
    tamper("DELETE FROM audit_entry WHERE seq <= 3")
    assert first_problem(svc) == (Fault.MISSING, 1)


def test_pruning_more_than_a_checkpoint_covers_is_found(
    svc: Services, clock: FrozenClock, tamper: Callable[..., None]
) -> None:
    clock.now = LONG_AGO
    write(svc, 5)
    audit.checkpoint(svc)
    tamper("DELETE FROM audit_entry WHERE seq <= 3")
    assert first_problem(svc) == (Fault.MISSING, 1)


# ------------------------------------------------------------------------------------------------------------ keys
def test_after_a_key_was_changed_the_old_one_is_believed_if_listed(svc: Services) -> None:
    write(svc, 2)
    audit.checkpoint(svc)
    old = svc.signer
    changed = replace(svc, signer=Signer(b"n" * 32, retired=[old.public_key]))
    write(changed)
    audit.checkpoint(changed)
    assert audit.verify(changed).well
    assert audit.verify(changed).checkpoints == 2
    forgetful = audit.verify(replace(svc, signer=Signer(b"n" * 32)))
    assert (forgetful.problems[0].fault, forgetful.problems[0].seq) == (Fault.NOT_SIGNED, 2)
    assert "SIGNING_KEYS_RETIRED" in forgetful.says


def test_a_signature_is_of_one_key_and_one_message() -> None:
    signer, other = Signer(b"a" * 32), Signer(b"b" * 32)
    signature = signer.sign(b"this")
    assert signer.verifies(b"this", signature)
    assert not signer.verifies(b"that", signature)
    assert not signer.verifies(b"this", replace(signature, value="zz"))
    assert not other.verifies(b"this", signature)
    assert not signer.verifies(b"this", replace(signature, key_id=other.key_id))


# --------------------------------------------------------------------------------------------------------- reading
def test_pages_follow_one_another_and_filters_hold(svc: Services, clock: FrozenClock) -> None:
    write(svc, 3)
    clock.advance(hours=1)
    with svc.transaction() as session:
        audit.record(session, Action.LINK_MADE, "k1", at=svc.clock(), actor="operator:k0", role="support")
        audit.record(session, Action.CLAIM_OPENED, "s1", at=svc.clock(), actor="subject")
    with svc.reading() as session:
        newest = audit.page(session, Filter(), size=2)
        older = audit.page(session, Filter(), before=newest[-1].seq, size=2)
        assert [entry.seq for entry in (*newest, *older)] == [5, 4, 3, 2]

        def seqs(**which: Any) -> list[int]:
            return [entry.seq for entry in audit.page(session, Filter(**which))]

        assert seqs(action="copy:erased") == [3, 2, 1]
        assert seqs(actor="operator") == [4]
        assert seqs(actor="operator:k0") == [4]
        assert seqs(actor="subject") == [5]
        assert seqs(ref="s1") == [5]
        assert seqs(since=clock.now) == [5, 4]
        assert seqs(until=clock.now, action="copy:erased") == [3, 2, 1]


def test_an_export_can_be_verified_by_anybody(svc: Services) -> None:
    write(svc, audit.PAGE + 3)
    exported = [json.loads(json.dumps(row)) for row in audit.matching(svc, Filter())]
    assert [row["seq"] for row in exported] == list(range(1, audit.PAGE + 4))
    before = Head(0, "0" * 64)
    for row in exported:
        whole = {**row, "at": datetime.fromisoformat(row["at"]), "facts": json.dumps(row["facts"])}
        assert row["previous_hash"] == before.hash
        assert audit.hash_of(whole) == row["hash"]
        before = Head(row["seq"], row["hash"])


def test_verifying_says_how_far_it_is(svc: Services) -> None:
    write(svc, audit.PAGE + 1)
    seen: list[tuple[int, int]] = []
    audit.verify(svc, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(audit.PAGE, audit.PAGE + 1), (audit.PAGE + 1, audit.PAGE + 1)]


# ----------------------------------------------------------------------------------------------------------- deeds
def deeds(svc: Services, ref: str | None = None) -> list[tuple[str, str]]:
    return [(entry.action, entry.actor) for entry in entries(svc) if ref in (None, entry.ref)]


def test_a_run_is_told_from_consent_to_the_destroyed_key(
    svc: Services, ask: Callable[..., str], work: Callable[[], int]
) -> None:
    run_id = ask()
    code = access.issue_claim_code(svc, ANN)
    work()
    assert code
    access.open_with_code(svc, BOB, "net", code)
    retention.shorten(svc, run_id, Contract.WEEK)
    with svc.reading() as session:
        subject = access.current_subject(session, ANN)
    assert subject
    retention.erase_everything(svc, subject.id)
    work()
    told = deeds(svc)
    assert told[:6] == [
        ("consent:given", "subject"),
        ("run:requested", "subject"),
        ("claim:issued", "subject"),
        ("run:ended", "system"),
        ("claim:opened", "subject"),
        ("run:shortened", "subject"),
    ]
    assert told[6] == ("subject:erase_asked", "subject")
    assert sorted(told[7:-1]) == [("copy:erased", "system")] * 3 + [("copy:gone", "system")] * 3
    assert told[-1] == ("subject:key_destroyed", "system")
    assert audit.verify(svc).well


def test_cancelling_and_erasing_a_run_are_told_once(
    svc: Services, ask: Callable[..., str], work: Callable[[], int]
) -> None:
    run_id = ask()
    generations.cancel(svc, ANN, run_id)
    generations.cancel(svc, ANN, run_id)
    work()
    retention.erase_run(svc, run_id)
    assert deeds(svc, run_id) == [
        ("run:requested", "subject"),
        ("run:cancelled", "subject"),
        ("run:ended", "system"),
        ("run:erase_asked", "subject"),
    ]


def test_a_refused_deed_is_not_told(svc: Services, ask: Callable[..., str]) -> None:
    run_id = ask(contract=Contract.DAY)
    before = len(entries(svc))
    with pytest.raises(NotAllowed):
        retention.shorten(svc, run_id, Contract.MONTH)
    with pytest.raises(NotFound):
        access.open_with_code(svc, EVE, "net", access.new_claim_code())
    assert len(entries(svc)) == before


def test_the_doctors_canary_is_not_told(svc: Services) -> None:
    doctor.examine(svc)
    assert entries(svc) == []


def test_no_secret_and_no_session_is_told(svc: Services, ask: Callable[..., str], work: Callable[[], int]) -> None:
    ask(note="a blue tie")
    code = access.issue_claim_code(svc, ANN) or ""
    work()
    told = json.dumps([audit.as_dict(entry) for entry in entries(svc)])
    for secret in (ANN, "blue tie", code, code.replace("-", ""), access.read_claim_code(code) or "-"):
        assert secret not in told


def test_an_entry_is_added_without_reading_the_chain(svc):
    """PostgreSQL would, by a plan for any value; see the migration. SQLite has no such plans."""
    if svc.database.dialect.name != "postgresql":
        return
    with svc.transaction() as session:
        for _ in range(50):
            audit.record(session, Action.SUBJECT_KEY_DESTROYED, "subject", at=svc.clock())
        audit._write(session)
        read = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'audit_entry'"
        assert session.execute(sa.text(read)).scalar_one() == 0
