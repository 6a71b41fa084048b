"""A report: no name is needed, nothing of a file stays, its words go with its end; and what can be done for it."""

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlmodel import select

from core import abuse, erasing, jobs, marks, pictures, records, reports, requests, retention, telling
from core.abuse import blocks, glass
from core.abuse.blocks import What
from core.errors import LimitReached, NotAllowed, NotFound, StorageUnavailable
from core.models import (
    AbuseKind,
    AbuseOutcome,
    AbuseReport,
    Alert,
    Block,
    Copy,
    GlassView,
    JobKind,
    Request,
    RequestOutcome,
    RequestState,
    Subject,
)
from core.operators import Operator
from core.picture_files import packet_of, with_packet
from core.ports import Headshot, Order
from core.reports import Received
from core.services import Services
from core.vault import Vault
from tests.abuse.conftest import ORIGINAL, deeds, drawn, headshots, id_of, subject_of
from tests.conftest import ANN, BOB, EVE
from tests.fakes import DrawingEngine, FrozenClock, MemoryStore, jpeg

WORDS = "She took it from my page at example.org/me"
Report = Callable[..., Received]
Made = Callable[..., Any]


def row(svc: Services, report_id: str) -> AbuseReport:
    with svc.reading() as session:
        return session.get_one(AbuseReport, report_id)


# ------------------------------------------------------------------------------------------------------------- received
def test_it_has_a_number_and_48_hours_and_says_nothing_of_what_was_found(
    open_house: Services, made: Made, report: Report
) -> None:
    found, not_found = report(run_number=made().number), report(run_number="G-0000000")
    for received in (found, not_found):
        assert received.number.startswith("A-") and len(received.number) == 9
        assert received.due_at == open_house.clock() + timedelta(hours=48)
    assert found.__dataclass_fields__.keys() == {"number", "kind", "due_at"}
    assert row(open_house, id_of(open_house, found)).subject_id == subject_of(open_house).id
    assert row(open_house, id_of(open_house, not_found)).subject_id is None
    assert ("abuse:reported", "system") in deeds(open_house, "abuse")


def test_a_double_press_is_one_report(open_house: Services, report: Report) -> None:
    assert report(press_id="p1").number == report(press_id="p1").number != report(press_id="p2").number
    with open_house.reading() as session:
        assert reports.how_many_wait(session) == 2


@pytest.mark.parametrize(
    "said",
    [{"words": " "}, {"words": "x" * 2001}, {"words": WORDS, "address": "nobody"}],
    ids=["nothing points at it", "too long", "no address"],
)
def test_what_cannot_be_dealt_with_is_said_at_once(open_house: Services, report: Report, said: dict[str, str]) -> None:
    with pytest.raises(NotAllowed):
        report(**said)
    with open_house.reading() as session:
        assert reports.how_many_wait(session) == 0


def test_one_browser_and_one_network_report_so_often_in_a_day(
    open_house: Services, report: Report, clock: FrozenClock
) -> None:
    for _time in range(reports.OF_A_SESSION):
        report(who=EVE)
    with pytest.raises(LimitReached, match="tomorrow"):
        report(who=EVE)
    report(who=BOB)
    clock.advance(days=1)
    report(who=EVE)
    others = [f"{number:064x}" for number in range(reports.OF_A_NETWORK)]
    for other in others:
        open_house.networks.seen(other, "203.0.113.9")
        report(who=other)
    open_house.networks.seen(ANN, "203.0.113.77")
    with pytest.raises(LimitReached):
        report(who=ANN)


# ---------------------------------------------------------------------------------------------------------------- found
def test_the_original_file_leads_to_whoever_uploaded_it(open_house: Services, made: Made, report: Report) -> None:
    run = made()
    found = row(open_house, id_of(open_house, report(trace=reports.trace_of(open_house, ORIGINAL))))
    assert (found.subject_id, found.copy_id, found.generation_id) == (run.subject_id, run.portrait_id, run.id)
    other = row(open_house, id_of(open_house, report(trace=reports.trace_of(open_house, ORIGINAL + b"\0"))))
    assert other.subject_id is None and other.file_hash != found.file_hash


