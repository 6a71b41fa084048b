"""What a person agreed to, and when, with the text of then: nobody has to take our word for what they were shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from core.models import Consent
from core.policy import drawing, versions

if TYPE_CHECKING:
    from core.services import Services


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """All consents that were given to one version."""

    version: str
    given_at: tuple[datetime, ...]  # the first one first
    text: str | None  # None: it is from before texts were kept
    is_shown_now: bool


def agreed(svc: "Services", session: Session, subject_id: str, language: str = "en") -> Sequence[Agreed]:
    """By version, the one that was agreed to last first."""
    query = select(Consent).where(Consent.subject_id == subject_id).order_by(col(Consent.given_at))
    given: dict[str, list[datetime]] = {}
    for consent in session.exec(query).all():
        given.setdefault(consent.policy_version, []).append(consent.given_at)
    here = drawing.of(svc).version
    found = [
        Agreed(
            version=version,
            given_at=tuple(at),
            text=text_of(svc, session, version, language),
            is_shown_now=version == here,
        )
        for version, at in given.items()
    ]
    return sorted(found, key=lambda each: each.given_at[-1], reverse=True)


def text_of(svc: "Services", session: Session, version: str, language: str = "en") -> str | None:
    """The whole text of a version. None: it is from before texts were kept."""
    here = drawing.of(svc)
    if version == here.version:
        return here.texts.get(language) or here.texts["en"]
    kept = versions.named(session, version)
    return kept.text(language) if kept else None
