"""The audit page: for operators alone, a page at a time, with a verdict in words."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from core import audit, operators
from core.audit import Action
from core.models import Role
from core.services import Services
from core.ui import app
from tests.conftest import ANN, BOB

PAGE = str(Path(__file__).parents[2] / "pages" / "ops_audit.py")
REPLICA = "SET LOCAL session_replication_role = replica"
"""A superuser's way past the triggers of PostgreSQL, for one transaction."""
MAP = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture
def provided(svc: Services) -> Iterator[Services]:
    app.provide(svc)
    yield svc
    app.provide(None)


@pytest.fixture
def opened(provided: Services) -> Callable[..., AppTest]:
    """A file, as somebody with this cookie sees it."""

    def look(path: str = PAGE, *, staff: str | None = ANN) -> AppTest:
        page = AppTest.from_file(path, default_timeout=30)
        page.user = {"session": BOB, "staff": staff}  # type: ignore[attr-defined]
        page.run()
        assert not page.exception
        return page

    return look


@pytest.fixture
def sign_in(svc: Services) -> Callable[[Role], operators.Operator]:
    def by(role: Role) -> operators.Operator:
        return operators.open_link(svc, operators.make_link(svc, role).url.rpartition("/")[2], ANN)

    return by


def write(svc: Services, number: int) -> None:
    for _ in range(number):
        with svc.transaction() as session:
            audit.record(session, Action.COPY_GONE, "c1", at=svc.clock(), kind="portrait")


def said(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html") if "<style>" not in element.proto.body)


def rows(page: AppTest) -> Any:
    return page.dataframe[0].value


@pytest.mark.parametrize("staff", [None, BOB, "not a hash"])
def test_nobody_else_sees_anything(opened: Callable[..., AppTest], provided: Services, staff: str | None) -> None:
    write(provided, 3)
    page = opened(staff=staff)
    assert "There is nothing here." in said(page)
    assert not page.dataframe
    assert not page.button


@pytest.mark.parametrize("role", list(Role))
def test_the_page_is_on_the_map_for_its_roles_only(
    opened: Callable[..., AppTest], sign_in: Callable[[Role], operators.Operator], provided: Services, role: Role
) -> None:
    with pytest.raises(ValueError, match="ops_audit"):
        opened(MAP).switch_page("pages/ops_audit.py")
    who = sign_in(role)
    page = opened(MAP).switch_page("pages/ops_audit.py").run()
    assert "Who did what" in said(page)
    operators.sign_out(provided, who)
    assert "Who did what" not in said(page.run())


def test_pages_are_read_one_at_a_time(
    opened: Callable[..., AppTest], sign_in: Callable[[Role], operators.Operator], provided: Services
) -> None:
    write(provided, 70)
    sign_in(Role.SUPPORT)
    page = opened()
    assert list(rows(page)["#"])[:2] == [72, 71]
    assert len(rows(page)) == 50
    press(page, "Older").run()
    assert list(rows(page)["#"]) == list(range(22, 0, -1))
    assert button(page, "Older").disabled
    press(page, "Newer").run()
    assert rows(page)["#"][0] == 72


def test_filters_start_at_the_newest_and_reach_the_export(
    opened: Callable[..., AppTest], sign_in: Callable[[Role], operators.Operator], provided: Services
) -> None:
    write(provided, 60)
    sign_in(Role.SUPPORT)
    page = opened()
    press(page, "Older").run()
    page.selectbox[0].select(Action.OPERATOR_SIGNED_IN).run()
    assert list(rows(page)["what"]) == ["An operator signed in"]
    assert "/ops/audit.csv?action=operator%3Asigned_in" in said(page)
    page.selectbox[1].select("The system").run()
    assert "Nothing fits this filter." in said(page)


def test_verifying_says_so_in_words_and_is_told(
    opened: Callable[..., AppTest], sign_in: Callable[[Role], operators.Operator], provided: Services
) -> None:
    write(provided, 3)
    who = sign_in(Role.FOUNDER)
    page = press(opened(), "Verify the whole log").run()
    assert "All 5 entries, 1 to 5, are as they were written" in said(page)
    assert (rows(page)["what"][0], rows(page)["who"][0]) == ("The audit log was verified", f"operator {who.id}")
    on_sqlite = provided.database.dialect.name == "sqlite"
    past_the_triggers = "DROP TRIGGER audit_entry_never_changes" if on_sqlite else REPLICA
    with provided.database.begin() as connection:
        connection.execute(sa.text(past_the_triggers))
        connection.execute(sa.text("UPDATE audit_entry SET ref = 'other' WHERE seq = 2"))
    assert "Entry 2 was changed after it was written." in said(press(page, "Verify the whole log").run())


def test_signing_out_ends_it(
    opened: Callable[..., AppTest], sign_in: Callable[[Role], operators.Operator], provided: Services
) -> None:
    sign_in(Role.SUPPORT)
    page = press(opened(), "Sign out").run()
    assert "There is nothing here." in said(page)
    assert operators.signed_in(provided, staff_hash=ANN) is None


def button(page: AppTest, label: str) -> Any:
    return next(found for found in page.button if found.label == label)


def press(page: AppTest, label: str) -> AppTest:
    button(page, label).click()
    return page
