"""Usage, for founders: what making headshots costs, and what is left. Sums, and nothing of anyone."""

from core.models import Role
from core.ui import app, operators, widgets
from core.ui.screens.usage import money

who = operators.require(Role.FOUNDER)
svc = app.services()
now = svc.clock()

widgets.frame(
    "Usage", "What making headshots costs, and what is left. Sums only, nothing of anyone.", now=now, wide=True
)
operators.bar(who)
money.money(svc, now)
