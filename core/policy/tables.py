"""
The parts of the policy that are looked up rather than read: the schedule, rights, cookies, laws, uses.

A row that binds us names the promise by which it holds. Numbers come from settings, clocks and `numbers`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from core import sla
from core.catalogue import catalogue
from core.contracts import Contract
from core.models import RequestKind
from core.policy import numbers as bound
from core.policy import others as elsewhere
from core.policy.document import Folded, Row
from core.policy.numbers import Other
from core.settings import Settings

CLOCK, REQUEST, RIGHTS = "erased_by_the_clock", "erased_on_request", "rights_in_time"
COOKIE, SECURE_COOKIE, XSRF_COOKIE = "workshot", "__Host-workshot", "_streamlit_xsrf"
COUNT_COOKIE, STAFF_COOKIE = "workshot_count", "workshot_staff"
"""The guard's and Streamlit's names; tests/policy holds these to those."""
LOGS, COUNTS = "logs_at_most_a_year", "usage_belongs_to_nobody"
CALIFORNIA: Final = "california"
NO_AUTHORITY: Final = "the data protection authority where you live; none is set here"


def choices(settings: Settings) -> Folded:
    """The clocks that a person may choose from."""
    terms = settings.terms
    said = ", ".join(terms.label(choice) for choice in terms.offered)
    default = terms.label(terms.offers(settings.default_contract))
    kept = _so_many(bound.numbers(settings, ())["process_headshots_hours"], "hour")
    return Folded(
        id="choices",
        title="Purposes and choices",
        rows=(
            Row(("What for", ", ".join(purpose.title for purpose in catalogue().purposes))),
            Row(("How long", f"{said}. Unless you change it: {default}."), CLOCK),
            Row(
                (
                    Contract.PROCESS.label,
                    f"The photo goes when its run ends, its headshots {kept} later.",
                ),
                CLOCK,
            ),
            Row(("Sooner", "“Keep less”, “Erase now” and “Erase everything” on My photos, at any moment."), CLOCK),
        ),
    )


# -------------------------------------------------------------------------------------------------------- the schedule
def schedule(settings: Settings, others: Sequence[Other], who: str) -> Folded:
    """Each kind of data, with a purpose, a longest time and what ends it."""
    return Folded(
        id="schedule",
        title="The schedule",
        columns=("What", "What for", "Longest", "What ends it"),
        rows=(*_images(settings, others), *_records(settings), *_mails(), *_house(settings, who)),
    )


def _images(settings: Settings, others: Sequence[Other]) -> Iterator[Row]:
    longest = settings.terms.longest_label
    yield Row(
        (
            "A photo before you agree",
            "Showing it to you",
            f"{bound.DRAFT_MINUTES} minutes, in memory",
            "Leaving, or time",
        ),
        "adults_only",
    )
    yield Row(
        (
            "Your photo, and pictures you add",
            "The headshots you ask for",
            f"{longest} from the upload",
            "Your clock, you, or a request",
        ),
        CLOCK,
    )
    yield Row(("Headshots", "Yours to download", f"{longest} from the upload", "The same"), CLOCK)
    yield Row(
        ("Your note, sealed under your key", "The headshots you ask for", "Your last image", "Its key goes"),
        "encrypted",
    )
    yield Row(
        (
            "A copy of your data, packed",
            "Yours to download",
            f"{bound.EXPORT_HOURS} hours, and no longer than its images",
            "Its clock",
        ),
        CLOCK,
    )
    for other in others:
        yield Row((f"Copies at {other.id}", "The run you chose it for", "See there", "They do"), elsewhere.BY_NAME)


def _records(settings: Settings) -> Iterator[Row]:
    yield Row(
        (
            "What was done: consents, choices, sizes, times, proofs. Random numbers, no picture, no name",
            "Showing that promises were kept",
            "No end is set yet",
            "Nothing by itself: object, and we look",
        )
    )
    yield Row(
        ("Which browser opens your photos, as a hash", "Nobody else opens them", "Your last image", "Its end"),
        "only_the_owner",
    )
    yield Row(
        (
            "Requests: number, kind, clock",
            "Showing that they were answered",
            f"{bound.REGISTER_MONTHS} months after closing",
            "A nightly job",
        ),
        RIGHTS,
    )
    yield Row(("A request’s mail address and words, sealed", "Answering", "Until it is closed", "Its key goes"), RIGHTS)


def _mails() -> Iterator[Row]:
    yield Row(
        (
            "A mail that a person has to sort",
            "Finding out what it asks for",
            _so_many(bound.UNSORTED_MAIL_DAYS, "day"),
            "It is scrubbed",
        ),
        RIGHTS,
    )
    yield Row(
        (
            "A sender, as a keyed hash",
            "Noticing floods of mail",
            _so_many(bound.SENDER_DAYS, "day"),
            "A nightly job",
        ),
        rule="core.mailbox.fetch",
    )
    yield Row(
        (
            "Our mails, where no mail server is set",
            "Sending them by hand",
            _so_many(bound.OUTBOX_DAYS, "day"),
            "A nightly job",
        ),
        rule="core.correspondence.sending.tend",
    )


def _house(settings: Settings, who: str) -> Iterator[Row]:
    yield Row(
        ("The audit log: ids and instants", "Showing who did what", f"{bound.AUDIT_MONTHS} months", "Pruning"),
        "logs_at_most_a_year",
    )
    yield Row(
        ("Error logs: kinds and places, no ids of people", "Mending faults", f"Set by {who}", "Their log rotation"),
        LOGS,
    )
    yield Row(
        (
            "Usage counts, of nobody",
            "Seeing whether it works for people",
            f"{bound.USAGE_MONTHS} months",
            "A nightly job",
        ),
        "usage_belongs_to_nobody",
    )
    yield Row(
        (
            "Network addresses, as hashes in memory",
            "Fair use: "
            f"{_so_many(settings.runs_per_day, 'run')} a person, {settings.runs_per_network_per_day} a network and day",
            "Midnight UTC",
            "Its key is thrown away",
        ),
        "usage_belongs_to_nobody",
    )
    yield Row(
        (
            "Sign-ins of operators",
            "Knowing who may see clocks",
            f"{bound.OPERATOR_DAYS} days after",
            "The next sign-in",
        ),
        rule="core.operators.open_link",
    )
    yield Row(
        (
            "Backups of the database",
            "Getting it back",
            _so_many(settings.backup_days, "day") if settings.backup_days else "None are made",
            f"{who[:1].upper()}{who[1:]}",
        ),
        "backups_end_too",
    )


# -------------------------------------------------------------------------------------------------- rights and cookies
def rights(settings: Settings) -> Folded:
    """Each right, with how to use it in the product and by mail, and by when it is answered."""
    mail = settings.privacy_contact or "no address is set"
    erase, other = sla.clock_for(RequestKind.ERASE), sla.clock_for(RequestKind.COPY)
    written = f"Write to {mail}" if settings.privacy_contact else "No address is set"
    form = "My photos: “Something else about your data”"
    by_mail = (
        f"{written}; subject “Deletion Request”, your claim code in the text"
        if settings.privacy_contact
        else "No address is set"
    )
    return Folded(
        id="how",
        title="How, and by when",
        columns=("Right", "Here", "By mail", "By when"),
        rows=(
            Row(
                ("Erase", "My photos: “Erase now”, “Erase everything”. It cannot be undone", by_mail, erase.says),
                REQUEST,
            ),
            Row(("See and take along", "My photos: “Get a copy of my data”, a ZIP", written, other.says), RIGHTS),
            Row(("Correct", form, written, other.says), RIGHTS),
            Row(("Object, restrict", form, written, other.says), RIGHTS),
            Row(("Withdraw consent", f"{form}, or “Erase everything”", written, other.says), RIGHTS),
            Row(("Keep for less time", "My photos: “Keep less”", "–", "At once"), CLOCK),
            Row(("Not be counted", "My photos: the switch; or Sec-GPC in your browser", "–", "At once")),
            Row(("Complain", "An authority: see below", "–", "–")),
        ),
    )


def cookies(settings: Settings) -> Folded:
    """Each by its name, with what it is for and what breaks without it."""
    name = SECURE_COOKIE if settings.secure else COOKIE
    prefix = "__Host-" if settings.secure else ""
    count, staff = prefix + COUNT_COOKIE, prefix + STAFF_COOKIE
    closes = "Until the browser closes"
    stops = "Pages stop: nobody’s photos could be told apart"
    rows = (
        Row((name, "Opens your photos in this browser alone", closes, stops), "session_ends_with_the_browser"),
        Row((XSRF_COOKIE, "Keeps other sites from acting for you", closes, stops)),
        Row((count, "Remembers that you are not to be counted; no number in it", "A year", "You are counted")),
        Row((staff, "Signs operators in; nobody else has it", "12 hours", "They cannot sign in")),
    )
    return Folded(
        id="cookies-by-name",
        title="By name, and without them",
        says="Block cookies for this site in your browser. What is stored under your claim code stays reachable by it. "
        "A browser that reopens its last tabs can keep session cookies for longer.",
        columns=("Name", "What for", "How long", "Without it"),
        rows=rows,
    )


def technical() -> Folded:
    """What browsers say of themselves, and what becomes of it."""
    return Folded(
        id="counted",
        title="What is counted, opting out",
        rows=(
            Row(
                ("Counted", "Steps of a visit, runs and how they ended, times, kind of device, language: sums by day.")
            ),
            Row(("Not linked", "To a photo, a session, an address."), COUNTS),
            Row(
                ("Browser, system, time zone, address", "Used for the answer at hand, not stored."),
                "usage_belongs_to_nobody",
            ),
            Row(("Opting out", "The switch on My photos; or a browser that sends Sec-GPC or DNT.")),
        ),
    )


# ---------------------------------------------------------------------------------------------------------------- laws
def sensitive(settings: Settings) -> Folded:
    """The notices that laws on faces ask for, in plain words."""
    longest = settings.terms.longest_label
    return Folded(
        id="laws",
        title="GDPR, Illinois, Texas, Washington",
        says="As we read these laws.",
        rows=(
            Row(
                (
                    "GDPR, Articles 6 and 9",
                    "A photo can show health, belief or origin. The ground is your explicit consent: two boxes, ticked "
                    "before anything is stored. You can withdraw it at any time, without a reason; what was done until "
                    "then stays lawful. Nothing is decided about you by machine.",
                ),
                "adults_only",
            ),
            Row(
                (
                    "Biometric data, Article 4(14)",
                    "It would take a technical measuring of your face that can identify you.",
                ),
                "no_biometrics",
            ),
            Row(
                (
                    "Illinois, 740 ILCS 14",
                    "The written schedule and the rule for erasing that the act asks for stand above. A photo is no "
                    "scan of face geometry, and none is made. Ticking both boxes is your written release.",
                ),
                "no_biometrics",
            ),
            Row(
                (
                    "Texas, Bus. & Com. Code § 503.001",
                    f"You are told and asked before. The act’s limit is a year after the purpose is over; here it is "
                    f"{longest} after the upload.",
                ),
                CLOCK,
            ),
            Row(
                (
                    "Washington, RCW 19.373 and 19.375",
                    "A face in a picture can be consumer health data there: collected with consent, for this purpose "
                    "alone, erased when you ask, also at whoever got it from us as far as they can be made to.",
                ),
                REQUEST,
            ),
        ),
    )


def california(settings: Settings) -> Folded:
    law = {clock.kinds[0]: clock for clock in sla.clocks().values() if clock.law == CALIFORNIA}
    erase, other = law[RequestKind.ERASE], law[RequestKind.COPY]
    return Folded(
        id="california",
        title="California",
        rows=(
            Row(("Collected in a year", "Pictures and choices you give; nothing is bought, nothing inferred.")),
            Row(("Know, correct, erase", f"{erase.says} Else: {other.says}"), RIGHTS),
            Row(("Sale or sharing", "There is none to opt out of. Sec-GPC is heard all the same."), "nothing_is_sold"),
            Row(("Sensitive data", "Used for what you ask; there is nothing further to limit."), "nothing_is_sold"),
            Row(("Somebody else may ask for you", "With your claim code, or your written word."), RIGHTS),
            Row(("No worse treatment", "For using a right: without accounts, nobody could tell."), RIGHTS),
        ),
    )


def uses() -> Folded:
    return Folded(
        id="uses",
        title="What results are",
        rows=(
            Row(
                (
                    "What they are",
                    "Edited by AI, and marked so in the file. They are not photographs by a photographer, and can have "
                    "mistakes: look at each.",
                )
            ),
            Row(("What changes", "Light, background, framing, clothing direction. It stays you.")),
            Row(
                (
                    "Not for",
                    "Passports or any identity document; imitating a celebrity or anybody else; false identities; "
                    "deepfakes; photos of others without their permission; changing faces for its own sake.",
                )
            ),
            Row(
                (
                    "Telling others",
                    "You may say that it is edited by AI. Employers and regulated professions may require it.",
                )
            ),
        ),
    )


def hands(settings: Settings, who: str) -> Folded:
    """What happens with it where somebody else comes in."""
    return Folded(
        id="hands",
        title="Authorities, new owners, helpers, law",
        rows=(
            Row(
                (
                    "Authorities",
                    "Whoever has a valid order can have what is here that day. What is gone, nobody can hand over. "
                    f"Whether you are told is for the law and {who} to say.",
                )
            ),
            Row(
                ("A new owner", "Takes over clocks that run as they are; a policy that promises less is announced."),
                "notice_before_a_change",
            ),
            Row(
                (
                    "Contractors and helpers",
                    "Operators’ pages show clocks, ids and sizes, no faces, and each deed is logged. Whoever holds the "
                    f"master key could do more. How they are bound to secrecy: ask {who}.",
                ),
                "logs_at_most_a_year",
            ),
            Row(("Abuse", "Too many runs, uploads or mails at once are refused, by counts and hashes, not by names.")),
            Row(
                (
                    "Complaints",
                    f"To {settings.authority or NO_AUTHORITY}.",
                )
            ),
            Row(("Law", settings.jurisdiction or "Not set.")),
        ),
    )


def money(who: str) -> Folded:
    return Folded(
        id="money",
        title="Who pays",
        rows=(
            Row(("You pay", "Nothing while this is a beta. There are no credits, payments or subscriptions.")),
            Row(("Who pays", f"{who[:1].upper()}{who[1:]}, also for what third parties charge.")),
            Row(("Ads, sale of data, marketing mails", "None."), "nothing_is_sold"),
        ),
    )


def _so_many(number: object, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
