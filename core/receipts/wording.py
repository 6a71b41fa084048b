"""A receipt in words, for the check page, the printed one and the command line. Times are UTC: paper has no zone."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.models import CopyKind, ProviderCopyKind, RequestChannel
from core.receipts.statement import Elsewhere, ErasedCopy, Statement

_CAME_BY = {
    RequestChannel.PRODUCT.value: "on the site",
    RequestChannel.EMAIL.value: "by e-mail",
    RequestChannel.HAND.value: "in person",
}
_KINDS = {
    CopyKind.PORTRAIT.value: ("photo", "photos"),
    CopyKind.CLOTHING.value: ("clothing picture", "clothing pictures"),
    CopyKind.BACKDROP.value: ("backdrop picture", "backdrop pictures"),
    CopyKind.HEADSHOT.value: ("headshot", "headshots"),
    CopyKind.EXPORT.value: ("copy of your data", "copies of your data"),
}
_ELSEWHERE = {
    ProviderCopyKind.UPLOAD.value: "uploaded photo",
    ProviderCopyKind.RESULT.value: "headshot made there",
}
_ASKED_FOR = {"object": "asked for itself", "listing": "looked for in the listing"}


@dataclass(frozen=True)
class Words:
    """What a receipt shows, and what it does not."""

    title: str
    proves: tuple[str, ...]
    does_not: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    copies: tuple[tuple[str, str], ...]
    """A name for each copy, and what was done to it."""


def words(said: Statement) -> Words:
    return Words(
        title=f"Receipt {said.number}",
        proves=tuple(_proves(said)),
        does_not=tuple(one.says for one in said.not_proved),
        facts=tuple(_facts(said)),
        copies=(
            *((_name(copy), _done(copy)) for copy in said.copies),
            *((_name_elsewhere(copy), _looked_after(copy)) for copy in said.elsewhere),
        ),
    )


def _proves(said: Statement) -> list[str]:
    came = _CAME_BY.get(said.channel, said.channel)
    told = [f"Request {said.request_number}, to erase, came {came} on {_at(said.received_at)}."]
    if said.copies:
        told.append(f"{_sum(said)}: each was erased, then asked for in two ways, and storage had it no more.")
    if said.copies_gone_before:
        told.append(f"{_count(said.copies_gone_before, 'picture')} had been erased and proved before the request came.")
    if not said.copies and not said.copies_gone_before:
        told.append("Nothing was held.")
    told += _ended_elsewhere(said)
    if said.proved_at:
        here = "here " if said.elsewhere else ""
        in_time = _against(said.proved_at, said.due_at)
        told.append(f"All {here}was shown to be gone on {_at(said.proved_at)}, {in_time}.")
    if said.key_destroyed_at:
        told.append(f"The key that opened these pictures was destroyed on {_at(said.key_destroyed_at)}.")
    return told


def _ended_elsewhere(said: Statement) -> list[str]:
    ended = Counter(copy.provider for copy in said.elsewhere if copy.gone_at)
    return [
        f"{_count(number, 'picture')} at {provider}, which only {provider} can erase: asked for twice, a quarter of an "
        "hour apart, and refused both times."
        for provider, number in sorted(ended.items())
    ]


def _facts(said: Statement) -> list[tuple[str, str]]:
    steps = (
        ("Received", said.received_at),
        ("Due by", said.due_at),
        ("Erasing began", said.started_at),
        ("Erased", said.erased_at),
        ("Proved gone", said.proved_at),
        ("Key destroyed", said.key_destroyed_at),
        ("Receipt made", said.made_at),
    )
    return [
        ("Request", said.request_number),
        *((name, _at(at)) for name, at in steps if at is not None),
        ("Policy version", said.policy),
        ("Audit log", f"entry {said.audit_seq:,}, hash {said.audit_hash}"),
        ("Signed with key", said.key_id),
        ("Salt", said.salt),
    ]


def _sum(said: Statement) -> str:
    kinds = Counter(copy.kind for copy in said.copies)
    named = ", ".join(_count(number, *_kind(kind)) for kind, number in sorted(kinds.items()))
    return f"{named} ({_size(said.size)})"


def _name(copy: ErasedCopy) -> str:
    return f"{_kind(copy.kind)[0].capitalize()}, {_size(copy.size)}"


def _done(copy: ErasedCopy) -> str:
    asked = "; ".join(
        f"{_ASKED_FOR.get(probe.asked, probe.asked)}: {probe.answer} ({_at(probe.at)})" for probe in copy.probes
    )
    vain = f" {_count(copy.asked_in_vain, 'earlier answer')} proved nothing." if copy.asked_in_vain else ""
    hashes = f"Salted hash of its id {copy.id_hash}, of its object key {copy.key_hash}."
    return f"Erased {_at(copy.erased_at)} in {copy.place}; {asked}.{vain} {hashes}"


def _name_elsewhere(copy: Elsewhere) -> str:
    return f"At {copy.provider}: {_ELSEWHERE.get(copy.kind, copy.kind)}"


def _looked_after(copy: Elsewhere) -> str:
    by = f"as {copy.provider} says" if copy.dated_by == "provider" else f"the longest that {copy.provider} documents"
    still = " It was still open after that." if copy.open_after_its_end else ""
    gone = f"Shown to be gone {_at(copy.gone_at)}." if copy.gone_at else "Not shown to be gone."
    return (
        f"Not ours to erase. Ends there {_at(copy.ends_at)}, {by}.{still} {gone} Salted hash of its id {copy.id_hash}."
    )


def _kind(kind: str) -> tuple[str, str]:
    return _KINDS.get(kind, (kind, kind))


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _against(done: datetime, due: datetime) -> str:
    if done <= due:
        return f"{_length(due - done)} before the promised time was over"
    return f"{_length(done - due)} after the promised time was over"


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes else f"{int(span.total_seconds())} s"


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB" if size >= 1000 else f"{size} bytes"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
