"""The ZIP of a copy of my data: for its owner's browser alone, and kept by nobody on the way."""

import io
import zipfile
from collections.abc import Callable, Iterator

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from core import exports, queue, requests
from core.cookies import SESSION
from core.guard import hash_of, new_session
from core.models import Copy, CopyKind, JobKind, RequestKind, new_id
from core.services import Services
from tests.fakes import FrozenClock, MemoryStore
from tests.web.test_staff import served


@pytest.fixture
def client(svc: Services) -> Iterator[TestClient]:
    with served(svc) as client:
        client.cookies.set(SESSION.name, new_session())
        yield client


@pytest.fixture
def export(svc: Services, client: TestClient, ask: Callable[..., str], work: Callable[[], int]) -> Copy:
    """What this browser's person asked for, packed."""
    me = hash_of(client.cookies[SESSION.name])
    ask(who=me)
    work()
    requests.open_in_product(svc, me, kind=RequestKind.COPY, press_id=new_id())
    if claim := queue.claim(svc, [JobKind.EXPORT]):
        exports.pack(svc, claim)
    with svc.reading() as session:
        return session.exec(select(Copy).where(Copy.kind == CopyKind.EXPORT)).one()


def test_its_owner_gets_a_file_with_a_name_that_says_nothing(client: TestClient, export: Copy) -> None:
    answer = client.get(f"/export/{export.id}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="workshot-my-data-2026-03-02.zip"'
    assert answer.headers["cache-control"] == "private, no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {"data.json", "README.txt"} < set(archive.namelist())


def test_foreign_unknown_and_other_copies_look_alike(svc: Services, client: TestClient, export: Copy) -> None:
    with svc.reading() as session:
        others = session.exec(select(Copy.id).where(col(Copy.kind) != CopyKind.EXPORT)).all()
    mine = [client.get(f"/export/{copy_id}") for copy_id in (*others, "f" * 32)]
    with served(svc) as stranger:
        nobody = stranger.get(f"/export/{export.id}")
        stranger.cookies.set(SESSION.name, new_session())
        answers = [*mine, nobody, stranger.get(f"/export/{export.id}")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, "There is nothing here.")}


def test_it_is_no_picture(client: TestClient, export: Copy) -> None:
    """By the route of pictures it would lie in the page, not in the folder of downloads."""
    assert client.get(f"/img/{export.id}").status_code == 404
    assert client.get(f"/img/{export.id}?w=240").status_code == 404


def test_it_ends_with_its_clock(client: TestClient, export: Copy, clock: FrozenClock) -> None:
    clock.advance(hours=24)
    assert client.get(f"/export/{export.id}").status_code == 404


def test_storage_that_is_down_says_so(client: TestClient, export: Copy, store: MemoryStore) -> None:
    store.down = True
    answer = client.get(f"/export/{export.id}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
