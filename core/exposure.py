"""
Exposure: what whoever stole something of ours would have in hands, if it happened now.

It is worked out from how the vault is built (core/vault.py), and from nothing more hopeful:

* Objects are sealed under a key per person. Those keys lie in the database, sealed under one master key; a person's
  key is destroyed with their last image. So it takes all three to see a face: objects, database and master key.
* There is one master key and no other: every key in the database opens under it. It has no name of its own.
* Beside images, the master key and the database alone open words and mail addresses of requests that are open, mails
  that wait, reports that are not closed, wishes written for a run, and addresses at third parties under which images
  lie open for whoever knows them.
* Where this server keeps all three in one folder, whoever takes the folder has all three.

Counts alone, no ids: it is printed, stored with a breach and sent to an authority.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, func

from core import copies, made_up
from core.language import count, size
from core.models import (
    AbuseReport,
    Copy,
    CopyKind,
    FindingKind,
    FindingRow,
    MailIn,
    MailOut,
    MailState,
    ProviderCopy,
    Request,
    Subject,
)
from core.services import Services
from core.settings import Settings

STORE, DATABASE, MASTER_KEY = "the store", "the database", "the master key"


class Amount(NamedTuple):
    """So many, and their bytes before they were sealed."""

    copies: int = 0
    size: int = 0

    def plus(self, more: "Amount") -> "Amount":
        return Amount(self.copies + more.copies, self.size + more.size)


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """What lies here at this moment."""

    at: datetime
    people: int
    """Who have images that can be opened: so many keys are there, all sealed under the one master key."""
    kinds: Mapping[str, Amount]
    oldest_at: datetime | None
    newest_at: datetime | None
    sealed_words: Mapping[str, int]
    """What the master key opens beside images, in the database alone."""
    elsewhere: Mapping[str, int]
    """Copies at third parties that are not proved gone. None of our keys protects them."""
    untracked: int
    """Objects that the last comparison found in the store and in no row: they are not counted above."""
    together: tuple[str, ...]
    """Of the store, the database and the master key: those that lie in one folder of this machine."""

    @property
    def images(self) -> Amount:
        """Pictures, without the ZIPs of "a copy of my data", in which the same pictures lie once more."""
        return sum_of(amount for kind, amount in self.kinds.items() if kind != CopyKind.EXPORT.value)

    @property
    def lies_together(self) -> bool:
        """Whoever takes that folder has all three."""
        return len(self.together) == 3

    @property
    def exports(self) -> Amount:
        return self.kinds.get(CopyKind.EXPORT.value, Amount())

    def as_dict(self) -> dict[str, Any]:
        """For JSON: numbers, codes and instants."""
        told = asdict(self)
        told |= {name: at.isoformat() if (at := getattr(self, name)) else None for name in _INSTANTS}
        told["kinds"] = {kind: amount._asdict() for kind, amount in self.kinds.items()}
        return told | {"images": self.images._asdict(), "together": list(self.together)}

    @classmethod
    def of_dict(cls, told: Mapping[str, Any]) -> "Exposure":
        """What `as_dict` made, also by an older release that did not know of everything."""
        kinds = {kind: Amount(**amount) for kind, amount in told["kinds"].items()}
        at, oldest_at, newest_at = (datetime.fromisoformat(told[n]) if told.get(n) else None for n in _INSTANTS)
        assert at is not None, "it says when it was counted"
        return cls(
            at=at,
            people=told["people"],
            kinds=kinds,
            oldest_at=oldest_at,
            newest_at=newest_at,
            sealed_words=told.get("sealed_words", {}),
            elsewhere=told.get("elsewhere", {}),
            untracked=told.get("untracked", 0),
            together=tuple(told.get("together", ())),
        )


_INSTANTS: Final = ("at", "oldest_at", "newest_at")


def sum_of(amounts: Iterator[Amount]) -> Amount:
    total = Amount()
    for amount in amounts:
        total = total.plus(amount)
    return total


# ---------------------------------------------------------------------------------------------------------- counting
def measure(svc: Services) -> Exposure:
    """As it is now. Of a million copies this takes about a second: no page asks it in every run."""
    now = svc.clock()
    with svc.reading() as session:
        by_kind = session.execute(_by_kind()).all()
        return Exposure(
            at=now,
            people=_people(session),
            kinds={kind.value: Amount(number, int(size)) for kind, number, size in by_kind},
            oldest_at=_first(session, col(Copy.created_at).asc()),
            newest_at=_first(session, col(Copy.created_at).desc()),
            sealed_words={name: number for name, number in _sealed_words(session) if number},
            elsewhere=_elsewhere(session),
            untracked=_count(session, FindingRow, col(FindingRow.kind) == FindingKind.UNTRACKED),
            together=_together(svc.settings),
        )


def _by_kind() -> Any:
    """Copies of people that are not shown to be gone, erased ones included: storage may have them still."""
    kind = col(Copy.kind)
    counted = sa.select(kind, func.count(), func.sum(Copy.size))
    return counted.where(*copies.kept_of_people()).group_by(kind).order_by(kind)


def _first(session: Session, order: Any) -> datetime | None:
    """From one end of the index of what is kept: to ask for it with the sums would sort a million rows."""
    return session.execute(
        sa.select(col(Copy.created_at)).where(*copies.kept_of_people()).order_by(order).limit(1)
    ).scalar()


def _people(session: Session) -> int:
    """A key goes with the last image, so whoever has one has images, or is just adding the first."""
    key = col(Subject.sealed_key).is_not(None), ~col(Subject.is_canary)
    return _count(session, Subject, *key, made_up.is_real(Subject.id))


def _count(session: Session, table: Any, *where: sa.ColumnElement[bool]) -> int:
    return int(session.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one())


def _sealed_words(session: Session) -> Iterator[tuple[str, int]]:
    """Whatever is over has no key any more: what is not over is found by an index."""
    for name, _one, table, is_open in _SEALED:
        yield (
            name,
            _count(session, table, is_open, table.__table__.c.sealed_key.is_not(None), made_up.is_real(table.id)),
        )


_SEALED: Final[tuple[tuple[str, str, Any, Any], ...]] = (
    ("requests", "request", Request, col(Request.closed_at).is_(None)),
    ("mails read", "mail read", MailIn, sa.true()),
    ("mails to send", "mail to send", MailOut, col(MailOut.state) == MailState.QUEUED),
    ("reports", "report", AbuseReport, col(AbuseReport.closed_at).is_(None)),
    ("addresses at third parties", "address at a third party", ProviderCopy, col(ProviderCopy.gone_at).is_(None)),
)
_ONE: Final = {many: one for many, one, _table, _is_open in _SEALED}


def _elsewhere(session: Session) -> dict[str, int]:
    open_ones = col(ProviderCopy.gone_at).is_(None), made_up.is_real(ProviderCopy.id)
    provider = col(ProviderCopy.provider)
    counted = sa.select(provider, func.count()).where(*open_ones).group_by(provider).order_by(provider)
    return {name: number for name, number in session.execute(counted).all()}  # noqa: C416 - rows are no pairs to mypy


def _together(settings: Settings) -> tuple[str, ...]:
    inside = {
        STORE: not settings.uses_s3,
        DATABASE: not settings.database_url.get_secret_value(),
        MASTER_KEY: not settings.master_key.get_secret_value(),
    }
    return tuple(name for name, is_inside in inside.items() if is_inside)


# ------------------------------------------------------------------------------------------------------------- words
@dataclass(frozen=True)
class Leak:
    """What one who has this, and nothing else of ours, would have."""

    what: str
    shows: str


def leaks(found: Exposure) -> tuple[Leak, ...]:
    """For operators, from the least to the most."""
    words = sum(found.sealed_words.values())
    objects = found.images.plus(found.exports)
    return (
        Leak("The store alone", f"{count(objects.copies, 'sealed object')}: sizes and times, nothing to look at."),
        Leak(
            "The database alone",
            f"Random ids, clocks, choices, consents and hashes; {count(found.people, 'sealed key')}, which open "
            "nothing without the master key. No image, no name, no address.",
        ),
        Leak("The store and the database", "Both of the above, and which object is whose random id. Nothing opens."),
        Leak("The store and the master key", "Nothing opens: the keys lie in the database."),
        Leak(
            "The database and the master key",
            "Every key opens, and no image is there to be opened. What can be read: wishes written for a run, and "
            f"{count(words, 'sealed text')}{_listed(found.sealed_words)}.",
        ),
        Leak("All three", all_three(found)),
    )


def all_three(found: Exposure) -> str:
    images, exports = found.images, found.exports
    if not images.copies and not exports.copies:
        return "Nothing: no image of anybody is here."
    since = f", the oldest from {found.oldest_at:%d %b %Y, %H:%M} UTC" if found.oldest_at else ""
    zips = f" And {count(exports.copies, 'export')} with the same images once more." if exports.copies else ""
    people = count(found.people, "person", "people")
    return f"{count(images.copies, 'image')} ({size(images.size)}) of {people}{since}.{zips}"


def under_which_key(found: Exposure) -> str:
    keys = count(found.people, "key")
    return f"{keys} of people, all sealed under this one master key. There is no other."


def in_one_folder(found: Exposure) -> str:
    """Empty where no two of the three lie together."""
    if len(found.together) < 2:
        return ""
    some = ", ".join(found.together[:-1])
    all_of_it = " Whoever takes that folder has all three." if found.lies_together else ""
    return f"In one folder of this machine (DATA_DIR) lie {some} and {found.together[-1]}.{all_of_it}"


def without_a_row(found: Exposure) -> str:
    """Empty where the last comparison found none."""
    lie = count(found.untracked, "object")
    return f"{lie} without a row lie in the store besides: see `reconcile`." if found.untracked else ""


def at_third_parties(found: Exposure) -> str:
    told = ", ".join(f"{number:,} at {provider}" for provider, number in found.elsewhere.items())
    return f"{told}: open to whoever knows their addresses, under no key of ours." if told else "Nothing."


def _listed(words: Mapping[str, int]) -> str:
    told = ", ".join(count(number, _ONE.get(name, name), name) for name, number in words.items())
    return f" ({told})" if told else ""
