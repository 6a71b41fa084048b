"""A link hands one picture over once, within minutes, to nobody but whoever was given it."""

import io
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from PIL import Image
from sqlmodel import SQLModel, select
from starlette.testclient import TestClient

from core import retention
from core.errors import NotAllowed, NotFound, StorageUnavailable
from core.models import Generation, HandOverLink, ProviderTask, ProviderTaskState
from core.provider import links
from core.vault import Vault
from tests.provider.outsider import Outsider, beside, given_task, owner_of
from tests.web.test_staff import served

PUBLIC = "https://photos.example.org"


@pytest.fixture
def svc(svc):
    settings = svc.settings.model_copy(update={"public_url": PUBLIC})
    return replace(beside(svc, Outsider()), settings=settings)


@pytest.fixture
def task(svc, ask) -> ProviderTask:
    return given_task(svc, ask(), state=ProviderTaskState.INTENT, taken_at=None, task_id=None)


@pytest.fixture
def offer(svc, task):
    def make(*, task=task, copy_id="", svc=svc) -> str:
        with svc.transaction() as session:
            run = session.get_one(Generation, task.generation_id)
            return links.offer(svc, session, task, copy_id or run.portrait_id, svc.clock())

    return make


def secret_of(url: str) -> str:
    found = re.fullmatch(rf"{PUBLIC}/handover/([0-9a-f]{{64}})/photo\.jpg", url)
    assert found, "a constant name, and nothing of anyone"
    return found.group(1)


def served_once(svc, url) -> bytes:
    return links.serve(svc, secret_of(url))


def is_over(svc, url) -> bool:
    try:
        served_once(svc, url)
    except NotFound:
        return True
    return False


# ------------------------------------------------------------------------------------------------------------ the link
def test_it_serves_the_picture_as_the_provider_takes_it_once(svc, offer):
    url = offer()
    with Image.open(io.BytesIO(served_once(svc, url))) as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("JPEG", (64, 80), {})
    assert is_over(svc, url) and is_over(svc, url)


def test_it_is_the_same_each_time_for_a_task_and_a_picture(svc, offer, task, ask):
    first = offer()
    assert offer() == first
    other = given_task(svc, ask(request_id="2"), state=ProviderTaskState.INTENT)
    assert offer(task=other) != first
    second = given_task(svc, task.generation_id, 2, state=ProviderTaskState.INTENT)
    assert offer(task=second) != first, "each variant has its own"


def test_no_row_holds_its_secret(svc, offer):
    secret = secret_of(offer())
    with svc.database.connect() as connection:
        held = [repr(connection.execute(table.select()).all()) for table in SQLModel.metadata.sorted_tables]
    assert secret not in "".join(held)


def test_another_master_key_makes_other_addresses(svc, offer, store):
    url = offer()
    assert offer(svc=replace(svc, vault=Vault(store, b"x" * 32))) != url


def test_without_an_address_of_ours_there_is_no_link(svc, offer):
    nowhere = replace(svc, settings=svc.settings.model_copy(update={"public_url": ""}))
    with pytest.raises(NotAllowed, match="PUBLIC_URL"):
        offer(svc=nowhere)


# ----------------------------------------------------------------------------------------------------------- its ends
def test_it_ends_after_minutes(svc, offer, clock):
    url = offer()
    clock.advance(minutes=10)
    assert is_over(svc, url)


def test_offered_again_it_has_all_its_minutes_unless_it_was_used(svc, offer, clock):
    url = offer()
    clock.advance(minutes=11)
    assert offer() == url
    clock.advance(minutes=9)
    assert not is_over(svc, url)
    assert offer() == url, "what is sent again must be the same to the byte"
    assert is_over(svc, url)


def test_it_ends_when_it_is_closed_and_another_one_has_another_address(svc, offer, task, clock):
    url = offer()
    with svc.transaction() as session:
        links.close(session, [task.id], clock.now)
    assert is_over(svc, url)
    again = offer()
    assert again != url and not is_over(svc, again) and is_over(svc, url)


def test_a_used_one_is_followed_by_another_where_nothing_was_taken(svc, offer, task):
    """The provider fetched the picture and then said that it was too busy: what is sent now is another request."""
    url = offer()
    served_once(svc, url)
    with svc.transaction() as session:
        row = session.get_one(ProviderTask, task.id)
        row.state = ProviderTaskState.PLANNED
        session.add(row)
    again = offer(task=row)
    assert again != url and is_over(svc, url) and not is_over(svc, again)


def test_closing_ends_the_links_of_these_tasks_alone(svc, offer, clock):
    url = offer()
    with svc.transaction() as session:
        links.close(session, ["another-1"], clock.now)
    assert not is_over(svc, url)


