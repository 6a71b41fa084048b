"""Everybody else who gets something here, by these settings: what for, what it gets, where, and for how long."""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from core.policy.document import Folded, Row
from core.policy.numbers import Other
from core.settings import Settings
from core.third_parties import By, Left, ThirdParty, third_parties

BY_NAME: Final = "third_parties_by_name"
COLUMNS: Final = ("Who", "What for", "What it gets", "Where", "How long")
NOT_SET = "not set"
R2: Final = "r2.cloudflarestorage.com"


def tables(settings: Settings, others: Sequence[Other]) -> list[Folded]:
    """Everybody at a glance, then each third party with what it says of itself and what is not known."""
    known = third_parties()
    return [
        Folded(id="everybody", title="Everybody, by name", columns=COLUMNS, rows=tuple(_everybody(settings, others))),
        *(_in_full(known[other.id], other) for other in others if other.id in known),
    ]


def _everybody(settings: Settings, others: Sequence[Other]) -> Iterator[Row]:
    for other in others:
        yield _maker(other)
    if settings.uses_s3:
        yield _storage(settings)
    if hosts := sorted({host for host in (settings.smtp_host, settings.imap_host) if host}):
        yield Row(
            (
                f"The mail server {', '.join(hosts)}",
                "Our mails, and yours to us",
                "Mail addresses and what is written. No photos of ours: they are not sent by mail",
                NOT_SET,
                "Until a mail is sent, or its request is closed; what its copies do is not known here",
            )
        )
    if settings.ga4_measurement_id:
        yield Row(
            (
                "Google Analytics 4",
                "Counting visits, of those who agreed to it",
                "Sums of a day, sent by this server. No address, no cookie, no photo",
                "Not established",
                "Google’s terms",
            ),
            "usage_belongs_to_nobody",
        )
    if not others:
        yield Row(("Nobody else", "Making headshots", "Nothing: they are made on this server", "–", "–"), BY_NAME)


def _maker(other: Other) -> Row:
    party = third_parties().get(other.id)
    if party is None:
        unknown = "Not established"
        return Row((other.id, "Making headshots, when you choose it", unknown, unknown, unknown), BY_NAME)
    times = "; ".join(f"{copy.what}: {copy.how_long}" for copy in party.left_by(other.hand_over) if copy.hours)
    return Row(
        (
            f"{party.title}, a third party",
            "Making headshots, when you choose it, for one run",
            "Your photo without metadata, pictures you add, your choices and words",
            "Not established",
            f"{times}; the rest is not known",
        ),
        BY_NAME,
    )


def _storage(settings: Settings) -> Row:
    host = urlsplit(settings.s3_endpoint_url).hostname or NOT_SET
    name = f"Cloudflare R2 ({R2})" if host.endswith(R2) else f"The store {host}"
    region = NOT_SET if settings.s3_region == "auto" else settings.s3_region
    return Row(
        (name, "Keeping images", "Sealed files with random names, their sizes and times", region, "As long as we do"),
        "encrypted",
    )


def _in_full(party: ThirdParty, other: Other) -> Folded:
    """In its words where they are quoted, with their date; and what could not be established."""
    return Folded(
        id=f"third-party-{party.id}",
        title=party.title,
        says=f"Read on {party.read_on:%d %b %Y}. {party.read_how}",
        rows=(
            Row(("It calls itself", party.calls_itself)),
            Row(("What it does", party.does)),
            Row(("Its contact", party.contact)),
            Row(("Privacy policy", f"{party.privacy.url} ({party.privacy.updated:%d %b %Y})")),
            Row(("Terms", f"{party.terms.url} ({party.terms.updated:%d %b %Y})")),
            *(_left(copy) for copy in party.left_by(other.hand_over)),
            *(Row((_source(party, said.by), said.text)) for said in party.says),
            *(Row(("Not known", line)) for line in party.unknown),
        ),
    )


def _left(copy: Left) -> Row:
    return Row((copy.what, f"{copy.how_long[:1].upper()}{copy.how_long[1:]}. {copy.says}"))


def _source(party: ThirdParty, by: By) -> str:
    day = {By.PRIVACY: party.privacy.updated, By.TERMS: party.terms.updated}.get(by)
    return f"In {by.label}" + (f", {day:%d %b %Y}" if day else "")
