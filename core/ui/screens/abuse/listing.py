"""What is open, a child's first; what others have asked; what is over; which blocks hold."""

from collections.abc import Sequence

import streamlit as st

from core import reports
from core.abuse import blocks
from core.models import AbuseReport, Block
from core.ui import widgets
from core.ui.operators import Desk
from core.ui.screens.abuse.desk import KIND_SAYS, OUTCOME_SAYS, do, open_one

EMPTY = "No open reports. Whoever sees an image that should not be reports it at the foot of every page."


def waiting(desk: Desk) -> None:
    with desk.svc.reading() as session:
        found, number = reports.waiting(session), reports.how_many_wait(session)
        asked = {view.report_id for view in reports.questions(session, desk.who)}
    if not found:
        widgets.show(widgets.note(EMPTY, "kept"))
        return
    if number > len(found):
        widgets.show(widgets.quiet(f"The {len(found):,} most urgent of {number:,}."))
    for report in found:
        _row(desk, report, asks=report.id in asked)


def _row(desk: Desk, report: AbuseReport, *, asks: bool = False) -> None:
    with st.container(border=True, key=f"abuse-row-{report.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            widgets.show(
                widgets.row(
                    widgets.el("strong", report.number),
                    widgets.el("span", KIND_SAYS[report.kind]),
                    widgets.timer(report.due_at, now=desk.now, done_at=report.closed_at, brief=True),
                )
            )
            st.button(f"Open {report.number}", key=f"open-{report.id}", on_click=open_one, args=(report.number,))
        if asks:
            widgets.show(widgets.note("Another operator asks to look, and you can decide.", "due"))
        if report.outcome is not None:
            widgets.show(widgets.quiet(OUTCOME_SAYS[report.outcome]))


def over(desk: Desk) -> None:
    with desk.svc.reading() as session:
        found, held = reports.closed(session), blocks.holding(session, desk.now)
    if found:
        with st.expander("Closed reports, the latest", type="compact"):
            for report in found:
                _row(desk, report)
    if held:
        with st.expander(f"Blocks that hold: {len(held):,}", type="compact"):
            listed(desk, held, "all")


def listed(desk: Desk, held: Sequence[Block], where: str) -> None:
    """Blocks, each with the way to lift it. `where`: they may stand twice on a page."""
    for one in held:
        with st.container(horizontal=True, vertical_alignment="center", key=f"block-{where}-{one.id}"):
            widgets.show(widgets.quiet(_says(desk, one)))
            if blocks.is_on(one, desk.now) and st.button("Lift", key=f"lift-{where}-{one.id}"):
                do("The block is lifted.", lambda block_id=one.id: blocks.lift(desk.svc, desk.who, block_id))  # type: ignore[misc]


def _says(desk: Desk, one: Block) -> str:
    what = f"Person {one.subject_id}" if one.subject_id else f"File {(one.file_hash or '')[:12]}…"
    if one.lifted_at is not None:
        return f"{what}: lifted {desk.at(one.lifted_at)} by {desk.name_of(one.lifted_by)}"
    return f"{what}: blocked by {desk.name_of(one.made_by)} until {one.until:%d %b %Y}"
