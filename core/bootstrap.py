"""The one place that picks adapters and builds the services from settings."""

import base64
import logging
import os
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import sqlalchemy as sa

from core import addresses, jobs, migrations
from core.adapters.duty import Duty
from core.adapters.local_files import LocalFiles
from core.adapters.outbox import Outbox
from core.adapters.runner_embedded import EmbeddedRunner, Look
from core.clock import Clock, utc_now
from core.db import PATIENCE, connect
from core.drafts import Drafts
from core.engines.late import Late
from core.errors import BadSettings, NotAllowed, StorageUnavailable
from core.fair_use import Guesses, Networks
from core.models import JobKind
from core.ports import Analytics, HandOver, Inbox, Notify, ObjectStore, Post, Provider, Runner, Stranger
from core.promises import bounds
from core.provenance import certificates
from core.queue import CHANNEL
from core.services import Services
from core.settings import Settings, decode_key, listed, load_settings
from core.signing import Signer
from core.vault import Vault

if TYPE_CHECKING:
    from core.engines.on_device.engine import OnDevice
    from core.guard import Guard, OpenUpload
    from core.preferences import Theme

T = TypeVar("T")

log = logging.getLogger(__name__)

ON_DEVICE = "on_device"
HERE = "http://localhost:8501"
"""Where a server of this machine is looked for by whoever is not one, as a worker or the command line."""
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
PROVIDER_THREADS = 4
"""For all runs that third parties make: each step is a few short calls."""
CONNECTIONS_OF_A_SERVER = 16
"""To the object store, beside one for each run: upkeep, and the threads that hand out images."""


def build(settings: Settings | None = None, *, clock: Clock = utc_now, store: ObjectStore | None = None) -> Services:
    """Everything a use case needs, on a migrated database. Raises BadSettings."""
    settings = settings or load_settings()
    bounds.require(settings)
    _require_addresses(settings)
    certificates.of(settings)
    make_data_dir(settings.data_dir)
    database = open_database(settings)
    on_device = Late(lambda: _on_device(settings, clock))
    vault = Vault(store or object_store(settings, database), master_key(settings, database))
    svc = Services(
        settings=settings,
        database=database,
        vault=vault,
        engines={ON_DEVICE: on_device},
        providers=providers(settings, clock=clock),
        framer=on_device,
        drafts=Drafts(clock),
        networks=Networks(clock),
        guesses=Guesses(clock),
        signer=signer(settings),
        post=post(settings),
        inbox=inbox(settings, vault),
        notify=on_duty(settings),
        analytics=analytics(settings),
        clock=clock,
    )
    return seen_from_outside(svc, HERE)


def seen_from_outside(svc: Services, *addresses: str) -> Services:
    """The same, with eyes outside: at PUBLIC_URL, at these addresses of this machine, or else within this process."""
    first = [svc.settings.public_url] if svc.settings.public_url else []

    def looking() -> AbstractContextManager[Stranger]:
        from core.adapters.stranger import stranger

        return stranger([*first, *addresses], _inside(svc), partial(_is_us, svc))

    return replace(svc, outside=looking)


def _is_us(svc: Services, stranger: Stranger) -> bool:
    """Whether the server that answers signs as we do."""
    answer = stranger.ask("/receipt-key")
    return answer is not None and answer.status == 200 and f'"{svc.signer.key_id}"'.encode() in answer.start


def _inside(svc: Services) -> "Guard":
    """Our routes behind our guard, as in the server; without the pages, which show nothing without a browser."""
    from starlette.routing import Router

    from core import web
    from core.guard import Guard

    return Guard(Router(web.routes(lambda: svc)), framework=_NoPages(), secure=svc.settings.secure)


class _NoPages:
    """A framework that is not there."""

    def index_html(self) -> str:
        return ""

    def page(self, speaks: str, theme: "Theme | None") -> str:
        return ""

    def owner(self, framework_session: str) -> str | None:
        return None

    def open_uploads(self) -> tuple["OpenUpload", ...]:
        return ()


