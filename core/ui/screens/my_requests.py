"""A person's requests: what they asked for, by when it is done, what became of it, and what there is to download."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st

from core import correspondence, exports, receipts, requests
from core.errors import WorkShotError
from core.language import N_, _, p_, size
from core.models import MessageWay, RequestKind, RequestOutcome, RequestState
from core.requests import Ticket
from core.services import Services
from core.ui import widgets
from core.ui.widgets import wording

POLL_SECONDS: Final = 2.0
SOON: Final = (RequestState.UNDO, RequestState.WORKING)
"""Moves on by itself, within minutes: the page follows."""
TITLES: Final[Mapping[RequestKind, str]] = {
    RequestKind.ERASE: N_("Erase everything"),
    RequestKind.COPY: N_("A copy of my data"),
    RequestKind.CORRECT: N_("A correction"),
    RequestKind.OBJECT: N_("An objection"),
    RequestKind.QUESTION: N_("A question"),
}
_OUTCOMES: Final[Mapping[RequestOutcome, tuple[widgets.State, str]]] = {
    RequestOutcome.DONE: ("kept", N_("Done")),
    RequestOutcome.NOTHING_HELD: ("kept", N_("Nothing held")),
    RequestOutcome.REFUSED: ("broken", N_("Refused")),
    RequestOutcome.WITHDRAWN: ("info", N_("Taken back")),
    RequestOutcome.DUPLICATE: ("kept", N_("Done")),
}
_STATES: Final[Mapping[RequestState, tuple[widgets.State, str]]] = {
    RequestState.OPEN: ("counting", N_("With us")),
    RequestState.WAITING: ("due", N_("Waiting for you")),
    RequestState.UNDO: ("due", N_("About to begin")),
    RequestState.WORKING: ("counting", N_("Being done")),
}
_ENDS: Final[Mapping[tuple[RequestKind, RequestOutcome], str]] = {
    (RequestKind.ERASE, RequestOutcome.DONE): N_(
        "Everything there was is erased, and storage has shown that it is gone."
    ),
    (RequestKind.ERASE, RequestOutcome.DUPLICATE): N_("Another request of yours had it erased."),
    (RequestKind.ERASE, RequestOutcome.NOTHING_HELD): N_("There was nothing left to erase."),
    (RequestKind.ERASE, RequestOutcome.WITHDRAWN): N_("You took it back in time. Nothing was erased."),
    (RequestKind.COPY, RequestOutcome.NOTHING_HELD): N_("There was nothing left to copy."),
}
KEEP_IT: Final = N_(
    "Keep the receipt if you want it: a day after everything is gone, this browser no longer knows you."
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A request and what hangs on it."""

    ticket: Ticket
    files: Sequence[exports.ExportFile] = ()
    receipt_id: str | None = None
    answers: Sequence[str] = ()


def under_way(svc: Services, me: str, tickets: Sequence[Ticket]) -> None:
    """What moves on by itself, before all else; the page follows it."""
    if any(ticket.state in SOON for ticket in tickets):
        st.header(_("Under way"), anchor="under-way")
        st.fragment(_followed, run_every=POLL_SECONDS)(svc, me, _where_they_are(tickets))


def my_requests(svc: Services, me: str, tickets: Sequence[Ticket]) -> None:
    """All others, the latest first."""
    others = [ticket for ticket in tickets if ticket.state not in SOON]
    if others:
        st.header(_("Your requests"), anchor="your-requests")
        _cards(svc, me, others, svc.clock())


def _followed(svc: Services, me: str, before: Sequence[object]) -> None:
    now = svc.clock()
    with svc.reading() as reading:
        tickets = requests.of_subject(reading, me, now)
    if _where_they_are(tickets) != before:
        st.rerun()
    _cards(svc, me, [ticket for ticket in tickets if ticket.state in SOON], now)


def _cards(svc: Services, me: str, tickets: Sequence[Ticket], now: datetime) -> None:
    for ticket in tickets:
        _card(svc, me, _shown(svc, ticket, now), now)


def _where_they_are(tickets: Sequence[Ticket]) -> list[object]:
    return [(ticket.id, ticket.state, ticket.start_at, ticket.trouble) for ticket in tickets]


def _shown(svc: Services, ticket: Ticket, now: datetime) -> Shown:
    with svc.reading() as reading:
        files = exports.files_of(reading, ticket.export_id, now) if not ticket.is_open else []
        receipt = receipts.newest(reading, ticket.id)
    answers: list[str] = []
    if ticket.is_open and ticket.kind not in (RequestKind.ERASE, RequestKind.COPY):
        messages = requests.detail(svc, ticket.id, now).messages
        answers = [message.text for message in messages if message.way is MessageWay.OUT and message.text]
    return Shown(ticket=ticket, files=files, receipt_id=receipt.id if receipt else None, answers=answers)


