"""Requests that were cleared, and the receipts that the desk makes of them."""

from datetime import timedelta

import pytest

from core import receipts, retention
from core.models import CopyKind, Receipt, Request, RequestChannel, RequestKind, RequestState, new_id


@pytest.fixture
def given_request(svc, given_subject):
    """An erase request of somebody who is known."""

    def make(subject_id=None, **values) -> Request:
        told = {
            "number": "D-" + new_id()[:7].upper(),
            "kind": RequestKind.ERASE,
            "channel": RequestChannel.PRODUCT,
            "state": RequestState.WORKING,
            "clock": "erase",
            "received_at": svc.clock(),
            "entered_at": svc.clock(),
            "due_at": svc.clock() + timedelta(hours=48),
            "subject_id": subject_id or given_subject(),
        }
        row = Request(**(told | values))
        with svc.transaction() as session:
            session.add(row)
        return row

    return make


@pytest.fixture
def made(svc):
    """The receipt of a request, made as the desk makes it."""

    def make(request: Request, *, svc=svc, write=receipts.make) -> Receipt:
        with svc.transaction() as session:
            row = session.get_one(Request, request.id)
            return write(session, svc, row, now=svc.clock())

    return make


@pytest.fixture
def erased(svc, clock, given_request, given_copy, given_subject):
    """A request whose two copies are gone a minute after it came; one was gone before."""
    subject_id = given_subject()
    given_copy(subject_id=subject_id, kind=CopyKind.HEADSHOT)
    held = [
        given_copy(subject_id=subject_id, kind=kind, ends_in=timedelta(minutes=1))
        for kind in (CopyKind.PORTRAIT, CopyKind.HEADSHOT)
    ]
    retention.sweep(svc, subject_id=subject_id)
    clock.advance(seconds=1)
    request = given_request(subject_id)
    clock.advance(minutes=1)
    retention.sweep(svc, subject_id=subject_id)
    return request, held


@pytest.fixture
def genuine(erased, made) -> bytes:
    return receipts.as_file(made(erased[0]))
