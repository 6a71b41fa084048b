"""
Audit: what was done, by whom, in which order; nobody can change it unseen.

An entry is written in the transaction of the deed it tells of: there is none without the other. Each entry's hash
covers the one before, and signed checkpoints fix the chain from time to time, so that it can be verified from the
outside and across its own pruning.

Nothing personal: `ref` and `actor` are opaque, facts are numbers, truths and codes, and each action has a list of the
facts it may have. A name, an address or a sentence does not pass.

The canonical form, for whoever writes a verifier:

* An entry's hash is the SHA-256, in hex, of this JSON array as ASCII without spaces, keys of objects in order:
  `["workshot audit entry 1",seq,at,actor,action,ref,facts,previous_hash]`. `at` is UTC as
  `2026-03-02T12:00:00.000000Z`; `facts` is an object. `seq` counts from 1 without a gap. The first entry's
  `previous_hash` is 64 zeros, every other's the hash of the entry before.
* A checkpoint says that the entry `seq` has the hash `hash`. Its Ed25519 signature is over
  `["workshot audit checkpoint 1",seq,hash,at,key_id]`, written the same way. See core/signing.py for keys.
* Pruning removes entries from the beginning, up to and including one that a checkpoint names. The first entry left
  then follows that checkpoint's `seq` and `hash`, and the checkpoint is older than twelve months.

What protects it. Triggers of the database refuse every UPDATE, an INSERT anywhere but at the end, and a DELETE unless
the entry is older than twelve months by the database's own clock and a checkpoint covers it. Whoever can remove
triggers can change the rows, and is found by `verify`, unless they made the whole chain anew from a checkpoint on: so
the newest checkpoint limits what can be lost, and `verify` can be given a head that was kept elsewhere.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core.canonical import as_json as _json
from core.canonical import instant as _instant
from core.db import AUDIT_CHAIN, take_turns
from core.models import AuditCheckpoint, AuditEntry, CopyKind
from core.signing import Signature
from core.usage.counting import count
from core.usage.metrics import Metric

if TYPE_CHECKING:
    from core.services import Services

Fact = int | bool | str
NOBODY_BEFORE: Final = "0" * 64
TWELVE_MONTHS: Final = timedelta(days=365)
KEPT_FOR: Final = TWELVE_MONTHS + timedelta(days=2)
"""The triggers ask for twelve months by their own clock, and some of those have 366 days."""
SIGNED_EVERY: Final = timedelta(hours=1)
MOST_PROBLEMS: Final = 20
PAGE: Final = 1000
ENTRY_COLUMNS: Final = ("seq", "at", "actor", "action", "ref", "facts", "previous_hash", "hash")

SYSTEM, SUBJECT, OPERATOR = "system", "subject", "operator"
_WORD = re.compile(r"[a-z0-9_.:-]{1,40}", re.ASCII)
_REF = re.compile(r"[0-9A-Za-z_-]{1,40}", re.ASCII)
_ACTOR = re.compile(r"system|subject|operator:[a-z0-9-]{1,24}", re.ASCII)


class Action(StrEnum):
    """Every deed there is. The README lists them; a test keeps the list whole."""

    CONSENT_GIVEN = "consent:given"
    POLICY_NOTED = "policy:noted"
    POLICY_WITHDRAWN = "policy:withdrawn"
    RUN_REQUESTED = "run:requested"
    RUN_ENDED = "run:ended"
    RUN_CANCELLED = "run:cancelled"
    RUN_SHORTENED = "run:shortened"
    RUN_ERASE_ASKED = "run:erase_asked"
    SUBJECT_ERASE_ASKED = "subject:erase_asked"
    SUBJECT_KEY_DESTROYED = "subject:key_destroyed"
    COPY_ERASED = "copy:erased"
    COPY_GONE = "copy:gone"
    PROVIDER_COPY_NOTED = "provider_copy:noted"
    PROVIDER_COPY_OPEN = "provider_copy:open"
    PROVIDER_COPY_GONE = "provider_copy:gone"
    OBJECT_ERASED = "object:erased"
    COPY_MENDED = "copy:mended"
    COPY_ERASE_ASKED = "copy:erase_asked"
    COPY_PROBE_ASKED = "copy:probe_asked"
    FINDING_MEND_ASKED = "finding:mend_asked"
    RETENTION_EXPORTED = "retention:exported"
    SPENDING_EXPORTED = "spending:exported"  # no more: by day, it counted the headshots of few; logs may have it
    USAGE_EXPORTED = "usage:exported"
    ERASING_STOPPED = "erasing:stopped"
    ERASING_STARTED = "erasing:started"
    SWEEP_HELD = "sweep:held"
    SWEEP_CONFIRMED = "sweep:confirmed"
    CLAIM_ISSUED = "claim:issued"
    CLAIM_OPENED = "claim:opened"
    LINK_MADE = "link:made"
    OPERATOR_SIGNED_IN = "operator:signed_in"
    OPERATOR_SIGNED_OUT = "operator:signed_out"
    REQUEST_OPENED = "request:opened"
    REQUEST_MATCHED = "request:matched"
    REQUEST_LINKED = "request:linked"
    REQUEST_ASSIGNED = "request:assigned"
    REQUEST_LANGUAGE_SET = "request:language_set"
    REQUEST_NOTED = "request:noted"
    REQUEST_REPLIED = "request:replied"
    REQUEST_WITHDRAWN = "request:withdrawn"
    REQUEST_STARTED = "request:started"
    REQUEST_RETRIED = "request:retried"
    REQUEST_PROVED = "request:proved"
    REQUEST_EXTENDED = "request:extended"
    REQUEST_REFUSED = "request:refused"
    REQUEST_CLOSED = "request:closed"
    REQUEST_PRUNED = "request:pruned"
    REQUESTS_EXPORTED = "requests:exported"
    RECEIPT_MADE = "receipt:made"
    DATA_EXPORTED = "data:exported"
    MAIL_READ = "mail:read"
    MAIL_SORTED = "mail:sorted"
    MAIL_SENT = "mail:sent"
    MAIL_FAILED = "mail:failed"
    ALERT_SENT = "alert:sent"
    ABUSE_REPORTED = "abuse:reported"
    ABUSE_TOLD = "abuse:told"
    ABUSE_SEARCHED = "abuse:searched"
    ABUSE_ERASE_ASKED = "abuse:erase_asked"
    ABUSE_CLOSED = "abuse:closed"
    ABUSE_PRUNED = "abuse:pruned"
    GLASS_ASKED = "glass:asked"
    GLASS_ALLOWED = "glass:allowed"
    GLASS_REFUSED = "glass:refused"
    GLASS_SEEN = "glass:seen"
    GLASS_FORBIDDEN = "glass:forbidden"
    GLASS_PERMITTED = "glass:permitted"
    BLOCK_MADE = "block:made"
    BLOCK_LIFTED = "block:lifted"
    AUDIT_VERIFIED = "audit:verified"
    AUDIT_EXPORTED = "audit:exported"
    AUDIT_PRUNED = "audit:pruned"
    RECORDS_PRUNED = "records:pruned"
    BREACH_NOTED = "breach:noted"
    BREACH_ALERTED = "breach:alerted"
    BREACH_AUTHORITY_TOLD = "breach:authority_told"
    BREACH_PEOPLE_TOLD = "breach:people_told"
    BREACH_CLOSED = "breach:closed"

    @property
    def says(self) -> str:
        return DEEDS[self].says


@dataclass(frozen=True)
class Deed:
    """What an action means, what its `ref` is, and the only facts it may have."""

    says: str
    ref: str
    facts: frozenset[str] = frozenset()


def _deed(says: str, ref: str, *facts: str) -> Deed:
    return Deed(says, ref, frozenset(facts))


DEEDS: Final[Mapping[Action, Deed]] = {
    Action.CONSENT_GIVEN: _deed("A person agreed to the policy", "subject", "policy"),
    Action.POLICY_NOTED: _deed("A version of the policy was noted", "policy", "loosens"),
    Action.POLICY_WITHDRAWN: _deed("A version of the policy was withdrawn before its day", "policy"),
    Action.RUN_REQUESTED: _deed("A run was asked for", "run", "engine", "contract", "variants", "again"),
    Action.RUN_ENDED: _deed("A run ended", "run", "state", "failure"),
    Action.RUN_CANCELLED: _deed("A run was asked to stop", "run"),
    Action.RUN_SHORTENED: _deed("A contract was shortened", "run", "contract", "before"),
    Action.RUN_ERASE_ASKED: _deed("A run is to be erased", "run"),
    Action.SUBJECT_ERASE_ASKED: _deed("Everything of a person is to be erased", "subject"),
    Action.SUBJECT_KEY_DESTROYED: _deed("The key of a person was destroyed", "subject"),
    Action.COPY_ERASED: _deed("A copy was erased", "copy", "kind", "reason"),
    Action.COPY_GONE: _deed("A copy was shown to be gone", "copy", "kind"),
    Action.PROVIDER_COPY_NOTED: _deed("A copy at a third party was noted", "provider copy", "kind", "provider"),
    Action.PROVIDER_COPY_OPEN: _deed(
        "A third party still showed a copy after its end", "provider copy", "kind", "provider"
    ),
    Action.PROVIDER_COPY_GONE: _deed(
        "A third party was shown to have a copy no more", "provider copy", "kind", "provider"
    ),
    Action.OBJECT_ERASED: _deed("An object without a row was erased", "object"),
    Action.COPY_MENDED: _deed("A copy was made to match storage", "copy", "finding"),
    Action.COPY_ERASE_ASKED: _deed("An operator had what is due erased at once", "copy", "kind"),
    Action.COPY_PROBE_ASKED: _deed("An operator had storage asked again", "copy", "kind"),
    Action.FINDING_MEND_ASKED: _deed("An operator had a finding mended", "copy or object", "finding", "outcome"),
    Action.RETENTION_EXPORTED: _deed("A queue of copies was exported", "operator", "queue", "filters"),
    Action.SPENDING_EXPORTED: _deed("What third parties charged was exported", "operator"),
    Action.USAGE_EXPORTED: _deed("Numbers of usage were exported", "operator", "table", "months"),
    Action.ERASING_STOPPED: _deed("All erasing was stopped", "switch", "reason"),
    Action.ERASING_STARTED: _deed("Erasing was started again", "switch"),
    Action.SWEEP_HELD: _deed("A sweep found too much to erase unasked", "plan", "copies"),
    Action.SWEEP_CONFIRMED: _deed("A sweep of this plan was confirmed", "plan", "copies"),
    Action.CLAIM_ISSUED: _deed("A claim code was issued", "subject", "again"),
    Action.CLAIM_OPENED: _deed("A claim code was used", "subject"),
    Action.LINK_MADE: _deed("A sign-in link was made", "operator", "role"),
    Action.OPERATOR_SIGNED_IN: _deed("An operator signed in", "operator", "role", "way"),
    Action.OPERATOR_SIGNED_OUT: _deed("An operator signed out", "operator", "role", "way"),
    Action.REQUEST_OPENED: _deed("A request was received", "request", "kind", "channel"),
    Action.REQUEST_MATCHED: _deed("It was shown whose data a request is about", "request", "by"),
    Action.REQUEST_LINKED: _deed("A request was linked to one that is open already", "request"),
    Action.REQUEST_ASSIGNED: _deed("A request was given to an operator, or back", "request", "to"),
    Action.REQUEST_LANGUAGE_SET: _deed("An operator chose the language of a requester", "request", "language"),
    Action.REQUEST_NOTED: _deed("An operator wrote a note on a request", "request"),
    Action.REQUEST_REPLIED: _deed("The requester was written to", "request", "template"),
    Action.REQUEST_WITHDRAWN: _deed("A request was taken back in time", "request"),
    Action.REQUEST_STARTED: _deed("The work that a request asks for was begun", "request"),
    Action.REQUEST_RETRIED: _deed("An operator had the work on a request tried again", "request"),
    Action.REQUEST_PROVED: _deed("All that a request is about was shown to be gone", "request", "copies"),
    Action.REQUEST_EXTENDED: _deed("The clock of a request was extended, once", "request"),
    Action.REQUEST_REFUSED: _deed("A request was refused", "request", "ground"),
    Action.REQUEST_CLOSED: _deed("A request was closed", "request", "outcome"),
    Action.REQUEST_PRUNED: _deed("Rows of requests older than 24 months were removed", "register", "requests"),
    Action.REQUESTS_EXPORTED: _deed("The register of requests was exported", "operator", "filters"),
    Action.RECEIPT_MADE: _deed("A receipt was signed", "request", "receipt", "revision"),
    Action.DATA_EXPORTED: _deed("A copy of a person's data was packed", "request"),
    Action.MAIL_READ: _deed("A mail was read", "mail", "sort"),
    Action.MAIL_SORTED: _deed("An operator saw to an unsorted mail", "mail", "sort"),
    Action.MAIL_SENT: _deed("A mail was sent", "mail", "purpose"),
    Action.MAIL_FAILED: _deed("A mail came back or was given up", "mail", "purpose", "failure"),
    Action.ALERT_SENT: _deed("People on duty were told of a clock", "request", "threshold"),
    Action.ABUSE_REPORTED: _deed("An image was reported", "report", "kind"),
    Action.ABUSE_TOLD: _deed("People on duty were told of a report", "report", "threshold"),
    Action.ABUSE_SEARCHED: _deed("An operator had a reported headshot looked for by its mark", "report", "found"),
    Action.ABUSE_ERASE_ASKED: _deed("An operator had everything erased for a report", "report", "kind"),
    Action.ABUSE_CLOSED: _deed("A report was closed", "report", "outcome"),
    Action.ABUSE_PRUNED: _deed("Reports or blocks that are long over were removed", "register", "rows"),
    Action.GLASS_ASKED: _deed("An operator asked to look at a reported image", "view", "kind", "report"),
    Action.GLASS_ALLOWED: _deed("Another operator allowed a look for ten minutes", "view", "kind"),
    Action.GLASS_REFUSED: _deed("Another operator refused a look", "view", "kind"),
    Action.GLASS_SEEN: _deed("The operator who asked saw the image", "view", "kind"),
    Action.GLASS_FORBIDDEN: _deed("A person forbade that operators look at their images", "subject"),
    Action.GLASS_PERMITTED: _deed("A person allowed that operators look at reported images", "subject"),
    Action.BLOCK_MADE: _deed("A person or a file was blocked", "block", "what", "kind", "report"),
    Action.BLOCK_LIFTED: _deed("A block was lifted", "block"),
    Action.AUDIT_VERIFIED: _deed("The audit log was verified", "operator", "well", "entries", "problems"),
    Action.AUDIT_EXPORTED: _deed("The audit log was exported", "operator", "form", "filters"),
    Action.AUDIT_PRUNED: _deed("Entries older than twelve months were removed", "entry", "entries"),
    Action.RECORDS_PRUNED: _deed("Rows of people whose images are long gone were removed", "records", "people"),
    Action.BREACH_NOTED: _deed("A founder noted a breach", "breach", "kind"),
    Action.BREACH_ALERTED: _deed("People on duty were told of a breach", "breach", "threshold"),
    Action.BREACH_AUTHORITY_TOLD: _deed("A founder noted that the authority was told", "breach", "in_time"),
    Action.BREACH_PEOPLE_TOLD: _deed("People were told of a breach on every page", "breach", "in_time"),
    Action.BREACH_CLOSED: _deed("A breach was closed", "breach", "outcome"),
}


# ------------------------------------------------------------------------------------------------------ recording
def record(session: Session, action: Action, ref: str, *, at: datetime, actor: str = SYSTEM, **facts: Fact) -> None:
    """Tell of a deed, in its transaction. Written when that commits, so that the chain is the last lock it takes."""
    waiting = session.info.setdefault("audit", [])
    if not waiting:
        if session.in_nested_transaction():
            raise RuntimeError("a deed inside a savepoint could be undone without its entry")
        sa.event.listen(session, "before_commit", _write, once=True)
        sa.event.listen(session, "after_rollback", _forget, once=True)
    waiting.append(_checked(action, ref, at, actor, facts))
    if actor.startswith(f"{OPERATOR}:"):
        count(session, Metric.OPERATOR, action.value, at=at)


def record_copy(session: Session, action: Action, copy_id: str, kind: CopyKind, *, at: datetime, **facts: str) -> None:
    """A deed done to a copy. Canaries are nobody's, and would drown the rest."""
    if kind is not CopyKind.CANARY:
        record(session, action, copy_id, at=at, kind=kind.value, **facts)


