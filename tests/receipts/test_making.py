"""What a receipt says is what rows say, and it is made if and only if the caller commits."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core import access, audit, receipts, retention
from core.errors import NotAllowed, NotFound
from core.models import (
    AuditEntry,
    Copy,
    CopyKind,
    Request,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    RequestState,
    Subject,
    new_id,
)
from core.receipts import Finding
from core.receipts.checking import MOST_BYTES, MOST_PARTS
from core.receipts.making import salted
from tests.conftest import ANN, BOB
from tests.receipts.helpers import told


def test_a_receipt_says_what_was_erased_and_what_proved_it(svc, erased, made, now_of):
    request, _ = erased
    said = told(made(request))

    assert said["request"]["number"] == request.number
    assert {(copy["kind"], copy["bytes"]) for copy in said["copies"]} == {("portrait", 6), ("headshot", 6)}
    probed = [[(probe["asked"], probe["answer"]) for probe in copy["probes"]] for copy in said["copies"]]
    assert probed == [[("object", "absent"), ("listing", "absent")]] * 2
    assert said["copies_gone_before"] == 1
    assert said["key_destroyed_at"] == "2026-03-02T12:01:01.000000Z"
    assert [one["what"] for one in said["not_proved"]] == ["our_word", "disks", "backups", "taken_along"]


def test_copies_are_named_by_salted_hashes_alone(erased, made):
    request, held = erased
    receipt = made(request)
    said = told(receipt)

    assert {one["id_hash"] for one in said["copies"]} == {salted(said["salt"], "copy", copy.id) for copy in held}
    assert {one["object_key_hash"] for one in said["copies"]} == {
        salted(said["salt"], "object", copy.object_key) for copy in held
    }
    text = receipts.as_file(receipt).decode()
    hidden = [request.id, request.subject_id, *(copy.id for copy in held), *(copy.object_key for copy in held)]
    assert not [word for word in hidden if word in text]


def test_two_receipts_have_two_salts(given_request, made):
    first, second = (told(made(given_request())) for _ in range(2))
    assert first["salt"] != second["salt"] and len(first["salt"]) == 32


def test_it_names_the_audit_log_that_it_has_seen(svc, erased, made):
    said = told(made(erased[0]))

    kept = audit.Head(said["audit"]["seq"], said["audit"]["hash"])
    assert audit.verify(svc, kept=kept).well
    with svc.reading() as session:
        before = session.exec(select(AuditEntry).where(AuditEntry.seq <= kept.seq)).all()
    gone = {entry.ref for entry in before if entry.action == audit.Action.COPY_GONE}
    assert {copy.id for copy in erased[1]} <= gone, "the deeds it tells of lie under that hash"


def test_making_it_is_recorded_in_the_same_transaction(svc, erased, made):
    receipt = made(erased[0])
    with svc.reading() as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == audit.Action.RECEIPT_MADE)).one()
    assert (entry.ref, audit.facts_of(entry)) == (
        erased[0].id,
        {"receipt": receipt.number.lower(), "revision": 1},
    )

    with svc.transaction() as session:
        receipts.amend(session, svc, session.get_one(Request, erased[0].id), now=svc.clock())
        session.rollback()
    with svc.reading() as session:
        assert len(receipts.of_request(session, erased[0].id)) == 1


def test_a_second_make_gives_the_first(erased, made):
    assert made(erased[0]).number == made(erased[0]).number


def test_what_is_not_gone_is_said(svc, clock, given_request, given_copy, given_subject, made):
    subject_id = given_subject()
    given_copy(subject_id=subject_id, ends_in=timedelta(hours=1))
    request = given_request(subject_id, channel=RequestChannel.EMAIL)
    said = told(made(request))

    assert said["copies"] == [] and said["key_destroyed_at"] is None
    (here,) = (one for one in said["not_proved"] if one["what"] == "copy")
    assert here["says"].startswith("A copy in our storage is not shown to be gone yet.")
    assert here["until"] == "2026-03-02T13:00:00.000000Z"
    assert {"key", "mails"} <= {one["what"] for one in said["not_proved"]}


def test_an_amended_receipt_says_more_and_the_first_one_says_that_there_is_one(
    svc, clock, given_request, given_copy, given_subject, made
):
    subject_id = given_subject()
    copy = given_copy(subject_id=subject_id, ends_in=timedelta(hours=1))
    request = given_request(subject_id)
    first = made(request)
    assert receipts.check(svc, receipts.as_file(first)).finding is Finding.VERIFIES
    clock.advance(hours=1)
    retention.sweep(svc)
    second = made(request, write=receipts.amend)

    assert (second.number, second.revision) == (f"{first.number}.2", 2)
    one, two = told(first), told(second)
    assert (two["amends"], two["salt"]) == (first.number, one["salt"])
    assert one["not_proved"][0]["id_hash"] == two["copies"][0]["id_hash"] == salted(one["salt"], "copy", copy.id)
    assert "copy" not in {unproved["what"] for unproved in two["not_proved"]}
    verdict = receipts.check(svc, receipts.as_file(first))
    assert (verdict.finding, verdict.newer, verdict.well) == (Finding.SUPERSEDED, second.number, True)
    assert verdict.says.endswith(f"Its number is {second.number}.")
    assert receipts.check(svc, receipts.as_file(second)).finding is Finding.VERIFIES
    assert made(request, write=receipts.amend).number == f"{first.number}.3"


def test_canaries_are_nobodys(given_request, given_copy, given_subject, made):
    subject_id = given_subject()
    given_copy(subject_id=subject_id, kind=CopyKind.CANARY, ends_in=timedelta(hours=1))
    said = told(made(given_request(subject_id)))
    assert (said["copies"], [one for one in said["not_proved"] if one["what"] == "copy"]) == ([], [])


@pytest.mark.parametrize("wrong", [{"kind": RequestKind.COPY}, {"kind": RequestKind.QUESTION}, {"subject_id": None}])
def test_only_a_matched_erase_has_a_receipt(svc, given_request, given_subject, made, wrong):
    request = given_request(given_subject())
    with svc.transaction() as session:
        row = Request(**(request.model_dump() | {"id": new_id(), "number": new_id()[:10]} | wrong))
        if row.kind is RequestKind.ERASE:
            session.delete(session.get_one(Request, request.id))
        session.add(row)
    with pytest.raises(NotAllowed, match="A receipt is for an erase"):
        made(row)


def test_the_whole_life_of_a_busy_person_is_one_receipt_of_modest_size(svc, clock, given_request, given_subject, made):
    """A month of ten runs a day has seven times as many copies as this: the limits of checking are far above."""
    subject_id, count = given_subject(), 300
    with svc.transaction() as session:
        session.add_all(
            Copy(
                subject_id=subject_id, kind=CopyKind.HEADSHOT, place="vault", object_key=new_id(),
                media_type="image/jpeg", width=1, height=1, size=10, created_at=clock(), erase_by=clock(),
            )
            for _ in range(count)
        )  # fmt: skip
    request = given_request(subject_id)
    clock.advance(minutes=6)
    retention.sweep(svc, subject_id=subject_id)

    data = receipts.as_file(made(request))
    assert len(data) * 7 < MOST_BYTES / 4 and data.count(b",") * 7 < MOST_PARTS / 4
    assert len(receipts.verify(data, public_keys=svc.signer.public_keys).statement.copies) == count


# ----------------------------------------------------------------------------------------------------------- whose
def test_its_owner_finds_it_and_nobody_else_does(svc, erased, made, given_subject):
    receipt, other = made(erased[0]), given_subject()
    with svc.transaction() as session:
        access.link(session, ANN, erased[0].subject_id, svc.clock())
        access.link(session, BOB, other, svc.clock())
    with svc.reading() as session:
        assert receipts.own(session, ANN, receipt.id).number == receipt.number
        for who, which in ((BOB, receipt.id), (ANN, new_id()), ("x" * 64, receipt.id)):
            with pytest.raises(NotFound, match=r"^There is no such receipt\.$"):
                receipts.own(session, who, which)
    access.close(svc, ANN)
    with svc.reading() as session, pytest.raises(NotFound):
        receipts.own(session, ANN, receipt.id)


def test_the_subject_s_key_is_still_named_when_it_is_held(svc, given_request, given_subject, made):
    subject_id = given_subject()
    said = told(made(given_request(subject_id)))
    with svc.reading() as session:
        assert session.get_one(Subject, subject_id).key_destroyed_at is None
    assert "key" in {one["what"] for one in said["not_proved"]}


# ------------------------------------------------------------------------------------------------------ amended ones
@pytest.fixture
def closed(svc):
    """The desk closes a request."""

    def close(request: Request) -> None:
        with svc.transaction() as session:
            row = session.get_one(Request, request.id)
            row.state, row.outcome, row.closed_at = RequestState.CLOSED, RequestOutcome.DONE, svc.clock()

    return close


def revisions(svc, request: Request) -> list[int]:
    with svc.reading() as session:
        return [receipt.revision for receipt in receipts.of_request(session, request.id)]


def test_what_was_not_proved_is_amended_once_it_is(svc, clock, given_request, given_copy, given_subject, made, closed):
    subject_id = given_subject()
    given_copy(subject_id=subject_id, ends_in=timedelta(hours=1))
    request = given_request(subject_id)
    made(request)
    closed(request)
    assert receipts.amend_due(svc) == 0

    clock.advance(hours=1)
    retention.sweep(svc)
    assert (receipts.amend_due(svc), receipts.amend_due(svc)) == (1, 0)
    assert revisions(svc, request) == [1, 2]
    with svc.reading() as session:
        said = told(receipts.newest(session, request.id))
    assert len(said["copies"]) == 1 and "copy" not in {one["what"] for one in said["not_proved"]}


def test_nothing_is_amended_without_need(svc, clock, given_request, given_copy, given_subject, made, closed):
    subject_id = given_subject()
    given_copy(subject_id=subject_id, ends_in=timedelta(hours=1))
    request, still_open = given_request(subject_id), given_request()
    for one in (request, still_open):
        made(one)
    closed(request)
    clock.advance(minutes=1)
    given_copy(subject_id=subject_id)  # added after the receipt
    given_copy(subject_id=still_open.subject_id)
    retention.sweep(svc)
    assert receipts.amend_due(svc) == 0

    clock.advance(days=60, seconds=1)
    retention.sweep(svc)
    assert receipts.amend_due(svc) == 0, "closed too long ago"
    assert revisions(svc, request) == revisions(svc, still_open) == [1]
