"""
Proof: what storage shows of objects that were erased.

An object is gone when storage, asked for the object itself, does not have it, and does not show it in a listing either.
Anything else is a doubt. Questions to a store that takes several go out together; and since a whole listing tells of
every object at once, it is read instead of one for each where it is short enough for that.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from sqlmodel import col, func, select

from core.errors import StorageUnavailable
from core.models import Copy
from core.ports import Presence
from core.services import Services

AT_ONCE, IN_A_ROW = 8, 25
"""Questions at a time to a store that takes several, and how many each asker has before all take a breath."""
LISTING_PAYS = 50
"""From so many objects on, a whole listing may be read for all of them instead of one for each."""
LISTED_PER_OBJECT = 25
"""As long as it is no longer than this for each: a listing's lines are cheaper than requests, and not for nothing."""
BREATH_EVERY = 1000

Breath = Callable[[], None]


class Proof:
    """Asks about some of these objects at a time; all of them were erased before it was made."""

    def __init__(
        self, svc: Services, keys: Sequence[str], breath: Breath, *, listed_per_object: int = LISTED_PER_OBJECT
    ) -> None:
        self._store = svc.vault.store
        self._breath = breath
        pays = self._listing_pays(svc, len(keys), listed_per_object)
        self._listing = self._whole_listing(keys) if pays else None

    def doubts(self, keys: Sequence[str]) -> dict[str, str]:
        """What storage answers about those that it may still have; nothing about those that it does not."""
        heads = self._each(self._store.head, keys)
        listing = self._each(self._store.listed, keys) if self._listing is None else self._listing
        return {
            key: f"head says {heads[key].value}, listing says {listing[key].value}"
            for key in keys
            if (heads[key], listing[key]) != (Presence.ABSENT, Presence.ABSENT)
        }

    def _each(self, ask: Callable[[str], Presence], keys: Sequence[str]) -> dict[str, Presence]:
        if len(keys) < 2 or not self._store.takes_many:
            return {key: ask(key) for key in keys}
        rows = [keys[start : start + IN_A_ROW] for start in range(0, len(keys), IN_A_ROW)]
        answers: list[Presence] = []
        with ThreadPoolExecutor(min(AT_ONCE, len(rows))) as threads:
            for start in range(0, len(rows), AT_ONCE):
                some = threads.map(lambda row: [ask(key) for key in row], rows[start : start + AT_ONCE])
                answers += chain.from_iterable(some)
                self._breath()
        return dict(zip(keys, answers, strict=True))

    def _listing_pays(self, svc: Services, objects: int, listed_per_object: int) -> bool:
        if objects < LISTING_PAYS or not self._store.takes_many:
            return False
        kept = select(func.count()).select_from(Copy).where(col(Copy.gone_at).is_(None), col(Copy.erased_at).is_(None))
        with svc.reading() as session:
            return session.exec(kept).one() <= listed_per_object * objects

    def _whole_listing(self, keys: Sequence[str]) -> dict[str, Presence]:
        """A listing that breaks off shows nothing of any."""
        answers = dict.fromkeys(keys, Presence.ABSENT)
        try:
            for n, found in enumerate(self._store.inventory(), 1):
                if found.key in answers:
                    answers[found.key] = Presence.PRESENT
                if n % BREATH_EVERY == 0:
                    self._breath()
        except StorageUnavailable:
            return dict.fromkeys(keys, Presence.UNKNOWN)
        return answers
