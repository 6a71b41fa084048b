"""What a receipt says of copies at third parties: that they are not ours to erase, until when, and then that they are
gone."""

import hashlib
import json
from datetime import timedelta

import pytest

from core import jobs, queue, receipts
from core.models import JobKind, ProviderCopyKind, Request, RequestState
from core.receipts import Finding
from core.receipts.statement import Statement
from core.settings import ROOT
from tests.provider.outsider import Outsider, beside, given_run_of, given_task, look, noted
from tests.receipts.helpers import keys_of, told

END = "2026-03-03T12:00:01.000000Z"


@pytest.fixture
def outsider() -> Outsider:
    return Outsider()


@pytest.fixture
def svc(svc, outsider):
    return beside(svc, outsider)


@pytest.fixture
def at_apimart(svc, erased):
    """A headshot that lies there, of the person who has asked, and what it is of."""
    request, held = erased
    run_id = given_run_of(svc, request.subject_id, held[0].id)
    return noted(svc, given_task(svc, run_id))


@pytest.fixture
def closed(svc):
    def close(request: Request) -> None:
        with svc.transaction() as session:
            row = session.get_one(Request, request.id)
            row.state, row.outcome, row.closed_at = RequestState.CLOSED, "done", svc.clock()
            session.add(row)

    return close


def gone_there(svc, clock) -> None:
    """Its end comes, and then it is refused twice."""
    clock.advance(days=1)
    look(svc)
    clock.advance(minutes=15)
    look(svc)


def words_of(svc, receipt) -> receipts.Words:
    said = receipts.verify(receipts.as_file(receipt), public_keys=keys_of(svc.signer)).statement
    assert said
    return receipts.words(said)


def test_what_lies_there_is_listed_as_not_ours_to_erase(svc, erased, at_apimart, made):
    receipt = made(erased[0])
    said = told(receipt)
    (there,) = said["elsewhere"]
    assert (there["provider"], there["kind"], there["dated_by"]) == ("APIMart", "result", "documents")
    assert (there["ends_at"], there["gone_at"], there["open_after_its_end"]) == (
        "2026-03-03T12:01:01.000000Z",
        None,
        False,
    )
    first, *rest = said["not_proved"]
    assert (first["what"], first["until"], first["id_hash"]) == ("elsewhere", there["ends_at"], there["id_hash"])
    assert "not ours to erase" in first["says"] and "until 2026-03-03 12:01 UTC at most" in first["says"]
    assert "elsewhere" not in {one["what"] for one in rest}
    assert said["key_destroyed_at"], "our own proof does not wait for anybody"
    shown = words_of(svc, receipt)
    assert first["says"] in shown.does_not
    assert (
        shown.copies[-1][:1] == ("At APIMart: headshot made there",) and "Not shown to be gone." in shown.copies[-1][1]
    )
    assert "At APIMart" in receipts.page_html(Statement.of(said), file="/")


def test_it_is_named_by_a_salted_hash_alone(erased, at_apimart, made):
    receipt = made(erased[0])
    said = told(receipt)
    hashed = hashlib.sha256(f"workshot receipt 1:{said['salt']}:elsewhere:{at_apimart.id}".encode()).hexdigest()
    assert [one["id_hash"] for one in said["elsewhere"]] == [hashed]
    text = receipts.as_file(receipt).decode()
    hidden = [at_apimart.id, at_apimart.generation_id, at_apimart.task_id, at_apimart.mark, "example.net", "task_1"]
    assert not [word for word in hidden if word in text]


def test_once_it_is_gone_there_is_an_amended_receipt_that_says_so(svc, erased, at_apimart, made, closed, clock):
    first = made(erased[0])
    closed(erased[0])
    assert receipts.amend_due(svc) == 0
    gone_there(svc, clock)
    assert (receipts.amend_due(svc), receipts.amend_due(svc)) == (1, 0)
    with svc.reading() as session:
        second = receipts.newest(session, erased[0].id)
    said = told(second)
    assert said["elsewhere"][0]["gone_at"] == "2026-03-03T12:16:01.000000Z"
    assert "elsewhere" not in {one["what"] for one in said["not_proved"]}
    shown = words_of(svc, second)
    assert [line for line in shown.proves if line.startswith("1 picture at APIMart, which only APIMart can erase")]
    assert receipts.check(svc, receipts.as_file(first)).finding is Finding.SUPERSEDED


