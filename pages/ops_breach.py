"""Breaches, for founders: what would lie open now, and what is to be told to whom, by when. Counts, never a picture."""

from core import breaches
from core.models import Role
from core.ui import operators, widgets
from core.ui.screens.breach import desk as desks
from core.ui.screens.breach import lies, noting, one, past

desk = desks.Desk.of(operators.require(Role.FOUNDER))
with desk.svc.reading() as session:
    known = breaches.all_of_them(session)

widgets.frame(
    "Breaches", "What would lie open now; and of a breach, whom to tell by when. Counts, no picture.", now=desk.now,
    wide=True,
)  # fmt: skip
operators.bar(desk.who)
desks.what_came_of_it()
still = [breach for breach in known if breach.closed_at is None]
for breach in still:
    one.one(desk, breach)
lies.what_lies_here(desk)
noting.note_one(desk)
past.register(desk, [breach for breach in known if breach.closed_at is not None])
