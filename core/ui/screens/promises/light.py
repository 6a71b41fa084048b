"""The top of the page: one light, one sentence, what does not hold, and three figures to be proud of or not."""

from collections.abc import Sequence
from datetime import datetime

from core.models import PromiseState
from core.promises import Stand, headline
from core.ui import widgets
from core.ui.screens.promises import wording
from core.ui.widgets import Html, el

LIGHTS = {"kept": "check", "broken": "alert", "unknown": "question"}


def light(stands: Sequence[Stand], now: datetime) -> Html:
    """One light, one sentence; below, which promises do not hold."""
    state, said = headline(stands, now)
    looks = wording.LOOKS[state]
    off = [stand for stand in stands if stand.public_state is not PromiseState.KEPT]
    return el(
        "div",
        el(
            "p",
            el("span", widgets.icon(LIGHTS[looks]), class_="ws-lamp"),
            el("span", said),
            class_=f"ws-light ws-{looks}",
        ),
        el("ul", *(_off(stand) for stand in off), class_="ws-off") if off else None,
        class_="ws-stack",
    )


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
