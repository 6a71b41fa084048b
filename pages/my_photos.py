"""My photos: everything of this person that is here, when it goes, the ways to make it go sooner, and to ask for it."""

from core import access, copies, generations, requests
from core.language import _
from core.provider import residue
from core.ui import pages, session, widgets
from core.ui.app import services
from core.ui.screens import runs
from core.ui.screens.agreed import what_you_agreed_to
from core.ui.screens.claim import ask_for_code, show_code
from core.ui.screens.counting import counting
from core.ui.screens.looked_at import is_blocked, looked_at
from core.ui.screens.my_requests import my_requests, under_way
from core.ui.screens.preferences import preferences
from core.ui.screens.your_data import your_data

svc, me = services(), session.current_session()
now = svc.clock()
with svc.reading() as reading:
    subject = access.current_subject(reading, me)
    views = generations.runs_of(reading, me, now)
    held = [copy for copy in copies.of_subject(reading, subject.id) if copy.gone_at is None] if subject else []
    elsewhere = residue.of_subject(reading, subject.id) if subject else []
    tickets = requests.of_subject(reading, me, now)

widgets.frame(_("My photos"), _("Everything of yours that is here, and when it goes."), now=now)
if not views:
    widgets.empty_state(_("There is nothing of yours here."), _("Add a photo in the studio"), pages.STUDIO)
else:
    is_blocked(svc, me, now)
    under_way(svc, me, tickets)
    if held or any(copy.gone_at is None for copy in elsewhere):
        widgets.show(runs.summary(svc, held, elsewhere, now))
    for view in views:
        runs.card(svc, me, view, [copy for copy in elsewhere if copy.generation_id == view.run.id], now)

    if subject is not None and held:
        show_code(svc, me, unasked=False)
    your_data(svc, me, [copy for copy in held if copy.erase_by > now], elsewhere, tickets)
    my_requests(svc, me, tickets)
    looked_at(svc, me, now)
    if subject is not None:
        what_you_agreed_to(svc, subject.id, now)
ask_for_code(svc, me)
preferences(svc)
counting(svc, me)
