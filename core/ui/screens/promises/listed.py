"""Each promise: its sentence, how it stands, and folded below how we know and what its reader may do."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.models import PromiseState
from core.promises import GROUPS, Stand
from core.ui import widgets
from core.ui.screens.promises import wording
from core.ui.widgets import Html, el


def listed(stands: Sequence[Stand], now: datetime) -> None:
    """All of them, by group."""
    for group in GROUPS:
        these = [stand for stand in stands if stand.promise.group == group]
        st.header(wording.GROUPS[group], anchor=group.replace(" ", "-"))
        widgets.show(el("ul", *(_promise(stand, now) for stand in these), class_="ws-promises"))


def _promise(stand: Stand, now: datetime) -> Html:
    return el(
        "li",
        el(
            "div",
            el("p", stand.sentence, class_="ws-promise-says"),
            widgets.state_chip(*wording.chip(stand)),
            class_="ws-promise-head",
        ),
        el("p", stand.figure, *_checked(stand, now), class_="ws-quiet"),
        el(
            "details",
            el("summary", "How we know", el("span", f": {stand.promise.id.replace('_', ' ')}", class_="ws-unseen")),
            _how(stand, now),
        ),
        id=f"promise-{stand.promise.id}",
    )


def _checked(stand: Stand, now: datetime) -> tuple[Html | str, ...]:
    return () if stand.checked_at is None else (" · checked ", widgets.ago(stand.checked_at, now=now))


def _how(stand: Stand, now: datetime) -> Html:
    promise = stand.promise
    return widgets.facts(
        [
            ("How it is measured", promise.measured),
            ("What was found", stand.evidence),
            (f"The last {wording.DAYS} days", _history(stand, now)),
            *_since(stand, now),
            ("What enforces it", widgets.join((el("code", name) for name in promise.enforced_by), between=", ")),
            ("What you may do", promise.reader_may),
        ]
    )


def _since(stand: Stand, now: datetime) -> list[tuple[str, Html | str]]:
    if stand.since is None:
        return []
    when = widgets.instant(stand.since, now=now)
    match stand.state, stand.public_state:
        case PromiseState.BROKEN, PromiseState.BROKEN:
            owner = wording.OWNERS[stand.promise.owner]
            return [("Broken since", f"{when}. It is for {owner} to mend, and they have been told.")]
        case PromiseState.BROKEN, _:
            owner, grace = wording.OWNERS[stand.promise.owner], widgets.length(stand.promise.grace)
            return [
                ("Off since", f"{when}. After {grace} it is called broken here; until then {owner} look at the cause.")
            ]
        case PromiseState.KEPT, _:
            return [("Kept since", when)]
        case _:
            return [("Not known since", when)]


def _history(stand: Stand, now: datetime) -> Html:
    said = wording.history(stand)
    bars = (
        el("i", class_=f"ws-day-{bar.rest}", style=f"--kept:{bar.kept:.0f}%") for bar in wording.bars(stand.days, now)
    )
    return el("div", el("div", *bars, class_="ws-days", role="img", aria_label=said), el("p", said))
