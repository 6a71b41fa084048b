"""In which language a requester is written to: that of the page, of their mail, or as somebody on duty chooses."""

import pytest

from core import mailbox, requests
from core.errors import NotAllowed, NotFound
from core.language import speaking
from core.mail_reading import InboundMail
from core.models import RequestKind, RequestOutcome
from tests.requests.conftest import ADDRESS, OPERATOR


def test_a_request_of_a_german_page_is_answered_in_german(press, subject_id, work, clock, erased, row, mails, words_of):
    work()
    with speaking("de"):
        asked = press(address=ADDRESS)
    assert row(asked).language == asked.language == "de"
    erased()
    assert row(asked).outcome is RequestOutcome.DONE
    said = words_of(mails("done")[0])
    assert f"{asked.number}: Ihre Fotos sind gelöscht" in said and "Guten Tag," in said
    assert "- Ihr Foto: 1" in said and "Hello" not in said


def test_a_german_mail_is_asked_for_the_code_in_german(arrives, mails, words_of, row):
    asked = arrives("Bitte löschen Sie meine Fotos.", language="de")
    assert row(asked).language == "de"
    assert "der Abholcode: sieben Gruppen" in words_of(mails("ask_for_code")[0]).replace("\n", " ")


def test_a_mail_that_an_operator_turns_into_a_request_keeps_its_language(svc, clock, row):
    mail = InboundMail(uid=1, received_at=clock(), size=1, sender=ADDRESS, subject="Fotos", text="Weg!", language="de")
    with svc.transaction() as session:
        asked = requests.open_from_mail(session, svc, mail, clock(), kind=RequestKind.QUESTION)
    assert row(asked).language == "de"
    assert "language" in {f.name for f in mailbox.fields(InboundMail)}, "it lies sealed with the rest"


def test_by_hand_it_is_english_unless_it_is_chosen(by_hand, row):
    assert row(by_hand()).language == "en"
    with speaking("de"):
        assert row(by_hand()).language == "en", "the operator's own says nothing"
    assert row(by_hand(language="de")).language == "de"
    with pytest.raises(NotAllowed):
        by_hand(language="tlh")


def test_an_operator_may_choose_another_and_that_is_audited(svc, by_hand, row, deeds, mails, words_of):
    asked = by_hand(RequestKind.QUESTION, address=ADDRESS)
    assert requests.speak(svc, asked.id, "de", actor=OPERATOR).language == "de"
    requests.speak(svc, asked.id, "de", actor=OPERATOR)
    assert deeds(asked).count("request:language_set") == 1
    with pytest.raises(NotAllowed):
        requests.speak(svc, asked.id, "tlh", actor=OPERATOR)
    with pytest.raises(NotFound):
        requests.speak(svc, "nobody", "de", actor=OPERATOR)
    requests.reply(svc, asked.id, template="answer", text="Wir sehen nach.", actor=OPERATOR)
    assert "Guten Tag," in words_of(mails("answer")[0])


def test_what_stands_in_the_way_is_said_in_the_language_of_the_page(press, subject_id, work):
    with speaking("de"), pytest.raises(NotAllowed, match="An diese Adresse können wir nicht schreiben"):
        press(address="nobody")
