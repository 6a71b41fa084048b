"""What a store does that takes one key at a time: it erases many one after the other, and no failure stops the rest."""

from abc import abstractmethod
from collections.abc import Iterable

from core.errors import StorageUnavailable


class OneByOne:
    """The part of an ObjectStore that follows from its `erase`."""

    takes_many = False

    @abstractmethod
    def erase(self, key: str) -> None: ...

    def erase_many(self, keys: Iterable[str]) -> dict[str, StorageUnavailable]:
        failed = {}
        for key in keys:
            try:
                self.erase(key)
            except StorageUnavailable as exc:
                failed[key] = exc
        return failed
