"""
For pages of operators: who is signed in, the rule that a page is for some roles only, one look at such a page, the way
out, and what came of a deed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn, Self
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from core import made_up, operators
from core.errors import WorkShotError
from core.models import CopyKind, Role, SignInWay
from core.operators import Operator
from core.services import Services
from core.ui import app, session, widgets
from core.ui.widgets import reader_zone

_LEFT: Final = "operator-left"
NOTHING_HERE: Final = "There is nothing here."
COPY_SAYS: Final[Mapping[CopyKind, tuple[str, str]]] = {
    CopyKind.PORTRAIT: ("photo", "photos"),
    CopyKind.HEADSHOT: ("headshot", "headshots"),
    CopyKind.CLOTHING: ("clothing reference", "clothing references"),
    CopyKind.BACKDROP: ("backdrop", "backdrops"),
    CopyKind.EXPORT: ("copy of their data", "copies of their data"),
    CopyKind.CANARY: ("test object", "test objects"),
}
"""One, and more than one."""
_NAMES: Final = {Role.SUPPORT: "Support", Role.FOUNDER: "Founder"}


def operator() -> Operator | None:
    """Who is signed in, looked at anew in every run. Costs visitors nothing: without a cookie nothing is asked."""
    svc = app.services()
    if st.session_state.pop(_LEFT, False):
        st.logout()  # at the provider too; our own end of it is recorded already
    if staff_hash := session.staff_session():
        found = operators.signed_in(svc, staff_hash=staff_hash)
        if found is not None:
            return found
    if not is_logged_in():
        return None
    who = operators.believed(svc, st.user.to_dict(), providers=len(providers()))
    return operators.vouched_for(svc, session.current_session(), who) if who else None


def require(*roles: Role) -> Operator:
    """The first call of every page of operators, though nobody else is given the page in the first place."""
    found = operator()
    if found is None or found.role not in roles:
        widgets.frame(NOTHING_HERE)
        st.stop()
    return found


@dataclass(frozen=True)
class Desk:
    """One look at a page: who looks, and the same instant for everything on it. Pages may say things in their way."""

    svc: Services
    who: Operator
    now: datetime
    zone: ZoneInfo
    zone_says: str

    @classmethod
    def of(cls, who: Operator) -> Self:
        svc = app.services()
        return cls(svc, who, svc.clock(), *reader_zone())

    def at(self, at: datetime | None) -> str:
        return widgets.instant(at, now=self.now) if at else "–"

    def name_of(self, operator_id: str | None) -> str:
        if operator_id is None:
            return "nobody yet"
        return "you" if operator_id == self.who.id else f"operator {operator_id}"


def bar(who: Operator) -> None:
    """Who is signed in, until when, and the way out."""
    until = who.until.astimezone(reader_zone()[0])
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        said = f"{_NAMES[who.role]} {who.id} · signed in until {until:%H:%M} {reader_zone()[1]}"
        widgets.show(widgets.quiet(said))
        st.button("Sign out", key="operator-sign-out", on_click=_end, args=(who,))


def say_if_made_up() -> None:
    """For pages that show rows of a demo beside those of people: nobody is to take it for them, or to be alarmed."""
    with app.services().reading() as session:
        is_demo = made_up.is_here(session)
    if is_demo:
        widgets.show(widgets.note(made_up.HERE))


def _end(who: Operator) -> None:
    operators.sign_out(app.services(), who)
    if who.way is SignInWay.OIDC:
        st.session_state[_LEFT] = True


def is_logged_in() -> bool:
    """At a provider; says nothing yet about being an operator."""
    return bool(providers()) and st.user.get("is_logged_in") is True


def providers() -> list[str | None]:
    """The names of the providers in `[auth]` of secrets.toml; None is the only one, without a name."""
    try:
        auth = st.secrets.get("auth")
    except StreamlitSecretNotFoundError:
        return []
    if not auth or "redirect_uri" not in auth:
        return []
    named = [name for name, value in auth.items() if hasattr(value, "keys") and "client_id" in value]
    return [None, *named] if "client_id" in auth else list(named)


# -------------------------------------------------------------------------------------------------- which one is open
@dataclass(frozen=True)
class Opened:
    """Which one of many is open: the address of the page names it, so that a link in an alert leads to it."""

    name: str
    said: str
    """The key under which is kept what came of the last deed: it was about the one that was open."""

    @property
    def number(self) -> str:
        return st.query_params.get(self.name, "")

    def open(self, number: str) -> None:
        st.query_params[self.name] = number
        st.session_state.pop(self.said, None)

    def leave(self) -> None:
        st.query_params.pop(self.name, None)
        st.session_state.pop(self.said, None)


# ------------------------------------------------------------------------------------------------- what came of a deed
def do(key: str, says: str, deed: Callable[[], object]) -> NoReturn:
    """`attempt` it, and draw the page anew."""
    attempt(key, says, deed)
    st.rerun()


def attempt(key: str, says: str, deed: Callable[[], object]) -> bool:
    """Do something, and keep what to say about it, under this key of the session, for the page that is drawn next."""
    try:
        deed()
    except WorkShotError as exc:
        say(key, str(exc), "due")
        return False
    say(key, says, "kept")
    return True


def say(key: str, says: str, state: widgets.State) -> None:
    st.session_state[key] = (says, state)


def what_came_of_it(key: str, *, once: bool = False) -> None:
    """`once`: the next run of the page does not say it again."""
    if said := st.session_state.get(key):
        widgets.show(widgets.note(*said))
    if once:
        st.session_state.pop(key, None)
