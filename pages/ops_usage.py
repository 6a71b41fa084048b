"""Usage, for founders: do people succeed, how fast, at what cost, and was every promise kept. Counts of nobody."""

from core.models import Role
from core.ui import app, operators, widgets
from core.ui.screens.usage.page import usage

who = operators.require(Role.FOUNDER)
svc = app.services()
now = svc.clock()

widgets.frame(
    "Usage", "Do people succeed, how fast, at what cost, and did we keep our word. Counts, of nobody.", now=now,
    wide=True,
)  # fmt: skip
operators.bar(who)
usage(svc, now)
