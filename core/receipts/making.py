"""
Making receipts, from rows alone: no network, and nothing that the caller's transaction does not already know.

The salt is random and stands in the receipt; another revision keeps it, so that the two can be compared.
The audit entry that is named is the newest one: its hash covers every entry before it, the ones that tell of these
copies included, and `audit verify --head` finds out whether the log still is the one that the receipt has seen.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from core import access, audit, made_up, policy
from core.canonical import as_json, instant
from core.errors import NotAllowed, NotFound
from core.language import ENGLISH, _, speaking
from core.models import (
    BrowserSession,
    Copy,
    CopyKind,
    Evidence,
    Generation,
    ProviderCopy,
    Receipt,
    Request,
    RequestChannel,
    RequestKind,
    Subject,
)
from core.provider import residue
from core.receipts.checking import Finding, Verdict, verify
from core.receipts.sentences import ALWAYS_UNPROVED, KEY_IN_USE, MAILS, STILL_HERE, of_elsewhere
from core.receipts.statement import FORMAT
from core.services import Services

AMENDED_WITHIN: Final = timedelta(days=60)
"""After a request was closed; no copy of it lives for longer."""

ELSEWHERE: Final = "elsewhere"
"""What is not proved of a copy at a third party, as the receipt calls it."""


def make(session: Session, svc: Services, request: Request, *, now: datetime) -> Receipt:
    """The first receipt of an erase request, or the one that there is. In the caller's transaction."""
    return newest(session, request.id) or _sign(session, svc, request, before=None, now=now)


def amend(session: Session, svc: Services, request: Request, *, now: datetime) -> Receipt:
    """Another revision, of the rows as they are now."""
    return _sign(session, svc, request, before=newest(session, request.id), now=now)


def amend_due(svc: Services) -> int:
    """For the schedule: where a copy was shown to be gone after the receipt was made, there is another one. How many.

    That is how it goes with a copy that a third party lets expire, and with bytes that arrived after all was gone.
    """
    now = svc.clock()
    with svc.reading() as session:
        ids = _outrun(session, now)
    for request_id in ids:
        with svc.transaction() as session:
            request = session.get_one(Request, request_id, with_for_update=True)
            if _outrun(session, now, col(Request.id) == request_id):  # nobody was faster
                amend(session, svc, request, now=now)
    return len(ids)


def _outrun(session: Session, now: datetime, *which: sa.ColumnElement[bool]) -> list[str]:
    """Requests about whose copies more is known than their newest receipt says."""
    here = (
        _with_newest_receipt(now)
        .join(Copy, col(Copy.subject_id) == Request.subject_id)
        .where(
            col(Copy.created_at) <= col(Receipt.made_at),
            col(Copy.gone_at) > col(Receipt.made_at),
            Copy.kind != CopyKind.CANARY,
        )
    )
    at_others = (
        _with_newest_receipt(now)
        .join(ProviderCopy, col(ProviderCopy.subject_id) == Request.subject_id)
        .join(Generation, col(Generation.id) == ProviderCopy.generation_id)
        .where(
            col(Generation.created_at) <= col(Request.closed_at),
            sa.or_(*(col(at) > col(Receipt.made_at) for at in (ProviderCopy.gone_at, ProviderCopy.noted_at))),
        )
    )
    found = {each for query in (here, at_others) for each in session.exec(query.where(*which)).all()}
    return sorted(found)


def _with_newest_receipt(now: datetime) -> Any:
    later = aliased(Receipt)
    newer = sa.exists().where(
        col(later.request_id) == col(Receipt.request_id), col(later.revision) > col(Receipt.revision)
    )
    return (
        select(Request.id)
        .join(Receipt, col(Receipt.request_id) == Request.id)
        .where(col(Request.closed_at) >= now - AMENDED_WITHIN, made_up.is_real(Request.id), ~newer)
        .distinct()
    )


def of_request(session: Session, request_id: str) -> Sequence[Receipt]:
    """All revisions, oldest first."""
    return session.exec(select(Receipt).where(Receipt.request_id == request_id).order_by(col(Receipt.revision))).all()


