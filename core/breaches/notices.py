"""
Drafts of what the authority and people are told of a breach, in the language that is spoken.

Everything that is known here is filled in; where only a person can know, a mark in square brackets says what is
missing. What a leak is likely to lead to follows from how the vault is built (core/exposure.py): a sealed object is not
called a face, and what lies in one folder is not called apart.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from core.exposure import Exposure
from core.language import N_, _, day, instant, n_, number, size
from core.models import Breach, BreachKind
from core.settings import Settings

FILL_IN: Final = "["
"""How every mark begins."""

KINDS: Final[Mapping[BreachKind, str]] = {
    BreachKind.BUCKET: N_("Stored objects got into wrong hands, or may have."),
    BreachKind.DATABASE: N_("The database got into wrong hands, or may have."),
    BreachKind.KEYS: N_("The master key got into wrong hands, or may have."),
    BreachKind.SERVER: N_("Somebody else had control of the server, or may have had."),
    BreachKind.OPERATOR: N_("Somebody used the sign-in of an operator, or may have."),
    BreachKind.THIRD_PARTY: N_("Images at a third party got into wrong hands, or may have."),
    BreachKind.OTHER: N_("[to fill in: what happened]"),
}

CONSEQUENCES: Final[Mapping[BreachKind, str]] = {
    BreachKind.BUCKET: N_(
        "Every stored object is sealed with AES-256-GCM under a key of its person. Those keys lie in the database, "
        "sealed under the master key. With the objects alone no image can be seen: their number, sizes and times can."
    ),
    BreachKind.DATABASE: N_(
        "No image lies in the database, and no name. What can be read are random numbers, times, choices, consents "
        "and hashes. Sealed under the master key lie the keys of images, words and mail addresses of open requests, "
        "waiting mails and open reports, wishes written for runs, and addresses at third parties under which images "
        "lie open for whoever knows them."
    ),
    BreachKind.KEYS: N_(
        "The master key opens the keys that lie in the database, and those open the images. Alone it shows nothing. "
        "With the database it opens words and mail addresses of open requests, waiting mails and open reports, wishes "
        "written for runs, and addresses at third parties under which images lie open, without any of the stored "
        "objects. With those as well it opens all images."
    ),
    BreachKind.SERVER: N_(
        "The server holds the master key and reaches the database and the stored objects. Whoever controlled it could "
        "see every image that was stored, and those that were added meanwhile. Images can be copied, published, and "
        "used to pretend to be somebody."
    ),
    BreachKind.OPERATOR: N_(
        "Pages of operators show numbers, times and sizes, and words and mail addresses of open requests, unsorted "
        "mails and open reports; no images, but for reported ones that a second operator allows. Whoever was signed in "
        "could also have erased what is due, and answered requests."
    ),
    BreachKind.THIRD_PARTY: N_(
        "What lies at a third party has an address under which whoever knows it can see the image, until it goes "
        "there. It is not ours to erase. Images can be copied, published, and used to pretend to be somebody."
    ),
    BreachKind.OTHER: N_("[to fill in: what it is likely to lead to]"),
}
TOGETHER: Final = N_(
    "On this installation the stored objects, the database and the master key lie in one folder of one machine. "
    "Whoever could take one of them may have taken all, and could then see the images."
)
FOR_PEOPLE: Final[Mapping[BreachKind, str]] = {
    BreachKind.BUCKET: N_(
        "Stored photos may have got into wrong hands, sealed as they are kept here. Without keys that are kept "
        "elsewhere they cannot be opened."
    ),
    BreachKind.DATABASE: N_(
        "Our records may have got into wrong hands: random numbers, times and choices. There is no photo and no name "
        "in them."
    ),
    BreachKind.KEYS: N_(
        "The key that protects stored photos may have got into wrong hands. Alone it shows nothing; we have to assume "
        "that photos could be seen."
    ),
    BreachKind.SERVER: N_(
        "Somebody else may have had control of our server. We have to assume that photos that were stored here could "
        "be seen and copied."
    ),
    BreachKind.OPERATOR: N_(
        "Somebody may have used the sign-in of one of our operators. They could see numbers and times, and what was "
        "written in open requests, mails and reports, but no photos, except a reported one that two of us opened."
    ),
    BreachKind.THIRD_PARTY: N_(
        "Photos that were sent to a third party for a run may have got into wrong hands there, and could be seen and "
        "copied."
    ),
    BreachKind.OTHER: N_("[to fill in: what happened, and what it can mean for you]"),
}
FOR_PEOPLE_TOGETHER: Final = N_(
    "Stored photos and the keys to them may have got into wrong hands. We have to assume that photos could be seen and "
    "copied."
)
_ONE_OF_THREE: Final = (BreachKind.BUCKET, BreachKind.DATABASE, BreachKind.KEYS)


def lay_together(kind: BreachKind, found: Exposure) -> bool:
    """Whether whoever got at this was one step from the other two as well."""
    return kind in _ONE_OF_THREE and found.lies_together


# ------------------------------------------------------------------------------------------------------ the authority
def for_the_authority(breach: Breach, settings: Settings, *, then: Exposure, now: Exposure) -> str:
    """GDPR, Article 33(3), point by point. `then`: what lay here when it was noted; `now`: what does."""
    return "\n".join(
        [
            _("Notification of a personal data breach (GDPR, Article 33)"),
            "",
            *_head(breach, settings),
            "",
            _("1. What happened"),
            *_nature(breach, now.at),
            "",
            _("2. Whose data, and how much of it"),
            *_numbers(then, now),
            "",
            _("3. Who can be asked"),
            *_contact(settings),
            "",
            _("4. What it is likely to lead to"),
            *_consequences(breach, then),
            "",
            _("5. What was done, and what is proposed"),
            *_measures(breach, settings),
            "",
            _("More follows as it becomes known (Article 33(4))."),
        ]
    )


def _head(breach: Breach, settings: Settings) -> Iterator[str]:
    yield _("To: {authority}", authority=settings.authority or _("[to fill in: the authority]"))
    yield _("From: {who}", who=settings.run_by or _("[to fill in: who runs this service, with address]"))
    yield _("Our number: {number}", number=breach.number)


def _nature(breach: Breach, now: datetime) -> Iterator[str]:
    yield _(KINDS[breach.kind])
    yield _("Noticed: {when}. Noted: {noted}.", when=instant(breach.noticed_at), noted=instant(breach.noted_at))
    yield _("When it began, and how it came about: {fill_in}", fill_in=_("[to fill in]"))
    told_at = breach.authority_told_at or now
    if told_at > breach.due_at:
        yield _(
            "This notice comes after the 72 hours that ended on {due}, because: {fill_in}",
            due=instant(breach.due_at),
            fill_in=_("[to fill in]"),
        )


def _numbers(then: Exposure, now: Exposure) -> Iterator[str]:
    yield _("People who had headshots made here; adults, as each of them said. Their names are not known to us.")
    for when, found in ((then.at, then), (now.at, now)):
        yield _(
            "{when}: images of about {people}: {images} ({size}); the oldest from {oldest}.",
            when=instant(when),
            people=n_("{n} person", "{n} people", found.people),
            images=n_("{n} image", "{n} images", found.images.copies),
            size=size(found.images.size),
            oldest=day(found.oldest_at) if found.oldest_at else "–",
        )
    yield _(
        "What kinds of data: photos of faces, pictures of clothing and backdrops, headshots made of them, ZIPs with "
        "copies of the same; under random numbers: choices, times, consents. Photos can show health, belief or origin."
    )
    if words := sum(then.sealed_words.values()):
        yield _("Sealed words of people (requests, mails, reports, addresses at third parties): {n}.", n=number(words))
    if then.elsewhere:
        there = ", ".join(f"{name}: {number(copies)}" for name, copies in then.elsewhere.items())
        yield _("Copies at third parties when it was noted: {there}.", there=there)
    yield _("How many of them this breach concerns: {fill_in}", fill_in=_("[to fill in: all of them, if in doubt]"))


def _contact(settings: Settings) -> Iterator[str]:
    yield settings.privacy_contact or _("[to fill in: name and address of somebody to ask]")


def _consequences(breach: Breach, then: Exposure) -> Iterator[str]:
    yield _(CONSEQUENCES[breach.kind])
    if lay_together(breach.kind, then):
        yield _(TOGETHER)


def _measures(breach: Breach, settings: Settings) -> Iterator[str]:
    yield _(
        "Before: each object is sealed under a key of its person, which is destroyed with their last image; every "
        "image is erased by a clock, after {days} at the latest; what operators do is in a chained log.",
        days=n_("{n} day", "{n} days", settings.longest_days),
    )
    yield _("Since: {fill_in}", fill_in=_("[to fill in: what was closed, changed or erased, and when]"))
    yield _("Proposed: {fill_in}", fill_in=_("[to fill in]"))
    if breach.people_told_at is not None:
        yield _("People were told on every page of the service on {when}.", when=instant(breach.people_told_at))
    else:
        yield _("People are told on every page of the service: {fill_in}", fill_in=_("[to fill in: when]"))


# ------------------------------------------------------------------------------------------------------------ people
def for_people(breach: Breach, settings: Settings, *, then: Exposure) -> str:
    """GDPR, Article 34, in plain words: it stands on top of every page."""
    what = FOR_PEOPLE_TOGETHER if lay_together(breach.kind, then) else FOR_PEOPLE[breach.kind]
    contact = settings.privacy_contact or _("[to fill in: name and address of somebody to ask]")
    return " ".join(
        (
            _("On {day} we noticed a breach of security.", day=day(breach.noticed_at)),
            _(what),
            _("What we did: {fill_in}", fill_in=_("[to fill in]")),
            _("You can erase everything at once on My photos, or with your claim code from any browser."),
            _("Questions: {contact}. We are sorry.", contact=contact),
        )
    )