def test_it_ends_with_its_task_even_if_nobody_closes_it(svc, offer, task, clock):
    url = offer()
    with svc.transaction() as session:
        row = session.get_one(ProviderTask, task.id)
        row.state, row.failure, row.ended_at = ProviderTaskState.FAILED, "cancelled", clock.now
        session.add(row)
    assert is_over(svc, url)


def test_it_ends_the_moment_everything_is_to_be_erased(svc, offer, task):
    url = offer()
    retention.erase_everything(svc, owner_of(svc, task.generation_id))
    assert is_over(svc, url)


def test_it_ends_with_the_clock_of_its_picture(svc, offer, task, clock):
    clock.advance(days=29, hours=23, minutes=55)
    url = offer()
    clock.advance(minutes=6)
    assert is_over(svc, url)


def test_a_provider_that_is_not_set_up_gets_nothing(svc, offer):
    url = offer()
    assert is_over(replace(svc, providers={}), url)


# ------------------------------------------------------------------------------------------------------------- attacks
def test_of_many_that_ask_at_once_one_is_served(svc, offer):
    url, ready = offer(), Barrier(8)

    def ask() -> bool:
        ready.wait()
        return is_over(svc, url)

    with ThreadPoolExecutor(8) as threads:
        answers = [future.result() for future in [threads.submit(ask) for _ in range(8)]]
    assert answers.count(False) == 1


def test_two_that_have_both_found_it_open_are_not_both_served(svc, offer):
    link_id = links._known(svc, secret_of(offer()))
    assert links._use_up(svc, link_id).served_at == svc.clock()
    with pytest.raises(NotFound):
        links._use_up(svc, link_id)


def test_it_is_used_up_before_anything_is_read(svc, offer, store):
    """Whatever goes wrong after that: it does not serve again."""
    url = offer()
    store.down = True
    with pytest.raises(StorageUnavailable):
        served_once(svc, url)
    store.down = False
    assert is_over(svc, url)


@pytest.mark.parametrize("secret", ["", "0" * 64, "f" * 63, "F" * 64, "..", "%00", "ß" * 64, "\n", "a" * 10_000])
def test_what_is_made_up_opens_nothing(svc, offer, secret):
    url = offer()
    with pytest.raises(NotFound):
        links.serve(svc, secret)
    assert not is_over(svc, url)


def test_ids_of_rows_open_nothing(svc, offer, task):
    offer()
    with svc.reading() as session:
        link = session.exec(select(HandOverLink)).one()
    for word in (link.id, link.id * 2, link.copy_id * 2, svc.vault.keyed_hash("export", link.id.encode())):
        with pytest.raises(NotFound):
            links.serve(svc, word)


# ----------------------------------------------------------------------------------------------------------- over HTTP
@pytest.fixture
def client(svc):
    with served(svc) as client:
        yield client


def path_of(url: str) -> str:
    return url.removeprefix(PUBLIC)


def test_over_http_it_is_a_picture_that_nobody_keeps(client: TestClient, offer):
    answer = client.get(path_of(offer()))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers and "etag" not in answer.headers
    assert answer.content.startswith(b"\xff\xd8\xff")


def test_used_expired_closed_and_made_up_look_like_everything_that_is_not_there(client, svc, offer, task, clock):
    def of(path: str) -> tuple[object, ...]:
        answer = client.get(path)
        return answer.status_code, answer.content, sorted(answer.headers.items())

    nothing = of(f"/img/{'0' * 32}")
    used = path_of(offer())
    assert client.get(used).status_code == 200
    with svc.transaction() as session:
        links.close(session, [task.id], clock.now)
    expired = path_of(offer())
    clock.advance(minutes=10)
    answers = [of(path) for path in (used, expired, f"/handover/{'0' * 64}/photo.jpg", "/handover/x/photo.jpg")]
    assert answers == [nothing] * 4 and nothing[0] == 404


def test_who_only_asks_whether_it_is_there_learns_nothing_and_uses_nothing_up(client, offer):
    path = path_of(offer())
    assert client.head(path).status_code == client.head(f"/handover/{'0' * 64}/photo.jpg").status_code == 404
    assert client.get(path.replace("photo.jpg", "photo.png")).status_code == 404
    assert client.get(path.replace("photo.jpg", "")).status_code == 404
    assert [client.request(method, path).status_code for method in ("POST", "PUT", "DELETE", "OPTIONS")] == [405] * 4
    assert client.get(path, headers={"range": "bytes=0-10"}).status_code == 200


def test_storage_that_is_down_looks_the_same(client, offer, store):
    path = path_of(offer())
    store.down = True
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (404, "There is nothing here.")


def test_no_log_has_its_address(client, offer, store, caplog):
    caplog.set_level(logging.DEBUG, logger="core")
    secret = secret_of(offer())
    client.get(f"/handover/{secret}/photo.jpg")
    client.get(f"/handover/{secret}/photo.jpg")
    assert secret not in "".join(record.getMessage() for record in caplog.records if record.name != "httpx")