def _on_device(settings: Settings, clock: Clock) -> "OnDevice":
    from core.engines.on_device.engine import OnDevice

    return OnDevice(clock=clock, run_by=settings.run_by or "whoever runs this server")


def providers(settings: Settings, *, clock: Clock = utc_now) -> dict[str, Provider]:
    """Third parties that are set up. Raises BadSettings rather than to offer what no run could use."""
    key = settings.apimart_api_key.get_secret_value()
    if not key:
        return {}
    from core.engines.apimart.answers import micro
    from core.engines.apimart.engine import ApiMart
    from core.engines.apimart.offers import offers

    offer = offers().get(settings.apimart_model)
    if offer is None:
        raise BadSettings(f"APIMART_MODEL: choose one of {', '.join(offers())}.")
    hand_over = HandOver(settings.apimart_hand_over)
    _require_usable(settings, key, hand_over, takes_inline=offer.takes_inline)
    price = settings.apimart_price_usd
    return {
        ApiMart.name: ApiMart(
            offer=offer,
            key=key,
            base_url=settings.apimart_base_url,
            hand_over=hand_over,
            price=None if price is None else micro(Decimal(str(price))),
            result_hosts=listed(settings.apimart_result_hosts),
            read_seconds=settings.apimart_read_seconds,
            submit_seconds=settings.apimart_submit_seconds,
            clock=clock,
        )
    }


def _require_usable(settings: Settings, key: str, hand_over: HandOver, *, takes_inline: bool) -> None:
    """Raises BadSettings."""
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise BadSettings("APIMART_API_KEY: copy it anew, without spaces or line breaks.")
    if not _is_safe(settings.apimart_base_url):
        raise BadSettings("APIMART_BASE_URL must start with https://, as our key and a photo go there.")
    hosts = listed(settings.apimart_result_hosts)
    if not hosts or not all(_HOST.fullmatch(host) for host in hosts):
        raise BadSettings("APIMART_RESULT_HOSTS: plain names of hosts, as getapib.org; no scheme, no port.")
    if hand_over is HandOver.INLINE and not takes_inline:
        raise BadSettings("APIMART_HAND_OVER: this model takes no photos `inline`; set `link` or `upload`.")
    if hand_over is HandOver.LINK and not _is_safe(settings.public_url):
        raise BadSettings("APIMART_HAND_OVER: for `link`, set PUBLIC_URL to where APIMart reaches us by https://.")


def _is_safe(url: str) -> bool:
    """Encrypted, or within this machine, which is for trying things out."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    local = host in ("localhost", "127.0.0.1", "::1")
    return bool(host) and "@" not in parts.netloc and (parts.scheme == "https" or (parts.scheme == "http" and local))


def with_runner(svc: Services, *, measures: bool = False) -> tuple[Services, Runner]:
    """The services of a process that also works, and the runner to start and stop. `measures`: promises as well, which
    is for servers: a worker has not all of their settings, and nobody reaches it from outside."""
    working = replace(svc, wake=lambda: runner.wake())
    worker = jobs.Worker(working)
    threads: list[tuple[JobKind, ...]] = [jobs.ENGINE_WORK] * svc.settings.engine_slots
    # what a third party that is not set up any more has left behind is ended by whoever has little else to do
    post = jobs.POST_WORK if svc.providers else (*jobs.POST_WORK, *jobs.PROVIDER_WORK)
    threads += [jobs.UPKEEP_WORK, jobs.DESK_WORK, post, jobs.RARE_WORK]
    threads += [jobs.MEASURING_WORK] if measures else []
    threads += [jobs.PROVIDER_WORK] * (PROVIDER_THREADS if svc.providers else 0)
    looks = [
        Look([kind.value for kind in kinds], partial(worker.look, kinds), often=kinds is jobs.PROVIDER_WORK)
        for kinds in threads
    ]
    beats = min(jobs.BEAT_EVERY, svc.settings.lease / 3).total_seconds()
    runner = _runner(svc.database, looks, beat=worker.beat, beat_every=beats, rest=worker.rest)
    return working, runner


def measuring(svc: Services) -> Runner:
    """For a server whose jobs are done elsewhere. It is no worker: its beat is nobody's sign of life."""
    worker = jobs.Worker(svc)
    look = Look([kind.value for kind in jobs.MEASURING_WORK], partial(worker.look, jobs.MEASURING_WORK))
    return _runner(svc.database, [look], beat=worker.keep, beat_every=(svc.settings.lease / 3).total_seconds())


