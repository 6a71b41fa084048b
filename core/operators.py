"""
Operators: support and founders, who sign in, and nobody by default.

* By link. `python -m core staff link` prints one that works once, within ten minutes. Opening it shows a button and
  changes nothing (mail scanners open links); pressing the button starts a session of twelve hours. Only hashes of the
  link's token and of the session's cookie are stored.
* By OIDC, where the installation has a provider: whoever the provider vouches for (a verified e-mail, an issuer we
  believe, not longer ago than twelve hours) and who is on a list in the settings. All of that is looked at again in
  every run of a page; what is stored is renewed by it and otherwise ends within minutes. Signing out ends every
  session of that operator here, and a login from before it is worth nothing any more.

An operator is known by an opaque id: of the link, or of the account at the provider. Nothing here stores an e-mail.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit
from core.db import take_turns
from core.errors import NotFound
from core.models import OperatorSession, Role, SignInWay, StaffLink
from core.services import Services
from core.settings import listed

LINK_LIVES: Final = timedelta(minutes=10)
SESSION_LIVES: Final = timedelta(hours=12)
VOUCHED_FOR: Final = timedelta(minutes=10)
"""How long after a run of a page that looked at a provider's word this word still counts elsewhere (downloads)."""
CLOCKS_DIFFER: Final = timedelta(minutes=2)
FORGOTTEN_AFTER: Final = timedelta(days=7)
HERE: Final = "http://localhost:8501"


@dataclass(frozen=True)
class Operator:
    """Somebody who is signed in now."""

    id: str
    role: Role
    way: SignInWay
    until: datetime
    session_id: str

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return f"operator:{self.id}"


# ---------------------------------------------------------------------------------------------------------- links
@dataclass(frozen=True)
class Link:
    url: str
    operator_id: str
    role: Role
    expires_at: datetime


def make_link(svc: Services, role: Role) -> Link:
    """A link to hand to one person. Its token is in the answer and nowhere else."""
    token, operator_id, now = secrets.token_urlsafe(32), secrets.token_hex(4), svc.clock()
    link = StaffLink(
        token_hash=_hash_of(token), operator_id=operator_id, role=role, made_at=now, expires_at=now + LINK_LIVES
    )
    with svc.transaction() as session:
        _forget_old(session, now)
        session.add(link)
        audit.record(session, audit.Action.LINK_MADE, operator_id, at=now, role=role.value)
    return Link(f"{svc.settings.public_url or HERE}/staff/{token}", operator_id, role, link.expires_at)


def open_link(svc: Services, token: str, session_hash: str) -> Operator:
    """Use a link up and sign in. Raises NotFound: used, too old and unknown are answered alike."""
    now = svc.clock()
    this = col(StaffLink.token_hash) == _hash_of(token)
    with svc.transaction() as session:
        used = session.execute(
            sa.update(StaffLink)
            .where(this, col(StaffLink.used_at).is_(None), col(StaffLink.expires_at) > now)
            .values(used_at=now)
        )
        if used.rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound("This link was used already, or is too old.")
        link = session.exec(select(StaffLink).where(this)).one()
        opened = _open(session, session_hash, link.operator_id, link.role, SignInWay.LINK, now, now + SESSION_LIVES)
    return _operator(opened, opened.expires_at)


def _hash_of(token: str) -> str:
    return hashlib.sha256(b"workshot staff link 1:" + token.encode()).hexdigest()


# ----------------------------------------------------------------------------------------------------------- OIDC
@dataclass(frozen=True)
class Vouched:
    """What a provider said about somebody, once it was believed."""

    operator_id: str
    role: Role
    said_at: datetime


def believed(svc: Services, claims: Mapping[str, Any], *, providers: int) -> Vouched | None:
    """Whom these claims make an operator, if anybody. `providers`: how many this installation has."""
    issuer, subject, email = (claims.get(name) for name in ("iss", "sub", "email"))
    issued_at = claims.get("iat")
    if not all(isinstance(value, str) and value for value in (issuer, subject, email)):
        return None
    if claims.get("email_verified") is not True or not isinstance(issued_at, int | float):
        return None
    trusted = listed(svc.settings.staff_issuers)
    role = _role_of(svc, str(email))
    if role is None or (issuer not in trusted if trusted else providers != 1):
        return None
    said_at, now = datetime.fromtimestamp(issued_at, UTC), svc.clock()
    if not now - SESSION_LIVES < said_at <= now + CLOCKS_DIFFER:
        return None
    account = hashlib.sha256(f"workshot operator 1:{issuer}\n{subject}".encode()).hexdigest()
    return Vouched(f"oidc-{account[:10]}", role, said_at)


def _role_of(svc: Services, email: str) -> Role | None:
    for role, emails in ((Role.FOUNDER, svc.settings.staff_founders), (Role.SUPPORT, svc.settings.staff_support)):
        if email.casefold() in (listed_email.casefold() for listed_email in listed(emails)):
            return role
    return None


