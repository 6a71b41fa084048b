"""
Check a receipt: choose its file or paste it, and read what it shows and what it does not.

Open to everyone; what is handed in is checked in memory and kept by nobody. In no menu: the guide, our mails and
the printed receipt lead here.
"""

import streamlit as st

from core import receipts
from core.language import _, n_
from core.ui import pages, session, widgets
from core.ui.app import services
from core.ui.linked import linked
from core.ui.widgets import Html, el

FILE, PASTED, VERDICT = "receipt-file", "receipt-pasted", "receipt-verdict"
SHOWN = 200
MEGABYTES = receipts.MOST_BYTES // 1024**2

svc = services()
now = svc.clock()


def check(data: bytes | None) -> None:
    if data is not None and data.strip():
        st.session_state[VERDICT] = receipts.check(svc, data)


def listed(lines: tuple[str, ...]) -> Html:
    return el("ul", *(el("li", line) for line in lines), class_="ws-points")


def ask() -> None:
    st.file_uploader(
        _("The receipt’s file"),
        type=["json"],
        key=session.upload_key(FILE),
        max_upload_size=MEGABYTES,
        on_change=lambda: check(session.take_upload(FILE)),
        help=_("It ends in .json and came with our mail."),
    )
    pasted = st.text_area(_("Or its text"), key=PASTED, height=120, placeholder='{ "signature": …, "statement": … }')
    if st.button(_("Check this text"), type="primary"):
        check(pasted.encode("utf-8", "replace"))
        if not pasted.strip():
            widgets.show(widgets.note(_("Paste the text of a receipt first.")))


def answer(verdict: receipts.Verdict) -> None:
    if verdict.statement is None:
        widgets.show(
            widgets.problem(
                _(verdict.finding.headline),
                _(verdict.says),
                _("A receipt that you have from us can be asked for again, with the number of your request."),
            )
        )
        return
    said = receipts.words(verdict.statement)
    newer = verdict.finding is receipts.Finding.SUPERSEDED
    widgets.show(widgets.note(el("strong", _(verdict.finding.headline)), "due" if newer else "kept"))
    widgets.show(el("p", _(verdict.says)))
    st.header(_("What it shows"), anchor=False)
    widgets.show(listed(said.proves))
    st.header(_("What it does not show"), anchor=False)
    widgets.show(listed(said.does_not))
    with st.expander(_("Instants, hashes and the audit entry"), type="compact"):
        widgets.show(widgets.facts(said.facts))
    if said.copies:
        with st.expander(n_("Each of {n} copy", "Each of {n} copies", len(said.copies)), type="compact"):
            widgets.show(widgets.facts(said.copies[:SHOWN]))
            if len(said.copies) > SHOWN:
                widgets.show(widgets.quiet(_("The first {number}; all of them stand in the file.", number=SHOWN)))


def without_us() -> None:
    st.header(_("Without trusting this page"), anchor="key")
    says = _(
        "All that is needed is the file and our public key. {how} has a verifier of a few lines; {keys}, the one in "
        "use and those before it."
    )
    how = el("a", _("How a receipt is written"), href="/receipt-format")
    keys = el("a", _("these are all our keys"), href="/receipt-key")
    widgets.show(
        el("p", *linked(says, how=how, keys=keys)),
        widgets.facts([(_("The key in use"), svc.signer.public_text), (_("Its id"), svc.signer.key_id)]),
    )


widgets.frame(_("Check a receipt"), _("Is it from us, and unchanged? It is checked here and not kept."), now=now)
ask()
if found := st.session_state.get(VERDICT):
    answer(found)
without_us()
st.page_link(pages.GUIDE, label=_("Back to the guide"))
