"""
Access: whose browser this is, what it may open, and how much it may ask for in a day.

* A session is one browser. It opens at most one subject at a time: the one whose photos it uploaded, or the one whose
  claim code it was given. Only the hash of its cookie is stored.
* A claim code is a secret of 128 random bits, shown once. Its hash is stored; a new code replaces the old one.
* Whatever may not be opened looks like what never existed: foreign, erased and unknown raise the same NotFound.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit
from core.clock import next_utc_midnight
from core.db import take_turns
from core.errors import NotFound
from core.language import _
from core.models import BrowserSession, Copy, Generation, Subject
from core.services import Services
from core.usage import noting

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O or U to mistake
CODE_LENGTH = 28  # 128 random bits and 12 bits to notice a slip of the pen
_LOOKALIKES = str.maketrans("ILO", "110")


# ------------------------------------------------------------------------------------------------- claim codes
def new_claim_code() -> str:
    """Seven groups of four."""
    secret = secrets.token_bytes(16)
    number = (int.from_bytes(secret) << 12) | _check(secret)
    letters = "".join(ALPHABET[(number >> (5 * i)) & 31] for i in reversed(range(CODE_LENGTH)))
    return "-".join(letters[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def new_number(letter: str, *, length: int = 7) -> str:
    """To read out, "G-7Q4K2M9", and random, so that it tells nothing. Longer where nobody may guess one."""
    return f"{letter}-" + "".join(secrets.choice(ALPHABET) for _ in range(length))


def read_claim_code(text: str) -> str | None:
    """What a person typed → the code's hash, or None if it cannot be a code. Spaces and case do not matter."""
    letters = re.sub(r"[\s\-–—_.]", "", text).upper().translate(_LOOKALIKES)
    if len(letters) != CODE_LENGTH or set(letters) - set(ALPHABET):
        return None
    number = 0
    for letter in letters:
        number = number * 32 + ALPHABET.index(letter)
    secret = (number >> 12).to_bytes(16)
    if number & 0xFFF != _check(secret):
        return None
    return hashlib.sha256(b"workshot/claim/" + secret).hexdigest()


def _check(secret: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"workshot/claim-check/" + secret).digest()[:2]) >> 4


def issue_claim_code(svc: Services, session_hash: str, *, replace: bool = False) -> str | None:
    """A code for what this browser has open, to be shown once. None: one was issued before and `replace` is off."""
    with svc.transaction() as session:
        take_turns(session)
        subject = current_subject(session, session_hash)
        if subject is None or subject.sealed_key is None:
            raise NotFound(_("There are no photos here."))
        if subject.claim_issued_at is not None and not replace:
            return None
        code, again = new_claim_code(), subject.claim_issued_at is not None
        subject.claim_hash = read_claim_code(code)
        subject.claim_issued_at = svc.clock()
        session.add(subject)
        issued = audit.Action.CLAIM_ISSUED
        audit.record(session, issued, subject.id, at=subject.claim_issued_at, actor=audit.SUBJECT, again=again)
    return code


def open_with_code(svc: Services, session_hash: str, network: str, text: str) -> None:
    """Let this browser open what the code opens. Wrong, expired and erased codes raise the same NotFound."""
    svc.guesses.spend(session_hash, network)
    claim_hash = read_claim_code(text)
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        held = sa.exists().where(
            col(Copy.subject_id) == col(Subject.id), col(Copy.erased_at).is_(None), col(Copy.erase_by) > now
        )
        subject_id = session.exec(select(Subject.id).where(Subject.claim_hash == claim_hash, held)).first()
        if claim_hash is None or subject_id is None:
            raise NotFound(_("This code opens nothing. Check it letter by letter; photos may also have been erased."))
        link(session, session_hash, subject_id, now, by_claim_code=True)
        audit.record(session, audit.Action.CLAIM_OPENED, subject_id, at=now, actor=audit.SUBJECT)
    svc.guesses.forgive(session_hash)


