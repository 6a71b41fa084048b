"""
What the page that checks an image says, apart from how it is drawn.

What others do with marks is told with the day on which it was read, and what is not known is told as well.
"""

from core.language import N_, _, instant, p_
from core.provenance import Credentials, Findings, Mark, State
from core.ui.widgets.markup import State as Look

TITLE = N_("Check an image")
LEAD = N_("Was it made here, is its AI mark intact, what will LinkedIn show? It is read in memory and not kept.")
UPLOAD = N_("The image")
TYPES = ["jpg", "jpeg", "png", "webp", "heic", "heif", "avif"]
HELP = N_("The original file: a screenshot or a copy from a chat has lost its marks.")
NOT_KEPT = N_("It was not stored anywhere.")
ANOTHER = N_("Try the original file, not a copy from a chat.")

ORIGIN = N_("Was it made here?")
MARK = N_("Its AI mark")
CREDENTIALS = N_("Content Credentials")
LINKEDIN = N_("What LinkedIn will show")

LOOKS: dict[State, Look] = {
    State.KEPT: "kept",
    State.ABSENT: "unknown",
    State.BROKEN: "broken",
    State.UNKNOWN: "unknown",
}

NO_LIST = N_(
    "We look nothing up: nobody here keeps a list of pictures, so nobody can ask whether one was made here. A mark is "
    "text in the file; every WorkShot server writes the same one, and anyone could copy it."
)
READ_IN = N_(
    "What LinkedIn shows was read in November 2026, in a stored copy of {page}. That speaks of images and videos in "
    "the feed, and says nothing of profile photos, nor of marks in XMP."
)
HELP_PAGE = N_("its help page on Content Credentials")
LINKEDIN_HELP = "https://www.linkedin.com/help/lms/answer/a6282984"

TERMS = {
    "composite": N_("put together from several parts"),
    "compositeSynthetic": N_("put together from several parts, some of them made by generative AI"),
    "compositeWithTrainedAlgorithmicMedia": N_("edited with generative AI"),
    "trainedAlgorithmicMedia": N_("made by a generative AI model"),
    "algorithmicallyEnhanced": N_("a photo, enhanced by a program"),
    "algorithmicMedia": N_("made by a program without a trained model"),
    "digitalCapture": N_("taken by a camera"),
    "computationalCapture": N_("taken by a camera that computes several takes into one"),
    "humanEdits": N_("edited by a person"),
    "screenCapture": N_("a screenshot"),
    "digitalCreation": N_("drawn by a person with a program"),
    "virtualRecording": N_("recorded in a virtual world"),
}
"""The IPTC’s digital source types, in words (https://cv.iptc.org/newscodes/digitalsourcetype/)."""


def chip(state: State) -> tuple[Look, str]:
    """How a mark is: its colour and its word."""
    words = {
        State.KEPT: p_("a mark", "Kept"),
        State.ABSENT: p_("a mark", "Absent"),
        State.BROKEN: p_("a mark", "Broken"),
        State.UNKNOWN: p_("a mark", "Could not be checked"),
    }
    return LOOKS[state], words[state]


def origin(found: Findings) -> str:
    """Only a signature of our own proves it; all else is what the file says."""
    mark = found.mark
    if found.credentials.ours and found.credentials.state is State.KEPT:
        return _("Yes. It is signed with the key of this server, and is as it was when it was signed.")
    if mark.ours and mark.system.startswith("WorkShot"):
        return _("It says that it was made by WorkShot, on a server of its own.")
    if mark.ours:
        return _("It says that {system} made it, and that WorkShot marked it.", system=mark.system)
    if mark.state is State.BROKEN:
        return _("It has a part of a WorkShot mark. Something has cut into it.")
    if found.is_silent:
        return _("It does not say. Either it never did, or a website or an app took that out: most of them do.")
    return _("It says nothing of WorkShot, but something of somebody else: see below.")


def mark_says(mark: Mark) -> str:
    match mark.state:
        case State.ABSENT:
            return _("There is none in its XMP. That proves nothing: marks are easily lost.")
        case State.BROKEN:
            return _("Fields of it are missing. Machines that look for the mark may not find it.")
        case _ if mark.ours:
            return _("All that we write is there. It is not bound to the pixels: those can have been changed since.")
        case _:
            return _("There is one that we did not write. It is not bound to the pixels.")


def mark_facts(mark: Mark) -> list[tuple[str, str]]:
    created = instant(mark.created_at, seconds=False) if mark.created_at else ""
    system = " ".join(part for part in (mark.system, mark.version) if part)
    said = [
        (_("How it came about"), in_words(mark.source_type)),
        (_("AI system"), system),
        (p_("when", "Made"), created),
    ]
    return [(term, what) for term, what in said if what]


def credentials_say(credentials: Credentials) -> str:
    match credentials.state:
        case State.KEPT if credentials.ours:
            return _("Signed by this server, and the file is as it was when it was signed.")
        case State.KEPT:
            return _(
                "Signed, and the file is as it was when it was signed. Whether the signer can be trusted is not "
                "checked here: the name is the one in the certificate."
            )
        case State.ABSENT:
            return _(
                "There are none in the file. Many WorkShot servers do not sign: their pictures have the mark alone."
            )
        case State.BROKEN:
            return _("They do not hold: the file was changed after it was signed, or what was signed is damaged.")
        case _:
            return _("There are some in the file, and reading them failed. So nothing is said about them.")


def credentials_facts(credentials: Credentials) -> list[tuple[str, str]]:
    said = [
        (_("Signed by"), credentials.signer),
        (_("Made with"), credentials.made_with),
        (_("How it came about"), "; ".join(in_words(term) for term in credentials.source_types)),
        (_("What does not hold"), ", ".join(credentials.problems)),
    ]
    return [(term, what) for term, what in said if what]


def linkedin(found: Findings) -> str:
    match found.credentials.state, found.mark.state:
        case State.KEPT, _:
            return _(
                "In the feed, a small icon for Content Credentials. Whoever opens it can read who signed the picture "
                "and how it came about."
            )
        case State.BROKEN, _:
            return _("Not known: LinkedIn does not say what it does with Content Credentials that do not hold.")
        case State.UNKNOWN, _:
            return _("Not known, as its Content Credentials could not be checked.")
        case _, (State.KEPT | State.BROKEN):
            return _(
                "Nothing that we know of. It shows Content Credentials, and this file has none; a mark in XMP is not "
                "among what it says that it shows. If your picture should be known as made with AI, say so yourself."
            )
        case _:
            return _("Nothing: the file has nothing that it could show.")


def in_words(term: str) -> str:
    """“composite”: put together from several parts."""
    if not term:
        return ""
    return _("“{term}”: {words}", term=term, words=_(TERMS[term])) if term in TERMS else _("“{term}”", term=term)


def of_file(found: Findings) -> str:
    """What was read, and that nothing of it is kept."""
    if not (found.width and found.height):
        return _("A {format} file. Read and let go of.", format=found.format)
    return _(
        "A {format} file, {width} × {height} pixels. Read and let go of.",
        format=found.format,
        width=found.width,
        height=found.height,
    )
