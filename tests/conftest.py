"""What most tests start from: services on a fresh database, a store in memory, a clock that stands still."""

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from core import copies, generations, jobs, migrations
from core.adapters.imap import ImapInbox
from core.contracts import Contract
from core.db import connect
from core.drafts import Drafts
from core.fair_use import Guesses, Networks
from core.generations import Agreement, Choices, Upload
from core.models import Copy, CopyKind, Subject, new_id
from core.services import Services
from core.settings import Settings
from core.signing import Signer
from core.vault import Vault
from tests.fakes import DrawingEngine, FrozenClock, MemoryStore, jpeg
from tests.peers.apimart import ApiMart
from tests.peers.dovecot import PASSWORD, USER, Dovecot
from tests.peers.postgres import Cluster
from tests.peers.s3_servers import S3Servers

PLAIN = b"a face"
ANN, BOB, EVE = "a" * 64, "b" * 64, "e" * 64
"""Session hashes: the one who uploads, the one with the claim code, the one who has no business here."""

SQLITE, POSTGRESQL = DATABASES = "sqlite", "postgres"
DATABASE_FIXTURES = "database_url", "database_setting"


@pytest.fixture(autouse=True)
def _main() -> Iterator[None]:
    """Streamlit leaves the page that it ran as `__main__`, and a process of its own would begin by running that."""
    mine = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = mine


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def engine() -> DrawingEngine:
    return DrawingEngine()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Clocks run their whole length here, any share may go, no canary sings: tests that are about those say so."""
    return Settings(data_dir=tmp_path, erase_early_hours=0, sweep_cap_share=1, canary_every_minutes=0)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, settings: Settings) -> Iterator[str]:
    """Fresh, and migrated: a test sees SQLite and PostgreSQL, unless it says why not (`sqlite_only`, `by_turns`)."""
    if getattr(request, "param", SQLITE) == SQLITE:
        shutil.copyfile(request.getfixturevalue("migrated_file"), settings.data_dir / "workshot.db")
        yield settings.database
        return
    with _lent(request) as url:
        yield url


@pytest.fixture
def database_setting(request: pytest.FixtureRequest) -> Iterator[str]:
    """What DATABASE_URL says to those who start the app by themselves: nothing, or a fresh PostgreSQL database."""
    if getattr(request, "param", SQLITE) == SQLITE:
        yield ""
        return
    with _lent(request) as url:
        yield url


@contextmanager
def _lent(request: pytest.FixtureRequest) -> Iterator[str]:
    url: str = request.getfixturevalue("migrated_postgres")
    yield url
    _empty(url)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite_only(reason): not on PostgreSQL, and why that is enough")
    config.addinivalue_line("markers", "by_turns(reason): on one of the two, some here and some there, and why")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    databases = [SQLITE] if metafunc.definition.get_closest_marker("sqlite_only") else DATABASES
    for name in DATABASE_FIXTURES:
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, databases, indirect=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    taken = [item for item in items if not item.get_closest_marker("by_turns") or has_its_turn(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(taken)])
    items[:] = taken


def has_its_turn(item: pytest.Item) -> bool:
    """By its name, so that every process and every machine agrees."""
    given = getattr(item, "callspec", None)
    database = next((given.params[name] for name in DATABASE_FIXTURES if given and name in given.params), None)
    if database is None:
        return True
    turn = DATABASES[crc32(item.nodeid.replace(database, "").encode()) % 2]
    return database == turn or item.get_closest_marker("sqlite_only") is not None


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "workshot.db"
    database = connect(f"sqlite:///{path}")
    migrations.upgrade(database)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def migrated_postgres(cluster: Cluster) -> str:
    url = cluster.url()
    database = connect(url)
    migrations.upgrade(database)
    database.dispose()
    return url


@pytest.fixture(scope="session")
def s3_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Servers]:
    with S3Servers(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture(scope="session")
def mail_server() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


@pytest.fixture(scope="session")
def api_mart_server() -> Iterator[ApiMart]:
    with ApiMart() as running:
        yield running


@pytest.fixture
def api_mart(api_mart_server: ApiMart) -> ApiMart:
    """A third party that makes headshots: as new for each test, done at the first look unless told otherwise."""
    api_mart_server.reset()
    return api_mart_server


@pytest.fixture
def mailbox_of(mail_server: Dovecot) -> Callable[..., ImapInbox]:
    """A fresh, empty mailbox on a real server; what it is reached with can be chosen."""
    mail_server.empty()

    def reach(**with_: Any) -> ImapInbox:
        usual = {"name": "m" * 64, "host": "127.0.0.1", "port": mail_server.port, "security": "none"}
        return ImapInbox(**usual | {"user": USER, "password": PASSWORD} | with_)

    return reach


EMPTY = """
DO $$ DECLARE filled text; BEGIN
  FOR filled IN SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
  LOOP EXECUTE 'DELETE FROM ' || filled; END LOOP;
