"""A copy of my data: everything that is held about one person, as ZIP files that only they can fetch."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

from core import access, audit, copies, exports, policy, promises, queue, requests, retention
from core.contracts import Contract
from core.errors import NotFound, StorageUnavailable
from core.exports import packing, schema
from core.language import instant, speaking
from core.models import (
    AbuseKind,
    AbuseReport,
    AuditEntry,
    Block,
    Copy,
    CopyKind,
    Generation,
    GlassView,
    HandOverLink,
    Job,
    JobKind,
    MailIn,
    MailOut,
    MailSort,
    MailState,
    MessageWay,
    Request,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
    Subject,
    new_id,
)
from core.services import Services
from tests.conftest import ANN, BOB, EVE
from tests.fakes import FrozenClock, MemoryStore
from tests.provider.outsider import PLACE, given_task, noted

NOTE, WORDS, ADDRESS = "hide the scar", "please hurry", "ann@example.org"
Ask = Callable[..., str]
Work = Callable[[], int]


# ------------------------------------------------------------------------------------------------------- every column
def columns(table: Any) -> set[str]:
    return set(table.__table__.columns.keys())


TABLES = sorted((mapper.class_ for mapper in SQLModel._sa_registry.mappers), key=lambda table: table.__name__)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_column_is_told_or_has_a_reason_not_to_be(table: Any) -> None:
    if table in schema.NOT_PERSONAL:
        assert table not in schema.TOLD
        assert len(schema.NOT_PERSONAL[table]) > 10, "a reason"
        return
    told = schema.TOLD[table]
    decided = [*told.columns, *told.opened, *told.withheld]
    assert sorted(decided) == sorted(columns(table)), "a column without a decision, or one that is no more"
    assert all(len(why) > 10 for why in told.withheld.values())


def test_what_points_at_a_person_is_not_called_impersonal() -> None:
    """Whoever adds a table of people's rows has to tell of it."""
    pointing = {
        table
        for table in (mapper.class_ for mapper in SQLModel._sa_registry.mappers)
        if {"subject_id", "generation_id", "copy_id"} & columns(table)
        or any(name.startswith("sealed_") for name in columns(table))
    }
    canaries = {table for table in pointing if table.__name__ == "CanaryRun"}
    assert pointing - canaries <= set(schema.TOLD)


def test_nothing_that_opens_anything_is_told() -> None:
    opening = {"sealed_key", "session_hash", "claim_hash", "object_key", "press_id", "request_id"}
    told = {(table, name) for table, told in schema.TOLD.items() for name in (*told.columns, *told.opened)}
    of_requests = {table for table in schema.TOLD if "request" in {key.column.table.name for key in keys_of(table)}}
    assert {(table, name) for table, name in told if name in opening} == {
        (table, "request_id") for table in of_requests if "request_id" in columns(table)
    }, "request_id: the request it belongs to, but for a run's, which is a press of the button"


def keys_of(table: Any) -> set[Any]:
    return set(table.__table__.foreign_keys)


# ------------------------------------------------------------------------------------------------------------ packing
@pytest.fixture
def asks_for_a_copy(svc: Services) -> Callable[..., str]:
    def press(*, who: str = ANN, address: str = "", svc: Services = svc) -> str:
        return requests.open_in_product(
            svc, who, kind=RequestKind.COPY, press_id=new_id(), words=WORDS, address=address
        ).id

    return press


@pytest.fixture
def packs(svc: Services) -> Callable[..., None]:
    """The worker does the job until it is done."""

    def until_idle(*, times: int = 20, svc: Services = svc) -> None:
        while claim := queue.claim(svc, [JobKind.EXPORT]):
            exports.pack(svc, claim)
            times -= 1
            assert times, "it never comes to rest"

    return until_idle


@pytest.fixture
def request_of(svc: Services) -> Callable[[str], Request]:
    def look(request_id: str) -> Request:
        with svc.reading() as session:
            return session.get_one(Request, request_id)

    return look


