"""The policy as it is under these settings: its document, its numbers, and the hash by which both are known."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from core.canonical import as_json
from core.language import ENGLISH, NAMES, speaking
from core.policy import sections
from core.policy.document import Document
from core.policy.numbers import Numbers, Other, numbers
from core.settings import Settings

if TYPE_CHECKING:
    from core.services import Services

VERSION_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Policy:
    """All that is said and promised. Another word or another number is another version."""

    documents: Mapping[str, Document]
    numbers: Numbers
    texts: dict[str, str] = field(init=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        texts = {language: document.plain for language, document in self.documents.items()}
        whole = as_json({"numbers": dict(self.numbers), "texts": texts})
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "version", hashlib.sha256(whole.encode("ascii")).hexdigest()[:VERSION_DIGITS])

    def document(self, language: str = ENGLISH) -> Document:
        return self.documents.get(language) or self.documents[ENGLISH]


def of(svc: "Services") -> Policy:
    """What this server promises."""
    others = tuple(Other(name, provider.hand_over) for name, provider in sorted(svc.providers.items()))
    return drawn(svc.settings, others)


@lru_cache(maxsize=8)
def drawn(settings: Settings, others: tuple[Other, ...] = ()) -> Policy:
    """Settings never change while a server runs, and neither does this."""
    documents = {language: _in(language, settings, others) for language in NAMES}
    return Policy(documents=documents, numbers=numbers(settings, others))


def _in(language: str, settings: Settings, others: tuple[Other, ...]) -> Document:
    with speaking(language):
        return sections.document(settings, others)
