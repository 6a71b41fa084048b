"""
A receipt in words, for the check page, the printed one and the command line: in the reader's language, from what is
signed. Times are UTC: paper has no zone.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.language import N_, _, n_, number, p_, size
from core.models import CopyKind, ProviderCopyKind, RequestChannel
from core.receipts import sentences
from core.receipts.statement import Elsewhere, ErasedCopy, Probe, Statement

_CAME: Final[Mapping[str, str]] = {
    RequestChannel.PRODUCT.value: N_("Request {number}, to erase, came on the site on {at}."),
    RequestChannel.EMAIL.value: N_("Request {number}, to erase, came by e-mail on {at}."),
    RequestChannel.HAND.value: N_("Request {number}, to erase, came in person on {at}."),
}
_CAME_ELSEHOW: Final = N_("Request {number}, to erase, came {channel} on {at}.")
_KINDS: Final[Mapping[str, str]] = {
    CopyKind.PORTRAIT.value: N_("Photo"),
    CopyKind.CLOTHING.value: N_("Clothing picture"),
    CopyKind.BACKDROP.value: N_("Backdrop picture"),
    CopyKind.HEADSHOT.value: N_("Headshot"),
    CopyKind.EXPORT.value: N_("Copy of your data"),
}
_COUNTED: Final[Mapping[str, Callable[[int], str]]] = {
    CopyKind.PORTRAIT.value: lambda n: n_("{n} photo", "{n} photos", n),
    CopyKind.CLOTHING.value: lambda n: n_("{n} clothing picture", "{n} clothing pictures", n),
    CopyKind.BACKDROP.value: lambda n: n_("{n} backdrop picture", "{n} backdrop pictures", n),
    CopyKind.HEADSHOT.value: lambda n: n_("{n} headshot", "{n} headshots", n),
    CopyKind.EXPORT.value: lambda n: n_("{n} copy of your data", "{n} copies of your data", n),
}
_ELSEWHERE: Final[Mapping[str, str]] = {
    ProviderCopyKind.UPLOAD.value: N_("At {provider}: uploaded photo"),
    ProviderCopyKind.RESULT.value: N_("At {provider}: headshot made there"),
}
_ASKED: Final[Mapping[str, str]] = {
    "object": N_("asked for itself: {answer} ({at})"),
    "listing": N_("looked for in the listing: {answer} ({at})"),
}


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
        title=_("Receipt {number}", number=said.number),
        proves=tuple(_proves(said)),
        does_not=tuple(sentences.in_words((one.says for one in said.not_proved), said.elsewhere)),
        facts=tuple(_facts(said)),
        copies=(
            *((_name(copy), _done(copy)) for copy in said.copies),
            *((_name_elsewhere(copy), _looked_after(copy)) for copy in said.elsewhere),
        ),
    )


def _proves(said: Statement) -> list[str]:
    came = _CAME.get(said.channel, _CAME_ELSEHOW)
    told = [_(came, number=said.request_number, channel=said.channel, at=_at(said.received_at))]
    if said.copies:
        told.append(
            _(
                "{copies}: each was erased, then asked for in two ways, and storage had it no more.",
                copies=_sum(said),
            )
        )
    if said.copies_gone_before:
        told.append(
            n_(
                "{n} picture had been erased and proved before the request came.",
                "{n} pictures had been erased and proved before the request came.",
                said.copies_gone_before,
            )
        )
    if not said.copies and not said.copies_gone_before:
        told.append(_("Nothing was held."))
    told += _ended_elsewhere(said)
    if said.proved_at:
        told.append(_all_gone(said, said.proved_at))
    if said.key_destroyed_at:
        told.append(_("The key that opened these pictures was destroyed on {at}.", at=_at(said.key_destroyed_at)))
    return told


def _ended_elsewhere(said: Statement) -> list[str]:
    ended = Counter(copy.provider for copy in said.elsewhere if copy.gone_at)
    return [
        n_(
            "{n} picture at {provider}, which only {provider} can erase: asked for twice, a quarter of an hour apart, "
            "and refused both times.",
            "{n} pictures at {provider}, which only {provider} can erase: asked for twice, a quarter of an hour apart, "
            "and refused both times.",
            count,
            provider=provider,
        )
        for provider, count in sorted(ended.items())
    ]


def _all_gone(said: Statement, proved_at: datetime) -> str:
    """Where others have copies, too, it is all that was here."""
    in_time = proved_at <= said.due_at
    known = {"at": _at(proved_at), "length": _length(abs(said.due_at - proved_at))}
    if said.elsewhere:
        if in_time:
            return _(
                "All here was shown to be gone on {at}, {length} before the promised time was over.",
                **known,
            )
        return _("All here was shown to be gone on {at}, {length} after the promised time was over.", **known)
    if in_time:
        return _("All was shown to be gone on {at}, {length} before the promised time was over.", **known)
    return _("All was shown to be gone on {at}, {length} after the promised time was over.", **known)


def _facts(said: Statement) -> list[tuple[str, str]]:
    steps = (
        (_("Received"), said.received_at),
        (_("Due by"), said.due_at),
        (_("Erasing began"), said.started_at),
        (_("Erased"), said.erased_at),
        (_("Proved gone"), said.proved_at),
        (_("Key destroyed"), said.key_destroyed_at),
        (_("Receipt made"), said.made_at),
    )
    return [
        (_("Request"), said.request_number),
        *((name, _at(at)) for name, at in steps if at is not None),
        (_("Policy version"), said.policy),
        (_("Audit log"), _("entry {number}, hash {hash}", number=number(said.audit_seq), hash=said.audit_hash)),
        (_("Signed with key"), said.key_id),
        (_("Salt"), said.salt),
    ]


def _sum(said: Statement) -> str:
    kinds = Counter(copy.kind for copy in said.copies)
    named = ", ".join(_counted(kind, count) for kind, count in sorted(kinds.items()))
    return f"{named} ({size(said.size)})"


def _counted(kind: str, count: int) -> str:
    return _COUNTED[kind](count) if kind in _COUNTED else f"{number(count)} {kind}"


def _name(copy: ErasedCopy) -> str:
    return f"{_(_KINDS[copy.kind]) if copy.kind in _KINDS else copy.kind.capitalize()}, {size(copy.size)}"


def _done(copy: ErasedCopy) -> str:
    asked = "; ".join(map(_asked, copy.probes))
    vain = n_("{n} earlier answer proved nothing.", "{n} earlier answers proved nothing.", copy.asked_in_vain)
    told = (
        _("Erased {at} in {place}; {asked}.", at=_at(copy.erased_at), place=copy.place, asked=asked),
        vain if copy.asked_in_vain else "",
        _("Salted hash of its id {id}, of its object key {key}.", id=copy.id_hash, key=copy.key_hash),
    )
    return " ".join(filter(None, told))


def _asked(probe: Probe) -> str:
    answer = p_("what storage answered", "absent") if probe.answer == "absent" else probe.answer
    if probe.asked not in _ASKED:
        return f"{probe.asked}: {answer} ({_at(probe.at)})"
    return _(_ASKED[probe.asked], answer=answer, at=_at(probe.at))


def _name_elsewhere(copy: Elsewhere) -> str:
    if copy.kind not in _ELSEWHERE:
        return _("At {provider}: {kind}", provider=copy.provider, kind=copy.kind)
    return _(_ELSEWHERE[copy.kind], provider=copy.provider)


def _looked_after(copy: Elsewhere) -> str:
    known = {"provider": copy.provider, "at": _at(copy.ends_at)}
    if copy.dated_by == "provider":
        ends = _("Not ours to erase. Ends there {at}, as {provider} says.", **known)
    else:
        ends = _("Not ours to erase. Ends there {at}, the longest that {provider} documents.", **known)
    gone = _("Shown to be gone {at}.", at=_at(copy.gone_at)) if copy.gone_at else _("Not shown to be gone.")
    told = (
        ends,
        _("It was still open after that.") if copy.open_after_its_end else "",
        gone,
        _("Salted hash of its id {id}.", id=copy.id_hash),
    )
    return " ".join(filter(None, told))


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _length(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 60:
        return _("{seconds} s", seconds=seconds)
    return _("{hours} h {minutes} min", hours=seconds // 3600, minutes=seconds // 60 % 60)
