"""A run under way: real stages, headshots as they are finished, and a way to stop it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import streamlit as st

from core import generations
from core.errors import NotFound
from core.generations import RunView
from core.language import N_, _, n_, p_
from core.models import RunState
from core.services import Services
from core.ui import widgets
from core.ui.screens import makers
from core.ui.screens.claim import show_code

SOON, LATER = 0.25, 1.0
"""Seconds between two looks: at a run that is being made, and at one that waits behind others."""
STAGES: Final[Mapping[str, str]] = {
    "sending": N_("Sending it to {title}"),
    "waiting": N_("{title} is making it"),
    "fetching": N_("Fetching the results"),
}
"""In plain words, where the name of a stage alone does not say who is at work."""
MAY_FINISH = N_(
    "Cancelling stops our waiting. What {title} has taken already it may still finish: its result would lie there for "
    "a while, is listed on My photos, and is not fetched."
)


def running(svc: Services, me: str, view: RunView) -> None:
    says = _("You may close this page: the run goes on, and this browser finds it again.")
    widgets.frame(_("Making your headshots"), says)
    elsewhere = makers.is_elsewhere(svc, view.run.engine)
    is_next = _is_next(svc, view)
    st.fragment(_progress, run_every=SOON if is_next else LATER)(svc, me, view.run.id, is_next)
    with st.container(horizontal=True):
        if st.button(_("Cancel this run"), disabled=view.run.cancel_at is not None):
            generations.cancel(svc, me, view.run.id)
            st.rerun()
    if elsewhere and view.run.cancel_at is None:
        widgets.show(widgets.quiet(_(MAY_FINISH, title=makers.title_of(svc, view.run.engine))))
    with st.expander(_("Going to another device? Get your claim code"), type="compact"):
        show_code(svc, me, unasked=False)


def _progress(svc: Services, me: str, run_id: str, is_next: bool) -> None:
    """Asks for news by itself; when the run's turn has come or it is over, the whole page is drawn anew."""
    now = svc.clock()
    try:
        with svc.reading() as reading:
            view = generations.view(reading, me, run_id, now)
    except NotFound:
        st.rerun()
    if not view.is_live or _is_next(svc, view) is not is_next:
        st.rerun()
    widgets.show(_where(svc, view))
    pictures = [
        widgets.photo(
            f"/img/{copy.id}?w=240", _("Headshot {number}", number=number), ratio=view.run.ratio, max_width=200
        )
        for number, copy in enumerate(view.headshots, 1)
    ]
    if pictures:
        widgets.show(widgets.row(*pictures))
    widgets.show(_clock(view, now))


def _is_next(svc: Services, view: RunView) -> bool:
    """Others make many at once: nobody waits behind anybody."""
    return view.ahead == 0 or makers.is_elsewhere(svc, view.run.engine)


def _where(svc: Services, view: RunView) -> widgets.Html:
    if view.run.cancel_at is not None:
        return widgets.note(_stopping(svc, view), "due")
    if view.run.state is not RunState.RUNNING:
        waiting = n_("{n} run before yours.", "{n} runs before yours.", view.ahead)
        return widgets.note(_("Starting now.") if _is_next(svc, view) else waiting, "counting")
    engine = svc.offered.get(view.run.engine)
    says = [_said(svc, view, name) for name in view.stages]
    names = [_said(svc, view, name) for name in engine.stages] if engine else says
    return widgets.stages(names, done=says[:-1], current=says[-1] if says else None)


def _said(svc: Services, view: RunView, stage: str) -> str:
    if makers.is_elsewhere(svc, view.run.engine) and stage in STAGES:
        return _(STAGES[stage], title=makers.title_of(svc, view.run.engine))
    return _stages_here().get(stage) or stage.capitalize()


def _stages_here() -> dict[str, str]:
    return {
        "reading": p_("a stage", "Reading"),
        "outlining": p_("a stage", "Outlining"),
        "framing": p_("a stage", "Framing"),
        "edges": p_("a stage", "Edges"),
        "light": p_("a stage", "Light"),
        "background": p_("a stage", "Background"),
        "finishing": p_("a stage", "Finishing"),
    }


def _stopping(svc: Services, view: RunView) -> str:
    if makers.is_elsewhere(svc, view.run.engine):
        title = makers.title_of(svc, view.run.engine)
        return _("Stopping. {title} may still finish what it has taken.", title=title)
    return _("Stopping after this step.")


def _clock(view: RunView, now: datetime) -> widgets.Html:
    return widgets.clock(view.run.erase_by, now=now)
