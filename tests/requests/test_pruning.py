"""The register is kept for 24 months to the second, and then nothing of it is left but what receipts need: nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel, select

from core import audit, jobs, receipts
from core.models import (
    Alert,
    AuditEntry,
    JobKind,
    MailIn,
    MailOut,
    MailSort,
    MailState,
    MessageWay,
    Receipt,
    Request,
    RequestChannel,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
    Subject,
    new_id,
)
from core.requests import pruning

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # where the clock of the tests stands
TWO_YEARS_AGO = datetime(2024, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def closed(svc, given_subject):
    """A request that was closed then, with everything that can hang on one."""

    def make(at: datetime, **values) -> str:
        told = {
            "number": f"D-{new_id()[:9]}",
            "kind": RequestKind.ERASE,
            "channel": RequestChannel.EMAIL,
            "state": RequestState.CLOSED,
            "outcome": RequestOutcome.DONE,
            "clock": "erase",
            "received_at": at,
            "entered_at": at,
            "due_at": at + 48 * 3600 * SECOND,
            "done_at": at,
            "closed_at": at,
            "subject_id": given_subject(),
        }
        row = Request(**told | values)
        with svc.transaction() as session:
            session.add(row)
            session.flush()
            session.add(RequestMessage(request_id=row.id, at=at, way=MessageWay.IN, author="subject"))
            session.add(Alert(ref=row.id, threshold="1h", at=at))
            session.add(mail_out(at, request_id=row.id))
            session.add(mail_in(at, request_id=row.id, taken_from_mailbox_at=at))
            if row.closed_at:
                receipts.make(session, svc, row, now=at)
        return row.id

    return make


def mail_out(at: datetime, **values) -> MailOut:
    told = {"purpose": "done", "once": new_id(), "created_at": at, "state": MailState.SENT, "over_at": at}
    return MailOut(**told | {"message_hash": new_id()} | values)


def mail_in(at: datetime, **values) -> MailIn:
    told = {"mailbox": "m", "uid_validity": 1, "uid": 1, "mark": new_id(), "received_at": at, "read_at": at}
    return MailIn(**told | {"sort": MailSort.REQUEST} | values)


def left(svc, table: type[SQLModel]) -> list:
    with svc.reading() as session:
        return list(session.exec(select(table)).all())


HANGING = (RequestMessage, Receipt, Alert, MailOut, MailIn)


def test_a_second_older_than_24_months_goes_and_24_months_stay(svc, closed):
    assert svc.clock() == NOW
    gone, stays = closed(TWO_YEARS_AGO - SECOND), closed(TWO_YEARS_AGO)
    still_open = closed(
        TWO_YEARS_AGO - 99 * SECOND, state=RequestState.OPEN, closed_at=None, outcome=None, done_at=None
    )

    assert pruning.prune(svc) == 1

    assert {row.id for row in left(svc, Request)} == {stays, still_open}
    for table in HANGING:
        theirs = {row.ref if table is Alert else row.request_id for row in left(svc, table)}
        assert gone not in theirs and stays in theirs, table


@pytest.mark.parametrize(
    ("now", "oldest"),
    [
        (NOW, TWO_YEARS_AGO),
        (datetime(2026, 2, 28, tzinfo=UTC), datetime(2024, 2, 28, tzinfo=UTC)),
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, 23, tzinfo=UTC), datetime(2026, 2, 28, 23, tzinfo=UTC)),
    ],
)
def test_months_are_those_of_the_calendar(now, oldest):
    assert pruning.kept_from(now) == oldest


def test_it_is_told_how_many_and_nothing_else(svc, closed):
    for seconds in (1, 2, 3):
        closed(TWO_YEARS_AGO - seconds * SECOND)
    assert pruning.prune(svc) == 3
    assert pruning.prune(svc) == 0

    told = [entry for entry in left(svc, AuditEntry) if entry.action == audit.Action.REQUEST_PRUNED]
    assert [(entry.ref, audit.facts_of(entry)) for entry in told] == [("register", {"requests": 3})]
    assert audit.verify(svc).well


def test_a_receipt_outlives_its_row(svc, closed):
    closed(TWO_YEARS_AGO - SECOND)
    (receipt,) = left(svc, Receipt)
    data = receipts.as_file(receipt)
    pruning.prune(svc)
    assert left(svc, Receipt) == []
    assert receipts.check(svc, data).finding is receipts.Finding.VERIFIES


def test_one_that_followed_stays_as_long_as_its_own_24_months(svc, closed):
    leader = closed(TWO_YEARS_AGO - SECOND)
    follower = closed(TWO_YEARS_AGO, duplicate_of=leader, outcome=RequestOutcome.DUPLICATE)
    assert pruning.prune(svc) == 1
    assert [(row.id, row.duplicate_of) for row in left(svc, Request)] == [(follower, None)]


def test_the_mark_of_a_mail_that_is_still_in_the_mailbox_stays(svc, closed):
    old = TWO_YEARS_AGO - SECOND
    request_id = closed(old)
    with svc.transaction() as session:
        session.add(mail_in(old, request_id=request_id, mark="still there", taken_from_mailbox_at=None))
    pruning.prune(svc)
    assert [(row.mark, row.request_id) for row in left(svc, MailIn)] == [("still there", None)]
    pruning.prune(svc)
    assert len(left(svc, MailIn)) == 1


def test_mails_of_no_request_go_as_well_once_they_were_seen_to(svc):
    old = TWO_YEARS_AGO - SECOND
    with svc.transaction() as session:
        session.add(mail_in(old, mark="seen", sort=MailSort.AUTOMATIC, taken_from_mailbox_at=old))
        session.add(mail_in(old, mark="sealed", sort=MailSort.UNSORTED, taken_from_mailbox_at=old, sealed_key=b"k"))
        session.add(mail_in(TWO_YEARS_AGO, mark="young", sort=MailSort.AUTOMATIC, taken_from_mailbox_at=old))
        session.add(mail_out(old, once="old"))
        session.add(mail_out(TWO_YEARS_AGO, once="young"))
        session.add(
            mail_out(old, once="queued", state=MailState.QUEUED, over_at=None, sealed_key=b"k", sealed_mail=b"m")
        )
    assert pruning.prune(svc) == 0
    assert {row.mark for row in left(svc, MailIn)} == {"sealed", "young"}
    assert {row.once for row in left(svc, MailOut)} == {"young", "queued"}


def test_many_go_in_batches_with_a_breath_between(svc):
    at = TWO_YEARS_AGO - SECOND
    with svc.transaction() as session:
        session.add_all(
            Request(
                number=f"D-{number}", kind=RequestKind.QUESTION, channel=RequestChannel.HAND, state=RequestState.CLOSED,
                outcome=RequestOutcome.DONE, clock="month", received_at=at, entered_at=at, due_at=at, closed_at=at,
            )
            for number in range(pruning.BATCH + 1)
        )  # fmt: skip
    breaths: list[int] = []
    assert pruning.prune(svc, breath=lambda: breaths.append(1)) == pruning.BATCH + 1
    assert len(breaths) == 2 and left(svc, Request) == []


def test_the_night_does_it(svc, closed, worker, clock):
    closed(TWO_YEARS_AGO + timedelta(hours=1))
    worker.beat()
    while worker.look((*jobs.UPKEEP_WORK, *jobs.RARE_WORK)):
        pass
    assert len(left(svc, Request)) == 1
    clock.now = NOW.replace(hour=svc.settings.reconcile_hour) + timedelta(days=1)
    worker.beat()
    while worker.look((JobKind.RECONCILE,)):
        pass
    assert left(svc, Request) == []
    assert left(svc, Subject), "a subject is not the register's"
