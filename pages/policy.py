"""
The policy: the text that is in force, how each promise in it stands, what is announced, and every version before.

Its words are core/policy; this page only draws them. `?version=…` shows one version as it was kept.
"""

from datetime import datetime

import streamlit as st

from core import policy, promises
from core.language import _, current, n_
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
    version, time = drawn.short(here.version), minutes(document)
    if since is None:
        return _("In force, version {version}. {time} to read; lists fold out.", version=version, time=time)
    return _(
        "In force since {day}, version {version}. {time} to read; lists fold out.",
        day=drawn.day(since),
        version=version,
        time=time,
    )


def minutes(document: Document) -> str:
    return n_("{n} minute", "{n} minutes", max(1, round(document.seconds / 60)))


def above(stands: list[promises.Stand]) -> None:
    """One light, as on the page of promises, and ways to take the text along."""
    state, said = promises.headline_says(stands, now)
    how = el("a", _("See how"), href="/promises")
    widgets.show(
        widgets.note(el("span", said.in_words(_), " ", how), drawn.STATES[state][0]),
        widgets.row(widgets.print_button(_("Print")), el("a", _("For machines"), href="/.well-known/privacy.json")),
    )


here = policy.of(svc)
asked = next((version for version in versions if version.id == st.query_params.get("version")), None)
if asked:
    widgets.frame(_("Privacy"), _("Version {version}, as it was kept.", version=drawn.short(asked.id)), now=now)
    one(versions, asked, here.version, now)
else:
    text = here.document(current())
    stands = {stand.promise.id: stand for stand in promises.stands(svc, now)}
    widgets.frame(_("Privacy"), lead(text, policy.updated_at(versions, here.version, now)), now=now)
    above(list(stands.values()))
    announced(versions, here, now)
    widgets.show(drawn.contents(text.sections))
    for section in text.sections:
        st.header(section.title, anchor=section.id)
        widgets.show(drawn.section(section, stands))
        if section.id == "changes":
            older(versions, here.version, now)
