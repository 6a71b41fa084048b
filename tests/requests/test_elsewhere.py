"""A request waits for our own proof, and for nobody else's; whoever asked is told what is not ours to erase."""

import json

import pytest
from sqlmodel import select

from core import receipts, requests, retention
from core.models import Generation, Receipt, RequestOutcome, RequestState
from tests.provider.outsider import Outsider, beside, given_task, look, noted
from tests.requests.conftest import ADDRESS


@pytest.fixture
def svc(svc):
    return beside(svc, Outsider())


@pytest.fixture
def at_apimart(svc, subject_id, work):
    work()
    with svc.reading() as session:
        run_id = session.exec(select(Generation.id)).one()
    return noted(svc, given_task(svc, run_id))


def test_it_is_done_when_all_of_ours_is_gone_and_the_answer_names_the_rest(
    svc, press, at_apimart, erased, row, mails, words_of, clock
):
    asked = press(address=ADDRESS)
    erased()
    done = row(asked)
    assert (done.state, done.outcome, done.trouble) == (RequestState.CLOSED, RequestOutcome.DONE, None)
    (mail,) = mails("done")
    words = words_of(mail)
    assert "Your photos are erased here." in words and "Not shown to be gone yet:" in words
    assert "A headshot made by APIMart lies there and is not ours to erase." in words
    assert f"until {at_apimart.expires_at:%Y-%m-%d %H:%M} UTC at most" in words

    clock.advance(days=1)
    look(svc)
    clock.advance(minutes=15)
    look(svc)
    assert receipts.amend_due(svc) == 1
    with svc.reading() as session:
        newest = session.exec(select(Receipt).where(Receipt.revision == 2)).one()
    assert json.loads(newest.statement)["elsewhere"][0]["gone_at"]


def test_of_whom_we_have_nothing_any_more_they_may_still_have_something(
    svc, press, subject_id, at_apimart, work, erased, row, mails, words_of, clock
):
    retention.erase_everything(svc, subject_id)
    work()
    clock.advance(seconds=1)
    asked = press(address=ADDRESS)
    erased()
    assert row(asked).outcome is RequestOutcome.NOTHING_HELD
    (mail,) = mails("nothing_held")
    assert "A headshot made by APIMart lies there and is not ours to erase." in words_of(mail)


def test_nothing_is_said_of_others_where_they_have_nothing(svc, press, subject_id, work, erased, mails, words_of):
    work()
    press(address=ADDRESS)
    erased()
    assert "APIMart" not in words_of(mails("done")[0]) and "not ours" not in words_of(mails("done")[0])


def test_the_desk_sees_them_with_their_ends_before_it_erases(svc, press, at_apimart, clock):
    asked = press()
    stays = requests.detail(svc, asked.id, clock()).stays_elsewhere
    assert [(one.provider, one.kind, one.ends_at) for one in stays] == [("APIMart", "result", at_apimart.expires_at)]