def _checked(action: Action, ref: str, at: datetime, actor: str, facts: Mapping[str, Fact]) -> dict[str, Any]:
    if not _REF.fullmatch(ref) or not _ACTOR.fullmatch(actor):
        raise ValueError("an audit entry names who and what by opaque words only")
    for name, value in facts.items():
        if name not in DEEDS[action].facts:
            raise ValueError(f"{action} has no fact of this name")
        if isinstance(value, str) and not _WORD.fullmatch(value):
            raise ValueError(f"the fact {name} must be a number, a truth or a code")
    return {"action": action.value, "ref": ref, "at": at, "actor": actor, "facts": _json(dict(facts))}


def _forget(session: Session) -> None:
    session.info.pop("audit", None)


def _write(session: Session) -> None:
    waiting = session.info.pop("audit", [])
    if not waiting:
        return
    session.flush()  # whatever it locks is locked before the chain
    take_turns(session, AUDIT_CHAIN)
    head = head_of(session)
    rows = []
    for entry in waiting:
        row = {**entry, "seq": head.seq + 1, "previous_hash": head.hash}
        row["hash"] = hash_of(row)
        rows.append(row)
        head = Head(row["seq"], row["hash"])
    session.execute(sa.insert(AuditEntry), rows)


@dataclass(frozen=True)
class Head:
    """The end of the chain."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def head_of(session: Session) -> Head:
    """The newest entry, or the beginning. Pruning never takes the newest: it adds one itself."""
    newest = sa.select(AuditEntry.seq, AuditEntry.hash).order_by(col(AuditEntry.seq).desc()).limit(1)  # type: ignore[call-overload]
    found = session.execute(newest).first()
    return Head(found.seq, found.hash) if found else Head(0, NOBODY_BEFORE)


def hash_of(entry: Mapping[str, Any]) -> str:
    """The canonical form's hash."""
    body = ["workshot audit entry 1", entry["seq"], _instant(entry["at"]), entry["actor"], entry["action"]]
    text = _json([*body, entry["ref"], json.loads(entry["facts"]), entry["previous_hash"]])
    return hashlib.sha256(text.encode("ascii")).hexdigest()


