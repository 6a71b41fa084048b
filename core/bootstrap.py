"""The one place that picks adapters and builds the services from settings."""

import base64
import logging
import os
import secrets
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from core import jobs, migrations
from core.adapters.local_files import LocalFiles
from core.adapters.runner_embedded import EmbeddedRunner
from core.clock import Clock, utc_now
from core.db import connect
from core.drafts import Drafts
from core.engines.on_device.engine import OnDevice
from core.errors import BadSettings
from core.fair_use import Guesses, Networks
from core.services import Services
from core.settings import Settings, decode_key, load_settings
from core.vault import Vault

log = logging.getLogger(__name__)


def build(settings: Settings | None = None, *, clock: Clock = utc_now) -> Services:
    """Everything a use case needs, on a migrated database. Raises BadSettings."""
    settings = settings or load_settings()
    make_data_dir(settings.data_dir)
    database = connect(settings.database)
    migrations.upgrade(database)
    on_device = OnDevice(clock=clock)
    return Services(
        settings=settings,
        database=database,
        vault=Vault(LocalFiles(settings.data_dir / "vault"), master_key(settings, database)),
        engines={on_device.name: on_device},
        framer=on_device,
        drafts=Drafts(clock),
        networks=Networks(clock),
        guesses=Guesses(clock),
        clock=clock,
    )


def with_runner(svc: Services) -> tuple[Services, EmbeddedRunner]:
    """The services of a process that also works, and the runner to start and stop."""
    working = replace(svc, wake=lambda: runner.wake())
    worker = jobs.Worker(working)
    looks = [lambda: worker.look(jobs.ENGINE_WORK)] * svc.settings.engine_slots
    runner = EmbeddedRunner(
        [*looks, lambda: worker.look(jobs.UPKEEP_WORK)],
        beat=worker.beat,
        beat_every=min(jobs.BEAT_EVERY, svc.settings.lease / 3).total_seconds(),
    )
    return working, runner


def make_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise BadSettings("DATA_DIR cannot be made or written. Choose a folder that this user may write.") from exc


def master_key(settings: Settings, database: sa.Engine) -> bytes:
    """The key that seals every subject's key: from the settings, or made on first start in DATA_DIR.

    A vault with images and no key is a mistake, not a first start: making a new key would hide that. So a new one is
    made only where no subject has a key yet.
    """
    if text := settings.master_key.get_secret_value():
        return decode_key(text)
    path = settings.data_dir / "master.key"
    try:
        return decode_key(path.read_text().strip())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as exc:
        raise BadSettings("The master key in DATA_DIR cannot be read. Restore it from your backup.") from exc
    with database.connect() as connection:
        if connection.execute(sa.text("SELECT 1 FROM subject WHERE sealed_key IS NOT NULL LIMIT 1")).first():
            raise BadSettings(
                "The master key is missing, and images are sealed under it. Restore it, or set MASTER_KEY."
            )
    return _make_master_key(path)


def _make_master_key(path: Path) -> bytes:
    text = base64.b64encode(secrets.token_bytes(32))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was faster
        return decode_key(path.read_text().strip())
    with open(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    log.warning("A master key was made: %s. Back it up apart from the vault; without it no image opens.", path)
    return decode_key(text.decode())
