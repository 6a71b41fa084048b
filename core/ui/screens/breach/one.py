"""One breach that is open: its clock, drafts of what is to be told and to whom, and its end."""

from collections.abc import Mapping
from typing import Final

import streamlit as st

from core import breaches
from core.language import ENGLISH, NAMES, speaking
from core.models import Breach, BreachOutcome
from core.ui import widgets
from core.ui.screens.breach import lies
from core.ui.screens.breach.desk import Desk, do
from core.ui.screens.breach.noting import KIND_SAYS

WORD: Final = "tell"
OUTCOME_SAYS: Final = {
    BreachOutcome.TOLD: "The authority and people were told",
    BreachOutcome.NO_RISK: "Unlikely to be a risk to anybody: noted, not told",
    BreachOutcome.NONE: "It was no breach",
}


def one(desk: Desk, breach: Breach) -> None:
    with st.container(border=True):
        st.header(f"{breach.number}: {KIND_SAYS[breach.kind]}", anchor=False)
        widgets.show(_clock(desk, breach), _facts(desk, breach))
        _authority(desk, breach)
        _people(desk, breach)
        _end(desk, breach)


def _clock(desk: Desk, breach: Breach) -> widgets.Html:
    """It stands still once both were told."""
    told = (breach.authority_told_at, breach.people_told_at)
    done_at = max(at for at in told if at) if all(told) else None
    return widgets.timer(breach.due_at, now=desk.now, done_at=done_at)


def _facts(desk: Desk, breach: Breach) -> widgets.Html:
    then, now = breaches.exposure_of(breach), lies.counted(desk)
    return widgets.facts(
        [
            ("Noticed", desk.at(breach.noticed_at)),
            ("Noted", f"{desk.at(breach.noted_at)}, by operator {breach.noted_by}"),
            ("Lay here when it was noted", f"{then.images.copies:,} images of {then.people:,} people"),
            ("Lies here now", f"{now.images.copies:,} images of {now.people:,} people"),
            ("Authority told", desk.at(breach.authority_told_at)),
            ("People told", desk.at(breach.people_told_at)),
        ]
    )


# ------------------------------------------------------------------------------------------------------ the authority
def _authority(desk: Desk, breach: Breach) -> None:
    with st.expander("Draft for the authority (GDPR, Article 33)"):
        language = st.segmented_control(
            "Language", list(NAMES), default=ENGLISH, required=True, format_func=NAMES.__getitem__,
            key=f"breach-language-{breach.id}",
        ) or ENGLISH  # fmt: skip
        with speaking(language):
            text = breaches.for_the_authority(
                breach, desk.svc.settings, then=breaches.exposure_of(breach), now=lies.counted(desk)
            )
        widgets.show(widgets.quiet("What stands in square brackets, only you can know. Copy it, or save it as a file."))
        st.code(text, language=None, wrap_lines=True)
        widgets.show(widgets.text_file("Save it as a file", text, saved_as=f"{breach.number}-{language}.txt"))
    if breach.authority_told_at is None:
        with st.expander("The authority was told"):
            _note_authority(desk, breach)


def _note_authority(desk: Desk, breach: Breach) -> None:
    key = f"breach-authority-{breach.id}"
    with st.form(key=key, border=False):
        at = desk.ask_when("it was told", key=key)
        pressed = st.form_submit_button("Note that it was told")
    if pressed and at is not None:
        actor = desk.who.actor
        do("Noted.", lambda: breaches.authority_told(desk.svc, breach.id, at=at, actor=actor))


# ------------------------------------------------------------------------------------------------------------- people
def _people(desk: Desk, breach: Breach) -> None:
    if breach.people_told_at is not None:
        with st.expander("What people are told on every page"):
            for language, text in breaches.notice_of(breach).items():
                widgets.show(widgets.facts([(NAMES.get(language, language), text)]))
        return
    with st.expander("Tell people (GDPR, Article 34)"):
        widgets.show(
            widgets.quiet(
                "Nobody left an address: so it stands on top of every page, in the reader's language, until "
                f"{breaches.SHOWN_AFTER.days} days after the breach is closed. Plain words; at most "
                f"{breaches.MOST_CHARACTERS:,} characters each."
            )
        )
        texts = {language: _text(desk, breach, language) for language in NAMES}
        _publish(desk, breach, texts)


def _text(desk: Desk, breach: Breach, language: str) -> str:
    with speaking(language):
        draft = breaches.for_people(breach, desk.svc.settings, then=breaches.exposure_of(breach))
    key = f"breach-people-{language}-{breach.id}"
    return st.text_area(NAMES[language], value=draft, height=180, key=key) or ""


def _publish(desk: Desk, breach: Breach, texts: Mapping[str, str]) -> None:
    if widgets.confirm(
        "Tell people on every page",
        title="Tell people",
        sentence="From now on every page says so, to everybody who comes.",
        button_label="Tell people",
        key=f"breach-tell-{breach.id}",
        typed_word=WORD,
    ):
        do("Every page says so now.", lambda: _tell(desk, breach, texts))


def _tell(desk: Desk, breach: Breach, texts: Mapping[str, str]) -> None:
    breaches.tell_people(desk.svc, breach.id, texts, actor=desk.who.actor)
    breaches.look_again()


# ---------------------------------------------------------------------------------------------------------------- end
def _end(desk: Desk, breach: Breach) -> None:
    with st.expander("Close"):
        outcome: BreachOutcome = st.selectbox(
            "Outcome", list(OUTCOME_SAYS), format_func=lambda each: OUTCOME_SAYS[each], key=f"breach-out-{breach.id}"
        )
        if widgets.confirm(
            "Close this breach",
            title=f"Close {breach.number}",
            sentence=f"“{OUTCOME_SAYS[outcome]}”. It stays in the register.",
            button_label="Close it",
            key=f"breach-close-{breach.id}",
        ):
            do(f"{breach.number} is closed.", lambda: _close(desk, breach, outcome))


def _close(desk: Desk, breach: Breach, outcome: BreachOutcome) -> None:
    breaches.close(desk.svc, breach.id, outcome=outcome, actor=desk.who.actor)
    breaches.look_again()