# ---------------------------------------------------------------------------------------- checkpoints and pruning
def checkpoint(svc: "Services") -> int | None:
    """Sign the chain as it is now. The `seq` it covers; None where nothing was added since the last one."""
    now = svc.clock()
    with svc.transaction() as session:
        take_turns(session, AUDIT_CHAIN)
        head = head_of(session)
        if head.seq == 0 or session.get(AuditCheckpoint, head.seq) is not None:
            return None
        signature = svc.signer.sign(_statement(head, now, svc.signer.key_id))
        session.add(
            AuditCheckpoint(seq=head.seq, hash=head.hash, at=now, key_id=signature.key_id, signature=signature.value)
        )
    return head.seq


def _statement(head: Head, at: datetime, key_id: str) -> bytes:
    return _json(["workshot audit checkpoint 1", head.seq, head.hash, _instant(at), key_id]).encode("ascii")


def tend(svc: "Services") -> None:
    """For the schedule: a checkpoint where the last is an hour old, and then what is old enough may go."""
    with svc.reading() as session:
        newest = last_checkpoint(session)
    if newest is None or svc.clock() - newest.at >= SIGNED_EVERY:
        checkpoint(svc)
        prune(svc)


def prune(svc: "Services") -> int:
    """Remove entries older than twelve months, up to the last checkpoint that covers nothing younger. How many."""
    old = svc.clock() - KEPT_FOR
    with svc.transaction() as session:
        take_turns(session, AUDIT_CHAIN)
        until = session.exec(select(sa.func.max(AuditCheckpoint.seq)).where(col(AuditCheckpoint.at) < old)).one()
        if until is None or _any_younger(session, until, old):
            return 0
        old_ones = col(AuditEntry.seq) <= until
        removed = session.exec(select(sa.func.count()).select_from(AuditEntry).where(old_ones)).one()
        if removed:  # told first: the newest entry, from which the chain goes on, is never removed
            record(session, Action.AUDIT_PRUNED, str(until), at=svc.clock(), entries=removed)
            _write(session)
            session.execute(sa.delete(AuditEntry).where(old_ones))
    return int(removed)


