"""
The parts of the policy that are looked up rather than read: the schedule, rights, cookies, laws, uses.

A row that binds us names the promise by which it holds. Numbers come from settings, clocks and `numbers`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from core import sla
from core.catalogue import catalogue
from core.contracts import Contract
from core.cookies import COUNT, PREFERENCES, SESSION, STAFF, XSRF
from core.language import _, n_, p_
from core.models import RequestKind
from core.policy import numbers as bound
from core.policy import others as elsewhere
from core.policy.document import Folded, Row
from core.policy.numbers import Other
from core.settings import Settings

CLOCK, REQUEST, RIGHTS = "erased_by_the_clock", "erased_on_request", "rights_in_time"
ABUSE_ENDS, ABUSE_CLOSES = "core.abuse.prune", "core.reports.close"
LOGS, COUNTS, RECORDS, OWNER = "logs_at_most_a_year", "usage_belongs_to_nobody", "records_end", "only_the_owner"
CALIFORNIA: Final = "california"
NONE: Final = "–"


def choices(settings: Settings) -> Folded:
    """The clocks that a person may choose from."""
    terms = settings.terms
    said = ", ".join(terms.label(choice) for choice in terms.offered)
    default = terms.label(terms.offers(settings.default_contract))
    kept = _hours(bound.process_hours())
    sooner = _("“Keep less”, “Erase now” and “Erase everything” on My photos, at any moment.")
    return Folded(
        id="choices",
        title=_("Purposes and choices"),
        rows=(
            Row((_("What for"), ", ".join(_(purpose.title) for purpose in catalogue().purposes))),
            Row((_("How long"), _("{said}. Unless you change it: {default}.", said=said, default=default)), CLOCK),
            Row(
                (
                    Contract.PROCESS.label,
                    _("The photo goes when its run ends, its headshots {hours} later.", hours=kept),
                ),
                CLOCK,
            ),
            Row((_("Sooner"), sooner), CLOCK),
        ),
    )


# -------------------------------------------------------------------------------------------------------- the schedule
def schedule(settings: Settings, others: Sequence[Other], who: str) -> Folded:
    """Each kind of data, with a purpose, a longest time and what ends it."""
    return Folded(
        id="schedule",
        title=_("The schedule"),
        columns=(_("What"), _("What for"), _("Longest"), _("What ends it")),
        rows=(
            *_images(settings, others),
            *_records(settings),
            *_mails(),
            *_reports(),
            *_house(settings, who),
        ),
    )


def _images(settings: Settings, others: Sequence[Other]) -> Iterator[Row]:
    from_the_upload = _("{longest} from the upload", longest=settings.terms.longest_label)
    yield Row(
        (
            _("A photo before you agree"),
            _("Showing it to you"),
            _("{minutes} minutes, in memory", minutes=bound.DRAFT_MINUTES),
            _("Leaving, or time"),
        ),
        "adults_only",
    )
    yield Row(
        (
            _("Your photo, and pictures you add"),
            _("The headshots you ask for"),
            from_the_upload,
            _("Your clock, you, or a request"),
        ),
        CLOCK,
    )
    yield Row((_("Headshots"), _("Yours to download"), from_the_upload, _("The same")), CLOCK)
    yield Row(
        (
            _("Your note, sealed under your key"),
            _("The headshots you ask for"),
            _("Your last image"),
            _("Its key goes"),
        ),
        "encrypted",
    )
    yield Row(
        (
            _("A copy of your data, packed"),
            _("Yours to download"),
            _("{hours} hours, and no longer than its images", hours=bound.EXPORT_HOURS),
            _("Its clock"),
        ),
        CLOCK,
    )
    for other in others:
        there = _("Copies at {who}", who=other.id)
        yield Row((there, _("The run you chose it for"), _("See there"), _("They do")), elsewhere.BY_NAME)


def _records(settings: Settings) -> Iterator[Row]:
    yield Row(
        (
            _("What was done: consents, choices, sizes, times, proofs. Random numbers, no picture, no name"),
            _("Showing that promises were kept"),
            _("{months} months after your last image", months=settings.records_months),
            _("A nightly job"),
        ),
        RECORDS,
    )
    yield Row(
        (
            _("Which browser opens your photos, as a hash"),
            _("Nobody else opens them"),
            _("Your last image"),
            _("Its end"),
        ),
        OWNER,
    )
    yield Row(
        (
            _("Requests: number, kind, clock"),
            _("Showing that they were answered"),
            _after_closing(bound.REGISTER_MONTHS),
            _("A nightly job"),
        ),
        RIGHTS,
    )
    yield Row(
        (
            _("A request’s mail address and words, sealed"),
            _("Answering"),
            _("Until it is closed"),
            _("Its key goes"),
        ),
        RIGHTS,
    )


def _mails() -> Iterator[Row]:
    yield Row(
        (
            _("A mail that a person has to sort"),
            _("Finding out what it asks for"),
            _days(bound.UNSORTED_MAIL_DAYS),
            _("It is scrubbed"),
        ),
        RIGHTS,
    )
    yield Row(
        (
            _("A sender, as a keyed hash"),
            _("Noticing floods of mail"),
            _days(bound.SENDER_DAYS),
            _("A nightly job"),
        ),
        rule="core.mailbox.fetch",
    )
    yield Row(
        (
            _("Our mails, where no mail server is set"),
            _("Sending them by hand"),
            _days(bound.OUTBOX_DAYS),
            _("A nightly job"),
        ),
        rule="core.correspondence.sending.tend",
    )


def _reports() -> Iterator[Row]:
    """Of abuse, and of holes: what is kept so that something can be done about them."""
    yield Row(
        (
            _("Reports of abuse: number, kind, outcome, which run, who looked"),
            _("Showing that they were looked into"),
            _after_closing(bound.REPORT_MONTHS),
            _("A nightly job"),
        ),
        rule=ABUSE_ENDS,
    )
    yield Row(
        (
            _("A report’s words and address, sealed; its file’s keyed hash"),
            _("Looking into it"),
            _("Until it is closed"),
            _("Key and hash go"),
        ),
        rule=ABUSE_CLOSES,
    )
    yield Row(
        (
            _("Blocks: of a person, or of an original file as a keyed hash"),
            _("Keeping it from happening again"),
            _("{months} months; you can object", months=bound.BLOCK_MONTHS),
            _("Time, or an operator lifts it"),
        ),
        rule=ABUSE_ENDS,
    )
    yield Row(
        (
            _("The register of breaches: counts and times, of nobody"),
            _("Showing who was told, and when"),
            _("For as long as this server is run"),
            _("The law asks for it"),
        ),
        "breach_notice",
    )


def _house(settings: Settings, who: str) -> Iterator[Row]:
    yield Row(
        (
            _("The audit log: ids and instants"),
            _("Showing who did what"),
            _("{months} months", months=bound.AUDIT_MONTHS),
            _("Pruning"),
        ),
        LOGS,
    )
    yield Row(
        (
            _("Error logs: kinds and places, no ids of people"),
            _("Mending faults"),
            _("Set by {who}", who=who),
            _("Their log rotation"),
        ),
        LOGS,
    )
    yield Row(
        (
            _("Usage counts, of nobody"),
            _("Seeing whether it works for people"),
            _("{months} months", months=bound.USAGE_MONTHS),
            _("A nightly job"),
        ),
        COUNTS,
    )
    runs = n_("{n} run", "{n} runs", settings.runs_per_day)
    yield Row(
        (
            _("Network addresses, as hashes in memory"),
            _(
                "Fair use: {runs} a person, {network} a network and day",
                runs=runs,
                network=settings.runs_per_network_per_day,
            ),
            _("Midnight UTC"),
            _("Its key is thrown away"),
        ),
        COUNTS,
    )
    yield Row(
        (
            _("Sign-ins of operators"),
            _("Knowing who may see clocks"),
            _("{days} days after", days=bound.OPERATOR_DAYS),
            _("The next sign-in"),
        ),
        rule="core.operators.open_link",
    )
    yield Row(
        (
            _("Backups of the database"),
            _("Getting it back"),
            _days(settings.backup_days) if settings.backup_days else _("None are made"),
            f"{who[:1].upper()}{who[1:]}",
        ),
        "backups_end_too",
    )


# -------------------------------------------------------------------------------------------------- rights and cookies
def rights(settings: Settings) -> Folded:
    """Each right, with how to use it in the product and by mail, and by when it is answered."""
    erase, other = _(sla.clock_for(RequestKind.ERASE).says), _(sla.clock_for(RequestKind.COPY).says)
    form = _("My photos: “Something else about your data”")
    written = deletion = _("No address is set")
    if mail := settings.privacy_contact:
        written = _("Write to {mail}", mail=mail)
        deletion = _("Write to {mail}; subject “Deletion Request”, your claim code in the text", mail=mail)
    here = _("My photos: “Erase now”, “Erase everything”. It cannot be undone")
    take = _("My photos: “Get a copy of my data”, a ZIP")
    withdraw = _("My photos: “Something else about your data”, or “Erase everything”")
    switch = _("My photos: the switch; or Sec-GPC in your browser")
    return Folded(
        id="how",
        title=_("How, and by when"),
        columns=(p_("a right one has", "Right"), _("Here"), _("By mail"), _("By when")),
        rows=(
            Row((_("Erase"), here, deletion, erase), REQUEST),
            Row((_("See and take along"), take, written, other), RIGHTS),
            Row((p_("a right one has", "Correct"), form, written, other), RIGHTS),
            Row((_("Object, restrict"), form, written, other), RIGHTS),
            Row((_("Withdraw consent"), withdraw, written, other), RIGHTS),
            Row((_("Keep for less time"), _("My photos: “Keep less”"), NONE, _("At once")), CLOCK),
            Row((_("Not be counted"), switch, NONE, _("At once"))),
            Row((_("Complain"), _("An authority: see below"), NONE, NONE)),
        ),
    )


def cookies(settings: Settings) -> Folded:
    """Each by its name, with what it is for and what breaks without it."""
    ours = (SESSION, COUNT, PREFERENCES, STAFF)
    name, count, preferences, staff = (cookie.named(secure=settings.secure) for cookie in ours)
    closes = _("Until the browser closes")
    stops = _("Pages stop: nobody’s photos could be told apart")
    return Folded(
        id="cookies-by-name",
        title=_("By name"),
        says=_(
            "Block cookies for this site in your browser. What is stored under your claim code stays reachable by it. "
            "A browser that reopens its last tabs can keep session cookies for longer."
        ),
        columns=(_("Name"), _("What for"), _("How long"), _("Without it")),
        rows=(
            Row((name, _("Opens your photos in this browser alone"), closes, stops), "session_ends_with_the_browser"),
            Row((XSRF, _("Keeps other sites from acting for you"), closes, stops)),
            Row(
                (
                    count,
                    _("Remembers that you are not to be counted; no number in it"),
                    _("A year"),
                    _("You are counted"),
                )
            ),
            Row(
                (
                    preferences,
                    _("Remembers language, theme and how long photos stay by default; no number in it"),
                    _("A year"),
                    _("English or your browser’s language"),
                )
            ),
            Row(
                (
                    staff,
                    _("Signs operators in; nobody else has it"),
                    _hours(bound.STAFF_HOURS),
                    _("They cannot sign in"),
                )
            ),
        ),
    )


def technical() -> Folded:
    """What browsers say of themselves, and what becomes of it."""
    counted = _("Steps of a visit, runs and how they ended, times, kind of device, language: sums by day.")
    return Folded(
        id="counted",
        title=_("What is counted"),
        rows=(
            Row((_("Counted"), counted)),
            Row((_("Not linked"), _("To a photo, a session, an address.")), COUNTS),
            Row((_("Browser, system, time zone, address"), _("Used for the answer at hand, not stored.")), COUNTS),
            Row((_("Opting out"), _("The switch on My photos; or a browser that sends Sec-GPC or DNT."))),
        ),
    )


# ---------------------------------------------------------------------------------------------------------------- laws
def sensitive(settings: Settings) -> Folded:
    """The notices that laws on faces ask for, in plain words."""
    return Folded(
        id="laws",
        title=_("GDPR, Illinois, Texas, Washington"),
        says=_("As we read these laws."),
        rows=(
            Row(
                (
                    _("GDPR, Articles 6 and 9"),
                    _(
                        "A photo can show health, belief or origin. The ground is your explicit consent: two boxes, "
                        "ticked before anything is stored. You can withdraw it at any time, without a reason; what was "
                        "done until then stays lawful. Nothing is decided about you by machine."
                    ),
                ),
                "adults_only",
            ),
            Row(
                (
                    _("Biometric data, Article 4(14)"),
                    _("It would take a technical measuring of your face that can identify you."),
                ),
                "no_biometrics",
            ),
            *_of_the_states(settings),
        ),
    )


def _of_the_states(settings: Settings) -> Iterator[Row]:
    yield Row(
        (
            "Illinois, 740 ILCS 14",
            _(
                "The written schedule and the rule for erasing that the act asks for stand above. A photo is no "
                "scan of face geometry, and none is made. Ticking both boxes is your written release."
            ),
        ),
        "no_biometrics",
    )
    yield Row(
        (
            "Texas, Bus. & Com. Code § 503.001",
            _(
                "You are told and asked before. The act’s limit is a year after the purpose is over; here it is "
                "{longest} after the upload.",
                longest=settings.terms.longest_label,
            ),
        ),
        CLOCK,
    )
    yield Row(
        (
            _("Washington, RCW 19.373 and 19.375"),
            _(
                "A face in a picture can be consumer health data there: collected with consent, for this purpose "
                "alone, erased when you ask, also at whoever got it from us as far as they can be made to."
            ),
        ),
        REQUEST,
    )


def california(settings: Settings) -> Folded:
    law = {clock.kinds[0]: clock for clock in sla.clocks().values() if clock.law == CALIFORNIA}
    erase, other = _(law[RequestKind.ERASE].says), _(law[RequestKind.COPY].says)
    collected = _("Pictures and choices you give; nothing is bought, nothing inferred.")
    nothing_sold = _("There is none to opt out of. Sec-GPC is heard all the same.")
    nothing_more = _("Used for what you ask; there is nothing further to limit.")
    no_worse = _("For using a right: without accounts, nobody could tell.")
    return Folded(
        id="california",
        title=_("California"),
        rows=(
            Row((_("Collected in a year"), collected)),
            Row((_("Know, correct, erase"), _("{erase} Else: {other}", erase=erase, other=other)), RIGHTS),
            Row((_("Sale or sharing"), nothing_sold), "nothing_is_sold"),
            Row((_("Sensitive data"), nothing_more), "nothing_is_sold"),
            Row((_("Somebody else may ask for you"), _("With your claim code, or your written word.")), RIGHTS),
            Row((_("No worse treatment"), no_worse), RIGHTS),
        ),
    )


def uses() -> Folded:
    return Folded(
        id="uses",
        title=_("What results are"),
        rows=(
            Row(
                (
                    _("What they are"),
                    _(
                        "Edited by AI, and marked so in the file. They are not photographs by a photographer, and can "
                        "have mistakes: look at each."
                    ),
                )
            ),
            Row((_("What changes"), _("Light, background, framing, clothing direction. It stays you."))),
            Row(
                (
                    _("Not for"),
                    _(
                        "Passports or any identity document; imitating a celebrity or anybody else; false identities; "
                        "deepfakes; photos of others without their permission; changing faces for its own sake."
                    ),
                )
            ),
            Row(
                (
                    _("Telling others"),
                    _("You may say that it is edited by AI. Employers and regulated professions may require it."),
                )
            ),
        ),
    )


def hands(settings: Settings, who: str) -> Folded:
    """What happens with it where somebody else comes in."""
    return Folded(
        id="hands",
        title=_("Authorities, helpers, law"),
        rows=(
            Row(
                (
                    _("Authorities"),
                    _(
                        "Whoever has a valid order can have what is here that day. What is gone, nobody can hand over. "
                        "Whether you are told is for the law and {who} to say.",
                        who=who,
                    ),
                )
            ),
            Row(
                (
                    _("A new owner"),
                    _("Takes over clocks that run as they are; a policy that promises less is announced."),
                ),
                "notice_before_a_change",
            ),
            *_of_operators(settings, who),
            Row(
                (
                    _("Abuse"),
                    _("Too many runs, uploads or mails at once are refused, by counts and hashes, not by names."),
                )
            ),
            Row(
                (
                    _("Breaches"),
                    _("They are noted, and people told on every page here: nobody’s address is known."),
                ),
                "breach_notice",
            ),
            Row((_("Complaints"), _authority(settings))),
            Row((_("Law"), settings.jurisdiction or _("Not set."))),
        ),
    )


def _of_operators(settings: Settings, who: str) -> Iterator[Row]:
    see = _("Operators’ pages show clocks, ids and sizes, no faces, and each deed is logged.")
    if settings.look_at_reported:
        see = _("Operators’ pages show clocks, ids and sizes, and each deed is logged.")
    could = _("Whoever holds the master key could do more. How they are bound to secrecy: ask {who}.", who=who)
    yield Row((_("Contractors and helpers"), f"{see} {could}"), LOGS)
    if settings.look_at_reported:
        look = _(
            "Two operators together may look at it for {minutes} minutes; you see it on My photos and can forbid it. "
            "Whoever agreed before this stood here is not looked at unless they allow it.",
            minutes=bound.LOOK_MINUTES,
        )
        yield Row((_("A reported image"), look), OWNER)


def _authority(settings: Settings) -> str:
    if settings.authority:
        return _("To {authority}.", authority=settings.authority)
    return _("To the data protection authority where you live; none is set here.")


def money(who: str) -> Folded:
    paid = _("Nothing while this is a beta. There are no credits, payments or subscriptions.")
    payer = _("{who}, also for what third parties charge.", who=f"{who[:1].upper()}{who[1:]}")
    return Folded(
        id="money",
        title=_("Who pays"),
        rows=(
            Row((_("You pay"), paid)),
            Row((_("Who pays"), payer)),
            Row((_("Ads, sale of data, marketing mails"), _("None.")), "nothing_is_sold"),
        ),
    )


# ------------------------------------------------------------------------------------------------------------- lengths
def _hours(number: int) -> str:
    return n_("{n} hour", "{n} hours", number)


def _days(number: int) -> str:
    return n_("{n} day", "{n} days", number)


def _after_closing(months: int) -> str:
    return _("{months} months after closing", months=months)
