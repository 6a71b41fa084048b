"""A whole life of somebody's photos, and an operator who has a hand in it."""

import pytest

from core import generations, jobs, requests, retention
from core.contracts import Contract
from core.models import Request, RequestKind, new_id
from tests.conftest import ANN

OPERATOR = "operator:0a1b2c3d"


@pytest.fixture
def desk(worker):
    """All work of requests, too."""

    def until_idle():
        while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
            pass

    return until_idle


@pytest.fixture
def everything(svc, ask, again, work, desk, clock, engine):
    """All that a person and an operator can do here."""

    def happens(who=ANN, **how):
        first = ask(who=who, **how)
        work()
        again(like=first, who=who, variants=1)
        engine.refuses = "no_person"
        work()
        engine.refuses = None
        third = again(like=first, who=who, contract=Contract.WEEK)
        generations.cancel(svc, who, third)
        work()
        retention.shorten(svc, first, Contract.DAY)
        ticket = requests.open_in_product(svc, who, kind=RequestKind.QUESTION, press_id=new_id(), words="Why?")
        requests.take(svc, [ticket.id], OPERATOR)
        clock.advance(hours=25)
        work()
        with_new_photo = ask(who=who, **how)
        work()
        erase = requests.open_in_product(svc, who, kind=RequestKind.ERASE, press_id=new_id())
        clock.now += requests.UNDO
        desk()
        clock.advance(seconds=30)
        desk()
        with svc.reading() as session:
            assert session.get_one(Request, erase.id).closed_at is not None
        return with_new_photo

    return happens
