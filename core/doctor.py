"""
The doctor: is this installation fit to hold a face? Each check is tried for real, and says what to do where it fails.
"""

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core import (
    canary,
    copies,
    correspondence,
    erasing,
    jobs,
    lifecycle,
    mailbox,
    migrations,
    promises,
    reconcile,
    retention,
)
from core.errors import MailUnavailable, WorkShotError
from core.models import CopyKind, EraseReason, JobKind, PromiseState, Subject, new_id
from core.ports import HandOver, Provider
from core.provider import gate, residue, spending
from core.services import Services
from core.settings import listed

LITTLE_SPACE = 1024**3
WEEK, MONTH = timedelta(days=7), timedelta(days=30)
CANARY = b"This is not a picture."


class Health(StrEnum):
    FINE = "fine"
    WARNING = "warning"  # works, and should be seen to
    BROKEN = "broken"


@dataclass(frozen=True)
class Check:
    name: str
    health: Health
    says: str


def examine(svc: Services) -> list[Check]:
    """Every check, in the order in which one would mend them."""
    checks: tuple[Callable[[Services], Check], ...] = (
        _database,
        _folder,
        _space,
        _erasing,
        _canary,
        _rule,
        _engines,
        _worker,
        _sweep,
        _overdue,
        _storage,
        _canaries,
        _elsewhere,
        _charges,
        _mailbox,
        _contact,
        _mail,
        _duty,
        _summary,
        _promises,
    )
    return [_run(check, svc) for check in checks]


def is_well(checks: list[Check]) -> bool:
    return all(check.health is not Health.BROKEN for check in checks)


def _run(check: Callable[[Services], Check], svc: Services) -> Check:
    try:
        return check(svc)
    except Exception as exc:  # a check that fails to run is a finding, whatever it ran into
        return Check(check.__name__.strip("_"), Health.BROKEN, f"This could not be checked ({type(exc).__name__}).")


def _database(svc: Services) -> Check:
    at, newest = migrations.current(svc.database), migrations.newest()
    if at != newest:
        return Check("database", Health.BROKEN, f"At version {at}, this code wants {newest}. Run `migrate`.")
    return Check("database", Health.FINE, f"{svc.database.dialect.name}, version {at}")


def _folder(svc: Services) -> Check:
    folder = svc.settings.data_dir
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        says = f"DATA_DIR can be read by others (mode {mode:o}). Run `chmod 700` on it."
        return Check("folder", Health.WARNING, says)
    return Check("folder", Health.FINE, "DATA_DIR is readable by its owner only")


def _space(svc: Services) -> Check:
    free = shutil.disk_usage(svc.settings.data_dir).free
    health = Health.WARNING if free < LITTLE_SPACE else Health.FINE
    return Check("space", health, f"{free / 1024**3:.1f} GiB free in DATA_DIR")


def _erasing(svc: Services) -> Check:
    switch = erasing.state(svc)
    if switch.is_stopped:
        says = f"{switch.says} ({switch.reason}). `python -m core erasing start` lets it go on."
        return Check("erasing", Health.BROKEN, says)
    return Check("erasing", Health.FINE, "The switch is on: what is due is erased")


def _canary(svc: Services) -> Check:
    """One object goes the whole way: row, write, read, erase, and proof that it is gone."""
    if erasing.state(svc).is_stopped:
        return Check("vault", Health.WARNING, "Not tried: a test object could not be erased while erasing is stopped.")
    now = svc.clock()
    with svc.transaction() as session:
        subject_id = new_id()
        session.add(Subject(id=subject_id, created_at=now, sealed_key=svc.vault.make_key(subject_id), is_canary=True))
        session.flush()
        copy = copies.plan(
            session,
            subject_id=subject_id,
            kind=CopyKind.CANARY,
            width=0,
            height=0,
            size=len(CANARY),
            at=now,
            erase_by=now + timedelta(minutes=10),
            media_type="text/plain",
        )
    try:
        copies.write(svc, copy.id, CANARY)
        intact = copies.read(svc, copy.id) == CANARY
    except WorkShotError as exc:
        return Check("vault", Health.BROKEN, f"A test object could not be kept: {exc}")
    finally:
        with svc.transaction() as session:
            copies.shrink(session, [copy.id], to=svc.clock(), reason=EraseReason.CANARY)
        outcome = retention.erase(svc, copy.id)
    if not intact or outcome is not retention.Outcome.GONE:
        return Check("vault", Health.BROKEN, "A test object could not be read back, or not be proved gone.")
    return Check("vault", Health.FINE, "A test object was written, read, erased and proved gone")


def _rule(svc: Services) -> Check:
    """The bucket's own rule beside our clock and the policy."""
    clocks = lifecycle.check(svc)
    if clocks.findings:
        says = " ".join(f"{finding.says} Mend: {finding.mend}" for finding in clocks.findings)
        return Check("rule", Health.WARNING if clocks.holds else Health.BROKEN, f"{clocks.says}. {says}")
    return Check("rule", Health.FINE, clocks.says)


