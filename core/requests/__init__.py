"""
Requests: deletion requests and their kin, from receipt to answer.

A row per request; it is the register, and what is personal about it (address, words) lies sealed under a key of its
own, which is destroyed in the transaction that closes it.

* Receipt is when the channel says it was. `due_at` is worked out then, stored, and never moved but by the one extension
  that the law knows; triggers of the database refuse anything else. Waiting, guessing, stopping: the clock goes on.
* Whose data it is has to be shown: by the browser session, a claim code, a run's number with its time, or the original
  file. Until then a request has no subject and touches nobody's data, nor anybody's request.
* One request per subject leads. A second that was also proved is linked to it (`duplicate_of`), keeps its own clock,
  address and undo, and closes with an answer of its own once the first is done; if the first is taken back, it leads.
* Erasing is not done here. A request asks `retention` for it, watches what storage shows, and closes only when all is
  shown to be gone: then receipt, mail, scrub and end are one transaction, so there is one answer, and no half of one.

Parts: `tickets` (a request as pages see it), `codes` (claim codes in free text), `rows` (the row: linked, sealed and
shut), `answers` (telling and closing), `register` (opening, matching), `operators` (what people on duty do), `work`
(the job), `reading` (pages of it), `export` (a file of it).
"""

from core.requests.answers import answered
from core.requests.operators import (
    PROVES,
    assign,
    close,
    each,
    extend,
    match_claim_code,
    match_file,
    match_run,
    note,
    refuse,
    reply,
    retry,
    speak,
    start,
    take,
    unmatch,
    wait,
    withdraw,
)
from core.requests.reading import (
    OPEN_STATES,
    UNASSIGNED,
    Detail,
    Filter,
    Mail,
    Message,
    Moment,
    Page,
    Progress,
    Stays,
    Totals,
    WillGo,
    detail,
    of_subject,
    page,
    totals,
)
from core.requests.register import (
    MOST_WORDS,
    UNDO,
    add_reply,
    begin_now,
    open_by_hand,
    open_from_mail,
    open_in_product,
    undo,
)
from core.requests.tickets import TROUBLES, Ticket
from core.requests.work import nudge, step, want_again

__all__ = [
    "MOST_WORDS",
    "OPEN_STATES",
    "PROVES",
    "TROUBLES",
    "UNASSIGNED",
    "UNDO",
    "Detail",
    "Filter",
    "Mail",
    "Message",
    "Moment",
    "Page",
    "Progress",
    "Stays",
    "Ticket",
    "Totals",
    "WillGo",
    "add_reply",
    "answered",
    "assign",
    "begin_now",
    "close",
    "detail",
    "each",
    "extend",
    "match_claim_code",
    "match_file",
    "match_run",
    "note",
    "nudge",
    "of_subject",
    "open_by_hand",
    "open_from_mail",
    "open_in_product",
    "page",
    "refuse",
    "reply",
    "retry",
    "speak",
    "start",
    "step",
    "take",
    "totals",
    "undo",
    "unmatch",
    "wait",
    "want_again",
    "withdraw",
]
