"""What a receipt says, as it is read back from one whose signature holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FORMAT = "workshot receipt 1"


@dataclass(frozen=True)
class Probe:
    """Storage was asked for a copy, and what it answered."""

    asked: str  # "object" or "listing"
    answer: str
    at: datetime


@dataclass(frozen=True)
class ErasedCopy:
    """A copy that was shown to be gone."""

    id_hash: str
    key_hash: str
    kind: str
    place: str
    size: int
    erased_at: datetime
    gone_at: datetime
    asked_in_vain: int
    probes: tuple[Probe, ...]


@dataclass(frozen=True)
class Elsewhere:
    """A copy at a third party: not ours to erase, only to look after."""

    id_hash: str
    provider: str
    kind: str
    noted_at: datetime
    ends_at: datetime
    dated_by: str
    open_after_its_end: bool
    gone_at: datetime | None


@dataclass(frozen=True)
class NotProved:
    """What the receipt does not show, and why."""

    what: str
    says: str


@dataclass(frozen=True)
class Statement:
    """The signed part of a receipt."""

    number: str
    revision: int
    made_at: datetime
    request_number: str
    request_kind: str
    channel: str
    received_at: datetime
    due_at: datetime
    started_at: datetime | None
    erased_at: datetime | None
    proved_at: datetime | None
    salt: str
    copies: tuple[ErasedCopy, ...]
    copies_gone_before: int
    elsewhere: tuple[Elsewhere, ...]
    key_destroyed_at: datetime | None
    not_proved: tuple[NotProved, ...]
    policy: str
    audit_seq: int
    audit_hash: str
    key_id: str

    @property
    def size(self) -> int:
        return sum(copy.size for copy in self.copies)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Statement":
        """Raises KeyError, TypeError or ValueError for what has another form."""
        request = told["request"]
        return cls(
            number=_text(told["receipt"]),
            revision=_number(told["revision"]),
            made_at=_at(told["made_at"]),
            request_number=_text(request["number"]),
            request_kind=_text(request["kind"]),
            channel=_text(request["channel"]),
            received_at=_at(request["received_at"]),
            due_at=_at(request["due_at"]),
            started_at=_at_or_none(request["started_at"]),
            erased_at=_at_or_none(request["erased_at"]),
            proved_at=_at_or_none(request["proved_at"]),
            salt=_text(told["salt"]),
            copies=tuple(_copy(copy) for copy in told["copies"]),
            copies_gone_before=_number(told["copies_gone_before"]),
            elsewhere=elsewhere_of(told),  # older receipts have none
            key_destroyed_at=_at_or_none(told["key_destroyed_at"]),
            not_proved=tuple(NotProved(_text(one["what"]), _text(one["says"])) for one in told["not_proved"]),
            policy=_text(told["policy"]),
            audit_seq=_number(told["audit"]["seq"]),
            audit_hash=_text(told["audit"]["hash"]),
            key_id=_text(told["key_id"]),
        )


def _copy(told: Mapping[str, Any]) -> ErasedCopy:
    return ErasedCopy(
        id_hash=_text(told["id_hash"]),
        key_hash=_text(told["object_key_hash"]),
        kind=_text(told["kind"]),
        place=_text(told["place"]),
        size=_number(told["bytes"]),
        erased_at=_at(told["erased_at"]),
        gone_at=_at(told["gone_at"]),
        asked_in_vain=_number(told["asked_in_vain"]),
        probes=tuple(Probe(_text(one["asked"]), _text(one["answer"]), _at(one["at"])) for one in told["probes"]),
    )


def elsewhere_of(told: Mapping[str, Any]) -> tuple[Elsewhere, ...]:
    """Raises as `Statement.of` does."""
    return tuple(_elsewhere(copy) for copy in told.get("elsewhere", ()))


def _elsewhere(told: Mapping[str, Any]) -> Elsewhere:
    return Elsewhere(
        id_hash=_text(told["id_hash"]),
        provider=_text(told["provider"]),
        kind=_text(told["kind"]),
        noted_at=_at(told["noted_at"]),
        ends_at=_at(told["ends_at"]),
        dated_by=_text(told["dated_by"]),
        open_after_its_end=_truth(told["open_after_its_end"]),
        gone_at=_at_or_none(told["gone_at"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a number")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a truth")
    return value


def _at(value: Any) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return at


def _at_or_none(value: Any) -> datetime | None:
    return None if value is None else _at(value)