def _sweep(svc: Services) -> Check:
    held, early = retention.hold(svc), svc.settings.erase_early_hours
    if held is not None:
        return Check("sweep", Health.BROKEN, held.says)
    margin = f"Clocks of more than 24 hours end {early} h early; shorter ones have no margin"
    return Check("sweep", Health.FINE, margin if early else "No clock has a margin (ERASE_EARLY_HOURS is 0)")


def _storage(svc: Services) -> Check:
    """What the last comparison of storage and rows left."""
    with svc.reading() as session:
        found = {kind: count for kind, count in reconcile.counts(session).items() if count}
    if found:
        told = ", ".join(f"{count} {kind.value}" for kind, count in found.items())
        return Check("storage", Health.WARNING, f"Storage and rows differ: {told}. See `python -m core reconcile`.")
    last = retention.last_time(svc, JobKind.RECONCILE)
    when = f"Storage and rows agreed on {last.ended_at:%d %b, %H:%M} UTC" if last else "Not compared with the rows yet"
    return Check("storage", Health.FINE, when)


def _canaries(svc: Services) -> Check:
    song = canary.song(svc)
    if not song.is_well:
        return Check("canary", Health.WARNING, f"The last canary failed ({song.last_failure}).")
    if song.last_well_at is None:
        return Check("canary", Health.FINE, "No canary has sung yet. `python -m core canary` sends one now.")
    age = svc.clock() - song.last_well_at
    says = f"The last was gone {age.total_seconds() / 60:.0f} min ago; p95 {_seconds(song.p95)} after its clock"
    every = timedelta(minutes=svc.settings.canary_every_minutes)
    return Check("canary", Health.WARNING if every and age > 3 * every else Health.FINE, says)


def _seconds(span: timedelta | None) -> str:
    return f"{span.total_seconds():.0f} s" if span is not None else "unknown"


def _engines(svc: Services) -> Check:
    return Check("engines", Health.FINE, ", ".join(sorted(svc.engines)) + " ready")


def _worker(svc: Services) -> Check:
    beat = jobs.last_beat(svc)
    if beat is None:
        return Check(
            "worker", Health.WARNING, "No worker has run yet. The server starts one, or `python -m core worker`."
        )
    if not jobs.is_alive(svc):
        return Check("worker", Health.WARNING, f"No worker since {beat:%d %b %H:%M} UTC. Nothing is made or erased.")
    return Check("worker", Health.FINE, "A worker was alive within the last minute")


def _overdue(svc: Services) -> Check:
    count, oldest = retention.overdue(svc, than=timedelta(minutes=10))
    if count:
        return Check("clocks", Health.BROKEN, f"{count} copies are past their clock, the oldest by {oldest}.")
    return Check("clocks", Health.FINE, "Nothing is past its clock")


def _elsewhere(svc: Services) -> Check:
    """What lies at third parties, and whether they can fetch what is handed over by a link."""
    links = [provider.title for provider in svc.providers.values() if provider.hand_over is HandOver.LINK]
    if links and not svc.settings.public_url:
        says = f"{links[0]} fetches photos by a link, and none leads here. Set PUBLIC_URL, or APIMART_HAND_OVER."
        return Check("elsewhere", Health.BROKEN, says)
    with svc.reading() as session:
        stand = residue.figures(session, svc.clock())
        not_asked = residue.not_asked(session, svc.providers)
    if not_asked:
        says = f"{stand.says} Nobody can look after {not_asked:,} of them: their engine is no longer set up."
        return Check("elsewhere", Health.WARNING, says)
    if stand.overdue:
        return Check(
            "elsewhere", Health.WARNING, f"{stand.says} Not ours to erase; they are looked at again and again."
        )
    return Check("elsewhere", Health.FINE, stand.says)


def _charges(svc: Services) -> Check:
    """What is left at third parties that are paid, whether they take anything, and what nobody can know."""
    if not svc.providers:
        return Check("charges", Health.FINE, "Everything is made on this server: nothing is charged")
    told = [_charged_by(svc, provider) for provider in svc.providers.values()]
    health = Health.FINE if all(well for well, _ in told) else Health.WARNING
    return Check("charges", health, " ".join(says for _, says in told))


def _charged_by(svc: Services, provider: Provider) -> tuple[bool, str]:
    """Doubt is told, and no reason to warn: there is nothing to be mended about it."""
    now, title = svc.clock(), provider.title
    with svc.reading() as session:
        balance = spending.balance(session, provider.name, svc.settings)
        stand = gate.stand(session, provider, now, svc.settings)
        doubt = spending.since(session, provider.name, now - MONTH)
    says = [_left(title, balance, svc.settings.apimart_balance_warning_usd)]
    if stand.closed:
        says.append(gate.says(stand.closed, title).partition(" Please")[0])
    if doubt.doubtful:
        most = spending.dollars(doubt.possible)
        says.append(f"Charges that could not be confirmed in 30 days: {doubt.doubtful}, up to {most}.")
    return not stand.closed and not (balance and balance.is_low), " ".join(says)


