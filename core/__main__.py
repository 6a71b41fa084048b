"""
The command line: `python -m core VERB [--json]`. Exit status 0 only where all is well.

The names of the verbs are fixed, because operators script them.
"""

import argparse
import base64
import json
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core import (
    audit,
    bootstrap,
    canary,
    doctor,
    erasing,
    mailbox,
    migrations,
    moving,
    operators,
    policy,
    promises,
    reconcile,
    retention,
)
from core.clock import utc_now
from core.db import connect
from core.errors import BadSettings, NotAllowed, WorkShotError
from core.logs import quiet_logs
from core.models import FindingKind, Job, JobKind, PromiseState, Role
from core.provenance import certificates
from core.queue import enqueue
from core.services import Services
from core.settings import load_settings
from core.signing import key_id_of

FINISH_WITHIN = 60.0
"""Seconds that a worker has for the steps in hand once it is told to stop; give it a little more before killing it."""
MEASURED_WITHIN = 15.0
"""Seconds that a server has to measure every promise; then it is done here."""

Answer = tuple[bool, dict[str, Any], str]
"""All is well; the same as JSON; the same for people."""
_built: list[Services] = []


def built(*args: Any, **kwargs: Any) -> Services:
    """What every verb works with. What it counts is written when the verb ends, however it ends."""
    _built.append(bootstrap.build(*args, **kwargs))
    return _built[-1]


def _write_usage() -> None:
    while _built:
        svc = _built.pop()
        svc.tally.tend(svc.database, svc.clock(), everything=True)


def migrate(options: argparse.Namespace) -> Answer:
    settings = load_settings()
    bootstrap.make_data_dir(settings.data_dir)
    database = connect(settings.database)
    before = bootstrap.reached(lambda: migrations.current(database))
    after = bootstrap.reached(lambda: migrations.upgrade(database))
    return True, {"before": before, "after": after}, f"The database is at version {after} (it was at {before})."


OPERATOR = "operator:command-line"


def sweep(options: argparse.Namespace) -> Answer:
    svc = built()
    if options.dry_run:
        return _dry_run(retention.plan(svc), svc.settings.erase_early_hours)
    report = retention.confirm(svc, options.confirm, actor=OPERATOR) if options.confirm else retention.sweep(svc)
    late, _ = retention.overdue(svc, than=timedelta(0))
    held = retention.hold(svc)
    data = {"dry_run": False, **asdict(report), "overdue": late, "plan": held.plan_hash if held else None}
    text = f"{report.gone} erased and proved gone, {report.not_proved} not proved yet, {late} past their clock."
    if report.stopped:
        text += f" {retention.switch_state(svc).says}"
    if held:
        text += f" {held.says}"
    return late == 0 and not report.stopped, data, text


def _dry_run(plan: retention.Plan, early: int) -> Answer:
    """What a sweep would erase, as it sees it."""
    due = [
        {"id": i.id, "kind": i.kind.value, "size": i.size, "erase_by": i.erase_by.isoformat(), "why": i.reason.value}
        for i in plan.items
    ]
    lines = [f"{row['id']}  {row['kind']}  {row['size']} bytes  due {row['erase_by']}  {row['why']}" for row in due]
    if plan.left_out:
        lines.append(f"… and {plan.left_out} more")
    data = {
        "dry_run": True,
        "due": due,
        "total": plan.total,
        "left_out": plan.left_out,
        "size": plan.size,
        "reasons": {reason.value: count for reason, count in plan.reasons.items()},
        "kept_in_all": plan.kept_in_all,
        "plan": plan.hash,
        "valid_from": plan.made_at.isoformat(),
        "valid_until": plan.valid_until.isoformat(),
        "erase_early_hours": early,
    }
    lines += [f"{plan.total} due.", f"Plan {plan.hash}, valid until {plan.valid_until:%H:%M:%S} UTC."]
    lines.append(f"Clocks of more than 24 hours end {early} h early; shorter ones have no margin.")
    return True, data, "\n".join(lines)


def compare(options: argparse.Namespace) -> Answer:
    svc = built()
    done = reconcile.compare(svc, deep=options.deep)
    kinds = [] if options.mend is None else list(FindingKind) if options.mend == "all" else [FindingKind(options.mend)]
    mended = {kind.value: reconcile.mend_all(svc, kind, actor=OPERATOR) for kind in kinds if done.found[kind]}
    with svc.reading() as session:
        left = reconcile.counts(session)
    data = {
        "objects": done.objects,
        "rows": done.rows,
        "found": {kind.value: count for kind, count in done.found.items()},
        "mended": {kind: dict(outcomes) for kind, outcomes in mended.items()},
        "left": {kind.value: count for kind, count in left.items()},
    }
    lines = [f"{done.objects} objects against {done.rows} rows."]
    lines += [f"{count} {kind.value}, {left[kind]} left" for kind, count in done.found.items() if count]
    return not any(left.values()), data, "\n".join(lines if len(lines) > 1 else [*lines, "They agree."])


