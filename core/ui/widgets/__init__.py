"""What pages are made of. Pages never rebuild these, and never write HTML or CSS of their own.

    now = clock()
    widgets.frame("My photos", "Everything of yours that is here, and when it goes.", now=now)
    widgets.show(widgets.photo(url, "Headshot 1"), widgets.clock(run.erase_at, now=now))

Functions that only show return `Html`, so that they can be put into a `card`, a `row` or a `stack` and drawn
together: long lists stay cheap. Functions that ask (`picture_choice`, `confirm`, …) draw at once and answer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.language import _, count
from core.ui.widgets import markup, wording
from core.ui.widgets.asking import confirm, confirm_dialog, danger_button, is_asked, is_asking, open_confirm
from core.ui.widgets.components import (
    ASSETS,
    STYLES,
    CardOption,
    Picked,
    PictureOption,
    WorkRow,
    behaviour,
    card_choice,
    picture_choice,
    work_list,
)
from core.ui.widgets.html import Html, el, icon, join
from core.ui.widgets.markup import (
    CopyLine,
    DownloadLink,
    Event,
    State,
    ago,
    card,
    claim_code,
    compare,
    facts,
    figures,
    key_figure,
    links,
    note,
    photo,
    points,
    print_button,
    problem,
    promised,
    quiet,
    row,
    stack,
    stages,
    state_chip,
    text_file,
    told,
)
from core.ui.widgets.wording import exactly, groups_of_four, length

__all__ = [
    "ASSETS",
    "CardOption",
    "CopyLine",
    "DownloadLink",
    "Event",
    "Html",
    "Picked",
    "PictureOption",
    "State",
    "WorkRow",
    "ago",
    "card",
    "card_choice",
    "claim_code",
    "clock",
    "compare",
    "confirm",
    "confirm_dialog",
    "copy_list",
    "count",
    "danger_button",
    "deadline",
    "el",
    "empty_state",
    "exactly",
    "facts",
    "figures",
    "frame",
    "groups_of_four",
    "icon",
    "instant",
    "is_asked",
    "is_asking",
    "join",
    "key_figure",
    "length",
    "links",
    "near",
    "note",
    "open_confirm",
    "photo",
    "picture_choice",
    "points",
    "print_button",
    "problem",
    "promised",
    "quiet",
    "reader_zone",
    "row",
    "show",
    "stack",
    "stages",
    "state_chip",
    "text_file",
    "timeline",
    "timer",
    "told",
    "undo_clock",
    "variants",
    "work_list",
]

_STYLES: Final = f"<style>{STYLES}</style>"
_WIDE: Final = "<style>:root{--ws-column:1440px}</style>"


def frame(
    title: str | None = None, lead: str | None = None, *, now: datetime | None = None, wide: bool = False
) -> None:
    """The first call of every page: looks, behaviour, a title and one sentence. `wide` is for operators."""
    st.html(_STYLES + _WIDE if wide else _STYLES)
    behaviour(now)
    if title or lead:
        show(markup.lead(title, lead))


def show(*parts: Html | None) -> None:
    """Draws parts one below the other, each by itself: a clock that changes redraws no picture."""
    for part in parts:
        if part:
            st.html(markup.stack(part))


def reader_zone() -> tuple[ZoneInfo, str]:
    """The zone of whoever reads, and how to say so."""
    try:
        return ZoneInfo(st.context.timezone or ""), _(wording.YOUR_TIME)
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        return ZoneInfo("UTC"), wording.UTC_ALONE


def clock(
    erase_at: datetime,
    *,
    now: datetime,
    erased_at: datetime | None = None,
    gone_at: datetime | None = None,
    brief: bool = False,
) -> Html:
    """`29 d 23 h left · erased 12 Dec, 14:02 (your time)`, ticking. `brief` leaves out the zone."""
    zone, said = reader_zone()
    note = "" if brief else said
    return markup.clock(erase_at, now=now, zone=zone, erased_at=erased_at, gone_at=gone_at, zone_note=note)


def deadline(due_at: datetime, *, now: datetime, brief: bool = False) -> Html:
    """`3 h 2 min left · due 12 Dec, 14:02 (your time)`, or how late it is."""
    zone, said = reader_zone()
    return markup.deadline(due_at, now=now, zone=zone, zone_note="" if brief else said)


def undo_clock(begins_at: datetime, *, now: datetime) -> Html:
    """`1 min 43 s left to take it back · nothing is erased yet`, ticking."""
    return markup.undo_clock(begins_at, now=now, zone=reader_zone()[0])


def timer(due_at: datetime, *, now: datetime, done_at: datetime | None = None, brief: bool = False) -> Html:
    """`31 h 04 m 12 s left · on track`, to the second; unless `brief` with both times of what it counts down to."""
    zone, said = reader_zone()
    return markup.timer(due_at, now=now, zone=zone, done_at=done_at, zone_note="" if brief else said)


def instant(at: datetime, *, now: datetime, brief: bool = False) -> str:
    """`23 Nov, 08:30 (your time), 07:30 UTC`. `brief` leaves out whose time it is."""
    zone, said = reader_zone()
    return wording.both_times(at, now=now, zone=zone, zone_note="" if brief and said != wording.UTC_ALONE else said)


def near(at: datetime, *, now: datetime) -> str:
    """`today 14:02`, `tomorrow 09:00`, else the day alone."""
    return wording.near(at, now=now, zone=reader_zone()[0])


def copy_list(lines: Sequence[CopyLine], *, now: datetime, total: bool = False) -> Html:
    return markup.copy_list(lines, now=now, zone=reader_zone()[0], total=total)


def timeline(events: Sequence[Event], *, now: datetime) -> Html:
    return markup.timeline(events, now=now, zone=reader_zone()[0])


def empty_state(sentence: str, action_label: str, page: Any) -> None:
    """One sentence, one action: a link to `page`, a path under pages/ or a page object."""
    with st.container(key="ws-empty"):
        st.html(el("p", sentence, class_="ws-empty-says"))
        with st.container(key="ws-primary-link", width="content"):
            st.page_link(page, label=action_label)


def variants(urls: Sequence[str], *, key: str, ratio: str = "4:5", value: int = 1) -> int:
    """Which headshot is shown large: a strip of small ones. Counts from 1, as generations do."""
    options = [
        PictureOption(id=str(number), title=_("Headshot {n}", n=number), picture_url=url)
        for number, url in enumerate(urls, start=1)
    ]
    return int(picture_choice(_("Variants"), options, value=str(value), key=key, ratio=ratio, compact=True))
