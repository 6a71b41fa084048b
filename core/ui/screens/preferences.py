"""
What this browser prefers, on My photos and, the language alone, at the foot of every page.

Each choice is a form of plain HTML, as only an answer of the server can set a cookie that scripts cannot read; the
pages that come after it are made for it from their first byte on.
"""

from collections.abc import Sequence

import streamlit as st

from core.language import NAMES, _, current, p_
from core.preferences import UNSET, Theme
from core.services import Services
from core.ui import session, widgets
from core.ui.widgets.html import Html, el, icon, join

BACK = "my_photos"


def languages(page: str) -> Html:
    """All of them by their own names; the one that is spoken is no button."""
    names = [_language(code, name) for code, name in NAMES.items()]
    back = el("input", type="hidden", name="back", value=page)
    return el(
        "form", back, *names, method="post", action="/preferences", class_="ws-languages", aria_label=_("Language")
    )


def _language(code: str, name: str) -> Html:
    if code == current():
        return el("span", icon("check"), el("span", name), lang=code, aria_current="true")
    return el("button", name, type="submit", name="language", value=code, lang=code)


def preferences(svc: Services) -> None:
    wanted, terms = session.preferred(), svc.settings.terms
    kept = terms.offers(wanted.contract or svc.settings.default_contract)
    light, dark = p_("looks of the page", "Light"), p_("looks of the page", "Dark")
    themes = {UNSET: _("As this device"), Theme.LIGHT.value: light, Theme.DARK.value: dark}
    st.header(_("Preferences"), anchor="preferences")
    widgets.show(
        widgets.quiet(_("They are kept in this browser alone, in a cookie that is the same for all who chose alike.")),
        _choice("language", _("Language"), list(NAMES.items()), current()),
        _choice("theme", _("Looks"), list(themes.items()), wanted.theme or UNSET),
        _choice(
            "contract",
            _("How long photos stay, unless you choose otherwise"),
            [(contract.value, terms.label(contract)) for contract in terms.offered],
            kept.value,
        ),
    )


def _choice(name: str, label: str, options: Sequence[tuple[str, str]], now: str) -> Html:
    buttons = (_option(name, value, says, is_so=value == now) for value, says in options)
    back = el("input", type="hidden", name="back", value=BACK)
    row = el("div", *buttons, class_="ws-row")
    return el("form", el("fieldset", el("legend", label), back, row), method="post", action="/preferences")


def _option(name: str, value: str, says: str, *, is_so: bool) -> Html:
    """Pressed is said by a tick, too, and to screen readers."""
    drawn = join([icon("check") if is_so else None, el("span", says)])
    pressed = "true" if is_so else "false"
    lang = value if name == "language" else None
    looks = "ws-button ws-chosen" if is_so else "ws-button"
    return el("button", drawn, type="submit", name=name, value=value, lang=lang, aria_pressed=pressed, class_=looks)
