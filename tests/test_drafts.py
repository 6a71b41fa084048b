"""Drafts: in memory, for minutes, within bounds, for their own session only."""

import copy
import pickle
import threading
from datetime import UTC, datetime, timedelta

import pytest

from core.drafts import DraftKind, Drafts
from core.errors import Busy, NotFound
from core.intake import CleanPhoto, Removed

MINUTE = timedelta(minutes=1)
PORTRAIT, CLOTHING, BACKDROP = DraftKind.PORTRAIT, DraftKind.CLOTHING, DraftKind.BACKDROP


class Hands:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 12, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock() -> Hands:
    return Hands()


def photo(size: int = 10, filler: bytes = b"p") -> CleanPhoto:
    return CleanPhoto(data=filler * size, width=1, height=1, format="JPEG", removed=Removed(), findings=[])


def test_a_draft_remembers_when_it_came_and_is_found_by_its_id(clock: Hands) -> None:
    drafts = Drafts(clock)
    draft = drafts.put("ann", PORTRAIT, photo())
    assert draft.received_at == clock.now
    assert drafts.get("ann", PORTRAIT) is draft
    assert drafts.find("ann", draft.id) is draft
    assert drafts.get("ann", CLOTHING) is None


def test_foreign_expired_and_unknown_ids_look_alike(clock: Hands) -> None:
    drafts = Drafts(clock)
    draft = drafts.put("ann", PORTRAIT, photo())
    answers = []
    for session, draft_id in (("bob", draft.id), ("ann", "no such id"), ("ann", "ümlaut")):
        with pytest.raises(NotFound) as answer:
            drafts.find(session, draft_id)
        answers.append(str(answer.value))
    clock.forward(30 * MINUTE)
    with pytest.raises(NotFound) as answer:
        drafts.find("ann", draft.id)
    assert set(answers) == {str(answer.value)}


def test_ids_are_random(clock: Hands) -> None:
    drafts = Drafts(clock)
    ids = {drafts.put("ann", PORTRAIT, photo()).id for _ in range(100)}
    assert len(ids) == 100 and all(len(one) >= 20 for one in ids)


def test_one_of_each_kind_and_a_new_one_replaces_the_old(clock: Hands) -> None:
    drafts = Drafts(clock)
    first = drafts.put("ann", PORTRAIT, photo(filler=b"1"))
    second = drafts.put("ann", PORTRAIT, photo(filler=b"2"))
    drafts.put("ann", BACKDROP, photo())
    assert drafts.get("ann", PORTRAIT) is second and len(drafts) == 2
    with pytest.raises(NotFound):
        drafts.find("ann", first.id)


def test_taking_hands_over_everything_once(clock: Hands) -> None:
    drafts = Drafts(clock)
    drafts.put("ann", PORTRAIT, photo())
    drafts.put("ann", CLOTHING, photo())
    drafts.put("bob", PORTRAIT, photo())
    assert set(drafts.take("ann")) == {PORTRAIT, CLOTHING}
    assert drafts.take("ann") == {} and len(drafts) == 1


def test_dropping_one_or_all(clock: Hands) -> None:
    drafts = Drafts(clock)
    drafts.put("ann", PORTRAIT, photo())
    drafts.put("ann", CLOTHING, photo())
    assert drafts.drop("ann", CLOTHING) == 1
    assert drafts.get("ann", PORTRAIT) is not None
    assert drafts.drop("ann") == 1
    assert drafts.drop("ann") == 0 and drafts.held_bytes == 0


def test_a_timer_forgets_what_nobody_asks_for(clock: Hands) -> None:
    drafts = Drafts(clock)
    drafts.put("ann", PORTRAIT, photo())
    clock.forward(29 * MINUTE)
    drafts.put("bob", PORTRAIT, photo())
    assert drafts.prune() == 0
    clock.forward(MINUTE)
    assert drafts.prune() == 1
    assert len(drafts) == 1 and drafts.get("bob", PORTRAIT) is not None


def test_looking_does_not_lengthen_a_drafts_life(clock: Hands) -> None:
    drafts = Drafts(clock)
    drafts.put("ann", PORTRAIT, photo())
    for _ in range(3):
        clock.forward(10 * MINUTE)
        seen = drafts.get("ann", PORTRAIT)
    assert seen is None and drafts.held_bytes == 0


def test_when_full_the_longest_untouched_goes_first(clock: Hands) -> None:
    drafts = Drafts(clock, max_bytes=30)
    for session in ("ann", "bob", "cem"):
        drafts.put(session, PORTRAIT, photo(10))
        clock.forward(MINUTE)
    drafts.get("ann", PORTRAIT)
    clock.forward(MINUTE)
    drafts.put("dia", PORTRAIT, photo(10))
    assert drafts.get("bob", PORTRAIT) is None
    assert all(drafts.get(session, PORTRAIT) for session in ("ann", "cem", "dia"))


def test_when_full_of_fresh_drafts_the_newcomer_waits_and_nobody_loses(clock: Hands) -> None:
    drafts = Drafts(clock, max_bytes=30)
    drafts.put("ann", PORTRAIT, photo(10))
    clock.forward(2 * MINUTE)
    drafts.put("bob", PORTRAIT, photo(20))
    with pytest.raises(Busy, match="try again"):
        drafts.put("cem", PORTRAIT, photo(20))
    assert drafts.get("ann", PORTRAIT) is not None and drafts.held_bytes == 30


def test_replacing_counts_only_the_new_one(clock: Hands) -> None:
    drafts = Drafts(clock, max_bytes=30)
    drafts.put("ann", PORTRAIT, photo(25))
    drafts.put("ann", PORTRAIT, photo(30))
    assert drafts.held_bytes == 30


def test_one_session_cannot_take_it_all(clock: Hands) -> None:
    drafts = Drafts(clock, max_per_session=30)
    drafts.put("ann", PORTRAIT, photo(20))
    with pytest.raises(Busy, match="smaller"):
        drafts.put("ann", BACKDROP, photo(20))
    assert drafts.get("ann", PORTRAIT) is not None


def test_drafts_are_never_written_and_never_shown(clock: Hands) -> None:
    drafts = Drafts(clock)
    draft = drafts.put("ann", PORTRAIT, photo(64, b"face"))
    for thing in (drafts, draft):
        for write in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError, match="never written"):
                write(thing)
        assert "face" not in repr(thing) and "ann" not in repr(thing)
    assert repr(drafts) == "<Drafts: 1 held, 256 of 268435456 bytes>"


def test_threads_may_share_it(clock: Hands) -> None:
    drafts = Drafts(clock, max_bytes=1000)
    problems: list[BaseException] = []

    def visitor(name: str) -> None:
        try:
            for _ in range(200):
                draft = drafts.put(name, PORTRAIT, photo(10))
                assert drafts.find(name, draft.id).photo.data == b"p" * 10
                drafts.prune()
                assert set(drafts.take(name)) == {PORTRAIT}
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=visitor, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not problems and len(drafts) == 0
