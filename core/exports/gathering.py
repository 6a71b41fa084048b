"""Rows of one person → one document, as `schema` says."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from core import policy
from core.errors import NotFound, ObjectDamaged
from core.exports.schema import TOLD, Table, Told
from core.models import (
    AbuseReport,
    AuditEntry,
    Block,
    BrowserSession,
    Consent,
    Copy,
    Evidence,
    FindingRow,
    Generation,
    GlassView,
    HandOverLink,
    HeadshotRow,
    MailIn,
    MailOut,
    ProviderCopy,
    ProviderTask,
    Receipt,
    Request,
    RequestMessage,
    StageEvent,
    Subject,
)
from core.services import Services

FORM = "workshot copy of data 1"
AT_ONCE = 500
"""Ids in one question: databases have a limit."""
SOMEBODY_OF_US = "operator"

Row = dict[str, Any]


def gather(svc: Services, session: Session, subject_id: str, now: datetime) -> dict[str, Any]:
    """All that is held about a person, as it is now."""
    rows = _rows(session, subject_id)
    owners: dict[str, Any] = {subject_id: rows[Subject][0]}
    owners |= {row.id: row for table in (ProviderCopy, Request, MailOut, MailIn) for row in rows[table]}
    document: dict[str, Any] = {"form": FORM, "made_at": _plain(now)} | _policy(svc, session, rows[Consent])
    for table, told in TOLD.items():
        document[told.section] = [_row(svc, told, row, owners, subject_id) for row in rows[table]]
    return document


def _policy(svc: Services, session: Session, consents: Sequence[Any]) -> dict[str, Any]:
    """The text that is in force, and those that were agreed to, as far as they were kept, in each language."""
    here, given = policy.version_in_force(svc, session), {consent.policy_version for consent in consents}
    texts = {version: policy.texts_of(svc, session, version) for version in sorted({here, *given})}
    return {"policy": {"version": here, "texts": texts}}


# ------------------------------------------------------------------------------------------------------------- the rows
def _rows(session: Session, subject_id: str) -> Mapping[Table, Sequence[Any]]:
    images = _all(session, Copy, Copy.subject_id, [subject_id], Copy.created_at)
    runs = _all(session, Generation, Generation.subject_id, [subject_id], Generation.created_at)
    requests = _requests(session, subject_id)
    image_ids, run_ids, request_ids = _ids(images), _ids(runs), _ids(requests)
    tasks = _all(session, ProviderTask, ProviderTask.generation_id, run_ids, ProviderTask.planned_at)
    elsewhere = _all(session, ProviderCopy, ProviderCopy.subject_id, [subject_id], ProviderCopy.noted_at)
    mails = _all(session, MailOut, MailOut.request_id, request_ids, MailOut.created_at)
    deeds_of = [subject_id, *image_ids, *run_ids, *_ids(elsewhere), *request_ids, *_ids(mails)]
    return {
        Subject: _all(session, Subject, Subject.id, [subject_id]),
        Consent: _all(session, Consent, Consent.subject_id, [subject_id], Consent.given_at),
        BrowserSession: _all(session, BrowserSession, BrowserSession.subject_id, [subject_id]),
        Copy: images,
        Evidence: _all(session, Evidence, Evidence.copy_id, image_ids, Evidence.probed_at),
        FindingRow: _all(session, FindingRow, FindingRow.ref, image_ids),
        Generation: runs,
        StageEvent: _all(session, StageEvent, StageEvent.generation_id, run_ids, StageEvent.id),
        HeadshotRow: _all(session, HeadshotRow, HeadshotRow.generation_id, run_ids, HeadshotRow.variant),
        ProviderTask: tasks,
        HandOverLink: _all(session, HandOverLink, HandOverLink.task_id, _ids(tasks), HandOverLink.made_at),
        ProviderCopy: elsewhere,
        Request: requests,
        RequestMessage: _all(session, RequestMessage, RequestMessage.request_id, request_ids, RequestMessage.at),
        AbuseReport: _all(session, AbuseReport, AbuseReport.subject_id, [subject_id], AbuseReport.received_at),
        GlassView: _all(session, GlassView, GlassView.subject_id, [subject_id], GlassView.asked_at),
        Block: _all(session, Block, Block.subject_id, [subject_id], Block.made_at),
        Receipt: _all(session, Receipt, Receipt.request_id, request_ids, Receipt.made_at),
        MailOut: mails,
        MailIn: _all(session, MailIn, MailIn.request_id, request_ids, MailIn.received_at),
        AuditEntry: _all(session, AuditEntry, AuditEntry.ref, deeds_of, AuditEntry.seq),
    }


def _requests(session: Session, subject_id: str) -> list[Request]:
    """Those that follow another one have no subject of their own."""
    leaders = _all(session, Request, Request.subject_id, [subject_id], Request.received_at)
    return leaders + _all(session, Request, Request.duplicate_of, _ids(leaders), Request.received_at)


def _all(session: Session, table: type[Any], column: Any, values: Sequence[str], order: Any = None) -> list[Any]:
    """Rows whose column has one of these values."""
    found: list[Any] = []
    for start in range(0, len(values), AT_ONCE):
        query = select(table).where(col(column).in_(values[start : start + AT_ONCE]))
        found += session.exec(query.order_by(order) if order is not None else query).all()
    return found


def _ids(rows: Iterable[Any]) -> list[str]:
    return [row.id for row in rows]


# ---------------------------------------------------------------------------------------------------------- one of them
def _row(svc: Services, told: Told, row: SQLModel, owners: Mapping[str, Any], subject_id: str) -> Row:
    plain = {name: _plain(getattr(row, name)) for name in told.columns}
    owner = owners.get(getattr(row, "request_id", "") if isinstance(row, RequestMessage) else getattr(row, "id", ""))
    for column, name in told.opened.items():
        plain[name] = _opened(svc, owner or owners[subject_id], getattr(row, column))
    return plain


def _opened(svc: Services, owner: Any, sealed: bytes | None) -> str | None:
    """None where there is nothing, or nothing any more: keys go before words do."""
    if sealed is None:
        return None
    try:
        return svc.vault.open_text(owner, sealed)
    except (NotFound, ObjectDamaged, UnicodeDecodeError):
        return None


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case str() if value.startswith(f"{SOMEBODY_OF_US}:"):
            return SOMEBODY_OF_US
        case _:
            return value


def sections(document: Mapping[str, Any]) -> Iterable[tuple[Told, int]]:
    """What a document has, for whoever opens it."""
    return ((told, len(document[told.section])) for told in TOLD.values())
