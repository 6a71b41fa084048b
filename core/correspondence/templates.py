"""
What we write: short, plain, exact, and never more than was measured.

A letter is a body, which an operator may write anew, in a frame, which nobody can: the number and the instants (UTC: a
mail does not know where it is read), and what a mail of its kind must say, as the ground of a refusal and where to
complain about it. Nothing of the requester's own words is repeated, so that no stranger's text leaves under our name.

All of it is in the language of the request, but for the words of an operator, who is shown which language that is.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from core.correspondence.grounds import ground_of
from core.errors import NotAllowed
from core.language import ENGLISH, N_, _, instant, speaking
from core.models import CopyKind, Receipt, Request, RequestKind
from core.receipts import sentences
from core.receipts.statement import elsewhere_of
from core.services import Services

MOST_LETTERS: Final = 8_000
"""Of what an operator writes."""
CLOCK_OF_A_COPY: Final = N_("24 hours")
_ASKED: Final[Mapping[RequestKind, str]] = {
    RequestKind.ERASE: N_("to erase your photos"),
    RequestKind.COPY: N_("for a copy of your data"),
    RequestKind.CORRECT: N_("to correct your data"),
    RequestKind.OBJECT: N_("to take back your consent, or to object"),
    RequestKind.QUESTION: N_("about privacy"),
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
    language: str = ENGLISH  # of whoever it is written to
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
    facts = _facts_of(svc, request, None)
    with speaking(facts.language):
        return "\n\n".join(_of(template).body(facts))


def letter(template: str, facts: Facts, *, body: str = "") -> Letter:
    if len(body) > MOST_LETTERS:
        raise NotAllowed(f"Please use fewer than {MOST_LETTERS:,} letters.")
    chosen = _of(template)
    with speaking(facts.language):
        own = [body.strip()] if body.strip() else chosen.body(facts)
        parts = (_("Hello,"), *own, *chosen.must_say(facts), *_closing(facts))
        return Letter(chosen.subject(facts), "\n\n".join(parts) + "\n")


def _of(name: str) -> Template:
    if name not in TEMPLATES:
        raise NotAllowed("There is no letter of this name.")
    return TEMPLATES[name]


def _facts_of(svc: Services, request: Request, receipt: Receipt | None) -> Facts:
    return Facts(
        number=request.number,
        kind=request.kind,
        language=request.language,
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


def _asked(facts: Facts) -> str:
    return _(_ASKED[facts.kind])


def _closing(facts: Facts) -> list[str]:
    known = {"number": facts.number, "contact": facts.contact, "name": facts.run_by, "at": instant(facts.received_at)}
    ask = _("Questions? Write to {contact} and name {number}.", **known) if facts.contact else ""
    name = _("WorkShot, run by {name}", **known) if facts.run_by else "WorkShot"
    about = _("Request {number}, received on {at}", **known)
    return [part for part in (ask, f"{name}\n{about}") if part]


# ------------------------------------------------------------------------------------------------------- on the way
def _received(facts: Facts) -> list[str]:
    told = [_("We have your request {asked}. Its number is {number}.", asked=_asked(facts), number=facts.number)]
    if facts.kind is RequestKind.ERASE and facts.is_matched:
        told.append(_begins(facts))
    told.append(_by_when(facts))
    return told


def _begins(facts: Facts) -> str:
    if facts.start_at is None:
        return _("It is clear whose photos it is about. Erasing begins by itself.")
    return _("It is clear whose photos it is about. Erasing begins by itself on {at}.", at=instant(facts.start_at))


def _by_when(facts: Facts) -> str:
    if facts.kind is RequestKind.ERASE:
        return _(
            "It is due on {at}: 48 hours after we received it. By then all of it should be erased, and "
            "storage asked whether it is gone. We write to you when it is.",
            at=instant(facts.due_at),
        )
    return _("An answer is due on {at} at the latest.", at=instant(facts.due_at))


def _ask_for_code(facts: Facts) -> list[str]:
    return [
        _(
            "We have your mail about your data. Its number is {number}. We cannot see yet whose photos it is about.",
            number=facts.number,
        ),
        _(
            "We keep no names and no addresses with photos. What shows that they are yours is the claim code: seven "
            "groups of four letters and digits, shown when your headshots were ready. Please answer this mail with it."
        ),
        *_faster(facts),
        _(
            "No claim code any more? Then answer with the number of your run and about when you made it, if you know "
            "them. Please send no photos: attachments are thrown away unread."
        ),
        _("Until we know, nothing is erased. Was this mail not yours? Then there is nothing to do."),
        _clock_goes_on(facts),
    ]


def _ask_for_run(facts: Facts) -> list[str]:
    return [
        _(
            "This is about your request {asked}. We cannot see yet whose photos it is about.",
            asked=_asked(facts),
        ),
        _(
            "Without a claim code, the number of your run helps, together with about when you made it: the day, and "
            "the hour if you know it. The number is shown with your headshots. Please answer this mail with both."
        ),
        *_faster(facts),
        _("Please send no photos: attachments are thrown away unread."),
        _clock_goes_on(facts),
    ]


def _faster(facts: Facts) -> list[str]:
    if facts.kind is not RequestKind.ERASE:
        return []
    if not facts.site:
        return [
            _(
                "Faster, and without any mail: in the browser that made the headshots, or with the claim code in any "
                "other, open My photos and press Erase."
            )
        ]
    return [
        _(
            "Faster, and without any mail: in the browser that made the headshots, or with the claim code in any "
            "other, open My photos at {page} and press Erase.",
            page=f"{facts.site}/my_photos",
        )
    ]


def _clock_goes_on(facts: Facts) -> str:
    return _("Our clock does not stop while we wait for you: it ends on {at}.", at=instant(facts.due_at))


def _extended(facts: Facts) -> list[str]:
    return [_("We need longer to answer your request {asked}.", asked=_asked(facts)), *_given(facts)]


def _extended_until(facts: Facts) -> list[str]:
    until = instant(facts.due_at)
    if facts.is_californian:
        return [
            _(
                "The answer is now due on {at}. The law lets us do this once, and with notice (California Civil Code "
                "1798.130(a)(2)).",
                at=until,
            )
        ]
    return [
        _(
            "The answer is now due on {at}. The law lets us do this once, and with notice (GDPR, Article 12(3)).",
            at=until,
        ),
        _(COMPLAINT),
    ]


def _late(facts: Facts) -> list[str]:
    return [
        _(
            "We are late. Your request {asked} was due on {at}, and it is not done. We are sorry.",
            asked=_asked(facts),
            at=instant(facts.due_at),
        ),
        _("People are working on it. We write to you as soon as it is done."),
    ]


def _given(facts: Facts) -> list[str]:
    return [facts.words.strip()] if facts.words.strip() else []


# ----------------------------------------------------------------------------------------------------------- the end
def _done(facts: Facts) -> list[str]:
    statement = facts.statement or {}
    copies = [copy["kind"] for copy in statement.get("copies", ())]
    if not copies:
        told = [_("What we held of yours is erased."), _asked_of_it(facts)]
    else:
        counted = (f"- {name}: {count}" for name, count in _counted(copies))
        told = [_erased_what(facts), "\n".join([_("Erased:"), *counted]), _asked_of_each(facts)]
    return [*told, *_still_open(statement), *_about_the_receipt(facts)]


def _asked_of_it(facts: Facts) -> str:
    if facts.proved_at is None:
        return _("Storage was asked for it and no longer had it.")
    return _("Storage was asked for it and no longer had it on {at}.", at=instant(facts.proved_at))


def _asked_of_each(facts: Facts) -> str:
    if facts.proved_at is None:
        return _("After that, storage was asked for each of them in two ways and no longer had it.")
    return _(
        "After that, storage was asked for each of them in two ways and no longer had it on {at}.",
        at=instant(facts.proved_at),
    )


def _erased_what(facts: Facts) -> str:
    if _still_open(facts.statement or {}):
        return _("Your photos are erased here.")
    return _("Your photos are erased.")


def _counted(kinds: Sequence[str]) -> list[tuple[str, int]]:
    return [(_(CopyKind(kind).label), count) for kind, count in Counter(kinds).items()]


def _still_open(statement: Mapping[str, Any]) -> list[str]:
    """Copies that are not proved to be gone, as those at a third party until they end there."""
    signed = [one["says"] for one in statement.get("not_proved", ()) if one.get("what") in ("copy", "elsewhere")]
    return _listed_as_open(sentences.in_words(signed, elsewhere_of(statement)))


def _listed_as_open(says: Sequence[str]) -> list[str]:
    return ["\n".join([_("Not shown to be gone yet:"), *(f"- {one}" for one in says)])] if says else []


def _about_the_receipt(facts: Facts) -> list[str]:
    if facts.receipt is None:
        return []
    page = f"{facts.site}/check_receipt" if facts.site else _('the page "Check a receipt" of the site')
    return [
        _(
            "The receipt {receipt} is attached. It is signed, names nobody, and says what was erased, when, what "
            "storage answered, and what it does not prove. Anybody can check it: {page}",
            receipt=facts.receipt,
            page=page,
        ),
        _(
            "Your request does not keep this address and your words any more. Mails that were sent may stay in "
            "mailboxes and with mail services on the way."
        ),
    ]


def _nothing_held(facts: Facts) -> list[str]:
    looked = _(
        "We looked for everything that belongs to what you showed us, and hold nothing of it any more: all of it had "
        "been erased and shown to be gone before we looked."
    )
    proved = facts.proved_at and _("The last of it was shown to be gone on {at}.", at=instant(facts.proved_at))
    return [
        f"{looked} {proved}" if proved else looked,
        *_listed_as_open(facts.elsewhere),
        _("Photos end by themselves when the time that was chosen for them is over, or when somebody presses Erase."),
    ]


def _copy_ready(facts: Facts) -> list[str]:
    if facts.until:
        ready = _("The copy of your data is ready, until {at}. Then it is erased.", at=instant(facts.until))
    else:
        ready = _("The copy of your data is ready, for {hours}. Then it is erased.", hours=_(CLOCK_OF_A_COPY))
    return [
        ready,
        _where_the_copy_is(facts),
        _("It is not attached on purpose: mail is no safe place for your photos."),
    ]


def _where_the_copy_is(facts: Facts) -> str:
    if not facts.site:
        return _("Open My photos in the browser that made the headshots, or with your claim code in any other.")
    return _(
        "Open My photos in the browser that made the headshots, or with your claim code in any other: {page}",
        page=f"{facts.site}/my_photos",
    )


def _refused(facts: Facts) -> list[str]:
    return [_("We do not do what your request asks for ({asked}).", asked=_asked(facts)), *_given(facts)]


def _why_and_where_to_complain(facts: Facts) -> list[str]:
    if facts.ground is None:
        raise NotAllowed("A refusal needs its ground.")
    ground = ground_of(facts.ground, facts.kind)
    reason, source = _(ground.says), _(ground.sources[facts.kind])
    where = [COMPLAINT, COMPLAINT_IN_CALIFORNIA] if facts.is_californian else [COMPLAINT]
    return [_("Our reason: {reason} ({source})", reason=reason, source=source), *map(_, where)]


COMPLAINT: Final = N_(
    "If you think that this is wrong, you have the right to complain to a data protection authority, for example where "
    "you live, where you work or where you think that the law was broken (GDPR, Article 77), and to go to court (GDPR, "
    "Article 79)."
)
COMPLAINT_IN_CALIFORNIA: Final = N_(
    "In California, the authority is the California Privacy Protection Agency (cppa.ca.gov)."
)


def _withdrawn(facts: Facts) -> list[str]:
    return [
        _(
            "Your request {asked} was taken back in time. Nothing was erased because of it.",
            asked=_asked(facts),
        )
    ]


def _answer(facts: Facts) -> list[str]:
    return _given(facts) or [_("This is about your request {asked}.", asked=_asked(facts))]


def _subject(says: str) -> Callable[[Facts], str]:
    return lambda facts: _(says, number=facts.number)


def _subject_of_the_end(facts: Facts) -> str:
    if _still_open(facts.statement or {}):
        return _("{number}: your photos are erased here", number=facts.number)
    return _("{number}: your photos are erased", number=facts.number)


_ALL = (
    Template(
        name="received", label="We have it", subject=_subject(N_("{number}: we have your request")), body=_received
    ),
    Template(
        name="ask_for_code",
        label="Ask for the claim code",
        subject=_subject(N_("{number}: please send us your claim code")),
        body=_ask_for_code,
    ),
    Template(
        name="ask_for_run",
        label="Ask for the run's number",
        subject=_subject(N_("{number}: which run is it about?")),
        body=_ask_for_run,
    ),
    Template(
        name="answer", label="An answer of yours", subject=_subject(N_("{number}: about your request")), body=_answer
    ),
    Template(name="late", label="We are late", subject=_subject(N_("{number}: we are late")), body=_late),
    Template(
        name="extended",
        label="We need longer",
        subject=_subject(N_("{number}: we need longer")),
        body=_extended,
        must_say=_extended_until,
        by_hand=False,
    ),
    Template(
        name="refused",
        label="Refused, with the ground",
        subject=_subject(N_("{number}: our answer")),
        body=_refused,
        must_say=_why_and_where_to_complain,
        by_hand=False,
    ),
    Template(name="done", label="Erased", subject=_subject_of_the_end, body=_done, by_hand=False),
    Template(
        name="nothing_held",
        label="Nothing was left",
        subject=_subject(N_("{number}: we hold nothing of yours")),
        body=_nothing_held,
        by_hand=False,
    ),
    Template(
        name="copy_ready",
        label="The copy is ready",
        subject=_subject(N_("{number}: the copy of your data is ready")),
        body=_copy_ready,
        by_hand=False,
    ),
    Template(
        name="withdrawn",
        label="Taken back",
        subject=_subject(N_("{number}: your request was taken back")),
        body=_withdrawn,
        by_hand=False,
    ),
)
TEMPLATES: Final[Mapping[str, Template]] = {template.name: template for template in _ALL}
