"""How a run can end without results: failed, cancelled, erased. What happened, what it means, what to do now."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import count

import streamlit as st

from core import generations
from core.errors import NotFound
from core.generations import RunView
from core.language import N_, _
from core.models import Copy, CopyKind, ProviderCopy, RunState
from core.provider import residue
from core.services import Services
from core.ui import widgets
from core.ui.screens import flow, makers
from core.ui.screens.again import once_more
from core.ui.screens.ready import erase_button

POLL_SECONDS = 1.0
FAILURES = {
    "no_person": (
        N_("We could not find a person in this photo."),
        N_("Try one with head and shoulders well in the picture."),
    ),
    "person_too_small": (N_("The person is too small in this photo."), N_("Try one taken from nearer.")),
    "upload_lost": (N_("The server restarted before your photo was safe."), N_("Please add it once more.")),
    "object_damaged": (N_("The stored photo is damaged and does not open."), N_("Please add it once more.")),
    "not_stored": (N_("Your photo could not be stored just now."), N_("Please try again in a moment.")),
    "photo_erased": (
        N_("The photo was erased before the run was made."),
        N_("Add it once more if you still want headshots."),
    ),
    "expired": (
        N_("The time you chose was over before the run's turn came."),
        N_("Try again, perhaps with a longer time."),
    ),
    "gave_up": (N_("The engine stopped several times on this photo."), N_("Try another photo, or tell us about it.")),
}
OTHERWISE = (N_("The engine could not use this photo."), N_("Please try another one."))
ELSEWHERE = {
    "unknown": (
        N_("We do not know whether {title} took it."),
        N_(
            "Its answer got lost. If it did take it, the result lies there for a while, at an address that nobody has. "
            "We do not send it again unasked."
        ),
        N_("Try again? That is a new run."),
    ),
    "provider_refused": (
        N_("{title} refused this photo or these words."),
        N_("It says so when it finds something that it does not make pictures of. Sometimes it is wrong."),
        N_("Change the note or the clothing picture, take another photo, or make it on this server."),
    ),
    "provider_failed": (
        N_("{title} could not make it."),
        N_("It took your photo and gave no picture."),
        N_("Trying again often helps."),
    ),
    "provider_away": (
        N_("{title} could not be reached."),
        N_("It did not answer, or had too much to do. If it made something all the same, that is listed below."),
        N_("Try again in some minutes, or make it on this server."),
    ),
    "provider_slow": (
        N_("{title} was not done in time, so we stopped waiting."),
        N_("It may still finish. What it makes is listed below and on My photos as soon as we know of it."),
        N_("Try again later, or make it on this server."),
    ),
    "provider_budget": (
        N_("What this server spends at {title} is used up for now."),
        N_("Your photo was not sent."),
        N_("Make it on this server, or try again tomorrow."),
    ),
    "result_refused": (
        N_("What {title} sent back was not a picture that we would hand on."),
        N_("We did not keep it. What lies there is listed below, with its end."),
        N_("Try again, or make it on this server."),
    ),
    "hand_over_failed": (
        N_("{title} could not get your photo from here."),
        N_("Nothing was made of it. If it has a copy all the same, that is listed below."),
        N_("Try again, or make it on this server."),
    ),
}
"""Runs that somebody else was to make: what happened, what it means, what to do."""
NOT_AS_IT_WAS = {"provider_refused", "provider_budget"}
"""Trying the very same again would end the same way."""
DOUBT = re.compile(r"head says (\w+), listing says (\w+)")
SHOWN = {"present": N_("present"), "absent": N_("absent"), "unknown": N_("unknown")}
"""What storage answers that still has something (core/proof.py), or may have it."""
NOT_COUNTED = N_("This run does not count towards today's.")


def failed(svc: Services, me: str, view: RunView, now: datetime) -> None:
    if view.run.state is not RunState.CANCELLED and view.run.failure in ELSEWHERE:
        _failed_elsewhere(svc, me, view, now)
        return
    happened, do = FAILURES.get(view.run.failure or "", OTHERWISE)
    if view.run.state is RunState.CANCELLED:
        stopped = _("You stopped this run before a headshot was finished. It does not count.")
        widgets.frame(_("Stopped"), stopped, now=now)
    else:
        widgets.frame(_("That did not work"), now=now)
        widgets.show(widgets.problem(_(happened), _(NOT_COUNTED), _(do)))
    _what_there_is(svc, view, now)
    with st.container(horizontal=True):
        if st.button(_("Use another photo"), type="primary"):
            flow.compose_new()
        if view.portrait.may_be_read(now) and st.button(_("Try again with this photo")):
            flow.compose_like(view)
    if view.portrait.may_be_read(now):
        erase_button(svc, view, _("Erase now"), _of(svc, view))


def _failed_elsewhere(svc: Services, me: str, view: RunView, now: datetime) -> None:
    """The photo is still here: it can be tried again, or made here. Each is for the person to press."""
    title = makers.title_of(svc, view.run.engine)
    happened, means, do = (_(text, title=title) for text in ELSEWHERE[view.run.failure or ""])
    widgets.frame(_("We do not know") if view.run.failure == "unknown" else _("That did not work"), now=now)
    widgets.show(widgets.problem(happened, f"{means} {_(NOT_COUNTED)}", do))
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
                once_more(svc, me, view, _("Try again with {title}", title=title), type_="primary")
            elif st.button(_("Change something and try again"), type="primary"):
                makers.choose(maker.name)
                flow.compose_like(view)
        if here and instead is not None and st.button(_("Make it on this server instead")):
            makers.choose(instead.name)
            flow.compose_like(view)
        if st.button(_("Use another photo")):
            flow.compose_new()
    if here:
        erase_button(svc, view, _("Erase now"), _of(svc, view))


def _what_there_is(svc: Services, view: RunView, now: datetime) -> None:
    """The photo here, and copies that lie elsewhere."""
    if view.portrait.may_be_read(now):
        widgets.show(widgets.quiet(_("Your photo is still here:"), " ", widgets.clock(view.portrait.erase_by, now=now)))
    _elsewhere(svc, view, now)


def _of(svc: Services, view: RunView) -> Sequence[ProviderCopy]:
    with svc.reading() as reading:
        return residue.of_run(reading, view.run.id)


def _elsewhere(svc: Services, view: RunView, now: datetime) -> None:
    if found := _of(svc, view):
        widgets.show(
            widgets.copy_list(makers.lines(svc, found), now=now),
            widgets.quiet(_("Not ours to erase: they end by themselves, and we look until they are gone.")),
        )


def erased(svc: Services, me: str, view: RunView, now: datetime) -> None:
    """A screen of its own, also after a refresh: what was erased, and what proved it."""
    trail = _trail(svc, me, view.run.id)
    if trail is not None and not trail.is_proved:
        said = _("Nothing of this run can be opened any more. Storage is being asked for proof.")
        widgets.frame(_("Erasing"), said, now=now)
        _follow(svc, me, view.run.id)
    else:
        said = _("Nothing of this run is here any more, and storage has shown it.")
        widgets.frame(_("Erased"), said, now=now)
        if trail is not None:
            widgets.show(_proof(trail, now))
    _elsewhere(svc, view, now)
    if st.button(_("Use another photo"), type="primary"):
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
            proof = _("Storage was asked for the object: not there. Storage was asked for a listing: not in it.")
            proved = _("{name} erased ✓ proved", name=name)
            lines.append(widgets.Event(at=copy.gone_at, what=proved, proof=proof, state="kept"))
        else:
            said = _answered(copy.probe_answer) if copy.probe_answer else _("waiting for its turn")
            at = copy.erased_at or min(now, copy.erase_by)
            lines.append(
                widgets.Event(at=at, what=_("{name}: not proved yet ({said})", name=name, said=said), state="counting")
            )
    for copy in trail.kept:
        used = _("{name}: another run of yours still uses it", name=_(copy.kind.label))
        lines.append(widgets.Event(at=now, what=used, state="info"))
    return widgets.timeline(lines, now=now)


def _named(held: Sequence[Copy]) -> list[tuple[str, Copy]]:
    """Headshots have a number, as on the results; there is one of everything else."""
    number = count(1)
    return [
        (_("Headshot {number}", number=next(number)) if copy.kind is CopyKind.HEADSHOT else _(copy.kind.label), copy)
        for copy in held
    ]


def _answered(answer: str) -> str:
    """What storage answered, as it was noted."""
    if doubt := DOUBT.fullmatch(answer):
        head, listing = (_(SHOWN.get(word, word)) for word in doubt.groups())
        return _("head says {head}, listing says {listing}", head=head, listing=listing)
    return _(answer)
