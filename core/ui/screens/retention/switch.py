"""
The switch that stops all erasing, for an operator: how to throw it, and how to let erasing go on.

Stopping breaks promises from the next clock that runs out, and starting erases what became due meanwhile: so both
want a typed word, and neither hides what it does.
"""

import streamlit as st

from core import erasing
from core.erasing import SwitchState
from core.ui import pages, widgets
from core.ui.screens.retention.desk import Desk

CONFIRM, STOP, START = "retention-start", "stop", "start"
REASONS = {
    "wrong-clock": "The clock of a machine is wrong",
    "wrong-setting": "A setting is wrong",
    "wrong-erasing": "Something was erased that should not have been",
    "restoring": "A backup is being restored",
    "storage-trouble": "Storage does not behave",
    "looking-into-it": "We look into something else",
}
"""What the audit log keeps, and what it says here."""


def switch(desk: Desk, stands: SwitchState) -> None:
    if stands.is_stopped:
        _stopped(desk, stands)
    else:
        with st.expander("Stop all erasing", type="compact"):
            _stopping(desk)


def _stopped(desk: Desk, stands: SwitchState) -> None:
    """Since when is said above every page."""
    reason = REASONS.get(stands.reason, stands.reason)
    widgets.show(
        widgets.problem(
            "No clock is kept while erasing is stopped.",
            f"{reason}. Stopped by {stands.actor.replace(':', ' ')}. "
            "Every clock that runs out meanwhile is a promise that breaks.",
            "When it is safe again, start erasing. What became due meanwhile goes with the next sweep.",
        )
    )
    sure = widgets.confirm(
        "Start erasing again",
        title="Start erasing again",
        sentence="What became due meanwhile is erased. The queues below show what that is.",
        button_label="Start erasing",
        key=CONFIRM,
        typed_word=START,
    )
    if sure:
        erasing.start(desk.svc, actor=desk.who.actor)
        _drawn_anew()


def _stopping(desk: Desk) -> None:
    widgets.show(
        widgets.note(
            "Nothing is erased by anybody until it is started again: not by clocks, not by people who press “Erase”. "
            "Every clock that runs out meanwhile is a promise that breaks, and every page says so. "
            "Access still ends on time.",
            "due",
        )
    )
    with st.form(key="retention-stop", border=False):
        reason = st.selectbox("Why", list(REASONS), index=None, format_func=lambda word: REASONS[word])
        typed = st.text_input(f"Type {STOP} to confirm")
        with st.container(key="ws-danger-retention-stop", width="content"):
            pressed = st.form_submit_button("Stop all erasing")
    if not pressed:
        return
    if reason is None:
        widgets.show(widgets.note("Nothing was stopped: choose why first.", "unknown"))
    elif (typed or "").strip().casefold() != STOP:
        widgets.show(widgets.note(f"Nothing was stopped: type {STOP} first.", "unknown"))
    else:
        erasing.stop(desk.svc, reason=reason, actor=desk.who.actor)
        _drawn_anew()


def _drawn_anew() -> None:
    """With what is said above every page."""
    pages.erasing_switch.look_again()
    st.rerun()
