"""
What a receipt does not show, in words.

What is signed is English, whoever reads it: a signature holds for one sentence and no other. Read aloud, it is the same
sentence in the reader's language, made of the values that are signed beside it. It is known by its letters: one that is
not ours, or no longer, is read as it was signed.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from core.language import ENGLISH, N_, _, current, speaking
from core.provider import residue
from core.receipts.statement import Elsewhere

ALWAYS_UNPROVED: Final[Mapping[str, str]] = {
    "our_word": N_(
        "The signature shows that this statement is ours and unchanged. That storage answered as it says is "
        "our word; the audit log, whose hash stands here, is what we can be held to."
    ),
    "disks": N_(
        "Storage was asked and no longer had the copies. Its disks we cannot look at. What lay there was encrypted."
    ),
    "backups": N_(
        "Backups of the database and of the storage, if the operator keeps any, are not covered until they are "
        "replaced."
    ),
    "taken_along": N_("What was downloaded, shared or copied before is out of our reach."),
}
MAILS: Final = N_("Mails between you and us may stay in mailboxes and with mail services on the way.")
STILL_HERE: Final = N_("A copy in our storage is not shown to be gone yet. Once it is, there is an amended receipt.")
KEY_IN_USE: Final = N_("The key of these photos is not destroyed yet, because something under it is still held.")
_OURS: Final = frozenset({*ALWAYS_UNPROVED.values(), MAILS, STILL_HERE, KEY_IN_USE})


def of_elsewhere(copy: str) -> str:
    """Of a copy at a third party, of which `residue` has told already."""
    until = _("Once it is shown to be gone, there is an amended receipt.")
    return f"{copy} {until}"


def in_words(signed: Iterable[str], elsewhere: Iterable[Elsewhere]) -> list[str]:
    """Sentences of a receipt as its reader understands them. `elsewhere`: what it says of copies at third parties."""
    if current() == ENGLISH:
        return list(signed)
    theirs = {_in_english(copy): copy for copy in elsewhere}
    return [_in_words(sentence, theirs) for sentence in signed]


def _in_words(sentence: str, theirs: Mapping[str, Elsewhere]) -> str:
    if copy := theirs.get(sentence):
        return _of_copy(copy)
    return _(sentence) if sentence in _OURS else sentence


def _in_english(copy: Elsewhere) -> str:
    with speaking(ENGLISH):
        return _of_copy(copy)


def _of_copy(copy: Elsewhere) -> str:
    told = residue.in_words(
        copy.kind, copy.provider, ends_at=copy.ends_at, dated_by=copy.dated_by, was_open=copy.open_after_its_end
    )
    return of_elsewhere(told)