def _runner(database: sa.Engine, looks: list[Look], **heart: Any) -> Runner:
    if database.dialect.name != "postgresql":
        return EmbeddedRunner(looks, **heart)
    import psycopg

    from core.adapters.runner_postgres import LOOK_EVERY, ListeningRunner

    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    threads = EmbeddedRunner(looks, look_every=LOOK_EVERY, **heart)
    return ListeningRunner(
        threads, connect=lambda: psycopg.connect(address, autocommit=True, **PATIENCE), channel=CHANNEL
    )


def make_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise BadSettings("DATA_DIR cannot be made or written. Choose a folder that this user may write.") from exc


def open_database(settings: Settings) -> sa.Engine:
    """Connected, and migrated. Raises BadSettings without the address, which may hold a password."""
    database = connect(settings.database)
    reached(lambda: migrations.upgrade(database))
    return database


def reached(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except sa.exc.OperationalError as exc:
        raise BadSettings("The database cannot be reached. Check DATABASE_URL, and that it runs.") from exc


def object_store(settings: Settings, database: sa.Engine) -> ObjectStore:
    """Where images lie. Raises BadSettings rather than to look for them in a place where they are not."""
    if not settings.uses_s3:
        return LocalFiles(vault_folder(settings, database))
    _refuse_a_vault_in_two_places(settings, database)
    return s3_store(settings)


def s3_store(settings: Settings) -> ObjectStore:
    from core.adapters.s3 import S3Store, s3_client  # half a second that a start without S3 need not wait

    client = s3_client(
        settings.s3_endpoint_url,
        settings.s3_access_key_id.get_secret_value(),
        settings.s3_secret_access_key.get_secret_value(),
        settings.s3_region,
        connections=settings.engine_slots + CONNECTIONS_OF_A_SERVER,
    )
    return S3Store(client, settings.s3_bucket)


def local_vault(settings: Settings) -> LocalFiles:
    return LocalFiles(settings.data_dir / "vault")


def post(settings: Settings) -> Post:
    """Where our mail goes. Raises BadSettings rather than to send what nobody could answer."""
    try:
        sender = addresses.sender(settings)
    except NotAllowed:
        raise BadSettings("MAIL_FROM: one plain address, as privacy@example.org.") from None
    if not settings.smtp_host:
        return Outbox(settings.data_dir / "outbox")
    if sender is None:
        raise BadSettings("MAIL_FROM: SMTP_HOST is set, so set the address that our mail comes from.")
    from core.adapters.smtp import SmtpPost

    return SmtpPost(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        our_name=sender.rpartition("@")[2],
    )


def inbox(settings: Settings, vault: Vault) -> Inbox | None:
    """The mailbox that is read. Known by a keyed hash: a row, or a log, need not say whose it is."""
    if not settings.imap_host:
        return None
    from core.adapters.imap import ImapInbox

    whole = f"{settings.imap_host}\n{settings.imap_user}\n{settings.imap_folder}"
    return ImapInbox(
        name=vault.keyed_hash("mailbox", whole.encode()),
        host=settings.imap_host,
        port=settings.imap_port,
        security=settings.imap_security,
        user=settings.imap_user,
        password=settings.imap_password.get_secret_value(),
        folder=settings.imap_folder,
    )


def analytics(settings: Settings) -> Analytics | None:
    """Who else is told how often things happen; nobody, unless both settings say so."""
    if not settings.ga4_measurement_id:
        return None
    from core.adapters.ga4 import Ga4

    return Ga4(settings.ga4_measurement_id, settings.ga4_api_secret.get_secret_value())


def _require_addresses(settings: Settings) -> None:
    """Raises BadSettings without the address, rather than to find out on a Monday."""
    for place, text in enumerate(listed(settings.summary_to), 1):
        try:
            addresses.address(text)
        except NotAllowed:
            says = f"SUMMARY_TO: number {place} is no address that we can write to. Plain ones, comma separated."
            raise BadSettings(says) from None


def on_duty(settings: Settings) -> Notify | None:
    urls = settings.alert_urls.get_secret_value().split()
    return Duty(urls) if urls else None


def _refuse_a_vault_in_two_places(settings: Settings, database: sa.Engine) -> None:
    """What still lies in DATA_DIR would be absent from the bucket, and so "proved" gone."""
    if not (settings.data_dir / "vault").exists():
        return
    held = sa.text("SELECT 1 FROM copy WHERE object_key = :key AND gone_at IS NULL")
    try:
        with database.connect() as connection:
            keys = (each.key for each in local_vault(settings).inventory())
            if not any(connection.execute(held, {"key": key}).first() for key in keys):
                return
    except StorageUnavailable as exc:
        raise BadSettings("S3 is set, and the vault in DATA_DIR cannot be looked into. Is its disk mounted?") from exc
    raise BadSettings(
        "S3 is set, and images are still in DATA_DIR. Stop the server and the workers, run "
        "`python -m core migrate-objects`, and start again."
    )


def vault_folder(settings: Settings, database: sa.Engine) -> Path:
    """A vault that is not there looks just like one from which everything was erased, and would "prove" it."""
    folder = settings.data_dir / "vault"
    if not folder.exists() and _has_sealed_subjects(database) and not folder.exists():  # another process may make it
        raise BadSettings("The vault's folder is missing, and images should be in it. Is DATA_DIR right and mounted?")
    return folder


def _has_sealed_subjects(database: sa.Engine) -> bool:
    with database.connect() as connection:
        query = "SELECT 1 FROM subject WHERE sealed_key IS NOT NULL LIMIT 1"
        return connection.execute(sa.text(query)).first() is not None


def master_key(settings: Settings, database: sa.Engine) -> bytes:
    """The key that seals every subject's key: from the settings, or made on first start in DATA_DIR.

    A vault with images and no key is a mistake, not a first start: making a new key would hide that. So a new one is
    made only where no subject has a key yet.
    """
    if text := settings.master_key.get_secret_value():
        return decode_key(text)
    path = settings.data_dir / "master.key"
    if key := _kept_key(path, "The master key in DATA_DIR cannot be read. Restore it from your backup."):
        return key
    if _has_sealed_subjects(database) and not path.exists():  # another process may have made it, and sealed with it
        raise BadSettings("The master key is missing, and images are sealed under it. Restore it, or set MASTER_KEY.")
    return _make_key(path, "A master key was made: %s. Back it up apart from the vault; without it no image opens.")


def signer(settings: Settings) -> Signer:
    """Signs with the key of the settings, or one made on first start in DATA_DIR."""
    retired = [decode_key(text) for text in listed(settings.signing_keys_retired)]
    if text := settings.signing_key.get_secret_value():
        return Signer(decode_key(text), retired)
    path = settings.data_dir / "signing.key"
    key = _kept_key(path, "The signing key in DATA_DIR cannot be read. Restore it from your backup.")
    return Signer(key or _make_key(path, "A signing key was made: %s. It signs the audit log; back it up."), retired)


def _kept_key(path: Path, unreadable: str) -> bytes | None:
    """None: there is none. Raises BadSettings."""
    try:
        return decode_key(path.read_text().strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise BadSettings(unreadable) from exc


def _make_key(path: Path, says: str) -> bytes:
    """Written whole and then given its name, so that a key file is complete whenever there is one."""
    text = base64.b64encode(secrets.token_bytes(32))
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:  # another process was faster
        return decode_key(path.read_text().strip())
    finally:
        draft.unlink()
    log.warning(says, path)
    return decode_key(text.decode())