def test_a_file_that_several_have_uploaded_leads_to_all_of_them(
    open_house: Services, made: Made, report: Report, kim: Operator
) -> None:
    made(), made(who=BOB)
    report_id = id_of(open_house, report(trace=reports.trace_of(open_house, ORIGINAL)))
    assert row(open_house, report_id).subject_id is None
    people = reports.detail(open_house, report_id).people
    assert {person.subject_id for person in people} == {subject_of(open_house, who).id for who in (ANN, BOB)}
    with pytest.raises(NotAllowed, match="choose one"):
        blocks.block(open_house, kim, report_id, What.PERSON)
    blocks.block(open_house, kim, report_id, What.PERSON, subject_id=people[0].subject_id)
    with pytest.raises(NotAllowed, match="choose one"):
        reports.erase(open_house, kim, report_id)


class MarkingEngine(DrawingEngine):
    """Marks what it makes, as real ones do."""

    def __init__(self, at: Callable[[], Any]) -> None:
        super().__init__()
        self._at = at

    def make(self, order: Order) -> Iterator[Any]:
        for event in super().make(order):
            if isinstance(event, Headshot):
                mark = marks.Marks(
                    source_type=marks.SourceType.COMPOSITE, system="WorkShot", version="1", created_at=self._at(),
                    id=marks.random_id(),
                )  # fmt: skip
                event = replace(event, data=marks.mark(jpeg(400, 500), mark), width=400, height=500)
            yield event


@pytest.fixture
def marking(open_house: Services) -> Services:
    return replace(open_house, engines={"on_device": MarkingEngine(open_house.clock)})


def read(svc: Services, copy: Copy) -> bytes:
    with svc.reading() as session:
        return svc.vault.get(session.get_one(Subject, copy.subject_id), copy)


@pytest.mark.parametrize("as_", ["whole", "smaller"])
def test_a_downloaded_headshot_is_found_by_its_mark_when_an_operator_asks(
    marking: Services, made: Made, report: Report, kim: Operator, clock: FrozenClock, as_: str
) -> None:
    made(marking)
    clock.advance(days=2)
    made(marking, who=BOB)
    wanted = headshots(marking)[1]
    data = read(marking, wanted)
    file = data if as_ == "whole" else pictures.smaller(data, (200, 250))
    report_id = id_of(marking, report(marking, trace=reports.trace_of(marking, file)))
    assert row(marking, report_id).subject_id is None, "nothing is read for a stranger"
    assert reports.detail(marking, report_id).has_mark
    assert reports.find_by_mark(marking, kim, report_id)
    assert row(marking, report_id).copy_id == wanted.id
    assert ("abuse:searched", kim.actor) in deeds(marking, "abuse")


def test_a_mark_of_nothing_that_is_here_finds_nobody(
    marking: Services, made: Made, report: Report, kim: Operator
) -> None:
    made(marking)
    foreign = marks.Marks(
        source_type=marks.SourceType.COMPOSITE, system="WorkShot", version="1", created_at=marking.clock(),
        id=marks.random_id(),
    )  # fmt: skip
    file = marks.mark(jpeg(), foreign)
    report_id = id_of(marking, report(marking, trace=reports.trace_of(marking, file)))
    assert not reports.find_by_mark(marking, kim, report_id)
    silent = id_of(marking, report(marking))
    with pytest.raises(NotAllowed, match="no mark"):
        reports.find_by_mark(marking, kim, silent)


@pytest.mark.parametrize("what", ["damaged", "missing", "away"])
def test_one_bad_candidate_hides_no_other(
    marking: Services, made: Made, report: Report, kim: Operator, store: MemoryStore, what: str
) -> None:
    made(marking)
    _first, wanted = headshots(marking)
    file = read(marking, wanted)
    bad = next(copy for copy in headshots(marking) if copy.id != wanted.id)
    if what == "damaged":
        store.objects[bad.object_key] = b"x" * 99
    elif what == "missing":
        del store.objects[bad.object_key]
    report_id = id_of(marking, report(marking, trace=reports.trace_of(marking, file)))
    if what == "away":
        store.down = True
        with pytest.raises(StorageUnavailable):
            reports.find_by_mark(marking, kim, report_id)
        return
    assert reports.find_by_mark(marking, kim, report_id)
    assert row(marking, report_id).copy_id == wanted.id


