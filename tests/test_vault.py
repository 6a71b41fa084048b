"""The vault: a byte in another place, under another key or of another length does not open."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import NotFound, ObjectDamaged, ObjectMissing
from core.models import Copy, CopyKind, Subject, new_id
from core.vault import FORM, NONCE_BYTES, OVERHEAD, Vault, new_object_key
from tests.fakes import MemoryStore

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FACE = b"a face that nobody else may see " * 40


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def vault(store):
    return Vault(store, b"k" * 32)


def someone(vault):
    subject = Subject(id=new_id(), created_at=NOW)
    subject.sealed_key = vault.make_key(subject.id)
    return subject


def a_copy(subject, **changes):
    given = {
        "subject_id": subject.id,
        "kind": CopyKind.PORTRAIT,
        "place": "vault",
        "object_key": new_object_key(),
        "media_type": "image/jpeg",
        "width": 1,
        "height": 1,
        "size": len(FACE),
        "created_at": NOW,
        "erase_by": NOW + timedelta(days=1),
    }
    return Copy(**given | changes)


@pytest.fixture
def ann(vault):
    return someone(vault)


@pytest.fixture
def photo(vault, ann):
    copy = a_copy(ann)
    vault.put(ann, copy, FACE)
    return copy


@pytest.mark.parametrize("data", [b"", b"x", FACE])
def test_what_is_put_opens_again(vault, ann, data):
    copy = a_copy(ann)
    vault.put(ann, copy, data)

    assert vault.get(ann, copy) == data
    assert len(vault.store.objects[copy.object_key]) == len(data) + OVERHEAD


def test_what_is_stored_shows_nothing_of_what_it_is(vault, store, ann, photo):
    sealed = store.objects[photo.object_key]

    assert not any(FACE[n : n + 8] in sealed for n in range(0, 64, 8))
    again = a_copy(ann)
    vault.put(ann, again, FACE)
    body = len(FORM) + NONCE_BYTES
    assert store.objects[again.object_key][body:] != sealed[body:]


def test_every_flipped_bit_is_noticed(vault, store, ann, photo):
    sealed = store.objects[photo.object_key]
    for n in (*range(len(FORM) + NONCE_BYTES + 4), len(sealed) // 2, len(sealed) - 1):
        store.objects[photo.object_key] = sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :]
        with pytest.raises(ObjectDamaged):
            vault.get(ann, photo)


@pytest.mark.parametrize("keep", [0, 2, 3, 10, 15, 20, -1])
def test_what_was_cut_short_is_damaged(vault, store, ann, photo, keep):
    store.objects[photo.object_key] = store.objects[photo.object_key][:keep]

    with pytest.raises(ObjectDamaged):
        vault.get(ann, photo)


@pytest.mark.parametrize("changes", [{}, {"kind": CopyKind.HEADSHOT}])
def test_an_object_that_was_moved_to_another_row_does_not_open(vault, store, ann, photo, changes):
    other = a_copy(ann, **changes)
    store.objects[other.object_key] = store.objects[photo.object_key]

    with pytest.raises(ObjectDamaged):
        vault.get(ann, other)


def test_a_row_whose_kind_was_changed_does_not_open(vault, ann, photo):
    photo.kind = CopyKind.HEADSHOT

    with pytest.raises(ObjectDamaged):
        vault.get(ann, photo)


def test_another_person_s_key_opens_nothing(vault, ann, photo):
    bob = someone(vault)
    with pytest.raises(ObjectDamaged):
        vault.get(bob, photo)
    bob.sealed_key = ann.sealed_key  # not even where the sealed key itself was copied over
    with pytest.raises(ObjectDamaged):
        vault.get(bob, photo)


def test_another_master_key_opens_nothing(store, ann, photo):
    with pytest.raises(ObjectDamaged):
        Vault(store, b"K" * 32).get(ann, photo)


def test_with_its_key_destroyed_nothing_opens_and_nothing_is_put(vault, store, ann, photo):
    ann.sealed_key = None
    held = dict(store.objects)

    with pytest.raises(NotFound):
        vault.get(ann, photo)
    with pytest.raises(NotFound):
        vault.put(ann, a_copy(ann), FACE)
    assert store.objects == held


def test_what_is_not_there_is_missing_and_not_damaged(vault, ann):
    with pytest.raises(ObjectMissing):
        vault.get(ann, a_copy(ann))


def test_words_are_sealed_for_their_person_alone(vault, ann, photo, store):
    sealed = vault.seal_text(ann, "my scar")

    assert vault.open_text(ann, sealed) == "my scar"
    assert b"scar" not in sealed
    with pytest.raises(ObjectDamaged):
        vault.open_text(someone(vault), sealed)
    with pytest.raises(ObjectDamaged):
        vault.open_text(ann, store.objects[photo.object_key])


def test_no_two_keys_are_alike(vault):
    assert len({vault.make_key("same") for _ in range(50)}) == 50
    keys = [new_object_key() for _ in range(200)]
    assert len(set(keys)) == 200 and {len(key) for key in keys} == {40}


def test_no_error_carries_a_key(vault, store, ann, photo):
    store.objects[photo.object_key] = b"junk"
    with pytest.raises(ObjectDamaged) as caught:
        vault.get(ann, photo)

    assert str(caught.value) == "This image is damaged."
