"""How this service is run: counts, logs, pages, versions, breaches, backups."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import audit, breaches, made_up
from core.models import AuditEntry, Consent, PolicyVersion, UsageCount
from core.promises import bounds
from core.promises.checks.reach import NO_EYES, WAYS
from core.promises.shapes import Check, Result, Says, broken, kept, listed, says, unknown
from core.promises.source import NO_SOURCE, Source
from core.services import Services
from core.settings import ROOT

A_YEAR: Final = timedelta(days=365)
MARGIN: Final = timedelta(days=4)
"""A log is pruned by whole stretches under a signed checkpoint, each a day or so long."""
WORDS_LOOKED_AT: Final = 2_000
TAIL: Final = 200
"""Entries of the audit log, from its end, whose chain is worked out anew each time."""

# ---------------------------------------------------------------------------------------------------------- usage
COLUMNS: Final = {
    "usage_count": {"demo", "day", "metric", "a", "b", "n"},
    "usage_hour": {"demo", "day", "hour", "metric", "n"},
    "usage_level": {"demo", "day", "metric", "a", "value"},
    "usage_batch": {"id", "day"},
    "usage_sent": {"what", "day", "at"},
}
_PERSONAL: Final = re.compile(r"[0-9a-f]{12,}|@|\d+\.\d+\.\d+\.\d+|::|/|[A-Z0-9]-\d{4,}", re.IGNORECASE)
"""An id, an address of mail or of a machine, a path, the number of a run."""


def usage_belongs_to_nobody(svc: Services, now: datetime) -> Result:
    """No column more than counts need, and no word in them that could be somebody's."""
    with svc.database.connect() as connection:
        known = sa.inspect(connection)

        more = [
            f"{table}.{column['name']}"
            for table, allowed in COLUMNS.items()
            for column in known.get_columns(table)
            if column["name"] not in allowed
        ]
    since = (now - timedelta(days=2)).date()
    with svc.reading() as session:
        words = session.exec(
            select(UsageCount.a, UsageCount.b)
            .where(~col(UsageCount.demo), col(UsageCount.day) >= since)
            .distinct()
            .limit(WORDS_LOOKED_AT)
        ).all()
    odd = sum(any(map(_PERSONAL.search, pair)) for pair in words)
    least = svc.settings.small_count
    figure = says("{words} kinds of counts, none below {least} is shown", words=len(words), least=least)
    if more or odd or least < 5:
        return broken(
            figure,
            says(
                "Columns that counts do not need: {more}. Words in them that could be somebody's: {odd}.",
                more=listed(more),
                odd=odd,
            ),
        )
    return kept(
        figure,
        says(
            "The tables of use hold a day, a kind and a number, and no column more. None of the {words} words in "
            "them since yesterday could be an id or an address.",
            words=len(words),
        ),
    )


# ----------------------------------------------------------------------------------------------------------- logs
def logs_at_most_a_year(svc: Services, now: datetime) -> Result:
    """The oldest entry of the audit log is not older, and no log file of ours is."""
    with svc.reading() as session:
        first = session.exec(select(AuditEntry.at).order_by(col(AuditEntry.seq)).limit(1)).first()
    files = [path for path in _files(svc.settings.data_dir, LOGS) if _age(path, now) > A_YEAR]
    figure = says("oldest entry {age}", age=now - first) if first else says("no entry yet")
    if files or (first is not None and now - first > A_YEAR + MARGIN):
        return broken(
            figure, says("The audit log goes back further than 12 months, or {files} log files do.", files=len(files))
        )
    return kept(
        figure,
        says("The audit log holds ids and instants, and is pruned after 12 months. No log file of ours is older; "
             "what your own system keeps of our output is up to it."),
    )  # fmt: skip


LOGS: Final = (".log",)
BACKUPS: Final = (".bak", ".backup", ".dump", ".sql", ".sqlite", ".db", ".old", ".tar", ".gz", ".zip", ".zst")