def _any_younger(session: Session, until: int, old: datetime) -> bool:
    """Machines whose clocks differ may have written such a one: then all wait for the next checkpoint."""
    younger = select(AuditEntry.seq).where(col(AuditEntry.seq) <= until, col(AuditEntry.at) >= old)
    return session.exec(younger.limit(1)).first() is not None


# ------------------------------------------------------------------------------------------------------ verifying
class Fault(StrEnum):
    CHANGED = "changed"
    MISSING = "missing"
    OUT_OF_PLACE = "out_of_place"  # inserted, replaced or moved: it does not follow the entry before
    CUT = "cut"  # the end is missing
    NOT_SIGNED = "not_signed"  # a checkpoint that is not what was signed
    REWRITTEN = "rewritten"  # in itself right, but not what a checkpoint or a kept head says


@dataclass(frozen=True)
class Problem:
    fault: Fault
    seq: int
    says: str


@dataclass(frozen=True)
class Verdict:
    """What verifying found. `problems` holds the first twenty; the first is where to look."""

    entries: int
    first: int
    head: Head
    checkpoints: int
    signed_until: int
    pruned_until: int
    problems: tuple[Problem, ...]

    @property
    def well(self) -> bool:
        return not self.problems

    @property
    def says(self) -> str:
        if self.problems:
            return self.problems[0].says
        if not self.entries:
            return "Nothing has been recorded yet."
        pruned = (
            f" Entries up to {self.pruned_until:,} were pruned under a signed checkpoint." if self.first > 1 else ""
        )
        signed = f"signed up to {self.signed_until:,}" if self.signed_until else "not signed yet"
        return (
            f"All {self.entries:,} entries, {self.first:,} to {self.head.seq:,}, are as they were written; {signed}."
            + pruned
        )


