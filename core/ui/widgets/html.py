"""HTML made by hand, safely: what is not `Html` already is escaped, and attributes always are.

Everything people see between Streamlit's own controls is built with `el`, so that a file name, a note or a
word from a database can never become markup.
"""

from collections.abc import Iterable
from html import escape
from typing import Final

Attribute = str | int | float | bool | None
Child = "Html | str | None"

_VOID: Final = frozenset({"img", "input", "br", "hr"})


class Html(str):
    """A string that is markup already. Only `el` and `join` make it."""

    __slots__ = ()


def el(name: str, /, *children: "Html | str | None", **attributes: Attribute) -> Html:
    """One element. `class_` is `class`, `data_at` is `data-at`; True stands alone, None and False leave it out."""
    opening = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Html(opening)
    return Html(f"{opening}{join(children)}</{name}>")


def join(children: Iterable["Html | str | None"], between: str = "") -> Html:
    """Children side by side; plain text among them is escaped."""
    return Html(escape(between).join(_safe(child) for child in children if child is not None))


def icon(name: str) -> Html:
    """A drawing from workshot.css. Always beside a word, so it is hidden from screen readers."""
    return el("span", class_=f"ws-icon ws-icon-{name}", aria_hidden="true")


def _safe(child: "Html | str") -> str:
    return child if isinstance(child, Html) else escape(child)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
