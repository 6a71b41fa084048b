"""At third parties: what lies there until when, what should have ended and has not, and how they keep their word."""

import streamlit as st

from core.models import ProviderCopy, ProviderCopyKind
from core.provider import residue
from core.provider.residue import Residue
from core.ui import widgets
from core.ui.screens.retention.desk import Desk
from core.usage.words import percent

SHOWN = 5
KIND_SAYS = {ProviderCopyKind.UPLOAD: "uploaded photo", ProviderCopyKind.RESULT: "headshot made there"}


def at_third_parties(desk: Desk) -> None:
    """Nothing at all where no third party has ever been chosen."""
    with desk.svc.reading() as session:
        stand = residue.figures(session, desk.now, demo=True)
        coming = residue.next_ends(session, desk.now, limit=SHOWN)
        incidents = residue.incidents(session, limit=SHOWN)
        not_asked = residue.not_asked(session, desk.svc.providers)
    if stand.is_empty:
        return
    st.subheader("At third parties", anchor=False)
    widgets.show(_figures(stand))
    if not_asked:
        widgets.show(_nobody_asks(not_asked))
    widgets.show(*(widgets.note(_incident(desk, copy), "broken") for copy in incidents))
    if stand.overdue > len(incidents):
        widgets.show(widgets.quiet(f"And {stand.overdue - len(incidents):,} more."))
    if coming:
        widgets.show(
            widgets.facts([(_name(desk, copy), f"ends there {desk.said(copy.expires_at)}") for copy in coming]),
            widgets.quiet(_rest(desk, stand, len(coming))),
        )


def _figures(stand: Residue) -> widgets.Html:
    share = stand.kept_share
    settled = f"of {stand.gone + stand.overdue:,} that have ended" if share is not None else "none has ended yet"
    return widgets.figures(
        widgets.key_figure(f"{stand.running:,}", "lie there", change="within their time", state="counting"),
        widgets.key_figure(
            f"{stand.overdue:,}",
            "open after their end",
            change="looked at again and again" if stand.overdue else "none",
            state="broken" if stand.overdue else "kept",
        ),
        widgets.key_figure(
            f"{stand.unproved:,}",
            "ended, not proved",
            change="asked again" if stand.unproved else "all proved",
            state="unknown" if stand.unproved else "kept",
        ),
        widgets.key_figure(f"{stand.gone:,}", "proved gone", change="refused twice", state="kept"),
        widgets.key_figure(
            "–" if share is None else percent(share).split(" ")[0],
            "ended when they said",
            unit="" if share is None else "%",
            change=settled,
            state="unknown" if share is None else "kept" if share == 100 else "broken",
        ),
    )


def _nobody_asks(number: int) -> widgets.Html:
    copies = widgets.count(number, "copy lies", "copies lie")
    says = f"{copies} at somebody who is no longer set up: nobody can look whether they are gone. Set the key again."
    return widgets.note(says, "unknown")


def _incident(desk: Desk, copy: ProviderCopy) -> str:
    seen = f"last seen open {desk.said(copy.answered_at)}" if copy.refused_at is None else "refused once since"
    late = widgets.length(desk.now - copy.expires_at)
    return (
        f"{_name(desk, copy)}: should have ended {desk.said(copy.expires_at)}, {late} ago; {seen}, asked again "
        f"{desk.said(copy.probe_at)}."
    )


def _name(desk: Desk, copy: ProviderCopy) -> str:
    return f"{residue.title_of(desk.svc, copy.provider)}, {KIND_SAYS[copy.kind]}"


def _rest(desk: Desk, stand: Residue, shown: int) -> str:
    more = (
        f"{stand.running - shown:,} more, the last until {desk.said(stand.last_end)}. " if stand.running > shown else ""
    )
    return f"{more}Not ours to erase: each is asked for when its time is over, until it was refused twice."
