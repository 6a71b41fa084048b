"""Who asked to have everything erased need not wait for the end of the undo."""

import pytest

from core import requests
from core.errors import NotFound
from core.models import RequestOutcome, RequestState, new_id
from tests.conftest import ANN, EVE


def test_it_begins_at_once_and_ends_like_any_other(svc, press, subject_id, row, work, kept):
    asked = press()
    work()
    assert len(kept(subject_id)) == 3
    requests.begin_now(svc, ANN, asked.id)
    work()

    assert (row(asked).state, row(asked).outcome) == (RequestState.CLOSED, RequestOutcome.DONE)
    assert kept(subject_id) == []


def test_a_stranger_begins_nothing(svc, press, subject_id, row, work):
    asked = press()
    for request_id in (asked.id, new_id()):
        with pytest.raises(NotFound):
            requests.begin_now(svc, EVE, request_id)
    work()

    assert row(asked).state is RequestState.UNDO
