"""
The privacy policy as a program: one document, made from the promises, the settings and what is known of others.

    policy.of(svc)              what this server promises: document, numbers, version
    policy.version(svc)         what a consent names
    policy.note(svc)            before a server serves anybody
    policy.text_of(svc, session, v)  what somebody agreed to then
"""

from typing import TYPE_CHECKING

from sqlmodel import Session

from core.policy import versions as _versions
from core.policy.agreed import Agreed, agreed, text_of, texts_of
from core.policy.differences import Change, Mark, changes
from core.policy.document import Document, Folded, Line, Row, Section, lines_of
from core.policy.drawing import Policy, drawn, of
from core.policy.numbers import Looser, Numbers, Other, loosened
from core.policy.versions import Version, announced, history, in_force, named, updated_at, withdraw

if TYPE_CHECKING:
    from core.services import Services

__all__ = [
    "Agreed",
    "Change",
    "Document",
    "Folded",
    "Line",
    "Looser",
    "Mark",
    "Numbers",
    "Other",
    "Policy",
    "Row",
    "Section",
    "Version",
    "agreed",
    "announced",
    "changes",
    "drawn",
    "history",
    "hold",
    "in_force",
    "lines_of",
    "loosened",
    "named",
    "note",
    "of",
    "text_of",
    "texts_of",
    "updated_at",
    "version",
    "version_in_force",
    "withdraw",
]


def version(svc: "Services") -> str:
    """The name of the text that is shown now, and that a consent given now is given to."""
    return of(svc).version


def note(svc: "Services") -> Version:
    """Before a server serves anybody. Raises BadSettings where what it would promise is not in force yet."""
    return _versions.note(svc, of(svc))


def hold(svc: "Services") -> None:
    """Before a worker works. Raises BadSettings where its settings promise less than what is in force."""
    _versions.hold(svc, of(svc))


def version_in_force(svc: "Services", session: Session) -> str:
    """What binds now, for those who show no text themselves: a worker need not have all that texts are made of."""
    binding = in_force(history(session), svc.clock())
    return binding.hash if binding else version(svc)
