"""The list: the most urgent first, narrowed, looked through by number, leafed through, chosen from."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from urllib.parse import urlencode

import streamlit as st

from core import requests
from core.models import RequestState
from core.requests import OPEN_STATES, UNASSIGNED, Filter, Page, Ticket, export
from core.sla import Standing
from core.ui import widgets
from core.ui.screens.desk import bulk, erase
from core.ui.screens.desk.desk import CHANNEL_SAYS, KIND_SAYS, Desk, is_open, look, look_anew, open_one, step_says

SIZE = 25
LOOK_AGAIN_EVERY = 10.0  # seconds
SEARCH = "desk-search"
SHOWN = {
    "Open": Filter(),
    "To do": Filter(states=(RequestState.OPEN,)),
    "Breached": Filter(standing=Standing.BREACHED),
    "Due soon": Filter(standing=Standing.DUE_SOON),
    "Waiting": Filter(states=(RequestState.WAITING,)),
    "Under way": Filter(states=(RequestState.UNDO, RequestState.WORKING)),
    "Closed": Filter(states=(RequestState.CLOSED,)),
}
EMPTY = {
    "Breached": "Nothing is past its clock.",
    "Due soon": "Nothing is due within 12 hours.",
    "To do": "Nothing needs anybody: what is open goes on by itself.",
    "Waiting": "Nobody is waited for.",
    "Under way": "Nothing is under way.",
    "Closed": "Nothing was closed yet.",
}


def listing(desk: Desk, opened: Ticket | None) -> None:
    shown, which = _asked_for(desk)
    at = f"desk-page-{look()}"
    number = int(st.session_state.get(at, 1))
    found = _page(desk, which, number)
    _look_again(desk, which, number, _seen(found))
    if not found.items:
        _nothing(desk, shown, which)
        return
    picked = widgets.work_list(
        [_row(desk, ticket) for ticket in found.items],
        open_id=opened.id if opened else None,
        search=f".st-key-{SEARCH} input",
        look=look(),
        key=f"desk-list-{look()}-{number}",
    )
    _leaf(found, number, at, which)
    _follow(desk, found.items, picked)
    bulk.offer(desk, [ticket for ticket in found.items if ticket.id in picked.chosen])


def _page(desk: Desk, which: Filter, number: int) -> Page:
    with desk.svc.reading() as session:
        return requests.page(session, which, now=desk.now, page=number, size=SIZE)


def _asked_for(desk: Desk) -> tuple[str, Filter]:
    shown = st.segmented_control(
        "Show",
        list(SHOWN),
        default="Open",
        required=True,
        key="desk-shown",
        on_change=look_anew,
        wrap=True,
        label_visibility="collapsed",
    )
    whose = {"Anybody's": None, "Mine": desk.who.id, "Nobody's": UNASSIGNED}
    with st.container(horizontal=True, vertical_alignment="bottom", key="ws-desk-filters"):
        with st.container(key=SEARCH, width=150):
            search = st.text_input("Number", key="desk-number", on_change=look_anew, help="Of a request, or of a run.")
        kind = st.selectbox(
            "Kind",
            [None, *KIND_SAYS],
            format_func=lambda one: KIND_SAYS[one] if one else "Any kind",
            on_change=look_anew,
            width=140,
        )
        channel = st.selectbox(
            "Channel",
            [None, *CHANNEL_SAYS],
            format_func=lambda one: CHANNEL_SAYS[one] if one else "Any channel",
            on_change=look_anew,
            width=155,
        )
        assignee = st.selectbox("With", list(whose), on_change=look_anew, width=130)
    which = replace(
        SHOWN[shown or "Open"],
        kinds=(kind,) if kind else (),
        channels=(channel,) if channel else (),
        assignee=whose[assignee],
        search=search.strip(),
    )
    return shown or "Open", which


def _row(desk: Desk, ticket: Ticket) -> widgets.WorkRow:
    ended = ticket.done_at or ticket.closed_at
    when = widgets.instant(ended or ticket.due_at, now=desk.now, brief=True)
    cells = (
        f"{KIND_SAYS[ticket.kind]}, {CHANNEL_SAYS[ticket.channel]}",
        step_says(desk, ticket),
        desk.name_of(ticket.assignee).removeprefix("operator "),
        f"done {when}" if ended else f"due {when}",
    )
    return widgets.WorkRow(
        id=ticket.id,
        name=ticket.number,
        timer=widgets.timer(ticket.due_at, now=desk.now, done_at=ended, brief=True),
        timer_of=f"{ticket.due_at} {ended}",
        cells=widgets.join(widgets.el("span", cell) for cell in cells),
    )


def _follow(desk: Desk, shown: Sequence[Ticket], picked: widgets.Picked) -> None:
    """Open what was opened; the key for erasing opens, too, and asks."""
    by_id = {ticket.id: ticket for ticket in shown}
    if picked.erase:
        open_one(by_id[picked.erase].number)
        erase.ask(by_id[picked.erase])
        st.rerun()
    if picked.opened and not is_open(by_id[picked.opened].number):
        open_one(by_id[picked.opened].number)
        st.rerun()


def _leaf(found: Page, number: int, at: str, which: Filter) -> None:
    first = (number - 1) * SIZE + 1
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        more = "+. Narrow it down, or take the CSV, for the rest." if found.capped else ""
        widgets.show(widgets.quiet(f"{first:,} to {first + len(found.items) - 1:,} of {found.total:,}{more}"))
        pages = ceil(found.total / SIZE)
        if pages > 1:
            st.pagination(pages, key=at)
        href = f"/ops/requests.csv?{urlencode(export.as_words(which))}"
        widgets.show(widgets.links([widgets.DownloadLink(label="CSV", href=href, filename="requests.csv")]))


def _nothing(desk: Desk, shown: str, which: Filter) -> None:
    if which.search:
        says = "No request has this number, and none is about a run of this number."
    elif which.kinds or which.channels or which.assignee is not None:
        says = "Nothing fits these choices."
    elif shown != "Open":
        says = EMPTY[shown]
    else:
        last = _page(desk, Filter(states=(RequestState.CLOSED,)), 1).items
        closed = last[0].closed_at if last else None
        ago = f" The last one was closed {widgets.length(desk.now - closed)} ago." if closed else ""
        says = f"No open requests.{ago}"
    widgets.show(widgets.note(says, "kept" if which.states == OPEN_STATES and not which.search else "info"))


# --------------------------------------------------------------------------------------------------------- what is new
def _seen(found: Page) -> tuple[object, ...]:
    return (found.total, tuple(found.items))


@st.fragment(run_every=LOOK_AGAIN_EVERY)
def _look_again(desk: Desk, which: Filter, number: int, seen: tuple[object, ...]) -> None:
    """Draw the page anew when it would read otherwise; not while somebody answers a question."""
    now = replace(desk, now=desk.svc.clock())
    if not widgets.is_asking() and _seen(_page(now, which, number)) != seen:
        st.rerun()
