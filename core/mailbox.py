"""
Mailbox: mail in. Each mail is read once, sorted, and taken out of the mailbox when what it asked for is settled.

* Nothing is lost. A mail's row, what it opened or was added to, and how far we have read are one transaction. Whoever
  dies before it reads the mail again; whoever dies after it does not. A mail that anything of ours stumbles over is
  kept as unsorted, and those behind it do not wait.
* Nothing is read twice. A mail is known by a mark, a keyed hash of its Message-ID, internal date and size: also when
  the server numbers all its mails anew.
* The time of receipt is the server's internal date. A mail says of itself what it likes.
* "Deletion Request" in the subject, or the same in German, opens a request, unless a word or a question mark beside it
  could turn it round. What answers a mail of ours, is part of a thread that we have, or names a request's number is
  added to that one; if it is closed already, a person looks. So does a person at whatever else there is: it lies
  sealed under a key of its own, for at most 30 days.
* Machines are not answered, so nothing loops, and nobody gets more than a few answers a day from us, so that we are
  no amplifier of somebody else's flood.
* A mailbox is a place where people's words lie. A mail leaves it when its request is closed or an operator has put it
  away, and never before it is stored here.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import addresses, audit, correspondence, made_up, requests
from core.correspondence import message_hash
from core.db import upsert
from core.errors import MailUnavailable, NotAllowed, NotFound, StorageError
from core.mail_reading import InboundMail, heading, parse
from core.models import (
    Mailbox,
    MailIn,
    MailOut,
    MailSort,
    Request,
    RequestKind,
    RequestMessage,
    new_id,
)
from core.ports import Inbox, RawMail
from core.queue import Claim, LeaseLost
from core.requests.codes import without_codes
from core.services import Services

log = logging.getLogger(__name__)

AT_ONCE: Final = 200
"""Mails of one look. A flood is read in many, and mails of ours go out in between."""
REMOVED_AT_ONCE: Final = 500
UNSORTED_KEPT: Final = timedelta(days=30)
"""What nobody has seen to is scrubbed then, here and in the mailbox. The same for what machines wrote to us."""
ANSWERS_A_DAY: Final = 5
"""To one sender, while nobody has shown whose data it is about."""
ANSWERS_AN_HOUR: Final = 200
"""To all such senders: a flood of invented ones makes us write to that many strangers, and no more."""
SENDER_KNOWN_FOR: Final = timedelta(days=1)
WAITS_LONG: Final = timedelta(hours=24)
"""An unsorted mail may be a request that was worded otherwise, and its 48 hours would be running."""

NEVER_READ: Final = 0  # no server's UIDVALIDITY
FAILURES: Final = {
    "unreachable": "The mail server cannot be reached. Check IMAP_HOST and IMAP_PORT, and that it runs.",
    "untrusted": "The mail server's certificate is not one this machine trusts. Nothing was sent to it.",
    "signin_refused": "The mail server does not accept IMAP_USER with IMAP_PASSWORD.",
    "no_folder": "The mailbox has no folder with the name in IMAP_FOLDER.",
    "busy": "The mail server says that it is busy.",
    "broke_off": "The mail server broke off in the middle.",
    "answers_badly": "The mail server's answers make no sense. Is this an IMAP server?",
    "renumbered": "The mail server has numbered its mails anew; they are looked at again.",
    "others_marked": "Mails of settled requests stay in the mailbox: others in it are marked as deleted. Expunge them.",
    "not_removed": "Mails of settled requests could not be removed from the mailbox.",
}
AFTER_READING: Final = frozenset({"others_marked", "not_removed", "renumbered"})

_NUMBER = re.compile(r"\b[A-Z]-[0-9A-Z]{4,9}\b")
_REPLIES = re.compile(r"\s*(re|aw|sv|antw|vs|res|odp)(\[\d+\])?\s*:", re.IGNORECASE)
_IS_NO_POISON = (LeaseLost, MailUnavailable, StorageError, sa.exc.OperationalError, sa.exc.InterfaceError)

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass
class Report:
    """What one look at the mailbox has brought."""

    sorts: Counter[MailSort] = field(default_factory=Counter)
    known: int = 0  # read before
    stumbled: int = 0  # kept as unsorted because something of ours failed
    removed: int = 0
    expired: int = 0
    more: bool = False  # there is more to read
    failure: str | None = None  # a code

    @property
    def read(self) -> int:
        return self.sorts.total()

    def __add__(self, later: "Report") -> "Report":
        sums = {f.name: getattr(self, f.name) + getattr(later, f.name) for f in fields(self)[:5]}
        return Report(**sums, more=later.more, failure=later.failure)


# -------------------------------------------------------------------------------------------------------- the job
def read(svc: Services, job: Claim) -> None:
    """The MAIL_IN job: one look. Comes back at once if there is more; a failure waits for the next turn."""
    report = fetch(svc, transaction=job.transaction) if svc.inbox is not None else Report()
    with job.transaction() as session:
        if report.more:
            job.again(session, after=timedelta(0))
        else:
            job.done(session)
    if report.read:
        svc.wake()


def fetch_all(svc: Services) -> Report:
    """For the command line: until there is no more. Raises NotAllowed if no mailbox is set."""
    report = fetch(svc)
    while report.more:
        report += fetch(svc)
    return report


def fetch(svc: Services, *, transaction: Transaction | None = None, most: int = AT_ONCE) -> Report:
    """Read at most so many mails, then remove what is settled. Never raises MailUnavailable: it is noted."""
    if svc.inbox is None:
        raise NotAllowed("No mailbox is read here. Set IMAP_HOST and what belongs to it.")
    look = _Look(svc, svc.inbox, transaction or svc.transaction)
    look.tidy()
    try:
        look.read(most)
        look.remove_settled()
    except MailUnavailable as exc:
        look.report.failure = exc.code if exc.code in FAILURES else "unreachable"
    look.note()
    return look.report


class _Look:
    """One look at one mailbox."""

    def __init__(self, svc: Services, inbox: Inbox, transaction: Transaction) -> None:
        self.report = Report()
        self._svc = svc
        self._inbox = inbox
        self._transaction = transaction
        self._validity = NEVER_READ
        self._twins: Counter[str] = Counter()
        self._answered: int | None = None

    # ---------------------------------------------------------------------------------------------------- reading
    def read(self, most: int) -> None:
        with self._inbox.look(after=self._cursor()) as (self._validity, mails):
            for raw in islice(mails, most):
                self._take(raw)
                self.report.more = self.report.read + self.report.known >= most
        if not self.report.more:
            self._note_what_is_gone()

    def _cursor(self) -> tuple[int, int] | None:
        with self._svc.reading() as session:
            row = session.get(Mailbox, self._inbox.name)
            return (row.uid_validity, row.last_uid) if row and row.uid_validity != NEVER_READ else None

    def _take(self, raw: RawMail) -> None:
        """The mail's row, what it does, and how far we are: together or not at all."""
        mail = self._received(parse(raw))
        try:
            self._store(raw, mail)
        except _IS_NO_POISON:
            raise
        except Exception as exc:  # whatever it is that this mail makes us stumble over, the next one must not wait
            log.warning("a mail could not be sorted: %s", type(exc).__name__)
            self.report.stumbled += 1
            self._store(raw, replace(mail, notes=(*mail.notes, "stumbled")), unsorted=True)

    def _received(self, mail: InboundMail) -> InboundMail:
        """A server whose clock is ahead does not give anybody time that has not come yet."""
        now = self._svc.clock()
        if mail.received_at <= now:
            return mail
        return replace(mail, received_at=now, notes=(*mail.notes, "from_the_future"))

    def _store(self, raw: RawMail, mail: InboundMail, *, unsorted: bool = False) -> None:
        now = self._svc.clock()
        with self._transaction() as session:
            box = self._mailbox(session)
            mark, known = self._identity(session, raw, mail)
            if known is not None:  # it lies somewhere else now, or again
                known.uid_validity, known.uid, known.taken_from_mailbox_at = self._validity, raw.uid, None
                session.add(known)
                sort = None
            else:
                sort = self._keep(session, mail, mark, now, unsorted=unsorted)
            box.last_uid = max(box.last_uid, raw.uid)
            session.add(box)
        if sort is None:
            self.report.known += 1
        else:
            self.report.sorts[sort] += 1

    def _mailbox(self, session: Session) -> Mailbox:
        """Its row, locked: two that read one mailbox take turns, mail by mail."""
        row = session.get_one(Mailbox, self._inbox.name, with_for_update=True, populate_existing=True)
        if self._validity not in (NEVER_READ, row.uid_validity):
            row.uid_validity, row.last_uid = self._validity, 0
        return row

    def _identity(self, session: Session, raw: RawMail, mail: InboundMail) -> tuple[str, MailIn | None]:
        """The mail's mark, and its row if it was read before.

        Mails may be alike in everything, as when one comes over two of our addresses: each of them is a mail, and the
        first, the second and so on have marks of their own, the same ones after the server has numbered them anew.
        """
        names = mail.message_id.encode() or heading(raw.data)
        alike = b"\n".join([raw.received_at.isoformat().encode(), str(raw.size).encode(), names])
        for nth in count(self._twins[mark := self._svc.vault.keyed_hash("mail", alike)]):
            this = self._svc.vault.keyed_hash("mail", f"{mark} {nth}".encode()) if nth else mark
            row = session.exec(select(MailIn).where(MailIn.mark == this)).first()
            if row is None or row.uid_validity != self._validity or row.uid == raw.uid:
                break
        self._twins[mark] = nth
        return this, row

    def _note_what_is_gone(self) -> None:
        """Everything was looked at. What has an older number was not among it: somebody else has taken it away."""
        elsewhere = (
            col(MailIn.mailbox) == self._inbox.name,
            col(MailIn.taken_from_mailbox_at).is_(None),
            col(MailIn.uid_validity) != self._validity,
        )
        with self._transaction() as session:
            session.execute(sa.update(MailIn).where(*elsewhere).values(taken_from_mailbox_at=self._svc.clock()))

    # ---------------------------------------------------------------------------------------------------- sorting
    def _keep(self, session: Session, mail: InboundMail, mark: str, now: datetime, *, unsorted: bool) -> MailSort:
        sender_mark = _sender_mark(self._svc, mail.sender, now)
        mail = replace(mail, may_answer=self._may_answer(session, mail, sender_mark, now))
        sort, request_id = (MailSort.UNSORTED, None) if unsorted else self._place(session, mail, now)
        row = MailIn(
            id=new_id(),
            mailbox=self._inbox.name,
            uid_validity=self._validity,
            uid=mail.uid,
            mark=mark,
            received_at=mail.received_at,
            read_at=now,
            sort=sort,
            sender_mark=sender_mark,
            request_id=request_id,
        )
        if sort is MailSort.UNSORTED:
            _seal(self._svc, row, mail)
        session.add(row)
        audit.record(session, audit.Action.MAIL_READ, row.id, at=now, sort=sort.value)
        return sort

    def _place(self, session: Session, mail: InboundMail, now: datetime) -> tuple[MailSort, str | None]:
        if mail.is_bounce:
            return MailSort.BOUNCE, self._came_back(session, mail, now)
        request = self._thread(session, mail)
        if mail.is_automatic and (request is not None or not mail.asks_to_delete):
            return MailSort.AUTOMATIC, request.id if request else None
        if request is not None and request.closed_at is None:
            same = is_same_address(self._svc, request, mail.sender)
            requests.add_reply(session, self._svc, request, mail, same_address=same, now=now)
            return MailSort.REPLY, request.id
        answers = mail.references or _REPLIES.match(mail.subject)
        if mail.asks_to_delete and not mail.is_automatic and not self._is_ours(mail) and not (request and answers):
            return MailSort.REQUEST, requests.open_from_mail(session, self._svc, mail, now).id
        return MailSort.UNSORTED, request.id if request else None

    def _came_back(self, session: Session, mail: InboundMail, now: datetime) -> str | None:
        for message_id in dict.fromkeys([mail.bounced_message_id, *mail.references]):
            sent = message_id and correspondence.bounced(session, message_hash(self._svc.vault, message_id), now=now)
            if sent:
                return sent.request_id
        return None

    def _thread(self, session: Session, mail: InboundMail) -> Request | None:
        """The request that it belongs to: by what it answers, by being in two copies, or by a number in its subject."""
        ids = [message_hash(self._svc.vault, each) for each in (*mail.references, mail.message_id) if each]
        numbers = _NUMBER.findall(mail.subject.upper())[:5]
        of_ours = select(MailOut.request_id).where(col(MailOut.message_hash).in_(ids))
        of_theirs = select(RequestMessage.request_id).where(col(RequestMessage.message_hash).in_(ids))
        is_it = sa.or_(col(Request.id).in_(of_ours), col(Request.id).in_(of_theirs), col(Request.number).in_(numbers))
        still_open_first = (col(Request.closed_at).is_not(None), col(Request.received_at).desc())
        if not ids and not numbers:
            return None
        known = select(Request).where(is_it, made_up.is_real(Request.id)).order_by(*still_open_first)
        return session.exec(known.limit(1)).first()

    def _is_ours(self, mail: InboundMail) -> bool:
        """From our own address: a copy of what we wrote, something that a colleague has passed on, or a pretender."""
        return bool(mail.sender) and _plain(mail.sender) == _own_address(self._svc)

    def _may_answer(self, session: Session, mail: InboundMail, sender_mark: str | None, now: datetime) -> bool:
        if sender_mark is None or not mail.is_from_a_person or self._is_ours(mail):
            return False
        today = select(sa.func.count()).where(MailIn.sender_mark == sender_mark)
        if session.exec(today).one() >= ANSWERS_A_DAY:
            return False
        if self._answered is None:
            this_hour = (col(MailIn.sender_mark).is_not(None), col(MailIn.read_at) > now - timedelta(hours=1))
            opened = select(sa.func.count()).where(*this_hour, MailIn.sort == MailSort.REQUEST)
            self._answered = session.exec(opened).one()
        return self._answered + self.report.sorts[MailSort.REQUEST] < ANSWERS_AN_HOUR

    # --------------------------------------------------------------------------------------------------- removing
    def remove_settled(self) -> None:
        """Out of the mailbox first, then the row: who dies in between removes nothing twice, and finds it gone."""
        while self.report.removed < REMOVED_AT_ONCE and (uids := self._settled()):
            self._inbox.remove(self._validity, uids.values())
            now = self._svc.clock()
            with self._transaction() as session:
                removed = sa.update(MailIn).where(col(MailIn.id).in_(list(uids)))
                session.execute(removed.values(taken_from_mailbox_at=now))
            self.report.removed += len(uids)

    def _settled(self) -> dict[str, int]:
        closed = sa.exists().where(col(Request.id) == col(MailIn.request_id), col(Request.closed_at).is_not(None))
        old = col(MailIn.read_at) < self._svc.clock() - UNSORTED_KEPT
        is_nobodys = sa.and_(col(MailIn.request_id).is_(None), sa.or_(old, col(MailIn.sorted_at).is_not(None)))
        query = select(MailIn.id, MailIn.uid).where(
            MailIn.mailbox == self._inbox.name,
            col(MailIn.taken_from_mailbox_at).is_(None),
            MailIn.uid_validity == self._validity,
            col(MailIn.sealed_key).is_(None),  # whoever has not seen it yet may want to see all of it
            sa.or_(closed, is_nobodys),
        )
        with self._svc.reading() as session:
            return dict(session.exec(query.order_by(col(MailIn.uid)).limit(AT_ONCE)).all())

    # -------------------------------------------------------------------------------------------------- housekeeping
    def tidy(self) -> None:
        """Whatever the server says today: what nobody has seen to in 30 days is scrubbed, and senders are forgotten."""
        now = self._svc.clock()
        with self._transaction() as session:
            new = upsert(session.get_bind().dialect.name, Mailbox).values(
                name=self._inbox.name, uid_validity=NEVER_READ, last_uid=0, looked_at=now
            )
            session.execute(new.on_conflict_do_nothing())
            waiting = col(MailIn.sealed_key).is_not(None), col(MailIn.read_at) < now - UNSORTED_KEPT
            for row in session.exec(select(MailIn).where(*waiting).limit(AT_ONCE)).all():
                row.sealed_key = row.sealed_mail = None
                session.add(row)
                audit.record(session, audit.Action.MAIL_SORTED, row.id, at=now, sort="expired")
                self.report.expired += 1
            known = col(MailIn.sender_mark).is_not(None), col(MailIn.read_at) < now - SENDER_KNOWN_FOR
            session.execute(sa.update(MailIn).where(*known).values(sender_mark=None))

    def note(self) -> None:
        now, failure = self._svc.clock(), self.report.failure
        with self._transaction() as session:
            row = self._mailbox(session)
            if failure is None or failure in AFTER_READING:
                row.looked_at = now
            row.failed_since = (row.failed_since or now) if failure else None
            row.failure = failure
            session.add(row)


