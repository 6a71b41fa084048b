"""Checklist: what to ask any AI photo tool, answered by this installation, and a form to ask another one the same."""

import streamlit as st

from core import promises
from core.language import _
from core.ui import checklist_text as text
from core.ui import guide_text as guide
from core.ui import widgets
from core.ui.app import services
from core.ui.screens.checklist.compare import compare
from core.ui.screens.checklist.listed import listed
from core.ui.widgets import el

svc = services()
now = svc.clock()
here = text.checklist(svc, promises.stands(svc, now))
fill = guide.filler(svc)

widgets.frame(_(text.TITLE), _(text.LEAD), now=now)

st.header(_(text.QUESTIONS), anchor="questions")
widgets.show(listed(here.questions))

st.header(_(text.POINTS), anchor="points")
widgets.show(listed(here.points))

st.header(_(text.FLAGS), anchor="flags")
widgets.show(el("p", _(text.FLAGS_LEAD)), listed(here.flags))

with st.expander(_(guide.STORAGE_TITLE), type="compact"):
    widgets.show(widgets.facts(fill.pairs(guide.STORAGE)))
with st.expander(_(guide.FACE_TITLE), type="compact"):
    widgets.show(widgets.facts(fill.pairs(guide.FACE)), el("p", fill(guide.FACE_HERE)))

st.header(_(text.BEFORE), anchor="before")
left, right = st.columns(2, gap="large")
with left:
    widgets.show(widgets.promised(list(map(_, guide.CHECKS))))
with right:
    widgets.show(el("p", el("strong", _(guide.PHOTO_AVOID_TITLE))), widgets.points(list(map(_, guide.PHOTO_AVOID))))
widgets.show(el("p", _(guide.PHOTO_WHOSE)), el("p", _(guide.DISCLOSE)))

st.header(_(text.COMPARE), anchor="compare")
widgets.show(el("p", _(text.COMPARE_LEAD)))
compare(here, now)
