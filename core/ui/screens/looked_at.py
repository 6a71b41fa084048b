"""What became of a report, as its subject reads it: who may look at their images, who did, and what is blocked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import streamlit as st

from core import access
from core.abuse import GROUNDS, blocks, glass
from core.abuse.glass import Looked
from core.errors import WorkShotError
from core.language import N_, _
from core.models import GlassView
from core.services import Services
from core.ui import widgets

SWITCH = "may-be-looked-at"
_Stage = Literal["seen", "open", "over"]
_SAYS: Final[Mapping[tuple[_Stage, bool], str]] = {
    ("seen", True): N_(
        "An operator looked at 1 photo on {when}, because it was reported: “{ground}”. Another operator allowed it."
    ),
    ("seen", False): N_(
        "An operator looked at 1 headshot on {when}, because it was reported: “{ground}”. Another operator allowed it."
    ),
    ("open", True): N_(
        "An operator may look at 1 photo for ten minutes from {when}, because it was reported: “{ground}”. Another "
        "operator allowed it."
    ),
    ("open", False): N_(
        "An operator may look at 1 headshot for ten minutes from {when}, because it was reported: “{ground}”. Another "
        "operator allowed it."
    ),
    ("over", True): N_(
        "An operator was allowed on {when} to look at 1 photo, because it was reported: “{ground}”. Nobody did look."
    ),
    ("over", False): N_(
        "An operator was allowed on {when} to look at 1 headshot, because it was reported: “{ground}”. Nobody did look."
    ),
}
"""Whether it was seen, can be seen now or was not while it could be; and whether it is a photo of theirs."""


def is_blocked(svc: Services, me: str, now: datetime) -> bool:
    """Says so where it is so, before anything is chosen."""
    with svc.reading() as reading:
        subject = access.current_subject(reading, me)
        found = blocks.of_subject(reading, subject.id, now) if subject else None
    if found is not None:
        widgets.show(widgets.note(blocks.says(found, svc.settings), "due"))
    return found is not None


def looked_at(svc: Services, me: str, now: datetime) -> None:
    """Every look that was allowed, and the switch; nothing where there is neither."""
    with svc.reading() as reading:
        subject = access.current_subject(reading, me)
        looks = glass.of_subject(reading, subject.id) if subject else []
    if subject is None or not (looks or glass.may_choose(svc, subject)):
        return
    st.header(_("Who may look"), anchor="who-may-look")
    if looks:
        widgets.show(widgets.points([_says(one, now) for one in looks]))
    else:
        widgets.show(widgets.quiet(_("No operator has looked at an image of yours.")))
    if glass.may_choose(svc, subject):
        _switch(svc, me, subject.may_be_looked_at)


def _says(one: Looked, now: datetime) -> str:
    view = one.view
    at = view.first_seen_at or view.decided_at or view.asked_at
    when, ground = widgets.instant(at, now=now), _(GROUNDS[view.reason])
    return _(_SAYS[_stage(view, now), one.is_upload], when=when, ground=ground)


def _stage(view: GlassView, now: datetime) -> _Stage:
    if view.first_seen_at is not None:
        return "seen"
    return "open" if glass.is_open(view, now) else "over"


def _switch(svc: Services, me: str, may: bool) -> None:
    wanted = st.toggle(
        _("Operators may look at my images if they are reported"),
        value=may,
        key=f"{SWITCH}-{may}",  # another one once it is thrown: it shows what holds
        help=_("One asks, another one has to allow it, and for ten minutes one may look. You read of it here."),
    )
    if wanted == may:
        return
    try:
        (glass.permit if wanted else glass.forbid)(svc, me)
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "due"))
        return
    st.rerun()