def _sender_mark(svc: Services, sender: str, now: datetime) -> str | None:
    """Tells today's mails of one sender from others', and nothing tomorrow. `ann+anything@` is ann."""
    local, _, domain = _plain(sender).rpartition("@")
    whole = f"{now:%Y-%m-%d} {local.partition('+')[0]}@{domain}"
    return svc.vault.keyed_hash("mail-sender", whole.encode()) if local else None


def _plain(text: str) -> str:
    """An address as one would compare it."""
    try:
        return addresses.address(text).casefold()
    except NotAllowed:
        return text.strip().casefold()


def _own_address(svc: Services) -> str | None:
    try:
        own = addresses.sender(svc.settings)
    except NotAllowed:
        return None
    return _plain(own) if own else None


def is_same_address(svc: Services, request: Request, sender: str) -> bool:
    """Says where a mail comes from, and proves nothing: anyone can write any sender."""
    if not sender or request.sealed_address is None or request.sealed_key is None:
        return False
    return _plain(svc.vault.open_text(request, request.sealed_address)) == _plain(sender)


# ------------------------------------------------------------------------------------------------------- unsorted
@dataclass(frozen=True, kw_only=True)
class Unsorted:
    """A mail that a person has to look at, without what it says."""

    id: str
    received_at: datetime  # if it is a request, its clock runs since then
    expires_at: datetime  # scrubbed then, seen or not
    request_id: str | None  # the closed request that it belongs to


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The same, opened for an operator. Claim codes are blotted out: nobody but their owner opens photos."""

    id: str
    received_at: datetime
    sender: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    attachments: int
    notes: tuple[str, ...]
    request_id: str | None


NOTES: Final = {
    "cut": "Only its beginning was read.",
    "long": "Only the beginning of its text is kept.",
    "unreadable": "Parts of it could not be read.",
    "charset": "Some letters may be wrong: it does not say truly how it is written.",
    "many_parts": "It has more parts than were looked at.",
    "no_text": "No text was found in it.",
    "no_sender": "It is from nobody who could be answered.",
    "from_the_future": "The mail server's clock is ahead of ours; the time of receipt is ours.",
    "stumbled": "It could not be sorted because something here failed.",
    "automatic": "A machine wrote it.",
    "list": "It came over a mailing list.",
}
"""What is said of a mail that was not as it should be."""


def waiting(session: Session) -> int:
    """How many unsorted mails there are."""
    return session.exec(select(sa.func.count()).where(col(MailIn.sealed_key).is_not(None))).one()


def unsorted(session: Session, *, limit: int = 100) -> list[Unsorted]:
    """The oldest first."""
    query = select(MailIn).where(col(MailIn.sealed_key).is_not(None)).order_by(col(MailIn.received_at)).limit(limit)
    return [
        Unsorted(
            id=row.id,
            received_at=row.received_at,
            expires_at=row.read_at + UNSORTED_KEPT,
            request_id=row.request_id,
        )
        for row in session.exec(query)
    ]


def open_unsorted(svc: Services, mail_id: str) -> Opened:
    """What it says. Raises NotFound, also once it was seen to or scrubbed."""
    with svc.reading() as session:
        row = _unsorted(session, mail_id)
    mail = _unseal(svc, row)
    marks = [*mail.notes, *(["automatic"] if mail.is_automatic else []), *(["list"] if mail.is_list else [])]
    return Opened(
        id=row.id,
        received_at=row.received_at,
        sender=mail.sender,
        subject=without_codes(mail.subject),
        text=without_codes(mail.text),
        attachments=mail.attachments,
        notes=tuple(NOTES[name] for name in marks if name in NOTES),
        request_id=row.request_id,
    )


def into_request(svc: Services, mail_id: str, *, actor: str, kind: RequestKind = RequestKind.ERASE) -> str:
    """It is a request after all: its clock runs since the mailbox got it. The request's id. Raises NotFound."""
    now = svc.clock()
    with svc.transaction() as session:
        row = _unsorted(session, mail_id, lock=True)
        mail = _unseal(svc, row)
        request = requests.open_from_mail(session, svc, mail, now, kind=kind)
        _see_to(session, row, now, actor, sort=MailSort.REQUEST, request_id=request.id)
        request_id = request.id
    svc.wake()
    return request_id


