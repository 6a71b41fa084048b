"""How a run can end without results: failed, cancelled, erased. What happened, what it means, what to do now."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count

import streamlit as st

from core import generations
from core.errors import NotFound
from core.generations import RunView
from core.models import Copy, CopyKind, RunState
from core.services import Services
from core.ui import widgets
from core.ui.screens import flow
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


def failed(svc: Services, me: str, view: RunView, now: datetime) -> None:
    happened, do = FAILURES.get(view.run.failure or "", OTHERWISE)
    if view.run.state is RunState.CANCELLED:
        widgets.frame("Stopped", "You stopped this run before a headshot was finished. It does not count.", now=now)
    else:
        widgets.frame("That did not work", now=now)
        widgets.show(widgets.problem(happened, "This run does not count towards today's.", do))
    if view.portrait.may_be_read(now):
        widgets.show(widgets.quiet("Your photo is still here: ", widgets.clock(view.portrait.erase_by, now=now)))
    with st.container(horizontal=True):
        if st.button("Use another photo", type="primary"):
            flow.compose_new()
        if view.portrait.may_be_read(now) and st.button("Try again with this photo"):
            flow.compose_like(view)
    if view.portrait.may_be_read(now):
        erase_button(svc, view, "Erase now")


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
