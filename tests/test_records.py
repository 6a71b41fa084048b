"""What is noted of people ends, of all tables and of nobody too soon; and no table that leads to them is forgotten."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import AutoString, SQLModel, col, func, select

from core import audit, erasing, jobs, made_up, records
from core.contracts import Contract
from core.models import (
    AbuseKind,
    AbuseOutcome,
    AbuseReport,
    Alert,
    AuditEntry,
    Block,
    BrowserSession,
    CanaryRun,
    Consent,
    Copy,
    CopyKind,
    Evidence,
    FindingKind,
    FindingRow,
    Generation,
    GlassView,
    HandOverLink,
    HeadshotRow,
    Job,
    JobKind,
    MessageWay,
    PromiseState,
    ProviderCopy,
    ProviderCopyKind,
    ProviderTask,
    ProviderTaskState,
    Receipt,
    Request,
    RequestChannel,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
    RunState,
    StageEvent,
    Subject,
    UsageCount,
    new_id,
)
from core.ports import Presence
from core.promises.checks.records import records_end
from core.queue import enqueue
from core.records import End
from core.requests import reading
from core.services import Services

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # where the clock of the tests stands
A_YEAR_AGO = datetime(2025, 3, 2, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
TABLES = SQLModel.metadata.tables


# ------------------------------------------------------------------------------------------------- what is decided
def leading_to(names: set[str]) -> set[str]:
    """These, and every table from which foreign keys lead to them, however far."""
    found = set(names)
    while more := {
        table.name
        for table in TABLES.values()
        if table.name not in found and {key.column.table.name for key in table.foreign_keys} & found
    }:
        found |= more
    return found


def test_every_table_that_leads_to_a_person_is_decided_on():
    without_key = {"evidence", "canary_run"}
    assert set(records.ENDS) == leading_to({"subject"}) | without_key, "decide on it in core/records.py"
    assert all(reason for _, reason in records.ENDS.values())


def test_what_stays_leads_to_a_person_by_what_is_untied_only():
    ends = {name: end for name, (end, _) in records.ENDS.items()}
    for name, end in ends.items():
        parents = {key.column.table.name for key in TABLES[name].foreign_keys} - {name}
        if end is End.STAYS:
            assert {ends[parent] for parent in parents} == {End.UNTIED}, name
        if end is End.UNTIED:
            columns = [key.parent for key in TABLES[name].foreign_keys if ends[key.column.table.name] is End.GOES]
            assert all(column.nullable for column in columns), name


def test_every_column_that_may_name_one_without_a_key_is_known():
    names = ("subject_id", "copy_id", "generation_id", "ref")
    found = {
        f"{table.name}.{column.name}"
        for table in TABLES.values()
        for column in table.columns
        if column.name in names and not column.foreign_keys
    }
    assert set(records.BY_NAME_ALONE) == found


def test_what_leads_to_a_row_that_goes_is_found_by_an_index():
    """Else every row that goes has a whole table looked through, by the database itself."""
    going = {name for name, (end, _) in records.ENDS.items() if end is End.GOES} - {"evidence"}
    for table in TABLES.values():
        firsts = {next(iter(index.columns)).name for index in table.indexes}
        firsts |= {
            next(iter(each.columns)).name
            for each in table.constraints
            if isinstance(each, sa.PrimaryKeyConstraint | sa.UniqueConstraint) and len(each.columns)
        }
        firsts |= {column.name for column in table.columns if column.unique}
        led = {key.parent.name for key in table.foreign_keys if key.column.table.name in going}
        assert led <= firsts, table.name


# --------------------------------------------------------------------------------------------------------- a person
class Person:
    """Somebody with a row in every table, all of whose images went at that instant."""

    def __init__(self, svc: Services, gone_at: datetime, id: str = "", **values: Any) -> None:
        self.svc, self.gone_at, self.id = svc, gone_at, id or new_id()
        self.copy, self.export, self.run, self.request, self.report = (new_id() for _ in range(5))
        self.task = f"{self.run}-1"
        with svc.transaction() as session:
            for rows in self._rows(values):
                session.add_all(rows)
                session.flush()

    def _rows(self, values: dict[str, Any]) -> list[list[SQLModel]]:
        at, provider = self.gone_at, {"provider": "apimart"}
        return [
            [Subject(**{"id": self.id, "created_at": at, "key_destroyed_at": at} | values)],
            [self._evidence(self.copy), self._evidence(self.export)],
            [self._copy(self.copy, CopyKind.PORTRAIT), self._copy(self.export, CopyKind.EXPORT)],
            [
                Consent(subject_id=self.id, given_at=at, policy_version="1", may_use_photo=True, is_adult=True),
                BrowserSession(session_hash=new_id(), subject_id=self.id, opened_at=at),
                self._generation(),
                CanaryRun(subject_id=self.id, contract=Contract.MONTH, started_at=at, due_at=at),
            ],
            [
                StageEvent(generation_id=self.run, stage="queued", entered_at=at),
                HeadshotRow(generation_id=self.run, variant=1, copy_id=self.copy),
                ProviderTask(
                    id=self.task, generation_id=self.run, variant=1, model="m", template="t", hand_over="link",
                    state=ProviderTaskState.KEPT, planned_at=at, sent_at=at, ended_at=at, **provider,
                ),
                self._request(),
                AbuseReport(
                    id=self.report, number=new_id()[:12], kind=AbuseKind.OTHER, received_at=at, due_at=at,
                    subject_id=self.id, copy_id=self.copy, generation_id=self.run, closed_at=at,
                    outcome=AbuseOutcome.NOTHING_WRONG,
                ),
            ],
            [
                HandOverLink(task_id=self.task, copy_id=self.copy, made_at=at, expires_at=at),
                ProviderCopy(
                    subject_id=self.id, generation_id=self.run, task_id=self.task, kind=ProviderCopyKind.UPLOAD,
                    mark=new_id(), noted_at=at, expires_at=at, dated_by="provider", probe_at=at, refused_at=at,
                    gone_at=at, copy_id=self.copy, **provider,
                ),
                RequestMessage(request_id=self.request, at=at, way=MessageWay.IN, author="subject"),
                Alert(ref=self.request, threshold="1h", at=at),
                Receipt(
                    number=new_id()[:16], request_id=self.request, revision=1, made_at=at, statement="{}",
                    key_id="k", signature="s",
                ),
                GlassView(
                    report_id=self.report, subject_id=self.id, copy_id=self.copy, reason=AbuseKind.OTHER,
                    asked_by="one", asked_at=at,
                ),
                Block(
                    report_id=self.report, subject_id=self.id, reason=AbuseKind.OTHER, made_by="one", made_at=at,
                    until=at,
                ),
            ],
        ]  # fmt: skip

    def _evidence(self, copy_id: str) -> Evidence:
        absent = {"head": Presence.ABSENT, "listing": Presence.ABSENT}
        return Evidence(id=copy_id, copy_id=copy_id, probed_at=self.gone_at, **absent)

    def _copy(self, copy_id: str, kind: CopyKind) -> Copy:
        at = self.gone_at
        ended = {"created_at": at, "written_at": at, "erase_by": at, "erased_at": at, "gone_at": at}
        about = {"media_type": "image/jpeg", "width": 1, "height": 1, "size": 1, "place": "vault"}
        return Copy(
            id=copy_id, subject_id=self.id, kind=kind, object_key=new_id(), evidence_id=copy_id, **about, **ended
        )

    def _generation(self) -> Generation:
        at = self.gone_at
        chosen = {"purpose": "p", "ratio": "1:1", "long_side": 1, "style": "s", "backdrop": "b", "variants": 1}
        times = {"uploaded_at": at, "erase_by": at, "created_at": at, "ended_at": at}
        return Generation(
            id=self.run, number=new_id()[:12], request_id=new_id(), subject_id=self.id, portrait_id=self.copy,
            clothing_id=self.copy, engine="e", contract=Contract.MONTH, state=RunState.READY, **chosen, **times,
        )  # fmt: skip

    def _request(self) -> Request:
        at = self.gone_at
        times = {"received_at": at, "entered_at": at, "due_at": at, "done_at": at, "closed_at": at}
        return Request(
            id=self.request, number=new_id()[:12], kind=RequestKind.COPY, channel=RequestChannel.PRODUCT,
            clock="month", state=RequestState.CLOSED, outcome=RequestOutcome.DONE, subject_id=self.id,
            export_id=self.export, **times,
        )  # fmt: skip

    @property
    def ids(self) -> set[str]:
        return {self.id, self.copy, self.export, self.run, self.task}

    def change(self, table: type[SQLModel], **values: Any) -> None:
        rows = TABLES[table.__tablename__]
        with self.svc.transaction() as session:
            theirs = session.execute(sa.update(table).where(_named(rows, self.ids)).values(**values))
            assert theirs.rowcount  # type: ignore[attr-defined]

    def is_here(self) -> bool:
        with self.svc.reading() as session:
            return session.get(Subject, self.id) is not None


def _named(table: sa.Table, ids: set[str]) -> sa.ColumnElement[bool]:
    """Rows that hold one of these ids in any column of words."""
    words = [column for column in table.columns if isinstance(column.type, sa.String | AutoString)]
    return sa.or_(sa.false(), *(column.in_(ids) for column in words))


def naming(svc: Services, person: Person) -> set[str]:
    """The tables in which anything of theirs still stands."""
    with svc.reading() as session:
        return {
            name
            for name, table in TABLES.items()
            if session.execute(sa.select(sa.func.count()).select_from(table).where(_named(table, person.ids))).scalar()
        }


def count(svc: Services, table: type[SQLModel]) -> int:
    with svc.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def rows_of(svc: Services) -> dict[str, int]:
    with svc.reading() as session:
        count = sa.select(sa.func.count())
        return {name: session.execute(count.select_from(TABLES[name])).scalar_one() for name in records.ENDS}


def told(svc: Services) -> list[tuple[str, dict[str, Any]]]:
    with svc.reading() as session:
        rows = session.exec(select(AuditEntry).where(AuditEntry.action == audit.Action.RECORDS_PRUNED)).all()
    return [(row.ref, audit.facts_of(row)) for row in rows]


# ------------------------------------------------------------------------------------------------------------ ends
def test_of_whom_the_last_image_went_long_ago_no_table_knows_any_more(svc):
    gone, stays = Person(svc, A_YEAR_AGO - SECOND), Person(svc, A_YEAR_AGO)
    decided = {name for name, (end, _) in records.ENDS.items() if end is not End.STAYS}
    assert naming(svc, gone) == decided
    before = rows_of(svc)

    assert records.prune(svc) == 1

    assert naming(svc, gone) == set()
    assert naming(svc, stays) == decided
    left = {name: rows // 2 if records.ENDS[name][0] is End.GOES else rows for name, rows in before.items()}
    assert rows_of(svc) == left and count(svc, Alert) == 2, "the register and its like have ends of their own"
    assert told(svc) == [("records", {"people": 1})] and audit.verify(svc).well
    assert reading.detail(svc, gone.request, NOW).ticket.outcome is RequestOutcome.DONE, "the desk reads on"


def test_the_setting_says_how_long(svc, limit_to):
    person = Person(svc, NOW - 190 * DAY)
    assert records.prune(svc) == 0
    assert records.prune(limit_to(records_months=6)) == 1 and not person.is_here()


def test_a_run_as_people_make_it_leaves_nothing(svc, ask, work, clock):
    run_id = ask()
    work()
    with svc.reading() as session:
        subject_id = session.get_one(Generation, run_id).subject_id
    clock.advance(days=31)
    work()
    jobs.Worker(svc).look((JobKind.SWEEP,))
    with svc.transaction() as session:
        enqueue(session, JobKind.SWEEP, "-", at=svc.clock())
    work()
    with svc.reading() as session:
        assert session.get_one(Subject, subject_id).key_destroyed_at == svc.clock()
    counted = count(svc, UsageCount)

    clock.advance(days=366)
    assert records.prune(svc) == 1

    for name, (end, _) in records.ENDS.items():
        with svc.reading() as session:
            left = session.execute(sa.select(sa.func.count()).select_from(TABLES[name])).scalar()
        assert end is not End.GOES or left == 0, name
    assert count(svc, UsageCount) >= counted, "counts are nobody's"


def a_copy_came_back(person: Person) -> None:
    person.change(Copy, gone_at=None, evidence_id=None)


def one_elsewhere_is_not_proved(person: Person) -> None:
    person.change(ProviderCopy, gone_at=None)


def a_run_is_under_way(person: Person) -> None:
    person.change(Generation, state=RunState.RUNNING)


def a_third_party_is_at_work(person: Person) -> None:
    person.change(ProviderTask, ended_at=None)


def a_request_is_open(person: Person) -> None:
    person.change(Request, state=RequestState.OPEN, closed_at=None, outcome=None)


def a_report_is_open(person: Person) -> None:
    person.change(AbuseReport, closed_at=None, outcome=None)


def a_report_of_an_image_is_open(person: Person) -> None:
    person.change(AbuseReport, closed_at=None, outcome=None, subject_id=None, generation_id=None)


def a_report_of_a_run_is_open(person: Person) -> None:
    person.change(AbuseReport, closed_at=None, outcome=None, subject_id=None, copy_id=None)


def something_was_found(person: Person) -> None:
    at = person.gone_at
    row = FindingRow(kind=FindingKind.ZOMBIE, ref=person.copy, size=1, detail="", first_seen_at=at, last_seen_at=at)
    with person.svc.transaction() as session:
        session.add(row)


def work_waits(person: Person) -> None:
    with person.svc.transaction() as session:
        session.add(Job(kind=JobKind.ERASE, ref=person.id, run_at=person.gone_at))


def work_on_a_run_waits(person: Person) -> None:
    with person.svc.transaction() as session:
        session.add(Job(kind=JobKind.DRIFT, ref=person.run, run_at=person.gone_at))


OPEN = (
    a_copy_came_back,
    one_elsewhere_is_not_proved,
    a_run_is_under_way,
    a_third_party_is_at_work,
    a_request_is_open,
    a_report_is_open,
    a_report_of_an_image_is_open,
    a_report_of_a_run_is_open,
    something_was_found,
    work_waits,
    work_on_a_run_waits,
)


@pytest.mark.parametrize("open_thing", OPEN, ids=lambda one: one.__name__)
def test_not_while_anything_of_theirs_is_open(svc, open_thing):
    held, free = Person(svc, A_YEAR_AGO - 9 * DAY), Person(svc, A_YEAR_AGO - 9 * DAY)
    open_thing(held)
    before = naming(svc, held)

    assert records.prune(svc) == 1

    assert naming(svc, held) == before and not free.is_here()
    with svc.reading() as session:
        assert records.overdue(session, NOW, months=12) == 0, "it is not late: something is open"


def test_nothing_goes_while_erasing_is_stopped(svc):
    person = Person(svc, A_YEAR_AGO - DAY)
    erasing.stop(svc, reason="wrong-clock", actor="operator:one")
    assert records.prune(svc) == 0 and person.is_here()
    erasing.start(svc, actor="operator:one")
    assert records.prune(svc) == 1


def test_what_is_made_up_is_left_alone(svc):
    person = Person(svc, A_YEAR_AGO - DAY, id=f"{made_up.WORD}-1")
    assert records.prune(svc) == 0 and person.is_here()
    with svc.reading() as session:
        assert records.oldest_kept(session) is None and records.overdue(session, NOW, months=12) == 0


def test_a_canary_that_was_left_over_goes_too(svc):
    person = Person(svc, A_YEAR_AGO - DAY, is_canary=True)
    assert records.prune(svc) == 1 and naming(svc, person) == set()


def test_whoever_still_has_a_key_is_no_matter_of_ours(svc, given_copy, clock):
    copy = given_copy(ends_in=timedelta(days=900))
    clock.advance(days=800)
    assert records.prune(svc) == 0
    with svc.reading() as session:
        assert session.get(Copy, copy.id) is not None


# --------------------------------------------------------------------------------------------------------- batches
class Killed(Exception):
    pass


def killed() -> None:
    raise Killed


def test_whoever_is_killed_between_batches_is_followed_by_the_next_night(svc):
    people = [Person(svc, A_YEAR_AGO - n * DAY) for n in range(1, 6)]
    a_request_is_open(people[-1])  # the oldest: nobody waits behind it
    for left in (4, 3):
        with pytest.raises(Killed):
            records.prune(svc, breath=killed, batch=2)
        assert sum(person.is_here() for person in people) == left
    assert records.prune(svc, batch=2) == 2
    assert [person.is_here() for person in people] == [False, False, False, False, True]
    assert sum(facts["people"] for _, facts in told(svc)) == 4
    assert records.prune(svc, batch=2) == 0


def test_those_who_are_held_do_not_stop_the_rest(svc):
    people = [Person(svc, A_YEAR_AGO - DAY) for _ in range(5)]
    for person in people[:4]:
        work_waits(person)
    assert records.prune(svc, batch=2) == 1 and [person.is_here() for person in people] == [True] * 4 + [False]


def test_a_person_with_very_many_copies_goes_in_pieces(svc):
    person = Person(svc, A_YEAR_AGO - DAY)
    ids = [new_id() for _ in range(records.PAGE)]
    with svc.transaction() as session:
        session.execute(sa.insert(Evidence), [person._evidence(id).model_dump() for id in ids])
        session.execute(sa.insert(Copy), [person._copy(id, CopyKind.HEADSHOT).model_dump() for id in ids])
    assert records.prune(svc) == 1
    assert count(svc, Copy) == count(svc, Evidence) == 0


@pytest.mark.sqlite_only("a planner of PostgreSQL looks through so few rows as they are")
def test_they_are_found_by_the_index_alone(svc):
    Person(svc, A_YEAR_AGO - DAY)
    seen: list[tuple[str, Any]] = []
    sa.event.listen(svc.database, "before_cursor_execute", lambda *said: seen.append((said[2], said[3])))
    records.prune(svc)
    plans = []
    with svc.database.connect() as connection:
        for statement, values in list(seen):
            if statement.startswith(("SELECT subject", "SELECT copy", "UPDATE", "DELETE")):
                plans += [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert any("ix_subject_key_destroyed_at" in plan for plan in plans)
    scanned = [plan for plan in plans if plan.startswith("SCAN")]
    assert [plan for plan in scanned if not plan.startswith(("SCAN finding", "SCAN job", "SCAN canary_run"))] == []


# -------------------------------------------------------------------------------------------- measured and scheduled
def test_whoever_is_late_is_counted(svc):
    Person(svc, A_YEAR_AGO - records.LATE)
    with svc.reading() as session:
        assert records.overdue(session, NOW, months=12) == 0
    late = Person(svc, A_YEAR_AGO - records.LATE - SECOND)
    with svc.reading() as session:
        assert records.overdue(session, NOW, months=12) == 1
        assert records.oldest_kept(session) == late.gone_at


def test_of_whom_something_was_open_until_a_moment_ago_is_not_late(svc):
    person = Person(svc, A_YEAR_AGO - 90 * DAY)
    person.change(Request, closed_at=NOW - DAY)
    with svc.reading() as session:
        assert records.overdue(session, NOW, months=12) == 0
        assert records.overdue(session, NOW + 2 * DAY, months=12) == 1
    assert records.prune(svc) == 1


def test_the_promise_is_measured(svc):
    found = records_end(svc, NOW)
    assert (found.state, found.figure.text) == (PromiseState.KEPT, "nobody's last image is gone yet")
    Person(svc, A_YEAR_AGO - 3 * DAY)
    found = records_end(svc, NOW)
    assert found.state is PromiseState.BROKEN and "1 overdue" in found.figure.text
    records.prune(svc)
    Person(svc, A_YEAR_AGO + DAY)
    found = records_end(svc, NOW)
    assert found.state is PromiseState.KEPT and "0 overdue" in found.figure.text


def test_it_comes_by_each_night(svc, clock, worker):
    person = Person(svc, A_YEAR_AGO - DAY)
    worker.beat()
    assert not worker.look((JobKind.RECORDS,))
    clock.advance(days=1)
    worker.beat()
    assert worker.look(jobs.RARE_WORK) and worker.look(jobs.RARE_WORK)
    assert not person.is_here()
    with svc.reading() as session:
        assert session.exec(select(Job.kind).where(col(Job.kind) == JobKind.RECORDS)).all() == []
