"""
What the page that checks an image says, apart from how it is drawn.

What others do with marks is told with the day on which it was read, and what is not known is told as well.
"""

from core.provenance import Credentials, Findings, Mark, State
from core.ui.widgets.markup import State as Look

TITLE = "Check an image"
LEAD = "Was it made here, is its AI mark intact, what will LinkedIn show? It is read in memory and not kept."
UPLOAD = "The image"
TYPES = ["jpg", "jpeg", "png", "webp", "heic", "heif", "avif"]
HELP = "The original file: a screenshot or a copy from a chat has lost its marks."
NOT_KEPT = "It was not stored anywhere."
ANOTHER = "Try the original file, not a copy from a chat."

ORIGIN = "Was it made here?"
MARK = "Its AI mark"
CREDENTIALS = "Content Credentials"
LINKEDIN = "What LinkedIn will show"

CHIPS: dict[State, tuple[Look, str]] = {
    State.KEPT: ("kept", "Kept"),
    State.ABSENT: ("unknown", "Absent"),
    State.BROKEN: ("broken", "Broken"),
    State.UNKNOWN: ("unknown", "Could not be checked"),
}

NO_LIST = (
    "We look nothing up: nobody here keeps a list of pictures, so nobody can ask whether one was made here. A mark is "
    "text in the file; every WorkShot server writes the same one, and anyone could copy it."
)
READ_IN = (
    "What LinkedIn shows was read in November 2026, in a stored copy of ",
    "its help page on Content Credentials",
    ". That speaks of images and videos in the feed, and says nothing of profile photos, nor of marks in XMP.",
)
LINKEDIN_HELP = "https://www.linkedin.com/help/lms/answer/a6282984"

TERMS = {
    "composite": "put together from several parts",
    "compositeSynthetic": "put together from several parts, some of them made by generative AI",
    "compositeWithTrainedAlgorithmicMedia": "edited with generative AI",
    "trainedAlgorithmicMedia": "made by a generative AI model",
    "algorithmicallyEnhanced": "a photo, enhanced by a program",
    "algorithmicMedia": "made by a program without a trained model",
    "digitalCapture": "taken by a camera",
    "computationalCapture": "taken by a camera that computes several takes into one",
    "humanEdits": "edited by a person",
    "screenCapture": "a screenshot",
    "digitalCreation": "drawn by a person with a program",
    "virtualRecording": "recorded in a virtual world",
}
"""The IPTC’s digital source types, in words (https://cv.iptc.org/newscodes/digitalsourcetype/)."""


def origin(found: Findings) -> str:
    """Only a signature of our own proves it; all else is what the file says."""
    mark = found.mark
    if found.credentials.ours and found.credentials.state is State.KEPT:
        return "Yes. It is signed with the key of this server, and is as it was when it was signed."
    if mark.ours and mark.system.startswith("WorkShot"):
        return "It says that it was made by WorkShot, on a server of its own."
    if mark.ours:
        return f"It says that {mark.system} made it, and that WorkShot marked it."
    if mark.state is State.BROKEN:
        return "It has a part of a WorkShot mark. Something has cut into it."
    if found.is_silent:
        return "It does not say. Either it never did, or a website or an app took that out: most of them do."
    return "It says nothing of WorkShot, but something of somebody else: see below."


def mark_says(mark: Mark) -> str:
    match mark.state:
        case State.ABSENT:
            return "There is none in its XMP. That proves nothing: marks are easily lost."
        case State.BROKEN:
            return "Fields of it are missing. Machines that look for the mark may not find it."
        case _ if mark.ours:
            return "All that we write is there. It is not bound to the pixels: those can have been changed since."
        case _:
            return "There is one that we did not write. It is not bound to the pixels."


def mark_facts(mark: Mark) -> list[tuple[str, str]]:
    created = f"{mark.created_at:%d %b %Y, %H:%M} UTC" if mark.created_at else ""
    system = " ".join(part for part in (mark.system, mark.version) if part)
    said = [("How it came about", in_words(mark.source_type)), ("AI system", system), ("Made", created)]
    return [(term, what) for term, what in said if what]


def credentials_say(credentials: Credentials) -> str:
    match credentials.state:
        case State.KEPT if credentials.ours:
            return "Signed by this server, and the file is as it was when it was signed."
        case State.KEPT:
            return (
                "Signed, and the file is as it was when it was signed. Whether the signer can be trusted is not "
                "checked here: the name is the one in the certificate."
            )
        case State.ABSENT:
            return "There are none in the file. Many WorkShot servers do not sign: their pictures have the mark alone."
        case State.BROKEN:
            return "They do not hold: the file was changed after it was signed, or what was signed is damaged."
        case _:
            return "There are some in the file, and reading them failed. So nothing is said about them."


def credentials_facts(credentials: Credentials) -> list[tuple[str, str]]:
    said = [
        ("Signed by", credentials.signer),
        ("Made with", credentials.made_with),
        ("How it came about", "; ".join(in_words(term) for term in credentials.source_types)),
        ("What does not hold", ", ".join(credentials.problems)),
    ]
    return [(term, what) for term, what in said if what]


def linkedin(found: Findings) -> str:
    match found.credentials.state, found.mark.state:
        case State.KEPT, _:
            return (
                "In the feed, a small icon for Content Credentials. Whoever opens it can read who signed the picture "
                "and how it came about."
            )
        case State.BROKEN, _:
            return "Not known: LinkedIn does not say what it does with Content Credentials that do not hold."
        case State.UNKNOWN, _:
            return "Not known, as its Content Credentials could not be checked."
        case _, (State.KEPT | State.BROKEN):
            return (
                "Nothing that we know of. It shows Content Credentials, and this file has none; a mark in XMP is not "
                "among what it says that it shows. If your picture should be known as made with AI, say so yourself."
            )
        case _:
            return "Nothing: the file has nothing that it could show."


def in_words(term: str) -> str:
    """“composite”: put together from several parts."""
    if not term:
        return ""
    return f"“{term}”: {TERMS[term]}" if term in TERMS else f"“{term}”"
