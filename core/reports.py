"""
Reports of abuse: somebody says that an image which was made here should not be.

Whoever reports needs no name, no account and no photo here. A file that they choose is read in memory, and what stays
of it is a keyed hash, and the random word of our mark if it has one; words and address lie sealed under a key of the
report's own, which is destroyed when it closes. Whether anything was found is not told to them: it would say who was
here. Operators find it by the number of the run, the hash or the mark (core/abuse/finding.py), may look at it two
together (core/abuse/glass.py), block (core/abuse/blocks.py), and have it erased the one way out: by a request entered
by hand, matched to its owner by the number of a run.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import abuse, access, audit, copies, language, requests
from core.abuse import blocks, finding
from core.abuse.finding import Marked, Person
from core.abuse.upkeep import URGENT_FIRST
from core.addresses import address as checked_address
from core.db import scrub, take_turns
from core.errors import LimitReached, NotAllowed, NotFound
from core.language import _
from core.models import (
    AbuseKind,
    AbuseOutcome,
    AbuseReport,
    Block,
    GlassView,
    JobKind,
    Request,
    RequestKind,
    RequestOutcome,
    RequestState,
    new_id,
)
from core.operators import Operator
from core.queue import enqueue
from core.requests import Ticket
from core.requests.codes import without_codes
from core.requests.tickets import tickets
from core.services import Services

OF_A_SESSION: Final = 5
"""Reports in a UTC day, by one browser."""
OF_A_NETWORK: Final = 20
_NO_SUCH: Final = "There is no such report."


# ------------------------------------------------------------------------------------------------------------ reporting
@dataclass(frozen=True, kw_only=True)
class Trace:
    """What is kept of a file that came with a report."""

    file_hash: str = field(repr=False)
    marked: Marked | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What somebody reports, in their words and numbers."""

    kind: AbuseKind
    words: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    run_number: str = ""
    trace: Trace | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Received:
    """What whoever reported is told: the same whether anything was found or not."""

    number: str
    kind: AbuseKind
    due_at: datetime


def trace_of(svc: Services, data: bytes) -> Trace:
    """The hash of a file as of originals, and our mark's word. The bytes are in nobody's hands afterwards."""
    return Trace(file_hash=copies.hash_of_original(svc, data), marked=finding.mark_of(data, svc.clock()))


def open_report(svc: Services, session_hash: str, said: Said, *, press_id: str) -> Received:
    """Somebody reports. The same press twice is one report. Raises NotAllowed, LimitReached."""
    with svc.reading() as session:
        if known := _same_press(session, press_id):
            return known
    address = _checked(said)
    _spend(svc, session_hash)
    try:
        received = _enter(svc, said, address, press_id)
    except sa.exc.IntegrityError:  # the rows of whom it is about went meanwhile: nobody is found any more
        received = _enter(svc, said, address, press_id)
    svc.wake()
    return received


def _enter(svc: Services, said: Said, address: str, press_id: str) -> Received:
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session)
        if known := _same_press(session, press_id):
            return known
        report = _row(svc, session, said, press_id, now)
        _seal(svc, report, said, address)
        session.add(report)
        session.flush()
        opened = audit.Action.ABUSE_REPORTED
        audit.record(session, opened, report.id, at=now, kind=report.kind.value)
        if svc.notify is not None and report.kind is AbuseKind.CHILD:
            enqueue(session, JobKind.ALERTS, "-", at=now)  # nobody waits for the next minute
        return _received(report)


def _same_press(session: Session, press_id: str) -> Received | None:
    known = session.exec(select(AbuseReport).where(AbuseReport.press_id == press_id)).first()
    return _received(known) if known else None


def _received(report: AbuseReport) -> Received:
    return Received(number=report.number, kind=report.kind, due_at=report.due_at)


def _checked(said: Said) -> str:
    """The address in its plain form. Raises NotAllowed."""
    if len(said.words) > abuse.MOST_WORDS:
        raise NotAllowed(_("Please use fewer than {most} letters.", most=language.number(abuse.MOST_WORDS)))
    if not (said.words.strip() or said.run_number.strip() or said.trace):
        raise NotAllowed(_("Please say which image it is: by its file, its run's number, or in your words."))
    return checked_address(said.address) if said.address.strip() else ""


def _spend(svc: Services, session_hash: str) -> None:
    """So many in a day by one browser and by one network, counted where runs are (core/fair_use.py), in memory."""
    network = svc.networks.of(session_hash)
    try:
        svc.networks.spend(f"reports of session {session_hash}", limit=OF_A_SESSION)
        svc.networks.spend(network and f"reports of network {network}", limit=OF_A_NETWORK)
    except LimitReached:
        says = _("Several reports came from here today. Please come back tomorrow.")
        raise LimitReached(says, code="limit_reports") from None


