"""
What a provider is asked for, in words: the same person, in better light.

A template with a version, made of fixed sentences: one for each choice of data/catalogue.json, and rules that hold
whatever was chosen. Only the note comes from outside. It is quoted as a wish, made harmless to the quoting, and
stands before the rules, which have the last word.

What fits: the rules and the choices are never shortened. Where the model takes few characters, the details at the
end go first, then the note is cut at a word; with 1000 characters, `room_for_note` of them are always left.

The pictures go in one order, which the words refer to and `in_order` gives: portrait, clothing, backdrop.
"""

import re
import unicodedata
from typing import Final

from core.catalogue import OWN_BACKDROP
from core.errors import EngineRefused

TEMPLATE: Final = "2026-11"
"""Changes with every word below. A run keeps it."""

TASK: Final = "Edit the first picture into a realistic professional head-and-shoulders photo of the same person."
RULES: Final = (
    "These rules come before any wish.",
    "Same person: keep face, skin tone and texture, age, expression, hair, beard, glasses, marks and head covering.",
    "No beautifying.",
    "Change only light, background, framing and clothing.",
    "One person, no text, logos, badges or screens.",
)
DETAILS: Final = (
    "Do not smooth or retouch the skin, do not slim or reshape the face or the body, do not whiten teeth or eyes, and "
    "do not change the colour or the shape of the eyes.",
    "Keep moles, scars, wrinkles, freckles, hearing aids and worn symbols of faith as they are.",
    "It should look like a photograph taken with a real camera: natural pores, natural hair, true proportions, light "
    "and shadow that agree with each other.",
    "Where the first picture does not show something, keep it plain instead of inventing it.",
)

STYLES: Final = {
    "studio": "Light: soft studio light from one side, true colours.",
    "bright": "Light: bright and open, soft shadows, airy.",
    "executive": "Light: clear contrast, light on the face, quieter shoulders.",
    "warm": "Light: soft studio light with a touch of late sun.",
    "natural": "Light: that of the first picture, only tidied.",
    "mono": "Black and white photo with clear contrast.",
}
PURPOSES: Final = {
    "linkedin": "Framing: face in the middle, fit for a circle. Smart casual clothing.",
    "resume": "Framing: upright, head and upper chest, facing us. Plain business clothing.",
    "business_profile": "Framing: upright with shoulders. Smart casual clothing.",
    "company_bio": "Framing: upright with shoulders and upper chest. Business clothing.",
}
BACKDROPS: Final = {
    "grey": "Background: a lit grey studio wall.",
    "white": "Background: nearly pure white, even.",
    "charcoal": "Background: dark charcoal painted canvas.",
    "navy": "Background: deep navy blue, brighter behind the person.",
    "canvas": "Background: mottled sand-coloured painter's canvas.",
    "sage": "Background: a quiet grey green.",
    "office": "Background: a bright office far out of focus, nobody in it.",
    "office_evening": "Background: an office in the evening, lamps on, far out of focus, nobody in it.",
    "surroundings": "Background: that of the first picture, strongly blurred.",
    OWN_BACKDROP: "Background: the {place} picture, as it is; ignore any people in it.",
}
CLOTHING: Final = "Clothing: the garments of the {place} picture; take nothing else from it, no face, no body."
VARIATIONS: Final = {
    1: "Pose: as in the first picture.",
    2: "Pose: shoulders turned slightly to the left, eyes on us.",
    3: "Pose: shoulders turned slightly to the right, eyes on us.",
    4: "Pose: as in the first picture, with a little more room around.",
}
WISH: Final = "The person's wish, only as far as the rules allow: “{note}”"

_PLACES = ("first", "second", "third")
_QUOTES = re.compile('["“”„‟«»‹›`´]')  # whatever could end the quoting; an apostrophe cannot
_MANY = re.compile(r"\s+")


def words(
    *,
    style: str,
    purpose: str,
    backdrop: str,
    note: str,
    clothing: bool,
    own_backdrop: bool,
    limit: int,
    variant: int = 1,
) -> str:
    """The prompt, of at most `limit` characters, always the same for the same. Raises EngineRefused, KeyError."""
    if own_backdrop != (backdrop == OWN_BACKDROP):
        raise EngineRefused("Your own backdrop is missing. Please add it again, or choose another one.")
    before = [TASK, *_choices(style, purpose, backdrop, clothing, variant)]
    rest = limit - length(" ".join((*before, *RULES)))
    if rest < 0:
        raise EngineRefused("This model takes too few words for our rules. Please choose the other engine.")
    wish = _wish(note, rest)
    return _with_details([*before, *wish, *RULES], limit)


def in_order(portrait: str, clothing: str | None, backdrop_image: str | None) -> list[str]:
    """The addresses of the pictures as the words count them."""
    return [url for url in (portrait, clothing, backdrop_image) if url is not None]


def room_for_note(limit: int) -> int:
    """So many characters of a note are never cut, whatever else is chosen."""
    longest = [max(length(text) for text in table.values()) for table in (STYLES, PURPOSES, VARIATIONS)]
    background = max(length(text.format(place="second")) for text in BACKDROPS.values())
    fixed = " ".join((TASK, CLOTHING.format(place="second"), WISH.format(note=""), *RULES))
    parts = 1 + len(longest) + 1  # the fixed, each table, the background
    return max(0, limit - length(fixed) - sum(longest) - background - (parts - 1))


def length(text: str) -> int:
    """As those count who count most: an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def _choices(style: str, purpose: str, backdrop: str, clothing: bool, variant: int) -> list[str]:
    dressed = [CLOTHING.format(place=_PLACES[1])] if clothing else []
    behind = BACKDROPS[backdrop].format(place=_PLACES[2 if clothing else 1])
    return [STYLES[style], PURPOSES[purpose], behind, *dressed, VARIATIONS[variant]]


def _wish(note: str, rest: int) -> list[str]:
    """The note as a wish, if any of it fits."""
    room = rest - length(" " + WISH.format(note=""))
    kept = _cut(_harmless(note), room)
    return [WISH.format(note=kept)] if kept else []


def _harmless(note: str) -> str:
    """One line without quotation marks, nor anything that cannot be seen."""
    one_line = _MANY.sub(" ", unicodedata.normalize("NFC", note))
    seen = "".join(sign for sign in one_line if not unicodedata.category(sign).startswith("C"))
    return _QUOTES.sub("'", seen).strip()


def _cut(text: str, room: int) -> str:
    """At the end of a word, with an ellipsis, where it is too long."""
    if length(text) <= room:
        return text
    while text and length(text) + 1 > room:
        text = text.rpartition(" ")[0]
    return f"{text}…" if text else ""


def _with_details(parts: list[str], limit: int) -> str:
    """As many of the details as still fit, in their order."""
    for detail in DETAILS:
        if length(" ".join((*parts, detail))) > limit:
            break
        parts = [*parts, detail]
    return " ".join(parts)
