"""What can be done about a queue: the question, the doing of it, and what came of each."""

from collections.abc import Sequence

import streamlit as st

from core import backlog
from core.backlog import Deed, Done, Item, Queue, Wanted
from core.futures import Count
from core.ui import widgets
from core.ui.screens.retention.desk import WORD, Desk

ASKED, DONE, LOOK = "retention-asked", "retention-done", "retention-look"
CONFIRM = "retention-confirm"
DEED_SAYS = {Deed.ERASE: "Erase", Deed.PROBE: "Ask storage again about", Deed.MEND: "Mend"}
SENTENCES = {
    Deed.ERASE: "{things} whose clocks ran out: each is looked at again, erased, and asked for in storage.",
    Deed.PROBE: "{things}: each is erased once more where storage still has it, and storage is asked again.",
    Deed.MEND: "{things}: each is looked at again, and made to agree with storage. What cannot be read is erased.",
}


def look() -> int:
    """Counts up whenever the list is another one: it then starts at its first page, with nothing chosen."""
    return int(st.session_state.get(LOOK, 0))


def forget() -> None:
    """Another question is asked."""
    st.session_state[LOOK] = look() + 1
    st.session_state.pop(DONE, None)


def remember(done: list[Done]) -> None:
    st.session_state[DONE] = done
    st.session_state[LOOK] = look() + 1


def offer(desk: Desk, wanted: Wanted, size: Count, chosen: Sequence[Item]) -> None:
    """For the chosen ones, or for all there are; asked first, and with a typed word above ten."""
    queue = chosen[0].queue if wanted.id and chosen else wanted.queue
    deed = backlog.deed_for(None if wanted.id and not chosen else queue)
    if deed is None:
        if not wanted.id:
            widgets.show(widgets.quiet("Their clocks still run: they go by themselves."))
        return
    does = DEED_SAYS[deed]
    with st.container(horizontal=True):
        if widgets.danger_button(f"{does} {len(chosen):,} chosen", key="retention-some", disabled=not chosen):
            _ask(deed, queue, [item.ref for item in chosen])
        if not wanted.id:
            everything = f"the first {size.number:,}" if size.is_more else f"all {size.number:,}"
            if widgets.danger_button(f"{does} {everything}", key="retention-all"):
                found = backlog.page(desk.svc, wanted, number=1, size=size.number)
                _ask(deed, queue, [item.ref for item in found])
    _answer(desk)


def _ask(deed: Deed, queue: Queue | None, refs: list[str]) -> None:
    st.session_state[ASKED] = (deed, queue, refs)
    widgets.open_confirm(CONFIRM)


def _answer(desk: Desk) -> None:
    if ASKED not in st.session_state:
        return
    deed, queue, refs = st.session_state[ASKED]
    things = widgets.count(len(refs), "copy", "copies")
    sure = widgets.confirm_dialog(
        f"{DEED_SAYS[deed]} {things}",
        sentence=SENTENCES[deed].format(things=things),
        button_label=f"{DEED_SAYS[deed]} {things}",
        key=CONFIRM,
        typed_word=WORD if len(refs) > backlog.ASK_BEFORE else None,
    )
    if sure:
        del st.session_state[ASKED]
        bar = st.progress(0.0, text=f"0 of {len(refs):,}")

        def progress(done: int, of: int) -> None:
            bar.progress(done / of, text=f"{done:,} of {of:,}")

        finding = queue.finding if queue else None
        remember(backlog.do(desk.svc, deed, refs, actor=desk.who.actor, finding=finding, progress=progress))
        st.rerun()


def results() -> None:
    """What came of each, until another question is asked."""
    done: list[Done] = st.session_state.get(DONE, [])
    if not done:
        return
    well = sum(one.well for one in done)
    says = f"{well:,} of {len(done):,} done." if well < len(done) else f"{widgets.count(len(done), 'item')}: all done."
    widgets.show(widgets.note(says, "kept" if well == len(done) else "due"))
    st.dataframe(
        {"id": [one.ref for one in done], "what came of it": [one.says for one in done]},
        hide_index=True,
        height="content" if len(done) <= 10 else 390,
        alt=f"What came of each: {well} of {len(done)} done",
    )
