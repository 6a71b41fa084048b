"""
Counting, for whoever is counted: what it is, that nothing of it leads to them, and the switch.

The switch is a form of its own, as only an answer of the server can set a cookie that scripts cannot read. It works
where there are no photos, too: a browser that never added one can say no.
"""

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core import access
from core.guard import Counted
from core.language import N_, _
from core.services import Services
from core.ui import session, widgets
from core.ui.widgets.html import Html, el

WHAT: Final = N_(
    "We count how often things happen here, each day: visits, photos, finished headshots, what they took, what was "
    "erased. A count is a number beside a word, as “14 visits from phones”."
)
NOBODY: Final = N_(
    "No number leads to you. There is no row per visit, and no address, browser or photo in any. Those who look at the "
    "numbers see none below {k}."
)
NOT_COUNTED: Final = N_("How many people are not counted, nobody knows, we included: that is the point of it.")
STATES: Final[Mapping[Counted, tuple[widgets.State, str]]] = {
    Counted.YES: ("info", N_("This browser is counted")),
    Counted.NO: ("kept", N_("This browser is not counted")),
    Counted.SIGNAL: ("kept", N_("Your browser asks not to be counted, and is not")),
    Counted.GA: ("info", N_("This browser is counted, here and at Google Analytics")),
}
SIGNALLED: Final = N_("It says so with Global Privacy Control or Do Not Track, and there is nothing to switch here.")
STAYS: Final = N_("Photos that are here already stay uncounted, whatever you choose now.")
GOOGLE: Final = N_(
    "If you agree, {title} is told, of those who agreed, how many came on a day and how far: sums of the whole day, "
    "sent by this server. "
    "Nothing of Google runs in your browser, and Google learns nothing about it."
)


def counting(svc: Services, me: str) -> None:
    said = session.counted()
    if said is Counted.GA and not svc.settings.ga4_measurement_id:
        said = Counted.YES  # they agreed once, and nobody is told any more
    state, word = STATES[said]
    st.header(_("Counting"), anchor="counting")
    widgets.show(
        widgets.stack(
            el("p", _(WHAT)),
            el("p", _(NOBODY, k=svc.settings.small_count)),
            widgets.state_chip(state, _(word)),
        )
    )
    if said is Counted.SIGNAL:
        widgets.show(widgets.quiet(f"{_(SIGNALLED)} {_(NOT_COUNTED)}"))
        return
    if said.is_so and not access.is_counted(svc, me):
        widgets.show(widgets.quiet(_(STAYS)))
    if svc.settings.ga4_measurement_id:
        _google(said)
    else:
        widgets.show(_switches(said, google=False))
    widgets.show(widgets.quiet(_(NOT_COUNTED)))


def _google(said: Counted) -> None:
    from core.usage import ga4  # where it is not set up, nothing of it is loaded

    widgets.show(widgets.quiet(_(GOOGLE, title=ga4.TITLE)), _switches(said, google=True))


def _switches(said: Counted, *, google: bool) -> Html:
    """What is not so now, each a button."""
    offered = {
        Counted.NO: _("Do not count this browser"),
        Counted.YES: _("Count it here only") if said is Counted.GA else _("Count this browser"),
        Counted.GA: _("Count it at Google Analytics, too"),
    }
    wanted = [choice for choice in offered if choice is not said and (google or choice is not Counted.GA)]
    return widgets.row(*(_switch(choice, offered[choice]) for choice in wanted))


def _switch(choice: Counted, label: str) -> Html:
    button = el("button", label, class_="ws-button", type="submit")
    return el("form", button, method="post", action=f"/counting/{choice.value}")
