"""What there is to say of a file: a few words, none of its bytes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    KEPT = "kept"
    ABSENT = "absent"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # it is there, and could not be checked


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An AI mark in the XMP: plain words that anyone could have written, and not bound to the pixels."""

    state: State = State.ABSENT
    ours: bool = False  # whole, and written as this program writes it
    source_type: str = ""  # the IPTC's term, its last word
    system: str = ""
    version: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Content Credentials (C2PA), as their own library reads them."""

    state: State = State.ABSENT
    ours: bool = False  # signed with this server's own certificate: it was made here
    signer: str = ""  # as the certificate names it; whether to trust it is another question
    made_with: str = ""
    source_types: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()  # codes of the standard


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that was found."""

    format: str
    width: int | None
    height: int | None
    mark: Mark
    credentials: Credentials

    @property
    def is_silent(self) -> bool:
        return self.mark.state is State.ABSENT and self.credentials.state is State.ABSENT
