"""What a person may ask for about their data: a copy, the end of all of it, a correction, an answer.

Each question is asked once and stays in the session until it is answered, so that a page that draws itself anew takes
no half-typed words away.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from core import access, requests
from core.errors import WorkShotError
from core.language import N_, _
from core.models import Copy, CopyKind, ProviderCopy, RequestKind, RequestState, new_id
from core.requests import Ticket
from core.services import Services
from core.ui import widgets
from core.ui.screens import makers, runs

MINUTES: Final = int(requests.UNDO.total_seconds() // 60)
ADDRESS: Final = N_("E-mail (optional)")
KEPT: Final = N_("Kept sealed, used for this request alone, and forgotten when it is closed.")
IN_WRITING: Final[Mapping[RequestKind, str]] = {
    RequestKind.QUESTION: N_("Ask a question"),
    RequestKind.CORRECT: N_("Have something corrected"),
    RequestKind.OBJECT: N_("Object, or withdraw my consent"),
}
_ANSWERED: Final = (RequestKind.QUESTION, RequestKind.CORRECT)
"""There is nothing to see of these but an answer, and people on duty answer by mail."""
_ASKED = "asked-for"  # in the session: the question that is open
_OPEN = (RequestState.OPEN, RequestState.WAITING, RequestState.UNDO, RequestState.WORKING)


def your_data(
    svc: Services, me: str, held: Sequence[Copy], elsewhere: Sequence[ProviderCopy], tickets: Sequence[Ticket]
) -> None:
    """The ways to ask, as long as there is something to ask about; and what lies where we cannot erase it."""
    under_way = {ticket.kind for ticket in tickets if ticket.state in _OPEN}
    st.header(_("Your data"), anchor="your-data")
    if stays := makers.not_ours(svc, elsewhere, svc.clock()):
        widgets.show(widgets.note(stays, "info"))
    if held:
        with st.container(border=True, key="your-data-ways"):
            _way(
                _("A copy of all of it"),
                _(
                    "Your images, and all else that is held about you, as a ZIP. It is packed in a moment and is here "
                    "for up to 24 hours."
                ),
                _("Get a copy of my data"),
                "copy",
                under_way=RequestKind.COPY in under_way,
            )
            _way(
                _("Erasing all of it"),
                _(
                    "All your images are erased. You have {minutes} minutes to take it back, and get a signed receipt "
                    "when storage has shown that all of it is gone.",
                    minutes=MINUTES,
                ),
                _("Erase everything"),
                "erase",
                under_way=RequestKind.ERASE in under_way,
                danger=True,
            )
    _in_writing(svc, me)
    stays_here = _("Nothing is erased. Your claim code opens your photos again.")
    if held and st.button(_("Close on this browser"), help=stays_here):
        access.close(svc, me)
        st.session_state.clear()
        st.rerun()
    _questions(svc, me, held, elsewhere)


def _way(title: str, says: str, label: str, name: str, *, under_way: bool, danger: bool = False) -> None:
    widgets.show(widgets.stack(widgets.el("strong", title), widgets.quiet(says)))
    if under_way:
        widgets.show(widgets.state_chip("counting", _("Under way, see above")))
        return
    asks = widgets.danger_button(label, key=f"ask-{name}") if danger else st.button(label, key=f"ask-{name}")
    if asks:
        st.session_state[_ASKED] = name


# ----------------------------------------------------------------------------------------------------------- questions
def _questions(svc: Services, me: str, held: Sequence[Copy], elsewhere: Sequence[ProviderCopy]) -> None:
    """The dialog that is open, if one is."""
    asked = st.session_state.get(_ASKED) if held else None
    if asked == "erase":
        st.dialog(_("Erase everything"), on_dismiss=_close)(_erase)(svc, me, held, elsewhere)
    elif asked == "copy":
        st.dialog(_("A copy of my data"), on_dismiss=_close)(_copy)(svc, me)


def _close() -> None:
    st.session_state.pop(_ASKED, None)


def _erase(svc: Services, me: str, held: Sequence[Copy], elsewhere: Sequence[ProviderCopy]) -> None:
    what = runs.what_is_held([copy for copy in held if copy.kind is not CopyKind.EXPORT])
    begins = _(
        "It begins in {minutes} minutes. Until then you can take it back, here or wherever your claim code opens "
        "this page. Afterwards nothing brings them back.",
        minutes=MINUTES,
    )
    widgets.show(
        widgets.el(
            "p", _("This erases {what}, and whatever was made of them. What is being made is stopped.", what=what)
        ),
        widgets.note(begins, "due"),
    )
    if stays := makers.not_ours(svc, elsewhere, svc.clock()):
        widgets.show(widgets.note(f"{stays} {_('The receipt lists them.')}", "info"))
    with st.form("erase-form", border=False, enter_to_submit=False):
        address = _address(_("For the receipt"), _("We send the receipt there, too."))
        with st.container(horizontal=True):
            with st.container(key="ws-danger-erase-yes", width="content"):
                yes = st.form_submit_button(_("Erase {what}", what=what), key="erase-yes")
            no = st.form_submit_button(_("Keep everything"), key="erase-no")
    _settle(svc, me, RequestKind.ERASE, yes=yes, no=no, address=address)


def _copy(svc: Services, me: str) -> None:
    packed = _(
        "The ZIP has every image of yours and all that is held about you: choices, times, consents, clocks, requests. "
        "Only you can fetch it, on this page."
    )
    clock = _("Our copy of it is erased after 24 hours. Images that go sooner come in a ZIP that goes with them.")
    widgets.show(widgets.el("p", packed), widgets.note(clock, "info"))
    with st.form("copy-form", border=False, enter_to_submit=False):
        address = _address(_("For a note when it is ready"), _("The copy itself is never sent by mail."))
        with st.container(horizontal=True):
            yes = st.form_submit_button(_("Pack it now"), key="copy-yes", type="primary")
            no = st.form_submit_button(_("Not now"), key="copy-no")
    _settle(svc, me, RequestKind.COPY, yes=yes, no=no, address=address)


def _address(placeholder: str, says: str) -> str:
    helps = f"{says} {_(KEPT)}"
    given = st.text_input(_(ADDRESS), key="ask-address", autocomplete="email", help=helps, placeholder=placeholder)
    return given or ""


def _settle(svc: Services, me: str, kind: RequestKind, *, yes: bool, no: bool, address: str) -> None:
    if no or (yes and _opened(svc, me, kind, address=address)):
        _close()
        st.session_state.pop("ask-address", None)
        st.rerun()


def _opened(svc: Services, me: str, kind: RequestKind, *, words: str = "", address: str = "") -> bool:
    """A double press is one request: the press is named before, and forgotten after."""
    press = f"press-{kind.value}"
    press_id = st.session_state.setdefault(press, new_id())
    try:
        requests.open_in_product(svc, me, kind=kind, press_id=press_id, words=words, address=address)
    except WorkShotError as exc:
        widgets.show(widgets.note(str(exc), "due"))
        return False
    st.session_state.pop(press, None)
    return True


# ---------------------------------------------------------------------------------------------------------- in writing
def _in_writing(svc: Services, me: str) -> None:
    with st.expander(_("Something else about your data"), type="compact", key="in-writing"):
        if st.session_state.pop("sent-in-writing", None):
            widgets.show(widgets.note(_("Sent. You find it under Your requests, with its clock."), "kept"))
        with st.form("in-writing-form", border=False, enter_to_submit=False):
            kinds, names = list(IN_WRITING), {kind: _(name) for kind, name in IN_WRITING.items()}
            turn = st.session_state.setdefault("in-writing-turn", 0)  # a new one empties the form
            kind = st.radio(_("What is it about?"), kinds, format_func=names.__getitem__, key=f"in-kind-{turn}")
            words = st.text_area(
                _("In your words"),
                key=f"in-words-{turn}",
                max_chars=requests.MOST_WORDS,
                placeholder=_("No claim code, please: it opens your photos."),
            )
            address = st.text_input(
                _("E-mail, for our answer"),
                key=f"in-address-{turn}",
                autocomplete="email",
                help=f"{_('An objection needs none: you see here what became of it.')} {_(KEPT)}",
            )
            sent = st.form_submit_button(_("Send"), key="in-writing-send")
        if not sent:
            return
        if not words.strip():
            widgets.show(widgets.note(_("Please write a sentence or two, so that we know what to do."), "due"))
        elif not (address or "").strip() and kind in _ANSWERED:
            widgets.show(widgets.note(_("Please say where we may answer: without an address we cannot."), "due"))
        elif _opened(svc, me, kind, words=words, address=address or ""):
            st.session_state["in-writing-turn"] = turn + 1
            st.session_state["sent-in-writing"] = True
            st.rerun()
