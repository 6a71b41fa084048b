"""A mailbox in memory, with the ways in which real ones misbehave, and mails to put into it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from core.errors import MailUnavailable
from core.ports import RawMail


def letter(
    subject: str = "Deletion Request",
    body: str = "Please erase my photos.",
    *,
    sender: str = "Ann <ann@peer.example>",
    message_id: str = "",
    headers: str = "",
) -> bytes:
    named = f"Message-ID: {message_id}\r\n" if message_id else ""
    return f"From: {sender}\r\nSubject: {subject}\r\n{named}{headers}\r\n{body}\r\n".encode()


class MemoryInbox:
    """An Inbox."""

    name = "m" * 64

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.uid_validity = 1
        self.mails: dict[int, RawMail] = {}
        self.failure: str | None = None  # of every look
        self.breaks_after: int | None = None  # so many mails
        self.keeps = False  # removes nothing, and says so
        self.removed: list[int] = []
        self.looks: list[tuple[int, int] | None] = []
        self._next = 1

    def put(self, *mails: bytes, at: datetime | None = None) -> None:
        for data in mails:
            received_at = at or self._clock()
            self.mails[self._next] = RawMail(uid=self._next, received_at=received_at, size=len(data), data=data)
            self._next += 1

    def number_anew(self) -> None:
        """As after a restored backup: other UIDs, and another UIDVALIDITY that says so."""
        old, self.mails = list(self.mails.values()), {}
        self.uid_validity += 1
        for mail in old:
            self.put(mail.data, at=mail.received_at)

    @contextmanager
    def look(self, *, after: tuple[int, int] | None) -> Iterator[tuple[int, Iterator[RawMail]]]:
        self.looks.append(after)
        if self.failure:
            raise MailUnavailable("Not now.", code=self.failure)
        since = after[1] if after and after[0] == self.uid_validity else 0
        yield self.uid_validity, self._since(since)

    def _since(self, since: int) -> Iterator[RawMail]:
        for nth, uid in enumerate(sorted(uid for uid in self.mails if uid > since)):
            if nth == self.breaks_after:
                raise MailUnavailable("It broke off.", code="broke_off")
            yield self.mails[uid]

    def remove(self, uid_validity: int, uids: Iterable[int]) -> None:
        assert uid_validity == self.uid_validity
        if self.keeps:
            raise MailUnavailable("They stay.", code="not_removed")
        for uid in uids:
            self.mails.pop(uid, None)
            self.removed.append(uid)
