"""Asking before something is gone for good.

The thing and the number are named, it is said that nothing brings them back, and where much goes
a word is typed.
Whether the question is open is kept in the session, so a rerun from anywhere else leaves it on the screen.
"""

import streamlit as st

from core.language import N_, _
from core.ui.widgets.html import el
from core.ui.widgets.markup import note, stack


def danger_button(label: str, *, key: str, disabled: bool = False) -> bool:
    """Outlined, never filled: it stands beside the primary button and does not call."""
    with st.container(key=f"ws-danger-{key}", width="content"):
        return st.button(label, key=key, disabled=disabled)


def confirm(
    trigger: str,
    *,
    title: str,
    sentence: str,
    button_label: str,
    key: str,
    typed_word: str | None = None,
    stays: str = "",
) -> bool:
    """A danger button and its question. True in the one run after "yes". `stays`: what is not gone after it."""
    if danger_button(trigger, key=key):
        open_confirm(key)
    return confirm_dialog(
        title, sentence=sentence, button_label=button_label, key=key, typed_word=typed_word, stays=stays
    )


def open_confirm(key: str) -> None:
    """Opens the question of `confirm_dialog(key=key)` in this run, for triggers of another kind."""
    st.session_state[_open(key)] = True


def is_asked(key: str) -> bool:
    return bool(st.session_state.get(_open(key)))


def is_asking() -> bool:
    """Whether any question is open: nothing else should draw the page anew just then."""
    return any(str(name).startswith(_open("")) and is_open for name, is_open in st.session_state.items())


def confirm_dialog(
    title: str,
    *,
    sentence: str,
    button_label: str,
    key: str,
    typed_word: str | None = None,
    final: bool = True,
    stays: str = "",
) -> bool:
    """The question alone. Call it in every run; it shows once `open_confirm(key)` was called. `final`: it is about
    what nothing brings back."""
    if st.session_state.pop(_yes(key), False):
        return True
    if st.session_state.get(_open(key)):
        dialog = st.dialog(title, on_dismiss=lambda: _close(key))(_question)
        dialog(sentence, button_label, key, typed_word, final, stays)
    return False


def _question(sentence: str, button_label: str, key: str, typed_word: str | None, final: bool, stays: str) -> None:
    st.html(stack(el("p", sentence)))
    if stays:
        st.html(stack(note(stays)))
    with st.form(key=f"{key}-form", border=False):
        typed = st.text_input(_("Type {word} to confirm", word=typed_word), key=f"{key}-typed") if typed_word else None
        if final:
            st.html(stack(note(_("This cannot be undone."), "due")))
        with st.container(horizontal=True):
            with st.container(key=f"ws-danger-{key}-yes", width="content"):
                said_yes = st.form_submit_button(button_label, key=f"{key}-yes")
            said_no = st.form_submit_button(_("Keep everything") if final else _("Leave it"), key=f"{key}-no")
    if said_no:
        _close(key)
        st.rerun()
    if said_yes and typed_word and (typed or "").strip().casefold() != typed_word.casefold():
        nothing = N_("Nothing was erased: type {word} first.") if final else N_("Nothing was done: type {word} first.")
        st.html(stack(note(_(nothing, word=typed_word), "unknown")))
    elif said_yes:
        _close(key)
        st.session_state[_yes(key)] = True
        st.rerun()


def _open(key: str) -> str:
    return f"ws-open:{key}"


def _yes(key: str) -> str:
    return f"ws-yes:{key}"


def _close(key: str) -> None:
    st.session_state.pop(_open(key), None)