def newest(session: Session, request_id: str) -> Receipt | None:
    return next(iter(reversed(of_request(session, request_id))), None)


def own(session: Session, session_hash: str, receipt_id: str) -> Receipt:
    """The receipt, if this browser has its subject open, also after everything was erased. Raises NotFound."""
    query = (
        select(Receipt)
        .join(Request, col(Request.id) == Receipt.request_id)
        .join(BrowserSession, col(BrowserSession.subject_id) == Request.subject_id)
        .where(
            Receipt.id == receipt_id,
            BrowserSession.session_hash == session_hash,
            col(BrowserSession.closed_at).is_(None),
        )
    )
    receipt = session.exec(query).first()
    if receipt is None:
        raise NotFound(_("There is no such receipt."))
    return receipt


def check(svc: Services, data: bytes) -> Verdict:
    """`verify` with the keys of this installation, which also knows whether there is a newer revision."""
    verdict = verify(data, public_keys=svc.signer.public_keys)
    if verdict.statement is None:
        return verdict
    this = select(Receipt.request_id).where(Receipt.number == verdict.statement.number)
    with svc.reading() as session:
        request_id = session.exec(this).first()
        latest = newest(session, request_id) if request_id else None
    if latest is None or latest.revision <= verdict.statement.revision:
        return verdict
    return replace(verdict, finding=Finding.SUPERSEDED, newer=latest.number)


def _sign(session: Session, svc: Services, request: Request, *, before: Receipt | None, now: datetime) -> Receipt:
    if request.kind is not RequestKind.ERASE or request.subject_id is None:
        raise NotAllowed("A receipt is for an erase, once it is known whose data it is about.")
    revision = before.revision + 1 if before else 1
    number = f"{_first_number(before)}.{revision}" if before else access.new_number("R", length=10)
    salt = json.loads(before.statement)["salt"] if before else secrets.token_hex(16)
    with speaking(ENGLISH):  # what is signed is one and the same for everybody
        about = _of_copies(session, svc, request, salt)
    told = {
        "format": FORMAT,
        "receipt": number,
        "revision": revision,
        "amends": before.number if before else None,
        "made_at": instant(now),
        "request": _of_request(request),
        "salt": salt,
        **about,
        "policy": policy.version_in_force(svc, session),
        "audit": _audit_head(session),
        "key_id": svc.signer.key_id,
    }
    statement = as_json(told)
    signature = svc.signer.sign(statement.encode("ascii"))
    receipt = Receipt(
        number=number,
        request_id=request.id,
        revision=revision,
        made_at=now,
        statement=statement,
        key_id=signature.key_id,
        signature=signature.value,
    )
    session.add(receipt)
    made = audit.Action.RECEIPT_MADE
    audit.record(session, made, request.id, at=now, receipt=number.lower(), revision=revision)
    return receipt


def _first_number(receipt: Receipt) -> str:
    return receipt.number.partition(".")[0]


def _of_request(request: Request) -> dict[str, Any]:
    instants = ("received_at", "due_at", "started_at", "erased_at", "proved_at")
    told = {name: _instant_or_none(getattr(request, name)) for name in instants}
    return {"number": request.number, "kind": request.kind.value, "channel": request.channel.value, **told}


def _of_copies(session: Session, svc: Services, request: Request, salt: str) -> dict[str, Any]:
    assert request.subject_id is not None
    subject = session.get_one(Subject, request.subject_id)
    mine = select(Copy).where(Copy.subject_id == subject.id, Copy.kind != CopyKind.CANARY)
    held = session.exec(mine.order_by(col(Copy.created_at), col(Copy.id))).all()
    evidence = _evidence_of(session, subject.id)
    gone = [copy for copy in held if copy.gone_at is not None]
    erased = [copy for copy in gone if copy.gone_at and copy.gone_at >= request.received_at]
    still_open = [copy for copy in held if copy.gone_at is None]
    elsewhere = _elsewhere(session, request, subject)
    return {
        "copies": [_of_copy(copy, evidence[copy.id], salt) for copy in erased],
        "copies_gone_before": len(gone) - len(erased),
        "elsewhere": [_of_elsewhere(svc, copy, salt) for copy in elsewhere],
        "key_destroyed_at": _instant_or_none(subject.key_destroyed_at),
        "not_proved": _not_proved(request, subject, still_open, _not_ours(svc, elsewhere, salt), salt),
    }


