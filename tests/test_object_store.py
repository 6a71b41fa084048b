"""What every ObjectStore must do. A new store joins `STORES` and has passed when this has."""

import pytest

from core.adapters.local_files import LocalFiles
from core.errors import ObjectMissing
from core.ports import Presence
from core.vault import new_object_key
from tests.conftest import on_all_threads
from tests.fakes import MemoryStore

STORES = {"memory": lambda folder: MemoryStore(), "local files": lambda folder: LocalFiles(folder / "vault")}


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    return STORES[request.param](tmp_path)


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


def test_it_names_its_place(store):
    assert store.place == "vault"
