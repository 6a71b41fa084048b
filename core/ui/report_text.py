"""The words of the page that takes reports. Nothing is promised but what core/reports.py and core/abuse do."""

from collections.abc import Mapping
from typing import Final

from core.language import N_
from core.models import AbuseKind

TITLE: Final = N_("Report an image")
LEAD: Final = N_("Is an image that was made here used against somebody? Tell us. You need no name and no account.")
TYPES: Final = ["jpg", "jpeg", "png", "webp", "heic", "heif", "avif"]

WHAT: Final = N_("What is wrong with it?")
KINDS: Final[Mapping[AbuseKind, str]] = {
    AbuseKind.NOT_ASKED: N_("It shows me, or somebody I speak for, and we were not asked"),
    AbuseKind.CHILD: N_("It shows a child"),
    AbuseKind.INTIMATE: N_("It is intimate or sexual"),
    AbuseKind.PRETENDS: N_("It is used to pass for somebody else"),
    AbuseKind.OTHER: N_("Something else"),
}
CHILD_FIRST: Final = N_(
    "If a child is in danger, or the image is sexual, tell the police first: call 112 in the EU, 911 in the US, or the "
    "emergency number where you are. Please send such an image to nobody, not to us either: in many countries that is "
    "a crime. The number of the run, or the address of the page where you saw it, is enough."
)
FILE: Final = N_("The image, if you have its file (optional)")
FILE_HELP: Final = N_(
    "As you downloaded it or as it was uploaded. It is read in memory, compared by a keyed hash and by its AI mark, "
    "and not kept."
)
FILE_READ: Final = N_("The file is read and let go of. What stays of it is a keyed hash, which nobody can turn back.")
FILE_READ_MARK: Final = N_(
    "The file is read and let go of. What stays of it is a keyed hash, which nobody can turn back, and a random word "
    "of our AI mark that is in it."
)
FILE_AWAY: Final = N_("Leave the file out")
TOO_LARGE: Final = N_("This file is too large to be one of ours. Describe it in your words instead.")
RUN: Final = N_("Number of the run, if you know it (optional)")
RUN_PLACEHOLDER: Final = "G-…"
WORDS: Final = N_("In your words (optional)")
WORDS_HELP: Final = N_(
    "Where you saw it, who it shows, what has happened. It lies sealed, operators read it, and it is destroyed when "
    "the report is closed."
)
ADDRESS: Final = N_("E-mail, only if you want an answer (optional)")
ADDRESS_HELP: Final = N_("It lies sealed, is used for this report alone, and is destroyed when the report is closed.")
SEND: Final = N_("Send the report")

THEN: Final = N_("What happens then")
STEPS: Final = (
    N_("You get a number to quote. A person reads your report, and it is due within {hours} hours."),
    N_("They look for the image by its number, its hash or its mark. No program compares or recognises a face."),
    N_("They can have it erased, and block whoever made it, or the photo it was made from, for up to {months} months."),
    N_("Whoever made the image can learn that it was reported and for which reason, never by whom."),
    N_("You are not told whether anything was found here: that would say who uses this service."),
)
LOOKS: Final = N_(
    "Operators see no images. One may look at a reported one for ten minutes if another one allows it and its owner "
    "has not forbidden it; its owner reads of it."
)
NO_LOOKS: Final = N_("Operators of this server see no images, reported ones included.")

HAVE_IT: Final = N_("We have it")
NUMBER: Final = N_("Number")
REPORTED: Final = N_("Reported")
QUOTE: Final = N_("Note the number: a report has no name, so it is found by this alone.")
ANOTHER: Final = N_("Report another image")
FROM_CHECK: Final = N_("Is it of you, and nobody asked you? {page}")
