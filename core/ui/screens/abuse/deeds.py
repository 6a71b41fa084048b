"""What can be done about a report: find it by its mark, block, erase, close."""

import streamlit as st

from core import reports
from core.abuse import blocks
from core.abuse.blocks import What
from core.abuse.finding import Person
from core.policy.numbers import BLOCK_MONTHS
from core.reports import Detail
from core.ui import widgets
from core.ui.operators import Desk
from core.ui.screens.abuse import listing
from core.ui.screens.abuse.desk import OUTCOME_SAYS, do

WORD = "erase"


def find(desk: Desk, one: Detail) -> None:
    """Images are read for it, in memory and by nobody: so somebody on duty asks for it."""
    if not one.is_open or not one.has_mark or one.report.copy_id is not None:
        return
    widgets.show(
        widgets.quiet("The file that came with it carries a mark of ours: the headshot can be looked for by it.")
    )
    if st.button("Find it by its mark", key="find-mark"):
        do("Looked for. What was found stands below.", lambda: reports.find_by_mark(desk.svc, desk.who, one.report.id))


def block(desk: Desk, one: Detail) -> None:
    st.subheader("Block", anchor=False)
    if one.blocks:
        listing.listed(desk, one.blocks, "one")
    if not one.is_open:
        return
    widgets.show(
        widgets.quiet(
            f"For {BLOCK_MONTHS} months, or until one of you lifts it. Who is blocked reads why, and how to object. "
            "What is here stays theirs until its clock ends."
        )
    )
    with st.container(horizontal=True):
        if one.people and _sure(
            "Block the person",
            f"They make nothing more here for {BLOCK_MONTHS} months, as long as this browser or claim code is used. "
            "Block the file as well. They read that an image was reported, and why.",
            key="block-person",
        ):
            whom = chosen(one).subject_id
            do("The person is blocked.", lambda: _block(desk, one, What.PERSON, whom))
        if _sure(
            "Block the file",
            "The file that came with the report, and those the reported run was made from, are taken from nobody for "
            f"{BLOCK_MONTHS} months.",
            key="block-file",
        ):
            do("The file is blocked.", lambda: _block(desk, one, What.FILE, None))


def _sure(label: str, sentence: str, *, key: str) -> bool:
    """Asked first; it can be undone, by lifting it."""
    if widgets.danger_button(label, key=key):
        widgets.open_confirm(key)
    return widgets.confirm_dialog(label, sentence=sentence, button_label=label, key=key, final=False)


def _block(desk: Desk, one: Detail, what: What, subject_id: str | None) -> None:
    blocks.block(desk.svc, desk.who, one.report.id, what, subject_id=subject_id)


def whom(one: Detail) -> None:
    """Where a file is of several people, deeds are about the one who is chosen."""
    if one.is_open and len(one.people) > 1:
        st.selectbox(
            "Several people have uploaded this file. What you do is about",
            [person.subject_id for person in one.people],
            key="abuse-whom",
        )


def chosen(one: Detail) -> Person:
    wanted = st.session_state.get("abuse-whom")
    return next((person for person in one.people if person.subject_id == wanted), one.people[0])


def erase(desk: Desk, one: Detail) -> None:
    if not one.is_open or not one.people:
        return
    st.subheader("Erase", anchor=False)
    for ticket in one.requests:
        href = f"/ops_deletions?request={ticket.number}"
        widgets.show(widgets.el("p", "Request ", widgets.el("a", ticket.number, href=href), f": {ticket.state.value}"))
    images = len(chosen(one).copies)
    if widgets.confirm(
        "Erase everything of this person",
        title="Erase everything of this person",
        sentence="A deletion request is entered by hand, shown by the number of a run, and begun: "
        f"{widgets.count(images, 'image')} go, and are proved gone. They read of it on My photos.",
        button_label=f"Erase {widgets.count(images, 'image')}",
        key="abuse-erase",
        typed_word=WORD,
    ):
        subject_id = chosen(one).subject_id
        do("Being erased. The desk shows how it goes.", lambda: _erase(desk, one, subject_id))


def _erase(desk: Desk, one: Detail, subject_id: str) -> None:
    reports.erase(desk.svc, desk.who, one.report.id, subject_id=subject_id)


def close(desk: Desk, one: Detail) -> None:
    if not one.is_open:
        return
    st.subheader("Close", anchor=False)
    if one.address:
        says = "Write to the reporter first, from your own mail: closing destroys the address."
        widgets.show(widgets.note(says, "due"))
    outcomes = list(OUTCOME_SAYS)
    picked = st.selectbox("Outcome", outcomes, format_func=OUTCOME_SAYS.__getitem__, key="outcome")
    outcome = picked or outcomes[0]
    if widgets.confirm(
        "Close the report",
        title=f"Close {one.report.number}",
        sentence=f"“{OUTCOME_SAYS[outcome]}”. Its words, address and file hash are destroyed. Nobody looks at anything "
        "for it any more; blocks stay.",
        button_label="Close the report",
        key="abuse-close",
    ):
        do("Closed.", lambda: reports.close(desk.svc, desk.who, one.report.id, outcome))
