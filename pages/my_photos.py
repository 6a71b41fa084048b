"""My photos: everything of this person that is here, when it goes, and the ways to make it go sooner."""

import streamlit as st

from core import access, copies, generations, retention
from core.ui import pages, session, widgets
from core.ui.app import services
from core.ui.screens import runs
from core.ui.screens.claim import ask_for_code, show_code

svc, me = services(), session.current_session()
now = svc.clock()
with svc.reading() as reading:
    subject = access.current_subject(reading, me)
    views = generations.runs_of(reading, me, now)
    held = [copy for copy in copies.of_subject(reading, subject.id) if copy.gone_at is None] if subject else []

widgets.frame("My photos", "Everything of yours that is here, and when it goes.", now=now)
if not views:
    widgets.empty_state("There is nothing of yours here.", "Add a photo in the studio", pages.STUDIO)
    ask_for_code(svc, me)
    st.stop()

if held:
    widgets.show(runs.summary(held, now))
for view in views:
    runs.card(svc, me, view, now)

if subject is not None and held:
    show_code(svc, me, unasked=False)
    with st.container(horizontal=True):
        if widgets.confirm(
            "Erase everything",
            title="Erase everything",
            sentence=f"This erases {runs.what_is_held(held)}, and stops what is being made.",
            button_label=f"Erase {runs.what_is_held(held)}",
            typed_word="ERASE",
            key="erase-everything",
        ):
            retention.erase_everything(svc, subject.id)
            st.rerun()
        if st.button("Close on this browser", help="Nothing is erased. Your claim code opens your photos again."):
            access.close(svc, me)
            st.session_state.clear()
            st.rerun()
ask_for_code(svc, me)
