"""Everybody else who gets something here, by these settings: what for, what it gets, where, and for how long."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from core.language import _, month
from core.policy.document import Folded, Row
from core.policy.numbers import Other
from core.settings import Settings
from core.third_parties import By, Left, ThirdParty, third_parties

BY_NAME: Final = "third_parties_by_name"
R2: Final = "r2.cloudflarestorage.com"
NONE: Final = "–"


def tables(settings: Settings, others: Sequence[Other]) -> list[Folded]:
    """Everybody at a glance, then each third party with what it says of itself and what is not known."""
    known = third_parties()
    everybody = Folded(
        id="everybody",
        title=_("Everybody"),
        columns=(_("Who"), _("What for"), _("What it gets"), _("Where"), _("How long")),
        rows=tuple(_everybody(settings, others)),
    )
    return [everybody, *(_in_full(known[other.id], other) for other in others if other.id in known)]


def _everybody(settings: Settings, others: Sequence[Other]) -> Iterator[Row]:
    for other in others:
        yield _maker(other)
    if settings.uses_s3:
        yield _storage(settings)
    if hosts := sorted({host for host in (settings.smtp_host, settings.imap_host) if host}):
        yield Row(
            (
                _("The mail server {hosts}", hosts=", ".join(hosts)),
                _("Our mails, and yours to us"),
                _("Mail addresses and what is written. No photos of ours: they are not sent by mail"),
                _("not set"),
                _("Until a mail is sent, or its request is closed; what its copies do is not known here"),
            )
        )
    if settings.ga4_measurement_id:
        yield Row(
            (
                "Google Analytics 4",
                _("Counting visits, of those who agreed to it"),
                _("Sums of a day, sent by this server. No address, no cookie, no photo"),
                _("Not established"),
                _("Google’s terms"),
            ),
            "usage_belongs_to_nobody",
        )
    if not others:
        nothing = _("Nothing: they are made on this server")
        yield Row((_("Nobody else"), _("Making headshots"), nothing, NONE, NONE), BY_NAME)


def _maker(other: Other) -> Row:
    party, unknown = third_parties().get(other.id), _("Not established")
    if party is None:
        return Row((other.id, _("Making headshots, when you choose it"), unknown, unknown, unknown), BY_NAME)
    timed = (copy for copy in party.left_by(other.hand_over) if copy.hours)
    times = "; ".join(_("{what}: {how_long}", what=_(copy.what), how_long=copy.how_long) for copy in timed)
    return Row(
        (
            _("{who}, a third party", who=party.title),
            _("Making headshots, when you choose it, for one run"),
            _("Your photo without metadata, pictures you add, your choices and words"),
            unknown,
            _("{times}; the rest is not known", times=times),
        ),
        BY_NAME,
    )


def _storage(settings: Settings) -> Row:
    host = urlsplit(settings.s3_endpoint_url).hostname or _("not set")
    name = f"Cloudflare R2 ({R2})" if host.endswith(R2) else _("The store {host}", host=host)
    region = _("not set") if settings.s3_region == "auto" else settings.s3_region
    what = _("Sealed files with random names, their sizes and times")
    return Row((name, _("Keeping images"), what, region, _("As long as we do")), "encrypted")


def _in_full(party: ThirdParty, other: Other) -> Folded:
    """In its words where they are quoted, with their date; and what could not be established."""
    return Folded(
        id=f"third-party-{party.id}",
        title=party.title,
        says=_("Read on {day}. {how}", day=_day(party.read_on), how=_(party.read_how)),
        rows=(
            Row((_("It calls itself"), party.calls_itself)),
            Row((_("What it does"), _(party.does))),
            Row((_("Its contact"), party.contact)),
            Row((_("Privacy policy"), f"{party.privacy.url} ({_day(party.privacy.updated)})")),
            Row((_("Terms"), f"{party.terms.url} ({_day(party.terms.updated)})")),
            *(_left(copy) for copy in party.left_by(other.hand_over)),
            *(Row((_source(party, said.by), _(said.text))) for said in party.says),
            *(Row((_("Not known"), _(line))) for line in party.unknown),
        ),
    )


def _left(copy: Left) -> Row:
    return Row((_(copy.what), f"{copy.how_long[:1].upper()}{copy.how_long[1:]}. {_(copy.says)}"))


def _source(party: ThirdParty, by: By) -> str:
    day = {By.PRIVACY: party.privacy.updated, By.TERMS: party.terms.updated}.get(by)
    if day is None:
        return _("In {source}", source=by.label)
    return _("In {source}, {day}", source=by.label, day=_day(day))


def _day(at: date) -> str:
    return _("{day} {month} {year}", day=f"{at:%d}", month=month(at), year=at.year)
