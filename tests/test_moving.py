"""Moving the vault: proved at the target before it is erased at the source, and safe to cut off anywhere."""

from datetime import timedelta

import pytest

from core import copies, jobs, moving, retention
from core.adapters.local_files import LocalFiles
from core.errors import Busy, StorageUnavailable
from core.models import Copy, CopyKind, Subject, new_id
from core.moving import Move
from core.ports import Presence
from core.retention import Outcome
from core.vault import new_object_key
from tests.fakes import MemoryStore

PLAIN = b"a face"


@pytest.fixture
def source(store):
    return store


@pytest.fixture(params=["memory", "R2 simulator"])
def target(request):
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("s3_servers").store(request.param)


@pytest.fixture
def given_copy(svc):
    def make(*, ends_in=timedelta(days=1)):
        with svc.transaction() as session:
            subject = Subject(id=new_id(), created_at=svc.clock())
            subject.sealed_key = svc.vault.make_key(subject.id)
            session.add(subject)
            session.flush()
            copy = copies.plan(
                session,
                subject_id=subject.id,
                kind=CopyKind.PORTRAIT,
                width=1,
                height=1,
                size=len(PLAIN),
                at=svc.clock(),
                erase_by=svc.clock() + timedelta(days=1),
            )
        copies.write(svc, copy.id, PLAIN)
        with svc.transaction() as session:
            session.get_one(Copy, copy.id).erase_by = svc.clock() + ends_in
        return copy

    return make


def at(store, key):
    return store.head(key), store.listed(key)


THERE, GONE = (Presence.PRESENT,) * 2, (Presence.ABSENT,) * 2


def move(svc, source, target):
    return moving.move_objects(svc, source=source, target=target)


def test_every_object_is_at_the_target_as_it_was_and_not_at_the_source(svc, source, target, given_copy):
    made = [given_copy() for _ in range(moving.BATCH + 2)]
    before = dict(source.objects)

    assert move(svc, source, target) == Move(moved=len(made))
    assert source.objects == {}
    assert {key: target.get(key) for key in before} == before


def test_what_was_moved_opens_under_its_row(svc, source, given_copy):
    copy, target = given_copy(), MemoryStore()
    move(svc, source, target)

    svc.vault.store = target
    assert copies.read(svc, copy.id) == PLAIN


def test_moving_twice_moves_nothing_more(svc, source, target, given_copy):
    given_copy()
    move(svc, source, target)

    assert move(svc, source, target) == Move()


def test_what_is_due_is_erased_and_not_carried_along(svc, source, target, given_copy):
    copy = given_copy(ends_in=timedelta(0))

    assert move(svc, source, target) == Move(due=1)
    assert (at(source, copy.object_key), at(target, copy.object_key)) == (GONE, GONE)
    svc.vault.store = target
    assert retention.erase(svc, copy.id) is Outcome.GONE


def test_what_no_row_knows_stays_where_it_is(svc, source, target):
    key = new_object_key()
    source.put(key, b"a lost row, or rubbish")
    done = move(svc, source, target)

    assert (done, done.is_whole) == (Move(no_row=1), False)
    assert (at(source, key), at(target, key)) == (THERE, GONE)


def test_what_came_back_after_it_was_gone_is_not_carried_along(svc, source, given_copy):
    copy, target = given_copy(ends_in=timedelta(0)), MemoryStore()
    zombie = source.get(copy.object_key)
    retention.erase(svc, copy.id)
    source.put(copy.object_key, zombie)

    assert move(svc, source, target) == Move(no_row=1)
    assert target.objects == {} and copy.object_key in source.objects


def test_nothing_is_erased_that_did_not_arrive_whole(svc, source, given_copy):
    class Garbles(MemoryStore):
        def get(self, key):
            return super().get(key)[:-1]

    copies_, target = [given_copy(), given_copy()], Garbles()
    with pytest.raises(StorageUnavailable):
        move(svc, source, target)

    assert set(source.objects) == {copy.object_key for copy in copies_}


def test_nothing_is_erased_when_what_arrived_is_not_there(svc, source, given_copy):
    class Forgets(MemoryStore):
        def put(self, key, data):
            pass

    given_copy()
    with pytest.raises(StorageUnavailable):
        move(svc, source, Forgets())
    assert len(source.objects) == 1


def test_a_source_that_keeps_what_it_was_told_to_erase_is_not_called_moved(svc, source, given_copy):
    given_copy()
    source.erases_nothing = True

    with pytest.raises(StorageUnavailable):
        move(svc, source, MemoryStore())


def test_one_that_cannot_be_moved_keeps_no_other_from_it(svc, source, given_copy):
    made = [given_copy(), given_copy(), given_copy()]
    stuck, target = made[1].object_key, MemoryStore()

    def refuse(key):
        if key == stuck:
            raise StorageUnavailable("no")

    target.before_put = refuse
    done = move(svc, source, target)
    assert (done, done.is_whole) == (Move(moved=2, failed=1), False)
    assert set(source.objects) == {stuck}

    target.before_put = lambda key: None
    assert move(svc, source, target) == Move(moved=1)


@pytest.mark.parametrize("moment", ["before_put", "after_put"])
def test_cut_off_at_any_moment_it_goes_on_where_it_stopped(svc, source, given_copy, moment):
    made, target = [given_copy() for _ in range(5)], MemoryStore()
    calls = []

    def die(key):
        calls.append(key)
        if len(calls) == 3:
            raise KeyboardInterrupt

    setattr(target, moment, die)
    with pytest.raises(KeyboardInterrupt):
        move(svc, source, target)
    assert set(source.objects) | set(target.objects) == {copy.object_key for copy in made}

    setattr(target, moment, lambda key: None)
    move(svc, source, target)
    assert (len(source.objects), len(target.objects)) == (0, 5)


def test_it_does_not_begin_while_a_worker_is_alive(svc, source, given_copy):
    given_copy()
    jobs.Worker(svc).beat()

    with pytest.raises(Busy, match="Stop the server"):
        move(svc, source, MemoryStore())
    assert len(source.objects) == 1


def test_left_overs_of_a_write_that_never_ended_are_erased(svc, given_copy, store, tmp_path):
    copy = given_copy()
    local, target = LocalFiles(tmp_path / "vault"), MemoryStore()
    local.put(copy.object_key, b"x")
    whole = tmp_path / "vault" / copy.object_key[:2] / copy.object_key
    whole.rename(whole.with_name(f"{whole.name}.part"))

    assert move(svc, local, target) == Move(moved=1)
    assert target.objects == {}
    assert at(local, copy.object_key) == GONE


def test_the_source_being_away_from_the_start_is_an_error(svc, source, given_copy):
    given_copy()
    source.down = True

    with pytest.raises(StorageUnavailable):
        move(svc, source, MemoryStore())