# ----------------------------------------------------------------------------------------------------------------- one
def _card(svc: Services, me: str, shown: Shown, now: datetime) -> None:
    ticket = shown.ticket
    with st.container(border=True, key=f"request-{ticket.id}"):
        widgets.show(
            widgets.row(
                widgets.el("strong", _(TITLES[ticket.kind])),
                widgets.state_chip(*_state(ticket)),
                widgets.quiet(ticket.number),
            ),
            _clock(ticket, now),
            widgets.el("p", says) if (says := _says(shown)) else None,
            *(widgets.el("p", answer, class_="ws-mail") for answer in shown.answers),
        )
        _downloads(shown, now)
        if ticket.state is RequestState.UNDO:
            _undo(svc, me, ticket)
        elif ticket.is_open and ticket.state is not RequestState.WORKING:
            _press(_("Take it back"), f"undo-{ticket.id}", lambda: requests.undo(svc, me, ticket.id))


def _state(ticket: Ticket) -> tuple[widgets.State, str]:
    state, word = _OUTCOMES[ticket.outcome] if ticket.outcome else _STATES[ticket.state]
    return state, _(word)


def _clock(ticket: Ticket, now: datetime) -> widgets.Html | None:
    if ticket.state is RequestState.UNDO and ticket.start_at is not None:
        return widgets.undo_clock(ticket.start_at, now=now)
    if ticket.is_open:
        return widgets.deadline(ticket.due_at, now=now)
    if ticket.closed_at is None:
        return None
    zone, note = widgets.reader_zone()
    return widgets.quiet(f"{wording.instant(ticket.closed_at, now=now, zone=zone)} {note}")


def _says(shown: Shown) -> str:
    """What happens now, or how it ended."""
    ticket = shown.ticket
    if ticket.outcome is not None:
        return _how_it_ended(shown)
    if ticket.state is RequestState.UNDO:
        return ""
    if ticket.state is RequestState.WAITING:
        return _("We have asked you something. The clock goes on while we wait for your answer.")
    if ticket.trouble and ticket.trouble in requests.TROUBLES:
        return _(requests.TROUBLES[ticket.trouble])
    if ticket.kind is RequestKind.COPY:
        return _("Your copy is being packed. It shows up here by itself.")
    if ticket.kind is RequestKind.ERASE:
        return _("Nothing of it can be opened any more. Storage is being asked for proof that all of it is gone.")
    return _("A person reads it and answers.") if not shown.answers else _("Our answer so far:")


def _how_it_ended(shown: Shown) -> str:
    ticket = shown.ticket
    assert ticket.outcome is not None
    if ticket.outcome is RequestOutcome.REFUSED:
        return _refused(ticket)
    if ticket.kind is RequestKind.COPY and ticket.outcome is RequestOutcome.DONE:
        if any(file.is_here for file in shown.files):
            return _("What you download is yours: we cannot erase it for you.")
        return _("Our copy of it is erased again. What you downloaded is yours.")
    if said := _ENDS.get((ticket.kind, ticket.outcome)):
        return _(said)
    return _("You took it back.") if ticket.outcome is RequestOutcome.WITHDRAWN else _("Answered.")


def _refused(ticket: Ticket) -> str:
    try:
        return _(correspondence.ground_of(ticket.refused_ground or "", ticket.kind).says)
    except WorkShotError:
        return _("It was refused. Our answer to you says why.")


def _downloads(shown: Shown, now: datetime) -> None:
    here = [file for file in shown.files if file.is_here]
    for file in here:
        widgets.show(widgets.stack(widgets.links([_file(file)]), widgets.clock(file.until, now=now)))
    if shown.receipt_id:
        receipt = f"/receipt/{shown.receipt_id}"
        file_link = widgets.DownloadLink(
            label=p_("to download", "receipt"),
            href=f"{receipt}.json",
            filename=f"workshot-receipt-{shown.ticket.number}.json",
            detail=_("signed, JSON"),
            primary=True,
        )
        to_print = widgets.el(
            "p", widgets.el("a", _("Read or print it"), href=receipt, target="_blank", rel="noopener")
        )
        widgets.show(widgets.row(widgets.links([file_link]), to_print), widgets.quiet(_(KEEP_IT)))


def _file(file: exports.ExportFile) -> widgets.DownloadLink:
    says = size(file.size)
    detail = _("ZIP, {size}", size=says)
    if file.of > 1:
        detail = _("ZIP, {size}, file {number} of {of}", size=says, number=file.number, of=file.of)
    return widgets.DownloadLink(
        label=p_("to download", "my data") if file.number == 1 else p_("to download", "more images"),
        href=f"/export/{file.copy_id}",
        filename=file.name,
        detail=detail,
        primary=file.number == 1,
    )


def _undo(svc: Services, me: str, ticket: Ticket) -> None:
    with st.container(horizontal=True):
        _press(_("Take it back"), f"undo-{ticket.id}", lambda: requests.undo(svc, me, ticket.id), primary=True)
        with st.container(key=f"ws-danger-now-{ticket.id}", width="content"):
            _press(_("Erase all of it now"), f"now-{ticket.id}", lambda: requests.begin_now(svc, me, ticket.id))


def _press(label: str, key: str, deed: Callable[[], object], *, primary: bool = False) -> None:
    if not st.button(label, key=key, type="primary" if primary else "secondary"):
        return
    try:
        deed()
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "due"))
        return
    st.rerun()