def _left(title: str, balance: spending.Balance | None, warning: float) -> str:
    if balance is None:
        return f"{title} has not said yet what is left there."
    if balance.amount is None:
        return f"{title} charges without a limit."
    left = f"{spending.dollars(balance.amount)} left at {title} on {balance.asked_at:%d %b, %H:%M} UTC"
    return (
        f"{left}: less than {spending.dollars(spending.micro(warning))}. Top it up there."
        if balance.is_low
        else f"{left}."
    )


def _mailbox(svc: Services) -> Check:
    """Signs in for real; and when the worker last did."""
    now = mailbox.state(svc)
    if now is None:
        return Check("mailbox", Health.FINE, "No mailbox is read (IMAP_HOST is not set)")
    try:
        mailbox.reach(svc)
    except MailUnavailable as exc:
        says = mailbox.FAILURES.get(exc.code, str(exc))
        since = f" Not read since {now.failed_since:%d %b, %H:%M} UTC." if now.failed_since else ""
        return Check("mailbox", Health.BROKEN, f"{says}{since}")
    if now.failure:
        return Check("mailbox", Health.WARNING, now.says)
    every = timedelta(seconds=svc.settings.mail_every_seconds)
    if now.read_at is None or svc.clock() - now.read_at > max(3 * every, timedelta(minutes=5)):
        last = f"last read on {now.read_at:%d %b, %H:%M} UTC" if now.read_at else "never read yet"
        return Check("mailbox", Health.WARNING, f"It can be signed in to, and was {last}. Does a worker run?")
    if now.oldest_at and svc.clock() - now.oldest_at > mailbox.WAITS_LONG:
        says = f"{now.unsorted} unsorted mails wait for a person, the oldest since {now.oldest_at:%d %b, %H:%M} UTC."
        return Check("mailbox", Health.WARNING, says)
    seconds = (svc.clock() - now.read_at).total_seconds()
    return Check("mailbox", Health.FINE, f"Signed in; last read {seconds:.0f} s ago, {now.unsorted} unsorted")


def _contact(svc: Services) -> Check:
    if not svc.settings.privacy_contact:
        return Check("contact", Health.WARNING, "Set PRIVACY_CONTACT: people need an address for their questions.")
    return Check("contact", Health.FINE, "People can reach you")


def _mail(svc: Services) -> Check:
    """The mail server is reached, its certificate looked at and the sign-in tried; nothing is sent."""
    if svc.post is None:
        return Check("mail", Health.FINE, "No mail is sent from here")
    try:
        says = svc.post.check()
    except MailUnavailable as exc:
        return Check("mail", Health.BROKEN, f"{exc} Mend it within two days: so long do mails wait.")
    with svc.reading() as session:
        since, came_back = correspondence.waiting_since(session), correspondence.lost(session, since=svc.clock() - WEEK)
    if since is not None:
        return Check("mail", Health.WARNING, f"{says}. Mails have waited since {since:%d %b, %H:%M} UTC.")
    if came_back:
        return Check("mail", Health.WARNING, f"{says}. Not delivered within a week: {came_back}. The desk says which.")
    return Check("mail", Health.FINE, says)


def _summary(svc: Services) -> Check:
    """Whether the weekly mail to founders gets anywhere."""
    founders = len(listed(svc.settings.summary_to))
    if not founders:
        return Check("summary", Health.FINE, "Nobody gets a weekly summary of usage. SUMMARY_TO says who does.")
    if not svc.settings.smtp_host:
        says = "SUMMARY_TO is set and SMTP_HOST is not: the weekly summary gets no farther than the outbox in DATA_DIR."
        return Check("summary", Health.WARNING, says)
    from core.usage import summary  # with all that reports are made of

    monday, who = summary.last_sent(svc), f"{founders} {'founder' if founders == 1 else 'founders'}"
    last = f"the last was of Monday, {monday:%d %B}" if monday else "none yet"
    return Check("summary", Health.FINE, f"{who} get a summary of usage on Mondays; {last}")


def _promises(svc: Services) -> Check:
    """As they were measured last; `promises` measures them now."""
    stands = promises.stands(svc, svc.clock())
    _, says = promises.headline(stands, svc.clock())
    not_kept = [stand for stand in stands if stand.state is not PromiseState.KEPT]
    if all(stand.checked_at is None for stand in stands):
        return Check(
            "promises", Health.WARNING, "None has been measured yet. The server does, or `python -m core promises`."
        )
    broken = [stand for stand in not_kept if stand.state is PromiseState.BROKEN]
    health = Health.BROKEN if broken else Health.WARNING if not_kept else Health.FINE
    named = ", ".join(stand.promise.id for stand in (broken or not_kept))
    return Check("promises", health, f"{says} Look at: {named}." if named else says)


def _duty(svc: Services) -> Check:
    if svc.notify is None:
        return Check("alerts", Health.FINE, "Nobody is told before a request is late. ALERT_URLS says whom to tell.")
    understood, of = svc.notify.check()
    if understood < of:
        health = Health.WARNING if understood else Health.BROKEN
        return Check("alerts", health, f"{of - understood} of {of} addresses in ALERT_URLS are not understood.")
    return Check("alerts", Health.FINE, f"{of} {'address is' if of == 1 else 'addresses are'} told before it is late")
