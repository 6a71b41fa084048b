"""What became of a report, as its subject reads it: who may look at their images, who did, and what is blocked."""

from datetime import datetime

import streamlit as st

from core import access
from core.abuse import GROUNDS, blocks, glass
from core.abuse.glass import Looked
from core.errors import WorkShotError
from core.language import _
from core.services import Services
from core.ui import widgets

SWITCH = "may-be-looked-at"


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
    ground = _(GROUNDS[view.reason])
    if view.first_seen_at is None:
        when = widgets.instant(view.decided_at or view.asked_at, now=now)
        if view.until is not None and now < view.until:
            return _may_look(one, when, ground)
        return _could_have(one, when, ground)
    when = widgets.instant(view.first_seen_at, now=now)
    if one.is_upload:
        return _(
            "An operator looked at 1 photo on {when}, because it was reported: “{ground}”. Another operator allowed "
            "it.",
            when=when,
            ground=ground,
        )
    return _(
        "An operator looked at 1 headshot on {when}, because it was reported: “{ground}”. Another operator allowed it.",
        when=when,
        ground=ground,
    )


def _may_look(one: Looked, when: str, ground: str) -> str:
    """Now, and has not yet."""
    if one.is_upload:
        return _(
            "An operator may look at 1 photo for ten minutes from {when}, because it was reported: “{ground}”. "
            "Another operator allowed it.",
            when=when,
            ground=ground,
        )
    return _(
        "An operator may look at 1 headshot for ten minutes from {when}, because it was reported: “{ground}”. "
        "Another operator allowed it.",
        when=when,
        ground=ground,
    )


def _could_have(one: Looked, when: str, ground: str) -> str:
    """It was allowed, and is over."""
    if one.is_upload:
        return _(
            "An operator was allowed on {when} to look at 1 photo, because it was reported: “{ground}”. "
            "Nobody did look.",
            when=when,
            ground=ground,
        )
    return _(
        "An operator was allowed on {when} to look at 1 headshot, because it was reported: “{ground}”. "
        "Nobody did look.",
        when=when,
        ground=ground,
    )


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