def verify(
    svc: "Services", *, kept: Head | None = None, progress: Callable[[int, int], None] = lambda done, of: None
) -> Verdict:
    """Read the whole chain once, in flat memory. `kept`: a head that somebody noted earlier, elsewhere."""
    with svc.reading() as session:
        signed = session.exec(select(AuditCheckpoint).order_by(col(AuditCheckpoint.seq).desc()).limit(1)).first()
        check = _Check(svc, session)
        end = head_of(session).seq
        for row in _stream(session):
            check.entry(row, kept)
            if check.entries % PAGE == 0:
                progress(check.entries, end - check.first + 1)
        check.end(signed, kept)
    progress(check.entries, check.entries)
    return Verdict(
        entries=check.entries,
        first=check.first,
        head=check.before,
        checkpoints=check.checkpoints,
        signed_until=check.signed_until,
        pruned_until=max(0, check.first - 1),
        problems=tuple(check.problems),
    )


def _stream(session: Session) -> Iterator[Any]:
    """Entries in order, each with its checkpoint, on one snapshot."""
    point = AuditCheckpoint
    query = (
        sa.select(
            *(col(getattr(AuditEntry, name)) for name in ENTRY_COLUMNS),
            col(point.seq).label("point"), col(point.hash).label("point_hash"), col(point.at).label("point_at"),
            col(point.key_id), col(point.signature),
        )
        .outerjoin_from(AuditEntry, AuditCheckpoint, col(point.seq) == col(AuditEntry.seq))
        .order_by(col(AuditEntry.seq))
    )  # fmt: skip
    yield from session.execute(query, execution_options={"yield_per": PAGE})


