"""What can be done about several requests at once, and what came of each."""

from collections.abc import Callable, Sequence

import streamlit as st

from core import operators, requests
from core.requests import Ticket
from core.ui import widgets
from core.ui.screens.desk import erase
from core.ui.screens.desk.desk import WORD, Desk, look_anew, take

CONFIRM, ASKED, DONE = "desk-many", "desk-asked", "desk-done"
ASK_ABOVE = 10
TAKE, ASSIGN, ERASE = "Take", "Assign", "Erase and prove"
SENTENCES = {
    TAKE: "You take {these}. Those that somebody else has stay theirs.",
    ASSIGN: "{These} go to {whom}, whoever has them now.",
    ERASE: "Everything of these people is erased and proved, and each requester gets a receipt: {these}. "
    "Those that are not matched, or can still be taken back, are left as they are.",
}


def offer(desk: Desk, chosen: Sequence[Ticket]) -> None:
    if chosen:
        number = len(chosen)
        ready = [ticket for ticket in chosen if erase.may_start(ticket)]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if st.button(f"{TAKE} {number:,}", key="desk-take-many"):
                _ask(TAKE, chosen)
            whom = st.selectbox("Assign to", _whom(desk), format_func=desk.name_of, key="desk-whom", width=220)
            if st.button(f"{ASSIGN} {number:,}", key="desk-assign-many"):
                _ask(ASSIGN, chosen, whom)
            says = f"{ERASE} {len(ready):,}"
            if widgets.danger_button(says, key="desk-erase-many", disabled=not ready):
                _ask(ERASE, ready)
    _answer(desk)
    _results()


def _whom(desk: Desk) -> list[str | None]:
    with desk.svc.reading() as session:
        others = [one for one in operators.on_duty(session, desk.now) if one != desk.who.id]
    return [desk.who.id, None, *others]


def _ask(deed: str, chosen: Sequence[Ticket], whom: str | None = None) -> None:
    """What is harmless and not much is done without a question."""
    st.session_state[ASKED] = (deed, list(chosen), whom)
    st.session_state.pop(DONE, None)
    if deed == ERASE or len(chosen) > ASK_ABOVE:
        widgets.open_confirm(CONFIRM)


def _answer(desk: Desk) -> None:
    if ASKED not in st.session_state:
        return
    deed, chosen, whom = st.session_state[ASKED]
    these = widgets.count(len(chosen), "request")
    sure = not widgets.is_asked(CONFIRM) and deed != ERASE and len(chosen) <= ASK_ABOVE
    sure = sure or widgets.confirm_dialog(
        f"{deed} {these}",
        sentence=SENTENCES[deed].format(these=these, These=these.capitalize(), whom=desk.name_of(whom)),
        button_label=f"{deed} {these}",
        key=CONFIRM,
        typed_word=WORD if deed == ERASE else deed.lower(),
        final=deed == ERASE,
    )
    if sure:
        del st.session_state[ASKED]
        came_of_it = _done(desk, deed, chosen, whom)
        st.session_state[DONE] = [(ticket.number, came_of_it[ticket.id]) for ticket in chosen]
        look_anew()
        st.rerun()


def _done(desk: Desk, deed: str, chosen: Sequence[Ticket], whom: str | None) -> dict[str, str]:
    svc, actor = desk.svc, desk.who.actor
    if deed == TAKE:
        return take(desk, chosen)
    does: dict[str, Callable[[str], object]] = {
        ASSIGN: lambda request_id: requests.assign(svc, request_id, whom, actor),
        ERASE: lambda request_id: requests.start(svc, request_id, actor),
    }
    return requests.each([ticket.id for ticket in chosen], does[deed])


def _results() -> None:
    """What came of each, until the next deed."""
    done: list[tuple[str, str]] = st.session_state.get(DONE, [])
    if not done:
        return
    well = sum(not why for _, why in done)
    says = (
        f"{well:,} of {len(done):,} done." if well < len(done) else f"{widgets.count(len(done), 'request')}: all done."
    )
    widgets.show(widgets.note(says, "kept" if well == len(done) else "due"))
    st.dataframe(
        {"request": [number for number, _ in done], "what came of it": [why or "done" for _, why in done]},
        hide_index=True,
        height="content" if len(done) <= ASK_ABOVE else 390,
        alt=f"What came of each: {well} of {len(done)} done",
    )
