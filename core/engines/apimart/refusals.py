"""
What is not sent on, however politely it is asked for.

Word lists and short patterns, English and German, in data/refused_wishes.json: what the guide does not allow here, and
what would break the promise that it stays the same person. A heuristic, and no more than that. It catches who asks
plainly, and the usual disguises: other alphabets, digits for letters, letters apart, signs that cannot be seen. It
does not understand: whoever means to get round it will. The rules of the prompt stand above every note, the provider
has a moderation of its own, and somebody who is refused by mistake can say it in other words.

Things that may be a fine wish are let through where we know of them: "I work with children", a nude lipstick, a badge
to be taken away. Clothes of one's own work are wanted (a white coat, an apron, a pilot's shirt); a uniform that lends
the authority of the state is not.

A pattern is a row of words. `a|b_c` is either, `a*` begins so, `{list}` one of a list, `{list}*` up to four of it,
`!{list}` a word that is not in it, `...` up to three words, `$` the end of a clause. No pattern crosses a comma. What
is negated just before ("no badge") or within does not count; before a pattern that begins with `!`, which may itself
say "remove" or "without", only "not" is heeded.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from core.catalogue import DATA
from core.errors import BadSettings
from core.language import _

WISHES_FILE: Final = DATA / "refused_wishes.json"

_BREAK = re.compile(r"[.,;:!?()\[\]\n\r…—–/|]+")
_APOSTROPHE = re.compile(r"['’‘`´]")
_NO_WORD = re.compile(r"[^\w,@$]+|_+")
_LONG = re.compile(r"(\w)\1{2,}")
_APART = re.compile(r"\b\w(?=([\W_]))(?:\1\w\b){2,}")
_MIXED = re.compile(r"\b(?=\S*[a-z])(?=\S*[0-9@$])\S+")
_DIGITS = str.maketrans("0134578@$", "oieastbas")
_DIGITS_L = str.maketrans("0134578@$", "oleastbas")
# Letters of other alphabets that look like Latin ones, as casefold leaves them (a capital В is a small в by then).
_ALIKE = str.maketrans(
    "авсеһкмнорѕтухѵԝіјԁӏԛαβεηικνορτυχωı",
    "abcehkmhopstyxvwijdlqabenikvoptuxwi",
)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why: a sentence, what shows that it is asked for, and what looks like it only."""

    id: str
    says: str
    wanted: tuple[re.Pattern[str], ...]  # do not count where negated
    always: tuple[re.Pattern[str], ...]  # "remove my", "without": only "do not" before them counts
    unless: re.Pattern[str] | None
    negated_before: re.Pattern[str]
    denied_before: re.Pattern[str]
    negated_within: re.Pattern[str]
    taken_away_after: re.Pattern[str] | None


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The file: in this order, the first that is asked for is named."""

    reasons: tuple[Reason, ...]
    no_denial: re.Pattern[str]  # says no and means yes: "don't hesitate to"


def refuses(note: str) -> str | None:
    """Why this note cannot be sent, as a sentence for who wrote it. None: it can. Never repeats the note."""
    found = reason(note)
    return _(found.says) if found else None


def reason(note: str) -> Reason | None:
    """Which of the reasons of the file."""
    refused = refused_wishes()
    for reading in _readings(note):
        text = refused.no_denial.sub(" ", reading).replace("  ", " ")
        for known in refused.reasons:
            if _asks_for(text, known):
                return known
    return None


# ------------------------------------------------------------------------------------------------------------ reading
def _readings(note: str) -> Iterator[str]:
    """The note in plain small letters, and as it reads once disguises are taken off."""
    folded = _folded(note)
    joined = _APART.sub(lambda found: re.sub(r"[\W_]", "", found.group()), folded)
    texts = (folded, joined, _letters(joined, _DIGITS), _letters(joined, _DIGITS_L))
    yield from dict.fromkeys(_clauses(text) for text in texts)


def _folded(text: str) -> str:
    """Compatible forms made one, no marks above letters, nothing unseen, look-alikes as the letters they look like."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    seen = "".join(sign for sign in parts if unicodedata.category(sign) not in {"Mn", "Me", "Cf"})
    return _LONG.sub(r"\1", _APOSTROPHE.sub("", seen.translate(_ALIKE)))


def _letters(text: str, table: Mapping[int, int]) -> str:
    return _MIXED.sub(lambda found: found.group().translate(table), text)


def _clauses(text: str) -> str:
    """Words one blank apart, with a comma between clauses and at both ends."""
    words = _NO_WORD.sub(" ", _BREAK.sub(" , ", text)).replace("@", " ").replace("$", " ").split()
    return f" , {' '.join(words)} , "


def _asks_for(text: str, known: Reason) -> bool:
    if known.unless is not None:
        text = known.unless.sub(" ,", text)
    wanted = (match for pattern in known.wanted for match in pattern.finditer(text))
    always = (match for pattern in known.always for match in pattern.finditer(text))
    return any(not _is_negated(text, match, known) for match in wanted) or any(
        not known.denied_before.search(_before(text, match)) for match in always
    )