def test_nobody_waits_for_the_night_to_have_it_amended(svc, erased, at_apimart, made, closed, clock):
    made(erased[0])
    closed(erased[0])
    clock.advance(days=1)
    for _ in range(2):
        with svc.transaction() as session:
            queue.enqueue(session, JobKind.RESIDUE, "-", at=clock.now)
        assert jobs.Worker(svc).look([JobKind.RESIDUE])
        clock.advance(minutes=15)
    with svc.reading() as session:
        assert receipts.newest(session, erased[0].id).revision == 2


def test_what_is_learned_of_only_later_is_told_as_well(svc, erased, at_apimart, made, closed, clock):
    """As of a run that was cancelled, and that they made all the same."""
    made(erased[0])
    closed(erased[0])
    clock.advance(minutes=5)
    noted(svc, given_task(svc, at_apimart.generation_id, 2), "late.png")
    assert receipts.amend_due(svc) == 1
    with svc.reading() as session:
        assert len(told(receipts.newest(session, erased[0].id))["elsewhere"]) == 2


def test_runs_of_later_are_not_what_was_asked_about(svc, erased, at_apimart, made, closed, clock):
    made(erased[0])
    closed(erased[0])
    clock.advance(minutes=5)
    later = given_run_of(svc, erased[0].subject_id, erased[1][0].id)
    noted(svc, given_task(svc, later), "later.png")
    assert receipts.amend_due(svc) == 0
    gone_there(svc, clock)
    receipts.amend_due(svc)
    with svc.reading() as session:
        assert len(told(receipts.newest(session, erased[0].id))["elsewhere"]) == 1


def test_what_had_ended_there_before_the_request_came_is_not_told(svc, erased, at_apimart, made, clock, given_request):
    gone_there(svc, clock)
    clock.advance(seconds=1)
    with svc.transaction() as session:
        session.get_one(Request, erased[0].id).state = RequestState.CLOSED
        session.get_one(Request, erased[0].id).outcome = "done"
        session.get_one(Request, erased[0].id).closed_at = clock.now
    assert told(made(given_request(erased[0].subject_id)))["elsewhere"] == []


def test_what_was_open_after_its_end_is_said(svc, erased, at_apimart, outsider, made, clock):
    from core.ports import Presence
    from tests.provider.outsider import PLACE

    outsider.shows[PLACE + "1.png"] = Presence.PRESENT
    clock.advance(days=1)
    look(svc)
    said = told(made(erased[0]))
    assert said["elsewhere"][0]["open_after_its_end"] is True
    assert "still open after that" in said["not_proved"][0]["says"]


def test_an_upload_is_called_one_and_a_date_of_theirs_is_theirs(svc, erased, at_apimart, made, clock):
    task = given_task(svc, at_apimart.generation_id, 2)
    clock.advance(seconds=1)
    noted(svc, task, "up.jpg", kind=ProviderCopyKind.UPLOAD, expires_at=clock.now + timedelta(hours=1))
    says = [one["says"] for one in told(made(erased[0]))["not_proved"] if one["what"] == "elsewhere"]
    assert (
        "A photo that was uploaded to APIMart" in says[1]
        and "APIMart says that it ends by 2026-03-02 13:01 UTC" in says[1]
    )


def test_receipts_of_older_releases_still_verify(svc, erased, made):
    """They know nothing of third parties: that is no fault of theirs."""
    receipt = made(erased[0])
    statement = json.loads(receipt.statement)
    del statement["elsewhere"]
    from core.canonical import as_json

    signature = svc.signer.sign(as_json(statement).encode()).value
    document = json.dumps({"statement": statement, "signature": signature}).encode()
    verdict = receipts.verify(document, public_keys=keys_of(svc.signer))
    assert verdict.finding is Finding.VERIFIES and verdict.statement.elsewhere == ()
    assert receipts.words(verdict.statement).proves


@pytest.mark.parametrize("wrong", [{"gone_at": "soon"}, {"open_after_its_end": 1}, {"provider": None}])
def test_what_has_another_form_is_none_of_ours(erased, at_apimart, made, wrong):
    said = told(made(erased[0]))
    said["elsewhere"][0] |= wrong
    with pytest.raises((KeyError, TypeError, ValueError)):
        Statement.of(said)


def test_the_documentation_names_every_member_of_it(erased, at_apimart, made):
    documented = (ROOT / "data" / "receipt_format.md").read_text("utf-8")
    (there,) = told(made(erased[0]))["elsewhere"]
    assert [name for name in there if f"`{name}`" not in documented] == []
