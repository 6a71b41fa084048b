"""The same run once more, at a press: the same photo, the same choices, a new run."""

from typing import Literal

import streamlit as st

from core import generations
from core.errors import WorkShotError
from core.generations import RunView
from core.language import _
from core.models import new_id
from core.services import Services
from core.ui import counting, session, widgets
from core.ui.screens import flow


def once_more(
    svc: Services,
    me: str,
    view: RunView,
    label: str,
    *,
    type_: Literal["primary", "secondary"] = "secondary",
    free: bool = False,
) -> None:
    """A button that starts it. A double press is one run: the press is named before. `free`: it does not count."""
    press = f"once-more-{view.run.id}"
    request_id = st.session_state.setdefault(press, new_id())
    if not st.button(label, type=type_, key=f"{press}-yes"):
        return
    network = svc.networks.of(me)
    try:
        svc.networks.spend(network, limit=svc.settings.runs_per_network_per_day)
        with svc.reading() as reading:
            choices = generations.choices_of(svc, reading, view.run)
        run_id = generations.again(
            svc,
            me,
            request_id=request_id,
            like=view.run.id,
            choices=choices,
            free_try_of=view.run.id if free else None,
            counted=session.counted().is_so,
        )
    except WorkShotError as exc:
        svc.networks.give_back(network)
        counting.met(svc, me, exc)
        st.session_state.pop(press, None)
        widgets.show(widgets.problem(str(exc), _("Nothing was sent."), _("Try again in a moment.")))
        return
    st.session_state.pop(press, None)
    counting.reached(svc, me, "generate")
    flow.show_run(run_id)
