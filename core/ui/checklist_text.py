"""
The checklist: what to ask any AI photo tool, and what this server answers today.

Questions, points, flags and their answers are those of the guide (core/ui/guide_text.py), which are filled in from
settings and promises; here each is held against how its promise stands. What nobody has named yet is said to be so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.models import PromiseState
from core.promises import Stand
from core.services import Services
from core.ui import guide_text as guide
from core.ui.guide_text import Filler
from core.ui.screens.promises import wording
from core.ui.widgets.markup import State

TITLE = "Checklist"
LEAD = "What to ask any AI photo tool before it gets your face. The answers are this server’s, as they are today."
QUESTIONS = guide.QUESTIONS
POINTS = guide.POLICY_TITLE
FLAGS = guide.FLAGS_TITLE
FLAGS_LEAD = "One alone proves nothing. Two or three, and your photo is safer elsewhere."
BEFORE = guide.CHECKLIST
COMPARE = "Hold another tool against it"
COMPARE_LEAD = (
    "Read its policy and tick what you find. What you tick and type stays in this tab: nothing is stored here, and "
    "reloading the page forgets it."
)
TOOL = "The other tool"
TOOL_HINT = "Its name, for your print"
TICK_QUESTION = "It answers these clearly"
TICK_POINT = "Its policy has these"
TICK_FLAG = "It shows these flags"
PRINT = "Print the comparison"
PRINTED = "AI photo tools, compared"
HERE = "This server"
AS_OF = "As this server stood on {day}. What is not ticked was not found, which need not mean that it is not there."
UNNAMED = "The other tool"

FOLLOW_TERMS = " {others} follows terms of its own, which the guide quotes."
HAVE_TIMES = " What lies at {others} has times of its own, which the promises page lists."

_ANSWERED: Final = ("kept", "Answered")
_OPEN: Final = ("unknown", "Not named yet")
_NOT_HERE: Final = ("kept", "Not here")


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
        return f"{self.asks}: {self.look_for[:1].lower()}{self.look_for[1:]}" if self.look_for else self.asks

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
    ("{never_trained_on} Nobody has to opt out.", ("never_trained_on",)),
    ("{third_parties}", ("third_parties_by_name",)),
    ("{encrypted} {breach_notice}", ("encrypted", "encrypted_on_the_way", "breach_notice")),
    ("{law}", ()),
)
"""What this server's policy has on the guide's five points."""

LAW_NAMED = "The law of {jurisdiction}.{authority_named}"
AUTHORITY_NAMED = " Complaints go to {authority}."
LAW_UNNAMED = "Whoever runs this server has not named a law yet."

_FLAGS: Final = (
    (
        "It can mean training, sharing, or nothing. Whoever means something harmless can say what.",
        "{nothing_is_sold} {never_trained_on}",
    ),
    (
        "What has no end is kept: storage costs less than the work of erasing.",
        "{erased_by_the_clock}",
    ),
    (
        "A face is more than data about you. A tool that makes pictures of faces and has no word on them has not "
        "thought about yours.",
        "{no_biometrics}",
    ),
    (
        "Machines that make pictures cost money. If you do not pay, ask who does, and for what.",
        "Free while this is a beta. {who_first} pays for it.",
    ),
    (
        "Then it has your address before you know whether it is of any use.",
        "No account, and no name: the first result is there before anything is asked of you but your consent.",
    ),
)
"""Why each of the guide's flags is one, and how it is here."""


def checklist(svc: Services, stands: Sequence[Stand]) -> Checklist:
    """With every fact as it is now."""
    fill, known = _filler(svc), {stand.promise.id: stand for stand in stands}
    questions = [
        _item(f"question-{n}", asks, fill(says), known, names)
        for n, ((asks, says), names) in enumerate(zip(guide.ANSWERS, _QUESTION_PROMISES, strict=True), 1)
    ]
    points = [
        replace(_item(f"point-{n}", asks, fill(says), known, names), look_for=what)
        for n, ((asks, what), (says, names)) in enumerate(zip(guide.POLICY, _POINTS, strict=True), 1)
    ]
    if not svc.settings.privacy_contact:
        questions[-1] = _named_by_nobody(questions[-1])
    if not svc.settings.jurisdiction:
        points[-1] = _named_by_nobody(points[-1])
    return Checklist(questions=tuple(questions), points=tuple(points), flags=tuple(_flags(svc, fill)))


def _flags(svc: Services, fill: Filler) -> list[Item]:
    flags = [
        Item(id=f"flag-{n}", asks=flag, says=f"{why} Here: {fill(here)}", state=_NOT_HERE[0], word=_NOT_HERE[1])
        for n, (flag, (why, here)) in enumerate(zip(guide.FLAGS, _FLAGS, strict=True), 1)
    ]
    if not svc.settings.run_by:
        flags[3] = _named_by_nobody(flags[3])
    return flags


def _item(id_: str, asks: str, says: str, known: Mapping[str, Stand], names: Sequence[str]) -> Item:
    """As well as the worst of the promises that it rests on."""
    state, word = _worst([known[name] for name in names if name in known]) if names else _ANSWERED
    return Item(id=id_, asks=asks, says=says, state=state, word=word)


def _worst(stands: Sequence[Stand]) -> tuple[State, str]:
    for state in (PromiseState.BROKEN, PromiseState.UNKNOWN):
        for stand in stands:
            if stand.public_state is state:
                return wording.chip(stand)
    return wording.chip(stands[0]) if stands else _OPEN


def _named_by_nobody(item: Item) -> Item:
    return replace(item, state=_OPEN[0], word=_OPEN[1])


def _filler(svc: Services) -> Filler:
    fill, settings = guide.filler(svc), svc.settings
    law = {"jurisdiction": settings.jurisdiction, "authority": settings.authority}
    law["authority_named"] = AUTHORITY_NAMED.format_map(law) if settings.authority else ""
    facts = {**fill.facts, "law": LAW_NAMED.format_map(law) if settings.jurisdiction else LAW_UNNAMED}
    if svc.providers:
        facts["others_follow_their_terms"] = FOLLOW_TERMS.format_map(facts)
        facts["others_have_their_times"] = HAVE_TIMES.format_map(facts)
    return Filler(facts)


def counted(number: int, items: Sequence[Item]) -> str:
    """`7 of 8`."""
    return f"{number} of {len(items)}"
