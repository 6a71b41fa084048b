"""
Claim codes in free text: found however they were typed, quoted or wrapped, and never kept as text.

A code carries twelve bits to notice slips by, so what looks like one and is one is found without a question to the
database. Support must not open anybody's photos: what is stored of a person's words has no code in it, be it a right
one, an old one or a stranger's.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from core.access import CODE_LENGTH, read_claim_code

MOST_CODES: Final = 5
"""More than one person's, and fewer than a list of guesses."""
MOST_LETTERS: Final = 200_000
INSTEAD: Final = "[claim code]"
_GROUP = re.compile(r"[0-9A-Za-z]+")
_BETWEEN = re.compile("[\\s\u00ad\u200b-\u200d\u2060\ufeff\\-\u2010-\u2015\u2212_.*|>]*")
"""Spaces, breaks, dashes of any kind, marks of quotes and of bold: what mail programs put into a line of letters."""


def claim_hashes(text: str) -> list[str]:
    """The hashes of codes in a text, in its order, each once."""
    found = dict.fromkeys(claim_hash for _, _, claim_hash in _codes(text[:MOST_LETTERS]))
    return list(found)[:MOST_CODES]


def without_codes(text: str) -> str:
    """The text with every code blotted out."""
    kept, end = [], 0
    for start, stop, _ in _codes(text):
        if start >= end:
            kept += [text[end:start], INSTEAD]
            end = stop
    return "".join([*kept, text[end:]])


def _codes(text: str) -> Iterator[tuple[int, int, str]]:
    """Where codes begin and end. One begins and ends with a group of letters; what lies between may be anything."""
    groups = list(_GROUP.finditer(text))
    joined = [bool(_BETWEEN.fullmatch(text, a.end(), b.start())) for a, b in pairwise(groups)]
    for first in range(len(groups)):
        letters, last = "", first
        for last in range(first, len(groups)):
            letters += groups[last].group()
            if len(letters) >= CODE_LENGTH or last == len(joined) or not joined[last]:
                break
        if len(letters) == CODE_LENGTH and (claim_hash := read_claim_code(letters)):
            yield groups[first].start(), groups[last].end(), claim_hash
