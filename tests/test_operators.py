"""Operators: nobody by default, a link works once and for ten minutes, and signing out is final."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from core import audit, operators
from core.errors import NotFound
from core.models import AuditEntry, OperatorSession, Role, SignInWay, StaffLink
from core.services import Services
from tests.conftest import ANN, BOB, EVE, on_all_threads
from tests.fakes import FrozenClock

ISSUER = "https://accounts.example.org"


def token_of(link: operators.Link) -> str:
    return link.url.rpartition("/")[2]


def deeds(svc: Services) -> list[tuple[str, str, str]]:
    with svc.reading() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.seq))).all()
    return [(entry.action, entry.actor, entry.ref) for entry in entries]


@pytest.fixture
def signed_in(svc: Services) -> operators.Operator:
    return operators.open_link(svc, token_of(operators.make_link(svc, Role.SUPPORT)), ANN)


# ---------------------------------------------------------------------------------------------------------- links
def test_nobody_is_signed_in_by_default(svc: Services) -> None:
    assert operators.signed_in(svc, staff_hash=ANN, session_hash=BOB) is None
    assert operators.signed_in(svc, staff_hash=None) is None


def test_a_link_signs_in_with_its_role_for_twelve_hours(svc: Services, clock: FrozenClock) -> None:
    link = operators.make_link(svc, Role.FOUNDER)
    opened = operators.open_link(svc, token_of(link), ANN)
    assert (opened.role, opened.way, opened.id) == (Role.FOUNDER, SignInWay.LINK, link.operator_id)
    assert operators.signed_in(svc, staff_hash=ANN) == opened
    clock.advance(hours=12, seconds=-1)
    assert operators.signed_in(svc, staff_hash=ANN) == opened
    clock.advance(seconds=1)
    assert operators.signed_in(svc, staff_hash=ANN) is None


def test_a_link_works_once(svc: Services) -> None:
    token = token_of(operators.make_link(svc, Role.SUPPORT))
    operators.open_link(svc, token, ANN)
    with pytest.raises(NotFound):
        operators.open_link(svc, token, BOB)
    assert operators.signed_in(svc, staff_hash=BOB) is None


def test_a_link_that_many_open_at_once_lets_in_one(svc: Services) -> None:
    token = token_of(operators.make_link(svc, Role.SUPPORT))

    def try_it() -> bool:
        try:
            operators.open_link(svc, token, ANN)
        except NotFound:
            return False
        return True

    assert sorted(on_all_threads(try_it, times=6)) == [False] * 5 + [True]


def test_a_link_ends_after_ten_minutes(svc: Services, clock: FrozenClock) -> None:
    token, another = (token_of(operators.make_link(svc, Role.SUPPORT)) for _ in range(2))
    clock.advance(minutes=10, seconds=-1)
    operators.open_link(svc, token, ANN)
    clock.advance(seconds=1)
    with pytest.raises(NotFound):
        operators.open_link(svc, another, BOB)


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "../.."])
def test_what_is_no_link_opens_nothing(svc: Services, token: str) -> None:
    with pytest.raises(NotFound):
        operators.open_link(svc, token, ANN)


def test_the_token_is_in_no_table(svc: Services) -> None:
    token = token_of(operators.make_link(svc, Role.SUPPORT))
    operators.open_link(svc, token, ANN)
    with svc.reading() as session:
        rows = [row.model_dump() for of in (StaffLink, OperatorSession, AuditEntry) for row in session.exec(select(of))]  # type: ignore[call-overload]
    assert token not in str(rows)
    assert ANN not in str([row for row in rows if "action" in row])


def test_the_link_starts_where_people_reach_the_server(svc: Services, limit_to: Callable[..., Services]) -> None:
    assert operators.make_link(svc, Role.SUPPORT).url.startswith("http://localhost:8501/staff/")
    public = limit_to(public_url="https://shots.example.org")
    assert operators.make_link(public, Role.SUPPORT).url.startswith("https://shots.example.org/staff/")


def test_signing_out_is_final_and_told_once(svc: Services, signed_in: operators.Operator) -> None:
    operators.sign_out(svc, signed_in)
    operators.sign_out(svc, signed_in)
    assert operators.signed_in(svc, staff_hash=ANN) is None
    who = signed_in.id
    assert deeds(svc) == [
        ("link:made", "system", who),
        ("operator:signed_in", f"operator:{who}", who),
        ("operator:signed_out", f"operator:{who}", who),
    ]
    assert audit.verify(svc).well


def test_old_sessions_and_links_are_forgotten(svc: Services, clock: FrozenClock) -> None:
    operators.open_link(svc, token_of(operators.make_link(svc, Role.SUPPORT)), ANN)
    clock.advance(days=8)
    operators.make_link(svc, Role.SUPPORT)
    with svc.reading() as session:
        assert session.exec(select(OperatorSession)).all() == []
        assert len(session.exec(select(StaffLink)).all()) == 1


def test_a_visitors_session_is_not_an_operators(svc: Services, signed_in: operators.Operator) -> None:
    """The hash of a link's session opens nothing where a visitor's is asked for."""
    assert operators.signed_in(svc, staff_hash=None, session_hash=ANN) is None


# ----------------------------------------------------------------------------------------------------------- OIDC
@pytest.fixture
def listed(limit_to: Callable[..., Services]) -> Services:
    return limit_to(staff_support="Ann@example.org, both@example.org", staff_founders="both@example.org")


def claims(svc: Services, **changed: Any) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "sub": "1001",
        "email": "ann@example.org",
        "email_verified": True,
        "iat": int(svc.clock().timestamp()),
    } | changed


def test_who_is_listed_is_let_in(listed: Services) -> None:
    who = operators.believed(listed, claims(listed), providers=1)
    assert who
    assert who.role is Role.SUPPORT
    both = operators.believed(listed, claims(listed, email="both@example.org"), providers=1)
    assert both
    assert both.role is Role.FOUNDER


@pytest.mark.parametrize(
    "changed",
    [
        {"email": "eve@example.org"},
        {"email": ""},
        {"email": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"iss": None},
        {"sub": ""},
        {"iat": None},
        {"iat": "now"},
        {"iat": 0},
    ],
)
def test_nobody_else_is(listed: Services, changed: dict[str, Any]) -> None:
    assert operators.believed(listed, claims(listed, **changed), providers=1) is None


def test_without_a_list_nobody_is(svc: Services) -> None:
    assert operators.believed(svc, claims(svc), providers=1) is None


def test_an_issuer_has_to_be_named_where_there_are_several(listed: Services, limit_to: Callable[..., Services]) -> None:
    assert operators.believed(listed, claims(listed), providers=2) is None
    named = limit_to(staff_support="ann@example.org", staff_issuers=f"https://other.example, {ISSUER}")
    assert operators.believed(named, claims(named), providers=2)
    assert operators.believed(named, claims(named, iss="https://evil.example"), providers=1) is None


def test_a_login_is_worth_twelve_hours(listed: Services, clock: FrozenClock) -> None:
    said = claims(listed)
    clock.advance(hours=12, seconds=-1)
    assert operators.believed(listed, said, providers=1)
    clock.advance(seconds=1)
    assert operators.believed(listed, said, providers=1) is None
    ahead = claims(listed, iat=int((clock.now + timedelta(minutes=10)).timestamp()))
    assert operators.believed(listed, ahead, providers=1) is None


def come(svc: Services, session_hash: str = ANN, **changed: Any) -> operators.Operator | None:
    who = operators.believed(svc, claims(svc, **changed), providers=1)
    return operators.vouched_for(svc, session_hash, who) if who else None


def test_runs_of_a_page_open_one_session_and_renew_it(listed: Services, clock: FrozenClock) -> None:
    iat = int(clock.now.timestamp())
    first = come(listed, iat=iat)
    for _ in range(10):
        clock.advance(minutes=4)
        assert come(listed, iat=iat) == first
    assert [action for action, _, _ in deeds(listed)] == ["operator:signed_in"]
    assert operators.signed_in(listed, staff_hash=None, session_hash=ANN)
    assert operators.signed_in(listed, staff_hash=None, session_hash=EVE) is None


def test_without_runs_downloads_end_within_minutes(listed: Services, clock: FrozenClock) -> None:
    come(listed)
    clock.advance(minutes=10)
    assert operators.signed_in(listed, staff_hash=None, session_hash=ANN) is None


def test_signing_out_ends_every_browser_and_every_login_from_before(listed: Services, clock: FrozenClock) -> None:
    iat = int(clock.now.timestamp())
    clock.advance(minutes=1)
    here, there = come(listed, ANN, iat=iat), come(listed, BOB, iat=iat)
    assert here and there
    operators.sign_out(listed, here)
    assert operators.signed_in(listed, staff_hash=None, session_hash=BOB) is None
    assert come(listed, BOB, iat=iat) is None, "a copied cookie is worth nothing"
    clock.advance(minutes=1)
    assert come(listed, BOB, iat=iat) is None
    assert come(listed, ANN), "a new login is"


def test_a_role_that_was_changed_counts_at_the_next_run(listed: Services, limit_to: Callable[..., Services]) -> None:
    come(listed)
    promoted = limit_to(staff_founders="ann@example.org")
    again = come(promoted)
    assert again
    assert again.role is Role.FOUNDER
    found = operators.signed_in(promoted, staff_hash=None, session_hash=ANN)
    assert found
    assert found.role is Role.FOUNDER


def test_no_email_is_stored(listed: Services) -> None:
    come(listed)
    with listed.reading() as session:
        rows = [row.model_dump() for of in (OperatorSession, AuditEntry) for row in session.exec(select(of))]  # type: ignore[call-overload]
    assert "example.org" not in str(rows)
    assert "1001" not in str([row.get("operator_id") for row in rows])
