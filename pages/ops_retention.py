"""Retention, for operators: what goes when, what is late and why, and what can be done. Never a picture."""

from core import futures
from core.models import Role
from core.ui import operators, widgets
from core.ui.screens.retention import coming, elsewhere, queues, state
from core.ui.screens.retention.desk import Desk
from core.ui.screens.retention.switch import switch

desk = Desk.of(operators.require(Role.SUPPORT, Role.FOUNDER))
stand = futures.figures(desk.svc)

widgets.frame(
    "Retention", "What goes when, what is late, and why. Ids and clocks, never a picture.", now=desk.now, wide=True
)
operators.bar(desk.who)
operators.say_if_made_up()
state.alarms(desk, stand)
state.top(desk, stand)
state.clocks(desk)
switch(desk, stand.switch)
coming.what_goes_when(desk)
elsewhere.at_third_parties(desk)
queues.queues(desk)