def _is_negated(text: str, match: re.Match[str], known: Reason) -> bool:
    before, after = _before(text, match), text[match.end() :]
    if known.negated_before.search(before) or known.negated_within.search(match.group()):
        return True
    return known.taken_away_after is not None and known.taken_away_after.match(after) is not None


def _before(text: str, match: re.Match[str]) -> str:
    """As much of what stands before it as a denial could reach over."""
    return text[max(0, match.start() - 100) : match.start()]


# --------------------------------------------------------------------------------------------------------- the file
@cache
def refused_wishes() -> Refused:
    """The file that ships."""
    return load(WISHES_FILE)


def load(file: Path) -> Refused:
    """Read and check such a file. Raises BadSettings with the place of the first mistake."""
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        lists = {**raw["lists"], "famous": _written(raw["famous"])}
        found = tuple(_reason(entry, lists, raw["named_after"]) for entry in raw["reasons"])
        if not found or len({known.id for known in found}) < len(found):
            raise ValueError("reasons must be there, each once")
        return Refused(reasons=found, no_denial=re.compile(_one_of(raw["no_denial"]) + "(?= )"))
    except (OSError, KeyError, TypeError, ValueError, re.error) as error:
        raise BadSettings(f"{file.name} has a mistake: {error}") from error


def _reason(entry: Mapping[str, Any], lists: Mapping[str, list[str]], named_after: list[str]) -> Reason:
    name, says = entry["id"], entry["says"]
    if not isinstance(says, str) or not says.strip():
        raise ValueError(f"{name}: says is empty")
    reach, patterns = int(entry["reach"]), list(entry["patterns"])
    words = [*lists["not"], *lists["rid"], *(lists["keep"] if entry.get("keep") else [])]
    return Reason(
        id=name,
        says=says,
        wanted=tuple(_compiled(text, lists, name) for text in patterns if not _is_always(text)),
        always=tuple(_compiled(text[1:], lists, name) for text in patterns if _is_always(text)),
        unless=re.compile("|".join(_one_of([text]) for text in entry["unless"])) if entry["unless"] else None,
        negated_before=re.compile(rf"(?:{_one_of(words)}(?: \w+){{0,{reach - 1}}}|{_one_of(named_after)}(?: \w+)?)$"),
        denied_before=re.compile(rf"{_one_of(lists['not'])}(?: \w+)?$"),
        negated_within=re.compile(rf"{_one_of(words)}(?= )"),
        taken_away_after=re.compile(rf"(?: \w+){{0,2}}{_one_of(lists['away'])}(?= )") if entry.get("things") else None,
    )


def _written(names: list[str]) -> list[str]:
    """Names also as somebody's, and as they are left once letters apart are joined, if that can be nothing else."""
    joined = [name.replace(" ", "") for name in names if " " in name]
    known = [*names, *(name for name in joined if len(name) > 6)]
    return [*known, *(f"{name}s" for name in known)]


def _is_always(text: str) -> bool:
    return text.startswith("!") and not text.startswith("!{")


def _compiled(text: str, lists: Mapping[str, list[str]], name: str) -> re.Pattern[str]:
    """A pattern of the file as a regular expression: each part takes its words with the blank before them."""
    try:
        return re.compile("".join(_part(token, lists) for token in text.split()) + "(?= )")
    except KeyError as missing:
        raise ValueError(f"{name}: no list {missing}") from missing


def _part(token: str, lists: Mapping[str, list[str]]) -> str:
    if token == "...":  # noqa: S105 - three dots are no password
        return r"(?: \w+){0,3}?"
    if token == "$":  # noqa: S105
        return r"(?= ,)"
    found = re.fullmatch(r"(!?)\{(\w+)\}(\*?)", token)
    if found is None:
        return _one_of([word for part in token.split("|") for word in _words_of(part, lists)])
    words = _one_of(lists[found.group(2)])
    if found.group(1):
        return rf"(?!{words} )(?: \w+)"
    return f"(?:{words}){{0,4}}" if found.group(3) else words


def _words_of(part: str, lists: Mapping[str, list[str]]) -> list[str]:
    """`{list}` among words that are given as alternatives."""
    found = re.fullmatch(r"\{(\w+)\}", part)
    return lists[found.group(1)] if found else [part]


def _one_of(phrases: list[str]) -> str:
    """Any of these, each word of it after a blank."""
    return "(?:" + "|".join(_phrase(phrase) for phrase in phrases) + ")"


def _phrase(phrase: str) -> str:
    words = phrase.replace("_", " ").split()
    if not words or any(re.fullmatch(r"\w+\*?", word) is None for word in words):
        raise ValueError(f"{phrase!r} is not words")
    return "".join(rf" {word[:-1]}\w*" if word.endswith("*") else f" {word}" for word in words)
