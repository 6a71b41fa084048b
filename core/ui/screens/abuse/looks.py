"""Looks at a reported image: asked for, decided by another operator, and open for ten minutes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from core import reports
from core.abuse import LOOK_FOR, glass
from core.models import AbuseKind, Copy, GlassView
from core.reports import Detail
from core.ui import widgets
from core.ui.operators import COPY_SAYS, Desk
from core.ui.screens.abuse.desk import KIND_SAYS, do

LOOK_AGAIN_EVERY = 5.0  # seconds
MINUTES = int(LOOK_FOR.total_seconds() // 60)
TOLD = (
    "One of you asks, another one allows it, and who asked sees the image for {minutes} minutes, marked with who looks "
    "and when. Its owner reads on My photos that somebody looked, when, and why: “{reason}”."
)
CHILD = "If it may be sexual, do not look: that can be a crime. Block, and tell the police before anything is erased."


def looks(desk: Desk, one: Detail) -> None:
    st.subheader("Look", anchor=False)
    if one.is_open:
        widgets.show(widgets.quiet(TOLD.format(minutes=MINUTES, reason=KIND_SAYS[one.report.kind])))
        if one.report.kind is AbuseKind.CHILD:
            widgets.show(widgets.note(CHILD, "broken"))
        _ask(desk, one)
    seen = _seen(desk, one.views)
    for view in one.views:
        _view(desk, one, view, is_shown=seen[view.id][1])
    _watch(desk, one.report.id, seen)


def _ask(desk: Desk, one: Detail) -> None:
    images = [copy for person in one.people for copy in person.readable(desk.now)]
    if not images:
        widgets.show(widgets.quiet("There is no image that could be seen."))
        return
    chosen = st.selectbox("Image", images, format_func=lambda copy: _image(desk, copy), key="look-image")
    why = glass.stands_in_the_way(desk.svc, chosen)
    if why:
        widgets.show(widgets.note(why, "due"))
    if st.button("Ask to look", key="look-ask", disabled=bool(why)):
        says = "Asked. Another operator has to allow it."
        do(says, lambda: glass.ask_to_look(desk.svc, desk.who, one.report.id, chosen.id))


def _image(desk: Desk, copy: Copy) -> str:
    made = widgets.instant(copy.created_at, now=desk.now, brief=True)
    return f"{COPY_SAYS[copy.kind][0]}, {copy.width} × {copy.height}, of {made} ({copy.id[:8]})"


def _view(desk: Desk, one: Detail, view: GlassView, *, is_shown: bool) -> None:
    with st.container(border=True, key=f"view-{view.id}"):
        widgets.show(widgets.quiet(_says(desk, view)))
        if view.decided_at is None and one.is_open:
            _decide(desk, view)
        elif is_shown and view.until is not None:
            widgets.show(
                widgets.deadline(view.until, now=desk.now),
                widgets.photo(f"/ops/glass/{view.id}", "The reported image, marked", max_width=480, until=view.until),
            )


def _decide(desk: Desk, view: GlassView) -> None:
    if view.asked_by == desk.who.id:
        widgets.show(widgets.note("Another operator has to decide. This page goes on by itself.", "counting"))
        return
    with st.container(horizontal=True):
        if st.button(f"Allow for {MINUTES} minutes", key=f"allow-{view.id}", type="primary"):
            says = "Allowed. You do not see the image: who asked does."
            do(says, lambda: glass.decide(desk.svc, desk.who, view.id, allow=True))
        if st.button("Refuse", key=f"refuse-{view.id}"):
            do("Refused.", lambda: glass.decide(desk.svc, desk.who, view.id, allow=False))


def _says(desk: Desk, view: GlassView) -> str:
    asked = f"{desk.name_of(view.asked_by).capitalize()} asked {desk.at(view.asked_at)}"
    if view.decided_at is None:
        return f"{asked}; nobody has decided."
    decided = f"{desk.name_of(view.decided_by)} {'allowed' if view.until else 'refused'} it {desk.at(view.decided_at)}"
    if view.until is None:
        return f"{asked}; {decided}."
    seen = f"first seen {desk.at(view.first_seen_at)}" if view.first_seen_at else "not seen"
    return f"{asked}; {decided}, until {desk.at(view.until)}; {seen}."


# --------------------------------------------------------------------------------------------------------- what is new
Seen = Mapping[str, tuple[datetime | None, bool]]
"""Of each view: when it was decided, and whether it is shown."""


def _seen(desk: Desk, views: Sequence[GlassView]) -> Seen:
    return {view.id: (view.decided_at, glass.shows(desk.svc, desk.who, view.id)) for view in views}


@st.fragment(run_every=LOOK_AGAIN_EVERY)
def _watch(desk: Desk, report_id: str, before: Seen) -> None:
    """What another operator decides shows up by itself; and a picture goes when its time is over, or its owner says."""
    with desk.svc.reading() as session:
        views = reports.views(session, report_id)
    if is_to_be_drawn(_seen(desk, views), before, is_asking=widgets.is_asking()):
        st.rerun()


def is_to_be_drawn(seen: Seen, before: Seen, *, is_asking: bool) -> bool:
    """What is new can wait for an open question. What must not be shown any longer cannot."""
    is_over = any(shown and not seen.get(view_id, (None, False))[1] for view_id, (_, shown) in before.items())
    return is_over or (not is_asking and seen != before)
