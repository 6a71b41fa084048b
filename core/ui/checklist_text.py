"""
The checklist: what to ask any AI photo tool, and what this server answers today.

Questions, points, flags and their answers are those of the guide (core/ui/guide_text.py), which are filled in from
settings and promises; here each is held against how its promise stands. What nobody has named yet is said to be so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.language import ENGLISH, N_, _, current
from core.models import PromiseState
from core.promises import Stand
from core.services import Services
from core.ui import guide_text as guide
from core.ui.guide_text import Filler
from core.ui.screens.promises import wording
from core.ui.widgets.markup import State

TITLE = N_("Checklist")
LEAD = N_("What to ask any AI photo tool before it gets your face. The answers are this server’s, as they are today.")
QUESTIONS = guide.QUESTIONS
POINTS = guide.POLICY_TITLE
FLAGS = guide.FLAGS_TITLE
FLAGS_LEAD = N_("One alone proves nothing. Two or three, and your photo is safer elsewhere.")
BEFORE = guide.CHECKLIST
COMPARE = N_("Hold another tool against it")
COMPARE_LEAD = N_(
    "Read its policy and tick what you find. What you tick and type stays in this tab: nothing is stored here, and "
    "reloading the page forgets it."
)
TOOL = N_("The other tool")
TOOL_HINT = N_("Its name, for your print")
TICK_QUESTION = N_("It answers these clearly")
TICK_POINT = N_("Its policy has these")
TICK_FLAG = N_("It shows these flags")
PRINT = N_("Print the comparison")
PRINTED = N_("AI photo tools, compared")
HERE = N_("This server")
AS_OF = N_("As this server stood on {day}. What is not ticked was not found, which need not mean that it is not there.")
UNNAMED = N_("The other tool")

FOLLOW_TERMS = N_(" {others} follows terms of its own, which the guide quotes.")
HAVE_TIMES = N_(" What lies at {others} has times of its own, which the promises page lists.")

_ANSWERED: Final = ("kept", N_("Answered"))
_OPEN: Final = ("unknown", N_("Not named yet"))
_NOT_HERE: Final = ("kept", N_("Not here"))


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to ask, and how this server stands to it. `well`: it may be counted for us."""

    id: str
    asks: str
    look_for: str = ""
    says: str
    state: State
    word: str

    @property
    def in_full(self) -> str:
        return f"{self.asks}: {within(self.look_for)}" if self.look_for else self.asks

    @property
    def well(self) -> bool:
        return self.state == "kept"


@dataclass(frozen=True, kw_only=True)
class Checklist:
    questions: tuple[Item, ...]
    points: tuple[Item, ...]
    flags: tuple[Item, ...]


_QUESTION_PROMISES: Final = (
    (),
    ("never_trained_on",),
    ("erased_by_the_clock",),
    ("available_until", "erased_by_the_clock"),
    ("erased_on_request", "gone_means_gone"),
    ("only_the_owner", "no_public_address", "encrypted"),
    ("third_parties_by_name", "processed_here"),
    (),
)
"""Whose states an answer rests on, in the order of the guide's questions."""

_POINTS: Final = (
    ("{erased_by_the_clock}", ("erased_by_the_clock", "gone_means_gone")),
    (N_("{never_trained_on} Nobody has to opt out."), ("never_trained_on",)),
    ("{third_parties}", ("third_parties_by_name",)),
    ("{encrypted} {breach_notice}", ("encrypted", "encrypted_on_the_way", "breach_notice")),
    ("{law}", ()),
)
"""What this server's policy has on the guide's five points."""

LAW_NAMED = N_("The law of {jurisdiction}.{authority_named}")
AUTHORITY_NAMED = N_(" Complaints go to {authority}.")
LAW_UNNAMED = N_("Whoever runs this server has not named a law yet.")

