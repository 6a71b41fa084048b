"""The queues: what waits for what, leafed through, filtered or looked for by id. Ids and clocks, never a picture."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from core import backlog
from core.backlog import Item, Queue, Wanted
from core.futures import Count
from core.ui import widgets
from core.ui.operators import COPY_SAYS
from core.ui.screens.retention import deeds
from core.ui.screens.retention.desk import KINDS, Desk

QUEUE_SAYS = {
    Queue.COMING: "Next 24 h",
    Queue.DUE: "Due",
    Queue.OVERDUE: "Overdue",
    Queue.BLOCKED: "Blocked",
    Queue.UNPROVED: "Unproved",
    Queue.UNTRACKED: "Untracked",
    Queue.MISSING: "Missing",
    Queue.MISMATCH: "Mismatch",
    Queue.ZOMBIE: "Came back",
}
QUEUE_EMPTY = {
    Queue.COMING: "Nothing goes within the next 24 hours.",
    Queue.DUE: "Nothing is due. What becomes due goes with the next sweep.",
    Queue.OVERDUE: "Nothing is overdue.",
    Queue.BLOCKED: "Nothing stands in the way of erasing.",
    Queue.UNPROVED: "All that was erased is proved gone.",
    Queue.UNTRACKED: "Storage holds nothing that no row knows.",
    Queue.MISSING: "Every row's object is there.",
    Queue.MISMATCH: "Every object that was looked at is what its row says.",
    Queue.ZOMBIE: "Nothing came back after it was gone.",
}


def queues(desk: Desk) -> None:
    st.header("Queues", anchor=False)
    sizes = backlog.counts(desk.svc)
    widgets.show(
        widgets.quiet(" · ".join(f"{QUEUE_SAYS[queue].lower()} {size}" for queue, size in sizes.items())),
    )
    wanted = _asked_for(sizes)
    if wanted is None:
        widgets.show(widgets.note("That is not an id. Ids are letters and digits, as the audit log shows them."))
        return
    size = backlog.size_of(desk.svc, wanted)
    if size:
        shown = _listing(desk, wanted, size)
        deeds.offer(desk, wanted, size, shown)
    else:
        empty = "Nothing here has this id." if wanted.id else QUEUE_EMPTY[wanted.queue]
        widgets.show(widgets.note(empty, "unknown" if wanted.id else "kept"))
    deeds.results()


def _asked_for(sizes: dict[Queue, Count]) -> Wanted | None:
    queue = st.segmented_control(
        "Queue",
        list(Queue),
        default=Queue.OVERDUE if sizes[Queue.OVERDUE] else Queue.DUE,
        required=True,
        format_func=lambda one: QUEUE_SAYS[one],
        key="retention-queue",
        on_change=deeds.forget,
    )
    kind_at, id_at = st.columns([1, 3], vertical_alignment="bottom")
    kind = kind_at.selectbox(
        "Kind", [None, *KINDS], format_func=lambda one: COPY_SAYS[one][0] if one else "Any kind", on_change=deeds.forget
    )
    sought = id_at.text_input(
        "Id", help="Of a copy, a person or a run, or a run's number. Looks everywhere.", on_change=deeds.forget
    )
    try:
        words = Wanted(queue=queue or Queue.DUE, kind=kind, id=sought.strip()).as_words()
        return Wanted.of_words(words)
    except ValueError:
        return None


def _listing(desk: Desk, wanted: Wanted, size: Count) -> list[Item]:
    """A page of it; the rows that are chosen."""
    look, pages = deeds.look(), backlog.pages(size)
    at = f"retention-page-{look}"
    number = min(int(st.session_state.get(at, 1)), pages)
    items = backlog.page(desk.svc, wanted, number=number)
    first = (number - 1) * backlog.PAGE + 1
    chosen: Any = st.dataframe(
        _table(desk, items),
        hide_index=True,
        height="content",
        key=f"retention-table-{look}-{number}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "id": st.column_config.TextColumn(width=285),
            "why": st.column_config.TextColumn(width=250),
            "kB": st.column_config.NumberColumn(format="%,.0f", width="small"),
            "asked": st.column_config.NumberColumn(width="small", help="How often storage was asked in vain"),
        },
        alt=f"Rows {first} to {first + len(items) - 1} of {size}, the most urgent first",
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        more = " Filter, or take the CSV, for the rest." if size.is_more else ""
        shown = f"{first:,} to {first + len(items) - 1:,} of {size}, in {desk.zone_says[1:-1]}.{more}"
        widgets.show(widgets.quiet(shown))
        if pages > 1:
            st.pagination(pages, key=at)
        _export(wanted)
    rows = chosen["selection"]["rows"] if chosen else []
    return [items[row] for row in rows if row < len(items)]


def _table(desk: Desk, items: Sequence[Item]) -> dict[str, list[Any]]:
    return {
        "clock": [_clock_says(desk, item) for item in items],
        "kind": [COPY_SAYS[item.kind][0] if item.kind else "object" for item in items],
        "why": [item.why for item in items],
        "id": [item.ref for item in items],
        "kB": [item.size / 1000 for item in items],
        "added": [desk.said(item.added_at) for item in items],
        "erase by": [desk.said(item.erase_by) for item in items],
        "asked": [item.probes for item in items],
        "asked again": [desk.said(item.ask_again_at) for item in items],
    }


def _clock_says(desk: Desk, item: Item) -> str:
    left = backlog.slack(item, desk.now)
    if item.gone_at is not None:
        return f"gone {desk.said(item.gone_at)}"
    if left is None:
        return "no clock"
    return f"{widgets.length(left)} left" if left > timedelta(0) else f"{widgets.length(-left)} late"


def _export(wanted: Wanted) -> None:
    href = f"/ops/retention.csv?{urlencode(wanted.as_words())}"
    widgets.show(widgets.links([widgets.DownloadLink(label="CSV", href=href, filename="retention.csv")]))
