"""Receipts say what rows say, hold for ever, and nothing hostile passes for one."""

import json
from datetime import timedelta

import pytest

from core import receipts, retention
from core.models import (
    CopyKind,
    Request,
    RequestChannel,
    RequestKind,
    RequestState,
    Subject,
    new_id,
)
from core.receipts import Finding
from core.receipts.making import salted

ON_BOTH_DATABASES = True


@pytest.fixture
def given_request(svc, given_subject):
    """An erase request of somebody who is known."""

    def make(subject_id=None, **values) -> Request:
        row = Request(
            number="D-" + new_id()[:7].upper(),
            kind=RequestKind.ERASE,
            channel=RequestChannel.PRODUCT,
            state=RequestState.WORKING,
            clock="erase",
            received_at=svc.clock(),
            entered_at=svc.clock(),
            due_at=svc.clock() + timedelta(hours=48),
            subject_id=subject_id or given_subject(),
        )
        for name, value in values.items():
            setattr(row, name, value)
        with svc.transaction() as session:
            session.add(row)
        return row

    return make


@pytest.fixture
def made(svc, clock):
    """The receipt of a request, made as the desk makes it."""

    def make(request: Request, *, svc=svc, amended: bool = False):
        with svc.transaction() as session:
            row = session.get_one(Request, request.id)
            return (receipts.amend if amended else receipts.make)(session, svc, row, now=svc.clock())

    return make


@pytest.fixture
def erased(svc, clock, given_request, given_copy, given_subject):
    """A request whose two copies are gone, a minute after it came."""
    subject_id = given_subject()
    copies = [given_copy(subject_id=subject_id, kind=kind) for kind in (CopyKind.PORTRAIT, CopyKind.HEADSHOT)]
    request = given_request(subject_id)
    clock.advance(minutes=1)
    retention.sweep(svc, subject_id=subject_id)
    return request, copies


def told(receipt) -> dict:
    return json.loads(receipts.as_file(receipt))["statement"]


def test_a_receipt_says_what_was_erased_and_what_proved_it(svc, clock, erased, made, now_of):
    request, copies = erased
    receipt = made(request)

    said = told(receipt)
    assert said["request"]["number"] == request.number
    assert [(copy["kind"], copy["bytes"]) for copy in said["copies"]] == [("portrait", 6), ("headshot", 6)]
    assert [[(p["asked"], p["answer"]) for p in copy["probes"]] for copy in said["copies"]] == [
        [("object", "absent"), ("listing", "absent")]
    ] * 2
    assert {copy["id_hash"] for copy in said["copies"]} == {salted(said["salt"], "copy", c.id) for c in copies}
    assert {c["object_key_hash"] for c in said["copies"]} == {
        salted(said["salt"], "object", c.object_key) for c in copies
    }
    assert said["key_destroyed_at"] and now_of(Subject(id=copies[0].subject_id)).key_destroyed_at
    assert {"our_word", "disks", "backups", "taken_along"} == {one["what"] for one in said["not_proved"]}


def test_it_verifies_with_the_public_key_alone(svc, erased, made):
    data = receipts.as_file(made(erased[0]))

    verdict = receipts.verify(data, public_keys={svc.signer.key_id: svc.signer.public_key})

    assert verdict.finding is Finding.VERIFIES and verdict.well
    assert verdict.statement.request_number == erased[0].number and len(verdict.statement.copies) == 2
