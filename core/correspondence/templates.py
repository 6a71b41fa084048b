"""
What we write: short, plain, exact, and never more than was measured.

A letter is a body, which an operator may write anew, in a frame, which nobody can: the number and the instants (UTC: a
mail does not know where it is read), and what a mail of its kind must say, as the ground of a refusal and where to
complain about it. Nothing of the requester's own words is repeated, so that no stranger's text leaves under our name.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.correspondence.grounds import ground_of
from core.errors import NotAllowed
from core.models import CopyKind, Receipt, Request, RequestKind
from core.services import Services

MOST_LETTERS: Final = 8_000
"""Of what an operator writes."""
CLOCK_OF_A_COPY: Final = "24 hours"
_ASKED: Final[Mapping[RequestKind, str]] = {
    RequestKind.ERASE: "to erase your photos",
    RequestKind.COPY: "for a copy of your data",
    RequestKind.CORRECT: "to correct your data",
    RequestKind.OBJECT: "to take back your consent, or to object",
    RequestKind.QUESTION: "about privacy",
}


class Letter(NamedTuple):
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a letter may tell of. All of it is ours: numbers, instants and sentences from lists."""

    number: str
    kind: RequestKind
    received_at: datetime
    due_at: datetime
    start_at: datetime | None = None
    proved_at: datetime | None = None
    until: datetime | None = None  # the end of something, as of a copy's clock
    is_matched: bool = False
    is_californian: bool = False
    ground: str | None = None
    words: str = ""  # an operator's
    receipt: str | None = None  # its number
    statement: Mapping[str, Any] | None = None  # what the receipt says
    elsewhere: tuple[
        str, ...
    ] = ()  # of each copy at a third party that is not shown to be gone, where no receipt says it
    site: str = ""
    contact: str = ""
    run_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A letter that is ready to be sent, or to begin with."""

    name: str
    label: str  # for the operator who chooses
    subject: Callable[[Facts], str]
    body: Callable[[Facts], Sequence[str]]
    must_say: Callable[[Facts], Sequence[str]] = lambda facts: ()
    by_hand: bool = True  # False: only the app sends it, when it is true


def rendered(
    svc: Services, template: str, request: Request, *, receipt: Receipt | None = None, body: str = "", **facts: Any
) -> Letter:
    """The letter about a request, as that is now. `body`: instead of the template's. Raises NotAllowed for a template
    that there is not, a ground that is none, and for a body that is too long."""
    return letter(template, replace(_facts_of(svc, request, receipt), **facts), body=body)


def draft(svc: Services, template: str, request: Request) -> str:
    """The body that an operator may begin with."""
    return "\n\n".join(_of(template).body(_facts_of(svc, request, None)))


def letter(template: str, facts: Facts, *, body: str = "") -> Letter:
    if len(body) > MOST_LETTERS:
        raise NotAllowed(f"Please use fewer than {MOST_LETTERS:,} letters.")
    chosen = _of(template)
    own = [body.strip()] if body.strip() else chosen.body(facts)
    parts = ("Hello,", *own, *chosen.must_say(facts), *_closing(facts))
    return Letter(chosen.subject(facts), "\n\n".join(parts) + "\n")


def _of(name: str) -> Template:
    if name not in TEMPLATES:
        raise NotAllowed("There is no letter of this name.")
    return TEMPLATES[name]


def _facts_of(svc: Services, request: Request, receipt: Receipt | None) -> Facts:
    return Facts(
        number=request.number,
        kind=request.kind,
        received_at=request.received_at,
        due_at=request.due_at,
        start_at=request.start_at,
        proved_at=request.proved_at,
        is_matched=request.matched_by is not None,
        is_californian="california" in request.clock,
        ground=request.refused_ground,
        receipt=receipt.number if receipt else None,
        statement=json.loads(receipt.statement) if receipt else None,
        site=svc.settings.public_url,
        contact=svc.settings.privacy_contact,
        run_by=svc.settings.run_by,
    )


def at(instant: datetime) -> str:
    """To the second, in the one zone that needs no guessing."""
    return f"{instant.day} {instant:%B %Y, %H:%M:%S} UTC"


def _closing(facts: Facts) -> list[str]:
    ask = f"Questions? Write to {facts.contact} and name {facts.number}." if facts.contact else ""
    name = f"WorkShot, run by {facts.run_by}" if facts.run_by else "WorkShot"
    return [part for part in (ask, f"{name}\nRequest {facts.number}, received on {at(facts.received_at)}") if part]


# ------------------------------------------------------------------------------------------------------- on the way
def _received(facts: Facts) -> list[str]:
    told = [f"We have your request {_ASKED[facts.kind]}. Its number is {facts.number}."]
    if facts.kind is RequestKind.ERASE and facts.is_matched:
        begins = f" on {at(facts.start_at)}" if facts.start_at else ""
        told.append(f"It is clear whose photos it is about. Erasing begins by itself{begins}.")
    told.append(_by_when(facts))
    return told


def _by_when(facts: Facts) -> str:
    if facts.kind is RequestKind.ERASE:
        return (
            f"It is due on {at(facts.due_at)}: 48 hours after we received it. By then all of it should be erased, and "
            "storage asked whether it is gone. We write to you when it is."
        )
    return f"An answer is due on {at(facts.due_at)} at the latest."


def _ask_for_code(facts: Facts) -> list[str]:
    return [
        f"We have your mail about your data. Its number is {facts.number}. We cannot see yet whose photos it is about.",
        "We keep no names and no addresses with photos. What shows that they are yours is the claim code: seven groups "
        "of four letters and digits, shown when your headshots were ready. Please answer this mail with it.",
        *_faster(facts),
        "No claim code any more? Then answer with the number of your run and about when you made it, if you know them. "
        "Please send no photos: attachments are thrown away unread.",
        "Until we know, nothing is erased. Was this mail not yours? Then there is nothing to do.",
        _clock_goes_on(facts),
    ]


def _ask_for_run(facts: Facts) -> list[str]:
    return [
        f"This is about your request {_ASKED[facts.kind]}. We cannot see yet whose photos it is about.",
        "Without a claim code, the number of your run helps, together with about when you made it: the day, and the "
        "hour if you know it. The number is shown with your headshots. Please answer this mail with both.",
        *_faster(facts),
        "Please send no photos: attachments are thrown away unread.",
        _clock_goes_on(facts),
    ]


def _faster(facts: Facts) -> list[str]:
    if facts.kind is not RequestKind.ERASE:
        return []
    where = f" at {facts.site}/my_photos" if facts.site else ""
    return [
        f"Faster, and without any mail: in the browser that made the headshots, or with the claim code in any other, "
        f"open My photos{where} and press Erase."
    ]


def _clock_goes_on(facts: Facts) -> str:
    return f"Our clock does not stop while we wait for you: it ends on {at(facts.due_at)}."


def _extended(facts: Facts) -> list[str]:
    return [f"We need longer to answer your request {_ASKED[facts.kind]}.", *_given(facts)]


def _extended_until(facts: Facts) -> list[str]:
    source = "California Civil Code 1798.130(a)(2)" if facts.is_californian else "GDPR, Article 12(3)"
    return [
        f"The answer is now due on {at(facts.due_at)}. The law lets us do this once, and with notice ({source}).",
        *([] if facts.is_californian else [COMPLAINT]),
    ]


def _late(facts: Facts) -> list[str]:
    return [
        f"We are late. Your request {_ASKED[facts.kind]} was due on {at(facts.due_at)}, and it is not done. We are "
        "sorry.",
        "People are working on it. We write to you as soon as it is done.",
    ]


def _given(facts: Facts) -> list[str]:
    return [facts.words.strip()] if facts.words.strip() else []


# ----------------------------------------------------------------------------------------------------------- the end
def _done(facts: Facts) -> list[str]:
    statement = facts.statement or {}
    copies = [copy["kind"] for copy in statement.get("copies", ())]
    proved = f" on {at(facts.proved_at)}" if facts.proved_at else ""
    told = [f"{_erased_what(facts)}." if copies else "What we held of yours is erased."]
    if copies:
        told.append("\n".join(["Erased:", *(f"- {name}: {count}" for name, count in _counted(copies))]))
        told.append(f"After that, storage was asked for each of them in two ways and no longer had it{proved}.")
    else:
        told.append(f"Storage was asked for it and no longer had it{proved}.")
    return [*told, *_still_open(statement), *_about_the_receipt(facts)]


def _erased_what(facts: Facts) -> str:
    return "Your photos are erased here" if _still_open(facts.statement or {}) else "Your photos are erased"


def _counted(kinds: Sequence[str]) -> list[tuple[str, int]]:
    return [(CopyKind(kind).label, count) for kind, count in Counter(kinds).items()]


def _still_open(statement: Mapping[str, Any]) -> list[str]:
    """Copies that are not proved to be gone, as those at a third party until they end there."""
    copies = [one for one in statement.get("not_proved", ()) if one.get("what") in ("copy", "elsewhere")]
    return _listed_as_open([one["says"] for one in copies])


def _listed_as_open(says: Sequence[str]) -> list[str]:
    return ["\n".join(["Not shown to be gone yet:", *(f"- {one}" for one in says)])] if says else []


def _about_the_receipt(facts: Facts) -> list[str]:
    if facts.receipt is None:
        return []
    page = f"{facts.site}/check_receipt" if facts.site else 'the page "Check a receipt" of the site'
    return [
        f"The receipt {facts.receipt} is attached. It is signed, names nobody, and says what was erased, when, what "
        f"storage answered, and what it does not prove. Anybody can check it: {page}",
        "Your request does not keep this address and your words any more. Mails that were sent may stay in mailboxes "
        "and with mail services on the way.",
    ]


def _nothing_held(facts: Facts) -> list[str]:
    proved = f" The last of it was shown to be gone on {at(facts.proved_at)}." if facts.proved_at else ""
    return [
        "We looked for everything that belongs to what you showed us, and hold nothing of it any more: all of it had "
        f"been erased and shown to be gone before we looked.{proved}",
        *_listed_as_open(facts.elsewhere),
        "Photos end by themselves when the time that was chosen for them is over, or when somebody presses Erase.",
    ]


def _copy_ready(facts: Facts) -> list[str]:
    where = f": {facts.site}/my_photos" if facts.site else "."
    until = f"until {at(facts.until)}" if facts.until else f"for {CLOCK_OF_A_COPY}"
    return [
        f"The copy of your data is ready, {until}. Then it is erased.",
        f"Open My photos in the browser that made the headshots, or with your claim code in any other{where}",
        "It is not attached on purpose: mail is no safe place for your photos.",
    ]


def _refused(facts: Facts) -> list[str]:
    return [f"We do not do what your request asks for ({_ASKED[facts.kind]}).", *_given(facts)]


def _why_and_where_to_complain(facts: Facts) -> list[str]:
    if facts.ground is None:
        raise NotAllowed("A refusal needs its ground.")
    ground = ground_of(facts.ground, facts.kind)
    where = [COMPLAINT, COMPLAINT_IN_CALIFORNIA] if facts.is_californian else [COMPLAINT]
    return [f"Our reason: {ground.says} ({ground.sources[facts.kind]})", *where]


COMPLAINT: Final = (
    "If you think that this is wrong, you have the right to complain to a data protection authority, for example where "
    "you live, where you work or where you think that the law was broken (GDPR, Article 77), and to go to court (GDPR, "
    "Article 79)."
)
COMPLAINT_IN_CALIFORNIA: Final = (
    "In California, the authority is the California Privacy Protection Agency (cppa.ca.gov)."
)


def _withdrawn(facts: Facts) -> list[str]:
    return [f"Your request {_ASKED[facts.kind]} was taken back in time. Nothing was erased because of it."]


def _answer(facts: Facts) -> list[str]:
    return _given(facts) or [f"This is about your request {_ASKED[facts.kind]}."]


def _subject(says: str) -> Callable[[Facts], str]:
    return lambda facts: f"{facts.number}: {says}"


def _subject_of_the_end(facts: Facts) -> str:
    what = _erased_what(facts)
    return f"{facts.number}: {what[0].lower()}{what[1:]}"


_ALL = (
    Template(name="received", label="We have it", subject=_subject("we have your request"), body=_received),
    Template(
        name="ask_for_code",
        label="Ask for the claim code",
        subject=_subject("please send us your claim code"),
        body=_ask_for_code,
    ),
    Template(
        name="ask_for_run",
        label="Ask for the run's number",
        subject=_subject("which run is it about?"),
        body=_ask_for_run,
    ),
    Template(name="answer", label="An answer of yours", subject=_subject("about your request"), body=_answer),
    Template(name="late", label="We are late", subject=_subject("we are late"), body=_late),
    Template(
        name="extended",
        label="We need longer",
        subject=_subject("we need longer"),
        body=_extended,
        must_say=_extended_until,
        by_hand=False,
    ),
    Template(
        name="refused",
        label="Refused, with the ground",
        subject=_subject("our answer"),
        body=_refused,
        must_say=_why_and_where_to_complain,
        by_hand=False,
    ),
    Template(name="done", label="Erased", subject=_subject_of_the_end, body=_done, by_hand=False),
    Template(
        name="nothing_held",
        label="Nothing was left",
        subject=_subject("we hold nothing of yours"),
        body=_nothing_held,
        by_hand=False,
    ),
    Template(
        name="copy_ready",
        label="The copy is ready",
        subject=_subject("the copy of your data is ready"),
        body=_copy_ready,
        by_hand=False,
    ),
    Template(
        name="withdrawn",
        label="Taken back",
        subject=_subject("your request was taken back"),
        body=_withdrawn,
        by_hand=False,
    ),
)
TEMPLATES: Final[Mapping[str, Template]] = {template.name: template for template in _ALL}
