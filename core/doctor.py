"""
The doctor: is this installation fit to hold a face? Each check is tried for real, and says what to do where it fails.
"""

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core import copies, jobs, migrations, retention
from core.errors import WorkShotError
from core.models import CopyKind, EraseReason, Subject, new_id
from core.services import Services

LITTLE_SPACE = 1024**3
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
        _canary,
        _engines,
        _worker,
        _overdue,
        _contact,
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


def _canary(svc: Services) -> Check:
    """One object goes the whole way: row, write, read, erase, and proof that it is gone."""
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


def _contact(svc: Services) -> Check:
    if not svc.settings.privacy_contact:
        return Check("contact", Health.WARNING, "Set PRIVACY_CONTACT: people need an address for their questions.")
    return Check("contact", Health.FINE, "People can reach you")