_FLAGS: Final = (
    (
        N_("It can mean training, sharing, or nothing. Whoever means something harmless can say what."),
        "{nothing_is_sold} {never_trained_on}",
    ),
    (
        N_("What has no end is kept: storage costs less than the work of erasing."),
        "{erased_by_the_clock}",
    ),
    (
        N_(
            "A face is more than data about you. A tool that makes pictures of faces and has no word on them has not "
            "thought about yours."
        ),
        "{no_biometrics}",
    ),
    (
        N_("Machines that make pictures cost money. If you do not pay, ask who does, and for what."),
        N_("Free while this is a beta. {who_first} pays for it."),
    ),
    (
        N_("Then it has your address before you know whether it is of any use."),
        N_("No account, and no name: the first result is there before anything is asked of you but your consent."),
    ),
)
"""Why each of the guide's flags is one, and how it is here."""


def checklist(svc: Services, stands: Sequence[Stand]) -> Checklist:
    """With every fact as it is now."""
    fill, known = _filler(svc), {stand.promise.id: stand for stand in stands}
    questions = [
        _item(f"question-{n}", _(asks), fill(says), known, names)
        for n, ((asks, says), names) in enumerate(zip(guide.ANSWERS, _QUESTION_PROMISES, strict=True), 1)
    ]
    points = [
        replace(_item(f"point-{n}", _(asks), fill(says), known, names), look_for=_(what))
        for n, ((asks, what), (says, names)) in enumerate(zip(guide.POLICY, _POINTS, strict=True), 1)
    ]
    if not svc.settings.privacy_contact:
        questions[-1] = _named_by_nobody(questions[-1])
    if not svc.settings.jurisdiction:
        points[-1] = _named_by_nobody(points[-1])
    return Checklist(questions=tuple(questions), points=tuple(points), flags=tuple(_flags(svc, fill)))


def _flags(svc: Services, fill: Filler) -> list[Item]:
    flags = [
        _flag(n, _(flag), _("{why} Here: {here}", why=_(why), here=fill(here)))
        for n, (flag, (why, here)) in enumerate(zip(guide.FLAGS, _FLAGS, strict=True), 1)
    ]
    if not svc.settings.run_by:
        flags[3] = _named_by_nobody(flags[3])
    return flags


def _flag(number: int, asks: str, says: str) -> Item:
    return Item(id=f"flag-{number}", asks=asks, says=says, state=_NOT_HERE[0], word=_(_NOT_HERE[1]))


def _item(id_: str, asks: str, says: str, known: Mapping[str, Stand], names: Sequence[str]) -> Item:
    """As well as the worst of the promises that it rests on."""
    if not names:
        return Item(id=id_, asks=asks, says=says, state=_ANSWERED[0], word=_(_ANSWERED[1]))
    state, word = _worst([known[name] for name in names if name in known])
    return Item(id=id_, asks=asks, says=says, state=state, word=word)


def _worst(stands: Sequence[Stand]) -> tuple[State, str]:
    for state in (PromiseState.BROKEN, PromiseState.UNKNOWN):
        for stand in stands:
            if stand.public_state is state:
                return wording.chip(stand)
    return wording.chip(stands[0]) if stands else (_OPEN[0], _(_OPEN[1]))


def _named_by_nobody(item: Item) -> Item:
    return replace(item, state=_OPEN[0], word=_(_OPEN[1]))


def _filler(svc: Services) -> Filler:
    fill, settings = guide.filler(svc), svc.settings
    law = {"jurisdiction": settings.jurisdiction, "authority": settings.authority}
    law["authority_named"] = _(AUTHORITY_NAMED, **law) if settings.authority else ""
    facts = {**fill.facts, "law": _(LAW_NAMED, **law) if settings.jurisdiction else _(LAW_UNNAMED)}
    if svc.providers:
        facts["others_follow_their_terms"] = _(FOLLOW_TERMS, **facts)
        facts["others_have_their_times"] = _(HAVE_TIMES, **facts)
    return Filler(facts)


def within(sentence: str) -> str:
    """As it goes on after a colon: German nouns keep their capital."""
    return f"{sentence[:1].lower()}{sentence[1:]}" if current() == ENGLISH else sentence


def counted(number: int, items: Sequence[Item]) -> str:
    """`7 of 8`."""
    return _("{number} of {all}", number=number, all=len(items))
