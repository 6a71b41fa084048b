"""The retention page: for operators alone; what is late and why, and what came of each thing that was done about it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core import audit, operators
from core.models import AuditEntry, Copy, CopyKind, Role, Subject, new_id
from core.services import Services
from core.ui import app
from tests.conftest import ANN, BOB
from tests.fakes import MemoryStore

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
        (field,) = [field for field in page.text_input if field.label.startswith("Type ")]
        field.set_value(typed)
    next(found for found in page.button if (found.key or "") == "retention-confirm-yes").click()
    return run(page)


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
    assert "every clock was kept" in said(page)
    assert "nothing is kept" in said(page)
    assert "Nothing of anybody is kept." in said(page)
    assert "Nothing is due." in said(page)
    assert "bucket rule not applicable: local vault" in said(page)
    assert pick(page, "Queue", "unproved") and "All that was erased is proved gone." in said(page)
