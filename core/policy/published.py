"""
The policy for machines: `/.well-known/privacy.json`, and whom to tell of a hole (`security.txt`, RFC 9116).

The same document, numbers and hash as on the page, with how each promise stands; nothing in it is about anybody. It is
the same for everybody: names and single sentences are English, and the whole text is there in every language.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from core import promises, sla
from core.canonical import instant
from core.clock import next_utc_midnight
from core.language import ENGLISH, NAMES, speaking
from core.policy import versions as kept
from core.policy.document import WORDS_A_MINUTE, Document, Folded
from core.policy.drawing import Policy
from core.policy.numbers import BOUNDS
from core.ports import Provider
from core.third_parties import ThirdParty, third_parties

if TYPE_CHECKING:
    from core.services import Services

FORM: Final = "workshot privacy policy 1"
PRIVACY, SECURITY = "/.well-known/privacy.json", "/.well-known/security.txt"
EXPIRES_AFTER: Final = timedelta(days=180)
"""RFC 9116 recommends less than a year: who reads it later asks again."""


def machine_readable(svc: "Services", policy: Policy, now: datetime) -> dict[str, Any]:
    """All that the page says, and what it is made of."""
    with speaking(ENGLISH):
        return _machine_readable(svc, policy, now)


def _machine_readable(svc: "Services", policy: Policy, now: datetime) -> dict[str, Any]:
    with svc.reading() as session:
        versions = kept.history(session)
    since = kept.updated_at(versions, policy.version, now)
    document = policy.document(ENGLISH)
    return {
        "form": FORM,
        "version": policy.version,
        "effective_at": instant(since) if since else None,
        "language": ENGLISH,
        "reading_seconds": document.seconds,
        "words_a_minute": WORDS_A_MINUTE,
        "operator": svc.settings.run_by or None,
        "contact": svc.settings.privacy_contact or None,
        "authority": svc.settings.authority or None,
        "jurisdiction": svc.settings.jurisdiction or None,
        "promises": _promises(svc, now),
        "numbers": [
            {"id": name, "value": value, "bound": BOUNDS[name].rule.value, "says": BOUNDS[name].says}
            for name, value in sorted(policy.numbers.items())
        ],
        "clocks": _clocks(),
        "schedule": _schedule(document),
        "third_parties": [_third_party(name, provider) for name, provider in sorted(svc.providers.items())],
        "announced": [
            {
                "version": version.id,
                "effective_at": instant(version.effective_at),
                "text": version.text(ENGLISH),
                "texts": version.texts,
            }
            for version in kept.announced(versions, now)
            if version.hash != policy.version
        ],
        "text": policy.texts[ENGLISH],
        "texts": policy.texts,
    }


def _promises(svc: "Services", now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": stand.promise.id,
            "group": stand.promise.group,
            "sentence": stand.sentence,
            "measured": stand.promise.measured,
            "state": stand.public_state.value,
            "figure": stand.figure,
            "checked_at": instant(stand.checked_at) if stand.checked_at else None,
        }
        for stand in promises.stands(svc, now)
    ]


def _clocks() -> list[dict[str, Any]]:
    """Of requests: what each kind is answered by, ours and the law's."""
    return [
        {
            "name": clock.name,
            "kinds": [kind.value for kind in clock.kinds],
            "law": clock.law,
            "says": clock.says,
            "source": clock.source,
            "ours": _period(clock.internal),
            "legal": _period(clock.legal),
            "extended": _period(clock.extension),
        }
        for clock in sla.clocks().values()
    ]


def _period(period: sla.Period | None) -> dict[str, int] | None:
    return {unit: length for unit, length in asdict(period).items() if length} if period else None


def _schedule(document: Document) -> list[dict[str, str]]:
    (table,) = (table for section in document.sections for table in section.folded if table.id == "schedule")
    return [dict(zip(_names(table), row.cells, strict=True)) | {"promise": row.promise} for row in table.rows]


def _names(table: Folded) -> tuple[str, ...]:
    names = ("what", "purpose", "longest", "ended_by")
    if len(names) != len(table.columns):
        raise ValueError("the schedule has another column")
    return names


def _third_party(name: str, provider: Provider) -> dict[str, Any]:
    party = third_parties().get(name)
    if party is None:
        return {"id": name, "title": provider.title, "known": False}
    return {
        "id": name,
        "title": party.title,
        "known": True,
        "purpose": "Making headshots, when a person chooses it by name for one run",
        "region": None,
        "contact": party.contact,
        "privacy_policy": {"url": party.privacy.url, "updated": party.privacy.updated.isoformat()},
        "terms": {"url": party.terms.url, "updated": party.terms.updated.isoformat()},
        "read_on": party.read_on.isoformat(),
        "copies": _copies(party, provider),
        "says": [{"text": said.text, "by": said.by.value} for said in party.says],
        "not_established": list(party.unknown),
    }


def _copies(party: ThirdParty, provider: Provider) -> list[Mapping[str, Any]]:
    return [
        {
            "id": copy.id,
            "what": copy.what,
            "hours": list(copy.hours) if copy.hours else None,
            "public_address": copy.public,
            "erasable_sooner": copy.erasable,
        }
        for copy in party.left_by(provider.hand_over)
    ]


# ------------------------------------------------------------------------------------------------------- security.txt
def security_txt(contact: str, public_url: str, now: datetime) -> str | None:
    """None where nobody can be written to: a file without a contact is none."""
    uri = as_uri(contact)
    if uri is None:
        return None
    expires = next_utc_midnight(now) + EXPIRES_AFTER
    lines = [f"Contact: {uri}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}", f"Preferred-Languages: {', '.join(NAMES)}"]
    if public_url.startswith("https://"):
        lines.append(f"Canonical: {public_url}{SECURITY}")
    return "\n".join(lines) + "\n"


def as_uri(contact: str) -> str | None:
    """As RFC 9116 wants it: `mailto:` or https, in one line of plain characters. None: it is neither."""
    if not contact.isascii() or not contact.isprintable() or " " in contact:
        return None
    if contact.startswith("https://"):
        return contact
    name, at, host = contact.partition("@")
    plain = name and at and "." in host and not set(contact) & set(":/?&<>\"'%,;")
    return f"mailto:{contact}" if plain else None
