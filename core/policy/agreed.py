"""
What a person agreed to, and when, with the text of then: nobody has to take our word for what they were shown.

It is shown in the language in which they read it. The others are there as well, as far as they were kept: until there
was a second language, the text was English alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from core.language import ENGLISH
from core.models import Consent
from core.policy import drawing, versions

if TYPE_CHECKING:
    from core.services import Services


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """All consents that were given to one version in one language."""

    version: str
    language: str  # in which it was shown
    given_at: tuple[datetime, ...]  # the first one first
    texts: Mapping[str, str]  # language → the whole text; empty: it is from before texts were kept
    is_shown_now: bool

    @property
    def text(self) -> str | None:
        """What was shown. None: it was not kept."""
        return self.texts.get(self.language) or self.texts.get(ENGLISH)

    @property
    def others(self) -> Mapping[str, str]:
        """The same in other languages."""
        return {language: text for language, text in self.texts.items() if text != self.text}


def agreed(svc: "Services", session: Session, subject_id: str) -> Sequence[Agreed]:
    """By version and language, the one that was agreed to last first."""
    query = select(Consent).where(Consent.subject_id == subject_id).order_by(col(Consent.given_at))
    given: dict[tuple[str, str], list[datetime]] = {}
    for consent in session.exec(query).all():
        given.setdefault((consent.policy_version, consent.language), []).append(consent.given_at)
    here = drawing.of(svc).version
    found = [
        Agreed(
            version=version,
            language=language,
            given_at=tuple(at),
            texts=texts_of(svc, session, version),
            is_shown_now=version == here,
        )
        for (version, language), at in given.items()
    ]
    return sorted(found, key=lambda each: each.given_at[-1], reverse=True)


def texts_of(svc: "Services", session: Session, version: str) -> Mapping[str, str]:
    """Language → the whole text of a version. Empty: it is from before texts were kept."""
    here = drawing.of(svc)
    if version == here.version:
        return here.texts
    kept = versions.named(session, version)
    return kept.texts if kept else {}


def text_of(svc: "Services", session: Session, version: str, language: str = ENGLISH) -> str | None:
    """The text of a version in a language, else in English. None: it is from before texts were kept."""
    texts = texts_of(svc, session, version)
    return texts.get(language) or texts.get(ENGLISH)
