"""
Queue and job of our mails.

The try is noted before the network is asked, and what came of it after; no transaction is open meanwhile. Between a
server's "250, taken" and our commit lies a moment in which a crash makes us send again: SMTP has no way to ask whether
a mail was taken. What goes out then is the same mail under the same Message-ID, byte for byte, and most mail programs
show it once; the outbox, where the file's name is the Message-ID's, holds it once for certain.

What a server refuses for good is not tried again. Everything else is, with longer and longer pauses, for two days.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import audit
from core.addresses import address, sender
from core.correspondence.messages import Attachment, build, message_hash
from core.db import scrub, upsert
from core.errors import MailRefused, MailUnavailable
from core.models import JobKind, MailOut, MailState, Request, new_id
from core.queue import Claim, enqueue
from core.services import Services

GIVE_UP_AFTER: Final = timedelta(hours=48)
PAUSE_FIRST, PAUSE_LONGEST = timedelta(seconds=30), timedelta(minutes=30)
OUTBOX_KEPT: Final = timedelta(days=30)
"""How long a mail lies in the outbox: it holds somebody's address, and so it has a clock."""
NOBODY: Final = "workshot@localhost"
"""Whom mail comes from where no address is set; such mail goes no farther than the outbox."""
GAVE_UP, BOUNCED = "gave_up", "bounced"


def queue(
    session: Session,
    svc: Services,
    *,
    to: str,
    purpose: str,
    once: str,
    subject: str,
    text: str,
    now: datetime,
    attachments: Sequence[Attachment] = (),
    request: Request | None = None,
    reply_to_message_id: str | None = None,
) -> MailOut:
    """In the caller's transaction: the mail is sent if and only if that commits. One for each `once`: a second is the
    first, whatever it says. Raises NotAllowed if `to` is not an address (ask `address` before)."""
    if (first := _by_once(session, once)) is not None:
        return first
    built = build(
        sender=sender(svc.settings) or NOBODY,
        to=address(to),
        subject=subject,
        text=text,
        at=now,
        attachments=attachments,
        reply_to_message_id=reply_to_message_id,
    )
    mail = MailOut(
        id=new_id(),
        request_id=request.id if request else None,
        purpose=purpose,
        once=once,
        created_at=now,
        state=MailState.QUEUED,
        message_hash=message_hash(svc.vault, built.message_id),
    )
    mail.sealed_key = svc.vault.make_key(mail.id)
    mail.sealed_mail = svc.vault.seal_text(mail, built.text)
    return _kept(session, mail, now)


def _kept(session: Session, mail: MailOut, now: datetime) -> MailOut:
    """Whoever was faster with the same word wins, also in another transaction."""
    session.flush()  # a request that is as new as its mail
    row = upsert(session.get_bind().dialect.name, MailOut).values(**mail.model_dump())
    session.execute(row.on_conflict_do_nothing(index_elements=["once"]))
    kept = session.exec(select(MailOut).where(MailOut.once == mail.once)).one()
    if kept.id == mail.id:
        enqueue(session, JobKind.MAIL_OUT, mail.id, at=now)
    return kept


def _by_once(session: Session, once: str) -> MailOut | None:
    return session.exec(select(MailOut).where(MailOut.once == once)).first()


# ------------------------------------------------------------------------------------------------------------- job
def send(svc: Services, job: Claim) -> None:
    """Hand one mail over, once more. Settles its claim."""
    mail = _begin(svc, job)
    if mail is None:
        return
    text = svc.vault.open_text(mail, mail.sealed_mail or b"")
    try:
        _hand_over(svc, text)
    except MailRefused as exc:
        _over(svc, job, MailState.FAILED, exc.code)
    except MailUnavailable as exc:
        _later(svc, job, mail, exc.code)
    else:
        _over(svc, job, MailState.SENT, None)


def _begin(svc: Services, job: Claim) -> MailOut | None:
    """Note the try before it is made. None: there is nothing to send any more."""
    with job.transaction() as session:
        mail = _locked(session, job.ref)
        if mail is None or mail.state is not MailState.QUEUED:
            job.done(session)
            return None
        mail.tries += 1
        session.add(mail)
    return mail


def _hand_over(svc: Services, text: str) -> None:
    if svc.post is None:
        raise MailUnavailable("There is nowhere to send mail to.", code="no_post")
    from email.parser import HeaderParser
    from email.policy import SMTPUTF8

    headers = HeaderParser(policy=SMTPUTF8).parsestr(text)
    ours, theirs = (headers[name].addresses[0].addr_spec for name in ("From", "To"))
    svc.post.send(text.encode(), sender=ours, to=theirs)


def _later(svc: Services, job: Claim, mail: MailOut, code: str) -> None:
    if svc.clock() - mail.created_at >= GIVE_UP_AFTER:
        _over(svc, job, MailState.FAILED, GAVE_UP)
        return
    with job.transaction() as session:
        stored = session.get_one(MailOut, mail.id)
        stored.failure = code[:40]
        session.add(stored)
        job.again(session, after=min(PAUSE_FIRST * 2 ** min(mail.tries - 1, 10), PAUSE_LONGEST))


def _over(svc: Services, job: Claim, state: MailState, failure: str | None) -> None:
    with job.transaction() as session:
        mail = _locked(session, job.ref)
        if mail is not None and mail.state is MailState.QUEUED:  # else it was back before we noted that it went
            _end(session, mail, state, failure, svc.clock())
        job.done(session)
    scrub(svc.database)


def _end(session: Session, mail: MailOut, state: MailState, failure: str | None, now: datetime) -> None:
    mail.state, mail.failure, mail.over_at = state, failure[:40] if failure else None, now
    mail.sealed_key = mail.sealed_mail = None
    session.add(mail)
    if state is MailState.SENT:
        audit.record(session, audit.Action.MAIL_SENT, mail.id, at=now, purpose=mail.purpose)
    else:
        why = mail.failure or "unknown"
        audit.record(session, audit.Action.MAIL_FAILED, mail.id, at=now, purpose=mail.purpose, failure=why)


def _locked(session: Session, mail_id: str) -> MailOut | None:
    return session.get(MailOut, mail_id, with_for_update=True, populate_existing=True)


# --------------------------------------------------------------------------------------------------------- bounces
def bounced(session: Session, bounced_hash: str, *, now: datetime) -> MailOut | None:
    """A mail of ours came back. In the caller's transaction; the mail, or None if that is none of ours, or is known
    to have come back already."""
    found = select(MailOut).where(MailOut.message_hash == bounced_hash).with_for_update()
    mail = session.exec(found.execution_options(populate_existing=True)).first()
    if mail is None or mail.state in (MailState.BOUNCED, MailState.FAILED):
        return None
    _end(session, mail, MailState.BOUNCED, BOUNCED, now)
    return mail


def waiting_since(session: Session) -> datetime | None:
    """Since when the oldest mail that was tried in vain has waited."""
    tried = sa.and_(col(MailOut.state) == MailState.QUEUED, col(MailOut.failure).is_not(None))
    return session.exec(select(sa.func.min(MailOut.created_at)).where(tried)).one()


def lost(session: Session, *, since: datetime) -> int:
    """How many mails came back or were given up since then."""
    over = sa.and_(col(MailOut.state).in_((MailState.BOUNCED, MailState.FAILED)), col(MailOut.over_at) >= since)
    return session.exec(select(sa.func.count()).select_from(MailOut).where(over)).one()


def tend(svc: Services) -> int:
    """For the schedule: what has lain in the outbox for long enough goes. How many."""
    return svc.post.forget(before=svc.clock() - OUTBOX_KEPT) if svc.post is not None else 0
