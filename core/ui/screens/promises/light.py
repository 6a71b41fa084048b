"""The top of the page: one light, one sentence, what does not hold, and three figures to be proud of or not."""

from collections.abc import Sequence
from datetime import datetime

from core.language import N_, _, number
from core.models import PromiseState
from core.promises import Stand, headline_says
from core.ui import widgets
from core.ui.screens.promises import wording
from core.ui.widgets import Html, el
from core.usage.words import percent

SHOWN = 5
NOT_YET = N_("Nothing has been measured yet. The first round comes soon after the server has started.")
NOT_LATELY = N_("Nothing has been measured lately. Until it is, take nothing here for kept.")
LIGHTS = {"kept": "check", "broken": "alert", "unknown": "question"}


def light(stands: Sequence[Stand], now: datetime) -> Html:
    """One light, one sentence; below, which promises do not hold."""
    state, said = headline_says(stands, now)
    looks = wording.LOOKS[state]
    lamp = el("span", widgets.icon(LIGHTS[looks]), class_="ws-lamp")
    return el(
        "div",
        el("p", lamp, el("span", said.in_words(_)), class_=f"ws-light ws-{looks}"),
        _what_is_off(stands),
        class_="ws-stack",
    )


def _what_is_off(stands: Sequence[Stand]) -> Html | None:
    """What is broken first. Where nothing at all is known, one sentence says more than all of them."""
    off = [stand for stand in stands if stand.public_state is not PromiseState.KEPT]
    if off and not any(stand.public_state in (PromiseState.KEPT, PromiseState.BROKEN) for stand in stands):
        return el("p", _(NOT_LATELY if any(stand.checked_at for stand in stands) else NOT_YET))
    off.sort(key=lambda stand: stand.public_state is not PromiseState.BROKEN)
    more = _("And {more} more, below.", more=number(len(off) - SHOWN)) if len(off) > SHOWN else ""
    items = [*(_off(stand) for stand in off[:SHOWN]), *([el("li", el("span", more))] if more else [])]
    return el("ul", *items, class_="ws-off") if off else None


def _off(stand: Stand) -> Html:
    says = stand.said.partition(". ")[0].rstrip(".")
    link = el("a", says, href=f"#promise-{stand.promise.id}")
    return el("li", widgets.state_chip(*wording.chip(stand)), el("span", link, f" · {stand.figure_says.in_words(_)}"))


def figures(stands: Sequence[Stand]) -> Html:
    """As they were measured last."""
    known = {stand.promise.id: stand for stand in stands}
    share = wording.kept_share(stands)
    figure, unit = percent(share).split(" ") if share is not None else ("–", "")
    return widgets.figures(
        _overdue(known.get("erased_by_the_clock")),
        _canary(known.get("gone_means_gone")),
        widgets.key_figure(figure, _("of all checks in {days} days found them kept", days=wording.DAYS), unit=unit),
    )


def _overdue(stand: Stand | None) -> Html:
    late = stand.figure_says.values.get("late", 0) if stand and stand.state is not PromiseState.UNKNOWN else None
    if not isinstance(late, int):
        return widgets.key_figure("–", _("images past their clock"), state="unknown", change=_("Not known"))
    said, what = number(late), _("images past their clock")
    if late:
        return widgets.key_figure(said, what, state="broken", change=_("Overdue"))
    return widgets.key_figure(said, what, state="kept", change=_("As promised"))


def _canary(stand: Stand | None) -> Html:
    """From the end of its clock until storage had shown twice that it was gone."""
    after = stand.figure_says.value("after") if stand and stand.state is PromiseState.KEPT else ""
    if not after:
        return widgets.key_figure("–", _("for the last test picture to go"), state="unknown", change=_("Not known"))
    what = _("after its clock the last test picture was gone")
    return widgets.key_figure(after, what, state="kept", change=_("Proved twice"))
