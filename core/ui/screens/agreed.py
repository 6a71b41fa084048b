"""What somebody agreed to: when, to which text, and whether it has changed since. And how to take it back."""

from datetime import datetime
from typing import Final

import streamlit as st

from core import policy
from core.language import N_, _, current, n_
from core.policy import Agreed
from core.services import Services
from core.ui import widgets
from core.ui.screens.policy import drawn
from core.ui.widgets import Html, el

BOXES: Final = N_("You ticked two boxes: that you may use the photo, and that you are 18 or older.")
BEFORE: Final = N_("Its text was not kept: that was before we kept them. The policy in force is there all the same.")
TAKE_BACK: Final = N_(
    "You can take it back at any time, without a reason. While something of yours is here, “Erase everything” does it "
    "at once. To withdraw or object in your own words, use “Something else about your data”; it has a clock, too."
)


def what_you_agreed_to(svc: Services, subject_id: str, now: datetime) -> None:
    with svc.reading() as reading:
        found = policy.agreed(svc, reading, subject_id)
    if not found:
        return
    st.header(_("What you agreed to"), anchor="agreed")
    widgets.show(el("p", _(BOXES)), *(_one(svc, each, now) for each in found))
    widgets.show(
        el("p", _(TAKE_BACK)),
        widgets.row(
            el("a", _("Erase, withdraw or object"), href="#your-data"), el("a", _("The policy"), href="/policy")
        ),
    )


def _one(svc: Services, agreed: Agreed, now: datetime) -> Html:
    when = widgets.instant(agreed.given_at[-1], now=now)
    more, version = len(agreed.given_at) - 1, drawn.short(agreed.version)
    said = _("On {when}, under version {version} of the policy.", when=when, version=version)
    if more:
        said = n_(
            "On {when}, and {n} time before, under version {version} of the policy.",
            "On {when}, and {n} times before, under version {version} of the policy.",
            more,
            when=when,
            version=version,
        )
    return widgets.stack(el("p", said), *_text(svc, agreed))


def _text(svc: Services, agreed: Agreed) -> list[Html]:
    if agreed.text is None:
        return [widgets.quiet(_(BEFORE))]
    whole = drawn.fold(_("The text that you agreed to"), drawn.plain(agreed.text, agreed.language))
    texts = [whole, *drawn.in_another(agreed.others)]
    if current() not in agreed.texts:
        texts.append(widgets.quiet(_(drawn.ENGLISH_ALONE)))
    if agreed.is_shown_now:
        return [widgets.state_chip("kept", _("Unchanged since")), *texts]
    changed = drawn.fold(_("What has changed since"), drawn.difference(agreed.texts, policy.of(svc).texts))
    return [widgets.state_chip("info", _("Changed since; your clocks are not")), changed, *texts]
