"""
Objects as files, for the embedded default: `<folder>/<first two letters>/<key>`.

What it guards against:
* A half-written file. Bytes go to `<key>.<random>.part`, are flushed to disk and renamed. A crash leaves a part file
  whose name begins with the key, so whoever erases the key erases it too, and whoever looks for the key sees it.
* Two writers of one key, a stalled worker and the one that took over: each has its own part, and the last one wins.
* A folder that is not there. A disk that failed to mount looks just like a vault from which everything has been
  erased. So the folder carries a marker, and without it every answer is "unknown", never "absent".
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from core.adapters.one_by_one import OneByOne
from core.errors import ObjectMissing, StorageUnavailable
from core.language import _
from core.ports import LifecycleRule, Presence, StoredObject

MARKER = ".workshot-vault"
_KEY = re.compile(r"[0-9a-f]{32,64}")


class LocalFiles(OneByOne):
    """An ObjectStore in a folder, which is made on first use with mode 0700."""

    place = "vault"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.exists():
            _make_vault(folder)

    def put(self, key: str, data: bytes) -> None:
        with _our_errors():
            self._require_marker()
            path = self._path(key)
            part = path.with_name(f"{key}.{secrets.token_hex(4)}.part")
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _flush_folder(path.parent)

    def get(self, key: str) -> bytes:
        with _our_errors():
            self._require_marker()
            try:
                return self._path(key).read_bytes()
            except FileNotFoundError:
                raise ObjectMissing(_("This image is not in the vault.")) from None

    def erase(self, key: str) -> None:
        with _our_errors():
            self._require_marker()
            path = self._path(key)
            path.unlink(missing_ok=True)
            for part in _parts_of(path):
                part.unlink(missing_ok=True)
            if path.parent.exists():
                _flush_folder(path.parent)

    def head(self, key: str) -> Presence:
        try:
            path = self._path(key)
            found = _exists(path) or bool(_parts_of(path))
            self._require_marker()  # after the look: it was the vault that we looked at
        except (OSError, StorageUnavailable):
            return Presence.UNKNOWN
        return Presence.PRESENT if found else Presence.ABSENT

    def listed(self, key: str) -> Presence:
        try:
            path = self._path(key)
            found = key in _names_in(path.parent) or bool(_parts_of(path))
            self._require_marker()
        except (OSError, StorageUnavailable):
            return Presence.UNKNOWN
        return Presence.PRESENT if found else Presence.ABSENT

    def inventory(self) -> Iterator[StoredObject]:
        with _our_errors():
            for folder in self._folder.iterdir():
                for name in _names_in(folder) if folder.name != MARKER else ():
                    if found := _stored(folder / name):
                        yield found
            self._require_marker()

    def retire(self) -> None:
        """Remove a vault whose objects have all moved: left empty, it would "prove" that each of them is gone.

        Stays as it is where anything is left in it.
        """
        with _our_errors():
            folders = [path for path in self._folder.iterdir() if path.name != MARKER]
            if any(not path.is_dir() or any(path.iterdir()) for path in folders):
                return
            for path in folders:
                path.rmdir()
            (self._folder / MARKER).unlink(missing_ok=True)
            self._folder.rmdir()

    def lifecycle_rules(self) -> list[LifecycleRule] | None:
        return None

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("not an object key")
        return self._folder / key[:2] / key

    def _require_marker(self) -> None:
        if not _exists(self._folder / MARKER):
            raise StorageUnavailable(_("The vault's folder is not there. Is its disk mounted?"))


def _exists(path: Path) -> bool:
    """Like Path.exists, but an answer that proves nothing is an error and not a no."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _make_vault(folder: Path) -> None:
    """Made beside its place and then given its name: it has its marker from the first moment, and two processes may
    start at once."""
    draft = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700, parents=True)
    (draft / MARKER).touch(mode=0o600)
    try:
        draft.rename(folder)
    except OSError:
        (draft / MARKER).unlink()
        draft.rmdir()
        if not folder.exists():  # if it is there, another process was faster
            raise


def _stored(path: Path) -> StoredObject | None:
    """None for what is no object of ours, or went while we looked."""
    key, _, part = path.name.partition(".")
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not _KEY.fullmatch(key) or path.parent.name != key[:2]:
        return None
    modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
    return StoredObject(key=key, size=status.st_size, modified_at=modified_at, whole=not part)


def _parts_of(path: Path) -> list[Path]:
    """What unfinished writes of a key have left. No key is the beginning of another followed by a dot."""
    return [path.with_name(name) for name in _names_in(path.parent) if name.startswith(f"{path.name}.")]


def _names_in(folder: Path) -> set[str]:
    """Nothing for a folder that was never made."""
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


def _flush_folder(folder: Path) -> None:
    """Make a rename or an unlink survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise StorageUnavailable(_("The vault cannot be reached just now.")) from exc
