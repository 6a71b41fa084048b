"""The top of the page: one light, one sentence, what does not hold, and three figures to be proud of or not."""

from collections.abc import Sequence
from datetime import datetime

from core.models import PromiseState
from core.promises import Stand, headline
from core.ui import widgets
from core.ui.screens.promises import wording
from core.ui.widgets import Html, el

SHOWN = 5
NOT_YET = "Nothing has been measured yet. The first round comes soon after the server has started."
NOT_LATELY = "Nothing has been measured lately. Until it is, take nothing here for kept."
LIGHTS = {"kept": "check", "broken": "alert", "unknown": "question"}


def light(stands: Sequence[Stand], now: datetime) -> Html:
    """One light, one sentence; below, which promises do not hold."""
    state, said = headline(stands, now)
    looks = wording.LOOKS[state]
    lamp = el("span", widgets.icon(LIGHTS[looks]), class_="ws-lamp")
    return el(
        "div", el("p", lamp, el("span", said), class_=f"ws-light ws-{looks}"), _what_is_off(stands), class_="ws-stack"
    )


def _what_is_off(stands: Sequence[Stand]) -> Html | None:
    """What is broken first. Where nothing at all is known, one sentence says more than all of them."""
    off = [stand for stand in stands if stand.public_state is not PromiseState.KEPT]
    if off and not any(stand.public_state in (PromiseState.KEPT, PromiseState.BROKEN) for stand in stands):
        return el("p", NOT_LATELY if any(stand.checked_at for stand in stands) else NOT_YET)
    off.sort(key=lambda stand: stand.public_state is not PromiseState.BROKEN)
    more = f"And {len(off) - SHOWN} more, below." if len(off) > SHOWN else ""
    items = [*(_off(stand) for stand in off[:SHOWN]), *([el("li", el("span", more))] if more else [])]
    return el("ul", *items, class_="ws-off") if off else None


def _off(stand: Stand) -> Html:
    says = stand.sentence.partition(". ")[0].rstrip(".")
    link = el("a", says, href=f"#promise-{stand.promise.id}")
    return el("li", widgets.state_chip(*wording.chip(stand)), el("span", link, f" · {stand.figure}"))


def figures(stands: Sequence[Stand]) -> Html:
    """As they were measured last."""
    known = {stand.promise.id: stand for stand in stands}
    share = wording.kept_share(stands)
    number, unit = wording.percent(share).split(" ") if share is not None else ("–", "")
    return widgets.figures(
        _overdue(known.get("erased_by_the_clock")),
        _canary(known.get("gone_means_gone")),
        widgets.key_figure(number, f"of all checks in {wording.DAYS} days found them kept", unit=unit),
    )


def _overdue(stand: Stand | None) -> Html:
    late = stand.figure_says.values.get("late", 0) if stand and stand.state is not PromiseState.UNKNOWN else None
    if late is None:
        return widgets.key_figure("–", "images past their clock", state="unknown", change="Not known")
    state, word = ("kept", "As promised") if late == 0 else ("broken", "Overdue")
    return widgets.key_figure(f"{late:,}", "images past their clock", state=state, change=word)  # type: ignore[arg-type]


def _canary(stand: Stand | None) -> Html:
    """From the end of its clock until storage had shown twice that it was gone."""
    after = stand.figure_says.values.get("after") if stand and stand.state is PromiseState.KEPT else None
    if after is None:
        return widgets.key_figure("–", "for the last test picture to go", state="unknown", change="Not known")
    return widgets.key_figure(
        str(after), "after its clock the last test picture was gone", state="kept", change="Proved twice"
    )
