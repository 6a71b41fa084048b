"""
Logs that may be kept: what failed and where, never for whom.

Streamlit and uvicorn write ids of live sessions, URLs and exception messages into their logs, and an exception's
message can hold anything a person has typed. `quiet_logs` cuts those out of *their* records, wherever they are
written to; our own loggers follow the rule themselves and use `outline` for exceptions.
"""

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

FOREIGN = ("streamlit", "uvicorn", "starlette", "websockets", "asyncio")
SECRETS = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a Streamlit session or file
    r"|(?<![\w-])[\w-]{43}(?![\w-])"  # a session cookie
    r"|\b[0-9a-f]{64}\b",  # the hash of one
    re.IGNORECASE,
)


def outline(exc: BaseException) -> str:
    """What an exception is and where it came from, without its message: `ValueError at intake.py:41 < ...`."""
    return " from ".join(f"{type(link).__name__}{_place(link)}" for link in _chain(exc))


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    for _ in range(5):
        if exc is None:
            return
        yield exc
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _place(exc: BaseException) -> str:
    frames = traceback.extract_tb(exc.__traceback__)[-4:]
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames)]
    return " at " + " < ".join(places) if places else ""


def quiet_logs() -> None:
    """Call once the server's own logging is set up, that is, when the app starts. Calling it again is harmless."""
    # uvicorn's access log is nothing but URLs, and Streamlit switches it back on after --no-access-log.
    logging.getLogger("uvicorn.access").disabled = True
    make = logging.getLogRecordFactory()
    if not isinstance(make, QuietRecords):
        logging.setLogRecordFactory(QuietRecords(make))


class QuietRecords:
    """A record factory, because it is the one place that no handler or logger can be added behind."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        if record.name.partition(".")[0] in FOREIGN:
            self._quieten(record)
        return record

    def _quieten(self, record: logging.LogRecord) -> None:
        text = SECRETS.sub("…", record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            text += f": {outline(record.exc_info[1])}"
        record.msg, record.args, record.exc_info = text, (), None