class _Check:
    """Walks along the chain and notes what does not fit."""

    def __init__(self, svc: "Services", session: Session) -> None:
        self._signer, self._now = svc.signer, svc.clock()
        self._session = session
        self.entries = self.first = self.checkpoints = self.signed_until = 0
        self.before = Head(0, NOBODY_BEFORE)
        self.problems: list[Problem] = []

    def entry(self, row: Any, kept: Head | None) -> None:
        if self.entries == 0:
            self._begin(row.seq)
        self._follows(row)
        self._is_as_written(row)
        if row.point is not None:
            point = AuditCheckpoint(
                seq=row.point, hash=row.point_hash, at=row.point_at, key_id=row.key_id, signature=row.signature
            )
            self._is_signed(point, row.hash)
        if kept is not None and kept.seq == row.seq and kept.hash != row.hash:
            self._note(Fault.REWRITTEN, row.seq, f"Entry {row.seq:,} is not the one whose hash was kept elsewhere.")
        self.entries += 1
        self.before = Head(row.seq, row.hash)

    def end(self, newest: AuditCheckpoint | None, kept: Head | None) -> None:
        for seq, who in ((newest.seq if newest else 0, "a checkpoint"), (kept.seq if kept else 0, "the kept head")):
            if seq > self.before.seq:
                says = f"The end is missing: the last entry is {self.before.seq:,}, and {who} knows entry {seq:,}."
                self._note(Fault.CUT, self.before.seq + 1, says)

    def _begin(self, seq: int) -> None:
        """An entry that is the first one left follows the checkpoint under which those before were pruned."""
        self.first = seq
        if seq == 1:
            return
        point = self._session.get(AuditCheckpoint, seq - 1)
        if point is None:
            self._note(Fault.MISSING, 1, f"Entries 1 to {seq - 1:,} are missing, and no checkpoint covers them.")
            self.before = Head(seq - 1, "")
            return
        self.before = Head(point.seq, point.hash)
        self._is_signed(point, point.hash)
        if self._now - point.at < TWELVE_MONTHS:
            self._note(Fault.MISSING, 1, f"Entries up to {seq - 1:,} are missing, and are too young to be pruned.")

    def _follows(self, row: Any) -> None:
        expected = self.before.seq + 1
        if row.seq != expected:
            gap = f"Entry {expected:,} is missing" if row.seq == expected + 1 else (
                f"Entries {expected:,} to {row.seq - 1:,} are missing"
            )  # fmt: skip
            self._note(Fault.MISSING, expected, f"{gap}.")
        elif self.before.hash and row.previous_hash != self.before.hash:
            says = f"Entry {row.seq:,} was not written after the entry {self.before.seq:,} that stands before it now."
            self._note(Fault.OUT_OF_PLACE, row.seq, says)

    def _is_as_written(self, row: Any) -> None:
        try:
            as_written = _json(json.loads(row.facts)) == row.facts and hash_of(row._mapping) == row.hash
        except ValueError:  # facts that are no JSON
            as_written = False
        if not as_written:
            self._note(Fault.CHANGED, row.seq, f"Entry {row.seq:,} was changed after it was written.")

    def _is_signed(self, point: AuditCheckpoint, entry_hash: str) -> None:
        self.checkpoints += 1
        head = Head(point.seq, point.hash)
        if not self._signer.knows(point.key_id):
            says = f"The checkpoint at {point.seq:,} is signed with a key nobody here knows ({point.key_id})."
            self._note(Fault.NOT_SIGNED, point.seq, says + " Add it to SIGNING_KEYS_RETIRED if it was yours.")
        elif not self._signer.verifies(
            _statement(head, point.at, point.key_id), Signature(point.key_id, point.signature)
        ):
            self._note(Fault.NOT_SIGNED, point.seq, f"The checkpoint at {point.seq:,} is not what was signed.")
        elif point.hash != entry_hash:
            says = f"Entry {point.seq:,} is not the one that was signed: it, or something before it, was written anew."
            self._note(Fault.REWRITTEN, point.seq, says)
        else:
            self.signed_until = point.seq

    def _note(self, fault: Fault, seq: int, says: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(fault, seq, says))


