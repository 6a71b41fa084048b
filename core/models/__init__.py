"""
The tables. What we know of a person is erasable or not recorded.

Instants end in `_at` and are stored; states that time alone can change (due, overdue) are worked out from them.
A `copy` is one place where bytes of a person lie. Its row is written before the bytes and closed only by evidence:
the database itself refuses a `gone_at` without an evidence row, and an evidence row that is not a negative read.

One file for each noun. All names are taken from here: which file has them is nobody else's business.
"""

from core.models.abuse import AbuseKind, AbuseOutcome, AbuseReport, Block, GlassView
from core.models.audit import AuditCheckpoint, AuditEntry
from core.models.base import new_id
from core.models.breach import Breach, BreachKind, BreachOutcome
from core.models.copies import Copy, CopyKind, EraseReason, Evidence
from core.models.jobs import Job, JobKind, Tick, Upkeep, WorkerBeat
from core.models.mail import Mailbox, MailIn, MailOut, MailSort, MailState
from core.models.policy import PolicyVersion
from core.models.promises import PromiseCheck, PromiseDay, PromiseState
from core.models.provider import (
    HandOverLink,
    ProviderCopy,
    ProviderCopyKind,
    ProviderHealth,
    ProviderTask,
    ProviderTaskState,
    Spending,
)
from core.models.requests import (
    Alert,
    MatchedBy,
    MessageWay,
    Receipt,
    Request,
    RequestChannel,
    RequestKind,
    RequestMessage,
    RequestOutcome,
    RequestState,
)
from core.models.retention import CanaryRun, FindingKind, FindingRow, ForecastRow, SweepHold, Switch
from core.models.runs import LIVE, Generation, HeadshotRow, RunState, StageEvent
from core.models.staff import OperatorSession, Role, SignInWay, StaffLink
from core.models.subjects import BrowserSession, Consent, Subject
from core.models.usage import UsageBatch, UsageCount, UsageHour, UsageLevel, UsageSent

__all__ = [
    "LIVE",
    "AbuseKind",
    "AbuseOutcome",
    "AbuseReport",
    "Alert",
    "AuditCheckpoint",
    "AuditEntry",
    "Block",
    "Breach",
    "BreachKind",
    "BreachOutcome",
    "BrowserSession",
    "CanaryRun",
    "Consent",
    "Copy",
    "CopyKind",
    "EraseReason",
    "Evidence",
    "FindingKind",
    "FindingRow",
    "ForecastRow",
    "Generation",
    "GlassView",
    "HandOverLink",
    "HeadshotRow",
    "Job",
    "JobKind",
    "MailIn",
    "MailOut",
    "MailSort",
    "MailState",
    "Mailbox",
    "MatchedBy",
    "MessageWay",
    "OperatorSession",
    "PolicyVersion",
    "PromiseCheck",
    "PromiseDay",
    "PromiseState",
    "ProviderCopy",
    "ProviderCopyKind",
    "ProviderHealth",
    "ProviderTask",
    "ProviderTaskState",
    "Receipt",
    "Request",
    "RequestChannel",
    "RequestKind",
    "RequestMessage",
    "RequestOutcome",
    "RequestState",
    "Role",
    "RunState",
    "SignInWay",
    "Spending",
    "StaffLink",
    "StageEvent",
    "Subject",
    "SweepHold",
    "Switch",
    "Tick",
    "Upkeep",
    "UsageBatch",
    "UsageCount",
    "UsageHour",
    "UsageLevel",
    "UsageSent",
    "WorkerBeat",
    "new_id",
]
