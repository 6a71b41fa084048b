"""The parts that need JavaScript of ours: what plain HTML does in the browser, choosing by looking, a list of work.

All run in the page itself, without a frame of their own, and take their looks from workshot.css.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import streamlit as st

from core.language import ENGLISH, current, months
from core.ui.widgets import wording
from core.ui.widgets.html import Html

ASSETS: Final = Path(__file__).parents[1] / "assets"
"""The folder behind the route `/assets/`: typeface, style sheet, scripts."""

STYLES: Final = (ASSETS / "workshot.css").read_text("utf-8")
_LOOKS: Final = f"/assets/workshot.css?v={sha256(STYLES.encode()).hexdigest()[:12]}"

_behaviour = st.components.v2.component(
    "workshot_behaviour", js=(ASSETS / "behaviour.js").read_text("utf-8"), isolate_styles=False
)
_choice = st.components.v2.component(
    "workshot_picture_choice",
    html='<div class="ws-choice-root"></div>',
    js=(ASSETS / "picture_choice.js").read_text("utf-8"),
    isolate_styles=False,
)


_work = st.components.v2.component(
    "workshot_work_list",
    html='<div class="ws-work"></div>',
    js=(ASSETS / "work_list.js").read_text("utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True, kw_only=True)
class WorkRow:
    """A row to open and to choose. It is drawn anew when `timer_of` or a cell changes; the timer ticks by itself."""

    id: str
    name: str
    timer: Html
    timer_of: str  # what the timer counts to, in a word
    cells: Html


@dataclass(frozen=True)
class Picked:
    """What was done in a list just now, and which rows are chosen."""

    opened: str | None
    erase: str | None
    chosen: list[str]


@dataclass(frozen=True, kw_only=True)
class PictureOption:
    """One thing to choose by looking. `picture_url` None leaves a calm empty frame."""

    id: str
    title: str
    description: str = ""
    picture_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class CardOption:
    """One thing to choose by reading: what it is, as terms. `closed` says why it cannot be chosen just now."""

    id: str
    title: str
    facts: Sequence[tuple[str, str]] = ()
    closed: str = ""


def behaviour(now: datetime | None) -> None:
    """Once per page. `now` tells browsers whose clock is wrong what time it really is."""
    instant = int(now.timestamp() * 1000) if now else None
    language = current()
    data: dict[str, Any] = {"now": instant, "looks": _LOOKS, "language": language}
    if language != ENGLISH:
        data |= {"words": wording.told_to_the_browser(language), "months": list(months(language))}
        data["theirs"] = list(wording.BY_STREAMLIT)
    _behaviour(key="ws-behaviour", data=data)


def picture_choice(
    label: str,
    options: Sequence[PictureOption],
    *,
    value: str,
    key: str,
    ratio: str = "4:5",
    compact: bool = False,
    hide_label: bool = False,
) -> str:
    """The chosen option's id; `value` until one was chosen, and where the chosen one no longer exists."""
    offered = {option.id for option in options}
    held = st.session_state.get(key)
    chosen = held.get("value") if isinstance(held, Mapping) else None
    data: dict[str, Any] = {
        "label": label,
        "hidden": hide_label,
        "compact": compact,
        "ratio": ratio.replace(":", "/"),
        "value": chosen if chosen in offered else value,
        "options": [
            {"id": o.id, "title": o.title, "description": o.description, "picture": o.picture_url} for o in options
        ],
    }
    result = _choice(key=key, data=data, default={"value": value}, on_value_change=_nothing)
    now_chosen = result.get("value")
    return now_chosen if isinstance(now_chosen, str) and now_chosen in offered else value


def card_choice(label: str, options: Sequence[CardOption], *, value: str, key: str) -> str:
    """As picture_choice, by cards. What is closed stays chosen if it was, and cannot be chosen anew."""
    offered = {option.id for option in options}
    held = st.session_state.get(key)
    chosen = held.get("value") if isinstance(held, Mapping) else None
    data = {
        "label": label,
        "value": chosen if chosen in offered else value,
        "cards": [
            {"id": o.id, "title": o.title, "facts": [list(fact) for fact in o.facts], "closed": o.closed}
            for o in options
        ],
    }
    result = _choice(key=key, data=data, default={"value": value}, on_value_change=_nothing)
    now_chosen = result.get("value")
    return now_chosen if isinstance(now_chosen, str) and now_chosen in offered else value


def work_list(rows: Sequence[WorkRow], *, open_id: str | None, search: str, look: int, key: str) -> Picked:
    """Rows with timers. `search` is where the key `/` leads; another `look` begins with nothing chosen."""
    data = {
        "rows": [
            {
                "id": row.id,
                "name": row.name,
                "timer": row.timer,
                "cells": row.cells,
                "shape": f"{row.timer_of} {row.name} {row.cells}",
            }
            for row in rows
        ],
        "open": open_id,
        "search": search,
        "look": look,
    }
    result = _work(
        key=key,
        data=data,
        default={"chosen": []},
        on_chosen_change=_nothing,
        on_opened_change=_nothing,
        on_erase_change=_nothing,
    )
    shown = {row.id for row in rows}
    chosen = [row_id for row_id in result.get("chosen") or [] if row_id in shown]
    return Picked(_one_of(shown, result.get("opened")), _one_of(shown, result.get("erase")), chosen)


def _one_of(shown: set[str], word: object) -> str | None:
    """A browser may send anything."""
    return word if isinstance(word, str) and word in shown else None


def _nothing() -> None:
    """Streamlit hands back only state that has a callback."""