def vouched_for(svc: Services, session_hash: str, who: Vouched) -> Operator | None:
    """In every run of a page: the session of this browser, opened or renewed. None: signed out since."""
    now, until = svc.clock(), who.said_at + SESSION_LIVES
    mine = (OperatorSession.operator_id == who.operator_id, OperatorSession.way == SignInWay.OIDC)
    here = select(OperatorSession).where(
        *mine, OperatorSession.session_hash == session_hash, col(OperatorSession.ended_at).is_(None)
    )
    with svc.reading() as session:
        if _signed_out_since(session, who):
            return None
        known = session.exec(here).first()
    if known and known.role is who.role and known.expires_at > now + VOUCHED_FOR / 2:
        return _operator(known, until)
    with svc.transaction() as session:
        take_turns(session)
        if _signed_out_since(session, who):
            return None
        known = session.exec(here).first()
        end = min(now + VOUCHED_FOR, until)
        if known is None:
            known = _open(session, session_hash, who.operator_id, who.role, SignInWay.OIDC, now, end)
        known.expires_at, known.role = end, who.role
        session.add(known)
    return _operator(known, until)


def _signed_out_since(session: Session, who: Vouched) -> bool:
    last = session.exec(
        select(func.max(OperatorSession.ended_at)).where(
            OperatorSession.operator_id == who.operator_id, OperatorSession.way == SignInWay.OIDC
        )
    ).one()
    return last is not None and last >= who.said_at


# ------------------------------------------------------------------------------------------------------- sessions
def signed_in(svc: Services, *, staff_hash: str | None, session_hash: str | None = None) -> Operator | None:
    """Who holds this cookie. `session_hash` also finds whom a provider vouched for within the last minutes."""
    if staff_hash is None and session_hash is None:
        return None
    ways = [
        sa.and_(col(OperatorSession.session_hash) == given, col(OperatorSession.way) == way)
        for given, way in ((staff_hash, SignInWay.LINK), (session_hash, SignInWay.OIDC))
        if given is not None
    ]
    query = select(OperatorSession).where(
        sa.or_(*ways), col(OperatorSession.ended_at).is_(None), OperatorSession.expires_at > svc.clock()
    )
    with svc.reading() as session:
        found = session.exec(query.order_by(col(OperatorSession.opened_at).desc())).first()
    return _operator(found, found.expires_at) if found else None


def known_since(session: Session, operator: Operator) -> datetime | None:
    """When they first signed in, as far as that is remembered: with this link, or with this account."""
    mine = OperatorSession.operator_id == operator.id, OperatorSession.way == operator.way
    return session.exec(select(func.min(OperatorSession.opened_at)).where(*mine)).one()


def on_duty(session: Session, now: datetime) -> list[str]:
    """The ids of those who are signed in: who can be given something to do."""
    here = col(OperatorSession.ended_at).is_(None), col(OperatorSession.expires_at) > now
    return list(session.exec(select(OperatorSession.operator_id).where(*here).distinct().limit(50)))


def sign_out(svc: Services, operator: Operator) -> None:
    """End this session; those of an account at a provider end in every browser."""
    now = svc.clock()
    which = (
        col(OperatorSession.id) == operator.session_id
        if operator.way is SignInWay.LINK
        else sa.and_(col(OperatorSession.operator_id) == operator.id, col(OperatorSession.way) == SignInWay.OIDC)
    )
    with svc.transaction() as session:
        ended = session.execute(
            sa.update(OperatorSession).where(which, col(OperatorSession.ended_at).is_(None)).values(ended_at=now)
        )
        if ended.rowcount:  # type: ignore[attr-defined]
            facts = {"role": operator.role.value, "way": operator.way.value}
            signed_out = audit.Action.OPERATOR_SIGNED_OUT
            audit.record(session, signed_out, operator.id, at=now, actor=operator.actor, **facts)


def _open(
    session: Session,
    session_hash: str,
    operator_id: str,
    role: Role,
    way: SignInWay,
    now: datetime,
    expires_at: datetime,
) -> OperatorSession:
    _forget_old(session, now)
    opened = OperatorSession(
        session_hash=session_hash, operator_id=operator_id, role=role, way=way, opened_at=now, expires_at=expires_at
    )
    session.add(opened)
    session.flush()
    facts = {"role": role.value, "way": way.value}
    signed_in_now = audit.Action.OPERATOR_SIGNED_IN
    audit.record(session, signed_in_now, operator_id, at=now, actor=f"operator:{operator_id}", **facts)
    return opened


def _forget_old(session: Session, now: datetime) -> None:
    """Long past what any login is worth, so a sign-out is remembered for as long as it matters."""
    session.execute(sa.delete(StaffLink).where(col(StaffLink.expires_at) < now - FORGOTTEN_AFTER))
    session.execute(sa.delete(OperatorSession).where(col(OperatorSession.expires_at) < now - FORGOTTEN_AFTER))


def _operator(row: OperatorSession, until: datetime) -> Operator:
    return Operator(id=row.operator_id, role=row.role, way=row.way, until=until, session_id=row.id)