@pytest.mark.parametrize(
    "instant",
    ["0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2019-12-31T00:00:00Z"],
)
def test_a_mark_from_no_time_of_ours_is_none_and_the_report_is_taken(
    marking: Services, report: Report, instant: str
) -> None:
    file = crafted(instant)
    report_id = id_of(marking, report(marking, trace=reports.trace_of(marking, file)))
    assert not reports.detail(marking, report_id).has_mark


def test_a_mark_from_tomorrow_is_one_whose_clock_differs(marking: Services) -> None:
    for ahead, is_ours in ((timedelta(days=1), True), (timedelta(days=1, seconds=1), False)):
        file = crafted((marking.clock() + ahead).isoformat())
        assert (reports.trace_of(marking, file).marked is not None) is is_ours


def crafted(instant: str) -> bytes:
    """A picture whose mark looks like one of ours, with an instant that somebody wrote into it."""
    honest = marks.Marks(
        source_type=marks.SourceType.COMPOSITE, system="WorkShot", version="1", id=marks.random_id(),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    data = marks.mark(jpeg(), honest)
    packet = packet_of(data)
    assert packet is not None and b"2026-01-01T00:00:00+00:00" in packet
    return with_packet(data, packet.replace(b"2026-01-01T00:00:00+00:00", instant.encode()), keep_profile=False)


def test_canaries_are_nobody(open_house: Services, made: Made, report: Report) -> None:
    run = made()
    with open_house.transaction() as session:
        session.execute(sa.text("UPDATE subject SET is_canary = :yes"), {"yes": True})
    for said in ({"run_number": run.number}, {"trace": reports.trace_of(open_house, ORIGINAL)}):
        assert row(open_house, id_of(open_house, report(**said))).subject_id is None


# --------------------------------------------------------------------------------------------------------------- sealed
def every_byte(svc: Services) -> bytes:
    with svc.database.connect() as connection:
        tables = [connection.execute(table.select()).all() for table in AbuseReport.metadata.sorted_tables]
    return b"|".join(
        value if isinstance(value, bytes) else repr(value).encode() for rows in tables for row in rows for value in row
    )


def test_words_and_address_lie_sealed_and_go_with_the_end(open_house: Services, report: Report, kim: Operator) -> None:
    trace = reports.trace_of(open_house, b"a file of nobody here")
    report_id = id_of(open_house, report(words=WORDS, address="Eve <eve@example.org>", trace=trace))
    assert trace.file_hash.encode() in every_byte(open_house)
    assert (reports.detail(open_house, report_id).words, reports.detail(open_house, report_id).address) == (
        WORDS,
        "eve@example.org",
    )
    assert WORDS.encode() not in every_byte(open_house) and b"eve@example" not in every_byte(open_house)
    reports.close(open_house, kim, report_id, AbuseOutcome.NOTHING_FOUND)
    over = row(open_house, report_id)
    assert (over.sealed_key, over.sealed_words, over.sealed_address) == (None, None, None)
    assert over.file_hash is None and trace.file_hash.encode() not in every_byte(open_house)
    assert (over.closed_at, over.outcome) == (open_house.clock(), AbuseOutcome.NOTHING_FOUND)
    assert reports.detail(open_house, report_id).words is None
    assert ("abuse:closed", kim.actor) in deeds(open_house, "abuse")
    with pytest.raises(NotAllowed, match="closed already"):
        reports.close(open_house, kim, report_id, AbuseOutcome.NOTHING_WRONG)


def test_the_database_keeps_no_key_of_a_closed_report(open_house: Services, report: Report, kim: Operator) -> None:
    report_id = id_of(open_house, report())
    reports.close(open_house, kim, report_id, AbuseOutcome.NOTHING_FOUND)
    with pytest.raises(sa.exc.IntegrityError), open_house.transaction() as session:
        session.get_one(AbuseReport, report_id).sealed_key = b"k"


def test_nothing_of_a_file_is_stored(open_house: Services, report: Report, caplog: pytest.LogCaptureFixture) -> None:
    photo = io.BytesIO()
    Image.effect_noise((300, 300), 60).convert("RGB").save(photo, "JPEG")
    file = photo.getvalue()
    held = len(open_house.vault.store.objects)  # type: ignore[attr-defined]
    report(words=WORDS, trace=reports.trace_of(open_house, file))
    found = every_byte(open_house) + caplog.text.encode()
    assert not [at for at in range(0, len(file) - 16, 500) if file[at : at + 16] in found]
    assert len(open_house.vault.store.objects) == held  # type: ignore[attr-defined]


def test_a_claim_code_in_the_words_is_blotted_out(open_house: Services, made: Made, report: Report) -> None:
    from core import access

    made()
    code = access.issue_claim_code(open_house, ANN)
    report_id = id_of(open_house, report(words=f"mine is {code}"))
    assert reports.detail(open_house, report_id).words == "mine is [claim code]"


# ----------------------------------------------------------------------------------------------------------------- ends
def test_an_outcome_says_only_what_was_done(open_house: Services, reported: str, kim: Operator) -> None:
    for outcome in (AbuseOutcome.BLOCKED, AbuseOutcome.ERASED):
        with pytest.raises(NotAllowed, match="Nothing was"):
            reports.close(open_house, kim, reported, outcome)
    blocks.block(open_house, kim, reported, What.PERSON)
    reports.close(open_house, kim, reported, AbuseOutcome.BLOCKED)


def test_erasing_goes_the_one_way_out(open_house: Services, reported: str, kim: Operator, store: Any) -> None:
    assert store.objects
    ticket = reports.erase(open_house, kim, reported)
    assert reports.erase(open_house, kim, reported).id == ticket.id
    drawn(open_house)
    open_house.clock.advance(minutes=15)  # type: ignore[attr-defined]
    drawn(open_house)
    done = requests.detail(open_house, ticket.id, open_house.clock()).ticket
    assert (done.state, done.outcome) == (RequestState.CLOSED, RequestOutcome.DONE)
    assert store.objects == {}
    assert [one.id for one in reports.detail(open_house, reported).requests] == [ticket.id]
    assert deeds(open_house, "abuse").count(("abuse:erase_asked", kim.actor)) == 1
    reports.close(open_house, kim, reported, AbuseOutcome.ERASED)


def test_the_register_names_nobody_whom_a_report_erased(
    open_house: Services, made: Made, report: Report, kim: Operator, clock: FrozenClock
) -> None:
    """Of several whom a file leads to: each by a request of their own, which the report knows to the last."""
    theirs = {made().subject_id, made(who=BOB).subject_id}
    report_id = id_of(open_house, report(trace=reports.trace_of(open_house, ORIGINAL)))
    tickets = {reports.erase(open_house, kim, report_id, subject_id=subject_id).id for subject_id in theirs}
    for _round in range(3):
        drawn(open_house)
        clock.advance(minutes=15)
    reports.close(open_house, kim, report_id, AbuseOutcome.ERASED)
    clock.advance(days=400)
    records.prune(open_house)
    assert {one.id for one in reports.detail(open_house, report_id).requests} == tickets
    with open_house.reading() as session:
        assert session.exec(select(Subject.id)).all() == []
        held = repr([row.model_dump() for row in session.exec(select(Request)).all()])
    assert not [subject_id for subject_id in theirs if subject_id in held]


@pytest.mark.parametrize("instead", ["withdrawn", "never matched"])
def test_erased_is_what_a_matched_request_that_was_not_withdrawn_did(
    open_house: Services, reported: str, kim: Operator, instead: str
) -> None:
    ticket = reports.erase(open_house, kim, reported)
    with open_house.transaction() as session:
        request = session.get_one(Request, ticket.id)
        if instead == "withdrawn":
            request.state, request.outcome = RequestState.CLOSED, RequestOutcome.WITHDRAWN
            request.closed_at = request.done_at = open_house.clock()
            request.sealed_key = request.sealed_address = None
        else:
            request.matched_by = request.matched_at = None
    with pytest.raises(NotAllowed, match="Nothing was erased"):
        reports.close(open_house, kim, reported, AbuseOutcome.ERASED)


class Meanwhile(Vault):
    """While it makes a key, somebody else is at work."""

    def __init__(self, like: Vault, deed: Callable[[], object]) -> None:
        vars(self).update(vars(like))
        self.deeds = [deed]

    def make_key(self, owner_id: str) -> bytes:
        while self.deeds:
            self.deeds.pop()()
        return super().make_key(owner_id)


def their_rows_go(svc: Services) -> None:
    """As in the night, but for its last word, which takes turns with reports."""

    def ends() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        records.prune(svc, batch=1, breath=ends)


def test_who_is_removed_while_they_are_reported_is_not_found_and_the_report_is_taken(
    open_house: Services, made: Made, report: Report, clock: FrozenClock
) -> None:
    run = made()
    retention.erase_everything(open_house, run.subject_id)
    drawn(open_house)
    clock.advance(days=400)
    deed = partial(their_rows_go, open_house)
    if open_house.database.dialect.name == "sqlite":
        deed()  # whoever writes there waits for the other: before it, or after it
        deed = partial(int)
    svc = replace(open_house, vault=Meanwhile(open_house.vault, deed))
    received = report(svc, run_number=run.number)
    assert row(open_house, id_of(open_house, received)).subject_id is None
    with open_house.reading() as session:
        assert session.get(Subject, run.subject_id) is None and reports.how_many_wait(session) == 1


def test_a_report_of_nobody_erases_nothing(open_house: Services, report: Report, kim: Operator) -> None:
    with pytest.raises(NotAllowed, match="Nobody was found"):
        reports.erase(open_house, kim, id_of(open_house, report()))
    with pytest.raises(NotFound):
        reports.erase(open_house, kim, "none")


# --------------------------------------------------------------------------------------------------------------- pruned
def test_it_is_removed_twelve_months_after_its_end_with_all_that_hangs_on_it(
    open_house: Services, reported: str, report: Report, kim: Operator, lee: Operator, clock: FrozenClock
) -> None:
    view = glass.ask_to_look(open_house, kim, reported)
    glass.decide(open_house, lee, view.id, allow=True)
    blocks.block(open_house, kim, reported, What.PERSON)
    reports.close(open_house, kim, reported, AbuseOutcome.BLOCKED)
    still_open = id_of(open_house, report())
    with open_house.transaction() as session:
        session.add_all(Alert(ref=ref, threshold="24h", at=clock()) for ref in (reported, still_open))
    clock.advance(days=365, seconds=-1)
    assert abuse.prune(open_house) == 0
    clock.advance(seconds=1)
    assert abuse.prune(open_house) == 1
    with open_house.reading() as session:
        assert session.exec(select(AbuseReport.id)).all() == [still_open]
        assert session.exec(select(Alert.ref)).all() == [still_open]
        assert session.exec(select(GlassView)).all() == session.exec(select(Block)).all() == []
    assert ("abuse:pruned", "system") in deeds(open_house, "abuse")


@pytest.mark.parametrize("stopped", [False, True])
def test_the_night_s_job_removes_it_whether_erasing_is_stopped_or_not(
    open_house: Services, report: Report, kim: Operator, clock: FrozenClock, stopped: bool
) -> None:
    over = id_of(open_house, report())
    reports.close(open_house, kim, over, AbuseOutcome.NOTHING_FOUND)
    worker = jobs.Worker(open_house)
    worker.beat()
    clock.advance(days=366)
    if stopped:
        erasing.stop(open_house, reason="wrong-clock", actor=kim.actor)
    worker.beat()
    while worker.look((JobKind.RECORDS,)):
        pass
    with open_house.reading() as session:
        assert session.get(AbuseReport, over) is None


def test_a_block_is_removed_thirty_days_after_its_end(
    open_house: Services, reported: str, kim: Operator, clock: FrozenClock
) -> None:
    (person,) = blocks.block(open_house, kim, reported, What.PERSON)
    blocks.block(open_house, kim, reported, What.FILE)
    blocks.lift(open_house, kim, person.id)
    clock.advance(days=30, seconds=-1)
    abuse.prune(open_house)
    with open_house.reading() as session:
        assert len(session.exec(select(Block)).all()) == 2
    clock.advance(seconds=1)
    abuse.prune(open_house)
    with open_house.reading() as session:
        (left,) = session.exec(select(Block)).all()
    assert left.file_hash and blocks.is_on(left, clock())


# ----------------------------------------------------------------------------------------------------------------- told
class Duty:
    def __init__(self, *, hears: bool = True) -> None:
        self.hears, self.told = hears, list[tuple[str, str]]()

    def tell(self, title: str, text: str) -> bool:
        if self.hears:
            self.told.append((title, text))
        return self.hears

    def check(self) -> tuple[int, int]:
        return 1, 1


def test_people_on_duty_hear_of_it_as_of_requests_and_of_a_child_at_once(
    open_house: Services, report: Report, clock: FrozenClock
) -> None:
    duty = Duty(hears=False)
    svc = replace(open_house, notify=duty)
    plain = report(svc, words=WORDS, address="eve@example.org")
    child = report(svc, kind=AbuseKind.CHILD)
    assert abuse.tell(svc, clock()) == 0
    duty.hears = True
    assert abuse.tell(svc, clock()) == 0, "who did not hear is not asked at every look"
    clock.advance(minutes=2)
    assert abuse.tell(svc, clock()) == 1 and abuse.tell(svc, clock()) == 0
    ((title, text),) = duty.told
    assert title == "WorkShot: 1 abuse report waiting, 1 of a child" and child.number in text
    clock.advance(hours=24)
    assert abuse.tell(svc, clock()) == 2
    assert plain.number in duty.told[-1][1]
    clock.advance(hours=24, seconds=1)
    assert abuse.tell(svc, clock()) == 2 and "overdue" in duty.told[-1][1]
    said = "".join(word for told in duty.told for word in told)
    assert WORDS not in said and "eve@" not in said
    assert abuse.tell(replace(svc, notify=None), clock()) == 0


def test_the_alerts_of_a_child_s_report_need_no_minute(open_house: Services, report: Report) -> None:
    duty = Duty()
    svc = replace(open_house, notify=duty)
    report(svc, kind=AbuseKind.CHILD)
    worker = jobs.Worker(svc)
    while worker.look(jobs.POST_WORK):
        pass
    assert len(duty.told) == 1


def test_no_flood_of_others_hides_a_child_s(open_house: Services, report: Report, clock: FrozenClock) -> None:
    duty = Duty()
    svc = replace(open_house, notify=duty)
    with svc.transaction() as session:
        clocks = {"received_at": clock(), "due_at": clock() + abuse.ANSWERED_IN - timedelta(seconds=1)}
        for number in range(telling.AT_ONCE):
            session.add(AbuseReport(number=f"A-{number}", kind=AbuseKind.OTHER, **clocks))
    child = report(svc, kind=AbuseKind.CHILD)
    assert abuse.tell(svc, clock()) == 1 and child.number in duty.told[0][1]


def test_no_flood_that_was_told_of_hides_what_comes_later(
    open_house: Services, report: Report, clock: FrozenClock
) -> None:
    duty = Duty()
    svc = replace(open_house, notify=duty)
    with svc.transaction() as session:
        clocks = {"received_at": clock(), "due_at": clock() + abuse.ANSWERED_IN}
        for number in range(telling.AT_ONCE):
            session.add(AbuseReport(number=f"A-{number}", kind=AbuseKind.CHILD, **clocks))
    assert abuse.tell(svc, clock()) == telling.AT_ONCE
    later = report(svc, kind=AbuseKind.CHILD)
    assert abuse.tell(svc, clock()) == 1 and later.number in duty.told[1][1]
