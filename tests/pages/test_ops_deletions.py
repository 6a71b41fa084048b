"""The desk: for operators alone; what is next, whose it is, what each deed came to, and never a face."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from core import access, jobs, mailbox, operators, requests
from core.mail_reading import InboundMail
from core.models import (
    Copy,
    CopyKind,
    Generation,
    MailIn,
    MailOut,
    MailSort,
    MailState,
    MatchedBy,
    ProviderCopy,
    Request,
    RequestKind,
    RequestState,
    Role,
    new_id,
)
from core.requests import Ticket
from core.services import Services
from core.ui import app
from tests.conftest import ANN, BOB
from tests.fakes import FrozenClock, MemoryStore, jpeg
from tests.provider.outsider import given_run_of, given_task, noted

PAGE = str(Path(__file__).parents[2] / "pages" / "ops_deletions.py")
MAP = str(Path(__file__).parents[2] / "streamlit_app.py")
SOMEBODY = "operator:0a1b2c3d"
ADDRESS = "ann@example.org"
WORDS = "Please delete me, <b>all</b> of it."


@pytest.fixture
def provided(svc: Services) -> Iterator[Services]:
    """With an address that our mail comes from."""
    svc = replace(svc, settings=svc.settings.model_copy(update={"mail_from": "desk@example.org"}))
    app.provide(svc)
    yield svc
    app.provide(None)


@pytest.fixture
def support(svc: Services) -> operators.Operator:
    return operators.open_link(svc, operators.make_link(svc, Role.SUPPORT).url.rpartition("/")[2], ANN)


@pytest.fixture
def opened(provided: Services) -> Callable[..., AppTest]:
    def look(ticket: Ticket | None = None, *, path: str = PAGE, staff: str | None = ANN) -> AppTest:
        page = AppTest.from_file(path, default_timeout=60)
        page.user = {"session": BOB, "staff": staff}  # type: ignore[attr-defined]
        if ticket:
            page.query_params["request"] = ticket.number
        return run(page)

    return look


@pytest.fixture
def by_hand(provided: Services, clock: FrozenClock) -> Callable[..., Ticket]:
    """Somebody called, so long ago."""

    def enter(kind: RequestKind = RequestKind.ERASE, *, ago: timedelta = timedelta(hours=1), **more: Any) -> Ticket:
        more = {"address": ADDRESS, "words": WORDS, "actor": SOMEBODY, **more}
        return requests.open_by_hand(provided, kind=kind, received_at=clock() - ago, **more)

    return enter


@pytest.fixture
def ready(provided: Services, clock: FrozenClock, ask: Callable[..., str], by_hand: Callable[..., Ticket]) -> Ticket:
    """Ann has made headshots; a colleague has found out that a request is about them, and left it to others."""
    run_id = ask(svc=provided)
    drawn(provided)
    with provided.reading() as session:
        number = session.get_one(Generation, run_id).number
    ticket = by_hand()
    requests.match_run(provided, ticket.id, run_number=number, about_when=clock(), actor=SOMEBODY)
    return requests.assign(provided, ticket.id, None, SOMEBODY)


def drawn(svc: Services) -> None:
    """All work that is ready now."""
    worker = jobs.Worker(svc)
    while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK)):
        pass


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, [shown.message for shown in page.exception]
    return page


def press(page: AppTest, label: str) -> AppTest:
    next(found for found in page.button if found.label.startswith(label)).click()
    return run(page)


def pick(page: AppTest, label: str, option: str) -> AppTest:
    next(found for found in page.get("button_group") if found.label == label).set_value(option)
    return run(page)


def choose(page: AppTest, label: str, option: Any) -> AppTest:
    next(found for found in page.selectbox if found.label == label).select(option)
    return run(page)


def write(page: AppTest, label: str, text: str) -> AppTest:
    next(found for found in (*page.text_input, *page.text_area) if found.label == label).set_value(text)
    return page


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def said(page: AppTest) -> str:
    drawn = " ".join(element.proto.body for element in page.get("html") if "<style>" not in element.proto.body)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", drawn)).split())


def listed(page: AppTest) -> list[dict[str, str]]:
    lists = [found.proto for found in page.get("bidi_component") if found.proto.component_name.endswith("work_list")]
    return json.loads(lists[0].json)["rows"] if lists else []


def numbers(page: AppTest) -> list[str]:
    return [row["name"] for row in listed(page)]


def row(svc: Services, ticket: Ticket) -> Request:
    with svc.reading() as session:
        return session.get_one(Request, ticket.id)


def kept(svc: Services) -> int:
    with svc.reading() as session:
        return len(session.exec(select(Copy).where(col(Copy.gone_at).is_(None))).all())


# ------------------------------------------------------------------------------------------------------------ who may
@pytest.mark.parametrize("staff", [None, BOB, "not a hash"])
def test_nobody_else_sees_anything(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], staff: str | None
) -> None:
    ticket = by_hand()
    page = opened(ticket, staff=staff)
    assert "There is nothing here." in said(page)
    assert ticket.number not in said(page)
    assert not page.button
    assert not listed(page)


@pytest.mark.parametrize("role", list(Role))
def test_it_is_on_the_map_for_both_roles(opened: Callable[..., AppTest], provided: Services, role: Role) -> None:
    with pytest.raises(ValueError, match="ops_deletions"):
        opened(path=MAP).switch_page("pages/ops_deletions.py")
    operators.open_link(provided, operators.make_link(provided, role).url.rpartition("/")[2], ANN)
    assert "Desk" in said(run(opened(path=MAP).switch_page("pages/ops_deletions.py")))


# ----------------------------------------------------------------------------------------------------------- the list
@pytest.mark.usefixtures("support")
def test_an_empty_desk_says_when_the_last_one_was_closed(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services, clock: FrozenClock
) -> None:
    assert "No open requests." in said(opened())
    ticket = by_hand()
    requests.withdraw(provided, ticket.id, actor=SOMEBODY)
    clock.advance(hours=3)
    assert "No open requests. The last one was closed 3 h ago." in said(opened())


@pytest.mark.usefixtures("support")
def test_the_most_urgent_comes_first_and_each_says_how_it_stands(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket]
) -> None:
    ago = {"on track": 1, "due soon": 36, "breached": 49}
    tickets = {word: by_hand(ago=timedelta(hours=hours)) for word, hours in ago.items()}
    page = opened()
    assert numbers(page) == [tickets[word].number for word in ("breached", "due soon", "on track")]
    timers = [re.sub("<[^>]+>", " ", found["timer"]).split() for found in listed(page)]
    assert [" ".join(words) for words in timers] == [
        "overdue by 1 h 00 m 00 s breached",
        "12 h 00 m 00 s left due soon",
        "47 h 00 m 00 s left on track",
    ]
    assert all("ws-icon" in found["timer"] for found in listed(page))
    assert "UTC" in listed(page)[0]["cells"]
    assert "1 past their clock breached" in said(page)


@pytest.mark.usefixtures("support")
def test_it_is_narrowed_by_state_kind_channel_and_hands(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], ready: Ticket, support: operators.Operator
) -> None:
    late, copy = by_hand(ago=timedelta(hours=60)), by_hand(RequestKind.COPY)
    requests.take(app.services(), [copy.id], support.actor)
    page = opened()
    assert numbers(page) == [late.number, ready.number, copy.number]
    assert numbers(pick(page, "Show", "Breached")) == [late.number]
    assert numbers(pick(page, "Show", "Under way")) == [ready.number]
    assert "Nothing was closed yet." in said(pick(page, "Show", "Closed"))
    pick(page, "Show", "Open")
    assert numbers(choose(page, "Kind", RequestKind.COPY)) == [copy.number]
    choose(page, "Kind", None)
    assert numbers(choose(page, "With", "Mine")) == [copy.number]
    assert numbers(choose(page, "With", "Nobody's")) == [late.number, ready.number]


@pytest.mark.usefixtures("support")
def test_a_number_of_a_request_or_of_a_run_finds_it(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services, ready: Ticket
) -> None:
    other = by_hand()
    with provided.reading() as session:
        run_number = session.exec(select(Generation.number)).one()
    page = opened()
    assert numbers(run(write(page, "Number", f" {other.number.lower()} "))) == [other.number]
    assert numbers(run(write(page, "Number", run_number))) == [ready.number]
    assert "No request has this number" in said(run(write(page, "Number", "D-0000000")))


@pytest.mark.usefixtures("support")
def test_it_is_leafed_through(opened: Callable[..., AppTest], by_hand: Callable[..., Ticket]) -> None:
    tickets = [by_hand(ago=timedelta(hours=40) - timedelta(minutes=minute)) for minute in range(27)]
    page = opened()
    assert numbers(page) == [ticket.number for ticket in tickets[:25]]
    page.session_state["desk-page-0"] = 2
    assert numbers(run(page)) == [ticket.number for ticket in tickets[25:]]
    assert "26 to 27 of 27" in said(page)


# ----------------------------------------------------------------------------------------------------- one that is open
@pytest.mark.usefixtures("support")
def test_address_and_words_are_shown_while_it_is_open_and_never_after(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    ticket = by_hand()
    page = opened(ticket)
    assert ADDRESS in said(page)
    assert any("&lt;b&gt;all&lt;/b&gt;" in element.proto.body for element in page.get("html"))
    assert ADDRESS not in said(opened())
    requests.withdraw(provided, ticket.id, actor=SOMEBODY)
    closed = said(opened(ticket))
    assert ticket.number not in numbers(opened())
    assert "Address and words are destroyed" in closed
    assert ADDRESS not in closed
    assert "all of it" not in closed


@pytest.mark.usefixtures("support")
def test_what_will_go_is_told_in_kinds_numbers_and_bytes_and_no_face_is_on_the_page(
    opened: Callable[..., AppTest], ready: Ticket, provided: Services
) -> None:
    page = opened(ready)
    with provided.reading() as session:
        size = sum(copy.size for copy in session.exec(select(Copy)).all())
    assert re.search(r"1 photo in our vault, \d+ kB", said(page))
    assert f"in all, {size / 1e3:,.0f} kB" in said(page)
    drawn = " ".join(element.proto.body for element in page.get("html"))
    assert "<img" not in drawn
    assert "/img/" not in drawn
    assert not page.get("imgs")


@pytest.mark.usefixtures("support")
def test_what_lies_at_a_third_party_is_told_with_its_end_and_stays(
    opened: Callable[..., AppTest], ready: Ticket, provided: Services
) -> None:
    assert "Not ours to erase" not in said(opened(ready))
    with provided.reading() as session:
        photo = session.exec(select(Copy).where(Copy.kind == CopyKind.PORTRAIT)).one()
    run_id = given_run_of(provided, photo.subject_id, photo.id)
    copy = noted(provided, given_task(provided, run_id))
    assert re.search(r"At APIMart: headshot made there.*ends there", said(opened(ready)), re.DOTALL)
    with provided.transaction() as session:
        session.get_one(ProviderCopy, copy.id).open_at = provided.clock()
    assert "still open; looked at again and again" in said(opened(ready))
    assert "example.net" not in said(opened(ready))


@pytest.mark.usefixtures("support")
def test_erasing_asks_for_a_word_first_and_ends_with_a_receipt(
    opened: Callable[..., AppTest], ready: Ticket, provided: Services, support: operators.Operator
) -> None:
    page = press(opened(ready), "Erase and prove")
    assert row(provided, ready).state is RequestState.UNDO
    press(write(page, "Type erase to confirm", "yes"), "Erase 1 photo")
    assert "Nothing was erased: type erase first." in said(page)
    assert row(provided, ready).state is RequestState.UNDO
    press(write(page, "Type erase to confirm", "erase"), "Erase 1 photo")
    assert "Begun." in said(page)
    drawn(provided)
    assert "Shown to be gone" in said(run(page))
    over = row(provided, ready)
    assert over.state is RequestState.CLOSED
    assert over.assignee == support.id
    assert kept(provided) == 0
    assert "/receipt/" in " ".join(element.proto.body for element in run(page).get("html"))


@pytest.mark.usefixtures("support")
def test_what_a_person_has_proved_is_not_hurried_past_their_undo(
    opened: Callable[..., AppTest], ask: Callable[..., str], provided: Services
) -> None:
    ask(svc=provided)
    ticket = requests.open_in_product(provided, ANN, kind=RequestKind.ERASE, press_id=new_id())
    page = opened(ticket)
    assert "The requester can still take it back." in said(page)
    assert "Erase and prove" not in labels(page)


@pytest.mark.usefixtures("support")
def test_storage_that_stays_away_is_said_and_tried_again(
    opened: Callable[..., AppTest], ready: Ticket, provided: Services, store: MemoryStore, clock: FrozenClock
) -> None:
    requests.start(provided, ready.id, SOMEBODY)
    store.down = True
    drawn(provided)
    clock.advance(seconds=40)
    drawn(provided)
    page = opened(ready)
    assert "Storage could not be reached." in said(page)
    assert "0 shown to be gone" in said(page)
    store.down = False
    press(page, "Try again now")
    assert "Storage is asked again." in said(page)
    drawn(provided)
    assert row(provided, ready).state is RequestState.CLOSED


@pytest.mark.usefixtures("support")
def test_of_two_operators_the_second_is_told_who_has_it(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    ticket = requests.assign(provided, by_hand().id, None, SOMEBODY)
    page = opened(ticket)
    requests.take(provided, [ticket.id], SOMEBODY)
    press(page, "Take it")
    assert "Somebody else works on this one. It is with operator 0a1b2c3d." in said(page)
    assert row(provided, ticket).assignee == "0a1b2c3d"
    assert "Take it" not in labels(page)


# ----------------------------------------------------------------------------------------------------------- whose data
@pytest.mark.usefixtures("support")
def test_a_claim_code_shows_whose_it_is_and_a_wrong_one_says_nothing(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], ask: Callable[..., str], provided: Services
) -> None:
    ask(svc=provided)
    code = access.issue_claim_code(provided, ANN)
    assert code
    ticket = by_hand()
    page = opened(ticket)
    assert "What it proves:" in said(page)
    press(write(page, "Claim code", "7Q4K-0000-0000-0000-0000-0000-0000"), "Match by claim code")
    assert "This opens nothing." in said(page)
    assert row(provided, ticket).matched_by is None
    press(write(page, "Claim code", f" {code.lower()} "), "Match by claim code")
    assert row(provided, ticket).matched_by is MatchedBy.CLAIM_CODE
    assert "shown by claim code" in said(page)


@pytest.mark.usefixtures("support")
def test_the_number_of_a_run_needs_its_time(
    opened: Callable[..., AppTest],
    by_hand: Callable[..., Ticket],
    ask: Callable[..., str],
    provided: Services,
    clock: FrozenClock,
) -> None:
    run_id = ask(svc=provided)
    with provided.reading() as session:
        number = session.get_one(Generation, run_id).number
    ticket = by_hand()
    page = pick(opened(ticket), "What they have given", "A run and its time")
    press(write(page, "Number of the run", number), "Match by run and time")
    assert "a number alone proves too little" in said(page)
    for off, matched in ((timedelta(hours=5), None), (timedelta(minutes=10), MatchedBy.RUN_NUMBER)):
        when = next(found for found in page.get("date_time_input") if found.label == "Made about")
        when.set_value((clock() - off).replace(tzinfo=None))
        press(write(page, "Number of the run", number), "Match by run and time")
        assert row(provided, ticket).matched_by is matched


@pytest.mark.usefixtures("support")
def test_the_original_file_is_compared_and_not_kept(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    ticket = by_hand()
    page = pick(opened(ticket), "What they have given", "The original file")
    page.file_uploader[0].set_value(("face.jpg", jpeg(), "image/jpeg"))
    run(page)
    assert "This opens nothing." in said(page)
    assert not page.file_uploader[0].value


# -------------------------------------------------------------------------------------------------------------- letters
@pytest.mark.usefixtures("support")
def test_what_is_sent_is_what_was_looked_at_and_once(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    ticket = by_hand(RequestKind.QUESTION)
    page = choose(opened(ticket), "Letter", "answer")
    press(write(page, "Text", "Nobody but you."), "Preview")
    assert "Nobody but you." in said(page)
    assert f"To {ADDRESS}" in said(page)
    run(write(page, "Text", "Everybody."))
    assert "Send this letter" not in labels(page)
    press(press(write(page, "Text", "Nobody but you."), "Preview"), "Send this letter")
    assert "The letter is on its way." in said(page)
    with provided.reading() as session:
        (mail,) = session.exec(select(MailOut)).all()
    assert mail.state is MailState.QUEUED
    assert "Nobody but you." in said(page)
    press(page, "Close the request")
    assert row(provided, ticket).state is RequestState.CLOSED


@pytest.mark.usefixtures("support")
def test_a_refusal_needs_a_ground_and_shows_its_letter_first(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    ticket = by_hand()
    page = pick(opened(ticket), "More", "Refuse")
    assert "A refusal needs a ground from the list." in said(page)
    assert not [label for label in labels(page) if label.startswith("Refuse")]
    choose(page, "Ground", "not_identified")
    assert "right to complain" in said(page)
    press(page, "Refuse, tell them")
    assert row(provided, ticket).refused_ground == "not_identified"


@pytest.mark.usefixtures("support")
def test_only_a_clock_of_the_law_is_extended_once(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    def deeds(page: AppTest) -> list[str]:
        return [o.content for found in page.get("button_group") if found.label == "More" for o in found.proto.options]

    ticket = by_hand(RequestKind.CORRECT)
    assert "Extend the clock" not in deeds(opened(by_hand()))
    page = pick(opened(ticket), "More", "Extend the clock")
    press(write(page, "Why we need longer", "There is a lot of it."), "Extend, and tell")
    assert row(provided, ticket).extended_at is not None
    assert row(provided, ticket).due_at > ticket.due_at
    assert "Extend the clock" not in deeds(page)


@pytest.mark.usefixtures("support")
def test_notes_are_for_operators(opened: Callable[..., AppTest], by_hand: Callable[..., Ticket]) -> None:
    page = pick(opened(by_hand()), "More", "Note")
    press(write(page, "Note", "Called back, nobody there."), "Keep the note")
    assert "Note, you" in said(page)
    assert "Called back, nobody there." in said(page)


# ------------------------------------------------------------------------------------------------------------- several
@pytest.mark.usefixtures("support")
def test_several_are_taken_and_each_says_what_came_of_it(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services, support: operators.Operator
) -> None:
    theirs, free = (requests.assign(provided, by_hand().id, whose, SOMEBODY) for whose in ("0a1b2c3d", None))
    page = opened()
    page.session_state["desk-list-0-1"] = {"chosen": [theirs.id, free.id, "of-nobody"]}
    press(run(page), "Take 2")
    assert "1 of 2 done." in said(page)
    results = dict(page.dataframe[0].value.values)
    assert results == {
        theirs.number: "Somebody else works on this one. It is with operator 0a1b2c3d.",
        free.number: "done",
    }
    assert row(provided, free).assignee == support.id


@pytest.mark.usefixtures("support")
def test_more_than_ten_are_given_away_only_with_a_word(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    tickets = [requests.assign(provided, by_hand().id, None, SOMEBODY) for _ in range(11)]
    page = opened()
    page.session_state["desk-list-0-1"] = {"chosen": [ticket.id for ticket in tickets]}
    press(run(page), "Take 11")
    assert row(provided, tickets[0]).assignee is None
    press(write(page, "Type take to confirm", "take"), "Take 11 requests")
    assert "11 requests: all done." in said(page)
    assert row(provided, tickets[0]).assignee is not None


@pytest.mark.usefixtures("support")
def test_several_are_erased_only_where_they_are_matched_and_with_a_word(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], ready: Ticket, provided: Services
) -> None:
    unmatched = by_hand()
    page = opened()
    page.session_state["desk-list-0-1"] = {"chosen": [ready.id, unmatched.id]}
    press(run(page), "Erase and prove 1")
    assert row(provided, ready).started_at is None
    press(write(page, "Type erase to confirm", "erase"), "Erase and prove 1 request")
    assert "1 request: all done." in said(page)
    drawn(provided)
    assert row(provided, ready).state is RequestState.CLOSED
    assert row(provided, unmatched).state is RequestState.OPEN


# ------------------------------------------------------------------------------------------------ what comes otherwise
@pytest.mark.usefixtures("support")
def test_one_is_entered_with_the_time_it_really_came(
    opened: Callable[..., AppTest], provided: Services, clock: FrozenClock
) -> None:
    page = press(opened(), "Enter the request")
    assert "Please say when the request reached us." in said(page)
    came = clock() - timedelta(hours=20)
    next(found for found in page.get("date_time_input")).set_value(came.replace(tzinfo=None))
    press(write(page, "E-mail address, for the answer", ADDRESS), "Enter the request")
    with provided.reading() as session:
        entered = session.exec(select(Request)).one()
    assert entered.received_at == came
    assert page.query_params["request"] in (entered.number, [entered.number])
    assert "28 h 00 m 00 s left" in said(page)


@pytest.mark.usefixtures("support")
def test_the_language_of_the_answer_is_chosen_by_hand_and_later(
    opened: Callable[..., AppTest], provided: Services, clock: FrozenClock, by_hand: Callable[..., Ticket]
) -> None:
    page = opened()
    next(found for found in page.selectbox if found.label == "Answered in").select("de")
    next(found for found in page.get("date_time_input")).set_value(clock().replace(tzinfo=None))
    press(page, "Enter the request")
    with provided.reading() as session:
        assert session.exec(select(Request)).one().language == "de"
    ticket = by_hand()
    page = opened(ticket)
    assert "The letter around your words is in English" in said(page)
    assert drafted(page).startswith("We have your mail about your data.")
    page = pick(page, "More", "Language")
    next(found for found in page.selectbox if found.label == "We write to them in").select("de")
    press(page, "Write in this language")
    assert row(provided, ticket).language == "de" and "Letters to them are in Deutsch now." in said(page)
    assert drafted(page).startswith("Ihre E-Mail zu Ihren Daten ist bei uns angekommen.")


def drafted(page: AppTest) -> str:
    return next(found.value for found in page.text_area if found.label == "Text")


def unsorted_mail(svc: Services) -> str:
    with svc.transaction() as session:
        found = MailIn(
            mailbox="m",
            uid_validity=1,
            uid=1,
            mark=new_id(),
            received_at=svc.clock() - timedelta(hours=5),
            read_at=svc.clock(),
            sort=MailSort.UNSORTED,
        )
        mail = InboundMail(
            uid=1,
            received_at=found.received_at,
            sender=ADDRESS,
            subject="My photos",
            text="What about <i>my</i> photos?",
            message_id="<1@example.org>",
            size=100,
        )
        mailbox._seal(svc, found, mail)
        session.add(found)
        return found.id


@pytest.mark.usefixtures("support")
def test_an_unsorted_mail_becomes_a_request_whose_clock_has_run(
    opened: Callable[..., AppTest], provided: Services
) -> None:
    unsorted_mail(provided)
    page = opened()
    assert ADDRESS not in said(page)
    next(found for found in page.selectbox if found.label == "Mail").select_index(0)
    assert ADDRESS in said(run(page))
    press(page, "Make it a request")
    assert "43 h 00 m 00 s left" in said(page)
    assert not [found for found in page.selectbox if found.label == "Mail"]


@pytest.mark.usefixtures("support")
def test_an_unsorted_mail_belongs_to_a_request_or_to_nothing(
    opened: Callable[..., AppTest], by_hand: Callable[..., Ticket], provided: Services
) -> None:
    ticket = by_hand()
    unsorted_mail(provided)
    page = opened()
    next(found for found in page.selectbox if found.label == "Mail").select_index(0)
    press(write(run(page), "It belongs to", "D-0000000"), "Add it to that request")
    assert "There is no request of this number." in said(page)
    press(write(page, "It belongs to", ticket.number), "Add it to that request")
    assert "What about" in said(page)
    unsorted_mail(provided)
    run(page)
    next(found for found in page.selectbox if found.label == "Mail").select_index(0)
    press(run(page), "Dismiss it")
    with provided.reading() as session:
        assert mailbox.waiting(session) == 0
