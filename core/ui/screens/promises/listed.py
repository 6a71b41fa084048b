"""Each promise: its sentence, how it stands, and folded below how we know and what its reader may do."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.language import _
from core.models import PromiseState
from core.promises import GROUPS, Stand
from core.promises.shapes import Owner
from core.ui import widgets
from core.ui.screens.promises import wording
from core.ui.widgets import Html, el


def listed(stands: Sequence[Stand], now: datetime) -> None:
    """All of them, by group."""
    for group in GROUPS:
        these = [stand for stand in stands if stand.promise.group == group]
        st.header(_(wording.GROUPS[group]), anchor=group.replace(" ", "-"))
        widgets.show(el("ul", *(_promise(stand, now) for stand in these), class_="ws-promises"))


def _promise(stand: Stand, now: datetime) -> Html:
    return el(
        "li",
        el(
            "div",
            el("p", stand.said, class_="ws-promise-says"),
            widgets.state_chip(*wording.chip(stand)),
            class_="ws-promise-head",
        ),
        el("p", stand.figure_says.in_words(_), *_checked(stand, now), class_="ws-quiet"),
        el(
            "details",
            el("summary", _("How we know"), el("span", f": {_(stand.promise.called)}", class_="ws-unseen")),
            _how(stand, now),
        ),
        id=f"promise-{stand.promise.id}",
    )


def _checked(stand: Stand, now: datetime) -> tuple[Html | str, ...]:
    if stand.checked_at is None:
        return ()
    before, _there, after = _(" · checked {ago}").partition("{ago}")
    return before, widgets.ago(stand.checked_at, now=now), after


def _how(stand: Stand, now: datetime) -> Html:
    promise = stand.promise
    return widgets.facts(
        [
            (_("How it is measured"), _(promise.measured)),
            (_("What was found"), stand.evidence_says.in_words(_)),
            (_("The last {days} days", days=wording.DAYS), _history(stand, now)),
            *_since(stand, now),
            (_("What enforces it"), widgets.join((el("code", name) for name in promise.enforced_by), between=", ")),
            (_("What you may do"), _(promise.reader_may)),
        ]
    )


def _since(stand: Stand, now: datetime) -> list[tuple[str, Html | str]]:
    if stand.since is None:
        return []
    when = widgets.instant(stand.since, now=now)
    match stand.state, stand.public_state:
        case PromiseState.BROKEN, PromiseState.BROKEN:
            return [(_("Broken since"), _whose_to_mend(stand.promise.owner, when))]
        case PromiseState.BROKEN, _:
            return [(_("Off since"), _who_looks(stand.promise.owner, when, widgets.length(stand.promise.grace)))]
        case PromiseState.KEPT, _:
            return [(_("Kept since"), when)]
        case _:
            return [(_("Not known since"), when)]


def _whose_to_mend(owner: Owner, when: str) -> str:
    if owner == "founder":
        return _("{when}. It is for the founders to mend, and they have been told.", when=when)
    return _("{when}. It is for support to mend, and they have been told.", when=when)


def _who_looks(owner: Owner, when: str, grace: str) -> str:
    fill = {"when": when, "grace": grace}
    if owner == "founder":
        return _("{when}. After {grace} it is called broken here; until then the founders look at the cause.", **fill)
    return _("{when}. After {grace} it is called broken here; until then support look at the cause.", **fill)


def _history(stand: Stand, now: datetime) -> Html:
    said = wording.history(stand)
    bars = (
        el("i", class_=f"ws-day-{bar.rest}", style=f"--kept:{bar.kept:.0f}%") for bar in wording.bars(stand.days, now)
    )
    return el("div", el("div", *bars, class_="ws-days", role="img", aria_label=said), el("p", said))