def erase_switch(options: argparse.Namespace) -> Answer:
    svc = built()
    if options.what == "stop":
        erasing.stop(svc, reason=options.reason or "", actor=OPERATOR)
    elif options.what == "start":
        erasing.start(svc, actor=OPERATOR)
    now = erasing.state(svc)
    data = {"stopped": now.is_stopped, "since": now.stopped_at, "reason": now.reason}
    well = now.is_stopped == (options.what == "stop")
    return well, data, now.says or "Erasing goes on: what is due is erased."


def sing(options: argparse.Namespace) -> Answer:
    svc = built()
    runs, song = canary.sing(svc), canary.song(svc)
    well = bool(runs) and all(run.gone_at is not None for run in runs)
    data = {
        "well": well,
        "canaries": [{"contract": r.contract.value, "gone": r.gone_at is not None, "failure": r.failure} for r in runs],
        **{name: _in_seconds(getattr(song, name)) for name in ("p50", "p95", "longest")},
        "last_well_at": song.last_well_at,
    }
    lines = [
        f"{run.contract.value:<8} {'gone and proved' if run.gone_at else run.failure or 'not gone'}" for run in runs
    ]
    return well, data, "\n".join(lines or ["No canary was sent: erasing is stopped."])


def _in_seconds(span: timedelta | None) -> float | None:
    return span.total_seconds() if span is not None else None


def examine(options: argparse.Namespace) -> Answer:
    checks = doctor.examine(built())
    signs = {doctor.Health.FINE: "ok     ", doctor.Health.WARNING: "warning", doctor.Health.BROKEN: "BROKEN "}
    text = "\n".join(f"{signs[check.health]}  {check.name:<9} {check.says}" for check in checks)
    return doctor.is_well(checks), {"well": doctor.is_well(checks), "checks": [asdict(c) for c in checks]}, text


def promised(options: argparse.Namespace, *, svc: Services | None = None, within: float = MEASURED_WITHIN) -> Answer:
    """Measure every promise now."""
    svc = svc or built()
    if _measured_by_the_server(svc, within):
        now = svc.clock()
        stands = promises.stands(svc, now)
    else:
        now = svc.clock()
        stands = promises.run_checks(svc, now)
        promises.tell(svc, now)
    with svc.reading() as session:
        version = policy.version_in_force(svc, session)
    state, headline = promises.headline(stands, now)
    well = promises.are_well(stands)
    lines = [f"{stand.state.value:<8} {stand.promise.id:<30} {stand.figure}{_kept(stand)}" for stand in stands]
    lines += [f"\n{s.promise.id}: {s.sentence}\n  {s.evidence}" for s in stands if s.state is not PromiseState.KEPT]
    data = {
        "well": well,
        "state": state.value,
        "says": headline,
        "version": version,
        "promises": [_stand(stand) for stand in stands],
    }
    return well, data, "\n".join([headline, *lines])


def _measured_by_the_server(svc: Services, within: float) -> bool:
    """A server knows how people reach it, which this process does not: where one has measured lately, it is asked."""
    asked_at, lately = svc.clock(), timedelta(seconds=2 * svc.settings.promises_every_seconds)
    if any(s.checked_at is None or asked_at - s.checked_at > lately for s in promises.stands(svc, asked_at)):
        return False
    with svc.transaction() as session:
        enqueue(session, JobKind.PROMISES, "-", at=asked_at)
    waiting = threading.Event()
    for _ in range(int(within / 0.25)):
        with svc.reading() as session:
            if session.get(Job, (JobKind.PROMISES, "-")) is None:
                return True
        waiting.wait(0.25)
    return False


def _kept(stand: promises.Stand) -> str:
    return "" if stand.kept_percent is None else f"  ({stand.kept_percent:.1f} % of 30 days)"