def into_reply(svc: Services, mail_id: str, request_id: str, *, actor: str) -> None:
    """It belongs to this request. Raises NotFound, NotAllowed if that is closed."""
    now = svc.clock()
    with svc.transaction() as session:
        row = _unsorted(session, mail_id, lock=True)
        mail, request = _unseal(svc, row), session.get(Request, request_id)
        if request is None:
            raise NotFound("There is no such request.")
        if request.closed_at is not None:
            raise NotAllowed("This request is closed. Open a new one from the mail.")
        same = is_same_address(svc, request, mail.sender)
        requests.add_reply(session, svc, request, mail, same_address=same, now=now)
        _see_to(session, row, now, actor, sort=MailSort.REPLY, request_id=request_id)
    svc.wake()


def dismiss(svc: Services, mail_id: str, *, actor: str) -> None:
    """Nothing is to be done. It is scrubbed here now and taken out of the mailbox at the next look. Raises NotFound."""
    now = svc.clock()
    with svc.transaction() as session:
        row = _unsorted(session, mail_id, lock=True)
        _see_to(session, row, now, actor, sort=MailSort.UNSORTED, request_id=row.request_id)


def _see_to(
    session: Session, row: MailIn, now: datetime, actor: str, *, sort: MailSort, request_id: str | None
) -> None:
    row.sort, row.request_id, row.sorted_at = sort, request_id, now
    row.sealed_key = row.sealed_mail = None
    session.add(row)
    outcome = "dismissed" if sort is MailSort.UNSORTED else sort.value
    audit.record(session, audit.Action.MAIL_SORTED, row.id, at=now, actor=actor, sort=outcome)


