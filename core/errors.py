"""
What can go wrong, and whose move it is.

* WorkShotError
  x BadSettings             the operator: the app does not start
  x InvalidPhoto            the person: another photo, or the same one taken differently
  x NotAllowed              the person: a choice, a consent or a code is missing
    + StalePlan             the operator: what was looked at is no longer what would happen
  x LimitReached            the person: tomorrow
  x Busy                    try again in a moment
  x NotFound                foreign, erased and unknown all look like this
  x StorageError
    + ObjectMissing         already gone: fine when erasing, wrong when reading
    + ObjectDamaged         the bytes do not authenticate: never shown to anyone
    + StorageUnavailable    try again; says nothing about whether the object is there
      - ObjectLocked        the operator: a lock keeps it, and no clock can hold until the lock is off
  x MailError
    + MailRefused           the other side will never take this mail
    + MailUnavailable       try again
  x EngineError
    + EngineRefused         permanent: this photo will never be accepted
    + EngineUnavailable     try again
    + NotTaken              a provider did not take it, and says or shows so; `after`: when to try again
    + InDoubt               a provider may have taken it, and charged: never asked again by itself
  x AnalyticsUnavailable    it did not take what it was told, for certain: try again

Messages are shown to people and written to logs: never a name, an address, a key or a URL.
"""


class WorkShotError(Exception):
    """Base of every error this app raises on purpose; pages catch this and nothing wider."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class BadSettings(WorkShotError):
    code = "bad_settings"


class InvalidPhoto(WorkShotError):
    """The photo cannot become a headshot. `code` names the reason; the message says what to do."""

    code = "invalid_photo"


class NotAllowed(WorkShotError):
    code = "not_allowed"


class StalePlan(NotAllowed):
    code = "stale_plan"


class LimitReached(WorkShotError):
    code = "limit_reached"


class Busy(WorkShotError):
    code = "busy"


class NotFound(WorkShotError):
    code = "not_found"


class StorageError(WorkShotError):
    code = "storage"


class ObjectMissing(StorageError):
    code = "object_missing"


class ObjectDamaged(StorageError):
    code = "object_damaged"


class StorageUnavailable(StorageError):
    code = "storage_unavailable"


class ObjectLocked(StorageUnavailable):
    code = "object_locked"


class MailError(WorkShotError):
    code = "mail"


class MailRefused(MailError):
    code = "mail_refused"


class MailUnavailable(MailError):
    code = "mail_unavailable"


class EngineError(WorkShotError):
    code = "engine"


class EngineRefused(EngineError):
    code = "engine_refused"


class EngineUnavailable(EngineError):
    code = "engine_unavailable"


class NotTaken(EngineError):
    """Nothing was done and nothing charged: it may be sent again, `after` seconds from now if that is known."""

    code = "not_taken"

    def __init__(self, message: str, *, code: str | None = None, after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.after = after


class InDoubt(EngineError):
    code = "in_doubt"


class AnalyticsUnavailable(WorkShotError):
    code = "analytics"
