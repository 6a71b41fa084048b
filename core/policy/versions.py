"""
Versions of the policy: which text is in force, which one is announced, and what may not be promised yet.

A version is its text and its numbers, known by their hash. A server notes what it is about to promise before it serves
anybody. Where that promises less than what is in force, it is announced instead, comes into force when its notice is
over, and the server does not start with it before; the older numbers bind, and the message says what to set meanwhile.
More, or other words for the same, is in force at once. Photos that are here already are touched by none of this: their
clocks were fixed when they were added.

Whoever runs jobs alone shows no text to anybody, and may be set up without what only texts need: it notes nothing. It
still does not start with numbers that promise less than what is in force.

Where nobody has ever agreed to anything here, nobody was promised anything: a server that is still being set up
announces nothing and waits for nothing.

What was announced can be withdrawn before its day: it stays in the list, and never comes into force. Announced once
more, its notice begins anew.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from core import audit, made_up
from core.canonical import as_json
from core.db import take_turns
from core.errors import BadSettings, NotAllowed, NotFound
from core.language import ENGLISH
from core.models import Consent, PolicyVersion, Subject
from core.policy.numbers import Looser, Numbers, instead, loosened

if TYPE_CHECKING:
    from core.policy.drawing import Policy
    from core.services import Services


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version that was noted. `id` is its name in the list, `hash` what it consists of: a text can come back."""

    id: str
    noted_at: datetime
    effective_at: datetime
    loosens: bool
    numbers: Numbers
    texts: dict[str, str]
    withdrawn_at: datetime | None = None

    @property
    def hash(self) -> str:
        return self.id.partition(".")[0]

    def text(self, language: str = ENGLISH) -> str:
        return self.texts.get(language) or self.texts[ENGLISH]

    def comes(self, now: datetime) -> bool:
        """It is announced, and was not withdrawn."""
        return self.effective_at > now and self.withdrawn_at is None

    def came(self, now: datetime) -> bool:
        """It was in force, or is."""
        return self.effective_at <= now and self.withdrawn_at is None


# ----------------------------------------------------------------------------------------------------------- reading
def history(session: Session) -> list[Version]:
    """All of them, the oldest first."""
    rows = session.exec(select(PolicyVersion).order_by(col(PolicyVersion.noted_at), col(PolicyVersion.version))).all()
    return [_version(row) for row in rows]


def in_force(versions: Sequence[Version], now: datetime) -> Version | None:
    """What binds now: the last that came into force. None: nothing was noted yet."""
    return max((v for v in versions if v.came(now)), key=lambda v: (v.effective_at, v.noted_at), default=None)


def announced(versions: Sequence[Version], now: datetime) -> list[Version]:
    """What promises less and is not in force yet, the next one first."""
    return sorted((v for v in versions if v.comes(now)), key=lambda v: v.effective_at)


def updated_at(versions: Sequence[Version], shown: str, now: datetime) -> datetime | None:
    """Since when the text that is shown is in force."""
    came = [each.effective_at for each in versions if each.hash == shown and each.came(now)]
    return max(came, default=None)


def named(session: Session, version: str) -> Version | None:
    """The version that a consent, a receipt or an address names. None: its text was never stored."""
    row = session.get(PolicyVersion, version)
    return _version(row) if row else None


def _version(row: PolicyVersion) -> Version:
    return Version(
        id=row.version,
        noted_at=row.noted_at,
        effective_at=row.effective_at,
        loosens=row.loosens,
        numbers=json.loads(row.numbers),
        texts=json.loads(row.texts),
        withdrawn_at=row.withdrawn_at,
    )


# ------------------------------------------------------------------------------------------------------------ noting
def note(svc: "Services", policy: "Policy") -> Version:
    """For a server, before it serves anybody. Raises BadSettings where this may not be promised yet."""
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        known = history(session)
        binding = in_force(known, now)
        if binding is not None and binding.hash == policy.version:
            return binding
        less = _less(session, binding, policy)
        noted = _waiting(known, policy, now) if less else None
        if noted is None:
            notice = _notice(svc, binding) if less else timedelta(0)
            noted = _add(session, known, policy, now, loosens=bool(less), notice=notice)
    if noted.effective_at > now:
        raise BadSettings(_why_not(less, noted.effective_at, announced_now=noted.noted_at == now))
    return noted


def hold(svc: "Services", policy: "Policy") -> None:
    """For whoever only works. Raises BadSettings where its numbers promise less than what is in force."""
    with svc.reading() as session:
        known = history(session)
        binding = in_force(known, svc.clock())
        if less := _less(session, binding, policy):
            waiting = _waiting(known, policy, svc.clock())
            raise BadSettings(_why_not(less, waiting.effective_at if waiting else None))


def withdraw(svc: "Services", name: str, *, actor: str) -> Version:
    """What is announced is not to come. Raises NotFound for a name that none has, NotAllowed for what has come."""
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        row = session.get(PolicyVersion, name)
        if row is None:
            raise NotFound("There is no such version. `python -m core policy` lists them.")
        if row.withdrawn_at is None:
            if row.effective_at <= now:
                raise NotAllowed("This version is in force, or was: only what is announced can be withdrawn.")
            row.withdrawn_at = now
            audit.record(session, audit.Action.POLICY_WITHDRAWN, row.version, at=now, actor=actor)
            session.flush()
        return _version(row)


def _less(session: Session, binding: Version | None, policy: "Policy") -> tuple[Looser, ...]:
    """What promises less than it did to somebody."""
    less = loosened(binding.numbers, policy.numbers) if binding else ()
    return less if less and _anybody_agreed(session) else ()


def _notice(svc: "Services", binding: Version | None) -> timedelta:
    """By the longer of the two: what was promised as notice, and what is promised from now on."""
    promised = binding.numbers.get("notice_days", 0) if binding else 0
    return timedelta(days=max(svc.settings.policy_notice_days, promised if isinstance(promised, int) else 0))


def _add(
    session: Session, known: Sequence[Version], policy: "Policy", now: datetime, *, loosens: bool, notice: timedelta
) -> Version:
    times = sum(version.hash == policy.version for version in known)
    row = PolicyVersion(
        version=f"{policy.version}.{times + 1}" if times else policy.version,
        noted_at=now,
        effective_at=now + notice,
        loosens=loosens,
        numbers=as_json(policy.numbers),
        texts=as_json(policy.texts),
    )
    session.add(row)
    audit.record(session, audit.Action.POLICY_NOTED, policy.version, at=now, loosens=loosens)
    session.flush()
    return _version(row)


def _waiting(known: Sequence[Version], policy: "Policy", now: datetime) -> Version | None:
    """This very text, announced already."""
    return next((version for version in announced(known, now) if version.hash == policy.version), None)


def _anybody_agreed(session: Session) -> bool:
    person = col(Subject.is_canary).is_(False), made_up.is_real(Subject.id)
    query: Any = select(Consent.id).join(Subject, col(Subject.id) == Consent.subject_id).where(*person)
    return session.exec(query.limit(1)).first() is not None


def _why_not(less: Sequence[Looser], at: datetime | None, *, announced_now: bool = False) -> str:
    if at is None:
        when = "Start the server with them first: it announces them, and says from when on they hold. Until then:"
    else:
        said = "It is announced now" if announced_now else "It is announced"
        when = f"{said}, and these settings hold from {at:%d %b %Y, %H:%M} UTC on. Until then:"
    meanwhile = "".join(f"\n  {what}" for what in instead(less))
    return f"These settings promise less than the policy in force. {when}{meanwhile}"
