"""The studio: a photo in, headshots out. Each state of a run has its screen; this decides which one is shown."""

import streamlit as st

from core import generations
from core.drafts import DraftKind
from core.language import _
from core.models import RunState
from core.ui import session, widgets
from core.ui.app import services
from core.ui.screens import flow
from core.ui.screens.compose import compose
from core.ui.screens.over import erased, failed
from core.ui.screens.ready import ready
from core.ui.screens.running import running

svc, me = services(), session.current_session()
now = svc.clock()
with svc.reading() as reading:
    view = flow.chosen(generations.runs_of(reading, me, now))

composing = st.session_state.get("composing")
if view is not None and composing == "like" and view.portrait.may_be_read(now):
    widgets.frame(_("Another from the same photo"), _("Same photo, same clock."), now=now)
    compose(svc, me, now, like=view)
elif view is None or composing or svc.drafts.get(me, DraftKind.PORTRAIT) is not None:
    widgets.frame(_("A headshot that still looks like you"), now=now)
    compose(svc, me, now)
elif view.is_live:
    running(svc, me, view)
elif view.is_over(now):
    erased(svc, me, view, now)
elif view.headshots and view.run.state is not RunState.FAILED:
    ready(svc, me, view, now)
else:
    failed(svc, me, view, now)
