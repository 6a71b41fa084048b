"""The scanner that looks through tables, files and logs looks through a receipt, too."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core import jobs, receipts
from core.models import Request, RequestChannel, RequestKind, RequestState, Subject, new_id
from tests.receipts.helpers import keys_of
from tests.test_nothing_personal import ANN, home, live_and_leave, needles

pytestmark = pytest.mark.sqlite_only("what is looked through is a document")
__all__ = ["home"]  # a fixture
ADDRESS = "annegret.musterfrau@example.org"


def test_no_needle_is_in_a_receipt_its_page_or_its_words(home, clock, engine):
    whole = list(live_and_leave(home, jobs.Worker(home), engine, clock))
    with home.reading() as session:
        subject_id = session.exec(select(Subject.id)).one()
    request_id = asked(home, subject_id)
    with home.transaction() as session:
        request = session.get_one(Request, request_id)
        receipt = receipts.make(session, home, request, now=home.clock())
    data = receipts.as_file(receipt)
    said = receipts.verify(data, public_keys=keys_of(home.signer)).statement
    seen = b"\n".join([data, receipts.page_html(said, file="/").encode(), repr(receipts.words(said)).encode()])
    hidden = [word.encode() for word in (ADDRESS, subject_id, request_id, ANN)]
    for code, *images in whole:
        assert not [needle for needle in (*needles(code, *images), *hidden) if needle in seen]
    assert len(said.copies) + said.copies_gone_before > 2, "and there was something to tell"


def asked(svc, subject_id: str) -> str:
    """With an address, which lies sealed."""
    request_id, now = new_id(), svc.clock()
    row = Request(
        id=request_id,
        number="D-7Q4K2M9",
        kind=RequestKind.ERASE,
        channel=RequestChannel.EMAIL,
        state=RequestState.WORKING,
        clock="erase",
        received_at=now - timedelta(days=3),
        entered_at=now,
        due_at=now,
        subject_id=subject_id,
        sealed_key=svc.vault.make_key(request_id),
    )
    row.sealed_address = svc.vault.seal_text(row, ADDRESS)
    with svc.transaction() as session:
        session.add(row)
    return request_id