# -------------------------------------------------------------------------------------------------------- reading
@dataclass(frozen=True, kw_only=True)
class Filter:
    """What to show. Empty fields show everything."""

    action: str = ""
    actor: str = ""
    ref: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def count(self) -> int:
        return len(self.as_words())

    def as_words(self) -> dict[str, str]:
        """For an address."""
        since, until = (at.isoformat() if at else "" for at in (self.since, self.until))
        words = {"action": self.action, "actor": self.actor, "ref": self.ref, "since": since, "until": until}
        return {name: word for name, word in words.items() if word}

    @classmethod
    def of_words(cls, words: Mapping[str, str]) -> "Filter":
        """Raises ValueError for an instant that is none, or that names no zone."""
        since, until = (datetime.fromisoformat(words[name]) if words.get(name) else None for name in ("since", "until"))
        if any(at and at.tzinfo is None for at in (since, until)):
            raise ValueError("an instant without a zone")
        texts = {name: words.get(name, "") for name in ("action", "actor", "ref")}
        return cls(since=since, until=until, **texts)

    def clauses(self) -> Iterator[sa.ColumnElement[bool]]:
        if self.action:
            yield col(AuditEntry.action) == self.action
        if self.actor == OPERATOR:
            yield sa.and_(col(AuditEntry.actor) >= "operator:", col(AuditEntry.actor) < "operator;")
        elif self.actor:
            yield col(AuditEntry.actor) == self.actor
        if self.ref:
            yield col(AuditEntry.ref) == self.ref
        if self.since:
            yield col(AuditEntry.at) >= self.since
        if self.until:
            yield col(AuditEntry.at) < self.until


