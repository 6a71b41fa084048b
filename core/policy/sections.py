"""
What the policy says, apart from its promises: sections in their order, with the facts of this installation.

Sentences that bind us are promises: they stand in core/promises, are measured, and each is printed here once, under the
heading that `_PLACES` gives it. What stands here explains, names and lists. It holds no number of its own: settings,
clocks and tables have those. The few sentences that are read in one go come first; tables are folded below them.

All of it is said in the language of whoever asks: one source, a document for each language.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.language import N_, _, p_
from core.policy import others as elsewhere
from core.policy import tables
from core.policy.document import Document, Folded, Line, Section
from core.policy.numbers import Other
from core.promises import PROMISES, Promise
from core.settings import Settings

_PLACES: Final[Mapping[str, str]] = {
    "processed_here": "others",
    "erased_by_the_clock": "photos",
    "available_until": "photos",
    "gone_means_gone": "photos",
    "never_trained_on": "photos",
    "only_pixels_are_kept": "photos",
    "only_the_owner": "photos",
    "no_public_address": "photos",
    "backups_end_too": "kept",
    "records_end": "kept",
    "logs_at_most_a_year": "kept",
    "third_parties_by_name": "others",
    "nothing_is_sold": "others",
    "session_ends_with_the_browser": "cookies",
    "usage_belongs_to_nobody": "usage",
    "erased_on_request": "rights",
    "rights_in_time": "rights",
    "no_biometrics": "sensitive",
    "adults_only": "children",
    "encrypted": "security",
    "encrypted_on_the_way": "security",
    "breach_notice": "security",
    "notice_before_a_change": "changes",
}
_OTHERWISE: Final[Mapping[str, str]] = {
    "your photos": "photos",
    "who sees them": "others",
    "your requests": "rights",
    "this service": "security",
}
"""Where a promise of a group stands that has no place of its own yet. None is ever left out."""

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "what": (
        N_(
            "WorkShot, run by {who}, makes headshots from your photo. Marked sentences are promises, kept and "
            "measured. No legal advice."
        ),
    ),
    "contact": ("{contact}",),
}


def document(settings: Settings, others: Sequence[Other] = ()) -> Document:
    """The whole policy under these settings."""
    facts = _facts(settings)
    folded = _folded(settings, others)
    return Document(
        tuple(
            Section(
                id=name,
                title=title,
                lines=(*_promised(name, settings), *_said(name, facts)),
                folded=tuple(folded.get(name, ())),
            )
            for name, title in _titles().items()
        )
    )


def place_of(promise: Promise) -> str:
    """The section that a promise stands in."""
    return _PLACES.get(promise.id) or _OTHERWISE[promise.group]


def _titles() -> Mapping[str, str]:
    """Names and headings, in their order. A name is the section's address on the page: it stays when words change."""
    return {
        "what": _("What this is"),
        "photos": _("Your photos"),
        "kept": _("What is kept"),
        "others": _("Who else gets anything"),
        "cookies": _("Cookies"),
        "usage": _("Usage counts"),
        "rights": _("Your rights"),
        "sensitive": _("Sensitive data"),
        "children": _("Children"),
        "security": _("Security"),
        "more": _("Money, AI, law"),
        "changes": p_("of the policy", "Changes"),
        "contact": _("Contact"),
    }


def _promised(section: str, settings: Settings) -> Iterator[Line]:
    here = (promise for promise in PROMISES if place_of(promise) == section)
    return (Line(promise.filled(settings), promise.id) for promise in here)


def _said(section: str, facts: Mapping[str, str]) -> Iterator[Line]:
    return (Line(_(words, **facts)) for words in WORDS.get(section, ()))


def _folded(settings: Settings, others: Sequence[Other]) -> dict[str, list[Folded]]:
    who = settings.run_by or _somebody()
    return {
        "photos": [tables.choices(settings)],
        "kept": [tables.schedule(settings, others, who)],
        "others": elsewhere.tables(settings, others),
        "cookies": [tables.cookies(settings)],
        "usage": [tables.technical()],
        "rights": [tables.rights(settings), tables.california(settings)],
        "sensitive": [tables.sensitive(settings)],
        "more": [tables.money(who), tables.uses(), tables.hands(settings, who)],
    }


def _facts(settings: Settings) -> dict[str, str]:
    nobody = _("{who} (no name is set)", who=_somebody())
    return {"who": settings.run_by or nobody, "contact": _contact(settings)}


def _somebody() -> str:
    return p_("in the policy", "whoever runs this server")


def _contact(settings: Settings) -> str:
    where = settings.privacy_contact or _("no address is set. My photos works without.")
    return f"{settings.run_by}, {where}" if settings.run_by else where
