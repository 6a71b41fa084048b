"""A person's runs as cards, for My photos."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.catalogue import catalogue
from core.generations import RunView
from core.language import N_, _, listed, n_
from core.models import Copy, CopyKind, ProviderCopy, RunState
from core.services import Services
from core.ui import widgets
from core.ui.screens import flow, makers
from core.ui.screens.ready import all_of, erase_button, keep_less, where

STATES: dict[RunState, tuple[widgets.State, str]] = {
    RunState.RECEIVING: ("counting", N_("Starting")),
    RunState.QUEUED: ("counting", N_("Waiting")),
    RunState.RUNNING: ("counting", N_("Being made")),
    RunState.READY: ("kept", N_("Ready")),
    RunState.FAILED: ("broken", N_("Did not work")),
    RunState.CANCELLED: ("unknown", N_("Stopped")),
}


def summary(svc: Services, held: Sequence[Copy], elsewhere: Sequence[ProviderCopy], now: datetime) -> widgets.Html:
    """Where bytes of this person lie, and until when: a line per clock. What lies elsewhere is not ours to erase."""
    clocks = Counter(copy.erase_by for copy in held)
    lines = [widgets.CopyLine(number=n, place=_("here"), until=until) for until, n in sorted(clocks.items())]
    still = [copy for copy in elsewhere if copy.gone_at is None]
    said = what_is_held(held)
    if still and held:
        said = n_("{held}, and {n} copy elsewhere", "{held}, and {n} copies elsewhere", len(still), held=said)
    elif still:
        said = n_("{n} copy elsewhere", "{n} copies elsewhere", len(still))
    return widgets.stack(widgets.el("strong", said), widgets.copy_list([*lines, *makers.lines(svc, still)], now=now))


def what_is_held(held: Sequence[Copy]) -> str:
    """ "1 photo and 4 headshots", and the ZIP of a copy of one's data, where there is one."""
    uploads = sum(copy.kind.is_upload for copy in held)
    packed = sum(copy.kind is CopyKind.EXPORT for copy in held)
    made = len(held) - uploads - packed
    parts = [
        n_("{n} photo", "{n} photos", uploads) if uploads else "",
        n_("{n} headshot", "{n} headshots", made) if made else "",
        n_("{n} ZIP of your data", "{n} ZIPs of your data", packed) if packed else "",
    ]
    return listed([part for part in parts if part])


def card(svc: Services, me: str, view: RunView, elsewhere: Sequence[ProviderCopy], now: datetime) -> None:
    with st.container(border=True, key=f"run-{view.run.id}"):
        widgets.show(_heading(view, now))
        if view.is_over(now):
            widgets.show(widgets.clock(view.run.erase_by, now=now, erased_at=view.erased_at, gone_at=view.gone_at))
        else:
            if view.headshots:
                widgets.show(_thumbs(view))
            widgets.show(widgets.clock(view.run.erase_by, now=now))
            if view.headshots:
                widgets.show(widgets.links([all_of(view)]))
        widgets.show(where(svc, view, elsewhere, now))
        with st.container(horizontal=True):
            label = _("Show proof") if view.is_over(now) else _("Open in the studio")
            if st.button(label, key=f"open-{view.run.id}"):
                flow.show_run(view.run.id)
        if not view.is_over(now):
            keep_less(svc, view, now)
            erase_button(svc, view, _("Erase now"), elsewhere)


def _heading(view: RunView, now: datetime) -> widgets.Html:
    purpose = _(catalogue().purpose(view.run.purpose).title)
    chip = widgets.state_chip(*_state(view, now))
    return widgets.row(widgets.el("strong", purpose), chip, widgets.quiet(view.run.number))


def _state(view: RunView, now: datetime) -> tuple[widgets.State, str]:
    if not view.is_over(now):
        state, word = STATES[view.run.state]
        return state, _(word)
    return ("kept", _("Erased")) if view.gone_at is not None else ("counting", _("Erasing"))


def _thumbs(view: RunView) -> widgets.Html:
    return widgets.row(*(
        widgets.photo(
            f"/img/{copy.id}?w=240", _("Headshot {number}", number=n), ratio=view.run.ratio, max_width=140, lazy=True
        )
        for n, copy in enumerate(view.headshots, 1)
    ))  # fmt: skip
