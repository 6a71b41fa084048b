"""The deletion desk, for operators: the next thing to do, how long is left, and what really does it. Never a face."""

import streamlit as st

from core.models import Role
from core.ui import operators, widgets
from core.ui.screens.desk import above, by_hand, listing, unsorted
from core.ui.screens.desk.desk import Desk, opened
from core.ui.screens.desk.ticket import ticket

desk = Desk.of(operators.require(Role.SUPPORT, Role.FOUNDER))
one = opened(desk)
beside = "-open" if one else ""

LEAD = "The next thing to do, and how long is left. Numbers and clocks, never a face."

widgets.frame("Desk", None if one else LEAD, now=desk.now, wide=True)
with st.container(key=f"ws-desk-above{beside}"):
    operators.bar(desk.who)
    operators.say_if_made_up()
    above.totals(desk)
    above.outlook(desk, brief=one is not None)
if one is None:
    listing.listing(desk, None)
else:
    left, right = st.columns([5, 4], gap="large")
    with left, st.container(key="ws-desk-list-open"):
        listing.listing(desk, one)
    with right, st.container(key="ws-desk-one"):
        ticket(desk, one)
with st.container(key=f"ws-desk-below{beside}"):
    unsorted.unsorted(desk)
    by_hand.by_hand(desk)
