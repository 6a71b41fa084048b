"""Versions: what is announced, what there was before, and what changed from one to the next."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from core import policy
from core.policy import Policy, Version
from core.ui import widgets
from core.ui.screens.policy import drawn
from core.ui.widgets import Html, el

LISTED = 20


def announced(versions: Sequence[Version], here: Policy, now: datetime) -> None:
    """Above the text: what will promise less, from when, and in which sentences."""
    for version in policy.announced(versions, now):
        if version.hash == here.version:
            continue
        says = (
            f"From {drawn.day(version.effective_at)} on this policy may promise less. Photos that are here by then "
            "keep their clocks."
        )
        widgets.show(widgets.note(says, "due"), drawn.fold("What will change", _between(here.texts["en"], version)))


def older(versions: Sequence[Version], shown: str, now: datetime) -> None:
    """A line for each version, the newest first, with what changed."""
    listed = sorted(versions, key=lambda version: version.noted_at)
    if not listed:
        widgets.show(el("p", "This is the first version."))
        return
    pairs = list(pairwise([None, *listed]))[::-1]
    widgets.show(*(_listed(before, version, shown, now) for before, version in pairs[:LISTED] if version))


def one(versions: Sequence[Version], asked: Version, shown: str, now: datetime) -> None:
    """A version by itself: since when, what it changed, and all of its text."""
    listed = sorted(versions, key=lambda version: version.noted_at)
    before = next((a for a, b in pairwise(listed) if b.id == asked.id), None)
    widgets.show(el("p", _state(asked, shown, now)))
    if before:
        title = f"What it changed from version {drawn.short(before.id)}"
        widgets.show(drawn.fold(title, _between(before.text(), asked), opened=True))
    widgets.show(drawn.plain(asked.text()), el("p", el("a", "The policy in force", href="/policy")))


def _listed(before: Version | None, version: Version, shown: str, now: datetime) -> Html:
    name = el("a", f"Version {drawn.short(version.id)}", href=f"/policy?version={version.id}")
    changed = drawn.fold("What changed", _between(before.text(), version)) if before else el("p", "The first.")
    return el("div", el("p", name, " · ", _state(version, shown, now)), changed, class_="ws-version")


def _state(version: Version, shown: str, now: datetime) -> str:
    day = drawn.day(version.effective_at)
    if version.effective_at > now:
        return f"announced on {drawn.day(version.noted_at)}, in force from {day} on"
    return f"in force since {day}" if version.hash == shown else f"came into force on {day}"


def _between(before: str, version: Version) -> Html:
    return drawn.difference(before, version.text())
