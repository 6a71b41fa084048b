"""Mails that nothing here could sort: a person looks at each, and says what it is. Nothing is ever just lost."""

import streamlit as st

from core import mailbox, requests
from core.errors import NotFound, WorkShotError
from core.mailbox import Opened, Unsorted
from core.models import RequestKind
from core.ui import operators, widgets
from core.ui.screens.desk.desk import KIND_SAYS, Desk, open_one

MOST, SAID = 50, "desk-mail-said"


def unsorted(desk: Desk) -> None:
    _mailbox(desk)
    with desk.svc.reading() as session:
        number, mails = mailbox.waiting(session), mailbox.unsorted(session, limit=MOST)
    operators.what_came_of_it(SAID, once=True)
    if not mails:
        return
    with st.expander(f"Unsorted mails: {number:,}", type="compact"):
        widgets.show(widgets.quiet("If one is a request, its clock has run since the mailbox got it."))
        chosen = st.selectbox(
            "Mail", mails, format_func=lambda one: _when(desk, one), index=None, key=f"desk-mail-{mails[0].id}"
        )
        if chosen is not None:
            _opened(desk, chosen)


def _mailbox(desk: Desk) -> None:
    """Requests that cannot come in are nobody's fault but ours."""
    state = mailbox.state(desk.svc)
    if state is None or not state.failure:
        return
    since = f" Since {widgets.instant(state.failed_since, now=desk.now)}." if state.failed_since else ""
    widgets.show(widgets.note(f"{state.says}{since} Clocks of mails that wait there run all the same.", "broken"))


def _when(desk: Desk, one: Unsorted) -> str:
    about = "to a closed request, " if one.request_id else ""
    return f"{about}received {widgets.instant(one.received_at, now=desk.now)}"


def _opened(desk: Desk, one: Unsorted) -> None:
    try:
        mail = mailbox.open_unsorted(desk.svc, one.id)
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "unknown"))
        return
    widgets.show(_card(desk, mail))
    kind_at, number_at, dismiss_at = st.columns(3, gap="medium")
    with kind_at, st.form(key="desk-mail-request", border=False):
        kind = st.selectbox("It is a request", list(KIND_SAYS), format_func=lambda kind: KIND_SAYS[kind])
        if st.form_submit_button("Make it a request"):
            operators.do(SAID, "It is a request now, open beside the list.", lambda: _into_request(desk, mail.id, kind))
    with number_at, st.form(key="desk-mail-reply", border=False):
        number = st.text_input("It belongs to", placeholder="D-…")
        if st.form_submit_button("Add it to that request"):
            operators.do(SAID, "Added to the request.", lambda: _into_reply(desk, mail.id, number or ""))
    with dismiss_at, st.form(key="desk-mail-dismiss", border=False):
        widgets.show(widgets.quiet("Nothing is to be done: it is thrown away here and in the mailbox."))
        if st.form_submit_button("Dismiss it"):
            operators.do(SAID, "Dismissed.", lambda: mailbox.dismiss(desk.svc, mail.id, actor=desk.who.actor))


def _card(desk: Desk, mail: Opened) -> widgets.Html:
    attached = widgets.count(mail.attachments, "attachment") + ", not kept" if mail.attachments else ""
    return widgets.card(
        widgets.quiet(f"From {mail.sender or 'nobody'} · {widgets.instant(mail.received_at, now=desk.now)}"),
        widgets.el("p", widgets.el("strong", mail.subject or "(no subject)")),
        widgets.el("p", mail.text or "(no text)", class_="ws-mail"),
        *(widgets.quiet(note) for note in (*mail.notes, attached) if note),
    )


def _into_request(desk: Desk, mail_id: str, kind: RequestKind) -> None:
    request_id = mailbox.into_request(desk.svc, mail_id, actor=desk.who.actor, kind=kind)
    open_one(requests.detail(desk.svc, request_id, desk.now).ticket.number)


def _into_reply(desk: Desk, mail_id: str, number: str) -> None:
    with desk.svc.reading() as session:
        found = requests.page(session, requests.Filter(search=number), now=desk.now, size=1).items
    if not number.strip() or not found or found[0].number != number.strip().upper():
        raise NotFound("There is no request of this number.")
    mailbox.into_reply(desk.svc, mail_id, found[0].id, actor=desk.who.actor)
    open_one(found[0].number)
