"""
What is told of each table, and why the rest is not. A test walks the schema: a column without a decision fails.

"Withheld" is not "secret": mostly it says nothing about anybody (a row's own number), and where it does, the reason
says what is told instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel import SQLModel

from core.language import N_
from core.models import (
    AbuseReport,
    Alert,
    AuditCheckpoint,
    AuditEntry,
    Block,
    Breach,
    BrowserSession,
    CanaryRun,
    Consent,
    Copy,
    Evidence,
    FindingRow,
    ForecastRow,
    Generation,
    GlassView,
    HandOverLink,
    HeadshotRow,
    Job,
    Mailbox,
    MailIn,
    MailOut,
    OperatorSession,
    PolicyVersion,
    PromiseCheck,
    PromiseDay,
    ProviderCopy,
    ProviderHealth,
    ProviderTask,
    Receipt,
    Request,
    RequestMessage,
    Spending,
    StaffLink,
    StageEvent,
    Subject,
    SweepHold,
    Switch,
    Tick,
    Upkeep,
    UsageBatch,
    UsageCount,
    UsageHour,
    UsageLevel,
    UsageSent,
    WorkerBeat,
)

Table = type[SQLModel]


@dataclass(frozen=True, kw_only=True)
class Told:
    """One table, as the file tells it."""

    section: str
    says: str
    columns: tuple[str, ...]
    opened: Mapping[str, str] = field(default_factory=dict)  # a sealed column → its name in the file, in clear
    withheld: Mapping[str, str] = field(default_factory=dict)  # a column → why


_KEY = N_("a key: with the file in other hands, it would open what it protects")
_OWN_NUMBER = N_("the row's own number, which nothing refers to")
_WHOSE = N_("whose row it is: yours, as everything here")
_PRESS = N_("a random word per press of a button, so that a double click counts once")
_WHO_OF_US = N_("who of us it was: that is about them")
_OF_A_MAIL = N_("a keyed hash of a mail's own number, so that a reply is recognised")

TOLD: Mapping[Table, Told] = {
    Subject: Told(
        section="person",
        says=N_("You, as a random number. There is no name, and there was no account."),
        columns=("id", "created_at", "claim_issued_at", "key_destroyed_at", "is_counted", "may_be_looked_at"),
        withheld={
            "sealed_key": _KEY,
            "claim_hash": N_("a hash of your claim code, by which it is recognised. You have the code, we do not"),
            "is_canary": N_("tells test pictures of ours from people"),
        },
    ),
    Consent: Told(
        section="consents",
        says=N_("What you agreed to, when, and which version of the text you had read."),
        columns=("given_at", "policy_version", "language", "may_use_photo", "is_adult"),
        withheld={"id": _OWN_NUMBER, "subject_id": _WHOSE},
    ),
    BrowserSession: Told(
        section="browsers",
        says=N_("Which browsers have opened your photos, and whether by claim code. Not what they are or where."),
        columns=("opened_at", "closed_at", "by_claim_code"),
        withheld={"session_hash": N_("a hash of a cookie, by which a browser is let in"), "subject_id": _WHOSE},
    ),
    Copy: Told(
        section="images",
        says=N_("Every image that there is or was, gone ones included: where, how large, and its clock."),
        columns=(
            "id",
            "kind",
            "place",
            "media_type",
            "width",
            "height",
            "size",
            "created_at",
            "written_at",
            "erase_by",
            "erase_reason",
            "erased_at",
            "probes",
            "probe_answer",
            "probe_again_at",
            "gone_at",
            "original_hash",
        ),
        withheld={
            "subject_id": _WHOSE,
            "object_key": N_("the random name under which storage has it, and where it could be asked for"),
            "evidence_id": N_("the proof itself is told under `proofs`"),
        },
    ),
    Evidence: Told(
        section="proofs",
        says=N_("How storage showed that an image is gone: asked for it, and for a listing, it had neither."),
        columns=("copy_id", "probed_at", "head", "listing"),
        withheld={"id": _OWN_NUMBER},
    ),
    FindingRow: Told(
        section="findings",
        says=N_("Where the nightly comparison found that storage and these lists disagree about an image of yours."),
        columns=("kind", "ref", "size", "detail", "first_seen_at", "last_seen_at"),
    ),
    Generation: Told(
        section="runs",
        says=N_("Your runs: what you chose, your own words, the contract, its clock, and how it went."),
        columns=(
            "id",
            "number",
            "portrait_id",
            "clothing_id",
            "backdrop_id",
            "engine",
            "purpose",
            "ratio",
            "long_side",
            "style",
            "backdrop",
            "variants",
            "zoom",
            "turns",
            "contract",
            "uploaded_at",
            "erase_by",
            "created_at",
            "started_at",
            "ended_at",
            "cancel_at",
            "state",
            "failure",
            "counts",
            "favourite_id",
            "free_try_of",
        ),
        opened={"sealed_note": "note"},
        withheld={"request_id": _PRESS, "subject_id": _WHOSE},
    ),
    StageEvent: Told(
        section="stages",
        says=N_("When each run entered which stage."),
        columns=("generation_id", "stage", "entered_at"),
        withheld={"id": _OWN_NUMBER},
    ),
    HeadshotRow: Told(
        section="headshots",
        says=N_(
            "Which image is which variant of a run, and how much lighter or darker its skin is than in your photo."
        ),
        columns=("generation_id", "variant", "copy_id", "shift"),
    ),
    ProviderTask: Told(
        section="at_third_parties",
        says=N_(
            "What was asked of a third party that you had chosen, for each variant: whom, when, what it made of it "
            "and what it charged us. `task_id` and `request_ref` are its own numbers: name them if you write to it."
        ),
        columns=(
            "id",
            "generation_id",
            "variant",
            "provider",
            "model",
            "template",
            "hand_over",
            "state",
            "planned_at",
            "sent_at",
            "taken_at",
            "made_at",
            "ended_at",
            "looks",
            "tries",
            "uploads_in_doubt",
            "task_id",
            "request_ref",
            "cost",
            "failure",
        ),
        withheld={
            "body_hash": N_("a hash of what was sent, so that nothing else is sent under its number"),
            "again_at": N_("when we look after it again"),
        },
    ),
    HandOverLink: Told(
        section="hand_overs",
        says=N_(
            "Links by which a third party could fetch a picture of yours, once. The links themselves are not kept."
        ),
        columns=("task_id", "copy_id", "made_at", "expires_at", "served_at", "closed_at"),
        withheld={"id": N_("what the link was worked out from")},
    ),
    ProviderCopy: Told(
        section="copies_at_third_parties",
        says=N_(
            "Pictures of yours that lie at a third party: until when, what it answered when we looked, and the "
            "address as long as it may be open. Whoever has the address sees the picture."
        ),
        columns=(
            "id",
            "generation_id",
            "task_id",
            "provider",
            "kind",
            "copy_id",
            "noted_at",
            "expires_at",
            "dated_by",
            "probe_at",
            "probes",
            "answer",
            "answered_at",
            "open_at",
            "refused_at",
            "gone_at",
        ),
        opened={"sealed_url": "address"},
        withheld={
            "subject_id": _WHOSE,
            "mark": N_("a keyed hash of the address, so that it is noted once"),
            "sealed_key": _KEY,
        },
    ),
    Request: Told(
        section="requests",
        says=N_("What you asked us for, its clock, what became of it, and the address you gave while it is open."),
        columns=(
            "id",
            "number",
            "kind",
            "channel",
            "state",
            "clock",
            "language",
            "received_at",
            "entered_at",
            "due_at",
            "extended_at",
            "matched_by",
            "matched_at",
            "waiting_at",
            "start_at",
            "started_at",
            "erased_at",
            "proved_at",
            "answered_at",
            "done_at",
            "closed_at",
            "outcome",
            "refused_ground",
            "duplicate_of",
            "trouble",
            "export_id",
        ),
        opened={"sealed_address": "address"},
        withheld={
            "press_id": _PRESS,
            "subject_id": _WHOSE,
            "assignee": N_("who of us works on it: that is about them"),
            "sealed_key": _KEY,
        },
    ),
    RequestMessage: Told(
        section="messages",
        says=N_("What was written about a request, by you and by us, until it closes."),
        columns=("request_id", "at", "way", "author", "template", "same_address"),
        opened={"sealed_body": "text"},
        withheld={"id": _OWN_NUMBER, "message_hash": _OF_A_MAIL},
    ),
    AbuseReport: Told(
        section="reports",
        says=N_("That somebody reported an image of yours, for which reason, and what came of it. Not who it was."),
        columns=("kind", "received_at", "due_at", "copy_id", "generation_id", "closed_at", "outcome"),
        withheld={
            "id": _OWN_NUMBER,
            "number": N_("what whoever reported it can quote"),
            "press_id": _PRESS,
            "language": N_("the language of whoever reported it"),
            "subject_id": _WHOSE,
            "file_hash": N_("a keyed hash of a file that came with the report, which is somebody else's"),
            "sealed_key": _KEY,
            "sealed_words": N_("what somebody else wrote: it could show who they are"),
            "sealed_address": N_("somebody else's address"),
        },
    ),
    GlassView: Told(
        section="looks",
        says=N_("Each time an operator asked to look at a reported image of yours, and whether and when they did."),
        columns=("copy_id", "reason", "asked_at", "decided_at", "until", "first_seen_at", "last_seen_at"),
        withheld={
            "id": _OWN_NUMBER,
            "report_id": N_("the report itself is told under `reports`"),
            "subject_id": _WHOSE,
            "asked_by": _WHO_OF_US,
            "decided_by": _WHO_OF_US,
        },
    ),
    Block: Told(
        section="blocks",
        says=N_("That nothing more is made here for you after a report, until when, and whether it was lifted."),
        columns=("reason", "made_at", "until", "lifted_at"),
        withheld={
            "id": _OWN_NUMBER,
            "report_id": N_("the report itself is told under `reports`"),
            "subject_id": _WHOSE,
            "file_hash": N_("a keyed hash of a file, where it is a file that is blocked and no person"),
            "made_by": _WHO_OF_US,
            "lifted_by": _WHO_OF_US,
        },
    ),
    Receipt: Told(
        section="receipts",
        says=N_("Signed statements of what was erased."),
        columns=("number", "request_id", "revision", "made_at", "statement", "key_id", "signature"),
        withheld={"id": _OWN_NUMBER},
    ),
    MailOut: Told(
        section="our_mails",
        says=N_("Mails of ours to you. The mail itself is here only until it is sent."),
        columns=("request_id", "purpose", "created_at", "state", "tries", "failure", "over_at"),
        opened={"sealed_mail": "mail"},
        withheld={
            "id": _OWN_NUMBER,
            "once": N_("a word of ours, so that no mail is sent twice"),
            "message_hash": _OF_A_MAIL,
            "sealed_key": _KEY,
        },
    ),
    MailIn: Told(
        section="your_mails",
        says=N_("Mails that you sent about a request: that they came, and when."),
        columns=("request_id", "received_at", "read_at", "sort", "taken_from_mailbox_at", "sorted_at"),
        opened={"sealed_mail": "mail"},
        withheld={
            "id": _OWN_NUMBER,
            "mailbox": N_("which mailbox of ours it came to, as a hash"),
            "uid_validity": N_("how far that mailbox has been read"),
            "uid": N_("how far that mailbox has been read"),
            "mark": _OF_A_MAIL,
            "sender_mark": N_("a keyed hash of the address it came from, so that a flood from one is noticed"),
            "sealed_key": _KEY,
        },
    ),
    AuditEntry: Told(
        section="history",
        says=N_("What was done with all of this and when, as the audit log has it. Who of us it was is not said."),
        columns=("at", "actor", "action", "ref", "facts"),
        withheld={
            "seq": N_("the place in a list that has everybody's entries"),
            "previous_hash": N_("seals the entry before, which may be somebody else's"),
            "hash": N_("seals this entry into the list"),
        },
    ),
}
"""The order is that of the file."""

NOT_PERSONAL: Mapping[Table, str] = {
    Job: "work that waits: a kind and the number of a row that is told here; gone when it is done",
    AuditCheckpoint: "signatures over the whole audit log",
    StaffLink: "how operators sign in",
    OperatorSession: "how operators sign in",
    WorkerBeat: "that a worker was alive",
    Tick: "when scheduled work is due",
    Upkeep: "how scheduled work went, in numbers over everybody",
    Switch: "whether all erasing is stopped",
    SweepHold: "that too much was due at once, in numbers over everybody",
    ForecastRow: "what goes when, in numbers over everybody",
    CanaryRun: "test pictures of ours",
    Mailbox: "how far our mailbox has been read",
    ProviderHealth: "how a third party answers everybody, and what we have left there",
    Spending: "what a third party charges in a day, in sums over everybody",
    UsageCount: "how often something happened on a day, over everybody; nothing in it leads to anyone",
    UsageHour: "how often something happened in an hour, over everybody",
    UsageLevel: "how much of something there was on a day, over everybody",
    UsageBatch: "which counts were written already",
    UsageSent: "which summaries went out",
    PromiseCheck: "whether each promise holds, measured over everybody",
    PromiseDay: "how often each promise held on a day",
    Breach: "breaches of security: what lay open, in numbers over everybody",
    PolicyVersion: "the texts of the policy",
    Alert: "when we reminded ourselves of a clock; the clock of a request itself is told",
}
