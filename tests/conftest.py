"""What most tests start from: services on a fresh database, a store in memory, a clock that stands still."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import generations, jobs, migrations
from core.contracts import Contract
from core.db import connect
from core.drafts import Drafts
from core.fair_use import Guesses, Networks
from core.generations import Agreement, Choices, Upload
from core.models import CopyKind, new_id
from core.services import Services
from core.settings import Settings
from core.vault import Vault
from tests.fakes import DrawingEngine, FrozenClock, MemoryStore, jpeg
from tests.peers.postgres import Cluster

ANN, BOB, EVE = "a" * 64, "b" * 64, "e" * 64
"""Session hashes: the one who uploads, the one with the claim code, the one who has no business here."""


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
    return Settings(data_dir=tmp_path)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, settings: Settings) -> Iterator[str]:
    """A fresh, migrated database. Modules that say ON_BOTH_DATABASES see SQLite and PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_file"), settings.data_dir / "workshot.db")
        yield settings.database
        return
    cluster: Cluster = request.getfixturevalue("migrated_cluster")
    name = f"test_{next(_NUMBERS)}"
    _command(cluster, f"CREATE DATABASE {name} TEMPLATE migrated")
    yield cluster.url(name)
    _command(cluster, f"DROP DATABASE {name} WITH (FORCE)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames and getattr(metafunc.module, "ON_BOTH_DATABASES", False):
        metafunc.parametrize("database_url", ["sqlite", "postgres"], indirect=True)


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
def migrated_cluster(cluster: Cluster) -> Cluster:
    _command(cluster, "CREATE DATABASE migrated")
    database = connect(cluster.url("migrated"))
    migrations.upgrade(database)
    database.dispose()
    return cluster


_NUMBERS = count(1)


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


@pytest.fixture
def ask(svc: Services) -> Callable[..., str]:
    """Ann presses Generate."""

    def press(
        *,
        who: str = ANN,
        contract: Contract = Contract.MONTH,
        variants: int = 2,
        request_id: str | None = None,
        backdrop_image: bytes | None = None,
    ) -> str:
        received_at = svc.clock()
        kinds = {CopyKind.PORTRAIT: jpeg()} | ({CopyKind.BACKDROP: backdrop_image} if backdrop_image else {})
        return generations.request(
            svc,
            who,
            request_id=request_id or new_id(),
            uploads=[
                Upload(kind=kind, data=data, width=400, height=500, received_at=received_at)
                for kind, data in kinds.items()
            ],
            choices=Choices(
                purpose="linkedin",
                ratio="1:1",
                long_side=1600,
                style="studio",
                backdrop="grey",
                variants=variants,
                engine="on_device",
                contract=contract,
            ),
            agreement=Agreement(may_use_photo=True, is_adult=True),
        )

    return press
