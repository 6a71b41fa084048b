"""One report in full: its clock, what was written, what was found (ids, clocks and sizes, never a face), what to do."""

from datetime import datetime

import streamlit as st

from core import reports
from core.abuse.finding import Person
from core.language import NAMES, size
from core.models import AbuseReport
from core.reports import Detail
from core.ui import widgets
from core.ui.operators import COPY_SAYS, Desk
from core.ui.screens.abuse import deeds, looks
from core.ui.screens.abuse.desk import KIND_SAYS, OUTCOME_SAYS, leave, what_came_of_it

MOST_LISTED = 12


def report(desk: Desk, opened: AbuseReport) -> None:
    one = reports.detail(desk.svc, opened.id)
    _head(desk, one)
    what_came_of_it()
    _words(one)
    deeds.find(desk, one)
    _found(desk, one)
    deeds.whom(one)
    looks.looks(desk, one)
    deeds.block(desk, one)
    deeds.erase(desk, one)
    deeds.close(desk, one)


def _head(desk: Desk, one: Detail) -> None:
    row = one.report
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(f"{row.number} · {KIND_SAYS[row.kind]}", anchor=False)
        st.button("Back to the list", key="abuse-back", on_click=leave)
    facts: list[tuple[str, widgets.Html | str]] = [("Received", desk.at(row.received_at))]
    if one.run_number:
        facts.append(("Run, as given", one.run_number))
    if row.file_hash:
        facts.append(("File", "one came with it: its hash is kept, it is not"))
    if one.address:
        facts.append(("Write to", f"{one.address}, in {NAMES[row.language]}"))
    if row.outcome is not None:
        facts.append(("Ended", OUTCOME_SAYS[row.outcome]))
    timer = widgets.timer(row.due_at, now=desk.now, done_at=row.closed_at)
    widgets.show(widgets.el("div", timer, class_="ws-timer-large"), widgets.facts(facts))


def _words(one: Detail) -> None:
    if not one.is_open:
        says = "Closed. Words, address and the file's hash are destroyed; what is left here names nobody."
        widgets.show(widgets.note(says, "info"))
    elif one.words:
        widgets.show(widgets.card(widgets.el("p", one.words, class_="ws-mail")))
    else:
        widgets.show(widgets.quiet("They wrote nothing."))


def _found(desk: Desk, one: Detail) -> None:
    st.subheader("What was found", anchor=False)
    if not one.people and not one.is_open:
        widgets.show(widgets.quiet("Nothing was found, or what led there is destroyed."))
    elif not one.people:
        widgets.show(widgets.note("Nothing here belongs to what was reported, as far as it can be told.", "unknown"))
    for person in one.people:
        _person(desk, person)


def _person(desk: Desk, person: Person) -> None:
    runs = ", ".join(run.number for run in person.runs[:MOST_LISTED]) or "none"
    allows = "yes" if person.may_be_looked_at else "no"
    widgets.show(
        widgets.facts([("Person", person.subject_id), ("Runs", runs), ("Looks", f"allowed by them: {allows}")]),
        widgets.quiet("Everything of theirs is gone.") if not person.copies else None,
    )
    if person.copies:
        listed = person.copies[:MOST_LISTED]
        st.dataframe(
            {
                "image": [COPY_SAYS[copy.kind][0] for copy in listed],
                "clock": [_clock(desk, copy.erase_by) for copy in listed],
                "size": [f"{copy.width} × {copy.height}, {size(copy.size)}" for copy in listed],
                "id": [copy.id for copy in listed],
            },
            hide_index=True,
            height="content",
            alt=f"{len(listed)} of {len(person.copies)} images: kinds, clocks, sizes and ids",
        )


def _clock(desk: Desk, erase_by: datetime) -> str:
    left = erase_by - desk.now
    return f"{widgets.length(left)} left" if left.total_seconds() > 0 else "due"
