"""What was written, and what is written back: choose, change, look at the mail as it goes out, send."""

import streamlit as st

from core import correspondence, requests
from core.errors import WorkShotError
from core.language import NAMES
from core.models import MessageWay, Request, new_id
from core.requests import Detail, Message, Ticket
from core.ui import widgets
from core.ui.screens.desk.desk import Desk, do

PREVIEW, SENT = "desk-preview", "desk-sent"


def letters(desk: Desk, one: Detail) -> None:
    if one.messages:
        st.subheader("What was written", anchor=False)
        widgets.show(*(_message(desk, message) for message in one.messages))
    if not one.ticket.is_open:
        return
    if one.address is None:
        widgets.show(widgets.quiet("There is no address to write to: answer the way the request came, and note it."))
        return
    with st.expander("Write to the requester", type="compact"):
        _reply(desk, one)


def _message(desk: Desk, message: Message) -> widgets.Html:
    words = message.text if message.text is not None else "The words went when the request was closed."
    head = f"{_author(desk, message)} · {widgets.instant(message.at, now=desk.now)}"
    return widgets.card(
        widgets.quiet(head),
        None if message.same_address else widgets.note("From another address than the request.", "due"),
        widgets.el("p", words, class_="ws-mail" if message.text is not None else "ws-quiet"),
    )


def _author(desk: Desk, message: Message) -> str:
    who = message.author.partition(":")[2]
    if message.way is MessageWay.IN:
        return "The requester"
    name = desk.name_of(who).capitalize() if who else "WorkShot"
    if message.way is MessageWay.NOTE:
        return f"Note, {name.lower()}"
    template = correspondence.TEMPLATES.get(message.template or "")
    return f"{name} to the requester" + (f": {template.label}" if template else "")


def _reply(desk: Desk, one: Detail) -> None:
    ticket = one.ticket
    names = [name for name, template in correspondence.TEMPLATES.items() if template.by_hand]
    likely = "answer" if ticket.matched else "ask_for_code"
    chosen = st.selectbox(
        "Letter",
        names,
        index=names.index(likely),
        format_func=lambda name: correspondence.TEMPLATES[name].label,
        key=f"desk-letter-{ticket.id}-{likely}",
    )
    turn = st.session_state.get(SENT, 0)
    text = st.text_area(
        "Text",
        "" if chosen == "answer" else correspondence.draft(desk.svc, chosen, _row(desk, ticket)),
        key=f"desk-text-{ticket.id}-{chosen}-{ticket.language}-{turn}",
        height=220,
        help="Greeting, number and instants are added to it.",
    )
    widgets.show(widgets.quiet(in_which(ticket)))
    if st.button("Preview", key="desk-preview-button"):
        st.session_state[PREVIEW] = (ticket.id, chosen, text, new_id())
    _preview(desk, one, chosen, text)


def _preview(desk: Desk, one: Detail, chosen: str, text: str) -> None:
    """What is sent is what was looked at: another word, and there is nothing to send."""
    request_id, template, looked_at, press_id = st.session_state.get(PREVIEW, ("", "", "", ""))
    if (request_id, template, looked_at) != (one.ticket.id, chosen, text):
        return
    try:
        letter = correspondence.rendered(desk.svc, chosen, _row(desk, one.ticket), body=text)
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "due"))
        return
    widgets.show(as_it_goes(one.address or "", letter))
    if st.button("Send this letter", key="desk-send", type="primary"):
        sent = do(
            "The letter is on its way.",
            lambda: requests.reply(
                desk.svc, one.ticket.id, template=chosen, text=text, actor=desk.who.actor, press_id=press_id
            ),
        )
        if sent:
            st.session_state.pop(PREVIEW, None)
            st.session_state[SENT] = st.session_state.get(SENT, 0) + 1
        st.rerun()


def in_which(ticket: Ticket) -> str:
    """For whoever adds words of their own to a letter."""
    return f"The letter around your words is in {NAMES[ticket.language]}, as the requester reads it."


def as_it_goes(address: str, letter: correspondence.Letter) -> widgets.Html:
    return widgets.card(
        widgets.quiet(f"To {address}"),
        widgets.el("p", widgets.el("strong", letter.subject)),
        widgets.el("p", letter.text.strip(), class_="ws-mail"),
    )


def _row(desk: Desk, ticket: Ticket) -> Request:
    with desk.svc.reading() as session:
        return session.get_one(Request, ticket.id)


def refusal(desk: Desk, ticket: Ticket, ground: str, words: str) -> correspondence.Letter:
    return correspondence.rendered(desk.svc, "refused", _row(desk, ticket), ground=ground, words=words)
