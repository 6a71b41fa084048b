"""Objects as files: what a crash leaves is found, and a folder that is not there proves nothing."""

import shutil
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.adapters.local_files import MARKER, LocalFiles
from core.errors import ObjectMissing, StorageUnavailable
from core.ports import Presence
from core.vault import new_object_key

KEY = "ab" + "0" * 38


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "deep" / "vault"


@pytest.fixture
def store(folder):
    return LocalFiles(folder)


def presence(store, key=KEY):
    return store.head(key), store.listed(key)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_may_look(store, folder):
    store.put(KEY, b"x")

    assert mode(folder) == mode(folder / "ab") == 0o700
    assert mode(folder / "ab" / KEY) == mode(folder / MARKER) == 0o600


def test_a_half_written_file_is_seen_and_erased(store, folder):
    (folder / "ab").mkdir()
    (folder / "ab" / f"{KEY}.part").write_bytes(b"half a fa")

    with pytest.raises(ObjectMissing):
        store.get(KEY)
    assert presence(store) == (Presence.PRESENT, Presence.PRESENT)
    store.erase(KEY)
    assert presence(store) == (Presence.ABSENT, Presence.ABSENT)
    assert list((folder / "ab").iterdir()) == []


def test_a_write_after_a_half_written_one_is_whole_and_both_go_together(store, folder):
    (folder / "ab").mkdir()
    (folder / "ab" / f"{KEY}.part").write_bytes(b"half a face, and longer than the next")
    store.put(KEY, b"whole")

    assert store.get(KEY) == b"whole"
    store.erase(KEY)
    assert list((folder / "ab").iterdir()) == []


@pytest.mark.parametrize("what_is_left", ["an empty folder", "nothing"])
def test_a_disk_that_is_not_mounted_proves_nothing(store, folder, what_is_left):
    store.put(KEY, b"x")
    shutil.rmtree(folder)
    if what_is_left == "an empty folder":
        folder.mkdir()

    assert presence(store) == (Presence.UNKNOWN, Presence.UNKNOWN)
    for call in (store.get, store.erase, lambda key: store.put(key, b"y")):
        with pytest.raises(StorageUnavailable):
            call(KEY)


def test_a_folder_that_is_there_is_not_marked_again(store, folder):
    (folder / MARKER).unlink()

    assert presence(LocalFiles(folder)) == (Presence.UNKNOWN, Presence.UNKNOWN)


def test_what_it_kept_is_there_after_a_restart(store, folder):
    store.put(KEY, b"x")

    assert LocalFiles(folder).get(KEY) == b"x"


def test_an_answer_that_is_no_answer_is_unknown(store, folder):
    (folder / "ab").write_text("a file where a folder should be")

    assert presence(store) == (Presence.UNKNOWN, Presence.UNKNOWN)
    for call in (store.get, store.erase, lambda key: store.put(key, b"y")):
        with pytest.raises(StorageUnavailable):
            call(KEY)


def test_a_neighbour_in_the_same_folder_is_not_the_key(store):
    store.put(KEY[:-1] + "1", b"x")

    assert presence(store) == (Presence.ABSENT, Presence.ABSENT)


@pytest.mark.parametrize(
    "key", ["", "ab", "../../etc/passwd", "ab/" + "0" * 37, "AB" + "0" * 38, "0" * 65, "ab" + "0" * 38 + "\n", "g" * 40]
)
def test_what_is_no_key_touches_no_file(store, folder, key):
    for call in (store.get, store.erase, store.head, store.listed, lambda key: store.put(key, b"y")):
        with pytest.raises(ValueError, match="not an object key"):
            call(key)
    assert [path.name for path in folder.iterdir()] == [MARKER]


def test_our_own_keys_are_keys(store):
    store.put(new_object_key(), b"x")


def test_several_processes_may_start_on_an_empty_disk_at_once(tmp_path):
    together = threading.Barrier(8)

    def start(round_):
        together.wait(timeout=20)
        return LocalFiles(tmp_path / f"vault{round_}").head(KEY)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(start, [n for n in range(50) for _ in range(8)])) == {Presence.ABSENT}
    assert {path.name for path in tmp_path.iterdir()} == {f"vault{n}" for n in range(50)}


def test_no_error_names_a_file(store, folder):
    shutil.rmtree(folder)
    with pytest.raises(StorageUnavailable) as caught:
        store.get(KEY)

    assert KEY not in str(caught.value) and str(folder) not in str(caught.value)
