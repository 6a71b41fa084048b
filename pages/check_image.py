"""
Check an image: choose its file, and read what it says of where it comes from.

Open to everyone. The file is taken out of Streamlit the moment it arrives, read in memory and let go of; what stays in
this browser's tab are a few words about it.
"""

import streamlit as st

from core import provenance
from core.errors import WorkShotError
from core.language import _
from core.provenance import Findings, State, certificates
from core.ui import image_text as text
from core.ui import report_text, session, widgets
from core.ui.app import services
from core.ui.linked import linked
from core.ui.widgets import Html, el

FILE, FOUND, REFUSED = "image-to-check", "image-findings", "image-refused"


def take() -> None:
    """What the uploader holds, looked at and forgotten."""
    for name in (FOUND, REFUSED):
        st.session_state.pop(name, None)
    if (data := session.take_upload(FILE)) is None:
        return
    try:
        st.session_state[FOUND] = provenance.look(data, ours=certificates.of(services().settings))
    except WorkShotError as exc:
        st.session_state[REFUSED] = str(exc)


def section(title: str, state: State | None, says: str, facts: list[tuple[str, str]]) -> Html:
    chip = widgets.state_chip(*text.chip(state)) if state is not None else None
    return widgets.card(
        el("div", el("h2", _(title)), chip, class_="ws-card-head"),
        el("p", says),
        widgets.facts(facts) if facts else None,
    )


def answer(found: Findings) -> None:
    mark, credentials = found.mark, found.credentials
    widgets.show(
        widgets.quiet(text.of_file(found)),
        section(text.ORIGIN, None, text.origin(found), []),
        section(text.MARK, mark.state, text.mark_says(mark), text.mark_facts(mark)),
        section(
            text.CREDENTIALS,
            credentials.state,
            text.credentials_say(credentials),
            text.credentials_facts(credentials),
        ),
        section(text.LINKEDIN, None, text.linkedin(found), []),
    )


widgets.frame(_(text.TITLE), _(text.LEAD), now=services().clock())
st.file_uploader(
    _(text.UPLOAD), type=text.TYPES, key=session.upload_key(FILE), max_upload_size=20, on_change=take, help=_(text.HELP)
)
if refused := st.session_state.get(REFUSED):
    widgets.show(widgets.problem(refused, _(text.NOT_KEPT), _(text.ANOTHER)))
if found := st.session_state.get(FOUND):
    answer(found)
    page = el("a", _(text.HELP_PAGE), href=text.LINKEDIN_HELP)
    widgets.show(widgets.quiet(_(text.NO_LIST)), widgets.quiet(*linked(_(text.READ_IN), page=page)))
widgets.show(widgets.quiet(*linked(_(report_text.FROM_CHECK), page=el("a", _(report_text.TITLE), href="/report"))))