def page(session: Session, which: Filter, *, before: int | None = None, size: int = 50) -> list[AuditEntry]:
    """The newest entries that pass the filter and lie before `before`: no page costs more than the first."""
    query = select(AuditEntry).where(*which.clauses())
    if before is not None:
        query = query.where(col(AuditEntry.seq) < before)
    return list(session.exec(query.order_by(col(AuditEntry.seq).desc()).limit(size)).all())


def matching(svc: "Services", which: Filter) -> Iterator[dict[str, Any]]:
    """Every entry that passes, oldest first, a page at a time: for an export of any length."""
    after = 0
    while True:
        query = select(AuditEntry).where(*which.clauses(), col(AuditEntry.seq) > after)
        with svc.reading() as session:
            found = session.exec(query.order_by(col(AuditEntry.seq)).limit(PAGE)).all()
        yield from (as_dict(entry) for entry in found)
        if len(found) < PAGE:
            return
        after = found[-1].seq


def as_dict(entry: AuditEntry) -> dict[str, Any]:
    """An entry in its canonical values, from which its hash can be worked out."""
    values = {name: getattr(entry, name) for name in ENTRY_COLUMNS}
    return values | {"at": _instant(entry.at), "facts": json.loads(entry.facts)}


def facts_of(entry: AuditEntry) -> dict[str, Fact]:
    facts: dict[str, Fact] = json.loads(entry.facts)
    return facts


def says(action: str) -> str:
    """An action in words; a word of another release stays as it is."""
    return Action(action).says if action in set(Action) else action


@dataclass(frozen=True)
class Span:
    """How much log there is."""

    first: int
    last: int
    newest_at: datetime | None

    @property
    def entries(self) -> int:
        return self.last - self.first + 1 if self.last else 0


def span(session: Session) -> Span:
    """From both ends of the index, whatever lies between."""
    ends = [
        session.exec(select(AuditEntry).order_by(order).limit(1)).first()
        for order in (col(AuditEntry.seq).asc(), col(AuditEntry.seq).desc())
    ]
    first, last = ends
    return Span(first.seq, last.seq, last.at) if first and last else Span(0, 0, None)


def last_checkpoint(session: Session) -> AuditCheckpoint | None:
    return session.exec(select(AuditCheckpoint).order_by(col(AuditCheckpoint.seq).desc()).limit(1)).first()
