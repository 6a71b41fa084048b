"""
Another tool, held against this one: ticks and a name that live in this tab alone, and a table to print.

The name is what somebody typed: it is shown as text, never stored, logged or counted.
"""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.language import N_, _, instant
from core.ui import checklist_text as text
from core.ui import widgets
from core.ui.checklist_text import Checklist, Item
from core.ui.widgets import Html, State, el

TICKED, NAME = "compared-ticks", "compared-name"
"""In the session, so that they outlive a look at another page."""
NAME_AT_MOST = 60


_PARTS = (
    (text.QUESTIONS, text.TICK_QUESTION, N_("Yes"), N_("Not found")),
    (text.POINTS, text.TICK_POINT, N_("Yes"), N_("Not found")),
    (text.FLAGS, text.TICK_FLAG, N_("Yes"), N_("Not seen")),
)


@st.fragment
def compare(here: Checklist, now: datetime) -> None:
    """Ticking draws this part anew and nothing else."""
    groups = (here.questions, here.points, here.flags)
    ticked = _ticked([item for items in groups for item in items])
    st.session_state.setdefault(f"{NAME}-typed", st.session_state.get(NAME, ""))
    st.text_input(
        _(text.TOOL),
        key=f"{NAME}-typed",
        max_chars=NAME_AT_MOST,
        placeholder=_(text.TOOL_HINT),
        on_change=_remember_name,
    )
    with st.container(key="ws-compare"):
        for (_title, tick, *_words), items in zip(_PARTS, groups, strict=True):
            of = text.counted(_in(items, ticked), items)
            with st.expander(f"{_(tick)} ({of})", type="compact", key=f"compare-{items[0].id}"):
                for item in items:
                    st.checkbox(item.in_full, key=_key(item))
    name = " ".join(st.session_state.get(NAME, "").split()) or _(text.UNNAMED)
    widgets.show(_table(groups, ticked, name, now), widgets.print_button(_(text.PRINT)))


def _remember_name() -> None:
    st.session_state[NAME] = st.session_state[f"{NAME}-typed"]


def _key(item: Item) -> str:
    return f"compared-{item.id}"


def _ticked(items: Sequence[Item]) -> set[str]:
    """What is ticked now, before the boxes are drawn. Streamlit forgets boxes while another page is looked at."""
    before: set[str] = st.session_state.get(TICKED, set())
    for item in items:
        st.session_state.setdefault(_key(item), item.id in before)
    ticked = {item.id for item in items if st.session_state[_key(item)]}
    st.session_state[TICKED] = ticked
    return ticked


def _in(items: Sequence[Item], ticked: set[str]) -> int:
    return sum(item.id in ticked for item in items)


def _table(groups: Sequence[Sequence[Item]], ticked: set[str], name: str, now: datetime) -> Html:
    head = el("tr", el("td", ""), el("th", _(text.HERE), scope="col"), el("th", name, scope="col"))
    parts = (
        _part(_(title), items, ticked, words) for (title, _tick, *words), items in zip(_PARTS, groups, strict=True)
    )
    return el(
        "div",
        el("h3", _(text.PRINTED), class_="ws-print-title"),
        el(
            "table",
            el("caption", _("This server and {name}", name=name), class_="ws-unseen"),
            el("thead", head),
            *parts,
            class_="ws-compared",
        ),
        widgets.quiet(_(text.AS_OF, day=instant(now, seconds=False))),
        class_="ws-print",
    )


def _part(title: str, items: Sequence[Item], ticked: set[str], words: Sequence[str]) -> Html:
    """Of questions and points it is well to have many, of flags few."""
    flags = items[0].id.startswith("flag")
    ours = sum(item.well is not flags for item in items)
    head = el(
        "tr",
        el("th", title, scope="rowgroup"),
        el("td", text.counted(ours, items)),
        el("td", text.counted(_in(items, ticked), items)),
    )
    found: State = "broken" if flags else "kept"
    rows = (
        el(
            "tr",
            el("th", item.asks, scope="row"),
            el("td", widgets.state_chip(item.state, item.word)),
            el("td", widgets.state_chip(*((found, _(words[0])) if item.id in ticked else ("unknown", _(words[1]))))),
        )
        for item in items
    )
    return el("tbody", head, *rows)