@pytest.fixture
def files_of(svc: Services) -> Callable[[str], list[exports.ExportFile]]:
    def look(request_id: str) -> list[exports.ExportFile]:
        with svc.reading() as session:
            return exports.files_of(session, session.get_one(Request, request_id).export_id, svc.clock())

    return look


@pytest.fixture
def unpacked(svc: Services, files_of: Callable[[str], list[exports.ExportFile]]) -> Callable[..., dict[str, bytes]]:
    """What is in a file, by name."""

    def read(request_id: str, number: int = 1) -> dict[str, bytes]:
        data = copies.read(svc, files_of(request_id)[number - 1].copy_id)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}

    return read


def exports_kept(svc: Services) -> list[Copy]:
    with svc.reading() as session:
        kept = Copy.kind == CopyKind.EXPORT, col(Copy.gone_at).is_(None)
        return list(session.exec(select(Copy).where(*kept).order_by(col(Copy.created_at))))


def data_of(files: dict[str, bytes]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(files["data.json"])
    return data


def test_all_images_and_all_data_are_in_it(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, unpacked: Any, request_of: Any
) -> None:
    run_id = ask(note=NOTE)
    work()
    asked = asks_for_a_copy(address=ADDRESS)
    packs()
    files = unpacked(asked)
    run = data_of(files)["runs"][0]
    number = run["number"]
    images = {f"images/headshot-{number}-1.jpg", f"images/headshot-{number}-2.jpg", "images/photo-1.jpg"}
    assert set(files) == images | {"data.json", "README.txt"}
    with svc.reading() as session:
        portrait = session.get_one(Generation, run_id).portrait_id
    assert files["images/photo-1.jpg"] == copies.read(svc, portrait)
    data = data_of(files)
    assert run["note"] == NOTE
    assert data["consents"][0]["policy_version"] == data["policy"]["version"] == policy.version(svc)
    assert data["consents"][0]["language"] == "en"
    assert promises.PROMISES[3].sentence in data["policy"]["texts"][policy.version(svc)]["en"]
    assert {image["file"] for image in data["images"] if image["kind"] != "export"} == images
    assert [message["text"] for message in data["messages"]] == [WORDS]
    assert data["requests"][0]["address"] == ADDRESS
    assert {"run:requested", "run:ended", "consent:given"} <= {entry["action"] for entry in data["history"]}
    assert all(entry["actor"] in ("system", "subject", "operator") for entry in data["history"])
    request = request_of(asked)
    assert (request.state, request.outcome) == (RequestState.CLOSED, RequestOutcome.DONE)
    assert request.done_at is not None and request.done_at <= request.due_at


def test_every_told_column_is_in_the_file(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, unpacked: Any
) -> None:
    """The table of decisions is what is done: each section, each column, each sealed word in clear."""
    run_id = ask(note=NOTE)
    work()
    asked = asks_for_a_copy(address=ADDRESS)
    given_mails(svc, asked)
    given_elsewhere(svc, run_id)
    given_report(svc, run_id)
    packs()
    data = data_of(unpacked(asked))
    rare = {"findings", "receipts", "proofs"}
    for told in schema.TOLD.values():
        assert data[told.section] or told.section in rare, told.section
        for row in data[told.section]:
            assert {*told.columns, *told.opened.values()} <= set(row), told.section
    assert data["copies_at_third_parties"][0]["address"] == PLACE + "1.png"
    assert "provider_copy:noted" in {entry["action"] for entry in data["history"]}
    assert data["our_mails"][0]["mail"] == "To: ann" and data["your_mails"][0]["mail"] == "From: ann"


def given_elsewhere(svc: Services, run_id: str) -> None:
    """Somebody else made it, too: they fetched the photo, and have a result."""
    task = given_task(svc, run_id)
    noted(svc, task)
    with svc.transaction() as session:
        photo, now = session.get_one(Generation, run_id).portrait_id, svc.clock()
        session.add(HandOverLink(task_id=task.id, copy_id=photo, made_at=now, expires_at=now))


def test_its_readme_is_in_the_language_of_the_request(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, unpacked: Any
) -> None:
    ask()
    work()
    with speaking("de"):
        asked = asks_for_a_copy()
    packs()
    readme = unpacked(asked)["README.txt"].decode()
    assert readme.startswith("Eine Kopie Ihrer Daten bei WorkShot\r\n")
    assert "  consents (1): Wozu Sie eingewilligt haben" in readme and " Uhr UTC gelöscht" in readme
    assert not [word for word in ("the", "your", "which", "is") if f" {word} " in readme]
    assert readme.count("\n") == readme.count("\r\n")


def given_report(svc: Services, run_id: str) -> None:
    """Somebody reported a picture, one operator asked to look at it, and a block came of it."""
    now, kind = svc.clock(), AbuseKind.PRETENDS
    with svc.transaction() as session:
        run = session.get_one(Generation, run_id)
        whose, copy_id = run.subject_id, run.portrait_id
        report = AbuseReport(number="A-1", kind=kind, received_at=now, due_at=now, subject_id=whose, copy_id=copy_id)
        session.add(report)
        session.flush()
        about = {"report_id": report.id, "subject_id": whose, "reason": kind}
        session.add(GlassView(copy_id=copy_id, asked_by="one", asked_at=now, **about))
        session.add(Block(made_by="one", made_at=now, until=now, **about))


def given_mails(svc: Services, request_id: str) -> None:
    now = svc.clock()
    out = MailOut(
        request_id=request_id, purpose="answer", once="1", created_at=now, state=MailState.QUEUED, message_hash="1"
    )
    into = MailIn(
        mailbox="m", uid_validity=1, uid=1, mark="1", received_at=now, read_at=now, sort=MailSort.REPLY,
        request_id=request_id,
    )  # fmt: skip
    out.sealed_key, into.sealed_key = svc.vault.make_key(out.id), svc.vault.make_key(into.id)
    out.sealed_mail, into.sealed_mail = svc.vault.seal_text(out, "To: ann"), svc.vault.seal_text(into, "From: ann")
    with svc.transaction() as session:
        session.add_all([out, into])


def test_nobody_elses_is_in_it(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, unpacked: Any
) -> None:
    ask(note=NOTE)
    bobs = ask(who=BOB, note="bob's own words")
    work()
    given_elsewhere(svc, bobs)
    asks_for_a_copy(who=BOB)
    asked = asks_for_a_copy()
    packs()
    files = unpacked(asked)
    with svc.reading() as session:
        bob = access.current_subject(session, BOB)
        assert bob
        of_bob = [copy.id for copy in copies.of_subject(session, bob.id)]
    everything = b"".join(files.values()).decode("latin-1")
    assert not [word for word in (bob.id, bobs, "bob's own", PLACE, *of_bob) if word in everything]


def test_operators_are_not_named(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, unpacked: Any
) -> None:
    ask()
    work()
    asked = asks_for_a_copy()
    with svc.transaction() as session:
        request = session.get_one(Request, asked)
        request.assignee = "s-rose"
        text = svc.vault.seal_text(request, "looked at it")
        note = {"at": svc.clock(), "way": MessageWay.NOTE, "author": "operator:s-rose"}
        session.add_all([request, RequestMessage(request_id=asked, sealed_body=text, **note)])
        noted = audit.Action.REQUEST_NOTED
        audit.record(session, noted, asked, at=svc.clock(), actor="operator:s-rose")
    packs()
    files = unpacked(asked)
    data = data_of(files)
    assert {"operator", "subject"} == {message["author"] for message in data["messages"]}
    assert "looked at it" in [message["text"] for message in data["messages"]], "what we think of them is theirs, too"
    assert b"s-rose" not in b"".join(files.values())


def test_the_readme_says_what_is_in_it_and_what_is_not(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, unpacked: Any
) -> None:
    ask()
    work()
    asked = asks_for_a_copy()
    packs()
    text = unpacked(asked)["README.txt"].decode()
    assert "runs (1): Your runs" in text and "images (" in text
    assert "What is not in it, and why" in text
    assert f"erased by {instant(svc.clock() + timedelta(hours=24), seconds=False)}, no later" in text


# ------------------------------------------------------------------------------------------------------------- clocks
def test_it_is_a_copy_like_any_other_and_goes_after_24_hours(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock, store: MemoryStore
) -> None:
    ask()
    work()
    asks_for_a_copy()
    packs()
    (export,) = exports_kept(svc)
    assert (export.kind, export.place) == (CopyKind.EXPORT, "vault")
    assert export.erase_by == clock() + timedelta(hours=24)
    assert b"PK" not in store.objects[export.object_key][:4] and export.size + 31 == len(
        store.objects[export.object_key]
    ), "sealed"
    clock.advance(hours=24)
    retention.sweep(svc)
    assert exports_kept(svc) == []
    assert export.object_key not in store.objects


def test_images_that_end_sooner_lie_in_a_file_that_ends_with_them(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock, unpacked: Any
) -> None:
    """By its clock, also inside a ZIP: nothing outlives what was promised for it."""
    ask(contract=Contract.MONTH)
    clock.advance(minutes=1)
    hour = ask(contract=Contract.HOUR)
    work()
    asked = asks_for_a_copy()
    packs()
    first, second = exports_kept(svc)
    with svc.reading() as session:
        ends = session.get_one(Generation, hour).erase_by
    assert (first.erase_by, second.erase_by) == (clock() + timedelta(hours=24), ends)
    assert {"images/photo-1.jpg"} == {name for name in unpacked(asked) if "photo" in name}
    assert {"images/photo-2.jpg"} == {name for name in unpacked(asked, 2) if "photo" in name}
    assert "data.json" not in unpacked(asked, 2)


def test_with_nothing_that_lasts_the_data_ends_with_the_last_image(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock
) -> None:
    ask(contract=Contract.HOUR)
    work()
    clock.advance(minutes=50)
    asks_for_a_copy()
    packs()
    (export,) = exports_kept(svc)
    assert export.erase_by == clock() + timedelta(minutes=10)


def test_no_clock_of_the_person_becomes_longer(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock
) -> None:
    ask(contract=Contract.HOUR)
    ask(contract=Contract.WEEK)
    work()
    before = clocks(svc)
    asks_for_a_copy()
    packs()
    after = clocks(svc)
    assert {copy_id: after[copy_id] for copy_id in before} == before
    assert max(after.values()) == max(before.values())


def clocks(svc: Services) -> dict[str, datetime]:
    with svc.reading() as session:
        return {copy.id: copy.erase_by for copy in session.exec(select(Copy))}


def test_erasing_everything_takes_the_copy_along_and_then_the_key(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, store: MemoryStore
) -> None:
    ask()
    work()
    asks_for_a_copy()
    packs()
    (export,) = exports_kept(svc)
    retention.erase_everything(svc, export.subject_id)
    work()
    assert store.objects == {}
    with svc.reading() as session:
        assert session.get_one(Subject, export.subject_id).sealed_key is None


def test_the_key_lives_until_the_copy_is_gone(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any
) -> None:
    run_id = ask()
    work()
    asks_for_a_copy()
    packs()
    (export,) = exports_kept(svc)
    with svc.transaction() as session:
        run = session.get_one(Generation, run_id)
        for copy in copies.of_subject(session, run.subject_id):
            if copy.kind is not CopyKind.EXPORT:
                copy.erase_by = svc.clock()
    retention.sweep(svc)
    with svc.reading() as session:
        subject = session.get_one(Subject, export.subject_id)
    assert subject.sealed_key is not None
    retention.erase_everything(svc, export.subject_id)
    work()
    with svc.reading() as session:
        assert session.get_one(Subject, export.subject_id).sealed_key is None


def test_erasing_one_run_takes_the_files_that_hold_it_and_no_others(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock
) -> None:
    ask(contract=Contract.MONTH)
    hour = ask(contract=Contract.HOUR)
    work()
    asks_for_a_copy()
    packs()
    first, _ = exports_kept(svc)
    retention.erase_run(svc, hour)
    work()
    assert [export.id for export in exports_kept(svc)] == [first.id]


@pytest.mark.parametrize("shortened", [Contract.HOUR, Contract.DAY])
def test_a_contract_that_is_shortened_shortens_the_files_that_hold_its_images(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock, shortened: Contract
) -> None:
    run_id = ask(contract=Contract.MONTH)
    work()
    clock.advance(minutes=30)
    asks_for_a_copy()
    packs()
    retention.shorten(svc, run_id, shortened)
    (export,) = exports_kept(svc)
    with svc.reading() as session:
        assert export.erase_by == session.get_one(Generation, run_id).erase_by


def test_a_run_that_ends_shortens_no_file_without_its_images(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock
) -> None:
    ask(contract=Contract.MONTH)
    work()
    asks_for_a_copy()
    packs()
    clock.advance(minutes=1)
    ask(contract=Contract.PROCESS)
    work()  # its photo goes as it ends
    (export,) = exports_kept(svc)
    assert export.erase_by == clock() - timedelta(minutes=1) + timedelta(hours=24)


def test_what_is_too_large_for_one_file_is_several(clock: FrozenClock) -> None:
    def image(size: int, ends_in: timedelta) -> Copy:
        return Copy(id=new_id(), size=size, erase_by=clock() + ends_in)

    half, month, hour = packing.FILE_BYTES // 2, timedelta(days=30), timedelta(hours=1)
    images = [image(half, month), image(1, hour), image(half, month), image(1, month), image(3 * half, month)]
    first, second, third, fourth = packing.divided(images, clock())
    assert [part.size for part in (first, second, third, fourth)] == [2 * half, 1, 3 * half, 1]
    assert fourth.until == clock() + hour and {first.until, second.until, third.until} == {clock() + packing.KEPT_FOR}


def test_names_of_files_say_which_of_how_many(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, files_of: Any, clock: FrozenClock
) -> None:
    ask(contract=Contract.MONTH)
    work()
    asked = asks_for_a_copy()
    packs()
    assert [file.name for file in files_of(asked)] == ["workshot-my-data-2026-03-02.zip"]
    ask(contract=Contract.HOUR)
    work()
    asked = asks_for_a_copy()
    packs()
    assert [file.name for file in files_of(asked)] == [f"workshot-my-data-2026-03-02-{n}-of-2.zip" for n in (1, 2)]


# ------------------------------------------------------------------------------------------ what comes in between
def test_it_is_packed_once_however_often_the_job_comes(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, store: MemoryStore
) -> None:
    ask()
    work()
    asked = asks_for_a_copy()
    packs()
    with svc.transaction() as session:
        queue.enqueue(session, JobKind.EXPORT, asked, at=svc.clock())
    packs()
    assert len(exports_kept(svc)) == 1
    assert told(svc, audit.Action.DATA_EXPORTED) == [asked]


def told(svc: Services, action: audit.Action) -> list[str]:
    with svc.reading() as session:
        return list(session.exec(select(AuditEntry.ref).where(AuditEntry.action == action.value)))


def test_an_attempt_that_broke_off_is_erased_and_made_anew(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, store: MemoryStore, clock: FrozenClock
) -> None:
    ask()
    work()
    asked = asks_for_a_copy()

    def break_down(key: str) -> None:
        raise StorageUnavailable("The vault cannot be reached just now.")

    store.before_put = break_down
    with pytest.raises(StorageUnavailable):
        packs()
    store.before_put = lambda key: None
    clock.advance(minutes=1)
    packs()
    first, second = exports_kept(svc)
    assert first.erase_by < second.erase_by and first.object_key not in store.objects
    clock.advance(minutes=10)
    work()
    assert [export.id for export in exports_kept(svc)] == [second.id]
    assert told(svc, audit.Action.DATA_EXPORTED) == [asked]


def test_written_but_not_answered_is_answered_by_whoever_comes_next(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, store: MemoryStore, clock: FrozenClock
) -> None:
    ask()
    work()
    asked = asks_for_a_copy()
    killed = queue.claim(svc, [JobKind.EXPORT])
    assert killed
    clock.advance(minutes=1)
    taken = queue.claim(svc, [JobKind.EXPORT])  # its lease is over
    assert taken
    store.after_put = lambda key: stop()

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exports.pack(svc, taken)
    store.after_put = lambda key: None
    (export,) = exports_kept(svc)
    copies.arrived(svc, export.id)  # it was, a moment before the end
    clock.advance(minutes=1)
    packs()
    assert [kept.id for kept in exports_kept(svc)] == [export.id]
    assert told(svc, audit.Action.DATA_EXPORTED) == [asked]


@pytest.mark.parametrize("moment", ["before_put", "after_put"])
def test_erased_while_it_is_packed_nothing_stays(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, store: MemoryStore, request_of: Any,
    clock: FrozenClock, moment: str,
) -> None:  # fmt: skip
    ask()
    work()
    asked = asks_for_a_copy()
    subject_id = request_of(asked).subject_id

    def erase(key: str) -> None:
        setattr(store, moment, lambda key: None)
        retention.erase_everything(svc, subject_id)

    setattr(store, moment, erase)
    packs()
    work()
    clock.advance(minutes=10)
    work()
    assert exports_kept(svc) == [] and store.objects == {}
    assert request_of(asked).outcome is RequestOutcome.NOTHING_HELD
    assert told(svc, audit.Action.DATA_EXPORTED) == []


def test_erased_before_it_is_packed_there_is_nothing_to_copy(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, request_of: Any
) -> None:
    ask()
    work()
    asked = asks_for_a_copy()
    retention.erase_everything(svc, request_of(asked).subject_id)
    work()
    packs()
    assert request_of(asked).outcome is RequestOutcome.NOTHING_HELD
    assert exports_kept(svc) == []


def test_one_image_that_storage_lost_does_not_keep_the_others(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, unpacked: Any, store: MemoryStore
) -> None:
    run_id = ask()
    work()
    with svc.reading() as session:
        run = session.get_one(Generation, run_id)
        del store.objects[session.get_one(Copy, run.portrait_id).object_key]
    asked = asks_for_a_copy()
    packs()
    files = unpacked(asked)
    assert "images/photo-1.jpg" not in files and len(files) == 4
    assert "Storage could not give us these images:\r\n  images/photo-1.jpg" in files["README.txt"].decode()


def test_storage_that_is_down_is_asked_again(
    svc: Services,
    ask: Ask,
    work: Work,
    asks_for_a_copy: Any,
    packs: Any,
    store: MemoryStore,
    request_of: Any,
    clock: FrozenClock,
) -> None:
    ask()
    work()
    asked = asks_for_a_copy()
    store.down = True
    with pytest.raises(StorageUnavailable):
        packs()
    with svc.reading() as session:
        assert session.get(Job, (JobKind.EXPORT, asked)) is not None
    assert (request_of(asked).state, request_of(asked).trouble) == (RequestState.WORKING, "not_packed")
    store.down = False
    clock.advance(minutes=1)
    packs()
    assert (request_of(asked).state, request_of(asked).trouble) == (RequestState.CLOSED, None)


# ------------------------------------------------------------------------------------------------------- who sees it
def test_only_its_owner_finds_it(
    svc: Services, ask: Ask, work: Work, asks_for_a_copy: Any, packs: Any, clock: FrozenClock
) -> None:
    ask()
    ask(who=BOB)
    work()
    asks_for_a_copy()
    packs()
    (export,) = exports_kept(svc)
    with svc.reading() as session:
        assert exports.file_of(session, ANN, export.id, clock()).number == 1
        for who in (BOB, EVE):
            with pytest.raises(NotFound):
                exports.file_of(session, who, export.id, clock())
        ann = access.current_subject(session, ANN)
        assert ann
        for copy in copies.of_subject(session, ann.id):
            if copy.kind is not CopyKind.EXPORT:
                with pytest.raises(NotFound):
                    exports.file_of(session, ANN, copy.id, clock())
        with pytest.raises(NotFound):
            exports.file_of(session, ANN, export.id, clock() + timedelta(hours=24))
