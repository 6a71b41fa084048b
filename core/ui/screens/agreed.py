"""What somebody agreed to: when, to which text, and whether it has changed since. And how to take it back."""

from datetime import datetime
from typing import Final

import streamlit as st

from core import policy
from core.policy import Agreed
from core.services import Services
from core.ui import widgets
from core.ui.screens.policy import drawn
from core.ui.widgets import Html, el

BOXES: Final = "You ticked two boxes: that you may use the photo, and that you are 18 or older."
BEFORE: Final = "Its text was not kept: that was before we kept them. The policy in force is there all the same."
TAKE_BACK: Final = (
    "You can take it back at any time, without a reason. While something of yours is here, “Erase everything” does it "
    "at once. To withdraw or object in your own words, use “Something else about your data”; it has a clock, too."
)


def what_you_agreed_to(svc: Services, subject_id: str, now: datetime) -> None:
    with svc.reading() as reading:
        found = policy.agreed(svc, reading, subject_id)
    if not found:
        return
    st.header("What you agreed to", anchor="agreed")
    widgets.show(el("p", BOXES), *(_one(svc, each, now) for each in found))
    widgets.show(
        el("p", TAKE_BACK),
        widgets.row(el("a", "Erase, withdraw or object", href="#your-data"), el("a", "The policy", href="/policy")),
    )


def _one(svc: Services, agreed: Agreed, now: datetime) -> Html:
    when = widgets.instant(agreed.given_at[-1], now=now)
    more = len(agreed.given_at) - 1
    times = f", and {widgets.count(more, 'time')} before" if more else ""
    head = el("p", f"On {when}{times}, under version {drawn.short(agreed.version)} of the policy.")
    return widgets.stack(head, *_text(svc, agreed))


def _text(svc: Services, agreed: Agreed) -> list[Html]:
    if agreed.text is None:
        return [widgets.quiet(BEFORE)]
    whole = drawn.fold("The text that you agreed to", drawn.plain(agreed.text))
    if agreed.is_shown_now:
        return [widgets.state_chip("kept", "Unchanged since"), whole]
    here = policy.of(svc).texts["en"]
    changed = drawn.fold("What has changed since", drawn.difference(agreed.text, here))
    return [widgets.state_chip("info", "Changed since; your clocks are not"), changed, whole]
