"""
Answers: what a requester is told, and the end of a request.

Each of them is one transaction with whatever it tells of. The last one queues the mail, makes the receipt, destroys
what was personal and closes the request: a process that dies before its commit has said nothing, and one that dies
after it has said everything, once.
"""

from datetime import datetime

from sqlmodel import Session, select

from core import correspondence, receipts
from core.correspondence import Attachment
from core.language import speaking
from core.models import MailOut, Receipt, Request, RequestOutcome, RequestState
from core.provider import residue
from core.requests.rows import address_of, shut, subject_of
from core.services import Services


def ask_for_code(session: Session, svc: Services, request: Request, now: datetime, *, reply_to: str) -> None:
    """The ready-made reply to a mail that does not show whose photos it is about. Whoever reads the mail decides
    whether it may be answered: a stranger must not make us write to hundreds of people."""
    if write(session, svc, request, "ask_for_code", once=f"ask:{request.id}", now=now, reply_to=reply_to) is not None:
        request.state, request.waiting_at = RequestState.WAITING, now
        session.add(request)


def finish(session: Session, svc: Services, request: Request, outcome: RequestOutcome, now: datetime) -> None:
    """All is shown to be gone: receipt, mail, scrub and end."""
    receipt = _receipt(session, svc, request, outcome, now)
    request.answered_at = now
    template = "nothing_held" if receipt is None else "done"
    elsewhere = _elsewhere(session, svc, request) if receipt is None else ()
    write(session, svc, request, template, once=f"done:{request.id}", now=now, receipt=receipt, elsewhere=elsewhere)
    shut(session, request, outcome, now)


def _elsewhere(session: Session, svc: Services, request: Request) -> tuple[str, ...]:
    """What third parties still have of somebody of whom we have nothing any more."""
    subject_id = subject_of(session, request)
    noted = residue.of_subject(session, subject_id) if subject_id else ()
    with speaking(request.language):
        return tuple(residue.says(svc, copy) for copy in noted if copy.gone_at is None)


def _receipt(
    session: Session, svc: Services, request: Request, outcome: RequestOutcome, now: datetime
) -> Receipt | None:
    """Its own; of one that followed, that of the request that led. None: there was nothing to show the end of."""
    if outcome is RequestOutcome.DUPLICATE:
        return receipts.newest(session, request.duplicate_of) if request.duplicate_of else None
    return receipts.make(session, svc, request, now=now) if outcome is RequestOutcome.DONE else None


def answered(
    session: Session, svc: Services, request: Request, now: datetime, *, until: datetime | None = None
) -> None:
    """The copy of the data is ready, `until` its clock ends: say so, and close. In the caller's transaction."""
    request.answered_at = request.done_at = now
    write(session, svc, request, "copy_ready", once=f"done:{request.id}", now=now, until=until)
    shut(session, request, RequestOutcome.DONE, now)


def refused(session: Session, svc: Services, request: Request, ground: str, words: str, now: datetime) -> None:
    """Raises NotAllowed for what is no ground of such a request."""
    request.refused_ground = correspondence.ground_of(ground, request.kind).code
    request.answered_at = request.done_at = now
    write(session, svc, request, "refused", once=f"done:{request.id}", now=now, words=words)


def write(
    session: Session,
    svc: Services,
    request: Request,
    template: str,
    *,
    once: str,
    now: datetime,
    body: str = "",
    words: str = "",
    receipt: Receipt | None = None,
    reply_to: str = "",
    until: datetime | None = None,
    elsewhere: tuple[str, ...] = (),
) -> str | None:
    """Queue a mail to the requester. Its text, or None: there is no address, or the same was said before."""
    to = address_of(svc, request)
    if to is None or session.exec(select(MailOut.id).where(MailOut.once == once)).first() is not None:
        return None
    facts = {"words": words, "until": until, "elsewhere": elsewhere}
    letter = correspondence.rendered(svc, template, request, receipt=receipt, body=body, **facts)
    mail = correspondence.queue(
        session,
        svc,
        to=to,
        purpose=template,
        once=once,
        subject=letter.subject,
        text=letter.text,
        attachments=[_attached(receipt)] if receipt else [],
        request=request,
        now=now,
        reply_to_message_id=reply_to or None,
    )
    return letter.text if mail.request_id == request.id else None


def _attached(receipt: Receipt) -> Attachment:
    return Attachment(
        name=f"receipt-{receipt.number}.json", media_type="application/json", data=receipts.as_file(receipt)
    )
