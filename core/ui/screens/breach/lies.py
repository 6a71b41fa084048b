"""What would lie open if it happened now: counted when it is asked for, and shown with its age."""

from datetime import timedelta

import streamlit as st

from core import exposure
from core.exposure import Exposure
from core.language import size
from core.ui import widgets
from core.ui.screens.breach.desk import Desk

COUNTED: str = "breach-exposure"
COUNTED_EVERY = timedelta(minutes=10)
"""Over a million copies it takes a second: not in every run of the page."""


def what_lies_here(desk: Desk) -> None:
    st.header("If it leaked now", anchor=False)
    found = counted(desk)
    _figures(desk, found)
    with st.container(horizontal=True, vertical_alignment="center"):
        age = "just now" if found.at >= desk.now else f"{widgets.length(desk.now - found.at)} ago"
        widgets.show(widgets.quiet(f"Counted {age}. Test objects and what is made up are left out."))
        st.button("Count again", on_click=forget)
    if together := exposure.in_one_folder(found):
        widgets.show(widgets.note(together, "due" if found.lies_together else "info"))
    if besides := exposure.without_a_row(found):
        widgets.show(widgets.note(besides, "due"))
    with st.expander("What each leak would show"):
        widgets.show(widgets.facts([(leak.what, leak.shows) for leak in exposure.leaks(found)]))
        widgets.show(widgets.quiet(exposure.under_which_key(found)))


def counted(desk: Desk) -> Exposure:
    known: Exposure | None = st.session_state.get(COUNTED)
    if known is None or desk.now - known.at >= COUNTED_EVERY:
        known = st.session_state[COUNTED] = exposure.measure(desk.svc)
    return known


def forget() -> None:
    st.session_state.pop(COUNTED, None)


def _figures(desk: Desk, found: Exposure) -> None:
    oldest = widgets.length(desk.now - found.oldest_at) if found.oldest_at else "–"
    elsewhere = sum(found.elsewhere.values())
    widgets.show(
        widgets.figures(
            widgets.key_figure(f"{found.people:,}", "people with images", change="if all three leaked"),
            widgets.key_figure(f"{found.images.copies:,}", "images", change=size(found.images.size)),
            widgets.key_figure(oldest, "the oldest image"),
            widgets.key_figure(f"{found.people:,}", "sealed keys", change="all under this one master key"),
            widgets.key_figure(f"{elsewhere:,}", "at third parties", change="open there" if elsewhere else "nothing"),
        )
    )
