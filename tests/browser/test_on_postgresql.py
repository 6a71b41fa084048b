"""The same app on PostgreSQL: the whole journey of a photo, and what still opens while the database is away."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.erasing import LOOKED_AT_EVERY
from tests.browser.backstage import Backstage, now
from tests.browser.conftest import APP
from tests.browser.studio import PHONE, Visitor
from tests.browser.test_journey import test_a_photo_goes_in_headshots_come_out_and_nothing_stays as journey
from tests.peers.postgres import Cluster
from tests.web.served import Server, serve, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """To be stopped and started."""
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def database(own_cluster: Cluster) -> str:
    return own_cluster.create()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("on_postgresql") / "data"


@pytest.fixture(scope="module")
def server(data_dir: Path, database: str) -> Iterator[Server]:
    settings = {"DATA_DIR": str(data_dir), "DATABASE_URL": database}
    with serve(data_dir.parent / "server.log", page=APP, **settings) as up:
        yield up


@pytest.fixture(scope="module")
def backstage(server: Server, data_dir: Path, database: str) -> Iterator[Backstage]:
    with Backstage(data_dir, database) as open_curtain:
        yield open_curtain


def test_a_photo_goes_in_headshots_come_out_and_nothing_stays(
    someone: Callable[..., Visitor], server: Server, backstage: Backstage, data_dir: Path
) -> None:
    journey(someone, server, backstage, **PHONE)
    assert not list(data_dir.glob("*.db*")), "nothing of it went to a file"


def test_while_the_database_is_away_the_guide_opens_and_afterwards_everything(
    someone: Callable[..., Visitor], server: Server, own_cluster: Cluster
) -> None:
    ann = someone()
    own_cluster.stop("immediate")
    try:
        old = now() + LOOKED_AT_EVERY
        assert until(lambda: now() > old)  # what was seen of the switch, so that it is looked at again, in vain
        ann.open("/guide").sees("Guide")
    finally:
        own_cluster.start()
    assert until(lambda: server.client().get("/healthz").status_code == 200, seconds=60)
    ann.open("/my_photos").reads("There is nothing of yours here.")
