"""
A worker that clears a request is killed with SIGKILL at each step. The next one resumes, the request ends once, and
one mail is sent.
"""

import pytest

from core import audit, receipts, requests
from core.models import (
    AuditEntry,
    Copy,
    JobKind,
    MailOut,
    MailState,
    Receipt,
    Request,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    Subject,
    new_id,
)
from core.requests import Ticket
from tests.conftest import ANN
from tests.faults.conftest import Scene

UNDO_IS_OVER = 130.0  # seconds
IN_CLEARING = [
    "request begun",
    "request begun committed",
    "all due",
    "all due committed",
    "before erase",
    "after erase",
    "erased_at",
    "erased_at committed",
    "after head",
    "after listing",
    "evidence",
    "gone_at",
    "key destroyed",
    "key destroyed committed",
    "receipt",
    "mail",
    "words gone",
    "request closed",
    "request closed committed",
    "mail tried committed",
    "mail over",
    "mail over committed",
]
"""In the order in which they come: who resumes after one of them reaches the next."""


@pytest.fixture
def asked(scene: Scene) -> Ticket:
    """Ann has headshots, and asks for all of it to go."""
    scene.made()
    svc, kind = scene.svc, RequestKind.ERASE
    asked = requests.open_in_product(svc, ANN, kind=kind, press_id=new_id(), words="all", address="ann@example.org")
    scene.after(scene.later + UNDO_IS_OVER)
    return asked


def ended_once(scene: Scene, asked: Ticket) -> None:
    (request,) = scene.rows(Request)
    assert (request.outcome, request.trouble) == (RequestOutcome.DONE, None)
    assert request.done_at <= request.due_at
    assert request.sealed_key is request.sealed_address is None
    assert [message.sealed_body for message in scene.rows(RequestMessage)] == [None]
    assert scene.objects() == []
    assert all(copy.gone_at and copy.evidence_id for copy in scene.rows(Copy))
    assert [subject.sealed_key for subject in scene.rows(Subject)] == [None]
    told = [entry.action for entry in scene.rows(AuditEntry) if entry.ref == asked.id]
    assert told == [
        "request:opened",
        "request:matched",
        "request:started",
        "request:proved",
        "receipt:made",
        "request:closed",
    ]
    (receipt,) = scene.rows(Receipt)
    assert receipts.check(scene.svc, receipts.as_file(receipt)).well
    assert [(mail.state, mail.sealed_key) for mail in scene.rows(MailOut)] == [(MailState.SENT, None)]
    assert len(list((scene.data_dir / "outbox").glob("*.eml"))) == 1
    assert not scene.wanted((JobKind.REQUEST, JobKind.ERASE, JobKind.MAIL_OUT))
    assert audit.verify(scene.svc).well


@pytest.mark.parametrize("moment", ["request begun committed", "words gone"])
def test_clearing_a_request_outlives_its_worker(scene: Scene, asked: Ticket, moment: str) -> None:
    scene.killed(dies_at=moment)
    scene.every_object_has_a_row()
    scene.recovers()
    ended_once(scene, asked)


def test_a_worker_is_killed_at_each_step_of_one_request(scene: Scene, asked: Ticket) -> None:
    """Twenty and more dead workers, one end."""
    assert len(IN_CLEARING) >= 20
    for moment in IN_CLEARING:
        scene.killed(dies_at=moment)
        scene.every_object_has_a_row()
        scene.after(scene.later + 60)
    scene.recovers()
    ended_once(scene, asked)
