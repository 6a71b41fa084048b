"""A run under way: real stages, headshots as they are finished, and a way to stop it."""

from datetime import datetime

import streamlit as st

from core import generations
from core.errors import NotFound
from core.generations import RunView
from core.models import RunState
from core.services import Services
from core.ui import widgets
from core.ui.screens.claim import show_code

SOON, LATER = 0.25, 1.0
"""Seconds between two looks: at a run that is being made, and at one that waits behind others."""


def running(svc: Services, me: str, view: RunView) -> None:
    widgets.frame("Making your headshots", "You may close this page: the run goes on, and this browser finds it again.")
    is_next = view.ahead == 0
    st.fragment(_progress, run_every=SOON if is_next else LATER)(svc, me, view.run.id, is_next)
    with st.container(horizontal=True):
        if st.button("Cancel this run", disabled=view.run.cancel_at is not None):
            generations.cancel(svc, me, view.run.id)
            st.rerun()
    with st.expander("Going to another device? Get your claim code", type="compact"):
        show_code(svc, me, unasked=False)


def _progress(svc: Services, me: str, run_id: str, is_next: bool) -> None:
    """Asks for news by itself; when the run's turn has come or it is over, the whole page is drawn anew."""
    now = svc.clock()
    try:
        with svc.reading() as reading:
            view = generations.view(reading, me, run_id, now)
    except NotFound:
        st.rerun()
    if not view.is_live or (view.ahead == 0) is not is_next:
        st.rerun()
    widgets.show(_where(svc, view))
    pictures = [
        widgets.photo(f"/img/{copy.id}?w=240", f"Headshot {number}", ratio=view.run.ratio, max_width=200)
        for number, copy in enumerate(view.headshots, 1)
    ]
    if pictures:
        widgets.show(widgets.row(*pictures))
    widgets.show(_clock(view, now))


def _where(svc: Services, view: RunView) -> widgets.Html:
    if view.run.cancel_at is not None:
        return widgets.note("Stopping after this step.", "due")
    if view.run.state is not RunState.RUNNING:
        waiting = f"{widgets.count(view.ahead, 'run')} before yours." if view.ahead else "Starting now."
        return widgets.note(waiting, "counting")
    names = svc.engines[view.run.engine].stages
    return widgets.stages([name.capitalize() for name in names],
                          done=[name.capitalize() for name in view.stages[:-1]],
                          current=view.stages[-1].capitalize() if view.stages else None)  # fmt: skip


def _clock(view: RunView, now: datetime) -> widgets.Html:
    return widgets.clock(view.run.erase_by, now=now)
