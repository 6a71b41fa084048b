"""The retention page: for operators alone; what is late and why, and what came of each thing that was done about it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from core import audit, erasing, operators, retention
from core.contracts import Contract
from core.models import (
    AuditEntry,
    Copy,
    CopyKind,
    FindingKind,
    FindingRow,
    Generation,
    ProviderCopy,
    Role,
    Subject,
    new_id,
)
from core.services import Services
from core.ui import app
from core.ui.screens.retention import switch
from tests.conftest import ANN, BOB
from tests.fakes import FrozenClock, MemoryStore
from tests.provider.outsider import given_run_of, given_task, noted

PAGE = str(Path(__file__).parents[2] / "pages" / "ops_retention.py")
MAP = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture
def provided(svc: Services) -> Iterator[Services]:
    app.provide(svc)
    yield svc
    app.provide(None)


@pytest.fixture
def support(svc: Services) -> operators.Operator:
    return operators.open_link(svc, operators.make_link(svc, Role.SUPPORT).url.rpartition("/")[2], ANN)


@pytest.fixture
def opened(provided: Services) -> Callable[..., AppTest]:
    def look(path: str = PAGE, *, staff: str | None = ANN) -> AppTest:
        page = AppTest.from_file(path, default_timeout=60)
        page.user = {"session": BOB, "staff": staff}  # type: ignore[attr-defined]
        return run(page)

    return look


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, [shown.message for shown in page.exception]
    return page


def press(page: AppTest, label: str) -> AppTest:
    button(page, label).click()
    return run(page)


def button(page: AppTest, label: str) -> Any:
    return next(found for found in page.button if found.label.startswith(label))


def pick(page: AppTest, label: str, option: str) -> AppTest:
    (control,) = [found for found in page.get("button_group") if found.label == label]
    control.set_value(option)
    return run(page)


def look_for(page: AppTest, sought: str) -> AppTest:
    next(field for field in page.text_input if field.label == "Id").set_value(sought)
    return run(page)


def said(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html") if "<style>" not in element.proto.body)


def table(page: AppTest, column: str) -> Any:
    return next(frame.value for frame in page.dataframe if column in frame.value.columns)


def copies_of(svc: Services, store: MemoryStore, number: int, *, late: timedelta) -> list[str]:
    """So many copies of one person whose clocks ended so long ago."""
    now = svc.clock()
    with svc.transaction() as session:
        subject = Subject(id=new_id(), created_at=now - timedelta(days=1))
        subject.sealed_key = svc.vault.make_key(subject.id)
        session.add(subject)
        session.flush()
        rows = [
            Copy(
                subject_id=subject.id,
                kind=CopyKind.PORTRAIT,
                place="vault",
                object_key=new_id() + f"{at:08d}",
                media_type="image/jpeg",
                width=1,
                height=1,
                size=1000,
                created_at=now - timedelta(days=1),
                written_at=now - timedelta(days=1),
                erase_by=now - late,
            )
            for at in range(number)
        ]
        session.add_all(rows)
        for row in rows:
            store.objects[row.object_key] = b"x"
        return [row.id for row in rows]


def entries(svc: Services, action: audit.Action) -> list[AuditEntry]:
    with svc.reading() as session:
        return list(session.exec(select(AuditEntry).where(AuditEntry.action == action)).all())


def confirm(page: AppTest, *, typed: str | None = None) -> AppTest:
    """Answers the question that is open."""
    if typed is not None:
        (field,) = [field for field in page.text_input if field.label.startswith("Type erase")]
        field.set_value(typed)
    next(found for found in page.button if (found.key or "") == "retention-confirm-yes").click()
    return run(page)


def stop_erasing(page: AppTest, *, why: str | None, typed: str) -> AppTest:
    reason = next(found for found in page.selectbox if found.label == "Why")
    assert [reason.format_func(word) for word in switch.REASONS] == reason.options
    reason.set_value(why)
    next(field for field in page.text_input if field.label == "Type stop to confirm").set_value(typed)
    return press(page, "Stop all erasing")


@pytest.mark.parametrize("staff", [None, BOB])
def test_for_anybody_else_the_page_does_not_exist(
    opened: Callable[..., AppTest], support: operators.Operator, staff: str | None
) -> None:
    page = opened(staff=staff)
    assert "There is nothing here." in said(page)
    assert not page.button
    assert not page.dataframe
    with pytest.raises(ValueError, match="ops_retention"):
        opened(MAP, staff=staff).switch_page("pages/ops_retention.py")


@pytest.mark.parametrize("role", list(Role))
def test_support_and_founders_have_it_on_their_map(
    opened: Callable[..., AppTest], provided: Services, role: Role
) -> None:
    operators.open_link(provided, operators.make_link(provided, role).url.rpartition("/")[2], ANN)
    page = run(opened(MAP).switch_page("pages/ops_retention.py"))
    assert "What goes when, what is late, and why" in said(page)


def test_nothing_kept_is_said_calmly(opened: Callable[..., AppTest], support: operators.Operator) -> None:
    page = opened()
    assert ">0<" in said(page)
    assert "every clock kept" in said(page)
    assert "nothing is kept" in said(page)
    assert "Nothing of anybody is kept." in said(page)
    assert "Nothing is due." in said(page)
    assert "bucket rule not applicable: local vault" in said(page)
    assert pick(page, "Queue", "unproved") and "All that was erased is proved gone." in said(page)


def test_what_is_late_is_said_first_and_can_be_erased(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    ids = copies_of(provided, store, 3, late=timedelta(hours=2))
    page = opened()
    assert "by 2 h" in said(page)
    assert "every clock kept" not in said(page)
    shown = table(page, "why")
    assert set(shown["id"]) == set(ids)
    assert set(shown["clock"]) == {"2 h late"}
    assert set(shown["why"]) == {"no sweep has come by"}

    page = confirm(press(page, "Erase all 3"))

    assert "3 items: all done." in said(page)
    assert set(table(page, "what came of it")["what came of it"]) == {"erased, and proved gone"}
    assert "Nothing is overdue." in said(page) or "Nothing is due." in said(page)
    assert not store.objects
    assert {(entry.ref, entry.actor) for entry in entries(provided, audit.Action.COPY_ERASE_ASKED)} == {
        (copy, support.actor) for copy in ids
    }


def test_only_the_chosen_rows_are_erased(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 3, late=timedelta(hours=2))
    page = opened()
    assert button(page, "Erase 0 chosen").disabled
    page.session_state["retention-table-0-1"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    page = confirm(press(run(page), "Erase 1 chosen"))
    assert len(store.objects) == 2
    assert "1 item: all done." in said(page)


def test_above_ten_a_word_is_typed(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 11, late=timedelta(minutes=1))
    page = confirm(press(opened(), "Erase all 11"), typed="delete")
    assert len(store.objects) == 11
    page = confirm(page, typed="erase")
    assert not store.objects
    assert "11 items: all done." in said(page)


def test_what_is_not_proved_says_what_storage_answered_and_is_asked_again(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 2, late=timedelta(minutes=1))
    store.head_refused = True
    retention.sweep(provided)
    page = pick(opened(), "Queue", "unproved")
    assert set(table(page, "why")["why"]) == {"head says unknown, listing says absent"}
    assert "asked again" in said(page)

    page = confirm(press(page, "Ask storage again about all 2"))
    assert "0 of 2 done." in said(page)
    assert "not proved yet: head says unknown" in table(page, "what came of it")["what came of it"][0]

    store.head_refused = False
    page = confirm(press(page, "Ask storage again about all 2"))
    assert "All that was erased is proved gone." in said(page)
    assert len(entries(provided, audit.Action.COPY_PROBE_ASKED)) == 4


def test_with_storage_down_the_page_says_so_and_shows_what_the_rows_know(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 2, late=timedelta(hours=1))
    store.down = True
    page = opened()
    assert "Storage cannot be reached just now." in said(page)
    assert len(table(page, "why")) == 2
    page = confirm(press(page, "Erase all 2"))
    assert "0 of 2 done." in said(page)
    assert "storage could not be reached" in table(page, "what came of it")["what came of it"][0]
    assert set(table(pick(page, "Queue", "blocked"), "why")["why"]) == {"storage could not be reached"}


def test_while_erasing_is_stopped_nothing_is_erased_and_why_is_said(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 1, late=timedelta(hours=1))
    erasing.stop(provided, reason="wrong-clock", actor=support.actor)
    page = opened()
    assert "No clock is kept while erasing is stopped." in said(page)
    assert f"The clock of a machine is wrong. Stopped by operator {support.id}." in said(page)
    page = confirm(press(page, "Erase all 1"))
    assert table(page, "what came of it")["what came of it"][0] == "left alone: all erasing is stopped"
    assert store.objects


@pytest.mark.parametrize("role", list(Role))
def test_an_operator_stops_all_erasing_and_starts_it_again(
    opened: Callable[..., AppTest], provided: Services, store: MemoryStore, role: Role
) -> None:
    operator = operators.open_link(provided, operators.make_link(provided, role).url.rpartition("/")[2], ANN)
    copies_of(provided, store, 1, late=timedelta(minutes=1))
    assert "Erasing is stopped" not in said(opened(MAP))

    page = stop_erasing(opened(), why="wrong-setting", typed="stop")
    assert "A setting is wrong. Stopped by operator" in said(page)
    assert "Erasing is stopped since" in said(opened(MAP)), "above every page, and at once"
    assert "Erasing is stopped since" not in said(page), "so the page does not say it again"
    assert erasing.state(provided).is_stopped
    retention.sweep(provided)
    assert store.objects

    press(page, "Start erasing again")
    next(field for field in page.text_input if field.label == "Type start to confirm").set_value("start")
    next(found for found in page.button if found.key == "retention-start-yes").click()
    run(page)
    assert "Erasing is stopped" not in said(opened(MAP))
    assert not erasing.state(provided).is_stopped
    retention.sweep(provided)
    assert not store.objects

    (stopped,) = entries(provided, audit.Action.ERASING_STOPPED)
    (started,) = entries(provided, audit.Action.ERASING_STARTED)
    assert (stopped.actor, audit.facts_of(stopped)) == (operator.actor, {"reason": "wrong-setting"})
    assert started.actor == operator.actor


@pytest.mark.parametrize(
    ("why", "typed", "answer"),
    [
        (None, "stop", "Nothing was stopped: choose why first."),
        ("wrong-clock", "halt", "Nothing was stopped: type stop first."),
        ("wrong-clock", "", "Nothing was stopped: type stop first."),
    ],
)
def test_erasing_is_not_stopped_by_a_slip(
    opened: Callable[..., AppTest],
    support: operators.Operator,
    provided: Services,
    why: str | None,
    typed: str,
    answer: str,
) -> None:
    page = stop_erasing(opened(), why=why, typed=typed)
    assert answer in said(page)
    assert not erasing.state(provided).is_stopped


def test_erasing_is_not_started_by_a_slip(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services
) -> None:
    erasing.stop(provided, reason="no-such-word-here", actor="system")
    page = press(opened(), "Start erasing again")
    assert "no-such-word-here. Stopped by system." in said(page)
    next(found for found in page.button if found.key == "retention-start-yes").click()
    run(page)
    assert erasing.state(provided).is_stopped


@pytest.mark.parametrize("reason", list(switch.REASONS))
def test_every_reason_is_one_that_the_switch_takes(provided: Services, reason: str) -> None:
    assert erasing.stop(provided, reason=reason, actor="system").reason == reason


def test_a_sweep_that_waits_is_let_go_by_a_typed_word(
    opened: Callable[..., AppTest],
    support: operators.Operator,
    provided: Services,
    store: MemoryStore,
    limit_to: Callable[..., Services],
) -> None:
    careful = limit_to(sweep_cap=2)
    copies_of(provided, store, 5, late=timedelta(hours=1))
    assert retention.sweep(careful).held
    app.provide(careful)
    page = AppTest.from_file(PAGE, default_timeout=60)
    page.user = {"session": BOB, "staff": ANN}  # type: ignore[attr-defined]
    page = run(page)
    assert "5 of 5 copies are due by the clock at once" in said(page)
    assert set(table(page, "why")["why"]) == {"too much is due at once: a sweep waits for an operator"}
    press(page, "Erase these 5")
    (field,) = [field for field in page.text_input if field.label.startswith("Type erase")]
    field.set_value("erase")
    next(found for found in page.button if found.key == "retention-hold-yes").click()
    page = run(page)
    assert not store.objects
    assert "are due by the clock at once" not in said(page)
    assert [entry.actor for entry in entries(provided, audit.Action.SWEEP_CONFIRMED)] == [support.actor]


def test_a_finding_is_mended_after_another_look(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    stray, foreign = new_id() + "00000000", "../somebody's file"
    store.objects |= {stray: b"x", foreign: b"y"}
    with provided.transaction() as session:
        for ref in (stray, foreign, new_id() + "11111111"):
            session.add(
                FindingRow(
                    kind=FindingKind.UNTRACKED,
                    ref=ref,
                    size=1,
                    detail="no row",
                    first_seen_at=provided.clock(),
                    last_seen_at=provided.clock(),
                )
            )
    page = pick(opened(), "Queue", "untracked")
    page = confirm(press(page, "Mend all 3"))
    told = table(page, "what came of it").set_index("id")["what came of it"]
    assert told[stray] == told[foreign] == "mended"
    assert sum("no longer" in says for says in told) == 1
    assert not store.objects
    mended = entries(provided, audit.Action.FINDING_MEND_ASKED)
    assert {entry.actor for entry in mended} == {support.actor}
    assert sum(entry.ref == "foreign" for entry in mended) == 1


def test_an_id_is_found_wherever_it_is(
    opened: Callable[..., AppTest],
    support: operators.Operator,
    provided: Services,
    store: MemoryStore,
    ask: Callable[..., str],
    work: Callable[[], int],
) -> None:
    run_id = ask()
    work()
    copies_of(provided, store, 1, late=timedelta(hours=1))
    page = look_for(opened(), run_id)
    assert sorted(table(page, "why")["kind"]) == ["headshot", "headshot", "photo"]
    assert "Nothing here has this id." in said(look_for(page, "f" * 32))
    assert "That is not an id." in said(look_for(page, "no such'; --"))


def test_long_queues_are_leafed_through(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 70, late=timedelta(hours=1))
    page = opened()
    assert len(table(page, "why")) == 50
    assert "1 to 50 of 70" in said(page)
    first = set(table(page, "why")["id"])
    page.session_state["retention-page-0"] = 2
    page = run(page)
    assert "51 to 70 of 70" in said(page)
    assert not first & set(table(page, "why")["id"])


def test_a_shorter_promise_moves_everything_forward(
    opened: Callable[..., AppTest],
    support: operators.Operator,
    ask: Callable[..., str],
    work: Callable[[], int],
    clock: FrozenClock,
) -> None:
    ask()
    work()
    page = opened()
    numbers = table(page, "copies")
    assert (len(numbers), numbers["day"][30], numbers["copies"][30]) == (31, "1 Apr", 3)
    numbers = table(pick(page, "If nothing were kept longer than", Contract.WEEK), "copies")
    assert numbers["copies"][7] == 3
    assert list(table(pick(page, "Coloured by", "Kind"), "copies").columns) == [
        "day",
        "copies",
        "photo",
        "headshot",
        "MB",
    ]


def at_apimart(svc: Services, ends_in: timedelta, name: str) -> ProviderCopy:
    with svc.transaction() as session:
        photo = session.exec(select(Copy)).first()
        run = session.exec(select(Generation.id)).first()
        assert photo
    run = run or given_run_of(svc, photo.subject_id, photo.id)
    task = given_task(svc, run, variant=int(name))
    return noted(svc, task, name, expires_at=svc.clock() + ends_in)


def test_what_lies_at_third_parties_is_shown_where_there_is_any(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 1, late=-timedelta(days=1))
    assert "third parties" not in said(opened()) + " ".join(head.value for head in opened().subheader)
    at_apimart(provided, timedelta(hours=3), "1")
    late = at_apimart(provided, -timedelta(hours=2), "2")
    page = opened()
    assert "At third parties" in [head.value for head in page.subheader]
    assert "APIMart, headshot made there" in said(page) and "ends there 02 Mar, 15:00" in said(page)
    assert "none has ended yet" in said(page) and "ended, not proved" in said(page)
    assert "1 copy lies" not in said(page)
    assert "2 copies lie at somebody who is no longer set up" in said(page)
    with provided.transaction() as session:
        row = session.get_one(ProviderCopy, late.id)
        row.open_at = row.answered_at = provided.clock()
    page = opened()
    assert "should have ended 02 Mar, 10:00, 2 h ago; last seen open 02 Mar, 12:00" in said(page)
    assert "example.net" not in said(page)


def test_nothing_on_the_page_is_a_picture(
    opened: Callable[..., AppTest], support: operators.Operator, ask: Callable[..., str], work: Callable[[], int]
) -> None:
    ask()
    work()
    page = pick(opened(), "Queue", "coming")
    assert "<img" not in said(page)
    assert "/img/" not in said(page)
    assert not page.get("imgs")


def test_the_operator_who_signs_out_is_out(opened: Callable[..., AppTest], support: operators.Operator) -> None:
    assert "There is nothing here." in said(press(opened(), "Sign out"))


def test_copies_are_left_to_their_clocks(
    opened: Callable[..., AppTest], support: operators.Operator, provided: Services, store: MemoryStore
) -> None:
    copies_of(provided, store, 1, late=-timedelta(hours=1))
    page = pick(opened(), "Queue", "coming")
    assert "they go by themselves" in said(page)
    assert not [found for found in page.button if found.label.startswith("Erase")]
    with provided.reading() as session:
        assert session.exec(select(Copy.id).where(col(Copy.erased_at).is_(None))).all()
