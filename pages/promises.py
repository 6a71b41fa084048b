"""
Promises: every sentence that we give our word on, with how it stands right now.

What is shown was measured by the server and is read here with its age, so that the page costs the same however much
there is. While it is open it looks every minute whether something has changed.
"""

from datetime import timedelta

import streamlit as st

from core import promises
from core.language import _
from core.ui import widgets
from core.ui.app import services
from core.ui.screens.promises.beyond import third_parties, without_us
from core.ui.screens.promises.light import figures, light
from core.ui.screens.promises.listed import listed

LOOK_AGAIN, JUST_NOW = "60s", timedelta(seconds=10)

svc = services()
now = svc.clock()
stands = promises.stands(svc, now)


@st.fragment(run_every=LOOK_AGAIN)
def top() -> None:
    """Draws itself anew each minute; the rest only where a promise stands otherwise than it did."""
    then = svc.clock()
    as_it_is = stands if then - now < JUST_NOW else promises.stands(svc, then)
    if [stand.public_state for stand in as_it_is] != [stand.public_state for stand in stands]:
        st.rerun()
    widgets.show(light(as_it_is, then), figures(as_it_is))


widgets.frame(_("Promises"), _("What we give our word on, measured all the time."), now=now)
top()
listed(stands, now)
third_parties(svc, now)
without_us(svc)