END $$
"""
DELETED_AT_MOST = 50
"""Times in a row: what was deleted still lies in the files, and makes the next tests slower."""
_emptied = count(1)


@cache
def _sweeper(url: str) -> sa.Engine:
    return sa.create_engine(url, pool_size=1)


def _empty(url: str) -> None:
    """Much faster than a new database for each test, or than truncating what was never filled."""
    tables = ", ".join(f'"{table.name}"' for table in SQLModel.metadata.sorted_tables)
    with _sweeper(url).begin() as connection:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # the audit log refuses, else
        connection.exec_driver_sql(EMPTY if next(_emptied) % DELETED_AT_MOST else f"TRUNCATE {tables} RESTART IDENTITY")


def _without_waiting_for_the_disk(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _command(cluster: Cluster, command: str) -> None:
    """CREATE and DROP DATABASE want no transaction around them."""
    engine = sa.create_engine(cluster.url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(command)


@pytest.fixture
def svc(
    settings: Settings, database_url: str, clock: FrozenClock, store: MemoryStore, engine: DrawingEngine
) -> Iterator[Services]:
    database = connect(database_url)
    if database.dialect.name == "sqlite":
        sa.event.listen(database, "connect", _without_waiting_for_the_disk)
    yield Services(
        settings=settings,
        database=database,
        vault=Vault(store, b"k" * 32),
        engines={engine.name: engine},
        framer=engine,
        drafts=Drafts(clock),
        networks=Networks(clock),
        guesses=Guesses(clock),
        signer=Signer(b"s" * 32),
        clock=clock,
    )
    database.dispose()


@pytest.fixture
def worker(svc: Services) -> jobs.Worker:
    return jobs.Worker(svc)


@pytest.fixture
def work(worker: jobs.Worker) -> Callable[[], int]:
    """Do all work that is ready now; how many jobs that was."""

    def until_idle() -> int:
        done = 0
        while worker.look((*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK)):
            done += 1
            assert done < 1000, "the worker never comes to rest"
        return done

    return until_idle


def on_all_threads(call: Callable[[], Any], *, times: int) -> list[Any]:
    """The same call from several threads at once; their answers."""
    with ThreadPoolExecutor(times) as threads:
        return [future.result() for future in [threads.submit(call) for _ in range(times)]]


@pytest.fixture
def limit_to(svc: Services) -> Callable[..., Services]:
    """The same services under other settings."""
    return lambda **settings: replace(svc, settings=svc.settings.model_copy(update=settings))


CHOICES = Choices(
    purpose="linkedin",
    ratio="1:1",
    long_side=1600,
    style="studio",
    backdrop="grey",
    variants=2,
    engine="on_device",
    contract=Contract.MONTH,
)


@pytest.fixture
def ask(svc: Services) -> Callable[..., str]:
    """Ann presses Generate, with whatever she chose."""
    own = svc

    def press(
        *,
        svc: Services = own,
        who: str = ANN,
        request_id: str | None = None,
        received_at: datetime | None = None,
        agreement: Agreement | None = None,
        backdrop_image: bytes | None = None,
        **choices: Any,
    ) -> str:
        images = {CopyKind.PORTRAIT: jpeg()} | ({CopyKind.BACKDROP: backdrop_image} if backdrop_image else {})
        return generations.request(
            svc,
            who,
            request_id=request_id or new_id(),
            uploads=[
                Upload(kind=kind, data=data, width=400, height=500, received_at=received_at or svc.clock())
                for kind, data in images.items()
            ],
            choices=replace(CHOICES, **choices),
            agreement=agreement or Agreement(may_use_photo=True, is_adult=True),
        )

    return press


@pytest.fixture
def again(svc: Services) -> Callable[..., str]:
    """Ann makes another run from the same photo."""

    def press(*, like: str, who: str = ANN, request_id: str | None = None, **choices: Any) -> str:
        return generations.again(
            svc, who, request_id=request_id or new_id(), like=like, choices=replace(CHOICES, **choices)
        )

    return press


@pytest.fixture
def given_subject(svc: Services) -> Callable[..., str]:
    """Somebody, with a key and a claim code."""

    def make() -> str:
        subject = Subject(id=new_id(), created_at=svc.clock(), claim_hash=new_id(), claim_issued_at=svc.clock())
        subject.sealed_key = svc.vault.make_key(subject.id)
        with svc.transaction() as session:
            session.add(subject)
        return subject.id

    return make


@pytest.fixture
def given_copy(svc: Services, given_subject: Callable[..., str]) -> Callable[..., Copy]:
    """A copy whose clock ends in so long, with its bytes in the vault unless told otherwise."""

    def make(
        *,
        ends_in: timedelta = timedelta(0),
        subject_id: str | None = None,
        written: bool = True,
        kind: CopyKind = CopyKind.PORTRAIT,
    ) -> Copy:
        with svc.transaction() as session:
            copy = copies.plan(
                session,
                subject_id=subject_id or given_subject(),
                kind=kind,
                width=1,
                height=1,
                size=len(PLAIN),
                at=svc.clock(),
                erase_by=svc.clock() + ends_in,
            )
        if written:
            with svc.transaction() as session:
                stored = session.get_one(Copy, copy.id)
                svc.vault.put(session.get_one(Subject, copy.subject_id), stored, PLAIN)
                stored.written_at = svc.clock()
        return copy

    return make


@pytest.fixture
def now_of(svc: Services) -> Callable[[Any], Any]:
    """A row as it stands now."""

    def get(row: Any) -> Any:
        with svc.reading() as session:
            return session.get_one(type(row), row.id)

    return get