def _elsewhere(session: Session, request: Request, subject: Subject) -> list[ProviderCopy]:
    """What third parties had of the runs that the request was about, but for what had ended before it came."""
    runs = select(Generation.id).where(Generation.subject_id == subject.id)
    if request.closed_at is not None:
        runs = runs.where(col(Generation.created_at) <= request.closed_at)
    about = set(session.exec(runs).all())
    noted = residue.of_subject(session, subject.id)
    return [
        copy
        for copy in noted
        if copy.generation_id in about and (copy.gone_at is None or copy.gone_at >= request.received_at)
    ]


def _of_elsewhere(svc: Services, copy: ProviderCopy, salt: str) -> dict[str, Any]:
    return {
        "id_hash": salted(salt, ELSEWHERE, copy.id),
        "provider": residue.title_of(svc, copy.provider),
        "kind": copy.kind.value,
        "noted_at": instant(copy.noted_at),
        "ends_at": instant(copy.expires_at),
        "dated_by": copy.dated_by,
        "open_after_its_end": copy.open_at is not None,
        "gone_at": _instant_or_none(copy.gone_at),
    }


def _not_ours(svc: Services, elsewhere: Iterable[ProviderCopy], salt: str) -> list[dict[str, Any]]:
    return [
        {
            "what": ELSEWHERE,
            "says": of_elsewhere(residue.says(svc, copy)),
            "until": instant(copy.expires_at),
            "id_hash": salted(salt, ELSEWHERE, copy.id),
        }
        for copy in elsewhere
        if copy.gone_at is None
    ]


def _evidence_of(session: Session, subject_id: str) -> Mapping[str, Evidence]:
    """Of all its copies in one question, however many there are."""
    theirs = select(Evidence).join(Copy, col(Copy.evidence_id) == Evidence.id).where(Copy.subject_id == subject_id)
    return {found.copy_id: found for found in session.exec(theirs)}


def _of_copy(copy: Copy, evidence: Evidence, salt: str) -> dict[str, Any]:
    answers = (("object", evidence.head), ("listing", evidence.listing))
    return {
        **_named(copy, salt),
        "erased_at": _instant_or_none(copy.erased_at),
        "gone_at": _instant_or_none(copy.gone_at),
        "asked_in_vain": copy.probes,
        "probes": [
            {"asked": asked, "answer": answer.value, "at": instant(evidence.probed_at)} for asked, answer in answers
        ],
    }


def _named(copy: Copy, salt: str) -> dict[str, Any]:
    return {
        "id_hash": salted(salt, "copy", copy.id),
        "object_key_hash": salted(salt, "object", copy.object_key),
        "kind": copy.kind.value,
        "place": copy.place,
        "bytes": copy.size,
    }


def salted(salt: str, what: str, word: str) -> str:
    """How a receipt names something, so that only who knows the word can find it there."""
    return hashlib.sha256(f"workshot receipt 1:{salt}:{what}:{word}".encode("ascii")).hexdigest()


def _not_proved(
    request: Request, subject: Subject, still_open: Iterable[Copy], not_ours: Iterable[dict[str, Any]], salt: str
) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = [
        {"what": "copy", "says": STILL_HERE, "until": instant(copy.erase_by), **_named(copy, salt)}
        for copy in still_open
    ]
    told += not_ours
    if subject.key_destroyed_at is None:
        told.append({"what": "key", "says": KEY_IN_USE})
    told += [{"what": what, "says": says} for what, says in ALWAYS_UNPROVED.items()]
    if request.channel is RequestChannel.EMAIL:
        told.append({"what": "mails", "says": MAILS})
    return told


def _audit_head(session: Session) -> dict[str, Any]:
    head = audit.head_of(session)
    return {"seq": head.seq, "hash": head.hash}


def _instant_or_none(at: datetime | None) -> str | None:
    return instant(at) if at else None