def _stand(stand: promises.Stand) -> dict[str, Any]:
    days = [{"day": day, "kept": kept, "broken": broken, "unknown": dark} for day, kept, broken, dark in stand.days]
    promise = stand.promise
    return {
        "id": promise.id,
        "group": promise.group,
        "sentence": stand.sentence,
        "state": stand.state.value,
        "public_state": stand.public_state.value,
        "figure": stand.figure,
        "evidence": stand.evidence,
        "checked_at": stand.checked_at,
        "since": stand.since,
        "measured": promise.measured,
        "reads": promise.reads,
        "enforced_by": promise.enforced_by,
        "owner": promise.owner,
        "grace_minutes": int(promise.grace.total_seconds() // 60),
        "reader_may": promise.reader_may,
        "kept_percent": stand.kept_percent,
        "days": days,
    }


def work(options: argparse.Namespace) -> Answer:
    """Make and erase until told to stop."""
    svc = built()
    policy.hold(svc)
    _, runner = bootstrap.with_runner(svc)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    runner.start()
    say({"worker": "started"}, "The worker has started.", as_json=options.json)
    stop.wait()
    runner.stop(timeout=FINISH_WITHIN)
    return True, {"worker": "stopped"}, "The worker has stopped."


def mail(options: argparse.Namespace) -> Answer:
    """Read the mailbox now, to its end."""
    svc = built()
    done = mailbox.fetch_all(svc)
    now = mailbox.state(svc)
    left = now.unsorted if now else 0
    data = {
        "read": {sort.value: number for sort, number in done.sorts.items()},
        "known": done.known,
        "removed": done.removed,
        "expired": done.expired,
        "unsorted": left,
        "failure": done.failure,
    }
    sorts = ", ".join(f"{number} {sort.value}" for sort, number in done.sorts.items())
    text = f"{done.read} read{f' ({sorts})' if sorts else ''}, {done.removed} removed, {left} wait for a person."
    if now and now.failure:
        text += f" {now.says}"
    return done.failure is None and not done.stumbled, data, text


def audit_log(options: argparse.Namespace) -> Answer:
    svc = built()
    if options.what == "key":
        key = {"key_id": svc.signer.key_id, "public_key": svc.signer.public_text}
        return True, key, f"{key['public_key']}  (id {key['key_id']})"
    verdict = audit.verify(svc, kept=_head(options.head))
    said = [verdict.says, *(f"  at {p.seq}: {p.says}" for p in verdict.problems[1:]), f"Head: {verdict.head}"]
    data = {"well": verdict.well, "says": verdict.says, **asdict(verdict), "head": str(verdict.head)}
    return verdict.well, data, "\n".join(said)


def credentials(options: argparse.Namespace) -> Answer:
    """To see signing at work. Nothing is overwritten."""
    settings = load_settings()
    folder = Path(options.to) if options.to else settings.data_dir / "c2pa"
    files = {"C2PA_CERTIFICATE_FILE": folder / "certificate.pem", "C2PA_KEY_FILE": folder / "key.pem"}
    if any(file.exists() for file in files.values()):
        raise BadSettings("There is a certificate already. Name another folder, or remove it first.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = certificates.development(name=settings.run_by or "WorkShot", now=utc_now())
    for file, text in zip(files.values(), made, strict=True):
        file.touch(mode=0o600)
        file.write_text(text)
    told = {name: str(file.resolve()) for name, file in files.items()}
    lines = ["A certificate that nobody believes, for a year. To sign headshots with it, set:"]
    return True, told, "\n".join([*lines, *(f"  {name}={file}" for name, file in told.items())])


def receipt(options: argparse.Namespace) -> Answer:
    """With --key nothing but the file is read: no settings, no database."""
    from core import receipts

    data = _start_of(options.file, receipts.MOST_BYTES + 1)
    if options.key:
        verdict = receipts.verify(data, public_keys=dict(map(_public_key, options.key)))
    else:
        verdict = receipts.check(built(), data)
    said = receipts.words(verdict.statement) if verdict.statement else None
    lines = [verdict.says]
    if said:
        lines += ["", said.title, *(f"  {line}" for line in said.proves), "It does not show:"]
        lines += [f"  {line}" for line in said.does_not]
    told = asdict(verdict.statement) if verdict.statement else None
    answer = {"well": verdict.well, "finding": verdict.finding.value, "says": verdict.says, "newer": verdict.newer}
    return verdict.well, answer | {"statement": told}, "\n".join(lines)


def _start_of(path: str, size: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError:
        raise NotAllowed("This file cannot be read. Is its name right?") from None


def _public_key(text: str) -> tuple[str, bytes]:
    """As `audit key` and /receipt-key print it."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise NotAllowed("--key wants a public key in base64, as `audit key` and /receipt-key print it.")
    return key_id_of(key), key


def policies(options: argparse.Namespace) -> Answer:
    """Every version of the policy, or one withdrawn that was announced."""
    svc = built()
    if options.what == "withdraw":
        gone = policy.withdraw(svc, options.version or "", actor=OPERATOR)
        return True, {"withdrawn": gone.id, "at": gone.withdrawn_at}, f"{gone.id} is withdrawn: it does not come."
    now = svc.clock()
    with svc.reading() as session:
        known = policy.history(session)
    binding = policy.in_force(known, now)
    states = {version.id: _state_of(version, binding, now) for version in known}
    data = [
        {"version": version.id, "state": states[version.id], "effective_at": version.effective_at} for version in known
    ]
    lines = [f"{version.id}  {states[version.id]}, {version.effective_at:%d %b %Y, %H:%M} UTC" for version in known]
    return True, {"versions": data}, "\n".join(lines or ["No version was noted yet: a server does, when it starts."])


def _state_of(version: policy.Version, binding: policy.Version | None, now: datetime) -> str:
    if version.withdrawn_at:
        return "withdrawn"
    if version.comes(now):
        return "announced"
    return "in force" if version == binding else "over"


def staff(options: argparse.Namespace) -> Answer:
    link = operators.make_link(built(), Role(options.role))
    minutes = int(operators.LINK_LIVES.total_seconds() // 60)
    data = {"url": link.url, "role": link.role.value, "operator": link.operator_id, "expires_at": link.expires_at}
    return True, data, f"{link.url}\nSigns one person in as {link.role.value}, once, within {minutes} minutes."


def _head(text: str | None) -> audit.Head | None:
    """`SEQ:HASH`, as `audit verify` prints it."""
    if text is None:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or len(digest) != 64:
        raise NotAllowed("--head wants SEQ:HASH, as `audit verify` prints it.")
    return audit.Head(int(seq), digest)


def migrate_objects(options: argparse.Namespace) -> Answer:
    """Copy, prove, erase at the source. What cannot be moved stays where it is."""
    settings = load_settings()
    if not settings.uses_s3:
        raise BadSettings("Set the S3_* settings first: this moves images between DATA_DIR and that bucket.")
    if options.source == options.target:
        raise BadSettings("That is the same place twice.")
    places = {"local": bootstrap.local_vault, "s3": bootstrap.s3_store}
    source, target = places[options.source](settings), places[options.target](settings)
    svc = built(settings, store=target)
    done = moving.move_objects(svc, source=source, target=target)
    if options.source == "local" and done.is_whole:
        bootstrap.local_vault(settings).retire()
    text = f"{done.moved} moved and proved, {done.due} were due and are erased."
    if done.failed:
        text += f" {done.failed} could not be moved; run this again."
    if done.no_row:
        text += f" {done.no_row} are known to no row and stay where they are: see `reconcile`."
    return done.is_whole, asdict(done), text


def show_demo(options: argparse.Namespace) -> Answer:
    from core import demo

    svc = built()
    if options.remove:
        removed = demo.remove(svc)
        says = f"{removed:,} rows are removed: nothing of the demo is left." if removed else "There is no demo here."
        return True, {"removed": removed}, says
    made = demo.make(svc, days=options.days, subjects=options.subjects)
    return True, asdict(made), made.says


def usage(options: argparse.Namespace) -> Answer:
    """The page's numbers, as CSV or JSON. Nothing smaller than a month can be asked for."""
    from core.usage import reports
    from core.usage.periods import Period, month_word

    svc = built()
    now = svc.clock()
    words = {"from": options.first or month_word(now.date()), "to": options.last or options.first or ""}
    told = reports.report(svc, Period.of_words(words), now=now)
    if options.table not in (reports.ALL, *told.tables):
        raise NotAllowed(f"There is no such table. There are: {', '.join(told.tables)}.")
    return True, reports.as_json(told, options.table), reports.as_csv(told, options.table).rstrip("\r\n")


def exposed(options: argparse.Namespace, *, svc: Services | None = None) -> Answer:
    """What a leak would show if it happened now. Reads, and changes nothing."""
    from core import exposure

    found = exposure.measure(svc or built())
    leaks = exposure.leaks(found)
    lines = [f"{leak.what}: {leak.shows}" for leak in leaks]
    lines += [f"Keys: {exposure.under_which_key(found)}", f"At third parties: {exposure.at_third_parties(found)}"]
    lines += filter(None, (exposure.in_one_folder(found), exposure.without_a_row(found)))
    return True, found.as_dict() | {"leaks": [asdict(leak) for leak in leaks]}, "\n".join(lines)


VERBS: dict[str, tuple[Callable[[argparse.Namespace], Answer], str]] = {
    "migrate": (migrate, "bring the database to the newest version"),
    "migrate-objects": (migrate_objects, "move every image to another store, proved there before it is erased here"),
    "worker": (work, "make headshots and erase what is due, until stopped"),
    "sweep": (sweep, "erase everything that is due, now"),
    "reconcile": (compare, "compare the whole store with the rows, and mend what is asked for"),
    "canary": (sing, "send a drawn portrait the whole way, now"),
    "erasing": (erase_switch, "stop or start all erasing, or say which it is"),
    "mail": (mail, "read the mailbox now"),
    "audit": (audit_log, "verify the audit log, or print the key that signs it"),
    "c2pa": (credentials, "make a certificate to try the signing of headshots with"),
    "receipt": (receipt, "verify a receipt; with --key by the public key alone"),
    "staff": (staff, "make a link that signs an operator in, once"),
    "policy": (policies, "list the versions of the policy, or withdraw one that is announced"),
    "promises": (promised, "measure every promise, and print how it stands"),
    "exposure": (exposed, "print what a leak would show, if it happened now"),
    "doctor": (examine, "check that this installation is fit to hold a face"),
    "usage": (usage, "print the numbers of the usage page, of whole months"),
    "demo": (show_demo, "fill an empty installation with made-up people, or remove them"),
}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m core", description="WorkShot from the command line.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (_, says) in VERBS.items():
        verb = verbs.add_parser(name, help=says, description=says)
        verb.add_argument("--json", action="store_true", help="print JSON")
        if name == "audit":
            verb.add_argument("what", choices=("verify", "key"))
            verb.add_argument("--head", metavar="SEQ:HASH", help="a head that was noted earlier, elsewhere")
        if name == "receipt":
            verb.add_argument("what", choices=("verify",))
            verb.add_argument("file", metavar="FILE")
            verb.add_argument(
                "--key", metavar="BASE64", action="append", help="a public key to believe; may be repeated"
            )
        if name == "c2pa":
            verb.add_argument("what", choices=("development-certificate",))
            verb.add_argument("--to", metavar="FOLDER", help="where to; else c2pa in DATA_DIR")
        if name == "policy":
            verb.add_argument("what", nargs="?", choices=("list", "withdraw"), default="list")
            verb.add_argument("version", nargs="?", metavar="VERSION", help="as the list names it")
        if name == "mail":
            verb.add_argument("what", choices=("fetch",))
        if name == "staff":
            verb.add_argument("what", choices=("link",))
            verb.add_argument("--role", choices=[role.value for role in Role], required=True)
        if name == "migrate-objects":
            verb.add_argument("--from", dest="source", choices=("local", "s3"), default="local")
            verb.add_argument("--to", dest="target", choices=("local", "s3"), default="s3")
        if name == "sweep":
            verb.add_argument("--dry-run", action="store_true", help="print what is due; erase nothing")
            verb.add_argument("--confirm", metavar="PLAN", help="run this plan, however much it is")
        if name == "reconcile":
            verb.add_argument("--mend", choices=[*(kind.value for kind in FindingKind), "all"])
            verb.add_argument("--deep", action="store_true", help="open every image, too")
        if name == "usage":
            verb.add_argument("what", choices=("export",))
            verb.add_argument("--from", dest="first", metavar="YYYY-MM", help="the first month; else this one")
            verb.add_argument("--to", dest="last", metavar="YYYY-MM", help="the last month; else the first one")
            verb.add_argument(
                "--table", default="all", metavar="ID", help="one table; else all, a line for each number"
            )
            verb.add_argument("--csv", action="store_true", help="print CSV, as it does where --json is not given")
        if name == "demo":
            verb.add_argument("--days", type=int, default=120, help="how far back they came (default: 120)")
            verb.add_argument("--subjects", type=int, default=6_000, help="how many people (default: 6000)")
            verb.add_argument("--remove", action="store_true", help="remove whatever is made up; safe to repeat")
        if name == "erasing":
            verb.add_argument("what", choices=("stop", "start", "state"))
            verb.add_argument("--reason", metavar="WORD", help="why it is stopped, in one word")
    return top


def say(data: dict[str, Any], text: str, *, as_json: bool) -> None:
    print(json.dumps(data, default=str) if as_json else text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    quiet_logs()
    try:
        well, data, text = VERBS[options.verb][0](options)
    except WorkShotError as exc:
        say({"error": exc.code, "says": str(exc)}, str(exc), as_json=options.json)
        return 2
    finally:
        _write_usage()
    say(data, text, as_json=options.json)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
