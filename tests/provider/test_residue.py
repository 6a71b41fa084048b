"""What lies at third parties: noted once, looked after when its time is over, and gone only when it was shown twice."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel, col, select

from core import access, audit, queue, retention
from core.errors import EngineUnavailable
from core.models import (
    AuditEntry,
    Generation,
    HandOverLink,
    JobKind,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTask,
    ProviderTaskState,
    Subject,
)
from core.ports import Presence, ProviderResult, TaskReport, TaskState
from core.provider import residue, spending
from core.queue import LeaseLost
from tests.conftest import ANN, on_all_threads
from tests.provider.outsider import PLACE, Outsider, beside, done, given_task, left_alone, look, noted, owner_of

DAY = timedelta(hours=24)


@pytest.fixture
def outsider() -> Outsider:
    return Outsider()


@pytest.fixture
def svc(svc, outsider):
    return beside(svc, outsider)


@pytest.fixture
def run(ask, work) -> str:
    run_id = ask()
    work()
    return run_id


@pytest.fixture
def task(svc, run) -> ProviderTask:
    return given_task(svc, run)


@pytest.fixture
def figures(svc):
    def now() -> residue.Residue:
        with svc.reading() as session:
            return residue.figures(session, svc.clock())

    return now


def deeds_of(svc, copy) -> list[str]:
    with svc.reading() as session:
        entries = select(AuditEntry.action).where(AuditEntry.ref == copy.id).order_by(col(AuditEntry.seq))
        return list(session.exec(entries).all())


# ------------------------------------------------------------------------------------------------------------- noting
def test_an_address_is_noted_once_and_sealed(svc, task, now_of):
    first, second = noted(svc, task), noted(svc, task)
    assert first.id == second.id
    with svc.reading() as session:
        (row,) = session.exec(select(ProviderCopy)).all()
    assert row.subject_id == owner_of(svc, task.generation_id)
    assert PLACE.encode() not in row.sealed_url and svc.vault.open_text(row, row.sealed_url) == PLACE + "1.png"
    assert "example" not in repr(row.model_dump(exclude={"sealed_url"}))
    assert deeds_of(svc, row) == [audit.Action.PROVIDER_COPY_NOTED]


def test_two_workers_that_learn_of_it_at_once_note_it_once(svc, task):
    ids = on_all_threads(lambda: noted(svc, task).id, times=4)
    assert len(set(ids)) == 1


@pytest.mark.parametrize(
    ("kind", "said", "ends_in", "dated_by"),
    [
        ("result", timedelta(hours=2), timedelta(hours=2), "provider"),
        ("result", None, DAY, "documents"),
        ("upload", None, 3 * DAY, "documents"),
        ("result", timedelta(days=400), DAY, "documents"),
        ("result", -timedelta(days=400), DAY, "documents"),
        ("result", -timedelta(hours=1), -timedelta(hours=1), "provider"),
    ],
)
def test_its_clock_is_what_the_provider_says_or_the_longest_it_documents(
    svc, task, clock, kind, said, ends_in, dated_by
):
    expires_at = None if said is None else clock.now + said
    copy = noted(svc, task, kind=ProviderCopyKind(kind), expires_at=expires_at)
    assert (copy.expires_at, copy.probe_at) == (clock.now + ends_in, clock.now + ends_in)
    assert copy.dated_by == dated_by


def test_a_provider_that_is_no_longer_set_up_is_believed_the_longest(svc, task, clock):
    from dataclasses import replace

    assert noted(replace(svc, providers={}), task).expires_at == clock.now + 3 * DAY


# ------------------------------------------------------------------------------------------------------------ looking
def test_nobody_asks_before_its_end(svc, task, outsider, clock):
    noted(svc, task)
    clock.advance(hours=23, minutes=59)
    look(svc)
    assert outsider.asked_for == []
    clock.advance(minutes=1)
    look(svc)
    assert outsider.asked_for == [PLACE + "1.png"]


def test_one_refusal_is_no_proof_and_two_a_quarter_of_an_hour_apart_are(svc, task, clock, now_of):
    copy = noted(svc, task)
    clock.advance(days=1)
    look(svc)
    once = now_of(copy)
    assert (once.gone_at, once.refused_at, once.probe_at) == (None, clock.now, clock.now + residue.APART)
    clock.advance(minutes=14, seconds=59)
    look(svc)
    assert now_of(copy).probes == 1, "nor is it asked for before that"
    clock.advance(seconds=1)
    look(svc)
    gone = now_of(copy)
    assert (gone.gone_at, gone.sealed_key, gone.sealed_url) == (clock.now, None, None)
    assert deeds_of(svc, copy) == [audit.Action.PROVIDER_COPY_NOTED, audit.Action.PROVIDER_COPY_GONE]


def test_a_second_refusal_that_comes_early_does_not_count(svc, task, clock, now_of):
    copy = noted(svc, task)
    clock.advance(days=1)
    look(svc)
    with svc.transaction() as session:
        session.execute(sa.update(ProviderCopy).values(probe_at=clock.now))
    clock.advance(minutes=5)
    look(svc)
    row = now_of(copy)
    assert (row.gone_at, row.probes, row.probe_at) == (None, 2, clock.now + timedelta(minutes=10))


def test_shown_again_between_two_refusals_begins_anew(svc, task, outsider, clock, now_of):
    copy = noted(svc, task)
    clock.advance(days=1)
    look(svc)
    outsider.shows[PLACE + "1.png"] = Presence.PRESENT
    clock.advance(minutes=15)
    look(svc)
    assert now_of(copy).refused_at is None
    outsider.shows.clear()
    clock.advance(minutes=15)
    look(svc)
    assert now_of(copy).gone_at is None
    clock.advance(minutes=15)
    look(svc)
    assert now_of(copy).gone_at == clock.now


def test_an_answer_that_proves_nothing_counts_neither_way(svc, task, outsider, clock, now_of, figures):
    copy = noted(svc, task)
    clock.advance(days=1)
    outsider.shows[PLACE + "1.png"] = Presence.UNKNOWN
    look(svc)
    row = now_of(copy)
    assert (row.gone_at, row.open_at, row.refused_at, row.answer) == (None, None, None, Presence.UNKNOWN)
    assert (figures().unproved, figures().overdue, figures().kept_share) == (1, 0, None)
    outsider.shows.clear()
    clock.advance(minutes=15)
    look(svc)
    outsider.shows[PLACE + "1.png"] = Presence.UNKNOWN
    clock.advance(minutes=15)
    look(svc)
    assert now_of(copy).gone_at is None
    outsider.shows.clear()
    clock.advance(minutes=30)
    look(svc)
    assert now_of(copy).gone_at == clock.now, "the first refusal still stands"


def test_between_two_refusals_nobody_waits_for_longer_than_they_are_apart(svc, task, outsider, clock, now_of):
    copy = noted(svc, task)
    clock.advance(days=1, hours=5)  # nobody was there to look
    look(svc)
    outsider.shows[PLACE + "1.png"] = Presence.UNKNOWN
    clock.advance(minutes=15)
    look(svc)
    assert now_of(copy).probe_at == clock.now + residue.APART


def test_what_is_still_shown_is_an_incident_and_is_asked_for_less_and_less(svc, task, outsider, clock, now_of, figures):
    copy = noted(svc, task)
    outsider.shows[PLACE + "1.png"] = Presence.PRESENT
    clock.advance(days=1)
    opened_at = clock.now
    pauses = []
    for _ in range(9):
        look(svc)
        row = now_of(copy)
        pauses.append((row.probe_at - clock.now).total_seconds() / 60)
        clock.now = row.probe_at
    assert pauses == [15, 15, 30, 60, 120, 240, 360, 360, 360]
    assert now_of(copy).open_at == opened_at
    assert deeds_of(svc, copy).count(audit.Action.PROVIDER_COPY_OPEN) == 1
    assert (figures().overdue, figures().kept_share) == (1, 0)


def test_it_stays_an_incident_in_the_count_when_it_is_gone(svc, task, outsider, clock, now_of, figures):
    kept, broken = noted(svc, task, "kept.png"), noted(svc, task, "broken.png")
    outsider.shows[PLACE + "broken.png"] = Presence.PRESENT
    clock.advance(days=1)
    look(svc)
    outsider.shows.clear()
    for _ in range(2):
        clock.advance(minutes=15)
        look(svc)
    assert now_of(kept).gone_at and now_of(broken).gone_at
    now = figures()
    assert (now.gone, now.late, now.open, now.kept_share) == (2, 1, 0, 50)


def test_figures_tell_what_runs_and_until_when(svc, task, clock, figures):
    assert figures().is_empty and figures().next_end is None
    noted(svc, task, "a"), noted(svc, task, "b", kind=ProviderCopyKind.UPLOAD)
    now = figures()
    assert (now.running, now.open, now.overdue, now.gone) == (2, 2, 0, 0)
    assert (now.next_end, now.last_end) == (clock.now + DAY, clock.now + 3 * DAY)
    clock.advance(days=2)
    assert (figures().running, figures().unproved, figures().next_end) == (1, 1, clock.now + DAY)


def test_what_is_of_a_run_and_of_a_person(svc, run, task, ask):
    copy = noted(svc, task)
    with svc.reading() as session:
        assert [row.id for row in residue.of_run(session, run)] == [copy.id]
        assert [row.id for row in residue.of_subject(session, owner_of(svc, run))] == [copy.id]
        assert residue.of_run(session, "0" * 32) == residue.of_subject(session, "0" * 32) == []


def test_no_more_than_a_batch_is_asked_for_in_a_step(svc, task, outsider, clock):
    for number in range(residue.BATCH + 2):
        noted(svc, task, f"{number}.png")
    clock.advance(days=1)
    look(svc)
    assert len(outsider.asked_for) == residue.BATCH
    clock.advance(seconds=1)
    claim = queue.claim(svc, [JobKind.RESIDUE])
    assert claim, "the job comes back by itself"
    residue.step(svc, claim)
    assert len(outsider.asked_for) == residue.BATCH + 2
    clock.advance(minutes=1)
    assert queue.claim(svc, [JobKind.RESIDUE]) is None


def test_what_nobody_here_can_ask_for_is_left_alone(svc, task, clock, now_of):
    from dataclasses import replace

    copy = noted(svc, task)
    clock.advance(days=1)
    look(replace(svc, providers={}))
    assert now_of(copy).probes == 0


def test_what_does_not_open_holds_up_nothing_else(svc, task, outsider, clock, now_of):
    """As after a restore with another master key: nothing is shown, in either direction."""
    damaged, other = noted(svc, task, "damaged.png"), noted(svc, task, "other.png")
    with svc.transaction() as session:
        session.get_one(ProviderCopy, damaged.id).sealed_url = b"WS1" + bytes(60)
    clock.advance(days=1)
    look(svc)
    assert (now_of(damaged).answer, now_of(other).answer) == (Presence.UNKNOWN, Presence.ABSENT)


# ------------------------------------------------------------------------------------------------- two workers at once
def test_the_answer_of_a_worker_that_was_too_late_is_not_written(svc, task, outsider, clock, now_of):
    copy = noted(svc, task)
    clock.advance(days=1)
    with svc.transaction() as session:
        queue.enqueue(session, JobKind.RESIDUE, "-", at=clock.now)
    late = queue.claim(svc, [JobKind.RESIDUE])

    def another_takes_over():
        outsider.at_probe = lambda: None
        clock.advance(minutes=1)
        residue.step(svc, queue.claim(svc, [JobKind.RESIDUE]))

    outsider.at_probe = another_takes_over
    with pytest.raises(LeaseLost):
        residue.step(svc, late)
    row = now_of(copy)
    assert (row.probes, row.refused_at, row.gone_at) == (1, clock.now, None)


def test_the_answer_of_a_worker_that_has_lost_its_job_is_not_written(svc, task, outsider, clock, now_of):
    """Also before whoever has it now has asked for anything."""
    copy = noted(svc, task)
    clock.advance(days=1)
    with svc.transaction() as session:
        queue.enqueue(session, JobKind.RESIDUE, "-", at=clock.now)
    late = queue.claim(svc, [JobKind.RESIDUE])

    def another_takes_over():
        clock.advance(minutes=1)
        assert queue.claim(svc, [JobKind.RESIDUE])

    outsider.at_probe = another_takes_over
    with pytest.raises(LeaseLost):
        residue.step(svc, late)
    assert now_of(copy).probes == 0


def test_an_answer_about_a_row_that_has_moved_on_is_dropped(svc, task, clock, now_of):
    """Two that asked at once have both seen one row; only one of them may count."""
    copy = noted(svc, task)
    clock.advance(days=1)
    seen = now_of(copy)
    with svc.transaction() as session:
        residue._note_answer(session, seen, Presence.ABSENT, clock.now)
    clock.advance(minutes=15)
    with svc.transaction() as session:
        assert not residue._note_answer(session, seen, Presence.ABSENT, clock.now)
    assert (now_of(copy).probes, now_of(copy).gone_at) == (1, None)


# ------------------------------------------------------------------------------------------------------------ the left
def test_what_was_made_though_we_stopped_waiting_is_noted_and_its_cost_too(svc, run, outsider, clock, now_of):
    task = left_alone(svc, run)
    outsider.reports["task_1"] = done(PLACE + "late.png")
    look(svc)
    assert now_of(task).looks == 0, "it gets a minute"
    clock.advance(minutes=1)
    look(svc)
    with svc.reading() as session:
        (copy,) = residue.of_run(session, run)
    row = now_of(task)
    assert (copy.kind, row.made_at, row.cost, row.failure) == (ProviderCopyKind.RESULT, clock.now, 15_000, "cancelled")
    clock.advance(hours=2)
    look(svc)
    assert now_of(task).looks == 1, "that is all there is to know"


def test_what_is_not_made_yet_is_looked_at_again_and_not_for_ever(svc, run, outsider, clock, now_of):
    task = left_alone(svc, run, failure="provider_slow")
    clock.advance(minutes=1)
    look(svc)
    assert now_of(task).again_at == clock.now + timedelta(minutes=1), "it could not be asked"
    outsider.reports["task_1"] = TaskReport(state=TaskState.WAITING)
    clock.advance(hours=3)
    look(svc)
    assert now_of(task).again_at == clock.now + residue.LEFT_LATEST
    clock.advance(hours=46)
    look(svc)
    assert now_of(task).looks == 2


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.CANCELLED])
def test_what_failed_there_cost_nothing_and_is_asked_about_no_more(svc, run, outsider, clock, now_of, state):
    task = left_alone(svc, run)
    outsider.reports["task_1"] = TaskReport(state=state)
    clock.advance(minutes=1)
    for _ in range(2):
        look(svc)
        clock.advance(hours=1)
    row = now_of(task)
    assert (row.looks, row.cost, row.made_at) == (1, 0, None)


@pytest.mark.parametrize("report", [done(PLACE + "late.png"), TaskReport(state=TaskState.FAILED, cost=5)])
def test_what_two_have_learned_at_once_is_booked_once(svc, run, clock, report):
    task = left_alone(svc, run)
    for _ in range(2):
        with svc.transaction() as session:
            residue._note_report(session, svc, task.id, report, clock.now)
    with svc.reading() as session:
        assert spending.spent(session, "apimart", clock.now).day.headshots == 1


@pytest.mark.parametrize("other", [{"failure": "provider_failed"}, {"task_id": None}])
def test_other_failures_are_not_looked_after(svc, run, outsider, clock, now_of, other):
    task = left_alone(svc, run, **other)
    clock.advance(minutes=1)
    look(svc)
    assert now_of(task).looks == 0


# ---------------------------------------------------------------------------------------------- beside our own promise
def test_a_person_s_key_is_destroyed_while_copies_there_still_run_and_they_are_looked_after(
    svc, run, task, work, clock, now_of
):
    copy = noted(svc, task)
    subject_id = owner_of(svc, run)
    retention.erase_everything(svc, subject_id)
    work()
    with svc.reading() as session:
        assert session.get_one(Subject, subject_id).sealed_key is None
    assert now_of(copy).sealed_key is not None
    clock.advance(days=1)
    look(svc)
    clock.advance(minutes=15)
    look(svc)
    assert now_of(copy).gone_at == clock.now


def test_a_browser_is_known_until_what_lies_there_has_ended(svc, run, task, work, clock):
    """Who erased everything here can still see what became of the rest."""
    noted(svc, task, kind=ProviderCopyKind.UPLOAD)
    retention.erase_everything(svc, owner_of(svc, run))
    work()
    clock.advance(days=3)
    retention.sweep(svc)
    with svc.reading() as session:
        assert access.current_subject(session, ANN).id == owner_of(svc, run)
    clock.advance(days=1, minutes=1)
    retention.sweep(svc)
    with svc.reading() as session:
        assert access.current_subject(session, ANN) is None


def test_no_address_and_no_task_of_theirs_is_in_a_log_or_in_the_audit(svc, task, outsider, clock, caplog):
    caplog.set_level(logging.DEBUG)
    noted(svc, task)
    outsider.shows[PLACE + "1.png"] = Presence.PRESENT
    clock.advance(days=1)
    look(svc)
    with svc.reading() as session:
        facts = " ".join(session.exec(select(AuditEntry.facts)).all())
    assert not [word for word in ("example.net", "task_1", "1.png") if word in caplog.text + facts]


def test_a_result_s_repr_has_no_address():
    assert PLACE not in repr(ProviderResult(url=PLACE))


# ------------------------------------------------------------------------------------------------------------- balances
def test_what_is_left_there_is_asked_every_ten_minutes_also_of_who_does_not_answer(svc, outsider, clock):
    asked = []

    def balance():
        asked.append(clock.now)
        raise EngineUnavailable("It cannot be reached just now.")

    outsider.balance = balance
    for _ in range(3):
        look(svc)
        clock.advance(minutes=5)
    assert len(asked) == 2


def test_what_was_made_and_has_no_price_is_a_doubt(svc, run, outsider, clock, now_of):
    left_alone(svc, run)
    left_alone(svc, run, 2)
    outsider.reports |= {"task_1": done(PLACE + "1.png", cost=None), "task_2": done(PLACE + "2.png", cost=9_000)}
    clock.advance(minutes=1)
    look(svc)
    with svc.reading() as session:
        spent = spending.spent(session, "apimart", clock.now).day
    assert (spent.charged, spent.headshots, spent.possible, spent.doubtful) == (9_000, 1, outsider.price, 1)


# -------------------------------------------------------------------------------------------------------------- tidying
def test_by_what_they_know_a_run_is_forgotten_when_all_is_over(svc, run, task, work, clock, now_of):
    copy = noted(svc, task)
    with svc.transaction() as session:
        row = session.get_one(ProviderTask, task.id)
        row.state, row.ended_at, row.request_ref, row.body_hash = ProviderTaskState.KEPT, clock.now, "req", "hash"
        photo = session.get_one(Generation, run).portrait_id
        session.add(HandOverLink(task_id=task.id, copy_id=photo, made_at=clock.now, expires_at=clock.now))
    clock.advance(days=3)
    residue.tend(svc)
    assert now_of(task).task_id, "the person still has something here"
    retention.erase_everything(svc, owner_of(svc, run))
    work()
    assert (residue.tend(svc), now_of(task).task_id) == (0, "task_1"), "and there"
    look(svc)
    clock.advance(minutes=15)
    look(svc)
    assert now_of(copy).gone_at
    assert (residue.tend(svc), residue.tend(svc)) == (1, 0)
    row = now_of(task)
    assert (row.task_id, row.request_ref, row.body_hash) == (None, None, None)
    with svc.reading() as session:
        assert session.exec(select(HandOverLink)).all() == []


def test_as_long_as_the_person_has_something_here_their_runs_are_known(svc, run, clock, now_of):
    task = given_task(svc, run, state=ProviderTaskState.KEPT, ended_at=clock.now)
    clock.advance(days=3)
    assert (residue.tend(svc), now_of(task).task_id) == (0, "task_1")


def test_what_still_may_be_looked_after_is_not_forgotten(svc, run, work, clock, now_of):
    task = left_alone(svc, run)
    retention.erase_everything(svc, owner_of(svc, run))
    work()
    clock.advance(hours=47)
    residue.tend(svc)
    assert now_of(task).task_id == "task_1"
    clock.advance(hours=2)
    assert residue.tend(svc) == 1


# ------------------------------------------------------------------------------------------------------ the whole of it
def test_no_table_and_no_file_holds_an_address_and_gone_leaves_nothing_to_open(
    svc, task, outsider, clock, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    noted(svc, task)
    outsider.shows[PLACE + "1.png"] = Presence.PRESENT
    for _ in range(2):
        clock.advance(days=1)
        look(svc)
        assert not found_in(svc, tmp_path, PLACE) and PLACE not in caplog.text
    outsider.shows.clear()
    for _ in range(2):
        clock.advance(hours=6)
        look(svc)
    assert not found_in(svc, tmp_path, PLACE)
    with svc.reading() as session:
        row = session.exec(select(ProviderCopy)).one()
    assert row.gone_at and row.sealed_key is None and row.sealed_url is None


def found_in(svc, folder, word: str) -> list[str]:
    with svc.database.connect() as connection:
        tables = list(SQLModel.metadata.sorted_tables)
        held = {table.name: repr(connection.execute(table.select()).all()) for table in tables}
    files = {str(path): path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()}
    return [name for name, text in (held | files).items() if word in text]


def test_a_third_party_keeps_its_name_when_it_is_taken_out_of_the_settings(svc):
    assert residue.title_of(replace(svc, providers={}), "apimart") == "APIMart"
