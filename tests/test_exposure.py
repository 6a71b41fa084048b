"""What a leak would show: worked out from rows, with canaries, what is gone and what is made up left out."""

import json
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import select

from core import __main__ as command_line
from core import exposure, made_up, retention
from core.exposure import Amount, Exposure
from core.models import (
    Copy,
    CopyKind,
    FindingKind,
    FindingRow,
    MailOut,
    MailState,
    Request,
    RequestChannel,
    RequestKind,
    RequestState,
    Subject,
)
from core.services import Services
from tests.provider.outsider import given_run_of, given_task, noted


def shows(svc: Services) -> dict[str, str]:
    return {leak.what: leak.shows for leak in exposure.leaks(exposure.measure(svc))}


def test_where_nothing_is_nothing_leaks(svc):
    found = exposure.measure(svc)
    assert (found.people, found.images, found.oldest_at) == (0, Amount(), None)
    assert shows(svc)["All three"] == "Nothing: no image of anybody is here."
    assert exposure.at_third_parties(found) == "Nothing."


def test_what_is_kept_is_counted_by_kind_with_its_people(svc, given_copy, given_subject, clock):
    first = given_copy(ends_in=timedelta(days=9))
    began = svc.clock()
    clock.advance(days=1)
    given_copy(ends_in=timedelta(days=9), subject_id=first.subject_id, kind=CopyKind.HEADSHOT)
    given_copy(ends_in=timedelta(days=9), subject_id=first.subject_id, kind=CopyKind.EXPORT)
    other = given_copy(ends_in=timedelta(0))
    canary = given_copy(ends_in=timedelta(days=9), kind=CopyKind.CANARY)
    with svc.transaction() as session:
        session.get_one(Subject, canary.subject_id).is_canary = True
    found = exposure.measure(svc)
    assert found.people == 2, "the key of the test object is nobody's"
    assert {kind: amount.copies for kind, amount in found.kinds.items()} == {"export": 1, "headshot": 1, "portrait": 2}
    assert found.images == Amount(3, sum(found.kinds[kind].size for kind in ("headshot", "portrait")))
    assert (found.oldest_at, found.newest_at) == (began, svc.clock())

    retention.sweep(svc)
    assert svc.vault.store.head(other.object_key).value == "absent"
    found = exposure.measure(svc)
    assert found.people == 1 and found.kinds["portrait"].copies == 1, "what is proved gone lies nowhere"
    assert "2 images" in shows(svc)["All three"] and "1 export" in shows(svc)["All three"]


def test_what_is_not_proved_gone_may_be_there_still(svc, given_copy):
    copy = given_copy(ends_in=timedelta(days=9))
    with svc.transaction() as session:
        session.get_one(Copy, copy.id).erased_at = svc.clock()
    assert exposure.measure(svc).images.copies == 1


def test_what_is_made_up_is_nobodys(svc):
    with svc.transaction() as session:
        session.add(Subject(id=f"{made_up.WORD}-1", created_at=svc.clock(), sealed_key=b"k"))
    assert exposure.measure(svc).people == 0


def test_the_master_key_opens_words_as_well(svc):
    now = svc.clock()
    with svc.transaction() as session:
        session.add(
            Request(
                number="D-1", kind=RequestKind.QUESTION, channel=RequestChannel.EMAIL, state=RequestState.OPEN,
                clock="c", received_at=now, entered_at=now, due_at=now, sealed_key=b"k",
            )
        )  # fmt: skip
        session.add(
            MailOut(
                purpose="p", once="1", created_at=now, state=MailState.QUEUED, message_hash="h", sealed_key=b"k"
            )
        )  # fmt: skip
    assert exposure.measure(svc).sealed_words == {"requests": 1, "mails to send": 1}
    assert "2 sealed texts (1 request, 1 mail to send)" in shows(svc)["The database and the master key"]


def test_what_lies_at_third_parties_is_under_no_key_of_ours(svc, given_copy):
    copy = given_copy(ends_in=timedelta(days=9))
    noted(svc, given_task(svc, given_run_of(svc, copy.subject_id, copy.id)))
    found = exposure.measure(svc)
    assert sum(found.elsewhere.values()) == 1 and found.sealed_words["addresses at third parties"] == 1
    assert "under no key of ours" in exposure.at_third_parties(found)


def test_objects_without_a_row_are_told_apart(svc):
    at = svc.clock()
    with svc.transaction() as session:
        session.add(
            FindingRow(kind=FindingKind.UNTRACKED, ref="k", size=1, detail="", first_seen_at=at, last_seen_at=at)
        )
    assert exposure.measure(svc).untracked == 1


@pytest.mark.sqlite_only("about settings; what they name is not looked into")
@pytest.mark.parametrize(
    ("set_to", "says"),
    [
        ({}, "In one folder of this machine (DATA_DIR) lie the store, the database and the master key. Whoever takes"),
        ({"master_key": SecretStr("k")}, "In one folder of this machine (DATA_DIR) lie the store and the database."),
        ({"master_key": SecretStr("k"), "database_url": SecretStr("postgresql+psycopg://db")}, ""),
    ],
)
def test_what_lies_in_one_folder_is_not_called_apart(svc, limit_to, set_to, says):
    found = exposure.measure(limit_to(**set_to))
    assert exposure.in_one_folder(found).startswith(says) and bool(says) == bool(exposure.in_one_folder(found))


def test_it_comes_back_from_json_as_it_was(svc, given_copy):
    given_copy(ends_in=timedelta(days=9))
    found = exposure.measure(svc)
    text = json.dumps(found.as_dict())
    assert Exposure.of_dict(json.loads(text)) == found
    with svc.reading() as session:
        for subject in session.exec(select(Subject)).all():
            assert subject.id not in text, "counts alone"


def test_there_is_a_verb_for_it(svc, given_copy):
    copy = given_copy(ends_in=timedelta(days=9))
    well, data, text = command_line.exposed(command_line.parser().parse_args(["exposure"]), svc=svc)
    assert well and data["people"] == 1 and data["images"]["copies"] == 1
    assert "All three: 1 image (" in text and not {copy.id, copy.subject_id} & set(text.split())
    assert json.loads(json.dumps(data, default=str))["leaks"][-1]["shows"] in text