def _files(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Beside the database, not inside the vault or the outbox: those have clocks of their own."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_file() and any(ending in endings for ending in path.suffixes):
            yield path


def _age(path: Path, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(path.stat().st_mtime, tz=now.tzinfo)


# ----------------------------------------------------------------------------------------------------------- no ads
AD_HOSTS: Final = (
    "googlesyndication",
    "doubleclick.net",
    "googletagmanager",
    "facebook.net",
    "adsbygoogle",
    "hotjar",
    "cdn.segment.com",
)
_OURS: Final = ("'", "data:", "blob:")
"""How a word begins that names nobody else: 'self' and its like, and what the page itself has made."""


def nothing_is_sold(root: Path = ROOT) -> Check:
    """A browser is allowed to load from us alone, and no ad network is named in our source."""

    def check(svc: Services, now: datetime) -> Result:
        if svc.outside is None:
            return unknown(says("not asked"), NO_EYES)
        with svc.outside() as stranger:
            answer = stranger.ask("/receipt-key", {"accept": "text/html"})
            way = WAYS[stranger.way]
        if answer is None:
            return unknown(says("not asked"), NO_EYES.followed_by(way))
        policy = answer.header("content-security-policy")
        foreign = _foreign(policy)
        named = Source(root).holding(AD_HOSTS, but=Path(__file__).name)
        figure = says("{foreign} foreign addresses allowed", foreign=len(foreign))
        if foreign or named or "default-src 'self'" not in policy:
            return broken(
                figure,
                says(
                    "A page may load from others: {foreign}. Ad networks are named in: {named}.",
                    foreign=listed(foreign if policy else [ANYBODY]),
                    named=listed(named),
                ),
            )
        if not Source(root).is_there():
            return unknown(figure, NO_SOURCE)
        analytics = GA4_ON if svc.settings.ga4_measurement_id else GA4_OFF
        seen = says(
            "Our pages allow a browser to load from this server alone, and no ad network is named in our source."
        )
        return kept(figure, seen.followed_by(analytics, way))

    return check


ANYBODY: Final = says("anybody")
GA4_OFF: Final = says("Google Analytics is off.")
GA4_ON: Final = says("Google Analytics is told sums of a day by this server, of those who agreed; no page loads it.")


def _foreign(policy: str) -> list[str]:
    rules = (rule.strip().partition(" ") for rule in policy.split(";"))
    loading = [words for name, _, words in rules if "-src" in name.lower()]
    return sorted({word for words in loading for word in words.split() if not word.startswith(_OURS)})


# --------------------------------------------------------------------------------------------------------- versions
def notice_before_a_change(svc: Services, now: datetime) -> Result:
    """Every version that promises less had its notice, one is in force, and the settings keep to its bounds."""
    with svc.reading() as session:
        noted = select(PolicyVersion.noted_at, PolicyVersion.effective_at, PolicyVersion.loosens)
        known = session.exec(noted.where(col(PolicyVersion.withdrawn_at).is_(None))).all()
        hasty = _hasty(session, known, timedelta(days=min(svc.settings.policy_notice_days, NOTICE_DAYS)))
    beyond = bounds.exceeded(svc.settings)
    in_force = [effective_at for _, effective_at, _ in known if effective_at <= now]
    coming = sorted(effective_at for _, effective_at, _ in known if effective_at > now)
    figure = says("{versions} versions, {hasty} without notice", versions=len(known), hasty=hasty)
    if hasty or beyond:
        return broken(
            figure,
            says(
                "{hasty} versions that promise less were in force before their notice was over.", hasty=hasty
            ).followed_by(*beyond),
        )
    if not in_force:
        return unknown(figure, says("No version of the policy has been noted as in force."))
    then = (
        says("The next one is in force from {day}.", day=coming[0].date())
        if coming
        else says("No change is announced.")
    )
    seen = says("The policy in force counts since {day}.", day=max(in_force).date())
    return kept(figure, seen.followed_by(then))


def _hasty(session: Session, known: Sequence[tuple[datetime, datetime, bool]], least: timedelta) -> int:
    """Versions that promised less before their notice was over, to anybody: whom nothing was promised needs none."""
    suspects = [noted_at for noted_at, effective_at, loosens in known if loosens and effective_at - noted_at < least]
    if not suspects:
        return 0
    first = select(func.min(Consent.given_at)).where(made_up.is_real(Consent.subject_id))
    agreed_at = session.exec(first).one()
    return sum(agreed_at is not None and agreed_at < noted_at for noted_at in suspects)


NOTICE_DAYS: Final = 14


# ----------------------------------------------------------------------------------------------------------- breach
def breach_notice(svc: Services, now: datetime) -> Result:
    """Of a breach that is noted, the authority and people are told in time. Before there is one nobody can measure it;
    what it needs is there: a contact, people on duty, an honest log."""
    with svc.reading() as session:
        fault, stand = _fault_at_the_end(session), breaches.overdue(session, now)
    told, of = svc.notify.check() if svc.notify is not None else (0, 0)
    figure = _breaches_now(stand, now) or (
        says("contact set, {told} told at once", told=told)
        if svc.settings.privacy_contact
        else says("contact missing, {told} told at once", told=told)
    )
    if stand.late:
        untold = says(
            "Breaches that were noticed more than 72 hours ago, and of which the authority or people are not told "
            "yet: {late}.",
            late=stand.untold,
        )
        too_late = says(
            "Breaches that were told, or found to be no risk, later than 72 hours after they were noticed: {late}.",
            late=stand.too_late,
        )
        seen, *more = [*([untold] if stand.untold else []), *([too_late] if stand.too_late else [])]
        return broken(figure, seen.followed_by(*more))
    if fault:
        return broken(
            figure,
            says("The end of the audit log is not as it was written (entry {seq}): ask how that came.", seq=fault),
        )
    if not svc.settings.privacy_contact:
        return unknown(
            figure, says("No contact is set (PRIVACY_CONTACT), so nobody could ask, and no notice says whom to.")
        )
    if of and told < of:
        return unknown(
            figure, says("{missing} of {of} addresses of people on duty are not understood.", missing=of - told, of=of)
        )
    duty = (
        says("People on duty are told at once when a promise breaks.")
        if told
        else says("Nobody is on duty (ALERT_URLS).")
    )
    authority = (
        says("The authority to tell is {name}.", name=svc.settings.authority)
        if svc.settings.authority
        else says("Which authority is to be told is not set (AUTHORITY).")
    )
    seen = says(
        "That it would be done in time cannot be measured before. What it needs is there: a contact, and a log whose "
        "end is as it was written."
    )
    return kept(figure, seen.followed_by(duty, authority))


def _breaches_now(stand: breaches.Overdue, now: datetime) -> Says | None:
    """How many are open, and how long is left of the first one's 72 hours."""
    if stand.late:
        return says("breaches open: {open}, not told in time: {late}", open=stand.open, late=stand.late)
    if not stand.open:
        return None
    if stand.next_due_at is None:
        return says("breaches open: {open}, all told", open=stand.open)
    return says("breaches open: {open}, {left} left to tell", open=stand.open, left=stand.next_due_at - now)


def _fault_at_the_end(session: Session) -> int:
    """The entry that is not as it was written, of the last ones. 0: none."""
    columns = [col(getattr(AuditEntry, name)) for name in audit.ENTRY_COLUMNS]
    rows: list[Any] = list(session.execute(sa.select(*columns).order_by(col(AuditEntry.seq).desc()).limit(TAIL)).all())
    for newer, older in zip(rows, [*rows[1:], None], strict=False):
        follows = older is None or (newer.previous_hash == older.hash and newer.seq == older.seq + 1)
        if not follows or audit.hash_of(newer._mapping) != newer.hash:
            return int(newer.seq)
    return 0


# ---------------------------------------------------------------------------------------------------------- backups
def backups_end_too(svc: Services, now: datetime) -> Result:
    """The setting is within its bound, and no copy of the database that we can see is older."""
    days = svc.settings.backup_days
    kept_for = timedelta(days=days)
    own = _own_file(svc)
    folders = {svc.settings.data_dir.resolve(), own.parent.resolve() if own else svc.settings.data_dir.resolve()}
    beside = [file for folder in folders for file in _files(folder, BACKUPS)]
    databases = {DATABASE, own.name if own else DATABASE}
    old = [file for file in beside if file.name not in databases and _age(file, now) > kept_for + timedelta(days=1)]
    beyond = [bound for bound in bounds.BOUNDS if bound.setting == "backup_days" and not bound.holds(svc.settings)]
    figure = (
        says("{days} days, {old} older", days=days, old=len(old))
        if days
        else says("{old} older copies seen", old=len(old))
    )
    if old or beyond:
        return broken(
            figure,
            says("{old} files beside the database look like backups that are older than promised.", old=len(old)),
        )
    theirs = (
        says("That backups go after {days} days is the word of those who run this server.", days=days)
        if days
        else says("No backups are made, as those who run this server say (BACKUP_DAYS is 0).")
    )
    seen = BESIDE_IT if own is not None else ELSEWHERE
    return kept(figure, seen.followed_by(theirs))


BESIDE_IT: Final = says(
    "No older copy of the database lies beside it. What is kept elsewhere cannot be seen from here."
)
ELSEWHERE: Final = says("The database is on another server: what is kept there cannot be seen from here.")
DATABASE: Final = "workshot.db"


def _own_file(svc: Services) -> Path | None:
    """The file that the database is, where it is one."""
    url = svc.database.url
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
