"""
The guide: what to send, what happens to it, what it must not be used for, and what to ask any such tool.

Its words are core/ui/guide_text.py; this page only draws them.
"""

from collections.abc import Iterable

import streamlit as st

from core.language import _
from core.ui import guide_text as text
from core.ui import widgets
from core.ui.app import services
from core.ui.linked import linked as with_links
from core.ui.widgets import Html, el

svc = services()
fill = text.filler(svc)


def section(title: str, anchor: str) -> None:
    st.header(_(title), anchor=anchor)


def say(*sentences: str) -> None:
    widgets.show(*(el("p", fill(sentence)) for sentence in sentences))


def points(items: Iterable[str], *, title: str | None = None) -> None:
    """A plain list. Its words are ours alone, so Markdown may draw it."""
    if title:
        widgets.show(el("p", el("strong", _(title))))
    st.markdown("\n".join(f"- {_(item)}" for item in items))


def lead_to(words: tuple[str, str], page: str) -> None:
    """A sentence of which some words are a link."""
    sentence, link = words
    widgets.show(el("p", *with_links(_(sentence), link=el("a", _(link), href=page))))


def linked(contact: str) -> Html | str:
    """An address of mail or of a page as a link; anything else as it is written."""
    if contact.startswith(("https://", "http://")):
        return el("a", contact, href=contact)
    if "@" in contact and not set(contact) & set(" /:?&"):
        return el("a", contact, href=f"mailto:{contact}")
    return contact


widgets.frame(_("Guide"), _(text.LEAD), now=svc.clock())

section(text.PHOTO, "photo")
say(text.PHOTO_BEST)
points(text.PHOTO_AVOID, title=text.PHOTO_AVOID_TITLE)
say(text.PHOTO_WHOSE)

section(text.CHANGES, "changes")
say(text.CHANGES_ONLY)
points(text.LIMITS, title=text.LIMITS_TITLE)

section(text.DISCLOSURE, "disclosure")
widgets.show(widgets.note(el("strong", _(text.DISCLAIMER))))
say(text.DISCLAIMER_LOOK, text.DISCLOSE)
points(text.PROHIBITED, title=text.PROHIBITED_TITLE)
say(text.MARK)
with st.expander(_(text.MARK_TITLE), type="compact"):
    say(text.MARK_SAYS, *([text.MARK_SAYS_ELSEWHERE] if svc.providers else []))
    lead_to(text.MARK_CHECK, "/check_image")

section(text.QUESTIONS, "questions")
say(text.QUESTIONS_LEAD)
widgets.show(widgets.facts(fill.pairs(text.ANSWERS)))

if svc.providers:
    section(text.ELSEWHERE, "third-parties")
    say(text.ELSEWHERE_LEAD, text.ELSEWHERE_OURS)
for provider in svc.providers.values():
    if party := text.known(provider):
        with st.expander(_(text.LEFT_TITLE, title=party.title), type="compact"):
            widgets.show(widgets.facts(text.left(party, provider)))
        with st.expander(_(text.SAYS_TITLE, title=party.title), type="compact"):
            widgets.show(widgets.facts(text.says(party)))
            widgets.show(widgets.quiet(text.read_when(party)))
            widgets.show(widgets.row(linked(party.privacy.url), linked(party.terms.url), linked(party.contact)))
        with st.expander(_(text.UNKNOWN_TITLE, title=party.title), type="compact"):
            widgets.show(widgets.points([_(line) for line in party.unknown]))

section(text.CHECKLIST, "checklist")
points(text.CHECKS)
lead_to(text.MORE_IS_THERE, "/checklist")

section(text.COOKIES, "cookies")
say(text.COOKIES_LEAD)
with st.expander(_(text.COOKIES_TITLE), type="compact"):
    widgets.show(widgets.facts(fill.pairs(text.COOKIE_FACTS)))
    say(text.COOKIES_OFF)

section(text.COSTS, "costs")
widgets.show(widgets.facts(fill.pairs(text.COST_FACTS)))

section(text.CONTACT, "contact")
if svc.settings.privacy_contact:
    widgets.show(el("p", *with_links(_(text.CONTACT_NAMED), contact=linked(svc.settings.privacy_contact))))
    if "@" in svc.settings.privacy_contact:
        say(text.CONTACT_BY_MAIL)
else:
    say(text.CONTACT_UNNAMED)
say(text.CONTACT_NOT_NEEDED)
