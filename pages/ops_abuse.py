"""Reports of abuse, for operators: what is open and by when, what was found, and what can be done. Never a face, but
for the one image that two operators together break the glass for."""

import streamlit as st

from core.models import Role
from core.ui import operators, widgets
from core.ui.operators import Desk
from core.ui.screens.abuse import listing
from core.ui.screens.abuse.desk import opened
from core.ui.screens.abuse.report import report

desk = Desk.of(operators.require(Role.SUPPORT, Role.FOUNDER))
one = opened(desk)

LEAD = "Images that somebody reported, and by when each is dealt with. Ids, clocks and sizes; a look takes two of you."

widgets.frame("Reports", None if one else LEAD, now=desk.now, wide=True)
operators.bar(desk.who)
if one is None:
    listing.waiting(desk)
    listing.over(desk)
else:
    left, right = st.columns([4, 5], gap="large")
    with left:
        listing.waiting(desk)
        listing.over(desk)
    with right:
        report(desk, one)
