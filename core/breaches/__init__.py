"""
Breaches: from the moment that somebody knows, to the last person told.

* `register`: what was noted, when it is due, who was told, how it ended. Its rows stay, as GDPR, Article 33(5) asks;
  they hold kinds, instants and counts, nothing of anybody.
* `notices`: drafts for the authority (Article 33(3)) and for people (Article 34), made of what is known here, with a
  mark wherever only a person can know.
* `telling`: people on duty hear of it at once, and again before its 72 hours are over.
* `shout`: what people are told, on every page.
"""

from core.breaches.notices import for_people, for_the_authority
from core.breaches.register import (
    MOST_CHARACTERS,
    SHOWN_AFTER,
    TOLD_WITHIN,
    Overdue,
    all_of_them,
    authority_told,
    close,
    exposure_of,
    note,
    notice_of,
    overdue,
    tell_people,
)
from core.breaches.shout import look_again, told_now
from core.breaches.telling import tell

__all__ = [
    "MOST_CHARACTERS",
    "SHOWN_AFTER",
    "TOLD_WITHIN",
    "Overdue",
    "all_of_them",
    "authority_told",
    "close",
    "exposure_of",
    "for_people",
    "for_the_authority",
    "look_again",
    "note",
    "notice_of",
    "overdue",
    "tell",
    "tell_people",
    "told_now",
]