def _row(svc: Services, session: Session, said: Said, press_id: str, now: datetime) -> AbuseReport:
    by_run = finding.by_run(session, said.run_number) if said.run_number.strip() else None
    by_file = finding.by_original(session, said.trace.file_hash) if said.trace else []
    found = by_run or (by_file[0] if len(by_file) == 1 else None)  # of several, an operator chooses
    report_id = new_id()
    return AbuseReport(
        id=report_id,
        number=access.new_number("A"),
        press_id=press_id,
        kind=said.kind,
        language=language.current(),
        received_at=now,
        due_at=now + abuse.ANSWERED_IN,
        subject_id=found.subject_id if found else None,
        copy_id=found.copy_id if found else None,
        generation_id=found.generation_id if found else None,
        file_hash=said.trace.file_hash if said.trace else None,
        sealed_key=svc.vault.make_key(report_id),
    )


def _seal(svc: Services, report: AbuseReport, said: Said, address: str) -> None:
    """Words, what the file's mark says and the number as it was typed, in one; claim codes are blotted out."""
    marked = said.trace.marked if said.trace else None
    kept = {"words": without_codes(said.words.strip()), "run": without_codes(said.run_number.strip()[:40])}
    if marked is not None:
        kept |= {"mark": marked.id, "made_at": marked.made_at.isoformat()}
    report.sealed_words = svc.vault.seal_text(report, json.dumps(kept))
    if address:
        report.sealed_address = svc.vault.seal_text(report, address)


# -------------------------------------------------------------------------------------------------------------- reading
@dataclass(frozen=True, kw_only=True)
class Detail:
    """All that an operator sees of one report: ids, clocks and sizes, the reporter's words; never a face."""

    report: AbuseReport
    words: str | None = field(repr=False)  # None: destroyed with the end of the report
    address: str | None = field(repr=False)
    run_number: str
    has_mark: bool  # a mark of ours is in the file that came with it
    people: Sequence[Person]
    views: Sequence[GlassView]
    blocks: Sequence[Block]
    requests: Sequence[Ticket]  # by which images were asked to be erased for this report

    @property
    def is_open(self) -> bool:
        return self.report.closed_at is None


def waiting(session: Session, *, limit: int = 100) -> Sequence[AbuseReport]:
    """What is open, a child's first, then by what is due."""
    still = select(AbuseReport).where(col(AbuseReport.closed_at).is_(None))
    return session.exec(still.order_by(*URGENT_FIRST).limit(limit)).all()


def how_many_wait(session: Session) -> int:
    still = select(func.count()).select_from(AbuseReport).where(col(AbuseReport.closed_at).is_(None))
    return session.exec(still).one()


def closed(session: Session, *, limit: int = 20) -> Sequence[AbuseReport]:
    """The latest."""
    over = select(AbuseReport).where(col(AbuseReport.closed_at).is_not(None))
    return session.exec(over.order_by(col(AbuseReport.closed_at).desc()).limit(limit)).all()


def questions(session: Session, operator: Operator) -> Sequence[GlassView]:
    """What others have asked, and somebody else has to decide."""
    undecided = col(GlassView.decided_at).is_(None), GlassView.asked_by != operator.id
    query = select(GlassView).join(AbuseReport, col(AbuseReport.id) == GlassView.report_id)
    return session.exec(query.where(*undecided, col(AbuseReport.closed_at).is_(None)).limit(50)).all()


def numbered(session: Session, number: str) -> AbuseReport | None:
    return session.exec(select(AbuseReport).where(AbuseReport.number == number.strip().upper())).first()


def detail(svc: Services, report_id: str) -> Detail:
    """Raises NotFound."""
    with svc.reading() as session:
        report = session.get(AbuseReport, report_id)
        if report is None:
            raise NotFound(_NO_SUCH)
        kept = _opened(svc, report)
        address = report.sealed_address and svc.vault.open_text(report, report.sealed_address)
        return Detail(
            report=report,
            words=kept.get("words") if kept else None,
            address=address or None,
            run_number=str(kept.get("run", "")),
            has_mark="mark" in kept,
            people=finding.people(session, report),
            views=views(session, report.id),
            blocks=blocks.of_report(session, report.id),
            requests=_requests_of(session, report.id),
        )


def views(session: Session, report_id: str) -> Sequence[GlassView]:
    """The latest first. Nothing is unsealed for it: a page asks every few seconds."""
    theirs = select(GlassView).where(GlassView.report_id == report_id)
    return session.exec(theirs.order_by(col(GlassView.asked_at).desc())).all()


def _opened(svc: Services, report: AbuseReport) -> dict[str, Any]:
    if report.sealed_words is None or report.sealed_key is None:
        return {}
    kept: dict[str, Any] = json.loads(svc.vault.open_text(report, report.sealed_words))
    return kept


