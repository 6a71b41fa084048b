"""
The requests of the demo: a register of what was closed, and one of each that is open.

What is open is placed around now: one is breached, one due soon, one being proved, one waits for a code, one can still
be taken back. What was closed has the instants that it would have, also those that make it late.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core import audit, receipts, sla
from core.canonical import as_json, instant
from core.contracts import Contract
from core.demo.people import HERE, THERE, Kept, Life, People, Run, ago
from core.demo.writing import DAY
from core.models import (
    CopyKind,
    MatchedBy,
    MessageWay,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    RequestState,
    RunState,
)
from core.services import Services
from core.usage.metrics import Metric
from core.usage.words import IN_TIME, LATE

HOUR: Final = 3_600
SHARE: Final = 0.03
"""Of people, who ask for everything to be erased by a request."""
LETTERS: Final = 0.011
"""Of people, how many other requests there are."""
KEPT: Final = 690 * DAY
"""Older requests are no longer in the register."""
OPERATORS: Final = ("demo-1", "demo-2")
_CHANNELS: Final = {RequestChannel.PRODUCT: 62, RequestChannel.EMAIL: 30, RequestChannel.HAND: 8}
_LETTERS: Final = {
    RequestKind.QUESTION: 44,
    RequestKind.COPY: 26,
    RequestKind.ERASE: 18,
    RequestKind.OBJECT: 7,
    RequestKind.CORRECT: 5,
}
_WORDS: Final = {
    RequestKind.ERASE: "Hello, please erase my photos. I made them last week and no longer need them.",
    RequestKind.COPY: "I would like a copy of everything you have of me.",
    RequestKind.QUESTION: "Who can see my photo while it is on your server?",
    RequestKind.OBJECT: "Please do not use my photo for anything else.",
    RequestKind.CORRECT: "The company on my request is spelled wrongly.",
}
ADDRESS: Final = "somebody@demo.invalid"
"""A domain that can never be."""
MADE_UP: Final = "This receipt was made up by the demo: nothing was erased, and nothing is proved by it."


@dataclass(kw_only=True)
class Ticket:
    """A row of the register, in seconds since 1970."""

    kind: RequestKind
    channel: RequestChannel
    received: int
    state: RequestState = RequestState.OPEN
    subject: str | None = None
    by: MatchedBy | None = None
    matched: int | None = None
    waiting: int | None = None
    start: int | None = None
    started: int | None = None
    erased: int | None = None
    proved: int | None = None
    answered: int | None = None
    done: int | None = None
    closed: int | None = None
    extended: int | None = None
    outcome: RequestOutcome | None = None
    ground: str | None = None
    follows: str | None = None
    assignee: str | None = None
    trouble: str | None = None


class Tickets:
    """Makes requests, and writes them down."""

    def __init__(self, svc: Services, people: People) -> None:
        self._svc, self._people = svc, people
        self._now = people.now
        self._terms = svc.settings.terms
        self._longest = self._terms.offered[-1]

    # ------------------------------------------------------------------------------------------ people who ask to erase
    def is_wanted(self) -> bool:
        return self._people.chance.random() < SHARE

    def live(self, came: int) -> None:
        """Somebody who later asks for everything to be erased, if there is time for it to be done by now."""
        people, chance = self._people, self._people.chance
        life = people.life(came)
        life.wish = life.shortened = None
        people.visited(life)
        channel = chance.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
        received = life.runs[-1].ended + int(chance.expovariate(1 / (9 * HOUR))) + 120
        by_hand = channel is not RequestChannel.PRODUCT
        matched = received + (int(chance.lognormvariate(9.6, 1.0)) if by_hand else 0)
        started = matched + 120
        if started + 600 > self._now or started > people.erase_by(life) - 600:
            people.tell(life)
            return
        life.wish = started
        kept = people.tell(life)
        gone = max(copy.gone or started for copy in kept)
        erased = max(copy.erased or started for copy in kept)
        self._close(
            Ticket(
                kind=RequestKind.ERASE, channel=channel, received=received, state=RequestState.CLOSED,
                subject=life.ids["subject"], by=MatchedBy.SESSION if not by_hand else chance.choice(_PROOFS),
                matched=matched, start=started, started=started, erased=erased, proved=gone, answered=gone + 2,
                done=gone, closed=gone + 2, outcome=RequestOutcome.DONE,
                assignee=chance.choice(OPERATORS) if by_hand else None,
            ),
            kept,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- other mail
    def letters(self, day: int, came: int) -> None:
        """Requests that are about nobody's rows, answered by hand some days later."""
        people, chance = self._people, self._people.chance
        number = sum(chance.random() < LETTERS for _ in range(came))
        for received in people.instants(day, number):
            kind = chance.choices(list(_LETTERS), list(_LETTERS.values()))[0]
            took = int(
                chance.lognormvariate(10.6, 0.9) if kind is RequestKind.ERASE else chance.lognormvariate(12, 0.9)
            )
            if received + took < self._now:
                self._close(self._letter(kind, received, received + took), [])

    def _letter(self, kind: RequestKind, received: int, ended: int) -> Ticket:
        chance, outcome, ground = self._people.chance, RequestOutcome.DONE, None
        if kind is RequestKind.ERASE:
            ended = min(ended, received + 60 * HOUR)
            ends = (RequestOutcome.NOTHING_HELD, RequestOutcome.REFUSED, RequestOutcome.WITHDRAWN)
            outcome = chance.choices(ends, (5, 3, 2))[0]
        elif chance.random() < 0.06:
            outcome = RequestOutcome.REFUSED
        if outcome is RequestOutcome.REFUSED:
            ground = "not_identified" if kind is not RequestKind.QUESTION else "unfounded"
        channel = RequestChannel.HAND if chance.random() < 0.15 else RequestChannel.EMAIL
        answered = None if outcome is RequestOutcome.WITHDRAWN else ended
        return Ticket(
            kind=kind, channel=channel, received=received, state=RequestState.CLOSED, answered=answered, done=answered,
            closed=ended, outcome=outcome, ground=ground, assignee=chance.choice(OPERATORS),
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------- what is open
    def open_ones(self) -> None:
        """One of each state, and the copies that stand for every state of a copy."""
        now, erase, email = self._now, RequestKind.ERASE, RequestChannel.EMAIL
        for at, contract in enumerate(self._terms.offered):
            self._people.tell(self._person(contract, ago(now, minutes=20 + 3 * at)))
        self._people.tell(self._person(self._longest, ago(now, minutes=25), THERE))
        for minutes in (2, 3, 4):
            self._people.tell(self._due(minutes, ""))  # the sweep comes by, any moment
        for minutes in (31, 52, 84):
            self._people.tell(self._due(minutes, "late"))
        for minutes in (75, 260):
            self._people.tell(self._due(minutes, "blocked", probes=6))
        self._people.tell(self._due(95, "unproved", probes=9))
        person, operator = self._matched(5), OPERATORS[0]
        self._open(Ticket(kind=erase, channel=email, received=ago(now, hours=50, minutes=14), assignee=operator))
        self._open(
            Ticket(
                kind=erase, channel=RequestChannel.HAND, received=ago(now, hours=44, minutes=58), subject=person,
                by=MatchedBy.RUN_NUMBER, matched=ago(now, minutes=1), state=RequestState.UNDO, start=now + 60,
                assignee=operator,
            )
        )  # fmt: skip
        self._being_proved()
        self._open(
            Ticket(
                kind=erase, channel=email, received=ago(now, hours=9, minutes=12), state=RequestState.WAITING,
                waiting=ago(now, hours=9),
            )
        )  # fmt: skip
        self._open(Ticket(kind=erase, channel=email, received=ago(now, hours=17)))
        self._in_undo()
        self._longer_clocks()
        self._lately_closed()

    def _being_proved(self) -> None:
        """One that is erased and not shown to be gone, and one of the same person that follows it."""
        began = ago(self._now, minutes=41)
        life = self._person(self._longest, ago(self._now, minutes=70))
        life.wish, life.trouble, life.probes = began, "unproved", 7
        self._people.tell(life)
        leader = self._open(
            Ticket(
                kind=RequestKind.ERASE, channel=RequestChannel.PRODUCT, received=began - 120,
                subject=life.ids["subject"], state=RequestState.WORKING, by=MatchedBy.SESSION, matched=began - 120,
                start=began, started=began, erased=began + 3, trouble="not_proved",
            )
        )  # fmt: skip
        self._open(
            Ticket(
                kind=RequestKind.ERASE, channel=RequestChannel.EMAIL, received=began - 60, follows=leader,
                state=RequestState.WORKING, by=MatchedBy.CLAIM_CODE, matched=began - 50, start=began + 70,
                started=began + 70,
            )
        )  # fmt: skip

    def _in_undo(self) -> None:
        now = self._now
        self._open(
            Ticket(
                kind=RequestKind.ERASE, channel=RequestChannel.PRODUCT, received=now - 20, subject=self._matched(1),
                state=RequestState.UNDO, by=MatchedBy.SESSION, matched=now - 20, start=now + 100,
            )
        )  # fmt: skip

    def _longer_clocks(self) -> None:
        """What the law gives a month for; one of them was extended."""
        now, email, operator = self._now, RequestChannel.EMAIL, OPERATORS[1]
        self._open(Ticket(kind=RequestKind.QUESTION, channel=email, received=ago(now, days=2, hours=3)))
        self._open(
            Ticket(
                kind=RequestKind.COPY, channel=email, received=ago(now, days=6), subject=self._matched(8),
                by=MatchedBy.CLAIM_CODE, matched=ago(now, days=5), state=RequestState.WORKING, started=ago(now, days=5),
                trouble="not_packed", assignee=operator,
            )
        )  # fmt: skip
        self._open(
            Ticket(
                kind=RequestKind.OBJECT, channel=email, received=ago(now, days=24), extended=ago(now, days=3),
                assignee=operator,
            )
        )  # fmt: skip

    def _lately_closed(self) -> None:
        """Each way in which one can end: also too late, refused and taken back."""
        now, erase, email, hand = self._now, RequestKind.ERASE, RequestChannel.EMAIL, RequestChannel.HAND
        ends: tuple[tuple[RequestKind, RequestChannel, RequestOutcome, str | None, float, float], ...] = (
            (erase, email, RequestOutcome.NOTHING_HELD, None, 98, 49.5),
            (erase, email, RequestOutcome.REFUSED, "not_identified", 61, 20),
            (erase, hand, RequestOutcome.WITHDRAWN, None, 30, 2),
            (RequestKind.QUESTION, email, RequestOutcome.REFUSED, "unfounded", 130, 40),
            (RequestKind.COPY, email, RequestOutcome.DONE, None, 200, 70),
        )
        for kind, channel, outcome, ground, hours_ago, took in ends:
            received = ago(now, hours=hours_ago)
            ended = received + int(took * HOUR)
            answered = None if outcome is RequestOutcome.WITHDRAWN else ended
            self._close(
                Ticket(
                    kind=kind, channel=channel, received=received, state=RequestState.CLOSED, answered=answered,
                    done=answered, closed=ended, outcome=outcome, ground=ground, assignee=OPERATORS[0],
                ),
                [],
            )  # fmt: skip

    def _matched(self, days: int) -> str:
        at_most = self._terms.keep_for(self._longest) * 0.6
        life = self._person(self._longest, self._now - int(min(at_most, timedelta(days=days)).total_seconds()))
        self._people.tell(life)
        return life.ids["subject"]

    def _person(self, contract: Contract, came: int, engine: str = HERE) -> Life:
        run = Run(came, came + 1, came + 9, RunState.READY, None, 3)
        life = Life(came, came - 40, engine, contract, [run])
        self._people.visited(life)
        return life

    def _due(self, minutes: int, trouble: str, *, probes: int = 0) -> Life:
        """Somebody whose clock ended so many minutes ago."""
        contract = Contract.PROCESS if self._longest is Contract.PROCESS else Contract.HOUR
        life = self._person(contract, ago(self._now, hours=1, minutes=minutes) + 40)
        life.trouble, life.probes = trouble or "late", probes
        return life

    # ---------------------------------------------------------------------------------------------------------- as rows
    def _open(self, ticket: Ticket) -> str:
        """With sealed words, as an open one has them."""
        request_id = self._people.new_id()
        key = self._svc.vault.make_key(request_id)
        sealed = _Sealed(request_id, key)
        address = self._svc.vault.seal_text(sealed, ADDRESS) if ticket.channel is RequestChannel.EMAIL else None
        self._row(ticket, request_id, key, address)
        if ticket.channel is not RequestChannel.PRODUCT:
            body = self._svc.vault.seal_text(sealed, f"{_WORDS[ticket.kind]} (Made up by the demo.)")
            self._message(request_id, ticket.received, MessageWay.IN, audit.SUBJECT, body=body)
        if ticket.waiting is not None:
            body = self._svc.vault.seal_text(sealed, "Please send us your claim code. (Made up by the demo.)")
            self._message(request_id, ticket.waiting, MessageWay.OUT, audit.SYSTEM, template="ask_for_code", body=body)
        self._people.figures.count(Metric.TICKET, ticket.channel.value, ticket.kind.value, at=ticket.received)
        return request_id

    def _close(self, ticket: Ticket, kept: list[Kept]) -> None:
        assert ticket.closed is not None and ticket.outcome is not None
        self._count(ticket)
        if ticket.closed < self._now - KEPT:
            return
        request_id = self._people.new_id()
        number = self._row(ticket, request_id, None, None)
        if ticket.channel is not RequestChannel.PRODUCT:
            self._message(request_id, ticket.received, MessageWay.IN, audit.SUBJECT)
        if ticket.answered is not None and ticket.assignee:
            author = f"{audit.OPERATOR}:{ticket.assignee}"
            self._message(request_id, ticket.answered, MessageWay.OUT, author, template="answer")
        if ticket.outcome is RequestOutcome.DONE and ticket.kind is RequestKind.ERASE:
            self._receipt(ticket, request_id, number, kept)
        self._people.writer.rest()

    def _count(self, ticket: Ticket) -> None:
        figures, kind, closed = self._people.figures, ticket.kind.value, ticket.closed or 0
        figures.count(Metric.TICKET, ticket.channel.value, kind, at=ticket.received)
        ended = ticket.done or closed
        in_time = IN_TIME if ended <= self._due_at(ticket) else LATE
        assert ticket.outcome is not None
        figures.count(Metric.TICKET_END, ticket.outcome.value, in_time, at=closed)
        figures.took(Metric.TICKET_TOOK, kind, ended - ticket.received, at=closed)
        if ticket.assignee:
            deeds = [audit.Action.REQUEST_ASSIGNED]
            deeds += [audit.Action.REQUEST_MATCHED, audit.Action.REQUEST_STARTED] if ticket.matched else []
            deeds += [audit.Action.REQUEST_REFUSED] if ticket.ground else []
            deeds += [audit.Action.REQUEST_REPLIED] if ticket.kind is not RequestKind.ERASE else []
            for deed in deeds:
                figures.count(Metric.OPERATOR, deed.value, at=closed)

    def _due_at(self, ticket: Ticket) -> int:
        clock, received = sla.clock_for(ticket.kind), _at(ticket.received)
        due = sla.extended(clock, received) if ticket.extended else None
        return int((due or sla.due_at(clock, received)).timestamp())

    def _row(self, ticket: Ticket, request_id: str, key: bytes | None, address: bytes | None) -> str:
        number, stamp = self._people.number("D"), self._people.stamp

        def when(second: int | None) -> str | None:
            return None if second is None else stamp(second)

        words = (ticket.outcome, ticket.ground, ticket.follows, ticket.assignee, ticket.trouble)
        self._people.writer.add(
            "request", request_id, number, ticket.kind.value, ticket.channel.value, ticket.state.value,
            sla.clock_for(ticket.kind).name, stamp(ticket.received), stamp(ticket.received),
            stamp(self._due_at(ticket)), when(ticket.extended), ticket.subject, ticket.by and ticket.by.value,
            when(ticket.matched), when(ticket.waiting), when(ticket.start), when(ticket.started), when(ticket.erased),
            when(ticket.proved), when(ticket.answered), when(ticket.done), when(ticket.closed),
            *(word and str(word) for word in words), key, address,
        )  # fmt: skip
        return number

    def _message(
        self,
        request_id: str,
        at: int,
        way: MessageWay,
        author: str,
        *,
        template: str | None = None,
        body: bytes | None = None,
    ) -> None:
        row = (self._people.new_id(), request_id, self._people.stamp(at), way.value, author, template, True, body)
        self._people.writer.add("request_message", *row)

    def _receipt(self, ticket: Ticket, request_id: str, number: str, kept: list[Kept]) -> None:
        """Not signed: our signature says that something is true."""
        people = self._people
        own = people.number("R")
        gone = [copy for copy in kept if copy.gone is not None and copy.gone >= ticket.received]
        assert ticket.closed is not None
        told = {
            "format": receipts.FORMAT,
            "receipt": own,
            "revision": 1,
            "amends": None,
            "made_at": _said(ticket.closed),
            "request": {
                "number": number,
                "kind": ticket.kind.value,
                "channel": ticket.channel.value,
                "received_at": _said(ticket.received),
                "due_at": _said(self._due_at(ticket)),
                "started_at": _said(ticket.started),
                "erased_at": _said(ticket.erased),
                "proved_at": _said(ticket.proved),
            },
            "salt": "demo",
            "copies": [_copy(copy) for copy in gone],
            "copies_gone_before": len(kept) - len(gone),
            "elsewhere": [],
            "key_destroyed_at": _said(ticket.proved),
            "not_proved": [{"what": "demo", "says": MADE_UP}],
            "policy": "demo",
            "audit": {"seq": 0, "hash": "demo"},
            "key_id": "demo",
        }
        row = (people.new_id(), own, request_id, 1, people.stamp(ticket.closed), as_json(told), "demo", "not signed")
        people.writer.add("receipt", *row)


_PROOFS: Final = (MatchedBy.CLAIM_CODE, MatchedBy.CLAIM_CODE, MatchedBy.RUN_NUMBER, MatchedBy.ORIGINAL_FILE)


@dataclass
class _Sealed:
    """What the vault wants to know of a row that it seals words for."""

    id: str
    sealed_key: bytes | None


def _copy(copy: Kept) -> dict[str, Any]:
    kind: CopyKind = copy.kind
    probes = [{"asked": asked, "answer": "absent", "at": _said(copy.gone)} for asked in ("object", "listing")]
    return {
        "id_hash": copy.id,
        "object_key_hash": copy.key,
        "kind": kind.value,
        "place": "vault",
        "bytes": copy.size,
        "erased_at": _said(copy.erased),
        "gone_at": _said(copy.gone),
        "asked_in_vain": 0,
        "probes": probes,
    }


def _at(second: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)


def _said(second: int | None) -> str | None:
    return None if second is None else instant(_at(second))