# --------------------------------------------------------------------------------------------------- sessions
def link(session: Session, session_hash: str, subject_id: str, now: datetime, *, by_claim_code: bool = False) -> None:
    """From now on this browser opens this subject, and no other."""
    is_mine = col(BrowserSession.session_hash) == session_hash
    is_this = col(BrowserSession.subject_id) == subject_id
    still_open = col(BrowserSession.closed_at).is_(None)
    # close before opening: at no moment does a browser open two
    session.execute(sa.update(BrowserSession).where(is_mine, ~is_this, still_open).values(closed_at=now))
    known = session.execute(sa.update(BrowserSession).where(is_mine, is_this).values(closed_at=None))
    if known.rowcount == 0:  # type: ignore[attr-defined]
        session.add(
            BrowserSession(session_hash=session_hash, subject_id=subject_id, opened_at=now, by_claim_code=by_claim_code)
        )
        session.flush()


def close(svc: Services, session_hash: str) -> None:
    """This browser opens nothing any more; the claim code still does."""
    with svc.transaction() as session:
        for mine in session.exec(select(BrowserSession).where(BrowserSession.session_hash == session_hash)):
            mine.closed_at = mine.closed_at or svc.clock()
            session.add(mine)


def current_subject(session: Session, session_hash: str) -> Subject | None:
    """The subject this browser has open, also when it has been erased since."""
    query = (
        select(Subject)
        .join(BrowserSession, col(BrowserSession.subject_id) == Subject.id)
        .where(BrowserSession.session_hash == session_hash, col(BrowserSession.closed_at).is_(None))
    )
    return session.exec(query).first()


def is_counted(svc: Services, session_hash: str) -> bool:
    """Whether what this browser does may be counted, as far as whose photos it has open. In doubt it may not."""
    try:
        with svc.reading() as session:
            subject = current_subject(session, session_hash)
            return subject is None or noting.may_be_counted(subject)
    except sa.exc.SQLAlchemyError:  # there are pages that need no database, and they open
        return False


def stop_counting(svc: Services, session_hash: str) -> bool:
    """Nothing more is counted of the person whose photos this browser has open. It stays so. False: try again."""
    svc.visits.forget(session_hash)
    try:
        with svc.reading() as session:
            subject = current_subject(session, session_hash)
        if subject is not None and subject.is_counted:
            with svc.transaction() as session:
                session.execute(sa.update(Subject).where(col(Subject.id) == subject.id).values(is_counted=False))
    except sa.exc.SQLAlchemyError:  # as above
        return False
    return True


def may_read(session: Session, session_hash: str, copy_id: str, now: datetime) -> Copy:
    """The copy, if this browser may see it now. Raises NotFound for everything else, alike."""
    query = (
        select(Copy)
        .join(BrowserSession, col(BrowserSession.subject_id) == Copy.subject_id)
        .where(
            Copy.id == copy_id,
            BrowserSession.session_hash == session_hash,
            col(BrowserSession.closed_at).is_(None),
        )
    )
    copy = session.exec(query).first()
    if copy is None or not copy.may_be_read(now):
        raise NotFound(_("There is no such image."))
    return copy


def own_run(session: Session, session_hash: str, generation_id: str) -> Generation:
    """The run, if this browser has its subject open. Raises NotFound."""
    subject = current_subject(session, session_hash)
    run = session.get(Generation, generation_id)
    if run is None or subject is None or run.subject_id != subject.id:
        raise NotFound(_("There is no such run."))
    return run


# --------------------------------------------------------------------------------------------------- fair use
@dataclass(frozen=True)
class Allowance:
    limit: int
    used: int
    resets_at: datetime

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


def allowance(session: Session, session_hash: str, *, limit: int, now: datetime) -> Allowance:
    """Runs of this UTC day, over every subject that this browser has opened, so that erasing wins no extra runs."""
    resets_at = next_utc_midnight(now)
    mine = select(BrowserSession.subject_id).where(BrowserSession.session_hash == session_hash)
    used = session.exec(
        select(func.count())
        .select_from(Generation)
        .where(
            col(Generation.subject_id).in_(mine),
            col(Generation.counts),
            Generation.created_at >= resets_at - timedelta(days=1),
        )
    ).one()
    return Allowance(limit=limit, used=used, resets_at=resets_at)
