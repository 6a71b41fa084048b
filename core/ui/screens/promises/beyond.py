"""What goes beyond our word: who else holds something and until when, and what anybody can check without us."""

from datetime import datetime

import streamlit as st

from core import audit
from core.language import N_, _, n_, number
from core.ports import Provider
from core.provider import residue
from core.provider.residue import Residue
from core.services import Services
from core.third_parties import ThirdParty
from core.ui import guide_text, pages, widgets
from core.ui.widgets import Html, el
from core.usage.words import percent

HERE = N_("On this machine, sealed. Nobody else stores anything.")
SEALED_ELSEWHERE = N_(
    "In an object storage that belongs to somebody else, sealed under keys that stay here: who runs it sees random "
    "names, sizes and times."
)
MORE_OF_THEM = N_("What they say of themselves, and what nobody knows")
HEAD_FOR = N_(
    "Every deed here stands in a log in which each entry’s hash covers the one before. Write this number and hash "
    "down: if we ever show a log in which that entry has another hash, it was changed. Receipts name it too."
)


def third_parties(svc: Services, now: datetime) -> None:
    """Each with what lies there for how long, and how they keep their word."""
    st.header(_("Third parties"), anchor="third-parties")
    stored = SEALED_ELSEWHERE if svc.settings.uses_s3 else HERE
    makes = [] if svc.providers else [(_("Make headshots"), _(guide_text.NO_THIRD_PARTY))]
    widgets.show(widgets.facts([(_("Store images"), _(stored)), *makes]))
    for provider in svc.providers.values():
        if party := guide_text.known(provider):
            widgets.show(_party(party, provider))
    with svc.reading() as session:
        stand = residue.figures(session, now)
    if not stand.is_empty:
        widgets.show(*_word(stand))
    if svc.providers:
        widgets.show(el("p", el("a", _(MORE_OF_THEM), href="/guide#third-parties")))


def _party(party: ThirdParty, provider: Provider) -> Html:
    left = [(_(copy.what), copy.how_long) for copy in party.left_by(provider.hand_over)]
    only = widgets.quiet(_("only where you choose it, run by run"))
    return widgets.card(
        el("div", el("h3", party.title), only, class_="ws-card-head"),
        el("p", _(party.does)),
        widgets.facts([(what, f"{how_long[:1].upper()}{how_long[1:]}") for what, how_long in left]),
    )


def _word(stand: Residue) -> list[Html]:
    """How third parties keep theirs, as far as we have seen."""
    share = stand.kept_share
    told = [widgets.quiet(stand.says)]
    if share is not None:
        in_time = _("What ended there in time: {share} of what has ended so far.", share=percent(share))
        told.append(widgets.quiet(in_time))
    if stand.overdue:
        told.insert(0, widgets.note(_still_open(stand.overdue), "broken"))
    return told


def _still_open(copies: int) -> str:
    return n_(
        "{n} copy should have ended there and can still be opened. We go on looking.",
        "{n} copies should have ended there and can still be opened. We go on looking.",
        copies,
    )


def without_us(svc: Services) -> None:
    """Receipts, marks, and the head of the log."""
    with svc.reading() as session:
        head = audit.head_of(session)
    st.header(_("Check it without trusting us"), anchor="check")
    with st.container(key="ws-check"):
        st.page_link(pages.CHECK_RECEIPT, label=_("Check a receipt"))
        widgets.show(widgets.quiet(_("That what you asked us to erase was erased, and shown to be gone: signed.")))
        st.page_link(pages.CHECK_IMAGE, label=_("Check an image"))
        made = _("Whether a picture says that it was made here, and whether its AI mark is intact.")
        widgets.show(widgets.quiet(made))
    widgets.show(
        el("p", el("strong", _("The end of the audit log"))),
        el("p", _(HEAD_FOR)),
        widgets.facts([(_("Entry"), number(head.seq)), (_("Its hash"), el("code", head.hash))]),
    )
