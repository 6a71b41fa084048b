"""What every ObjectStore must do. A new store joins `STORES` and has passed when this has."""

from datetime import timedelta

import pytest

from core.adapters.local_files import LocalFiles
from core.errors import ObjectMissing
from core.ports import Presence
from core.vault import new_object_key
from tests.conftest import on_all_threads
from tests.fakes import MemoryStore
from tests.peers.s3_servers import KINDS as S3_SERVERS

STORES = {"memory": lambda folder: MemoryStore(), "local files": lambda folder: LocalFiles(folder / "vault")}


@pytest.fixture(params=[*STORES, *S3_SERVERS])
def store(request, tmp_path):
    if request.param in STORES:
        return STORES[request.param](tmp_path)
    return request.getfixturevalue("s3_servers").store(request.param)


@pytest.fixture
def key():
    return new_object_key()


def presence(store, key):
    return store.head(key), store.listed(key)


PRESENT, ABSENT = (Presence.PRESENT,) * 2, (Presence.ABSENT,) * 2


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 4096])
def test_what_is_put_is_given_back_whole(store, key, data):
    store.put(key, data)

    assert store.get(key) == data
    assert presence(store, key) == PRESENT


def test_what_never_was_is_absent(store, key):
    assert presence(store, key) == ABSENT
    with pytest.raises(ObjectMissing):
        store.get(key)


def test_what_is_erased_is_absent(store, key):
    store.put(key, b"x")
    store.erase(key)

    assert presence(store, key) == ABSENT
    with pytest.raises(ObjectMissing):
        store.get(key)


def test_erasing_what_is_gone_is_no_error(store, key):
    store.erase(key)
    store.put(key, b"x")
    store.erase(key)
    store.erase(key)


def test_putting_again_replaces(store, key):
    store.put(key, b"longer than the second")
    store.put(key, b"second")

    assert store.get(key) == b"second"


def test_erasing_takes_one_key_and_no_neighbour(store, key):
    neighbour = key[:-1] + ("0" if key[-1] != "0" else "1")
    for each in (key, neighbour):
        store.put(each, b"x")
    store.erase(key)

    assert (presence(store, key), presence(store, neighbour)) == (ABSENT, PRESENT)


def test_many_writers_of_one_key_leave_one_whole_object(store, key):
    data = b"all the same" * 10_000
    on_all_threads(lambda: store.put(key, data), times=4)

    assert store.get(key) == data
    store.erase(key)
    assert presence(store, key) == ABSENT


def test_erasing_many_takes_those_and_no_other(store):
    keys = sorted(new_object_key() for _ in range(4))
    for each in keys:
        store.put(each, b"x")
    never_there = new_object_key()

    assert store.erase_many(iter([*keys[:3], never_there])) == {}
    assert [presence(store, each) for each in keys] == [ABSENT, ABSENT, ABSENT, PRESENT]


def test_erasing_none_is_no_error(store):
    assert store.erase_many([]) == {}


def test_the_inventory_shows_what_is_there_with_size_and_age(store):
    keys = [new_object_key() for _ in range(3)]
    for size, each in enumerate(keys, start=1):
        store.put(each, b"x" * size)
    store.erase(keys[0])

    found = {each.key: each for each in store.inventory()}
    assert keys[0] not in found
    assert [(found[each].size, found[each].whole) for each in keys[1:]] == [(2, True), (3, True)]
    assert all(found[each].modified_at.utcoffset() == timedelta(0) for each in keys[1:])


def test_it_names_its_place(store):
    assert store.place == "vault"