def _unsorted(session: Session, mail_id: str, *, lock: bool = False) -> MailIn:
    row = session.get(MailIn, mail_id, with_for_update=lock or None, populate_existing=lock)
    if row is None or row.sealed_key is None:
        raise NotFound("This mail was seen to already, or is not kept any more.")
    return row


def _seal(svc: Services, row: MailIn, mail: InboundMail) -> None:
    row.sealed_key = svc.vault.make_key(row.id)
    said: dict[str, Any] = asdict(mail) | {"received_at": mail.received_at.isoformat()}
    row.sealed_mail = svc.vault.seal_text(row, json.dumps(said))


def _unseal(svc: Services, row: MailIn) -> InboundMail:
    """Of an older release it may lack what is new, and have what is no more."""
    said = json.loads(svc.vault.open_text(row, row.sealed_mail or b""))
    lists = {name: tuple(said.get(name, ())) for name in ("references", "notes")}
    known = {f.name for f in fields(InboundMail)}
    return InboundMail(**{n: v for n, v in said.items() if n in known} | lists | {"received_at": row.received_at})


# ---------------------------------------------------------------------------------------------------------- state
@dataclass(frozen=True, kw_only=True)
class State:
    """How it stands with the mailbox."""

    read_at: datetime | None  # the last time that it could be read; None: never
    failure: str | None
    failed_since: datetime | None
    unsorted: int
    oldest_at: datetime | None  # when the oldest unsorted mail was received

    @property
    def says(self) -> str:
        """One or two sentences on what is wrong, or nothing."""
        return f"{FAILURES.get(self.failure, FAILURES['unreachable'])}" if self.failure else ""


def state(svc: Services) -> State | None:
    """None: no mailbox is read here."""
    if svc.inbox is None:
        return None
    with svc.reading() as session:
        row = session.get(Mailbox, svc.inbox.name)
        oldest = select(sa.func.min(MailIn.received_at)).where(col(MailIn.sealed_key).is_not(None))
        return State(
            read_at=row.looked_at if row and row.uid_validity != NEVER_READ else None,
            failure=row.failure if row else None,
            failed_since=row.failed_since if row else None,
            unsorted=waiting(session),
            oldest_at=session.exec(oldest).one(),
        )


def reach(svc: Services) -> None:
    """Connect, sign in and open the folder; read nothing. Raises MailUnavailable."""
    if svc.inbox is not None:
        with svc.inbox.look(after=None):
            pass
