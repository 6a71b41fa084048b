"""Questions, points and flags, each with this server's answer and how it stands."""

from collections.abc import Sequence

from core.language import _
from core.ui import widgets
from core.ui.checklist_text import Item, within
from core.ui.widgets import Html, el


def listed(items: Sequence[Item]) -> Html:
    return el("ul", *(_item(item) for item in items), class_="ws-promises")


def _item(item: Item) -> Html:
    return el(
        "li",
        el(
            "div", el("p", el("strong", item.asks)), widgets.state_chip(item.state, item.word), class_="ws-promise-head"
        ),
        el("p", _("Look for: {what}", what=within(item.look_for)), class_="ws-quiet") if item.look_for else None,
        el("p", item.says),
        id=item.id,
    )
