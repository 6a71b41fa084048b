"""Versions: what is announced, what there was before, and what changed from one to the next."""

from collections.abc import Sequence
from datetime import datetime

from core import policy
from core.language import _
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
        says = _(
            "From {day} on this policy may promise less. Photos that are here by then keep their clocks.",
            day=drawn.day(version.effective_at),
        )
        changes = drawn.difference(here.texts, version.texts)
        widgets.show(widgets.note(says, "due"), drawn.fold(_("What will change"), changes))


def older(versions: Sequence[Version], shown: str, now: datetime) -> None:
    """A line for each version, the newest first, with what changed."""
    if not versions:
        widgets.show(el("p", _("This is the first version.")))
        return
    pairs = _pairs(versions)[::-1]
    widgets.show(*(_listed(before, version, shown, now) for before, version in pairs[:LISTED]))


def one(versions: Sequence[Version], asked: Version, shown: str, now: datetime) -> None:
    """A version by itself: since when, what it changed, and all of its text."""
    before = next((before for before, version in _pairs(versions) if version.id == asked.id), None)
    widgets.show(el("p", _state(asked, shown, now)))
    if before:
        title = _("What it changed from version {version}", version=drawn.short(before.id))
        widgets.show(drawn.fold(title, drawn.difference(before.texts, asked.texts), opened=True))
    widgets.show(drawn.of_texts(asked.texts), el("p", el("a", _("The policy in force"), href="/policy")))


def _pairs(versions: Sequence[Version]) -> list[tuple[Version | None, Version]]:
    """Each version with the one that it changes: what was withdrawn was changed by nobody."""
    before: Version | None = None
    found: list[tuple[Version | None, Version]] = []
    for version in sorted(versions, key=lambda version: version.noted_at):
        found.append((before, version))
        before = before if version.withdrawn_at else version
    return found


def _listed(before: Version | None, version: Version, shown: str, now: datetime) -> Html:
    name = _("Version {version}", version=drawn.short(version.id))
    link = el("a", name, href=f"/policy?version={version.id}")
    changed = el("p", _("The first."))
    if before:
        changed = drawn.fold(_("What changed"), drawn.difference(before.texts, version.texts))
    return el("div", el("p", link, " · ", _state(version, shown, now)), changed, class_="ws-version")


def _state(version: Version, shown: str, now: datetime) -> str:
    noted, day = drawn.day(version.noted_at), drawn.day(version.effective_at)
    if version.withdrawn_at:
        return _("announced on {noted}, withdrawn on {day}", noted=noted, day=drawn.day(version.withdrawn_at))
    if version.comes(now):
        return _("announced on {noted}, in force from {day} on", noted=noted, day=day)
    if version.hash == shown:
        return _("in force since {day}", day=day)
    return _("came into force on {day}", day=day)
