"""Where a tab is in the studio: which run it looks at, and whether it is composing. Ids only, never bytes."""

import streamlit as st

from core.generations import RunView
from core.ui import pages

NOTE = "note-as-it-was"
"""What was written for an engine that takes notes, also while another one is looked at."""


def forget(*names: str) -> None:
    for name in names:
        st.session_state.pop(name, None)


def show_run(run_id: str) -> None:
    """Look at this run, on the studio page."""
    st.session_state["run"] = run_id
    forget("composing")
    st.switch_page(pages.STUDIO)


def compose_new() -> None:
    forget("run", "turns", "zoom", "request_id", NOTE)
    st.session_state["composing"] = "new"
    st.rerun()


def compose_like(view: RunView) -> None:
    """Another run from the photo of this one."""
    forget("turns", "zoom", "purpose", "request_id", NOTE)
    st.session_state["run"] = view.run.id
    st.session_state["composing"] = "like"
    st.rerun()


def chosen(views: list[RunView]) -> RunView | None:
    """The run this tab looks at, else the newest."""
    wanted = st.session_state.get("run")
    return next((view for view in views if view.run.id == wanted), views[0] if views else None)