def _requests_of(session: Session, report_id: str) -> Sequence[Ticket]:
    """Ids are hexadecimal: as a range, and not as a pattern, the index of presses finds them."""
    press = col(Request.press_id)
    theirs = select(Request).where(press >= report_id, press < f"{report_id}g").order_by(col(Request.received_at))
    return tickets(session, session.exec(theirs).all())


# -------------------------------------------------------------------------------------------------------------- dealing
def find_by_mark(svc: Services, operator: Operator, report_id: str) -> bool:
    """Look for the headshot whose mark a report's file carries. Whether it was found. Raises NotFound, NotAllowed,
    StorageUnavailable."""
    with svc.reading() as session:
        report = session.get(AbuseReport, report_id)
    if report is None:
        raise NotFound(_NO_SUCH)
    kept = _opened(svc, report)
    if "mark" not in kept:
        raise NotAllowed("There is no mark of ours in what was reported.")
    found = finding.by_mark(svc, Marked(kept["mark"], datetime.fromisoformat(kept["made_at"])))
    with svc.transaction() as session:
        report = finding.open_report(session, report_id)
        if found is not None:
            report.subject_id, report.copy_id = found.subject_id, found.copy_id
            report.generation_id = found.generation_id
            session.add(report)
        searched = audit.Action.ABUSE_SEARCHED
        audit.record(session, searched, report.id, at=svc.clock(), actor=operator.actor, found=found is not None)
    return found is not None


def erase(svc: Services, operator: Operator, report_id: str, *, subject_id: str | None = None) -> Ticket:
    """Everything of whom it is about goes, the one way out: a request entered by hand, shown by the number of a run,
    and begun. Pressed twice, or after a crash, it goes on with the same request. Raises NotFound, NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        report = finding.open_report(session, report_id)
        person = _one_of(finding.people(session, report), subject_id)
        if not person.runs:
            raise NotAllowed("There is no run to show it by.")
        run = next((run for run in person.runs if run.id == report.generation_id), person.runs[0])
        press_id = _press_of(svc, report, person)
        if not session.exec(select(Request.id).where(Request.press_id == press_id)).first():
            asked = audit.Action.ABUSE_ERASE_ASKED
            audit.record(session, asked, report.id, at=now, actor=operator.actor, kind=report.kind.value)
    ticket = requests.open_by_hand(
        svc, kind=RequestKind.ERASE, received_at=report.received_at, actor=operator.actor, press_id=press_id
    )
    if not ticket.matched:
        ticket = requests.match_run(
            svc, ticket.id, run_number=run.number, about_when=run.created_at, actor=operator.actor
        )
    return requests.start(svc, ticket.id, operator.actor) if ticket.state is RequestState.UNDO else ticket


def _press_of(svc: Services, report: AbuseReport, person: Person) -> str:
    """One request for each whom a report erases. It begins with the report's id, and names the person to nobody: the
    register has it for longer than anything else is kept of them."""
    return report.id + svc.vault.keyed_hash("erased for a report", f"{report.id} {person.subject_id}".encode())[:32]


def _one_of(people: Sequence[Person], subject_id: str | None) -> Person:
    chosen = [person for person in people if subject_id in (None, person.subject_id)]
    if len(chosen) != 1:
        raise NotAllowed("Several people were found: choose one." if chosen else "Nobody was found.")
    return chosen[0]


def close(svc: Services, operator: Operator, report_id: str, outcome: AbuseOutcome) -> None:
    """Its end. Words, address and the file's hash are destroyed with it, and nobody looks at anything for it any more.
    An outcome that says that something was done is refused where it was not. Raises NotFound, NotAllowed."""
    now = svc.clock()
    with svc.transaction() as session:
        report = finding.open_report(session, report_id)
        if outcome is AbuseOutcome.BLOCKED and not blocks.of_report(session, report.id):
            raise NotAllowed("Nothing was blocked for this report. Block first, or close it with another outcome.")
        if outcome is AbuseOutcome.ERASED and not any(_erases(one) for one in _requests_of(session, report.id)):
            raise NotAllowed("Nothing was erased for this report. Erase first, or close it with another outcome.")
        report.closed_at, report.outcome, report.file_hash = now, outcome, None  # a block of the file has its own
        report.sealed_key = report.sealed_words = report.sealed_address = None
        session.add(report)
        ended = audit.Action.ABUSE_CLOSED
        audit.record(session, ended, report.id, at=now, actor=operator.actor, outcome=outcome.value)
    scrub(svc.database)


def _erases(ticket: Ticket) -> bool:
    return ticket.matched and ticket.outcome is not RequestOutcome.WITHDRAWN
