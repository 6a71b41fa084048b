"""How a run can end without results: failed, cancelled, erased. What happened, what it means, what to do now."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count

import streamlit as st

from core import generations
from core.errors import NotFound
from core.generations import RunView
from core.models import Copy, CopyKind, ProviderCopy, RunState
from core.provider import residue
from core.services import Services
from core.ui import widgets
from core.ui.screens import flow, makers
from core.ui.screens.again import once_more
from core.ui.screens.ready import erase_button

POLL_SECONDS = 1.0
FAILURES = {
    "no_person": ("We could not find a person in this photo.", "Try one with head and shoulders well in the picture."),
    "person_too_small": ("The person is too small in this photo.", "Try one taken from nearer."),
    "upload_lost": ("The server restarted before your photo was safe.", "Please add it once more."),
    "object_damaged": ("The stored photo is damaged and does not open.", "Please add it once more."),
    "not_stored": ("Your photo could not be stored just now.", "Please try again in a moment."),
    "photo_erased": ("The photo was erased before the run was made.", "Add it once more if you still want headshots."),
    "expired": ("The time you chose was over before the run's turn came.", "Try again, perhaps with a longer time."),
    "gave_up": ("The engine stopped several times on this photo.", "Try another photo, or tell us about it."),
}
OTHERWISE = ("The engine could not use this photo.", "Please try another one.")
ELSEWHERE = {
    "unknown": (
        "We do not know whether {title} took it.",
        "Its answer got lost. If it did take it, the result lies there for a while, at an address that nobody has. We "
        "do not send it again unasked.",
        "Try again? That is a new run.",
    ),
    "provider_refused": (
        "{title} refused this photo or these words.",
        "It says so when it finds something that it does not make pictures of. Sometimes it is wrong.",
        "Change the note or the clothing picture, take another photo, or make it on this server.",
    ),
    "provider_failed": (
        "{title} could not make it.",
        "It took your photo and gave no picture.",
        "Trying again often helps.",
    ),
    "provider_away": (
        "{title} could not be reached.",
        "It did not answer, or had too much to do. If it made something all the same, that is listed below.",
        "Try again in some minutes, or make it on this server.",
    ),
    "provider_slow": (
        "{title} was not done in time, so we stopped waiting.",
        "It may still finish. What it makes is listed below and on My photos as soon as we know of it.",
        "Try again later, or make it on this server.",
    ),
    "provider_budget": (
        "What this server spends at {title} is used up for now.",
        "Your photo was not sent.",
        "Make it on this server, or try again tomorrow.",
    ),
    "result_refused": (
        "What {title} sent back was not a picture that we would hand on.",
        "We did not keep it. What lies there is listed below, with its end.",
        "Try again, or make it on this server.",
    ),
    "hand_over_failed": (
        "{title} could not get your photo from here.",
        "Nothing was made of it. If it has a copy all the same, that is listed below.",
        "Try again, or make it on this server.",
    ),
}
"""Runs that somebody else was to make: what happened, what it means, what to do."""
NOT_AS_IT_WAS = {"provider_refused", "provider_budget"}
"""Trying the very same again would end the same way."""
NOT_COUNTED = "This run does not count towards today's."


def failed(svc: Services, me: str, view: RunView, now: datetime) -> None:
    if view.run.state is not RunState.CANCELLED and view.run.failure in ELSEWHERE:
        _failed_elsewhere(svc, me, view, now)
        return
    happened, do = FAILURES.get(view.run.failure or "", OTHERWISE)
    if view.run.state is RunState.CANCELLED:
        widgets.frame("Stopped", "You stopped this run before a headshot was finished. It does not count.", now=now)
    else:
        widgets.frame("That did not work", now=now)
        widgets.show(widgets.problem(happened, NOT_COUNTED, do))
    _what_there_is(svc, view, now)
    with st.container(horizontal=True):
        if st.button("Use another photo", type="primary"):
            flow.compose_new()
        if view.portrait.may_be_read(now) and st.button("Try again with this photo"):
            flow.compose_like(view)
    if view.portrait.may_be_read(now):
        erase_button(svc, view, "Erase now", _of(svc, view))


def _failed_elsewhere(svc: Services, me: str, view: RunView, now: datetime) -> None:
    """The photo is still here: it can be tried again, or made here. Each is for the person to press."""
    title = makers.title_of(svc, view.run.engine)
    happened, means, do = (text.format(title=title) for text in ELSEWHERE[view.run.failure or ""])
    widgets.frame("We do not know" if view.run.failure == "unknown" else "That did not work", now=now)
    widgets.show(widgets.problem(happened, f"{means} {NOT_COUNTED}", do))
    _what_there_is(svc, view, now)
    offered = makers.makers(svc, now)
    maker = next((each for each in offered if each.name == view.run.engine), None)
    instead = next((each for each in offered if each.provider is None), None)
    here = view.portrait.may_be_read(now)
    if here and maker is not None and maker.closed:
        widgets.show(widgets.note(maker.closed, "due"))
    with st.container(horizontal=True):
        if here and maker is not None and not maker.closed:
            if view.run.failure not in NOT_AS_IT_WAS:
                once_more(svc, me, view, f"Try again with {title}", type_="primary")
            elif st.button("Change something and try again", type="primary"):
                makers.choose(maker.name)
                flow.compose_like(view)
        if here and instead is not None and st.button("Make it on this server instead"):
            makers.choose(instead.name)
            flow.compose_like(view)
        if st.button("Use another photo"):
            flow.compose_new()
    if here:
        erase_button(svc, view, "Erase now", _of(svc, view))


def _what_there_is(svc: Services, view: RunView, now: datetime) -> None:
    """The photo here, and copies that lie elsewhere."""
    if view.portrait.may_be_read(now):
        widgets.show(widgets.quiet("Your photo is still here: ", widgets.clock(view.portrait.erase_by, now=now)))
    _elsewhere(svc, view, now)


def _of(svc: Services, view: RunView) -> Sequence[ProviderCopy]:
    with svc.reading() as reading:
        return residue.of_run(reading, view.run.id)


def _elsewhere(svc: Services, view: RunView, now: datetime) -> None:
    if found := _of(svc, view):
        widgets.show(
            widgets.copy_list(makers.lines(svc, found), now=now),
            widgets.quiet("Not ours to erase: they end by themselves, and we look until they are gone."),
        )


def erased(svc: Services, me: str, view: RunView, now: datetime) -> None:
    """A screen of its own, also after a refresh: what was erased, and what proved it."""
    trail = _trail(svc, me, view.run.id)
    if trail is not None and not trail.is_proved:
        said = "Nothing of this run can be opened any more. Storage is being asked for proof."
        widgets.frame("Erasing", said, now=now)
        _follow(svc, me, view.run.id)
    else:
        widgets.frame("Erased", "Nothing of this run is here any more, and storage has shown it.", now=now)
        if trail is not None:
            widgets.show(_proof(trail, now))
    _elsewhere(svc, view, now)
    if st.button("Use another photo", type="primary"):
        flow.compose_new()


@st.fragment(run_every=POLL_SECONDS)
def _follow(svc: Services, me: str, run_id: str) -> None:
    trail = _trail(svc, me, run_id)
    if trail is None or trail.is_proved:
        st.rerun()
    widgets.show(_proof(trail, svc.clock()))


def _trail(svc: Services, me: str, run_id: str) -> generations.Trail | None:
    try:
        with svc.reading() as reading:
            return generations.trail(reading, me, run_id)
    except NotFound:
        return None


def _proof(trail: generations.Trail, now: datetime) -> widgets.Html:
    """One line per copy: when it was erased, when storage said that it is gone, and how."""
    lines = []
    for name, copy in _named(trail.erased):
        if copy.gone_at is not None:
            proof = "Storage was asked for the object: not there. Storage was asked for a listing: not in it."
            lines.append(widgets.Event(at=copy.gone_at, what=f"{name} erased ✓ proved", proof=proof, state="kept"))
        else:
            said = copy.probe_answer or "waiting for its turn"
            at = copy.erased_at or min(now, copy.erase_by)
            lines.append(widgets.Event(at=at, what=f"{name}: not proved yet ({said})", state="counting"))
    for copy in trail.kept:
        lines.append(widgets.Event(at=now, what=f"{copy.kind.label}: another run of yours still uses it", state="info"))
    return widgets.timeline(lines, now=now)


def _named(held: Sequence[Copy]) -> list[tuple[str, Copy]]:
    """Headshots have a number, as on the results; there is one of everything else."""
    number = count(1)
    return [(f"Headshot {next(number)}" if copy.kind is CopyKind.HEADSHOT else copy.kind.label, copy) for copy in held]
