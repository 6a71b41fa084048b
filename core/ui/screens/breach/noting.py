"""Noting a breach: its 72 hours begin when it was noticed, not when it is noted."""

from datetime import datetime
from typing import Final

import streamlit as st

from core import breaches
from core.models import BreachKind, new_id
from core.ui import widgets
from core.ui.screens.breach import lies
from core.ui.screens.breach.desk import SAID, Desk, do

KEY, PRESS, ASKED = "breach-note", "breach-press", "breach-asked"
KIND_SAYS: Final = {
    BreachKind.BUCKET: "The store: objects, sealed as they are",
    BreachKind.DATABASE: "The database",
    BreachKind.KEYS: "The master key",
    BreachKind.SERVER: "The server: somebody else had control of it",
    BreachKind.OPERATOR: "The sign-in of an operator",
    BreachKind.THIRD_PARTY: "Images at a third party",
    BreachKind.OTHER: "Something else",
}


def note_one(desk: Desk) -> None:
    with st.expander("Note a breach"):
        widgets.show(
            widgets.quiet(
                "Note it as soon as you think that it may be one: the 72 hours of GDPR, Article 33 count from when it "
                "was noticed. What lies here now is kept with it, and people on duty are told at once."
            )
        )
        with st.form(key=KEY, border=False):
            kind = st.selectbox(
                "What got into wrong hands", list(KIND_SAYS), index=None, format_func=lambda one: KIND_SAYS[one]
            )
            noticed_at = desk.ask_when("it was noticed", key=KEY)
            with st.container(key=f"ws-danger-{KEY}", width="content"):
                pressed = st.form_submit_button("Note this breach")
        if pressed:
            _ask(kind, noticed_at)
    _answer(desk)


def _ask(kind: BreachKind | None, noticed_at: datetime | None) -> None:
    if kind is None or noticed_at is None:
        widgets.show(widgets.note("Nothing was noted: choose what and when first.", "unknown"))
        return
    st.session_state[ASKED] = (kind, noticed_at)
    st.session_state.pop(SAID, None)
    st.session_state.setdefault(PRESS, new_id())
    widgets.open_confirm(KEY)


def _answer(desk: Desk) -> None:
    if ASKED not in st.session_state:
        return
    kind, noticed_at = st.session_state[ASKED]
    due_at = noticed_at + breaches.TOLD_WITHIN
    if widgets.confirm_dialog(
        "Note this breach",
        sentence=f"{KIND_SAYS[kind]}; noticed {desk.at(noticed_at)}. The authority and people are to be told by "
        f"{desk.at(due_at)}. It stays in the register, whatever comes of it.",
        button_label="Note it",
        key=KEY,
        final=False,
    ):
        press = st.session_state.pop(PRESS, None) or new_id()
        del st.session_state[ASKED]
        lies.forget()
        do("Noted. Its clock runs.", lambda: _note(desk, kind, noticed_at, press))


def _note(desk: Desk, kind: BreachKind, noticed_at: datetime, press: str) -> None:
    breaches.note(desk.svc, kind=kind, noticed_at=noticed_at, press_id=press, actor=desk.who.actor)
