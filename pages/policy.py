"""
The policy: the text that is in force, how each promise in it stands, what is announced, and every version before.

Its words are core/policy; this page only draws them. `?version=…` shows one version as it was kept.
"""

from datetime import datetime

import streamlit as st

from core import policy, promises
from core.policy import Document
from core.ui import widgets
from core.ui.app import services
from core.ui.screens.policy import drawn
from core.ui.screens.policy.versions import announced, older, one
from core.ui.widgets import el

svc = services()
now = svc.clock()
with svc.reading() as reading:
    versions = policy.history(reading)


def lead(document: Document, since: datetime | None) -> str:
    when = f"In force since {drawn.day(since)}" if since else "In force"
    return f"{when}, version {drawn.short(here.version)}. {minutes(document)} to read; lists fold out."


def minutes(document: Document) -> str:
    return widgets.count(max(1, round(document.seconds / 60)), "minute")


def above(stands: list[promises.Stand]) -> None:
    """One light, as on the page of promises, and ways to take the text along."""
    state, says = promises.headline(stands, now)
    widgets.show(
        widgets.note(el("span", says, " ", el("a", "See how", href="/promises")), drawn.STATES[state][0]),
        widgets.row(widgets.print_button("Print"), el("a", "For machines", href="/.well-known/privacy.json")),
    )


here = policy.of(svc)
asked = next((version for version in versions if version.id == st.query_params.get("version")), None)
if asked:
    widgets.frame("Privacy", f"Version {drawn.short(asked.id)}, as it was kept.", now=now)
    one(versions, asked, here.version, now)
else:
    text = here.document()
    stands = {stand.promise.id: stand for stand in promises.stands(svc, now)}
    widgets.frame("Privacy", lead(text, policy.updated_at(versions, here.version, now)), now=now)
    above(list(stands.values()))
    announced(versions, here, now)
    widgets.show(drawn.contents(text.sections))
    for section in text.sections:
        st.header(section.title, anchor=section.id)
        widgets.show(drawn.section(section, stands))
        if section.id == "changes":
            older(versions, here.version, now)
